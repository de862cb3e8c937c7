//! What is kept for somebody until a moment, under a name that is found at once: sessions, invitations
//! and the like, for whichever program is asked next.

use crate::contract::{Instant, StoreError};
use crate::dialect::{Dialect, Row};
use crate::reader::Reader;
use crate::writer::Tx;

/// Leases forgotten at most in one go, so that no write waits long for it.
const FORGOTTEN_AT_ONCE: u32 = 1000;

/// Something kept until a moment. The store ends nothing by itself: whoever reads one looks at the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is.
    pub kind: Box<str>,
    /// Its name among those of its kind; of a secret, a digest of it.
    pub id: Box<str>,
    /// Whose it is: all of one owner are found together.
    pub owner: Box<str>,
    /// When it ends.
    pub until: Instant,
    /// What it says: whoever put it there can read it.
    pub value: Vec<u8>,
}

const COLUMNS: &str = "kind, id, owner, until, value";

fn read(row: &Row<'_>) -> Result<Lease, StoreError> {
    Ok(Lease {
        kind: row.text(0)?.into(),
        id: row.text(1)?.into(),
        owner: row.text(2)?.into(),
        until: Instant(row.int(3)?),
        value: row.bytes(4)?.to_vec(),
    })
}

impl Reader<'_> {
    /// The lease of a name, ended or not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn lease(&self, kind: &str, id: &str) -> Result<Option<Lease>, StoreError> {
        // Whoever may change one of the same name waits.
        self.db.need(self.db.shards().of_bytes(id.as_bytes()))?;
        let sql = format!("SELECT {COLUMNS} FROM lease WHERE kind = ?1 AND id = ?2");
        self.db.first(&sql, &[kind.into(), id.into()], read)
    }

    /// All leases of an owner, ended ones too, by their names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn leases_of(&self, kind: &str, owner: &str) -> Result<Vec<Lease>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM lease WHERE kind = ?1 AND owner = ?2 ORDER BY id");
        self.db.all(&sql, &[kind.into(), owner.into()], read)
    }
}

impl Tx<'_> {
    /// Keeps a lease, in the place of one of the same name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn put_lease(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let shard = self.db.shards().of_bytes(lease.id.as_bytes());
        self.db.need(shard)?;
        let mut values = vec![
            (*lease.kind).into(),
            (*lease.id).into(),
            (*lease.owner).into(),
            lease.until.0.into(),
            lease.value.as_slice().into(),
        ];
        let sql = match self.db.dialect() {
            Dialect::Sqlite => {
                "INSERT INTO lease (kind, id, owner, until, value) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (kind, id) DO UPDATE SET owner = ?3, until = ?4, value = ?5"
            }
            Dialect::Postgres => {
                values.push(shard.into());
                "INSERT INTO lease (kind, id, owner, until, value, shard) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (kind, id, shard) DO UPDATE SET owner = ?3, until = ?4, value = ?5"
            }
        };
        self.db.execute(sql, &values).map(drop)
    }

    /// Lets a lease end at another moment; `false` when it is not there: it is never made anew by this.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn extend_lease(&mut self, kind: &str, id: &str, until: Instant) -> Result<bool, StoreError> {
        self.db.need(self.db.shards().of_bytes(id.as_bytes()))?;
        let sql = "UPDATE lease SET until = ?3 WHERE kind = ?1 AND id = ?2";
        Ok(self.db.execute(sql, &[kind.into(), id.into(), until.0.into()])? > 0)
    }

    /// Ends a lease; `false` when it is not there: of two who end the same, one is told `true`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn drop_lease(&mut self, kind: &str, id: &str) -> Result<bool, StoreError> {
        self.db.need(self.db.shards().of_bytes(id.as_bytes()))?;
        let sql = "DELETE FROM lease WHERE kind = ?1 AND id = ?2";
        Ok(self.db.execute(sql, &[kind.into(), id.into()])? > 0)
    }

    /// Forgets leases that ended before a moment, a thousand at most; says how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn forget_leases(&mut self, before: Instant) -> Result<usize, StoreError> {
        let sql = "DELETE FROM lease WHERE (kind, id) IN
                   (SELECT kind, id FROM lease WHERE until < ?1 ORDER BY until LIMIT ?2)";
        self.db.execute(sql, &[before.0.into(), FORGOTTEN_AT_ONCE.into()])
    }
}
