use super::{patient, r4, stu3};

#[test]
fn data_types() {
    patient(r#""photo":[{"data":"QUJD"}]"#, &["Patient.photo[0]: (att-1)"]);
    patient(r#""telecom":[{"value":"01"}]"#, &["Patient.telecom[0]: (cpt-2)"]);
    let quantity = |members: &str| format!(r#""extension":[{{"url":"http://x","valueQuantity":{{{members}}}}}]"#);
    patient(&quantity(r#""value":1,"code":"mg""#), &["Patient.extension[0].value: (qty-3)"]);
    patient(&quantity(r#""value":1,"code":"mg","system":"http://unitsofmeasure.org""#), &[]);
    let ratio = |members: &str| format!(r#""extension":[{{"url":"http://x","valueRatio":{{{members}}}}}]"#);
    patient(&ratio(r#""numerator":{"value":1}"#), &["Patient.extension[0].value: (rat-1)"]);
    patient(&ratio(r#""numerator":{"value":1},"denominator":{"value":2}"#), &[]);
}

#[test]
fn ranges_run_upward() {
    let range = |low: &str, high: &str| {
        format!(r#""extension":[{{"url":"http://x","valueRange":{{"low":{{{low}}},"high":{{{high}}}}}}}]"#)
    };
    patient(&range(r#""value":1.5"#, r#""value":1.50"#), &[]);
    patient(&range(r#""value":2,"unit":"mg""#, r#""value":1,"unit":"g""#), &[]);
    patient(&range(r#""value":2"#, r#""value":-10"#), &["Patient.extension[0].value: (rng-2)"]);
}

#[test]
fn periods_run_forward() {
    let period =
        |start: &str, end: &str| format!(r#""name":[{{"family":"A","period":{{"start":"{start}","end":"{end}"}}}}]"#);
    for (start, end) in [
        ("2024", "2024"),
        ("2024-05", "2024"),
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T10:00:00Z", "2024-05-01T12:00:00+02:00"),
        ("2024-05-01T23:30:00-02:00", "2024-05-01"),
    ] {
        patient(&period(start, end), &[]);
    }
    for (start, end) in
        [("2025", "2024"), ("2024-05-02", "2024-05-01"), ("2024-05-01T10:00:01Z", "2024-05-01T12:00:00+02:00")]
    {
        patient(&period(start, end), &["Patient.name[0].period: (per-1)"]);
    }
}

#[test]
fn timings() {
    let repeat = |members: &str, expected: &[&str]| {
        patient(&format!(r#""extension":[{{"url":"http://x","valueTiming":{{"repeat":{{{members}}}}}}}]"#), expected);
    };
    const AT: &str = "Patient.extension[0].value.repeat";
    repeat(r#""frequency":1,"period":1,"periodUnit":"d""#, &[]);
    repeat(r#""duration":1"#, &[&format!("{AT}: (tim-1)")]);
    repeat(r#""period":1"#, &[&format!("{AT}: (tim-2)")]);
    repeat(r#""duration":-0.5,"durationUnit":"d""#, &[&format!("{AT}: (tim-4)")]);
    repeat(r#""duration":-0.0,"durationUnit":"d""#, &[]);
    repeat(r#""period":-1,"periodUnit":"d""#, &[&format!("{AT}: (tim-5)")]);
    repeat(r#""periodMax":1"#, &[&format!("{AT}: (tim-6)")]);
    repeat(r#""durationMax":1"#, &[&format!("{AT}: (tim-7)")]);
    repeat(r#""countMax":1"#, &[&format!("{AT}: (tim-8)")]);
    repeat(r#""offset":1"#, &[&format!("{AT}: (tim-9)")]);
    repeat(r#""offset":1,"when":["C"]"#, &[&format!("{AT}: (tim-9)")]);
    repeat(r#""offset":1,"when":["ACM"]"#, &[]);
    repeat(r#""when":["ACM"],"timeOfDay":["10:00:00"]"#, &[&format!("{AT}: (tim-10)")]);
}

#[test]
fn people_and_organisations() {
    patient(r#""contact":[{"gender":"male"}]"#, &["Patient.contact[0]: (pat-1)"]);
    r4(r#"{"resourceType":"Organization","active":true}"#, &["Organization: (org-1)"]);
    r4(
        r#"{"resourceType":"Organization","name":"A","address":[{"city":"B"},{"use":"home","city":"C"}],"telecom":[{"use":"home","system":"phone","value":"1"}]}"#,
        &["Organization.address[1]: (org-2)", "Organization.telecom[0]: (org-3)"],
    );
    let member = |reference: &str| {
        format!(
            r#"{{"resourceType":"CareTeam","participant":[{{"member":{{{reference}}},"onBehalfOf":{{"display":"A"}}}}]}}"#
        )
    };
    r4(&member(r#""reference":"Practitioner/1""#), &[]);
    r4(&member(r#""display":"Mme A""#), &[]);
    r4(&member(r#""reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520""#), &[]);
    r4(&member(r#""reference":"Patient/1""#), &["CareTeam.participant[0]: (ctm-1)"]);
    r4(
        r#"{"resourceType":"Parameters","parameter":[{"name":"a","valueString":"b"},{"name":"c"},{"name":"d","valueString":"e","part":[{"name":"f","valueCode":"g"}]}]}"#,
        &["Parameters.parameter[1]: (inv-1)", "Parameters.parameter[2]: (inv-1)"],
    );
}

#[test]
fn appointments() {
    let appointment = |members: &str| {
        format!(
            r#"{{"resourceType":"Appointment","participant":[{{"status":"accepted","actor":{{"reference":"Patient/1"}}}}],{members}}}"#
        )
    };
    const DATED: &str = r#""start":"2024-05-01T10:00:00Z","end":"2024-05-01T11:00:00Z""#;
    r4(&appointment(&format!(r#""status":"booked",{DATED}"#)), &[]);
    r4(&appointment(r#""status":"proposed""#), &[]);
    r4(&appointment(r#""status":"booked""#), &["Appointment: (app-3)"]);
    r4(&appointment(r#""status":"waitlist""#), &[]);
    stu3(&appointment(r#""status":"booked""#), &["Appointment: is proposed or cancelled (app-3)"]);
    r4(&appointment(r#""status":"proposed","start":"2024-05-01T10:00:00Z""#), &["Appointment: (app-2)"]);
    r4(
        &appointment(&format!(r#""status":"booked","cancelationReason":{{"text":"x"}},{DATED}"#)),
        &["Appointment: (app-4)"],
    );
    r4(&appointment(r#""status":"cancelled","cancelationReason":{"text":"x"}"#), &[]);
    r4(
        r#"{"resourceType":"Appointment","status":"proposed","participant":[{"status":"accepted"}]}"#,
        &["Appointment.participant[0]: (app-1)"],
    );
    r4(
        r#"{"resourceType":"AppointmentResponse","appointment":{"reference":"Appointment/1"},"participantStatus":"accepted"}"#,
        &["AppointmentResponse: (apr-1)"],
    );
}

#[test]
fn bundles() {
    let bundle = |kind: &str, members: &str| format!(r#"{{"resourceType":"Bundle","type":"{kind}",{members}}}"#);
    const PATIENT: &str = r#""resource":{"resourceType":"Patient"}"#;
    r4(&bundle("searchset", r#""total":0"#), &[]);
    r4(&bundle("collection", r#""total":0"#), &["Bundle: (bdl-1)"]);
    r4(&bundle("searchset", &format!(r#""entry":[{{{PATIENT},"search":{{"mode":"match"}}}}]"#)), &[]);
    r4(
        &bundle("collection", &format!(r#""entry":[{{{PATIENT}}},{{{PATIENT},"search":{{"mode":"match"}}}}]"#)),
        &["Bundle.entry[1]: (bdl-2)"],
    );
    const REQUEST: &str = r#""request":{"method":"POST","url":"Patient"}"#;
    r4(&bundle("transaction", &format!(r#""entry":[{{{PATIENT},{REQUEST}}}]"#)), &[]);
    let without = bundle("transaction", &format!(r#""entry":[{{{PATIENT},{REQUEST}}},{{{PATIENT}}}]"#));
    r4(&without, &["Bundle.entry[1]: (bdl-3)"]);
    stu3(&without, &[]);
    let misplaced = bundle("collection", &format!(r#""entry":[{{{PATIENT},{REQUEST}}}]"#));
    r4(&misplaced, &["Bundle.entry[0]: (bdl-3)"]);
    stu3(&misplaced, &["Bundle.entry[0]: (bdl-3)"]);
    r4(
        &bundle("collection", &format!(r#""entry":[{{{PATIENT},"response":{{"status":"200"}}}}]"#)),
        &["Bundle.entry[0]: (bdl-4)"],
    );
    r4(&bundle("batch-response", &format!(r#""entry":[{{{PATIENT}}}]"#)), &["Bundle.entry[0]: (bdl-4)"]);
    r4(&bundle("collection", r#""entry":[{"fullUrl":"urn:x:y"}]"#), &["Bundle.entry[0]: (bdl-5)"]);
    let at = |url: &str| {
        bundle(
            "collection",
            &format!(r#""entry":[{{"fullUrl":"{url}","resource":{{"resourceType":"Patient","id":"1"}}}}]"#),
        )
    };
    for right in ["http://x/Patient/1", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "http://x/patients?number=1"] {
        r4(&at(right), &[]);
    }
    r4(&at("Patient/1"), &["warning Bundle.entry[0].fullUrl: must be absolute"]);
    r4(&at("http://x/Patient/2"), &["warning Bundle.entry[0].fullUrl: must end with \"Patient/1\""]);
    stu3(&at("http://x/Practitioner/1"), &["warning Bundle.entry[0].fullUrl: must end with \"Patient/1\""]);
    let twice = |version: &str| {
        bundle(
            "collection",
            &format!(
                r#""entry":[{{"fullUrl":"urn:x:y","resource":{{"resourceType":"Patient","meta":{{"versionId":"1"}}}}}},{{"fullUrl":"urn:x:y","resource":{{"resourceType":"Patient","meta":{{"versionId":"{version}"}}}}}}]"#
            ),
        )
    };
    r4(&twice("1"), &["Bundle.entry[1]: (bdl-7)"]);
    r4(&twice("2"), &[]);
    let versioned =
        bundle("collection", &format!(r#""entry":[{{"fullUrl":"http://x/Patient/1/_history/1",{PATIENT}}}]"#));
    r4(&versioned, &["Bundle.entry[0]: (bdl-8)"]);
    stu3(&versioned, &["Bundle.entry[0]: (bdl-8)"]);
    r4(
        &bundle("document", &format!(r#""entry":[{{{PATIENT}}}]"#)),
        &["Bundle: (bdl-10)", "Bundle: (bdl-11)", "Bundle: (bdl-9)"],
    );
    r4(&bundle("message", &format!(r#""entry":[{{{PATIENT}}}]"#)), &["Bundle: (bdl-12)"]);
}

#[test]
fn a_consent_names_one_policy_or_more() {
    let consent = |policy: &str| {
        format!(
            r#"{{"resourceType":"Consent","status":"active","scope":{{"text":"a"}},"category":[{{"text":"b"}}],
            "organization":[{{"display":"c"}}],"patient":{{"display":"d"}}{policy}}}"#,
        )
    };
    r4(&consent(r#","policyRule":{"text":"e"}"#), &[]);
    r4(&consent(r#","policy":[{"uri":"urn:oid:1.2.3"}]"#), &[]);
    r4(&consent(""), &["Consent: (ppc-1)"]);
}
