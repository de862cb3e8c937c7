//! What clients of either form see of a note, case by case.

use super::super::{items::same, to_r4, to_stu3};
use crate::{
    array,
    json::{self, Limits},
    object,
    tree::Object,
};

fn read(text: &str) -> Object {
    json::read(text.as_bytes(), &Limits::default()).unwrap()
}

/// The note of 2017, with the members that matter here.
fn note_of_2017() -> Object {
    read(
        r#"{"resourceType":"DocumentReference","id":"58619","meta":{"lastUpdated":"2017-06-14T13:11:33Z"},
        "extension":[{"url":"http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent","valueBoolean":true}],
        "masterIdentifier":{"system":"http://source.example","value":"58619"},"status":"current",
        "type":{"coding":[{"system":"urn:oid:1.2.250.1.213.1.1.4.334","code":"OBS"}]},
        "class":{"text":"note"},"subject":{"reference":"Patient/pat1"},
        "created":"2017-06-14","indexed":"2017-06-14T23:11:33+10:00",
        "author":[{"reference":"Practitioner/prac1"}],
        "securityLabel":[{"coding":[{"system":"http://hl7.org/fhir/v3/Confidentiality","code":"N"}]}],
        "content":[{"attachment":{"contentType":"text/plain","data":"dGVzdA=="}}],
        "context":{"encounter":{"reference":"Encounter/1"},
            "related":[{"identifier":{"value":"7"},"ref":{"reference":"Patient/pat1"}}]}}"#,
    )
}

fn note_of_today() -> Object {
    read(
        r#"{"resourceType":"DocumentReference","id":"n1","status":"current",
        "type":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote",
            "code":"DEM-AVIS"}]},
        "category":[{"text":"note"},{"text":"avis"}],"subject":{"reference":"Patient/p1"},
        "date":"2019-03-04T08:30:00+11:00",
        "author":[{"reference":"PractitionerRole/r1","display":"Mme Sophie Brooks (infirmier)"},
            {"reference":"Practitioner/p1"}],
        "content":[{"attachment":{"contentType":"text/plain","data":"dGVzdA=="}}]}"#,
    )
}

fn extension<'a>(of: &'a Object, url: &str) -> &'a Object {
    of.objects("extension").find(|e| e.str("url") == Some(url)).unwrap()
}

#[test]
fn a_bare_day_becomes_its_midnight_in_paris_and_stays_a_day_for_2017() {
    let r4 = to_r4(&note_of_2017());
    assert_eq!(r4.str("date"), Some("2017-06-14T00:00:00+02:00"));
    assert!(!r4.contains("created") && !r4.contains("indexed"));
    let kept = extension(&r4, "http://hl7.org/fhir/3.0/StructureDefinition/extension-DocumentReference.created");
    assert_eq!(kept.str("valueDateTime"), Some("2017-06-14"));
    assert_eq!(to_stu3(&r4).str("created"), Some("2017-06-14"));
}

#[test]
fn a_zone_can_be_chosen_for_days() {
    let zone = jiff::tz::TimeZone::get("Indian/Reunion").unwrap();
    let (stu3, r4) = (crate::release::ReleaseId::Stu3, crate::release::ReleaseId::R4);
    let crossed = super::super::convert(&note_of_2017(), stu3, r4, &zone);
    assert_eq!(crossed.str("date"), Some("2017-06-14T00:00:00+04:00"));
    assert!(same(&super::super::convert(&crossed, r4, stu3, &zone), &note_of_2017()));
}

#[test]
fn a_note_of_2017_speaks_todays_names() {
    let r4 = to_r4(&note_of_2017());
    let urgent = extension(&r4, "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency");
    assert_eq!(urgent.get("valueBoolean"), Some(&true.into()));
    let system = |member: &Object| member.objects("coding").next().unwrap().str("system").unwrap().to_owned();
    assert_eq!(
        system(r4.object("type").unwrap()),
        "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"
    );
    assert_eq!(
        system(r4.objects("securityLabel").next().unwrap()),
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    );
    assert_eq!(r4.get("category"), Some(&array![object! { "text" => "note" }]));
    let context = r4.object("context").unwrap();
    assert_eq!(context.get("encounter"), Some(&array![object! { "reference" => "Encounter/1" }]));
    let related = object! { "reference" => "Patient/pat1", "identifier" => object! { "value" => "7" } };
    assert!(same(context.objects("related").next().unwrap(), &related));
    assert!(same(&to_stu3(&r4), &note_of_2017()));
}

#[test]
fn stu3_has_the_dates_it_requires_and_the_way_back_takes_them_out() {
    let stu3 = to_stu3(&note_of_today());
    assert_eq!(stu3.str("created"), Some("2019-03-04T08:30:00+11:00"));
    assert_eq!(stu3.str("indexed"), Some("2019-03-04T08:30:00+11:00"));
    assert!(stu3.objects("extension").all(|e| !e.str("url").unwrap().ends_with(".date")), "nothing to keep");
    assert!(
        !stu3.contains("extension") || stu3.objects("extension").all(|e| !e.str("url").unwrap().ends_with(".date"))
    );

    let mut undated = note_of_today();
    undated.remove("date");
    undated.set("meta", object! { "lastUpdated" => "2020-01-01T00:00:00Z" });
    let stu3 = to_stu3(&undated);
    assert_eq!(stu3.str("indexed"), Some("2020-01-01T00:00:00Z"));
    assert!(stu3.contains("_indexed") && !stu3.contains("created"));
    assert!(same(&to_r4(&stu3), &undated));
}

#[test]
fn stu3_has_the_type_it_requires() {
    let mut untyped = note_of_today();
    untyped.remove("type");
    let stu3 = to_stu3(&untyped);
    let reason = stu3.object("type").unwrap().objects("extension").next().unwrap();
    assert_eq!(reason.str("url"), Some("http://hl7.org/fhir/StructureDefinition/data-absent-reason"));
    assert!(same(&to_r4(&stu3), &untyped));
}

#[test]
fn an_author_that_stu3_may_not_point_to_is_shown_by_name() {
    let stu3 = to_stu3(&note_of_today());
    let author = stu3.objects("author").next().unwrap();
    assert_eq!(author.str("display"), Some("Mme Sophie Brooks (infirmier)"));
    assert!(!author.contains("reference"));
    assert_eq!(stu3.objects("author").nth(1).unwrap().str("reference"), Some("Practitioner/p1"));
    assert!(same(&to_r4(&stu3), &note_of_today()));
}

#[test]
fn what_a_client_of_todays_form_changes_wins_over_what_was_kept() {
    let mut r4 = to_r4(&note_of_2017());
    r4.set("date", "2018-01-01T10:00:00+01:00");
    let stu3 = to_stu3(&r4);
    assert_eq!(stu3.str("created"), Some("2018-01-01T10:00:00+01:00"));
    assert_eq!(stu3.str("indexed"), Some("2018-01-01T10:00:00+01:00"));
    // Even then nothing is dropped.
    assert!(same(&to_r4(&stu3), &r4));
}

#[test]
fn what_a_client_of_2017_changes_wins_over_what_was_kept() {
    let mut stu3 = to_stu3(&note_of_today());
    stu3.set("author", array![object! { "reference" => "Practitioner/p2" }]);
    let r4 = to_r4(&stu3);
    assert_eq!(r4.get("author"), Some(&array![object! { "reference" => "Practitioner/p2" }]));
    assert_eq!(r4.items("category").len(), 2, "what was not touched comes back whole");
}

#[test]
fn todays_addresses_in_a_note_of_2017_come_back_as_they_were_written() {
    let mut note = note_of_2017();
    let emergency = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency";
    note.set("extension", array![object! { "url" => emergency, "valueBoolean" => true }]);
    let label = object! { "system" => "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code" => "N" };
    note.set("securityLabel", array![object! { "coding" => array![label] }]);
    let r4 = to_r4(&note);
    assert_eq!(extension(&r4, emergency).get("valueBoolean"), Some(&true.into()));
    assert!(same(&to_stu3(&r4), &note));
}

#[test]
fn addresses_of_2017_in_a_note_of_today_come_back_as_they_were_written() {
    let mut note = note_of_today();
    let urgent = "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent";
    note.push("extension", array![object! { "url" => urgent, "valueBoolean" => true }]);
    let label = object! { "system" => "http://hl7.org/fhir/v3/Confidentiality", "code" => "N" };
    note.push("securityLabel", array![object! { "coding" => array![label] }]);
    let stu3 = to_stu3(&note);
    assert_eq!(extension(&stu3, urgent).get("valueBoolean"), Some(&true.into()));
    assert!(same(&to_r4(&stu3), &note));
}

#[test]
fn cross_version_extensions_of_somebody_else_are_left_to_them() {
    let theirs = array![
        // Of this release: nobody made it here, nobody may take it away.
        object! {
            "url" => "http://hl7.org/fhir/3.0/StructureDefinition/extension-DocumentReference.created",
            "valueDateTime" => "1999",
        },
        // Of the other: not what is said beside it.
        object! {
            "url" => "http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.date",
            "valueInstant" => "1999-01-01T00:00:00Z",
        },
        object! { "url" => "http://hl7.org/fhir/4.0/StructureDefinition/extension-Element.extension" },
    ];
    let mut note = note_of_2017();
    note.set("extension", theirs);
    assert!(same(&to_stu3(&to_r4(&note)), &note));
}

#[test]
fn a_type_without_tables_stays_as_it_is() {
    let resource = read(r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"}}"#);
    assert_eq!(to_r4(&resource), resource);
}

#[test]
fn a_tree_that_is_no_resource_does_no_harm() {
    for text in [
        "{}",
        r#"{"resourceType":"DocumentReference","created":[1,{}],"indexed":{},"author":"x","extension":{"a":1},
            "context":[null],"content":null,"_created":3,"type":[[]],"meta":[1]}"#,
        r#"{"resourceType":"Bundle","meta":"x","entry":{"resource":[]},"unknown":{"a":[1]}}"#,
        r#"{"resourceType":"Consent","except":{"type":1},"actor":"x","provision":[{}],"policyRule":{}}"#,
    ] {
        let tree = read(text);
        let _ = (to_r4(&to_stu3(&tree)), to_stu3(&to_r4(&tree)));
    }
}

#[test]
fn a_profile_of_r4_is_claimed_in_r4_only_and_not_lost() {
    let ours = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference|3.0.0";
    let theirs = "https://example.org/StructureDefinition/ours";
    let mut note = note_of_today();
    note.push("meta", object! { "profile" => array![ours, theirs] });
    let stu3 = to_stu3(&note);
    let meta = stu3.object("meta").unwrap();
    assert_eq!(meta.items("profile"), [theirs.into()]);
    let kept = extension(meta, "http://hl7.org/fhir/4.0/StructureDefinition/extension-Meta.profile");
    assert_eq!(kept.str("valueUri"), Some(ours));
    assert!(same(&to_r4(&stu3), &note));
    // Who changes what is claimed is not overruled.
    let mut changed = stu3.clone();
    changed.set("meta", object! { "extension" => meta.items("extension").to_vec() });
    assert!(to_r4(&changed).object("meta").is_none_or(|meta| meta.items("profile").is_empty()));
}

#[test]
fn a_resource_without_extensions_keeps_its_claims_too() {
    let profile = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-bundle-creation-note";
    let bundle =
        object! { "resourceType" => "Bundle", "meta" => object! { "profile" => array![profile] }, "type" => "batch" };
    let stu3 = to_stu3(&bundle);
    assert_eq!(stu3.object("meta").unwrap().items("profile"), []);
    assert!(same(&to_r4(&stu3), &bundle));
}

#[test]
fn the_place_of_birth_has_the_address_that_each_release_gives_it() {
    let (of_stu3, of_r4) = (
        "http://hl7.org/fhir/StructureDefinition/birthPlace",
        "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
    );
    let born = |url: &str| {
        let code = object! { "url" => "http://example.org/fhir/StructureDefinition/insee", "valueString" => "63220" };
        let place = object! { "extension" => array![code], "city" => "Manzat" };
        object! { "resourceType" => "Patient", "extension" => array![object! { "url" => url, "valueAddress" => place }] }
    };
    assert_eq!(to_stu3(&born(of_r4)), born(of_stu3));
    assert_eq!(to_r4(&born(of_stu3)), born(of_r4));
    // An address of the other release is shown as it is, and comes back as it was written.
    let shown = to_r4(&born(of_r4));
    assert_eq!(extension(&shown, of_r4).object("valueAddress").unwrap().str("city"), Some("Manzat"));
    assert_eq!(to_stu3(&shown), born(of_r4));
    assert_eq!(to_r4(&to_stu3(&born(of_stu3))), born(of_stu3));
}
