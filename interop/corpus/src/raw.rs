//! Faults of JSON itself, and of what is contained, written out.

use liaison_fhir::release::Release;

use crate::{Case, Format};

/// What is special, and the text; not everything special is wrong.
const TEXTS: &[(&str, &str)] = &[
    ("twice-the-same-member", r#"{"resourceType":"Patient","gender":"male","gender":"female"}"#),
    ("cut-off", r#"{"resourceType":"Patient","gender":"male""#),
    ("comma-too-many", r#"{"resourceType":"Patient","gender":"male",}"#),
    ("no-json", "bonjour"),
    ("array-at-the-top", r#"[{"resourceType":"Patient"}]"#),
    ("text-after-the-end", r#"{"resourceType":"Patient"} {}"#),
    ("no-resource-type", r#"{"gender":"male"}"#),
    ("unknown-resource-type", r#"{"resourceType":"Unicorn"}"#),
    ("resource-type-of-other-case", r#"{"resourceType":"patient"}"#),
    ("comment", "{\"resourceType\":\"Patient\", /* note */ \"gender\":\"male\"}"),
    ("number-with-leading-zero", r#"{"resourceType":"Patient","multipleBirthInteger":01}"#),
    ("number-with-plus", r#"{"resourceType":"Patient","multipleBirthInteger":+1}"#),
    ("element-of-an-id-alone", r#"{"resourceType":"Patient","name":[{"id":"a"}]}"#),
    ("fhir-comments", r#"{"resourceType":"Patient","fhir_comments":["a"],"gender":"male"}"#),
    (
        "contained-same-id",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"A"},{"resourceType":"Organization","id":"a","name":"B"}],"managingOrganization":{"reference":"#a"}}"##,
    ),
    (
        "contained-without-id",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","name":"A"}],"managingOrganization":{"display":"A"}}"##,
    ),
    (
        "contained-unused",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"A"}]}"##,
    ),
    (
        "contained-in-contained",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"A","contained":[{"resourceType":"Organization","id":"b","name":"B"}],"partOf":{"reference":"#b"}}],"managingOrganization":{"reference":"#a"}}"##,
    ),
    (
        "contained-with-version",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","meta":{"versionId":"1"},"name":"A"}],"managingOrganization":{"reference":"#a"}}"##,
    ),
    (
        "contained-with-security",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","meta":{"security":[{"code":"R"}]},"name":"A"}],"managingOrganization":{"reference":"#a"}}"##,
    ),
    (
        "contained-with-narrative",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"},"name":"A"}],"managingOrganization":{"reference":"#a"}}"##,
    ),
    (
        "contained-refers-to-container",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"RelatedPerson","id":"a","patient":{"reference":"#"}}]}"##,
    ),
    (
        "contained-wrong-target",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a"}],"managingOrganization":{"reference":"#a"}}"##,
    ),
    (
        "reference-to-version",
        r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1/_history/2"}}"#,
    ),
    (
        "reference-absolute",
        r#"{"resourceType":"Patient","managingOrganization":{"reference":"https://example.org/fhir/Organization/1"}}"#,
    ),
    (
        "reference-by-query",
        r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization?identifier=x|y"}}"#,
    ),
    (
        "reference-id-too-long",
        r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}"#,
    ),
    (
        "period-of-precisions",
        r#"{"resourceType":"Patient","name":[{"family":"A","period":{"start":"2024-02-03T10:00:00Z","end":"2024-02-03"}}]}"#,
    ),
    (
        "period-year-and-day",
        r#"{"resourceType":"Patient","name":[{"family":"A","period":{"start":"2024-05-02","end":"2024"}}]}"#,
    ),
    ("date-with-time", r#"{"resourceType":"Patient","birthDate":"1950-01-01T00:00:00Z"}"#),
    ("year-zero", r#"{"resourceType":"Patient","birthDate":"0000"}"#),
    ("hour-24", r#"{"resourceType":"Patient","deceasedDateTime":"2024-05-01T24:00:00Z"}"#),
    ("leap-second", r#"{"resourceType":"Patient","deceasedDateTime":"2016-12-31T23:59:60Z"}"#),
    ("zone-too-large", r#"{"resourceType":"Patient","deceasedDateTime":"2024-05-01T10:00:00+15:00"}"#),
    (
        "decimal-with-exponent",
        r#"{"resourceType":"Patient","extension":[{"url":"http://example.org/fhir/StructureDefinition/n","valueDecimal":1e3}]}"#,
    ),
    ("string-with-blanks-around", r#"{"resourceType":"Patient","name":[{"family":" A "}]}"#),
    ("string-with-line-ends", r#"{"resourceType":"Patient","name":[{"family":"A\r\nB\tC"}]}"#),
    ("language-unknown", r#"{"resourceType":"Patient","language":"french"}"#),
    ("attachment-size-zero", r#"{"resourceType":"Patient","photo":[{"contentType":"image/png","size":0}]}"#),
    (
        "attachment-not-a-media-type",
        r#"{"resourceType":"Patient","photo":[{"contentType":"picture","url":"http://example.org/a.png"}]}"#,
    ),
    ("base64-with-blanks", r#"{"resourceType":"Patient","photo":[{"contentType":"image/png","data":"AAEC AAEC"}]}"#),
    ("base64-without-padding", r#"{"resourceType":"Patient","photo":[{"contentType":"image/png","data":"AAE"}]}"#),
    ("identifier-system-relative", r#"{"resourceType":"Patient","identifier":[{"system":"ins","value":"1"}]}"#),
    ("profile-relative", r#"{"resourceType":"Patient","meta":{"profile":["patient"]}}"#),
    (
        "bundle-of-unknown-type",
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Unicorn"}}]}"#,
    ),
    (
        "bundle-entry-broken",
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Patient","gender":"x"}}]}"#,
    ),
    (
        "bundle-full-url-relative",
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"Patient/1","resource":{"resourceType":"Patient","id":"1"}}]}"#,
    ),
    (
        "bundle-full-url-of-another",
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://example.org/fhir/Patient/2","resource":{"resourceType":"Patient","id":"1"}}]}"#,
    ),
    (
        "bundle-full-url-missing",
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}"#,
    ),
];

pub fn cases(release: &'static Release) -> Vec<Case> {
    TEXTS
        .iter()
        .map(|(name, text)| Case {
            name: (*name).to_owned(),
            release,
            format: Format::Json,
            bytes: text.as_bytes().to_vec(),
        })
        .collect()
}
