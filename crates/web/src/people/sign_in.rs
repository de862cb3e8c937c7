//! The page on which one chooses how to sign in.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use liaison_identity::provider::Provider;
use liaison_session::{guard, sessions::Arrival};

use super::{
    People, account, code,
    local::{HOME, local},
    request::{arrive, away, browser, field, fields, is_from_here, page as answer, visitor},
};
use crate::{frame, html::escape, language::Language, messages::messages, notice::Notice};

/// The providers at which people sign in, each with the number by which addresses name it.
pub fn providers(people: &People) -> impl Iterator<Item = (usize, &Provider)> {
    let all = people.providers.iter().flat_map(|providers| providers.trusted.providers());
    all.enumerate().filter(|(_, provider)| provider.browser().is_some())
}

/// Offers every way to sign in; `back` is where one wanted to go.
pub async fn page(State(people): State<Arc<People>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = frame::preferred(&headers);
    let text = &messages(language).people;
    let query = fields(query.unwrap_or_default().as_bytes());
    let back = local(field(&query, "back").unwrap_or(HOME));
    let mut main = String::new();
    match visitor(&people, &headers).await {
        Err(answer) => return answer,
        Ok(Some(session)) => {
            main += &account::signed_in_as(&session, &guard::token(&session.secret), language);
        }
        Ok(None) => {}
    }
    main += &ways(&people, back, language);
    if people.letters.is_some() {
        main += &format!("<h2>{}</h2>\n<p>{}</p>\n", text.by_mail, text.by_mail_explained);
        main += &code::form("/sign-in/mail", back, language);
    }
    main += &invented(&people, back, language);
    answer(text.sign_in, &main, language)
}

fn ways(people: &People, back: &str, language: Language) -> String {
    let text = &messages(language).people;
    let mut list = String::new();
    for (number, provider) in providers(people) {
        let Some(browser) = provider.browser() else { continue };
        let _ = writeln!(
            list,
            "<li><a class=\"button\" href=\"/sign-in/at/{number}?back={back}\">{at} {name}</a></li>",
            back = escape(&liaison_identity::form::encoded(back)),
            at = text.sign_in_at,
            name = escape(&browser.shown),
        );
    }
    if list.is_empty() { list } else { format!("<p>{}</p>\n<ul class=\"plain\">\n{list}</ul>\n", text.ways) }
}

fn invented(people: &People, back: &str, language: Language) -> String {
    if people.invented.is_empty() {
        return String::new();
    }
    let text = &messages(language).people;
    let mut form = format!(
        "<p>{}</p>\n<form method=\"post\" action=\"/sign-in/as\">\n<input type=\"hidden\" name=\"back\" value=\"{}\">\n\
         <ul class=\"plain\">\n",
        text.invented,
        escape(back),
    );
    for one in &people.invented {
        let (key, name) = (escape(&one.key), escape(&one.name));
        let _ = writeln!(form, "<li><button name=\"who\" value=\"{key}\">{name}</button></li>");
    }
    form.push_str("</ul>\n</form>\n");
    form
}

/// Signs in as somebody invented. Another page cannot do this for one: it must come from here.
pub async fn as_invented(State(people): State<Arc<People>>, headers: HeaderMap, body: Bytes) -> Response {
    let language = frame::preferred(&headers);
    if !is_from_here(&people, &headers) {
        return Notice::Forged.answer(language);
    }
    let form = fields(&body);
    let who = field(&form, "who").and_then(|key| people.invented.iter().find(|one| one.key == key));
    let Some(who) = who else { return Notice::Nobody.answer(language) };
    let arrival =
        Arrival { issuer: who.issuer.clone(), claims: who.claims.clone(), id_token: None, browser: browser(&headers) };
    let arrived = arrive(&people, &headers, arrival, field(&form, "back").unwrap_or(HOME)).await;
    arrived.unwrap_or_else(|error| away(&headers, &error))
}
