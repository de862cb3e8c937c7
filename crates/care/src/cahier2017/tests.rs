//! The printed form of 2017, quirk by quirk (numbers: section 7 of the project's notes on that form).

use liaison_fhir::{
    array,
    json::{self, Limits},
    object,
    outcome::{Issue, Severity},
    release,
    tree::{Object, Value},
    validate::validate,
};

use super::{read_bundle, read_query, read_resource};

const AS_PRINTED: &str = include_str!("../../data/examples/2017-create-as-printed.json");
const CONFORMANT: &str = include_str!("../../data/examples/2017-create-conformant.json");
const UPDATE: &str = include_str!("../../data/examples/2017-update.json");

fn tree(text: &str) -> Object {
    json::read(text.as_bytes(), &Limits::default()).unwrap()
}

/// The same whatever the order of members.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut object: Object = object.iter().map(|(n, v)| (n.into(), sorted(v))).collect();
            object.sort_by_key(str::to_owned);
            object.into()
        }
        Value::Array(items) => items.iter().map(sorted).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

fn assert_same(read: Object, expected: Object) {
    let show = |object: Object| {
        let Value::Object(object) = sorted(&object.into()) else { unreachable!() };
        String::from_utf8(json::write_pretty(&object)).unwrap()
    };
    let (read, expected) = (show(read), show(expected));
    assert!(read == expected, "read:\n{read}\nexpected:\n{expected}");
}

/// Reads a resource, which must give that other one and exactly these places.
fn check(sent: &str, expected: &str, places: &[&str]) {
    let (read, issues) = read_resource(tree(sent));
    assert_same(read, tree(expected));
    assert_eq!(issues.iter().map(|i| i.place.as_str()).collect::<Vec<_>>(), places);
    assert!(issues.iter().all(|i| i.severity == Severity::Information && !i.text.fr.is_empty()));
}

fn places(issues: &[Issue]) -> Vec<&str> {
    issues.iter().map(|i| i.place.as_str()).collect()
}

fn resource(bundle: &Object, at: usize) -> &Object {
    bundle.objects("entry").nth(at).unwrap().object("resource").unwrap()
}

fn resource_mut(bundle: &mut Object, at: usize) -> &mut Object {
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut).unwrap();
    entries[at].as_object_mut().unwrap().get_mut("resource").and_then(Value::as_object_mut).unwrap()
}

#[test]
fn conformant_stu3_passes_without_a_word() {
    for (read, issues) in [read_bundle(tree(CONFORMANT)), read_resource(tree(CONFORMANT))] {
        assert_eq!(read, tree(CONFORMANT));
        assert_eq!(issues, []);
    }
    assert_eq!(read_resource(tree(UPDATE)), (tree(UPDATE), Vec::new()));
}

#[test]
fn the_printed_example_gives_the_conformant_one() {
    let (read, issues) = read_bundle(tree(AS_PRINTED));
    let mut expected = tree(CONFORMANT);
    // What was received under a mistaken system stays beside what was meant.
    let note = resource_mut(&mut expected, 0);
    note.set(
        "type",
        object! { "coding" => array![
            object! { "system" => "urn:oid:1.2.250.1.213.1.1.4.334", "code" => "OBS", "display" => "Note d'observation" },
            object! {
                "system" => "urn:oid:1.2.250.1.213.1.1.4.12", "code" => "OBS", "display" => "Observation",
                "userSelected" => true,
            },
        ] },
    );
    // An OID of the right system is no mistake.
    note.set(
        "securityLabel",
        array![object! { "coding" => array![
            object! { "system" => "urn:oid:2.16.840.1.113883.5.25", "code" => "N", "display" => "Normal" },
        ] }],
    );
    // The profession is named after the id it had inside the practitioner, which is no id of FHIR.
    let entries = expected.get_mut("entry").and_then(Value::as_array_mut).unwrap();
    entries[3].as_object_mut().unwrap().set("fullUrl", "http://EtablissementSource.fr/PractitionerRole/prac_role1");
    let role = resource_mut(&mut expected, 3);
    role.remove("id");
    role.set(
        "code",
        array![object! { "coding" => array![
            object! { "system" => "urn:oid:1.2.250.1.71.1.2.7", "code" => "60", "display" => "Infirmier" },
            object! {
                "system" => "urn:oid:1.2.250.1.71.4.2.7", "code" => "60", "display" => "Infirmier",
                "userSelected" => true,
            },
        ] }],
    );
    assert_same(read, expected);
    assert_eq!(
        places(&issues),
        [
            "Bundle.entry[0].fullUrl",
            "Bundle.entry[0].resource.masterIdentifier",
            "Bundle.entry[0].resource.masterIdentifier.system",
            "Bundle.entry[0].resource.type.coding[0].system",
            "Bundle.entry[0].resource.type.coding",
            "Bundle.entry[0].resource.author",
            "Bundle.entry[0].resource.securityLabel",
            "Bundle.entry[0].resource.extension[0].url",
            "Bundle.entry[0].resource.extension[0].valueBoolean",
            "Bundle.entry[1].resource.identifier",
            "Bundle.entry[1].resource.name[0].given",
            "Bundle.entry[1].resource.telecom[0].rank",
            "Bundle.entry[2].resource.contained[0].resourceType",
            "Bundle.entry[2].resource.contained[0].code[0].coding",
            "Bundle.entry[2].resource.identifier",
            "Bundle.entry[2].resource.name[0].given",
            "Bundle.entry[2].resource.telecom[0].rank",
            "Bundle.entry[2].resource.contained",
        ]
    );
}

#[test]
fn what_was_read_is_conformant_and_needs_no_second_reading() {
    let (read, _) = read_bundle(tree(AS_PRINTED));
    assert_eq!(validate(&read, release::stu3()), []);
    assert_eq!(validate(&liaison_fhir::convert::to_r4(&read), release::r4()), []);
    assert_eq!(read_bundle(read.clone()), (read, Vec::new()));
}

#[test]
fn quirk_2_a_line_break_in_an_address() {
    check(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://a.fr/Patient/1\n "}]}"#,
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://a.fr/Patient/1"}]}"#,
        &["Bundle.entry[0].fullUrl"],
    );
}

#[test]
fn quirk_3_a_list_of_one_for_a_single_value() {
    check(
        r#"{"resourceType":"DocumentReference","masterIdentifier":[{"value":"58619"}]}"#,
        r#"{"resourceType":"DocumentReference","masterIdentifier":{"value":"58619"}}"#,
        &["DocumentReference.masterIdentifier"],
    );
}

#[test]
fn quirk_3_two_values_for_one_are_left_to_be_refused() {
    let two = r#"{"resourceType":"DocumentReference","masterIdentifier":[{"value":"1"},{"value":"2"}]}"#;
    check(two, two, &[]);
}

#[test]
fn blanks_around_a_code_are_left_out_but_a_no_break_space_is_no_blank() {
    let coded = |code: &str| {
        format!(
            r#"{{"resourceType":"Basic","code":{{"coding":[{{"system":"http://hl7.org/fhir/v2/0550","code":"{code}"}}]}}}}"#
        )
    };
    check(&coded(" N\\n"), &coded("N"), &["Basic.code.coding[0].code"]);
    check(&coded("\u{a0}"), &coded("\u{a0}"), &[]);
    check(&coded("N\u{a0}1 "), &coded("N\u{a0}1"), &["Basic.code.coding[0].code"]);
}

#[test]
fn quirk_4_a_blank_after_a_system() {
    check(
        r#"{"resourceType":"DocumentReference","masterIdentifier":{"system":"http://a.fr ","value":"58619"}}"#,
        r#"{"resourceType":"DocumentReference","masterIdentifier":{"system":"http://a.fr","value":"58619"}}"#,
        &["DocumentReference.masterIdentifier.system"],
    );
}

#[test]
fn quirk_5_the_colon_of_an_oid() {
    check(
        r#"{"resourceType":"Patient","identifier":[{"system":"urn:oid1.2.250.1.213.1.4.1"}]}"#,
        r#"{"resourceType":"Patient","identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.1"}]}"#,
        &["Patient.identifier[0].system"],
    );
}

#[test]
fn quirk_6_a_note_type_under_the_document_types() {
    check(
        r#"{"resourceType":"DocumentReference","type":{"coding":[{"system":"urn:oid:1.2.250.1.213.1.1.4.12","code":"GEN"}]}}"#,
        r#"{"resourceType":"DocumentReference","type":{"coding":[
            {"system":"urn:oid:1.2.250.1.213.1.1.4.334","code":"GEN","display":"Note générale"},
            {"system":"urn:oid:1.2.250.1.213.1.1.4.12","code":"GEN","userSelected":true}]}}"#,
        &["DocumentReference.type.coding"],
    );
    let other = r#"{"resourceType":"DocumentReference","type":{"coding":[{"system":"urn:oid:1.2.250.1.213.1.1.4.12","code":"15"}]}}"#;
    check(other, other, &[]);
}

#[test]
fn quirk_7_a_bare_day_is_fine_as_it_is() {
    let note = r#"{"resourceType":"DocumentReference","created":"2017-06-14"}"#;
    check(note, note, &[]);
}

#[test]
fn quirks_9_10_15_16_and_21_one_value_for_a_list() {
    check(
        r#"{"resourceType":"DocumentReference","author":{"reference":"Practitioner/1"},"securityLabel":{"text":"N"}}"#,
        r#"{"resourceType":"DocumentReference","author":[{"reference":"Practitioner/1"}],"securityLabel":[{"text":"N"}]}"#,
        &["DocumentReference.author", "DocumentReference.securityLabel"],
    );
    check(
        r#"{"resourceType":"Patient","identifier":{"value":"1"},"name":{"given":"Marie"},"telecom":{"value":"01"},"address":{"line":"9, rue"}}"#,
        r#"{"resourceType":"Patient","identifier":[{"value":"1"}],"name":[{"given":["Marie"]}],"telecom":[{"value":"01"}],"address":[{"line":["9, rue"]}]}"#,
        &[
            "Patient.identifier",
            "Patient.name",
            "Patient.name[0].given",
            "Patient.telecom",
            "Patient.address",
            "Patient.address[0].line",
        ],
    );
}

#[test]
fn quirk_11_an_address_broken_over_two_lines() {
    check(
        r#"{"resourceType":"DocumentReference","extension":[{"url":"http://esante.gouv.fr/ci-\nsis/fhir/StructureDefinition/isUrgent","valueBoolean":true}]}"#,
        r#"{"resourceType":"DocumentReference","extension":[{"url":"http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent","valueBoolean":true}]}"#,
        &["DocumentReference.extension[0].url"],
    );
}

#[test]
fn quirk_12_truth_in_quotation_marks() {
    check(
        r#"{"resourceType":"Patient","active":"true","deceasedBoolean":"false"}"#,
        r#"{"resourceType":"Patient","active":true,"deceasedBoolean":false}"#,
        &["Patient.active", "Patient.deceasedBoolean"],
    );
    let other = r#"{"resourceType":"Patient","active":"oui"}"#;
    check(other, other, &[]);
}

#[test]
fn quirk_13_resource_type_with_a_capital() {
    check(
        r#"{"ResourceType":"Patient","active":true}"#,
        r#"{"resourceType":"Patient","active":true}"#,
        &["Patient.resourceType"],
    );
}

#[test]
fn quirk_14_the_profession_inside_the_practitioner() {
    let (read, issues) = read_bundle(tree(
        r##"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":{
            "resourceType":"Practitioner","id":"p","contained":[
                {"resourceType":"PractitionerRole","id":"r","code":[{"text":"Infirmier"}]},
                {"resourceType":"Organization","id":"o"}],
            "extension":[{"url":"http://a.fr/x","valueReference":{"reference":"#o"}}]}}]}"##,
    ));
    assert_eq!(places(&issues), ["Bundle.entry[0].resource.contained"]);
    assert_eq!(resource(&read, 0).items("contained").len(), 1, "what is referred to stays inside");
    let role = resource(&read, 1);
    assert_eq!(role.object("practitioner").unwrap().str("reference"), Some("urn:uuid:1"));
    assert_eq!(role.get("code"), Some(&array![object! { "text" => "Infirmier" }]));
}

#[test]
fn quirk_14_a_profession_that_the_practitioner_refers_to_stays_inside() {
    let bundle = tree(
        r##"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":{
            "resourceType":"Practitioner","id":"p","contained":[{"resourceType":"PractitionerRole","id":"r"}],
            "extension":[{"url":"http://a.fr/x","valueReference":{"reference":"#r"}}]}}]}"##,
    );
    let (read, issues) = read_bundle(bundle.clone());
    assert_same(read, bundle);
    assert_eq!(issues, []);
}

#[test]
fn quirk_14_only_a_profession_without_practitioner_is_lifted() {
    let bundle = tree(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":{
            "resourceType":"Practitioner","id":"p","contained":[
                {"resourceType":"Organization","id":"o"},
                {"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/2"}}]}}]}"#,
    );
    let (read, issues) = read_bundle(bundle.clone());
    assert_same(read, bundle);
    assert_eq!(issues, []);
}

#[test]
fn only_collections_create_notes() {
    for (resource_type, kind) in [("Bundle", "transaction"), ("Bundle", "searchset"), ("Parameters", "collection")] {
        let sent = format!(
            r#"{{"resourceType":"{resource_type}","type":"{kind}","entry":[{{"fullUrl":"http://a.fr/DocumentReference/1",
                "resource":{{"resourceType":"DocumentReference","id":"1"}}}}]}}"#
        );
        let (read, issues) = read_bundle(tree(&sent));
        assert_same(read, tree(&sent));
        assert_eq!(issues, [], "{resource_type} {kind}: neither identified nor made current");
    }
}

#[test]
fn quirk_17_a_number_in_quotation_marks() {
    check(
        r#"{"resourceType":"Patient","telecom":[{"rank":"1"},{"rank":" 2 "},{"rank":"0"}],"multipleBirthInteger":"2"}"#,
        r#"{"resourceType":"Patient","telecom":[{"rank":1},{"rank":2},{"rank":"0"}],"multipleBirthInteger":2}"#,
        &["Patient.telecom[0].rank", "Patient.telecom[1].rank", "Patient.multipleBirthInteger"],
    );
}

#[test]
fn quirk_19_the_id_of_the_sender_stands_in_for_the_identifier() {
    let mut bundle = tree(CONFORMANT);
    resource_mut(&mut bundle, 0).remove("masterIdentifier");
    let (read, issues) = read_bundle(bundle);
    assert_same(read, tree(CONFORMANT));
    assert_eq!(places(&issues), ["Bundle.entry[0].resource.masterIdentifier"]);

    let (read, _) = read_bundle(tree(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":{
            "resourceType":"DocumentReference","id":"58619","status":"current"}}]}"#,
    ));
    let expected = object! { "value" => "58619" };
    assert_eq!(resource(&read, 0).object("masterIdentifier"), Some(&expected), "no system is made up");
}

#[test]
fn a_note_with_the_elements_listed_in_2017_alone_is_current() {
    let mut bundle = tree(CONFORMANT);
    resource_mut(&mut bundle, 0).remove("status");
    let (read, issues) = read_bundle(bundle);
    assert_same(read, tree(CONFORMANT));
    assert_eq!(places(&issues), ["Bundle.entry[0].resource.status"]);
}

#[test]
fn the_update_calls_urgency_priority() {
    for url in ["http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/priority", "priority"] {
        let sent = format!(
            r#"{{"resourceType":"DocumentReference","extension":[{{"url":"http://a.fr/x","valueInteger":1}},{{"url":"{url}","valueBoolean":"true"}}]}}"#
        );
        check(
            &sent,
            r#"{"resourceType":"DocumentReference","extension":[{"url":"http://a.fr/x","valueInteger":1},
                {"url":"http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent","valueBoolean":true}]}"#,
            &["DocumentReference.extension[1].valueBoolean", "DocumentReference.extension[1].url"],
        );
    }
    let other =
        r#"{"resourceType":"DocumentReference","extension":[{"url":"http://a.fr/priority","valueCode":"high"}]}"#;
    check(other, other, &[]);
}

#[test]
fn the_printed_head_of_the_update_begins_with_a_blank() {
    check(
        r#"{"resourceType":" DocumentReference","masterIdentifier":{"system":"http://a.fr","value":"58619"}}"#,
        r#"{"resourceType":"DocumentReference","masterIdentifier":{"system":"http://a.fr","value":"58619"}}"#,
        &["DocumentReference.resourceType"],
    );
}

#[test]
fn a_reference_with_a_blank_still_finds_its_target() {
    check(
        r#"{"resourceType":"DocumentReference","subject":{"reference":"Patient/pat1 "}}"#,
        r#"{"resourceType":"DocumentReference","subject":{"reference":"Patient/pat1"}}"#,
        &["DocumentReference.subject.reference"],
    );
}

#[test]
fn what_is_no_resource_does_no_harm() {
    for text in ["{}", r#"{"ResourceType":3}"#, r#"{"resourceType":"Nothing","a":[1]}"#] {
        let (read, issues) = read_bundle(tree(text));
        assert_eq!(issues, []);
        assert_eq!(read.len(), tree(text).len());
    }
    let _ = read_bundle(tree(
        r#"{"resourceType":"Bundle","type":["collection"],"entry":{"resource":[{"resourceType":"Practitioner","contained":{"resourceType":"PractitionerRole"}}]}}"#,
    ));
}

fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    read_query(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()).0
}

#[test]
fn the_search_syntax_of_2017() {
    for (sent, expected) in [
        (("author:Practitioner.name.family", "Dupont"), ("author:Practitioner.family", "Dupont")),
        (("author:Practitioner.name.given", "Marie"), ("author:Practitioner.given", "Marie")),
        (("author:Patient.name.family", "Langdon"), ("author:Patient.family", "Langdon")),
        (("author:RelatedPerson.name.family", "Martin"), ("author:RelatedPerson.name", "Martin")),
        (("author:RelatedPerson.name.given", "Luc"), ("author:RelatedPerson.name", "Luc")),
        (("author:Practitioner.name.family:exact", "Dupont"), ("author:Practitioner.family:exact", "Dupont")),
        (("name.family", "Langdon"), ("family", "Langdon")),
        (("_include", "DocumentReference.subject"), ("_include", "DocumentReference:subject")),
        (("_include", "DocumentReference.author"), ("_include", "DocumentReference:author")),
        (("securityLabel", "N"), ("securitylabel", "N")),
        (("securityLabel:not", "N"), ("securitylabel:not", "N")),
        (("masterIdentifier", "http://a.fr|58619"), ("identifier", "http://a.fr|58619")),
        (("masterIdentifier", "http://a.fr |58619"), ("identifier", "http://a.fr|58619")),
        (("masterIdentifier", "|58619"), ("identifier", "|58619")),
        (("masterIdentifier", "58619"), ("identifier", "58619")),
        (("type", "urn:oid1.2.250.1.213.1.1.4.334|OBS"), ("type", "urn:oid:1.2.250.1.213.1.1.4.334|OBS")),
    ] {
        assert_eq!(query(&[sent]), [(expected.0.to_owned(), expected.1.to_owned())], "{sent:?}");
    }
}

#[test]
fn a_conformant_query_stays_as_it_is() {
    let pairs = [
        ("subject:Patient.identifier", "urn:oid:1.2.250.1.213.1.4.1|1234567890112345678901"),
        ("author:RelatedPerson.name", "Martin"),
        ("_include", "DocumentReference:subject"),
        ("_include", "DocumentReference:author:Practitioner"),
        ("_include", "*"),
        ("_include", "DocumentReference.subject:Patient"),
        ("_include", "DocumentReference.content.attachment"),
        ("_include", "Nothing.subject"),
        ("created", "ge2017-06-01"),
        ("name", "a.b"),
        ("surname.family", "Langdon"),
        ("patient", "Patient/1"),
        ("author:Practitioner", "1"),
    ];
    let (read, issues) = read_query(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
    assert_eq!(read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>(), pairs);
    assert_eq!(issues, []);
}

#[test]
fn a_query_that_was_read_otherwise_says_so() {
    let (_, issues) = read_query(vec![("securityLabel".to_owned(), "N".to_owned())]);
    assert_eq!(places(&issues), ["http.securityLabel"]);
}

#[test]
fn what_stands_beside_a_value_is_put_right_with_it_and_alone_it_is_told() {
    check(
        r#"{"resourceType":"Patient","birthDate":["1950"],"_birthDate":[{"id":"a"}]}"#,
        r#"{"resourceType":"Patient","birthDate":"1950","_birthDate":{"id":"a"}}"#,
        &["Patient.birthDate"],
    );
    check(
        r#"{"resourceType":"Patient","birthDate":"1950","_birthDate":[{"id":"a"}],"_gender":[{"id":"b"}]}"#,
        r#"{"resourceType":"Patient","birthDate":"1950","_birthDate":{"id":"a"},"_gender":{"id":"b"}}"#,
        &["Patient._birthDate", "Patient._gender"],
    );
    check(
        r#"{"resourceType":"Patient","name":[{"given":"Marie","_given":{"id":"a"}}]}"#,
        r#"{"resourceType":"Patient","name":[{"given":["Marie"],"_given":[{"id":"a"}]}]}"#,
        &["Patient.name[0].given"],
    );
    for given in [r#"["Marie"]"#, "null"] {
        check(
            &format!(r#"{{"resourceType":"Patient","name":[{{"given":{given},"_given":{{"id":"a"}}}}]}}"#),
            &format!(r#"{{"resourceType":"Patient","name":[{{"given":{given},"_given":[{{"id":"a"}}]}}]}}"#),
            &["Patient.name[0]._given"],
        );
    }
}
