//! What the target has no place for, as the cross-version extensions of FHIR.
//!
//! `http://hl7.org/fhir/3.0/StructureDefinition/extension-DocumentReference.indexed` holds an STU3
//! `indexed` in a resource of another release: one extension for each occurrence, with a value of
//! the element's type where extensions may have such a value in both releases, and otherwise with
//! one extension inside for each member, named after it.

use super::{
    items::{Item, read, write},
    plan::form,
};
use crate::{
    array, object,
    release::{self, Choice, Content, Element, Release, ReleaseId, Structure, TypeRef},
    tree::{Object, Value},
};

/// What the addresses of extensions for elements of a release begin with.
pub(super) const fn prefix(release: ReleaseId) -> &'static str {
    match release {
        ReleaseId::Stu3 => "http://hl7.org/fhir/3.0/StructureDefinition/extension-",
        ReleaseId::R4 => "http://hl7.org/fhir/4.0/StructureDefinition/extension-",
    }
}

/// The extension of FHIR for a reference to a type that the element may not point to.
/// <https://hl7.org/fhir/extensions/StructureDefinition-alternate-reference.html>
pub(super) const ALTERNATE_REFERENCE: &str = "http://hl7.org/fhir/StructureDefinition/alternate-reference";

/// Whether this is the address of an extension that carries what another release says.
pub(super) fn is_cross_version(url: &str) -> bool {
    url.starts_with(prefix(ReleaseId::Stu3)) || url.starts_with(prefix(ReleaseId::R4)) || url == ALTERNATE_REFERENCE
}

/// The members of some elements of a structure as extensions, all in the form of their own release.
/// None when they are not in the form that their definition gives them.
pub(super) fn encode(
    members: &Object,
    structure: &'static str,
    elements: &[&'static Element],
    release: &'static Release,
) -> Option<Vec<Object>> {
    let mut extensions = Vec::new();
    let mut expected = 0;
    for element in elements {
        for type_ref in &element.types {
            let name = element.json_name(type_ref);
            expected += usize::from(members.contains(&name));
            let url = format!("{}{structure}.{}", prefix(release.id), element.name);
            for item in read(members, &name, form(element))? {
                extensions.push(extension(&url, item, type_ref, element.choice, release)?);
            }
        }
    }
    let named = members.iter().filter(|(name, _)| !name.starts_with('_')).count();
    (expected == named).then_some(extensions)
}

/// The members that extensions hold (in the form of the release they are of). None when they are
/// not what [`encode`] makes.
pub(super) fn decode(
    extensions: &[&Object],
    structure: &'static str,
    elements: &[&'static Element],
    release: &'static Release,
) -> Option<Object> {
    let mut members = Object::new();
    let mut understood = 0;
    for element in elements {
        let url = format!("{}{structure}.{}", prefix(release.id), element.name);
        let mine = extensions.iter().filter(|e| e.str("url") == Some(&url));
        let mut items: Vec<(&TypeRef, Item)> = Vec::new();
        for extension in mine {
            items.push(element.types.iter().find_map(|t| Some((t, item_of(extension, t, element.choice, release)?)))?);
            understood += 1;
        }
        let Some(type_ref) = items.first().map(|(t, _)| *t) else { continue };
        if items.iter().any(|(t, _)| t.code != type_ref.code) || (items.len() > 1 && !element.repeats()) {
            return None;
        }
        let items = items.into_iter().map(|(_, item)| item).collect();
        write(&mut members, &element.json_name(type_ref), items, form(element));
    }
    (understood == extensions.len()).then_some(members)
}

/// One occurrence as an extension.
fn extension(url: &str, item: Item, type_ref: &TypeRef, choice: Choice, release: &'static Release) -> Option<Object> {
    let mut extension = object! { "url" => url };
    match value_name(type_ref, choice) {
        Some(name) => {
            if let Some(value) = item.value {
                extension.push(name.as_str(), value);
            }
            if let Some(sibling) = item.sibling {
                extension.push(format!("_{name}"), sibling);
            }
        }
        None => {
            let Some(Value::Object(object)) = item.value else { return None };
            let inside = match (type_ref.code, type_ref.content) {
                ("Extension", _) => vec![object.into()],
                (_, Content::Structure(id)) => members_as_extensions(&object, release.structure(id), release)?,
                _ => return None,
            };
            extension.push("extension", inside);
        }
    }
    Some(extension)
}

fn item_of(extension: &Object, type_ref: &TypeRef, choice: Choice, release: &'static Release) -> Option<Item> {
    if let Some(name) = value_name(type_ref, choice) {
        let sibling_name = format!("_{name}");
        let known = |n: &str| n == "url" || n == name || n == sibling_name;
        let item = Item { value: extension.get(&name).cloned(), sibling: extension.get(&sibling_name).cloned() };
        return (item != Item::default() && extension.iter().all(|(n, _)| known(n))).then_some(item);
    }
    if extension.iter().any(|(n, _)| n != "url" && n != "extension") {
        return None;
    }
    let inside = extension.items("extension");
    let value = match (type_ref.code, type_ref.content) {
        ("Extension", _) => match inside {
            [one] => one.clone(),
            _ => return None,
        },
        (_, Content::Structure(id)) => extensions_as_members(inside, release.structure(id), release)?.into(),
        _ => return None,
    };
    Some(Item::from(value))
}

/// The name of the value that an extension holds of this type, in both releases. None when it is
/// held member by member.
fn value_name(type_ref: &TypeRef, choice: Choice) -> Option<String> {
    let code = match (type_ref.code, choice) {
        ("canonical" | "url" | "uuid", Choice::Single) => "uri",
        ("xhtml", Choice::Single) => "string",
        (code, _) => code,
    };
    // Only the value can tell of which type a choice is, so it is kept under that type even where
    // STU3 extensions have no such value: the way of extensions sees to that.
    let common = match choice {
        Choice::Single => release::stu3(),
        Choice::OfTypes => release::r4(),
    };
    let value = common.type_named("Extension")?.element("value")?;
    let held = value.types.iter().any(|t| t.code == code);
    held.then(|| {
        let mut name = String::from("value");
        let mut letters = code.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// Each member of an object as an extension named after it.
pub(super) fn members_as_extensions(
    object: &Object,
    structure: &'static Structure,
    release: &'static Release,
) -> Option<Vec<Value>> {
    let mut extensions = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for (name, _) in object.iter() {
        let name = name.strip_prefix('_').unwrap_or(name);
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let member = structure.member(name)?;
        let shape = form(member.element);
        for item in read(object, name, shape)? {
            extensions.push(extension(name, item, member.type_ref, Choice::Single, release)?.into());
        }
    }
    Some(extensions)
}

/// The object of which these are the members.
pub(super) fn extensions_as_members(
    extensions: &[Value],
    structure: &'static Structure,
    release: &'static Release,
) -> Option<Object> {
    let mut names: Vec<&str> = Vec::new();
    for extension in extensions {
        let name = extension.as_object()?.str("url")?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut object = Object::new();
    for name in names {
        let member = structure.member(name)?;
        let mine = extensions.iter().filter_map(Value::as_object).filter(|e| e.str("url") == Some(name));
        let items: Option<Vec<Item>> = mine.map(|e| item_of(e, member.type_ref, Choice::Single, release)).collect();
        let items = items?;
        if items.len() > 1 && !member.element.repeats() {
            return None;
        }
        write(&mut object, name, items, form(member.element));
    }
    Some(object)
}

/// An extension that shows another one as it is, so that nobody takes it for one of ours.
pub(super) fn wrap(extension: Object, from: ReleaseId) -> Object {
    object! { "url" => wrapper_url(from), "extension" => array![extension] }
}

/// The extension that [`wrap`] was given.
pub(super) fn unwrap(extension: &Object, from: ReleaseId) -> Option<&Object> {
    if extension.len() != 2 || extension.str("url") != Some(&wrapper_url(from)) {
        return None;
    }
    match extension.items("extension") {
        [Value::Object(inner)] if inner.str("url").is_some_and(is_cross_version) => Some(inner),
        _ => None,
    }
}

fn wrapper_url(from: ReleaseId) -> String {
    format!("{}Element.extension", prefix(from))
}
