//! The search parameters that this server adds to those of FHIR, as `SearchParameter` resources.

use liaison_fhir::{
    object,
    release::{Release, ReleaseId},
    search::parameters::{Offer, parameters_of},
    tree::{Object, Value},
};

use crate::terminology::maps::OWN;

/// The parameters that the search engine adds to those of a release, described.
#[must_use]
pub fn added(release: &Release) -> Vec<Object> {
    let of_type = |base: &'static str| of_type(release.id, base);
    release.resources().into_iter().flat_map(of_type).collect()
}

fn of_type(release: ReleaseId, base: &'static str) -> impl Iterator<Item = Object> {
    parameters_of(release, base).iter().filter_map(move |offer| resource(base, offer))
}

/// A parameter of FHIR itself has no description here: HL7 describes it.
fn resource(base: &str, offer: &Offer) -> Option<Object> {
    let description = offer.description.as_ref()?;
    let parameter = offer.parameter()?;
    let id = format!("{base}-{}", offer.name);
    let url = offer.url.map_or_else(|| format!("{OWN}/SearchParameter/{id}"), str::to_owned);
    let mut resource = object! {
        "resourceType" => "SearchParameter",
        "id" => id.as_str(),
        "language" => "fr",
        "url" => url,
        "name" => id.replace(['-', '.'], "_"),
        "status" => "active",
        "description" => description.fr.as_str(),
        "code" => offer.name,
        "base" => vec![Value::from(base)],
        "type" => offer.kind.code(),
        "expression" => parameter.expression,
    };
    let targets: Vec<Value> = offer.targets().into_iter().map(Value::from).collect();
    if !targets.is_empty() {
        resource.push("target", targets);
    }
    Some(resource)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use liaison_fhir::{
        outcome::refused,
        release::{r4, stu3},
        validate::validate,
    };

    use super::*;

    #[test]
    fn what_we_add_is_described_and_what_fhir_has_is_not() {
        let added = added(r4());
        let named = |id: &str| added.iter().find(|resource| resource.str("id") == Some(id));
        let urgent = named("DocumentReference-urgent").unwrap();
        assert_eq!((urgent.str("type"), urgent.str("code")), (Some("token"), Some("urgent")));
        assert!(urgent.str("url").is_some_and(|url| url.starts_with(OWN)));
        assert!(named("CareTeam-managingOrganization").unwrap().contains("target"));
        assert!(named("DocumentReference-subject").is_none());
    }

    #[test]
    fn every_description_is_valid_and_has_an_id_and_a_url_of_its_own() {
        let (mut ids, mut urls) = (HashSet::new(), HashSet::new());
        for resource in added(r4()) {
            assert!(!refused(&validate(&resource, r4())), "{resource:?}");
            assert!(ids.insert(resource.str("id").map(str::to_owned)), "{resource:?}");
            assert!(urls.insert(resource.str("url").map(str::to_owned)), "{resource:?}");
        }
    }

    #[test]
    fn what_hl7_describes_in_one_release_is_not_ours_in_the_other() {
        // `indexed` is a parameter of STU3; on the R4 view it is of our making, under HL7's name.
        assert!(!added(stu3()).iter().any(|resource| resource.str("code") == Some("indexed")));
        assert!(added(stu3()).iter().any(|resource| resource.str("code") == Some("urgent")));
    }
}
