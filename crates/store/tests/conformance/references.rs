//! References hold, whatever the order in which a job writes.

use liaison_fhir::search::index::Param;
use liaison_store::contract::{Name, StoreError};

use crate::bench::{Say, create, delete, name, open, update};

const SUBJECT: Param = Param { base: "Note", code: "subject" };

fn places(answer: Result<impl std::fmt::Debug, StoreError>) -> Vec<String> {
    match answer {
        Err(StoreError::Unresolved(links)) => links.into_iter().map(|link| link.place.into()).collect(),
        other => panic!("{other:?}"),
    }
}

fn referrers(answer: Result<impl std::fmt::Debug, StoreError>) -> Vec<Name> {
    match answer {
        Err(StoreError::Referred { by }) => by,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reference_must_resolve() {
    let bench = open();
    let answer = bench.commit(create("Note/1").refers(SUBJECT, "Person/1").links("Person/2")).await;
    assert_eq!(places(answer), ["place of Person/1", "place of Person/2"]);
    bench.commit_all(vec![create("Person/1"), create("Person/2")]).await.unwrap();
    bench.commit(create("Note/1").refers(SUBJECT, "Person/1").links("Person/2")).await.unwrap();
    bench.commit(create("Person/3")).await.unwrap();
    bench.commit(delete("Person/3")).await.unwrap();
    assert_eq!(places(bench.commit(update("Note/1").links("Person/3")).await), ["place of Person/3"]);
}

#[tokio::test]
async fn versions_of_one_job_refer_to_each_other_in_any_order() {
    let bench = open();
    let job = vec![
        create("Note/1").refers(SUBJECT, "Person/1").links("Note/2"),
        create("Note/2").links("Note/1").links("Note/2"),
        create("Person/1"),
    ];
    bench.commit_all(job).await.unwrap();
    let by = bench.read(|reader| reader.referrers(&name("Person/1"), 10));
    assert_eq!(by, [name("Note/1")]);
    assert_eq!(bench.read(|reader| reader.referrers(&name("Note/2"), 10)), [name("Note/1")], "itself left out");
}

#[tokio::test]
async fn what_is_referred_to_is_not_deleted() {
    let bench = open();
    bench
        .commit_all(vec![
            create("Person/1"),
            create("Person/2"),
            create("Note/1").refers(SUBJECT, "Person/1"),
            create("Note/2").links("Person/2"),
        ])
        .await
        .unwrap();
    assert_eq!(referrers(bench.commit(delete("Person/1")).await), [name("Note/1")]);
    assert_eq!(referrers(bench.commit(delete("Person/2")).await), [name("Note/2")]);
    // Together, in either order.
    bench.commit_all(vec![delete("Person/1"), delete("Note/1")]).await.unwrap();
    // After the reference went away.
    bench.commit(update("Note/2")).await.unwrap();
    bench.commit(delete("Person/2")).await.unwrap();
    assert!(bench.read(|reader| reader.referrers(&name("Person/2"), 10)).is_empty());
}

#[tokio::test]
async fn a_deleted_target_may_come_back_in_the_same_job() {
    let bench = open();
    bench.commit_all(vec![create("Person/1"), create("Note/1").links("Person/1")]).await.unwrap();
    bench.commit_all(vec![delete("Person/1"), create("Person/1")]).await.unwrap();
}

#[tokio::test]
async fn an_indexed_reference_that_is_no_link_binds_nobody() {
    let bench = open();
    let mut loose = create("Note/1").refers(SUBJECT, "Person/1");
    loose.links.clear();
    bench.commit(loose).await.unwrap();
    assert!(bench.read(|reader| reader.current(&name("Person/1"))).is_none(), "named, not made");
    bench.commit(create("Person/1")).await.unwrap();
    bench.commit(delete("Person/1")).await.unwrap();
}

#[tokio::test]
async fn referrers_are_named_up_to_a_limit() {
    let bench = open();
    bench.commit(create("Person/1")).await.unwrap();
    for number in 0..12 {
        bench.commit(create(&format!("Note/{number}")).refers(SUBJECT, "Person/1")).await.unwrap();
    }
    assert_eq!(referrers(bench.commit(delete("Person/1")).await).len(), 10);
    assert_eq!(bench.read(|reader| reader.referrers(&name("Person/1"), 3)).len(), 3);
}
