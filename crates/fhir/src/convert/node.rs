//! The walk through a resource: each node is taken apart into relations, crossed, and put together.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{
    adapt::{End, adapt},
    items::same,
    keep,
    plan::{How, Plan, Relation},
    rules::{self, Scene},
};
use crate::{
    object,
    release::{Content, Release, ReleaseId, Structure, StructureKind, TypeRef},
    tree::{Object, Value},
};

/// One way between two releases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Converter<'a> {
    pub from: &'static Release,
    pub to: &'static Release,
    zone: &'a TimeZone,
}

/// The members of one relation.
#[derive(Debug, Default)]
struct Part {
    /// As they were.
    raw: Object,
    /// In their old shape, with what is inside converted.
    converted: Object,
}

impl<'a> Converter<'a> {
    pub(super) fn new(from: ReleaseId, to: ReleaseId, zone: &'a TimeZone) -> Self {
        Self { from: from.release(), to: to.release(), zone }
    }

    /// A resource. One of a type that either release has no table of stays as it is.
    pub(super) fn resource(&self, resource: &Object) -> Object {
        let known = |release: &'static Release| {
            let name = resource.resource_type()?;
            release.type_named(name).filter(|s| s.kind == StructureKind::Resource)
        };
        let (Some(from), Some(to)) = (known(self.from), known(self.to)) else { return resource.clone() };
        let last_updated = resource.object("meta").and_then(|m| m.str("lastUpdated"));
        let scene = Scene { zone: self.zone, last_updated };
        self.node(resource, Plan::of(self.from, from, self.to, to), &scene)
    }

    /// A node whose structure has a counterpart.
    fn node(&self, node: &Object, plan: &'static Plan, scene: &Scene<'_>) -> Object {
        let kept = self.kept_elements(node, plan);
        let mut result = Object::with_capacity(node.len() + 2);
        let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
        for at in plan.standing.iter().chain(kept.keys()) {
            parts.entry(*at).or_default();
        }
        let meta_holds = holds_in_meta(plan.to);
        for (name, value) in node.iter() {
            let (base, is_sibling) = match name.strip_prefix('_') {
                Some(base) => (base, true),
                None => (name, false),
            };
            if name == "extension" || (name == "meta" && meta_holds) {
                continue;
            }
            let Some(member) = plan.member(base) else {
                result.push(name, value.clone());
                continue;
            };
            let converted = if is_sibling { self.sibling(value) } else { self.content(value, member.from, member.to) };
            let is_identity = plan.relations.get(member.relation).is_some_and(|r| matches!(r.how, How::Identity));
            if is_identity && !parts.contains_key(&member.relation) {
                result.push(name, converted);
            } else {
                let part = parts.entry(member.relation).or_default();
                part.raw.push(name, value.clone());
                part.converted.push(name, converted);
            }
        }
        let mut keeping: Vec<Object> = Vec::new();
        let mut taken: Vec<usize> = Vec::new();
        for (at, part) in parts {
            let Some(relation) = plan.relations.get(at) else { continue };
            let crossing = Crossing { converter: self, plan, relation, scene };
            if let Some(positions) = kept.get(&at)
                && let Some(restored) = crossing.restore(node_extensions(node, plan.to), positions, &part)
            {
                taken.extend(positions);
                append(&mut result, restored);
                continue;
            }
            let crossed = crossing.there(&part.converted);
            if !same(&crossing.back(&crossed), &part.converted) {
                match keep::encode(&part.raw, plan.from.path, &relation.from, self.from) {
                    Some(extensions) => keeping.extend(extensions.iter().map(|e| self.extension(e))),
                    // Not valid in its own release: shown as it is, if nothing else has the name.
                    None => append_missing(&mut result, part.converted, &crossed),
                }
            }
            append(&mut result, crossed);
        }
        self.put_extensions(node, plan, &taken, keeping, &mut result);
        in_order(&mut result, plan.to);
        result
    }

    /// The extensions that may hold elements of the target: positions in the list, by relation.
    fn kept_elements(&self, node: &Object, plan: &Plan) -> BTreeMap<usize, Vec<usize>> {
        let mut kept: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (position, extension) in node_extensions(node, plan.to).iter().enumerate() {
            let element = extension
                .as_object()
                .and_then(|e| e.str("url"))
                .and_then(|url| url.strip_prefix(keep::prefix(self.to.id)))
                .and_then(|rest| rest.strip_prefix(plan.to.path))
                .and_then(|rest| rest.strip_prefix('.'));
            if let Some(at) = element.and_then(|e| plan.relation_of_target(e)) {
                kept.entry(at).or_default().push(position);
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
        taken: &[usize],
        keeping: Vec<Object>,
        result: &mut Object,
    ) {
        let list = node_extensions(node, plan.to);
        let untouched = list.iter().enumerate().filter(|(at, _)| !taken.contains(at)).map(|(_, e)| e.clone());
        let untouched: Vec<Value> = untouched.collect();
        if !holds_in_meta(plan.to) {
            let mut extensions = self.extensions(&untouched);
            extensions.extend(keeping.into_iter().map(Value::from));
            if !extensions.is_empty() {
                result.push("extension", extensions);
            } else if let Some(odd) = node.get("extension").filter(|_| list.is_empty()) {
                result.push("extension", odd.clone());
            }
            return;
        }
        let mut meta = node.object("meta").cloned().unwrap_or_default();
        if untouched.is_empty() {
            meta.remove("extension");
        } else {
            meta.set("extension", untouched);
        }
        let mut meta = match (self.from.type_named("Meta"), self.to.type_named("Meta")) {
            (Some(from), Some(to)) => {
                let scene = Scene { zone: self.zone, last_updated: None };
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
        let scene = Scene { zone: self.zone, last_updated: None };
        if structure.path != "Reference" {
            return self.node(object, plan, &scene);
        }
        let targets = Targets { from: &from.targets, to: to.map_or(&[], |t| &t.targets) };
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

    /// A reference. A resource type to which the target's element must not point is kept beside,
    /// so that what is left (its display, its identifier) can still be shown.
    fn reference(&self, reference: &Object, plan: &'static Plan, targets: Targets<'_>, scene: &Scene<'_>) -> Object {
        let kept_url = |release: ReleaseId| format!("{}Reference.reference", keep::prefix(release));
        let mut reference = reference.clone();
        let mut restored = None;
        let mut keeping = None;
        match reference.str("reference") {
            None => {
                let url = kept_url(self.to.id);
                let mut list = reference.items("extension").to_vec();
                let position = list.iter().position(|e| {
                    let address = e.as_object().filter(|e| e.len() == 2 && e.str("url") == Some(&url));
                    let address = address.and_then(|e| e.str("valueString"));
                    address.is_some_and(|a| !self.may_point(a, targets.from) && self.may_point(a, targets.to))
                });
                if let Some(position) = position {
                    restored = list.remove(position).as_object().and_then(|e| e.get("valueString").cloned());
                    if list.is_empty() {
                        reference.remove("extension");
                    } else {
                        reference.set("extension", list);
                    }
                }
            }
            Some(address) if !self.may_point(address, targets.to) => {
                keeping = Some(object! { "url" => kept_url(self.from.id), "valueString" => address });
                reference.remove("reference");
            }
            Some(_) => {}
        }
        let mut result = self.node(&reference, plan, scene);
        if let Some(address) = restored {
            result.push("reference", address);
        }
        if let Some(extension) = keeping {
            let mut list = result.items("extension").to_vec();
            list.push(extension.into());
            result.set("extension", list);
        }
        in_order(&mut result, plan.to);
        result
    }

    /// Whether an element with these targets may point to that address: to any address that does not
    /// tell its type.
    fn may_point(&self, address: &str, targets: &[&str]) -> bool {
        targets.is_empty() || self.pointed_type(address).is_none_or(|name| targets.contains(&name))
    }

    fn pointed_type(&self, address: &str) -> Option<&'static str> {
        if address.starts_with('#') || address.starts_with("urn:") {
            return None;
        }
        let address = address.split_once("/_history/").map_or(address, |(before, _)| before);
        let mut steps = address.rsplit('/');
        let _id = steps.next()?;
        let name = steps.next()?;
        self.from.resource_name(name).or_else(|| self.to.resource_name(name))
    }
}

/// Where references may point in the source and in the target; empty means anywhere.
#[derive(Clone, Copy, Debug)]
struct Targets<'a> {
    from: &'a [&'static str],
    to: &'a [&'static str],
}

/// A relation at one node.
struct Crossing<'a> {
    converter: &'a Converter<'a>,
    plan: &'static Plan,
    relation: &'a Relation,
    scene: &'a Scene<'a>,
}

impl Crossing<'_> {
    /// The members of the source as members of the target.
    fn there(&self, members: &Object) -> Object {
        match self.relation.how {
            How::Identity | How::Adapt => adapt(members, self.source(), self.target(), self.scene),
            How::Shapes { there, .. } => there(members, self.scene),
        }
    }

    /// The members of the target as members of the source.
    fn back(&self, members: &Object) -> Object {
        match self.relation.how {
            How::Identity | How::Adapt => adapt(members, self.target(), self.source(), self.scene),
            How::Shapes { back, .. } => back(members, self.scene),
        }
    }

    /// What was kept of the target, if it explains what stands here: if it would be said like this,
    /// and would not follow from what is said.
    fn restore(&self, extensions: &[Value], positions: &[usize], part: &Part) -> Option<Object> {
        let kept: Vec<Object> = positions
            .iter()
            .filter_map(|at| extensions.get(*at)?.as_object())
            .map(|extension| self.converter.extension(extension))
            .collect();
        let members = keep::decode(&kept, self.plan.to.path, &self.relation.to, self.converter.to)?;
        let explains = same(&self.back(&members), &part.converted) && !same(&self.there(&part.converted), &members);
        explains.then_some(members)
    }

    fn source(&self) -> End {
        End {
            release: self.converter.from,
            structure: self.plan.from.path,
            element: self.relation.from.first().copied(),
        }
    }

    fn target(&self) -> End {
        End { release: self.converter.to, structure: self.plan.to.path, element: self.relation.to.first().copied() }
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
fn in_order(node: &mut Object, structure: &Structure) {
    node.sort_by_key(|name| {
        if name == "resourceType" {
            return (0, 0, false);
        }
        let (base, is_sibling) = name.strip_prefix('_').map_or((name, false), |base| (base, true));
        structure.member(base).map_or((2, 0, is_sibling), |m| (1, m.index, is_sibling))
    });
}
