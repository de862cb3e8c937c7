//! Extensions from one release to the other.
//!
//! An extension has no room for one of ours beside its value, so what does not fit is kept inside:
//! a value of a type the target's extensions lack in an extension of its own, an address that must
//! not change on the primitive value.

use super::{keep, node::Converter, systems};
use crate::{
    array, object,
    release::{Content, Release, ReleaseId, TypeRef},
    tree::{Object, Value},
};

impl Converter<'_> {
    /// The extensions of an element. Cross-version extensions that nobody has taken by now are not
    /// ours: they are wrapped, and unwrapped on the way back.
    pub(super) fn extensions(&self, extensions: &[Value]) -> Vec<Value> {
        extensions.iter().map(|extension| self.listed(extension)).collect()
    }

    /// One of the extensions of an element.
    pub(super) fn listed(&self, extension: &Value) -> Value {
        match extension {
            Value::Object(extension) => self.listed_extension(extension).into(),
            other => other.clone(),
        }
    }

    fn listed_extension(&self, extension: &Object) -> Object {
        if !extension.str("url").is_some_and(keep::is_cross_version) {
            return self.extension(extension);
        }
        match keep::unwrap(extension, self.to.id) {
            Some(inner) => self.extension(inner),
            None => keep::wrap(self.extension(extension), self.from.id),
        }
    }

    /// One extension, without a look at whether it is ours.
    pub(super) fn extension(&self, extension: &Object) -> Object {
        if let Some(restored) = self.restored_value(extension) {
            return restored;
        }
        let mut result = Object::with_capacity(extension.len());
        for (name, value) in extension.iter() {
            match name {
                "extension" => result.push(name, self.extensions(value.as_array().unwrap_or_default())),
                _ => match self.value_type(name.strip_prefix('_').unwrap_or(name)) {
                    Some(value_type) if !is_held(value_type, self.to) => {
                        if let Some(kept) = self.kept_value(extension, value_type) {
                            result.set("extension", array![kept]);
                        }
                    }
                    Some(_) if name.starts_with('_') => result.push(name, self.sibling(value)),
                    Some(value_type) => result.push(name, self.content(value, value_type, None)),
                    None => result.push(name, value.clone()),
                },
            }
        }
        self.change_url(extension, &mut result);
        result
    }

    /// The type that a member of an extension tells, when it is its value.
    fn value_type(&self, name: &str) -> Option<&'static TypeRef> {
        if !name.starts_with("value") {
            return None;
        }
        Some(self.from.type_named("Extension")?.member(name)?.type_ref)
    }

    /// The value of an extension of a type that the target's extensions lack.
    fn kept_value(&self, extension: &Object, value_type: &TypeRef) -> Option<Object> {
        let value_name = extension.iter().map(|(n, _)| n).find(|n| n.starts_with("value"));
        let mut kept = object! { "url" => "value" };
        match value_type.content {
            // The primitive types that STU3 lacks are all addresses.
            Content::Primitive(_) => {
                if let Some(value) = value_name.and_then(|n| extension.get(n)) {
                    kept.push("valueUri", value.clone());
                }
                if let Some((_, sibling)) = extension.iter().find(|(n, _)| n.starts_with("_value")) {
                    kept.push("_valueUri", self.sibling(sibling));
                }
            }
            Content::Structure(id) => {
                let value = extension.object(value_name?)?;
                let members = keep::members_as_extensions(value, self.from.structure(id), self.from)?;
                kept.push("extension", self.extensions(&members));
            }
            Content::Resource => return None,
        }
        let type_named = object! { "url" => "type", "valueCode" => value_type.code };
        Some(object! { "url" => value_url(self.from.id), "extension" => array![type_named, kept] })
    }

    /// The extension whose value [`Converter::kept_value`] kept.
    fn restored_value(&self, extension: &Object) -> Option<Object> {
        let [Value::Object(kept)] = extension.items("extension") else { return None };
        if extension.iter().any(|(n, _)| n.starts_with("value") || n.starts_with("_value"))
            || kept.len() != 2
            || kept.str("url") != Some(&value_url(self.to.id))
        {
            return None;
        }
        let [Value::Object(type_named), Value::Object(value)] = kept.items("extension") else { return None };
        let has_only = |object: &Object, names: &[&str]| object.iter().all(|(n, _)| names.contains(&n));
        if type_named.str("url") != Some("type")
            || !has_only(type_named, &["url", "valueCode"])
            || !(has_only(value, &["url", "valueUri", "_valueUri"]) || has_only(value, &["url", "extension"]))
        {
            return None;
        }
        let code = type_named.str("valueCode")?;
        let of_type = |t: &&TypeRef| t.code == code;
        let value_type = self.to.type_named("Extension")?.element("value")?.types.iter().find(of_type)?;
        if is_held(value_type, self.from) || value.str("url") != Some("value") {
            return None;
        }
        let element = self.to.type_named("Extension")?.element("value")?;
        let name = element.json_name(value_type);
        let mut result = Object::with_capacity(extension.len());
        for (member, content) in extension.iter().filter(|(n, _)| *n != "extension") {
            result.push(member, content.clone());
        }
        match value_type.content {
            Content::Primitive(_) => {
                if !value.contains("valueUri") && !value.contains("_valueUri") {
                    return None;
                }
                if let Some(value) = value.get("valueUri") {
                    result.push(name.as_str(), value.clone());
                }
                if let Some(sibling) = value.get("_valueUri") {
                    result.push(format!("_{name}"), self.sibling(sibling));
                }
            }
            Content::Structure(id) => {
                // Looked at before anything is converted: what is not ours must not cost twice.
                let structure = self.to.structure(id);
                let written = value.items("extension");
                if written.is_empty() || keep::extensions_as_members(written, structure, self.to).is_none() {
                    return None;
                }
                let members = self.extensions(written);
                result.push(name, keep::extensions_as_members(&members, structure, self.to)?);
            }
            Content::Resource => return None,
        }
        Some(result)
    }

    /// Gives an extension the address it has in the target. An address that is the target's already
    /// would be changed on the way back: a mark on the value says that it is to stay.
    fn change_url(&self, extension: &Object, result: &mut Object) {
        let Some(url) = extension.str("url") else { return };
        let Some(renamed) = systems::renamed_extension(url) else { return };
        let Some(value_type) = self.value_type(renamed.value).filter(|_| extension.contains(renamed.value)) else {
            return;
        };
        let bearer = match value_type.content {
            Content::Primitive(_) => format!("_{}", renamed.value),
            Content::Structure(_) | Content::Resource => renamed.value.to_owned(),
        };
        let mark_url = |release: ReleaseId| format!("{}Extension.url", keep::prefix(release));
        if url == renamed.address(self.from.id) {
            let mark = Value::from(object! { "url" => mark_url(self.to.id), "valueUri" => url });
            // An element that bears nothing but the mark would be none without it.
            let is_hollow =
                |value: &Object| value.len() == 1 && value.items("extension").len() == 1 && bearer == renamed.value;
            let is_marked = extension
                .object(&bearer)
                .is_some_and(|value| value.items("extension").contains(&mark) && !is_hollow(value));
            if is_marked {
                unmark(result, &bearer, &self.listed(&mark));
            } else {
                result.set("url", renamed.address(self.to.id));
            }
        } else {
            let mark = object! { "url" => mark_url(self.from.id), "valueUri" => url };
            let mut value = result.object(&bearer).cloned().unwrap_or_default();
            let mut marks = value.items("extension").to_vec();
            marks.push(mark.into());
            value.set("extension", marks);
            result.set(&bearer, value);
        }
    }
}

/// Takes a mark out of what bears it.
fn unmark(result: &mut Object, bearer: &str, mark: &Value) {
    let Some(value) = result.get_mut(bearer).and_then(Value::as_object_mut) else { return };
    let mut marks = value.items("extension").to_vec();
    if let Some(position) = marks.iter().position(|item| item == mark) {
        marks.remove(position);
    }
    if marks.is_empty() {
        value.remove("extension");
    } else {
        value.set("extension", marks);
    }
    if value.is_empty() {
        result.remove(bearer);
    }
}

/// Whether extensions of a release may have a value of that type.
fn is_held(value_type: &TypeRef, release: &'static Release) -> bool {
    release
        .type_named("Extension")
        .and_then(|e| e.element("value"))
        .is_some_and(|value| value.types.iter().any(|t| t.code == value_type.code))
}

fn value_url(release: ReleaseId) -> String {
    format!("{}Extension.value", keep::prefix(release))
}
