//! The versions of the store's tables, and the steps from one to the next: here those of a file, in
//! [`shared`] those of a database that several programs use at the same time.

use crate::contract::StoreError;
use crate::dialect::sqlite::{APPLICATION_ID, Connection};
use crate::dialect::unavailable;

pub mod distribution;
pub(crate) mod shared;

/// A step from one version of the tables to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationStep {
    /// The version it leads to; the first is 1.
    pub to: u32,
    /// What it does, in a few words.
    pub title: &'static str,
    /// What it runs.
    pub sql: &'static str,
}

/// Every step, in order.
pub const STEPS: &[MigrationStep] = &[
    MigrationStep { to: 1, title: "tables of the store", sql: include_str!("migrations/sqlite/0001_store.sql") },
    MigrationStep {
        to: 2,
        title: "the store remembers what its index follows",
        sql: include_str!("migrations/sqlite/0002_reindex.sql"),
    },
    MigrationStep {
        to: 3,
        title: "what is kept for somebody until a moment",
        sql: include_str!("migrations/sqlite/0003_leases.sql"),
    },
    MigrationStep { to: 4, title: "the audit trail", sql: include_str!("migrations/sqlite/0004_audit.sql") },
];

/// The version this program works with.
pub const CURRENT: u32 = match STEPS.last() {
    Some(step) => step.to,
    None => 0,
};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing yet.
    Empty,
    /// A store at this version.
    Version(u32),
}

/// Says what a file is; refuses what is not ours.
pub(crate) fn state(db: &Connection) -> Result<State, StoreError> {
    let int = |sql: &str| db.first(sql, &[], |row| row.int(0)).map(|found| found.unwrap_or_default());
    let version = int("PRAGMA user_version")?;
    match int("PRAGMA application_id")? {
        APPLICATION_ID => Ok(State::Version(u32::try_from(version).unwrap_or(u32::MAX))),
        0 if version == 0 && int("SELECT count(*) FROM sqlite_schema")? == 0 => Ok(State::Empty),
        _ => Err(StoreError::Foreign),
    }
}

/// The steps a store in this state still needs. Refuses a store from a newer program.
pub(crate) fn missing(state: State) -> Result<&'static [MigrationStep], StoreError> {
    let at = match state {
        State::Empty => 0,
        State::Version(version) => version,
    };
    if at > CURRENT {
        return Err(StoreError::Schema { found: at, expected: CURRENT });
    }
    Ok(STEPS.iter().position(|step| step.to > at).map_or(&[], |first| STEPS.get(first..).unwrap_or_default()))
}

/// Refuses a store that is not at this program's version.
pub(crate) fn require_current(db: &Connection) -> Result<(), StoreError> {
    match state(db)? {
        State::Version(CURRENT) => Ok(()),
        State::Version(found) => Err(StoreError::Schema { found, expected: CURRENT }),
        State::Empty => Err(StoreError::Schema { found: 0, expected: CURRENT }),
    }
}

/// Runs steps, each in a transaction of its own with the version it leads to.
pub(crate) fn run(db: &Connection, steps: &[MigrationStep]) -> Result<(), StoreError> {
    for step in steps {
        db.run("BEGIN IMMEDIATE")?;
        let done = db
            .run(step.sql)
            .and_then(|()| db.run(&format!("PRAGMA application_id = {APPLICATION_ID}")))
            .and_then(|()| db.run(&format!("PRAGMA user_version = {}", step.to)))
            .and_then(|()| db.run("COMMIT"));
        if let Err(error) = done {
            if db.in_transaction() {
                db.run("ROLLBACK")?;
            }
            return Err(error);
        }
    }
    match state(db)? {
        State::Version(CURRENT) => Ok(()),
        _ => Err(unavailable("migration did not reach the current version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::sqlite::Purpose;

    fn at_version(version: u32) -> Connection {
        let db = Connection::open(std::path::Path::new(":memory:"), Purpose::Memory, 100).unwrap();
        db.run(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}")).unwrap();
        db
    }

    #[test]
    fn a_store_of_another_version_is_refused() {
        let newer = require_current(&at_version(CURRENT + 1));
        assert!(matches!(newer, Err(StoreError::Schema { found, expected: CURRENT }) if found == CURRENT + 1));
        assert!(matches!(missing(State::Version(CURRENT + 1)), Err(StoreError::Schema { .. })));
        let older = require_current(&at_version(CURRENT - 1));
        assert!(matches!(older, Err(StoreError::Schema { found, expected: CURRENT }) if found == CURRENT - 1));
        assert_eq!(missing(State::Version(CURRENT - 1)).unwrap(), [STEPS[STEPS.len() - 1]]);
        assert_eq!(missing(State::Version(CURRENT)).unwrap(), []);
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before() {
        let db = Connection::open(std::path::Path::new(":memory:"), Purpose::Memory, 100).unwrap();
        let broken = MigrationStep { to: 1, title: "broken", sql: "CREATE TABLE a (b); CREATE TABLE a (b)" };
        assert!(run(&db, &[broken]).is_err());
        assert_eq!(state(&db).unwrap(), State::Empty);
    }
}
