//! Addresses that changed between the releases: of code systems and of extensions.

use compact_str::{CompactString, format_compact};

use super::rules::Scene;
use crate::{
    release::ReleaseId,
    tree::{Object, Value},
};

const STU3_BASE: &str = "http://hl7.org/fhir/";
const R4_BASE: &str = "http://terminology.hl7.org/CodeSystem/";

/// Code systems that moved from `http://hl7.org/fhir/…` to `http://terminology.hl7.org/CodeSystem/…`
/// under the same name, beside the v2 and v3 tables.
const MOVED: &[&str] = &[
    // Examples of STU3 write `object-type`, which no code system is called.
    "audit-entity-type",
    "audit-event-type",
    "benefit-network",
    "common-tags",
    "communication-category",
    "communication-not-done-reason",
    "consentcategorycodes",
    "contactentity-type",
    "data-absent-reason",
    "diagnosis-role",
    "encounter-type",
    "endpoint-connection-type",
    "endpoint-payload-type",
    "flag-category",
    "location-physical-type",
    "message-reasons-encounter",
    "object-role",
    "observation-category",
    "organization-type",
    "practitioner-role",
    "referencerange-meaning",
    "restful-security-service",
    "security-source-type",
    "service-category",
    "service-type",
    "special-values",
    "subscription-tag",
    "usage-context-type",
];

/// Nomenclatures that the notes of 2017 name by their OID and today's by their URL: (STU3, R4).
const NATIONAL: &[(&str, &str)] = &[
    ("urn:oid:1.2.250.1.213.1.1.4.334", "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"),
    (
        "urn:oid:1.2.250.1.213.1.1.4.13",
        "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
    ),
    (
        "urn:oid:1.2.250.1.71.1.2.7",
        "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante",
    ),
];

/// An extension with one address in STU3 and another in R4, and the same value.
#[derive(Debug)]
pub(super) struct RenamedExtension {
    stu3: &'static str,
    r4: &'static str,
    /// The member that its value is.
    pub value: &'static str,
}

impl RenamedExtension {
    pub(super) const fn address(&self, release: ReleaseId) -> &'static str {
        match release {
            ReleaseId::Stu3 => self.stu3,
            ReleaseId::R4 => self.r4,
        }
    }
}

macro_rules! renamed_extensions {
    ($($value:literal: $stu3:literal <-> $r4:literal;)*) => {
        &[$(RenamedExtension { stu3: $stu3, r4: $r4, value: $value }),*]
    };
}

/// That of the notebook, which has an edition for STU3 and one for R4, and those of HL7.
static EXTENSIONS: &[RenamedExtension] = renamed_extensions! {
    "valueBoolean": "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent"
        <-> "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency";
    "valueAddress": "http://hl7.org/fhir/StructureDefinition/birthPlace"
        <-> "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
    "valueString": "http://hl7.org/fhir/StructureDefinition/codesystem-comments"
        <-> "http://hl7.org/fhir/StructureDefinition/codesystem-concept-comments";
    "valueString": "http://hl7.org/fhir/StructureDefinition/cqif-calculatedValue"
        <-> "http://hl7.org/fhir/StructureDefinition/cqf-calculatedValue";
    "valueString": "http://hl7.org/fhir/StructureDefinition/cqif-citation"
        <-> "http://hl7.org/fhir/StructureDefinition/cqf-citation";
    "valueString": "http://hl7.org/fhir/StructureDefinition/cqif-initialValue"
        <-> "http://hl7.org/fhir/StructureDefinition/cqf-initialValue";
    "valueCodeableConcept": "http://hl7.org/fhir/StructureDefinition/cqif-qualityOfEvidence"
        <-> "http://hl7.org/fhir/StructureDefinition/cqf-qualityOfEvidence";
    "valueCodeableConcept": "http://hl7.org/fhir/StructureDefinition/cqif-strengthOfRecommendation"
        <-> "http://hl7.org/fhir/StructureDefinition/cqf-strengthOfRecommendation";
    "valueString": "http://hl7.org/fhir/StructureDefinition/structuredefinition-regex"
        <-> "http://hl7.org/fhir/StructureDefinition/regex";
    "valueString": "http://hl7.org/fhir/StructureDefinition/valueset-comments"
        <-> "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments";
    "valueString": "http://hl7.org/fhir/StructureDefinition/valueset-definition"
        <-> "http://hl7.org/fhir/StructureDefinition/valueset-concept-definition";
};

/// The extension of that address, when it has another one in the other release.
pub(super) fn renamed_extension(url: &str) -> Option<&'static RenamedExtension> {
    EXTENSIONS.iter().find(|extension| extension.stu3 == url || extension.r4 == url)
}

/// `Coding.system` as R4 says it.
pub(super) fn to_r4(part: &Object, _: &Scene<'_>) -> Object {
    with_system(part, r4_system)
}

/// `Coding.system` as STU3 says it.
pub(super) fn to_stu3(part: &Object, _: &Scene<'_>) -> Object {
    with_system(part, stu3_system)
}

fn with_system(part: &Object, change: fn(&str) -> Option<CompactString>) -> Object {
    let mut part = part.clone();
    if let Some(changed) = part.str("system").and_then(change) {
        part.set("system", Value::String(changed));
    }
    part
}

fn r4_system(system: &str) -> Option<CompactString> {
    if let Some((_, r4)) = NATIONAL.iter().find(|(stu3, _)| *stu3 == system) {
        return Some((*r4).into());
    }
    let name = system.strip_prefix(STU3_BASE)?;
    if let Some(table) = name.strip_prefix("v3/").filter(|t| is_table_name(t)) {
        return Some(format_compact!("{R4_BASE}v3-{table}"));
    }
    if let Some(table) = name.strip_prefix("v2/").filter(|t| is_table_name(t)) {
        return Some(format_compact!("{R4_BASE}v2-{table}"));
    }
    MOVED.contains(&name).then(|| format_compact!("{R4_BASE}{name}"))
}

fn stu3_system(system: &str) -> Option<CompactString> {
    if let Some((stu3, _)) = NATIONAL.iter().find(|(_, r4)| *r4 == system) {
        return Some((*stu3).into());
    }
    let name = system.strip_prefix(R4_BASE)?;
    if let Some(table) = name.strip_prefix("v3-").filter(|t| is_table_name(t)) {
        return Some(format_compact!("{STU3_BASE}v3/{table}"));
    }
    if let Some(table) = name.strip_prefix("v2-").filter(|t| is_table_name(t)) {
        return Some(format_compact!("{STU3_BASE}v2/{table}"));
    }
    MOVED.contains(&name).then(|| format_compact!("{STU3_BASE}{name}"))
}

/// The name of a v2 or v3 table: no path, no version.
fn is_table_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
