//! Where a search begins: the rows it walks, and what it checks of each.

use std::sync::Arc;

use compact_str::CompactString;
use liaison_fhir::search::query::{Comparison, DateTest, UriTest};

use super::condition::{Condition, Keys};
use super::sql::{Candidate, Sql, joined, joined_to, row_join};
use crate::contract::StoreError;
use crate::cursor::AsOf;
use crate::dictionary::Kind;
use crate::moment::MISSING;
use crate::reader::Reader;

/// Whether a resource ever had one code of a parameter in several systems.
const TWOFOLD: &str = "SELECT twofold FROM param WHERE key = ?1";

/// Equality rows are walked side by side, in order, up to this many.
const WALKS: usize = 12;

/// How many rows of each beginning are counted to find the one with the fewest: a first look,
/// and a second when all have more.
const LOOKS: [u32; 2] = [32, 512];

/// A target is taken to have so many rows where there are many targets.
const ROWS_A_TARGET: u64 = 8;

/// When no beginning is in order, the best of them is sorted if it has fewer rows than this; with
/// more, the whole type is walked in order, since then one in not so many of its rows is a match.
const SORTED: u32 = 4096;

/// One part of a search: all the resources of one type that one beginning finds.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) kind: Kind,
    pub(crate) from: Start,
    /// What else must hold.
    pub(crate) rest: Condition,
    /// Where the instants of matches lie.
    pub(crate) window: Window,
}

/// The rows a branch walks.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    /// Those of a code. `repeats`: a resource may have it in several systems, and so come as often.
    Token { param: i64, system: Option<i64>, code: CompactString, repeats: bool },
    /// Those of a target.
    Target { param: i64, target: i64 },
    /// Those of a URI.
    Uri { param: i64, value: CompactString },
    /// All of the type, by instant.
    Kind,
    /// All of the type that changed in a range, by last change.
    Updated { low: i64, high: i64 },
    /// These ids.
    Ids(Vec<CompactString>),
    /// These.
    Among(Keys),
    /// Those of many targets, in no order.
    Targets { param: i64, targets: Vec<i64> },
    /// Those with a value in a range, in no order.
    Values(Condition),
    /// What refers to the resources found by branches.
    Sources { param: i64, targets: Vec<Branch> },
    /// What the resources found by branches refer to.
    TargetsOf { param: i64, sources: Vec<Branch> },
    /// What changed after a sequence, and was there before.
    ChangedSince(AsOf),
}

/// A stretch of instants, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The first matches in an order that a walk through instants gives.
    Moments,
    /// The first matches in the order of last changes.
    Changes,
    /// All matches, or the first of another order.
    Set,
}

impl Window {
    pub(crate) const OPEN: Self = Self { low: i64::MIN, high: i64::MAX };

    /// Cuts the window by what a test on moments says of instants, when no moment of the type is
    /// longer than `longest`. Whether that says all of the test.
    fn cut(&mut self, test: &DateTest, longest: i64) -> Says {
        let DateTest { comparison, low, high } = *test;
        let overlapping = high.saturating_sub(longest);
        let (from, to, says) = match comparison {
            Comparison::Within => (low, high, Says::Part),
            Comparison::NotWithin => (i64::MIN, i64::MAX, Says::Part),
            Comparison::Greater => (overlapping, i64::MAX, Says::Part),
            Comparison::Less => (i64::MIN, low.saturating_sub(1), Says::All),
            // What ends after the range but starts before it would be longer than any is.
            Comparison::GreaterOrWithin if overlapping >= low => (low, i64::MAX, Says::All),
            Comparison::GreaterOrWithin => (overlapping, i64::MAX, Says::Part),
            Comparison::LessOrWithin => (i64::MIN, low.max(high), Says::Part),
            Comparison::After => (high, i64::MAX, Says::All),
            Comparison::Before => (i64::MIN, low, Says::Part),
            Comparison::Overlaps => (low.saturating_sub(longest), high, Says::Part),
        };
        // What has no moment passes no test on it.
        self.low = self.low.max(from).max(MISSING + 1);
        self.high = self.high.min(to);
        says
    }
}

/// Whether something says all of a condition, so that it need not be checked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    All,
    Part,
}

/// A possible beginning.
struct Choice {
    starts: Vec<Start>,
    /// Which member of the condition it stands for.
    member: usize,
    /// Whether it says all of that member.
    says: Says,
    /// Whether each of its parts walks in the order of instants.
    ordered: bool,
}

impl Reader<'_> {
    /// How the matches of a condition among a type are found.
    pub(crate) fn plan(&self, kind: &Kind, condition: Condition, purpose: Purpose) -> Result<Vec<Branch>, StoreError> {
        if condition.is_never() {
            return Ok(Vec::new());
        }
        let members = match condition {
            Condition::All(members) => members,
            other => vec![other],
        };
        let (members, window) = self.window(kind, members)?;
        let mut choices = Vec::new();
        for (member, condition) in members.iter().enumerate() {
            if let Some((starts, says)) = self.starts(condition)? {
                let ordered = starts.len() <= WALKS && starts.iter().all(Start::is_ordered);
                choices.push(Choice { starts, member, says, ordered });
            }
        }
        let chosen = self.choose(kind, window, choices, purpose)?;
        let covered = chosen.as_ref().filter(|choice| choice.says == Says::All).map(|choice| choice.member);
        let all = match purpose {
            Purpose::Changes => Start::Updated { low: i64::MIN, high: i64::MAX },
            Purpose::Moments | Purpose::Set => Start::Kind,
        };
        let starts = chosen.map_or_else(|| vec![all], |choice| choice.starts);
        let rest = members.into_iter().enumerate().filter(|(member, _)| Some(*member) != covered);
        let rest = Condition::all(rest.map(|(_, condition)| condition));
        Ok(starts.into_iter().map(|from| Branch { kind: kind.clone(), from, rest: rest.clone(), window }).collect())
    }

    /// The beginning with the fewest rows; `None` when walking the type is better than any.
    fn choose(
        &self,
        kind: &Kind,
        window: Window,
        mut choices: Vec<Choice>,
        purpose: Purpose,
    ) -> Result<Option<Choice>, StoreError> {
        // Nothing to compare: equality rows are always fewer than the type's.
        if choices.len() <= 1 && choices.first().is_none_or(|choice| choice.ordered) {
            return Ok(choices.pop());
        }
        for limit in LOOKS {
            let (rows, best) = self.smallest(kind, window, &choices, limit)?;
            if rows < u64::from(limit) {
                return Ok(Some(choices.swap_remove(best)));
            }
        }
        if let Some(best) = choices.iter().position(|choice| choice.ordered) {
            // References lead to fewer rows than codes, as a rule.
            let targets = choices.iter().position(|choice| matches!(choice.starts.as_slice(), [Start::Target { .. }]));
            return Ok(Some(choices.swap_remove(targets.unwrap_or(best))));
        }
        let (rows, best) = self.smallest(kind, window, &choices, SORTED)?;
        let walk_instead = rows >= u64::from(SORTED) && purpose != Purpose::Set;
        Ok((!walk_instead).then(|| choices.swap_remove(best)))
    }

    /// The choice with the fewest rows, counted up to a limit; the first among equals.
    fn smallest(
        &self,
        kind: &Kind,
        window: Window,
        choices: &[Choice],
        limit: u32,
    ) -> Result<(u64, usize), StoreError> {
        let mut best = (u64::MAX, 0);
        for (number, choice) in choices.iter().enumerate() {
            let mut rows = 0;
            for start in &choice.starts {
                rows += self.estimate(kind, window, start, limit)?;
            }
            if rows < best.0 {
                best = (rows, number);
            }
        }
        Ok(best)
    }

    /// How many rows a start has, counted up to a limit.
    fn estimate(&self, kind: &Kind, window: Window, start: &Start, limit: u32) -> Result<u64, StoreError> {
        match start {
            Start::Ids(ids) => return Ok(ids.len() as u64),
            Start::Among(keys) => return Ok(keys.len() as u64),
            // To count some rows of each of many would take longer than what it is to save.
            Start::Targets { targets, .. } if targets.len() as u64 * ROWS_A_TARGET >= u64::from(limit) => {
                return Ok(u64::from(limit));
            }
            // What begins with all of a type is taken for large: counting it could take as long.
            Start::Sources { targets: of, .. } | Start::TargetsOf { sources: of, .. }
                if of.iter().any(|branch| matches!(branch.from, Start::Kind | Start::Updated { .. })) =>
            {
                return Ok(u64::from(limit));
            }
            _ => {}
        }
        let mut sql = Sql::of(self.db);
        let branch = Source::of(&mut sql, kind, start, window);
        let text = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} WHERE {} LIMIT {}) n",
            branch.from,
            branch.holds,
            sql.bind(limit)
        );
        Ok(self.suppose(&text, &sql.values)?.first().copied().unwrap_or_default().cast_unsigned())
    }

    /// Where one could begin to find what holds a condition, and whether that says all of it.
    fn starts(&self, condition: &Condition) -> Result<Option<(Vec<Start>, Says)>, StoreError> {
        let only = |start| Ok(Some((vec![start], Says::All)));
        match condition {
            Condition::Token { param, system, code } => {
                let repeats = system.is_none() && self.is_twofold(*param)?;
                only(Start::Token { param: *param, system: *system, code: code.clone(), repeats })
            }
            Condition::Points { param, targets } if targets.len() <= WALKS => {
                let starts = targets.iter().map(|target| Start::Target { param: *param, target: *target });
                Ok(Some((starts.collect(), Says::All)))
            }
            Condition::PointsAmong { param, targets } if targets.len() <= WALKS => {
                let starts = targets.iter().map(|target| Start::Target { param: *param, target: *target });
                Ok(Some((starts.collect(), Says::All)))
            }
            Condition::PointsAmong { param, targets } => {
                only(Start::Targets { param: *param, targets: targets.to_vec() })
            }
            Condition::Among(keys) => only(Start::Among(Arc::clone(keys))),
            Condition::Points { param, targets } => only(Start::Targets { param: *param, targets: targets.clone() }),
            Condition::Uri { param, test: UriTest::Is(value) } => {
                only(Start::Uri { param: *param, value: value.clone() })
            }
            Condition::Id(ids) => only(Start::Ids(ids.clone())),
            Condition::Updated(test) => {
                let mut window = Window::OPEN;
                let says = window.cut(test, 1);
                Ok(Some((vec![Start::Updated { low: window.low, high: window.high }], says)))
            }
            Condition::System { .. }
            | Condition::Uri { .. }
            | Condition::Text { .. }
            | Condition::Date { .. }
            | Condition::Number { .. }
            | Condition::Quantity { .. }
            | Condition::Near { .. } => only(Start::Values(condition.clone())),
            Condition::Refers { param, targets } => {
                let mut branches = Vec::new();
                for (kind, condition) in targets {
                    branches.extend(self.plan(kind, condition.clone(), Purpose::Set)?);
                }
                only(Start::Sources { param: *param, targets: branches })
            }
            Condition::Referred { param, kind, source } => {
                let sources = self.plan(kind, (**source).clone(), Purpose::Set)?;
                only(Start::TargetsOf { param: *param, sources })
            }
            Condition::Any(of) => {
                let (mut all, mut says) = (Vec::new(), Says::All);
                for condition in of {
                    let Some((starts, part)) = self.starts(condition)? else { return Ok(None) };
                    all.extend(starts);
                    if part == Says::Part {
                        says = Says::Part;
                    }
                }
                Ok((all.len() <= 4 * WALKS).then_some((all, says)))
            }
            Condition::All(of) => {
                let mut best: Option<Vec<Start>> = None;
                for condition in of {
                    if let Some((starts, _)) = self.starts(condition)?
                        && best.as_ref().is_none_or(|best| starts.len() < best.len())
                    {
                        best = Some(starts);
                    }
                }
                Ok(best.map(|starts| (starts, Says::Part)))
            }
            Condition::Not(_) | Condition::PointsTo { .. } | Condition::Moment(_) | Condition::Present(_) => Ok(None),
        }
    }

    /// What tests on moments say of instants, and the conditions that are still to be checked.
    fn window(&self, kind: &Kind, members: Vec<Condition>) -> Result<(Vec<Condition>, Window), StoreError> {
        let mut window = Window::OPEN;
        let mut longest = None;
        let mut rest = Vec::with_capacity(members.len());
        for member in members {
            let says = match &member {
                Condition::Moment(test) => {
                    let longest = match longest {
                        Some(known) => known,
                        None => *longest.insert(self.longest(kind)?),
                    };
                    window.cut(test, longest)
                }
                // Its moment is its last change.
                Condition::Updated(test) if kind.timeline.is_none() => window.cut(test, 1),
                _ => Says::Part,
            };
            if says == Says::Part {
                rest.push(member);
            }
        }
        Ok((rest, window))
    }

    fn longest(&self, kind: &Kind) -> Result<i64, StoreError> {
        let sql = "SELECT longest FROM resource_type WHERE key = ?1";
        Ok(self.suppose(sql, &[kind.key.into()])?.first().copied().unwrap_or(i64::MAX))
    }

    fn is_twofold(&self, param: i64) -> Result<bool, StoreError> {
        // Once it is, it stays so.
        Ok(self.words.known_twofold(param) || self.suppose(TWOFOLD, &[param.into()])? == [1])
    }
}

impl Start {
    /// Whether its rows can be walked in the order of instants.
    pub(crate) const fn is_ordered(&self) -> bool {
        matches!(self, Self::Token { .. } | Self::Target { .. } | Self::Uri { .. } | Self::Kind)
    }

    /// Whether it may give one resource more than once.
    const fn repeats(&self) -> bool {
        matches!(self, Self::Token { repeats: true, .. } | Self::Targets { .. })
    }
}

/// The `FROM` and `WHERE` of a start.
pub(crate) struct Source {
    pub(crate) from: String,
    pub(crate) holds: String,
    pub(crate) candidate: Candidate,
    /// Whether one resource may come more than once.
    pub(crate) repeats: bool,
}

impl Source {
    /// Writes a start.
    pub(crate) fn of(sql: &mut Sql, kind: &Kind, start: &Start, window: Window) -> Self {
        let repeats = start.repeats();
        let (c, r) = (sql.alias('c'), sql.alias('r'));
        let instants = |sql: &mut Sql| {
            let mut text = String::new();
            if window.low != i64::MIN {
                joined_to(&mut text, &[" AND ", &c, ".instant >= ", &sql.bind(window.low)]);
            }
            if window.high != i64::MAX {
                joined_to(&mut text, &[" AND ", &c, ".instant <= ", &sql.bind(window.high)]);
            }
            text
        };
        let indexed = |table: &str, holds: String| Self {
            from: joined(&[table, " ", &c]),
            holds,
            candidate: Candidate::indexed(&c, &r),
            repeats,
        };
        match start {
            Start::Token { param, system, code, repeats: _ } => {
                let (param, code) = (sql.bind(*param), sql.bind_key(code));
                let mut holds = joined(&[&c, ".param = ", &param, " AND ", &c, ".code = ", &code, &instants(sql)]);
                if let Some(system) = system {
                    joined_to(&mut holds, &[" AND ", &c, ".system = ", &sql.bind(*system)]);
                }
                indexed("token", holds)
            }
            Start::Target { param, target } => {
                let (target, param) = (sql.bind(*target), sql.bind(*param));
                let holds = [&c, ".target = ", &target, " AND ", &c, ".param = ", &param, &instants(sql)];
                indexed("reference", joined(&holds))
            }
            Start::Targets { param, targets } => {
                let (targets, param) = (sql.bind_list(targets), sql.bind(*param));
                let holds = format!("{c}.target IN ({targets}) AND {c}.param = {param}{}", instants(sql));
                indexed("reference", holds)
            }
            Start::Uri { param, value } => {
                let (param, value) = (sql.bind(*param), sql.bind_key(value));
                let holds = format!("{c}.param = {param} AND {c}.value = {value}{}", instants(sql));
                indexed("uri", holds)
            }
            Start::Kind => Self {
                holds: format!("{c}.type = {} AND {c}.live = 1{}", sql.bind(kind.key), instants(sql)),
                from: format!("resource {c}"),
                candidate: Candidate::row(&c),
                repeats,
            },
            Start::Ids(ids) => {
                let kind = sql.bind(kind.key);
                let ids = sql.bind_all(ids.iter().map(CompactString::to_string));
                Self {
                    holds: format!("{c}.type = {kind} AND {c}.id IN ({ids}) AND {c}.live = 1{}", instants(sql)),
                    from: format!("resource {c}"),
                    candidate: Candidate::row(&c),
                    repeats,
                }
            }
            Start::Among(keys) => {
                let rows = sql.bind_list(keys);
                Self::among(sql, kind, &c, &rows).within(&instants(sql))
            }
            Start::Updated { low, high } => {
                let h = sql.alias('h');
                let (kind, low, high) = (sql.bind(kind.key), sql.bind(*low), sql.bind(*high));
                Self {
                    from: format!(
                        "change {h} CROSS JOIN resource {c} ON {c}.key = {h}.resource AND {c}.version = {h}.version"
                    ),
                    holds: format!(
                        "{h}.type = {kind} AND {h}.at >= {low} AND {h}.at <= {high} AND {c}.live = 1{}",
                        instants(sql)
                    ),
                    candidate: Candidate { changed: Some(format!("{h}.at")), ..Candidate::row(&c) },
                    repeats,
                }
            }
            Start::Values(condition) => {
                let rows = sql.resources(condition).unwrap_or_default();
                Self::among(sql, kind, &c, &format!("SELECT DISTINCT resource FROM ({rows}) v")).within(&instants(sql))
            }
            Start::Sources { param, targets } => {
                let keys = keys(sql, targets);
                let (f, k) = (sql.alias('f'), sql.alias('k'));
                let rows = format!(
                    "SELECT DISTINCT {f}.resource FROM ({keys}) {k} CROSS JOIN reference {f} \
                     ON {f}.target = {k}.key AND {f}.param = {}",
                    sql.bind(*param)
                );
                Self::among(sql, kind, &c, &rows).within(&instants(sql))
            }
            Start::TargetsOf { param, sources } => {
                let keys = keys(sql, sources);
                let (f, k) = (sql.alias('f'), sql.alias('k'));
                let rows = format!(
                    "SELECT DISTINCT {f}.target AS resource FROM ({keys}) {k} CROSS JOIN reference {f} \
                     ON {f}.resource = {k}.key AND {f}.param = {}",
                    sql.bind(*param)
                );
                Self::among(sql, kind, &c, &rows).within(&instants(sql))
            }
            Start::ChangedSince(as_of) => {
                let last = sql.bind(as_of.value(sql.dialect));
                let rows = sql.dialect.changed_after(&last);
                Self::among(sql, kind, &c, &rows).within(&instants(sql))
            }
        }
    }

    /// The live resources of a type among a list of keys.
    fn among(sql: &mut Sql, kind: &Kind, c: &str, rows: &str) -> Self {
        let s = sql.alias('s');
        Self {
            from: format!("({rows}) {s} CROSS JOIN resource {c} ON {c}.key = {s}.resource"),
            holds: format!("{c}.type = {} AND {c}.live = 1", sql.bind(kind.key)),
            candidate: Candidate::row(c),
            repeats: false,
        }
    }

    /// Held to a window.
    fn within(mut self, instants: &str) -> Self {
        self.holds.push_str(instants);
        self
    }

    /// With its own row joined, if anything needed it.
    pub(crate) fn joined(&self) -> String {
        if self.candidate.row == self.candidate.key.trim_end_matches(".key") {
            return self.from.clone();
        }
        format!("{}{}", self.from, row_join(&self.candidate))
    }
}

/// The keys of what branches find, as a `SELECT` of one column `key`; a key may come twice.
pub(crate) fn keys(sql: &mut Sql, branches: &[Branch]) -> String {
    let parts: Vec<_> = branches.iter().map(|branch| branch.select(sql, "{key} AS key")).collect();
    if parts.is_empty() {
        "SELECT CAST(NULL AS BIGINT) AS key WHERE 1 = 0".to_owned()
    } else {
        parts.join(" UNION ALL ")
    }
}

/// One row for each resource that a branch finds.
pub(crate) fn keys_in_order(sql: &mut Sql, branch: &Branch) -> String {
    let columns = match branch.from.repeats() {
        true if branch.from.is_ordered() => "DISTINCT {instant}, {key} AS key",
        true => "DISTINCT {key} AS key",
        false => "1",
    };
    branch.select(sql, columns)
}

impl Branch {
    /// Whether every row of an index that it walks is a match, and none comes twice.
    pub(super) fn is_bare(&self) -> bool {
        self.rest.is_always() && self.from.is_ordered() && !self.from.repeats()
    }

    /// Those rows: what stands behind `FROM`.
    pub(super) fn rows(&self, sql: &mut Sql) -> String {
        let source = Source::of(sql, &self.kind, &self.from, self.window);
        joined(&[&source.joined(), " WHERE ", &source.holds])
    }

    /// A `SELECT` of what the branch finds; `{key}` and `{instant}` in `columns` are its candidate's.
    fn select(&self, sql: &mut Sql, columns: &str) -> String {
        let source = Source::of(sql, &self.kind, &self.from, self.window);
        let mut holds = source.holds.clone();
        if !self.rest.is_always() {
            holds = format!("{holds} AND {}", sql.check(&source.candidate, &self.rest));
        }
        let columns = columns.replace("{key}", &source.candidate.key).replace("{instant}", &source.candidate.instant);
        format!("SELECT {columns} FROM {} WHERE {holds}", source.joined())
    }
}

#[cfg(test)]
mod tests;
