//! The page at the root: what runs here, and where its APIs are.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

use crate::{
    Base, Site,
    frame::{Keep, Page, preferred},
    html::escape,
    language::Language,
    messages::{Messages, messages},
    people,
};

/// Answers the page in the language that the reader prefers; who is signed in finds their notebooks on it.
pub async fn page(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let language = preferred(&headers);
    let root = root_of(&site, &headers);
    let Some(people) = &site.people else { return render(&site, &root, "", Keep::Checked, language) };
    let session = match people::visitor(people, &headers).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    let person = match &session {
        Some(session) => match people::at_home(people, session, &headers).await {
            Ok(person) => person,
            Err(answer) => return answer,
        },
        None => format!("<p><a class=\"button\" href=\"/sign-in\">{}</a></p>\n", messages(language).people.sign_in),
    };
    render(&site, &root, &person, Keep::Never, language)
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

fn render(site: &Site, root: &str, person: &str, keep: Keep, language: Language) -> Response {
    let text = messages(language);
    let lead = format!("<p>{}</p>", text.purpose);
    let main = format!(
        "{person}{}{}{}",
        bases(site, root, text),
        site.bases.first().map(|base| requests(base, root, text)).unwrap_or_default(),
        operation(text),
    );
    let footer = format!("<p>{}</p><p>{} {}</p>", text.documentation, text.version, escape(site.version));
    Page { title: text.title, lead: &lead, main: &main, footer: &footer, keep }.answer(StatusCode::OK, language)
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
