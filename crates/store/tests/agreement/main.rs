//! The store against an independent judge: on random worlds and random questions, what the store
//! finds through its index is what [`evaluate`] finds by looking at every resource.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where it stopped")]

mod dice;
mod question;
mod world;

use std::sync::Arc;
use std::time::Duration;

use liaison_fhir::{
    release,
    search::{
        evaluate::{Candidate, evaluate},
        extract::ExtractContext,
        parse::{Handling, SearchContext, SearchLimits, SearchRequest, parse},
        query::Query,
    },
};
use liaison_store::{
    contract::{Cursor, PageRequest, StoreError, TotalMode, Version},
    store::{Store, StoreUrl},
};
use liaison_test_postgres::Cluster;

use dice::Dice;
use world::World;

const WORLDS: u64 = 24;
const QUESTIONS: usize = 150;

/// Whether the store is on PostgreSQL (`LIAISON_TEST_STORE=postgres`).
fn on_postgres() -> bool {
    std::env::var("LIAISON_TEST_STORE").is_ok_and(|wanted| wanted == "postgres")
}

#[test]
fn the_store_and_an_independent_judge_agree_on_random_questions() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let mut answered = 0;
    let mut found = 0;
    for seed in 0..WORLDS {
        let folder = tempfile::tempdir().unwrap();
        let database = on_postgres().then(|| Cluster::shared().database());
        let url = match &database {
            Some(database) => database.url(),
            None => format!("sqlite:{}", folder.path().join("world.db").display()),
        };
        let mut dice = Dice::new(seed);
        let (store, world) = runtime.block_on(World::build(&StoreUrl::parse(&url).unwrap(), &mut dice));
        for _ in 0..QUESTIONS {
            let (resource_type, pairs) = question::random(&mut dice, &world);
            let query = read(&world, resource_type, &pairs);
            let (matches, includes) = judged(&world, &query);
            let asked = || format!("world {seed}: {resource_type}?{}", question::text(&pairs));
            let whole = runtime.block_on(page(&store, &query, 1_000, None)).unwrap();
            assert_eq!(names(&whole.matches), matches, "matches of {}\n{query:#?}", asked());
            let mut brought = names(&whole.includes);
            brought.sort();
            assert_eq!(brought, includes, "includes of {}\n{query:#?}", asked());
            assert_eq!(whole.total, Some(matches.len() as u64), "total of {}", asked());
            assert_eq!(runtime.block_on(paged(&store, &query)), matches, "pages of {}", asked());
            answered += 1;
            found += matches.len();
        }
        runtime.block_on(store.close());
    }
    // A test whose questions find nothing would prove nothing.
    assert!(answered >= 3_000 && found >= answered, "{found} matches in {answered} answers");
}

fn read(world: &World, resource_type: &'static str, pairs: &[(String, String)]) -> Query {
    let context = SearchContext { zone: &world.zone, now: world.now, bases: &[], limits: SearchLimits::default() };
    let request = SearchRequest {
        release: release::r4(),
        types: &[resource_type],
        pairs,
        handling: Handling::Strict,
        context: &context,
    };
    match parse(&request) {
        Ok(parsed) => parsed.query,
        Err(issues) => panic!("{resource_type}?{} refused: {issues:?}", question::text(pairs)),
    }
}

fn judged(world: &World, query: &Query) -> (Vec<String>, Vec<String>) {
    let candidates: Vec<Candidate<'_>> = world
        .live
        .iter()
        .map(|resource| Candidate {
            resource_type: resource.resource_type,
            id: &resource.id,
            tree: &resource.tree,
            last_updated: resource.updated,
            order: resource.sequence,
        })
        .collect();
    let context = ExtractContext { zone: &world.zone, bases: &[] };
    let answer = evaluate(query, &candidates, &context);
    let name = |position: &usize| format!("{}/{}", candidates[*position].resource_type, candidates[*position].id);
    let mut includes: Vec<String> = answer.includes.iter().map(name).collect();
    includes.sort();
    (answer.matches.iter().map(name).collect(), includes)
}

fn names(versions: &[Arc<Version>]) -> Vec<String> {
    versions.iter().map(|v| format!("{}/{}", v.name.resource_type, v.name.id)).collect()
}

async fn page(
    store: &Store,
    query: &Query,
    count: u32,
    cursor: Option<Cursor>,
) -> Result<liaison_store::contract::Page, StoreError> {
    let (query, deadline) = (query.clone(), Duration::from_secs(20));
    let request = PageRequest { count, cursor, total: TotalMode::Accurate, include_limit: 1_000, deadline };
    store.read(move |reader| reader.search(&query, &request)).await
}

async fn paged(store: &Store, query: &Query) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let next = page(store, query, 4, cursor).await.unwrap();
        assert!(all.is_empty() || !next.matches.is_empty(), "a next page that holds nothing: {query:#?}");
        all.extend(names(&next.matches));
        match next.next {
            Some(place) => cursor = Some(place),
            None => return all,
        }
    }
}
