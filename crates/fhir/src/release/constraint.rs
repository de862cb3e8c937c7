//! The constraints of a release: what must hold of an element, as an expression.

use std::sync::OnceLock;

use crate::path::{Expression, Path};

/// A constraint that an evaluation of its expression checks.
#[derive(Debug)]
pub struct Constraint {
    /// Its key in the specification: `att-1`.
    pub key: &'static str,
    /// Whether breaking it is an error.
    pub severity: ConstraintSeverity,
    /// Its expression, from the element it stands on.
    pub expression: &'static str,
    compiled: OnceLock<Option<Path>>,
}

/// How grave it is to break a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ConstraintSeverity {
    Error,
    Warning,
}

impl Constraint {
    /// The expression, compiled at first use. A test reads all those of the tables, so that there
    /// is always one.
    #[must_use]
    pub fn compiled(&self) -> Option<&Expression> {
        self.compiled.get_or_init(|| Path::parse(self.expression).ok()).as_ref().map(Path::expression)
    }
}

/// A row of `constraints.tsv`.
pub(super) struct Row {
    /// Where the constraint stands.
    pub path: &'static str,
    pub by: By,
}

/// Who checks a constraint.
pub(super) enum By {
    Path(Constraint),
    /// The walk of the validator, which knows the key.
    Walk(&'static str),
    Nobody,
}

pub(super) fn read(line: &'static str) -> Option<Row> {
    let mut columns = line.split('\t');
    let (path, key, severity) = (columns.next()?, columns.next()?, columns.next()?);
    let severity = if severity == "warning" { ConstraintSeverity::Warning } else { ConstraintSeverity::Error };
    let by = match columns.next()? {
        "path" => By::Path(Constraint { key, severity, expression: columns.next()?, compiled: OnceLock::new() }),
        "walk" => By::Walk(key),
        _ => By::Nobody,
    };
    Some(Row { path, by })
}
