use liaison_fhir::{
    json::{self, Limits},
    outcome::{Severity, refused},
    tree::Object,
};

use super::{base_of, into_transaction, is_note_collection};

const OF_2017: &str = include_str!("../../data/examples/2017-create-conformant.json");
const OF_TODAY: &str = include_str!("../../data/examples/r4-transaction-as-published.json");

fn tree(text: &str) -> Object {
    json::read(text.as_bytes(), &Limits::default()).unwrap()
}

fn resource(bundle: &Object, at: usize) -> &Object {
    bundle.objects("entry").nth(at).unwrap().object("resource").unwrap()
}

fn reference<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).unwrap().each()[0].as_object().unwrap().str("reference").unwrap()
}

fn requests(bundle: &Object) -> Vec<(&str, &str)> {
    let requests = bundle.objects("entry").map(|e| e.object("request").unwrap());
    requests.map(|r| (r.str("method").unwrap(), r.str("url").unwrap())).collect()
}

#[test]
fn a_collection_of_2017_creates_each_of_its_entries() {
    assert!(is_note_collection(&tree(OF_2017)));
    let (transaction, issues) = into_transaction(tree(OF_2017));
    assert_eq!(transaction.str("type"), Some("transaction"));
    assert_eq!(
        requests(&transaction),
        [("POST", "DocumentReference"), ("POST", "Patient"), ("POST", "Practitioner"), ("POST", "PractitionerRole")]
    );
    let note = resource(&transaction, 0);
    assert_eq!(reference(note, "subject"), "http://EtablissementSource.fr/Patient/pat1");
    assert_eq!(reference(note, "author"), "http://EtablissementSource.fr/Practitioner/prac1");
    assert_eq!(
        reference(resource(&transaction, 3), "practitioner"),
        "http://EtablissementSource.fr/Practitioner/prac1"
    );
    assert_eq!(issues, [], "this is what references mean");
}

#[test]
fn only_a_collection_with_a_note_creates_one() {
    let bundle = |kind: &str, held: &str| {
        let entry = format!(r#"[{{"resource":{{"resourceType":"{held}"}}}}]"#);
        tree(&format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":{entry}}}"#))
    };
    assert!(is_note_collection(&bundle("collection", "DocumentReference")));
    assert!(!is_note_collection(&bundle("collection", "Patient")));
    assert!(!is_note_collection(&bundle("transaction", "DocumentReference")));
}

#[test]
fn an_entry_stands_on_the_server_that_its_address_names() {
    assert_eq!(base_of("http://a.example/fhir/Patient/1"), Some("http://a.example/fhir/"));
    for address in [
        "urn:uuid:0d920958-b596-4b91-af67-9bafc707820b",
        "http://a.example/fhir/patient/1",
        "http://a.example/fhir/Patient-1/1",
        "http://a.example/fhir/Patient/no_id",
        "Patient",
    ] {
        assert_eq!(base_of(address), None, "{address}");
    }
}

#[test]
fn only_the_address_of_an_instance_is_shortened() {
    for url in ["Patient/$match", "Patient/_search", "Patient", "Practitioner/1"] {
        let text = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"fullUrl":"urn:uuid:1",
                "resource":{{"resourceType":"Patient"}},"request":{{"method":"POST","url":"{url}"}}}}]}}"#
        );
        assert_eq!(into_transaction(tree(&text)), (tree(&text), Vec::new()), "{url}");
    }
}

#[test]
fn only_references_are_resolved() {
    let text = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"fullUrl":"urn:uuid:n","resource":{"resourceType":"DocumentReference","description":"Patient/p"}},
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p"}}]}"#;
    assert_eq!(into_transaction(tree(text)), (tree(text), Vec::new()));
}

#[test]
fn a_reference_that_is_the_name_of_an_entry_is_left_without_a_word() {
    let text = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"fullUrl":"urn:uuid:n","resource":{"resourceType":"DocumentReference","subject":{"reference":"Patient/p"}}},
        {"fullUrl":"Patient/p","resource":{"resourceType":"Patient","id":"p"}}]}"#;
    assert_eq!(into_transaction(tree(text)), (tree(text), Vec::new()));
}

#[test]
fn the_guides_example_is_read_as_it_was_meant() {
    assert!(!is_note_collection(&tree(OF_TODAY)));
    let (transaction, issues) = into_transaction(tree(OF_TODAY));
    assert_eq!(
        requests(&transaction),
        [("POST", "DocumentReference"), ("POST", "PractitionerRole"), ("POST", "Practitioner"), ("POST", "Patient")]
    );
    let note = resource(&transaction, 0);
    assert_eq!(reference(note, "subject"), "urn:uuid:0d920958-b596-4b91-af67-9bafc707820b");
    let authors: Vec<_> = note.objects("author").map(|a| a.str("reference").unwrap()).collect();
    assert_eq!(
        authors,
        ["urn:uuid:85652218-ea45-426f-916e-6ca5ea8dd5e1", "urn:uuid:f380b0fd-23c2-415a-b367-53e707ef91e2"]
    );
    // Four addresses of instances, three references of the note, one of the role.
    assert_eq!(issues.len(), 8);
    assert!(issues.iter().all(|i| i.severity == Severity::Information));
    assert!(issues.iter().any(|i| i.place == "Bundle.entry[0].resource.author[1].reference"));
    let again = into_transaction(transaction.clone());
    assert_eq!(again, (transaction, Vec::new()));
}

#[test]
fn references_to_what_is_not_in_the_bundle_stay() {
    for reference in
        ["Patient/other", "http://elsewhere.example/Patient/p", "Patient?identifier=1", "#p", "Patient/p/_history/2"]
    {
        let text = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[
                {{"fullUrl":"urn:uuid:n","resource":{{"resourceType":"DocumentReference","subject":{{"reference":"{reference}"}}}},
                    "request":{{"method":"POST","url":"DocumentReference"}}}},
                {{"fullUrl":"http://a.example/Patient/p","resource":{{"resourceType":"Patient","id":"p"}},
                    "request":{{"method":"PUT","url":"Patient/p"}}}}]}}"#
        );
        assert_eq!(into_transaction(tree(&text)), (tree(&text), Vec::new()), "{reference}");
    }
}

#[test]
fn an_id_that_two_entries_have_means_neither() {
    let text = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"fullUrl":"urn:uuid:n","resource":{"resourceType":"DocumentReference","subject":{"reference":"Patient/p"}}},
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p"}},
        {"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient","id":"p"}}]}"#;
    assert_eq!(into_transaction(tree(text)), (tree(text), Vec::new()));
}

#[test]
fn entries_without_a_name_get_one_that_references_can_use() {
    let (transaction, _) = into_transaction(tree(
        r#"{"resourceType":"Bundle","type":"collection","entry":[
            {"resource":{"resourceType":"DocumentReference","subject":{"reference":"Patient/p"}}},
            {"resource":{"resourceType":"Patient","id":"p"}}]}"#,
    ));
    let patient = transaction.objects("entry").nth(1).unwrap().str("fullUrl").unwrap();
    assert_eq!(reference(resource(&transaction, 0), "subject"), patient);
    assert!(patient.starts_with("urn:uuid:"));
}

#[test]
fn an_update_keeps_its_address() {
    let text = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"fullUrl":"http://a.example/DocumentReference/n","resource":{"resourceType":"DocumentReference","id":"n"},
            "request":{"method":"PUT","url":"DocumentReference/n"}}]}"#;
    assert_eq!(into_transaction(tree(text)), (tree(text), Vec::new()));
}

#[test]
fn two_notes_in_a_collection_are_refused() {
    let (_, issues) = into_transaction(tree(
        r#"{"resourceType":"Bundle","type":"collection","entry":[
            {"resource":{"resourceType":"DocumentReference"}},{"resource":{"resourceType":"DocumentReference"}}]}"#,
    ));
    assert!(refused(&issues));
}

#[test]
fn what_is_no_bundle_does_no_harm() {
    for text in ["{}", r#"{"type":"collection","entry":[1,{},{"resource":3},{"request":[]}]}"#, r#"{"entry":{"a":1}}"#]
    {
        let _ = into_transaction(tree(text));
    }
}
