//! Where the elements of a profile stand in a resource: paths with slices, walked on trees.

use liaison_fhir::{
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
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Where it stands, as FHIRPath.
    pub place: String,
    /// The JSON member it was found under (`valueBoolean`).
    pub member: &'a str,
    /// It.
    pub value: &'a Value,
}

/// The elements a step leads to from an object.
#[must_use]
pub fn children<'a>(parent: &'a Object, place: &str, step: &Step) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (member, value) in parent.iter().filter(|(member, _)| step.names(member)) {
        let name = step.name;
        match value {
            Value::Array(items) => found.extend(items.iter().enumerate().map(|(index, value)| Found {
                place: format!("{place}.{name}[{index}]"),
                member,
                value,
            })),
            value => found.push(Found { place: format!("{place}.{name}"), member, value }),
        }
    }
    if let Some(condition) = step.when {
        found.retain(|element| condition.holds(element.value));
    }
    found
}

/// The objects that the elements of a path stand in: the resource itself for a path of one step.
#[must_use]
pub fn holders<'a>(resource: &'a Object, place: &str, steps: &[Step]) -> Vec<(String, &'a Object)> {
    let mut holders = vec![(place.to_owned(), resource)];
    for step in steps {
        holders = holders
            .into_iter()
            .flat_map(|(place, holder)| children(holder, &place, step))
            .filter_map(|found| Some((found.place, found.value.as_object()?)))
            .collect();
    }
    holders
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
        let mut values = vec![value];
        for name in self.path.split('.') {
            values =
                values.into_iter().filter_map(|value| value.as_object()?.get(name)).flat_map(Value::each).collect();
        }
        let is_system = self.path.ends_with("system");
        values
            .into_iter()
            .filter_map(Value::as_str)
            .any(|text| text == self.value || is_system && canonical_system(text, None) == self.value)
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
        let places: Vec<_> = children(&patient, "Patient", &official).into_iter().map(|f| f.place).collect();
        assert_eq!(places, ["Patient.name[1]"]);
        assert_eq!(children(&patient, "Patient", &NAME).len(), 2);
    }

    #[test]
    fn a_choice_is_found_under_the_name_of_its_type() {
        let extension = object! { "valueBoolean" => true, "valueless" => "x", "value" => "y" };
        let value = Step { name: "value", slice: None, choice: true, when: None };
        let members: Vec<_> = children(&extension, "Extension", &value).into_iter().map(|f| f.member).collect();
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
        let places: Vec<_> =
            holders(&team, "CareTeam", &[step("participant"), step("period")]).into_iter().map(|(p, _)| p).collect();
        assert_eq!(places, ["CareTeam.participant[0].period"]);
    }
}
