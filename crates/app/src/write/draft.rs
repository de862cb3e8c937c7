//! What was sent, read and checked, not yet named.

use std::borrow::Cow;

use liaison_fhir::{
    convert,
    outcome::{Issue, IssueKind, refused},
    release::{self, Release},
    text,
    tree::Object,
    validate,
};

use super::{
    attachments::{self, Apart},
    note,
};
use crate::{
    error::{AppError, Refusal},
    face::Face,
    name,
    operation::Stage,
    place, wire_2017,
};

/// A resource that passed every check that needs nothing but itself.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Its type.
    pub resource_type: &'static str,
    /// The release of the tree.
    pub release: &'static Release,
    /// The resource, its heavy attachments set apart.
    pub tree: Object,
    /// What was set apart, by the marks left in its place.
    pub apart: Vec<Apart>,
    /// Warnings and repairs.
    pub issues: Vec<Issue>,
    /// What the server filled in because the client left it out.
    pub stamped: note::Stamped,
    /// Whose subject and authors the stored note has.
    pub people: People,
    /// Where it stands in the bundle it came in.
    pub place: Option<String>,
}

impl Draft {
    /// A place in the resource, seen from the bundle it came in.
    pub(crate) fn seen_from_bundle(&self, place: String) -> String {
        match &self.place {
            Some(prefix) => place::inside(prefix, &place),
            None => place,
        }
    }
}

/// Whose subject and authors a stored note has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum People {
    /// Those that were sent.
    AsSent,
    /// Those of the version before: the update of 2017 does not concern them.
    AsBefore,
}

/// Reads and checks a resource of the type that the address names.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn draft(tree: Object, expected: &str, face: &Face, stage: &Stage) -> Result<Draft, AppError> {
    let (mut tree, mut issues) = repaired(tree, face);
    let resource_type = declared_type(&tree, face.release)?;
    if resource_type != expected {
        return Err(other_type(expected, resource_type));
    }
    let stamped = note::stamp(&mut tree, face.release, stage);
    issues.extend(validate::validate(&tree, face.release));
    if refused(&issues) {
        return Err(AppError::invalid(issues));
    }
    set_apart(tree, resource_type, face, stage, issues, stamped)
}

/// The tree with the quirks of 2017 made good, where that form is spoken.
pub(crate) fn repaired(tree: Object, face: &Face) -> (Object, Vec<Issue>) {
    match tree.resource_type() {
        Some("Bundle") => wire_2017::bundle(tree, face),
        _ => wire_2017::resource(tree, face),
    }
}

/// The findings that a draft would be refused or warned for, without making one: for `$validate`.
pub(crate) fn findings(tree: Object, expected: &str, face: &Face, stage: &Stage) -> Vec<Issue> {
    let (mut tree, mut issues) = repaired(tree, face);
    match declared_type(&tree, face.release) {
        Err(error) => return error.issues,
        Ok(declared) if declared != expected => return other_type(expected, declared).issues,
        Ok(_) => {}
    }
    note::stamp(&mut tree, face.release, stage);
    issues.extend(validate::validate(&tree, face.release));
    if !refused(&issues) {
        issues.extend(liaison_care::check(&tree, face.release));
    }
    issues
}

fn set_apart(
    mut tree: Object,
    resource_type: &'static str,
    face: &Face,
    stage: &Stage,
    issues: Vec<Issue>,
    stamped: note::Stamped,
) -> Result<Draft, AppError> {
    let mut release = face.release;
    if resource_type == "Binary" {
        // Bytes have no release: one form serves both faces and the raw uploads.
        if let Cow::Owned(converted) = in_r4(&tree, release) {
            tree = converted;
        }
        release = release::view();
    }
    let apart = attachments::set_apart(&mut tree, resource_type, release, face, stage.app.settings())?;
    Ok(Draft { resource_type, release, tree, apart, issues, stamped, people: People::AsSent, place: None })
}

/// The R4 view of a tree.
pub(crate) fn in_r4<'t>(tree: &'t Object, release: &Release) -> Cow<'t, Object> {
    if release.id == release::view().id { Cow::Borrowed(tree) } else { Cow::Owned(convert::to_r4(tree)) }
}

fn other_type(expected: &str, declared: &str) -> AppError {
    AppError::not_understood(
        IssueKind::Invalid,
        "resourceType",
        text!(
            en: "The address is for {expected}, the body is a {declared}.",
            fr: "L'adresse est celle de {expected}, le corps est un {declared}.",
        ),
    )
}

fn declared_type(tree: &Object, release: &'static Release) -> Result<&'static str, AppError> {
    let Some(declared) = tree.resource_type() else {
        return Err(AppError::not_understood(
            IssueKind::Structure,
            "resourceType",
            text!(
                en: "The body has no resourceType: it must be a FHIR resource.",
                fr: "Le corps n'a pas de resourceType : il doit être une ressource FHIR.",
            ),
        ));
    };
    name::resource_type(declared, release)
        .map_err(|error| AppError { refusal: Refusal::NotUnderstood, ..error }.inside("resourceType"))
}
