//! The walk through a resource: each node is taken apart into relations, crossed, and put together.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{
    crossing::{Crossing, Kept, Part, Said},
    keep,
    plan::{How, Plan},
    reference::{self, Contained, Targets},
    rules::{self, Scene},
};
use crate::{
    release::{Content, Release, ReleaseId, Structure, StructureKind, TypeRef},
    tree::{Object, Value},
};

/// One way between two releases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Converter<'a> {
    pub from: &'static Release,
    pub to: &'static Release,
    zone: &'a TimeZone,
    /// What the resource under way contains: ids and types.
    pub contained: Option<&'a Contained<'a>>,
    /// The resource under way.
    resource: Option<&'a Object>,
    /// Where the node under way stands; see [`Scene::within`].
    within: &'static str,
}

impl<'a> Converter<'a> {
    pub(super) fn new(from: ReleaseId, to: ReleaseId, zone: &'a TimeZone) -> Self {
        Self { from: from.release(), to: to.release(), zone, contained: None, resource: None, within: "" }
    }

    /// A resource. One of a type that either release has no table of stays as it is.
    pub(super) fn resource(&self, resource: &Object) -> Object {
        let known = |release: &'static Release| {
            let name = resource.resource_type()?;
            release.type_named(name).filter(|s| s.kind == StructureKind::Resource)
        };
        let (Some(from), Some(to)) = (known(self.from), known(self.to)) else { return resource.clone() };
        let last_updated = resource.object("meta").and_then(|m| m.str("lastUpdated"));
        let scene = Scene { last_updated, resource: Some(resource), within: "", ..self.scene(resource) };
        let plan = Plan::of(self.from, from, self.to, to);
        let converter = Converter { resource: Some(resource), ..*self };
        if !resource.contains("contained") {
            return converter.node(resource, plan, &scene);
        }
        let contained = reference::contained(resource);
        Converter { contained: Some(&contained), ..converter }.node(resource, plan, &scene)
    }

    /// What is around a node of the resource under way.
    fn scene<'s>(&'s self, node: &'s Object) -> Scene<'s> {
        Scene { zone: self.zone, last_updated: None, resource: self.resource, node, within: self.within }
    }

    /// What members of a structure stand in.
    fn within_of(&self, structure: &'static Structure) -> &'static str {
        let is_part = || structure.path.strip_prefix(self.within).is_some_and(|rest| rest.starts_with('.'));
        if structure.kind == StructureKind::Resource || is_part() { structure.path } else { self.within }
    }

    /// A node whose structure has a counterpart.
    ///
    /// Whatever is inside is converted once, or twice where it is both said and kept; never twice at
    /// each level of things that may lie in each other without end (extensions and what they hold),
    /// or a small document would take for ever.
    pub(super) fn node(&self, node: &Object, plan: &'static Plan, scene: &Scene<'_>) -> Object {
        let inside = Converter { within: self.within_of(plan.from), ..*self };
        let kept = self.kept_elements(node, plan);
        let mut result = Object::with_capacity(node.len() + 2);
        let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
        for at in plan.standing.iter().chain(kept.values().map(|k| &k.relation)) {
            parts.entry(*at).or_default();
        }
        let meta_holds = holds_in_meta(plan.to);
        for (name, value) in node.iter() {
            if name == "extension" || (name == "meta" && meta_holds) {
                continue;
            }
            let (base, is_sibling) = name.strip_prefix('_').map_or((name, false), |base| (base, true));
            let Some((member, relation)) = plan.member(base).and_then(|m| Some((m, plan.relations.get(m.relation)?)))
            else {
                result.push(name, value.clone());
                continue;
            };
            let convert = || match is_sibling {
                true => inside.sibling(value),
                false => inside.content(value, member.from, member.to),
            };
            if matches!(relation.how, How::Identity) && !parts.contains_key(&member.relation) {
                result.push(name, convert());
                continue;
            }
            let part = parts.entry(member.relation).or_default();
            // What has no place in the target is only kept: see `keep`.
            let converted = if relation.to.is_empty() { value.clone() } else { convert() };
            part.raw.push(name, value.clone());
            part.converted.push(name, converted);
        }
        let mut keeping: Vec<Object> = Vec::new();
        let mut taken: Vec<usize> = Vec::new();
        for (at, part) in parts {
            let Some(relation) = plan.relations.get(at) else { continue };
            let crossing = Crossing { converter: self, plan, relation, scene };
            if let Some(restored) = crossing.restore(&kept, at, &part, &mut taken) {
                append(&mut result, restored);
                continue;
            }
            let (crossed, said) = crossing.say(&part);
            if said == Said::InPart {
                match crossing.keep(&part) {
                    Some(extensions) => keeping.extend(extensions),
                    // Not valid in its own release: shown as it is, if nothing else has the name.
                    None => append_missing(&mut result, part.converted, &crossed),
                }
            }
            append(&mut result, crossed);
        }
        self.put_extensions(node, plan, kept, &taken, keeping, &mut result);
        in_order(&mut result, plan.to);
        result
    }

    /// The extensions that may hold elements of the target, by their positions in the list.
    fn kept_elements(&self, node: &Object, plan: &Plan) -> BTreeMap<usize, Kept> {
        let mut kept = BTreeMap::new();
        for (position, extension) in node_extensions(node, plan.to).iter().enumerate() {
            let Some(extension) = extension.as_object() else { continue };
            let element = extension
                .str("url")
                .and_then(|url| url.strip_prefix(keep::prefix(self.to.id)))
                .and_then(|rest| rest.strip_prefix(plan.to.path))
                .and_then(|rest| rest.strip_prefix('.'));
            if let Some(relation) = element.and_then(|e| plan.relation_of_target(e)) {
                kept.insert(position, Kept { relation, extension: self.extension(extension) });
            }
        }
        kept
    }

    /// Puts the extensions of a node in the result: those that were there but for the ones taken,
    /// and those that keep something. Resources without extensions (`Bundle`) have them in `meta`.
    fn put_extensions(
        &self,
        node: &Object,
        plan: &'static Plan,
        mut kept: BTreeMap<usize, Kept>,
        taken: &[usize],
        keeping: Vec<Object>,
        result: &mut Object,
    ) {
        let list = node_extensions(node, plan.to);
        let untouched = || list.iter().enumerate().filter(|(at, _)| !taken.contains(at));
        if !holds_in_meta(plan.to) {
            let convert = |(at, extension): (usize, &Value)| match kept.remove(&at) {
                Some(kept) => keep::wrap(kept.extension, self.from.id).into(),
                None => self.listed(extension),
            };
            let mut extensions: Vec<Value> = untouched().map(convert).collect();
            extensions.extend(keeping.into_iter().map(Value::from));
            if !extensions.is_empty() {
                result.push("extension", extensions);
            } else if let Some(odd) = node.get("extension").filter(|_| list.is_empty()) {
                result.push("extension", odd.clone());
            }
            return;
        }
        let mut meta = node.object("meta").cloned().unwrap_or_default();
        let untouched: Vec<Value> = untouched().map(|(_, extension)| extension.clone()).collect();
        if untouched.is_empty() {
            meta.remove("extension");
        } else {
            meta.set("extension", untouched);
        }
        let mut meta = match (self.from.type_named("Meta"), self.to.type_named("Meta")) {
            (Some(from), Some(to)) => {
                let scene = self.scene(&meta);
                self.node(&meta, Plan::of(self.from, from, self.to, to), &scene)
            }
            _ => meta,
        };
        if !keeping.is_empty() {
            let mut extensions = meta.items("extension").to_vec();
            extensions.extend(keeping.into_iter().map(Value::from));
            meta.set("extension", extensions);
        }
        if !meta.is_empty() {
            result.push("meta", meta);
        }
    }

    /// A value of a type, in its place or in an array.
    pub(super) fn content(&self, value: &Value, from: &TypeRef, to: Option<&TypeRef>) -> Value {
        match value {
            Value::Array(items) if from.code == "Extension" => self.extensions(items).into(),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.content(item, from, to)).collect()),
            Value::Object(object) => match from.content {
                Content::Resource => self.resource(object).into(),
                Content::Structure(id) => self.element(object, self.from.structure(id), from, to).into(),
                Content::Primitive(_) => value.clone(),
            },
            other => other.clone(),
        }
    }

    fn element(&self, object: &Object, structure: &'static Structure, from: &TypeRef, to: Option<&TypeRef>) -> Object {
        let counterpart = match to.map(|t| t.content) {
            Some(Content::Structure(id)) => Some(self.to.structure(id)),
            _ if structure.kind == StructureKind::Nested => None,
            _ => self.to.type_named(structure.path),
        };
        let counterpart =
            counterpart.filter(|c| (c.kind == StructureKind::Nested) == (structure.kind == StructureKind::Nested));
        let Some(counterpart) = counterpart else { return self.unpaired(object, structure) };
        let plan = Plan::of(self.from, structure, self.to, counterpart);
        let scene = self.scene(object);
        if structure.path != "Reference" {
            return self.node(object, plan, &scene);
        }
        let targets = Targets { from: &from.targets, to: to.map_or(&[][..], |t| &t.targets) };
        self.reference(object, plan, targets, &scene)
    }

    /// A nested element without a counterpart keeps its shape.
    fn unpaired(&self, node: &Object, structure: &'static Structure) -> Object {
        let mut result = Object::with_capacity(node.len());
        for (name, value) in node.iter() {
            if let Some(base) = name.strip_prefix('_')
                && structure.member(base).is_some()
            {
                result.push(name, self.sibling(value));
                continue;
            }
            let converted = match structure.member(name) {
                Some(member) => {
                    let to = rules::counterpart(self.from.id, structure.path, name)
                        .and_then(|path| super::plan::type_at(self.to, path));
                    self.content(value, member.type_ref, to)
                }
                None => value.clone(),
            };
            result.push(name, converted);
        }
        result
    }

    /// What stands beside a primitive, or beside each of an array.
    pub(super) fn sibling(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(items.iter().map(|item| self.sibling(item)).collect()),
            Value::Object(object) => {
                let mut result = Object::with_capacity(object.len());
                for (name, value) in object.iter() {
                    match (name, value) {
                        ("extension", Value::Array(items)) => result.push(name, self.extensions(items)),
                        _ => result.push(name, value.clone()),
                    }
                }
                result.into()
            }
            other => other.clone(),
        }
    }
}

/// Whether a structure is a resource without extensions, which keeps them in its `meta`.
fn holds_in_meta(structure: &Structure) -> bool {
    structure.kind == StructureKind::Resource && structure.element("extension").is_none()
}

fn node_extensions<'n>(node: &'n Object, structure: &Structure) -> &'n [Value] {
    if holds_in_meta(structure) {
        node.object("meta").map(|m| m.items("extension")).unwrap_or_default()
    } else {
        node.items("extension")
    }
}

fn append(result: &mut Object, members: Object) {
    for (name, value) in members.into_members() {
        if !result.contains(&name) {
            result.push(name, value);
        }
    }
}

fn append_missing(result: &mut Object, members: Object, others: &Object) {
    let free: Object = members.into_members().into_iter().filter(|(name, _)| !others.contains(name)).collect();
    append(result, free);
}

/// Puts members in the order of the definition, siblings after what they stand beside.
pub(super) fn in_order(node: &mut Object, structure: &Structure) {
    node.sort_by_key(|name| {
        if name == "resourceType" {
            return (0, 0, false);
        }
        let (base, is_sibling) = name.strip_prefix('_').map_or((name, false), |base| (base, true));
        structure.member(base).map_or((2, 0, is_sibling), |m| (1, m.index, is_sibling))
    });
}
