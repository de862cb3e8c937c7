//! Texts where STU3 has numbers and truth values, and blanks where it has none.

use liaison_fhir::{outcome::Text, primitive, release::Primitive, text, tree::Value};

/// A text as the value of a primitive type, and why it was read so. None when it is read as it is.
pub(super) fn read(text: &str, primitive: Primitive) -> Option<(Value, Vec<Text>)> {
    match primitive {
        Primitive::Boolean => match text.trim() {
            "true" => Some((true.into(), vec![unquoted()])),
            "false" => Some((false.into(), vec![unquoted()])),
            _ => None,
        },
        Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt | Primitive::Decimal => {
            let digits = text.trim();
            primitive::check(primitive, digits).ok()?;
            Some((Value::Number(digits.into()), vec![unquoted()]))
        }
        Primitive::Uri | Primitive::Url | Primitive::Canonical | Primitive::Oid | Primitive::Uuid => address(text),
        // A no-break space is no blank to FHIR, and HL7 publishes a code that is nothing else.
        Primitive::Code => without_blanks(text, text.trim_matches(|c: char| c.is_ascii_whitespace())),
        Primitive::Id | Primitive::Instant | Primitive::Date | Primitive::DateTime | Primitive::Time => {
            without_blanks(text, text.trim())
        }
        // Blanks may mean something there.
        Primitive::String | Primitive::Markdown | Primitive::Xhtml | Primitive::Base64Binary => None,
    }
}

fn without_blanks(text: &str, trimmed: &str) -> Option<(Value, Vec<Text>)> {
    (trimmed.len() != text.len()).then(|| (trimmed.into(), vec![blanks_removed()]))
}

fn address(text: &str) -> Option<(Value, Vec<Text>)> {
    let mut explanations = Vec::new();
    let mut address: String = text.split_whitespace().collect();
    if address.len() != text.len() {
        explanations.push(blanks_removed());
    }
    if let Some(mended) = with_colon(&address) {
        address = mended;
        explanations.push(text!(
            en: "The colon between urn:oid and the OID was missing.",
            fr: "Les deux-points entre urn:oid et l'OID manquaient."
        ));
    }
    (!explanations.is_empty()).then(|| (address.into(), explanations))
}

/// `urn:oid1.2…` with the colon it lacks.
pub(super) fn with_colon(address: &str) -> Option<String> {
    let oid = address.strip_prefix("urn:oid").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(format!("urn:oid:{oid}"))
}

pub(super) fn blanks_removed() -> Text {
    text!(
        en: "Blanks and line breaks that do not belong here were left out.",
        fr: "Les blancs et sauts de ligne qui n'ont pas leur place ici ont été retirés."
    )
}

fn unquoted() -> Text {
    text!(
        en: "This value is written without quotation marks: the text was read as the value.",
        fr: "Cette valeur s'écrit sans guillemets : le texte a été lu comme la valeur."
    )
}
