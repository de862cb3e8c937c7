//! Requests, whole: method, address, headers and body, one after another on the same store.

use liaison_fhir::{
    json,
    release::{Release, r4, stu3},
    tree::Object,
    validate, xml,
};

use crate::{
    expand,
    house::{Answer, House, in_house},
};

/// Requests of one input, at most.
const MOST: usize = 8;

/// Bytes as requests, parted by lines of `===`: a line with method and address, lines with headers,
/// an empty line, the body. `{next}`, `{location}` and `{etag}` stand for what the last answers said.
/// No answer is a 500; each is well-formed and valid FHIR; what was refused changed nothing, and what
/// was acknowledged is there.
pub fn http(bytes: &[u8]) {
    in_house(|house| {
        let mut said = Said::default();
        for request in split(bytes, b"\n===\n").into_iter().take(MOST) {
            one(house, request, &mut said);
        }
    });
}

/// What answers said that later requests may use.
#[derive(Default)]
struct Said {
    next: String,
    location: String,
    etag: String,
}

fn one(house: &mut House, request: &[u8], said: &mut Said) {
    let (head, body) = split_once(request, b"\n\n").unwrap_or((request, b""));
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = said.put_in(lines.next().unwrap_or_default());
    let Some((method, address)) = split_once(&line, b" ") else { return };
    let lines: Vec<Vec<u8>> = lines.map(|line| said.put_in(line)).collect();
    let mut headers: Vec<(&[u8], &[u8])> = lines.iter().filter_map(|line| split_once(line, b": ")).collect();
    headers.push((b"host", b"notes.example.org"));
    let writes = !matches!(method, b"GET" | b"HEAD" | b"OPTIONS");
    let before = writes.then(|| history(house));
    let Some(answer) = house.send(method, address, &headers, expand(&said.put_in(body))) else { return };
    judge(method, address, &answer);
    if let Some(before) = before {
        let after = history(house);
        if answer.status.is_client_error() {
            assert_eq!(after, before, "refused, and yet done: {}", shown(&answer));
        }
    }
    let location = answer.header("location");
    if answer.status.as_u16() == 201 {
        let there = location.strip_prefix("http://notes.example.org").expect("what was made has an address");
        let read = house.send(b"GET", there.as_bytes(), &[(b"host", b"notes.example.org")], Vec::new());
        let read = read.expect("an address that can be asked");
        assert_eq!(read.status.as_u16(), 200, "acknowledged, and not there: {}", shown(&read));
    }
    said.hear(&answer);
}

fn judge(method: &[u8], address: &[u8], answer: &Answer) {
    let asked = || format!("{} {}", String::from_utf8_lossy(method), String::from_utf8_lossy(address));
    assert!(answer.status.as_u16() < 500, "{}: {}", asked(), shown(answer));
    if answer.body.is_empty() || !answer.header("content-encoding").is_empty() {
        return;
    }
    let kind = answer.header("content-type");
    let release = if address.starts_with(b"/fhir/stu3") { stu3() } else { r4() };
    if answer.header("content-disposition") == "attachment" {
        assert!(answer.status.is_success(), "{}: {}", asked(), shown(answer));
        return;
    }
    let tree = if kind.contains("json") {
        json::read(&answer.body, &json::Limits::OWN)
    } else {
        assert!(kind.contains("xml"), "{}: {kind}: {}", asked(), shown(answer));
        xml::read(&answer.body, release, &json::Limits::OWN)
    };
    let tree = tree.unwrap_or_else(|issues| panic!("{}: {issues:?}\n{}", asked(), shown(answer)));
    if answer.status.is_client_error() {
        assert_eq!(tree.resource_type(), Some("OperationOutcome"), "{}", asked());
    }
    whole(&tree, release, || format!("{}: {}", asked(), shown(answer)));
}

/// What is answered is valid; what was cut short for those who asked for it says so, and need not be.
fn whole(tree: &Object, release: &'static Release, shown: impl Fn() -> String) {
    let cut = |tree: &Object| {
        let tags = tree.object("meta").map(|meta| meta.items("tag")).unwrap_or_default();
        tags.iter().filter_map(|tag| tag.as_object()).any(|tag| tag.str("code") == Some("SUBSETTED"))
    };
    if cut(tree) || tree.objects("entry").filter_map(|entry| entry.object("resource")).any(cut) {
        return;
    }
    let issues = validate::validate(tree, release);
    let wrong: Vec<_> = issues.iter().filter(|issue| issue.refuses()).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{}", shown());
}

/// What was done so far, as the newest entry of the history tells it.
fn history(house: &mut House) -> Vec<u8> {
    let answer = house.send(b"GET", b"/fhir/r4/_history?_count=1", &[], Vec::new()).expect("an address");
    assert_eq!(answer.status.as_u16(), 200, "{}", shown(&answer));
    let tree = json::read(&answer.body, &json::Limits::OWN).expect("JSON");
    let newest = tree.objects("entry").next().cloned().unwrap_or_default();
    [json::write(&newest), tree.get("total").and_then(|t| t.as_number()).unwrap_or_default().into()].concat()
}

fn shown(answer: &Answer) -> String {
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}

impl Said {
    fn hear(&mut self, answer: &Answer) {
        let path = |url: &str| url.strip_prefix("http://notes.example.org").unwrap_or(url).to_owned();
        if !answer.header("location").is_empty() {
            self.location = path(answer.header("location"));
            self.location.truncate(self.location.find("/_history").unwrap_or(self.location.len()));
        }
        if !answer.header("etag").is_empty() {
            self.etag = answer.header("etag").to_owned();
        }
        if let Ok(tree) = json::read(&answer.body, &json::Limits::OWN)
            && let Some(next) = tree.objects("link").find(|link| link.str("relation") == Some("next"))
        {
            self.next = path(next.str("url").unwrap_or_default());
        }
    }

    fn put_in(&self, bytes: &[u8]) -> Vec<u8> {
        let words = [(&b"{next}"[..], &self.next), (&b"{location}"[..], &self.location), (&b"{etag}"[..], &self.etag)];
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            match words.iter().find(|(word, _)| *first == b'{' && rest.starts_with(word)) {
                Some((word, said)) => {
                    out.extend_from_slice(said.as_bytes());
                    rest = &rest[word.len()..];
                }
                None => {
                    out.push(*first);
                    rest = after;
                }
            }
        }
        out
    }
}

fn split_once<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..found], &bytes[found + at.len()..]))
}

fn split<'a>(mut bytes: &'a [u8], at: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some((part, rest)) = split_once(bytes, at) {
        parts.push(part);
        bytes = rest;
    }
    parts.push(bytes);
    parts
}
