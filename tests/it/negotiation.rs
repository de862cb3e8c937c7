//! Media types, in and out.

use liaison_tests::{Server, sample};

#[tokio::test]
async fn answers_come_in_the_format_asked_for() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    for (accept, expected) in [
        ("application/fhir+json", "application/fhir+json"),
        ("application/fhir+xml", "application/fhir+xml"),
        ("application/json", "json"),
        ("text/json", "json"),
        ("application/xml", "xml"),
        ("text/xml", "xml"),
        ("*/*", "application/fhir+json"),
        ("application/*", "json"),
        ("text/html, application/fhir+xml;q=0.9, */*;q=0.1", "xml"),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.8", "application/fhir+json"),
        ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
    ] {
        let answer = r4.request("GET", &name).header("accept", accept).send().await.is(200);
        assert!(answer.header("content-type").contains(expected), "{accept}: {}", answer.header("content-type"));
    }
    for refused in ["text/csv", "application/fhir+json; fhirVersion=3.0", "application/fhir+turtle"] {
        r4.request("GET", &name).header("accept", refused).send().await.is(406);
    }
    for (format, expected) in [("json", "json"), ("xml", "xml"), ("application/fhir%2Bxml", "xml"), ("text/xml", "xml")]
    {
        let answer =
            r4.request("GET", &format!("{name}?_format={format}")).header("accept", "text/csv").send().await.is(200);
        assert!(answer.header("content-type").contains(expected), "{format}");
    }
    r4.get(&format!("{name}?_format=pigeon")).await.is(406);
}

#[tokio::test]
async fn xml_and_json_are_the_same_resource() {
    let server = Server::start().await;
    let r4 = server.r4();
    let xml = r#"<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><family value="Éluard"/><given value="Paul"/></name><birthDate value="1895-12"/></Patient>"#;
    let created = r4.request("POST", "Patient").body("application/fhir+xml", xml).send().await.is(201);
    let name = format!("Patient/{}", created.id());
    let json = r4.get(&name).await.is(200).json();
    assert_eq!((json["active"].as_bool(), json["name"][0]["family"].as_str()), (Some(true), Some("Éluard")));
    let back = r4.request("GET", &name).header("accept", "application/fhir+xml").send().await.is(200).text();
    assert!(
        back.contains("<name><family value=\"Éluard\"/><given value=\"Paul\"/></name><birthDate value=\"1895-12\"/>"),
        "{back}"
    );
    r4.request("PUT", &name).body("application/fhir+xml", back.replace("Paul", "Eugène")).send().await.is(200);
    assert_eq!(r4.get(&name).await.json()["name"][0]["given"][0], "Eugène");
}

#[tokio::test]
async fn xml_that_reaches_outside_is_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    for xml in [
        "<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Patient xmlns=\"http://hl7.org/fhir\"><language value=\"&x;\"/></Patient>",
        "<!DOCTYPE p [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Patient xmlns=\"http://hl7.org/fhir\"/>",
        "<Patient xmlns=\"http://example.org\"/>",
        "<Patient xmlns=\"http://hl7.org/fhir\"><colour value=\"x\"/></Patient>",
        "<Patient xmlns=\"http://hl7.org/fhir\">text</Patient>",
        "<Patient",
    ] {
        r4.request("POST", "Patient").body("application/fhir+xml", xml).send().await.is(400);
    }
}

#[tokio::test]
async fn bodies_of_other_types_are_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    let body = sample::patient("1", "Morel", "Jeanne").to_string();
    for refused in ["text/plain", "application/pdf", "application/fhir+json; fhirVersion=3.0"] {
        r4.request("POST", "Patient").body(refused, body.clone()).send().await.is(415);
    }
    for taken in [
        "application/json",
        "text/json",
        "application/fhir+json;charset=utf-8",
        "application/fhir+json; fhirVersion=4.0",
    ] {
        r4.request("POST", "Patient").body(taken, body.clone()).send().await.is(201);
    }
}

#[tokio::test]
async fn answers_are_pretty_when_asked() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    assert!(!r4.get(&name).await.text().contains('\n'));
    assert!(r4.get(&format!("{name}?_pretty=true")).await.text().contains("\n  "));
}

#[tokio::test]
async fn answers_are_compressed_when_accepted() {
    let server = Server::start().await;
    let answer = server.r4().request("GET", "metadata").header("accept-encoding", "gzip").send().await.is(200);
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert_eq!(answer.body[..2], [0x1F, 0x8B]);
}
