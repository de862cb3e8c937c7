//! Documents of hundreds of kilobytes: given to the readers of FHIR's XML, and as attachments.

use liaison_fhir::{
    json,
    primitive::encode_base64,
    release::{r4, stu3},
    xml,
};

use crate::{bounds::bounded, expand, house::in_house, judge::told};

/// Bytes as a large document (see [`expand`]): the reader of FHIR's XML says what it is in memory
/// that stays in proportion, and a note that carries it gives it back to the byte.
pub fn cda(bytes: &[u8]) {
    let document = expand(bytes);
    let limits = json::Limits::default();
    for release in [r4(), stu3()] {
        match bounded(document.len(), 400, || xml::read(&document, release, &limits)) {
            Ok(tree) => {
                let written = bounded(document.len(), 400, || xml::write(&tree, release));
                if let Ok(written) = written {
                    // Written, it may be larger than what was read: characters as escapes.
                    let wide = json::Limits { bytes: usize::MAX, ..limits };
                    assert!(xml::read(&written, release, &wide).is_ok(), "written, and not read again");
                }
            }
            Err(issues) => {
                told(&issues);
                let length = issues.iter().map(|issue| issue.text.en.len() + issue.place.len()).sum::<usize>();
                assert!(length < 10_000, "a refusal of {length} bytes");
            }
        }
    }
    carried(&document);
}

/// As an attachment of a note, and as bytes on their own.
fn carried(document: &[u8]) {
    let host: (&[u8], &[u8]) = (b"host", b"notes.example.org");
    let kind: (&[u8], &[u8]) = (b"content-type", b"text/xml");
    in_house(|house| {
        let mut send = |method: &[u8], address: &str, headers: &[(&[u8], &[u8])], body: Vec<u8>| {
            let answer = house.send(method, address.as_bytes(), headers, body).expect("a request");
            assert!(answer.status.as_u16() < 500, "{} {}", answer.status, String::from_utf8_lossy(&answer.body));
            answer
        };
        let made = send(b"POST", "/fhir/r4/Binary", &[host, kind], document.to_vec());
        if made.status.as_u16() == 201 {
            let address = made.header("location").trim_start_matches("http://notes.example.org").to_owned();
            let given = send(b"GET", &address, &[host, (b"accept", b"text/xml")], Vec::new());
            assert_eq!(given.body, document, "other bytes");
        }
        if document.is_empty() {
            return;
        }
        let note = format!(
            r#"{{"resourceType":"DocumentReference","status":"current","content":[{{"attachment":{{"contentType":"text/xml","data":"{}"}}}}]}}"#,
            encode_base64(document)
        );
        let json: (&[u8], &[u8]) = (b"content-type", b"application/fhir+json");
        let made = send(b"POST", "/fhir/r4/DocumentReference", &[host, json], note.into_bytes());
        if made.status.as_u16() == 201 {
            let address = made.header("location").trim_start_matches("http://notes.example.org").to_owned();
            let given = send(b"GET", &address, &[host], Vec::new());
            let tree = json::read(&given.body, &json::Limits::OWN).expect("JSON");
            let attachment = tree.objects("content").next().and_then(|content| content.object("attachment"));
            let attachment = attachment.expect("an attachment");
            match (attachment.str("data"), attachment.str("url")) {
                (Some(data), _) => assert_eq!(data, encode_base64(document), "other bytes"),
                (None, Some(url)) => {
                    let url = url.trim_start_matches("http://notes.example.org");
                    let url = if url.starts_with('/') { url.to_owned() } else { format!("/fhir/r4/{url}") };
                    let given = send(b"GET", &url, &[host, (b"accept", b"text/xml")], Vec::new());
                    assert_eq!(given.body, document, "other bytes");
                }
                (None, None) => panic!("the attachment is gone"),
            }
        }
    });
}
