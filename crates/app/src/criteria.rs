//! Conditions that name a resource by what it holds: `If-None-Exist`, conditional updates, patches,
//! deletions and references.

use std::{sync::Arc, time::Duration};

use liaison_fhir::{
    outcome::IssueKind,
    release::{self, Release},
    search::{
        parse::{self, Handling, SearchContext, SearchLimits, SearchRequest},
        query::{Clause, Query},
    },
    text,
};
use liaison_store::{
    contract::{PageRequest, TotalMode, Version},
    reader::Reader,
};

use crate::{clock, error::AppError, face::Face, operation::Stage, wire_2017};

/// Criteria that are to match one resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Criteria {
    query: Query,
}

/// How long a condition may take: it is looked at in the writer's turn, while others wait.
const CONDITION: Duration = Duration::from_secs(2);

/// What criteria matched.
#[derive(Clone, Debug)]
pub(crate) enum Matched {
    /// Nothing.
    None,
    /// This one.
    One(Version),
    /// Several.
    Many,
}

impl Criteria {
    /// Reads criteria on a type: always strictly, since leaving one out would match something else.
    ///
    /// # Errors
    /// What is not understood, or that there are none at all.
    pub(crate) fn read(
        resource_type: &'static str,
        pairs: Vec<(String, String)>,
        face: &Face,
        stage: &Stage,
    ) -> Result<Self, AppError> {
        let (pairs, _repairs) = wire_2017::query(pairs, face);
        Self::in_release(resource_type, &pairs, face.release, face, stage)
    }

    /// Reads criteria that were made here, in the names of R4.
    ///
    /// # Errors
    /// As [`Criteria::read`].
    pub(crate) fn read_r4(
        resource_type: &'static str,
        pairs: &[(&'static str, String)],
        face: &Face,
        stage: &Stage,
    ) -> Result<Self, AppError> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self::in_release(resource_type, &pairs, release::view(), face, stage)
    }

    fn in_release(
        resource_type: &'static str,
        pairs: &[(String, String)],
        release: &'static Release,
        face: &Face,
        stage: &Stage,
    ) -> Result<Self, AppError> {
        let context = context(face, stage);
        let types = [resource_type];
        let request = SearchRequest { release, types: &types, pairs, handling: Handling::Strict, context: &context };
        let parsed = parse::parse(&request).map_err(AppError::unreadable)?;
        if parsed.query.filter == Clause::always() {
            return Err(AppError::not_understood(
                IssueKind::Required,
                "http",
                text!(
                    en: "A condition needs at least one criterion.",
                    fr: "Une condition exige au moins un critère.",
                ),
            ));
        }
        let mut query = parsed.query;
        query.includes.clear();
        query.sort.clear();
        Ok(Self { query: stage.there.within(query) })
    }

    /// What the criteria match.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn matched(&self, look: &Reader<'_>, stage: &Stage) -> Result<Matched, AppError> {
        // It finds only what is there, and includes nothing: no other look is needed.
        let page = PageRequest {
            count: 2,
            cursor: None,
            total: TotalMode::None,
            include_limit: 0,
            deadline: stage.app.settings().limits.query_time.min(CONDITION),
        };
        let mut matches = look.search(&self.query, &page)?.matches;
        Ok(match (matches.pop(), matches.is_empty()) {
            (None, _) => Matched::None,
            (Some(one), true) => Matched::One(Arc::unwrap_or_clone(one)),
            (Some(_), false) => Matched::Many,
        })
    }
}

/// The refusal when criteria match several resources.
pub(crate) fn many() -> AppError {
    AppError::precondition(
        IssueKind::MultipleMatches,
        text!(
            en: "The condition matches several resources: make it match one.",
            fr: "La condition correspond à plusieurs ressources : rendez-la plus précise.",
        ),
    )
}

/// The refusal when criteria match nothing that could be changed.
pub(crate) fn none() -> AppError {
    AppError::new(
        crate::error::Refusal::Unknown,
        liaison_fhir::outcome::Issue::error(
            IssueKind::NotFound,
            "",
            text!(
                en: "Nothing matches the condition.",
                fr: "Rien ne correspond à la condition.",
            ),
        ),
    )
}

/// What reading a query needs to know of the world.
pub(crate) fn context<'a>(face: &'a Face, stage: &'a Stage) -> SearchContext<'a> {
    let limits = &stage.app.settings().limits;
    SearchContext {
        zone: &stage.app.settings().zone,
        now: clock::now().as_microsecond(),
        bases: &face.bases,
        limits: SearchLimits { page: limits.page, chain_depth: limits.chain, ..SearchLimits::default() },
    }
}
