//! `$expand`, `$validate-code`, `$lookup`, `$translate`:
//! <https://hl7.org/fhir/R4/terminology-service.html>.

use std::sync::Arc;

use liaison_care::terminology::builtin::Builtin;
use liaison_fhir::{
    outcome::{IssueKind, Language},
    release,
    search::{
        index::Param,
        query::{Clause, Direction, Query, Sort, SortKey, Test, UriTest},
    },
    terminology::{
        self, Circumstances,
        definitions::{Both, Definitions},
        inputs::Inputs,
    },
    tree::Object,
};
use liaison_store::{
    contract::{Name, PageRequest, TotalMode},
    reader::Reader,
};

use crate::{
    audit::AuditRecord,
    clock,
    error::{AppError, Refusal},
    name,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::Stored,
};

/// Asks something of code systems, value sets or concept maps: those that this server brings, and
/// those that were stored here.
#[derive(Clone, Debug)]
pub struct Terminology {
    /// What is asked.
    pub operation: terminology::Operation,
    /// The resource it is asked of; of the type when there is none.
    pub instance: Option<Name>,
    /// With which inputs.
    pub inputs: Inputs,
    /// The language of messages.
    pub language: Language,
}

impl Operation for Terminology {
    type Answer = Object;

    fn action(&self) -> Action {
        Action::on(Interaction::Operation, self.operation.resource_type())
    }

    fn audit(&self) -> AuditRecord {
        let entity = format!("{}/${}", self.operation.resource_type(), self.operation.name());
        AuditRecord { interaction: Interaction::Operation, entity }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Object, AppError> {
        let Self { operation, instance, inputs, language } = self;
        let timestamp = clock::text(clock::now(), &stage.app.settings().zone);
        let identifier = name::fresh_address();
        let deadline = stage.app.settings().limits.query_time;
        stage
            .app
            .store()
            .read(move |reader| {
                let stored = instance.map(|name| current(&name, reader)).transpose()?;
                let definitions = Both(Builtin, Kept { reader, deadline });
                let circumstances = Circumstances { timestamp: &timestamp, identifier: &identifier, language };
                operation.run(stored.as_ref(), &inputs, &definitions, &circumstances).map_err(refused)
            })
            .await
    }
}

fn refused(issues: Vec<liaison_fhir::outcome::Issue>) -> AppError {
    let is = |kind| issues.iter().any(|issue| issue.kind == kind);
    let refusal = if is(IssueKind::NotFound) {
        Refusal::Unknown
    } else if is(IssueKind::TooCostly) || is(IssueKind::NotSupported) && !is(IssueKind::Value) {
        Refusal::AgainstARule
    } else {
        Refusal::NotUnderstood
    };
    AppError { refusal, issues, cause: None }
}

fn current(name: &Name, reader: &Reader<'_>) -> Result<Object, AppError> {
    let version = reader.current(name)?.ok_or_else(|| AppError::unknown(name))?;
    if version.change == liaison_store::contract::Change::Delete {
        return Err(AppError::gone(name, version.version));
    }
    Stored::light(version).tree_in(release::view())
}

/// The definitions that were stored here.
struct Kept<'r, 'c> {
    reader: &'r Reader<'c>,
    deadline: std::time::Duration,
}

impl Kept<'_, '_> {
    fn find(&self, base: &'static str, filter: Clause) -> Vec<Arc<Object>> {
        let query = Query {
            types: vec![base],
            filter,
            sort: vec![Sort { by: SortKey::LastUpdated, direction: Direction::Descending }],
            includes: Vec::new(),
        };
        let page =
            PageRequest { count: 50, cursor: None, total: TotalMode::None, include_limit: 0, deadline: self.deadline };
        let matches = match self.reader.search(&query, &page) {
            Ok(page) => page.matches,
            Err(error) => {
                tracing::error!(cause = %error, "definitions could not be looked up");
                return Vec::new();
            }
        };
        matches.into_iter().filter_map(|v| Stored::light(v).tree_in(release::view()).ok()).map(Arc::new).collect()
    }

    fn by_url(&self, base: &'static str, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        let filter = Clause::Has(Param { base, code: "url" }, Test::Uri(UriTest::Is(url.into())));
        self.find(base, filter).into_iter().find(|found| version.is_none() || found.str("version") == version)
    }
}

impl Definitions for Kept<'_, '_> {
    fn code_system(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.by_url("CodeSystem", url, version)
    }

    fn value_set(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.by_url("ValueSet", url, version)
    }

    fn concept_map(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.by_url("ConceptMap", url, version)
    }

    fn concept_maps_from(&self, system: &str) -> Vec<Arc<Object>> {
        let param = Param { base: "ConceptMap", code: "source-system" };
        self.find("ConceptMap", Clause::Has(param, Test::Uri(UriTest::Is(system.into()))))
    }
}
