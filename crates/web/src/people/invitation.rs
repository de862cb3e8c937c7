//! Inviting a relative into a circle, and accepting.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use liaison_app::{
    caller::Caller,
    operation::{
        join::{Join, Relation, Relative},
        notebooks::{Circle, Notebook, Notebooks},
    },
};
use liaison_inbound::sender::Sender;
use liaison_session::{
    accounts::{
        Purpose,
        invitations::{Invitation, Invited, Waiting},
    },
    guard,
    secret::Secret,
    sessions::Session,
};
use qrcodegen::{QrCode, QrCodeEcc};

use super::{
    People,
    account::{button, moment},
    code,
    local::{HOME, see_other},
    request::{away, field, fields, now, own_form, page as answer, visitor},
};
use crate::{frame, html::escape, language::Language, messages::messages, notice::Notice};

/// Letters of a name.
const NAME: usize = 60;

/// The notebook of a person whose circle the caller keeps.
async fn kept(people: &People, session: &Session, headers: &HeaderMap, person: &str) -> Result<Notebook, Response> {
    let caller = Caller::in_person(session.identity.clone(), Arc::clone(&people.bases));
    let notebooks = people.app.execute(&caller, Notebooks).await.map_err(|error| away(headers, &error))?;
    let found = notebooks.into_iter().find(|one| one.person == person && one.circle == Circle::Kept);
    found.ok_or_else(|| Notice::NotYours.answer(frame::preferred(headers)))
}

/// The form that invites somebody.
pub async fn page(State(people): State<Arc<People>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = frame::preferred(&headers);
    let text = &messages(language).people;
    let query = fields(query.unwrap_or_default().as_bytes());
    let session = match visitor(&people, &headers).await {
        Ok(Some(session)) => session,
        Ok(None) => return see_other("/sign-in"),
        Err(answer) => return answer,
    };
    let person = field(&query, "notebook").unwrap_or_default();
    let notebook = match kept(&people, &session, &headers, person).await {
        Ok(notebook) => notebook,
        Err(answer) => return answer,
    };
    let mut relations = String::new();
    for (relation, name) in Relation::ALL.iter().zip(text.relations) {
        let _ = writeln!(relations, "<option value=\"{}\">{name}</option>", relation.code());
    }
    let csrf = guard::token(&session.secret);
    let mut main = format!(
        "<p>{} <strong>{}</strong>. {}</p>\n<form method=\"post\" action=\"/invitations\">\n\
         <p><label for=\"given\">{}</label><br><input id=\"given\" name=\"given\" required maxlength=\"{NAME}\"></p>\n\
         <p><label for=\"family\">{}</label><br><input id=\"family\" name=\"family\" required maxlength=\"{NAME}\"></p>\n\
         <p><label for=\"relation\">{}</label><br><select id=\"relation\" name=\"relation\">\n{relations}</select></p>\n\
         <input type=\"hidden\" name=\"notebook\" value=\"{}\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\n\
         <button>{}</button>\n</form>\n",
        text.invite_to,
        escape(&notebook.name),
        text.invite_explained,
        text.given,
        text.family,
        text.relation,
        escape(&notebook.person),
        escape(&csrf),
        text.make_invitation,
    );
    let waiting = match people.sessions.waiting(&notebook.person, now()).await {
        Ok(waiting) => waiting,
        Err(error) => return away(&headers, &error),
    };
    if !waiting.is_empty() {
        let _ = writeln!(main, "<h2>{}</h2>\n<ul class=\"plain\">", text.waiting);
        for one in &waiting {
            main += &row(&people, one, &csrf, language);
        }
        main.push_str("</ul>\n");
    }
    let _ = writeln!(main, "<p><a href=\"/\">{}</a></p>", messages(language).home);
    answer(text.invite, &main, language)
}

fn row(people: &People, one: &Waiting, csrf: &str, language: Language) -> String {
    let text = &messages(language).people;
    let relation = Relation::ALL.iter().zip(text.relations).find(|(relation, _)| relation.code() == one.to.relation);
    format!(
        "<li><p>{} {} ({})<br>{} {}</p>\n{}</li>\n",
        escape(&one.to.given),
        escape(&one.to.family),
        relation.map_or("", |(_, name)| name),
        text.until,
        moment(people, one.until, language),
        button(
            "/invitations/withdraw",
            text.withdraw,
            csrf,
            &[("notebook", &one.to.notebook), ("invitation", &one.name)]
        ),
    )
}

/// What a page of ours sent for a notebook whose circle its sender keeps.
struct KeepersForm {
    session: Session,
    form: Vec<(String, String)>,
    notebook: Notebook,
}

async fn keepers_form(people: &People, headers: &HeaderMap, body: &Bytes) -> Result<KeepersForm, Response> {
    let (session, form) = own_form(people, headers, body).await?;
    let notebook = kept(people, &session, headers, field(&form, "notebook").unwrap_or_default()).await?;
    Ok(KeepersForm { session, form, notebook })
}

/// Withdraws an invitation; whoever keeps the circle may, whoever made it.
pub async fn withdraw(State(people): State<Arc<People>>, headers: HeaderMap, body: Bytes) -> Response {
    let KeepersForm { form, notebook, .. } = match keepers_form(&people, &headers, &body).await {
        Ok(sent) => sent,
        Err(answer) => return answer,
    };
    let name = field(&form, "invitation").unwrap_or_default();
    match people.sessions.withdraw(&notebook.person, name, now()).await {
        // What was accepted, or is too old, is not among those that wait either.
        Ok(_) => see_other(&inviting(&notebook)),
        Err(error) => away(&headers, &error),
    }
}

/// Makes an invitation, and shows the way to accept it, once.
pub async fn make(State(people): State<Arc<People>>, headers: HeaderMap, body: Bytes) -> Response {
    let language = frame::preferred(&headers);
    let text = &messages(language).people;
    let KeepersForm { session, form, notebook } = match keepers_form(&people, &headers, &body).await {
        Ok(sent) => sent,
        Err(answer) => return answer,
    };
    let name = |of: &str| {
        let written = field(&form, of).unwrap_or_default().trim();
        let whole = !written.is_empty() && written.chars().count() <= NAME && !written.chars().any(char::is_control);
        whole.then(|| written.to_owned())
    };
    let relation = field(&form, "relation").and_then(Relation::of);
    let (Some(given), Some(family), Some(relation)) = (name("given"), name("family"), relation) else {
        return Notice::Incomplete.answer(language);
    };
    let to = Invitation { notebook: notebook.person, given, family, relation: relation.code().to_owned() };
    let secret = match people.sessions.invite(&session, &to, now()).await {
        Ok(Some(secret)) => secret,
        Ok(None) => return Notice::TooMany.answer(language),
        Err(error) => return away(&headers, &error),
    };
    let root = people.providers.as_ref().map_or("", |providers| providers.root.as_str());
    let way = format!("{root}/invitation/{}", secret.text());
    let main = format!(
        "<p>{} {} {}.</p>\n{}<p><code>{}</code></p>\n<p>{}</p>\n<p><a href=\"/\">{}</a></p>\n",
        text.invitation_for,
        escape(&to.given),
        escape(&to.family),
        picture(&way, text.invitation),
        escape(&way),
        text.invitation_explained,
        messages(language).home,
    );
    answer(text.invitation, &main, language)
}

/// An address as a QR code; nothing when it is too long for one.
fn picture(address: &str, name: &str) -> String {
    let Ok(code) = QrCode::encode_text(address, QrCodeEcc::Medium) else { return String::new() };
    // Four modules of silence around it.
    let size = code.size() + 8;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{},{}h1v1h-1z", x + 4, y + 4);
        }
    }
    format!(
        "<svg role=\"img\" aria-label=\"{name}\" width=\"264\" height=\"264\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"#000\"/></svg>\n"
    )
}

/// The invitation that an address opens.
async fn opened(people: &People, headers: &HeaderMap, text: &str) -> Result<Invited, Response> {
    let gone = || Notice::NoInvitation.answer(frame::preferred(headers));
    let secret = Secret::read(text).ok_or_else(gone)?;
    let found = people.sessions.invited(&secret, now()).await.map_err(|error| away(headers, &error))?;
    found.ok_or_else(gone)
}

/// What one is invited to. Looking at it accepts nothing, and it tells nothing of the person.
pub async fn shown(State(people): State<Arc<People>>, Path(secret): Path<String>, headers: HeaderMap) -> Response {
    let language = frame::preferred(&headers);
    let text = &messages(language).people;
    match opened(&people, &headers, &secret).await {
        Ok(invited) => {
            let form = code::form(&format!("/invitation/{}", escape(&secret)), HOME, language);
            let name = format!("{} {}", invited.to.given, invited.to.family);
            let main = format!("<p>{}, {}</p>\n{form}", escape(&name), text.invited_explained);
            answer(text.invited, &main, language)
        }
        Err(answer) => answer,
    }
}

/// Sends a code to the address with which one accepts.
pub async fn ask(
    State(people): State<Arc<People>>,
    Path(secret): Path<String>,
    sender: Option<Extension<Sender>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let invited = match opened(&people, &headers, &secret).await {
        Ok(invited) => invited,
        Err(answer) => return answer,
    };
    let form = fields(&body);
    let action = format!("/invitation/{}/code", escape(&secret));
    let asked = code::Asked { form: &form, purpose: Purpose::Invitation(invited.name), action: &action, back: HOME };
    code::sent(&people, sender, &headers, asked).await
}

/// Accepts: who invited brings them into the circle, as far as they still may.
pub async fn accept(
    State(people): State<Arc<People>>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let language = frame::preferred(&headers);
    let form = fields(&body);
    let invited = match opened(&people, &headers, &secret).await {
        Ok(invited) => invited,
        Err(answer) => return answer,
    };
    let action = format!("/invitation/{}/code", escape(&secret));
    let address = match code::tried(&people, &headers, &form, &action).await {
        Ok((address, Purpose::Invitation(name))) if name == invited.name => address,
        Ok(_) => return Notice::Expired.answer(language),
        Err(page) => return page,
    };
    let Some(relation) = Relation::of(&invited.to.relation) else { return Notice::NoInvitation.answer(language) };
    let Invitation { notebook, given, family, .. } = invited.to.clone();
    let join =
        Join { person: notebook, relative: Relative { given, family, relation }, bases: Arc::clone(&people.bases) };
    let by = Caller::in_person(invited.by.clone(), Arc::clone(&people.bases));
    // Of two who open it at once, one is brought in.
    match people.sessions.take(&invited, now()).await {
        Ok(true) => {}
        Ok(false) => return Notice::NoInvitation.answer(language),
        Err(error) => return away(&headers, &error),
    }
    let relative = match people.app.execute(&by, join).await {
        Ok(relative) => relative,
        Err(error) => {
            tracing::warn!(
                issues = error.issues.len(),
                "somebody who was invited could not be brought into the circle"
            );
            // Perhaps they may again, or the circle was being changed by others.
            return match people.sessions.give_back(&invited).await {
                Ok(()) => Notice::NotNow.answer(language),
                Err(error) => away(&headers, &error),
            };
        }
    };
    match people.sessions.accept(&invited, &address, &format!("RelatedPerson/{relative}")).await {
        Ok(Some(claims)) => code::come_in(&people, &headers, claims, HOME).await,
        Ok(None) => Notice::NoInvitation.answer(language),
        Err(error) => away(&headers, &error),
    }
}

/// The way to invite somebody, beside a notebook.
pub fn link(notebook: &Notebook, language: Language) -> String {
    match notebook.circle {
        Circle::OfOthers => String::new(),
        Circle::Kept => {
            format!(" <a href=\"{}\">{}</a>", escape(&inviting(notebook)), messages(language).people.invite)
        }
    }
}

fn inviting(notebook: &Notebook) -> String {
    format!("/invitations/new?notebook={}", liaison_identity::form::encoded(&notebook.person))
}
