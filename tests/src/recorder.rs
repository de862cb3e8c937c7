//! Keeps what the server answers, for a judge: every FHIR answer that differs from the others in more
//! than its numbers and ids becomes a file of the directory that `LIAISON_TRAFFIC` names, called
//! `<hash>-<what was asked>.<release>.<json or xml>`.

use std::{
    collections::HashSet,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

/// Keeps an answer, when asked to and when it is FHIR of one of the bases; of many resources, one a line, each.
pub(crate) fn keep(asked: &str, body: &[u8]) {
    if body.windows(3).any(|three| three == b"}\n{") {
        body.split(|byte| *byte == b'\n').for_each(|line| keep_one(asked, line));
    } else {
        keep_one(asked, body);
    }
}

fn keep_one(asked: &str, body: &[u8]) {
    static KEPT: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
    let Some(folder) = folder() else { return };
    let Some((release, format)) = release_of(asked).zip(format_of(body)) else { return };
    let hash = likeness(release, body);
    let is_new = KEPT.lock().expect("nothing panics while it is held").get_or_insert_default().insert(hash);
    if is_new {
        let name = format!("{hash:016x}-{}.{release}.{format}", label(asked));
        fs::write(folder.join(name), body).expect("the answers can be kept");
    }
}

fn folder() -> Option<&'static PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = PathBuf::from(std::env::var_os("LIAISON_TRAFFIC")?);
            fs::create_dir_all(&folder).expect("a directory for the answers");
            Some(folder)
        })
        .as_ref()
}

fn release_of(asked: &str) -> Option<&'static str> {
    ["r4", "stu3"].into_iter().find(|release| {
        let rest = asked.split_once("/fhir/").and_then(|(_, rest)| rest.strip_prefix(release));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    })
}

fn format_of(body: &[u8]) -> Option<&'static str> {
    let start = String::from_utf8_lossy(body.get(..400).unwrap_or(body)).into_owned();
    let is_json = start.trim_start().starts_with('{') && start.contains("\"resourceType\"");
    let is_xml = start.trim_start().starts_with('<') && start.contains("\"http://hl7.org/fhir\"");
    is_json.then_some("json").or(is_xml.then_some("xml"))
}

/// The same for bodies that differ only in their ids and in the digits of their numbers and dates.
fn likeness(release: &str, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    release.hash(&mut hasher);
    let mut rest = body;
    while let Some((first, others)) = rest.split_first() {
        if is_uuid(rest) {
            b'u'.hash(&mut hasher);
            rest = rest.get(36..).unwrap_or_default();
        } else if first.is_ascii_digit() {
            b'0'.hash(&mut hasher);
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest = rest.get(digits..).unwrap_or_default();
        } else {
            first.hash(&mut hasher);
            rest = others;
        }
    }
    hasher.finish()
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.get(..36).is_some_and(|bytes| {
        bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

fn label(asked: &str) -> String {
    let (method, address) = asked.split_once(' ').unwrap_or((asked, ""));
    let place = address.split_once("/fhir/").map_or("", |(_, place)| place);
    let path = place.split('?').next().unwrap_or_default();
    let words = path.split('/').skip(1).filter(|word| !is_uuid(word.as_bytes()));
    let words: Vec<&str> = std::iter::once(method).chain(words).collect();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    words.join("-").chars().take(60).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: &str =
        r#"{"resourceType":"Patient","id":"01a204a6-cf1c-73da-8b6a-6f286e7a4991","birthDate":"1950-02-03"}"#;

    #[test]
    fn answers_that_differ_in_ids_and_digits_are_alike() {
        let other = PERSON.replace("01a204a6", "ffffffff").replace("1950", "1951");
        assert_eq!(likeness("r4", PERSON.as_bytes()), likeness("r4", other.as_bytes()));
        for different in [PERSON.replace("1950-02-03", "1950-02"), PERSON.replace("Patient", "Person")] {
            assert_ne!(likeness("r4", PERSON.as_bytes()), likeness("r4", different.as_bytes()), "{different}");
        }
        assert_ne!(likeness("r4", PERSON.as_bytes()), likeness("stu3", PERSON.as_bytes()));
    }

    #[test]
    fn only_fhir_of_a_base_is_kept() {
        assert_eq!(release_of("GET http://127.0.0.1:1/fhir/stu3?_type=Patient"), Some("stu3"));
        assert_eq!(release_of("GET http://127.0.0.1:1/fhir/r4b/Patient"), None);
        assert_eq!(release_of("GET http://127.0.0.1:1/healthz"), None);
        assert_eq!(format_of(PERSON.as_bytes()), Some("json"));
        assert_eq!(format_of(br#"<?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"/>"#), Some("xml"));
        assert_eq!(format_of(b"\x89PNG"), None);
        assert_eq!(label("POST http://127.0.0.1:1/fhir/r4/Patient/$validate?x=1"), "POST-Patient--validate");
    }
}
