//! Pages that say one thing: what did not work, and what one can do about it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::{
    frame::{Keep, Page},
    html::escape,
    language::Language,
    messages::messages,
};

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// One said no at the provider.
    Denied,
    /// The provider does not answer.
    ProviderAway,
    /// It signed nobody in, or not in a way that can be believed.
    Failed,
    /// One showed less surely who one is than is asked.
    Level,
    /// Nobody here is known by what it says.
    Nobody,
    /// The attempt is too old, or was answered already.
    Expired,
    /// The answer is to another attempt, or to another browser's.
    OtherAttempt,
    /// A page of somebody else may have sent it.
    Forged,
    /// No letter can be sent to what was written.
    NoAddress,
    /// The invitation was accepted, is too old, or never was.
    NoInvitation,
    /// Who invited cannot bring anybody in now.
    NotNow,
    /// No more invitations before some are accepted.
    TooMany,
    /// Something is missing in a form.
    Incomplete,
    /// The circle is for others to change.
    NotYours,
    /// The server cannot tell who one is now.
    Away,
}

impl Notice {
    /// The page, where no provider is concerned.
    pub fn answer(self, language: Language) -> Response {
        self.about("", language)
    }

    /// The page about a provider.
    pub fn about(self, provider: &str, language: Language) -> Response {
        let text = &messages(language).people;
        let (status, [title, explained]) = match self {
            Self::Denied => (StatusCode::FORBIDDEN, text.denied),
            Self::ProviderAway => (StatusCode::SERVICE_UNAVAILABLE, text.provider_away),
            Self::Failed => (StatusCode::FORBIDDEN, text.failed),
            Self::Level => (StatusCode::FORBIDDEN, text.level),
            Self::Nobody => (StatusCode::FORBIDDEN, text.nobody),
            Self::Expired => (StatusCode::BAD_REQUEST, text.expired),
            Self::OtherAttempt => (StatusCode::BAD_REQUEST, text.other_attempt),
            Self::Forged => (StatusCode::FORBIDDEN, text.forged),
            Self::NoAddress => (StatusCode::BAD_REQUEST, text.no_address),
            Self::NoInvitation => (StatusCode::GONE, text.no_invitation),
            Self::NotNow => (StatusCode::CONFLICT, text.not_now),
            Self::TooMany => (StatusCode::CONFLICT, text.too_many),
            Self::Incomplete => (StatusCode::BAD_REQUEST, text.incomplete),
            Self::NotYours => (StatusCode::FORBIDDEN, text.not_yours),
            Self::Away => (StatusCode::SERVICE_UNAVAILABLE, text.away),
        };
        let provider = if provider.is_empty() { String::new() } else { format!("<p>({})</p>\n", escape(provider)) };
        let main = format!("<p>{explained}</p>\n{provider}<p><a href=\"/sign-in\">{}</a></p>\n", text.sign_in);
        let mut answer = Page { title, lead: "", main: &main, footer: "", keep: Keep::Never }.answer(status, language);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
        }
        answer
    }
}
