//! `search`: <https://hl7.org/fhir/R4/search.html>.

use std::{sync::LazyLock, time::Instant};

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    search::{
        parse::{self, Handling, PageControls, SearchRequest, SummaryMode, Total},
        query::Query,
    },
    text,
};
use liaison_store::{
    contract::{Cursor, Cut, INCLUDE_DEPTH, Page, PageRequest, TotalMode},
    reader::Reader,
};
use metrics::{Histogram, histogram};
use tracing::Instrument as _;

use crate::{
    audit::AuditRecord,
    criteria,
    error::AppError,
    face::Face,
    operation::{Operation, Stage, audit_trail},
    policy::{Action, Interaction},
    stored::Stored,
    there::View,
    wire_2017,
};

/// Searches one type, or all.
#[derive(Clone, Debug)]
pub struct Search<W> {
    /// Through which base.
    pub face: Face,
    /// The type; all when there is none.
    pub resource_type: Option<&'static str>,
    /// The parameters, in their order.
    pub pairs: Vec<(String, String)>,
    /// What becomes of those that are not understood.
    pub handling: Handling,
    /// What is made of the page, on the thread that read it; again when it is read anew.
    pub write: W,
}

/// A page of a search.
#[derive(Clone, Debug)]
pub struct Found {
    /// The matches, in order, heavy attachments left out.
    pub matches: Vec<Stored>,
    /// What was asked for beside them.
    pub includes: Vec<Stored>,
    /// How many matches there are in all, when counted.
    pub total: Option<u64>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The parameters that were used: those of the link to this page.
    pub used: Vec<(String, String)>,
    /// How resources are to be shown.
    pub page: PageControls,
    /// Warnings.
    pub issues: Vec<Issue>,
}

/// How long searches take, once it is their turn.
static SECONDS: LazyLock<Histogram> = LazyLock::new(|| histogram!("liaison_search_seconds"));

/// Matches of a page when `_count` does not say.
const DEFAULT_COUNT: u32 = 20;

impl<W, T> Operation for Search<W>
where
    W: Fn(Found) -> Result<T, AppError> + Clone + Send + 'static,
    T: Send + 'static,
{
    type Answer = T;

    fn action(&self) -> Action {
        Action { interaction: Interaction::Search, resource_type: self.resource_type.map(str::to_owned) }
    }

    fn audit(&self) -> AuditRecord {
        // Never the criteria: they may be a person's name or identifier.
        AuditRecord { interaction: Interaction::Search, entity: self.resource_type.unwrap_or_default().to_owned() }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<T, AppError> {
        let question = Question::read(&self.face, self.resource_type, self.pairs, self.handling, &stage)?;
        let write = self.write;
        let store = stage.app.store().clone();
        let found = store.read_briefly(move |reader| write(question.find(&stage, reader)?));
        found.instrument(tracing::info_span!(target: "traced", "store.search")).await
    }
}

/// A search that was read.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    query: Query,
    request: PageRequest,
    page: PageControls,
    used: Vec<(String, String)>,
    issues: Vec<Issue>,
}

impl Question {
    /// Reads the parameters of a search.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn read(
        face: &Face,
        resource_type: Option<&'static str>,
        pairs: Vec<(String, String)>,
        handling: Handling,
        stage: &Stage,
    ) -> Result<Self, AppError> {
        let (pairs, mut issues) = wire_2017::query(pairs, face);
        let context = criteria::context(face, stage);
        let types: Vec<&str> = resource_type.into_iter().collect();
        let request =
            SearchRequest { release: face.release, types: &types, pairs: &pairs, handling, context: &context };
        let parsed = parse::parse(&request).map_err(AppError::unreadable)?;
        let (mut query, page) = (parsed.query, parsed.page);
        // The trail looks itself at what is there for whom.
        if !matches!(*types, [one] if audit_trail::answers_for(one, &stage.app)) {
            query = stage.there.within(query);
        }
        let limits = &stage.app.settings().limits;
        let request = PageRequest {
            count: match page.summary {
                SummaryMode::Count => 0,
                _ => page.count.unwrap_or(DEFAULT_COUNT).min(limits.page),
            },
            cursor: page.cursor.clone().map(Cursor),
            total: match page.total {
                Total::None => TotalMode::None,
                Total::Bounded => TotalMode::Bounded,
                Total::Accurate => TotalMode::Accurate,
            },
            include_limit: limits.includes,
            deadline: limits.query_time,
        };
        issues.extend(parsed.issues);
        Ok(Self { query, request, page, used: parsed.used, issues })
    }

    /// Asks it of the store, or of the audit trail.
    fn find(&self, stage: &Stage, reader: &Reader<'_>) -> Result<Found, AppError> {
        match *self.query.types {
            [one] if audit_trail::answers_for(one, &stage.app) => {
                let found = audit_trail::search(&self.query, &self.request, stage, reader)?;
                let page = Page {
                    matches: Vec::new(),
                    includes: Vec::new(),
                    total: None,
                    next: None,
                    includes_cut: Cut::Whole,
                };
                Ok(Found { matches: found.events, next: found.next, ..self.answered(page) })
            }
            _ => {
                let found = self.ask(View::of(reader, &stage.there))?;
                stage.shows(found.matches.iter().chain(&found.includes), reader)?;
                Ok(found)
            }
        }
    }

    /// Asks it of a view of the store.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn ask(&self, view: View<'_, '_>) -> Result<Found, AppError> {
        let begun = Instant::now();
        let page = view.search(&self.query, &self.request);
        // One that was stopped to be run again elsewhere is counted there.
        if !page.as_ref().is_err_and(AppError::is_to_be_run_again) {
            SECONDS.record(begun.elapsed());
        }
        Ok(self.answered(page?))
    }

    fn answered(&self, found: Page) -> Found {
        let mut issues = self.issues.clone();
        let left_out = match found.includes_cut {
            Cut::Whole => None,
            Cut::Cut => {
                let limit = self.request.include_limit;
                Some(text!(
                    en: "Only the first {limit} included resources are given: ask for smaller pages.",
                    fr: "Seules les {limit} premières ressources incluses sont données : demandez des pages plus petites.",
                ))
            }
            Cut::Deep => Some(text!(
                en: "Included resources are given up to {INCLUDE_DEPTH} references away from the matches, not beyond: search for the farthest ones to go on from there.",
                fr: "Les ressources incluses sont données jusqu'à {INCLUDE_DEPTH} références des résultats, pas au-delà : cherchez les plus éloignées pour continuer à partir d'elles.",
            )),
        };
        issues.extend(left_out.map(|text| Issue::warning(IssueKind::TooCostly, "http._include", text)));
        Found {
            matches: found.matches.into_iter().map(Stored::light).collect(),
            includes: found.includes.into_iter().map(Stored::light).collect(),
            total: found.total,
            next: found.next.map(|cursor| cursor.0),
            used: self.used.clone(),
            page: self.page.clone(),
            issues,
        }
    }
}
