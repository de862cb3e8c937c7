//! Where the elements of a profile stand in a resource: paths with slices, walked on trees.

use liaison_fhir::{
    place::Place,
    terminology::systems::canonical_system,
    tree::{Object, Value},
};

/// One step of an element id: `name:officialName`, `value[x]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The name, without `[x]` and without slice.
    pub name: &'static str,
    /// The name of the slice, when the step is one.
    pub slice: Option<&'static str>,
    /// Whether the element is a choice of types.
    pub choice: bool,
    /// What makes an element belong to the slice.
    pub when: Option<Condition>,
}

/// A path inside an element and the value that it must have somewhere: `type.coding.code=NH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The path, dot separated.
    pub path: &'static str,
    /// The value.
    pub value: &'static str,
}

/// An element found in a resource.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The JSON member it was found under (`valueBoolean`).
    pub member: &'a str,
    /// At which index, where it is one of several.
    pub index: Option<usize>,
    /// It.
    pub value: &'a Value,
}

impl Found<'_> {
    /// Where it stands, found by that step.
    #[must_use]
    pub const fn place<'p>(&self, holder: &'p Place<'p>, step: &Step) -> Place<'p> {
        let place = holder.child(step.name);
        match self.index {
            Some(index) => place.item(index),
            None => place,
        }
    }
}

/// The elements a step leads to from an object.
pub fn children<'a>(parent: &'a Object, step: &Step) -> impl Iterator<Item = Found<'a>> {
    parent
        .iter()
        .filter(|(member, _)| step.names(member))
        .flat_map(|(member, value)| {
            let repeats = matches!(value, Value::Array(_));
            value.each().iter().enumerate().map(move |(index, value)| Found {
                member,
                index: repeats.then_some(index),
                value,
            })
        })
        .filter(|found| step.when.is_none_or(|condition| condition.holds(found.value)))
}

/// Calls for every object that the elements of a path stand in: the resource itself for a path of
/// one step.
pub fn each_holder(resource: &Object, place: &Place<'_>, steps: &[Step], call: &mut impl FnMut(&Object, &Place<'_>)) {
    let Some((step, further)) = steps.split_first() else { return call(resource, place) };
    for found in children(resource, step) {
        if let Some(holder) = found.value.as_object() {
            each_holder(holder, &found.place(place, step), further, call);
        }
    }
}

impl Step {
    fn names(&self, member: &str) -> bool {
        match member.strip_prefix(self.name) {
            Some("") => !self.choice,
            Some(rest) => self.choice && rest.starts_with(|c: char| c.is_ascii_uppercase()),
            None => false,
        }
    }
}

impl Condition {
    /// Whether some value along the path is the one asked for.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        self.holds_at(value, self.path)
    }

    fn holds_at(&self, value: &Value, path: &str) -> bool {
        let (name, further) = path.split_once('.').map_or((path, None), |(name, further)| (name, Some(further)));
        let Some(there) = value.as_object().and_then(|object| object.get(name)) else { return false };
        there.each().iter().any(|value| match (further, value.as_str()) {
            (Some(further), _) => self.holds_at(value, further),
            (None, Some(text)) => {
                text == self.value || name.ends_with("system") && canonical_system(text, None) == self.value
            }
            (None, None) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;

    const NAME: Step = Step { name: "name", slice: None, choice: false, when: None };

    #[test]
    fn a_slice_is_what_meets_its_condition() {
        let patient = object! { "name" => array![
            object! { "use" => "usual", "family" => "A" },
            object! { "use" => "official", "family" => "B" },
        ] };
        let official = Step { when: Some(Condition { path: "use", value: "official" }), ..NAME };
        let places: Vec<_> =
            children(&patient, &official).map(|f| f.place(&Place::root("Patient"), &official).to_string()).collect();
        assert_eq!(places, ["Patient.name[1]"]);
        assert_eq!(children(&patient, &NAME).count(), 2);
    }

    #[test]
    fn a_choice_is_found_under_the_name_of_its_type() {
        let extension = object! { "valueBoolean" => true, "valueless" => "x", "value" => "y" };
        let value = Step { name: "value", slice: None, choice: true, when: None };
        let members: Vec<_> = children(&extension, &value).map(|f| f.member).collect();
        assert_eq!(members, ["valueBoolean"]);
    }

    #[test]
    fn systems_in_conditions_go_by_any_name() {
        let condition = Condition { path: "system", value: "urn:oid:1.2.250.1.71.4.2.1" };
        assert!(condition.holds(&object! { "system" => "urn:oid1.2.250.1.71.4.2.1 " }.into()));
        assert!(!condition.holds(&object! { "system" => "urn:oid:1.2.250.1.71.4.2.2" }.into()));
    }

    #[test]
    fn holders_are_looked_for_at_every_level() {
        let team = object! { "participant" => array![object! { "period" => object! {} }, object! {}] };
        let step = |name| Step { name, ..NAME };
        let mut places = Vec::new();
        let path = [step("participant"), step("period")];
        each_holder(&team, &Place::root("CareTeam"), &path, &mut |_, place| places.push(place.to_string()));
        assert_eq!(places, ["CareTeam.participant[0].period"]);
    }
}
