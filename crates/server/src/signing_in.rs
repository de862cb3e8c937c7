//! Pages for people, put together: where they sign in, and how long they stay.

use std::sync::Arc;

use liaison_app::App;
use liaison_identity::mapping::Mapping;
use liaison_outbound::mail::Mail;
use liaison_rest::{authenticate::Tokens, routes::BASES};
use liaison_session::accounts;
use liaison_session::sessions::{Authority, Sessions, SetUp};
use liaison_store::store::Store;
use liaison_web::people::{Invented, Letters, People, Providers, Sent};

use crate::settings::Settings;

/// Invented people, whom anybody may be.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Whose word on them holds.
    pub issuer: String,
    /// How it is read.
    pub mapping: Mapping,
    /// They.
    pub invented: Vec<Invented>,
}

/// What pages for people stand on; nothing when nobody can sign in.
pub fn people(settings: &Settings, app: &App, store: &Store, tokens: &Tokens, cast: Option<Cast>) -> Option<People> {
    let mut authorities = Vec::new();
    let mut providers = None;
    if let Tokens::Needed(trusted) = tokens {
        let signing_in = trusted.providers().iter().filter(|provider| provider.browser().is_some());
        authorities.extend(signing_in.map(|provider| Authority {
            issuer: provider.trusted.expected.issuer.clone(),
            mapping: provider.trusted.mapping.clone(),
        }));
        let root = settings.public_url.clone().unwrap_or_default();
        providers = Some(Providers { trusted: trusted.clone(), root });
    }
    let letters = settings.mail.clone().filter(|_| providers.is_some());
    if letters.is_some() {
        authorities.push(Authority { issuer: accounts::ISSUER.to_owned(), mapping: accounts::mapping() });
    }
    let mut invented = Vec::new();
    if let Some(cast) = cast {
        authorities.push(Authority { issuer: cast.issuer, mapping: cast.mapping });
        invented = cast.invented;
    }
    if authorities.is_empty() {
        return None;
    }
    let bases = bases(settings);
    let set_up =
        SetUp { authorities, lasting: settings.lasting, address: settings.public_url.clone(), bases: bases.clone() };
    Some(People {
        app: app.clone(),
        sessions: Sessions::new(store.clone(), set_up),
        providers,
        letters: letters.map(|mail| Arc::new(Post(mail)) as Arc<dyn Letters>),
        invented,
        bases: bases.into(),
        zone: settings.zone.clone(),
    })
}

/// Letters of pages, by mail.
#[derive(Debug)]
struct Post(Mail);

impl Letters for Post {
    fn send(&self, to: String, subject: &'static str, text: String) -> Sent {
        let mail = self.0.clone();
        Box::pin(async move { mail.send(&to, subject, text).await.map_err(|error| error.to_string()) })
    }
}

/// The addresses under which this server's own resources are named, for claims and references in full.
pub fn bases(settings: &Settings) -> Vec<String> {
    let root = settings.public_url.clone().unwrap_or_default();
    BASES.iter().map(|(path, _)| format!("{root}{path}/")).collect()
}
