//! The entries of a bundle, read and checked one by one.

use base64::{Engine, engine::general_purpose::STANDARD};
use liaison_fhir::{
    json, object,
    outcome::{Issue, IssueKind, refused},
    text,
    tree::{Object, Value},
    validate,
};
use liaison_store::contract::Name;

use super::{
    references,
    request::{self, Asked},
};
use crate::{
    criteria::Criteria,
    error::{AppError, Refusal},
    face::Face,
    name,
    operation::{
        Stage,
        create::condition,
        search::Question,
        update::{self, Target, Whom},
    },
    part, query_string,
    write::draft::{self, Draft, People},
};

/// An entry of a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where its resource stands: `Bundle.entry[3].resource`.
    pub place: String,
    /// Its `fullUrl`.
    pub full_url: Option<String>,
    /// What it asks for.
    pub asked: Asked,
    /// What it is to find, change in part or delete, when that is said by criteria.
    pub criteria: Option<Criteria>,
    /// Whom it replaces.
    pub replaces: Option<Whom>,
    /// What it writes.
    pub draft: Option<Draft>,
    /// How it changes what is there.
    pub patch: Option<Value>,
    /// What it searches.
    pub question: Option<Question>,
    /// The references by criteria of its resource: text, place, criteria.
    pub by_criteria: Vec<(String, String, Criteria)>,
    /// What it is called if it is new here.
    pub fresh: Name,
}

/// What an entry holds, before it is read.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub full_url: Option<String>,
    pub request: Option<Object>,
    pub resource: Option<Object>,
}

/// Checks a bundle without its resources, and gives its entries away.
///
/// # Errors
/// What is wrong with the bundle itself, or more entries than the limit.
pub(crate) fn open(mut bundle: Object, face: &Face, stage: &Stage) -> Result<Vec<Raw>, AppError> {
    let limit = stage.app.settings().limits.bundle;
    let count = bundle.items("entry").len();
    if count > limit {
        return Err(AppError::new(
            Refusal::TooLarge,
            Issue::error(
                IssueKind::TooLong,
                "Bundle.entry",
                text!(
                    en: "The bundle has {count} entries, more than the {limit} that are taken here: split it.",
                    fr: "Le bundle a {count} entrées, plus que les {limit} acceptées ici : scindez-le.",
                ),
            ),
        ));
    }
    let mut raw = Vec::with_capacity(count);
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    let mut shells = Vec::with_capacity(count);
    for mut entry in entries {
        let Some(object) = entry.as_object_mut() else {
            shells.push(entry);
            raw.push(Raw { full_url: None, request: None, resource: None });
            continue;
        };
        // Something stands in for the resource, so that what the bundle says of itself is checked
        // and each resource is checked for itself.
        let resource = match object.get_mut("resource") {
            Some(Value::Object(resource)) => {
                Some(std::mem::replace(resource, object! { "resourceType" => "Parameters" }))
            }
            _ => None,
        };
        raw.push(Raw {
            full_url: object.str("fullUrl").map(|url| url.trim().to_owned()),
            request: object.object("request").cloned(),
            resource,
        });
        shells.push(entry);
    }
    if !shells.is_empty() {
        bundle.set("entry", shells);
    }
    let issues = validate::validate(&bundle, face.release);
    if refused(&issues) { Err(AppError::invalid(issues)) } else { Ok(raw) }
}

impl Entry {
    /// Reads the entry of a transaction.
    ///
    /// # Errors
    /// What is wrong with it, placed in the bundle.
    pub(crate) fn read(index: usize, raw: Raw, face: &Face, stage: &Stage) -> Result<Self, AppError> {
        let at = format!("Bundle.entry[{index}]");
        let asked = match &raw.request {
            Some(request) => Asked::read(request, face),
            None => Err(request::without()),
        };
        let asked = asked.map_err(|error| placed_in_request(error, &at))?;
        Self::of(index, asked, raw, face, stage)
    }

    fn of(index: usize, asked: Asked, raw: Raw, face: &Face, stage: &Stage) -> Result<Self, AppError> {
        let at = format!("Bundle.entry[{index}]");
        let place = format!("{at}.resource");
        let mut entry = Self {
            full_url: raw.full_url,
            criteria: None,
            replaces: None,
            draft: None,
            patch: None,
            question: None,
            by_criteria: Vec::new(),
            fresh: name::fresh(""),
            place: place.clone(),
            asked,
        };
        let in_request = |error| placed_in_request(error, &at);
        let mut people = People::AsSent;
        let (resource_type, body): (&'static str, _) = match &entry.asked {
            Asked::Create { resource_type, if_none_exist } => {
                let condition = if_none_exist.as_deref().map(|text| condition(resource_type, text, face, stage));
                entry.criteria = condition.transpose().map_err(in_request)?;
                (resource_type, Body::Resource)
            }
            Asked::Update { target, .. } => {
                let sent_id = raw.resource.as_ref().and_then(|resource| resource.str("id"));
                if let Some(resource) = &raw.resource {
                    part::refuse(resource).map_err(|error| error.inside(&place))?;
                }
                if let (Target::Named(name), Some(_)) = (target, &raw.resource) {
                    update::same_id(sent_id, name).map_err(|error| error.inside(&place))?;
                }
                let (resource_type, whom, read) =
                    Whom::read(target.clone(), sent_id, face, stage).map_err(in_request)?;
                entry.replaces = Some(whom);
                people = read;
                (resource_type, Body::Resource)
            }
            Asked::Patch { target, .. } | Asked::Delete { target, .. } => {
                let resource_type = match target {
                    Target::Named(name) => name::resource_type(&name.resource_type, face.release)?,
                    Target::Matching { resource_type, criteria } => {
                        let criteria = Criteria::read(resource_type, criteria.clone(), face, stage);
                        entry.criteria = Some(criteria.map_err(in_request)?);
                        resource_type
                    }
                };
                let body = match &entry.asked {
                    Asked::Patch { .. } => Body::Patch,
                    _ => Body::None,
                };
                (resource_type, body)
            }
            Asked::Search { resource_type, pairs } => {
                let question = Question::read(face, *resource_type, pairs.clone(), Default::default(), stage);
                entry.question = Some(question.map_err(in_request)?);
                ("", Body::None)
            }
            Asked::Read(_) | Asked::Vread(..) => ("", Body::None),
        };
        entry.fresh = name::fresh(resource_type);
        match (body, raw.resource) {
            (Body::None, _) => {}
            (_, None) => return Err(without_resource().inside(&place)),
            (Body::Patch, Some(resource)) => {
                entry.patch = Some(patch_of(&resource).map_err(|error| error.inside(&place))?)
            }
            (Body::Resource, Some(mut resource)) => {
                for (text, at) in references::by_criteria(&mut resource, &place) {
                    let criteria = reference_criteria(&text, face, stage).map_err(|error| error.inside(&at))?;
                    entry.by_criteria.push((text, at, criteria));
                }
                let mut draft = draft::draft(resource, resource_type, face, stage).map_err(|e| e.inside(&place))?;
                for issue in &mut draft.issues {
                    issue.place = crate::place::inside(&place, &issue.place);
                }
                draft.place = Some(place);
                draft.people = people;
                entry.draft = Some(draft);
            }
        }
        Ok(entry)
    }

    /// The type of what it writes.
    pub(crate) fn resource_type(&self) -> &str {
        &self.fresh.resource_type
    }
}

enum Body {
    None,
    Resource,
    Patch,
}

fn placed_in_request(mut error: AppError, at: &str) -> AppError {
    for issue in &mut error.issues {
        issue.place = match issue.place.strip_prefix("request") {
            Some(rest) => format!("{at}.request{rest}"),
            None => format!("{at}.request.url"),
        };
    }
    error
}

/// The refusal of an entry that writes nothing.
pub(crate) fn without_resource() -> AppError {
    AppError::not_understood(
        IssueKind::Required,
        "resource",
        text!(
            en: "This entry writes, but has no resource.",
            fr: "Cette entrée écrit, mais n'a pas de ressource.",
        ),
    )
}

fn reference_criteria(text: &str, face: &Face, stage: &Stage) -> Result<Criteria, AppError> {
    let (kind, query) = text.split_once('?').unwrap_or((text, ""));
    let resource_type = name::resource_type(kind, face.release)?;
    Criteria::read(resource_type, query_string::read(query.as_bytes())?, face, stage)
}

/// A patch in a bundle is a `Binary` that holds a JSON Patch.
pub(crate) fn patch_of(resource: &Object) -> Result<Value, AppError> {
    let data = resource.str("data").or_else(|| resource.str("content"));
    let is_patch = resource.resource_type() == Some("Binary")
        && resource.str("contentType").is_some_and(|t| t.starts_with("application/json-patch+json"));
    let bytes = data.filter(|_| is_patch).and_then(|data| STANDARD.decode(data).ok()).ok_or_else(|| {
        AppError::not_understood(
            IssueKind::Value,
            "resource",
            text!(
                en: "A patch in a bundle is a Binary of type application/json-patch+json.",
                fr: "Un patch dans un bundle est un Binary de type application/json-patch+json.",
            ),
        )
    })?;
    json::read_value(&bytes, &json::Limits::default()).map_err(AppError::unreadable)
}
