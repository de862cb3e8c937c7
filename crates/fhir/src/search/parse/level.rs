//! The names of criteria: chains, `_has`, modifiers; and which criteria speak of one resource.

use crate::{outcome::Issue, search::parse::SearchLimits};

use super::refusal;

/// A criterion as written: `author:Practitioner.family:exact=Dupont`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Criterion<'a> {
    pub(super) links: Vec<Link<'a>>,
    pub(super) leaf: Leaf<'a>,
}

/// A link of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link<'a> {
    /// `author`, `author:Practitioner`: what a reference points to.
    To { name: &'a str, target: Option<&'a str> },
    /// `_has:DocumentReference:author`: what refers here.
    From { source: &'a str, name: &'a str },
}

/// The end of a chain: a parameter and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf<'a> {
    /// The whole name as written, for the place of findings.
    pub(super) whole: &'a str,
    pub(super) name: &'a str,
    pub(super) modifier: Option<&'a str>,
    pub(super) value: &'a str,
}

impl<'a> Criterion<'a> {
    pub(super) fn read(whole: &'a str, value: &'a str, limits: &SearchLimits) -> Result<Self, Issue> {
        let mut links = Vec::new();
        let mut rest = whole;
        loop {
            if links.len() > limits.chain_depth {
                return Err(refusal::chain_too_deep(whole, limits.chain_depth));
            }
            if let Some(reverse) = rest.strip_prefix("_has:") {
                let mut parts = reverse.splitn(3, ':');
                let (Some(source), Some(name), Some(after)) = (parts.next(), parts.next(), parts.next()) else {
                    return Err(refusal::bad_has(whole));
                };
                links.push(Link::From { source, name });
                rest = after;
                continue;
            }
            let Some((head, after)) = rest.split_once('.') else { break };
            let (name, target) = match head.split_once(':') {
                Some((name, target)) => (name, Some(target)),
                None => (head, None),
            };
            links.push(Link::To { name, target });
            rest = after;
        }
        let (name, modifier) = match rest.split_once(':') {
            Some((name, modifier)) => (name, Some(modifier)),
            None => (rest, None),
        };
        Ok(Self { links, leaf: Leaf { whole, name, modifier, value } })
    }
}

/// Criteria on one and the same resource: its own, and those of the resources it is linked with.
#[derive(Clone, Debug, Default)]
pub(super) struct Level<'a> {
    pub(super) leaves: Vec<Leaf<'a>>,
    pub(super) links: Vec<(Link<'a>, Level<'a>)>,
}

impl<'a> Level<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.leaves.is_empty() && self.links.is_empty()
    }

    /// Puts a criterion where its links lead, beside those that have the same links.
    pub(super) fn add(&mut self, criterion: Criterion<'a>) {
        self.put(&criterion.links, criterion.leaf);
    }

    fn put(&mut self, links: &[Link<'a>], leaf: Leaf<'a>) {
        let Some((link, rest)) = links.split_first() else {
            self.leaves.push(leaf);
            return;
        };
        match self.links.iter_mut().find(|(there, _)| there == link) {
            Some((_, below)) => below.put(rest, leaf),
            None => {
                let mut below = Self::default();
                below.put(rest, leaf);
                self.links.push((*link, below));
            }
        }
    }

    /// The name of some criterion at or below this level, for the place of findings about it.
    pub(super) fn whole(&self) -> &'a str {
        match (self.leaves.first(), self.links.first()) {
            (Some(leaf), _) => leaf.whole,
            (None, Some((_, level))) => level.whole(),
            (None, None) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Criterion<'_> {
        Criterion::read(name, "v", &SearchLimits::default()).unwrap()
    }

    #[test]
    fn names_are_taken_apart() {
        let criterion = read("schedule.actor:PractitionerRole.location.address:exact");
        let to = |name, target| Link::To { name, target };
        assert_eq!(
            criterion.links,
            [to("schedule", None), to("actor", Some("PractitionerRole")), to("location", None)]
        );
        assert_eq!((criterion.leaf.name, criterion.leaf.modifier), ("address", Some("exact")));

        let criterion = read("patient._has:DocumentReference:subject:author:Practitioner.family");
        let from = Link::From { source: "DocumentReference", name: "subject" };
        assert_eq!(criterion.links, [to("patient", None), from, to("author", Some("Practitioner"))]);
        assert_eq!(criterion.leaf.name, "family");
    }

    #[test]
    fn criteria_with_the_same_links_share_a_level() {
        let mut level = Level::default();
        for name in ["author:Practitioner.family", "author:Practitioner.given", "author:Patient.family", "type"] {
            level.add(read(name));
        }
        let sizes: Vec<_> = level.links.iter().map(|(_, below)| below.leaves.len()).collect();
        assert_eq!((sizes, level.leaves.len()), (vec![2, 1], 1));
    }

    #[test]
    fn chains_have_an_end() {
        let limits = SearchLimits::default();
        let of = |links: usize| format!("{}family", "subject.".repeat(links));
        assert!(Criterion::read(&of(limits.chain_depth), "v", &limits).is_ok());
        assert!(Criterion::read(&of(limits.chain_depth + 1), "v", &limits).is_err());
        assert!(Criterion::read("_has:DocumentReference:subject", "v", &limits).is_err());
    }
}
