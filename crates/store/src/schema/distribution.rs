//! A store spread over several database servers, by an engine that does that for PostgreSQL.

use crate::contract::StoreError;
use crate::dialect::postgres::{Address, Connection, Purpose};
use crate::schema::shared;

/// What spreads a database over servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The extension `citus`.
    Citus,
}

/// The tables that are whole on every server: names as numbers, settings, and the shards themselves, whose
/// rows are locked together.
pub const WHOLE: [&str; 6] = ["resource_type", "param", "system", "scope", "setting", "shard"];

/// The tables that are divided by their column `shard`, all alike: the rows of a shard lie together.
pub const DIVIDED: [&str; 20] = [
    "resource",
    "past",
    "change",
    "token",
    "reference",
    "uri",
    "string",
    "date",
    "number",
    "quantity",
    "position",
    "unique_key",
    "blob",
    "blob_piece",
    "version_blob",
    "answer",
    "lease",
    "audit",
    "audit_about",
    "reindexing",
];

/// The statements that have an engine distribute a store, in their order.
#[must_use]
pub fn statements(engine: Engine) -> Vec<String> {
    let Engine::Citus = engine;
    let whole = WHOLE.iter().map(|table| format!("SELECT create_reference_table('{table}')"));
    let (first, others) = DIVIDED.split_first().map_or(("", &[][..]), |(first, others)| (*first, others));
    let divided = others
        .iter()
        .map(|table| format!("SELECT create_distributed_table('{table}', 'shard', colocate_with => '{first}')"));
    ["CREATE EXTENSION IF NOT EXISTS citus".to_owned()]
        .into_iter()
        .chain(whole)
        .chain([format!("SELECT create_distributed_table('{first}', 'shard')")])
        .chain(divided)
        .collect()
}

/// Distributes a store that nobody serves meanwhile: all of it, or nothing.
pub(crate) fn distribute(address: &Address, engine: Engine) -> Result<(), StoreError> {
    let db = Connection::open(address, Purpose::Write)?;
    shared::require_usable(&db)?;
    // Moving all of a large store takes as long as it takes.
    db.run("SET statement_timeout = 0")?;
    shared::in_transaction(&db, shared::MIGRATING, || {
        statements(engine).iter().try_for_each(|statement| db.run(statement))
    })
}
