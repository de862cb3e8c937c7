//! Making index rows anew, beside whoever reads and writes.
//!
//! A pass goes along the change feed of each shard up to where it stood when the pass began: what was
//! written later follows the definitions of the program that began it, since nobody else may write from
//! then on. A piece of the way is read, its rows are made by the caller, and put in while the one shard is
//! held, together with the place reached. Any process may go on with a pass, or take part in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use liaison_fhir::search::index::IndexRow;
use liaison_pages::seal;

use crate::contract::{Name, Named, StoreError, UniqueKey, Version};
use crate::dialect::{Db, Dialect, Value, postgres, unavailable};
use crate::entry::{Entries, Entry, Link, each_of};
use crate::indexing::{Indexing, Record};
use crate::moment::Moment;
use crate::reader::Reader;
use crate::rows::Owner;
use crate::shard::{Places, Reach};
use crate::versions::read_version;
use crate::writer::Tx;

/// Resources of a piece, at most: others wait for the shard as long as it takes to put them in.
const PIECE: u32 = 100;
/// Bytes of bodies from which a piece is not added to.
const PIECE_BYTES: i64 = 2 << 20;

/// What is to be made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of these types; of all when there are none.
    pub types: Vec<Box<str>>,
    /// Which rows.
    pub rebuild: Rebuild,
}

/// Which rows are made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// Of the types with definitions that the rows do not follow: those that differ.
    Missing,
    /// All of them, also those that are as they should be as far as the store knows.
    All,
}

/// A pass that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What it is, of which definitions, and since when: another is another pass.
    pub(crate) number: u64,
    pub(crate) types: Vec<Box<str>>,
    pub(crate) rebuild: Rebuild,
}

/// How far a pass is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which.
    pub pass: Pass,
    /// Resources done, those among them that were changed meanwhile.
    pub done: u64,
    /// Resources that there were when it began.
    pub all: u64,
    /// The shards that are not done yet.
    pub shards: Vec<u32>,
}

/// A piece of the way of a pass.
#[derive(Clone, Debug)]
pub struct Piece {
    shard: u32,
    from: i64,
    to: i64,
    /// The resources of which rows are wanted, in an order.
    pub resources: Vec<Stored>,
}

/// A resource whose rows are to be made anew.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its last version.
    pub version: Version,
    /// The resources of this server that its rows lead to now.
    pub refers: Vec<Name>,
    /// The addresses elsewhere that its rows lead to now.
    pub elsewhere: Vec<Box<str>>,
    links: Vec<(Name, i64)>,
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// Resources passed.
    pub passed: u64,
    /// Of which the rows were other ones.
    pub changed: u64,
}

impl Pass {
    /// The types whose rows are made anew.
    #[must_use]
    pub fn types(&self) -> &[Box<str>] {
        &self.types
    }
}

impl Piece {
    /// Where its rows will be put in.
    #[must_use]
    pub fn places(&self) -> Places {
        let looks = self.resources.iter().map(|one| one.version.name.clone()).collect();
        Places { shards: vec![self.shard], looks, ..Places::default() }
    }
}

/// Where a pass begins and ends: nobody else writes.
#[must_use]
pub fn everywhere() -> Places {
    Places { reach: Reach::Everywhere, ..Places::default() }
}

impl Wanted {
    /// The types that there is something to do for.
    fn types(&self, indexing: &Indexing, record: &Record) -> Vec<Box<str>> {
        let asked = |name: &str| self.types.is_empty() || self.types.iter().any(|asked| **asked == *name);
        let needed = |name: &str| {
            self.rebuild == Rebuild::All || indexing.of_type(name).any(|fingerprint| !record.is_indexed(fingerprint))
        };
        indexing.types().into_iter().filter(|name| asked(name) && needed(name)).map(Into::into).collect()
    }
}

impl Reader<'_> {
    /// How many resources there are, by shard, of the types that there is something to do for; nothing when
    /// there is nothing to do.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn to_reindex(&self, wanted: &Wanted) -> Result<Option<BTreeMap<u32, u64>>, StoreError> {
        let Some((indexing, _)) = self.indexing else { return Ok(None) };
        let types = wanted.types(indexing, &Record::read(self.db)?.unwrap_or_default());
        if types.is_empty() {
            return Ok(None);
        }
        let sql = match self.db.dialect() {
            Dialect::Sqlite => "SELECT 0, count(*) FROM resource WHERE type = ?1 AND live = 1",
            // The last bits of a key are its shard: for that its index is enough.
            Dialect::Postgres => {
                "SELECT key & 1023, count(*) FROM resource WHERE type = ?1 AND live = 1 GROUP BY key & 1023"
            }
        };
        let mut counted = BTreeMap::new();
        for key in self.kinds_of(&types)? {
            self.db.each(sql, &[key.into()], |row| {
                let shard = u32::try_from(row.int(0)?).unwrap_or_default();
                *counted.entry(shard).or_default() += row.int(1)?.cast_unsigned();
                Ok(())
            })?;
        }
        Ok(Some(counted))
    }

    fn kinds_of(&self, types: &[Box<str>]) -> Result<Vec<i64>, StoreError> {
        let mut kinds = Vec::with_capacity(types.len());
        for name in types {
            kinds.extend(self.words.kind(self.db, name)?.map(|kind| kind.key));
        }
        Ok(kinds)
    }

    pub(crate) fn progress_of(&self, pass: Pass) -> Result<Progress, StoreError> {
        let mut progress = Progress { pass, done: 0, all: 0, shards: Vec::new() };
        self.db.each("SELECT shard, until, reached, wanted, done FROM reindexing ORDER BY shard", &[], |row| {
            let (wanted, done) = (row.int(3)?.cast_unsigned(), row.int(4)?.cast_unsigned());
            let is_done = row.int(2)? >= row.int(1)?;
            progress.all += wanted;
            // What was changed meanwhile is not met on the way, and is done all the same.
            progress.done += if is_done { wanted } else { done.min(wanted) };
            if !is_done {
                progress.shards.push(u32::try_from(row.int(0)?).unwrap_or_default());
            }
            Ok(())
        })?;
        Ok(progress)
    }

    /// The next piece of a shard; nothing when the shard is done.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`]; [`StoreError::Damaged`] when a body is not as it was written;
    /// [`StoreError::Unavailable`].
    pub fn next_piece(&self, pass: &Pass, shard: u32) -> Result<Option<Piece>, StoreError> {
        require_pass(self.db, pass)?;
        let sql = "SELECT reached, until FROM reindexing WHERE shard = ?1";
        let place = self.db.first(sql, &[shard.into()], |row| Ok((row.int(0)?, row.int(1)?)))?;
        let Some((from, until)) = place.filter(|(from, until)| from < until) else { return Ok(None) };
        let kinds = self.kinds_of(&pass.types)?;
        if kinds.is_empty() {
            return Ok(Some(Piece { shard, from, to: until, resources: Vec::new() }));
        }
        let of_shard = match self.db.dialect() {
            Dialect::Sqlite => "",
            Dialect::Postgres => "c.shard = ?4 AND ",
        };
        let mut values: Vec<Value<'_>> = vec![from.into(), until.into(), PIECE.into()];
        if !of_shard.is_empty() {
            values.push(shard.into());
        }
        let first = values.len() + 1;
        let places = (first..first + kinds.len()).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
        values.extend(kinds.iter().map(|kind| Value::from(*kind)));
        let rows = |columns: &str| along_the_feed(columns, of_shard, &places);
        let (mut met, mut bytes, mut to, mut whole) = (0, 0_i64, from, true);
        self.db.each(&rows("c.sequence, length(r.body)"), &values, |row| {
            whole = whole && (met == 0 || bytes < PIECE_BYTES);
            if whole {
                to = row.int(0)?;
            }
            bytes += row.int(1)?;
            met += 1;
            Ok(())
        })?;
        if whole && met < PIECE {
            to = until;
        }
        if let Some(bound) = values.get_mut(1) {
            *bound = to.into();
        }
        let resources = if met == 0 { Vec::new() } else { self.stored(&rows(ROW), &values)? };
        Ok(Some(Piece { shard, from, to, resources }))
    }

    fn stored(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Stored>, StoreError> {
        let mut found: Vec<(Stored, Vec<i64>)> = Vec::new();
        let mut kinds: HashMap<i64, Box<str>> = HashMap::new();
        for kind in self.words.kinds(self.db)? {
            kinds.insert(kind.key, kind.name.as_ref().into());
        }
        self.db.each(sql, values, |row| {
            let resource_type = kinds.get(&row.int(7)?).cloned().unwrap_or_default();
            let version = read_version(row, Name { resource_type, id: row.text(8)?.into() })?;
            let (mut targets, mut elsewhere) = (Vec::new(), Vec::new());
            each_of(row.bytes(9)?, |entry| match entry {
                Entry::Reference { target, .. } => targets.push(target),
                Entry::Uri { value, .. } => elsewhere.push(value.into()),
                _ => {}
            })?;
            targets.sort_unstable();
            targets.dedup();
            found.push((Stored { version, refers: Vec::new(), elsewhere, links: Vec::new() }, targets));
            Ok(())
        })?;
        let names = self.names_of(found.iter().flat_map(|(_, targets)| targets.iter().copied()).collect())?;
        Ok(found
            .into_iter()
            .map(|(stored, targets)| {
                let links: Vec<(Name, i64)> =
                    targets.iter().filter_map(|key| Some((names.get(key)?.clone(), *key))).collect();
                Stored { refers: links.iter().map(|(name, _)| name.clone()).collect(), links, ..stored }
            })
            .collect())
    }

    fn names_of(&self, keys: BTreeSet<i64>) -> Result<HashMap<i64, Name>, StoreError> {
        let mut rows: Vec<(i64, i64, Box<str>)> = Vec::with_capacity(keys.len());
        match self.db {
            Db::Postgres(..) => {
                let keys: Vec<i64> = keys.into_iter().collect();
                let sql = "SELECT key, type, id FROM resource WHERE key = ANY(?1::int8[])";
                rows = self
                    .db
                    .all(sql, &[Value::Ints(keys.into())], |row| Ok((row.int(0)?, row.int(1)?, row.text(2)?.into())))?;
            }
            Db::Sqlite(_) => {
                let sql = "SELECT key, type, id FROM resource WHERE key = ?1";
                for key in keys {
                    rows.extend(
                        self.db.first(sql, &[key.into()], |row| Ok((row.int(0)?, row.int(1)?, row.text(2)?.into())))?,
                    );
                }
            }
        }
        rows.into_iter().map(|(key, kind, id)| Ok((key, self.named(kind, id)?))).collect()
    }
}

/// The resources whose last change lies between two places of a feed, in its order. Types are looked at on the way
/// (`+`): by their index, all there is of them would be sorted for each piece.
fn along_the_feed(columns: &str, of_shard: &str, types: &str) -> String {
    format!(
        "SELECT {columns} FROM change c CROSS JOIN resource r ON r.key = c.resource
         WHERE {of_shard}c.sequence > ?1 AND c.sequence <= ?2 AND +c.type IN ({types})
           AND r.sequence = c.sequence AND r.live = 1
         ORDER BY c.sequence LIMIT ?3"
    )
}

const ROW: &str = "r.version, r.updated, r.change, r.form, r.seal, r.holes, r.body, r.type, r.id, r.entry";

impl Tx<'_> {
    /// Begins a pass, or takes up the one that was begun for the same. From now on only programs of the
    /// same definitions write. Nothing when there is nothing to do. `counted`: how many resources there
    /// are, by shard.
    ///
    /// # Errors
    /// [`StoreError::Superseded`], [`StoreError::Unavailable`].
    pub fn begin_reindexing(
        &mut self,
        wanted: &Wanted,
        counted: &BTreeMap<u32, u64>,
    ) -> Result<Option<Pass>, StoreError> {
        self.db.need_everything()?;
        let Some((indexing, _)) = self.indexing else { return Ok(None) };
        let record = Record::read(self.db)?.unwrap_or_default();
        // Nobody shuts out those who were started last.
        if !indexing.may_write(&record) || record.leader != indexing.digest {
            return Err(StoreError::Superseded);
        }
        let types = wanted.types(indexing, &record);
        if types.is_empty() {
            return Ok(None);
        }
        if let Some(pass) = &record.pass
            && (&pass.types, pass.rebuild) == (&types, wanted.rebuild)
        {
            return Ok(Some(pass.clone()));
        }
        let generation = record.generation + 1;
        let number = seal(&[indexing.digest.to_le_bytes(), generation.to_le_bytes()].concat()).cast_unsigned();
        let pass = Pass { number, types, rebuild: wanted.rebuild };
        self.db.execute("DELETE FROM reindexing", &[])?;
        let sql = "INSERT INTO reindexing (shard, until, reached, wanted, done) VALUES (?1, ?2, 0, ?3, 0)";
        for shard in 0..self.db.shards().count() {
            let until = self.counters.last_change_in(shard)?;
            let count = counted.get(&shard).copied().unwrap_or_default().cast_signed();
            self.db.execute(sql, &[shard.into(), until.into(), count.into()])?;
        }
        Record { generation, fence: indexing.digest, pass: Some(pass.clone()), ..record }.write(self.db)?;
        Ok(Some(pass))
    }

    /// Puts in the rows of a piece, those of its resources that are as they were when it was read, and the
    /// place reached. `rows`: those of each resource, in their order.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`]; [`StoreError::Damaged`] when rows that should be there are not;
    /// [`StoreError::Unavailable`].
    pub fn put_piece(&mut self, pass: &Pass, piece: &Piece, rows: &[Vec<IndexRow>]) -> Result<Put, StoreError> {
        self.db.need(piece.shard)?;
        require_pass(self.db, pass)?;
        let sql = "SELECT reached FROM reindexing WHERE shard = ?1";
        let reached = self.db.first(sql, &[piece.shard.into()], |row| row.int(0))?;
        if reached != Some(piece.from) {
            // Another process was faster, or this is done already.
            return Ok(Put::default());
        }
        if piece.resources.len() != rows.len() {
            return Err(unavailable("rows of other resources"));
        }
        let mut put = Put { passed: rows.len() as u64, changed: 0 };
        for (stored, rows) in piece.resources.iter().zip(rows) {
            put.changed += u64::from(self.reindex(stored, rows, pass.rebuild)? == Rows::Changed);
        }
        let sql = "UPDATE reindexing SET reached = ?2, done = done + ?3 WHERE shard = ?1";
        let values = [piece.shard.into(), piece.to.into(), put.passed.cast_signed().into()];
        match self.db.execute(sql, &values)? {
            1 => Ok(put),
            _ => Err(unavailable("the place reached could not be kept")),
        }
    }

    /// Makes the rows of a resource say what they should.
    fn reindex(&mut self, stored: &Stored, rows: &[IndexRow], rebuild: Rebuild) -> Result<Rows, StoreError> {
        let Stored { version, links, .. } = stored;
        let Some(kind) = self.words.kind(self.lasting(), &version.name.resource_type)? else {
            return Ok(Rows::AsBefore);
        };
        let Some(before) = self.before(&kind, &version.name.id, Named::ByCaller)? else { return Ok(Rows::AsBefore) };
        if !before.live || before.version != version.version {
            // Written since, by the same definitions.
            return Ok(Rows::AsBefore);
        }
        let moment = Moment::of(&kind, rows, version.updated);
        let facets = self.facets(rows)?;
        let mut firm: Vec<(&Name, i64)> = Vec::new();
        let mut kept = Vec::new();
        for entry in before.entries.iter() {
            match entry? {
                Entry::Reference { target, link: Link::Firm, .. } if firm.iter().all(|(_, known)| *known != target) => {
                    let named = links.iter().find(|(_, key)| *key == target);
                    firm.extend(named.map(|(name, key)| (name, *key)));
                }
                key @ Entry::Key { .. } => kept.push(key),
                _ => {}
            }
        }
        let mut entries = self.row_entries(&kind, (&version.name, before.key), rows, &firm)?;
        entries.extend(kept);
        let entries = Entries::new(entries);
        if rebuild == Rebuild::Missing && entries == before.entries && moment == before.moment {
            return Ok(Rows::AsBefore);
        }
        // Before anything of it is committed: who reads it from memory follows its references.
        self.touch_in_place(before.key)?;
        match rebuild {
            Rebuild::Missing => self.replace_rows(before.key, moment, Some(&before), &entries, &[])?,
            Rebuild::All => self.put_rows_anew(before.key, moment, (before.moment, &before.entries), &entries)?,
        }
        let bytes = entries.to_bytes();
        let values = [
            before.key.into(),
            moment.instant.into(),
            moment.span.into(),
            facets.as_str().into(),
            bytes.as_slice().into(),
        ];
        self.db.restate(&values, self.db.shards().of_key(before.key))?;
        if kind.timeline.is_some() {
            let growth = self.words.lengthen(self.lasting(), &kind, moment.span)?;
            self.grew(((), growth));
        }
        let (key, version, live) = (before.key, before.version, before.live);
        let changed = entries != before.entries || moment != before.moment;
        self.db.changed(kind.key, &stored.version.name.id, || postgres::Resource {
            key,
            version,
            live,
            moment,
            entry: bytes,
        });
        Ok(if changed { Rows::Changed } else { Rows::AsBefore })
    }

    /// Takes away what there is of the rows of a resource, whatever that is, and puts them in.
    fn put_rows_anew(
        &self,
        key: i64,
        moment: Moment,
        (then, before): (Moment, &Entries),
        entries: &Entries,
    ) -> Result<(), StoreError> {
        for table in ["reference", "string", "date", "number", "quantity", "position"] {
            self.db.execute(&format!("DELETE FROM {table} WHERE resource = ?1"), &[key.into()])?;
        }
        // No index leads from a resource to these.
        for (owner, entries) in [(then, before), (moment, entries)] {
            let owner = Owner { resource: key, moment: owner };
            for entry in entries.iter() {
                self.forget_row(owner, entry?)?;
            }
        }
        let owner = Owner { resource: key, moment };
        entries.iter().try_for_each(|entry| match entry? {
            Entry::Key { scope, key: unique } => self.hold_key(key, scope, unique),
            entry => self.insert_row(owner, entry, &NO_KEYS),
        })
    }

    /// Ends a pass whose shards are all done: what it was for is ready from then on.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`], [`StoreError::Unavailable`].
    pub fn end_reindexing(&mut self, pass: &Pass) -> Result<(), StoreError> {
        self.db.need_everything()?;
        let record = require_pass(self.db, pass)?;
        let Some((indexing, _)) = self.indexing else { return Err(StoreError::Overtaken) };
        if !self.progress_of(pass.clone())?.shards.is_empty() {
            return Err(unavailable("a pass is not at its end"));
        }
        let mut indexed: BTreeSet<u64> = record.indexed.into_iter().collect();
        indexed.extend(pass.types.iter().flat_map(|name| indexing.of_type(name)));
        self.db.execute("DELETE FROM reindexing", &[])?;
        let indexed = indexed.into_iter().collect();
        Record { generation: record.generation + 1, pass: None, indexed, ..record }.write(self.db)
    }
}

const NO_KEYS: [UniqueKey; 0] = [];

/// What rows were found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    AsBefore,
    Changed,
}

/// The record, while a pass is the one that is being made.
fn require_pass(db: Db<'_>, pass: &Pass) -> Result<Record, StoreError> {
    match Record::read(db)? {
        Some(record) if record.pass.as_ref() == Some(pass) => Ok(record),
        _ => Err(StoreError::Overtaken),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use liaison_fhir::search::definition::Definition;
    use liaison_fhir::search::index::{IndexValue, Param, Target};

    use super::*;
    use crate::contract::{Change, Form, Link as NamedLink, NewVersion, PreparedBody};
    use crate::dialect::sqlite::{Connection, Purpose};
    use crate::store::{Store, StoreOptions, StoreUrl};

    const PARAM: Param = Param { base: "Note", code: "any" };

    fn rows(id: &str) -> Vec<IndexRow> {
        let local = Target::Local { resource_type: "Note".into(), id: "1".into() };
        let values = [
            IndexValue::String { exact: "É".into(), folded: "e".into() },
            IndexValue::Token { system: Some("urn:x".into()), code: id.into() },
            IndexValue::Reference(local),
            IndexValue::Reference(Target::Elsewhere("https://example.org/Note/1".into())),
            IndexValue::Date { low: 1, high: 2 },
            IndexValue::Number { low: 1.0, high: 2.0 },
            IndexValue::Quantity { low: 1.0, high: 2.0, system: None, code: Some("mg".into()) },
            IndexValue::Uri("urn:y".into()),
            IndexValue::Position { latitude: 48.0, longitude: 2.0 },
        ];
        values.into_iter().map(|value| IndexRow { param: PARAM, value }).collect()
    }

    fn note(id: &str) -> NewVersion {
        let first = Name { resource_type: "Note".into(), id: "1".into() };
        NewVersion {
            name: Name { resource_type: "Note".into(), id: id.into() },
            notebook: None,
            named: Named::ByCaller,
            change: Change::Create,
            form: Form(1),
            body: Some(PreparedBody {
                head: Bytes::from_static(b"{"),
                tail: Bytes::from_static(b"}"),
                holes: Vec::new(),
            }),
            index: rows(id),
            links: vec![NamedLink { to: first, place: "place".into() }],
            unique: vec![UniqueKey { scope: "number", key: id.into() }],
            blobs: Vec::new(),
            caller: "tester".into(),
        }
    }

    #[tokio::test]
    async fn a_piece_is_read_along_the_feed_and_sorts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, url) = (dir.path().join("store.db"), StoreUrl::Sqlite(dir.path().join("store.db")));
        Store::open(&url, StoreOptions::default()).unwrap().close().await;
        let db = Connection::open(&path, Purpose::Read, 100).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {}", along_the_feed(ROW, "", "?4, ?5"));
        let steps = Db::from(&db).all(&sql, &[0_i64, 9, 100, 1, 2].map(Value::from), |row| Ok(row.text(3)?.to_owned()));
        let steps = steps.unwrap();
        assert!(steps[0].starts_with("SEARCH c USING INTEGER PRIMARY KEY"), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("B-TREE")), "{steps:?}");
    }

    #[tokio::test]
    async fn rows_that_were_lost_or_do_not_belong_are_made_good() {
        let dir = tempfile::tempdir().unwrap();
        let (path, url) = (dir.path().join("store.db"), StoreUrl::Sqlite(dir.path().join("store.db")));
        let options = || StoreOptions {
            definitions: vec![Definition { param: PARAM, fingerprint: 1 }],
            ..StoreOptions::default()
        };
        let store = Store::open(&url, options()).unwrap();
        for id in ["1", "2", "3"] {
            let new = note(id);
            store.write(move |tx| tx.commit_version(&new)).await.map_err(|error: StoreError| error).unwrap();
        }
        store.close().await;
        let spoil = "DELETE FROM token WHERE code = '2'; DELETE FROM uri; DELETE FROM position; DELETE FROM unique_key;
            DELETE FROM reference WHERE resource = 3; UPDATE date SET low = 0; UPDATE string SET folded = 'f';
            INSERT INTO number VALUES (1, 5, 6, 1)";
        let db = Connection::open(&path, Purpose::Write, 100).unwrap();
        db.run(spoil).unwrap();
        drop(db);
        assert_eq!(Store::check(&url).unwrap().len(), 6, "as far as numbers of rows can tell");

        let store = Store::open(&url, options()).unwrap();
        let wanted = Wanted { types: Vec::new(), rebuild: Rebuild::All };
        let counted = store.read_now(|reader| reader.to_reindex(&wanted)).unwrap().unwrap();
        let pass = store.write_at(everywhere(), move |tx| tx.begin_reindexing(&wanted, &counted)).await;
        let pass = pass.map_err(|error: StoreError| error).unwrap().unwrap();
        let piece = store.read_now(|reader| reader.next_piece(&pass, 0)).unwrap().unwrap();
        let all: Vec<_> = piece.resources.iter().map(|one| rows(&one.version.name.id)).collect();
        let of = pass.clone();
        let put = store.write_at(piece.places(), move |tx| tx.put_piece(&of, &piece, &all)).await;
        assert_eq!(put.map_err(|error: StoreError| error).unwrap(), Put { passed: 3, changed: 0 });
        let end = store.write_at(everywhere(), move |tx| tx.end_reindexing(&pass)).await;
        end.map_err(|error: StoreError| error).unwrap();
        store.close().await;
        assert_eq!(Store::check(&url).unwrap(), []);
        let db = Connection::open(&path, Purpose::Read, 100).unwrap();
        let count = |sql: &str| db.first(sql, &[], |row| row.int(0)).unwrap().unwrap();
        assert_eq!(count("SELECT count(*) FROM date WHERE low = 1"), 3);
        assert_eq!(count("SELECT count(*) FROM string WHERE folded = 'e'"), 3);
        assert_eq!(count("SELECT count(*) FROM number WHERE low = 5"), 0);
        assert_eq!(count("SELECT count(*) FROM unique_key"), 3);
    }
}
