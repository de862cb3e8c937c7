//! The notes of the demonstration as resources of R4.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{SignedDuration, ToSpan as _, Zoned};
use liaison_fhir::{
    array, object,
    tree::{Object, Value},
};

use super::{
    cda,
    circle::{Member, OWN_SYSTEM, concept},
    notes::{More, Note, When},
    picture,
};

const PROFILE: &str = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference";
const EMERGENCY: &str = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency";
/// The types of notes.
pub const NOTE_TYPES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";
const AUDIENCES: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";

/// How references name a note inside one bundle.
pub fn full_url(number: u32) -> String {
    format!("urn:uuid:00000000-0000-4000-9000-{number:012}")
}

/// The note, written as of the moment the demonstration begins.
pub fn resource(note: &Note, begins: &Zoned) -> Object {
    let moment = written(note.when, begins);
    let has = |more: More| note.more.contains(&more);
    let mut resource = object! {
        "resourceType" => "DocumentReference",
        "meta" => object! { "profile" => array![PROFILE] },
    };
    if has(More::Urgent) {
        resource.set("extension", array![object! { "url" => EMERGENCY, "valueBoolean" => true }]);
    }
    let (code, display) = note.kind.coding();
    resource.set("masterIdentifier", object! { "system" => OWN_SYSTEM, "value" => format!("note-{}", note.number) });
    resource.set("status", if has(More::Mistaken) { "entered-in-error" } else { "current" });
    resource.set("type", concept(NOTE_TYPES, code, display));
    resource.set("subject", note.subject.reference());
    resource.set("date", moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
    resource.set("author", authors(note.author));
    if let Some(answered) = note.more.iter().find_map(answered) {
        let target = object! { "reference" => full_url(answered) };
        resource.set("relatesTo", array![object! { "code" => "appends", "target" => target }]);
    }
    resource.set("description", note.title);
    if let Some(audience) = note.more.iter().find_map(hidden) {
        resource.set("securityLabel", array![audience]);
    }
    let mut content = vec![attachment("text/plain; charset=utf-8", note.title, note.text.as_bytes())];
    content.extend(note.more.iter().filter_map(|more| piece(*more, note, &moment)));
    resource.set("content", content);
    resource
}

/// The instant at which a note was written.
pub fn written(when: When, begins: &Zoned) -> Zoned {
    match when {
        When::MinutesBefore(minutes) => begins.saturating_sub(SignedDuration::from_mins(minutes.into())),
        When::DaysBefore(days, hour, minute) => {
            let day = begins.saturating_sub(i64::from(days).days()).datetime();
            let moment = day.date().at(hour, minute, 0, 0).to_zoned(begins.time_zone().clone());
            moment.unwrap_or_else(|_| begins.clone())
        }
    }
}

/// A professional signs with the exercise and the person, as the volet's own example does.
fn authors(author: Member) -> Value {
    let person = match author {
        Member::NurseRole => Some(Member::Nurse),
        Member::DoctorRole => Some(Member::Doctor),
        Member::AideRole => Some(Member::Aide),
        _ => None,
    };
    let both = [Some(author), person].into_iter().flatten();
    Value::Array(both.map(|member| member.reference().into()).collect())
}

fn answered(more: &More) -> Option<u32> {
    match more {
        More::Answers(number) => Some(*number),
        _ => None,
    }
}

fn hidden(more: &More) -> Option<Object> {
    let More::Hidden(audience) = more else { return None };
    let (code, display) = audience.coding();
    Some(concept(AUDIENCES, code, display))
}

fn piece(more: More, note: &Note, moment: &Zoned) -> Option<Value> {
    match more {
        More::Photo => Some(attachment("image/jpeg", "Photo (image de démonstration)", &picture::jpeg())),
        More::LargePhoto => Some(attachment("image/png", "Photo (image de démonstration)", &picture::png())),
        More::Document => Some(attachment("text/xml", "Compte rendu (CDA)", cda::document(note, moment).as_bytes())),
        More::Urgent | More::Answers(_) | More::Hidden(_) | More::Mistaken => None,
    }
}

fn attachment(content_type: &str, title: &str, bytes: &[u8]) -> Value {
    let attachment = object! {
        "contentType" => content_type,
        "language" => "fr",
        "data" => BASE64_STANDARD.encode(bytes),
        "title" => title,
    };
    object! { "attachment" => attachment }.into()
}

#[cfg(test)]
mod tests {
    use jiff::Zoned;

    use super::{resource, written};
    use crate::demo::notes::{ALL, When};

    fn begins() -> Zoned {
        "2026-03-30T07:30:00+02:00[Europe/Paris]".parse().unwrap()
    }

    #[test]
    fn notes_are_written_before_the_demonstration_begins_at_the_hours_of_the_house() {
        assert_eq!(
            written(When::DaysBefore(1, 8, 40), &begins()).to_string(),
            "2026-03-29T08:40:00+02:00[Europe/Paris]"
        );
        assert_eq!(
            written(When::DaysBefore(2, 8, 40), &begins()).to_string(),
            "2026-03-28T08:40:00+01:00[Europe/Paris]"
        );
        assert!(ALL.iter().all(|note| written(note.when, &begins()) < begins()));
    }

    #[test]
    fn the_same_beginning_gives_the_same_notes() {
        for note in &ALL {
            assert_eq!(resource(note, &begins()), resource(note, &begins()));
        }
    }
}
