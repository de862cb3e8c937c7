//! Parts of resources: marked where they are shown, refused where they would replace the whole.
//!
//! <https://hl7.org/fhir/R4/search.html#summary>

use liaison_fhir::{
    array, object,
    outcome::IssueKind,
    text,
    tree::{Object, Value},
};

use crate::{
    error::AppError,
    face::{Face, is_observation_values, observation_values},
};

const SUBSETTED: &str = "SUBSETTED";

/// Tags a resource as a part, so that nobody sends it back for the whole.
pub fn mark(resource: &mut Object, face: &Face) {
    if is_marked(resource) {
        return;
    }
    let tag = object! { "system" => observation_values(face.release.id), "code" => SUBSETTED };
    let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut) else {
        resource.set("meta", object! { "tag" => array![tag] });
        return;
    };
    match meta.get_mut("tag").and_then(Value::as_array_mut) {
        Some(tags) => tags.push(tag.into()),
        None => {
            meta.set("tag", array![tag]);
        }
    }
}

/// Refuses a part where it would stand for the whole: what was not shown would be lost.
///
/// # Errors
/// When the resource is tagged as a part.
pub(crate) fn refuse(resource: &Object) -> Result<(), AppError> {
    if !is_marked(resource) {
        return Ok(());
    }
    let name = resource.resource_type().unwrap_or_default();
    Err(AppError::against_a_rule(
        IssueKind::BusinessRule,
        format!("{name}.meta.tag"),
        text!(
            en: "This is a part of a resource (SUBSETTED); in the place of the whole, the rest would be lost. Read the resource whole and change that, or send a patch.",
            fr: "Ceci est une partie de ressource (SUBSETTED) ; à la place du tout, le reste serait perdu. Lire la ressource entière et la modifier, ou envoyer un patch.",
        ),
    ))
}

fn is_marked(resource: &Object) -> bool {
    let is_mark =
        |tag: &Object| tag.str("code") == Some(SUBSETTED) && tag.str("system").is_some_and(is_observation_values);
    resource.object("meta").is_some_and(|meta| meta.objects("tag").any(is_mark))
}
