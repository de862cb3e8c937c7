//! Whatever is sent, the server answers something sensible: never 500, never nothing.
//! The client fails a test on a 500, the server's drop on a panic.

use std::time::Duration;

use liaison_tests::{Server, sample};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Values of a strategy, the same in every run.
fn some<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_in_a_body_are_too_strange() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    for (at, body) in some(prop::collection::vec(any::<u8>(), 0..400), 300).into_iter().enumerate() {
        let media_type =
            ["application/fhir+json", "application/fhir+xml", "application/json-patch+json", "multipart/form-data"]
                [at % 4];
        let address = ["Patient", "", "DocumentReference", "Bundle", "Binary", "Patient/$validate"][at % 6];
        let base = if at % 2 == 0 { &r4 } else { &stu3 };
        let method = ["POST", "PUT", "PATCH"][at % 3];
        let answer = base.request(method, address).body(media_type, body).send().await;
        assert!((200..500).contains(&answer.status), "{}: {}", answer.asked, answer.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_to_a_good_body_is_too_strange() {
    let server = Server::start().await;
    let examples: [(&str, &[u8]); 3] = [
        ("r4", include_bytes!("../data/cdl-r4-transaction-as-published.json")),
        ("stu3", include_bytes!("../data/cdl-2017-create-as-printed.json")),
        ("stu3", include_bytes!("../data/cdl-2017-create-conformant.json")),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6);
    for (at, edits) in some(edits, 300).into_iter().enumerate() {
        let (base, example) = examples[at % examples.len()];
        let mut body = example.to_vec();
        for (place, byte, kind) in edits {
            let place = place.index(body.len());
            match kind {
                0 => body[place] = byte,
                1 => drop(body.remove(place)),
                _ => body.truncate(place.max(1)),
            }
        }
        let client = if base == "r4" { server.r4() } else { server.stu3() };
        let answer = client.request("POST", "Bundle").body("application/fhir+json", body).send().await;
        assert!((200..500).contains(&answer.status), "{}", answer.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_search_is_too_strange() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    sample::circle(&r4).await;
    let names = prop::sample::select(vec![
        "subject",
        "author",
        "author:Practitioner.name",
        "date",
        "type",
        "identifier",
        "_id",
        "_sort",
        "_include",
        "_count",
        "_has:Patient:x:y",
        "_lastUpdated",
        "patient.identifier",
        "_elements",
        "_total",
        "_cursor",
        "_summary",
        "created",
        "_revinclude:iterate",
        "security-label",
        "_filter",
        "_text",
        "_query",
        "period",
        "relatesto:DocumentReference.author",
    ]);
    let values = prop_oneof![
        "[a-zA-Z0-9|$,\\\\:./*=<>%&+-]{0,30}",
        "\\PC{0,12}",
        "(eq|ne|gt|lt|ge|le|sa|eb|ap)?-?[0-9]{1,9}(-[0-9]{1,3}){0,3}(T[0-9:.]{0,12})?(Z|[+]99:99)?",
        "(DocumentReference|Patient|\\*):[a-z:]{0,12}",
    ];
    for (at, (name, value)) in some((names, values), 600).into_iter().enumerate() {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let base = if at % 2 == 0 { &r4 } else { &stu3 };
        let answer = base.get(&format!("DocumentReference?{name}={encoded}")).await;
        assert!((200..500).contains(&answer.status), "{name}={value}: {}", answer.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_on_the_wire_are_too_strange() {
    let server = Server::start().await;
    let address = server.root().trim_start_matches("http://").to_owned();
    let heads = [
        "GET /fhir/r4/Patient/%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /fhir/r4/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /fhir/r4/Patient?%zz=%&&&=&a HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: \u{1}\r\nContent-Length: 2\r\n\r\n{}",
        "POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /fhir/r4/metadata HTTP/1.1\r\nHost: x\r\nAccept: ;;;,,,q=\r\nAccept-Language: *;q=9e99\r\nIf-None-Match: W/\r\nRange: bytes=-\r\n\r\n",
        "\u{0}\u{0}\u{0}\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
    ];
    for head in heads {
        let mut stream = TcpStream::connect(&address).await.expect("the server listens");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        // Some of these are unfinished on purpose: the server may wait for the rest.
        let _ = timeout(Duration::from_millis(500), stream.read_to_end(&mut answer)).await;
        let status = String::from_utf8_lossy(&answer).chars().skip(9).take(3).collect::<String>();
        assert_ne!(status, "500", "{head:?}");
    }
    server.r4().get("metadata").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_values_and_never_statements() {
    let server = Server::start().await;
    let r4 = server.r4();
    sample::circle(&r4).await;
    for value in [
        "x' OR '1'='1",
        "x\" OR \"1\"=\"1",
        "'; DROP TABLE resource; --",
        "x') UNION SELECT * FROM sqlite_master --",
        "%",
        "_",
        "x' || (SELECT 1) || '",
        "$1",
        "?1",
        "\\' OR 1=1 --",
    ] {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for parameter in
            ["identifier", "family:exact", "_id", "family:contains", "address-city", "general-practitioner"]
        {
            let answer = r4.get(&format!("Patient?{parameter}={encoded}")).await;
            if answer.status == 200 {
                assert_eq!(answer.matches().len(), 0, "{parameter}={value}");
            } else {
                assert_eq!(answer.status, 400, "{parameter}={value}: {}", answer.text());
            }
        }
        assert!((400..500).contains(&r4.get(&format!("Patient/{encoded}")).await.status), "{value}");
        assert!((400..500).contains(&r4.get(&format!("Patient?{encoded}=1")).await.status), "{value}");
    }
    assert_eq!(r4.get("Patient").await.is(200).matches().len(), 1, "everything is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_never_taken_for_two() {
    let server = Server::start().await;
    let address = server.root().trim_start_matches("http://").to_owned();
    let hidden = "GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n";
    let json = "Content-Type: application/fhir+json\r\n";
    for (what, head, body) in [
        ("two lengths", "Content-Length: 0\r\nContent-Length: 41\r\n", hidden),
        ("a length in a list", "Content-Length: 0, 41\r\n", hidden),
        ("a length with a sign", "Content-Length: +0\r\n", hidden),
        ("a length that is none", "Content-Length: 0x0\r\n", hidden),
        ("an encoding that is not the last", "Transfer-Encoding: chunked, identity\r\n", hidden),
        ("an encoding nobody knows", "Transfer-Encoding: xchunked\r\n", hidden),
        ("a blank before the colon", "Content-Length : 0\r\n", hidden),
        ("a name that goes on", "X: a\r\n Content-Length: 41\r\n", hidden),
        ("an encoding in a line of its own", "Transfer-Encoding:\x0bchunked\r\n", hidden),
        (
            "a piece of a strange length",
            "Transfer-Encoding: chunked\r\n",
            "0x0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n",
        ),
    ] {
        let mut stream = TcpStream::connect(&address).await.expect("the server listens");
        let request = format!("POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\n{json}{head}\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_millis(700), stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        // What hides in it was never answered.
        assert!(answer.matches("HTTP/1.1 ").count() <= 1 && !answer.contains("200 OK"), "{what}: {answer}");
    }
}
