//! The operations that this server adds to those of FHIR, as `OperationDefinition` resources.

use liaison_fhir::{array, object, tree::Object};

use crate::{access::emergency, terminology::maps::OWN};

/// Every operation of our own.
#[must_use]
pub fn all() -> Vec<Object> {
    vec![emergency_access()]
}

/// The canonical address of `$emergency-access`.
#[must_use]
pub fn emergency_access_url() -> String {
    format!("{OWN}/OperationDefinition/Patient-{}", emergency::OPERATION)
}

fn emergency_access() -> Object {
    let parameter = |name: &str, of: &str, min: u64, what: &str| {
        object! {
            "name" => name, "use" => "in", "min" => min, "max" => "1", "documentation" => what, "type" => of,
        }
    };
    object! {
        "resourceType" => "OperationDefinition",
        "id" => format!("Patient-{}", emergency::OPERATION),
        "language" => "fr",
        "url" => emergency_access_url(),
        "name" => "EmergencyAccess",
        "title" => "Accès en urgence",
        "status" => "active",
        "kind" => "operation",
        "description" => "Ouvre le cahier d'une personne, pour quatre heures, à un professionnel de santé qui n'est pas dans son \
    cercle de soins et qui dit pourquoi. Il en reste un CareTeam d'un seul membre, que la personne et son cercle lisent et peuvent clore.",
        "affectsState" => true,
        "code" => emergency::OPERATION,
        "resource" => array!["Patient"],
        "system" => false,
        "type" => true,
        "instance" => false,
        "parameter" => array![
            parameter("patient", "Reference", 0, "La personne ; ou bien identifier."),
            parameter("identifier", "Identifier", 0, "Un identifiant national de la personne ; ou bien patient."),
            parameter("reason", "string", 1, "Pourquoi, en une phrase d'au moins dix lettres."),
            object! {
                "name" => "return", "use" => "out", "min" => 1_u64, "max" => "1",
                "documentation" => "Le cercle ainsi ouvert, avec sa fin.", "type" => "CareTeam",
            },
        ],
    }
}
