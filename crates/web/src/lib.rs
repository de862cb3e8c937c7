//! The web pages for people, thin: what runs here and where the APIs are, signing in and out, whose notebooks one
//! is in, who saw them.
//!
//! What holds:
//! - What pages show of persons, they are given by the application, for who is signed in; such a page is kept
//!   nowhere. Nothing here reaches the store.
//! - A `GET` changes nothing. What changes something was sent by a page of ours, of that very session.
//! - Nobody is led off this server but to a provider that is set up.
//! - Nothing is loaded from elsewhere: styles and pictures are embedded, and the content security
//!   policy of every answer says so. There is no script.
//! - Every sentence stands in [`messages`], once per language; a page cannot be written in one only.

mod assets;
mod frame;
mod headers;
mod home;
mod html;
mod language;
mod messages;
mod missing;
mod notice;
pub mod people;

use std::sync::Arc;

use axum::{Router, middleware, routing::get};

use crate::people::People;

/// What the pages say of the server they are part of.
#[derive(Clone, Debug)]
pub struct Site {
    /// The version of the program.
    pub version: &'static str,
    /// The scheme of its address: `http`, `https`.
    pub scheme: &'static str,
    /// The addresses of the FHIR bases, as the reader of the page can use them.
    pub bases: Vec<Base>,
    /// What pages for people stand on, when people can sign in.
    pub people: Option<Arc<People>>,
}

/// A FHIR base to point to.
#[derive(Clone, Debug)]
pub struct Base {
    /// What people call its release: `R4`, `STU3`.
    pub release: &'static str,
    /// The version of FHIR it speaks: `4.0.1`.
    pub fhir_version: &'static str,
    /// Its address, absolute or from the root, without a slash at the end.
    pub address: String,
}

/// The pages, with everything they need but the listener.
pub fn router(site: Site) -> Router {
    let people = site.people.clone().map(people::router).unwrap_or_default();
    Router::new()
        .route("/", get(home::page))
        .route(assets::STYLE_ADDRESS, get(assets::style))
        .route(assets::ICON_ADDRESS, get(assets::icon))
        .with_state(Arc::new(site))
        .merge(people)
        .fallback(missing::page)
        .layer(middleware::map_response(headers::protect))
}

#[cfg(test)]
mod tests;
