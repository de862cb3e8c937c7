//! What a page gives: rows of `resource` read as versions, with the references that are followed.

use super::include::Step;
use crate::contract::{StoreError, Version};
use crate::dialect::Row;
use crate::dialect::sqlite::Keyed;
use crate::dictionary::Kind;
use crate::entry::each_reference;
use crate::reader::Reader;
use crate::versions::{read_version, version_columns};

/// The columns that [`Rows::read`] expects first in a row.
macro_rules! columns {
    () => {
        concat!(version_columns!(), ", type, id, entry")
    };
}

/// Those columns.
pub(super) const COLUMNS: &str = columns!();
/// How many they are.
pub(super) const WIDTH: usize = 10;

/// A resource that is given in a page.
pub(crate) struct Found {
    pub(crate) key: i64,
    /// The key of its type.
    pub(crate) kind: i64,
    /// Parameter and target of its references, in the order of parameters.
    pub(crate) references: Vec<(i64, i64)>,
}

/// Reads rows, one after the other.
pub(super) struct Rows<'r> {
    reader: &'r Reader<'r>,
    /// What is followed from them.
    steps: &'r [Step],
    /// The type of the last row: the next is likely of the same.
    kind: Option<Kind>,
}

impl<'r> Rows<'r> {
    /// Rows from which these steps are taken.
    pub(super) const fn new(reader: &'r Reader<'r>, steps: &'r [Step]) -> Self {
        Self { reader, steps, kind: None }
    }

    /// The resource of this key, from a row that begins with [`COLUMNS`].
    pub(super) fn read(&mut self, row: &Row<'_>, key: i64) -> Result<(Version, Found), StoreError> {
        let number = row.int(7)?;
        let kind = match self.kind.take().filter(|kind| kind.key == number) {
            Some(known) => known,
            None => self.reader.words.kind_of(self.reader.db, number)?,
        };
        let version = read_version(row, kind.name(row.text(8)?))?;
        self.kind = Some(kind);
        let mut references = Vec::new();
        if self.steps.iter().any(Step::is_forward) {
            each_reference(row.bytes(9)?, |param, target| {
                if self.steps.iter().any(|step| step.follows(param)) {
                    references.push((param, target));
                }
            })?;
        }
        Ok((version, Found { key, kind: number, references }))
    }
}

/// Live resources, by key.
pub(super) struct Live<'r> {
    statement: Keyed<'r>,
    rows: Rows<'r>,
}

impl<'r> Live<'r> {
    /// Resources from which these steps are taken.
    pub(super) fn new(reader: &'r Reader<'r>, steps: &'r [Step]) -> Result<Self, StoreError> {
        let statement =
            reader.db.keyed(concat!("SELECT ", columns!(), " FROM resource WHERE key = ?1 AND live = 1"))?;
        Ok(Self { statement, rows: Rows::new(reader, steps) })
    }

    /// The last version of a resource; nothing when it is not live.
    pub(super) fn get(&mut self, key: i64) -> Result<Option<(Version, Found)>, StoreError> {
        let Self { statement, rows } = self;
        statement.row(key, |row| rows.read(row, key))
    }
}
