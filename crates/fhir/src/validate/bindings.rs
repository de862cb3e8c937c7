//! Codes of required bindings.
//!
//! In both releases required bindings stand on elements of type `code` alone (a test on the tables
//! holds this true), so that the code itself is all there is to look up.

use super::Walk;
use crate::{outcome::IssueKind, place::Place, release::CodeList, spelling, text};

/// Up to this many allowed codes are all told.
const FEW: usize = 12;

impl Walk<'_> {
    pub(super) fn check_code(&mut self, code: &str, value_set: &'static str, place: Place<'_>) {
        match self.release.code_list(value_set) {
            Some(list) if list.get(code).is_none() => self.code_not_in(code, list, value_set, place),
            Some(_) => {}
            None => self.check_unlisted(code, value_set, place),
        }
    }

    fn code_not_in(&mut self, code: &str, list: &CodeList, value_set: &str, place: Place<'_>) {
        let mut codes = list.codes().collect::<Vec<_>>();
        codes.sort_unstable();
        let text = if codes.len() <= FEW {
            let codes = codes.join(", ");
            text!(
                en: "The code \"{code}\" is not in {value_set}; allowed: {codes}.",
                fr: "Le code « {code} » n'est pas dans {value_set} ; possibles : {codes}.",
            )
        } else if let Some(close) = spelling::closest(code, codes) {
            text!(
                en: "The code \"{code}\" is not in {value_set}. Did you mean \"{close}\"?",
                fr: "Le code « {code} » n'est pas dans {value_set}. Vouliez-vous dire « {close} » ?",
            )
        } else {
            text!(
                en: "The code \"{code}\" is not in {value_set}.",
                fr: "Le code « {code} » n'est pas dans {value_set}.",
            )
        };
        self.error(IssueKind::CodeInvalid, place, text);
    }

    /// The value sets without end: media types (BCP 13) and currencies (ISO 4217) go by their form.
    fn check_unlisted(&mut self, code: &str, value_set: &str, place: Place<'_>) {
        let (right, text) = match value_set {
            "http://hl7.org/fhir/ValueSet/mimetypes" | "http://www.rfc-editor.org/bcp/bcp13.txt" => (
                is_media_type(code),
                text!(
                    en: "\"{code}\" is not a media type such as \"text/plain\".",
                    fr: "« {code} » n'est pas un type de média tel que « text/plain ».",
                ),
            ),
            "http://hl7.org/fhir/ValueSet/currencies" => (
                code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()),
                text!(
                    en: "\"{code}\" is not a currency such as \"EUR\".",
                    fr: "« {code} » n'est pas une devise telle que « EUR ».",
                ),
            ),
            _ => return,
        };
        if !right {
            self.error(IssueKind::CodeInvalid, place, text);
        }
    }
}

/// `type/subtype`, parameters ignored; or one of the short names that FHIR itself uses for formats.
pub(crate) fn is_media_type(code: &str) -> bool {
    let essence = code.split(';').next().unwrap_or_default().trim_end();
    match essence.split_once('/') {
        Some((kind, subtype)) => is_token(kind) && is_token(subtype),
        None => matches!(essence, "xml" | "json" | "ttl"),
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
}
