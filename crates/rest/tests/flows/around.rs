//! What every answer carries, and what happens around the routes.

use std::io::Read as _;

use serde_json::json;

use crate::house::House;

const PATHS: [(&str, u16); 4] =
    [("/fhir/r4/Patient/a", 200), ("/fhir/r4/metadata", 200), ("/fhir/r4/Patient/nobody", 404), ("/fhir/nothing", 404)];

async fn house_with_a_patient() -> House {
    let house = House::open().await;
    let patient = json!({ "resourceType": "Patient", "id": "a", "name": [{ "family": "Morel" }] });
    house.put_json("PUT /fhir/r4/Patient/a", &patient).await.expect(201);
    house
}

#[tokio::test]
async fn every_answer_has_what_browsers_and_caches_need() {
    let house = house_with_a_patient().await;
    for (path, status) in PATHS {
        for encoding in ["", "identity", "gzip"] {
            let headers = [("accept-encoding", encoding), ("x-request-id", "mine")];
            let answer = house.send(&format!("GET {path}"), &headers, "").await;
            assert_eq!(answer.status.as_u16(), status, "{path}");
            for (name, value) in [
                ("x-request-id", "mine"),
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
                ("referrer-policy", "no-referrer"),
                ("vary", "accept, accept-language, accept-encoding, prefer"),
            ] {
                let found: Vec<_> = answer.headers.get_all(name).iter().collect();
                assert_eq!(found, [value], "{path}, {encoding}: {name}");
            }
            let cached = if path.ends_with("metadata") { "public, max-age=60" } else { "no-cache, private" };
            assert_eq!(answer.header("cache-control"), cached, "{path}");
        }
    }
}

#[tokio::test]
async fn requests_without_a_name_are_given_different_ones() {
    let house = house_with_a_patient().await;
    let [one, other] = [house.get("/fhir/r4/Patient/a").await, house.get("/fhir/r4/Patient/a").await];
    assert_eq!(one.header("x-request-id").len(), 32);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn an_answer_is_compressed_only_for_those_who_take_it() {
    let house = house_with_a_patient().await;
    // One that is compressed with each answer, and one that is kept compressed.
    for path in ["/fhir/r4/Patient/a", "/fhir/r4/metadata", "/fhir/r4/metadata"] {
        let (plain, asked) = (house.get(path).await.expect(200), format!("GET {path}"));
        for accepted in ["gzip", "br, gzip", "br, gzip;q=0.5", "*"] {
            let answer = house.send(&asked, &[("accept-encoding", accepted)], "").await.expect(200);
            assert_eq!(answer.header("content-encoding"), "gzip", "{accepted}");
            let mut text = String::new();
            flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap();
            assert_eq!(text, plain.text(), "{accepted}");
            assert_eq!(answer.header("etag"), plain.header("etag"));
            assert_eq!(answer.header("vary"), plain.header("vary"));
        }
        for accepted in ["gzip;q=0", "br", "identity", ""] {
            let answer = house.send(&asked, &[("accept-encoding", accepted)], "").await.expect(200);
            assert_eq!((answer.header("content-encoding"), answer.text()), ("", plain.text()), "{accepted}");
        }
    }
}

#[tokio::test]
async fn bodies_are_taken_out_of_the_encoding_whatever_its_letters() {
    use std::io::Write as _;
    let house = House::open().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(br#"{"resourceType":"Patient"}"#).unwrap();
    let body = gzip.finish().unwrap();
    for encoding in ["gzip", "GZIP"] {
        let headers = [("content-type", "application/fhir+json"), ("content-encoding", encoding)];
        house.send("POST /fhir/r4/Patient", &headers, body.clone()).await.expect(201);
    }
    for (encoding, status) in [("identity", 201), ("deflate", 415), ("gzip, gzip", 415)] {
        let headers = [("content-type", "application/fhir+json"), ("content-encoding", encoding)];
        house.send("POST /fhir/r4/Patient", &headers, r#"{"resourceType":"Patient"}"#).await.expect(status);
    }
}

#[tokio::test]
async fn each_caller_sees_the_host_that_it_named() {
    let house = house_with_a_patient().await;
    for host in ["one.example.org", "other.example.org:8080", "one.example.org"] {
        let found = house.send_to(host, "GET /fhir/r4/Patient?_id=a").await.expect(200).json();
        assert_eq!(found["entry"][0]["fullUrl"], format!("http://{host}/fhir/r4/Patient/a"));
        let statement = house.send_to(host, "GET /fhir/r4/metadata").await.expect(200).json();
        assert_eq!(statement["implementation"]["url"], format!("http://{host}/fhir/r4"));
    }
}

#[tokio::test]
async fn a_statement_that_is_known_is_not_sent_again() {
    let house = House::open().await;
    let told = house.get("/fhir/r4/metadata").await.expect(200);
    let etag = told.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    for known in [etag.as_str(), "*", &format!("\"other\", {etag}")] {
        let again = house.send("GET /fhir/r4/metadata", &[("if-none-match", known)], "").await.expect(304);
        assert!(again.body.is_empty());
        assert_eq!((again.header("etag"), again.header("cache-control")), (etag.as_str(), "public, max-age=60"));
    }
    house.send("GET /fhir/r4/metadata", &[("if-none-match", "W/\"1\"")], "").await.expect(200);
    // Another form is another representation.
    for path in ["/fhir/r4/metadata?_format=xml", "/fhir/r4/metadata?_pretty=true", "/fhir/stu3/metadata"] {
        let other = house.send(&format!("GET {path}"), &[("if-none-match", &etag)], "").await.expect(200);
        assert_ne!(other.header("etag"), etag, "{path}");
        let again = house.get(path).await.expect(200);
        assert_eq!((again.body, again.headers["etag"].clone()), (other.body, other.headers["etag"].clone()), "{path}");
    }
}
