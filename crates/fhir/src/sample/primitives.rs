//! Values of primitive types.

use super::Drawing;
use crate::{
    release::{BindingStrength, Element, Primitive},
    tree::Value,
};

const WORDS: &[&str] = &[
    "Maman",
    "est",
    "fatiguée",
    "ce",
    "matin",
    "repas",
    "léger",
    "pansement",
    "refait",
    "dormi",
    "à",
    "l'aise",
    "œdème",
    "glycémie",
    "passage",
    "demain",
    "rendez-vous",
    "été",
    "\"ça va\"",
    "naïve",
    "O'Hara",
    "Ærø",
];

const SYSTEMS: &[&str] = &[
    "http://hl7.org/fhir/v3/Confidentiality",
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v2/0203",
    "http://terminology.hl7.org/CodeSystem/v2-0203",
    "http://loinc.org",
    "urn:oid:1.2.250.1.213.1.1.4.334",
    "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote",
    "http://hl7.org/fhir/organization-type",
    "http://example.org/codes",
];

impl Drawing {
    pub(super) fn primitive(&mut self, element: &Element, primitive: Primitive) -> Value {
        match primitive {
            Primitive::Boolean => Value::Bool(self.chance(50)),
            Primitive::Integer => self.number(-20),
            Primitive::UnsignedInt => self.number(0),
            Primitive::PositiveInt => self.number(1),
            Primitive::Decimal => {
                let whole = self.below(200);
                let digits = self.pick(&["", ".5", ".50", ".010", ".000"]).unwrap_or_default();
                let sign = if whole > 0 && self.chance(20) { "-" } else { "" };
                Value::Number(format!("{sign}{whole}{digits}").into())
            }
            Primitive::String | Primitive::Markdown => self.phrase().into(),
            Primitive::Code => self.code(element).into(),
            Primitive::Id => self.id().into(),
            Primitive::Uri | Primitive::Url | Primitive::Canonical => self.address(element).into(),
            Primitive::Oid => format!("urn:oid:1.2.250.1.{}", 1 + self.below(900)).into(),
            Primitive::Uuid => format!("urn:uuid:{}", self.uuid()).into(),
            Primitive::Base64Binary => self.pick(&["dGVzdA==", "AAEC", "w6k="]).unwrap_or("AAEC").into(),
            Primitive::Instant => self.instant().into(),
            Primitive::Date => self.date().into(),
            Primitive::DateTime => {
                let date = if self.chance(50) { self.date() } else { self.instant() };
                date.into()
            }
            Primitive::Time => format!("{:02}:{:02}:00", self.below(24), self.below(60)).into(),
            Primitive::Xhtml => {
                format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>n° {}</p></div>", self.below(1000)).into()
            }
        }
    }

    pub(super) fn id(&mut self) -> String {
        format!("{}{}", self.pick(&["p", "note-", "A.", "x"]).unwrap_or_default(), self.below(1000))
    }

    pub(super) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }

    pub(super) fn phrase(&mut self) -> String {
        let count = 1 + self.below(3);
        let words: Vec<&str> = (0..count).filter_map(|_| self.pick(WORDS)).collect();
        words.join(" ")
    }

    fn number(&mut self, least: i64) -> Value {
        let drawn = i64::try_from(self.below(60)).unwrap_or_default();
        Value::Number(format!("{}", drawn + least).into())
    }

    fn code(&mut self, element: &Element) -> String {
        let bound = element.binding.filter(|b| b.strength == BindingStrength::Required).map(|b| b.value_set);
        if let Some(list) = bound.and_then(|url| self.release.code_list(url)) {
            let mut codes: Vec<&str> = list.codes().collect();
            codes.sort_unstable();
            if let Some(code) = self.pick(&codes) {
                return code.to_owned();
            }
        }
        let codes: &[&str] = match bound.unwrap_or_default().rsplit('/').next().unwrap_or_default() {
            "mimetypes" | "bcp13.txt" => &["text/plain", "image/jpeg", "application/pdf"],
            "currencies" => &["EUR", "CHF"],
            _ if element.name == "language" => &["fr", "en", "fr-FR"],
            _ => &["OBS", "GEN", "a-b", "60"],
        };
        self.pick(codes).unwrap_or("GEN").to_owned()
    }

    fn address(&mut self, element: &Element) -> String {
        match element.name {
            "system" => self.pick(SYSTEMS).unwrap_or_default().to_owned(),
            "policyRule" => format!("http://example.org/policy/{}", self.below(10)),
            _ => match self.below(3) {
                0 => format!("urn:oid:1.2.250.1.{}", self.below(900)),
                1 => format!("http://example.org/fhir/StructureDefinition/{}", self.id()),
                _ => format!("http://example.org/{}", self.below(1000)),
            },
        }
    }

    fn date(&mut self) -> String {
        let year = 1950 + self.below(100);
        match self.below(4) {
            0 => format!("{year}"),
            1 => format!("{year}-{:02}", 1 + self.below(12)),
            _ => format!("{year}-{:02}-{:02}", 1 + self.below(12), 1 + self.below(28)),
        }
    }

    fn instant(&mut self) -> String {
        let day = format!("20{:02}-{:02}-{:02}", 10 + self.below(20), 1 + self.below(12), 1 + self.below(28));
        let fraction = self.pick(&["", "", ".5", ".123"]).unwrap_or_default();
        let zone = self.pick(&["Z", "+02:00", "+01:00", "-03:30"]).unwrap_or("Z");
        format!("{day}T{:02}:{:02}:{:02}{fraction}{zone}", self.below(24), self.below(60), self.below(60))
    }
}
