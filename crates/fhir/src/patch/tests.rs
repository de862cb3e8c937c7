use proptest::prelude::*;

use super::*;
use crate::json::{self, Limits};

fn tree(text: &str) -> Object {
    json::read(text.as_bytes(), &Limits::default()).expect("test data")
}

fn value(text: &str) -> Value {
    json::read_value(text.as_bytes(), &Limits::default()).expect("test data")
}

fn patched(target: &str, patch: &str) -> Result<String, Issue> {
    let mut target = tree(target);
    apply(&mut target, &value(patch))?;
    Ok(String::from_utf8(json::write(&target)).expect("UTF-8"))
}

#[test]
fn what_a_patch_does_not_touch_keeps_digits_and_order() {
    let result = patched(
        r#"{"b":1.50,"a":[0.1000000000000000055511151231257827],"status":"current"}"#,
        r#"[{"op":"replace","path":"/status","value":"superseded"}]"#,
    );
    assert_eq!(result.unwrap(), r#"{"b":1.50,"a":[0.1000000000000000055511151231257827],"status":"superseded"}"#);
}

#[test]
fn each_operation_does_what_rfc_6902_says() {
    let cases = [
        (r#"{"a":[1,3]}"#, r#"[{"op":"add","path":"/a/1","value":2}]"#, r#"{"a":[1,2,3]}"#),
        (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/-","value":2}]"#, r#"{"a":[1,2]}"#),
        (r#"{"a":1}"#, r#"[{"op":"add","path":"/a","value":2}]"#, r#"{"a":2}"#),
        (r#"{"a":1,"b":2}"#, r#"[{"op":"remove","path":"/a"}]"#, r#"{"b":2}"#),
        (r#"{"a":[1,2]}"#, r#"[{"op":"remove","path":"/a/0"}]"#, r#"{"a":[2]}"#),
        (r#"{"a":{"x":1},"b":{}}"#, r#"[{"op":"move","from":"/a/x","path":"/b/y"}]"#, r#"{"a":{},"b":{"y":1}}"#),
        (r#"{"a":{"x":1}}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":{"x":1},"b":{"x":1}}"#),
        (
            r#"{"a/b":1,"m~n":2}"#,
            r#"[{"op":"replace","path":"/a~1b","value":3},{"op":"remove","path":"/m~0n"}]"#,
            r#"{"a/b":3}"#,
        ),
        (
            r#"{"a":{"x":1,"y":[1.0]}}"#,
            r#"[{"op":"test","path":"/a","value":{"y":[1.00],"x":10e-1}}]"#,
            r#"{"a":{"x":1,"y":[1.0]}}"#,
        ),
    ];
    for (target, patch, expected) in cases {
        assert_eq!(patched(target, patch).expect(patch), expected);
    }
}

#[test]
fn a_patch_that_fails_midway_leaves_the_target_as_it_was() {
    let mut target = tree(r#"{"a":1}"#);
    let before = target.clone();
    let patch = value(r#"[{"op":"replace","path":"/a","value":2},{"op":"test","path":"/a","value":3}]"#);
    let issue = apply(&mut target, &patch).unwrap_err();
    assert_eq!((issue.kind, issue.place.as_str()), (IssueKind::Conflict, "patch[1]"));
    assert_eq!(target, before);
}

#[test]
fn what_is_not_understood_is_refused_naming_the_operation() {
    let cases = [
        (r#"{"op":"add"}"#, IssueKind::Structure, "patch"),
        (r#"[{"op":"add","path":"/a"}]"#, IssueKind::Required, "patch[0]"),
        (r#"[{"op":"ad","path":"/a","value":1}]"#, IssueKind::Value, "patch[0]"),
        (r#"[{"op":"remove","path":"a"}]"#, IssueKind::Value, "patch[0]"),
        (r#"[{"op":"remove","path":"/~2"}]"#, IssueKind::Value, "patch[0]"),
        (r#"[{"op":"remove","path":"/nowhere"}]"#, IssueKind::NotFound, "patch[0]"),
        (r#"[{"op":"remove","path":"/a/01"}]"#, IssueKind::NotFound, "patch[0]"),
        (r#"[{"op":"remove","path":"/a/1"}]"#, IssueKind::NotFound, "patch[0]"),
        (r#"[{"op":"add","path":"/a/9","value":1}]"#, IssueKind::NotFound, "patch[0]"),
        (r#"[{"op":"remove","path":""}]"#, IssueKind::Value, "patch[0]"),
        (r#"[{"op":"move","from":"/a","path":"/a/0"}]"#, IssueKind::Value, "patch[0]"),
        (r#"[{"op":"replace","path":"","value":[]}]"#, IssueKind::Structure, "patch"),
    ];
    for (patch, kind, place) in cases {
        let issue = patched(r#"{"a":[1]}"#, patch).expect_err(patch);
        assert_eq!((issue.kind, issue.place.as_str()), (kind, place), "{patch}");
    }
}

#[test]
fn objects_are_equal_by_their_names_as_well() {
    let tests =
        |value: &str| patched(r#"{"a":{"x":1,"y":2}}"#, &format!(r#"[{{"op":"test","path":"/a","value":{value}}}]"#));
    assert!(tests(r#"{"y":2,"x":1}"#).is_ok());
    for other in [r#"{"x":1,"z":2}"#, r#"{"x":1,"y":3}"#, r#"{"x":1}"#, r#"{"x":1,"y":2,"z":3}"#] {
        assert_eq!(tests(other).unwrap_err().kind, IssueKind::Conflict, "{other}");
    }
}

#[test]
fn lists_and_texts_are_equal_item_by_item() {
    let tests =
        |value: &str| patched(r#"{"a":["x",null,true]}"#, &format!(r#"[{{"op":"test","path":"/a","value":{value}}}]"#));
    assert!(tests(r#"["x",null,true]"#).is_ok());
    for other in
        [r#"["x",null]"#, r#"["x",null,true,1]"#, r#"["y",null,true]"#, r#"["x",null,false]"#, r#"["x",1,true]"#]
    {
        assert_eq!(tests(other).unwrap_err().kind, IssueKind::Conflict, "{other}");
    }
}

#[test]
fn lists_in_lists_count_as_depth() {
    let set = |depth: usize| {
        let nested = (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]));
        let operation = crate::object! { "op" => "add", "path" => "/a", "value" => nested };
        apply(&mut tree("{}"), &Value::Array(vec![operation.into()]))
    };
    assert!(set(MAX_DEPTH - 1).is_ok());
    assert_eq!(set(MAX_DEPTH).unwrap_err().kind, IssueKind::TooCostly);
}

#[test]
fn a_patch_has_so_many_operations_and_no_more() {
    let of = |operations: usize| {
        let operation = r#"{"op":"replace","path":"/a","value":2}"#;
        patched(r#"{"a":1}"#, &format!("[{}]", vec![operation; operations].join(",")))
    };
    assert!(of(MAX_OPERATIONS).is_ok());
    assert_eq!(of(MAX_OPERATIONS + 1).unwrap_err().place, "patch");
}

#[test]
fn copying_again_and_again_is_bounded() {
    let doubling = r#"{"op":"copy","from":"/a","path":"/a/-"}"#;
    let patch = format!("[{}]", vec![doubling; 64].join(","));
    let issue = patched(r#"{"a":[[1,2,3]]}"#, &patch).unwrap_err();
    assert_eq!(issue.kind, IssueKind::TooCostly);
}

#[test]
fn copying_a_large_text_again_and_again_is_bounded() {
    let target = format!(r#"{{"data":"{}","a":[]}}"#, "A".repeat(10_000_000));
    let copy = r#"{"op":"copy","from":"/data","path":"/a/-"}"#;
    assert!(patched(&target, &format!("[{}]", [copy; 4].join(","))).is_ok());
    let issue = patched(&target, &format!("[{}]", [copy; 6].join(","))).unwrap_err();
    assert_eq!((issue.kind, issue.place.as_str()), (IssueKind::TooCostly, "patch[4]"));
}

#[test]
fn testing_huge_objects_is_no_square() {
    let members =
        |order: &mut dyn Iterator<Item = u32>| order.map(|i| format!("\"m{i}\":{i}")).collect::<Vec<_>>().join(",");
    let patch = format!(r#"[{{"op":"test","path":"/a","value":{{{}}}}}]"#, members(&mut (0..90_000).rev()));
    assert!(patched(&format!(r#"{{"a":{{{}}}}}"#, members(&mut (0..90_000))), &patch).is_ok());
    assert!(patched(&format!(r#"{{"a":{{{}}}}}"#, members(&mut (1..90_001))), &patch).is_err());
}

#[test]
fn nesting_deeper_and_deeper_is_bounded() {
    let mut operations = Vec::new();
    let mut path = "/a".to_owned();
    for _ in 0..20 {
        operations.push(format!(r#"{{"op":"copy","from":"/a","path":"{path}/a"}}"#));
        path = path.repeat(2);
    }
    let issue = patched(r#"{"a":{}}"#, &format!("[{}]", operations.join(","))).unwrap_err();
    assert_eq!(issue.kind, IssueKind::TooCostly);
    let deep = format!("{}{}", r#"{"b":"#.repeat(200), "1".to_owned() + &"}".repeat(200));
    let patch = format!(
        r#"[{{"op":"add","path":"/a/a","value":{{}}}},{{"op":"replace","path":"/a","value":{deep}}},{{"op":"copy","from":"/a","path":"/a{}"}}]"#,
        "/b".repeat(199)
    );
    let mut target = tree(r#"{"a":{}}"#);
    let patch = json::read_value(patch.as_bytes(), &Limits { depth: 256, ..Limits::default() }).expect("test data");
    assert_eq!(apply(&mut target, &patch).unwrap_err().kind, IssueKind::TooCostly);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        (0..50_u32).prop_map(serde_json::Value::from),
        "[a-c~/]{0,3}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-c~/]{1,2}", inner, 0..4)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["[a-c]", "[0-3]", Just("-".to_owned()), Just("a~1".to_owned())], 1..4)
        .prop_map(|steps| steps.iter().map(|s| format!("/{s}")).collect())
}

fn any_operation() -> impl Strategy<Value = serde_json::Value> {
    (0..6_usize, any_path(), any_path(), any_json()).prop_map(|(op, path, from, value)| match op {
        0 => serde_json::json!({"op": "add", "path": path, "value": value}),
        1 => serde_json::json!({"op": "remove", "path": path}),
        2 => serde_json::json!({"op": "replace", "path": path, "value": value}),
        3 => serde_json::json!({"op": "move", "path": path, "from": from}),
        4 => serde_json::json!({"op": "copy", "path": path, "from": from}),
        _ => serde_json::json!({"op": "test", "path": path, "value": value}),
    })
}

proptest! {
    /// An independent implementation of RFC 6902 agrees, on success and on the result.
    #[test]
    fn an_independent_implementation_agrees(
        members in proptest::collection::btree_map("[a-c]", any_json(), 0..4),
        operations in proptest::collection::vec(any_operation(), 1..4),
    ) {
        let mut theirs = serde_json::Value::Object(members.into_iter().collect());
        let mut ours = tree(&theirs.to_string());
        let patch = serde_json::Value::from(operations);
        let reference: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        // Not `json_patch::patch`: taking back what failed, it panics on some arrays.
        let expected = json_patch::patch_unsafe(&mut theirs, &reference);
        let result = apply(&mut ours, &value(&patch.to_string()));
        prop_assert_eq!(result.is_ok(), expected.is_ok(), "{:?} {:?}", result, expected);
        if result.is_ok() {
            let ours: serde_json::Value = serde_json::from_slice(&json::write(&ours)).unwrap();
            prop_assert_eq!(ours, theirs);
        }
    }
}
