//! What a request asks for, as far as its method and its address say: for the figures and traces of
//! those who watch over the server. Few and fixed words, never a name or an id.

use axum::{
    extract::MatchedPath,
    http::{Method, StatusCode, Uri},
};
use liaison_app::operation::note_bundle::BundleKind;

/// The interactions of FHIR REST, by what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of FHIR's interaction codes")]
pub enum Interaction {
    Read,
    Vread,
    Create,
    Update,
    Patch,
    Delete,
    SearchType,
    SearchSystem,
    HistoryInstance,
    HistoryType,
    HistorySystem,
    Capabilities,
    Batch,
    Transaction,
    Operation,
    /// None that is known here.
    Unknown,
}

impl Interaction {
    /// All of them, in order.
    pub const ALL: [Self; 16] = [
        Self::Read,
        Self::Vread,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::SearchType,
        Self::SearchSystem,
        Self::HistoryInstance,
        Self::HistoryType,
        Self::HistorySystem,
        Self::Capabilities,
        Self::Batch,
        Self::Transaction,
        Self::Operation,
        Self::Unknown,
    ];

    /// FHIR's code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::SearchType => "search-type",
            Self::SearchSystem => "search-system",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::HistorySystem => "history-system",
            Self::Capabilities => "capabilities",
            Self::Batch => "batch",
            Self::Transaction => "transaction",
            Self::Operation => "operation",
            Self::Unknown => "unknown",
        }
    }

    /// What is asked for below a base, by method and route (`/{type}/{id}`).
    #[must_use]
    pub fn of(method: &Method, route: &str) -> Self {
        // Bytes, each looked at once: a search for each of the slashes costs more than all else that is counted.
        let mut segments = route.as_bytes().split(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
        let places = [segments.next(), segments.next(), segments.next(), segments.next()];
        let reads = *method == Method::GET || *method == Method::HEAD;
        match places {
            [None, ..] if reads => Self::SearchSystem,
            // Which of the two, the bundle says.
            [None, ..] if *method == Method::POST => Self::Batch,
            [Some(b"metadata"), None, ..] if reads => Self::Capabilities,
            [Some(b"_search"), None, ..] => Self::SearchSystem,
            [Some(b"_history"), None, ..] if reads => Self::HistorySystem,
            [Some(_), Some(b"_search"), None, _] => Self::SearchType,
            [Some(_), Some(b"_history"), None, _] if reads => Self::HistoryType,
            [Some(_), Some(_), Some(b"_history"), None] if reads => Self::HistoryInstance,
            [Some(_), Some(_), Some(b"_history"), Some(_)] if reads => Self::Vread,
            [Some(_), Some(last), None, _] | [Some(_), Some(_), Some(last), None] if last.starts_with(b"$") => {
                Self::Operation
            }
            [Some(kind), id, None, _] if !kind.contains(&b'*') => match (method.as_str(), id) {
                ("GET" | "HEAD", None) => Self::SearchType,
                ("GET" | "HEAD", Some(_)) => Self::Read,
                ("POST", None) => Self::Create,
                ("PUT", _) => Self::Update,
                ("PATCH", _) => Self::Patch,
                ("DELETE", _) => Self::Delete,
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

impl From<BundleKind> for Interaction {
    fn from(kind: BundleKind) -> Self {
        match kind {
            BundleKind::Batch => Self::Batch,
            BundleKind::Transaction => Self::Transaction,
        }
    }
}

/// What resources are about, as far as it matters for a server's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Notes.
    Note,
    /// Those cared for and those close to them.
    Person,
    /// Those who care.
    Professional,
    /// The bytes of attachments.
    Attachment,
    /// Definitions: profiles, nomenclatures.
    Definition,
    /// Anything else.
    Other,
    /// No type in particular.
    None,
}

impl Class {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Note, Self::Person, Self::Professional, Self::Attachment, Self::Definition, Self::Other, Self::None];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Person => "person",
            Self::Professional => "professional",
            Self::Attachment => "attachment",
            Self::Definition => "definition",
            Self::Other => "other",
            Self::None => "none",
        }
    }

    /// That of the type that an address below a base names first.
    #[must_use]
    pub fn of(below: &str) -> Self {
        let below = below.strip_prefix('/').unwrap_or(below);
        let end = below.bytes().position(|byte| byte == b'/').unwrap_or(below.len());
        let first = below.get(..end).unwrap_or_default();
        match first {
            "" | "metadata" | "_search" | "_history" => Self::None,
            "DocumentReference" => Self::Note,
            "Patient" | "RelatedPerson" | "Person" => Self::Person,
            "Practitioner" | "PractitionerRole" | "Organization" | "HealthcareService" | "Location" | "CareTeam" => {
                Self::Professional
            }
            "Binary" => Self::Attachment,
            "CapabilityStatement"
            | "CodeSystem"
            | "ConceptMap"
            | "NamingSystem"
            | "OperationDefinition"
            | "SearchParameter"
            | "StructureDefinition"
            | "ValueSet" => Self::Definition,
            _ => Self::Other,
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedFor {
    /// The interaction.
    pub interaction: Interaction,
    /// The class of the type.
    pub class: Class,
}

impl AskedFor {
    /// What is asked for below a base.
    #[must_use]
    pub fn of(method: &Method, route: Option<&MatchedPath>, uri: &Uri, base: &str) -> Self {
        let route = route.and_then(|route| route.as_str().strip_prefix(base));
        let interaction = route.map_or(Interaction::Unknown, |route| Interaction::of(method, route));
        let class = match interaction {
            Interaction::Unknown => Class::None,
            _ => Class::of(uri.path().strip_prefix(base).unwrap_or_default()),
        };
        Self { interaction, class }
    }
}

/// The statuses that are answered here.
const STATUSES: [&str; 26] = [
    "200",
    "201",
    "202",
    "204",
    "206",
    "304",
    "400",
    "401",
    "403",
    "404",
    "405",
    "406",
    "408",
    "409",
    "410",
    "412",
    "413",
    "415",
    "416",
    "422",
    "429",
    "500",
    "503",
    "507",
    "other",
    "abandoned",
];

/// How a request ended: one of few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending(usize);

impl Ending {
    /// How many there are.
    pub const COUNT: usize = STATUSES.len();

    /// The caller went away before there was an answer.
    pub const ABANDONED: Self = Self(STATUSES.len() - 1);

    /// With this status.
    #[must_use]
    pub fn with(status: StatusCode) -> Self {
        let known = STATUSES.iter().position(|known| *known == status.as_str());
        Self(known.unwrap_or(STATUSES.len() - 2))
    }

    /// Its place among them.
    #[must_use]
    pub const fn place(self) -> usize {
        self.0
    }

    /// Its name: the status.
    #[must_use]
    pub fn name(self) -> &'static str {
        STATUSES.get(self.0).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_its_interaction() {
        for (method, route, interaction) in [
            ("GET", "", "search-system"),
            ("POST", "/", "batch"),
            ("GET", "/metadata", "capabilities"),
            ("POST", "/_search", "search-system"),
            ("GET", "/_history", "history-system"),
            ("GET", "/{type}", "search-type"),
            ("POST", "/{type}", "create"),
            ("PUT", "/{type}", "update"),
            ("PATCH", "/{type}", "patch"),
            ("DELETE", "/{type}", "delete"),
            ("POST", "/{type}/_search", "search-type"),
            ("GET", "/Binary/_history", "history-type"),
            ("GET", "/{type}/{id}", "read"),
            ("HEAD", "/Binary/{id}", "read"),
            ("PUT", "/{type}/{id}", "update"),
            ("POST", "/{type}/{id}", "unknown"),
            ("GET", "/{type}/{id}/_history", "history-instance"),
            ("GET", "/{type}/{id}/_history/{version}", "vread"),
            ("POST", "/{type}/$validate", "operation"),
            ("GET", "/ValueSet/{id}/$expand", "operation"),
            ("GET", "/{*rest}", "unknown"),
            ("OPTIONS", "/{type}", "unknown"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(Interaction::of(&method, route).code(), interaction, "{method} {route}");
        }
    }

    #[test]
    fn lists_are_in_the_order_of_their_places() {
        for (at, interaction) in Interaction::ALL.into_iter().enumerate() {
            assert_eq!(interaction as usize, at, "{interaction:?}");
        }
        for (at, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, at, "{class:?}");
        }
    }

    #[test]
    fn an_ending_is_a_status_or_one_of_two_words() {
        assert_eq!(Ending::with(StatusCode::CREATED).name(), "201");
        assert_eq!(Ending::with(StatusCode::IM_A_TEAPOT).name(), "other");
        assert_eq!(Ending::ABANDONED.name(), "abandoned");
    }

    #[test]
    fn a_class_never_holds_what_a_caller_made_up() {
        assert_eq!(Class::of("/Patient/1/_history"), Class::Person);
        assert_eq!(Class::of("/jean-dupont"), Class::Other);
        assert_eq!(Class::of("/metadata"), Class::None);
    }
}
