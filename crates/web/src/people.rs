//! Pages for people who sign in: signing in and out, and where one is signed in.

mod account;
mod browser;
mod code;
mod invitation;
mod local;
mod provider;
mod request;
mod sign_in;
mod who_saw;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Method,
    routing::{get, post},
};
use jiff::tz::TimeZone;
use liaison_app::App;
use liaison_identity::{authenticator::Authenticator, claims::Claims};
use liaison_session::sessions::Sessions;

pub use account::{at_home, signed_in_as};
pub use code::{Letters, Sent};
pub use request::visitor;

/// What pages for people stand on.
#[derive(Clone)]
pub struct People {
    /// What they may be told.
    pub app: App,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Where they sign in.
    pub providers: Option<Providers>,
    /// Whoever sends letters; without, there are no accounts here.
    pub letters: Option<Arc<dyn Letters>>,
    /// Those of a demonstration, whom anybody may be.
    pub invented: Vec<Invented>,
    /// Every address under which this server's own resources are named.
    pub bases: Arc<[String]>,
    /// Zone of the times that are shown.
    pub zone: TimeZone,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// Providers at which people sign in, and the way back from there.
#[derive(Clone, Debug)]
pub struct Providers {
    /// They are among those that are trusted.
    pub trusted: Arc<Authenticator>,
    /// The address of this server, without a slash at the end.
    pub root: String,
}

/// Somebody invented, whom anybody who tries the server out may be.
#[derive(Clone, Debug)]
pub struct Invented {
    /// What they are called in addresses.
    pub key: String,
    /// What they are called.
    pub name: String,
    /// Whose word it is.
    pub issuer: String,
    /// What it says of them.
    pub claims: Claims,
}

/// Where providers send people back to.
pub const BACK: &str = "/sign-in/done";

/// The longest form that is taken.
const LONGEST_FORM: usize = 16 * 1024;

/// What a request does at the door, as an address without secrets: coming in, trying to, going out. Nothing for any
/// other page.
#[must_use]
pub fn door(method: &Method, path: &str) -> Option<&'static str> {
    const DOORS: [&str; 6] =
        ["/sign-in/as", "/sign-in/mail", "/sign-in/code", "/sign-out", "/sign-out/everywhere", "/sessions/end"];
    if path == BACK {
        return Some(BACK);
    }
    if *method != Method::POST {
        return None;
    }
    match DOORS.into_iter().find(|door| *door == path) {
        None if path.starts_with("/invitation/") => Some("/invitation"),
        found => found,
    }
}

/// Their routes.
pub fn router(people: Arc<People>) -> Router {
    let accounts = match people.letters {
        None => Router::new(),
        Some(_) => Router::new()
            .route("/sign-in/mail", post(code::ask))
            .route("/sign-in/code", post(code::sign_in))
            .route("/invitations/new", get(invitation::page))
            .route("/invitations", post(invitation::make))
            .route("/invitations/withdraw", post(invitation::withdraw))
            .route("/invitation/{secret}", get(invitation::shown).post(invitation::ask))
            .route("/invitation/{secret}/code", post(invitation::accept)),
    };
    // Being whom one likes is for a demonstration alone.
    let demonstration = match people.invented.is_empty() {
        true => Router::new(),
        false => Router::new().route("/sign-in/as", post(sign_in::as_invented)),
    };
    Router::new()
        .merge(accounts)
        .merge(demonstration)
        .route("/sign-in", get(sign_in::page))
        .route("/sign-in/at/{provider}", get(provider::begin))
        .route(BACK, get(provider::done))
        .route("/sign-out", post(account::sign_out))
        .route("/sign-out/everywhere", post(account::sign_out_everywhere))
        .route("/sessions", get(account::page))
        .route("/sessions/end", post(account::end))
        .route("/who-saw/{person}", get(who_saw::page))
        .layer(DefaultBodyLimit::max(LONGEST_FORM))
        .with_state(people)
}
