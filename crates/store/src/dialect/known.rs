//! What a job knows of the store without asking again: what it read, and what it wrote. Nothing on
//! SQLite, where asking costs less than remembering.

use super::{Db, Row, Value, postgres};
use crate::contract::StoreError;

impl Db<'_> {
    /// As [`Db::first`], of a resource of this name.
    pub(crate) fn first_of<T>(
        self,
        kind: i64,
        id: &str,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let untouched = match self {
            // What a job wrote itself is there for it to read.
            Self::Sqlite(_) => false,
            Self::Postgres(db, _) => {
                let mut staging = db.staging.borrow_mut();
                match staging.known().resource(kind, id) {
                    None => true,
                    Some(None) => return Ok(None),
                    Some(Some(resource)) => !staging.known().touches(resource.key),
                }
            }
        };
        if untouched { self.first_before(sql, values, read) } else { self.first(sql, values, read) }
    }

    /// Whether a resource is live, as far as is known without asking.
    pub(crate) fn known_life(self, key: i64) -> Option<bool> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().is_live(key),
        }
    }

    /// Who holds a unique key, as far as is known without asking.
    pub(crate) fn known_holder(self, scope: i64, key: &str) -> Option<Option<i64>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().holder(scope, key),
        }
    }

    /// What was read of a unique key.
    pub(crate) fn learn_holder(self, scope: i64, key: &str, holder: Option<i64>) {
        if let Some(mut staging) = self.remembering() {
            staging.known().learn_holder(scope, key, holder);
        }
    }

    /// Who holds a unique key by what was written.
    pub(crate) fn changed_holder(self, scope: i64, key: &str, holder: Option<i64>) {
        if let Some(mut staging) = self.remembering() {
            staging.known().change_holder(scope, key, holder);
        }
    }

    /// What stands under a name, as far as is known without asking.
    pub(crate) fn known_resource(self, kind: i64, id: &str) -> Option<Option<postgres::Resource>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().resource(kind, id),
        }
    }

    /// What was read of a name.
    pub(crate) fn learn_resource(self, kind: i64, id: &str, found: Option<&postgres::Resource>) {
        if let Some(mut staging) = self.remembering() {
            staging.known().learn(kind, id, found.cloned());
        }
    }

    /// What a resource is by what was written.
    pub(crate) fn changed(self, kind: i64, id: &str, resource: impl FnOnce() -> postgres::Resource) {
        if let Some(mut staging) = self.remembering() {
            staging.known().change(kind, id, resource());
        }
    }

    /// The name of a resource, as far as is known without asking.
    pub(crate) fn known_name(self, key: i64) -> Option<(i64, Box<str>)> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().name(key),
        }
    }

    /// What is remembered in the transaction of a writer.
    fn remembering(&self) -> Option<std::cell::RefMut<'_, postgres::Staging>> {
        match self {
            Self::Postgres(db, _) if db.writes() => Some(db.staging.borrow_mut()),
            _ => None,
        }
    }
}
