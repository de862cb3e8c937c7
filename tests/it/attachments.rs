//! Attachments: stored once, out of the way of searches, whole again when asked for, harmless in a browser.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use liaison_tests::{Server, sample};
use serde_json::{Value, json};

/// Bytes that begin like a PNG: heavy enough to be stored apart.
fn photo(length: usize) -> Vec<u8> {
    let noise = (0..length).map(|at| ((at * 2_654_435_761_usize) >> 7) as u8);
    b"\x89PNG\r\n\x1a\n".iter().copied().chain(noise).collect()
}

fn note_with_photo(circle: &sample::Circle, bytes: &[u8]) -> Value {
    let note = sample::note(&circle.patient, &circle.practitioner, "photo jointe");
    let pieces = json!([note["content"][0], { "attachment": sample::attachment("image/png", bytes) }]);
    sample::with(note, "/content", pieces)
}

#[tokio::test]
async fn a_search_leaves_heavy_data_out_and_says_where_it_is() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let bytes = photo(200_000);
    let name = sample::create(&r4, &note_with_photo(&circle, &bytes)).await;
    let found = r4.get("DocumentReference").await.is(200).matches();
    let light = &found[0]["content"][0]["attachment"];
    assert!(light["data"].is_string(), "the text stays in the note: {light}");
    let heavy = &found[0]["content"][1]["attachment"];
    assert!(heavy.get("data").is_none(), "the photo does not");
    assert_eq!(heavy["size"], bytes.len());
    let sha1 = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    assert_eq!(heavy["hash"], BASE64_STANDARD.encode(sha1));
    let address = heavy["url"].as_str().expect("where it is");
    let raw = r4.request("GET", address).header("accept", "image/png").send().await.is(200);
    assert_eq!(raw.body, bytes);
    assert_eq!(raw.header("content-type"), "image/png");
    let whole = r4.get(&name).await.is(200).json();
    let data = whole["content"][1]["attachment"]["data"].as_str().expect("a read gives the note whole");
    assert_eq!(BASE64_STANDARD.decode(data).unwrap(), bytes);
    let before = r4.get(&format!("{name}/_history/1")).await.is(200).json();
    assert_eq!(before["content"], whole["content"]);
}

/// The entry of a bundle that patches a resource.
fn patching(name: &str, operations: &Value) -> Value {
    let patch = json!({
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": BASE64_STANDARD.encode(operations.to_string())
    });
    json!({ "resource": patch, "request": { "method": "PATCH", "url": name } })
}

#[tokio::test]
async fn a_patch_sees_attachments_whole_wherever_it_comes_in() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let (bytes, others) = (photo(200_000), photo(150_000));
    let place = "/content/1/attachment/data";
    let change = json!([
        { "op": "test", "path": place, "value": BASE64_STANDARD.encode(&bytes) },
        { "op": "replace", "path": place, "value": BASE64_STANDARD.encode(&others) },
        { "op": "remove", "path": "/content/1/attachment/size" },
        { "op": "remove", "path": "/content/1/attachment/hash" },
    ]);
    for kind in ["alone", "batch", "transaction"] {
        let name = sample::create(&r4, &note_with_photo(&circle, &bytes)).await;
        let send = async |operations: &Value| match kind {
            "alone" => {
                let request = r4.request("PATCH", &name);
                request.body("application/json-patch+json", operations.to_string()).send().await.status
            }
            bundle => {
                let answer = r4.post("", &sample::bundle(bundle, vec![patching(&name, operations)])).await;
                match answer.json()["entry"][0]["response"]["status"].as_str() {
                    Some(status) => status[..3].parse().unwrap(),
                    None => answer.status,
                }
            }
        };
        assert_eq!(send(&change).await, 200, "{kind}");
        let note = r4.get(&name).await.is(200).json();
        assert_eq!(note.pointer(place), Some(&json!(BASE64_STANDARD.encode(&others))), "{kind}");
        // The photo is another now: what supposes the first one does not apply.
        assert_eq!(send(&change).await, 412, "{kind}");
        let title = json!([{ "op": "add", "path": "/content/1/attachment/title", "value": "Pansement" }]);
        assert_eq!(send(&title).await, 200, "{kind}");
        let note = r4.get(&name).await.is(200).json();
        assert_eq!(note.pointer(place), Some(&json!(BASE64_STANDARD.encode(&others))), "{kind}: nothing is lost");
    }
}

#[tokio::test]
async fn an_attachment_is_read_in_parts_and_only_when_it_changed() {
    let server = Server::start().await;
    let r4 = server.r4();
    let bytes = photo(100_000);
    let created = r4.request("POST", "Binary").body("image/png", bytes.clone()).send().await.is(201);
    let name = format!("Binary/{}", created.id());
    let get = || r4.request("GET", &name).header("accept", "image/png");
    let whole = get().send().await.is(200);
    assert_eq!(whole.body, bytes);
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let part = get().header("range", "bytes=10-19").send().await.is(206);
    assert_eq!(part.body, bytes[10..20]);
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", bytes.len()));
    assert_eq!(get().header("range", "bytes=-5").send().await.is(206).body, bytes[bytes.len() - 5..]);
    get().header("range", "bytes=999999999-").send().await.is(416);
    get().header("if-none-match", whole.header("etag")).send().await.is(304);
}

#[tokio::test]
async fn a_browser_never_runs_what_was_sent() {
    let server = Server::start().await;
    let r4 = server.r4();
    for (media_type, body) in [
        ("text/html", "<script>alert(1)</script>"),
        ("image/svg+xml", "<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>"),
        ("application/pdf", "%PDF-1.7 x"),
    ] {
        let created = r4.request("POST", "Binary").body(media_type, body).send().await;
        if created.status != 201 {
            assert!([415, 422].contains(&created.status), "{media_type}: {}", created.status);
            continue;
        }
        let raw =
            r4.request("GET", &format!("Binary/{}", created.id())).header("accept", media_type).send().await.is(200);
        assert!(raw.header("content-disposition").starts_with("attachment"), "{media_type}: {:?}", raw.headers);
        assert_eq!(raw.header("x-content-type-options"), "nosniff");
        assert!(raw.header("content-security-policy").contains("sandbox"), "{media_type}: {:?}", raw.headers);
    }
}

#[tokio::test]
async fn a_type_that_is_not_the_bytes_is_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let refused = r4.post("DocumentReference", &note_with_photo(&circle, b"not a picture at all")).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.findings().iter().any(|line| line.contains("content[1]")), "{:?}", refused.findings());
    let status = r4.request("POST", "Binary").body("image/jpeg", "GIF89a").send().await.status;
    assert!([415, 422].contains(&status), "{status}");
}

#[tokio::test]
async fn a_binary_is_a_resource_too() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let binary =
        json!({ "resourceType": "Binary", "contentType": "text/plain", "data": BASE64_STANDARD.encode("bonjour") });
    let name = format!("Binary/{}", r4.post("Binary", &binary).await.is(201).id());
    let as_resource = r4.request("GET", &name).header("accept", "application/fhir+json").send().await.is(200).json();
    assert_eq!(as_resource["data"], binary["data"]);
    assert_eq!(r4.request("GET", &name).header("accept", "text/plain").send().await.is(200).text(), "bonjour");
    let in_stu3 = stu3.request("GET", &name).header("accept", "application/fhir+json").send().await.is(200).json();
    assert_eq!(in_stu3["content"], binary["data"], "STU3 calls it content");
}

#[tokio::test]
async fn the_same_bytes_are_stored_once() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let bytes = photo(2_000_000);
    let written = || server.store().bytes();
    sample::create(&r4, &note_with_photo(&circle, &bytes)).await;
    let once = written();
    for _ in 0..5 {
        sample::create(&r4, &note_with_photo(&circle, &bytes)).await;
    }
    let grown = written() - once;
    assert!(grown < 2_000_000, "five more notes with the same photo added {grown} bytes");
}

#[tokio::test]
async fn an_attachment_that_is_too_large_is_refused() {
    let server = Server::start_with(&[("LIAISON_MAX_ATTACHMENT", "64KB")]).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    r4.post("DocumentReference", &note_with_photo(&circle, &photo(70_000))).await.is(413);
    r4.request("POST", "Binary").body("image/png", photo(70_000)).send().await.is(413);
    r4.post("DocumentReference", &note_with_photo(&circle, &photo(60_000))).await.is(201);
}
