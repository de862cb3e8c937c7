//! The query and the decision say the same, of every resource; and a query within a sight answers as if
//! what is not seen were not there.

use jiff::tz::TimeZone;
use liaison_fhir::{
    array, object,
    search::{
        evaluate::{Candidate, evaluate},
        extract::{self, ExtractContext},
        parse::{Handling, SearchContext, SearchLimits, SearchRequest, parse},
    },
    tree::{Object, Value},
};
use proptest::prelude::*;

use super::*;
use crate::access::{Acting, Capacity, Leave, Scopes};

const BASES: [&str; 1] = ["https://liaison.example/fhir/r4/"];
const VISIBILITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";
const LABELS: [&str; 6] =
    ["", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS", "MASQUE_PSOCIAL", "MASQUE_PT"];
const PEOPLE: [&str; 4] = ["anne", "bob", "chloe", "dan"];
const NURSES: [&str; 3] = ["n1", "n2", "n3"];

/// A small world: persons, professionals, relatives, circles, notes that answer notes.
fn world(notes: &[(usize, usize, usize, usize)]) -> Vec<Object> {
    let mut all: Vec<Object> = Vec::new();
    for person in PEOPLE {
        all.push(
            object! { "resourceType" => "Patient", "id" => person, "name" => array![object! { "family" => person }] },
        );
        all.push(object! {
            "resourceType" => "RelatedPerson", "id" => format!("r-{person}"),
            "patient" => object! { "reference" => format!("Patient/{person}") }
        });
        all.push(object! {
            "resourceType" => "CareTeam", "id" => format!("c-{person}"), "status" => "active",
            "subject" => object! { "reference" => format!("Patient/{person}") }
        });
    }
    for nurse in NURSES {
        all.push(object! {
            "resourceType" => "Practitioner", "id" => nurse, "name" => array![object! { "family" => nurse }],
            "identifier" => array![object! { "system" => crate::identifiers::RPPS, "value" => format!("1000567890{}", &nurse[1..]) }]
        });
    }
    all.push(object! { "resourceType" => "List", "id" => "loose", "status" => "current", "mode" => "working" });
    for (number, (person, nurse, label, answered)) in notes.iter().enumerate() {
        let author = match nurse % 4 {
            3 => {
                object! { "identifier" => object! { "system" => crate::identifiers::IDNPS, "value" => "810005678901" } }
            }
            nurse => object! { "reference" => format!("Practitioner/{}", NURSES[nurse]) },
        };
        let mut note = object! {
            "resourceType" => "DocumentReference", "id" => format!("d{number}"), "status" => "current",
            "subject" => object! { "reference" => format!("Patient/{}", PEOPLE[person % 4]) },
            "author" => array![author],
            "description" => format!("note {number}")
        };
        let label = LABELS[label % LABELS.len()];
        if !label.is_empty() {
            let coding = object! { "system" => VISIBILITY, "code" => label };
            note.push("securityLabel", array![object! { "coding" => array![coding] }]);
        }
        if number > 0 && answered % 2 == 0 {
            let target = object! { "reference" => format!("DocumentReference/d{}", answered % number) };
            note.push("relatesTo", array![object! { "code" => "appends", "target" => target }]);
        }
        all.push(note);
    }
    all
}

/// What these scopes leave, of which those of one person are of Anne.
fn limits(scopes: &str) -> Limits {
    let restriction = |of: &'static str, text: &str| Some(read(Some(of), text).filter);
    Limits::of(&Scopes::read(scopes).unwrap(), Some(PEOPLE[0]), &restriction)
}

fn sight(capacity: Capacity, people: &[usize], selves: &[&str], office: Office, scopes: &str) -> Sight {
    let mut parties: Vec<Party> = selves.iter().map(|id| Party::resource("Practitioner", id)).collect();
    if selves.contains(&"n1") {
        let identifier = object! { "system" => crate::identifiers::RPPS, "value" => "10005678901" };
        parties.extend(Party::identified(&identifier));
    }
    let inside = InNotebook { capacities: capacity.into(), keeping: Keeping::Member };
    Sight::new(
        Identity {
            name: "test#somebody".to_owned(),
            shown: None,
            parties: parties.clone(),
            structures: Vec::new(),
            nature: capacity.into(),
            acting: Acting::ForOneself,
            office,
        },
        parties,
        people.iter().map(|person| (PEOPLE[person % 4].to_owned(), inside)).collect(),
        limits(scopes),
    )
}

fn with_context<T>(ask: impl FnOnce(&ExtractContext<'_>) -> T) -> T {
    let bases = BASES.map(str::to_owned);
    ask(&ExtractContext { zone: &TimeZone::UTC, bases: &bases })
}

fn candidates(world: &[Object]) -> Vec<Candidate<'_>> {
    let numbered = world.iter().enumerate();
    numbered
        .map(|(order, tree)| Candidate {
            resource_type: tree.resource_type().unwrap(),
            id: tree.str("id").unwrap(),
            tree,
            last_updated: 0,
            order: order as u64,
        })
        .collect()
}

fn seen<'w>(world: &'w [Object], sight: &Sight) -> Vec<&'w Object> {
    let visible = |resource: &&Object| {
        let itself = Party::resource(resource.resource_type().unwrap(), resource.str("id").unwrap());
        with_context(|context| {
            let belonging = Belonging::of(resource, &extract::extract(resource, context), context.bases);
            sight.sees(&belonging, &itself) && sight.limits.reach(Leave::See, resource, &belonging, context)
        })
    };
    world.iter().filter(visible).collect()
}

fn names(found: &[&Object]) -> Vec<String> {
    let mut names: Vec<String> =
        found.iter().map(|r| format!("{}/{}", r.resource_type().unwrap(), r.str("id").unwrap())).collect();
    names.sort();
    names
}

fn ask<'w>(world: &'w [Object], query: &Query) -> Vec<&'w Object> {
    let answer = with_context(|context| evaluate(query, &candidates(world), context));
    answer.matches.into_iter().map(|position| &world[position]).collect()
}

fn read(resource_type: Option<&'static str>, text: &str) -> Query {
    let pairs: Vec<(String, String)> =
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let types: Vec<&str> = resource_type.into_iter().collect();
    let bases = BASES.map(str::to_owned);
    let context = SearchContext { zone: &TimeZone::UTC, now: 0, bases: &bases, limits: SearchLimits::default() };
    let request = SearchRequest {
        release: liaison_fhir::release::view(),
        types: &types,
        pairs: &pairs,
        handling: Handling::Strict,
        context: &context,
    };
    parse(&request).unwrap().query
}

/// Questions by which something hidden could be found out: by its own criteria, through chains in both
/// directions and their opposites.
const QUESTIONS: [(Option<&str>, &str); 14] = [
    (Some("DocumentReference"), ""),
    (Some("DocumentReference"), "author:Practitioner.family=n1"),
    (Some("DocumentReference"), "subject:Patient.family=anne"),
    (Some("DocumentReference"), "relatesto:missing=false"),
    (Some("DocumentReference"), "relatesto:DocumentReference.author=Practitioner/n2"),
    (Some("DocumentReference"), "security-label=MASQUE_PS"),
    (Some("DocumentReference"), "subject=Patient/bob"),
    (Some("Patient"), "family=bob"),
    (Some("Patient"), "_has:DocumentReference:subject:author=Practitioner/n1"),
    (Some("Patient"), "_has:CareTeam:subject:status=active"),
    (Some("Practitioner"), "_has:DocumentReference:author:subject=Patient/anne"),
    (Some("RelatedPerson"), "patient:Patient.family=chloe"),
    (Some("CareTeam"), "status=active"),
    (None, "_type=Patient,Practitioner,DocumentReference,List,CareTeam"),
];

const SCOPES: [&str; 9] = [
    "user/*.rs",
    "patient/*.rs",
    "user/DocumentReference.rs",
    "patient/DocumentReference.r",
    "user/DocumentReference.rs?security-label=MASQUE_PS",
    "user/Patient.s",
    "user/Practitioner.rs",
    "patient/CareTeam.rs",
    "system/List.cud",
];

fn capacities() -> impl Strategy<Value = Capacity> {
    prop::sample::select(Capacity::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_query_within_a_sight_answers_as_if_what_is_not_seen_were_not_there(
        notes in prop::collection::vec((0..4_usize, 0..4_usize, 0..6_usize, 0..8_usize), 0..12),
        capacity in capacities(),
        people in prop::collection::vec(0..4_usize, 0..3),
        own in prop::sample::subsequence(NURSES.to_vec(), 0..2),
        operator in any::<bool>(),
        scopes in prop::sample::subsequence(SCOPES.to_vec(), 0..4),
    ) {
        let office = if operator { Office::Operator } else { Office::None };
        let sight = sight(capacity, &people, &own, office, &scopes.join(" "));
        let world = world(&notes);
        let there: Vec<Object> = seen(&world, &sight).into_iter().cloned().collect();
        for (resource_type, text) in QUESTIONS {
            let query = read(resource_type, text);
            let answered = names(&ask(&world, &sight.within(query.clone())));
            prop_assert_eq!(answered, names(&ask(&there, &query)), "{:?} {}", resource_type, text);
        }
    }
}

#[test]
fn a_nurse_sees_the_notebook_of_the_circle_and_what_she_wrote_elsewhere() {
    let world = world(&[(0, 1, 0, 1), (0, 1, 3, 1), (1, 0, 0, 1), (1, 1, 0, 1), (2, 3, 0, 1)]);
    let nurse = sight(Capacity::HealthProfessional, &[0], &["n1"], Office::None, "");
    let found = names(&ask(&world, &nurse.within(read(Some("DocumentReference"), ""))));
    // d0 in the circle; d1 there is masked; d2 is hers by reference, d4 by identifier, both in notebooks she is not in.
    assert_eq!(found, ["DocumentReference/d0", "DocumentReference/d2", "DocumentReference/d4"]);
}

#[test]
fn labels_of_meta_hide_as_those_of_the_note_do() {
    let mut world = world(&[(0, 1, 0, 1)]);
    let security = array![object! { "system" => VISIBILITY, "code" => "MASQUE_PS" }];
    let note: &mut Object = world.last_mut().unwrap();
    note.push("meta", Value::from(object! { "security" => security }));
    let nurse = sight(Capacity::HealthProfessional, &[0], &[], Office::None, "");
    assert_eq!(names(&ask(&world, &nurse.within(read(Some("DocumentReference"), "")))), Vec::<String>::new());
    assert_eq!(names(&seen(&world, &nurse)).iter().filter(|name| name.starts_with("Doc")).count(), 0);
}
