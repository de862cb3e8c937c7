//! One entry as a row of its index table: writing it, taking it away.

use crate::contract::{Name, StoreError, UniqueKey};
use crate::dialect::sqlite::{damaged, unavailable};
use crate::entry::{Entry, Link};
use crate::moment::Moment;
use crate::writer::Tx;

/// Whose row it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The key of the resource.
    pub(crate) resource: i64,
    /// Its moment.
    pub(crate) moment: Moment,
}

impl Tx<'_> {
    /// Writes a row. `unique`: the keys as they came, to name the one that is taken.
    pub(crate) fn insert_row(&self, owner: Owner, entry: Entry<'_>, unique: &[UniqueKey]) -> Result<(), StoreError> {
        let Owner { resource, moment: Moment { instant, span } } = owner;
        let (sql, values) = match entry {
            Entry::Token { param, system, code } => (
                "INSERT INTO token (param, code, instant, resource, system, span) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &[param.into(), code.into(), instant.into(), resource.into(), system.into(), span.into()][..],
            ),
            Entry::Reference { param, target, link } => (
                "INSERT INTO reference (target, param, instant, resource, span, link) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &[
                    target.into(),
                    param.into(),
                    instant.into(),
                    resource.into(),
                    span.into(),
                    i64::from(link == Link::Firm).into(),
                ][..],
            ),
            Entry::Uri { param, value } => (
                "INSERT INTO uri (param, value, instant, resource, span) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[param.into(), value.into(), instant.into(), resource.into(), span.into()][..],
            ),
            Entry::Text { param, folded, exact } => (
                "INSERT INTO string (param, folded, resource, exact) VALUES (?1, ?2, ?3, ?4)",
                &[param.into(), folded.into(), resource.into(), exact.into()][..],
            ),
            Entry::Date { param, low, high } => (
                "INSERT INTO date (param, low, high, resource) VALUES (?1, ?2, ?3, ?4)",
                &[param.into(), low.into(), high.into(), resource.into()][..],
            ),
            Entry::Number { param, low, high } => (
                "INSERT INTO number (param, low, high, resource) VALUES (?1, ?2, ?3, ?4)",
                &[param.into(), low.into(), high.into(), resource.into()][..],
            ),
            Entry::Quantity { param, low, high, system, code } => (
                "INSERT INTO quantity (param, low, high, resource, system, code) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &[param.into(), low.into(), high.into(), resource.into(), system.into(), code.into()][..],
            ),
            Entry::Position { param, x, y, z } => (
                "INSERT INTO position (param, z, resource, x, y) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[param.into(), z.into(), resource.into(), x.into(), y.into()][..],
            ),
            Entry::Key { scope, key } => return self.take_key(resource, scope, key, unique),
        };
        self.db.execute(sql, values).map(drop)
    }

    /// Takes a row away.
    pub(crate) fn remove_row(&self, owner: Owner, entry: Entry<'_>) -> Result<(), StoreError> {
        let Owner { resource, moment: Moment { instant, .. } } = owner;
        let (sql, values) = match entry {
            Entry::Token { param, system, code } => (
                "DELETE FROM token WHERE param = ?1 AND code = ?2 AND instant = ?3 AND resource = ?4 AND system = ?5",
                &[param.into(), code.into(), instant.into(), resource.into(), system.into()][..],
            ),
            Entry::Reference { param, target, .. } => (
                "DELETE FROM reference WHERE target = ?1 AND param = ?2 AND instant = ?3 AND resource = ?4",
                &[target.into(), param.into(), instant.into(), resource.into()][..],
            ),
            Entry::Uri { param, value } => (
                "DELETE FROM uri WHERE param = ?1 AND value = ?2 AND instant = ?3 AND resource = ?4",
                &[param.into(), value.into(), instant.into(), resource.into()][..],
            ),
            Entry::Text { param, folded, exact } => (
                "DELETE FROM string WHERE param = ?1 AND folded = ?2 AND resource = ?3 AND exact = ?4",
                &[param.into(), folded.into(), resource.into(), exact.into()][..],
            ),
            Entry::Date { param, low, high } => (
                "DELETE FROM date WHERE param = ?1 AND low = ?2 AND high = ?3 AND resource = ?4",
                &[param.into(), low.into(), high.into(), resource.into()][..],
            ),
            Entry::Number { param, low, high } => (
                "DELETE FROM number WHERE param = ?1 AND low = ?2 AND high = ?3 AND resource = ?4",
                &[param.into(), low.into(), high.into(), resource.into()][..],
            ),
            Entry::Quantity { param, low, high, system, code } => (
                "DELETE FROM quantity
                 WHERE param = ?1 AND low = ?2 AND high = ?3 AND resource = ?4 AND system = ?5 AND code = ?6",
                &[param.into(), low.into(), high.into(), resource.into(), system.into(), code.into()][..],
            ),
            Entry::Position { param, x, y, z } => (
                "DELETE FROM position WHERE param = ?1 AND z = ?2 AND resource = ?3 AND x = ?4 AND y = ?5",
                &[param.into(), z.into(), resource.into(), x.into(), y.into()][..],
            ),
            Entry::Key { scope, key } => (
                "DELETE FROM unique_key WHERE scope = ?1 AND key = ?2 AND resource = ?3",
                &[scope.into(), key.into(), resource.into()][..],
            ),
        };
        match self.db.execute(sql, values)? {
            1 => Ok(()),
            _ => Err(damaged("an index row that should be there is not")),
        }
    }

    fn take_key(&self, resource: i64, scope: i64, key: &str, unique: &[UniqueKey]) -> Result<(), StoreError> {
        let sql = "INSERT INTO unique_key (scope, key, resource) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        if self.db.execute(sql, &[scope.into(), key.into(), resource.into()])? == 1 {
            return Ok(());
        }
        for wanted in unique.iter().filter(|wanted| *wanted.key == *key) {
            if self.words.scope(self.db, wanted.scope)? == Some(scope) {
                let holder = self.holder(wanted)?.ok_or_else(|| damaged("a key is taken by nobody"))?;
                return Err(StoreError::KeyTaken { key: wanted.clone(), holder });
            }
        }
        Err(unavailable("a key that was not asked for is taken"))
    }
}

impl crate::reader::Reader<'_> {
    /// The live resource that holds a key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn holder(&self, key: &UniqueKey) -> Result<Option<Name>, StoreError> {
        let Some(scope) = self.words.scope(self.db, key.scope)? else { return Ok(None) };
        let sql = "SELECT r.type, r.id FROM unique_key k CROSS JOIN resource r ON r.key = k.resource
                   WHERE k.scope = ?1 AND k.key = ?2";
        let found = self.db.first(sql, &[scope.into(), key.key.as_ref().into()], |row| {
            Ok((row.int(0)?, Box::<str>::from(row.text(1)?)))
        })?;
        found.map(|(kind, id)| self.named(kind, id)).transpose()
    }

    /// A name from what a row says.
    pub(crate) fn named(&self, kind: i64, id: Box<str>) -> Result<Name, StoreError> {
        Ok(Name { resource_type: self.words.kind_of(self.db, kind)?.name.as_ref().into(), id })
    }
}
