//! Whose notebooks the caller is in: what a person is shown first.

use std::{collections::BTreeSet, sync::Arc};

use liaison_care::access::InNotebook;
use liaison_fhir::{release, tree::Object};
use liaison_store::contract::{Change, Name};

use crate::{
    audit::AuditRecord,
    error::AppError,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::Stored,
    there::{There, View},
};

/// Tells whose notebooks the caller is in.
#[derive(Clone, Copy, Debug)]
pub struct Notebooks;

/// A notebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notebook {
    /// The id of the `Patient` it is of.
    pub person: String,
    /// What they are called.
    pub name: String,
    /// Whose the circle is to change.
    pub circle: Circle,
}

/// Whose a circle is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Circle {
    /// Of who asks.
    Kept,
    /// Of others.
    OfOthers,
}

/// As many are told; in the order of their ids before they are put in the order of names.
const MOST: usize = 500;

impl Operation for Notebooks {
    type Answer = Vec<Notebook>;

    fn action(&self) -> Action {
        Action::on(Interaction::Search, "Patient")
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Search, entity: "Patient".to_owned() }
    }

    fn again(&self) -> Option<Self> {
        Some(*self)
    }

    async fn run(self, stage: Stage) -> Result<Vec<Notebook>, AppError> {
        // The system is in nobody's.
        let There::Only(seen) = &stage.there else { return Ok(Vec::new()) };
        let circle = |place: &InNotebook| if place.keeps_circle() { Circle::Kept } else { Circle::OfOthers };
        let all = seen.sight.notebooks.iter().take(MOST);
        let persons: Vec<(String, Circle)> = all.map(|(person, place)| (person.clone(), circle(place))).collect();
        let there = There::Only(Arc::clone(seen));
        let read = stage.app.store().read(move |reader| {
            let view = View::of(reader, &there);
            let mut found = BTreeSet::new();
            for (person, circle) in persons {
                let name = Name { resource_type: "Patient".into(), id: person.as_str().into() };
                if let Some(version) = view.current(&name)?
                    && version.change != Change::Delete
                {
                    let tree = Stored::light(version).tree_in(release::view())?;
                    found.insert((called(&tree), person, circle));
                }
            }
            Ok(found.into_iter().map(|(name, person, circle)| Notebook { person, name, circle }).collect())
        });
        read.await
    }
}

/// What a person is called, for those who know them.
fn called(person: &Object) -> String {
    let mut names: Vec<&Object> = person.objects("name").filter(|name| name.str("use") != Some("old")).collect();
    names.sort_by_key(|name| match name.str("use") {
        Some("usual") => 0,
        Some("official") => 1,
        _ => 2,
    });
    let Some(name) = names.first() else { return String::new() };
    if let Some(text) = name.str("text") {
        return text.to_owned();
    }
    let given = name.items("given").iter().filter_map(|given| given.as_str());
    given.chain(name.str("family")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;

    #[test]
    fn a_person_is_called_by_the_name_in_use() {
        let official = object! { "use" => "official", "family" => "Morel", "given" => array!["Jeanne"] };
        let usual = object! { "use" => "usual", "text" => "Mamie Jeanne" };
        let old = object! { "use" => "old", "family" => "Le Goff" };
        let person = |names: &[&Object]| {
            object! { "name" => names.iter().map(|name| (*name).clone().into()).collect::<Vec<liaison_fhir::tree::Value>>() }
        };
        assert_eq!(called(&person(&[&old, &official])), "Jeanne Morel");
        assert_eq!(called(&person(&[&official, &usual])), "Mamie Jeanne");
        assert_eq!(called(&person(&[&old])), "");
    }
}
