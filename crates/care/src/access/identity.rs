//! Who asks, as whoever vouches for them says.

use super::{
    belonging::Party,
    capacity::{Capacities, Capacity},
    rules::Office,
};

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A name that stays the same and is nobody else's: for the trail, never shown to people.
    pub name: String,
    /// What people are shown.
    pub shown: Option<String>,
    /// Everything by which resources may refer to them.
    pub parties: Vec<Party>,
    /// The structures they work for: a structure in a circle stands for those who work there.
    pub structures: Vec<Party>,
    /// What they are, as far as it was vouched for.
    pub nature: Capacities,
    /// For whom they may write beside themselves.
    pub acting: Acting,
    /// Whether they run the server.
    pub office: Office,
}

/// In whose name somebody may write, beside their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acting {
    /// In nobody's: people, and software that has not been trusted with more.
    ForOneself,
    /// In the name of those who work for its structures: the software of an establishment.
    ForItsStaff,
    /// In anybody's who is in the circle: software that many share and that answers for its users.
    ForAnybody,
}

impl Identity {
    /// What somebody is who is known as this type of resource, as far as the type alone tells.
    #[must_use]
    pub fn nature_of(resource_type: &str) -> Capacities {
        match resource_type {
            "Patient" => Capacity::Person.into(),
            "RelatedPerson" => Capacity::Relative.into(),
            "Practitioner" | "PractitionerRole" => Capacity::OtherProfessional.into(),
            "Organization" => Capacity::Establishment.into(),
            "Device" => Capacity::Device.into(),
            _ => Capacities::NONE,
        }
    }
}
