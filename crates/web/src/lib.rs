//! The web pages for people, thin: for now one page that says what runs here and where the APIs are.
//!
//! What holds:
//! - No page reads or shows anything of a person: nothing here reaches the store.
//! - Nothing is loaded from elsewhere: styles and pictures are embedded, and the content security
//!   policy of every answer says so. There is no script.
//! - Every sentence stands in [`messages`], once per language; a page cannot be written in one only.

mod assets;
mod headers;
mod home;
mod html;
mod language;
mod messages;
mod missing;

use axum::{Router, middleware, routing::get};

/// What the pages say of the server they are part of.
#[derive(Clone, Debug)]
pub struct Site {
    /// The version of the program.
    pub version: &'static str,
    /// The scheme of its address: `http`, `https`.
    pub scheme: &'static str,
    /// The addresses of the FHIR bases, as the reader of the page can use them.
    pub bases: Vec<Base>,
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
    Router::new()
        .route("/", get(home::page))
        .route(assets::STYLE_ADDRESS, get(assets::style))
        .route(assets::ICON_ADDRESS, get(assets::icon))
        .fallback(missing::page)
        .layer(middleware::map_response(headers::protect))
        .with_state(std::sync::Arc::new(site))
}

#[cfg(test)]
mod tests;
