//! Requests that may be repeated: the same `Idempotency-Key` and the same request, the same answer.

use liaison_fhir::{json, outcome::IssueKind, text, tree::Object};
use liaison_store::{
    contract::{Instant, Name, RememberedAnswer},
    reader::Reader,
    writer::Tx,
};
use ring::digest;

use crate::{error::AppError, face::Face, operation::Stage};

/// What a request carries, told from anything else that it could carry.
pub(crate) trait Carried {
    /// Adds what tells it from others.
    fn digest_into(&self, context: &mut digest::Context);
}

impl Carried for Object {
    fn digest_into(&self, context: &mut digest::Context) {
        context.update(&json::write(self));
    }
}

/// The key of a request and what it asks, so that the same key for something else is noticed.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    key: String,
    request: [u8; 32],
}

impl Key {
    /// The key a client gave, for this caller, with what identifies the request: where it goes and
    /// what it carries.
    ///
    /// # Errors
    /// When the key is empty or longer than 255 bytes.
    pub(crate) fn new(
        given: Option<String>,
        address: &str,
        content: &impl Carried,
        face: &Face,
        stage: &Stage,
    ) -> Result<Option<Self>, AppError> {
        let Some(given) = given else { return Ok(None) };
        if given.is_empty() || given.len() > 255 {
            return Err(AppError::not_understood(
                IssueKind::Value,
                "http.Idempotency-Key",
                text!(
                    en: "An Idempotency-Key has 1 to 255 characters.",
                    fr: "Une Idempotency-Key a de 1 à 255 caractères.",
                ),
            ));
        }
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(face.release.id.version().as_bytes());
        context.update(b"\n");
        context.update(address.as_bytes());
        context.update(b"\n");
        content.digest_into(&mut context);
        let mut request = [0; 32];
        request.copy_from_slice(context.finish().as_ref());
        Ok(Some(Self { key: format!("{} {given}", stage.caller.name()), request }))
    }

    /// How it is called in the store.
    pub(crate) fn name(&self) -> Box<str> {
        self.key.as_str().into()
    }

    /// What answered this request before.
    ///
    /// # Errors
    /// 422 when the key was used for another request.
    pub(crate) fn answered(&self, look: &Reader<'_>) -> Result<Option<RememberedAnswer>, AppError> {
        match look.remembered(&self.key)? {
            Some(before) if before.request != self.request => Err(AppError::against_a_rule(
                IssueKind::Conflict,
                "http.Idempotency-Key",
                text!(
                    en: "This Idempotency-Key was used for another request: take a new one for each new request.",
                    fr: "Cette Idempotency-Key a servi à une autre requête : prenez-en une nouvelle pour chaque nouvelle requête.",
                ),
            )),
            answered => Ok(answered),
        }
    }

    /// Remembers what answered this request, in the same transaction.
    ///
    /// # Errors
    /// What the store says.
    ///
    /// `at` is when the first of the versions that the request made was committed: those before it
    /// were found.
    pub(crate) fn remember(
        &self,
        tx: &mut Tx<'_>,
        at: Option<i64>,
        versions: Vec<(Name, u32)>,
    ) -> Result<(), AppError> {
        let answer = RememberedAnswer { request: self.request, versions, at: at.map_or(tx.now(), Instant) };
        Ok(tx.remember(&self.key, &answer)?)
    }
}
