use super::*;
use crate::{
    json::{Limits, read},
    terminology::Operation,
};

struct One(Arc<Object>);

impl Definitions for One {
    fn code_system(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        let fits =
            self.0.str("url") == Some(url) && version.is_none_or(|version| self.0.str("version") == Some(version));
        fits.then(|| Arc::clone(&self.0))
    }
    fn value_set(&self, _: &str, _: Option<&str>) -> Option<Arc<Object>> {
        None
    }
    fn concept_map(&self, _: &str, _: Option<&str>) -> Option<Arc<Object>> {
        None
    }
    fn concept_maps_from(&self, _: &str) -> Vec<Arc<Object>> {
        Vec::new()
    }
}

fn tree(json: &str) -> Object {
    read(json.as_bytes(), &Limits::default()).unwrap()
}

fn professions() -> Object {
    tree(
        r#"{"resourceType":"CodeSystem","url":"http://x.example/jobs","version":"3","name":"Jobs","status":"active",
        "content":"complete","caseSensitive":true,"concept":[
          {"code":"care","display":"Soin","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
            {"code":"60","display":"Infirmier","definition":"Soigne","designation":[{"language":"en","value":"Nurse"}],
             "property":[{"code":"order","valueCode":"ONI"}]},
            {"code":"93","display":"Psychologue","property":[{"code":"inactive","valueBoolean":true}]}]}]}"#,
    )
}

fn query(pairs: &[(&str, &str)]) -> Inputs {
    Inputs::from_query(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>())
}

fn run(operation: Operation, pairs: &[(&str, &str)]) -> Result<Object, Vec<Issue>> {
    let circumstances = crate::terminology::Circumstances {
        timestamp: "2026-01-01T00:00:00Z",
        identifier: "urn:uuid:0d920958-b596-4b91-af67-9bafc707820b",
        language: Language::English,
    };
    operation.run(None, &query(pairs), &One(Arc::new(professions())), &circumstances)
}

fn said<'a>(answer: &'a Object, name: &str) -> Option<&'a Value> {
    let parameter = answer.objects("parameter").find(|parameter| parameter.str("name") == Some(name))?;
    parameter.iter().find(|(member, _)| member.starts_with("value")).map(|(_, value)| value)
}

fn property<'a>(answer: &'a Object, code: &str) -> Option<&'a Value> {
    answer
        .objects("parameter")
        .filter(|parameter| parameter.str("name") == Some("property"))
        .map(|parameter| parameter.items("part"))
        .find(|parts| parts[0].as_object().unwrap().str("valueCode") == Some(code))
        .and_then(|parts| parts[1].as_object()?.iter().last().map(|(_, value)| value))
}

#[test]
fn a_code_is_looked_up_with_all_that_is_known_of_it() {
    let answer = run(Operation::Lookup, &[("system", "http://x.example/jobs"), ("code", "60")]).unwrap();
    assert_eq!(said(&answer, "name"), Some(&"Jobs".into()));
    assert_eq!(said(&answer, "version"), Some(&"3".into()));
    assert_eq!(said(&answer, "display"), Some(&"Infirmier".into()));
    assert_eq!(property(&answer, "inactive"), Some(&Value::Bool(false)));
    assert_eq!(property(&answer, "parent"), Some(&"care".into()));
    assert_eq!(property(&answer, "order"), Some(&"ONI".into()));
    assert_eq!(property(&answer, "definition"), Some(&"Soigne".into()));
    assert!(answer.objects("parameter").any(|p| p.str("name") == Some("designation")));
}

#[test]
fn a_lookup_can_be_limited_to_some_properties_and_told_in_another_language() {
    let asked =
        [("system", "http://x.example/jobs"), ("code", "60"), ("property", "inactive"), ("displayLanguage", "en-GB")];
    let answer = run(Operation::Lookup, &asked).unwrap();
    assert_eq!(said(&answer, "display"), Some(&"Nurse".into()));
    assert_eq!(property(&answer, "inactive"), Some(&Value::Bool(false)));
    assert_eq!(property(&answer, "order"), None);
    assert!(!answer.objects("parameter").any(|p| p.str("name") == Some("designation")));
}

#[test]
fn what_is_not_known_is_not_found() {
    for asked in
        [[("system", "http://x.example/jobs"), ("code", "61")], [("system", "http://x.example/other"), ("code", "60")]]
    {
        let issues = run(Operation::Lookup, &asked).unwrap_err();
        assert_eq!(issues.iter().map(|issue| issue.kind).collect::<Vec<_>>(), [IssueKind::NotFound]);
    }
}

#[test]
fn a_lookup_that_says_too_little_or_too_much_is_refused() {
    for asked in [
        &[("code", "60")][..],
        &[("system", "http://x.example/jobs")],
        &[("system", "http://x.example/jobs"), ("code", "60"), ("colour", "red")],
        &[("system", "http://x.example/jobs"), ("code", "60"), ("date", "2020-01-01")],
        &[("system", "http://x.example/jobs"), ("code", "60"), ("code", "61")],
    ] {
        assert!(!run(Operation::Lookup, asked).unwrap_err().is_empty(), "{asked:?}");
    }
}

#[test]
fn ended_and_grouping_codes_are_known_as_such() {
    let jobs = professions();
    let of = |code: &str| concept("x", find(&jobs, code).unwrap().object).unwrap();
    assert_eq!((of("93").status, of("60").status), (Status::Inactive, Status::Active));
    assert_eq!((of("care").kind, of("60").kind), (ConceptKind::Abstract, ConceptKind::Selectable));
}

#[test]
fn case_counts_unless_the_code_system_says_otherwise() {
    let mut jobs = professions();
    assert!(find(&jobs, "CARE").is_none());
    jobs.set("caseSensitive", false);
    assert!(find(&jobs, "CARE").is_some());
}

fn verdict_of(pairs: &[(&str, &str)]) -> (bool, Option<String>) {
    let mut pairs = pairs.to_vec();
    pairs.push(("url", "http://x.example/jobs"));
    let answer = run(Operation::ValidateInCodeSystem, &pairs).unwrap();
    let result = said(&answer, "result").and_then(Value::as_bool).unwrap();
    (result, said(&answer, "message").and_then(Value::as_str).map(str::to_owned))
}

#[test]
fn a_code_is_valid_with_any_of_its_displays_whatever_case_and_accents() {
    for display in ["Infirmier", "INFIRMIÉR", "nurse"] {
        assert_eq!(verdict_of(&[("code", "60"), ("display", display)]), (true, None), "{display}");
    }
    let (valid, message) = verdict_of(&[("code", "60"), ("display", "Médecin")]);
    assert!(!valid && message.unwrap().contains("Infirmier"));
}

#[test]
fn an_unknown_code_is_not_valid_and_an_ended_one_is_with_a_word() {
    assert!(!verdict_of(&[("code", "61")]).0);
    let (valid, message) = verdict_of(&[("code", "93")]);
    assert!(valid && message.unwrap().contains("no longer"));
}

#[test]
fn codings_and_concepts_are_validated_from_a_resource() {
    let ask = |name: &str, body: &str| {
        let parameters = tree(&format!(
            r#"{{"resourceType":"Parameters","parameter":[{{"name":"url","valueUri":"http://x.example/jobs"}},{{"name":"{name}",{body}}}]}}"#
        ));
        let inputs = Inputs::from_parameters(&parameters).unwrap();
        let answer = validate_code(None, &inputs, &One(Arc::new(professions())), Language::French).unwrap();
        said(&answer, "result").and_then(Value::as_bool).unwrap()
    };
    assert!(ask("coding", r#""valueCoding":{"system":"http://x.example/jobs","code":"60"}"#));
    assert!(!ask("coding", r#""valueCoding":{"system":"http://y.example","code":"60"}"#));
    assert!(ask(
        "codeableConcept",
        r#""valueCodeableConcept":{"coding":[{"system":"http://y.example","code":"60"},{"system":"http://x.example/jobs","code":"60"}]}"#
    ));
}

#[test]
fn a_code_system_sent_along_or_asked_by_id_needs_no_url() {
    let inputs = query(&[("code", "60")]);
    let nowhere = One(Arc::new(Object::new()));
    let answer = validate_code(Some(&professions()), &inputs, &nowhere, Language::French).unwrap();
    assert_eq!(said(&answer, "result"), Some(&Value::Bool(true)));
    assert!(validate_code(None, &inputs, &nowhere, Language::French).is_err());
}
