//! What versions belong to, kept of those that were looked at lately: a version never changes, and to take its
//! body apart costs as much as to read it. It is kept with the version itself as long as that is in memory, and here
//! for those that are read anew.

use std::sync::Arc;

use liaison_care::access::Belonging;
use liaison_store::contract::{Name, Version};
use quick_cache::sync::Cache;

/// As many are kept.
const KEPT: usize = 50_000;

/// A version. Numbers may be given again after a database went back in time, moments are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Which {
    name: Name,
    version: u32,
    updated: i64,
}

/// What was found of a version.
#[derive(Clone, Debug)]
struct Found {
    belonging: Arc<Belonging>,
    /// The addresses of this server by which it was read.
    bases: Arc<[String]>,
}

/// What versions belong to.
pub(crate) struct Belongings(Cache<Which, Found>);

impl std::fmt::Debug for Belongings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Belongings").finish_non_exhaustive()
    }
}

impl Belongings {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self(Cache::new(KEPT))
    }

    /// What a version belongs to, read from it by `read` unless it is known.
    ///
    /// # Errors
    /// What `read` says.
    pub(crate) fn of<E>(
        &self,
        version: &Version,
        bases: &Arc<[String]>,
        read: impl FnOnce() -> Result<Belonging, E>,
    ) -> Result<Arc<Belonging>, E> {
        let fits = |found: &Found| Arc::ptr_eq(&found.bases, bases) || found.bases == *bases;
        if let Some(found) = version.found.get::<Found>().filter(|found| fits(found)) {
            return Ok(Arc::clone(&found.belonging));
        }
        let which = Which { name: version.name.clone(), version: version.version, updated: version.updated.0 };
        if let Some(found) = self.0.get(&which).filter(fits) {
            version.found.keep(Arc::new(found.clone()));
            return Ok(found.belonging);
        }
        let belonging = Arc::new(read()?);
        let found = Found { belonging: Arc::clone(&belonging), bases: Arc::clone(bases) };
        version.found.keep(Arc::new(found.clone()));
        self.0.insert(which, found);
        Ok(belonging)
    }
}
