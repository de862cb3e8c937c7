//! The demonstration: a fictional care circle and a month of notes, written through the API.
//!
//! Everything is laid out from one moment (see [`notes::When`]), so the same moment gives the same
//! notebook. What an older program wrote comes first, in the form of 2017; then one transaction
//! brings the people up to date and writes all the rest. The care circles are in it: where one has
//! ever been, the demonstration has begun, and whatever became of it since is left alone.

mod cast;
mod cda;
mod circle;
mod note_form;
mod notes;
mod notes2017;
mod picture;

use std::path::Path;

pub use cast::cast;

use jiff::{ToSpan as _, Zoned};
use liaison_fhir::{
    object,
    tree::{Object, Value},
};

use crate::{door::Door, failure::Failure};

/// Writes the demonstration into a store that does not hold it yet.
pub async fn seed(door: &Door, now: &Zoned) -> Result<(), Failure> {
    let begun = door.must("GET", "r4/CareTeam/_history?_count=1", None).await?;
    if !begun.items("entry").is_empty() {
        return Ok(());
    }
    for note in &notes2017::ALL {
        let there = format!("stu3/DocumentReference?identifier={}%7C{}", notes2017::SYSTEM, note.value);
        if door.must("GET", &there, None).await?.items("entry").is_empty() {
            door.must("POST", "stu3/Bundle", Some(&notes2017::creation(note, now))).await?;
        }
    }
    door.must("POST", "r4", Some(&transaction(now))).await?;
    Ok(())
}

/// What is told to whoever started it.
pub fn welcome(root: &str, folder: &Path) -> String {
    let notes = format!(
        "{root}/fhir/r4/DocumentReference?patient.identifier={}&_sort=-date&_count=5\
         &_include=DocumentReference:subject&_include=DocumentReference:author&_pretty=true",
        circle::Member::Jeanne.identifier().1
    );
    format!(
        "Liaison {version}, demonstration (invented people; kept in {folder})\n\
         \x20 web page     {root}/\n\
         \x20 FHIR R4      {root}/fhir/r4\n\
         \x20 FHIR STU3    {root}/fhir/stu3\n\
         \x20 sign in      {root}/sign-in, as {names}\n\
         \x20 programs     need no login: without a session every caller is the system, on this machine only\n\
         \x20 try          curl '{notes}'\n",
        names = cast::names(),
        version = env!("CARGO_PKG_VERSION"),
        folder = folder.display(),
    )
}

fn transaction(now: &Zoned) -> Object {
    let people = circle::ALL.iter().map(|member| {
        let (system, value) = member.identifier();
        let url = format!("{}?identifier={system}|{value}", member.resource_type());
        entry(member.full_url(), member.resource(), "PUT", &url)
    });
    let notes = notes::ALL.iter().map(|note| {
        entry(note_form::full_url(note.number), note_form::resource(note, now), "POST", "DocumentReference")
    });
    let since = now.saturating_sub(60.days()).date().to_string();
    let teams = circle::care_teams(&since)
        .into_iter()
        .enumerate()
        .map(|(at, team)| entry(format!("urn:uuid:00000000-0000-4000-a000-{at:012}"), team, "POST", "CareTeam"));
    object! {
        "resourceType" => "Bundle",
        "type" => "transaction",
        "entry" => people.chain(notes).chain(teams).collect::<Vec<_>>(),
    }
}

fn entry(full_url: String, resource: Object, method: &str, url: &str) -> Value {
    let request = object! { "method" => method, "url" => url };
    object! { "fullUrl" => full_url, "resource" => resource, "request" => request }.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::transaction;

    #[test]
    fn every_reference_of_the_demonstration_names_an_entry_of_it() {
        let bundle = transaction(&"2026-03-30T07:30:00+02:00[Europe/Paris]".parse().unwrap());
        let urls: BTreeSet<String> =
            bundle.objects("entry").filter_map(|entry| Some(entry.str("fullUrl")?.to_owned())).collect();
        assert_eq!(urls.len(), bundle.items("entry").len());
        let text = String::from_utf8(liaison_fhir::json::write(&bundle)).unwrap();
        let references: Vec<&str> =
            text.split("\"reference\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(references.len() > 100, "{}", references.len());
        for reference in references {
            assert!(urls.contains(reference), "{reference}");
        }
    }
}
