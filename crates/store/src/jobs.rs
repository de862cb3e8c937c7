//! Descriptions of long work that was asked for, kept for whichever program is asked next.
//!
//! They lie beside the settings: few, small, and the same for every node.

use crate::contract::StoreError;
use crate::reader::Reader;
use crate::writer::Tx;

const PREFIX: &str = "job:";
/// The least text after all that begin with [`PREFIX`].
const BEYOND: &str = "job;";

/// A description, under the name that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: String,
    /// What it says: whoever put it there can read it.
    pub description: Vec<u8>,
}

impl Reader<'_> {
    /// The job of a name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn job(&self, id: &str) -> Result<Option<Job>, StoreError> {
        let sql = "SELECT value FROM setting WHERE name = ?1";
        self.db.first(sql, &[format!("{PREFIX}{id}").into()], |row| {
            Ok(Job { id: id.to_owned(), description: row.bytes(0)?.to_vec() })
        })
    }

    /// All jobs.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let sql = "SELECT name, value FROM setting WHERE name >= ?1 AND name < ?2 ORDER BY name";
        self.db.all(sql, &[PREFIX.into(), BEYOND.into()], |row| {
            let id = row.text(0)?.strip_prefix(PREFIX).unwrap_or_default().to_owned();
            Ok(Job { id, description: row.bytes(1)?.to_vec() })
        })
    }
}

impl Tx<'_> {
    /// Keeps a job, in the place of one of the same name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn put_job(&mut self, job: &Job) -> Result<(), StoreError> {
        let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let name = format!("{PREFIX}{}", job.id);
        self.db.execute(sql, &[name.into(), job.description.as_slice().into()]).map(drop)
    }

    /// Forgets a job.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn drop_job(&mut self, id: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM setting WHERE name = ?1";
        self.db.execute(sql, &[format!("{PREFIX}{id}").into()]).map(drop)
    }
}
