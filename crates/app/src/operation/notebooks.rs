//! Whose notebooks the caller is in: what a person is shown first.

use std::collections::BTreeSet;

use liaison_care::access::InNotebook;
use liaison_fhir::{release, tree::Object};
use liaison_store::contract::{Change, Name};

use crate::{
    audit::AuditRecord,
    error::AppError,
    operation::{Operation, Stage, audit_trail::is_told},
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
    /// Who is told who saw it.
    pub trail: Trail,
}

/// Whose a circle is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Circle {
    /// Of who asks.
    Kept,
    /// Of others.
    OfOthers,
}

/// Who is told who saw a notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trail {
    /// Who asks.
    Shown,
    /// Others, or nobody.
    ForOthers,
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
        let audited = stage.app.is_audited();
        let trail = |place: &InNotebook| match audited && is_told(place.capacities) {
            true => Trail::Shown,
            false => Trail::ForOthers,
        };
        let all = seen.sight.notebooks.iter().take(MOST);
        let persons: Vec<_> = all.map(|(person, place)| (person.clone(), circle(place), trail(place))).collect();
        let store = stage.app.store().clone();
        let read = store.read(move |reader| {
            let view = View::of(reader, &stage.there);
            let mut found = BTreeSet::new();
            for (person, circle, trail) in persons {
                let name = Name { resource_type: "Patient".into(), id: person.as_str().into() };
                if let Some(version) = view.current(&name)?
                    && version.change != Change::Delete
                {
                    let stored = Stored::light(version);
                    stage.shows([&stored], reader)?;
                    let tree = stored.tree_in(release::view())?;
                    found.insert((called(&tree), person, circle, trail));
                }
            }
            let notebook = |(name, person, circle, trail)| Notebook { person, name, circle, trail };
            Ok(found.into_iter().map(notebook).collect())
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
