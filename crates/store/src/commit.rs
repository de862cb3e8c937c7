//! The one lifecycle of a write: state, body, version row, index rows, keys, attachments, change.

use liaison_fhir::search::index::{IndexRow, IndexValue, Target};
use liaison_pages::seal;

use crate::audit::Made;
use crate::body;
use crate::contract::{
    Change, Committed, Found, Link as NamedLink, Name, Named, NewVersion, StoreError, UniqueKey, Version,
};
use crate::dialect::{Db, Row, Value, postgres, table};
use crate::dictionary::Kind;
use crate::entry::{Entries, Entry, Link};
use crate::moment::Moment;
use crate::rows::Owner;
use crate::versions::{version_number, write_change};
use crate::writer::Tx;

/// A resource before the change.
pub(crate) struct Before {
    pub(crate) key: i64,
    pub(crate) version: u32,
    pub(crate) live: bool,
    pub(crate) moment: Moment,
    pub(crate) entries: Entries,
}

impl Tx<'_> {
    /// Commits a version of a resource, with all that finds it and all that it needs.
    ///
    /// References are checked when the job ends: until then versions may refer to each other in
    /// any order.
    ///
    /// # Errors
    /// [`StoreError::WrongState`], [`StoreError::KeyTaken`], [`StoreError::BlobMissing`],
    /// [`StoreError::Unavailable`]. After an error the job must fail too: what was written before
    /// it is only undone with the whole job.
    pub fn commit_version(&mut self, new: &NewVersion) -> Result<Committed, StoreError> {
        let timeline = self.timeline_for(&new.name.resource_type);
        let grown = self.words.ensure_kind(self.lasting(), &new.name.resource_type, || timeline)?;
        let kind = self.grew(grown);
        let before = self.before(&kind, &new.name.id, new.named)?;
        let shard = self.place(before.as_ref(), new)?;
        let was_live = before.as_ref().is_some_and(|before| before.live);
        if was_live != matches!(new.change, Change::Update | Change::Delete)
            || new.body.is_none() != matches!(new.change, Change::Delete)
        {
            return Err(StoreError::WrongState);
        }
        let updated = self.now();
        let sequence = self.counters.next_change(shard, updated)?;
        self.touch_type(&new.name.resource_type);
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        if let Some(before) = before.as_ref().filter(|before| before.live) {
            self.touch(before.key);
        }
        let key = match &before {
            Some(before) => before.key,
            None => self.new_key(shard)?,
        };

        let moment = Moment::of(&kind, &new.index, updated);
        let facets = self.facets(&new.index)?;
        let entries = self.entries(&kind, key, new)?;
        let (bytes, holes) = new.body.as_ref().map(|body| body::finish(body, version, updated)).unwrap_or_default();
        let live = i64::from(new.change != Change::Delete);
        let seal = seal(&bytes);
        self.counters.sealed(shard, seal)?;
        let values: [Value<'_>; 16] = [
            key.into(),
            kind.key.into(),
            new.name.id.as_ref().into(),
            version.into(),
            live.into(),
            sequence.into(),
            updated.0.into(),
            moment.instant.into(),
            moment.span.into(),
            write_change(new.change).into(),
            new.form.0.into(),
            seal.into(),
            facets.into(),
            Value::Bytes(entries.to_bytes().into()),
            Value::Bytes(body::pack_holes(&holes).into()),
            bytes.as_slice().into(),
        ];
        match &before {
            Some(before) => {
                let until = (before.version > 0).then_some(updated.0);
                self.db.replace(&values, until, shard)?;
            }
            None => self.db.put(&table::RESOURCE, &values, shard)?,
        }
        self.replace_rows(key, moment, before.as_ref(), &entries, &new.unique)?;
        if kind.timeline.is_some() {
            // It bounds how far before a moment searches look.
            let growth = self.words.lengthen(self.lasting(), &kind, moment.span)?;
            self.grew(((), growth));
        }
        self.need_blobs(key, version, new)?;
        let row = [
            sequence.into(),
            kind.key.into(),
            key.into(),
            version.into(),
            updated.0.into(),
            write_change(new.change).into(),
            new.caller.as_ref().into(),
        ];
        self.db.put(&table::CHANGE, &row, shard)?;
        self.db.changed(kind.key, &new.name.id, || postgres::Resource {
            key,
            version,
            live: new.change != Change::Delete,
            moment,
            entry: entries.to_bytes(),
        });
        if new.change == Change::Delete {
            self.pending.deleted.push(key);
        }
        self.made.push(Made { name: new.name.clone(), version, notebook: new.notebook.clone() });
        let stored = Version {
            name: new.name.clone(),
            version,
            updated,
            change: new.change,
            form: new.form,
            body: bytes.into(),
            holes,
            found: Found::default(),
        };
        Ok(Committed { version: stored, shard, sequence: sequence.cast_unsigned() })
    }

    /// What is there before a change.
    pub(crate) fn before(&self, kind: &Kind, id: &str, named: Named) -> Result<Option<Before>, StoreError> {
        match self.db {
            Db::Sqlite(db) => {
                db.first(STANDING, &[kind.key.into(), id.into()], read_standing)?.map(Before::of).transpose()
            }
            // A name made by the server is new, unless something in this job refers to it already.
            Db::Postgres(db, _)
                if named == Named::ByServer && db.staging.borrow_mut().known().resource(kind.key, id).is_none() =>
            {
                Ok(None)
            }
            Db::Postgres(db, _) => {
                let Some(before) = self.standing(kind.key, id)? else { return Ok(None) };
                // Rows of one resource are written once at a time.
                if db.staging.borrow_mut().known().touches(before.key) {
                    db.flush()?;
                }
                Before::of(before).map(Some)
            }
        }
    }

    /// What stands under a name, from what is known in this transaction or from the store.
    fn standing(&self, kind: i64, id: &str) -> Result<Option<postgres::Resource>, StoreError> {
        if let Some(known) = self.db.known_resource(kind, id) {
            return Ok(known);
        }
        let found = self.db.first_before(STANDING, &[kind.into(), id.into()], read_standing)?;
        self.db.learn_resource(kind, id, found.as_ref());
        Ok(found)
    }

    /// The shard that a change is made in, once it is held: nobody else changes what lies there.
    fn place(&self, before: Option<&Before>, new: &NewVersion) -> Result<u32, StoreError> {
        let shards = self.db.shards();
        let own = shards.of_name(&new.name.resource_type, &new.name.id);
        let shard = match (before, &new.notebook) {
            (Some(before), _) => shards.of_key(before.key),
            (None, Some(of)) => shards.of_name(&of.resource_type, &of.id),
            (None, None) => own,
        };
        self.db.need(shard)?;
        if before.is_none() && new.named == Named::ByCaller {
            // Another might be given the same name at the same time, in another notebook.
            self.db.need(own)?;
        }
        if new.change == Change::Delete {
            // Nobody may begin to refer to it meanwhile, wherever that lies.
            self.db.need_everything()?;
        }
        Ok(shard)
    }

    fn new_key(&mut self, shard: u32) -> Result<i64, StoreError> {
        let number = self.counters.next_resource(shard)?;
        Ok(self.db.shards().key(shard, number))
    }

    /// Which parameters the resource has a value for: a character for each, so that presence is a
    /// look at its row.
    pub(crate) fn facets(&mut self, rows: &[IndexRow]) -> Result<String, StoreError> {
        let mut facets = Vec::with_capacity(rows.len());
        for row in rows {
            let param = self.words.ensure_param(self.lasting(), row.param)?;
            facets.push(facet(self.grew(param)));
        }
        facets.sort_unstable();
        facets.dedup();
        Ok(facets.into_iter().collect())
    }

    /// The index rows and unique keys in terms of keys.
    fn entries(&mut self, kind: &Kind, own_key: i64, new: &NewVersion) -> Result<Entries, StoreError> {
        let links = self.links(own_key, new)?;
        let mut entries = self.row_entries(kind, (&new.name, own_key), &new.index, &links)?;
        for unique in &new.unique {
            let scope = self.words.ensure_scope(self.lasting(), unique.scope)?;
            entries.push(Entry::Key { scope: self.grew(scope), key: &unique.key });
        }
        Ok(Entries::new(entries))
    }

    /// What a version links to, each once, with its key.
    fn links<'n>(&mut self, own_key: i64, new: &'n NewVersion) -> Result<Vec<(&'n Name, i64)>, StoreError> {
        // Targets met, with the parameter-less rows still wanted for them. Few: a list will do.
        let mut links: Vec<(&Name, i64)> = Vec::with_capacity(new.links.len());
        for link in &new.links {
            if !links.iter().any(|(name, _)| **name == link.to) {
                let target = if link.to == new.name { own_key } else { self.link_target(link)? };
                links.push((&link.to, target));
            }
        }
        Ok(links)
    }

    /// The index rows in terms of keys, and a row for each link that none of them is of.
    pub(crate) fn row_entries<'n>(
        &mut self,
        kind: &Kind,
        (name, own_key): (&Name, i64),
        index: &'n [IndexRow],
        links: &[(&Name, i64)],
    ) -> Result<Vec<Entry<'n>>, StoreError> {
        let mut uncovered: Vec<i64> = links.iter().map(|(_, target)| *target).collect();
        let mut entries = Vec::with_capacity(index.len() + 2);
        for row in index {
            if Moment::covers(kind, row) {
                continue;
            }
            let param = self.words.ensure_param(self.lasting(), row.param)?;
            let param = self.grew(param);
            entries.push(match &row.value {
                IndexValue::String { exact, folded } => Entry::Text { param, folded, exact },
                IndexValue::Token { system, code } => {
                    Entry::Token { param, system: self.system_key(system.as_deref())?, code }
                }
                IndexValue::Reference(Target::Elsewhere(url)) => Entry::Uri { param, value: url },
                IndexValue::Reference(Target::Local { resource_type, id }) => {
                    let known = links
                        .iter()
                        .find(|(to, _)| *to.resource_type == **resource_type && *to.id == **id)
                        .map(|(_, target)| *target);
                    let (target, link) = match known {
                        Some(target) => (target, Link::Firm),
                        None if *resource_type == *name.resource_type && *id == *name.id => (own_key, Link::Loose),
                        None => (self.target_key(resource_type, id)?, Link::Loose),
                    };
                    uncovered.retain(|other| *other != target);
                    Entry::Reference { param, target, link }
                }
                IndexValue::Date { low, high } => {
                    let moment = Moment::between(*low, *high);
                    Entry::Date { param, low: moment.instant, high: moment.end() }
                }
                IndexValue::Number { low, high } => Entry::Number { param, low: *low, high: *high },
                IndexValue::Quantity { low, high, system, code } => Entry::Quantity {
                    param,
                    low: *low,
                    high: *high,
                    system: self.system_key(system.as_deref())?,
                    code: code.as_deref().unwrap_or_default(),
                },
                IndexValue::Uri(value) => Entry::Uri { param, value },
                IndexValue::Position { latitude, longitude } => {
                    let [x, y, z] = crate::sphere::point(*latitude, *longitude);
                    Entry::Position { param, x, y, z }
                }
            });
        }
        for param in twofold(&entries) {
            let growth = self.words.ensure_twofold(self.lasting(), param)?;
            self.grew(((), growth));
        }
        entries.extend(uncovered.into_iter().map(|target| Entry::Reference { param: 0, target, link: Link::Firm }));
        Ok(entries)
    }

    fn system_key(&mut self, system: Option<&str>) -> Result<i64, StoreError> {
        let Some(name) = system else { return Ok(0) };
        let grown = self.words.ensure_system(self.lasting(), &self.db.key_text(name))?;
        Ok(self.grew(grown))
    }

    /// The key of what is linked to; looked at again at the end when it is not live yet.
    fn link_target(&mut self, link: &NamedLink) -> Result<i64, StoreError> {
        if let Some(kind) = self.words.kind(self.lasting(), &link.to.resource_type)?
            && let Some((key, true)) = self.key_and_life(kind.key, &link.to.id)?
        {
            return Ok(key);
        }
        let target = self.target_key(&link.to.resource_type, &link.to.id)?;
        self.pending.unresolved.push((target, link.clone()));
        Ok(target)
    }

    /// The key of what stands under a name, and whether it is live.
    fn key_and_life(&self, kind: i64, id: &str) -> Result<Option<(i64, bool)>, StoreError> {
        match self.db {
            Db::Sqlite(db) => {
                let sql = "SELECT key, live FROM resource WHERE type = ?1 AND id = ?2";
                db.first(sql, &[kind.into(), id.into()], |row| Ok((row.int(0)?, row.int(1)? == 1)))
            }
            Db::Postgres(..) => Ok(self.standing(kind, id)?.map(|standing| (standing.key, standing.live))),
        }
    }

    /// The key of a name; one is set aside when there is no such resource yet.
    fn target_key(&mut self, resource_type: &str, id: &str) -> Result<i64, StoreError> {
        let timeline = self.timeline_for(resource_type);
        let grown = self.words.ensure_kind(self.lasting(), resource_type, || timeline)?;
        let kind = self.grew(grown);
        if let Some((key, _)) = self.key_and_life(kind.key, id)? {
            return Ok(key);
        }
        let shard = self.db.shards().of_name(resource_type, id);
        self.db.need(shard)?;
        let key = self.new_key(shard)?;
        let (none, nothing) = (Value::Int(0), || Value::Bytes(Vec::new().into()));
        let row = [
            key.into(),
            kind.key.into(),
            id.into(),
            none.clone(),
            none.clone(),
            none.clone(),
            none.clone(),
            none.clone(),
            none.clone(),
            none.clone(),
            none.clone(),
            none,
            "".into(),
            nothing(),
            nothing(),
            nothing(),
        ];
        self.db.put(&table::RESOURCE, &row, shard)?;
        self.db.changed(kind.key, id, || postgres::Resource {
            key,
            version: 0,
            live: false,
            moment: Moment { instant: 0, span: 0 },
            entry: Vec::new(),
        });
        Ok(key)
    }

    /// Makes the index tables say what the new version says, touching only what differs.
    pub(crate) fn replace_rows(
        &self,
        key: i64,
        moment: Moment,
        before: Option<&Before>,
        entries: &Entries,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        let owner = Owner { resource: key, moment };
        let none = Entries::default();
        let Some(before) = before else {
            return entries.iter().try_for_each(|entry| self.insert_row(owner, entry?, unique));
        };
        let old_owner = Owner { resource: key, moment: before.moment };
        // Rows carry the moment of their resource: when it moves they all do.
        let (kept_old, kept_new) = if before.moment == moment { (entries, &before.entries) } else { (&none, &none) };
        before.entries.without(kept_old).try_for_each(|entry| self.remove_row(old_owner, entry?))?;
        entries.without(kept_new).try_for_each(|entry| self.insert_row(owner, entry?, unique))
    }

    fn need_blobs(&self, key: i64, version: u32, new: &NewVersion) -> Result<(), StoreError> {
        let shard = self.db.shards().of_key(key);
        for (at, blob) in new.blobs.iter().enumerate() {
            if new.blobs.iter().take(at).any(|other| other == blob) {
                continue;
            }
            let sql = "SELECT key FROM blob WHERE sha256 = ?1";
            let found = self.db.first_before(sql, &[blob.0.as_slice().into()], |row| row.int(0))?;
            let found = found.ok_or(StoreError::BlobMissing(*blob))?;
            self.db.put(&table::VERSION_BLOB, &[found.into(), key.into(), version.into()], shard)?;
        }
        Ok(())
    }
}

/// What is looked at of a resource before it is changed.
const STANDING: &str = "SELECT key, version, live, instant, span, entry FROM resource WHERE type = ?1 AND id = ?2";

/// What the first columns of a row say of a resource, in the order of [`STANDING`].
pub(crate) fn read_standing(row: &Row<'_>) -> Result<postgres::Resource, StoreError> {
    Ok(postgres::Resource {
        key: row.int(0)?,
        version: version_number(row.int(1)?),
        live: row.int(2)? == 1,
        moment: Moment { instant: row.int(3)?, span: row.int(4)? },
        entry: row.bytes(5)?.to_vec(),
    })
}

impl Before {
    fn of(standing: postgres::Resource) -> Result<Self, StoreError> {
        let postgres::Resource { key, version, live, moment, entry } = standing;
        Ok(Self { key, version, live, moment, entries: Entries::from_bytes(&entry)? })
    }
}

/// The parameters of which one code stands there in several systems.
fn twofold(entries: &[Entry<'_>]) -> Vec<i64> {
    let mut codes: Vec<_> = entries
        .iter()
        .filter_map(|entry| match *entry {
            Entry::Token { param, system, code } => Some((param, code, system)),
            _ => None,
        })
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let same_code = codes.windows(2).filter_map(|two| match two {
        [one, other] if (one.0, one.1) == (other.0, other.1) => Some(one.0),
        _ => None,
    });
    same_code.collect()
}

/// The character that stands for a parameter in a resource's facets.
pub(crate) fn facet(param: i64) -> char {
    // Parameters are counted from 1 and come from the tables of the program: a few thousand.
    // Beyond the surrogates there is room for a million.
    let code = u32::try_from(param).unwrap_or_default().saturating_add(0x100);
    let code = if code >= 0xD800 { code.saturating_add(0x800) } else { code };
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}
