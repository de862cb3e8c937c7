//! Many resources at once: those that a question is held to, whatever it asks.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use compact_str::CompactString;

/// Resources of one type of this server, by their ids. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ResourceSet(Arc<Members>);

#[derive(Debug)]
struct Members {
    number: u64,
    resource_type: &'static str,
    ids: BTreeSet<CompactString>,
    /// Of type and ids: sets are hashed with every question that is held to them.
    digest: u64,
}

/// The number of the next set.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl ResourceSet {
    /// The resources of a type with these ids.
    pub fn new(resource_type: &'static str, ids: impl IntoIterator<Item = CompactString>) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let ids: BTreeSet<CompactString> = ids.into_iter().collect();
        let mut hasher = DefaultHasher::new();
        (resource_type, &ids).hash(&mut hasher);
        Self(Arc::new(Members { number, resource_type, ids, digest: hasher.finish() }))
    }

    /// A number that no other set of this process has, for whoever works something out of its members and
    /// keeps that.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// Their type.
    #[must_use]
    pub fn resource_type(&self) -> &'static str {
        self.0.resource_type
    }

    /// Their ids, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &CompactString> {
        self.0.ids.iter()
    }

    /// Whether a resource is one of them.
    #[must_use]
    pub fn contains(&self, resource_type: &str, id: &str) -> bool {
        resource_type == self.0.resource_type && self.0.ids.contains(id)
    }
}

impl PartialEq for ResourceSet {
    fn eq(&self, other: &Self) -> bool {
        self.resource_type() == other.resource_type() && self.0.ids == other.0.ids
    }
}

impl Eq for ResourceSet {}

impl Hash for ResourceSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest.hash(state);
    }
}
