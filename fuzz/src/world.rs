//! A small store, and the trees that are in it.

use std::cell::OnceCell;

use jiff::tz::TimeZone;
use liaison_fhir::{
    json,
    release::r4,
    sample,
    search::{
        evaluate::{Answer, Candidate, evaluate},
        extract::{ExtractContext, extract},
        query::Query,
    },
    tree::Object,
};
use liaison_store::{
    contract::{Change, Form, Name, Named, NewVersion, Page, PageRequest, PreparedBody, StoreError},
    store::{Store, StoreOptions, StoreUrl},
};
use tokio::runtime::Runtime;

use crate::samples;

/// Types of which one made-up resource is there: with values of every kind of search parameter.
const DRAWN: [&str; 24] = [
    "Appointment",
    "AuditEvent",
    "CareTeam",
    "CodeSystem",
    "ConceptMap",
    "Consent",
    "Device",
    "DocumentReference",
    "Encounter",
    "HealthcareService",
    "Location",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Provenance",
    "RelatedPerson",
    "Schedule",
    "Slot",
    "Subscription",
    "Task",
    "ValueSet",
    "Communication",
];

/// A store and what is in it.
pub(crate) struct World {
    runtime: Runtime,
    store: Store,
    live: Vec<Live>,
    zone: TimeZone,
    _folder: tempfile::TempDir,
}

struct Live {
    resource_type: &'static str,
    id: String,
    tree: Object,
    updated: i64,
    sequence: u64,
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// Looks at this thread's world.
pub(crate) fn with_world<T>(look: impl FnOnce(&World) -> T) -> T {
    WORLD.with(|world| look(world.get_or_init(World::build)))
}

impl World {
    fn build() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("world.db"));
        let options = StoreOptions { readers: 1, ..StoreOptions::default() };
        let store = Store::open(&url, options).expect("a store");
        let mut world = Self { runtime, store, live: Vec::new(), zone: TimeZone::UTC, _folder: folder };
        for line in samples::WORLD.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            world.put(json::read(line, &json::Limits::default()).expect("a sample"));
        }
        for resource_type in DRAWN.iter().filter(|name| r4().resource(name).is_some()) {
            world.put(sample::resource(r4(), resource_type, 3));
        }
        world
    }

    fn put(&mut self, tree: Object) {
        let resource_type = tree.resource_type().and_then(|name| r4().resource_name(name)).expect("a type");
        let id = tree.str("id").expect("an id").to_owned();
        let context = ExtractContext { zone: &self.zone, bases: &[] };
        let version = NewVersion {
            name: Name { resource_type: resource_type.into(), id: id.as_str().into() },
            notebook: None,
            named: Named::ByCaller,
            change: Change::Create,
            form: Form(1),
            body: Some(PreparedBody {
                head: format!(r#"{{"resourceType":"{resource_type}","id":"{id}","meta":{{"#).into(),
                tail: "}}".into(),
                holes: Vec::new(),
            }),
            index: extract(&tree, &context),
            links: Vec::new(),
            unique: Vec::new(),
            blobs: Vec::new(),
            caller: "test".into(),
        };
        let written = self.runtime.block_on(self.store.write(move |tx| tx.commit_version(&version)));
        let written: Result<_, StoreError> = written;
        let written = written.expect("a sample is written");
        let (updated, sequence) = (written.version.updated.0, written.sequence);
        self.live.push(Live { resource_type, id, tree, updated, sequence });
    }

    /// A page of the store.
    pub(crate) fn page(&self, query: &Query, request: PageRequest) -> Result<Page, StoreError> {
        let query = query.clone();
        self.runtime.block_on(self.store.read(move |reader| reader.search(&query, &request)))
    }

    /// What the judge in memory finds: the names of matches, in order, and of what comes with them.
    pub(crate) fn judged(&self, query: &Query) -> (Vec<String>, Vec<String>) {
        let candidates: Vec<Candidate<'_>> = self.live.iter().map(Live::candidate).collect();
        let Answer { matches, includes } =
            evaluate(query, &candidates, &ExtractContext { zone: &self.zone, bases: &[] });
        let name = |at: &usize| format!("{}/{}", candidates[*at].resource_type, candidates[*at].id);
        let mut includes: Vec<String> = includes.iter().map(name).collect();
        includes.sort();
        (matches.iter().map(name).collect(), includes)
    }
}

impl Live {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            resource_type: self.resource_type,
            id: &self.id,
            tree: &self.tree,
            last_updated: self.updated,
            order: self.sequence,
        }
    }
}
