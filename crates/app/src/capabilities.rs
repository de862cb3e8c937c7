//! What this server says of itself, from the tables and registries that it works by: what is not in
//! them is not said, and what is said is done.
//!
//! <https://hl7.org/fhir/R4/capabilitystatement.html>

use std::collections::BTreeSet;

use liaison_care::{
    access::emergency,
    conformance::{self, operation_definition},
};
use liaison_fhir::{
    array, convert, object,
    release::{self, Release},
    search::{
        index::Param,
        parameters::{self, Meaning, Offer, Parameter, parameters_of},
    },
    terminology,
    tree::{Object, Value},
};

use crate::{
    audit::event,
    settings::{Audit, Callers, Settings},
};

/// The statement of a release, but for the address of the base and the moment.
pub(crate) fn statement(release: &'static Release, settings: &Settings, not_ready: &BTreeSet<Param>) -> Object {
    let ready = Ready { not_ready };
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
        "rest" => array![rest(release, settings, ready)],
    };
    if release.id == release::view().id {
        return statement;
    }
    let mut statement = convert::to_stu3(&statement);
    statement.set("fhirVersion", release.id.version());
    statement
}

fn rest(release: &'static Release, settings: &Settings, ready: Ready<'_>) -> Object {
    let interactions = ["transaction", "batch", "search-system", "history-system"];
    let resources: Vec<Value> =
        release.resources().into_iter().map(|kind| resource(kind, release, settings, ready).into()).collect();
    let mut rest = object! {
        "mode" => "server",
        "documentation" => ready.documentation(),
        "security" => security(settings.callers),
        "resource" => resources,
        "interaction" => codes(&interactions),
        "searchParam" => search_params("Resource", parameters_of(release.id, "Basic"), |offer| {
            offer.name.starts_with('_') && ready.everywhere(release, offer)
        }),
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

/// How it is known who calls. `cors` is set where it is known.
fn security(callers: Callers) -> Object {
    let mut security = object! { "cors" => false };
    if callers == Callers::Known {
        let smart = object! { "system" => SECURITY_SERVICE, "code" => "SMART-on-FHIR", "display" => "SMART-on-FHIR" };
        security.push("service", array![object! { "coding" => array![smart] }]);
    }
    security.push(
        "description",
        match callers {
            Callers::TheSystem => OPEN_TO_ALL,
            Callers::Known => FOR_KNOWN,
        },
    );
    security
}

const SECURITY_SERVICE: &str = "http://terminology.hl7.org/CodeSystem/restful-security-service";
const OPEN_TO_ALL: &str = "Ce serveur n'identifie pas ses appelants (auth = off) : qui l'atteint peut tout lire et tout \
écrire. Il n'écoute alors que sur une adresse de bouclage.";
const FOR_KNOWN: &str = "Un jeton d'accès d'un fournisseur OpenID reconnu est exigé (Authorization: Bearer), sauf pour \
metadata et .well-known/smart-configuration. Chacun voit ce que lui ouvrent le cercle de soins, la visibilité de chaque note et les \
portées (scopes SMART v1 et v2) du jeton ; ce qu'il ne voit pas n'existe pas pour lui.";

/// Which searches can be answered: their index is there for all resources.
#[derive(Clone, Copy)]
struct Ready<'a> {
    not_ready: &'a BTreeSet<Param>,
}

impl Ready<'_> {
    fn documentation(self) -> String {
        if self.not_ready.is_empty() {
            return DOCUMENTATION.to_owned();
        }
        // Variants are parts of their parameter.
        let waiting = self.not_ready.iter().filter(|param| !param.code.contains(':')).count();
        format!(
            "{DOCUMENTATION} {waiting} paramètres de recherche attendent que leur index soit refait : ils ne sont pas annoncés, et refusés (503)."
        )
    }

    fn parameter(self, parameter: &Parameter) -> bool {
        let variants = [Some(parameter.param), parameter.identifier, parameter.of_type];
        !variants.into_iter().flatten().any(|param| self.not_ready.contains(&param))
    }

    fn offers(self, offer: &Offer) -> bool {
        if self.not_ready.is_empty() {
            return true;
        }
        match &offer.meaning {
            Meaning::Id | Meaning::LastUpdated => true,
            Meaning::Parameter(parameter) | Meaning::Restricted(parameter, _) | Meaning::Identifiers(parameter, _) => {
                self.parameter(parameter)
            }
            // Any of its steps, of whatever type.
            Meaning::Chain(chain) => {
                chain.split(['.', ':']).all(|code| self.not_ready.iter().all(|param| param.code != code))
            }
        }
    }

    /// Whether what every type offers can be asked of every type.
    fn everywhere(self, release: &'static Release, offer: &Offer) -> bool {
        let of_type = |kind| parameters::offer(release.id, kind, offer.name).is_none_or(|offer| self.offers(offer));
        self.not_ready.is_empty() || release.resources().into_iter().all(of_type)
    }
}

fn resource(kind: &'static str, release: &'static Release, settings: &Settings, ready: Ready<'_>) -> Object {
    if kind == event::TYPE && settings.audit == Audit::On {
        return of_trail(release, ready);
    }
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
    let includes = includes(kind, offers, ready);
    if !includes.is_empty() {
        resource.push("searchInclude", includes);
    }
    let reverse = reverse_includes(kind, release, ready);
    if !reverse.is_empty() {
        resource.push("searchRevInclude", reverse);
    }
    let params = search_params(kind, offers, |offer| !offer.name.starts_with('_') && ready.offers(offer));
    if params.as_array().is_some_and(|params| !params.is_empty()) {
        resource.push("searchParam", params);
    }
    resource.push("operation", operations(kind, settings.callers));
    resource
}

/// What the audit trail answers.
fn of_trail(release: &'static Release, ready: Ready<'_>) -> Object {
    let offers = parameters_of(release.id, event::TYPE);
    object! {
        "type" => event::TYPE,
        "documentation" => OF_TRAIL,
        "interaction" => codes(&["read", "search-type"]),
        "versioning" => "no-version",
        "searchParam" => search_params(event::TYPE, offers, |offer| !offer.name.starts_with('_') && ready.offers(offer)),
    }
}

const OF_TRAIL: &str = "Produits par ce serveur seul : un pour chaque accès, permis ou refusé. L'exploitant les lit tous ; la personne, \
et qui la représente, ceux de son cahier. Du plus récent au plus ancien, sans chaînes ni inclusions.";

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

fn search_params(kind: &str, offers: &[Offer], wanted: impl Fn(&Offer) -> bool) -> Value {
    let params = offers.iter().filter(|offer| wanted(offer)).map(|offer| {
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

fn includes(kind: &str, offers: &[Offer], ready: Ready<'_>) -> Vec<Value> {
    let all = references(offers).count();
    let references: Vec<Value> = references(offers)
        .filter(|offer| ready.offers(offer))
        .map(|offer| Value::from(format!("{kind}:{}", offer.name)))
        .collect();
    // All of them, only when each can be followed.
    if references.is_empty() || references.len() < all {
        return references;
    }
    [vec![Value::from("*")], references].concat()
}

fn reverse_includes(kind: &str, release: &'static Release, ready: Ready<'_>) -> Vec<Value> {
    let pointing = |of: &'static str| {
        references(parameters_of(release.id, of))
            .filter(|offer| offer.targets().contains(&kind) && ready.offers(offer))
            .map(move |offer| Value::from(format!("{of}:{}", offer.name)))
    };
    release.resources().into_iter().flat_map(pointing).collect()
}

fn references(offers: &[Offer]) -> impl Iterator<Item = &Offer> {
    offers.iter().filter(|offer| offer.reference().is_some() && !offer.targets().is_empty())
}

fn operations(kind: &str, callers: Callers) -> Value {
    let validate = object! {
        "name" => "validate",
        "definition" => "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    };
    let terminology = terminology::Operation::ALL.into_iter().filter(|operation| operation.resource_type() == kind);
    let others = terminology.map(|operation| {
        let name = operation.name();
        object! { "name" => name, "definition" => format!("http://hl7.org/fhir/OperationDefinition/{kind}-{name}") }
    });
    // Who is the system has nothing to open.
    let emergency = (kind == "Patient" && callers == Callers::Known).then(|| {
        object! { "name" => emergency::OPERATION, "definition" => operation_definition::emergency_access_url() }
    });
    Value::Array(std::iter::once(validate).chain(others).chain(emergency).map(Value::from).collect())
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{json, outcome::refused, validate};

    use super::*;

    fn known() -> Settings {
        Settings { callers: Callers::Known, audit: Audit::On, ..Settings::default() }
    }

    fn dated(release: &'static Release) -> Object {
        let mut statement = statement(release, &known(), &BTreeSet::new());
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
    fn what_cannot_be_answered_is_not_said() {
        let code = |base: &str, code: &str| parameters::parameter(base, code).unwrap().param;
        let not_ready = BTreeSet::from([
            code("DocumentReference", "subject"),
            code("DocumentReference", "type"),
            code("List", "_tag"),
        ]);
        let of = |statement: &Object, kind: &str| {
            let rest = statement.objects("rest").next().unwrap();
            let found = rest.objects("resource").find(|r| r.str("type") == Some(kind)).unwrap().clone();
            let names: Vec<_> = found.objects("searchParam").filter_map(|p| p.str("name").map(str::to_owned)).collect();
            let includes =
                |list| found.items(list).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
            (names, includes("searchInclude"), includes("searchRevInclude"))
        };
        let (all, some) = (
            statement(release::r4(), &Settings::default(), &BTreeSet::new()),
            statement(release::r4(), &Settings::default(), &not_ready),
        );
        let (before, now) = (of(&all, "DocumentReference"), of(&some, "DocumentReference"));
        // The person is another name of the subject.
        assert_eq!(
            before.0.iter().filter(|name| !now.0.contains(name)).collect::<Vec<_>>(),
            ["patient", "subject", "type"]
        );
        assert!(before.1.contains(&"*".to_owned()) && !now.1.contains(&"*".to_owned()));
        assert!(now.1.contains(&"DocumentReference:author".to_owned()));
        assert!(!of(&some, "Patient").2.contains(&"DocumentReference:subject".to_owned()));
        assert!(of(&all, "Patient").2.contains(&"DocumentReference:subject".to_owned()));
        let of_all = |statement: &Object| {
            let rest = statement.objects("rest").next().unwrap();
            rest.objects("searchParam").filter_map(|p| p.str("name").map(str::to_owned)).collect::<Vec<_>>()
        };
        assert!(of_all(&all).contains(&"_tag".to_owned()) && !of_all(&some).contains(&"_tag".to_owned()));
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
