//! A line of the trail as an `AuditEvent`, after IHE Basic Audit Log Patterns (BALP): who, from where, what, whose.

use liaison_fhir::{
    array, json, object, release,
    tree::{Object, Value},
};
use liaison_store::contract::{Change, Found, Instant, Name, Version};

use super::{
    Grouped,
    line::{EVERYBODY, Line},
};
use crate::{clock, face::form_of, stored::Stored};

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const EVENT: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const SOURCE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const OF_BALP: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";

/// Its type.
pub(crate) const TYPE: &str = "AuditEvent";

/// The event that a line tells of, in R4.
pub(crate) fn tree(line: &Line, zone: &jiff::tz::TimeZone) -> Object {
    let interaction = interaction(&line.does);
    let mut event = object! {
        "resourceType" => TYPE,
        "id" => line.id.as_str(),
        "meta" => object! { "versionId" => "1", "lastUpdated" => clock::text(line.at, zone) },
        "type" => match door(line) {
            Some(_) => coding(DICOM, "110114", "User Authentication"),
            None => coding(EVENT, "rest", "RESTful Operation"),
        },
    };
    if let Some(subtype) = door(line).or_else(|| interaction.map(|(code, _)| coding(INTERACTION, code, code))) {
        event.push("subtype", array![subtype]);
    }
    event.push("action", interaction.map_or("E", |(_, action)| action));
    event.push("recorded", clock::text(line.at, zone));
    let outcome = match line.outcome.as_str() {
        "done" => "0",
        "refused" => "4",
        _ => "8",
    };
    event.push("outcome", outcome);
    if line.outcome != "done" {
        let why = line.why.iter().map(|why| format!(" ({why})"));
        event.push("outcomeDesc", format!("{}{}", line.outcome, why.collect::<String>()));
    }
    if line.does == EMERGENCY {
        event.push(
            "purposeOfEvent",
            array![object! { "coding" => array![coding(REASON, "ETREAT", "Emergency Treatment")] }],
        );
    }
    event.push("agent", array![caller(line), server()]);
    event.push(
        "source",
        object! {
            "observer" => object! { "display" => "Liaison" },
            "type" => array![coding(SOURCE, "4", "Application Server")],
        },
    );
    let entities = entities(line);
    if !entities.is_empty() {
        event.push("entity", entities);
    }
    event
}

/// The event of a line as one that is read or found.
pub(crate) fn stored(line: &Line, tree: &Object) -> Stored {
    Stored::light(Version {
        name: Name { resource_type: TYPE.into(), id: line.id.as_str().into() },
        version: 1,
        updated: Instant(line.at.as_microsecond()),
        change: Change::Create,
        form: form_of(release::view().id),
        body: json::write(tree).into(),
        holes: Vec::new(),
        found: Found::default(),
    })
}

/// What opens a notebook in an emergency does.
const EMERGENCY: &str = "emergency-access";

/// The code of FHIR's `restful-interaction`, and of `audit-event-action`; none for a request that came to no
/// operation.
fn interaction(does: &str) -> Option<(&str, &'static str)> {
    Some(match does {
        "read" | "vread" | "search-type" | "search-system" | "history-instance" | "history-type" | "history-system"
        | "search" | "history" => (does, "R"),
        "create" => (does, "C"),
        "update" | "patch" => (does, "U"),
        "delete" => (does, "D"),
        "export" | EMERGENCY => ("operation", "E"),
        "batch" | "transaction" | "capabilities" | "operation" => (does, "E"),
        _ => return None,
    })
}

/// Coming in or going out, when it is that.
fn door(line: &Line) -> Option<Object> {
    let on = line.on.as_deref()?;
    let out = on.starts_with("/sign-out") || on.starts_with("/sessions/");
    let door = out || on.starts_with("/sign-in/") || on == "/invitation";
    door.then(|| if out { coding(DICOM, "110123", "Logout") } else { coding(DICOM, "110122", "Login") })
}

fn coding(system: &str, code: &str, display: &str) -> Object {
    object! { "system" => system, "code" => code, "display" => display }
}

fn concept(system: &str, code: &str, display: &str) -> Object {
    object! { "coding" => array![coding(system, code, display)] }
}

fn caller(line: &Line) -> Object {
    let mut agent = object! { "type" => concept(DICOM, "110153", "Source Role ID") };
    let mut who = Object::new();
    if let Some(name) = &line.who {
        who.push("identifier", object! { "value" => name.as_str() });
    }
    if let Some(called) = &line.called {
        who.push("display", called.as_str());
    }
    if !who.is_empty() {
        agent.push("who", who);
    }
    if let Some(called) = &line.called {
        agent.push("name", called.as_str());
    }
    agent.push("requestor", true);
    if let Some(address) = &line.from {
        agent.push("network", object! { "address" => address.as_str(), "type" => "2" });
    }
    agent
}

fn server() -> Object {
    object! {
        "type" => concept(DICOM, "110152", "Destination Role ID"),
        "who" => object! { "display" => "Liaison" },
        "requestor" => false,
    }
}

fn entities(line: &Line) -> Vec<Value> {
    let mut entities = Vec::new();
    let mut persons: Vec<&String> = line.about().filter(|of| *of != EVERYBODY).collect();
    persons.sort_unstable();
    persons.dedup();
    for person in persons {
        entities.push(entity(&format!("Patient/{person}"), ("1", "Person"), ("1", "Patient")));
    }
    let named = |groups: &Grouped| groups.values().flatten().cloned().collect::<std::collections::BTreeSet<_>>();
    let versions: std::collections::BTreeSet<String> = named(&line.made).union(&named(&line.shown)).cloned().collect();
    for version in &versions {
        entities.push(match version.contains('/') {
            true => entity(version, THING, ("4", "Domain Resource")),
            // All of a type.
            false => called(version),
        });
    }
    if let Some(on) = line.on.as_ref().filter(|_| versions.is_empty()) {
        entities.push(match is_reference(on) {
            true => entity(on, THING, ("4", "Domain Resource")),
            false => called(on),
        });
    }
    if let Some(request) = &line.request {
        entities.push(
            object! {
                "what" => object! { "identifier" => object! { "value" => request.as_str() } },
                "type" => object! { "system" => OF_BALP, "code" => "XrequestId" },
            }
            .into(),
        );
    }
    entities
}

const THING: (&str, &str) = ("2", "System Object");

fn entity(reference: &str, kind: (&str, &str), role: (&str, &str)) -> Value {
    let what = object! { "reference" => reference };
    object! { "what" => what, "type" => coding(ENTITY, kind.0, kind.1), "role" => coding(ROLE, role.0, role.1) }.into()
}

fn called(name: &str) -> Value {
    object! { "type" => coding(ENTITY, THING.0, THING.1), "name" => name }.into()
}

/// Whether what was asked for is a resource of this server: `Type/id`.
fn is_reference(on: &str) -> bool {
    let is_type = |of: &str| liaison_fhir::release::view().resource(of).is_some();
    on.split_once('/').is_some_and(|(of, id)| is_type(of) && crate::name::is_id(id))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use liaison_fhir::{convert, outcome::refused, validate};

    use super::*;

    fn line(does: &str, outcome: &str) -> Line {
        let grouped = |of: &str, what: &str| Grouped::from([(of.to_owned(), [what.to_owned()].into())]);
        let text = |text: &str| Some(text.to_owned());
        Line {
            id: "00064f3c5a7b8c00-0123456789abcdef".to_owned(),
            at: "2026-03-04T05:06:07.000008Z".parse().unwrap(),
            from: text("192.0.2.7"),
            request: text("r-1"),
            who: text("https://op.example#42"),
            called: text("Nadia Benali"),
            does: does.to_owned(),
            on: text("DocumentReference/n"),
            made: grouped("jeanne", "DocumentReference/n/_history/1"),
            shown: grouped("", "Organization/o/_history/3"),
            outcome: outcome.to_owned(),
            why: (outcome != "done").then(|| "forbidden".to_owned()),
        }
    }

    #[test]
    fn an_event_is_valid_in_both_releases() {
        for does in ["read", "create", "patch", "delete", "search", "emergency-access", "export", "transaction", "PUT"]
        {
            for outcome in ["done", "refused", "failed", "broken-off"] {
                let event = tree(&line(does, outcome), &TimeZone::UTC);
                let issues = validate::validate(&event, release::r4());
                assert!(!refused(&issues), "{does}: {issues:#?}");
                let issues = validate::validate(&convert::to_stu3(&event), release::stu3());
                assert!(!refused(&issues), "{does}, STU3: {issues:#?}");
            }
        }
    }

    #[test]
    fn it_says_who_did_what_in_whose_notebook() {
        let event = tree(&line("create", "done"), &TimeZone::UTC);
        let whats: Vec<_> = event.objects("entity").filter_map(|e| e.object("what")?.str("reference")).collect();
        assert_eq!(whats, ["Patient/jeanne", "DocumentReference/n/_history/1", "Organization/o/_history/3"]);
        assert_eq!(event.objects("agent").next().and_then(|agent| agent.str("name")), Some("Nadia Benali"));
        assert_eq!((event.str("action"), event.str("outcome")), (Some("C"), Some("0")));
        let refused = Line { made: Grouped::new(), shown: Grouped::new(), ..line("read", "refused") };
        let event = tree(&refused, &TimeZone::UTC);
        let whats: Vec<_> = event.objects("entity").filter_map(|e| e.object("what")?.str("reference")).collect();
        assert_eq!((whats, event.str("outcome")), (vec!["DocumentReference/n"], Some("4")));
    }
}
