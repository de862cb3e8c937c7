//! The versions of a database that several programs use at the same time, and the steps from one to the
//! next.
//!
//! A step either adds something, which programs that do not know it go on without, or takes something
//! away that no program that is still supported uses: so an old and a new version serve side by side
//! while the store is brought forward. The store says its version, and that of the oldest program that
//! can use it.

use std::time::Duration;

use super::MigrationStep;
use crate::contract::StoreError;
use crate::cursor::CursorKey;
use crate::dialect::postgres::{Address, Connection, Purpose};
use crate::dialect::{Db, unavailable};
use crate::indexing::{self, Claim, Declared, Indexing};
use crate::shard::{MOST, Shards};
use crate::store::MigrateMode;

/// A step, with the oldest program that can use the store after it.
struct Step {
    step: MigrationStep,
    oldest: u32,
}

/// Every step, in order.
const STEPS: &[Step] = &[
    Step {
        step: MigrationStep {
            to: 1,
            title: "tables of the store",
            sql: include_str!("../migrations/postgres/0001_store.sql"),
        },
        oldest: 1,
    },
    Step {
        step: MigrationStep {
            to: 2,
            title: "the store remembers what its index follows",
            sql: include_str!("../migrations/postgres/0002_reindex.sql"),
        },
        // One that keeps no record would write rows that nobody knows the definition of.
        oldest: 2,
    },
    Step {
        step: MigrationStep {
            to: 3,
            title: "what is kept for somebody until a moment",
            sql: include_str!("../migrations/postgres/0003_leases.sql"),
        },
        oldest: 2,
    },
    Step {
        step: MigrationStep {
            to: 4,
            title: "the audit trail",
            sql: include_str!("../migrations/postgres/0004_audit.sql"),
        },
        oldest: 2,
    },
];

/// The version this program works with.
const CURRENT: u32 = match STEPS.last() {
    Some(last) => last.step.to,
    None => 0,
};

/// What a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing yet.
    Empty,
    /// A store.
    Store {
        version: u32,
        /// The version of the oldest program that can use it.
        oldest: u32,
    },
}

/// Held by whoever makes or migrates a store: "LIAI". Whoever comes meanwhile waits for it as long as it takes; for what
/// others are reading no longer than ever, since those who come after wait behind.
const LOCK: &str =
    "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(1279869257); SET LOCAL lock_timeout = '5s'";

/// How long a store is made at most, by this program or another: the disk of the database may be a slow one.
const MAKING: Duration = Duration::from_secs(300);

/// A step may read every row there is.
pub(super) const MIGRATING: Duration = Duration::from_secs(7 * 86_400);

const STATE: &str = "liaison-schema";

/// Says what a database is; refuses what is not ours.
fn state(db: &Connection) -> Result<State, StoreError> {
    let db = Db::Postgres(db, Shards::One);
    let count = |sql: &str| db.first(sql, &[], |row| row.int(0)).map(Option::unwrap_or_default);
    let ours = count(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = current_schema() AND c.relname = 'setting' AND c.relkind = 'r'",
    )?;
    if ours == 0 {
        let others = count(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm')",
        )?;
        return if others == 0 { Ok(State::Empty) } else { Err(StoreError::Foreign) };
    }
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let said = db.first(sql, &[STATE.into()], |row| Ok(row.bytes(0)?.to_vec()))?.ok_or(StoreError::Foreign)?;
    let read = |from: usize| {
        let bytes = said.get(from..from + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or(StoreError::Foreign)
    };
    Ok(State::Store { version: read(0)?, oldest: read(4)? })
}

/// The steps a database in this state still needs. Refuses a store that has no use for this program.
fn missing(state: State) -> Result<&'static [Step], StoreError> {
    let at = match state {
        State::Empty => 0,
        State::Store { version, oldest } if oldest > CURRENT => {
            return Err(StoreError::Schema { found: version, expected: CURRENT });
        }
        State::Store { version, .. } => version,
    };
    let first = STEPS.iter().position(|step| step.step.to > at);
    Ok(first.and_then(|first| STEPS.get(first..)).unwrap_or_default())
}

/// Refuses a store that this program cannot use: older than it, or of a later one that has taken away
/// what this one needs.
pub(crate) fn require_usable(db: &Connection) -> Result<(), StoreError> {
    let found = match state(db)? {
        State::Store { version, oldest } if version >= CURRENT && oldest <= CURRENT => return Ok(()),
        State::Store { version, .. } => version,
        State::Empty => 0,
    };
    Err(StoreError::Schema { found, expected: CURRENT })
}

/// Makes a store of an empty database. Whoever comes at the same time waits until it is made.
pub(crate) fn make_if_empty(db: &Connection, shards: u32) -> Result<(), StoreError> {
    if state(db)? != State::Empty {
        return Ok(());
    }
    in_transaction(db, MAKING, || match state(db)? {
        State::Empty => take(db, STEPS, shards),
        State::Store { .. } => Ok(()),
    })
}

/// The steps that bring a store to this program's version; taken unless only planned.
pub(crate) fn migrate(address: &Address, mode: MigrateMode, shards: u32) -> Result<Vec<MigrationStep>, StoreError> {
    let db = Connection::open(address, Purpose::Write)?;
    let planned = |steps: &[Step]| steps.iter().map(|step| step.step).collect();
    match mode {
        MigrateMode::Plan => missing(state(&db)?).map(planned),
        MigrateMode::Run => in_transaction(&db, MIGRATING, || {
            let steps = missing(state(&db)?)?;
            take(&db, steps, shards)?;
            Ok(planned(steps))
        }),
    }
}

/// How a store is divided.
pub(crate) fn shards(db: &Connection) -> Result<Shards, StoreError> {
    let sql = "SELECT count(*) FROM shard";
    let count = Db::Postgres(db, Shards::One).first(sql, &[], |row| row.int(0))?.unwrap_or_default();
    match u32::try_from(count) {
        Ok(count @ 1..=MOST) => Ok(Shards::Of(count)),
        _ => Err(unavailable(format!("the store is divided into {count} shards"))),
    }
}

/// Says which definitions the rows that this program writes follow, while nobody writes.
pub(crate) fn declare(
    db: &Connection,
    shards: Shards,
    indexing: &Indexing,
    claim: Claim,
) -> Result<Declared, StoreError> {
    let store = Db::Postgres(db, shards);
    if !indexing::must_declare(store, indexing, claim)? {
        return Ok(Declared::AsBefore);
    }
    // Others hold shards for a moment only, unless they are stopped: then this is started again.
    in_transaction(db, MAKING, || {
        db.execute("SELECT shard FROM shard ORDER BY shard FOR UPDATE", &[])?;
        indexing::declare(store, indexing, claim)
    })
}

/// Runs steps, all in the transaction that is open: PostgreSQL takes back tables too.
fn take(db: &Connection, steps: &[Step], shards: u32) -> Result<(), StoreError> {
    for Step { step, oldest } in steps {
        db.run(step.sql)?;
        let said = [step.to.to_le_bytes(), oldest.to_le_bytes()].concat();
        let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        db.execute(sql, &[STATE.into(), said.as_slice().into()])?;
        if step.to == 1 {
            let last = i64::from(shards.clamp(1, MOST)) - 1;
            let sql = "INSERT INTO shard (shard, sequence, resource, updated)
                       SELECT s, 0, 0, 0 FROM generate_series(0, ?1::int8) s";
            db.execute(sql, &[last.into()])?;
            CursorKey::make(Db::Postgres(db, Shards::One))?;
        }
    }
    Ok(())
}

/// Work that only one program does at a time, and that may take so long.
pub(super) fn in_transaction<T>(
    db: &Connection,
    longest: Duration,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    db.within(longest, || {
        db.run("BEGIN")?;
        let done = db.run(LOCK).and_then(|()| work());
        match done {
            Ok(done) => {
                db.run("COMMIT")?;
                Ok(done)
            }
            Err(error) => {
                if !db.is_broken() {
                    db.run("ROLLBACK")?;
                }
                Err(error)
            }
        }
    })
}
