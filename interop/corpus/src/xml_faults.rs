//! Faults that only XML can have.

use liaison_fhir::release::Release;

use crate::{Case, Format};

const PATIENT: &str = "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"a\"/><text><status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\">a</div></text><active value=\"true\"/><name><family value=\"A\"/><given value=\"B\"/></name><gender value=\"female\"/></Patient>";

/// What is done: the text that is replaced, and by what.
const FAULTS: &[(&str, &str, &str)] = &[
    ("xml-nothing", "", ""),
    ("xml-not-closed", "</name>", ""),
    ("xml-other-namespace", "http://hl7.org/fhir", "http://example.org/fhir"),
    ("xml-no-namespace", " xmlns=\"http://hl7.org/fhir\"", ""),
    ("xml-unknown-attribute", "<active value", "<active colour=\"red\" value"),
    ("xml-unknown-element", "<active value", "<colour value=\"red\"/><active value"),
    ("xml-no-value", "<active value=\"true\"/>", "<active/>"),
    ("xml-empty-value", "<gender value=\"female\"/>", "<gender value=\"\"/>"),
    ("xml-value-as-text", "<active value=\"true\"/>", "<active>true</active>"),
    ("xml-text-between", "<active value=\"true\"/>", "bonjour<active value=\"true\"/>"),
    (
        "xml-wrong-order",
        "<active value=\"true\"/><name>",
        "<name><text value=\"x\"/></name><active value=\"true\"/><name>",
    ),
    ("xml-twice", "<active value=\"true\"/>", "<active value=\"true\"/><active value=\"false\"/>"),
    ("xml-bad-boolean", "<active value=\"true\"/>", "<active value=\"yes\"/>"),
    ("xml-bad-code", "<gender value=\"female\"/>", "<gender value=\"femme\"/>"),
    ("xml-div-without-namespace", "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>", "<div>a</div>"),
    ("xml-div-with-script", ">a</div>", "><script>a</script></div>"),
    ("xml-attribute-for-element", "<id value=\"a\"/>", ""),
    ("xml-comment", "<active value", "<!-- note --><active value"),
    ("xml-processing-instruction", "<active value", "<?note a?><active value"),
    ("xml-entity", "value=\"A\"", "value=\"&eacute;\""),
    ("xml-doctype", "<Patient xmlns", "<!DOCTYPE Patient [<!ENTITY a \"b\">]><Patient xmlns"),
    ("xml-cdata", "value=\"B\"/>", "value=\"B\"><![CDATA[x]]></given>"),
    ("xml-unknown-root", "Patient", "Unicorn"),
    ("xml-two-roots", "</Patient>", "</Patient><Patient xmlns=\"http://hl7.org/fhir\"/>"),
];

pub fn cases(release: &'static Release) -> Result<Vec<Case>, String> {
    FAULTS
        .iter()
        .map(|(name, from, to)| {
            if !PATIENT.contains(from) {
                return Err(format!("{name}: there is no {from}"));
            }
            let text = if from.is_empty() { PATIENT.to_owned() } else { PATIENT.replace(from, to) };
            Ok(Case { name: (*name).to_owned(), release, format: Format::Xml, bytes: text.into_bytes() })
        })
        .collect()
}
