use proptest::prelude::*;

use super::*;
use crate::outcome::Severity;

fn read_text(text: &str) -> Result<Value, Vec<Issue>> {
    read_value(text.as_bytes(), &Limits::default())
}

#[track_caller]
fn refused(text: &str) -> Issue {
    match read_text(text) {
        Ok(value) => panic!("{text:?} was read as {value:?}"),
        Err(issues) => {
            let [issue] = <[Issue; 1]>::try_from(issues).unwrap();
            assert_eq!(issue.severity, Severity::Fatal);
            issue
        }
    }
}

#[track_caller]
fn unchanged(text: &str) {
    let mut out = Vec::new();
    write_value_into(&read_text(text).unwrap(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), text);
}

#[test]
fn digits_order_and_texts_come_back_as_they_were() {
    unchanged(r#"{"z":1.50,"a":[-0,0.10,1E5,1e+5,12345678901234567890.10],"_a":[null,{"id":"x"}],"t":true,"f":false}"#);
    unchanged(r#"["é","œuvre","\"\\\n\r\t\b\f\u0001","𝄞",""]"#);
    unchanged("[]");
    unchanged("{}");
}

#[test]
fn escapes_are_read_and_written_in_their_shortest_form() {
    let mut out = Vec::new();
    write_value_into(&read_text(r#""\u00e9\/\u0041\ud834\udd1e\u000A""#).unwrap(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "\"é/A𝄞\\n\"");
}

#[test]
fn blanks_and_a_byte_order_mark_are_tolerated() {
    let read = read("\u{feff} \r\n\t{ \"a\" : [ 1 , 2 ] } ".as_bytes(), &Limits::default()).unwrap();
    assert_eq!(write(&read), br#"{"a":[1,2]}"#);
}

#[test]
fn pretty_writing_indents_by_two() {
    let tree = read(br#"{"a":[1,{"b":"c"}],"e":[],"o":{}}"#, &Limits::default()).unwrap();
    let pretty = String::from_utf8(write_pretty(&tree)).unwrap();
    assert_eq!(pretty, "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n  \"e\": [],\n  \"o\": {}\n}");
    assert_eq!(read(pretty.as_bytes(), &Limits::default()).unwrap(), tree);
}

#[test]
fn a_repeated_member_is_refused_with_its_place() {
    let issue = refused(
        "{\"resourceType\":\"DocumentReference\",\n \"content\":[{},{\"attachment\":{\"url\":\"a\",\n\"url\":\"b\"}}]}",
    );
    assert_eq!(issue.place, "DocumentReference.content[1].attachment.url");
    assert!(issue.text.en.contains("line 3, column 1"), "{}", issue.text.en);
    assert!(issue.text.fr.contains("ligne 3, colonne 1"), "{}", issue.text.fr);
    assert!(issue.text.fr.contains("« url » figure deux fois"), "{}", issue.text.fr);
}

#[test]
fn a_name_spelled_with_an_escape_is_the_same_name() {
    assert!(refused(r#"{"a":1,"\u0061":2}"#).text.en.contains("twice"));
}

#[test]
fn repeated_members_are_found_among_very_many() {
    let mut members = (0..200_000).map(|i| format!("\"m{i}\":0")).collect::<Vec<_>>();
    assert!(read_text(&format!("{{{}}}", members.join(","))).is_ok());
    members.push("\"m199999\":0".to_owned());
    assert_eq!(refused(&format!("{{{}}}", members.join(","))).place, "m199999");
}

#[test]
fn the_place_of_a_primitive_sibling_is_the_primitive() {
    let issue = refused(r#"{"resourceType":"Patient","_birthDate":{"extension":[nil]}}"#);
    assert_eq!(issue.place, "Patient.birthDate.extension[0]");
}

#[test]
fn what_json_forbids_is_refused() {
    for wrong in [
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "nul",
        "tru",
        "True",
        "NaN",
        "Infinity",
        "+1",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "1_0",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"\t\"",
        "\"\n\"",
        "\"\u{0}\"",
        "[1]2",
        "{} {}",
        "[] x",
        "// c\n1",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"\\udc00\\ud800\"",
        "\u{feff}\u{feff}1",
        "\u{a0}1",
    ] {
        refused(wrong);
    }
}

#[test]
fn a_control_character_is_found_wherever_it_stands_in_a_string() {
    for length in [0, 1, 7, 8, 9, 62, 63, 64, 65, 200, 5000] {
        for tail in [0, 1, 7, 8, 100, 5000] {
            let text = format!("\"{}\u{1f}{}\"", "é".repeat(length), "y".repeat(tail));
            assert!(refused(&text).text.en.contains("control character"));
            unchanged(&format!("\"{}\\u001f{}\"", "x".repeat(length), "ÿ".repeat(tail)));
            unchanged(&format!("\"{} \\\"\u{7f}{}\"", "x".repeat(length), "\u{80}".repeat(tail)));
        }
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused_with_their_position() {
    let issues = read_value(b"{\n\"a\":\"\xff\"}", &Limits::default()).unwrap_err();
    assert!(issues[0].text.en.contains("UTF-8 (line 2, column 6)"), "{}", issues[0].text.en);
    // Columns are characters, however many bytes they have.
    let issues = read_value("[\"éà€\",x]".as_bytes(), &Limits::default()).unwrap_err();
    assert!(issues[0].text.en.contains("line 1, column 8"), "{}", issues[0].text.en);
}

#[test]
fn nesting_is_refused_beyond_the_limit_and_not_before() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let limits = Limits { depth: 10, ..Limits::default() };
    assert!(read_value(nested(10).as_bytes(), &limits).is_ok());
    let issues = read_value(nested(11).as_bytes(), &limits).unwrap_err();
    assert_eq!(issues[0].kind, crate::outcome::IssueKind::TooCostly);
    assert_eq!(issues[0].place, "[0]".repeat(10));
    let no_limit = Limits { depth: usize::MAX, ..Limits::default() };
    assert!(read_value(nested(1_000_000).as_bytes(), &no_limit).is_err());
    assert!(read_value("{\"a\":".repeat(1_000_000).as_bytes(), &no_limit).is_err());
}

#[test]
fn siblings_are_no_nesting() {
    let limits = Limits { depth: 2, ..Limits::default() };
    assert!(read_value(b"[[],[],{},[]]", &limits).is_ok());
}

#[test]
fn size_and_number_of_values_are_bounded() {
    let limits = Limits { bytes: 5, nodes: 3, ..Limits::default() };
    assert!(read_value(b"[1,2]", &limits).is_ok());
    assert!(read_value(b"[1, 2]", &limits).unwrap_err()[0].text.en.contains("6 bytes; the limit is 5"));
    let issues = read_value(b"[1,2,3]", &Limits { bytes: 100, ..limits }).unwrap_err();
    assert!(issues[0].text.en.contains("too many values"));
}

#[test]
fn absurd_numbers_are_refused() {
    assert!(refused(&"9".repeat(65)).text.en.contains("longer than 64"));
    assert!(refused("1e301").text.en.contains("exponent"));
    assert!(refused("1e-99999999999999999999").text.en.contains("exponent"));
    unchanged("1e-300");
}

#[test]
fn a_resource_is_an_object() {
    let issues = read(b"[1]", &Limits::default()).unwrap_err();
    assert!(issues[0].text.en.contains("an array"), "{}", issues[0].text.en);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?".prop_map(|n| Value::Number(n.into())),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x7f]{0,100}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::btree_map("[a-zé\"_]{0,30}", inner, 0..40)
                .prop_map(|m| Value::Object(m.into_iter().map(|(k, v)| (k.into(), v)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_tree_survives_writing_and_reading(value in any_value()) {
        let mut out = Vec::new();
        write_value_into(&value, &mut out);
        prop_assert_eq!(read_value(&out, &Limits::default()).unwrap(), value);
    }

    #[test]
    fn what_we_write_is_what_serde_json_reads(value in any_value()) {
        let mut out = Vec::new();
        write_value_into(&value, &mut out);
        let theirs: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let pretty = write_pretty(&crate::object! { "v" => value });
        let theirs_pretty: serde_json::Value = serde_json::from_slice(&pretty).unwrap();
        prop_assert_eq!(&theirs_pretty["v"], &theirs);
    }

    #[test]
    fn random_bytes_are_judged_as_serde_json_judges_them(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        agrees_with_serde_json(&bytes);
    }

    #[test]
    fn json_like_text_is_judged_as_serde_json_judges_it(text in "[ \\[\\]{},:\"\\\\ue0-9.+\\-trlfanps\\x01é]{0,24}") {
        agrees_with_serde_json(text.as_bytes());
    }

    #[test]
    fn spoiled_json_is_judged_as_serde_json_judges_it(
        value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut out = Vec::new();
        write_value_into(&value, &mut out);
        let at = at.index(out.len());
        if cut { out.remove(at); } else { out[at] = byte; }
        agrees_with_serde_json(&out);
    }
}

/// Validity must be the same but for what we refuse on purpose: a byte order mark is ours to
/// accept, repeated names and numbers beyond our bounds are ours to refuse.
fn agrees_with_serde_json(bytes: &[u8]) {
    let ours = read_value(bytes, &Limits::default());
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    match (&ours, &theirs) {
        (Ok(_), Err(error)) => panic!("we read {:?}, serde_json says {error}", String::from_utf8_lossy(bytes)),
        (Err(issues), Ok(_)) => {
            let why = &issues[0].text.en;
            assert!(
                ["twice", "exponent", "longer than"].iter().any(|w| why.contains(w)),
                "{:?}: {why}",
                String::from_utf8_lossy(bytes)
            );
        }
        _ => {}
    }
}
