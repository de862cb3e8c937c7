//! What corresponds between STU3 and R4 under another name, in another place or in another shape.
//! Elements of the same name need no row here: the tables say what differs in their types,
//! cardinalities and codes.
//!
//! Facts: the definitions of both releases (the R4 definition of a type lists what changed since
//! STU3), and for the notes `DocumentReference`, the mapping of the notebook's own specification.

use super::shapes::{
    audit_event, bundle, capability_statement, communication, consent, dates, device, dosage, healthcare_service, meta,
    money,
};
use super::shapes::{element_type, operation_definition, related, requester, structure_definition, timing};
use super::systems;
use crate::{release::ReleaseId, tree::Object};

/// What a relation's function may look at beside its own members.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// The zone in which dates without a time are completed.
    pub zone: &'a jiff::tz::TimeZone,
    /// `meta.lastUpdated` of the resource.
    pub last_updated: Option<&'a str>,
    /// The resource under way, as the source has it.
    pub resource: Option<&'a Object>,
    /// The node whose members are crossed, as the source has it.
    pub node: &'a Object,
    /// What the node stands in, in the source: the resource or the part of it, whatever data types are
    /// between. Empty for a resource.
    pub within: &'static str,
}

/// Members of one release made from those of the other. Only moves values, or builds new ones
/// around them: what is inside has been converted already.
pub(super) type Shape = fn(&Object, &Scene<'_>) -> Object;

/// Elements that are crossed by functions of their own.
#[derive(Debug)]
pub(super) struct Shaped {
    /// The structure, in STU3 and in R4.
    structure: (&'static str, &'static str),
    pub stu3: &'static [&'static str],
    pub r4: &'static [&'static str],
    pub to_r4: Shape,
    pub to_stu3: Shape,
}

macro_rules! shaped {
    ($($stu3_path:literal $(/ $r4_path:literal)? : [$($stu3:literal),*] <-> [$($r4:literal),*] by $to_r4:path, $to_stu3:path;)*) => {
        &[$(Shaped {
            structure: ($stu3_path, shaped!(@path $stu3_path $($r4_path)?)),
            stu3: &[$($stu3),*],
            r4: &[$($r4),*],
            to_r4: $to_r4,
            to_stu3: $to_stu3,
        }),*]
    };
    (@path $same:literal) => { $same };
    (@path $stu3:literal $r4:literal) => { $r4 };
}

static SHAPED: &[Shaped] = shaped! {
    "AuditEvent.agent": ["reference", "userId"] <-> ["who"] by audit_event::who, audit_event::reference_and_user_id;
    "AuditEvent.entity": ["reference", "identifier"] <-> ["what"] by audit_event::what, audit_event::reference_and_identifier;
    "Coding": ["system"] <-> ["system"] by systems::to_r4, systems::to_stu3;
    "Bundle": ["type"] <-> ["type"] by bundle::kind, bundle::kind_of_stu3;
    "CapabilityStatement": ["rest"] <-> ["rest"] by capability_statement::faces, capability_statement::faces_of_stu3;
    "CapabilityStatement.messaging": ["supportedMessage", "event"] <-> ["supportedMessage"]
        by capability_statement::messages, capability_statement::messages_of_stu3;
    "CapabilityStatement.rest": ["resource"] <-> ["resource"]
        by capability_statement::resources, capability_statement::resources_of_stu3;
    "Communication": ["status", "notDone", "notDoneReason"] <-> ["status", "statusReason"]
        by communication::status, communication::not_done;
    "CommunicationRequest": ["requester"] <-> ["requester"] by requester::reference, requester::agent;
    "Consent": ["period", "actor", "action", "securityLabel", "purpose", "dataPeriod", "data", "except"] <-> ["provision"]
        by consent::provision, consent::flat;
    "Consent": ["policyRule"] <-> ["policyRule"] by consent::policy_concept, consent::policy_address;
    "Device": ["version"] <-> ["version"] by device::versions, device::version;
    "DocumentReference": ["created", "indexed"] <-> ["date"] by dates::date, dates::created_and_indexed;
    "DocumentReference.context": ["related"] <-> ["related"] by related::references, related::pairs;
    "Dosage": ["dose", "rate"] <-> ["doseAndRate"] by dosage::dose_and_rate, dosage::flat;
    "ElementDefinition": ["type"] <-> ["type"] by element_type::merged, element_type::one_by_one;
    "HealthcareService": ["eligibility", "eligibilityNote"] <-> ["eligibility"]
        by healthcare_service::nested, healthcare_service::flat;
    "Meta": ["profile"] <-> ["profile"] by meta::claims, meta::claims_of_stu3;
    "Money": ["code", "system"] <-> ["currency"] by money::currency, money::system_and_code;
    "OperationDefinition": ["idempotent"] <-> ["affectsState"]
        by operation_definition::affects_state, operation_definition::idempotent;
    "StructureDefinition": ["kind"] <-> ["kind"] by structure_definition::kind, structure_definition::kind_of_stu3;
    "StructureDefinition": ["type"] <-> ["type"]
        by structure_definition::constrained_type, structure_definition::type_of_stu3;
    "StructureDefinition": ["contextType", "context"] <-> ["context"]
        by structure_definition::contexts, structure_definition::type_and_context;
    "Timing.repeat": ["count", "countMax"] <-> ["count", "countMax"] by timing::positive_counts, timing::counts;
    "Timing.repeat": ["when", "offset"] <-> ["when", "offset"] by timing::moments, timing::moments_of_stu3;
};

/// The relations of a structure that have functions of their own.
pub(super) fn shaped(stu3: &str, r4: &str) -> impl Iterator<Item = &'static Shaped> {
    SHAPED.iter().filter(move |s| s.structure == (stu3, r4))
}

/// Structure, name in STU3, name in R4: for elements that correspond item by item.
const RENAMED: &[(&str, &str, &str)] = &[
    ("Appointment", "incomingReferral", "basedOn"),
    ("Appointment", "indication", "reasonReference"),
    ("Appointment", "reason", "reasonCode"),
    ("AuditEvent.source", "identifier", "observer"),
    ("Binary", "content", "data"),
    ("CareTeam", "context", "encounter"),
    ("Communication", "context", "encounter"),
    ("Communication", "definition", "instantiatesCanonical"),
    ("Communication", "topic", "about"),
    ("CommunicationRequest", "context", "encounter"),
    ("CommunicationRequest", "topic", "about"),
    ("ConceptMap.group.element.target.dependsOn", "code", "value"),
    ("Consent", "consentingParty", "performer"),
    ("DataRequirement.codeFilter", "valueCoding", "code"),
    ("Device", "model", "modelNumber"),
    ("Device", "udi", "udiCarrier"),
    ("DocumentReference", "class", "category"),
    ("Encounter", "incomingReferral", "basedOn"),
    ("Encounter", "reason", "reasonCode"),
    ("Encounter.diagnosis", "role", "use"),
    ("HealthcareService", "programName", "program"),
    ("OperationDefinition.parameter", "profile", "targetProfile"),
    ("Provenance", "period", "occurred"),
    ("Signature", "blob", "data"),
    ("Signature", "contentType", "sigFormat"),
    ("TriggerDefinition", "eventData", "data"),
    ("TriggerDefinition", "eventName", "name"),
    ("TriggerDefinition", "eventTiming", "timing"),
];

/// The elements of a structure that have another name: (in STU3, in R4).
pub(super) fn renamed(stu3_path: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    RENAMED.iter().filter(move |(path, _, _)| *path == stu3_path).map(|(_, stu3, r4)| (*stu3, *r4))
}

/// Elements (STU3, R4) whose content corresponds although their places do not: where their
/// references may point, and which structure answers to which.
const COUNTERPARTS: &[(&str, &str)] = &[
    ("AuditEvent.agent.reference", "AuditEvent.agent.who"),
    ("AuditEvent.entity.reference", "AuditEvent.entity.what"),
    ("CapabilityStatement.messaging.supportedMessage", "CapabilityStatement.messaging.supportedMessage"),
    ("CapabilityStatement.rest", "CapabilityStatement.rest"),
    ("CapabilityStatement.rest.resource", "CapabilityStatement.rest.resource"),
    ("CommunicationRequest.requester.agent", "CommunicationRequest.requester"),
    ("Consent.actor", "Consent.provision.actor"),
    ("Consent.data", "Consent.provision.data"),
    ("Consent.except", "Consent.provision.provision"),
    ("DocumentReference.context.related.ref", "DocumentReference.context.related"),
];

/// The path of the counterpart of a member, where a row says so.
pub(super) fn counterpart(from: ReleaseId, structure: &str, member: &str) -> Option<&'static str> {
    let is_it = |path: &str| {
        path.strip_prefix(structure).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest == member)
    };
    COUNTERPARTS.iter().find_map(|(stu3, r4)| match from {
        ReleaseId::Stu3 => is_it(stu3).then_some(*r4),
        ReleaseId::R4 => is_it(r4).then_some(*stu3),
    })
}
