//! What every handler needs of a request: base, caller, form of the answer, wishes.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use jiff::Timestamp;
use liaison_app::{
    App,
    audit::Call,
    caller::{Caller, Known},
    error::AppError,
    face::Face,
    name::{self, Name},
    operation::Operation,
    query_string,
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    release::Release,
    search::parse::Handling,
    text,
};
use liaison_inbound::{certificate::Read as Certificate, sender::Sender};

use crate::{
    authenticate::Tokens,
    errors::Refused,
    interaction::capabilities::Statements,
    negotiate::{self, Reply},
    options::RestOptions,
    preferences::{self, Preferences},
    request_id,
    routes::BASES,
};

/// One of the FHIR bases: the state of its handlers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Base(Arc<Served>);

/// What a base is.
#[derive(Debug)]
pub struct Served {
    /// The use cases.
    pub app: App,
    /// The release spoken.
    pub release: &'static Release,
    /// Its path: `/fhir/r4`.
    pub path: &'static str,
    /// How it is served.
    pub options: Arc<RestOptions>,
    /// What was said of it.
    pub statements: Statements,
    /// The face of the first request, with the `Host` that it named: that of most others.
    first: OnceLock<(Option<HeaderValue>, Face)>,
}

impl Deref for Base {
    type Target = Served;

    fn deref(&self) -> &Served {
        &self.0
    }
}

impl Base {
    /// A base over an application.
    #[must_use]
    pub fn new(app: App, release: &'static Release, path: &'static str, options: Arc<RestOptions>) -> Self {
        let (statements, first) = (Statements::default(), OnceLock::new());
        Self(Arc::new(Served { app, release, path, options, statements, first }))
    }

    /// Its address with a trailing `/`, as the sender of these headers sees it.
    #[must_use]
    pub fn address(&self, headers: &HeaderMap) -> Arc<str> {
        self.face(headers).base
    }

    /// What of a path stands below the base.
    #[must_use]
    pub fn below<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.path).unwrap_or_default()
    }

    /// The face that the sender of these headers sees.
    #[must_use]
    pub fn face(&self, headers: &HeaderMap) -> Face {
        let host = if self.options.public_url.is_some() { None } else { headers.get(header::HOST) };
        match self.first.get() {
            Some((named, face)) if named.as_ref() == host => face.clone(),
            Some(_) => self.face_of(host),
            None => {
                let face = self.face_of(host);
                // Another request may have been the first meanwhile.
                let _ = self.first.set((host.cloned(), face.clone()));
                face
            }
        }
    }

    fn face_of(&self, host: Option<&HeaderValue>) -> Face {
        let origin = self.origin(host);
        Face {
            release: self.release,
            base: format!("{origin}{}/", self.path).into(),
            bases: BASES.iter().map(|(path, _)| format!("{origin}{path}/")).collect(),
        }
    }

    fn origin(&self, host: Option<&HeaderValue>) -> String {
        if let Some(public) = &self.options.public_url {
            return public.trim_end_matches('/').to_owned();
        }
        let host = host.and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
        format!("{}://{}", self.options.way.scheme(), host.unwrap_or("localhost"))
    }
}

/// Whether this is a host with or without port, and nothing that could change the meaning of an
/// address it is put into.
fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether FHIR is asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Nothing in particular.
    Anything,
    /// FHIR in JSON or XML.
    Fhir,
}

/// A request, but for its address and body.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Through which base it came.
    pub base: Base,
    /// That base, as the caller sees it.
    pub face: Face,
    /// Who asks.
    pub caller: Caller,
    /// Where the request came from; nowhere when it was made in this process.
    pub sender: Option<Sender>,
    /// The form of the answer.
    pub reply: Reply,
    /// Whether FHIR is asked for by name, where there is something else to be had.
    pub wants: Wants,
    /// What the caller would rather have.
    pub preferences: Preferences,
    /// The query, without what concerns the form of the answer.
    pub query: Vec<(String, String)>,
    /// What concerns the form of the answer: `_format`, `_pretty`. The links of pages keep it.
    pub form: Vec<(String, String)>,
    /// The headers.
    pub headers: Arc<HeaderMap>,
    /// The name of the request, for what is logged of it.
    pub id: HeaderValue,
}

/// What is kept of a request for whoever needs it longer than the request lasts.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The headers as they came.
    pub headers: Arc<HeaderMap>,
    /// The name of the request.
    pub id: HeaderValue,
}

impl Sent {
    fn with(parts: &Parts) -> Self {
        let kept = || Self { headers: Arc::new(parts.headers.clone()), id: request_id::of(&parts.headers) };
        parts.extensions.get::<Self>().cloned().unwrap_or_else(kept)
    }
}

impl Exchange {
    /// Runs an operation for the caller.
    ///
    /// # Errors
    /// What the operation refuses.
    pub async fn execute<O: Operation>(&self, operation: O) -> Result<O::Answer, Refused> {
        Ok(self.base.app.execute(&self.caller, operation).await?)
    }

    /// The text of a header.
    ///
    /// # Errors
    /// When it is not text.
    pub fn header(&self, name: &HeaderName) -> Result<Option<String>, Refused> {
        Ok(crate::preconditions::text_of(&self.headers, name)?.map(str::to_owned))
    }

    /// Takes `_format` and `_pretty` from the body of a search.
    ///
    /// # Errors
    /// As for those of the address.
    pub fn take_form_of_answer(&mut self, form: &[(String, String)]) -> Result<(), Refused> {
        let of_form = form.iter().filter(|(name, _)| is_of_form(name)).cloned().collect::<Vec<_>>();
        if !of_form.is_empty() {
            self.reply = negotiate::reply(&of_form, &self.headers, self.face.release)?;
            self.form = of_form;
        }
        Ok(())
    }

    /// Refuses to answer with a type that is not taken.
    ///
    /// # Errors
    /// 406.
    pub fn accepts(&self, content_type: &str) -> Result<(), Refused> {
        if !self.headers.contains_key(header::ACCEPT) {
            return Ok(());
        }
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let taken = negotiate::best(&negotiate::accepted(&self.headers), &[essence.as_str()], self.face.release);
        if taken.is_some() { Ok(()) } else { Err(crate::interaction::binary::not_accepted(content_type)) }
    }

    /// Refuses parameters that an interaction does not know, unless they are to be left aside.
    ///
    /// # Errors
    /// 400, naming the first of them.
    pub fn only(&self, known: &[&str]) -> Result<(), Refused> {
        if self.preferences.handling == Handling::Lenient {
            return Ok(());
        }
        match self.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let shown: String = name.chars().take(80).collect();
                Err(AppError::not_understood(
                    IssueKind::NotSupported,
                    format!("http.{shown}"),
                    text!(
                        en: "This request takes no parameter “{shown}”.",
                        fr: "Cette requête ne prend pas de paramètre « {shown} ».",
                    ),
                )
                .into())
            }
        }
    }
}

impl FromRequestParts<Base> for Exchange {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, base: &Base) -> Result<Self, Refused> {
        let query = query_string::read(parts.uri.query().unwrap_or_default().as_bytes())?;
        let reply = negotiate::reply(&query, &parts.headers, base.release)?;
        let (form, query) = query.into_iter().partition(|(name, _)| is_of_form(name));
        let preferences = preferences::preferences(&parts.headers)?;
        let Sent { headers, id } = Sent::with(parts);
        let face = base.face(&parts.headers);
        Ok(Self {
            base: base.clone(),
            caller: caller(parts, &face, base).await?,
            sender: parts.extensions.get().copied(),
            face,
            reply,
            wants: Wants::Anything,
            preferences,
            query,
            form,
            headers,
            id,
        })
    }
}

/// Who sent a request; nobody needs to say so for what concerns nobody ([`Public`]).
async fn caller(parts: &Parts, face: &Face, base: &Base) -> Result<Caller, Refused> {
    if parts.extensions.get::<Anonymous>().is_some() {
        return Ok(Caller::System);
    }
    let (rates, authentication) = (&base.options.rates, &base.options.authentication);
    let sender = parts.extensions.get::<Sender>();
    let given = parts.headers.contains_key(header::AUTHORIZATION);
    // Whoever shares an address with somebody who guesses goes on with what was believed before.
    if let Some(sender) = sender.filter(|_| given)
        && let Err(too_often) = rates.may_be_believed(sender.address)
        && !authentication.remembers(&parts.headers)
    {
        return Err(Refused::too_often(too_often));
    }
    let caller = match by_certificate(parts, face, base).filter(|_| !given) {
        Some(software) => Ok(software),
        None => authentication.caller(&parts.method, &parts.headers, face).await.and_then(|caller| {
            authentication.comes_with(&parts.headers, parts.extensions.get::<Arc<Certificate>>().map(Arc::as_ref))?;
            Ok(caller)
        }),
    };
    match (&caller, sender) {
        (Ok(Caller::Somebody(known)), _) => rates.by_caller(&known.identity.name).map_err(Refused::too_often)?,
        (Err(refused), Some(sender)) if given && refused.status() == StatusCode::UNAUTHORIZED => {
            rates.not_believed(sender.address).map_err(Refused::too_often)?;
        }
        _ => {}
    }
    if let Ok(caller) = &caller {
        Call::comes_from(caller);
    }
    caller
}

/// The software that a request comes from, when callers need to be known and it is known by its certificate.
fn by_certificate(parts: &Parts, face: &Face, base: &Base) -> Option<Caller> {
    let certificate = parts.extensions.get::<Arc<Certificate>>()?;
    if matches!(base.options.authentication.tokens, Tokens::Off) {
        return None;
    }
    // A connection may last longer than the certificate that it was opened with.
    let now = u64::try_from(Timestamp::now().as_second()).ok()?;
    let holds = (certificate.from.as_secs()..certificate.until.as_secs()).contains(&now);
    let identity = base.options.certified.identity(&certificate.called()).filter(|_| holds);
    if identity.is_none() {
        tracing::info!(subject = certificate.subject, "a certificate is nobody's that is known here");
    }
    Some(Caller::Somebody(Arc::new(Known::without_scopes(identity?, Arc::clone(&face.bases)))))
}

/// Marks a request that may come from anybody.
#[derive(Clone, Copy, Debug)]
struct Anonymous;

/// A request for what concerns nobody: anybody may send it.
#[derive(Clone, Debug)]
pub struct Public(pub Exchange);

impl FromRequestParts<Base> for Public {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, base: &Base) -> Result<Self, Refused> {
        parts.extensions.insert(Anonymous);
        Exchange::from_request_parts(parts, base).await.map(Self)
    }
}

/// A request for a `Binary`: one that may ask for the type of its bytes.
#[derive(Clone, Debug)]
pub struct BinaryExchange(pub Exchange);

impl FromRequestParts<Base> for BinaryExchange {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, base: &Base) -> Result<Self, Refused> {
        let query = query_string::read(parts.uri.query().unwrap_or_default().as_bytes())?;
        let asks_for_form = query.iter().any(|(name, _)| name == "_format");
        let language = negotiate::language(&parts.headers);
        let reply = match negotiate::reply(&query, &parts.headers, base.release) {
            Ok(reply) => reply,
            Err(refused) if asks_for_form => return Err(refused),
            // Whether the bytes are what is asked for is seen once they are found.
            Err(_) => Reply::plain(language),
        };
        let wants_fhir =
            asks_for_form || negotiate::accepted(&parts.headers).iter().any(|r| negotiate::is_only_fhir(&r.name));
        let (form, query) = query.into_iter().partition(|(name, _)| is_of_form(name));
        let Sent { headers, id } = Sent::with(parts);
        let face = base.face(&parts.headers);
        Ok(Self(Exchange {
            base: base.clone(),
            caller: caller(parts, &face, base).await?,
            sender: parts.extensions.get().copied(),
            face,
            reply,
            wants: if wants_fhir { Wants::Fhir } else { Wants::Anything },
            preferences: preferences::preferences(&parts.headers)?,
            query,
            form,
            headers,
            id,
        }))
    }
}

/// The type that an address names, one that is kept here.
#[derive(Clone, Copy, Debug)]
pub struct Typed(pub &'static str);

/// The resource that an address names.
#[derive(Clone, Debug)]
pub struct Named(pub Name);

/// The version that an address names.
#[derive(Clone, Debug)]
pub struct Versioned(pub Name, pub u32);

impl FromRequestParts<Base> for Typed {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, base: &Base) -> Result<Self, Refused> {
        let address = Address::of(parts, base).await?;
        Ok(Self(name::resource_type(address.resource_type(), base.release)?))
    }
}

impl FromRequestParts<Base> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, base: &Base) -> Result<Self, Refused> {
        Ok(Self(Address::of(parts, base).await?.name(base)?))
    }
}

impl FromRequestParts<Base> for Versioned {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, base: &Base) -> Result<Self, Refused> {
        let address = Address::of(parts, base).await?;
        let name = address.name(base)?;
        // Versions of this server are numbers: anything else is a version that never was.
        let version = address.segment("version").and_then(|version| version.parse().ok());
        let version = version.ok_or_else(|| AppError::unknown(&name))?;
        Ok(Self(name, version))
    }
}

/// The parts of an address that its route names.
struct Address<'p> {
    segments: RawPathParams,
    /// The first segment below the base. Types with routes of their own (`/Binary/{id}`) stand in
    /// the route itself.
    first: &'p str,
}

impl<'p> Address<'p> {
    async fn of(parts: &'p mut Parts, base: &Base) -> Result<Self, Refused> {
        let segments = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| {
            let text = text!(
                en: "The address is not properly escaped.",
                fr: "L'adresse est mal encodée.",
            );
            Refused::new(StatusCode::BAD_REQUEST, Issue::error(IssueKind::Value, "http", text))
        })?;
        let first = base.below(parts.uri.path()).split('/').find(|segment| !segment.is_empty());
        Ok(Self { segments, first: first.unwrap_or_default() })
    }

    fn segment(&self, wanted: &str) -> Option<&str> {
        self.segments.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }

    fn resource_type(&self) -> &str {
        self.segment("type").unwrap_or(self.first)
    }

    fn name(&self, base: &Base) -> Result<Name, AppError> {
        name::of(self.resource_type(), self.segment("id").unwrap_or_default(), base.release)
    }
}

/// Whether a parameter concerns the form of the answer.
#[must_use]
pub fn is_of_form(name: &str) -> bool {
    matches!(name, "_format" | "_pretty")
}

/// What handlers give.
pub type Answer = Result<Response, Refused>;

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_is_nothing_but_a_host() {
        for host in ["localhost", "127.0.0.1:8080", "[::1]:80", "notes.example.org"] {
            assert!(is_host(host), "{host}");
        }
        for other in ["", "a/b", "a\"b", "evil.org/fhir?x=", "a b", "user@host"] {
            assert!(!is_host(other), "{other}");
        }
    }
}
