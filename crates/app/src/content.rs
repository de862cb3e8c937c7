//! What a write brings: a resource, or the bytes of a `Binary`.

use bytes::Bytes;
use liaison_fhir::{object, outcome::IssueKind, release, text, tree::Object, validate};
use liaison_store::contract::NewBlob;
use ring::digest;

use crate::{
    error::AppError,
    face::Face,
    idempotence::Carried,
    operation::Stage,
    write::{
        attachments::{self, Apart, BINARY},
        draft::{self, Draft, People},
        note::Stamped,
        sniff,
    },
};

/// What a write brings.
#[derive(Clone, Debug)]
pub enum Content {
    /// A resource, as read from JSON or XML.
    Resource(Object),
    /// The bytes of a `Binary`, sent as they are.
    Raw(Raw),
}

/// The bytes of a `Binary`.
#[derive(Clone, Debug)]
pub struct Raw {
    /// Their media type, as declared.
    pub content_type: String,
    /// They themselves.
    pub bytes: Bytes,
    /// `X-Security-Context`: the resource whose access rules they share.
    pub security_context: Option<String>,
}

impl Content {
    /// The id that the content says it has.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Resource(tree) => tree.str("id"),
            Self::Raw(_) => None,
        }
    }

    /// Reads and checks it, as a resource of that type.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn draft(self, resource_type: &'static str, face: &Face, stage: &Stage) -> Result<Draft, AppError> {
        let _span = tracing::info_span!(target: "traced", "app.validate").entered();
        match self {
            Self::Resource(tree) => draft::draft(tree, resource_type, face, stage),
            Self::Raw(raw) => raw.draft(stage),
        }
    }
}

impl Carried for Content {
    fn digest_into(&self, context: &mut digest::Context) {
        match self {
            Self::Resource(tree) => tree.digest_into(context),
            Self::Raw(raw) => {
                context.update(raw.content_type.as_bytes());
                context.update(b"\n");
                context.update(raw.security_context.as_deref().unwrap_or_default().as_bytes());
                context.update(b"\n");
                context.update(&raw.bytes);
            }
        }
    }
}

impl Raw {
    fn draft(self, stage: &Stage) -> Result<Draft, AppError> {
        let limit = stage.app.settings().limits.attachment;
        if self.bytes.len() > limit {
            return Err(attachments::too_large(&BINARY.child("data"), limit));
        }
        // Neither release has a Binary that says it has data and has none.
        if self.bytes.is_empty() {
            return Err(AppError::not_understood(
                IssueKind::Required,
                "Binary.data",
                text!(
                    en: "No bytes were sent: the body of this request is what the Binary is to hold.",
                    fr: "Aucun octet n'a été envoyé : le corps de cette requête est ce que le Binary doit contenir.",
                ),
            ));
        }
        sniff::check(Some(&self.content_type), &self.bytes, &BINARY.child("contentType"))?;
        let mut tree = object! { "resourceType" => "Binary", "contentType" => self.content_type.as_str() };
        if let Some(context) = &self.security_context {
            tree.push("securityContext", object! { "reference" => context.as_str() });
        }
        let issues = validate::validate(&tree, release::view());
        if liaison_fhir::outcome::refused(&issues) {
            return Err(AppError::invalid(issues));
        }
        let mark = attachments::mark();
        tree.insert_at(1, "data", mark.as_str());
        let apart =
            Apart { mark, bytes: NewBlob::new(self.bytes), content_type: Some(self.content_type), binary: None };
        Ok(Draft {
            resource_type: "Binary",
            release: release::view(),
            tree,
            apart: vec![apart],
            issues,
            stamped: Stamped::Nothing,
            people: People::AsSent,
            place: None,
        })
    }
}
