//! Codes of required value sets that one release has and the other says otherwise.

use crate::release::{CodeList, ReleaseId};

/// Value set (its last step), code in STU3, code in R4. Where several codes of one release answer
/// to one of the other, the first row is the way back.
const CODES: &[(&str, &str, &str)] = &[
    ("FHIR-version", "3.0.1", "3.0.1"),
    ("all-types", "BodySite", "BodyStructure"),
    ("all-types", "EligibilityRequest", "CoverageEligibilityRequest"),
    ("all-types", "EligibilityResponse", "CoverageEligibilityResponse"),
    ("all-types", "ReferralRequest", "ServiceRequest"),
    ("all-types", "ProcedureRequest", "ServiceRequest"),
    ("all-types", "Sequence", "MolecularSequence"),
    ("all-types", "uri", "canonical"),
    ("all-types", "uri", "url"),
    ("appointmentstatus", "arrived", "checked-in"),
    // Not "pending": an appointment that waits may have no time yet, as one that is proposed.
    ("appointmentstatus", "proposed", "waitlist"),
    ("codesystem-content-mode", "fragment", "supplement"),
    ("concept-property-type", "string", "decimal"),
    ("event-status", "suspended", "on-hold"),
    ("event-status", "aborted", "stopped"),
    ("event-status", "aborted", "not-done"),
    ("event-timing", "MORN", "MORN.early"),
    ("event-timing", "MORN", "MORN.late"),
    ("event-timing", "AFT", "AFT.early"),
    ("event-timing", "AFT", "AFT.late"),
    ("event-timing", "EVE", "EVE.early"),
    ("event-timing", "EVE", "EVE.late"),
    ("issue-type", "not-found", "deleted"),
    ("issue-type", "processing", "multiple-matches"),
    ("request-status", "suspended", "on-hold"),
    ("request-status", "cancelled", "revoked"),
    ("resource-types", "BodySite", "BodyStructure"),
    ("resource-types", "EligibilityRequest", "CoverageEligibilityRequest"),
    ("resource-types", "EligibilityResponse", "CoverageEligibilityResponse"),
    ("resource-types", "ReferralRequest", "ServiceRequest"),
    ("resource-types", "ProcedureRequest", "ServiceRequest"),
    ("resource-types", "Sequence", "MolecularSequence"),
    ("search-param-type", "string", "special"),
    ("trigger-type", "data-modified", "data-changed"),
];

/// What stands for any other code of a list, where the list has such a thing: a resource type that
/// the other release lacks is still a resource; a version 3.0.2 is of the 3.0 line.
const OTHERWISE: &[(&str, &str)] =
    &[("FHIR-version", "3.0.1"), ("all-types", "Resource"), ("resource-types", "Resource")];

/// A code that is not in the target's list, said with one that is. None when nothing comes near.
pub(super) fn nearest(code: &str, value_set: &str, list: &CodeList, to: ReleaseId) -> Option<&'static str> {
    let name = value_set.rsplit('/').next().unwrap_or(value_set);
    CODES
        .iter()
        .filter(|(set, _, _)| *set == name)
        .find_map(|(_, stu3, r4)| match to {
            ReleaseId::R4 => (*stu3 == code).then_some(*r4),
            ReleaseId::Stu3 => (*r4 == code).then_some(*stu3),
        })
        .or_else(|| OTHERWISE.iter().find(|(set, _)| *set == name).map(|(_, code)| *code))
        .filter(|code| list.get(code).is_some())
}
