//! A browser, as far as signing in needs one: it keeps cookies, says where a request comes from, and follows
//! nothing by itself.

use std::{collections::BTreeMap, sync::Mutex};

use serde_json::{Value, json};

use crate::{Answer, Fhir, Provider, Server};

/// The origin at which browsers of tests find a server that signs people in.
pub const ORIGIN: &str = "https://liaison.example";

/// A browser of somebody.
#[derive(Debug)]
pub struct Browser {
    site: Fhir,
    cookies: Mutex<BTreeMap<String, String>>,
    name: String,
}

/// An attempt to sign in, as the provider is told of it.
#[derive(Debug)]
pub struct Asked {
    /// What came with the way to the provider.
    pub query: BTreeMap<String, String>,
}

impl Asked {
    /// One of the parameters.
    pub fn get(&self, name: &str) -> &str {
        self.query.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.query))
    }
}

impl Browser {
    /// A new one, which calls itself something.
    pub fn new(server: &Server, name: &str) -> Self {
        Self::of(server.site(), name)
    }

    /// A new one that finds the server here.
    pub fn of(site: Fhir, name: &str) -> Self {
        Self { site, cookies: Mutex::default(), name: name.to_owned() }
    }

    /// Opens an address.
    pub async fn get(&self, path: &str) -> Answer {
        self.take(self.request("GET", path).header("sec-fetch-site", "same-origin").send().await)
    }

    /// Comes to an address from another site.
    pub async fn come(&self, path: &str) -> Answer {
        self.take(self.request("GET", path).header("sec-fetch-site", "cross-site").send().await)
    }

    /// Sends a form of a page of the server.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(ORIGIN, "same-origin", path, fields).await
    }

    /// Sends a form of a page of this origin.
    pub async fn post_from(&self, origin: &str, site: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.request("POST", path).header("origin", origin).header("sec-fetch-site", site);
        self.take(request.body("application/x-www-form-urlencoded", body.join("&")).send().await)
    }

    /// Any request, with the cookies of the browser and nothing else.
    pub fn request(&self, method: &str, path: &str) -> crate::Request {
        let request = self.site.request(method, path).header("user-agent", &self.name).header("accept-language", "en");
        let cookies = self.cookies.lock().expect("its cookies");
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { request } else { request.header("cookie", &pairs.join("; ")) }
    }

    /// What it keeps under a name.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("its cookies").get(name).cloned()
    }

    /// Has it keep something.
    pub fn keep(&self, name: &str, value: &str) {
        self.cookies.lock().expect("its cookies").insert(name.to_owned(), value.to_owned());
    }

    /// What its pages send along.
    pub async fn csrf(&self) -> String {
        let page = self.get("sessions").await.is(200).text();
        hidden(&page, "csrf").unwrap_or_else(|| panic!("no token in {page}"))
    }

    /// Sets out to sign in, as far as the provider.
    pub async fn set_out(&self, back: &str) -> Asked {
        let answer = self.get(&format!("sign-in/at/0?back={back}")).await.is(303);
        let way = answer.header("location");
        let query = way.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        Asked { query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }

    /// The address by which the provider sends somebody back who is this.
    pub fn way_back(provider: &Provider, asked: &Asked, claims: &Value) -> String {
        let mut said = claims.clone();
        if said["nonce"].is_null() {
            said["nonce"] = json!(asked.get("nonce"));
        }
        let code = provider.code(asked.get("code_challenge"), &said);
        format!("sign-in/done?code={code}&state={}&iss={}", asked.get("state"), provider.issuer())
    }

    /// Signs in as somebody.
    pub async fn sign_in(&self, provider: &Provider, claims: &Value) -> Answer {
        let asked = self.set_out("/").await;
        self.come(&Self::way_back(provider, &asked, claims)).await.is(303)
    }

    fn take(&self, answer: Answer) -> Answer {
        let mut cookies = self.cookies.lock().expect("its cookies");
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().expect("a cookie is text");
            let (name, value) = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if set.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        drop(cookies);
        answer
    }
}

/// The value of the first hidden field of a name in a page.
pub fn hidden(page: &str, name: &str) -> Option<String> {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
    rest.split('"').next().map(str::to_owned)
}
