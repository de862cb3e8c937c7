//! References and extension addresses: how they are written, and what they may point to.

use super::{Transaction, Walk};
use crate::{
    outcome::{IssueKind, Text},
    place::Place,
    primitive,
    release::{Release, TypeRef},
    spelling, text,
    tree::Object,
};

/// What the text of a reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form<'a> {
    /// `#id`, or `#` for the container.
    Contained(&'a str),
    /// `Type/id`, with or without a version, relative or at the end of a URL.
    Typed(&'a str),
    /// `Type?query`: resolved when a transaction is carried out.
    Query(&'a str),
    /// A URN or a URL that says nothing of a type.
    Opaque,
    /// None of these.
    Wrong,
}

impl<'a> Walk<'a> {
    pub(super) fn check_reference(&mut self, object: &'a Object, type_ref: &'static TypeRef, place: Place<'_>) {
        let told = object.str("type");
        let pointed = match object.str("reference") {
            Some(reference) => self.pointed_type(reference, place),
            None => None,
        };
        if let Some(told) = told {
            self.check_told_type(told, pointed, place.child("type"));
        }
        let (target, at) = match (pointed, told) {
            (Some(pointed), _) => (pointed, "reference"),
            (None, Some(told)) => (told.strip_prefix(STRUCTURE_DEFINITION).unwrap_or(told), "type"),
            (None, None) => return,
        };
        let known = self.release.resource_name(target).is_some();
        if known && !type_ref.targets.is_empty() && !type_ref.targets.contains(&target) {
            let allowed = type_ref.targets.join(", ");
            self.error(
                IssueKind::Value,
                place.child(at),
                text!(
                    en: "A {target} may not stand here; allowed: {allowed}.",
                    fr: "Un {target} n'est pas permis ici ; possibles : {allowed}.",
                ),
            );
        }
    }

    /// The type a literal reference points to, when it tells.
    fn pointed_type(&mut self, reference: &'a str, place: Place<'_>) -> Option<&'a str> {
        let place = place.child("reference");
        match form(reference, self.release) {
            Form::Contained("") | Form::Opaque => None,
            Form::Contained(id) => {
                let found = self.contained_type(id);
                if found.is_none() {
                    self.error(
                        IssueKind::Invariant,
                        place,
                        text!(
                            en: "No contained resource has the id \"{id}\" (ref-1).",
                            fr: "Aucune ressource contenue n'a l'id « {id} » (ref-1).",
                        ),
                    );
                }
                found
            }
            Form::Query(name) if self.transaction == Transaction::Inside => self.known_type(name, place),
            Form::Query(_) => {
                self.error(
                    IssueKind::Value,
                    place,
                    text!(
                        en: "A reference by query stands only inside a transaction.",
                        fr: "Une référence par requête ne figure que dans une transaction.",
                    ),
                );
                None
            }
            Form::Typed(name) => self.known_type(name, place),
            Form::Wrong => {
                self.error(IssueKind::Value, place, wrong_reference());
                None
            }
        }
    }

    fn known_type(&mut self, name: &'a str, place: Place<'_>) -> Option<&'a str> {
        if self.release.resource_name(name).is_some() {
            return Some(name);
        }
        let text = match spelling::closest(name, self.release.resources()) {
            Some(close) => text!(
                en: "\"{name}\" is not a resource type. Did you mean \"{close}\"?",
                fr: "« {name} » n'est pas un type de ressource. Vouliez-vous dire « {close} » ?",
            ),
            None => text!(
                en: "\"{name}\" is not a resource type.",
                fr: "« {name} » n'est pas un type de ressource.",
            ),
        };
        self.error(IssueKind::Value, place, text);
        None
    }

    /// `Reference.type` names a type of FHIR, the one the literal reference points to. Other
    /// addresses than FHIR's own name logical models, which are not ours to judge.
    fn check_told_type(&mut self, told: &'a str, pointed: Option<&str>, place: Place<'_>) {
        let name = told.strip_prefix(STRUCTURE_DEFINITION).unwrap_or(told);
        if name.contains(':') {
            return;
        }
        match (self.known_type(name, place), pointed) {
            (Some(name), Some(pointed)) if name != pointed => self.error(
                IssueKind::Value,
                place,
                text!(
                    en: "The type says {name}, the reference points to a {pointed}.",
                    fr: "Le type dit {name}, la référence pointe vers un {pointed}.",
                ),
            ),
            _ => {}
        }
    }

    /// The address of an entry is absolute, and that of its resource when both are told. Warnings:
    /// the founding document of 2017 prints others, and what a transaction does is told by the request.
    pub(super) fn check_full_url(&mut self, entry: &Object, place: Place<'_>) {
        let Some(url) = entry.str("fullUrl").filter(|url| !url.is_empty()) else { return };
        let place = place.child("fullUrl");
        if scheme(url).is_none() {
            self.warning(
                IssueKind::Value,
                place,
                text!(
                    en: "The address of an entry must be absolute: a URL that ends with \"Type/id\", or \"urn:uuid:…\".",
                    fr: "L'adresse d'une entrée doit être absolue : une URL qui se termine par « Type/id », ou « urn:uuid:… ».",
                ),
            );
            return;
        }
        let Some(resource) = entry.object("resource") else { return };
        let (Some(name), Some(id)) = (resource.resource_type(), resource.str("id")) else { return };
        let told = typed(url).map(|(told, _)| told).filter(|told| self.release.resource_name(told).is_some());
        if told.is_some() && !url.ends_with(&format!("/{name}/{id}")) && !url.contains("/_history/") {
            self.warning(
                IssueKind::Value,
                place,
                text!(
                    en: "The address of the entry is that of another resource; it must end with \"{name}/{id}\".",
                    fr: "L'adresse de l'entrée est celle d'une autre ressource ; elle doit se terminer par « {name}/{id} ».",
                ),
            );
        }
    }

    /// The address of an extension is absolute, except inside a complex extension.
    pub(super) fn check_extension_url(&mut self, object: &Object, place: Place<'_>, parent: &str) {
        let Some(url) = object.str("url") else { return };
        if parent != "Extension" && !url.is_empty() && scheme(url).is_none() {
            self.error(
                IssueKind::Extension,
                place.child("url"),
                text!(
                    en: "The address of an extension must be absolute, unless it is part of another extension.",
                    fr: "L'adresse d'une extension doit être absolue, sauf au sein d'une autre extension.",
                ),
            );
        }
    }
}

const STRUCTURE_DEFINITION: &str = "http://hl7.org/fhir/StructureDefinition/";

fn form<'a>(reference: &'a str, release: &Release) -> Form<'a> {
    if let Some(id) = reference.strip_prefix('#') {
        return Form::Contained(id);
    }
    let has_scheme = scheme(reference).is_some();
    if let Some((head, query)) = reference.split_once('?') {
        return match head {
            _ if has_scheme => Form::Opaque,
            _ if is_type_name(head) && !query.is_empty() => Form::Query(head),
            _ => Form::Wrong,
        };
    }
    match typed(reference) {
        // What ends as ours do but names no type of FHIR may be any URL of the web.
        Some((name, _)) if has_scheme && release.resource_name(name).is_none() => Form::Opaque,
        Some((name, at)) if has_scheme || at == 0 => Form::Typed(name),
        _ if has_scheme => Form::Opaque,
        _ => Form::Wrong,
    }
}

/// The type in `[base/]Type/id[/_history/version]`, and how many bytes stand before it.
fn typed(reference: &str) -> Option<(&str, usize)> {
    let unversioned = match reference.rsplit_once("/_history/") {
        Some((unversioned, version)) if primitive::is_id(version) => unversioned,
        Some(_) => return None,
        None => reference,
    };
    let (head, id) = unversioned.rsplit_once('/')?;
    let (base, name) = head.rsplit_once('/').unwrap_or(("", head));
    let before = if base.is_empty() { head.len() - name.len() } else { base.len() + 1 };
    (primitive::is_id(id) && is_type_name(name)).then_some((name, before))
}

fn is_type_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The scheme of an absolute URI.
pub(super) fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let well_formed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    well_formed.then_some(scheme)
}

fn wrong_reference() -> Text {
    text!(
        en: "This is no reference; write \"Type/id\", \"#id\" for a contained resource, an absolute URL, or \"urn:uuid:…\" inside a bundle.",
        fr: "Ce n'est pas une référence ; écrire « Type/id », « #id » pour une ressource contenue, une URL absolue, ou « urn:uuid:… » dans un bundle.",
    )
}
