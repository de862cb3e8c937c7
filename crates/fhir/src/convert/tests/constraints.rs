//! What one release allows and a constraint of the other does not: the converted form keeps the
//! constraints of its own release, and the way back gives what was there.

use super::{
    super::{items::same, to_r4, to_stu3},
    round_trip::difference,
};
use crate::{
    json::{self, Limits},
    outcome::Issue,
    release::{Release, ReleaseId, r4, stu3},
    tree::{Object, Value},
    validate::validate,
};

type Way = fn(&Object) -> Object;

fn errors(resource: &Object, release: &'static Release) -> Vec<Issue> {
    validate(resource, release).into_iter().filter(Issue::refuses).collect()
}

/// The other form of a resource that is valid in its release.
fn other_form(release: ReleaseId, text: &str) -> Object {
    let resource = json::read(text.as_bytes(), &Limits::default()).unwrap();
    let (other, there, back): (_, Way, Way) = match release {
        ReleaseId::Stu3 => (r4(), to_r4, to_stu3),
        ReleaseId::R4 => (stu3(), to_stu3, to_r4),
    };
    assert_eq!(errors(&resource, release.release()), [], "as it was sent");
    let crossed = there(&resource);
    assert_eq!(errors(&crossed, other), [], "{}", String::from_utf8(json::write_pretty(&crossed)).unwrap());
    let returned = back(&crossed);
    assert!(same(&returned, &resource), "{}", difference("", &resource.clone().into(), &returned.into()));
    assert!(same(&there(&back(&crossed)), &crossed), "another time round is the same");
    crossed
}

fn r4_form(stu3: &str) -> Object {
    other_form(ReleaseId::Stu3, stu3)
}

fn stu3_form(r4: &str) -> Object {
    other_form(ReleaseId::R4, r4)
}

fn is_unknown(value: Option<&Value>) -> bool {
    value.and_then(Value::as_object).is_some_and(|o| {
        o.objects("extension").any(|e| e.str("url").is_some_and(|url| url.ends_with("/data-absent-reason")))
    })
}

/// A definition of FHIR's Basic whose differential has these elements after the first.
fn definition(elements: &str) -> String {
    format!(
        r#"{{"resourceType":"StructureDefinition","url":"http://example.org/fhir/StructureDefinition/b","name":"B",
        "status":"draft","kind":"resource","abstract":false,"type":"Basic","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Basic",
        "differential":{{"element":[{{"id":"Basic","path":"Basic"}}{elements}]}}}}"#
    )
}

fn element<'a>(definition: &'a Object, of: &str, at: usize) -> &'a Object {
    definition.object(of).unwrap().objects("element").nth(at).unwrap()
}

fn codes(element: &Object) -> Vec<Option<&str>> {
    element.objects("type").map(|t| t.str("code")).collect()
}

#[test]
fn types_of_fhirpath_are_types_of_fhir_in_stu3() {
    let of_id = r#"{"code":"http://hl7.org/fhirpath/System.String","extension":[{
        "url":"http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type","valueUrl":"string"}]}"#;
    let stu3 = stu3_form(&definition(&format!(r#",{{"id":"Basic.id","path":"Basic.id","type":[{of_id}]}}"#)));
    assert_eq!(codes(element(&stu3, "differential", 1)), [Some("string")]);
    let bare = r#"{"code":"http://hl7.org/fhirpath/System.Boolean"}"#;
    let stu3 = stu3_form(&definition(&format!(r#",{{"id":"Basic.x","path":"Basic.x","type":[{bare}]}}"#)));
    assert_eq!(codes(element(&stu3, "differential", 1)), [Some("boolean")]);
    let foreign = r#"{"code":"http://example.org/fhir/StructureDefinition/Own"}"#;
    let stu3 = stu3_form(&definition(&format!(r#",{{"id":"Basic.x","path":"Basic.x","type":[{foreign}]}}"#)));
    assert!(is_unknown(element(&stu3, "differential", 1).objects("type").next().unwrap().get("_code")));
}

#[test]
fn values_that_stu3_says_only_how_to_write_have_types_of_fhirpath() {
    let value = |json: &str, xml: &str| {
        let url = "http://hl7.org/fhir/StructureDefinition/structuredefinition";
        format!(
            r#"{{"resourceType":"StructureDefinition","id":"string","status":"active","name":"string","kind":"primitive-type",
            "url":"http://hl7.org/fhir/StructureDefinition/string","abstract":false,"type":"string","derivation":"specialization",
            "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Element",
            "differential":{{"element":[{{"id":"string","path":"string"}},{{"id":"string.value","path":"string.value",
            "type":[{{"_code":{{"extension":[{{"url":"{url}-json-type","valueString":"{json}"}},
            {{"url":"{url}-xml-type","valueString":"{xml}"}}]}}}}]}}]}}}}"#
        )
    };
    let found = |json: &str, xml: &str| {
        let r4 = r4_form(&value(json, xml));
        codes(element(&r4, "differential", 1))[0]
            .unwrap()
            .strip_prefix("http://hl7.org/fhirpath/System.")
            .unwrap()
            .to_owned()
    };
    assert_eq!(found("string", "xsd:string"), "String");
    assert_eq!(found("boolean", "xsd:boolean"), "Boolean");
    assert_eq!(found("number", "xsd:decimal"), "Decimal");
    assert_eq!(found("number", "xsd:positiveInteger"), "Integer");
    assert_eq!(found("string", "xsd:time"), "Time");
    assert_eq!(found("string", "xsd:gYear OR xsd:gYearMonth OR xsd:date"), "Date");
    assert_eq!(found("string", "xsd:gYear OR xsd:date OR xsd:dateTime"), "DateTime");
}

#[test]
fn a_type_is_there_once_in_r4_and_for_each_profile_in_stu3() {
    let profile = |name: &str| format!("http://hl7.org/fhir/StructureDefinition/{name}");
    let to = |name: &str| format!(r#"{{"code":"Reference","targetProfile":"{}"}}"#, profile(name));
    let types = format!(r#"{},{{"code":"string"}},{}"#, to("Patient"), to("Group"));
    let r4 = r4_form(&definition(&format!(r#",{{"id":"Basic.x","path":"Basic.x[x]","type":[{types}]}}"#)));
    assert_eq!(codes(element(&r4, "differential", 1)), [Some("Reference"), Some("string")]);
    let reference = element(&r4, "differential", 1).objects("type").next().unwrap();
    assert_eq!(reference.items("targetProfile"), [Value::from(profile("Patient")), profile("Group").into()]);

    let several = format!(
        r#"{{"code":"Reference","id":"t","profile":["http://example.org/p"],"targetProfile":["{}","{}"],"aggregation":["bundled"]}},
        {{"code":"canonical","targetProfile":["{}"],"aggregation":["bundled"]}}"#,
        profile("Patient"),
        profile("Group"),
        profile("ValueSet"),
    );
    let stu3 = stu3_form(&definition(&format!(r#",{{"id":"Basic.x","path":"Basic.x[x]","type":[{several}]}}"#)));
    assert_eq!(codes(element(&stu3, "differential", 1)), [Some("Reference"), Some("Reference"), Some("canonical")]);
    let targets: Vec<_> = element(&stu3, "differential", 1).objects("type").map(|t| t.str("targetProfile")).collect();
    assert_eq!(targets[..2], [Some(&*profile("Patient")), Some(&*profile("Group"))]);
}

#[test]
fn a_type_that_a_client_of_stu3_adds_stays() {
    let target = r#"{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Patient"]}"#;
    let mut stu3 = stu3_form(&definition(&format!(r#",{{"id":"Basic.x","path":"Basic.x","type":[{target}]}}"#)));
    let text = String::from_utf8(json::write(&stu3)).unwrap();
    stu3 = json::read(
        text.replace("{\"code\":\"Reference\"", "{\"code\":\"string\"},{\"code\":\"Reference\"").as_bytes(),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(codes(element(&to_r4(&stu3), "differential", 1)), [Some("string"), Some("Reference")]);
}

#[test]
fn a_modifier_of_stu3_has_a_reason_that_is_unknown() {
    let r4 = r4_form(&definition(r#",{"id":"Basic.x","path":"Basic.x","isModifier":true}"#));
    assert!(is_unknown(element(&r4, "differential", 1).get("_isModifierReason")));
    let r4 = r4_form(&definition(r#",{"id":"Basic.x","path":"Basic.x","isModifier":false}"#));
    assert!(!element(&r4, "differential", 1).contains("_isModifierReason"));
    stu3_form(&definition(
        r#",{"id":"Basic.x","path":"Basic.x","isModifier":true,"isModifierReason":"Elle change tout"}"#,
    ));
}

#[test]
fn a_binding_of_stu3_without_an_absolute_address_has_none_in_r4() {
    let bound = |binding: &str| definition(&format!(r#",{{"id":"Basic.x","path":"Basic.x","binding":{binding}}}"#));
    let r4 = r4_form(&bound(r##"{"strength":"example","valueSetReference":{"reference":"ValueSet/colours"}}"##));
    assert!(!element(&r4, "differential", 1).object("binding").unwrap().contains("valueSet"));
    let r4 = r4_form(&bound(r#"{"strength":"required","valueSetUri":"urn:oid:1.2.3"}"#));
    assert_eq!(element(&r4, "differential", 1).object("binding").unwrap().str("valueSet"), Some("urn:oid:1.2.3"));
    for nothing in [r#"{"strength":"example","description":"Des couleurs"}"#, r#"{"strength":"example"}"#] {
        let stu3 = stu3_form(&bound(nothing));
        assert!(is_unknown(element(&stu3, "differential", 1).object("binding").unwrap().get("valueSetReference")));
    }
    // In a snapshot it says at least what it is about.
    let whole = bound(r##"{"strength":"example","valueSetReference":{"reference":"ValueSet/colours"}}"##)
        .replace(r#""differential""#, r#""snapshot""#)
        .replace(r#""path":"Basic""#, r#""path":"Basic","definition":"b","min":0,"max":"*""#)
        .replace(r#""path":"Basic.x""#, r#""path":"Basic.x","definition":"x","min":0,"max":"1""#);
    let r4 = r4_form(&whole);
    assert!(is_unknown(element(&r4, "snapshot", 1).object("binding").unwrap().get("_description")));
    stu3_form(&bound(r#"{"strength":"example","valueSet":"http://example.org/fhir/ValueSet/colours|2"}"#));
}

#[test]
fn the_first_element_has_no_name_of_a_slice_in_r4_and_names_have_no_brackets_in_stu3() {
    let named = definition("").replace(r#""path":"Basic""#, r#""path":"Basic","sliceName":"b""#);
    let r4 = r4_form(&named);
    assert!(!element(&r4, "differential", 0).contains("sliceName"));
    let stu3 = stu3_form(&definition(r#",{"id":"Basic.x","path":"Basic.x","sliceName":"x[y]"}"#));
    assert!(!element(&stu3, "differential", 1).contains("sliceName"));
}

#[test]
fn elements_of_a_snapshot_have_a_base_in_r4() {
    let element_of = |path: &str| {
        format!(
            r#"{{"id":"{path}","path":"{path}","definition":"Ce que c'est","min":0,"max":"1","type":[{{"code":"string"}}]}}"#
        )
    };
    let snapshot =
        format!(r#""snapshot":{{"element":[{},{}]}},"differential""#, element_of("Basic"), element_of("Basic.x"))
            .replacen(r#","type":[{"code":"string"}]"#, "", 1);
    let r4 = r4_form(&definition("").replace(r#""differential""#, &snapshot));
    let base = element(&r4, "snapshot", 1).object("base").unwrap().clone();
    assert_eq!((base.str("path"), base.str("max")), (Some("Basic.x"), Some("1")));
    assert!(is_unknown(Some(&base.into())));
    assert!(!element(&r4, "differential", 0).contains("base"));
}

#[test]
fn definitions_of_fhir_and_constraints_have_no_default_values_in_r4() {
    let r4 =
        r4_form(&definition(r#",{"id":"Basic.x","path":"Basic.x","defaultValueCode":"a","type":[{"code":"code"}]}"#));
    assert!(!element(&r4, "differential", 1).contains("defaultValueCode"));
}

#[test]
fn a_type_of_somebody_else_is_a_logical_model_in_stu3() {
    let own = definition("").replace(r#""derivation":"constraint""#, r#""derivation":"specialization""#);
    assert_eq!(stu3_form(&own).str("kind"), Some("logical"));
    let model = definition("")
        .replace(r#""derivation":"constraint""#, r#""derivation":"specialization""#)
        .replace(r#""kind":"resource""#, r#""kind":"logical""#)
        .replace(r#""type":"Basic""#, r#""type":"http://example.org/fhir/StructureDefinition/b""#)
        .replace(
            r#""path":"Basic""#,
            r#""path":"Basic","type":[{"code":"http://example.org/fhir/StructureDefinition/Own"}]"#,
        );
    let stu3 = stu3_form(&model);
    assert_eq!(stu3.str("type"), Some("Basic"));
    assert!(!element(&stu3, "differential", 0).contains("type"));
}

fn statement(rest: &str) -> String {
    format!(
        r#"{{"resourceType":"CapabilityStatement","status":"draft","date":"2020","fhirVersion":"VERSION","format":["json"],
        "acceptUnknown":"no",{rest}}}"#
    )
}

fn statement_of_stu3(rest: &str) -> String {
    statement(rest).replace("VERSION", "3.0.1")
}

fn statement_of_r4(rest: &str) -> String {
    statement(rest).replace("VERSION", "4.0.1").replace(r#""acceptUnknown":"no","#, "")
}

#[test]
fn types_with_one_stand_in_are_described_once() {
    let of = |types: [&str; 3]| {
        let list = types
            .map(|t| format!(r#"{{"type":"{t}","documentation":"{t}","interaction":[{{"code":"read"}}]}}"#))
            .join(",");
        format!(r#""kind":"requirements","description":"Tout","rest":[{{"mode":"server","resource":[{list}]}}]"#)
    };
    let types = |statement: &Object| {
        let rest = statement.objects("rest").next().unwrap();
        rest.objects("resource").map(|r| r.str("type").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let stu3 = stu3_form(&statement_of_r4(&of(["CatalogEntry", "Patient", "BiologicallyDerivedProduct"])));
    assert_eq!(types(&stu3), ["Resource", "Patient"]);
    let r4 = r4_form(&statement_of_stu3(&of(["ReferralRequest", "ProcedureRequest", "Patient"])));
    assert_eq!(types(&r4), ["ServiceRequest", "Patient"]);
}

#[test]
fn stu3_has_one_face_of_a_kind() {
    let stu3 = stu3_form(&statement_of_r4(
        r#""kind":"requirements","description":"Tout","rest":[{"mode":"server"},{"mode":"client"},{"mode":"server","documentation":"L'autre"}]"#,
    ));
    assert_eq!(stu3.objects("rest").count(), 2);
}

#[test]
fn what_a_statement_must_have_by_its_kind() {
    let r4 = r4_form(&statement_of_stu3(r#""kind":"instance","description":"Un serveur","rest":[{"mode":"server"}]"#));
    assert!(is_unknown(r4.get("implementation")));
    let r4 =
        r4_form(&statement_of_stu3(r#""kind":"capability","description":"Un produit","rest":[{"mode":"server"}]"#));
    assert!(is_unknown(r4.get("software")));
    r4_form(&statement_of_stu3(
        r#""kind":"requirements","description":"Rien","messaging":[{"event":[{"code":{"code":"x"},"mode":"sender",
        "focus":"Patient","request":{"reference":"StructureDefinition/a"},"response":{"reference":"StructureDefinition/b"}}]}]"#,
    ));
    let stu3 = stu3_form(&statement_of_r4(
        r#""kind":"requirements","description":"Rien","messaging":[{"documentation":"Rien encore"}]"#,
    ));
    assert!(is_unknown(stu3.objects("messaging").next().unwrap().items("supportedMessage").first()));
}

#[test]
fn only_working_lists_have_dates_of_entries_in_r4() {
    let list = |mode: &str| {
        format!(
            r#"{{"resourceType":"List","status":"current","mode":"{mode}","entry":[
            {{"date":"2020-01-02","item":{{"display":"Une allergie"}}}},{{"item":{{"display":"Une autre"}}}}]}}"#
        )
    };
    let r4 = r4_form(&list("changes"));
    let entry = r4.objects("entry").next().unwrap();
    assert!(!entry.contains("date") && entry.contains("extension"));
    assert_eq!(r4_form(&list("working")).objects("entry").next().unwrap().str("date"), Some("2020-01-02"));
}

#[test]
fn what_was_done_has_no_reason_for_not_being_done_in_stu3() {
    let stu3 = stu3_form(
        r#"{"resourceType":"Communication","status":"completed","statusReason":{"text":"Demandé par la famille"}}"#,
    );
    assert!(!stu3.contains("notDoneReason"));
}

#[test]
fn an_amount_has_a_currency_in_stu3() {
    let with = |money: &str| {
        format!(
            r#"{{"resourceType":"Basic","code":{{"text":"prix"}},"extension":[{{"url":"http://example.org/p","valueMoney":{money}}}]}}"#
        )
    };
    let money = |resource: &Object| resource.objects("extension").next().unwrap().object("valueMoney").unwrap().clone();
    let unknown = money(&stu3_form(&with(r#"{"value":12.50}"#)));
    assert!(is_unknown(unknown.get("_code")));
    assert_eq!(unknown.str("system"), Some("urn:iso:std:iso:4217"), "a code has a system");
    assert_eq!(money(&stu3_form(&with(r#"{"value":12.50,"currency":"EUR"}"#))).str("code"), Some("EUR"));
    assert!(!money(&stu3_form(&with(r#"{"currency":"EUR"}"#))).contains("_code"));
}

#[test]
fn a_parameter_has_a_profile_of_its_target_only_where_it_points_in_r4() {
    let operation = |parameter: &str| {
        format!(
            r#"{{"resourceType":"OperationDefinition","name":"Op","status":"draft","kind":"operation","code":"op","system":false,
            "type":false,"instance":true,"parameter":[{{"name":"p","use":"in","min":0,"max":"1",{parameter}}}]}}"#
        )
    };
    let profile = r#""profile":{"reference":"http://hl7.org/fhir/StructureDefinition/SimpleQuantity"}"#;
    let r4 = r4_form(&operation(&format!(r#""type":"Quantity",{profile}"#)));
    assert!(!r4.objects("parameter").next().unwrap().contains("targetProfile"));
    let r4 = r4_form(&operation(&format!(r#""type":"Patient",{profile}"#)));
    assert!(r4.objects("parameter").next().unwrap().contains("targetProfile"));
    stu3_form(&operation(r#""type":"canonical","targetProfile":["http://hl7.org/fhir/StructureDefinition/ValueSet"]"#));
}

#[test]
fn a_value_set_that_says_nothing_is_of_unknown_content_in_stu3() {
    let stu3 = stu3_form(r#"{"resourceType":"ValueSet","status":"draft"}"#);
    assert!(is_unknown(stu3.get("compose")));
}

#[test]
fn entries_of_bundles_have_the_requests_and_answers_that_the_release_asks_for() {
    let bundle = |kind: &str, entry: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            "resource":{{"resourceType":"Basic","id":"b","code":{{"text":"x"}}}}{entry}}}]}}"#
        )
    };
    for kind in ["batch", "transaction", "history"] {
        let r4 = r4_form(&bundle(kind, ""));
        let request = r4.objects("entry").next().unwrap().object("request").unwrap();
        assert_eq!((request.str("method"), request.str("url")), (Some("PUT"), Some("Basic/b")), "{kind}");
        assert!(is_unknown(request.get("_method")) && is_unknown(request.get("_url")), "{kind}");
    }
    for kind in ["batch-response", "transaction-response", "history"] {
        let r4 = r4_form(&bundle(kind, ""));
        assert!(is_unknown(r4.objects("entry").next().unwrap().get("response")), "{kind}");
    }
    let whole = r#","request":{"method":"PUT","url":"Basic/b"},"response":{"status":"200 OK","etag":"W/\"2\""}"#;
    let stu3 = stu3_form(&bundle("history", whole));
    let entry = stu3.objects("entry").next().unwrap();
    assert!(entry.contains("request") && !entry.contains("response"));
}

#[test]
fn a_document_that_does_not_begin_as_one_is_a_collection_in_r4() {
    let r4 = r4_form(
        r#"{"resourceType":"Bundle","type":"document","identifier":{"system":"http://example.org/d","value":"1"},"entry":[{
        "fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Basic","code":{"text":"x"}}}]}"#,
    );
    assert_eq!(r4.str("type"), Some("collection"));
}
