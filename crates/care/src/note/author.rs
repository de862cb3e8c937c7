//! Who wrote a note: an author is known by an identifier, or else by a name.
//!
//! Functional rule of the volet: "the author's identifier must be known; if it is not, family and
//! given name (person), label (equipment), denomination (geographic entity)".

use liaison_fhir::{
    outcome::{Issue, IssueKind, Text},
    text,
    tree::{Object, Value},
};

/// STU3 cannot name a `PractitionerRole` as an author: a note of R4 that is read in STU3, and may be
/// written back, carries the reference in this extension, which FHIR defines for it.
const CARRIED_REFERENCE: &str = "http://hl7.org/fhir/StructureDefinition/alternate-reference";

/// How an author is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By an identifier or by a name.
    Known,
    /// As the professional that a situation of exercise refers to: look at that one.
    Through(String),
    /// Not at all; what is missing.
    Unknown(Text),
}

/// How the resource that a note's author refers to makes that author known, in either release.
#[must_use]
pub fn author_is_identified(author: &Object) -> Identity {
    if author.objects("identifier").any(has_value) {
        return Identity::Known;
    }
    match author.resource_type() {
        Some("PractitionerRole") => through_practitioner(author),
        Some("Device") => known_if(
            has_label(author),
            text!(
                en: "This device has neither identifier nor name. Give one of them, so that the author of the note is known.",
                fr: "Cet équipement n'a ni identifiant ni libellé. Donnez l'un des deux, pour que l'auteur de la note soit connu."
            ),
        ),
        Some("Organization") => known_if(
            is_filled(author.get("name")),
            text!(
                en: "This organisation has neither identifier nor name. Give one of them, so that the author of the note is known.",
                fr: "Cette structure n'a ni identifiant ni dénomination. Donnez l'un des deux, pour que l'auteur de la note soit connu."
            ),
        ),
        _ => known_if(
            author.objects("name").any(is_whole_name),
            text!(
                en: "This person has neither an identifier nor a family and a given name. Give one of them, so that the author of the note is known.",
                fr: "Cette personne n'a ni identifiant ni nom de famille avec prénom. Donnez l'un des deux, pour que l'auteur de la note soit connu."
            ),
        ),
    }
}

/// The finding about an author that is not known, at its place in the note.
#[must_use]
pub fn unknown_author(place: &str, missing: Text) -> Issue {
    Issue::error(IssueKind::BusinessRule, place, missing)
}

/// What is wrong with the authors of a note as far as the note itself tells: a reference that leads
/// nowhere (neither literal nor by identifier) makes nobody known.
#[must_use]
pub fn check_references(note: &Object) -> Vec<Issue> {
    let nobody = |author: &Object| {
        !author.contains("reference")
            && !author.object("identifier").is_some_and(has_value)
            && !author.objects("extension").any(|extension| extension.str("url") == Some(CARRIED_REFERENCE))
    };
    let authors = note.items("author").iter().enumerate();
    authors
        .filter_map(|(index, author)| Some((index, author.as_object()?)))
        .filter(|(_, author)| nobody(author))
        .map(|(index, _)| {
            unknown_author(&format!("DocumentReference.author[{index}]"), text!(
                en: "This author is not known: refer to the resource of the author, or give the author's identifier.",
                fr: "Cet auteur n'est pas connu : renvoyez à la ressource de l'auteur, ou donnez son identifiant."
            ))
        })
        .collect()
}

fn through_practitioner(role: &Object) -> Identity {
    let practitioner = role.object("practitioner");
    if practitioner.and_then(|p| p.object("identifier")).is_some_and(has_value) {
        return Identity::Known;
    }
    match practitioner.and_then(|p| p.str("reference")) {
        Some(reference) => Identity::Through(reference.to_owned()),
        None => Identity::Unknown(text!(
            en: "This situation of exercise has no identifier and names no professional. Give one of them, so that the author of the note is known.",
            fr: "Cette situation d'exercice n'a pas d'identifiant et ne désigne pas de professionnel. Donnez l'un des deux, pour que l'auteur de la note soit connu."
        )),
    }
}

fn known_if(known: bool, missing: Text) -> Identity {
    if known { Identity::Known } else { Identity::Unknown(missing) }
}

fn has_value(identifier: &Object) -> bool {
    is_filled(identifier.get("value"))
}

fn is_filled(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
}

/// A family name and a given name.
fn is_whole_name(name: &Object) -> bool {
    is_filled(name.get("family")) && name.items("given").iter().any(|given| is_filled(Some(given)))
}

/// `deviceName.name` in R4; STU3 has no name for a device and says what it is in `type.text`.
fn has_label(device: &Object) -> bool {
    device.objects("deviceName").any(|name| is_filled(name.get("name")))
        || device.object("type").is_some_and(|t| is_filled(t.get("text")))
        || is_filled(device.get("model"))
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;

    fn is_unknown(author: &Object) -> bool {
        matches!(author_is_identified(author), Identity::Unknown(_))
    }

    #[test]
    fn a_reference_that_stu3_can_only_carry_makes_an_author_known() {
        let carried = object! { "url" => CARRIED_REFERENCE, "valueString" => "PractitionerRole/1" };
        let other = object! { "url" => "http://example.org/x", "valueString" => "PractitionerRole/1" };
        let note = |extension: Object| {
            object! { "author" => array![object! { "display" => "Mme Brooks", "extension" => array![extension] }] }
        };
        assert_eq!(check_references(&note(carried)), []);
        assert_eq!(check_references(&note(other)).len(), 1);
    }

    #[test]
    fn an_identifier_makes_anyone_known() {
        for resource_type in ["Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization", "Device"]
        {
            let mut author = object! { "resourceType" => resource_type };
            assert!(is_unknown(&author), "{resource_type}");
            for without_value in [object! { "system" => "https://rpps.esante.gouv.fr" }, object! { "value" => " " }] {
                let mut author = author.clone();
                author.push("identifier", array![without_value]);
                assert!(is_unknown(&author), "{resource_type}: a system alone names nobody");
            }
            author.push("identifier", array![object! { "value" => "1" }]);
            assert_eq!(author_is_identified(&author), Identity::Known);
        }
    }

    #[test]
    fn a_person_is_known_by_family_and_given_name_together() {
        let named = |name: Object| object! { "resourceType" => "Practitioner", "name" => array![name] };
        assert!(!is_unknown(&named(object! { "family" => "Brooks", "given" => array!["Sophie"] })));
        assert!(is_unknown(&named(object! { "family" => "Brooks" })));
        assert!(is_unknown(&named(object! { "given" => array!["Sophie"] })));
        assert!(is_unknown(&named(object! { "family" => " ", "given" => array!["Sophie"] })));
        assert!(is_unknown(&named(object! { "text" => "Sophie Brooks" })));
    }

    #[test]
    fn an_establishment_is_known_by_its_name_and_a_device_by_its_label() {
        assert!(!is_unknown(&object! { "resourceType" => "Organization", "name" => "SSIAD du Parc" }));
        let device = |member: &str, value: Value| object! { "resourceType" => "Device", member => value };
        assert!(!is_unknown(&device("deviceName", array![object! { "name" => "Balance" }])));
        assert!(!is_unknown(&device("type", object! { "text" => "Balance" }.into())));
        assert!(is_unknown(&device("status", "active".into())));
    }

    #[test]
    fn a_situation_of_exercise_is_known_through_its_professional() {
        let role =
            |practitioner: Object| object! { "resourceType" => "PractitionerRole", "practitioner" => practitioner };
        assert_eq!(
            author_is_identified(&role(object! { "reference" => "Practitioner/a" })),
            Identity::Through("Practitioner/a".to_owned())
        );
        let by_identifier = object! { "identifier" => object! { "value" => "01234567897" } };
        assert_eq!(author_is_identified(&role(by_identifier)), Identity::Known);
        assert!(is_unknown(&role(object! { "display" => "Mme Brooks" })));
    }

    #[test]
    fn a_name_to_show_makes_nobody_known() {
        let note = object! { "author" => array![
            object! { "reference" => "Practitioner/a" },
            object! { "display" => "Mme Brooks" },
            object! { "identifier" => object! { "value" => "1" } },
        ] };
        let places: Vec<_> = check_references(&note).into_iter().map(|issue| issue.place).collect();
        assert_eq!(places, ["DocumentReference.author[1]"]);
    }
}
