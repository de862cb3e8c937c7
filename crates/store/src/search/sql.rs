//! Conditions as SQL: expressions that check one candidate, with every value bound.

use std::cell::Cell;

use compact_str::{CompactString, ToCompactString as _};
use liaison_fhir::primitive::fold;
use liaison_fhir::search::query::{Comparison, DateTest, StringTest, UriTest};

use super::condition::Condition;
use crate::dialect::{Db, Dialect, Value};
use crate::moment::MISSING;

/// A statement being written.
#[derive(Debug)]
pub(crate) struct Sql {
    /// How its expressions are spelled.
    pub(crate) dialect: Dialect,
    /// What is bound, in the order of the numbers in the text.
    pub(crate) values: Vec<Value<'static>>,
    aliases: u32,
}

/// A resource that a statement looks at: how its columns are called there.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Its key.
    pub(crate) key: CompactString,
    /// Its instant.
    pub(crate) instant: CompactString,
    /// The span of its moment.
    pub(crate) span: CompactString,
    /// Its row in `resource`.
    pub(crate) row: CompactString,
    /// Whether that row was needed.
    pub(crate) row_used: Cell<bool>,
    /// Its last change, where an index that is walked says it.
    pub(crate) changed: Option<String>,
}

impl Candidate {
    /// A candidate whose own row is there under this name.
    pub(crate) fn row(alias: &str) -> Self {
        Self {
            key: together(&[alias, ".key"]),
            instant: together(&[alias, ".instant"]),
            span: together(&[alias, ".span"]),
            row: alias.into(),
            row_used: Cell::new(false),
            changed: None,
        }
    }

    /// A candidate known from an index row of this name; `row` is how its own would be called.
    pub(crate) fn indexed(alias: &str, row: &str) -> Self {
        Self {
            key: together(&[alias, ".resource"]),
            instant: together(&[alias, ".instant"]),
            span: together(&[alias, ".span"]),
            row: row.into(),
            row_used: Cell::new(false),
            changed: None,
        }
    }

    /// Its last change.
    pub(crate) fn updated(&self) -> String {
        self.changed.clone().unwrap_or_else(|| self.column("updated"))
    }

    /// Its own row.
    pub(crate) fn own_row(&self) -> &str {
        self.row_used.set(true);
        &self.row
    }

    /// A column of its own row.
    pub(crate) fn column(&self, name: &str) -> String {
        self.row_used.set(true);
        format!("{}.{name}", self.row)
    }
}

/// Short texts as one: statements are written anew for each search, and most of their parts need no
/// memory of their own.
fn together(parts: &[&str]) -> CompactString {
    let mut whole = CompactString::default();
    parts.iter().for_each(|part| whole.push_str(part));
    whole
}

/// Longer texts as one, with one look for room: the statements of everyday searches are put together
/// from a dozen parts, of which each would otherwise be formatted.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut whole = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    joined_to(&mut whole, parts);
    whole
}

/// Parts put at the end of a text.
pub(crate) fn joined_to(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
}

impl Sql {
    /// One for this store.
    pub(crate) const fn of(db: Db<'_>) -> Self {
        Self { dialect: db.dialect(), values: Vec::new(), aliases: 0 }
    }

    /// Binds a value; gives its place.
    pub(crate) fn bind(&mut self, value: impl Into<Value<'static>>) -> CompactString {
        self.values.push(value.into());
        together(&["?", &self.values.len().to_compact_string()])
    }

    /// Binds a text.
    pub(crate) fn bind_text(&mut self, text: &str) -> CompactString {
        self.bind(text.to_owned())
    }

    /// Binds a text that is looked up by as a whole: a code, an address.
    pub(crate) fn bind_key(&mut self, text: &str) -> CompactString {
        let key = self.dialect.key_text(text).into_owned();
        self.bind(key)
    }

    /// Binds values; gives their places, separated by commas.
    pub(crate) fn bind_all<T: Into<Value<'static>>>(&mut self, values: impl IntoIterator<Item = T>) -> String {
        let places: Vec<_> = values.into_iter().map(|value| self.bind(value)).collect();
        places.join(", ")
    }

    /// Binds keys in ascending order that others are looked for in.
    fn bind_set(&mut self, keys: &[i64]) -> CompactString {
        let set = self.dialect.set(keys);
        self.bind(set)
    }

    /// Binds keys that are looked for: what stands behind `IN`.
    pub(crate) fn bind_list(&mut self, keys: &[i64]) -> String {
        let list = self.dialect.list(keys);
        let place = self.bind(list);
        self.dialect.rows_of_list(&place)
    }

    /// A name not used yet in the statement.
    pub(crate) fn alias(&mut self, letter: char) -> CompactString {
        self.aliases += 1;
        let mut alias = CompactString::default();
        alias.push(letter);
        alias.push_str(&self.aliases.to_compact_string());
        alias
    }

    /// An expression: whether the condition holds of the candidate.
    pub(crate) fn check(&mut self, on: &Candidate, condition: &Condition) -> String {
        match condition {
            Condition::All(of) => self.joined(on, of, " AND ", "1 = 1"),
            Condition::Any(of) => self.any(on, of),
            Condition::Not(of) => format!("NOT {}", self.check(on, of)),
            Condition::Token { param, system, code } => {
                let system = system.map(|system| format!(" AND system = {}", self.bind(system))).unwrap_or_default();
                format!(
                    "EXISTS (SELECT 1 FROM token WHERE param = {} AND code = {} AND instant = {} AND resource = {}{system})",
                    self.bind(*param),
                    self.bind_key(code),
                    on.instant,
                    on.key
                )
            }
            Condition::Uri { param, test: UriTest::Is(value) } => format!(
                "EXISTS (SELECT 1 FROM uri WHERE param = {} AND value = {} AND instant = {} AND resource = {})",
                self.bind(*param),
                self.bind_key(value),
                on.instant,
                on.key
            ),
            // Values of these are no timeline: the resources that have one are listed once.
            Condition::System { .. } | Condition::Uri { .. } => {
                format!("{} IN ({})", on.key, self.resources(condition).unwrap_or_default())
            }
            Condition::Points { .. } | Condition::PointsAmong { .. } => {
                let leads = self.leads(condition);
                format!("EXISTS (SELECT 1 FROM reference WHERE resource = {} AND {leads})", on.key)
            }
            Condition::Among(keys) => {
                let keys = self.bind_set(keys);
                self.dialect.is_among(&on.key, &keys)
            }
            Condition::PointsTo { param, kinds } => {
                let (f, t) = (self.alias('f'), self.alias('t'));
                format!(
                    "EXISTS (SELECT 1 FROM reference {f} CROSS JOIN resource {t} ON {t}.key = {f}.target \
                     WHERE {f}.resource = {} AND {f}.param = {} AND {t}.type IN ({}))",
                    on.key,
                    self.bind(*param),
                    self.bind_all(kinds.iter().copied())
                )
            }
            Condition::Refers { param, targets } => {
                let (f, t) = (self.alias('f'), self.alias('t'));
                let target = Candidate::row(&t);
                let param = self.bind(*param);
                let alternatives: Vec<_> = targets
                    .iter()
                    .map(|(kind, condition)| {
                        let kind = self.bind(kind.key);
                        format!("{t}.type = {kind} AND {}", self.check(&target, condition))
                    })
                    .collect();
                format!(
                    "EXISTS (SELECT 1 FROM reference {f} CROSS JOIN resource {t} ON {t}.key = {f}.target \
                     WHERE {f}.resource = {} AND {f}.param = {param} AND {t}.live = 1 AND ({}))",
                    on.key,
                    alternatives.join(" OR ")
                )
            }
            Condition::Referred { param, kind: _, source } => {
                let (f, r) = (self.alias('f'), self.alias('r'));
                let candidate = Candidate::indexed(&f, &r);
                let param = self.bind(*param);
                let holds = self.check(&candidate, source);
                let join = row_join(&candidate);
                format!(
                    "EXISTS (SELECT 1 FROM reference {f}{join} WHERE {f}.target = {} AND {f}.param = {param} AND {holds})",
                    on.key
                )
            }
            Condition::Moment(test) => {
                let within = self.compared(&on.instant, &format!("{} + {}", on.instant, on.span), test);
                format!("({} > {} AND {within})", on.instant, self.bind(MISSING))
            }
            Condition::Updated(test) => {
                let updated = on.updated();
                format!("({})", self.compared(&updated, &format!("{updated} + 1"), test))
            }
            Condition::Id(ids) => {
                let column = on.column("id");
                format!("{column} IN ({})", self.bind_all(ids.iter().map(CompactString::to_string)))
            }
            Condition::Present(facet) => {
                let column = on.column("facets");
                let facet = self.bind(facet.to_string());
                format!("{} > 0", self.dialect.position_of(&facet, &column))
            }
            Condition::Text { .. }
            | Condition::Date { .. }
            | Condition::Number { .. }
            | Condition::Quantity { .. }
            | Condition::Near { .. } => {
                let (table, holds) = self.values_that(condition);
                format!("EXISTS (SELECT 1 FROM {table} WHERE resource = {} AND {holds})", on.key)
            }
        }
    }

    /// The resources that hold a condition on values that are looked up by range: a `SELECT` of
    /// one column, where each may come more than once. `None` for other conditions.
    pub(crate) fn resources(&mut self, condition: &Condition) -> Option<String> {
        match condition {
            Condition::System { .. }
            | Condition::Uri { .. }
            | Condition::Text { .. }
            | Condition::Date { .. }
            | Condition::Number { .. }
            | Condition::Quantity { .. }
            | Condition::Near { .. } => {
                let (table, holds) = self.values_that(condition);
                Some(format!("SELECT resource FROM {table} WHERE {holds}"))
            }
            _ => None,
        }
    }

    /// Which table a condition on values looks at, and what must hold of its row.
    fn values_that(&mut self, condition: &Condition) -> (&'static str, String) {
        match condition {
            Condition::System { param, system } => {
                ("token", format!("param = {} AND system = {}", self.bind(*param), self.bind(*system)))
            }
            Condition::Uri { param, test } => {
                let param = self.bind(*param);
                let holds = match test {
                    UriTest::Is(value) => format!("value = {}", self.bind_key(value)),
                    UriTest::Below(start) => self.starting("value", start),
                    UriTest::Above(whole) => {
                        // The values it starts with are its own beginnings.
                        let starts = whole.char_indices().map(|(at, letter)| at + letter.len_utf8());
                        let starts: Vec<_> = starts.filter_map(|end| whole.get(..end)).map(str::to_owned).collect();
                        format!("value IN ({})", self.bind_all(starts))
                    }
                };
                ("uri", format!("param = {param} AND {holds}"))
            }
            Condition::Text { param, test } => {
                let param = self.bind(*param);
                let holds = match test {
                    StringTest::StartsWith(start) => {
                        let from = self.bind_text(start);
                        let end = after_all_starting(start).map(|end| self.bind(end));
                        self.dialect.folded_between(&from, end.as_deref())
                    }
                    StringTest::Contains(part) => {
                        let part = self.bind_text(part);
                        format!("{} > 0", self.dialect.position_of(&part, "folded"))
                    }
                    StringTest::Exact(value) => {
                        let folded = self.bind_text(&fold(value));
                        format!("{} AND exact = {}", self.dialect.folded_is(&folded), self.bind_text(value))
                    }
                };
                ("string", format!("param = {param} AND {holds}"))
            }
            Condition::Date { param, test } => {
                let param = self.bind(*param);
                ("date", format!("param = {param} AND {}", self.compared("low", "high", test)))
            }
            Condition::Number { param, test } => {
                let param = self.bind(*param);
                let holds = self.comparison(test.comparison, "low", "high", test.low, test.high);
                ("number", format!("param = {param} AND {holds}"))
            }
            Condition::Quantity { param, test, system, code } => {
                let param = self.bind(*param);
                let mut holds = self.comparison(test.comparison, "low", "high", test.low, test.high);
                if let Some(system) = system {
                    holds = format!("{holds} AND system = {}", self.bind(*system));
                }
                if let Some(code) = code {
                    holds = format!("{holds} AND code = {}", self.bind_key(code));
                }
                ("quantity", format!("param = {param} AND {holds}"))
            }
            Condition::Near { param, point: [x, y, z], chord } => {
                let param = self.bind(*param);
                // First a belt of latitudes, which the table is ordered by, then the distance.
                let (south, north) = (self.bind(z - chord), self.bind(z + chord));
                let (x, y, z) = (self.bind(*x), self.bind(*y), self.bind(*z));
                let square = self.bind(chord * chord);
                let holds = format!(
                    "z >= {south} AND z <= {north} AND \
                     (x - {x}) * (x - {x}) + (y - {y}) * (y - {y}) + (z - {z}) * (z - {z}) <= {square}"
                );
                ("position", format!("param = {param} AND {holds}"))
            }
            _ => ("resource", "1 = 0".to_owned()),
        }
    }

    /// Whether a row of `reference` leads where a condition on references says.
    fn leads(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Points { param, targets } => {
                format!("param = {} AND target IN ({})", self.bind(*param), self.bind_all(targets.iter().copied()))
            }
            Condition::PointsAmong { param, targets } => {
                let (param, keys) = (self.bind(*param), self.bind_set(targets));
                format!("param = {param} AND {}", self.dialect.is_among("target", &keys))
            }
            _ => "1 = 0".to_owned(),
        }
    }

    /// Rewrite "together": what asks for one reference or another looks at the references of a candidate once.
    fn any(&mut self, on: &Candidate, of: &[Condition]) -> String {
        let on_references = |one: &&Condition| matches!(one, Condition::Points { .. } | Condition::PointsAmong { .. });
        if of.iter().filter(on_references).count() < 2 {
            return self.joined(on, of, " OR ", "1 = 0");
        }
        let leads: Vec<_> = of.iter().filter(on_references).map(|one| format!("({})", self.leads(one))).collect();
        let mut text =
            format!("(EXISTS (SELECT 1 FROM reference WHERE resource = {} AND ({}))", on.key, leads.join(" OR "));
        for other in of.iter().filter(|one| !on_references(one)) {
            let check = self.check(on, other);
            joined_to(&mut text, &[" OR ", &check]);
        }
        text.push(')');
        text
    }

    fn joined(&mut self, on: &Candidate, of: &[Condition], by: &str, none: &str) -> String {
        if of.is_empty() {
            return none.to_owned();
        }
        let parts: Vec<_> = of.iter().map(|condition| self.check(on, condition)).collect();
        format!("({})", parts.join(by))
    }

    fn compared(&mut self, low: &str, high: &str, test: &DateTest) -> String {
        self.comparison(test.comparison, low, high, test.low, test.high)
    }

    /// FHIR's comparison of a value's range `[low, high)` with the range searched `[from, to)`.
    fn comparison<T: Into<Value<'static>>>(
        &mut self,
        comparison: Comparison,
        low: &str,
        high: &str,
        from: T,
        to: T,
    ) -> String {
        match comparison {
            Comparison::Within => format!("{low} >= {} AND {high} <= {}", self.bind(from), self.bind(to)),
            Comparison::NotWithin => format!("({low} < {} OR {high} > {})", self.bind(from), self.bind(to)),
            Comparison::Greater => format!("{high} > {}", self.bind(to)),
            Comparison::Less => format!("{low} < {}", self.bind(from)),
            // What starts in the range either ends in it or ends after it.
            Comparison::GreaterOrWithin => format!("({low} >= {} OR {high} > {})", self.bind(from), self.bind(to)),
            Comparison::LessOrWithin => format!("({low} < {} OR {high} <= {})", self.bind(from), self.bind(to)),
            Comparison::After => format!("{low} >= {}", self.bind(to)),
            Comparison::Before => format!("{high} <= {}", self.bind(from)),
            Comparison::Overlaps => format!("{low} < {} AND {high} > {}", self.bind(to), self.bind(from)),
        }
    }

    /// Texts that start with a text, as a range that an index can walk.
    fn starting(&mut self, column: &str, start: &str) -> String {
        let from = self.bind_text(start);
        match after_all_starting(start) {
            Some(end) => format!("{column} >= {from} AND {column} < {}", self.bind(end)),
            None => format!("{column} >= {from}"),
        }
    }
}

/// Joins a candidate's own row, if it was needed.
pub(crate) fn row_join(candidate: &Candidate) -> String {
    if candidate.row_used.get() {
        format!(" CROSS JOIN resource {row} ON {row}.key = {key}", row = candidate.row, key = candidate.key)
    } else {
        String::new()
    }
}

/// The first text, in the order of code points, after all those that start with `start`.
fn after_all_starting(start: &str) -> Option<String> {
    let mut letters: Vec<char> = start.chars().collect();
    while let Some(last) = letters.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_beginning() {
        assert_eq!(after_all_starting("dup").as_deref(), Some("duq"));
        assert_eq!(after_all_starting("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_all_starting("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(after_all_starting("\u{10FFFF}"), None);
        assert_eq!(after_all_starting(""), None);
    }
}
