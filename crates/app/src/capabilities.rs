//! What this server says of itself, from the tables and registries that it works by: what is not in
//! them is not said, and what is said is done.
//!
//! <https://hl7.org/fhir/R4/capabilitystatement.html>

use liaison_care::conformance;
use liaison_fhir::{
    array, convert, object,
    release::{self, Release},
    search::parameters::{Offer, parameters_of},
    terminology,
    tree::{Object, Value},
};

/// The statement of a release, but for the address of the base and the moment.
pub(crate) fn statement(release: &'static Release) -> Object {
    let statement = object! {
        "resourceType" => "CapabilityStatement",
        "name" => "Liaison",
        "title" => "Liaison : gestionnaire de cahier de liaison partagé",
        "status" => "active",
        "kind" => "instance",
        "instantiates" => array!["https://interop.esante.gouv.fr/ig/fhir/cdl/CapabilityStatement/GestionnaireCdL"],
        "software" => object! { "name" => "Liaison", "version" => env!("CARGO_PKG_VERSION") },
        "implementation" => object! { "description" => "Cahier de liaison partagé, en FHIR STU3 et R4" },
        "fhirVersion" => release::view().id.version(),
        "format" => array!["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat" => array!["application/json-patch+json"],
        "implementationGuide" => array!["https://interop.esante.gouv.fr/ig/fhir/cdl/ImplementationGuide/ans.fhir.fr.cdl"],
        "rest" => array![rest(release)],
    };
    if release.id == release::view().id {
        return statement;
    }
    let mut statement = convert::to_stu3(&statement);
    statement.set("fhirVersion", release.id.version());
    statement
}

fn rest(release: &'static Release) -> Object {
    let interactions = ["transaction", "batch", "search-system", "history-system"];
    let resources: Vec<Value> = release.resources().into_iter().map(|kind| resource(kind, release).into()).collect();
    let mut rest = object! {
        "mode" => "server",
        "documentation" => DOCUMENTATION,
        "security" => object! {
            "cors" => false,
            "description" => "Ce serveur n'identifie pas encore ses appelants : qui l'atteint peut tout lire et tout écrire. Il n'écoute alors que sur une adresse de bouclage.",
        },
        "resource" => resources,
        "interaction" => codes(&interactions),
        "searchParam" => search_params("Resource", parameters_of(release.id, "Basic"), |name| name.starts_with('_')),
    };
    if release.id == release::view().id {
        let export = object! { "name" => "export", "definition" => EXPORT, "documentation" => OF_EXPORT };
        rest.push("operation", array![export]);
    }
    rest
}

const EXPORT: &str = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export";
const OF_EXPORT: &str = "Export de tout le système, par GET, avec Prefer: respond-async. Paramètres : _type, _since, \
_outputFormat (ndjson). Les fichiers, d'un même instant, sont produits à la lecture, pendant un jour. Les pièces jointes \
lourdes sont désignées par leur adresse ; les ressources Binary ne sont exportées que demandées par _type.";

const DOCUMENTATION: &str = "Recherche stricte : un paramètre inconnu est refusé (400) sauf Prefer: handling=lenient. \
Les références vers ce serveur doivent aboutir (422) et ce qui est référencé ne se supprime pas (409). \
Un masterIdentifier connu avec le même contenu rend la note existante (200), avec un autre contenu 409. \
Idempotency-Key rend toute création répétable sans doublon. Les pièces jointes lourdes sont omises des recherches : \
attachment.url, size et hash les désignent. POST [base]/Bundle traite les transactions et les collections de 2017 qui apportent une note.";

fn resource(kind: &'static str, release: &'static Release) -> Object {
    let interactions =
        ["read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"];
    let mut resource = object! { "type" => kind };
    let profiles = supported_profiles(kind, release);
    if !profiles.is_empty() {
        resource.push("supportedProfile", profiles);
    }
    resource.push("interaction", codes(&interactions));
    resource.push("versioning", "versioned-update");
    resource.push("readHistory", true);
    resource.push("updateCreate", true);
    resource.push("conditionalCreate", true);
    resource.push("conditionalRead", "full-support");
    resource.push("conditionalUpdate", true);
    resource.push("conditionalDelete", "single");
    resource.push("referencePolicy", array!["literal", "logical", "enforced", "local"]);
    let offers = parameters_of(release.id, kind);
    let includes = includes(kind, offers);
    if !includes.is_empty() {
        resource.push("searchInclude", includes);
    }
    let reverse = reverse_includes(kind, release);
    if !reverse.is_empty() {
        resource.push("searchRevInclude", reverse);
    }
    let params = search_params(kind, offers, |name| !name.starts_with('_'));
    if params.as_array().is_some_and(|params| !params.is_empty()) {
        resource.push("searchParam", params);
    }
    resource.push("operation", operations(kind));
    resource
}

fn codes(codes: &[&str]) -> Value {
    Value::Array(codes.iter().map(|code| object! { "code" => *code }.into()).collect())
}

/// The profiles that resources of a type are held to when they declare them: all of them are profiles
/// of R4 types.
fn supported_profiles(kind: &str, release: &Release) -> Vec<Value> {
    if release.id != release::view().id {
        return Vec::new();
    }
    conformance::resources()
        .iter()
        .filter(|artefact| artefact.resource_type == "StructureDefinition")
        .filter(|artefact| artefact.resource.str("type") == Some(kind))
        .filter_map(|artefact| artefact.resource.str("url").map(Value::from))
        .collect()
}

fn search_params(kind: &str, offers: &[Offer], wanted: impl Fn(&str) -> bool) -> Value {
    let params = offers.iter().filter(|offer| wanted(offer.name)).map(|offer| {
        let definition = offer
            .url
            .map_or_else(|| format!("http://hl7.org/fhir/SearchParameter/{kind}-{}", offer.name), str::to_owned);
        let mut param = object! { "name" => offer.name };
        // What this server adds is described under an address of its own.
        if offer.url.is_some() || offer.description.is_none() {
            param.push("definition", definition.replace("Resource-_", "Resource-"));
        }
        param.push("type", offer.kind.code());
        if let Some(description) = &offer.description {
            param.push("documentation", description.fr.as_str());
        }
        param.into()
    });
    Value::Array(params.collect())
}

fn includes(kind: &str, offers: &[Offer]) -> Vec<Value> {
    let references: Vec<Value> =
        references(offers).map(|offer| Value::from(format!("{kind}:{}", offer.name))).collect();
    if references.is_empty() { references } else { [vec![Value::from("*")], references].concat() }
}

fn reverse_includes(kind: &str, release: &'static Release) -> Vec<Value> {
    let pointing = |of: &'static str| {
        references(parameters_of(release.id, of))
            .filter(|offer| offer.targets().contains(&kind))
            .map(move |offer| Value::from(format!("{of}:{}", offer.name)))
    };
    release.resources().into_iter().flat_map(pointing).collect()
}

fn references(offers: &[Offer]) -> impl Iterator<Item = &Offer> {
    offers.iter().filter(|offer| offer.reference().is_some() && !offer.targets().is_empty())
}

fn operations(kind: &str) -> Value {
    let validate = object! {
        "name" => "validate",
        "definition" => "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    };
    let terminology = terminology::Operation::ALL.into_iter().filter(|operation| operation.resource_type() == kind);
    let others = terminology.map(|operation| {
        let name = operation.name();
        object! { "name" => name, "definition" => format!("http://hl7.org/fhir/OperationDefinition/{kind}-{name}") }
    });
    Value::Array(std::iter::once(validate).chain(others).map(Value::from).collect())
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{json, outcome::refused, validate};

    use super::*;

    fn dated(release: &'static Release) -> Object {
        let mut statement = statement(release);
        statement.set("date", "2024-01-01");
        statement
    }

    #[test]
    fn the_statements_are_valid_and_of_moderate_size() {
        for release in [release::r4(), release::stu3()] {
            let statement = dated(release);
            let issues = validate::validate(&statement, release);
            assert!(!refused(&issues), "{issues:#?}");
            let size = json::write(&statement).len();
            assert!(size < 300_000, "{size}");
        }
    }

    #[test]
    fn what_the_volet_needs_is_said() {
        let statement = dated(release::r4());
        let rest = statement.objects("rest").next().unwrap();
        let note = rest.objects("resource").find(|r| r.str("type") == Some("DocumentReference")).unwrap();
        let has = |list: &str, member: &str, value: &str| note.objects(list).any(|o| o.str(member) == Some(value));
        for parameter in ["date", "type", "security-label", "subject", "patient", "author", "identifier", "status"] {
            assert!(has("searchParam", "name", parameter), "{parameter}");
        }
        for interaction in ["create", "read", "update", "delete", "search-type"] {
            assert!(has("interaction", "code", interaction), "{interaction}");
        }
        let includes: Vec<_> = note.items("searchInclude").iter().filter_map(Value::as_str).collect();
        assert!(includes.contains(&"DocumentReference:subject") && includes.contains(&"DocumentReference:author"));
    }
}
