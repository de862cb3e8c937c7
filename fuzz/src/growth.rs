//! What costs more than in proportion: inputs of a size, made to find the square in whatever reads them.

use liaison_app::query_string;
use liaison_care::{cahier2017, note_bundle};
use liaison_fhir::{
    convert, json, patch,
    path::Path,
    primitive,
    release::{Primitive, r4, stu3},
    search::{
        extract::{ExtractContext, extract, references},
        parse::{Handling, SearchContext, SearchLimits, SearchRequest, parse},
    },
    terminology::{Circumstances, Operation, inputs::Inputs},
    tree::Object,
    validate, xml,
};

/// An input of about a size, and what reads it.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What it is.
    pub name: &'static str,
    /// Makes it, of about so many bytes.
    pub make: fn(usize) -> Vec<u8>,
    /// Reads it.
    pub read: fn(&[u8]),
}

/// Every shape.
pub const SHAPES: &[Shape] = &[
    Shape { name: "arrays", make: |n| around("[", "[],", n, "[]]"), read: as_json },
    Shape { name: "arrays never closed", make: |n| "[".repeat(n).into(), read: as_json },
    Shape { name: "escapes", make: |n| around("{\"a\":\"", "\\u00e9\\n", n, "\"}"), read: as_json },
    Shape { name: "a string without end", make: |n| around("{\"a\":\"", "a\\\\", n, ""), read: as_json },
    Shape { name: "numbers", make: |n| around("[", "1.50,", n, "0]"), read: as_json },
    Shape { name: "blanks", make: |n| around("[", " \n", n, "]"), read: as_json },
    Shape { name: "members", make: members, read: as_json },
    Shape { name: "unknown members", make: members, read: looked_at },
    Shape {
        name: "a long name",
        make: |n| around("{\"resourceType\":\"Patient\",\"", "a", n, "\":1}"),
        read: looked_at,
    },
    Shape { name: "a long type", make: |n| around("{\"resourceType\":\"", "Pati", n, "\"}"), read: looked_at },
    Shape { name: "names", make: names, read: looked_at },
    Shape { name: "identifiers", make: identifiers, read: looked_at },
    Shape { name: "extensions", make: extensions, read: looked_at },
    Shape { name: "contained resources", make: contained, read: looked_at },
    Shape { name: "siblings", make: siblings, read: looked_at },
    Shape { name: "a narrative", make: narrative, read: looked_at },
    Shape { name: "base64", make: base64, read: looked_at },
    Shape { name: "entries", make: entries, read: looked_at },
    Shape { name: "notes in a bundle", make: note_bundle, read: looked_at },
    Shape { name: "value set", make: value_set, read: looked_at },
    Shape { name: "XML elements", make: xml_elements, read: as_xml },
    Shape { name: "XML narrative", make: xml_narrative, read: as_xml },
    Shape { name: "XML character references", make: xml_references, read: as_xml },
    Shape { name: "XML attributes", make: |n| around("<Patient ", "a=\"b\" ", n, "/>"), read: as_xml },
    Shape {
        name: "XML namespaces",
        make: |n| numbered("<Patient ", n, |i| format!("xmlns:n{i}=\"u:{i}\" "), "/>"),
        read: as_xml,
    },
    Shape { name: "XML never closed", make: |n| "<a>".repeat(n / 3).into(), read: as_xml },
    Shape { name: "XML comments", make: |n| around("<a>", "<!---->", n, "</a>"), read: as_xml },
    Shape { name: "XML comments never closed", make: |n| around("<a>", "<!--", n, ""), read: as_xml },
    Shape { name: "XML sections", make: |n| around("<a>", "<![CDATA[a]]>", n, "</a>"), read: as_xml },
    Shape {
        name: "XML blanks",
        make: |n| around("<Patient xmlns=\"http://hl7.org/fhir\">", " \n", n, "</Patient>"),
        read: as_xml,
    },
    Shape { name: "parameters", make: |n| around("", "name=a&", n, ""), read: as_search },
    Shape { name: "values", make: |n| around("name=", "a,", n, "a"), read: as_search },
    Shape { name: "escapes of a search", make: |n| around("name=", "a\\,", n, ""), read: as_search },
    Shape { name: "a chain", make: |n| around("subject", ".link.other", n, "=a"), read: as_search },
    Shape { name: "a long parameter", make: |n| around("", "nam", n, "=a"), read: as_search },
    Shape {
        name: "a reversed chain",
        make: |n| around("", "_has:DocumentReference:subject:", n, "a=a"),
        read: as_search,
    },
    Shape { name: "includes", make: |n| around("", "_include=DocumentReference:subject&", n, ""), read: as_search },
    Shape { name: "order", make: |n| around("_sort=", "date,-type,", n, "date"), read: as_search },
    Shape { name: "elements", make: |n| numbered("_elements=", n, |i| format!("e{i},"), "date"), read: as_search },
    Shape {
        name: "operations",
        make: |n| around("[", "{\"op\":\"add\",\"path\":\"/a\",\"value\":1},", n, "[]]"),
        read: as_patch,
    },
    Shape {
        name: "a pointer",
        make: |n| around("[{\"op\":\"remove\",\"path\":\"", "/~0~1a", n, "\"}]"),
        read: as_patch,
    },
    Shape { name: "steps", make: |n| around("a", ".a", n, ""), read: as_path },
    Shape { name: "unions", make: |n| around("a", "|a", n, ""), read: as_path },
    Shape { name: "parentheses", make: |n| "(".repeat(n).into(), read: as_path },
    Shape { name: "a text of FHIRPath", make: |n| around("'", "a\\'", n, "'"), read: as_path },
    Shape { name: "primitive letters", make: |n| "é ’ﬁ".repeat(n / 10).into(), read: as_primitive },
    Shape { name: "primitive digits", make: |n| "1234567890".repeat(n / 10).into(), read: as_primitive },
    Shape { name: "primitive blanks", make: |n| "AAAA ".repeat(n / 5).into(), read: as_primitive },
];

fn around(before: &str, repeated: &str, size: usize, after: &str) -> Vec<u8> {
    format!("{before}{}{after}", repeated.repeat(size / repeated.len())).into()
}

fn numbered(before: &str, size: usize, part: impl Fn(usize) -> String, after: &str) -> Vec<u8> {
    let mut out = before.to_owned();
    for number in 0.. {
        if out.len() >= size {
            break;
        }
        out.push_str(&part(number));
    }
    out.push_str(after);
    out.into()
}

fn members(n: usize) -> Vec<u8> {
    numbered("{\"resourceType\":\"Patient\"", n, |i| format!(",\"name{i}\":{i}"), "}")
}

fn names(n: usize) -> Vec<u8> {
    let name = r#"{"family":"Morel","given":["Jeanne",null],"_given":[null,{"id":"b"}],"use":"official"},"#;
    around(r#"{"resourceType":"Patient","name":["#, name, n, r#"{"text":"x"}]}"#)
}

fn identifiers(n: usize) -> Vec<u8> {
    let part = |i| format!(r#"{{"system":"urn:oid:1.2.250.1.213.1.4.8","value":"2790351{i:06}89"}},"#);
    numbered(r#"{"resourceType":"Patient","identifier":["#, n, part, r#"{"value":"1"}]}"#)
}

fn extensions(n: usize) -> Vec<u8> {
    let part = |i| format!(r#"{{"url":"http://example.org/{i}","valueDecimal":1.50}},"#);
    numbered(r#"{"resourceType":"Patient","extension":["#, n, part, r#"{"url":"http://x","valueCode":"a"}]}"#)
}

fn contained(n: usize) -> Vec<u8> {
    let part = |i: usize| {
        let other = i.saturating_sub(1);
        format!(r##"{{"resourceType":"Organization","id":"o{i}","name":"x","partOf":{{"reference":"#o{other}"}}}},"##)
    };
    let after = r##"{"resourceType":"Practitioner","id":"p"}],"generalPractitioner":[{"reference":"#p"}]}"##;
    numbered(r#"{"resourceType":"Patient","contained":["#, n, part, after)
}

fn siblings(n: usize) -> Vec<u8> {
    let half = n / 2;
    let given = "\"a\",".repeat(half / 4);
    let ids = "{\"id\":\"b\"},".repeat(half / 11);
    format!(r#"{{"resourceType":"Patient","name":[{{"given":[{given}"a"],"_given":[{ids}null]}}]}}"#).into()
}

const DIV: &str = "<div xmlns='http://www.w3.org/1999/xhtml'>";

fn narrative(n: usize) -> Vec<u8> {
    let before = format!("{{\"resourceType\":\"Patient\",\"text\":{{\"status\":\"generated\",\"div\":\"{DIV}");
    around(&before, "<p id='a'>a &amp; <b>b</b></p>", n, "</div>\"}}")
}

fn base64(n: usize) -> Vec<u8> {
    around("{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"", "QUJD", n, "\"}")
}

fn entries(n: usize) -> Vec<u8> {
    let part = |i: usize| {
        let other = i.saturating_sub(1);
        format!(
            r#"{{"fullUrl":"urn:uuid:53fefa32-fcbb-4ff8-8a92-{i:012}","resource":{{"resourceType":"Organization","name":"x","partOf":{{"reference":"urn:uuid:53fefa32-fcbb-4ff8-8a92-{other:012}"}}}},"request":{{"method":"POST","url":"Organization"}}}},"#
        )
    };
    let after = r#"{"fullUrl":"urn:uuid:63fefa32-fcbb-4ff8-8a92-55ee120877b7","resource":{"resourceType":"Patient","active":true},"request":{"method":"POST","url":"Patient"}}]}"#;
    numbered(r#"{"resourceType":"Bundle","type":"transaction","entry":["#, n, part, after)
}

fn note_bundle(n: usize) -> Vec<u8> {
    let part = |i| {
        format!(
            r#"{{"fullUrl":"http://x.example/Practitioner/p{i}","resource":{{"resourceType":"Practitioner","id":"p{i}","identifier":[{{"system":"https://rpps.esante.gouv.fr","value":"99900000011"}}]}}}},{{"fullUrl":"http://x.example/DocumentReference/n{i}","resource":{{"resourceType":"DocumentReference","id":"n{i}","status":"current","author":[{{"reference":"Practitioner/p{i}"}}],"content":[{{"attachment":{{"contentType":"text/plain","data":"VnU="}}}}]}}}},"#
        )
    };
    let after = r#"{"fullUrl":"http://x.example/Patient/p","resource":{"resourceType":"Patient","id":"p"}}]}"#;
    numbered(r#"{"resourceType":"Bundle","type":"collection","entry":["#, n, part, after)
}

fn value_set(n: usize) -> Vec<u8> {
    let before = r#"{"resourceType":"ValueSet","url":"http://x.example/vs","status":"active","compose":{"include":[{"system":"http://x.example","concept":["#;
    numbered(before, n, |i| format!(r#"{{"code":"c{i}","display":"C {i}"}},"#), r#"{"code":"a"}]}]}}"#)
}

fn xml_elements(n: usize) -> Vec<u8> {
    let name = "<name><family value=\"Morel\"/><given value=\"a\"/></name>";
    around("<Patient xmlns=\"http://hl7.org/fhir\">", name, n, "</Patient>")
}

fn xml_narrative(n: usize) -> Vec<u8> {
    let before = format!("<Patient xmlns=\"http://hl7.org/fhir\"><text><status value=\"generated\"/>{DIV}");
    around(&before, "<p id='a'>a &amp; <b>b</b></p>", n, "</div></text></Patient>")
}

fn xml_references(n: usize) -> Vec<u8> {
    around("<Patient xmlns=\"http://hl7.org/fhir\"><name><family value=\"", "&#233;", n, "\"/></name></Patient>")
}

const LIMITS: json::Limits = json::Limits { bytes: usize::MAX, ..json::Limits::OWN };

fn as_json(bytes: &[u8]) {
    if let Ok(value) = json::read_value(bytes, &json::Limits { depth: 64, ..LIMITS }) {
        json::write_value_into(&value, &mut Vec::new());
    }
}

fn as_xml(bytes: &[u8]) {
    if let Ok(tree) = xml::read(bytes, r4(), &json::Limits { nodes: u32::MAX as usize, ..LIMITS }) {
        let _ = (xml::write(&tree, r4()), validate::validate(&tree, r4()));
    }
}

/// Everything that looks at a resource.
fn looked_at(bytes: &[u8]) {
    let Ok(tree) = json::read(bytes, &LIMITS) else { return };
    for release in [r4(), stu3()] {
        let _ = validate::validate(&tree, release);
        let _ = liaison_care::check::check(&tree, release);
        let _ = xml::write(&tree, release);
    }
    let _ = (convert::to_r4(&tree), convert::to_stu3(&tree));
    let zone = jiff::tz::TimeZone::UTC;
    let context = ExtractContext { zone: &zone, bases: &[] };
    let _ = (extract(&tree, &context), references(&tree, r4(), &context), liaison_care::unique::keys(&tree));
    let _ = cahier2017::read_resource(tree.clone());
    let (bundle, _) = cahier2017::read_bundle(tree.clone());
    let _ = note_bundle::into_transaction(bundle);
    expanded(&tree);
}

fn expanded(tree: &Object) {
    if tree.resource_type() == Some("ValueSet") {
        let circumstances =
            Circumstances { timestamp: "2026-03-04T08:30:00Z", identifier: "urn:uuid:1", language: Default::default() };
        let builtin = liaison_care::terminology::builtin::Builtin;
        let _ = Operation::Expand.run(Some(tree), &Inputs::default(), &builtin, &circumstances);
        let asked = Inputs::from_query(&[("code".into(), "zz".into()), ("system".into(), "http://x.example".into())]);
        let _ = Operation::ValidateInValueSet.run(Some(tree), &asked, &builtin, &circumstances);
    }
}

fn as_search(bytes: &[u8]) {
    let Ok(pairs) = query_string::read(bytes) else { return };
    let (of_2017, _) = cahier2017::read_query(pairs.clone());
    let zone = jiff::tz::TimeZone::UTC;
    let limits = SearchLimits { pairs: usize::MAX, value_bytes: usize::MAX, ..SearchLimits::default() };
    for limits in [limits, SearchLimits::default()] {
        let context = SearchContext { zone: &zone, now: 0, bases: &[], limits };
        for (release, pairs) in [(r4(), &pairs), (stu3(), &of_2017)] {
            let types = &["DocumentReference"];
            let _ = parse(&SearchRequest { release, types, pairs, handling: Handling::Lenient, context: &context });
        }
    }
}

fn as_patch(bytes: &[u8]) {
    let Ok(patch) = json::read_value(bytes, &LIMITS) else { return };
    let mut note = json::read(crate::samples::NOTE, &LIMITS).unwrap_or_default();
    let _ = patch::apply(&mut note, &patch);
}

fn as_path(bytes: &[u8]) {
    let _ = std::str::from_utf8(bytes).map(Path::parse);
}

fn as_primitive(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in [
        Primitive::String,
        Primitive::Code,
        Primitive::Uri,
        Primitive::Decimal,
        Primitive::Base64Binary,
        Primitive::DateTime,
    ] {
        let _ = primitive::check(kind, text);
    }
    let _ = (primitive::fold(text), primitive::decode_base64(text));
    crate::primitive(bytes);
}
