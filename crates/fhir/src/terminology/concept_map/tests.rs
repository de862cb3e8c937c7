use super::*;
use crate::json::{Limits, read};

struct One(Arc<Object>);

impl Definitions for One {
    fn code_system(&self, _: &str, _: Option<&str>) -> Option<Arc<Object>> {
        None
    }
    fn value_set(&self, _: &str, _: Option<&str>) -> Option<Arc<Object>> {
        None
    }
    fn concept_map(&self, url: &str, _: Option<&str>) -> Option<Arc<Object>> {
        (self.0.str("url") == Some(url)).then(|| Arc::clone(&self.0))
    }
    fn concept_maps_from(&self, _: &str) -> Vec<Arc<Object>> {
        vec![Arc::clone(&self.0)]
    }
}

const MAP: &str = r#"{"resourceType":"ConceptMap","url":"http://x.example/map","status":"active","sourceUri":"http://x.example/old-vs","group":[
  {"source":"urn:oid:1.2.250.1.213.1.1.4.12","target":"https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote","element":[
    {"code":"OBS","display":"Observation","target":[{"code":"OBS","display":"Note d'observation","equivalence":"wider"}]},
    {"code":"NONE","target":[{"equivalence":"unmatched"}]},
    {"code":"IF","target":[{"code":"GEN","equivalence":"equal","dependsOn":[{"property":"p","value":"v"}]}]}]},
  {"source":"http://x.example/a","target":"http://x.example/b","unmapped":{"mode":"provided"},"element":[
    {"code":"1","target":[{"code":"2","equivalence":"equal"}]}]},
  {"source":"http://x.example/c","target":"http://x.example/b","unmapped":{"mode":"fixed","code":"other","display":"Other"}}]}"#;

fn ask(pairs: &[(&str, &str)]) -> Result<Object, Vec<Issue>> {
    let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let map = read(MAP.as_bytes(), &Limits::default()).unwrap();
    translate(None, &Inputs::from_query(&pairs), &One(Arc::new(map)), Language::English)
}

/// What a code becomes: whether it is translated, and each match as `equivalence system|code`.
fn becomes(pairs: &[(&str, &str)]) -> (bool, Vec<String>) {
    let answer = ask(pairs).unwrap();
    let mut matches = Vec::new();
    let mut translated = false;
    for parameter in answer.objects("parameter") {
        match parameter.str("name") {
            Some("result") => translated = parameter.get("valueBoolean").and_then(Value::as_bool).unwrap(),
            Some("match") => {
                let part = |name: &str| parameter.objects("part").find(|part| part.str("name") == Some(name));
                let concept = part("concept").and_then(|part| part.object("valueCoding"));
                matches.push(format!(
                    "{} {}|{}",
                    part("equivalence").and_then(|p| p.str("valueCode")).unwrap(),
                    concept.and_then(|c| c.str("system")).unwrap_or_default(),
                    concept.and_then(|c| c.str("code")).unwrap_or_default()
                ));
            }
            _ => {}
        }
    }
    (translated, matches)
}

const TODAY: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";

#[test]
fn a_code_becomes_another_under_a_new_system() {
    let expected = (true, vec![format!("wider {TODAY}|OBS")]);
    assert_eq!(becomes(&[("system", "urn:oid:1.2.250.1.213.1.1.4.12"), ("code", "OBS")]), expected);
    let named = [("url", "http://x.example/map"), ("system", "urn:oid:1.2.250.1.213.1.1.4.12"), ("code", "OBS")];
    assert_eq!(becomes(&named), expected);
}

#[test]
fn backwards_the_equivalence_turns() {
    let asked = [("system", TODAY), ("code", "OBS"), ("reverse", "true")];
    assert_eq!(becomes(&asked), (true, vec!["narrower urn:oid:1.2.250.1.213.1.1.4.12|OBS".to_owned()]));
}

#[test]
fn no_translation_is_an_answer() {
    for asked in [
        ("http://x.example/unknown", "1"),
        ("urn:oid:1.2.250.1.213.1.1.4.12", "XYZ"),
        ("urn:oid:1.2.250.1.213.1.1.4.12", "IF"),
    ] {
        assert_eq!(becomes(&[("system", asked.0), ("code", asked.1)]), (false, vec![]), "{asked:?}");
    }
    let (translated, matches) = becomes(&[("system", "urn:oid:1.2.250.1.213.1.1.4.12"), ("code", "NONE")]);
    assert!(!translated);
    assert_eq!(matches, ["unmatched |"]);
}

#[test]
fn codes_that_are_not_mapped_follow_the_rule_of_their_group() {
    assert_eq!(becomes(&[("system", "http://x.example/a"), ("code", "9")]).1, ["equal http://x.example/b|9"]);
    assert_eq!(becomes(&[("system", "http://x.example/c"), ("code", "9")]).1, ["inexact http://x.example/b|other"]);
    assert_eq!(becomes(&[("system", "http://x.example/a"), ("code", "1")]).1, ["equal http://x.example/b|2"]);
}

#[test]
fn matches_can_be_limited_by_their_system_and_maps_by_their_value_set() {
    let a = [("system", "http://x.example/a"), ("code", "1")];
    assert!(becomes(&[a[0], a[1], ("targetsystem", "http://x.example/b")]).0);
    assert!(!becomes(&[a[0], a[1], ("targetsystem", "http://x.example/c")]).0);
    assert!(becomes(&[a[0], a[1], ("source", "http://x.example/old-vs")]).0);
    assert!(!becomes(&[a[0], a[1], ("source", "http://x.example/other-vs")]).0);
}

#[test]
fn what_says_too_little_or_is_not_known_is_refused() {
    for asked in [
        &[("code", "OBS")][..],
        &[("system", TODAY)],
        &[("url", "http://x.example/none"), ("system", TODAY), ("code", "OBS")],
        &[("system", TODAY), ("code", "OBS"), ("dependency", "x")],
        &[("system", TODAY), ("code", "OBS"), ("backwards", "true")],
    ] {
        assert!(!ask(asked).unwrap_err().is_empty(), "{asked:?}");
    }
}
