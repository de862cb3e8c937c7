//! Where the operations find code systems, value sets and concept maps.

use std::sync::Arc;

use crate::{
    outcome::{Issue, IssueKind},
    text,
    tree::Object,
};

/// The resources that the operations may use. URLs come without version.
pub trait Definitions {
    /// The code system of that URL, in that version or, without one, in the newest.
    fn code_system(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>>;
    /// The value set of that URL, in that version or, without one, in the newest.
    fn value_set(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>>;
    /// The concept map of that URL, in that version or, without one, in the newest.
    fn concept_map(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>>;
    /// The concept maps that may have something to say about codes of a system, under any name.
    fn concept_maps_from(&self, system: &str) -> Vec<Arc<Object>>;
}

/// Two sources of definitions as one: the second is asked for what the first does not have.
#[derive(Clone, Copy, Debug)]
pub struct Both<A, B>(pub A, pub B);

impl<A: Definitions, B: Definitions> Definitions for Both<A, B> {
    fn code_system(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.0.code_system(url, version).or_else(|| self.1.code_system(url, version))
    }

    fn value_set(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.0.value_set(url, version).or_else(|| self.1.value_set(url, version))
    }

    fn concept_map(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.0.concept_map(url, version).or_else(|| self.1.concept_map(url, version))
    }

    fn concept_maps_from(&self, system: &str) -> Vec<Arc<Object>> {
        let mut maps = self.0.concept_maps_from(system);
        maps.extend(self.1.concept_maps_from(system));
        maps
    }
}

/// A canonical apart from its version: `url|version`.
#[must_use]
pub fn canonical_parts(canonical: &str) -> (&str, Option<&str>) {
    match canonical.split_once('|') {
        Some((url, version)) => (url.trim(), Some(version.trim()).filter(|version| !version.is_empty())),
        None => (canonical.trim(), None),
    }
}

/// The finding that a resource an operation needs is not here.
#[must_use]
pub fn not_here(resource_type: &str, canonical: &str, place: &str) -> Issue {
    Issue::error(
        IssueKind::NotFound,
        place,
        text!(
            en: "There is no {resource_type} {canonical} here. Check its URL and version, or store it first.",
            fr: "Il n'y a pas de {resource_type} {canonical} ici. Vérifiez son URL et sa version, ou enregistrez-le d'abord."
        ),
    )
}
