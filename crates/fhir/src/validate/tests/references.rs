use super::{patient, r4, stu3};

/// A patient whose organization is this reference.
#[track_caller]
fn organization(members: &str, expected: &[&str]) {
    patient(&format!("\"managingOrganization\":{{{members}}}"), expected);
}

#[test]
fn a_reference_points_to_a_type_that_may_stand_there() {
    for right in [
        r#""reference":"Organization/1""#,
        r#""reference":"Organization/1/_history/2""#,
        r#""reference":"https://example.org/fhir/Organization/1""#,
        r#""reference":"https://example.org/fhir/Organization/1/_history/2""#,
        r#""reference":"https://example.org/anything?x=Patient/1""#,
        r#""reference":"https://example.org/Anything/1""#,
        r#""reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520""#,
        r#""reference":"urn:oid:1.2.250""#,
        r#""identifier":{"system":"urn:oid:1.2.250","value":"1"}"#,
        r#""display":"EHPAD des Lilas""#,
    ] {
        organization(right, &[]);
    }
    for pointing_elsewhere in ["Patient/1", "Patient/1/_history/2", "http://example.org/fhir/Patient/1"] {
        organization(
            &format!("\"reference\":\"{pointing_elsewhere}\""),
            &["Patient.managingOrganization.reference: A Patient may not stand here; allowed: Organization"],
        );
    }
    organization(
        r#""reference":"Organisation/1""#,
        &["Patient.managingOrganization.reference: Did you mean \"Organization\"?"],
    );
    // Any type, where the definition says any.
    r4(r#"{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Account/1"}}"#, &[]);
}

#[test]
fn what_is_no_reference_is_refused() {
    for wrong in [
        "1",
        "Organization",
        "Organization/",
        "/Organization/1",
        "organization/1",
        "Organization/a b",
        "Organization/é",
        "Organization/1/2",
        "Organization/1/_history/",
        "a/Organization/1",
        "Organization?",
        "Organization/1#x",
        "x y",
    ] {
        let found = super::findings(
            &format!(r#"{{"resourceType":"Patient","managingOrganization":{{"reference":"{wrong}"}}}}"#),
            crate::release::r4(),
        );
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
        assert!(found[0].starts_with("Patient.managingOrganization.reference: This is no reference"), "{found:?}");
    }
}

#[test]
fn references_by_query_stand_in_transactions_only() {
    let bundle = |kind: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{{"resource":{{"resourceType":"Patient","managingOrganization":{{"reference":"Organization?identifier=x|y"}}}},"request":{{"method":"POST","url":"Patient"}}}}]}}"#
        )
    };
    r4(&bundle("transaction"), &[]);
    r4(&bundle("batch"), &[]);
    r4(
        &bundle("history"),
        &[
            "Bundle.entry[0].resource.managingOrganization.reference: only inside a transaction",
            "Bundle.entry[0]: a history has a response",
        ],
    );
    organization(
        r#""reference":"Organization?identifier=x""#,
        &["Patient.managingOrganization.reference: only inside a transaction"],
    );
}

#[test]
fn the_type_of_a_reference_agrees_with_it() {
    organization(r#""reference":"Organization/1","type":"Organization""#, &[]);
    organization(r#""type":"http://hl7.org/fhir/StructureDefinition/Organization","display":"x""#, &[]);
    organization(r#""type":"http://example.org/logical","display":"x""#, &[]);
    organization(
        r#""reference":"Organization/1","type":"Patient""#,
        &["Patient.managingOrganization.type: The type says Patient, the reference points to a Organization"],
    );
    organization(
        r#""type":"Patient","display":"x""#,
        &["Patient.managingOrganization.type: A Patient may not stand here"],
    );
    organization(
        r#""type":"Organisation","display":"x""#,
        &["Patient.managingOrganization.type: Did you mean \"Organization\"?"],
    );
    stu3(
        r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1","type":"Organization"}}"#,
        &["Patient.managingOrganization.type: unknown in Reference"],
    );
}

#[test]
fn extensions_have_absolute_addresses_but_inside_others() {
    patient(r#""extension":[{"url":"http://x","valueString":"y"}]"#, &[]);
    patient(r#""extension":[{"url":"urn:oid:1.2","valueString":"y"}]"#, &[]);
    patient(r#""extension":[{"url":"x","valueString":"y"}]"#, &["Patient.extension[0].url: must be absolute"]);
    patient(r#""extension":[{"url":"http://x","extension":[{"url":"y","valueString":"z"}]}]"#, &[]);
    patient(
        r#""_birthDate":{"extension":[{"url":"x","valueString":"y"}]}"#,
        &["Patient.birthDate.extension[0].url: must be absolute"],
    );
    patient(r#""extension":[{"valueString":"y"}]"#, &["Patient.extension[0].url: is required"]);
    patient(
        r#""extension":[{"url":"http://x"}]"#,
        &["Patient.extension[0]: either a value or extensions inside, not both and not neither (ext-1)"],
    );
    patient(
        r#""extension":[{"url":"http://x","valueString":"y","extension":[{"url":"y","valueString":"z"}]}]"#,
        &["Patient.extension[0]: (ext-1)"],
    );
    patient(
        r#""extension":[{"url":"http://x","_valueString":{"extension":[{"url":"http://y","valueCode":"z"}]}}]"#,
        &[],
    );
    patient(r#""modifierExtension":[{"url":"http://x","valueString":"y"}]"#, &[]);
    patient(
        r#""name":[{"family":"a","modifierExtension":[{"url":"http://x","valueString":"y"}]}]"#,
        &["Patient.name[0].modifierExtension: unknown"],
    );
}
