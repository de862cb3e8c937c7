use proptest::prelude::*;

use super::*;
use crate::{arbitrary, json, release};

fn xml_of(json_text: &str, release: &'static Release) -> String {
    let tree = json::read(json_text.as_bytes(), &Limits::default()).unwrap();
    String::from_utf8(write(&tree, release).unwrap()).unwrap()
}

fn json_of(xml_text: &str, release: &'static Release) -> String {
    let tree = read(xml_text.as_bytes(), release, &Limits::default()).unwrap();
    String::from_utf8(json::write(&tree)).unwrap()
}

#[track_caller]
fn there_and_back(json_text: &str, release: &'static Release) -> String {
    let json_text = json_text.lines().map(str::trim).collect::<String>();
    let xml = xml_of(&json_text, release);
    assert_eq!(json_of(&xml, release), json_text, "{xml}");
    xml
}

#[track_caller]
fn refused(xml_text: &str, place: &str, words: &str) {
    let issues = read(xml_text.as_bytes(), release::r4(), &Limits::default()).unwrap_err();
    let [issue] = <[Issue; 1]>::try_from(issues).unwrap();
    assert!(issue.text.en.contains(words), "{}", issue.text.en);
    assert_eq!(issue.place, place);
}

fn patient(inside: &str) -> String {
    format!("<Patient xmlns=\"http://hl7.org/fhir\">{inside}</Patient>")
}

const NOTE_R4: &str = r##"{"resourceType":"DocumentReference","id":"n1",
"meta":{"versionId":"3","lastUpdated":"2024-05-01T10:00:00.000+02:00","profile":["https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference-cdl"]},
"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Note &amp; <b>suite</b></p></div>"},
"contained":[{"resourceType":"Practitioner","id":"p","name":[{"family":"Dupont","given":["Élise",null],"_given":[null,{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}]}]}],
"extension":[{"url":"http://example.org/dose","valueDecimal":1.50},
{"url":"http://example.org/whole","extension":[{"url":"part","valueInteger":-3},{"id":"e","url":"other","valueBoolean":false}]}],
"identifier":[{"id":"i1","system":"urn:oid:1.2.3","value":"a\"b<c>&d"}],"status":"current",
"type":{"coding":[{"system":"http://loinc.org","code":"34109-9"}],"text":"Note"},
"subject":{"reference":"Patient/1"},"date":"2024-05-01T10:00:00+02:00","author":[{"reference":"#p"}],
"description":"ligne 1\nligne 2\t\"fin\"",
"content":[{"attachment":{"contentType":"text/plain","data":"QUJD","size":3,"_title":{"id":"t"}}}],
"context":{"period":{"_start":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]},"end":"2024"}}}"##;

#[test]
fn pretty_xml_has_an_element_a_line_and_says_the_same() {
    let tree = json::read(NOTE_R4.as_bytes(), &Limits::default()).unwrap();
    let pretty = String::from_utf8(write_pretty(&tree, release::r4()).unwrap()).unwrap();
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DocumentReference xmlns=\"http://hl7.org/fhir\">\n  <id value=\"n1\"/>\n",
        "\n  <contained>\n    <Practitioner>\n      <id value=\"p\"/>\n      <name>\n        <family value=\"Dupont\"/>\n",
        "\n    <div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Note &amp; <b>suite</b></p></div>\n  </text>\n",
        "\n  </context>\n</DocumentReference>\n",
    ] {
        assert!(pretty.contains(part), "{part}\n--- is not in\n{pretty}");
    }
    assert_eq!(json_of(&pretty, release::r4()), json_of(&xml_of(NOTE_R4, release::r4()), release::r4()));
}

#[test]
fn a_note_of_today_comes_back_from_xml_byte_for_byte() {
    let xml = there_and_back(NOTE_R4, release::r4());
    for part in [
        r#"<?xml version="1.0" encoding="UTF-8"?><DocumentReference xmlns="http://hl7.org/fhir"><id value="n1"/>"#,
        r#"<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>Note &amp; <b>suite</b></p></div></text>"#,
        r#"<contained><Practitioner><id value="p"/><name><family value="Dupont"/><given value="Élise"/><given><extension url="http://hl7.org/fhir/StructureDefinition/data-absent-reason"><valueCode value="masked"/></extension></given></name></Practitioner></contained>"#,
        r#"<extension url="http://example.org/dose"><valueDecimal value="1.50"/></extension>"#,
        r#"<extension id="e" url="other"><valueBoolean value="false"/></extension>"#,
        r#"<identifier id="i1"><system value="urn:oid:1.2.3"/><value value="a&quot;b&lt;c&gt;&amp;d"/></identifier>"#,
        r#"<description value="ligne 1&#10;ligne 2&#9;&quot;fin&quot;"/>"#,
        r#"<title id="t"/>"#,
    ] {
        assert!(xml.contains(part), "{part}\nnot in\n{xml}");
    }
}

#[test]
fn a_note_of_2017_comes_back_from_xml_byte_for_byte() {
    let xml = there_and_back(
        r#"{"resourceType":"Bundle","type":"transaction",
        "entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "resource":{"resourceType":"DocumentReference","status":"current","type":{"text":"Note"},
        "class":{"coding":[{"system":"1.2.250.1.213.1.1.4.2.2.3.4","code":"10"}]},
        "created":"2017-05-01T10:00:00+02:00","indexed":"2017-05-01T10:00:00+02:00",
        "content":[{"attachment":{"contentType":"text/plain"}}]},
        "request":{"method":"POST","url":"DocumentReference"}}]}"#,
        release::stu3(),
    );
    assert!(xml.contains("<resource><DocumentReference><status value=\"current\"/>"), "{xml}");
}

#[test]
fn elements_are_written_in_the_order_of_the_definition() {
    let xml = xml_of(
        r#"{"_gender":{"id":"g"},"birthDate":"1950","name":[{"given":["A"],"family":"B"}],"active":true,"id":"1","gender":"male","resourceType":"Patient"}"#,
        release::r4(),
    );
    let body = r#"<id value="1"/><active value="true"/><name><family value="B"/><given value="A"/></name><gender value="male" id="g"/><birthDate value="1950"/>"#;
    assert!(xml.contains(body), "{xml}");
}

#[test]
fn a_div_that_leans_on_its_surroundings_is_made_to_stand_alone() {
    let text = |div: &str| {
        json_of(
            &format!(
                "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><text><status value=\"generated\"/>{div}</text></Patient>"
            ),
            release::r4(),
        )
    };
    let alone = r#"<div xmlns=\"http://www.w3.org/1999/xhtml\" class=\"a&amp;b\"><p>x &lt; y</p><br/></div>"#;
    assert!(text(r#"<h:div class="a&amp;b"><h:p>x &lt; y<!-- c --></h:p><h:br/></h:div>"#).contains(alone));
    let own = r#"<div  xmlns='http://www.w3.org/1999/xhtml'><p>é&#233;<!-- kept --></p></div>"#;
    assert!(text(own).contains(own));
}

#[test]
fn blanks_comments_and_a_schema_location_are_nothing() {
    let json_text = json_of(
        "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<!-- a < b --><Patient xmlns=\"http://hl7.org/fhir\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"a b\">\n <active value='true'/><!-- x -->\n</Patient>\n",
        release::r4(),
    );
    assert_eq!(json_text, r#"{"resourceType":"Patient","active":true}"#);
}

#[test]
fn mistakes_are_refused_with_their_place() {
    refused(&patient("<brithDate value='1950'/>"), "Patient.brithDate", "Did you mean \"birthDate\"?");
    refused(&patient("<name><given value='A' val='B'/></name>"), "Patient.name[0].given[0]", "\"val\"");
    refused(&patient("<name use='official'/>"), "Patient.name[0]", "\"use\"");
    refused(
        &patient("<id id='x' value='y'/><birthDate value='1950'/><active value='true'/>"),
        "Patient.active",
        "must come before \"birthDate\"",
    );
    refused(&patient("<name/><telecom/><name/>"), "Patient.name", "must come before");
    refused(&patient("<birthDate value='1950'/><birthDate value='1951'/>"), "Patient.birthDate", "only once");
    refused(&patient("<active value='yes'/>"), "Patient.active", "not a boolean");
    refused(&patient("<multipleBirthInteger value='1.0'/>"), "Patient.multipleBirth", "not an integer");
    refused(&patient("<birthDate/>"), "Patient.birthDate", "empty");
    refused(&patient("<birthDate>1950</birthDate>"), "Patient.birthDate", "text between");
    refused(&patient("hello"), "Patient", "text between");
    refused(&patient("<contained/>"), "Patient.contained[0]", "exactly one resource");
    refused(&patient("<contained><Patient/><Patient/></contained>"), "Patient.contained[0]", "exactly one resource");
    refused(&patient("<contained><Patient><nam/></Patient></contained>"), "Patient.contained[0].nam", "unknown");
    refused(&patient("<x:active xmlns:x='urn:x' value='true'/>"), "Patient.active", "namespace");
    refused(&patient("<text><status value='empty'/><div>x</div></text>"), "Patient.text.div", "namespace");
    refused("<Patient><active value='true'/></Patient>", "Patient", "namespace");
    refused("<Patiente xmlns='http://hl7.org/fhir'/>", "Patiente", "Did you mean \"Patient\"?");
    refused("<Account xmlns='http://hl7.org/fhir'/>", "Account", "does not hold it");
    refused("<Patient xmlns='http://hl7.org/fhir' id='x'/>", "Patient", "\"id\"");
}

#[test]
fn what_is_no_xml_for_fhir_is_refused_whole() {
    for (text, words) in [
        ("", "well-formed"),
        ("<Patient", "well-formed"),
        ("<Patient xmlns='http://hl7.org/fhir'>&nbsp;</Patient>", "well-formed"),
        ("<!DOCTYPE Patient><Patient xmlns='http://hl7.org/fhir'/>", "DTD"),
        (
            "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><Patient xmlns='http://hl7.org/fhir'>&e;</Patient>",
            "DTD",
        ),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><Patient xmlns='http://hl7.org/fhir'/>", "ISO-8859-1"),
    ] {
        refused(text, "", words);
    }
    let issues = read(b"<Patient xmlns='http://hl7.org/fhir'>\xe9</Patient>", release::r4(), &Limits::default());
    assert!(issues.unwrap_err()[0].text.en.contains("UTF-8"));
}

#[test]
fn depth_width_and_size_are_bounded() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    refused(&patient(&deep), "", "deeper than 64");
    refused(&patient(&"<a>".repeat(100_000)), "", "deeper than 64");
    let wide = (0..40).map(|i| format!(" a{i}=''")).collect::<String>();
    refused(&format!("<Patient{wide}/>"), "", "too many attributes");
    let prefixes = (0..100).map(|i| format!("<a xmlns:p{i}='u'/>")).collect::<String>();
    refused(&patient(&prefixes), "", "too many namespaces");
    let limits = Limits { nodes: 100, bytes: 10_000, ..Limits::default() };
    let long = patient(&"<active/>".repeat(200));
    assert!(read(long.as_bytes(), release::r4(), &limits).unwrap_err()[0].text.en.contains("nodes limit"));
    let limits = Limits { bytes: 10, ..Limits::default() };
    assert!(read(long.as_bytes(), release::r4(), &limits).unwrap_err()[0].text.en.contains("limit is 10"));
}

#[test]
fn what_xml_lets_in_json_can_read_again() {
    // Forty extensions in each other are forty elements, but eighty levels of JSON.
    let nested = format!(
        "{}<extension url='u'><valueCode value='x'/></extension>{}",
        "<extension url='u'>".repeat(40),
        "</extension>".repeat(40)
    );
    refused(&patient(&nested), "", "too deep");
}

#[test]
fn what_is_wide_is_not_deep() {
    let names = r#"{"family":"Dupont"},"#.repeat(1000);
    let wide = format!(r#"{{"resourceType":"Patient","name":[{}]}}"#, names.trim_end_matches(','));
    assert_eq!(xml_of(&wide, release::r4()).matches("<name>").count(), 1000);
}

#[test]
fn only_primitives_have_a_part_beside_them() {
    let div = r#""status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>""#;
    for (json, place) in [
        (format!(r#"{{"resourceType":"Patient","text":{{{div},"_div":{{"id":"a"}}}}}}"#), "Patient.text.div"),
        (r#"{"resourceType":"Patient","name":[{"family":"a"}],"_name":[{"id":"a"}]}"#.to_owned(), "Patient.name[0]"),
        (
            r#"{"resourceType":"Patient","contained":[{"resourceType":"Patient"}],"_contained":[{"id":"a"}]}"#
                .to_owned(),
            "Patient.contained[0]",
        ),
        (
            r#"{"resourceType":"Patient","text":{"status":"generated","_div":{"id":"a"}}}"#.to_owned(),
            "Patient.text.div",
        ),
    ] {
        let tree = json::read(json.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(write(&tree, release::r4()).unwrap_err().place, place, "{json}");
    }
}

#[test]
fn what_xml_cannot_carry_is_refused_when_writing() {
    let wrong = |json_text: &str, place: &str| {
        let tree = json::read(json_text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(write(&tree, release::r4()).unwrap_err().place, place);
    };
    wrong(r#"{"resourceType":"Patient","name":[{"family":"a\u0001b"}]}"#, "Patient.name[0].family");
    wrong(r#"{"resourceType":"Patient","name":[{"family":"\uffff"}]}"#, "Patient.name[0].family");
    wrong(r#"{"resourceType":"Patient","nom":"x"}"#, "Patient.nom");
    wrong(r#"{"resourceType":"Patient","active":[true]}"#, "Patient.active");
    wrong(r#"{"resourceType":"Patient","name":{"family":"x"}}"#, "Patient.name");
    wrong(r#"{"resourceType":"Patient","name":["x"]}"#, "Patient.name[0]");
    wrong(r#"{"resourceType":"Patient","text":{"div":"<div>x</div>"}}"#, "Patient.text.div");
    wrong(
        r#"{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"/><x/>"}}"#,
        "Patient.text.div",
    );
    wrong(r#"{"resourceType":"Nonsense"}"#, "Nonsense");
}

proptest! {
    #[test]
    fn every_r4_resource_comes_back_from_xml(resource in arbitrary::any_resource(release::r4())) {
        let xml = write(&resource, release::r4()).unwrap();
        prop_assert_eq!(read(&xml, release::r4(), &Limits::default()).unwrap(), resource);
    }

    #[test]
    fn every_stu3_resource_comes_back_from_xml(resource in arbitrary::any_resource(release::stu3())) {
        let xml = write(&resource, release::stu3()).unwrap();
        prop_assert_eq!(read(&xml, release::stu3(), &Limits::default()).unwrap(), resource);
    }

    #[test]
    fn spoiled_xml_never_panics(
        resource in arbitrary::any_resource(release::r4()),
        at in any::<prop::sample::Index>(),
        put in prop_oneof![any::<u8>().prop_map(|b| vec![b]), prop::sample::select(vec![
            b"<".to_vec(), b">".to_vec(), b"/>".to_vec(), b"\"".to_vec(), b"<!--".to_vec(), b"<![CDATA[".to_vec(), b"&#0;".to_vec(), vec![],
        ])],
        cut in 0_usize..20,
    ) {
        let mut xml = write(&resource, release::r4()).unwrap();
        let at = at.index(xml.len());
        let end = (at + cut).min(xml.len());
        xml.splice(at..end, put);
        if let Ok(tree) = read(&xml, release::r4(), &Limits::default()) {
            let _ = write(&tree, release::r4());
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, release::r4(), &Limits::default());
    }
}
