//! References from one release to the other: where they may point differs.

use std::collections::HashMap;

use super::{
    keep,
    node::{Converter, in_order},
    plan::Plan,
    rules::Scene,
};
use crate::{
    object,
    release::{Release, ReleaseId},
    tree::{Object, Value},
};

/// Where references may point in the source and in the target; empty means anywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Targets<'a> {
    pub from: &'a [&'static str],
    pub to: &'a [&'static str],
}

impl Converter<'_> {
    /// A reference. An address to which the target's element must not point is kept beside, so that
    /// what is left (its display, its identifier) can still be shown.
    pub(super) fn reference(
        &self,
        reference: &Object,
        plan: &'static Plan,
        targets: Targets<'_>,
        scene: &Scene<'_>,
    ) -> Object {
        let mut reference = reference.clone();
        let mut restored = None;
        let mut keeping = None;
        match reference.str("reference") {
            None => restored = self.take_kept_address(&mut reference, targets),
            Some(address) if !self.may_point(address, targets.to, self.to) => {
                keeping = Some(self.kept_address(address));
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

    /// The address as an extension: as a reference, which a client can follow, where the target
    /// knows what it points to.
    fn kept_address(&self, address: &str) -> Object {
        if self.may_point(address, &[], self.to) {
            object! { "url" => keep::ALTERNATE_REFERENCE, "valueReference" => object! { "reference" => address } }
        } else {
            object! { "url" => kept_url(self.from.id), "valueString" => address }
        }
    }

    /// Takes an address out of its extension, if it is one that the source's element must not have.
    fn take_kept_address(&self, reference: &mut Object, targets: Targets<'_>) -> Option<Value> {
        let extensions = reference.items("extension");
        let position = extensions.iter().position(|extension| {
            extension.as_object().and_then(|extension| self.address_in(extension)).is_some_and(|address| {
                !self.may_point(address, targets.from, self.from) && self.may_point(address, targets.to, self.to)
            })
        })?;
        let mut extensions = extensions.to_vec();
        let taken = extensions.remove(position);
        if extensions.is_empty() {
            reference.remove("extension");
        } else {
            reference.set("extension", extensions);
        }
        taken.as_object().and_then(|taken| self.address_in(taken)).map(Value::from)
    }

    /// The address that an extension keeps for the target, when it is as [`Self::kept_address`] makes it.
    fn address_in<'e>(&self, extension: &'e Object) -> Option<&'e str> {
        if extension.len() != 2 {
            return None;
        }
        match extension.str("url")? {
            keep::ALTERNATE_REFERENCE => {
                extension.object("valueReference").filter(|reference| reference.len() == 1)?.str("reference")
            }
            url if url == kept_url(self.to.id) => extension.str("valueString"),
            _ => None,
        }
    }

    /// Whether an element with these targets may hold that address.
    fn may_point(&self, address: &str, targets: &[&str], release: &'static Release) -> bool {
        match address.strip_prefix('#') {
            Some(id) => {
                let inside = self.contained.and_then(|contained| contained.get(id));
                targets.is_empty() || inside.is_none_or(|name| targets.contains(name))
            }
            None => may_point(address, targets, release),
        }
    }
}

/// Whether an element of a release with these targets may hold an address: one of a type among
/// them, or one that does not tell its type.
pub(super) fn may_point(address: &str, targets: &[&str], release: &'static Release) -> bool {
    let Some(name) = typed(address) else { return true };
    match release.resource_name(name) {
        Some(name) => targets.is_empty() || targets.contains(&name),
        // A URL that ends as ours do may be any URL of the web.
        None => address.contains(':'),
    }
}

/// The type in `[base/]Type/id[/_history/version]`.
fn typed(address: &str) -> Option<&str> {
    if address.starts_with('#') || address.starts_with("urn:") || address.contains('?') {
        return None;
    }
    let address = address.split_once("/_history/").map_or(address, |(before, _)| before);
    let (head, id) = address.rsplit_once('/')?;
    let name = head.rsplit('/').next()?;
    let is_type = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_type && crate::primitive::is_id(id)).then_some(name)
}

fn kept_url(release: ReleaseId) -> String {
    format!("{}Reference.reference", keep::prefix(release))
}

/// The types of what a resource contains, by id.
pub(super) type Contained<'a> = HashMap<&'a str, &'a str>;

/// What a resource contains; of those with the same id the first.
pub(super) fn contained(resource: &Object) -> Contained<'_> {
    let mut contained = Contained::new();
    for inside in resource.objects("contained") {
        if let (Some(id), Some(name)) = (inside.str("id"), inside.resource_type()) {
            contained.entry(id).or_insert(name);
        }
    }
    contained
}
