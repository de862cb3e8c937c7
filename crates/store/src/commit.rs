//! The one lifecycle of a write: state, body, version row, index rows, keys, attachments, change.

use liaison_fhir::search::index::{IndexRow, IndexValue, Target};
use liaison_pages::seal;

use crate::body;
use crate::contract::{
    Change, Committed, Instant, Link as NamedLink, Name, NewVersion, StoreError, UniqueKey, Version,
};
use crate::dialect::Value;
use crate::dictionary::Kind;
use crate::entry::{Entries, Entry, Link};
use crate::moment::Moment;
use crate::rows::Owner;
use crate::versions::write_change;
use crate::writer::Tx;

/// A resource before the change.
struct Before {
    key: i64,
    version: u32,
    live: bool,
    moment: Moment,
    entries: Entries,
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
        let grown = self.words.ensure_kind(self.db, &new.name.resource_type, || timeline)?;
        let kind = self.grew(grown);
        let before = self.before(&kind, &new.name.id)?;
        let was_live = before.as_ref().is_some_and(|before| before.live);
        if was_live != matches!(new.change, Change::Update | Change::Delete)
            || new.body.is_none() != matches!(new.change, Change::Delete)
        {
            return Err(StoreError::WrongState);
        }
        let updated = self.now();
        self.counters.updated = updated.0;
        self.counters.sequence += 1;
        let sequence = self.counters.sequence;
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        if let Some(before) = before.as_ref().filter(|before| before.live) {
            self.touch(before.key);
        }
        let key = before.as_ref().map_or_else(|| self.new_key(), |before| before.key);

        let moment = Moment::of(&kind, &new.index, updated);
        let facets = self.facets(&new.index)?;
        let entries = self.entries(&kind, key, new)?;
        let (bytes, holes) = new.body.as_ref().map(|body| body::finish(body, version, updated)).unwrap_or_default();
        let live = i64::from(new.change != Change::Delete);
        if let Some(before) = &before
            && before.version > 0
        {
            self.keep_past(before.key, updated)?;
        }
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
            seal(&bytes).into(),
            facets.into(),
            Value::Bytes(entries.to_bytes().into()),
            Value::Bytes(body::pack_holes(&holes).into()),
            bytes.as_slice().into(),
        ];
        let sql = if before.is_some() {
            "UPDATE resource SET version = ?4, live = ?5, sequence = ?6, updated = ?7, instant = ?8, span = ?9,
               change = ?10, form = ?11, seal = ?12, facets = ?13, entry = ?14, holes = ?15, body = ?16
             WHERE key = ?1 AND type = ?2 AND id = ?3"
        } else {
            "INSERT INTO resource (key, type, id, version, live, sequence, updated, instant, span,
               change, form, seal, facets, entry, holes, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
        };
        self.db.execute(sql, &values)?;
        self.replace_rows(key, moment, before.as_ref(), &entries, &new.unique)?;
        if kind.timeline.is_some() {
            // It bounds how far before a moment searches look.
            let growth = self.words.lengthen(self.db, &kind, moment.span)?;
            self.grew(((), growth));
        }
        self.need_blobs(key, version, new)?;
        self.db.execute(
            "INSERT INTO change (sequence, type, resource, version, at, change, caller)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &[
                sequence.into(),
                kind.key.into(),
                key.into(),
                version.into(),
                updated.0.into(),
                write_change(new.change).into(),
                new.caller.as_ref().into(),
            ],
        )?;
        if new.change == Change::Delete {
            self.pending.deleted.push(key);
        }
        let stored = Version {
            name: new.name.clone(),
            version,
            updated,
            change: new.change,
            form: new.form,
            body: bytes.into(),
            holes,
        };
        Ok(Committed { version: stored, sequence: sequence.cast_unsigned() })
    }

    fn before(&self, kind: &Kind, id: &str) -> Result<Option<Before>, StoreError> {
        let sql = "SELECT key, version, live, instant, span, entry FROM resource WHERE type = ?1 AND id = ?2";
        self.db.first(sql, &[kind.key.into(), id.into()], |row| {
            Ok(Before {
                key: row.int(0)?,
                version: crate::versions::version_number(row.int(1)?),
                live: row.int(2)? == 1,
                moment: Moment { instant: row.int(3)?, span: row.int(4)? },
                entries: Entries::from_bytes(row.bytes(5)?)?,
            })
        })
    }

    fn new_key(&mut self) -> i64 {
        self.counters.resource += 1;
        self.counters.resource
    }

    /// Copies the last version aside before another takes its place.
    fn keep_past(&self, key: i64, until: Instant) -> Result<(), StoreError> {
        let sql = "INSERT INTO past (resource, version, sequence, updated, until, instant, change, form, seal, entry, holes, body)
                   SELECT key, version, sequence, updated, ?2, instant, change, form, seal, entry, holes, body
                   FROM resource WHERE key = ?1";
        self.db.execute(sql, &[key.into(), until.0.into()]).map(drop)
    }

    /// Which parameters the resource has a value for: a character for each, so that presence is a
    /// look at its row.
    fn facets(&mut self, rows: &[IndexRow]) -> Result<String, StoreError> {
        let mut facets = Vec::with_capacity(rows.len());
        for row in rows {
            let param = self.words.ensure_param(self.db, row.param)?;
            facets.push(facet(self.grew(param)));
        }
        facets.sort_unstable();
        facets.dedup();
        Ok(facets.into_iter().collect())
    }

    /// The index rows and unique keys in terms of keys.
    fn entries(&mut self, kind: &Kind, own_key: i64, new: &NewVersion) -> Result<Entries, StoreError> {
        // Targets met, with the parameter-less rows still wanted for them. Few: a list will do.
        let mut links: Vec<(&Name, i64)> = Vec::with_capacity(new.links.len());
        for link in &new.links {
            if !links.iter().any(|(name, _)| **name == link.to) {
                let target = if link.to == new.name { own_key } else { self.link_target(link)? };
                links.push((&link.to, target));
            }
        }
        let mut uncovered: Vec<i64> = links.iter().map(|(_, target)| *target).collect();
        let mut entries = Vec::with_capacity(new.index.len() + new.unique.len() + 1);
        for row in &new.index {
            if Moment::covers(kind, row) {
                continue;
            }
            let param = self.words.ensure_param(self.db, row.param)?;
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
                        .find(|(name, _)| *name.resource_type == **resource_type && *name.id == **id)
                        .map(|(_, target)| *target);
                    let (target, link) = match known {
                        Some(target) => (target, Link::Firm),
                        None if *resource_type == *new.name.resource_type && *id == *new.name.id => {
                            (own_key, Link::Loose)
                        }
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
            let growth = self.words.ensure_twofold(self.db, param)?;
            self.grew(((), growth));
        }
        entries.extend(uncovered.into_iter().map(|target| Entry::Reference { param: 0, target, link: Link::Firm }));
        for unique in &new.unique {
            let scope = self.words.ensure_scope(self.db, unique.scope)?;
            entries.push(Entry::Key { scope: self.grew(scope), key: &unique.key });
        }
        Ok(Entries::new(entries))
    }

    fn system_key(&mut self, system: Option<&str>) -> Result<i64, StoreError> {
        let Some(name) = system else { return Ok(0) };
        let grown = self.words.ensure_system(self.db, name)?;
        Ok(self.grew(grown))
    }

    /// The key of what is linked to; looked at again at the end when it is not live yet.
    fn link_target(&mut self, link: &NamedLink) -> Result<i64, StoreError> {
        if let Some(kind) = self.words.kind(self.db, &link.to.resource_type)? {
            let sql = "SELECT key, live FROM resource WHERE type = ?1 AND id = ?2";
            let found = self
                .db
                .first(sql, &[kind.key.into(), link.to.id.as_ref().into()], |row| Ok((row.int(0)?, row.int(1)?)))?;
            if let Some((key, 1)) = found {
                return Ok(key);
            }
        }
        let target = self.target_key(&link.to.resource_type, &link.to.id)?;
        self.pending.unresolved.push((target, link.clone()));
        Ok(target)
    }

    /// The key of a name; one is set aside when there is no such resource yet.
    fn target_key(&mut self, resource_type: &str, id: &str) -> Result<i64, StoreError> {
        let timeline = self.timeline_for(resource_type);
        let grown = self.words.ensure_kind(self.db, resource_type, || timeline)?;
        let kind = self.grew(grown);
        let sql = "SELECT key FROM resource WHERE type = ?1 AND id = ?2";
        if let Some(key) = self.db.first(sql, &[kind.key.into(), id.into()], |row| row.int(0))? {
            return Ok(key);
        }
        let key = self.new_key();
        self.db.execute(
            "INSERT INTO resource (key, type, id, version, live, sequence, updated, instant, span,
               change, form, seal, facets, entry, holes, body)
             VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', x'', x'', x'')",
            &[key.into(), kind.key.into(), id.into()],
        )?;
        Ok(key)
    }

    /// Makes the index tables say what the new version says, touching only what differs.
    fn replace_rows(
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
        for blob in &new.blobs {
            let sql = "INSERT INTO version_blob (blob, resource, version)
                       SELECT key, ?2, ?3 FROM blob WHERE sha256 = ?1 ON CONFLICT DO NOTHING";
            let values = [blob.0.as_slice().into(), key.into(), version.into()];
            if self.db.execute(sql, &values)? == 0 && self.blob_length(*blob)?.is_none() {
                return Err(StoreError::BlobMissing(*blob));
            }
        }
        Ok(())
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
