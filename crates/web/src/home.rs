//! The page at the root: what runs here, and where its APIs are.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use crate::{
    Base, Site, assets,
    html::escape,
    language::Language,
    messages::{Messages, messages},
};

/// Answers the page in the language that the reader prefers.
pub async fn page(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let language = preferred(&headers);
    (fields(language), render(&site, &root_of(&site, &headers), language)).into_response()
}

/// What completes an address from the root, so that it can be copied elsewhere: the host that the
/// reader asked for. Links need nothing; they stay as they are, whatever stands before the server.
fn root_of(site: &Site, headers: &HeaderMap) -> String {
    let from_the_root = site.bases.iter().all(|base| base.address.starts_with('/'));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match host.filter(|host| from_the_root && is_authority(host)) {
        Some(host) => format!("{}://{host}", site.scheme),
        None => String::new(),
    }
}

/// Whether a Host header holds a name or an address, and maybe a port, and nothing else.
fn is_authority(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

/// The language that the reader of a page prefers; French when nothing is said.
pub fn preferred(headers: &HeaderMap) -> Language {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map_or(Language::French, Language::accepted)
}

/// What goes with every page.
pub const fn fields(language: Language) -> [(header::HeaderName, &'static str); 4] {
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.code()),
        (header::VARY, "accept-language"),
        (header::CACHE_CONTROL, "no-cache"),
    ]
}

fn render(site: &Site, root: &str, language: Language) -> String {
    let text = messages(language);
    let mut page = String::with_capacity(4096);
    let _ = write!(
        page,
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
<header><h1>{title}</h1><p>{purpose}</p></header>
<main id="content">
{bases}{requests}{operation}</main>
<footer><p>{documentation}</p><p>{version} {number}</p></footer>
</body>
</html>
"##,
        lang = language.code(),
        title = text.title,
        style = assets::STYLE_ADDRESS,
        icon = assets::ICON_ADDRESS,
        skip = text.skip,
        purpose = text.purpose,
        bases = bases(site, root, text),
        requests = site.bases.first().map(|base| requests(base, root, text)).unwrap_or_default(),
        operation = operation(text),
        documentation = text.documentation,
        version = text.version,
        number = escape(site.version),
    );
    page
}

fn bases(site: &Site, root: &str, text: &Messages) -> String {
    let mut section = format!(
        "<section aria-labelledby=\"bases\"><h2 id=\"bases\">{}</h2><p>{}</p>\n<table><caption>{}</caption>\n\
         <thead><tr><th scope=\"col\">{}</th><th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr></thead>\n<tbody>\n",
        text.bases, text.bases_explained, text.bases_caption, text.release, text.address, text.capabilities
    );
    for base in &site.bases {
        let address = escape(&base.address);
        let _ = writeln!(
            section,
            "<tr><th scope=\"row\">{release} ({version})</th><td><code>{root}{address}</code></td>\
             <td><a href=\"{address}/metadata?_format=json&amp;_pretty=true\">{link} {release}</a></td></tr>",
            release = base.release,
            version = base.fhir_version,
            link = text.read_capabilities,
        );
    }
    section.push_str("</tbody></table></section>\n");
    section
}

fn requests(base: &Base, root: &str, text: &Messages) -> String {
    let address = escape(&format!("{root}{}", base.address));
    format!(
        "<section aria-labelledby=\"requests\"><h2 id=\"requests\">{}</h2>\n<p>{}</p>\n<pre tabindex=\"0\"><code>\
         curl '{address}/DocumentReference?_sort=-date&amp;_count=20\
         &amp;_include=DocumentReference:subject&amp;_include=DocumentReference:author'</code></pre>\n\
         <p>{}</p>\n<pre tabindex=\"0\"><code>curl -X POST '{address}/DocumentReference' \\\n  \
         -H 'Content-Type: application/fhir+json' --data @note.json</code></pre></section>\n",
        text.first_requests, text.read_notes, text.write_note
    )
}

fn operation(text: &Messages) -> String {
    format!(
        "<section aria-labelledby=\"operation\"><h2 id=\"operation\">{}</h2>\n<dl><dt><a href=\"/healthz\">/healthz</a></dt>\
         <dd>{}</dd><dt><a href=\"/readyz\">/readyz</a></dt><dd>{}</dd></dl></section>\n",
        text.operation, text.alive, text.ready
    )
}
