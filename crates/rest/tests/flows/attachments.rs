//! Heavy attachments, and `Binary` as bytes.

use serde_json::{Value, json};

use crate::house::House;

/// 40,000 bytes of a picture that no decoder will see.
fn picture() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend((0..39_992_u32).map(|n| (n % 251) as u8));
    bytes
}

fn base64(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = u32::from(chunk[0]) << 16
            | u32::from(*chunk.get(1).unwrap_or(&0)) << 8
            | u32::from(*chunk.get(2).unwrap_or(&0));
        for at in 0..4 {
            let digit = DIGITS[(n >> (18 - 6 * at) & 63) as usize] as char;
            let _ = write!(out, "{}", if at <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

async fn note_with_picture(house: &House) -> Value {
    let patient = json!({ "resourceType": "Patient", "name": [{ "family": "Lebrun" }] });
    let patient = house.put_json("POST /fhir/r4/Patient", &patient).await.expect(201).id();
    json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": { "reference": format!("Patient/{patient}") },
        "content": [{ "attachment": { "contentType": "image/png", "data": base64(&picture()), "title": "Plaie" } }],
    })
}

#[tokio::test]
async fn searches_leave_heavy_data_out_and_give_an_address_that_works() {
    let house = House::open().await;
    let sent = note_with_picture(&house).await;
    let created = house.put_json("POST /fhir/r4/DocumentReference", &sent).await.expect(201);
    let id = created.id();
    assert_eq!(created.json()["content"][0]["attachment"]["data"], sent["content"][0]["attachment"]["data"]);

    let found = house.get("/fhir/r4/DocumentReference").await.json();
    let attachment = &found["entry"][0]["resource"]["content"][0]["attachment"];
    assert!(attachment.get("data").is_none());
    assert_eq!(attachment["size"], 40_000);
    let url = attachment["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://notes.example.org").unwrap();
    let bytes = house.get(path).await.expect(200);
    assert_eq!(bytes.body, picture());
    assert_eq!(bytes.header("content-type"), "image/png");
    assert_eq!(bytes.header("content-disposition"), "attachment");
    assert_eq!(bytes.header("x-content-type-options"), "nosniff");
    assert!(bytes.header("content-security-policy").contains("sandbox"));

    let part = house.send(&format!("GET {path}"), &[("range", "bytes=1-3")], "").await.expect(206);
    assert_eq!(part.body, &b"PNG"[..]);
    assert_eq!(part.header("content-range"), "bytes 1-3/40000");
    house.send(&format!("GET {path}"), &[("range", "bytes=40000-")], "").await.expect(416);
    house.send(&format!("GET {path}"), &[("if-none-match", bytes.header("etag"))], "").await.expect(304);
    let head = house.send(&format!("HEAD {path}"), &[], "").await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("40000", 0));
    let resource = house.send(&format!("GET {path}"), &[("accept", "application/fhir+json")], "").await.expect(200);
    assert_eq!(resource.json()["data"], sent["content"][0]["attachment"]["data"]);
    let other_face = house.get(&path.replace("/r4/", "/stu3/")).await.expect(200);
    assert_eq!(other_face.body, picture());
    let xml =
        house.send(&format!("GET /fhir/stu3/DocumentReference/{id}"), &[("accept", "application/fhir+xml")], "").await;
    assert!(xml.expect(200).text().contains("/fhir/stu3/Binary/"));

    // Sent back as a search showed it, the note keeps its picture, and the picture its address.
    let mut shown = found["entry"][0]["resource"].clone();
    shown["description"] = json!("rectifiée");
    house.put_json(&format!("PUT /fhir/r4/DocumentReference/{id}"), &shown).await.expect(200);
    let read = house.get(&format!("/fhir/r4/DocumentReference/{id}")).await.json();
    assert_eq!(read["content"][0]["attachment"]["data"], sent["content"][0]["attachment"]["data"]);
    assert_eq!(read["content"][0]["attachment"]["url"], url);

    // As it was read, too.
    house.put_json(&format!("PUT /fhir/r4/DocumentReference/{id}"), &read).await.expect(200);
    assert_eq!(house.get("/fhir/r4/Binary").await.json()["total"], 1);
    house.send(&format!("DELETE {path}"), &[], "").await.expect(409);

    house.send(&format!("DELETE /fhir/r4/DocumentReference/{id}"), &[], "").await.expect(200);
    house.get(path).await.expect(410);
    let old = house.get(&format!("/fhir/r4/DocumentReference/{id}/_history/1")).await.expect(200).json();
    assert_eq!(old["content"][0]["attachment"]["data"], sent["content"][0]["attachment"]["data"]);
}

#[tokio::test]
async fn bytes_that_are_not_what_they_are_declared_to_be_are_refused() {
    let house = House::open().await;
    let mut sent = note_with_picture(&house).await;
    sent["content"][0]["attachment"]["contentType"] = json!("application/pdf");
    let refused = house.put_json("POST /fhir/r4/DocumentReference", &sent).await.expect(422).json();
    assert_eq!(refused["issue"][0]["expression"][0], "DocumentReference.content[0].attachment.contentType");
    house.send("POST /fhir/r4/Binary", &[("content-type", "image/jpeg")], picture()).await.expect(422);
}

#[tokio::test]
async fn bytes_are_sent_and_read_as_they_are() {
    let house = House::open().await;
    let latin = b"Maman est fatigu\xe9e".to_vec();
    let created =
        house.send("POST /fhir/r4/Binary", &[("content-type", "text/plain")], latin.clone()).await.expect(201);
    let id = created.id();
    let read = house.get(&format!("/fhir/stu3/Binary/{id}")).await.expect(200);
    assert_eq!(read.body, latin);
    assert_eq!(read.header("content-type"), "text/plain");
    let resource = house
        .send(&format!("GET /fhir/stu3/Binary/{id}"), &[("accept", "application/fhir+json")], "")
        .await
        .expect(200)
        .json();
    assert_eq!(resource["content"], "TWFtYW4gZXN0IGZhdGlndell");
    let sent_back = house.put_json(&format!("PUT /fhir/stu3/Binary/{id}"), &resource).await.expect(200);
    assert_eq!(sent_back.header("etag"), "W/\"2\"");
    house.send(&format!("GET /fhir/r4/Binary/{id}"), &[("accept", "image/png")], "").await.expect(406);
}

#[tokio::test]
async fn an_upload_without_bytes_is_refused() {
    let house = House::open().await;
    for line in ["POST /fhir/r4/Binary", "PUT /fhir/stu3/Binary/b"] {
        let refused = house.send(line, &[("content-type", "image/png")], "").await.expect(400);
        assert_eq!(refused.json()["issue"][0]["code"], "required");
    }
}
