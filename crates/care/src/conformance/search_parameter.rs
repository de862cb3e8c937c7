//! Search parameters as `SearchParameter` resources: for those the search engine adds to FHIR's.

use liaison_fhir::{
    object,
    tree::{Object, Value},
};

use crate::terminology::maps::OWN;

/// A search parameter to describe.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Its id as a resource, and the end of its URL when it has none.
    pub id: &'a str,
    /// Its canonical URL when a guide gave it one.
    pub url: Option<&'a str>,
    /// The name it is searched by.
    pub code: &'a str,
    /// The resource types it searches.
    pub base: &'a [&'a str],
    /// Its type: `token`, `date`…
    pub kind: &'a str,
    /// The FHIRPath of what it searches.
    pub expression: &'a str,
    /// The resource types it leads to, for a reference.
    pub target: &'a [&'a str],
    /// What it is for, in French.
    pub description: &'a str,
}

/// The resource that describes a search parameter.
#[must_use]
pub fn resource(parameter: &Description<'_>) -> Object {
    let codes = |codes: &[&str]| codes.iter().copied().map(Value::from).collect::<Vec<_>>();
    let url = parameter.url.map_or_else(|| format!("{OWN}/SearchParameter/{}", parameter.id), str::to_owned);
    let name = parameter.id.replace(['-', '.'], "_");
    let mut resource = object! {
        "resourceType" => "SearchParameter",
        "id" => parameter.id,
        "language" => "fr",
        "url" => url,
        "name" => name,
        "status" => "active",
        "description" => parameter.description,
        "code" => parameter.code,
        "base" => codes(parameter.base),
        "type" => parameter.kind,
        "expression" => parameter.expression,
    };
    if !parameter.target.is_empty() {
        resource.push("target", codes(parameter.target));
    }
    resource
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{outcome::refused, release::r4, validate::validate};

    use super::*;

    #[test]
    fn a_parameter_of_ours_gets_a_url_of_ours_and_one_of_a_guide_keeps_its_own() {
        let ours = Description {
            id: "document-urgent",
            url: None,
            code: "urgent",
            base: &["DocumentReference"],
            kind: "token",
            expression: "DocumentReference.extension.value",
            target: &[],
            description: "Notes urgentes.",
        };
        assert!(resource(&ours).str("url").is_some_and(|url| url.starts_with(OWN) && url.ends_with("document-urgent")));
        let guides = Description { url: Some("https://x.example/SearchParameter/1"), target: &["Patient"], ..ours };
        assert_eq!(resource(&guides).str("url"), guides.url);
        assert!(resource(&guides).contains("target") && !resource(&ours).contains("target"));
        assert!(!refused(&validate(&resource(&ours), r4())));
    }
}
