//! The tables of `docs/users/who-sees-what.md`, cell by cell, over HTTP: who reads a note by somebody else under each label, and who
//! does what with what is others'. What authors and those who keep the circle do with it is told in [`super::writes`].

use std::collections::BTreeMap;

use liaison_tests::{Answer, Fhir, Provider, sample};
use serde_json::{Value, json};

use super::world::{VISIBILITY, circle, note, operator, professional, relative, role, serving, stranger, world};

const PAGE: &str = include_str!("../../../docs/users/who-sees-what.md");
const ROLE_CODE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode";

/// Somebody whom the page has a row or a table for: how it begins, by which resource they are in the circle,
/// and what a token says of them.
struct Who {
    called: &'static str,
    by: &'static str,
    claims: Value,
}

/// All whom R4 lets be in a circle: a device cannot.
fn everybody() -> Vec<Who> {
    let by_resource = |called, by: &'static str| Who { called, by, claims: json!({ "sub": by, "fhirUser": by }) };
    let professional = |called, by, number: &str, profession: Option<&str>| {
        let mut claims = json!({ "sub": number, "rpps": number });
        if let Some(profession) = profession {
            claims["profession"] = json!(profession);
        }
        Who { called, by, claims }
    };
    vec![
        by_resource("La personne", "Patient/jeanne"),
        by_resource("Représentant légal", "RelatedPerson/marc"),
        by_resource("Proche", "RelatedPerson/lea"),
        professional("Professionnel de santé", "PractitionerRole/awa", "10000000001", Some("60")),
        professional("Professionnel du social", "PractitionerRole/ines", "10000000003", Some("211")),
        professional("Autre professionnel", "PractitionerRole/omar", "10000000004", None),
        by_resource("Établissement", "Organization/ssiad"),
        Who { called: "Hors du cercle", by: "", claims: stranger() },
        Who { called: "L'exploitant", by: "", claims: operator() },
    ]
}

/// Two notebooks, with members of every kind in Jeanne's, and `copies` of what is changed and deleted.
fn wide_world(labels: &[String], copies: usize) -> Vec<Value> {
    let mut all = world();
    all.retain(|one| one["resourceType"] != "DocumentReference" && one["id"] != "c-jeanne");
    all.push(professional("omar", "10000000004", "Sy"));
    all.push(role("omar"));
    all.push(json!({ "resourceType": "Organization", "id": "ssiad", "active": true, "name": "SSIAD des Lilas" }));
    let members = everybody().into_iter().map(|who| who.by);
    let members: Vec<&str> = members.filter(|by| !["", "Patient/jeanne"].contains(by)).collect();
    all.push(circle("jeanne", &members));
    for label in labels {
        all.push(labelled(label));
    }
    for copy in 0..copies {
        all.extend(CLASSES.map(|class| target(class, copy)));
    }
    all
}

/// A note that bears the label of a column.
fn labelled(label: &str) -> Value {
    let id = format!("l-{}", label.to_lowercase().replace('_', "-"));
    let mut note = note(&id, "jeanne", "luc", "");
    note["securityLabel"] = json!([{ "coding": [{ "system": VISIBILITY, "code": label }] }]);
    note
}

/// The rows of the tables: how each begins.
const CLASSES: [&str; 7] = [
    "une note",
    "qui est qui",
    "le cercle",
    "autre chose sur la personne",
    "l'annuaire",
    "les définitions",
    "le reste",
];

/// A thing of a kind, somebody else's, under a name of its own.
fn target(class: &str, copy: usize) -> Value {
    let mut thing = new(class, "PractitionerRole/luc");
    let kind = CLASSES.iter().position(|one| *one == class).unwrap();
    thing["id"] = json!(format!("t-{kind}-{copy}"));
    if class == "une note" {
        thing["masterIdentifier"]["value"] = thing["id"].clone();
    }
    thing
}

/// A thing of a kind, by somebody, as it is made.
fn new(class: &str, by: &str) -> Value {
    match class {
        "une note" => {
            let mut note = note("x", "jeanne", "luc", "");
            note.as_object_mut().unwrap().remove("id");
            note["masterIdentifier"]["value"] = json!(format!("by {by}"));
            note["author"] = json!([{ "reference": by }]);
            note
        }
        "qui est qui" => {
            let mut aunt = relative("x", "jeanne", ROLE_CODE, "FAMMEMB");
            aunt.as_object_mut().unwrap().remove("id");
            aunt
        }
        "le cercle" => {
            let mut other = circle("jeanne", &[]);
            other.as_object_mut().unwrap().remove("id");
            other.as_object_mut().unwrap().remove("identifier");
            other["participant"] = json!([{ "member": { "reference": "PractitionerRole/awa" } }]);
            other
        }
        "autre chose sur la personne" => json!({
            "resourceType": "Communication", "status": "completed",
            "subject": { "reference": "Patient/jeanne" }, "sender": { "reference": by }
        }),
        "l'annuaire" => json!({ "resourceType": "Organization", "name": "Pharmacie du Port" }),
        "les définitions" => json!({ "resourceType": "ValueSet", "status": "draft" }),
        _ => json!({ "resourceType": "Basic", "code": { "text": "mémoire" } }),
    }
}

/// A table of the page: its rows by their names, cell after cell.
type Table = BTreeMap<String, Vec<String>>;

fn table(section: &str) -> Table {
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("|  |"));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.map(cells).map(|mut cells| (cells.remove(0), cells)).collect()
}

fn row<'t>(table: &'t Table, begins: &str) -> &'t [String] {
    let begins = begins.to_lowercase();
    let found = table.iter().find(|(name, _)| name.to_lowercase().starts_with(&begins));
    found.map(|(_, cells)| cells.as_slice()).unwrap_or_else(|| panic!("no row {begins}"))
}

/// Whether an answer is what a cell says.
fn is(cell: &str, answer: &Answer) -> bool {
    match cell {
        "oui" => (200..300).contains(&answer.status),
        // As if it were not there; of something new, as if what it is about were not.
        "·" => [404, 403, 422].contains(&answer.status),
        refused if refused.starts_with("non") => answer.status == 403,
        other => panic!("{other} is no cell"),
    }
}

#[tokio::test]
async fn every_cell_of_the_page_is_what_the_server_answers() {
    let (of_notes, of_deeds) = PAGE.split_once("## Qui fait quoi").unwrap();
    let notes = table(of_notes.split_once("## Qui lit").unwrap().1);
    let labels: Vec<String> = row(&notes, "dans le cercle").iter().map(|label| label.replace("_ ", "_")).collect();
    let code = |label: &str| label.split(' ').next().unwrap().to_owned();
    // The two of 2017 are not codes of today's volet: their notes come through the other base.
    let labels: Vec<String> =
        labels.iter().filter(|label| !label.ends_with("(2017)")).map(|label| code(label)).collect();
    let labelled_ones: Vec<String> = labels.iter().filter(|label| *label != "—").cloned().collect();
    let everybody = everybody();
    let provider = Provider::start().await;
    let server = serving(&provider, &wide_world(&labelled_ones, everybody.len() + 1)).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (place, who) in everybody.iter().enumerate() {
        let by = server.r4().by(&provider.token(&who.claims));
        for (label, cell) in labels.iter().zip(row(&notes, who.called)) {
            let id =
                if label == "—" { "t-0-0".to_owned() } else { labelled(label)["id"].as_str().unwrap().to_owned() };
            let answer = by.get(&format!("DocumentReference/{id}")).await;
            tried += 1;
            if !is(cell, &answer) || (cell == "·") != (answer.status == 404) {
                wrong.push(format!("{}: a note with {label}: {cell}, not {}", who.called, answer.status));
            }
        }
        let section = of_deeds.split("\n### ").find(|section| section.starts_with(who.called)).expect(who.called);
        let deeds = table(section);
        for class in CLASSES {
            for (deed, cell) in ["see", "make", "change", "delete"].into_iter().zip(row(&deeds, class)) {
                let answer = tries(&by, deed, class, place + 1, who.by).await;
                tried += 1;
                let hidden = cell == "·" && deed != "make" && answer.status != 404;
                if !is(cell, &answer) || hidden {
                    wrong.push(format!(
                        "{}: {deed} {class}: {cell}, not {} {}",
                        who.called,
                        answer.status,
                        answer.text()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried} cells are otherwise:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(tried, 9 * 6 + 9 * 28);
}

async fn tries(by: &Fhir, deed: &str, class: &str, copy: usize, own: &str) -> Answer {
    let target = target(class, copy);
    let name = super::world::name(&target);
    match deed {
        "see" => by.get(&name).await,
        "make" => {
            let mut made = new(class, if own.is_empty() { "PractitionerRole/awa" } else { own });
            if class == "une note" {
                made["masterIdentifier"]["value"] = json!(format!("made-{copy}"));
            }
            // Who is in no circle makes somebody new: whom the others know is not there for them.
            if class == "qui est qui" && own.is_empty() {
                made = sample::patient(&format!("new-{copy}"), "Roux", "Alix");
            }
            by.post(made["resourceType"].as_str().unwrap(), &made).await
        }
        "change" => by.put(&name, &sample::with(target, "/language", "fr")).await,
        _ => by.delete(&name).await,
    }
}
