//! From a query string to a query.
//!
//! Each pair is read on its own and refused on its own, so that a client learns of all its mistakes
//! at once; then criteria that speak of the same chained resource are put together. Control
//! parameters (`_sort`, `_include`, `_count`…) go to [`PageControls`].
//!
//! <https://hl7.org/fhir/R4/search.html>

mod chain;
mod control;
mod include;
mod level;
mod refusal;
mod sort;
mod split;
mod value;

use jiff::tz::TimeZone;

use crate::{
    outcome::{Issue, Severity},
    release::{Release, view},
};

use super::query::{Clause, Include, Query, Sort};

use self::{
    chain::Lowering,
    level::{Criterion, Level},
};

/// A search to read.
#[derive(Clone, Copy, Debug)]
pub struct SearchRequest<'a> {
    /// The release whose names are used.
    pub release: &'static Release,
    /// The resource types searched; empty for a search of the whole system.
    pub types: &'a [&'a str],
    /// The parameters, decoded, in their order.
    pub pairs: &'a [(String, String)],
    /// What is done about what is not understood.
    pub handling: Handling,
    /// What reading needs to know beside them.
    pub context: &'a SearchContext<'a>,
}

/// `Prefer: handling`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Handling {
    /// What is not understood is refused.
    #[default]
    Strict,
    /// What is not understood is left out, with a warning.
    Lenient,
}

/// What reading a search needs to know beside the request.
#[derive(Clone, Copy, Debug)]
pub struct SearchContext<'a> {
    /// The zone of dates without one.
    pub zone: &'a TimeZone,
    /// The present, in microseconds since 1970 UTC, for `ap`.
    pub now: i64,
    /// The public FHIR bases of this server: an absolute reference under one of them is local.
    pub bases: &'a [String],
    /// How much a search may ask.
    pub limits: SearchLimits,
}

/// How much a search may ask; beyond, it is refused whatever the handling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchLimits {
    /// Parameters in all.
    pub pairs: usize,
    /// Bytes of a name, and of a value.
    pub value_bytes: usize,
    /// Values of a parameter, separated by commas.
    pub values: usize,
    /// Links of a chain, `_has` included.
    pub chain_depth: usize,
    /// Conditions the query may come to, once all types a chain may lead to are spelled out.
    pub clauses: usize,
    /// `_include` and `_revinclude` in all.
    pub includes: usize,
    /// `_count`.
    pub page: u32,
}

impl Default for SearchLimits {
    fn default() -> Self {
        Self { pairs: 200, value_bytes: 8_192, values: 500, chain_depth: 5, clauses: 4_000, includes: 50, page: 500 }
    }
}

/// A search that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What is searched.
    pub query: Query,
    /// How it is answered.
    pub page: PageControls,
    /// The pairs that were used, in order, as they were given: for the self link. `_format`,
    /// `_pretty` and the cursor are not among them.
    pub used: Vec<(String, String)>,
    /// Warnings about what was left out, and information about what was put right.
    pub issues: Vec<Issue>,
}

/// How a search is answered.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PageControls {
    /// `_count`: matches on a page, at most [`SearchLimits::page`]; 0 for the total alone.
    pub count: Option<u32>,
    /// `_total`.
    pub total: Total,
    /// `_cursor`: where the page begins, as an earlier page told it.
    pub cursor: Option<String>,
    /// `_summary`.
    pub summary: SummaryMode,
    /// `_elements`: top-level elements of the types searched, and `resourceType`; empty for all.
    pub elements: Vec<String>,
}

/// `_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Total {
    /// `none`.
    None,
    /// `estimate`, and when nothing is said: exact up to a bound.
    #[default]
    Bounded,
    /// `accurate`.
    Accurate,
}

/// `_summary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SummaryMode {
    /// `false`, and when nothing is said: whole resources.
    #[default]
    Whole,
    /// `true`: the elements of the summary.
    Summary,
    /// `text`: the narrative, and what is mandatory.
    Text,
    /// `data`: all but the narrative.
    Data,
    /// `count`: the total alone.
    Count,
}

/// Reads a search.
///
/// # Errors
/// Everything that is wrong with it. With [`Handling::Lenient`], only what goes beyond the limits,
/// and types that do not exist.
pub fn parse(request: &SearchRequest<'_>) -> Result<Parsed, Vec<Issue>> {
    let limits = request.context.limits;
    if request.pairs.len() > limits.pairs {
        return Err(vec![refusal::too_many_pairs(limits.pairs)]);
    }
    let types = searched_types(request)?;
    let mut reader = Reader {
        request,
        // A search of the whole system may ask what every type can be asked.
        names: if types.is_empty() { view().resources() } else { types.clone() },
        level: Level::default(),
        alone: None,
        clauses: 0,
        page: PageControls::default(),
        sort: Vec::new(),
        includes: Vec::new(),
        used: Vec::new(),
        issues: Vec::new(),
    };
    for (name, value) in request.pairs {
        reader.pair(name, value);
    }
    if reader.issues.iter().any(Issue::refuses) {
        reader.issues.retain(Issue::refuses);
        return Err(reader.issues);
    }
    let filter = reader.filter().map_err(|issue| vec![issue])?;
    let Reader { page, sort, includes, used, issues, .. } = reader;
    Ok(Parsed { query: Query { types, filter, sort, includes }, page, used, issues })
}

/// The types of the path, or those of `_type` in a search of the whole system.
fn searched_types(request: &SearchRequest<'_>) -> Result<Vec<&'static str>, Vec<Issue>> {
    let mut types = Vec::new();
    let mut issues = Vec::new();
    let mut add = |name: &str, place: &str| match view().resource(name).filter(|_| known(request, name)) {
        Some(structure) if types.contains(&structure.path) => {}
        Some(structure) => types.push(structure.path),
        None => issues.push(refusal::unknown_type(place, name)),
    };
    for name in request.types {
        add(name, "http");
    }
    if request.types.is_empty() {
        for (_, value) in request.pairs.iter().filter(|(name, _)| name == "_type") {
            value.split(',').for_each(|name| add(name, "http._type"));
        }
    }
    if issues.is_empty() { Ok(types) } else { Err(issues) }
}

fn known(request: &SearchRequest<'_>, name: &str) -> bool {
    request.release.resource(name).is_some()
}

struct Reader<'a> {
    request: &'a SearchRequest<'a>,
    names: Vec<&'static str>,
    level: Level<'a>,
    /// The clause of the only criterion so far.
    alone: Option<Clause>,
    /// Conditions come to so far: a search is refused before it costs more than it may.
    clauses: usize,
    page: PageControls,
    sort: Vec<Sort>,
    includes: Vec<Include>,
    used: Vec<(String, String)>,
    issues: Vec<Issue>,
}

/// What became of a pair.
enum Outcome {
    Used,
    /// Not part of the search itself: left to the caller.
    PassedOver,
}

impl<'a> Reader<'a> {
    fn pair(&mut self, name: &'a str, value: &'a str) {
        let limits = self.request.context.limits;
        let result = if name.len().max(value.len()) > limits.value_bytes {
            Err(vec![refusal::too_long(name, limits.value_bytes)])
        } else {
            self.read(name, value)
        };
        match result {
            Ok(Outcome::Used) => self.used.push((name.to_owned(), value.to_owned())),
            Ok(Outcome::PassedOver) => {}
            Err(issues) => {
                let lenient = self.request.handling == Handling::Lenient;
                self.issues.extend(issues.into_iter().map(|issue| match issue {
                    issue if lenient && !refusal::is_limit(&issue) => Issue { severity: Severity::Warning, ..issue },
                    issue => issue,
                }));
            }
        }
    }

    fn read(&mut self, name: &'a str, value: &'a str) -> Result<Outcome, Vec<Issue>> {
        if let Some(outcome) = self.control(name, value) {
            return outcome;
        }
        let criterion = Criterion::read(name, value, &self.request.context.limits).map_err(|issue| vec![issue])?;
        // Tried alone first, so that what is wrong is said of the pair it is wrong in.
        let mut alone = Level::default();
        alone.add(criterion.clone());
        let mut lowering = Lowering::new(self.request, self.clauses);
        let lowered = lowering.of_given(&alone, &self.names);
        self.clauses = lowering.clauses;
        self.issues.extend(lowering.notes);
        let clause = lowered.map_err(|issue| vec![issue])?;
        self.alone = self.level.is_empty().then_some(clause);
        self.level.add(criterion);
        Ok(Outcome::Used)
    }

    fn filter(&mut self) -> Result<Clause, Issue> {
        if self.level.is_empty() {
            return Ok(Clause::always());
        }
        if let Some(clause) = self.alone.take() {
            return Ok(clause);
        }
        Lowering::new(self.request, 0).of_given(&self.level, &self.names)
    }
}

#[cfg(test)]
mod tests;
