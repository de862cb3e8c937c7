//! Resources beside the rows that find them.

use proptest::prelude::*;

use crate::{
    array,
    json::{self, Limits},
    object,
    primitive::format_instant,
    release::{r4, stu3},
    search::grown::{self, Choices},
};

use super::*;

const BASES: [&str; 2] = ["https://liaison.example/fhir/r4", "https://liaison.example/fhir/stu3/"];

fn with_context<T>(run: impl FnOnce(&ExtractContext<'_>) -> T) -> T {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let bases = BASES.map(str::to_owned);
    run(&ExtractContext { zone: &zone, bases: &bases })
}

/// The rows of a resource, told in lines: `type https://…|OBS`.
fn rows(resource: &Object) -> Vec<String> {
    with_context(|context| extract(resource, context)).iter().map(told).collect()
}

/// The rows of some parameters.
fn rows_of(resource: &Object, codes: &[&str]) -> Vec<String> {
    let rows = with_context(|context| extract(resource, context));
    rows.iter().filter(|row| codes.contains(&row.param.code)).map(told).collect()
}

fn told(row: &IndexRow) -> String {
    let moment = |at: i64| match at {
        i64::MIN | i64::MAX => "…".to_owned(),
        at => format_instant(at).replace(".000000Z", "Z"),
    };
    let value = match &row.value {
        IndexValue::String { exact, folded } => format!("{exact} ({folded})"),
        IndexValue::Token { system: Some(system), code } => format!("{system}|{code}"),
        IndexValue::Token { system: None, code } => format!("|{code}"),
        IndexValue::Reference(Target::Local { resource_type, id }) => format!("{resource_type}/{id}"),
        IndexValue::Reference(Target::Elsewhere(url)) => format!("<{url}>"),
        IndexValue::Date { low, high } => format!("{}..{}", moment(*low), moment(*high)),
        IndexValue::Number { low, high } => format!("{low}..{high}"),
        IndexValue::Quantity { low, high, system, code } => {
            format!("{low}..{high} {} {}", system.as_deref().unwrap_or("-"), code.as_deref().unwrap_or("-"))
        }
        IndexValue::Uri(uri) => format!("<{uri}>"),
        IndexValue::Position { latitude, longitude } => format!("{latitude},{longitude}"),
    };
    format!("{} {value}", row.param.code)
}

/// The rows of some parameters are these, in whatever order.
fn check(resource: &Object, codes: &[&str], expected: &[&str]) {
    let (mut found, mut expected) = (rows_of(resource, codes), expected.to_vec());
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

fn read(text: &str) -> Object {
    json::read(text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn a_note_is_found_by_all_that_the_volet_asks() {
    let note = read(
        r#"{"resourceType":"DocumentReference","id":"1",
        "meta":{"profile":["https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference"]},
        "extension":[{"url":"https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency","valueBoolean":true}],
        "masterIdentifier":{"system":"http://EtablissementSource.fr ","value":"58619"},
        "identifier":[{"value":"autre"}],
        "status":"current",
        "type":{"coding":[{"system":"urn:oid1.2.250.1.213.1.1.4.12","code":"OBS","display":"Observation"}]},
        "subject":{"reference":"Patient/p","identifier":{"system":"urn:oid:1.2.250.1.213.1.4.8","value":"123456789012244"}},
        "date":"2019-03-04T08:30:00+11:00",
        "author":[{"reference":"https://liaison.example/fhir/stu3/Practitioner/d"},{"reference":"PractitionerRole/r"},{"reference":"Practitioner/d"}],
        "relatesTo":[{"code":"appends","target":{"reference":"DocumentReference/m/_history/3"}}],
        "description":"Sortie  du matin",
        "securityLabel":[{"coding":[{"system":"urn:oid:1.2.250.1.213.1.1.4.13","code":"MASQUE_PS"}]}],
        "content":[{"attachment":{"contentType":"text/plain","language":"fr","url":"Binary/b"}}]}"#,
    );
    let mut expected = vec![
        "_profile <https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference>",
        "urgent |true",
        "identifier http://EtablissementSource.fr|58619",
        "identifier |autre",
        "status |current",
        "type https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote|OBS",
        "subject Patient/p",
        "subject:identifier urn:oid:1.2.250.1.213.1.4.8|123456789012244",
        "date 2019-03-03T21:30:00Z..2019-03-03T21:30:01Z",
        "indexed 2019-03-03T21:30:00Z..2019-03-03T21:30:01Z",
        "author Practitioner/d",
        "author PractitionerRole/r",
        "relation |appends",
        "relatesto DocumentReference/m",
        "description Sortie  du matin (sortie du matin)",
        "security-label https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument|MASQUE_PS",
        "contenttype |text/plain",
        "language |fr",
        "location <Binary/b>",
    ];
    let mut found = rows(&note);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn tags_and_labels_of_security_are_codes() {
    let note = read(
        r#"{"resourceType":"Basic","id":"1","meta":{
        "tag":[{"system":"urn:t","code":"a"}],"security":[{"system":"urn:s","code":"b"}]}}"#,
    );
    let mut found = rows(&note);
    found.sort_unstable();
    assert_eq!(found, ["_security urn:s|b", "_tag urn:t|a"]);
}

#[test]
fn the_entries_of_a_bundle_refer_to_their_own_world() {
    let bundle = read(
        r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"DocumentReference","subject":{"reference":"Patient/p"}}}]}"#,
    );
    assert_eq!(with_context(|context| references(&bundle, r4(), context)), []);
}

#[test]
fn only_a_type_and_an_id_lead_to_this_server() {
    let bases = ["https://liaison.example/fhir/r4".to_owned()];
    let local = Target::Local { resource_type: "Patient".into(), id: "1".into() };
    for here in ["Patient/1", "Patient/1/_history/2", "https://liaison.example/fhir/r4/Patient/1", " Patient/1 "] {
        assert_eq!(target(here, &bases), Some(local.clone()), "{here}");
    }
    for elsewhere in [
        "patient/1",
        "P4tient/1",
        "Patient",
        "Patient/1/2",
        "Patient/a_b",
        "Patient/1/_history/a_b",
        "urn:uuid:1",
        "https://liaison.example/fhir/r4x/Patient/1",
    ] {
        assert_eq!(target(elsewhere, &bases), Some(Target::Elsewhere(elsewhere.into())), "{elsewhere}");
    }
    assert_eq!((target("#p", &bases), target("", &bases)), (None, None));
}

#[test]
fn who_is_contained_is_of_the_type_that_the_resource_holds() {
    let seen = |contained: &str| {
        let event = format!(
            r##"{{"resourceType":"AuditEvent","contained":[{{"resourceType":"{contained}","id":"c"}}],
            "agent":[{{"who":{{"reference":"#c","identifier":{{"system":"urn:s","value":"1"}}}}}}]}}"##,
        );
        rows(&read(&event))
    };
    assert!(seen("Patient").contains(&"patient:identifier urn:s|1".to_owned()), "{:?}", seen("Patient"));
    assert!(!seen("Practitioner").contains(&"patient:identifier urn:s|1".to_owned()));
}

#[test]
fn a_person_is_found_by_every_name_and_part_of_address() {
    let patient = object! {
        "resourceType" => "Patient",
        "identifier" => array![object! {
            "type" => object! { "coding" => array![object! { "system" => "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code" => "INS-NIR" }] },
            "system" => "1.2.250.1.213.1.4.8",
            "value" => "123456789012244",
        }],
        "name" => array![
            object! { "use" => "official", "family" => "ROUBINOWITZ", "given" => array!["Michel", "Éloi"] },
            object! { "use" => "usual", "family" => "Roubi", "prefix" => array!["M."] },
            object! { "family" => "ROUBINOWITZ" },
        ],
        "telecom" => array![
            object! { "system" => "phone", "value" => "+33635256986" },
            object! { "system" => "email", "value" => "m@example.org" },
        ],
        "gender" => "male",
        "birthDate" => "1975-03-11",
        "deceasedDateTime" => "2024-01-02",
        "address" => array![object! { "line" => array!["10 Rue de l’Église"], "city" => "Saint-Brieuc", "postalCode" => "22000" }],
        "extension" => array![object! {
            "url" => "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
            "valueAddress" => object! { "city" => "Vannes" },
        }],
    };
    check(
        &patient,
        &["family", "given", "name"],
        &[
            "family ROUBINOWITZ (roubinowitz)",
            "family Roubi (roubi)",
            "given Michel (michel)",
            "given Éloi (eloi)",
            "name ROUBINOWITZ (roubinowitz)",
            "name Michel (michel)",
            "name Éloi (eloi)",
            "name Roubi (roubi)",
            "name M. (m.)",
        ],
    );
    check(
        &patient,
        &["address", "address-city", "birthplace"],
        &[
            "address 10 Rue de l’Église (10 rue de l'eglise)",
            "address Saint-Brieuc (saint-brieuc)",
            "address 22000 (22000)",
            "address-city Saint-Brieuc (saint-brieuc)",
            "birthplace Vannes (vannes)",
        ],
    );
    check(
        &patient,
        &["identifier", "identifier:of-type", "phone", "email", "telecom", "gender", "deceased"],
        &[
            "identifier urn:oid:1.2.250.1.213.1.4.8|123456789012244",
            "identifier:of-type https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203|INS-NIR|123456789012244",
            "telecom |+33635256986",
            "telecom |m@example.org",
            "phone |+33635256986",
            "email |m@example.org",
            "gender |male",
            "deceased |true",
        ],
    );
    check(
        &patient,
        &["birthdate", "death-date"],
        &[
            "birthdate 1975-03-10T23:00:00Z..1975-03-11T23:00:00Z",
            "death-date 2024-01-01T23:00:00Z..2024-01-02T23:00:00Z",
        ],
    );
}

#[test]
fn periods_are_open_where_they_say_nothing() {
    let team = |period: Object| object! { "resourceType" => "CareTeam", "period" => period };
    let both = team(object! { "start" => "2024-03-31", "end" => "2024-04" });
    check(&both, &["date"], &["date 2024-03-30T23:00:00Z..2024-04-30T22:00:00Z"]);
    check(
        &both,
        &["start", "end"],
        &["start 2024-03-30T23:00:00Z..2024-03-31T22:00:00Z", "end 2024-03-31T22:00:00Z..2024-04-30T22:00:00Z"],
    );
    check(&team(object! { "start" => "2024" }), &["date"], &["date 2023-12-31T23:00:00Z..…"]);
    check(&team(object! { "end" => "2024" }), &["date"], &["date …..2024-12-31T23:00:00Z"]);
    // Neither what has no moment nor what cannot be read is found by a date.
    check(&team(Object::new()), &["date"], &[]);
    check(&team(object! { "start" => "2025", "end" => "2024" }), &["date"], &[]);
    check(&team(object! { "start" => "hier", "end" => "2024" }), &["date"], &[]);
}

#[test]
fn references_are_local_under_our_bases_only() {
    let with = |reference: &str| {
        let subject = object! { "reference" => reference };
        object! { "resourceType" => "DocumentReference", "subject" => subject }
    };
    for local in [
        "Patient/1",
        " Patient/1",
        "Patient/1/_history/2",
        "https://liaison.example/fhir/r4/Patient/1",
        "https://liaison.example/fhir/stu3/Patient/1/_history/7",
    ] {
        check(&with(local), &["subject"], &["subject Patient/1"]);
    }
    for elsewhere in [
        "https://liaison.example/fhir/r4x/Patient/1",
        "https://other.example/fhir/Patient/1",
        "urn:uuid:0d920958-b596-4b91-af67-9bafc707820b",
        "Patient?identifier=1",
        "Patient/1/2",
        "Patient/",
        "https://liaison.example/fhir/r4",
    ] {
        check(&with(elsewhere), &["subject"], &[&format!("subject <{elsewhere}>")]);
    }
    check(&with("#p"), &["subject"], &[]);
}

#[test]
fn a_reference_limited_to_a_type_is_indexed_once() {
    let note = object! {
        "resourceType" => "DocumentReference",
        "subject" => object! { "reference" => "Patient/1" },
    };
    check(&note, &["subject", "patient"], &["subject Patient/1"]);
    // Two references together have no parameter of their own that could be limited.
    let event = object! {
        "resourceType" => "AuditEvent",
        "agent" => array![
            object! { "who" => object! { "reference" => "Patient/1" } },
            object! { "who" => object! { "reference" => "Practitioner/1" } },
        ],
        "entity" => array![object! { "what" => object! { "type" => "Patient", "identifier" => object! { "value" => "7" } } }],
    };
    check(&event, &["patient", "patient:identifier"], &["patient Patient/1", "patient:identifier |7"]);
}

#[test]
fn canonicals_are_found_with_and_without_their_version() {
    let definition = object! {
        "resourceType" => "StructureDefinition",
        "baseDefinition" => "http://hl7.org/fhir/StructureDefinition/Patient|4.0.1",
        "meta" => object! { "profile" => array!["http://example.org/profile|1"] },
    };
    check(
        &definition,
        &["base", "_profile"],
        &[
            "base <http://hl7.org/fhir/StructureDefinition/Patient>",
            "base <http://hl7.org/fhir/StructureDefinition/Patient|4.0.1>",
            "_profile <http://example.org/profile>",
            "_profile <http://example.org/profile|1>",
        ],
    );
}

#[test]
fn quantities_and_places_are_found() {
    let encounter = read(
        r#"{"resourceType":"Encounter","length":{"value":1.50,"unit":"heure","system":"http://unitsofmeasure.org","code":"h"}}"#,
    );
    check(&encounter, &["length"], &["length 1.495..1.505 http://unitsofmeasure.org h"]);
    let context = |low, high| {
        read(&format!(
            r#"{{"resourceType":"ValueSet","useContext":[{{"valueRange":{{"low":{{"value":{low}}},"high":{{"value":{high}}}}}}}]}}"#
        ))
    };
    check(&context("1", "10"), &["context-quantity"], &["context-quantity 0.5..10.5 - -"]);
    check(&context("10", "1"), &["context-quantity"], &[]);
    let location = read(r#"{"resourceType":"Location","position":{"longitude":2.35,"latitude":48.85}}"#);
    check(&location, &["near"], &["near 48.85,2.35"]);
    check(&read(r#"{"resourceType":"Location","position":{"longitude":2.35}}"#), &["near"], &[]);
}

#[test]
fn what_is_not_a_known_resource_has_no_rows() {
    assert!(rows(&Object::new()).is_empty());
    assert!(rows(&object! { "resourceType" => "Unicorn", "name" => "x" }).is_empty());
    let nothing_usable = object! { "resourceType" => "Practitioner", "name" => 7_u64, "gender" => Value::Null };
    assert!(rows(&nothing_usable).is_empty());
    // FHIR computes this one: who is not said to be dead is not.
    assert_eq!(rows(&object! { "resourceType" => "Patient" }), ["deceased |false"]);
}

#[test]
fn equal_rows_are_given_once_however_many() {
    let same = object! { "family" => "Dupont", "given" => array!["Marie"] };
    let names: Vec<Value> = (0..20_000).map(|_| same.clone().into()).collect();
    let practitioner = object! { "resourceType" => "Practitioner", "name" => names };
    assert_eq!(rows(&practitioner).len(), 4);
}

#[test]
fn every_literal_reference_is_told_with_its_place() {
    let note = read(
        r##"{"resourceType":"DocumentReference",
        "contained":[{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/d"}}],
        "extension":[{"url":"http://example.org/e","valueReference":{"reference":"Organization/o"}}],
        "_status":{"extension":[{"url":"http://example.org/e","valueReference":{"reference":"Patient/q"}}]},
        "subject":{"reference":"Patient/p"},
        "author":[{"reference":"#r"},{"identifier":{"value":"1","assigner":{"reference":"Organization/a"}}}],
        "context":{"related":[{"reference":"https://other.example/fhir/Basic/1"}]},
        "unknown":{"reference":"Patient/x"}}"##,
    );
    let found = with_context(|context| references(&note, r4(), context));
    let found: Vec<_> = found
        .iter()
        .map(|(target, place)| match target {
            Target::Local { resource_type, id } => format!("{resource_type}/{id} at {place}"),
            Target::Elsewhere(url) => format!("{url} at {place}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            "Practitioner/d at DocumentReference.contained[0].practitioner",
            "Organization/o at DocumentReference.extension[0].valueReference",
            "Patient/q at DocumentReference.status.extension[0].valueReference",
            "Patient/p at DocumentReference.subject",
            "Organization/a at DocumentReference.author[1].identifier.assigner",
            "https://other.example/fhir/Basic/1 at DocumentReference.context.related[0]",
        ]
    );
    // In STU3 the related reference stands one level deeper.
    let note = read(r#"{"resourceType":"DocumentReference","context":{"related":[{"ref":{"reference":"Basic/1"}}]}}"#);
    let found = with_context(|context| references(&note, stu3(), context));
    assert_eq!(found[0].1, "DocumentReference.context.related[0].ref");
}

proptest! {
    #[test]
    fn no_tree_makes_extraction_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), of in prop::sample::select(r4().resources())) {
        let mut choices = Choices::new(&bytes);
        let resource = grown::resource(of, "1", &mut choices);
        let rows = with_context(|context| {
            let _ = (references(&resource, r4(), context), references(&resource, stu3(), context));
            extract(&resource, context)
        });
        for row in &rows {
            // Rows are of this type, of parameters that exist, and say something.
            prop_assert_eq!(row.param.base, of);
            let parameter = crate::search::parameters::parameter_of(row.param).unwrap();
            let empty = match &row.value {
                IndexValue::String { folded, .. } => folded.is_empty(),
                IndexValue::Token { code, .. } => code.is_empty(),
                IndexValue::Uri(uri) => uri.is_empty(),
                IndexValue::Date { low, high } => low >= high,
                IndexValue::Number { low, high } | IndexValue::Quantity { low, high, .. } => low > high,
                IndexValue::Reference(_) | IndexValue::Position { .. } => false,
            };
            prop_assert!(!empty, "{:?} of {}", row, parameter.expression);
        }
        for (at, row) in rows.iter().enumerate() {
            prop_assert!(!rows[..at].contains(row), "{:?} twice", row);
        }
    }
}
