//! References: what they point to, and where they all are.

use std::fmt::Write as _;

use crate::{
    primitive::is_id,
    release::{Content, Release, Structure},
    search::index::Target,
    tree::Object,
};

/// What the text of a reference points to.
pub(super) fn target(reference: &str, bases: &[String]) -> Option<Target> {
    let reference = reference.trim();
    if reference.is_empty() || reference.starts_with('#') {
        return None;
    }
    Some(local(reference, bases).unwrap_or_else(|| Target::Elsewhere(reference.into())))
}

fn local(reference: &str, bases: &[String]) -> Option<Target> {
    let below = |base: &String| reference.strip_prefix(base.trim_end_matches('/'))?.strip_prefix('/');
    let relative = match bases.iter().find_map(below) {
        Some(relative) => relative,
        None if reference.contains(':') => return None,
        None => reference,
    };
    let mut segments = relative.split('/');
    let (resource_type, id) = (segments.next()?, segments.next()?);
    let versioned = match (segments.next(), segments.next(), segments.next()) {
        (None, ..) => true,
        (Some("_history"), Some(version), None) => is_id(version),
        _ => false,
    };
    let named = resource_type.starts_with(|c: char| c.is_ascii_uppercase())
        && resource_type.bytes().all(|byte| byte.is_ascii_alphabetic());
    (named && versioned && is_id(id)).then(|| Target::Local { resource_type: resource_type.into(), id: id.into() })
}

/// Every literal reference of a resource with its place.
pub(super) fn all(resource: &Object, release: &'static Release, bases: &[String]) -> Vec<(Target, String)> {
    let mut walk = Walk { release, bases, found: Vec::new(), place: String::new() };
    if let Some(structure) = resource.resource_type().and_then(|name| release.resource(name)) {
        walk.place.push_str(structure.path);
        walk.structure(resource, structure, 0);
    }
    walk.found
}

/// Deeper than any resource the readers let in: a bound for trees that were built otherwise.
const DEEPEST: usize = 200;

struct Walk<'a> {
    release: &'static Release,
    bases: &'a [String],
    found: Vec<(Target, String)>,
    place: String,
}

impl Walk<'_> {
    fn structure(&mut self, object: &Object, structure: &'static Structure, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for (name, value) in object.iter() {
            if let Some(primitive) = name.strip_prefix('_') {
                // Extensions of primitives may hold references.
                let (true, Some(extension)) =
                    (structure.member(primitive).is_some(), self.release.type_named("Extension"))
                else {
                    continue;
                };
                for (index, sibling) in value.each().iter().enumerate() {
                    let index = value.as_array().map(|_| index);
                    let extensions = sibling.as_object().map(|sibling| sibling.items("extension")).unwrap_or_default();
                    for (position, extended) in extensions.iter().enumerate() {
                        let Some(extended) = extended.as_object() else { continue };
                        self.at(primitive, index, |walk| {
                            walk.at("extension", Some(position), |walk| walk.structure(extended, extension, depth + 1));
                        });
                    }
                }
                continue;
            }
            let Some(member) = structure.member(name) else { continue };
            let inner = match member.type_ref.content {
                Content::Primitive(_) => continue,
                Content::Structure(id) => Some(self.release.structure(id)),
                // Entries of a Bundle speak of their own world; contained resources speak of ours.
                Content::Resource if name == "contained" => None,
                Content::Resource => continue,
            };
            let is_reference = member.type_ref.code == "Reference";
            let position = |index: usize| value.as_array().map(|_| index);
            for (index, object) in value.each().iter().enumerate() {
                let Some(object) = object.as_object() else { continue };
                let of_resource = || object.resource_type().and_then(|name| self.release.resource(name));
                let Some(inner) = inner.or_else(of_resource) else { continue };
                self.at(name, position(index), |walk| {
                    if is_reference {
                        let target = object.str("reference").and_then(|text| target(text, walk.bases));
                        walk.found.extend(target.map(|target| (target, walk.place.clone())));
                    }
                    walk.structure(object, inner, depth + 1);
                });
            }
        }
    }

    fn at(&mut self, name: &str, index: Option<usize>, inner: impl FnOnce(&mut Self)) {
        let before = self.place.len();
        self.place.push('.');
        self.place.push_str(name);
        if let Some(index) = index {
            // Writing to a string cannot fail.
            let _ = write!(self.place, "[{index}]");
        }
        inner(self);
        self.place.truncate(before);
    }
}
