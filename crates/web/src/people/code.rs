//! Signing in with a code that comes by mail, for those who have an account here.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use liaison_inbound::{network, sender::Sender};
use liaison_session::{
    accounts::{self, Address, Mailbox, Purpose, Tried},
    cookie::Holding,
    secret::Secret,
    sessions::Arrival,
};

use super::{
    People,
    local::HOME,
    request::{arrive, away, browser, field, fields, is_from_here, keep, kept, now, page as answer},
};
use crate::{frame, html::escape, language::Language, messages::messages, notice::Notice};

/// Whether a letter was sent; why not, in words that name nobody.
pub type Sent = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Whoever sends letters.
pub trait Letters: Send + Sync + fmt::Debug {
    /// Sends plain text.
    fn send(&self, to: String, subject: &'static str, text: String) -> Sent;
}

/// What the cookie of an attempt begins with when it waits for a code.
const WAITING: &str = "code.";

/// The form that asks for a code.
pub fn form(action: &str, back: &str, language: Language) -> String {
    let text = &messages(language).people;
    format!(
        "<form method=\"post\" action=\"{action}\">\n<p><label for=\"mail\">{}</label><br>\n\
         <input id=\"mail\" name=\"mail\" type=\"email\" autocomplete=\"email\" required maxlength=\"254\"></p>\n\
         <input type=\"hidden\" name=\"back\" value=\"{}\">\n<button>{}</button>\n</form>\n",
        text.mail,
        escape(back),
        text.send_code,
    )
}

/// Asks for a code by mail, to sign in.
pub async fn ask(
    State(people): State<Arc<People>>,
    sender: Option<Extension<Sender>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = fields(&body);
    let back = field(&form, "back").unwrap_or(HOME).to_owned();
    let asked = Asked { form: &form, purpose: Purpose::SignIn, action: "/sign-in/code", back: &back };
    sent(&people, sender, &headers, asked).await
}

/// What is asked for, and where the code is written.
pub struct Asked<'a> {
    /// The form, with the address.
    pub form: &'a [(String, String)],
    /// What for.
    pub purpose: Purpose,
    /// Where the code is sent to.
    pub action: &'a str,
    /// Where one goes then.
    pub back: &'a str,
}

/// Sends a code, and answers the page that asks for it: the same for everybody.
pub async fn sent(
    people: &People,
    sender: Option<Extension<Sender>>,
    headers: &HeaderMap,
    asked: Asked<'_>,
) -> Response {
    let language = frame::preferred(headers);
    let Some(letters) = &people.letters else { return Notice::Expired.answer(language) };
    if !is_from_here(people, headers) {
        return Notice::Forged.answer(language);
    }
    let mailbox = Mailbox::read(field(asked.form, "mail").unwrap_or_default());
    let Some(mailbox) = mailbox else { return Notice::NoAddress.answer(language) };
    // Without a connection, in tests of this crate, all come from one place.
    let place = sender.map(|Extension(sender)| network::place(sender.address).to_string()).unwrap_or_default();
    let code = match people.sessions.ask_code(&mailbox.address(), &asked.purpose, &place, now()).await {
        Ok(code) => code,
        Err(error) => return away(headers, &error),
    };
    if let Some(digits) = &code.code {
        let text = &messages(language).people;
        let [first, last] = [&digits[..4], &digits[4..]];
        let letter = text.letter.replace("{code}", &format!("{first} {last}"));
        let sending = letters.send(mailbox.text().to_owned(), text.letter_subject, letter);
        // Nobody waits for it: how long it takes would tell whether there is an account.
        tokio::spawn(async move {
            if let Err(why) = sending.await {
                tracing::warn!(why, "a code was not sent");
            }
        });
    }
    let mut page = code_page(asked.action, asked.back, "", language);
    keep(people, &mut page, Holding::Attempt, Some(&format!("{WAITING}{}", code.browser.text())));
    page
}

/// The page that asks for a code.
fn code_page(action: &str, back: &str, before: &str, language: Language) -> Response {
    let text = &messages(language).people;
    let main = format!(
        "{before}<p>{}</p>\n<form method=\"post\" action=\"{action}\">\n<p><label for=\"code\">{}</label><br>\n\
         <input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required maxlength=\"20\"></p>\n\
         <input type=\"hidden\" name=\"back\" value=\"{}\">\n<button>{}</button>\n</form>\n<p><a href=\"/sign-in\">{}</a></p>\n",
        text.code_sent,
        text.code,
        escape(back),
        text.continue_,
        text.sign_in_again,
    );
    answer(text.sign_in, &main, language)
}

/// What became of a code that was written; the page to answer when it was not right.
///
/// # Errors
/// That page.
pub async fn tried(
    people: &People,
    headers: &HeaderMap,
    form: &[(String, String)],
    action: &str,
) -> Result<(Address, Purpose), Response> {
    let language = frame::preferred(headers);
    if !is_from_here(people, headers) {
        return Err(Notice::Forged.answer(language));
    }
    let waiting = kept(people, headers, Holding::Attempt).and_then(|text| text.strip_prefix(WAITING));
    let Some(waiting) = waiting.and_then(Secret::read) else { return Err(Notice::Expired.answer(language)) };
    let written = field(form, "code").unwrap_or_default();
    match people.sessions.try_code(&waiting, written, now()).await {
        Err(error) => Err(away(headers, &error)),
        Ok(Tried::Right(address, purpose)) => Ok((address, purpose)),
        Ok(Tried::Wrong) => {
            let before = format!("<p><strong>{}</strong></p>\n", messages(language).people.wrong_code);
            let mut page = code_page(action, field(form, "back").unwrap_or(HOME), &before, language);
            *page.status_mut() = StatusCode::FORBIDDEN;
            Err(page)
        }
        Ok(Tried::Gone) => {
            let mut page = Notice::Expired.answer(language);
            keep(people, &mut page, Holding::Attempt, None);
            Err(page)
        }
    }
}

/// Signs in with a code.
pub async fn sign_in(State(people): State<Arc<People>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = fields(&body);
    let address = match tried(&people, &headers, &form, "/sign-in/code").await {
        Ok((address, Purpose::SignIn)) => address,
        Ok(_) => return Notice::Expired.answer(frame::preferred(&headers)),
        Err(page) => return page,
    };
    match people.sessions.account(&address).await {
        Ok(Some(claims)) => come_in(&people, &headers, claims, field(&form, "back").unwrap_or(HOME)).await,
        Ok(None) => Notice::Expired.answer(frame::preferred(&headers)),
        Err(error) => away(&headers, &error),
    }
}

/// Lets in who has an account.
pub async fn come_in(
    people: &People,
    headers: &HeaderMap,
    claims: liaison_identity::claims::Claims,
    back: &str,
) -> Response {
    let issuer = accounts::ISSUER.to_owned();
    let arrival = Arrival { issuer, claims, id_token: None, browser: browser(headers) };
    match arrive(people, headers, arrival, back).await {
        Ok(mut answer) => {
            keep(people, &mut answer, Holding::Attempt, None);
            answer
        }
        Err(error) => away(headers, &error),
    }
}
