//! Reading one version: the last one of a resource, or one by its number.

use std::sync::Arc;

use compact_str::CompactString;
use liaison_fhir::search::query::ResourceSet;

use crate::body;
use crate::contract::{Change, Form, Found, Instant, Name, StoreError, Version};
use crate::dialect::{Dialect, Row, Value, damaged};
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
            version: Arc::new(version),
            references: references.into(),
        }))
    }
}

/// The resources of these names, each with its place among them.
const OF_NAMES: &str = concat!(
    "SELECT ",
    live_columns!(),
    ", live, u.place FROM unnest(?1::text[], ?2::int8[]) WITH ORDINALITY AS u (name, kind, place) \
     CROSS JOIN resource ON id = u.name AND type = u.kind::int4 WHERE version > 0"
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
            self.read_live_or_dead(&mut LiveRows::new(), row, name)
        })
    }

    /// As [`Reader::current_kept`], of several names at once, where several programs write.
    pub(crate) fn current_of(&self, names: &[Name]) -> Result<Each<Arc<Version>>, StoreError> {
        let mut found: Each<Arc<Version>> = std::iter::repeat_with(|| Ok(None)).take(names.len()).collect();
        self.ask_moment_along();
        let all = names.iter().enumerate();
        let (maybe, unknown): (Vec<_>, Vec<_>) =
            all.partition(|(_, name)| self.followed().is_some_and(|kept| kept.is_kept(name)));
        self.read_names(&unknown, &mut found)?;
        let mut changed = Vec::new();
        for (place, name) in maybe {
            match (self.kept_named(name)?, found.get_mut(place)) {
                (Some(live), Some(found)) => *found = Ok(Some(Arc::clone(&live.version))),
                _ => changed.push((place, name)),
            }
        }
        self.read_names(&changed, &mut found)?;
        Ok(found)
    }

    fn read_names(&self, names: &[(usize, &Name)], found: &mut Each<Arc<Version>>) -> Result<(), StoreError> {
        let (mut ids, mut kinds) = (Vec::with_capacity(names.len()), Vec::with_capacity(names.len()));
        for (_, name) in names {
            ids.push(name.id.to_string());
            // A type that there never was a resource of has the number of none.
            kinds.push(self.words.kind(self.db, &name.resource_type)?.map_or(0, |kind| kind.key));
        }
        if names.is_empty() {
            return Ok(());
        }
        let mut rows = LiveRows::new();
        self.db.each(OF_NAMES, &[Value::Texts(ids.into()), Value::Ints(kinds.into())], |row| {
            let place = usize::try_from(row.int(13)?).ok().and_then(|place| names.get(place.checked_sub(1)?));
            let (place, name) = *place.ok_or_else(|| damaged("an answer to what was not asked"))?;
            if let Some(found) = found.get_mut(place) {
                // One that is damaged is no reason to refuse the others.
                *found = self.read_live_or_dead(&mut rows, row, name).map(Some);
            }
            Ok(())
        })
    }

    fn read_live_or_dead(&self, rows: &mut LiveRows, row: &Row<'_>, name: &Name) -> Result<Arc<Version>, StoreError> {
        if row.int(12)? == 0 {
            return read_version(row, name.clone()).map(Arc::new);
        }
        let live = rows.read(self, row)?;
        self.keep_named(&live)?;
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

    /// The keys of those members of a set that have one, in ascending order.
    pub(crate) fn keys_of(&self, set: &ResourceSet) -> Result<Arc<[i64]>, StoreError> {
        if let Some(known) = self.words.set(set.number()) {
            return Ok(known);
        }
        let Some(kind) = self.words.kind(self.db, set.resource_type())? else { return Ok([].into()) };
        let mut keys: Vec<i64> = match self.db.dialect() {
            Dialect::Sqlite => {
                let sql = "SELECT key FROM resource WHERE type = ?1 AND id = ?2";
                let key =
                    |id: &CompactString| self.db.first(sql, &[kind.key.into(), id.as_str().into()], |row| row.int(0));
                set.ids().filter_map(|id| key(id).transpose()).collect::<Result<_, _>>()?
            }
            Dialect::Postgres => {
                let ids: Vec<String> = set.ids().map(CompactString::to_string).collect();
                let sql = "SELECT key FROM resource WHERE type = ?1 AND id = ANY(?2::text[])";
                self.db.all(sql, &[kind.key.into(), Value::Texts(ids.into())], |row| row.int(0))?
            }
        };
        keys.sort_unstable();
        let keys: Arc<[i64]> = keys.into();
        // What is being written may yet be undone, and its keys given to others.
        if keys.len() == set.ids().len() && self.reads_what_is_committed() {
            self.words.remember_set(set.number(), &keys);
        }
        Ok(keys)
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
        found: Found::default(),
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
