//! The constraints of the release: expressions that must hold of an element.
//!
//! The tables hold them as HL7 publishes them, corrected where they are wrong (`docs/definitions.md`
//! says how). Those that the walk checks anyway (dom, ref, txt, ele) are not among them.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::Walk;
use crate::{
    outcome::{IssueKind, Text},
    path::{
        Expression,
        evaluate::{Evaluation, Item, Node},
    },
    place::Place,
    release::{Constraint, ConstraintSeverity, Release},
    text,
};

impl<'a> Walk<'a> {
    /// Checks the constraints that stand on an element.
    pub(super) fn check_constraints(
        &mut self,
        constraints: &'static [Constraint],
        element: Node<'a>,
        place: Place<'_>,
    ) {
        for constraint in constraints {
            let Some(expression) = constraint.compiled() else { continue };
            let evaluation =
                Evaluation::at(element, self.around.resource, self.around.container, self.release, &self.steps);
            if evaluation.condition(expression) == Some(true) {
                continue;
            }
            if self.steps.are_used_up() {
                self.too_costly(place);
                return;
            }
            let item = first_broken(&evaluation, expression);
            let place = match item {
                Some((name, at)) => place.child(name).item(at).to_string(),
                None => place.to_string(),
            };
            let text = said(constraint.key, self.release);
            match constraint.severity {
                ConstraintSeverity::Error => self.error(IssueKind::Invariant, place, text),
                ConstraintSeverity::Warning => self.warning(IssueKind::Invariant, place, text),
            }
        }
    }

    fn too_costly(&mut self, place: Place<'_>) {
        self.error(
            IssueKind::TooCostly,
            place,
            text!(
                en: "The resource is too large for its constraints to be checked; send it in parts.",
                fr: "La ressource est trop grande pour que ses contraintes soient vérifiées ; l'envoyer en plusieurs parties.",
            ),
        );
    }
}

/// Where to look: of a condition on all items of an element, the first item for which it does not
/// hold; of items that must be distinct, the first that is there already.
fn first_broken<'t, 'e>(evaluation: &Evaluation<'t, '_>, expression: &'t Expression) -> Option<(&'e str, usize)>
where
    't: 'e,
{
    match expression {
        Expression::Implies(_, right) => first_broken(evaluation, right),
        Expression::Or(left, right) => first_broken(evaluation, left).or_else(|| first_broken(evaluation, right)),
        // `entry.request.empty()`: the first entry that has one.
        Expression::Not(exists) => {
            let Expression::Exists(path) = &**exists else { return None };
            let Expression::Member(on, inner) = &**path else { return None };
            let name = member(on)?;
            let at = evaluation.all(on).iter().position(|item| matches!(item, Item::Node(node) if node.has(inner)))?;
            Some((name, at))
        }
        Expression::All(on, condition) => {
            let name = member(on)?;
            let at = evaluation
                .all(on)
                .into_iter()
                .position(|item| evaluation.standing(Some(item)).condition(condition) != Some(true))?;
            Some((name, at))
        }
        Expression::IsDistinct(selected) => {
            let Expression::Select(on, key) = &**selected else { return None };
            let (from, filter) = match &**on {
                Expression::Where(from, filter) => (&**from, Some(&**filter)),
                from => (from, None),
            };
            let name = member(from)?;
            let mut seen = HashSet::new();
            let at = evaluation.all(from).into_iter().position(|item| {
                let inside = evaluation.standing(Some(item));
                if filter.is_some_and(|filter| inside.condition(filter) != Some(true)) {
                    return false;
                }
                inside.all(key).iter().filter_map(Item::text).any(|text| !seen.insert(text))
            })?;
            Some((name, at))
        }
        _ => None,
    }
}

/// The name of a member of the element itself.
fn member(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Member(on, name) if **on == Expression::Here => Some(name),
        _ => None,
    }
}

/// What the constraint of that key asks for, in words; an unknown key speaks for itself.
fn said(key: &str, release: &Release) -> Text {
    let of_release = format!("{}/{key}", release.id.short());
    let words = WORDS.get(of_release.as_str()).or_else(|| WORDS.get(key));
    match words {
        Some((en, fr)) => text!(en: "{en} ({key}).", fr: "{fr} ({key})."),
        None => text!(en: "The constraint {key} does not hold.", fr: "La contrainte {key} n'est pas respectée."),
    }
}

/// English and French by key.
static WORDS: LazyLock<HashMap<&'static str, (&'static str, &'static str)>> = LazyLock::new(|| {
    include_str!("../../data/constraint-words.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (key, words) = line.split_once('\t')?;
            Some((key, words.split_once('\t')?))
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{path::Path, release};

    fn all(release: &'static Release) -> impl Iterator<Item = (&'static str, &'static Constraint)> {
        release.structures().flat_map(|structure| {
            let own = structure.constraints.iter();
            let inside = structure.elements.iter().flat_map(|element| &element.constraints);
            own.chain(inside).map(|constraint| (structure.path, constraint))
        })
    }

    #[test]
    fn every_constraint_is_understood_and_has_words() {
        for release in [release::r4(), release::stu3()] {
            assert!(all(release).count() > 100);
            for (path, constraint) in all(release) {
                let key = constraint.key;
                if let Err(error) = Path::parse(constraint.expression) {
                    panic!("{path} {key}: {error}: {}", constraint.expression);
                }
                let Text { en, fr } = said(key, release);
                assert!(en.ends_with(&format!("({key}).")) && fr.ends_with(&format!("({key}).")), "{key}: {en} {fr}");
            }
        }
    }

    #[test]
    fn no_words_are_left_over() {
        for key in WORDS.keys() {
            let (release, key) = match key.split_once('/') {
                Some((_, key)) => (vec![release::stu3()], key),
                None => (vec![release::stu3(), release::r4()], *key),
            };
            assert!(release.into_iter().flat_map(all).any(|(_, constraint)| constraint.key == key), "{key}");
        }
    }

    #[test]
    fn the_walk_checks_what_the_tables_leave_to_it() {
        for release in [release::r4(), release::stu3()] {
            for key in release.structures().flat_map(|structure| &structure.rules) {
                let known = ["ele-1", "ref-1", "txt-1", "txt-2", "dom-1", "dom-2", "dom-3", "dom-4", "dom-5"];
                assert!(known.contains(key), "{key}");
            }
        }
    }
}
