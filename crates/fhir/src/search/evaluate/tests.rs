//! The judge on a small notebook; and the judge against the rows of the index, on anything.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::{
    array, object,
    primitive::{fold, parse_instant},
    release::{ReleaseId, r4},
    search::{
        extract::extract,
        grown::{self, Choices},
        index::{IndexRow, IndexValue},
        parameters,
        parse::{Handling, SearchContext, SearchLimits, SearchRequest, parse},
        query::{ParamKind, ReferenceTest, StringTest, SystemTest, UriTest},
    },
};

use super::*;

const BASE: &str = "https://liaison.example/fhir/r4";

fn bases() -> Vec<String> {
    vec![BASE.to_owned()]
}

fn paris() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap()
}

fn read(of: &str, pairs: &[(String, String)]) -> Option<Query> {
    let (zone, bases) = (paris(), bases());
    let context = SearchContext { zone: &zone, now: 0, bases: &bases, limits: SearchLimits::default() };
    let request = SearchRequest { release: r4(), types: &[of], pairs, handling: Handling::Strict, context: &context };
    parse(&request).ok().map(|parsed| parsed.query)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn candidates(resources: &[Object]) -> Vec<Candidate<'_>> {
    let candidate = |(order, tree): (usize, _)| {
        let tree: &Object = tree;
        Candidate {
            resource_type: tree.resource_type().unwrap(),
            id: tree.str("id").unwrap(),
            tree,
            last_updated: parse_instant("2024-06-01T00:00:00Z").unwrap() + i64::try_from(order).unwrap(),
            order: order as u64,
        }
    };
    resources.iter().enumerate().map(candidate).collect()
}

fn answer(of: &str, query: &str, resources: &[Object]) -> (Vec<String>, Vec<String>) {
    let query = read(of, &pairs(query)).unwrap_or_else(|| panic!("{query} is not understood"));
    let (zone, bases) = (paris(), bases());
    let answer = evaluate(&query, &candidates(resources), &ExtractContext { zone: &zone, bases: &bases });
    let name = |position: usize| {
        let resource = &resources[position];
        format!("{}/{}", resource.resource_type().unwrap(), resource.str("id").unwrap())
    };
    (answer.matches.into_iter().map(name).collect(), answer.includes.into_iter().map(name).collect())
}

/// Two people, two nurses, one of them in a role, and four notes, the last one being the newest.
fn notebook() -> Vec<Object> {
    let reference = |to: &str| object! { "reference" => to };
    let note = |id: &str, date: &str, subject: &str, authors: &[&str]| {
        object! {
            "resourceType" => "DocumentReference",
            "id" => id,
            "status" => "current",
            "type" => object! { "coding" => array![
                object! { "system" => "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote", "code" => "OBS" },
            ] },
            "date" => date,
            "subject" => reference(subject),
            "author" => authors.iter().map(|author| reference(author).into()).collect::<Vec<_>>(),
        }
    };
    let person = |of: &str, id: &str, family: &str, given: &str| {
        object! {
            "resourceType" => of,
            "id" => id,
            "name" => array![object! { "family" => family, "given" => array![given] }],
        }
    };
    let mut reply = note("n4", "2024-03-04T10:00:00+01:00", "Patient/p1", &["Patient/p1"]);
    reply.push("relatesTo", array![object! { "code" => "appends", "target" => reference("DocumentReference/n1") }]);
    vec![
        person("Patient", "p1", "Roubinowitz", "Michel"),
        person("Patient", "p2", "Martin", "Zoé"),
        person("Practitioner", "d1", "Dupont", "Marie"),
        person("Practitioner", "d2", "Dupont", "Jean"),
        object! { "resourceType" => "PractitionerRole", "id" => "r1", "practitioner" => reference("Practitioner/d1") },
        note("n1", "2024-03-01T10:00:00+01:00", "Patient/p1", &["Practitioner/d2"]),
        note("n2", "2024-03-02T10:00:00+01:00", "Patient/p1", &["PractitionerRole/r1"]),
        note("n3", "2024-03-03T10:00:00+01:00", "Patient/p2", &["Practitioner/d2", "Patient/p2"]),
        reply,
    ]
}

fn notes(query: &str) -> Vec<String> {
    let (matches, _) = answer("DocumentReference", query, &notebook());
    matches.into_iter().map(|name| name.replace("DocumentReference/", "")).collect()
}

#[test]
fn notes_come_newest_change_first() {
    assert_eq!(notes(""), ["n4", "n3", "n2", "n1"]);
    assert_eq!(notes("_sort=date"), ["n1", "n2", "n3", "n4"]);
    assert_eq!(notes("_sort=subject,-date"), ["n4", "n2", "n1", "n3"]);
    assert_eq!(notes("_sort=relatesto,_id"), ["n4", "n1", "n2", "n3"]);
}

#[test]
fn both_names_are_those_of_one_author() {
    assert_eq!(notes("author:Practitioner.family=Dupont&author:Practitioner.given=Marie"), ["n2"]);
    assert_eq!(notes("author:Practitioner.family=Dupont"), ["n3", "n2", "n1"]);
    // Zoé Martin and Jean Dupont both wrote the third note: that makes no Zoé Dupont.
    assert_eq!(notes("author.family=Dupont&author.given=Zoé"), [""; 0]);
    assert_eq!(notes("author.family=Martin&author.given=zoe"), ["n3"]);
    assert_eq!(notes("author:PractitionerRole.practitioner.given=Marie"), ["n2"]);
}

#[test]
fn values_are_compared_as_fhir_says() {
    assert_eq!(notes("date=ge2024-03-02&date=lt2024-03-04"), ["n3", "n2"]);
    assert_eq!(notes("patient.family=roub"), ["n4", "n2", "n1"]);
    assert_eq!(notes("type=urn:oid:1.2.250.1.213.1.1.5.98|OBS&subject=Patient/p2"), ["n3"]);
    assert_eq!(notes("type:not=OBS"), [""; 0]);
    assert_eq!(notes("relatesto:missing=true&_id=n1,n4"), ["n1"]);
    assert_eq!(notes("_lastUpdated=lt2024-06-01T00:00:00Z"), [""; 0]);
    assert_eq!(notes("_has:DocumentReference:relatesto:author:Patient.family=Roubinowitz"), ["n1"]);
}

#[test]
fn what_is_asked_for_comes_along() {
    let included = |query: &str| answer("DocumentReference", query, &notebook()).1;
    assert_eq!(included("_id=n2&_include=*"), ["Patient/p1", "PractitionerRole/r1"]);
    assert_eq!(
        included("_id=n2&_include=*&_include:iterate=PractitionerRole:practitioner"),
        ["Patient/p1", "Practitioner/d1", "PractitionerRole/r1"]
    );
    assert_eq!(included("_id=n3&_include=DocumentReference:author:Patient"), ["Patient/p2"]);
    assert_eq!(included("_id=n1&_revinclude=DocumentReference:relatesto"), ["DocumentReference/n4"]);
    // What matches does not come twice.
    assert_eq!(included("_id=n1,n4&_include=DocumentReference:relatesto"), [""; 0]);
}

// The judge against the index.

/// Whether a clause holds by the rows of the index: what a store sees.
fn indexed(clause: &Clause, of: usize, all: &[Candidate<'_>], rows: &[Vec<IndexRow>]) -> bool {
    let mine = |param: Param| rows[of].iter().filter(move |row| row.param == param).map(|row| &row.value);
    let points_to = |source: usize, param: Param, target: usize| {
        rows[source].iter().any(|row| {
            row.param == param
                && matches!(&row.value, IndexValue::Reference(Target::Local { resource_type, id })
                    if resource_type == all[target].resource_type && id == all[target].id)
        })
    };
    let everyone = 0..all.len();
    match clause {
        Clause::All(clauses) => clauses.iter().all(|clause| indexed(clause, of, all, rows)),
        Clause::Any(clauses) => clauses.iter().any(|clause| indexed(clause, of, all, rows)),
        Clause::Not(clause) => !indexed(clause, of, all, rows),
        Clause::Has(param, test) => mine(*param).any(|value| row_passes(value, test)),
        Clause::Present(param) => mine(*param).next().is_some(),
        Clause::OfType(types) => types.contains(&all[of].resource_type),
        Clause::Id(ids) => ids.iter().any(|id| id == all[of].id),
        Clause::Among(set) => set.contains(all[of].resource_type, all[of].id),
        Clause::LastUpdated(test) => {
            let at = all[of].last_updated;
            compare::ranges(test.comparison, (at, at + 1), (test.low, test.high))
        }
        Clause::Refers { param, types, target } => everyone.into_iter().any(|other| {
            types.contains(&all[other].resource_type)
                && points_to(of, *param, other)
                && indexed(target, other, all, rows)
        }),
        Clause::ReferredBy { param, source } => {
            everyone.into_iter().any(|other| points_to(other, *param, of) && indexed(source, other, all, rows))
        }
    }
}

fn row_passes(value: &IndexValue, test: &Test) -> bool {
    match (value, test) {
        (IndexValue::String { folded, .. }, Test::String(StringTest::StartsWith(text))) => {
            folded.starts_with(text.as_str())
        }
        (IndexValue::String { folded, .. }, Test::String(StringTest::Contains(text))) => folded.contains(text.as_str()),
        (IndexValue::String { exact, .. }, Test::String(StringTest::Exact(text))) => exact == text,
        (IndexValue::Token { system, code }, Test::Token(test)) => {
            let fits = match &test.system {
                SystemTest::Any => true,
                SystemTest::Absent => system.is_none(),
                SystemTest::Is(wanted) => system.as_ref() == Some(wanted),
            };
            fits && test.code.as_ref().is_none_or(|wanted| wanted == code)
        }
        (IndexValue::Reference(target), Test::Reference(ReferenceTest::Is(wanted))) => target == wanted,
        (IndexValue::Reference(Target::Local { resource_type, id }), Test::Reference(test)) => match test {
            ReferenceTest::Id { id: wanted, types } => id == wanted && types.contains(&resource_type.as_str()),
            ReferenceTest::OfType(types) => types.contains(&resource_type.as_str()),
            ReferenceTest::Among(set) => set.contains(resource_type, id),
            ReferenceTest::Is(_) => false,
        },
        (IndexValue::Date { low, high }, Test::Date(test)) => {
            compare::ranges(test.comparison, (*low, *high), (test.low, test.high))
        }
        (IndexValue::Number { low, high }, Test::Number(test)) => {
            compare::ranges(test.comparison, (*low, *high), (test.low, test.high))
        }
        (IndexValue::Quantity { low, high, system, code }, Test::Quantity { number, system: of, code: unit }) => {
            compare::ranges(number.comparison, (*low, *high), (number.low, number.high))
                && (of.is_none() || of == system)
                && (unit.is_none() || unit == code)
        }
        (IndexValue::Uri(uri), Test::Uri(UriTest::Is(wanted))) => uri == wanted,
        (IndexValue::Uri(uri), Test::Uri(UriTest::Below(start))) => uri.starts_with(start.as_str()),
        (IndexValue::Uri(uri), Test::Uri(UriTest::Above(longer))) => longer.starts_with(uri.as_str()),
        (IndexValue::Position { latitude, longitude }, Test::Near { latitude: lat, longitude: long, metres }) => {
            // Near enough for points that are the same or far apart.
            let degrees = (latitude - lat).hypot(longitude - long);
            degrees * 100_000.0 <= *metres
        }
        _ => false,
    }
}

fn random_pair(of: &str, choices: &mut Choices<'_>) -> (String, String) {
    let offers = parameters::parameters_of(ReleaseId::R4, of);
    let offer = &offers[choices.below(offers.len())];
    let mut name = offer.name.to_owned();
    let mut kind = offer.kind;
    let targets = offer.targets();
    if !targets.is_empty() && choices.below(2) == 1 {
        let target = targets[choices.below(targets.len())];
        let next = parameters::parameters_of(ReleaseId::R4, target);
        let next = &next[choices.below(next.len())];
        name = match choices.below(3) {
            0 => format!("{name}.{}", next.name),
            1 => format!("{name}:{target}.{}", next.name),
            _ => name,
        };
        if name.contains('.') {
            kind = next.kind;
        }
    } else if choices.below(8) == 7 {
        let source = choices.of(&grown::TYPES);
        let back = parameters::parameters_of(ReleaseId::R4, source);
        let reference = &back[choices.below(back.len())];
        let asked = &back[choices.below(back.len())];
        name = format!("_has:{source}:{}:{}", reference.name, asked.name);
        kind = asked.kind;
    }
    let modifier = match kind {
        ParamKind::String => choices.of(&["", "", ":exact", ":contains", ":missing"]),
        ParamKind::Token => choices.of(&["", "", ":not", ":of-type", ":missing"]),
        ParamKind::Reference => choices.of(&["", "", ":identifier", ":Patient", ":missing"]),
        ParamKind::Uri => choices.of(&["", ":above", ":below"]),
        _ => choices.of(&["", "", "", ":missing"]),
    };
    let prefix = choices.of(&["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]);
    let escape = |text: &str| text.replace(',', r"\,").replace('|', r"\|");
    let value = if modifier == ":missing" {
        choices.of(&["true", "false"]).to_owned()
    } else {
        match kind {
            ParamKind::String => {
                let text = choices.of(&grown::TEXTS);
                let end = text.char_indices().nth(1 + choices.below(6)).map_or(text.len(), |(at, _)| at);
                escape(&text[..end])
            }
            ParamKind::Token => {
                let (system, code) = (choices.of(&grown::SYSTEMS), escape(choices.of(&grown::CODES)));
                match (modifier, choices.below(4)) {
                    (":of-type", _) => format!("{system}|{}|{code}", choices.of(&["OBS", "NH"])),
                    (_, 0) => format!("{system}|{code}"),
                    (_, 1) => format!("{system}|"),
                    (_, 2) => format!("|{code}"),
                    _ => code,
                }
            }
            ParamKind::Reference if modifier == ":identifier" => choices.of(&grown::CODES).to_owned(),
            ParamKind::Reference => choices
                .of(&[
                    "Patient/1",
                    "1",
                    "2",
                    "Practitioner/2",
                    "urn:uuid:1",
                    "Organization/2",
                    "http://x.example/a",
                    "http://x.example/a|1.0",
                ])
                .to_owned(),
            ParamKind::Date => format!("{prefix}{}", choices.of(&grown::DATES)),
            ParamKind::Number => format!("{prefix}{}", choices.of(&grown::NUMBERS)),
            ParamKind::Quantity => format!(
                "{prefix}{}|{}|{}",
                choices.of(&grown::NUMBERS),
                choices.of(&["", "http://a.example"]),
                choices.of(&["", "OBS"])
            ),
            ParamKind::Uri => choices.of(&grown::URIS).to_owned(),
            ParamKind::Special | ParamKind::Composite => {
                format!("{}|{}|1|m", choices.of(&grown::NUMBERS), choices.of(&grown::NUMBERS))
            }
        }
    };
    (format!("{name}{modifier}"), value)
}

fn grown_world(choices: &mut Choices<'_>) -> Vec<Object> {
    let mut resources: Vec<Object> = Vec::new();
    for _ in 0..12 {
        let (of, id) = (choices.of(&grown::TYPES), choices.of(&["1", "2", "3"]));
        if !resources.iter().any(|there| there.resource_type() == Some(of) && there.str("id") == Some(id)) {
            resources.push(grown::resource(of, id, choices));
        }
    }
    resources
}

/// The rows that the values of a tree would make.
fn rows_by_tree(param: Param, tree: &Object, context: &ExtractContext<'_>) -> Vec<IndexValue> {
    let token =
        |token: values::Token| IndexValue::Token { system: token.system.map(Into::into), code: token.code.into() };
    let kind = parameters::parameter_of(param).map(|parameter| parameter.kind);
    let parameter_itself = !param.code.contains(':');
    match kind {
        Some(ParamKind::Token) => values::tokens(param, tree).into_iter().map(token).collect(),
        _ if !parameter_itself => values::tokens(param, tree).into_iter().map(token).collect(),
        Some(ParamKind::String) => {
            let row = |text: &str| IndexValue::String { exact: text.trim().into(), folded: fold(text) };
            values::texts(param, tree).into_iter().map(row).collect()
        }
        Some(ParamKind::Reference) => {
            values::targets(param, tree, context).into_iter().map(IndexValue::Reference).collect()
        }
        Some(ParamKind::Date) => {
            let row = |(low, high)| IndexValue::Date { low, high };
            values::dates(param, tree, context).into_iter().map(row).collect()
        }
        Some(ParamKind::Number) => {
            let row = |(low, high)| IndexValue::Number { low, high };
            values::numbers_of(param, tree).into_iter().map(row).collect()
        }
        Some(ParamKind::Quantity) => {
            let row = |measured: values::Measured<'_>| IndexValue::Quantity {
                low: measured.range.0,
                high: measured.range.1,
                system: measured.system.map(Into::into),
                code: measured.unit.map(Into::into),
            };
            values::quantities(param, tree).into_iter().map(row).collect()
        }
        Some(ParamKind::Uri) => values::uris(param, tree).into_iter().map(|uri| IndexValue::Uri(uri.into())).collect(),
        Some(ParamKind::Special | ParamKind::Composite) | None => {
            let row = |(latitude, longitude)| IndexValue::Position { latitude, longitude };
            values::positions(param, tree).into_iter().map(row).collect()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_rows_of_the_index_are_the_values_of_the_tree(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        of in prop::sample::select(r4().resources()),
    ) {
        let resource = grown::resource(of, "1", &mut Choices::new(&bytes));
        let (zone, bases) = (paris(), bases());
        let context = ExtractContext { zone: &zone, bases: &bases };
        let rows = extract(&resource, &context);
        for parameter in parameters::indexed(of) {
            for param in [Some(parameter.param), parameter.identifier, parameter.of_type].into_iter().flatten() {
                let told = |value: &IndexValue| format!("{value:?}");
                let found: BTreeSet<String> =
                    rows.iter().filter(|row| row.param == param).map(|row| told(&row.value)).collect();
                let expected: BTreeSet<String> = rows_by_tree(param, &resource, &context).iter().map(told).collect();
                prop_assert_eq!(found, expected, "{} of {:#?}", parameter.expression, resource);
            }
        }
    }

    #[test]
    fn the_rows_of_the_index_answer_as_the_trees_do(bytes in prop::collection::vec(any::<u8>(), 100..900)) {
        let mut choices = Choices::new(&bytes);
        let asked: Vec<(&str, Vec<(String, String)>)> = (0..12)
            .map(|_| {
                let of = choices.of(&grown::TYPES);
                let number = 1 + choices.below(2);
                (of, (0..number).map(|_| random_pair(of, &mut choices)).collect())
            })
            .collect();
        let resources = grown_world(&mut choices);
        let all = candidates(&resources);
        let (zone, bases) = (paris(), bases());
        let context = ExtractContext { zone: &zone, bases: &bases };
        let rows: Vec<Vec<IndexRow>> = resources.iter().map(|resource| extract(resource, &context)).collect();
        for (of, pairs) in asked {
            let Some(query) = read(of, &pairs) else { continue };
            let mut found = evaluate(&query, &all, &context).matches;
            found.sort_unstable();
            let expected: Vec<usize> = (0..all.len())
                .filter(|position| all[*position].resource_type == of && indexed(&query.filter, *position, &all, &rows))
                .collect();
            prop_assert_eq!(found, expected, "{:?} on {:#?}", pairs, resources);
        }
    }

    #[test]
    fn sorting_and_including_keep_every_match_once(bytes in prop::collection::vec(any::<u8>(), 100..600), of in prop::sample::select(grown::TYPES.to_vec())) {
        let mut choices = Choices::new(&bytes);
        let offers = parameters::parameters_of(ReleaseId::R4, of);
        let sort = format!("{}{},_id", choices.of(&["", "-"]), offers[choices.below(offers.len())].name);
        let resources = grown_world(&mut choices);
        let include = ("_include:iterate".to_owned(), "*".to_owned());
        let Some(query) = read(of, &[("_sort".to_owned(), sort), include]) else { return Ok(()) };
        let (zone, bases) = (paris(), bases());
        let answer = evaluate(&query, &candidates(&resources), &ExtractContext { zone: &zone, bases: &bases });
        let mut matches = answer.matches.clone();
        matches.sort_unstable();
        let expected: Vec<usize> = (0..resources.len()).filter(|at| resources[*at].resource_type() == Some(of)).collect();
        prop_assert_eq!(&matches, &expected);
        prop_assert!(answer.includes.iter().all(|include| !matches.contains(include)));
    }
}

#[test]
fn folding_is_the_same_on_both_sides() {
    // A value finds itself, whatever way it is written.
    for text in grown::TEXTS {
        let person = object! {
            "resourceType" => "Patient", "id" => "1",
            "name" => array![object! { "family" => text }],
        };
        for query in [
            format!("family={}", text.replace(',', r"\,")),
            format!("family:exact={}", text.replace(',', r"\,")),
            format!("family={}", fold(text).replace(',', r"\,")),
        ] {
            assert_eq!(answer("Patient", &query, std::slice::from_ref(&person)).0, ["Patient/1"], "{query}");
        }
    }
}

#[test]
fn the_random_worlds_hold_answers() {
    let mut state = 1_u64;
    let mut bytes = || -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..800).map(|_| next()).collect()
    };
    let (zone, bases) = (paris(), bases());
    let context = ExtractContext { zone: &zone, bases: &bases };
    let (mut understood, mut some, mut rows) = (0, 0, 0);
    for _ in 0..400 {
        let bytes = bytes();
        let mut choices = Choices::new(&bytes);
        let of = choices.of(&grown::TYPES);
        let pair = random_pair(of, &mut choices);
        let resources = grown_world(&mut choices);
        rows += resources.iter().map(|resource| extract(resource, &context).len()).sum::<usize>();
        let Some(query) = read(of, &[pair]) else { continue };
        understood += 1;
        some += usize::from(!evaluate(&query, &candidates(&resources), &context).matches.is_empty());
    }
    // A property on worlds without values, or questions without answers, would prove nothing.
    assert!(understood > 200 && some > 30 && rows > 8_000, "{understood} {some} {rows}");
}
