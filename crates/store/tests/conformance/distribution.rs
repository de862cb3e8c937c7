//! A store on PostgreSQL can be distributed by shard: what its tables are keyed by, from the catalogue.

use liaison_store::schema::distribution::{DIVIDED, Engine, WHOLE, statements};
use liaison_store::store::Store;
use liaison_test_postgres::Cluster;

use crate::bench::{on_postgres, options};

/// An empty store, and what a statement answers in it: a line a row.
fn catalogue(statements: &[&str]) -> Vec<Vec<String>> {
    let database = Cluster::shared().database();
    let url = liaison_store::store::StoreUrl::parse(&database.url()).unwrap();
    drop(Store::open(&url, options(&std::sync::Arc::default())).unwrap());
    statements.iter().map(|statement| database.sql(statement).lines().map(str::to_owned).collect()).collect()
}

#[test]
fn every_table_is_divided_or_whole() {
    if !on_postgres() {
        return;
    }
    let tables = "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE n.nspname = 'public' AND relkind = 'r' ORDER BY relname COLLATE \"C\"";
    let [there] = &catalogue(&[tables])[..] else { panic!("one answer") };
    let mut known: Vec<_> = WHOLE.iter().chain(&DIVIDED).copied().collect();
    known.sort_unstable();
    assert_eq!(there, &known);
}

#[test]
fn each_key_of_a_divided_table_carries_the_shard_and_nothing_refers_to_another_shard() {
    if !on_postgres() {
        return;
    }
    let divided: Vec<_> = DIVIDED.iter().map(|table| format!("'{table}'")).collect();
    let divided = divided.join(", ");
    let without = format!(
        "SELECT c.relname, i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE i.indisunique AND c.relname IN ({divided}) AND NOT EXISTS (
           SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'shard' AND a.attnum = ANY(i.indkey))"
    );
    let nullable = format!(
        "SELECT c.relname FROM pg_class c WHERE c.relname IN ({divided}) AND c.relkind = 'r' AND NOT EXISTS (
           SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'shard' AND a.attnotnull)"
    );
    let foreign = "SELECT conname FROM pg_constraint WHERE contype = 'f'";
    let keyed = format!(
        "SELECT count(DISTINCT c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE i.indisprimary AND c.relname IN ({divided})"
    );
    let answers = catalogue(&[&without, &nullable, foreign, &keyed]);
    assert_eq!(answers[..3], [Vec::<String>::new(), Vec::new(), Vec::new()]);
    // All but strings, which have no key: a text that is long cannot be one.
    assert_eq!(answers[3], [(DIVIDED.len() - 1).to_string()]);
}

#[test]
fn the_engine_is_asked_for_each_table_once() {
    let asked = statements(Engine::Citus);
    assert_eq!(asked.len(), 1 + WHOLE.len() + DIVIDED.len());
    for table in WHOLE {
        assert!(asked.contains(&format!("SELECT create_reference_table('{table}')")));
    }
    assert_eq!(asked[1 + WHOLE.len()], "SELECT create_distributed_table('resource', 'shard')");
    let beside = |table: &&&str| **table != "resource";
    for table in DIVIDED.iter().filter(beside) {
        let wanted = format!("SELECT create_distributed_table('{table}', 'shard', colocate_with => 'resource')");
        assert!(asked.contains(&wanted), "{wanted}");
    }
}
