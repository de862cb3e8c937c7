//! What a write is about to do, gathered to be sent at once.
//!
//! A note is a dozen rows in half as many tables, and many notes are committed together: sent row by
//! row, the way to the server and the beginning of each statement cost more than the rows. So rows are
//! gathered by table, over all jobs of a commit, and sent before the next statement that might have to
//! see them. The few questions that nearly every job asks (is there a resource of this name, who holds
//! this key) are answered from what is gathered and from what was read in this transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::value::Column;
use crate::dialect::Value;
use crate::dialect::table::Table;
use crate::moment::Moment;

/// What is known of a resource before it is changed.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) key: i64,
    pub(crate) version: u32,
    pub(crate) live: bool,
    pub(crate) moment: Moment,
    /// Its index rows and unique keys, compact.
    pub(crate) entry: Vec<u8>,
}

type Rows = Vec<Vec<Value<'static>>>;

/// A statement for many rows: its text, how many columns it takes as arrays, and the rows.
pub(crate) type Written = (String, usize, Rows);

/// What is gathered for one statement. In the order in which they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    KeepPast,
    Replace,
    Restate,
    Take(&'static str),
    Put(&'static str),
    Count,
}

/// What was gathered since it was sent last, and what is known in this transaction.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    rows: BTreeMap<Act, (&'static str, usize, Rows)>,
    known: Known,
    /// How often something was sent.
    sent: u64,
}

/// What is known in this transaction.
#[derive(Debug, Default)]
pub(crate) struct Known {
    resources: HashMap<(i64, Box<str>), Option<Resource>>,
    names: HashMap<i64, (i64, Box<str>)>,
    keys: HashMap<(i64, Box<str>), Option<i64>>,
    /// Resources with rows among those gathered.
    touched: HashSet<i64>,
    /// What was there before each change, to take it back.
    journal: Vec<Before>,
}

#[derive(Debug)]
enum Before {
    Resource((i64, Box<str>), Option<Option<Resource>>),
    Key((i64, Box<str>), Option<Option<i64>>),
    Touched(i64),
}

/// A place to which what was gathered can be taken back, unless it was sent.
#[derive(Debug)]
pub(crate) struct Mark {
    rows: BTreeMap<Act, usize>,
    journal: usize,
    sent: u64,
}

impl Staging {
    /// Nothing gathered, nothing known: a transaction begins.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.known = Known::default();
    }

    /// Nothing known any more; all that was gathered was sent.
    pub(super) fn forget(&mut self) {
        self.known = Known::default();
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether rows are to be taken away: that they were there is looked at.
    pub(crate) fn takes_away(&self) -> bool {
        self.rows.keys().any(|act| matches!(act, Act::Take(_) | Act::Replace | Act::Restate))
    }

    /// What waits, to be sent now.
    pub(super) fn take(&mut self) -> Vec<Written> {
        self.sent();
        self.known.touched.clear();
        let rows = std::mem::take(&mut self.rows);
        rows.into_values().map(|(sql, columns, rows)| (sql.to_owned(), columns, rows)).collect()
    }

    /// Something was sent.
    pub(super) fn sent(&mut self) {
        self.sent += 1;
    }

    /// Where it stands.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            rows: self.rows.iter().map(|(act, (_, _, rows))| (*act, rows.len())).collect(),
            journal: self.known.journal.len(),
            sent: self.sent,
        }
    }

    /// Whether anything was sent since.
    pub(crate) fn sent_since(&self, mark: &Mark) -> bool {
        self.sent != mark.sent
    }

    /// Takes back what was gathered since.
    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.rows.retain(|act, (_, _, rows)| {
            let kept = mark.rows.get(act).copied().unwrap_or_default();
            rows.truncate(kept);
            kept > 0
        });
        self.known.back_to(mark.journal);
    }

    fn gather(&mut self, act: Act, sql: &'static str, columns: usize, row: Vec<Value<'static>>) {
        self.rows.entry(act).or_insert_with(|| (sql, columns, Vec::new())).2.push(row);
    }

    /// A row to put in.
    pub(crate) fn put(&mut self, table: &'static Table, values: &[Value<'_>], shard: u32) {
        let row = owned(values, shard);
        self.gather(Act::Put(table.name()), &table.texts().insert_many, row.len(), row);
    }

    /// A row to take away.
    pub(crate) fn take_away(&mut self, table: &'static Table, values: &[Value<'_>], shard: u32) {
        let row = owned(values.get(..table.key()).unwrap_or(values), shard);
        self.gather(Act::Take(table.name()), &table.texts().delete_many, row.len(), row);
    }

    /// The last version of a resource, to take the place of the one before, which is kept.
    pub(crate) fn replace(&mut self, values: &[Value<'_>], until: Option<i64>, shard: u32) {
        if let (Some(until), Some(key)) = (until, values.first()) {
            let row = vec![key.clone().into_owned(), until.into(), i64::from(shard).into()];
            self.gather(Act::KeepPast, KEEP_PAST, row.len(), row);
        }
        let row = owned(values, shard);
        self.gather(Act::Replace, REPLACE, row.len(), row);
    }

    /// Where a last version stands and what finds it, said anew.
    pub(crate) fn restate(&mut self, values: &[Value<'_>], shard: u32) {
        let row = owned(values, shard);
        self.gather(Act::Restate, RESTATE, row.len(), row);
    }

    /// The last numbers given in a shard.
    pub(crate) fn count(&mut self, shard: u32, sequence: i64, resource: i64, updated: i64) {
        let row = vec![sequence.into(), resource.into(), updated.into(), i64::from(shard).into()];
        self.gather(Act::Count, COUNT, row.len(), row);
    }

    /// What is known in this transaction.
    pub(crate) fn known(&mut self) -> &mut Known {
        &mut self.known
    }
}

/// The version before is kept as it stands, before another takes its place.
const KEEP_PAST: &str = "INSERT INTO past (resource, version, sequence, updated, until, instant, change, form, seal, \
      entry, holes, body, shard) \
    SELECT r.key, r.version, r.sequence, r.updated, u.until, r.instant, r.change, r.form, r.seal, r.entry, r.holes, \
      r.body, r.shard \
    FROM unnest(?1::int8[], ?2::int8[], ?3::int4[]) AS u (key, until, shard) \
    CROSS JOIN resource r ON r.key = u.key AND r.shard = u.shard";

const REPLACE: &str = "UPDATE resource SET version = u.version, live = u.live, sequence = u.sequence, \
      updated = u.updated, instant = u.instant, span = u.span, change = u.change, form = u.form, seal = u.seal, \
      facets = u.facets, entry = u.entry, holes = u.holes, body = u.body \
    FROM unnest(?1::int8[], ?2::int4[], ?3::text[], ?4::int4[], ?5::int2[], ?6::int8[], ?7::int8[], ?8::int8[], \
      ?9::int8[], ?10::int2[], ?11::int2[], ?12::int8[], ?13::text[], ?14::bytea[], ?15::bytea[], ?16::bytea[], \
      ?17::int4[]) \
      AS u (key, type, id, version, live, sequence, updated, instant, span, change, form, seal, facets, entry, holes, \
      body, shard) \
    WHERE resource.key = u.key AND resource.shard = u.shard";

const RESTATE: &str = "UPDATE resource SET instant = u.instant, span = u.span, facets = u.facets, entry = u.entry \
    FROM unnest(?1::int8[], ?2::int8[], ?3::int8[], ?4::text[], ?5::bytea[], ?6::int4[]) \
      AS u (key, instant, span, facets, entry, shard) \
    WHERE resource.key = u.key AND resource.shard = u.shard";

const COUNT: &str = "UPDATE shard SET sequence = u.sequence, resource = u.resource, updated = u.updated \
    FROM unnest(?1::int8[], ?2::int8[], ?3::int8[], ?4::int4[]) AS u (sequence, resource, updated, shard) \
    WHERE shard.shard = u.shard";

fn owned(values: &[Value<'_>], shard: u32) -> Vec<Value<'static>> {
    values.iter().cloned().map(Value::into_owned).chain([i64::from(shard).into()]).collect()
}

impl Known {
    /// What is known of a name: nothing, that there is no such resource, or what it is.
    pub(crate) fn resource(&self, kind: i64, id: &str) -> Option<Option<Resource>> {
        self.resources.get(&(kind, Box::from(id))).cloned()
    }

    /// The name of a resource, as far as is known.
    pub(crate) fn name(&self, key: i64) -> Option<(i64, Box<str>)> {
        self.names.get(&key).cloned()
    }

    /// Whether a resource is live, as far as is known.
    pub(crate) fn is_live(&self, key: i64) -> Option<bool> {
        let name = self.names.get(&key)?;
        self.resources.get(name)?.as_ref().map(|resource| resource.live)
    }

    /// Whether what is gathered has rows of a resource.
    pub(crate) fn touches(&self, key: i64) -> bool {
        self.touched.contains(&key)
    }

    /// What was read of a name.
    pub(crate) fn learn(&mut self, kind: i64, id: &str, found: Option<Resource>) {
        if let Some(resource) = &found {
            self.names.insert(resource.key, (kind, id.into()));
        }
        self.resources.insert((kind, id.into()), found);
    }

    /// What a resource becomes by what is gathered.
    pub(crate) fn change(&mut self, kind: i64, id: &str, resource: Resource) {
        let name = (kind, Box::<str>::from(id));
        if self.touched.insert(resource.key) {
            self.journal.push(Before::Touched(resource.key));
        }
        self.names.insert(resource.key, name.clone());
        let before = self.resources.insert(name.clone(), Some(resource));
        self.journal.push(Before::Resource(name, before));
    }

    /// Who holds a key, as far as is known.
    pub(crate) fn holder(&self, scope: i64, key: &str) -> Option<Option<i64>> {
        self.keys.get(&(scope, Box::from(key))).copied()
    }

    /// What was read of a key.
    pub(crate) fn learn_holder(&mut self, scope: i64, key: &str, holder: Option<i64>) {
        self.keys.insert((scope, key.into()), holder);
    }

    /// Who holds a key by what is gathered.
    pub(crate) fn change_holder(&mut self, scope: i64, key: &str, holder: Option<i64>) {
        let key = (scope, Box::<str>::from(key));
        let before = self.keys.insert(key.clone(), holder);
        self.journal.push(Before::Key(key, before));
    }

    fn back_to(&mut self, length: usize) {
        while self.journal.len() > length {
            match self.journal.pop() {
                Some(Before::Resource(name, Some(before))) => drop(self.resources.insert(name, before)),
                Some(Before::Resource(name, None)) => drop(self.resources.remove(&name)),
                Some(Before::Key(key, Some(before))) => drop(self.keys.insert(key, before)),
                Some(Before::Key(key, None)) => drop(self.keys.remove(&key)),
                Some(Before::Touched(key)) => drop(self.touched.remove(&key)),
                None => break,
            }
        }
    }
}

/// Rows on their way.
pub(super) struct Bulk {
    pub(super) statement: Statement,
    pub(super) columns: usize,
    pub(super) rows: Rows,
}

impl Bulk {
    /// Sends them; gives how many rows were changed.
    pub(super) async fn send(&self, client: &Client) -> Result<u64, tokio_postgres::Error> {
        let columns: Vec<_> = (0..self.columns).map(|number| Column { rows: &self.rows, number }).collect();
        client.execute_raw(&self.statement, columns.iter().map(|column| column as &(dyn ToSql + Sync))).await
    }
}
