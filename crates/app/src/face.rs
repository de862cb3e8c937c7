//! Through which base a request came.

use std::sync::Arc;

use liaison_fhir::release::{self, Release, ReleaseId};
use liaison_store::contract::Form;

/// One of the FHIR bases, as the caller of a request sees it.
#[derive(Clone, Debug)]
pub struct Face {
    /// The release spoken there.
    pub release: &'static Release,
    /// Its address, with a trailing `/`: `https://example.org/fhir/r4/`.
    pub base: Arc<str>,
    /// Every address, with a trailing `/`, under which this server's own resources are named: the
    /// bases of all releases.
    pub bases: Arc<[String]>,
}

impl Face {
    /// Whether the wire form of 2017, with its quirks, is spoken here beside the standard.
    #[must_use]
    pub fn speaks_2017(&self) -> bool {
        self.release.id == ReleaseId::Stu3
    }

    /// Whether the entries of a history say with what status they were answered: not before R4.
    #[must_use]
    pub fn history_has_responses(&self) -> bool {
        self.release.id >= ReleaseId::R4
    }

    /// The form in which what is written through this face is stored.
    #[must_use]
    pub const fn form(&self) -> Form {
        form_of(self.release.id)
    }

    /// The absolute address of a resource.
    #[must_use]
    pub fn url(&self, resource_type: &str, id: &str) -> String {
        format!("{}{resource_type}/{id}", self.base)
    }
}

/// The code system of the tag `SUBSETTED`, as the release names it.
pub(crate) const fn observation_values(release: ReleaseId) -> &'static str {
    match release {
        ReleaseId::Stu3 => "http://hl7.org/fhir/v3/ObservationValue",
        ReleaseId::R4 => "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    }
}

/// Whether a system is that code system, under the name of any release.
pub(crate) fn is_observation_values(system: &str) -> bool {
    [ReleaseId::Stu3, ReleaseId::R4].into_iter().any(|release| system == observation_values(release))
}

/// The tag under which the store keeps bodies of a release. Written in stores: never renumber.
#[must_use]
pub const fn form_of(release: ReleaseId) -> Form {
    match release {
        ReleaseId::Stu3 => Form(0),
        ReleaseId::R4 => Form(1),
    }
}

/// The release of a stored body.
#[must_use]
pub fn release_of(form: Form) -> &'static Release {
    match form {
        Form(0) => release::stu3(),
        _ => release::r4(),
    }
}
