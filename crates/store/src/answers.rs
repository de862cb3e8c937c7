//! Answers kept so that a request sent again gets the same one.

use crate::contract::{Instant, Name, RememberedAnswer, StoreError};
use crate::dialect::{Dialect, damaged};
use crate::entry::{put_number, take, take_number};
use crate::reader::Reader;
use crate::writer::Tx;

/// Answers forgotten at most in one go, so that no write waits long for it.
const FORGOTTEN_AT_ONCE: u32 = 1000;

impl Reader<'_> {
    /// The answer kept under a key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn remembered(&self, key: &str) -> Result<Option<RememberedAnswer>, StoreError> {
        // Whoever may remember one under the same key waits.
        self.db.need(self.db.shards().of_bytes(key.as_bytes()))?;
        self.db.first("SELECT request, at, versions FROM answer WHERE key = ?1", &[key.into()], |row| {
            let request = row.bytes(0)?.try_into().map_err(|_| damaged("a kept answer is not as it was written"))?;
            Ok(RememberedAnswer { request, at: Instant(row.int(1)?), versions: unpack(row.bytes(2)?)? })
        })
    }
}

impl Tx<'_> {
    /// Keeps an answer under a key, in the place of an older one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn remember(&mut self, key: &str, answer: &RememberedAnswer) -> Result<(), StoreError> {
        let shard = self.db.shards().of_bytes(key.as_bytes());
        self.db.need(shard)?;
        let versions = pack(&answer.versions);
        let mut values =
            vec![key.into(), answer.request.as_slice().into(), answer.at.0.into(), versions.as_slice().into()];
        let sql = match self.db.dialect() {
            Dialect::Sqlite => {
                "INSERT INTO answer (key, request, at, versions) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET request = ?2, at = ?3, versions = ?4"
            }
            Dialect::Postgres => {
                values.push(shard.into());
                "INSERT INTO answer (key, request, at, versions, shard) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (key, shard) DO UPDATE SET request = ?2, at = ?3, versions = ?4"
            }
        };
        self.db.execute(sql, &values).map(drop)
    }

    /// Forgets answers older than a moment, a thousand at most; says how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn forget_answers(&mut self, before: Instant) -> Result<usize, StoreError> {
        let sql = "DELETE FROM answer WHERE key IN (SELECT key FROM answer WHERE at < ?1 ORDER BY at LIMIT ?2)";
        self.db.execute(sql, &[before.0.into(), FORGOTTEN_AT_ONCE.into()])
    }
}

fn pack(versions: &[(Name, u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, version) in versions {
        for text in [&name.resource_type, &name.id] {
            put_number(&mut out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        put_number(&mut out, u64::from(*version));
    }
    out
}

fn unpack(mut from: &[u8]) -> Result<Vec<(Name, u32)>, StoreError> {
    let damaged = || damaged("a kept answer is not as it was written");
    let text = |from: &mut &[u8]| -> Result<Box<str>, StoreError> {
        let length = usize::try_from(take_number(from)?).map_err(|_| damaged())?;
        Ok(std::str::from_utf8(take(from, length)?).map_err(|_| damaged())?.into())
    };
    let mut versions = Vec::new();
    while !from.is_empty() {
        let name = Name { resource_type: text(&mut from)?, id: text(&mut from)? };
        versions.push((name, u32::try_from(take_number(&mut from)?).map_err(|_| damaged())?));
    }
    Ok(versions)
}
