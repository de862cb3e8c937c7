//! What a constraint of one release asks of an element that its table leaves free, where the other
//! release does not ask it: without a row here the converted form would break the constraint.
//!
//! The conditions look at what both forms say alike, so that the way there and the way back judge
//! the same; and what is required is required of every valid resource of that release, or the way
//! back would fill in what nobody took out.

use super::{keep, rules::Scene};
use crate::{
    release::ReleaseId,
    tree::{Object, Value},
};

/// What is asked of an element.
#[derive(Clone, Copy, Debug)]
pub(super) enum Demand {
    /// It has to be there when this holds: filled in where the source does not say it.
    Required(When),
    /// It must not be there when this holds: kept beside.
    Forbidden(When),
    /// It has only values of which this holds; others are kept beside.
    Only(fn(&Value) -> bool),
}

type When = fn(&Scene<'_>) -> bool;

impl Demand {
    pub(super) fn requires(self, scene: &Scene<'_>) -> bool {
        matches!(self, Self::Required(when) if when(scene))
    }

    pub(super) fn forbids(self, scene: &Scene<'_>) -> bool {
        matches!(self, Self::Forbidden(when) if when(scene))
    }

    pub(super) fn admits(self, value: Option<&Value>) -> bool {
        match self {
            Self::Only(holds) => value.is_none_or(holds),
            Self::Required(_) | Self::Forbidden(_) => true,
        }
    }
}

/// Release, structure, element and what is asked of it, after the constraint that does.
const DEMANDS: &[(ReleaseId, &str, &str, Demand)] = &[
    // bdl-3
    (ReleaseId::R4, "Bundle.entry", "request", Demand::Required(|s| is_one_of(s, "type", REQUESTS))),
    // bdl-4, which in STU3 has nothing of answers in a history
    (ReleaseId::R4, "Bundle.entry", "response", Demand::Required(|s| is_one_of(s, "type", RESPONSES))),
    (ReleaseId::Stu3, "Bundle.entry", "response", Demand::Forbidden(|s| is_one_of(s, "type", &["history"]))),
    // cpb-14
    (ReleaseId::R4, "CapabilityStatement", "implementation", Demand::Required(|s| is_one_of(s, "kind", &["instance"]))),
    // cpb-15
    (ReleaseId::R4, "CapabilityStatement", "software", Demand::Required(|s| is_one_of(s, "kind", &["capability"]))),
    // sdf-8b
    (ReleaseId::R4, "ElementDefinition", "base", Demand::Required(|s| s.within == SNAPSHOT)),
    // sdf-21, sdf-22
    (ReleaseId::R4, "ElementDefinition", "defaultValue", Demand::Forbidden(has_no_defaults)),
    // eld-18
    (
        ReleaseId::R4,
        "ElementDefinition",
        "isModifierReason",
        Demand::Required(|s| s.node.get("isModifier").and_then(Value::as_bool) == Some(true)),
    ),
    // sdf-23
    (
        ReleaseId::R4,
        "ElementDefinition",
        "sliceName",
        Demand::Forbidden(|s| s.node.str("path").is_some_and(|path| !path.contains('.'))),
    ),
    // eld-16
    (
        ReleaseId::Stu3,
        "ElementDefinition",
        "sliceName",
        Demand::Only(|name| name.as_str().is_none_or(|name| !name.contains(['[', ']', '@']))),
    ),
    // sdf-10
    (
        ReleaseId::R4,
        "ElementDefinition.binding",
        "description",
        Demand::Required(|s| s.within == SNAPSHOT && !binds_to_value_set(s.node)),
    ),
    // eld-12
    (
        ReleaseId::R4,
        "ElementDefinition.binding",
        "valueSet",
        Demand::Only(|address| address.as_str().is_none_or(is_absolute)),
    ),
    // eld-12 as STU3 publishes it, which is false of an absent value set
    (ReleaseId::Stu3, "ElementDefinition.binding", "valueSet", Demand::Required(|_| true)),
    // cpb-16
    (
        ReleaseId::Stu3,
        "CapabilityStatement.messaging",
        "supportedMessage",
        Demand::Required(|s| !s.node.contains("event")),
    ),
    // lst-3
    (ReleaseId::R4, "List.entry", "date", Demand::Forbidden(|s| !is_one_of(s, "mode", &["working"]))),
    // mny-1
    (ReleaseId::Stu3, "Money", "code", Demand::Required(|s| s.node.contains("value") || s.node.contains("_value"))),
    // opd-3
    (ReleaseId::R4, "OperationDefinition.parameter", "targetProfile", Demand::Forbidden(|s| !has_target(s.node))),
    // vsd-5
    (ReleaseId::Stu3, "ValueSet", "compose", Demand::Required(|s| !s.node.contains("expansion"))),
];

/// What a release asks of an element beyond its table.
pub(super) fn demand(release: ReleaseId, structure: &str, element: &str) -> Option<Demand> {
    DEMANDS
        .iter()
        .find(|(of, path, name, _)| *of == release && *path == structure && *name == element)
        .map(|(_, _, _, demand)| *demand)
}

const SNAPSHOT: &str = "StructureDefinition.snapshot";
const DIFFERENTIAL: &str = "StructureDefinition.differential";

/// Bundles whose entries are requests, and those whose entries are answers.
const REQUESTS: &[&str] = &["batch", "transaction", "history"];
const RESPONSES: &[&str] = &["batch-response", "transaction-response", "history"];

fn is_one_of(scene: &Scene<'_>, member: &str, values: &[&str]) -> bool {
    scene.resource.and_then(|r| r.str(member)).is_some_and(|value| values.contains(&value))
}

/// The definitions of FHIR itself have no default values, and only a specialization has new ones.
fn has_no_defaults(scene: &Scene<'_>) -> bool {
    let said = |member| scene.resource.and_then(|r| r.str(member));
    let is_of_fhir = said("url").is_some_and(|url| url.starts_with("http://hl7.org/fhir/StructureDefinition"));
    is_of_fhir || (scene.within == DIFFERENTIAL && said("derivation") != Some("specialization"))
}

/// Whether a binding of either release is to a value set that both can name.
fn binds_to_value_set(binding: &Object) -> bool {
    let address = binding
        .str("valueSet")
        .or_else(|| binding.str("valueSetUri"))
        .or_else(|| binding.object("valueSetReference").and_then(|r| r.str("reference")));
    address.is_some_and(is_absolute)
}

fn is_absolute(address: &str) -> bool {
    ["http:", "https", "urn:"].iter().any(|scheme| address.starts_with(scheme))
}

/// Whether the type of a parameter is one that can be told which profile it is to follow.
fn has_target(parameter: &Object) -> bool {
    let is_resource = |code: &str| {
        [ReleaseId::Stu3, ReleaseId::R4].iter().any(|release| {
            let list = release.release().code_list("http://hl7.org/fhir/ValueSet/resource-types");
            list.is_some_and(|list| list.get(code).is_some())
        })
    };
    parameter.str("type").is_some_and(|code| match code {
        "Reference" | "canonical" => true,
        // What STU3 says of a canonical, which is kept beside.
        "uri" => {
            let kept = format!("{}OperationDefinition.parameter.type", keep::prefix(ReleaseId::R4));
            let mut beside = parameter.objects("extension");
            beside.any(|e| e.str("url") == Some(&kept) && e.str("valueCode") == Some("canonical"))
        }
        code => is_resource(code),
    })
}
