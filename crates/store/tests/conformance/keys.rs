//! Keys that one live resource may hold, and answers kept for repeated requests.

use liaison_store::contract::{Instant, RememberedAnswer, StoreError, UniqueKey};

use crate::bench::{Say, create, delete, name, open, update};

fn key(text: &str) -> UniqueKey {
    UniqueKey { scope: "number", key: text.into() }
}

#[tokio::test]
async fn a_key_has_one_holder() {
    let bench = open();
    bench.commit(create("Note/1").key("number", "a").key("number", "b")).await.unwrap();
    let answer = bench.commit(create("Note/2").key("number", "c").key("number", "b")).await;
    match answer {
        Err(StoreError::KeyTaken { key: taken, holder }) => assert_eq!((taken, holder), (key("b"), name("Note/1"))),
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.read(|reader| reader.holder(&key("c"))), None, "the refused job left nothing");
    assert_eq!(bench.read(|reader| reader.holder(&key("a"))), Some(name("Note/1")));
    // The same key in another scope is another key.
    bench.commit(create("Note/2").key("other", "b")).await.unwrap();
}

#[tokio::test]
async fn a_key_follows_its_resource() {
    let bench = open();
    bench.commit(create("Note/1").key("number", "a")).await.unwrap();
    bench.commit(update("Note/1").key("number", "a").key("number", "b")).await.unwrap();
    bench.commit(update("Note/1").key("number", "b")).await.unwrap();
    assert_eq!(bench.read(|reader| reader.holder(&key("a"))), None);
    bench.commit(delete("Note/1")).await.unwrap();
    assert_eq!(bench.read(|reader| reader.holder(&key("b"))), None);
    bench.commit(create("Note/2").key("number", "b")).await.unwrap();
}

#[tokio::test]
async fn answers_are_kept_replaced_and_forgotten() {
    let bench = open();
    let answer = |byte, at| RememberedAnswer {
        request: [byte; 32],
        versions: vec![(name("Note/1"), 1), (name("Person/é"), 4_000_000_000)],
        at: Instant(at),
    };
    let (first, second) = (answer(1, 10), answer(2, 20));
    let (kept, replaced) = (first.clone(), second.clone());
    let job = bench.store.write(move |tx| -> Result<_, StoreError> {
        tx.remember("k", &kept)?;
        tx.remember("l", &kept)
    });
    job.await.unwrap();
    assert_eq!(bench.read(|reader| reader.remembered("k")), Some(first));
    bench.store.write(move |tx| tx.remember("k", &replaced)).await.unwrap();
    let forgotten = bench.store.write(|tx| tx.forget_answers(Instant(20))).await.unwrap();
    assert_eq!(forgotten, 1);
    assert_eq!(bench.read(|reader| reader.remembered("k")), Some(second));
    assert_eq!(bench.read(|reader| reader.remembered("l")), None);
}
