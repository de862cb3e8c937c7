//! The search parameters: those of the releases and our own, as data, all on the R4 view.
//!
//! A [`Parameter`] is something that is indexed on the R4 view of a type. An [`Offer`] is a name
//! that a release has for it: STU3 calls `securitylabel` what the R4 view calls `security-label`.
//! Everything is loaded once, from `data/{stu3,r4}/search-parameters.tsv` and `data/search/`.

pub mod reading;
mod registry;

use crate::{
    outcome::Text,
    path::{Path, route::Route},
    release::{Element, ReleaseId},
};

use self::{reading::Reading, registry::REGISTRY};
use super::{index::Param, query::ParamKind};

/// What is indexed under a name on the R4 view of a type.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in the index.
    pub param: Param,
    /// Its kind.
    pub kind: ParamKind,
    /// Where its values are found, as FHIRPath.
    pub expression: &'static str,
    /// The same, compiled.
    pub path: Path,
    /// The ways down to its values; empty when the expression computes a truth value.
    pub routes: Vec<(Route, Reading)>,
    /// For references: the stored types it may point to, in alphabetical order.
    pub targets: Vec<&'static str>,
    /// The rows of the identifiers of its references (`subject:identifier`).
    pub identifier: Option<Param>,
    /// The rows that find an identifier with its type (`identifier:of-type`).
    pub of_type: Option<Param>,
}

impl Parameter {
    /// Whether its values are found by no route, but by evaluating the expression.
    #[must_use]
    pub fn computed(&self) -> bool {
        self.routes.is_empty()
            || self.routes.iter().any(|(route, _)| route.fidelity == crate::path::route::Fidelity::Unconditional)
    }

    /// How its values are read, each way once.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading> {
        let mut readings: Vec<Reading> = Vec::new();
        for (_, reading) in &self.routes {
            if !readings.contains(reading) {
                readings.push(*reading);
            }
        }
        if readings.is_empty() {
            readings.push(Reading::Code);
        }
        readings
    }

    /// The elements that hold its values.
    pub fn elements(&self) -> impl Iterator<Item = &'static Element> + '_ {
        self.routes.iter().filter_map(|(route, _)| route.element)
    }
}

/// A name that a release offers for a type.
#[derive(Debug)]
pub struct Offer {
    /// The name, as it is written in a query.
    pub name: &'static str,
    /// Its kind, as the release has it.
    pub kind: ParamKind,
    /// The canonical of its definition, when it has one.
    pub url: Option<&'static str>,
    /// What it is, when it is not one of the release.
    pub description: Option<Text>,
    /// What it means on the R4 view.
    pub meaning: Meaning,
}

/// What a name means on the R4 view.
#[derive(Debug)]
pub enum Meaning {
    /// The logical id.
    Id,
    /// The last change.
    LastUpdated,
    /// A parameter.
    Parameter(&'static Parameter),
    /// A reference parameter, limited to one type it may point to (`patient` for `subject`).
    Restricted(&'static Parameter, &'static str),
    /// The identifiers of the references of a parameter.
    Identifiers(&'static Parameter, Param),
    /// A chain, as it would be written.
    Chain(&'static str),
}

impl Offer {
    /// The parameter meant, unless it is one of the two that are not indexed, or a chain.
    #[must_use]
    pub const fn parameter(&self) -> Option<&'static Parameter> {
        match &self.meaning {
            Meaning::Parameter(parameter) | Meaning::Restricted(parameter, _) | Meaning::Identifiers(parameter, _) => {
                Some(*parameter)
            }
            Meaning::Id | Meaning::LastUpdated | Meaning::Chain(_) => None,
        }
    }

    /// The parameter, when its references are followed: chained, included, asked for with `_has`.
    /// Those to the canonicals of artefacts are not.
    #[must_use]
    pub fn reference(&self) -> Option<&'static Parameter> {
        match self.meaning {
            Meaning::Parameter(parameter) | Meaning::Restricted(parameter, _) => {
                Some(parameter).filter(|parameter| parameter.identifier.is_some())
            }
            Meaning::Id | Meaning::LastUpdated | Meaning::Identifiers(..) | Meaning::Chain(_) => None,
        }
    }

    /// The modifiers that it takes; a reference also takes the type of its target.
    #[must_use]
    pub fn modifiers(&self) -> &'static [&'static str] {
        match &self.meaning {
            Meaning::Id => &["not"],
            Meaning::LastUpdated | Meaning::Chain(_) => &[],
            Meaning::Identifiers(..) => &["missing", "not"],
            Meaning::Restricted(..) => &["missing"],
            Meaning::Parameter(parameter) => match parameter.kind {
                ParamKind::String => &["missing", "exact", "contains"],
                ParamKind::Token if parameter.of_type.is_some() => &["missing", "not", "of-type"],
                ParamKind::Token => &["missing", "not"],
                ParamKind::Reference if parameter.identifier.is_some() => &["missing", "identifier"],
                ParamKind::Uri => &["missing", "above", "below"],
                _ => &["missing"],
            },
        }
    }

    /// The types that references meant by this name may point to; empty when it means none.
    #[must_use]
    pub fn targets(&self) -> Vec<&'static str> {
        match &self.meaning {
            Meaning::Parameter(parameter) => parameter.targets.clone(),
            Meaning::Restricted(_, target) => vec![target],
            Meaning::Id | Meaning::LastUpdated | Meaning::Identifiers(..) | Meaning::Chain(_) => Vec::new(),
        }
    }
}

/// A reference that is also followed through a role: notes by a role of a practitioner are notes
/// by that practitioner.
#[derive(Clone, Copy, Debug)]
pub struct Through {
    /// The reference of the resource searched.
    pub reference: &'static Parameter,
    /// What is asked for at its end.
    pub target: &'static str,
    /// The type of the role.
    pub role: &'static str,
    /// The reference of the role to the target.
    pub of_role: &'static Parameter,
}

/// The names a release offers for a resource type, in alphabetical order; for CapabilityStatement
/// and SearchParameter resources as much as for reading queries.
#[must_use]
pub fn parameters_of(release: ReleaseId, resource_type: &str) -> &'static [Offer] {
    REGISTRY.offers(release, resource_type)
}

/// What a name of a release means for a resource type.
#[must_use]
pub fn offer(release: ReleaseId, resource_type: &str, name: &str) -> Option<&'static Offer> {
    let offers = parameters_of(release, resource_type);
    offers.binary_search_by(|offer| offer.name.cmp(name)).ok().and_then(|at| offers.get(at))
}

/// Why a release's own parameter is not offered here, when it is one that is left out on purpose.
#[must_use]
pub fn reason_left_out(release: ReleaseId, resource_type: &str, name: &str) -> Option<&'static str> {
    REGISTRY.reason_left_out(release, resource_type, name)
}

/// Everything that is indexed on the R4 view of a type.
#[must_use]
pub fn indexed(resource_type: &str) -> &'static [&'static Parameter] {
    REGISTRY.indexed(resource_type)
}

/// The parameter of that code on the R4 view of a type.
#[must_use]
pub fn parameter(resource_type: &str, code: &str) -> Option<&'static Parameter> {
    indexed(resource_type).iter().find(|parameter| parameter.param.code == code).copied()
}

/// The parameter that the rows of a [`Param`] belong to, variants included.
#[must_use]
pub fn parameter_of(param: Param) -> Option<&'static Parameter> {
    let code = param.code.split_once(':').map_or(param.code, |(code, _)| code);
    parameter(param.base, code)
}

/// The roles through which a reference is also followed to a target.
pub fn through(reference: Param, target: &str) -> impl Iterator<Item = &'static Through> {
    REGISTRY.through().iter().filter(move |through| through.reference.param == reference && through.target == target)
}

/// What is indexed where a release says this code; the code itself when it is spelled the same.
#[must_use]
pub fn indexed_codes(release: ReleaseId, param: Param, said: &str) -> Vec<&str> {
    match REGISTRY.indexed_codes(release, param, said) {
        Some(codes) => codes.to_vec(),
        None => vec![said],
    }
}

/// A kind by its name in the tables.
fn kind_named(name: &str) -> Option<ParamKind> {
    Some(match name {
        "string" => ParamKind::String,
        "token" => ParamKind::Token,
        "reference" => ParamKind::Reference,
        "date" => ParamKind::Date,
        "number" => ParamKind::Number,
        "quantity" => ParamKind::Quantity,
        "uri" => ParamKind::Uri,
        "special" => ParamKind::Special,
        "composite" => ParamKind::Composite,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::release::r4;

    use super::*;

    #[test]
    fn every_name_on_offer_is_found_again() {
        for release in [ReleaseId::Stu3, ReleaseId::R4] {
            for resource_type in r4().resources() {
                for known in parameters_of(release, resource_type) {
                    let found = offer(release, resource_type, known.name).map(std::ptr::from_ref);
                    assert_eq!(found, Some(std::ptr::from_ref(known)), "{release:?} {resource_type} {}", known.name);
                }
            }
        }
        assert!(parameters_of(ReleaseId::R4, "Unicorn").is_empty());
    }

    #[test]
    fn both_releases_lead_to_one_view() {
        let means = |release, name| {
            offer(release, "DocumentReference", name)
                .and_then(|offer| Some((offer.parameter()?.param.code, offer.targets())))
        };
        let code = |release, name| means(release, name).map(|(code, _)| code);
        for (stu3, r4) in [("securitylabel", "security-label"), ("created", "date"), ("class", "category")] {
            assert_eq!(code(ReleaseId::Stu3, stu3), Some(r4));
            assert_eq!(code(ReleaseId::R4, r4), Some(r4));
            assert_eq!((code(ReleaseId::R4, stu3), code(ReleaseId::Stu3, r4)), (None, None));
        }
        assert_eq!(means(ReleaseId::Stu3, "patient"), Some(("subject", vec!["Patient"])));
        assert_eq!(means(ReleaseId::R4, "patient"), Some(("subject", vec!["Patient"])));
        // STU3 names these references alike and tells them apart by their targets only.
        let actor = |name| offer(ReleaseId::Stu3, "Appointment", name).map(Offer::targets);
        assert_eq!((actor("patient"), actor("location")), (Some(vec!["Patient"]), Some(vec!["Location"])));
    }

    #[test]
    fn composites_and_what_cannot_be_searched_are_not_offered() {
        for (resource_type, name) in
            [("DocumentReference", "relationship"), ("Patient", "phonetic"), ("Patient", "_text")]
        {
            assert!(offer(ReleaseId::R4, resource_type, name).is_none(), "{name}");
            assert!(reason_left_out(ReleaseId::R4, resource_type, name).is_some(), "{name}");
        }
        assert_eq!(reason_left_out(ReleaseId::R4, "Patient", "name"), None);
    }

    #[test]
    fn what_is_indexed_is_what_some_release_asks_for() {
        for resource_type in r4().resources() {
            for parameter in indexed(resource_type) {
                let asked = [ReleaseId::Stu3, ReleaseId::R4].into_iter().any(|release| {
                    parameters_of(release, resource_type)
                        .iter()
                        .any(|offer| offer.parameter().is_some_and(|asked| asked.param == parameter.param))
                });
                assert!(asked, "{:?}", parameter.param);
                assert_eq!(parameter.param.base, resource_type);
                for variant in [parameter.identifier, parameter.of_type].into_iter().flatten() {
                    assert_eq!(parameter_of(variant).map(|of| of.param), Some(parameter.param));
                }
            }
        }
    }

    #[test]
    fn few_expressions_need_to_be_evaluated_on_every_write() {
        let computed: Vec<_> = r4()
            .resources()
            .into_iter()
            .flat_map(indexed)
            .filter(|parameter| parameter.computed())
            .map(|parameter| (parameter.param.base, parameter.param.code))
            .collect();
        assert_eq!(computed, [("DocumentReference", "indexed"), ("Patient", "deceased")]);
    }
}
