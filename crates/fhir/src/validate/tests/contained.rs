use super::{patient, r4, stu3};

#[test]
fn contained_resources_are_found_by_their_id() {
    patient(
        r##""contained":[{"resourceType":"Organization","id":"o","name":"A"}],"managingOrganization":{"reference":"#o"}"##,
        &[],
    );
    patient(
        r##""managingOrganization":{"reference":"#o"}"##,
        &["Patient.managingOrganization.reference: No contained resource has the id \"o\" (ref-1)"],
    );
    patient(
        r##""contained":[{"resourceType":"Patient","id":"o"}],"managingOrganization":{"reference":"#o"}"##,
        &["Patient.managingOrganization.reference: A Patient may not stand here"],
    );
    // From one contained resource to another, and back to the container.
    patient(
        r##""contained":[{"resourceType":"Organization","id":"a","name":"A","partOf":{"reference":"#b"}},{"resourceType":"Organization","id":"b","name":"B"}],"managingOrganization":{"reference":"#a"}"##,
        &[],
    );
    patient(r##""contained":[{"resourceType":"RelatedPerson","id":"r","patient":{"reference":"#"}}]"##, &[]);
}

#[test]
fn each_entry_of_a_bundle_contains_its_own() {
    r4(
        r##"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"A"}],"managingOrganization":{"reference":"#o"}}},{"resource":{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}}]}"##,
        &["Bundle.entry[1].resource.managingOrganization.reference: (ref-1)"],
    );
}

#[test]
fn what_a_contained_resource_may_not_have() {
    let with = |members: &str| {
        format!(
            r##"{{"resourceType":"Patient","contained":[{{"resourceType":"Organization","id":"o","name":"A",{members}}}],"managingOrganization":{{"reference":"#o"}}}}"##
        )
    };
    r4(&with(r#""contained":[{"resourceType":"Patient","id":"x"}]"#), &["Patient.contained[0].contained: (dom-2)"]);
    r4(&with(r#""meta":{"versionId":"1"}"#), &["Patient.contained[0].meta: (dom-4)"]);
    r4(&with(r#""meta":{"lastUpdated":"2024-01-01T00:00:00Z"}"#), &["Patient.contained[0].meta: (dom-4)"]);
    r4(&with(r#""meta":{"security":[{"code":"R"}]}"#), &["Patient.contained[0].meta: (dom-5)"]);
    r4(&with(r#""meta":{"tag":[{"code":"R"}]}"#), &[]);
    let text = with(r#""text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}"#);
    r4(&text, &[]);
    stu3(&text, &["Patient.contained[0].text: (dom-1)"]);
    stu3(&with(r#""meta":{"security":[{"code":"R"}]}"#), &[]);
}

#[test]
fn contained_resources_have_ids_of_their_own_and_are_used() {
    patient(r#""contained":[{"resourceType":"Organization","name":"A"}]"#, &["Patient.contained[0]: needs an id"]);
    patient(
        r##""contained":[{"resourceType":"Organization","id":"o","name":"A"},{"resourceType":"Organization","id":"o","name":"B"}],"managingOrganization":{"reference":"#o"}"##,
        &["Patient.contained[1].id: the same id"],
    );
    patient(
        r#""contained":[{"resourceType":"Organization","id":"o","name":"A"}]"#,
        &["warning Patient.contained[0]: Nothing refers to this contained resource (dom-3)"],
    );
    // A canonical uses it too.
    patient(
        r##""contained":[{"resourceType":"ValueSet","id":"v","status":"active"}],"extension":[{"url":"http://x","valueCanonical":"#v"}]"##,
        &[],
    );
}
