//! Names of resources, checked where they come in.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    release::Release,
    text,
};
pub use liaison_store::contract::Name;

use crate::error::{AppError, Refusal};

/// A resource type that this server stores in that release.
///
/// # Errors
/// 404: FHIR's type that is not stored here, or no type of FHIR.
pub fn resource_type(text: &str, release: &'static Release) -> Result<&'static str, AppError> {
    if let Some(structure) = release.resource(text) {
        return Ok(structure.path);
    }
    if text.starts_with('$') {
        return Err(unknown_operation(text, None));
    }
    let (kind, text) = if release.resource_name(text).is_some() {
        (
            IssueKind::NotSupported,
            text!(
                en: "Resources of type {text} are not kept here; the capability statement lists those that are.",
                fr: "Les ressources de type {text} ne sont pas gérées ici ; la déclaration de capacité liste celles qui le sont.",
            ),
        )
    } else {
        let version = release.id.version();
        let shown: String = text.chars().take(64).collect();
        (
            IssueKind::NotSupported,
            text!(
                en: "“{shown}” is not a resource type of FHIR {version} (types are case-sensitive).",
                fr: "« {shown} » n'est pas un type de ressource de FHIR {version} (la casse compte).",
            ),
        )
    };
    Err(AppError::new(Refusal::Unknown, Issue::error(kind, "", text)))
}

/// A name from the type and id of an address.
///
/// # Errors
/// The type as [`resource_type`]; 400 when the id has not the form of FHIR's ids.
pub fn of(type_text: &str, id: &str, release: &'static Release) -> Result<Name, AppError> {
    let resource_type = resource_type(type_text, release)?;
    if id.starts_with('$') {
        return Err(unknown_operation(id, Some(resource_type)));
    }
    if !is_id(id) {
        let shown: String = id.chars().take(80).collect();
        return Err(AppError::not_understood(
            IssueKind::Value,
            "",
            text!(
                en: "“{shown}” is not a logical id: 1 to 64 letters, digits, “-” and “.”.",
                fr: "« {shown} » n'est pas un identifiant logique : 1 à 64 lettres, chiffres, « - » et « . ».",
            ),
        ));
    }
    Ok(Name { resource_type: resource_type.into(), id: id.into() })
}

/// 404: an address that ends in the name of an operation (`$…`) that is not here.
#[must_use]
pub fn unknown_operation(name: &str, resource_type: Option<&str>) -> AppError {
    let name: String = name.chars().take(60).collect();
    let (on, sur) = resource_type.map(|kind| (format!(" on {kind}"), format!(" sur {kind}"))).unwrap_or_default();
    let text = text!(
        en: "There is no operation {name}{on} here; the capability statement lists those there are.",
        fr: "Il n'y a pas d'opération {name}{sur} ici ; la déclaration de capacité liste celles qui existent.",
    );
    AppError::new(Refusal::Unknown, Issue::error(IssueKind::NotSupported, "http", text))
}

/// Whether this has the form of FHIR's ids.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// A new name, never given before. Ids ascend with time, which keeps the store's trees compact.
#[must_use]
pub fn fresh(resource_type: &str) -> Name {
    Name { resource_type: resource_type.into(), id: uuid::Uuid::now_v7().to_string().into() }
}

/// A new address for what is told and not stored: `urn:uuid:…`.
#[must_use]
pub fn fresh_address() -> String {
    format!("urn:uuid:{}", uuid::Uuid::new_v4())
}

/// `Type/id`.
#[must_use]
pub fn reference(name: &Name) -> String {
    format!("{}/{}", name.resource_type, name.id)
}
