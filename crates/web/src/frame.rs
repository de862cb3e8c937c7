//! What stands around every page.

use axum::{
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{assets, html::escape, language::Language, messages::messages};

/// The language that the reader of a page prefers; French when nothing is said.
pub fn preferred(headers: &HeaderMap) -> Language {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map_or(Language::French, Language::accepted)
}

/// Who may keep a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Anybody, who asks again each time: it says the same to everybody.
    Checked,
    /// Nobody: it is for one person, at one moment.
    Never,
}

/// A page, in parts that are HTML already.
pub struct Page<'p> {
    /// Its title, as text.
    pub title: &'p str,
    /// What stands under the title.
    pub lead: &'p str,
    /// What it is about.
    pub main: &'p str,
    /// What stands at its end.
    pub footer: &'p str,
    /// Who may keep it.
    pub keep: Keep,
}

impl Page<'_> {
    /// The page as an answer.
    pub fn answer(&self, status: StatusCode, language: Language) -> Response {
        (status, fields(language, self.keep), self.html(language)).into_response()
    }

    fn html(&self, language: Language) -> String {
        let Self { lead, main, footer, .. } = self;
        let footer = if footer.is_empty() { String::new() } else { format!("<footer>{footer}</footer>\n") };
        format!(
            r##"<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
<link rel="icon" type="image/svg+xml" href="{icon}">
</head>
<body>
<a class="skip" href="#content">{skip}</a>
<header><h1>{title}</h1>{lead}</header>
<main id="content">
{main}</main>
{footer}</body>
</html>
"##,
            lang = language.code(),
            title = escape(self.title),
            style = assets::STYLE_ADDRESS,
            icon = assets::ICON_ADDRESS,
            skip = messages(language).skip,
        )
    }
}

const fn fields(language: Language, keep: Keep) -> [(HeaderName, &'static str); 4] {
    let (vary, cache) = match keep {
        Keep::Checked => ("accept-language", "no-cache"),
        Keep::Never => ("accept-language, cookie", "no-store"),
    };
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.code()),
        (header::VARY, vary),
        (header::CACHE_CONTROL, cache),
    ]
}
