use super::*;
use crate::json::{Limits, read};

/// Definitions from resources as written.
struct Shelf(Vec<Arc<Object>>);

impl Shelf {
    fn of(resources: &[&str]) -> Self {
        Self(resources.iter().map(|json| Arc::new(tree(json))).collect())
    }

    fn find(&self, resource_type: &str, url: &str) -> Option<Arc<Object>> {
        self.0.iter().find(|r| r.resource_type() == Some(resource_type) && r.str("url") == Some(url)).cloned()
    }
}

impl Definitions for Shelf {
    fn code_system(&self, url: &str, _: Option<&str>) -> Option<Arc<Object>> {
        self.find("CodeSystem", url)
    }
    fn value_set(&self, url: &str, _: Option<&str>) -> Option<Arc<Object>> {
        self.find("ValueSet", url)
    }
    fn concept_map(&self, url: &str, _: Option<&str>) -> Option<Arc<Object>> {
        self.find("ConceptMap", url)
    }
    fn concept_maps_from(&self, _: &str) -> Vec<Arc<Object>> {
        Vec::new()
    }
}

fn tree(json: &str) -> Object {
    read(json.as_bytes(), &Limits::default()).unwrap()
}

const JOBS: &str = r#"{"resourceType":"CodeSystem","url":"http://x.example/jobs","version":"3","status":"active",
    "content":"complete","concept":[
      {"code":"10","display":"Médecin","property":[{"code":"order","valueCode":"CNOM"}]},
      {"code":"60","display":"Infirmier","concept":[{"code":"69","display":"Infirmier psychiatrique"}],
       "property":[{"code":"order","valueCode":"ONI"}]},
      {"code":"93","display":"Psychologue","property":[{"code":"inactive","valueBoolean":true}]}]}"#;

const OTHERS: &str = r#"{"resourceType":"CodeSystem","url":"http://x.example/others","status":"active","content":"fragment",
    "concept":[{"code":"10","display":"Autre dix"}]}"#;

fn value_set(url: &str, compose: &str) -> String {
    format!(
        r#"{{"resourceType":"ValueSet","id":"v","url":"{url}","title":"Essai","status":"active","compose":{compose}}}"#
    )
}

const ALL: &str = r#"{"include":[{"system":"http://x.example/jobs"}]}"#;
const URL: &str = "http://x.example/vs";

fn circumstances() -> Circumstances<'static> {
    Circumstances { timestamp: "2026-01-01T00:00:00Z", identifier: "urn:uuid:1", language: Language::English }
}

fn query(pairs: &[(&str, &str)]) -> Inputs {
    Inputs::from_query(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>())
}

fn expanded(shelf: &Shelf, pairs: &[(&str, &str)]) -> Result<Object, Vec<Issue>> {
    let mut pairs = pairs.to_vec();
    pairs.push(("url", URL));
    expand(None, &query(&pairs), shelf, &circumstances())
}

fn codes(value_set: &Object) -> Vec<String> {
    let contains = value_set.object("expansion").unwrap().objects("contains");
    contains.map(|one| one.str("code").unwrap().to_owned()).collect()
}

/// The codes of a value set defined so.
fn codes_of(compose: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    codes(&expanded(&Shelf::of(&[JOBS, OTHERS, &value_set(URL, compose)]), pairs).unwrap())
}

#[test]
fn a_whole_system_is_expanded_children_after_parents() {
    assert_eq!(codes_of(ALL, &[]), ["10", "60", "69", "93"]);
}

#[test]
fn an_expansion_keeps_what_the_value_set_is_and_says_how_it_was_made() {
    let shelf = Shelf::of(&[JOBS, &value_set(URL, ALL)]);
    let made = expanded(&shelf, &[("filter", "infirmier"), ("count", "1"), ("offset", "1"), ("displayLanguage", "fr")])
        .unwrap();
    assert_eq!(made.str("url"), Some(URL));
    assert_eq!(made.str("status"), Some("active"));
    assert!(!made.contains("compose"));
    let expansion = made.object("expansion").unwrap();
    assert_eq!(expansion.str("timestamp"), Some("2026-01-01T00:00:00Z"));
    assert_eq!(expansion.str("identifier"), Some("urn:uuid:1"));
    assert_eq!(expansion.get("total"), Some(&Value::Number("2".into())));
    assert_eq!(expansion.get("offset"), Some(&Value::Number("1".into())));
    assert_eq!(codes(&made), ["69"]);
    let echoed: Vec<_> = expansion.objects("parameter").map(|p| p.str("name").unwrap()).collect();
    assert_eq!(echoed, ["filter", "count", "offset", "displayLanguage", "version"]);
    let version = expansion.objects("parameter").last().unwrap();
    assert_eq!(version.str("valueUri"), Some("http://x.example/jobs|3"));
    assert!(expanded(&shelf, &[("includeDefinition", "true")]).unwrap().contains("compose"));
}

#[test]
fn a_filter_ignores_case_and_accents_and_reads_words_in_any_order_and_beginnings_of_codes() {
    for (filter, expected) in [
        ("medecin", &["10"][..]),
        ("MÉDECIN", &["10"]),
        ("psy inf", &["69"]),
        ("psy", &["69", "93"]),
        ("6", &["60", "69"]),
        ("0", &[]),
    ] {
        assert_eq!(codes_of(ALL, &[("filter", filter)]), expected, "{filter}");
    }
}

#[test]
fn inactive_codes_are_marked_or_left_out() {
    let shelf = Shelf::of(&[JOBS, &value_set(URL, ALL)]);
    let made = expanded(&shelf, &[]).unwrap();
    let inactive: Vec<_> = made
        .object("expansion")
        .unwrap()
        .objects("contains")
        .filter(|c| c.contains("inactive"))
        .map(|c| c.str("code").unwrap())
        .collect();
    assert_eq!(inactive, ["93"]);
    assert_eq!(codes_of(ALL, &[("activeOnly", "true")]), ["10", "60", "69"]);
    assert_eq!(
        codes_of(r#"{"inactive":false,"include":[{"system":"http://x.example/jobs"}]}"#, &[]),
        ["10", "60", "69"]
    );
}

#[test]
fn listed_codes_get_their_display_and_their_status_from_the_code_system() {
    let compose =
        r#"{"include":[{"system":"http://x.example/jobs","concept":[{"code":"60"},{"code":"93","display":"Psy"}]}]}"#;
    let made = expanded(&Shelf::of(&[JOBS, &value_set(URL, compose)]), &[]).unwrap();
    let shown: Vec<_> = made
        .object("expansion")
        .unwrap()
        .objects("contains")
        .map(|c| (c.str("display").unwrap().to_owned(), c.contains("inactive")))
        .collect();
    assert_eq!(shown, [("Infirmier".to_owned(), false), ("Psy".to_owned(), true)]);
}

#[test]
fn listed_codes_need_no_code_system_here() {
    let compose = r#"{"include":[{"system":"http://loinc.org","concept":[{"code":"11490-0"}]}]}"#;
    assert_eq!(codes(&expanded(&Shelf::of(&[&value_set(URL, compose)]), &[]).unwrap()), ["11490-0"]);
}

#[test]
fn filters_of_the_definition_are_applied() {
    let by = |property: &str, op: &str, value: &str| {
        codes_of(
            &format!(
                r#"{{"include":[{{"system":"http://x.example/jobs","filter":[{{"property":"{property}","op":"{op}","value":"{value}"}}]}}]}}"#
            ),
            &[],
        )
    };
    assert_eq!(by("concept", "is-a", "60"), ["60", "69"]);
    assert_eq!(by("concept", "descendent-of", "60"), ["69"]);
    assert_eq!(by("concept", "is-not-a", "60"), ["10", "93"]);
    assert_eq!(by("concept", "generalizes", "69"), ["60", "69"]);
    assert_eq!(by("order", "=", "ONI"), ["60"]);
    assert_eq!(by("order", "exists", "true"), ["10", "60"]);
    assert_eq!(by("order", "exists", "false"), ["69", "93"]);
    assert_eq!(by("code", "in", "10,69"), ["10", "69"]);
    assert_eq!(by("code", "not-in", "10, 69"), ["60", "93"]);
    assert_eq!(by("parent", "=", "60"), ["69"]);
}

#[test]
fn a_filter_that_is_not_supported_is_refused_with_its_place() {
    let compose =
        r#"{"include":[{"system":"http://x.example/jobs","filter":[{"property":"code","op":"regex","value":"6."}]}]}"#;
    let [issue] =
        <[Issue; 1]>::try_from(expanded(&Shelf::of(&[JOBS, &value_set(URL, compose)]), &[]).unwrap_err()).unwrap();
    assert_eq!(
        (issue.kind, issue.place.as_str()),
        (IssueKind::NotSupported, "ValueSet.compose.include[0].filter[0].op")
    );
}

#[test]
fn exclusions_and_repetitions_are_seen_to() {
    let compose = r#"{"include":[{"system":"http://x.example/jobs"},{"system":"http://x.example/jobs","concept":[{"code":"10"}]}],
        "exclude":[{"system":"http://x.example/jobs","concept":[{"code":"69"}]}]}"#;
    assert_eq!(codes_of(compose, &[]), ["10", "60", "93"]);
}

#[test]
fn included_value_sets_add_up_between_includes_and_intersect_within_one() {
    let nurses = value_set(
        "http://x.example/nurses",
        r#"{"include":[{"system":"http://x.example/jobs","concept":[{"code":"60"},{"code":"69"}]}]}"#,
    );
    let listed = |compose: &str| codes(&expanded(&Shelf::of(&[JOBS, &nurses, &value_set(URL, compose)]), &[]).unwrap());
    let union = r#"{"include":[{"valueSet":["http://x.example/nurses|1"]},{"system":"http://x.example/jobs","concept":[{"code":"10"}]}]}"#;
    assert_eq!(listed(union), ["60", "69", "10"]);
    let both = r#"{"include":[{"system":"http://x.example/jobs","concept":[{"code":"10"},{"code":"60"}],"valueSet":["http://x.example/nurses"]}]}"#;
    assert_eq!(listed(both), ["60"]);
}

#[test]
fn circles_and_explosions_end_with_a_finding() {
    let own = format!(r#"{{"include":[{{"valueSet":["{URL}"]}}]}}"#);
    assert!(expanded(&Shelf::of(&[&value_set(URL, &own)]), &[]).is_err());
    // Each level includes the next forty times: 40^12 inclusions if nothing stopped it.
    let mut levels: Vec<String> = (0..12)
        .map(|level| {
            let next = format!(r#"{{"valueSet":["http://x.example/{}"]}}"#, level + 1);
            let url = if level == 0 { URL.to_owned() } else { format!("http://x.example/{level}") };
            value_set(&url, &format!(r#"{{"include":[{}]}}"#, vec![next; 40].join(",")))
        })
        .collect();
    levels.push(value_set("http://x.example/12", ALL));
    levels.push(JOBS.to_owned());
    let shelf = Shelf::of(&levels.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(expanded(&shelf, &[]).unwrap_err()[0].kind, IssueKind::TooCostly);
}

#[test]
fn what_is_not_here_or_not_whole_here_is_said_with_its_place() {
    for (compose, kind, place) in [
        (r#"{"include":[{"system":"http://loinc.org"}]}"#, IssueKind::NotFound, "ValueSet.compose.include[0].system"),
        (
            r#"{"include":[{"system":"http://x.example/others"}]}"#,
            IssueKind::TooCostly,
            "ValueSet.compose.include[0].system",
        ),
        (
            r#"{"include":[{"valueSet":["http://x.example/none"]}]}"#,
            IssueKind::NotFound,
            "ValueSet.compose.include[0].valueSet[0]",
        ),
        (r#"{"include":[{"version":"1"}]}"#, IssueKind::Required, "ValueSet.compose.include[0]"),
    ] {
        let issues = expanded(&Shelf::of(&[JOBS, OTHERS, &value_set(URL, compose)]), &[]).unwrap_err();
        assert_eq!((issues[0].kind, issues[0].place.as_str()), (kind, place), "{compose}");
    }
    let issues = expanded(&Shelf::of(&[]), &[]).unwrap_err();
    assert_eq!((issues[0].kind, issues[0].place.as_str()), (IssueKind::NotFound, "http.url"));
}

#[test]
fn a_value_set_without_definition_is_what_its_expansion_says() {
    let flat = r#"{"resourceType":"ValueSet","url":"http://x.example/vs","status":"active","expansion":{"timestamp":"2020-01-01","contains":[
        {"system":"s","code":"a","abstract":true,"contains":[{"system":"s","code":"b"}]},{"system":"s","code":"c","inactive":true}]}}"#;
    assert_eq!(codes(&expanded(&Shelf::of(&[flat]), &[("activeOnly", "true")]).unwrap()), ["a", "b"]);
}

#[test]
fn more_codes_than_one_answer_gives_must_be_asked_for_in_pages() {
    let many: Vec<String> = (0..=MOST_CODES).map(|n| format!(r#"{{"code":"c{n}"}}"#)).collect();
    let system = format!(
        r#"{{"resourceType":"CodeSystem","url":"http://x.example/jobs","status":"active","content":"complete","concept":[{}]}}"#,
        many.join(",")
    );
    let set = value_set(URL, ALL);
    let shelf = Shelf::of(&[&system, &set]);
    assert_eq!(expanded(&shelf, &[]).unwrap_err()[0].kind, IssueKind::TooCostly);
    assert_eq!(codes(&expanded(&shelf, &[("count", "2"), ("offset", "9999")]).unwrap()), ["c9999", "c10000"]);
    let none = expanded(&shelf, &[("count", "0")]).unwrap();
    assert!(!none.object("expansion").unwrap().contains("contains"), "FHIR has no empty arrays");
}

#[test]
fn inputs_that_are_not_understood_are_refused() {
    let shelf = Shelf::of(&[JOBS, &value_set(URL, ALL)]);
    for pair in [
        ("filter", "mot ".repeat(60).as_str()),
        ("filters", "x"),
        ("date", "2020"),
        ("count", "-1"),
        ("count", "many"),
        ("activeOnly", "maybe"),
    ] {
        assert!(expanded(&shelf, &[pair]).is_err(), "{pair:?}");
    }
    assert!(expand(None, &query(&[]), &shelf, &circumstances()).is_err());
}

fn verdict_of(compose: &str, pairs: &[(&str, &str)]) -> (bool, String) {
    let mut pairs = pairs.to_vec();
    pairs.push(("url", URL));
    let shelf = Shelf::of(&[JOBS, OTHERS, &value_set(URL, compose)]);
    let answer = validate_code(None, &query(&pairs), &shelf, Language::English).unwrap();
    let said = |name: &str| answer.objects("parameter").find(|p| p.str("name") == Some(name)).cloned();
    let result = said("result").unwrap().get("valueBoolean").and_then(Value::as_bool).unwrap();
    (result, said("message").and_then(|m| m.str("valueString").map(str::to_owned)).unwrap_or_default())
}

#[test]
fn a_code_is_in_a_value_set_or_not() {
    let jobs = ("system", "http://x.example/jobs");
    assert_eq!(verdict_of(ALL, &[jobs, ("code", "60")]), (true, String::new()));
    assert_eq!(verdict_of(ALL, &[jobs, ("code", "60"), ("display", "INFIRMIER")]), (true, String::new()));
    let (valid, message) = verdict_of(ALL, &[jobs, ("code", "61")]);
    assert!(!valid && message.contains("http://x.example/jobs|61") && message.contains("Essai"), "{message}");
    assert!(!verdict_of(ALL, &[("system", "http://x.example/others"), ("code", "60")]).0);
    let (valid, message) = verdict_of(ALL, &[jobs, ("code", "60"), ("display", "Médecin")]);
    assert!(!valid && message.contains("Infirmier"), "{message}");
}

#[test]
fn both_the_display_of_the_value_set_and_that_of_the_code_system_are_right() {
    let compose = r#"{"include":[{"system":"http://x.example/jobs","concept":[{"code":"60","display":"IDE"}]}]}"#;
    for display in ["IDE", "Infirmier"] {
        assert!(verdict_of(compose, &[("system", "http://x.example/jobs"), ("code", "60"), ("display", display)]).0);
    }
}

#[test]
fn the_system_may_be_left_out_where_it_is_clear() {
    assert!(verdict_of(ALL, &[("code", "60")]).0);
    let two = r#"{"include":[{"system":"http://x.example/jobs"},{"system":"http://x.example/others","concept":[{"code":"10"}]}]}"#;
    let shelf = Shelf::of(&[JOBS, OTHERS, &value_set(URL, two)]);
    let unclear = validate_code(None, &query(&[("url", URL), ("code", "10")]), &shelf, Language::English);
    assert_eq!(unclear.unwrap_err()[0].place, "http.system");
}

#[test]
fn a_system_goes_by_any_of_its_names() {
    let note = r#"{"include":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote","concept":[{"code":"OBS"}]}]}"#;
    for system in ["urn:oid:1.2.250.1.213.1.1.4.334", "urn:oid1.2.250.1.213.1.1.4.12", "1.2.250.1.213.1.1.5.98"] {
        assert!(verdict_of(note, &[("system", system), ("code", "OBS")]).0, "{system}");
    }
}

#[test]
fn what_an_answer_repeats_of_its_inputs_is_valid_or_refused() {
    let shelf = Shelf::of(&[&value_set(URL, ALL), JOBS]);
    for (name, value) in [("filter", "m\u{1}"), ("filter", " "), ("displayLanguage", "fr  en")] {
        let issues = expanded(&shelf, &[(name, value)]).unwrap_err();
        assert_eq!(issues.len(), 1, "{name}: {issues:?}");
    }
    let coding = r#"{"resourceType":"Parameters","parameter":[
        {"name":"coding","valueCoding":{"system":"http://x\u0001","code":"\u0002"}},
        {"name":"url","valueUri":"http://x.example/vs"}]}"#;
    let inputs = Inputs::from_parameters(&tree(coding)).unwrap();
    let answer = validate_code(None, &inputs, &shelf, Language::English).unwrap();
    assert_eq!(crate::validate::validate(&answer, crate::release::r4()), []);
}
