//! What the rows of the index follow from, as numbers that stay the same as long as the rows would.
//!
//! A store remembers the fingerprints its rows were made by. A program that would make other rows of a
//! parameter has another fingerprint for it, and knows that the rows that are there do not answer its
//! searches.

use std::sync::LazyLock;

use jiff::tz::TimeZone;

use super::{
    index::Param,
    parameters::{self, Parameter, reading::Reading},
    query::ParamKind,
};
use crate::{release::view, terminology::systems};

/// How values become rows, and resources of STU3 their R4 view: raised whenever the same resource would
/// have other rows by the same tables.
const EXTRACTION: u32 = 1;

/// By what the rows of a parameter, or of a variant of it, are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Whose rows.
    pub param: Param,
    /// A number that stands for all that they follow from.
    pub fingerprint: u64,
}

/// The definitions of everything that is indexed, in the order of parameters. `zone`: that of dates without
/// one.
#[must_use]
pub fn definitions(zone: &TimeZone) -> Vec<Definition> {
    let zone = zone.iana_name().unwrap_or_default();
    let mut all: Vec<Definition> = view()
        .resources()
        .into_iter()
        .flat_map(parameters::indexed)
        .flat_map(|parameter| {
            let made_by = Made::of(parameter, EXTRACTION, zone);
            [Some(parameter.param), parameter.identifier, parameter.of_type]
                .into_iter()
                .flatten()
                .map(move |param| Definition { param, fingerprint: made_by.fingerprint(param) })
        })
        .collect();
    all.sort_unstable_by_key(|definition| definition.param);
    all
}

/// All that the rows of a parameter follow from. The types that a reference may point to are not among it:
/// they decide what may be asked, not what is found.
struct Made<'a> {
    extraction: u32,
    kind: ParamKind,
    expression: &'a str,
    /// Each way to values, with how they are read: the expression by the tables of the release.
    ways: Vec<(String, Reading)>,
    /// The names under which systems are indexed; 0 when there are none in its rows.
    systems: u64,
    /// The zone of dates without one; empty when there are none in its rows.
    zone: &'a str,
}

impl<'a> Made<'a> {
    fn of(parameter: &'a Parameter, extraction: u32, zone: &'a str) -> Self {
        let ways = parameter
            .routes
            .iter()
            .map(|(route, reading)| {
                let steps: Vec<String> = route
                    .steps
                    .iter()
                    .map(|step| match &step.only {
                        None => step.member.to_string(),
                        Some((member, text)) => format!("{}[{member}={text}]", step.member),
                    })
                    .collect();
                (steps.join("."), *reading)
            })
            .collect();
        let dated = parameter.kind == ParamKind::Date;
        let coded = matches!(parameter.kind, ParamKind::Token | ParamKind::Quantity | ParamKind::Reference);
        Self {
            extraction,
            kind: parameter.kind,
            expression: parameter.expression,
            ways,
            systems: if coded { *SYSTEMS } else { 0 },
            zone: if dated { zone } else { "" },
        }
    }

    fn fingerprint(&self, param: Param) -> u64 {
        let mut hash = Hash::new();
        hash.number(u64::from(self.extraction));
        hash.text(param.base);
        hash.text(param.code);
        hash.text(self.kind.code());
        hash.text(self.expression);
        for (steps, reading) in &self.ways {
            hash.text(steps);
            hash.text(&format!("{reading:?}"));
        }
        hash.number(self.systems);
        hash.text(self.zone);
        hash.end()
    }
}

static SYSTEMS: LazyLock<u64> = LazyLock::new(|| {
    let mut hash = Hash::new();
    hash.text(systems::TABLE);
    hash.end()
});

/// FNV-1a of 64 bits: the same in every program on every machine, which the standard library's is not.
struct Hash(u64);

impl Hash {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    /// A text with its end, so that what follows cannot be taken for a part of it.
    fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.byte(byte));
        self.byte(0xff);
    }

    fn number(&mut self, number: u64) {
        number.to_le_bytes().into_iter().for_each(|byte| self.byte(byte));
    }

    /// Spread over all bits: the last bytes written would otherwise leave the low ones alone.
    const fn end(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn of<'a>(all: &'a [Definition], base: &str, code: &str) -> &'a Definition {
        all.iter().find(|one| one.param.base == base && one.param.code == code).unwrap()
    }

    #[test]
    fn every_row_that_can_be_asked_for_has_one_of_its_own() {
        let all = definitions(&zone("Europe/Paris"));
        let fingerprints: HashSet<u64> = all.iter().map(|definition| definition.fingerprint).collect();
        assert_eq!(fingerprints.len(), all.len());
        for parameter in view().resources().into_iter().flat_map(parameters::indexed) {
            for param in [Some(parameter.param), parameter.identifier, parameter.of_type].into_iter().flatten() {
                assert_eq!(of(&all, param.base, param.code).param, param);
            }
        }
        assert!(all.is_sorted_by_key(|definition| definition.param));
    }

    #[test]
    fn each_thing_that_rows_follow_from_changes_it() {
        let parameter = parameters::parameter("DocumentReference", "type").unwrap();
        let made = |change: fn(&mut Made<'_>)| {
            let mut made = Made::of(parameter, EXTRACTION, "Europe/Paris");
            change(&mut made);
            made.fingerprint(parameter.param)
        };
        let changes: [fn(&mut Made<'_>); 8] = [
            |_| {},
            |made| made.expression = "DocumentReference.category",
            |made| made.kind = ParamKind::Uri,
            |made| made.extraction += 1,
            |made| made.systems += 1,
            |made| made.zone = "Indian/Reunion",
            |made| made.ways.clear(),
            |made| made.ways.iter_mut().for_each(|(steps, _)| steps.push('s')),
        ];
        let different: HashSet<u64> = changes.into_iter().map(made).collect();
        assert_eq!(different.len(), changes.len());
        assert_eq!(made(|_| {}), made(|_| {}), "and nothing else does");
    }

    #[test]
    fn another_zone_changes_the_rows_of_dates_only() {
        let (here, there) = (definitions(&zone("Europe/Paris")), definitions(&zone("Indian/Reunion")));
        for (one, other) in here.iter().zip(&there) {
            let dated = parameters::parameter_of(one.param).unwrap().kind == ParamKind::Date;
            assert_eq!(one != other, dated, "{:?}", one.param);
        }
    }
}
