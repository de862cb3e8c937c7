//! Searchsets and histories, put together from the stored bytes of their entries.
//!
//! The bytes of a resource written in the release asked for go into the bundle as they are; nothing
//! is parsed and written again unless another release, XML, or a part of the resource is wanted.

use bytes::Bytes;
use liaison_app::{
    error::AppError,
    face::Face,
    name::{self, Name},
    operation::{history::Told, search::Found},
    query_string,
    stored::{Change, Stored},
};
use liaison_fhir::{json, outcome::Language};

use crate::{
    errors::Refused,
    exchange::{Answer, Exchange},
    respond,
    shown::Shown,
};

/// A bundle in the making, as compact JSON.
#[derive(Debug)]
pub struct Writing {
    out: Vec<u8>,
    entries: usize,
}

impl Writing {
    /// A bundle of a type.
    #[must_use]
    pub fn new(bundle_type: &str, total: Option<u64>) -> Self {
        Self::with_room(bundle_type, total, 4096)
    }

    /// A bundle of a type that will be about so many bytes.
    #[must_use]
    pub fn with_room(bundle_type: &str, total: Option<u64>, bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"type\":");
        json::write_string_into(bundle_type, &mut out);
        if let Some(total) = total {
            out.extend_from_slice(format!(",\"total\":{total}").as_bytes());
        }
        Self { out, entries: 0 }
    }

    /// The links of a page; to be given before the entries.
    pub fn links(&mut self, links: &[(&str, String)]) {
        self.out.extend_from_slice(b",\"link\":[");
        for (at, (relation, url)) in links.iter().enumerate() {
            self.out.extend_from_slice(if at == 0 { b"{\"relation\":" } else { b",{\"relation\":" });
            json::write_string_into(relation, &mut self.out);
            self.out.extend_from_slice(b",\"url\":");
            json::write_string_into(url, &mut self.out);
            self.out.push(b'}');
        }
        self.out.push(b']');
    }

    /// Begins an entry.
    pub fn entry(&mut self) -> Entry<'_> {
        self.out.extend_from_slice(if self.entries == 0 { b",\"entry\":[{" } else { b",{" });
        self.entries += 1;
        Entry { out: &mut self.out, members: 0 }
    }

    /// The bundle.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        if self.entries > 0 {
            self.out.push(b']');
        }
        self.out.push(b'}');
        self.out.into()
    }
}

/// An entry, or an object in one, in the making; ended when dropped.
#[derive(Debug)]
pub struct Entry<'w> {
    out: &'w mut Vec<u8>,
    members: usize,
}

impl Entry<'_> {
    /// Begins a member; its value is to be written next. Names are FHIR's: nothing to escape.
    fn member(&mut self, name: &'static str) -> &mut Vec<u8> {
        if self.members > 0 {
            self.out.push(b',');
        }
        self.members += 1;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A member whose value is JSON already.
    pub fn raw(&mut self, name: &'static str, json: &[u8]) -> &mut Self {
        self.member(name).extend_from_slice(json);
        self
    }

    /// A member that is a string.
    pub fn text(&mut self, name: &'static str, text: &str) -> &mut Self {
        json::write_string_into(text, self.member(name));
        self
    }

    /// The member `fullUrl` of a resource that is kept here.
    fn full_url(&mut self, base: &EscapedBase, name: &Name) {
        let out = self.member("fullUrl");
        out.push(b'"');
        out.extend_from_slice(&base.0);
        // Types and ids were checked where they came in: nothing to escape.
        out.extend_from_slice(name.resource_type.as_bytes());
        out.push(b'/');
        out.extend_from_slice(name.id.as_bytes());
        out.push(b'"');
    }

    /// A member that is an object of strings; those without value are left out.
    pub fn strings(&mut self, name: &'static str, members: &[(&'static str, Option<&str>)]) -> &mut Self {
        self.strings_and(name, members, None)
    }

    /// As [`Entry::strings`], with one more member whose value is JSON already.
    pub fn strings_and(
        &mut self,
        name: &'static str,
        members: &[(&'static str, Option<&str>)],
        more: Option<(&'static str, &[u8])>,
    ) -> &mut Self {
        let out = self.member(name);
        out.push(b'{');
        let mut object = Entry { out, members: 0 };
        for (name, value) in members {
            if let Some(value) = value {
                object.text(name, value);
            }
        }
        if let Some((name, json)) = more {
            object.raw(name, json);
        }
        drop(object);
        self
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

/// The address of a base as it stands in JSON, without quotes.
struct EscapedBase(Vec<u8>);

impl EscapedBase {
    fn of(face: &Face) -> Self {
        let mut written = Vec::with_capacity(face.base.len() + 2);
        json::write_string_into(&face.base, &mut written);
        written.pop();
        Self(written.split_off(1))
    }
}

/// Room for what an entry of a searchset has beside the resource.
const FRAME: usize = 192;
/// Room for the links of a page.
const LINKS: usize = 2048;

/// What the searchset of a page says beside what was found.
#[derive(Clone, Debug)]
pub struct Searchset {
    /// Through which base.
    face: Face,
    /// What is searched, as an address without parameters.
    address: String,
    /// What concerns the form of the answer, for the links.
    form: Vec<(String, String)>,
    /// The language of warnings.
    language: Language,
}

impl Searchset {
    /// The answer to a search of a type, or of all.
    #[must_use]
    pub fn of(resource_type: Option<&str>, exchange: &Exchange) -> Self {
        Self {
            face: exchange.face.clone(),
            address: format!("{}{}", exchange.face.base, resource_type.unwrap_or_default()),
            form: exchange.form.clone(),
            language: exchange.reply.language,
        }
    }

    /// The searchset in compact JSON.
    ///
    /// # Errors
    /// When a stored resource cannot be read: a defect.
    pub fn write(&self, found: &Found) -> Result<Bytes, AppError> {
        let Self { face, address, form, language } = self;
        let shown = Shown::of(&found.page);
        // `_elements` are those of the types searched: what comes along is shown whole.
        let beside = shown.without_elements();
        let bodies: usize = found.matches.iter().chain(&found.includes).map(|stored| stored.size() + FRAME).sum();
        let mut writing = Writing::with_room("searchset", found.total, bodies + LINKS);
        let mut used = found.used.clone();
        used.extend(form.iter().cloned());
        used.extend(found.page.cursor.clone().map(|cursor| (CURSOR.to_owned(), cursor)));
        writing.links(&page_links(address, &used, found.next.as_deref()));
        let base = EscapedBase::of(face);
        let matches = found.matches.iter().map(|stored| (stored, br#"{"mode":"match"}"#.as_slice(), &shown));
        let includes = found.includes.iter().map(|stored| (stored, br#"{"mode":"include"}"#.as_slice(), &beside));
        for (stored, search, shown) in matches.chain(includes) {
            let mut entry = writing.entry();
            entry.full_url(&base, stored.name());
            shown.write_body(stored, face, entry.member("resource"))?;
            entry.raw("search", search);
        }
        if !found.issues.is_empty() {
            let outcome = respond::outcome(&found.issues, *language, face.release);
            writing
                .entry()
                .text("fullUrl", &name::fresh_address())
                .raw("resource", &json::write(&outcome))
                .strings("search", &[("mode", Some("outcome"))]);
        }
        Ok(writing.finish())
    }
}

/// The bundle of a page of history.
///
/// # Errors
/// When a stored resource cannot be read: a defect.
pub fn history(told: &Told, address: &str, used: &[(String, String)], exchange: &Exchange) -> Answer {
    let mut writing = Writing::new("history", Some(told.total));
    let used = [used, &exchange.form].concat();
    writing.links(&page_links(address, &used, told.next.as_deref()));
    let base = EscapedBase::of(&exchange.face);
    for stored in &told.versions {
        version_entry(stored, &base, &mut writing.entry(), exchange).map_err(Refused::from)?;
    }
    respond::bytes(writing.finish(), &exchange.reply, exchange.face.release)
}

fn version_entry(
    stored: &Stored,
    base: &EscapedBase,
    entry: &mut Entry<'_>,
    exchange: &Exchange,
) -> Result<(), AppError> {
    let name = stored.name();
    let reference = format!("{}/{}", name.resource_type, name.id);
    entry.full_url(base, name);
    let (method, url, status) = match stored.change() {
        Change::Create => ("POST", name.resource_type.as_ref(), "201"),
        Change::Update => ("PUT", reference.as_str(), "200"),
        Change::Delete => ("DELETE", reference.as_str(), "200"),
    };
    if !stored.is_deletion() {
        entry.raw("resource", &stored.json(&exchange.face)?);
    }
    entry.strings("request", &[("method", Some(method)), ("url", Some(url))]);
    if exchange.face.history_has_responses() {
        let etag = format!("W/\"{}\"", stored.version());
        let response =
            [("status", Some(status)), ("etag", Some(etag.as_str())), ("lastModified", Some(&stored.updated_text()))];
        entry.strings("response", &response);
    }
    Ok(())
}

/// The parameter that names the place where a page begins.
pub const CURSOR: &str = "_cursor";

/// The links of a page: itself, the first and the next.
fn page_links(address: &str, used: &[(String, String)], next: Option<&str>) -> Vec<(&'static str, String)> {
    let of = |query: &str| if query.is_empty() { address.to_owned() } else { format!("{address}?{query}") };
    let on_page = used.iter().any(|(name, _)| name == CURSOR);
    let here = query_string::write(used);
    let first = if on_page {
        let first: Vec<_> = used.iter().filter(|(name, _)| name != CURSOR).cloned().collect();
        query_string::write(&first)
    } else {
        here.clone()
    };
    let mut links = vec![("self", of(&here))];
    if on_page || next.is_some() {
        links.push(("first", of(&first)));
    }
    if let Some(next) = next {
        // Of letters that need no escape.
        let and = if first.is_empty() { "" } else { "&" };
        links.push(("next", of(&format!("{first}{and}{CURSOR}={next}"))));
    }
    links
}
