//! Who one is here, where one is signed in, and signing out.

use std::{fmt::Write as _, sync::Arc};

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};
use jiff::Timestamp;
use liaison_app::{caller::Caller, operation::notebooks::Notebooks};
use liaison_session::{
    cookie::Holding,
    guard,
    sessions::{Asking, Session, Shown},
};

use super::{
    People, browser, invitation,
    local::see_other,
    request::{away, field, keep, now, own_form, page as answer, visitor},
    sign_in::providers,
    who_saw,
};
use crate::{
    frame,
    html::escape,
    language::Language,
    messages::{messages, people::Sentences},
};

/// What a person is shown of themselves on the home page: who they are, and their notebooks.
///
/// # Errors
/// The page that says that it cannot be told now.
pub async fn at_home(people: &People, session: &Session, headers: &HeaderMap) -> Result<String, Response> {
    let language = frame::preferred(headers);
    let text = &messages(language).people;
    let caller = Caller::in_person(session.identity.clone(), Arc::clone(&people.bases));
    let notebooks = people.app.execute(&caller, Notebooks).await.map_err(|error| away(headers, &error))?;
    let mut section = signed_in_as(session, &guard::token(&session.secret), language);
    let _ = writeln!(section, "<section aria-labelledby=\"notebooks\"><h2 id=\"notebooks\">{}</h2>", text.notebooks);
    if notebooks.is_empty() {
        let _ = write!(section, "<p>{}</p>", text.no_notebook);
    } else {
        section.push_str("<ul>\n");
        for notebook in &notebooks {
            let name = if notebook.name.is_empty() { text.nameless } else { &notebook.name };
            let invite = if people.letters.is_some() { invitation::link(notebook, language) } else { String::new() };
            let who_saw = who_saw::link(notebook, language);
            let _ = writeln!(section, "<li>{}{who_saw}{invite}</li>", escape(name));
        }
        section.push_str("</ul>");
    }
    section.push_str("</section>\n");
    Ok(section)
}

/// Who is signed in, with the ways to their sessions and out.
pub fn signed_in_as(session: &Session, csrf: &str, language: Language) -> String {
    let text = &messages(language).people;
    format!(
        "<p>{} <strong>{}</strong>. <a href=\"/sessions\">{}</a></p>\n{}",
        text.signed_in_as,
        escape(shown(session, text)),
        text.sessions,
        button("/sign-out", text.sign_out, csrf, &[]),
    )
}

fn shown<'s>(session: &'s Session, text: &'s Sentences) -> &'s str {
    session.identity.shown.as_deref().unwrap_or(text.nameless)
}

/// A button that sends a form.
pub fn button(action: &str, label: &str, csrf: &str, fields: &[(&str, &str)]) -> String {
    let mut form = format!("<form method=\"post\" action=\"{action}\">");
    for (name, value) in fields.iter().chain(&[("csrf", csrf)]) {
        let _ = write!(form, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
    let _ = writeln!(form, "<button>{label}</button></form>");
    form
}

/// Lists the sessions of whoever asks.
pub async fn page(State(people): State<Arc<People>>, headers: HeaderMap) -> Response {
    let language = frame::preferred(&headers);
    let text = &messages(language).people;
    let session = match visitor(&people, &headers).await {
        Ok(Some(session)) => session,
        Ok(None) => return see_other("/sign-in?back=/sessions"),
        Err(answer) => return answer,
    };
    let all = match people.sessions.beside(&session, now()).await {
        Ok(all) => all,
        Err(error) => return away(&headers, &error),
    };
    let csrf = guard::token(&session.secret);
    let mut main = signed_in_as(&session, &csrf, language);
    let _ = writeln!(main, "<p>{}</p>\n<ul class=\"plain\">", text.sessions_explained);
    for one in &all {
        main += &row(&people, one, &csrf, language);
    }
    main.push_str("</ul>\n");
    main += &button("/sign-out/everywhere", text.sign_out_everywhere, &csrf, &[]);
    let _ = writeln!(main, "<p><a href=\"/\">{}</a></p>", messages(language).home);
    answer(text.sessions, &main, language)
}

fn row(people: &People, one: &Shown, csrf: &str, language: Language) -> String {
    let text = &messages(language).people;
    let end = match one.asking {
        Asking::This => format!("<p><strong>{}</strong></p>", text.this_session),
        Asking::Another => button("/sessions/end", text.end_session, csrf, &[("session", &one.name)]),
    };
    format!(
        "<li><p>{}<br>{} {}</p>\n{end}</li>\n",
        escape(&browser::named(&one.browser, language)),
        text.since,
        moment(people, one.begun, language),
    )
}

/// A moment as it is read.
pub fn moment(people: &People, seconds: i64, language: Language) -> String {
    let moment = Timestamp::from_second(seconds).unwrap_or_default().to_zoned(people.zone.clone());
    let form = match language {
        Language::French => "%d/%m/%Y, %H:%M",
        Language::English => "%Y-%m-%d, %H:%M",
    };
    format!("<time datetime=\"{}\">{}</time>", moment.timestamp(), moment.strftime(form))
}

/// Ends one session of whoever asks.
pub async fn end(State(people): State<Arc<People>>, headers: HeaderMap, body: Bytes) -> Response {
    let (session, form) = match own_form(&people, &headers, &body).await {
        Ok(sent) => sent,
        Err(answer) => return answer,
    };
    let name = field(&form, "session").unwrap_or_default().to_owned();
    match people.sessions.end_named(&session, name).await {
        // Ended already is ended.
        Ok(_) => see_other("/sessions"),
        Err(error) => away(&headers, &error),
    }
}

/// Signs out here.
pub async fn sign_out(State(people): State<Arc<People>>, headers: HeaderMap, body: Bytes) -> Response {
    let (session, _) = match own_form(&people, &headers, &body).await {
        Ok(sent) => sent,
        Err(answer) => return answer,
    };
    match people.sessions.end_this(&session).await {
        Ok(()) => signed_out(&people, &headers, &session).await,
        Err(error) => away(&headers, &error),
    }
}

/// Signs out in every browser.
pub async fn sign_out_everywhere(State(people): State<Arc<People>>, headers: HeaderMap, body: Bytes) -> Response {
    let (session, _) = match own_form(&people, &headers, &body).await {
        Ok(sent) => sent,
        Err(answer) => return answer,
    };
    match people.sessions.end_all(&session).await {
        Ok(_) => signed_out(&people, &headers, &session).await,
        Err(error) => away(&headers, &error),
    }
}

/// Says that one is signed out here, and leads to the provider, where one may still be signed in: on a
/// browser that others use too, the next one would be in at once.
async fn signed_out(people: &People, headers: &HeaderMap, session: &Session) -> Response {
    let language = frame::preferred(headers);
    let text = &messages(language).people;
    let mut main = format!("<p>{}</p>\n", text.signed_out_explained);
    if let Some((way, name)) = way_out(people, session).await {
        let _ = writeln!(
            main,
            "<p>{still} {name}. <a class=\"button\" href=\"{way}\">{end} {name}</a></p>",
            still = text.still_signed_in_at,
            end = text.sign_out_at,
            name = escape(&name),
            way = escape(&way),
        );
    }
    let _ = writeln!(main, "<p><a href=\"/sign-in\">{}</a></p>", text.sign_in_again);
    let mut answer = answer(text.signed_out, &main, language);
    keep(people, &mut answer, Holding::Session, None);
    answer
}

/// Where one signs out at the provider too, and what it is called.
async fn way_out(people: &People, session: &Session) -> Option<(String, String)> {
    let root = &people.providers.as_ref()?.root;
    let (_, provider) = providers(people).find(|(_, one)| one.trusted.expected.issuer == session.issuer)?;
    let (browser, id_token) = (provider.browser()?, session.id_token.as_deref()?);
    let way = provider.way_out(browser, id_token, &format!("{root}/sign-in"), now()).await?;
    Some((way, browser.shown.clone()))
}
