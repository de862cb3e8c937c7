//! Reading one version: the last one of a resource, or one by its number.

use std::sync::Arc;

use crate::body;
use crate::contract::{Change, Form, Instant, Name, StoreError, Version};
use crate::dialect::{Row, Value, damaged};
use crate::dictionary::Kind;
use crate::entry::each_reference;
use crate::kept::Live;
use crate::reader::Reader;

/// The columns of a version that [`read_version`] expects first in a row, in this order; a name is
/// read apart.
macro_rules! version_columns {
    () => {
        "version, updated, change, form, seal, holes, body"
    };
}
pub(crate) use version_columns;

/// The columns that [`LiveRows::read`] expects, in this order.
macro_rules! live_columns {
    () => {
        concat!(crate::versions::version_columns!(), ", key, type, id, sequence, entry")
    };
}
pub(crate) use live_columns;

/// The same columns of `resource r`, asked for with the number and the seal of what is kept, `u`: what is
/// the same is not sent again. Then whether the resource is live, and whether it is the same.
macro_rules! numbered_columns {
    () => {
        "r.version, r.updated, r.change, r.form, r.seal, \
         CASE WHEN r.sequence = u.sequence AND r.seal = u.seal THEN NULL ELSE r.holes END, \
         CASE WHEN r.sequence = u.sequence AND r.seal = u.seal THEN NULL ELSE r.body END, \
         r.key, r.type, r.id, r.sequence, r.entry, r.live, \
         CASE WHEN r.sequence = u.sequence AND r.seal = u.seal THEN 1 ELSE 0 END"
    };
}
pub(crate) use numbered_columns;

/// Reads rows of live resources, one after the other.
pub(crate) struct LiveRows {
    /// The type of the last row: the next is likely of the same.
    kind: Option<Kind>,
}

impl LiveRows {
    /// No row yet.
    pub(crate) const fn new() -> Self {
        Self { kind: None }
    }

    /// The resource of a row of `live_columns!()`.
    pub(crate) fn read(&mut self, reader: &Reader<'_>, row: &Row<'_>) -> Result<Arc<Live>, StoreError> {
        let number = row.int(8)?;
        let kind = match self.kind.take().filter(|kind| kind.key == number) {
            Some(known) => known,
            None => reader.words.kind_of(reader.db, number)?,
        };
        let version = read_version(row, kind.name(row.text(9)?))?;
        self.kind = Some(kind);
        if version.change == Change::Delete {
            return Err(damaged("a resource that is live was deleted"));
        }
        let mut references = Vec::new();
        each_reference(row.bytes(11)?, |param, target| references.push((param, target)))?;
        Ok(Arc::new(Live {
            key: row.int(7)?,
            kind: number,
            sequence: row.int(10)?,
            seal: row.int(4)?,
            version: Arc::new(version),
            references: references.into(),
        }))
    }

    /// The resource of a row of `numbered_columns!()`, asked for with what was `kept`.
    pub(crate) fn read_numbered(
        &mut self,
        reader: &Reader<'_>,
        row: &Row<'_>,
        kept: impl FnOnce() -> Option<Arc<Live>>,
    ) -> Result<Arc<Live>, StoreError> {
        if row.int(13)? == 0 {
            return self.read(reader, row);
        }
        let kept = kept().ok_or_else(|| damaged("a version that is not kept was not sent"))?;
        // What it leads to may have been read from it anew.
        let (mut known, mut same) = (kept.references.iter(), true);
        let mut references = Vec::new();
        each_reference(row.bytes(11)?, |param, target| {
            same &= known.next() == Some(&(param, target));
            references.push((param, target));
        })?;
        if same && known.next().is_none() {
            return Ok(kept);
        }
        let Live { key, kind, sequence, seal, ref version, .. } = *kept;
        Ok(Arc::new(Live { key, kind, sequence, seal, version: Arc::clone(version), references: references.into() }))
    }
}

/// The resources of these names, each with its place among them: `u` says the number and the seal of what
/// is kept of it.
const OF_NAMES: &str = concat!(
    "SELECT ",
    numbered_columns!(),
    ", u.place FROM unnest(?1::text[], ?2::int8[], ?3::int8[], ?4::int8[]) WITH ORDINALITY \
     AS u (id, type, sequence, seal, place) \
     CROSS JOIN resource r ON r.id = u.id AND r.type = u.type::int4 WHERE r.version > 0"
);

/// What was asked for, one by one.
pub(crate) type Each<T> = Vec<Result<Option<T>, StoreError>>;

impl Reader<'_> {
    /// The last version of a resource, a deletion included. `None` when it never was.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn current(&self, name: &Name) -> Result<Option<Version>, StoreError> {
        let Some(kind) = self.words.kind(self.db, &name.resource_type)? else { return Ok(None) };
        let sql = concat!("SELECT ", version_columns!(), " FROM resource WHERE type = ?1 AND id = ?2 AND version > 0");
        self.db.first_of(kind.key, &name.id, sql, &[kind.key.into(), name.id.as_ref().into()], |row| {
            read_version(row, name.clone())
        })
    }

    /// As [`Reader::current`]; what is live is kept.
    pub(crate) fn current_kept(&self, name: &Name) -> Result<Option<Arc<Version>>, StoreError> {
        let Some(kind) = self.words.kind(self.db, &name.resource_type)? else { return Ok(None) };
        let sql =
            concat!("SELECT ", live_columns!(), ", live FROM resource WHERE type = ?1 AND id = ?2 AND version > 0");
        self.db.first(sql, &[kind.key.into(), name.id.as_ref().into()], |row| {
            if row.int(12)? == 0 {
                return read_version(row, name.clone()).map(Arc::new);
            }
            let live = LiveRows::new().read(self, row)?;
            self.keep_named(&live);
            Ok(Arc::clone(&live.version))
        })
    }

    /// As [`Reader::current_kept`], of several names at once, where several programs write.
    pub(crate) fn current_of(&self, names: &[Name]) -> Result<Each<Arc<Version>>, StoreError> {
        let kept: Vec<_> = names.iter().map(|name| self.numbered().and_then(|kept| kept.read_last_of(name))).collect();
        let mut ids = Vec::with_capacity(names.len());
        let mut kinds = Vec::with_capacity(names.len());
        for name in names {
            ids.push(name.id.to_string());
            // A type that there never was a resource of has the number of none.
            kinds.push(self.words.kind(self.db, &name.resource_type)?.map_or(0, |kind| kind.key));
        }
        let (sequences, seals): (Vec<i64>, Vec<i64>) = kept.iter().map(number_and_seal).unzip();
        let values = [
            Value::Texts(ids.into()),
            Value::Ints(kinds.into()),
            Value::Ints(sequences.into()),
            Value::Ints(seals.into()),
        ];
        let mut found: Each<Arc<Version>> = std::iter::repeat_with(|| Ok(None)).take(names.len()).collect();
        let mut rows = LiveRows::new();
        self.db.each(OF_NAMES, &values, |row| {
            let place = usize::try_from(row.int(14)?).ok().and_then(|place| place.checked_sub(1));
            let place = place.ok_or_else(|| damaged("an answer has no place"))?;
            let (Some(name), Some(found)) = (names.get(place), found.get_mut(place)) else {
                return Err(damaged("an answer has a place that was not asked for"));
            };
            *found = self.current_numbered(&mut rows, row, name, kept.get(place).cloned().flatten()).map(Some);
            Ok(())
        })?;
        Ok(found)
    }

    fn current_numbered(
        &self,
        rows: &mut LiveRows,
        row: &Row<'_>,
        name: &Name,
        kept: Option<Arc<Live>>,
    ) -> Result<Arc<Version>, StoreError> {
        if row.int(12)? == 0 {
            return read_version(row, name.clone()).map(Arc::new);
        }
        let live = rows.read_numbered(self, row, || kept)?;
        self.keep_named(&live);
        Ok(Arc::clone(&live.version))
    }

    /// One version of a resource, a deletion included. `None` when there is none of this number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn version(&self, name: &Name, version: u32) -> Result<Option<Version>, StoreError> {
        let Some(current) = self.current(name)? else { return Ok(None) };
        if current.version == version {
            return Ok(Some(current));
        }
        let Some(key) = self.key_of(name)? else { return Ok(None) };
        let sql = concat!("SELECT ", version_columns!(), " FROM past WHERE resource = ?1 AND version = ?2");
        self.db.first(sql, &[key.into(), version.into()], |row| read_version(row, name.clone()))
    }

    /// The key of a resource, live or not.
    pub(crate) fn key_of(&self, name: &Name) -> Result<Option<i64>, StoreError> {
        let Some(kind) = self.words.kind(self.db, &name.resource_type)? else { return Ok(None) };
        if let Some(known) = self.db.known_resource(kind.key, &name.id) {
            return Ok(known.map(|resource| resource.key));
        }
        let sql = "SELECT key FROM resource WHERE type = ?1 AND id = ?2";
        self.db.first_before(sql, &[kind.key.into(), name.id.as_ref().into()], |row| row.int(0))
    }
}

/// What tells whether what is kept is the last version; numbers that no version has when nothing is kept.
pub(crate) fn number_and_seal(kept: &Option<Arc<Live>>) -> (i64, i64) {
    kept.as_ref().map_or((0, 0), |live| (live.sequence, live.seal))
}

/// Reads a row that begins with `version_columns!()`.
pub(crate) fn read_version(row: &Row<'_>, name: Name) -> Result<Version, StoreError> {
    Ok(Version {
        name,
        version: version_number(row.int(0)?),
        updated: Instant(row.int(1)?),
        change: read_change(row.int(2)?)?,
        form: Form(u8::try_from(row.int(3)?).unwrap_or_default()),
        body: body::opened(row.bytes(6)?, row.int(4)?)?,
        holes: body::unpack_holes(row.bytes(5)?)?,
    })
}

/// A stored version number.
pub(crate) fn version_number(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or_default()
}

/// How a change is stored.
pub(crate) const fn write_change(change: Change) -> i64 {
    match change {
        Change::Create => 1,
        Change::Update => 2,
        Change::Delete => 3,
    }
}

/// Reads what [`write_change`] gave.
pub(crate) fn read_change(stored: i64) -> Result<Change, StoreError> {
    match stored {
        1 => Ok(Change::Create),
        2 => Ok(Change::Update),
        3 => Ok(Change::Delete),
        _ => Err(damaged("a stored change is of no known kind")),
    }
}
