//! What the server answered.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// What was asked, for the message of a failed test.
    pub asked: String,
}

impl Answer {
    /// The same answer, when it has this status; the test fails otherwise, showing the body.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.asked, self.text());
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}\n{}", self.asked, self.text()))
    }

    /// A header, or nothing when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The logical id: of the body when it is a resource, of `Location` otherwise.
    #[track_caller]
    pub fn id(&self) -> String {
        let of_body =
            serde_json::from_slice::<Value>(&self.body).ok().and_then(|body| Some(body["id"].as_str()?.to_owned()));
        let of_location = || {
            let parts: Vec<&str> = self.header("location").split('/').collect();
            let history = parts.iter().position(|part| *part == "_history").unwrap_or(parts.len());
            Some((*parts.get(history.checked_sub(1)?)?).to_owned())
        };
        let id = of_body.or_else(of_location).unwrap_or_default();
        assert!(!id.is_empty(), "{}: no id\n{}", self.asked, self.text());
        id
    }

    /// The resources of the bundle that match, without those included.
    #[track_caller]
    pub fn matches(&self) -> Vec<Value> {
        self.entries("match")
    }

    /// The resources of the bundle that were included.
    #[track_caller]
    pub fn included(&self) -> Vec<Value> {
        self.entries("include")
    }

    /// The link of the bundle to another page.
    #[track_caller]
    pub fn link(&self, relation: &str) -> Option<String> {
        let bundle = self.json();
        let links = bundle["link"].as_array()?;
        let link = links.iter().find(|link| link["relation"] == relation)?;
        Some(link["url"].as_str()?.to_owned())
    }

    /// The findings of the outcome, as `severity code place: text`.
    #[track_caller]
    pub fn findings(&self) -> Vec<String> {
        let outcome = self.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{}\n{}", self.asked, self.text());
        let issues = outcome["issue"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let line = |issue: &Value| {
            let place = issue["expression"].get(0).or_else(|| issue["location"].get(0)).map(text).unwrap_or_default();
            let said = issue["details"]["text"].as_str().or(issue["diagnostics"].as_str()).unwrap_or_default();
            format!("{} {} {place}: {said}", text(&issue["severity"]), text(&issue["code"]))
        };
        issues.iter().map(line).collect()
    }

    #[track_caller]
    fn entries(&self, mode: &str) -> Vec<Value> {
        let bundle = self.json();
        assert_eq!(bundle["resourceType"], "Bundle", "{}\n{}", self.asked, self.text());
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries
            .into_iter()
            .filter(|entry| entry["search"]["mode"] == mode)
            .map(|entry| entry["resource"].clone())
            .collect()
    }
}
