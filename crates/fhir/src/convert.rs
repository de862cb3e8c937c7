//! STU3 to R4 and back, without loss.
//!
//! What both releases have in common is carried over; what moved is moved ([`rules`]); what the
//! target has no place for is kept in the cross-version extensions that FHIR defines for this
//! (`http://hl7.org/fhir/3.0/StructureDefinition/extension-DocumentReference.indexed`) on the
//! nearest parent, and comes back when the resource is converted back. What the target requires and
//! the source does not say is filled in and marked with `data-absent-reason`, so that the way back
//! takes it out again.
//!
//! How the promise is kept: the members of a node are cut into *relations* (a few elements of one
//! release that together say what a few elements of the other say). Each relation has a function
//! there and a function back. When the way back would not give exactly what was there, what was
//! there is kept beside; and what was kept is believed only as long as it explains what stands
//! beside it, so that a client who changes `date` is not overruled by the `created` of before.
//! This holds whatever the functions do, which is why they may be simple.
//!
//! Reading order: [`plan`] (which elements belong together), [`constraints`] (what one release asks
//! and the other does not), [`node`] (the walk), [`crossing`] (one relation), [`adapt`] (one item
//! from one type to another), [`keep`] (the extensions), [`shapes`] (the relations that need a
//! function of their own).

mod adapt;
mod codes;
mod constraints;
mod crossing;
mod extension;
mod fill;
mod items;
mod keep;
mod node;
mod plan;
mod reference;
mod rules;
mod shapes;
mod systems;

use std::sync::LazyLock;

use jiff::tz::TimeZone;

use crate::{release::ReleaseId, tree::Object};

/// The zone in which a date without a time is completed, when no other is asked for.
pub const DEFAULT_ZONE: &str = "Europe/Paris";

static ZONE: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get(DEFAULT_ZONE).unwrap_or(TimeZone::UTC));

/// An STU3 resource as R4 says it, dates without a time completed in [`DEFAULT_ZONE`].
///
/// Total: a tree that is no valid STU3 is carried over as far as it can be. A resource of a type
/// this server has no tables of is returned as it is.
#[must_use]
pub fn to_r4(resource: &Object) -> Object {
    convert(resource, ReleaseId::Stu3, ReleaseId::R4, &ZONE)
}

/// An R4 resource as STU3 says it; see [`to_r4`].
#[must_use]
pub fn to_stu3(resource: &Object) -> Object {
    convert(resource, ReleaseId::R4, ReleaseId::Stu3, &ZONE)
}

/// A resource of one release as another says it, dates without a time completed in `zone`. The way
/// back is exact when it is asked for with the same zone.
#[must_use]
pub fn convert(resource: &Object, from: ReleaseId, to: ReleaseId, zone: &TimeZone) -> Object {
    if from == to {
        return resource.clone();
    }
    node::Converter::new(from, to, zone).resource(resource)
}

#[cfg(test)]
mod tests;
