//! The objects inside a resource, one of which is broken.

use liaison_fhir::{
    release::{Content, Release, Structure},
    tree::{Object, Value},
};

use crate::{draw::Draw, mutation::Mutation};

/// A step from an object to one inside it.
#[derive(Clone)]
struct Step {
    member: String,
    item: Option<usize>,
}

/// Breaks one of the objects of a resource; false when there is none that can be broken so.
pub fn mutate(resource: &mut Object, release: &'static Release, mutation: &Mutation, draw: &mut Draw) -> bool {
    let Some(structure) = resource.resource_type().and_then(|name| release.resource(name)) else { return false };
    let mut sites = Vec::new();
    collect(resource, structure, release, &mut Vec::new(), &mut sites);
    for (way, structure) in draw.shuffled(sites) {
        let Some(object) = reach(resource, &way) else { continue };
        if (mutation.apply)(object, structure, release, draw) {
            return true;
        }
    }
    false
}

fn collect(
    object: &Object,
    structure: &'static Structure,
    release: &'static Release,
    way: &mut Vec<Step>,
    sites: &mut Vec<(Vec<Step>, &'static Structure)>,
) {
    sites.push((way.clone(), structure));
    for (name, value) in object.iter() {
        let Some(member) = structure.member(name) else { continue };
        let many = value.as_array().is_some();
        for (index, item) in value.each().iter().enumerate() {
            let Some(inner) = item.as_object() else { continue };
            let structure = match member.type_ref.content {
                Content::Structure(id) => release.structure(id),
                Content::Resource => match inner.resource_type().and_then(|name| release.resource(name)) {
                    Some(structure) => structure,
                    None => continue,
                },
                Content::Primitive(_) => continue,
            };
            way.push(Step { member: name.to_owned(), item: many.then_some(index) });
            collect(inner, structure, release, way, sites);
            way.pop();
        }
    }
}

fn reach<'a>(resource: &'a mut Object, way: &[Step]) -> Option<&'a mut Object> {
    let mut object = resource;
    for step in way {
        let value = object.get_mut(&step.member)?;
        object = match step.item {
            Some(index) => value.as_array_mut()?.get_mut(index).and_then(Value::as_object_mut)?,
            None => value.as_object_mut()?,
        };
    }
    Some(object)
}
