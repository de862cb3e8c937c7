//! Finding blocks of the trail by time, and by whom their lines are about.

use std::fmt;

use super::{CHAIN_BYTES, Hex, unhex};
use crate::contract::{Instant, StoreError};
use crate::dialect::{Dialect, Value};
use crate::reader::Reader;

/// Where a block stands among all, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// When it was written.
    pub at: Instant,
    chain: [u8; CHAIN_BYTES],
    number: i64,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.at.0, Hex(&self.chain), self.number)
    }
}

impl std::str::FromStr for Spot {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let (Some(at), Some(chain), Some(number), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let number_of = |text: &str| text.parse().map_err(|_| ());
        Ok(Self { at: Instant(number_of(at)?), chain: unhex(chain).ok_or(())?, number: number_of(number)? })
    }
}

/// Lines that were written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it stands.
    pub spot: Spot,
    /// The lines, the oldest first, each with its end of line.
    pub body: Vec<u8>,
}

/// Which blocks are looked at.
#[derive(Clone, Debug)]
pub struct Looking {
    /// Those that have lines about one of these; all when nothing is said.
    pub about: Option<Vec<String>>,
    /// Written at this moment or later.
    pub from: Instant,
    /// Written at this moment or earlier.
    pub until: Instant,
    /// Older than this one.
    pub before: Option<Spot>,
    /// At most so many.
    pub most: u32,
}

impl Reader<'_> {
    /// Blocks of the trail, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Damaged`].
    pub fn audit_latest(&self, looking: &Looking) -> Result<Vec<Block>, StoreError> {
        let Looking { about, from, until, before, most } = looking;
        // Before the first there is nothing; after the last, everything.
        let before = before.unwrap_or(Spot { at: Instant(i64::MAX), chain: [0xff; CHAIN_BYTES], number: i64::MAX });
        let bounds = "at >= ?1 AND at <= ?2 AND (at, chain, number) < (?3, ?4, ?5)";
        let mut values: Vec<Value<'_>> = vec![
            from.0.into(),
            until.0.min(before.at.0).into(),
            before.at.0.into(),
            before.chain.as_slice().into(),
            before.number.into(),
            (*most).into(),
        ];
        let order = "ORDER BY at DESC, chain DESC, number DESC LIMIT ?6";
        let sql = match about {
            None => format!("SELECT at, chain, number FROM audit WHERE number > 0 AND {bounds} {order}"),
            Some(about) => {
                let among = match self.db.dialect() {
                    Dialect::Sqlite => {
                        values.push(text_list(about).into());
                        "about IN (SELECT value FROM json_each(?7))"
                    }
                    Dialect::Postgres => {
                        values.push(Value::Texts(about.as_slice().into()));
                        "about = ANY(?7::text[])"
                    }
                };
                format!("SELECT DISTINCT at, chain, number FROM audit_about WHERE {among} AND {bounds} {order}")
            }
        };
        let found = self.db.all(&sql, &values, |row| Ok((row.int(0)?, row.bytes(1)?.to_vec(), row.int(2)?)))?;
        let mut blocks = Vec::with_capacity(found.len());
        for (at, chain, number) in found {
            let sql = "SELECT body FROM audit WHERE chain = ?1 AND number = ?2";
            let values = [chain.as_slice().into(), number.into()];
            let body = self.db.first(sql, &values, |row| Ok(row.bytes(0)?.to_vec()))?;
            if let (Some(body), Ok(chain)) = (body, chain.try_into()) {
                blocks.push(Block { spot: Spot { at: Instant(at), chain, number }, body });
            }
        }
        Ok(blocks)
    }
}

/// Texts as a JSON list.
fn text_list(texts: &[String]) -> String {
    let mut list = vec![b'['];
    for text in texts {
        if list.len() > 1 {
            list.push(b',');
        }
        liaison_fhir::json::write_string_into(text, &mut list);
    }
    list.push(b']');
    String::from_utf8_lossy(&list).into_owned()
}
