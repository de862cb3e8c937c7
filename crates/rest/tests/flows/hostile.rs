//! No request gets a 500, a panic or a hang; every refusal is an `OperationOutcome`.

use std::io::Write as _;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::house::House;

/// Addresses, whole and broken.
fn paths() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("Patient"),
        Just("DocumentReference"),
        Just("Binary"),
        Just("Bundle"),
        Just("ValueSet"),
        Just("Nothing"),
        Just("_search"),
        Just("_history"),
        Just("metadata"),
        Just("$validate"),
        Just("$expand"),
        Just("1"),
        Just("a%2Fb"),
        Just("%ff"),
        Just(""),
        Just("é"),
    ]
    .prop_map(|s| if s == "é" { "%C3%A9".to_owned() } else { s.to_owned() });
    let query = prop_oneof![
        Just(String::new()),
        "[?](_id|_count|_cursor|_sort|_include|_elements|_format|subject:Patient\\.identifier|date|_has:x:y:z)=[a-z0-9|,$:*.%-]{0,12}",
        "[?][!-~&&[^#<>\"`{}\\\\^ ]]{0,30}",
    ];
    (prop_oneof![Just("/fhir/r4"), Just("/fhir/stu3")], prop::collection::vec(segment, 0..5), query)
        .prop_map(|(base, segments, query)| format!("{base}/{}{query}", segments.join("/")))
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        "\"[a-zA-Z/:. ]{0,12}\"",
        "-?[0-9]{1,20}",
    ];
    let name = prop_oneof![
        Just("resourceType"),
        Just("id"),
        Just("type"),
        Just("entry"),
        Just("meta"),
        Just("content"),
        Just("status"),
        Just("_status"),
        Just("data"),
    ];
    let object = prop::collection::vec((name, value), 0..5).prop_map(|members| {
        let members: Vec<String> = members.into_iter().map(|(n, v)| format!("\"{n}\":{v}")).collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    });
    let entry = "[a-z]{0,8}".prop_map(|id| {
        format!(
            "{{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{{\"fullUrl\":\"urn:uuid:{id}\",\"resource\":{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}},\"request\":{{\"method\":\"PUT\",\"url\":\"Patient/{id}\"}}}},{{\"request\":{{\"method\":\"GET\",\"url\":\"Patient?{id}\"}}}}]}}"
        )
        .into_bytes()
    });
    prop_oneof![object, entry, prop::collection::vec(any::<u8>(), 0..40)]
}

#[test]
fn no_request_gets_a_500() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::open());
    let methods = prop_oneof![
        Just("GET"),
        Just("POST"),
        Just("PUT"),
        Just("PATCH"),
        Just("DELETE"),
        Just("HEAD"),
        Just("OPTIONS")
    ];
    let types = prop_oneof![
        Just("application/fhir+json"),
        Just("application/fhir+xml"),
        Just("application/json-patch+json"),
        Just("application/x-www-form-urlencoded"),
        Just("image/png"),
    ];
    let headers = prop_oneof![
        Just(("accept", "*/*")),
        Just(("if-match", "W/\"1\"")),
        Just(("if-none-exist", "identifier=a|b")),
        Just(("prefer", "return=OperationOutcome")),
        Just(("range", "bytes=5-1")),
        Just(("idempotency-key", "k")),
        Just(("content-encoding", "gzip")),
        Just(("if-none-match", "*")),
    ];
    let requests = (methods, paths(), types, headers, bodies());
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    runner
        .run(&requests, |(method, path, content_type, header, body)| {
            let answer = runtime.block_on(house.send(
                &format!("{method} {path}"),
                &[("content-type", content_type), header],
                body,
            ));
            let status = answer.status.as_u16();
            prop_assert!(status < 500, "{status} {method} {path}: {}", answer.text());
            if status >= 400 && method != "HEAD" {
                let text = answer.text();
                prop_assert!(text.contains("OperationOutcome"), "{status} {method} {path}: {text}");
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn what_decompresses_beyond_the_limit_is_refused() {
    let house = House::open().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(b"{\"resourceType\":\"Patient\",\"language\":\"").unwrap();
    for _ in 0..40 {
        gzip.write_all(&vec![b'a'; 1024 * 1024]).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let headers = [("content-type", "application/fhir+json"), ("content-encoding", "gzip")];
    house.send("POST /fhir/r4/Patient", &headers, bomb).await.expect(413);
    house.send("POST /fhir/r4/Patient", &headers, "not gzip").await.expect(400);
    let br = [("content-type", "application/fhir+json"), ("content-encoding", "br")];
    house.send("POST /fhir/r4/Patient", &br, "x").await.expect(415);
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let house = House::open().await;
    let answer = house.send("GET /fhir/r4/metadata", &[("accept-encoding", "gzip")], "").await.expect(200);
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(answer.body.len() < 60_000, "{}", answer.body.len());
}
