//! Attachments that are kept elsewhere than in the database.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use liaison_store::contract::{NewBlob, StoreError};
use liaison_store::objects::{Asked, Objects};
use liaison_store::store::{Store, StoreOptions};
use liaison_store::writer::Tx;

use crate::bench::{Bench, create, open, options, somewhere};

/// A store of objects in memory, which can be away.
#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, Bytes>>,
    away: AtomicBool,
}

impl Memory {
    fn answer<T: Send + 'static>(&self, done: Result<T, StoreError>) -> Asked<'_, T> {
        let away = self.away.load(Ordering::SeqCst);
        Box::pin(async move { if away { Err(StoreError::Unavailable("away".into())) } else { done } })
    }

    fn count(&self) -> usize {
        self.objects.lock().unwrap().len()
    }
}

impl Objects for Memory {
    fn place(&self) -> &str {
        "memory"
    }

    fn put<'o>(&'o self, name: &'o str, bytes: Bytes) -> Asked<'o, ()> {
        if !self.away.load(Ordering::SeqCst) {
            assert!(self.objects.lock().unwrap().insert(name.to_owned(), bytes).is_none(), "{name} is used twice");
        }
        self.answer(Ok(()))
    }

    fn get<'o>(&'o self, name: &'o str, range: Range<u64>) -> Asked<'o, Bytes> {
        let bytes = self.objects.lock().unwrap().get(name).cloned();
        let part = |bytes: Bytes| bytes.slice(range.start as usize..range.end as usize);
        self.answer(bytes.map(part).ok_or_else(|| StoreError::Damaged("gone".into())))
    }

    fn remove<'o>(&'o self, name: &'o str) -> Asked<'o, ()> {
        self.objects.lock().unwrap().remove(name);
        self.answer(Ok(()))
    }
}

fn open_elsewhere() -> (Bench, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    let (url, place) = somewhere();
    let clock = Arc::new(std::sync::atomic::AtomicI64::new(1_700_000_000_000_000));
    let attachments: Arc<dyn Objects> = memory.clone();
    let store = Store::open(&url, StoreOptions { attachments: Some(attachments), ..options(&clock) }).unwrap();
    (Bench { store, url, clock, _place: place }, memory)
}

fn bytes(seed: u8) -> NewBlob {
    NewBlob::new((0..300_000_u32).map(|number| (number % 251) as u8 ^ seed).collect::<Vec<u8>>().into())
}

/// Commits a version with an attachment.
fn with(id: &'static str, blob: NewBlob) -> impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static {
    move |tx| {
        tx.put_blob(&blob)?;
        let mut note = create(id);
        note.blobs = vec![blob.id()];
        tx.commit_version(&note).map(drop)
    }
}

#[tokio::test]
async fn they_are_put_once_and_come_back() {
    let (bench, memory) = open_elsewhere();
    let blob = bytes(1);
    bench.store.write(with("Note/1", blob.clone())).await.unwrap();
    bench.store.write(with("Note/2", blob.clone())).await.unwrap();
    assert_eq!((memory.count(), bench.changes()), (1, 2));
    let mut reader = bench.store.blob(blob.id()).await.unwrap().unwrap().range(262_100..262_200);
    let mut part = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        part.extend_from_slice(&piece);
    }
    assert_eq!(part, blob.bytes()[262_100..262_200]);
    let id = blob.id();
    let whole = bench.store.read_again(move |reader| reader.blob_bytes(id)).await;
    let whole: Option<Bytes> = whole.map_err(|error: StoreError| error).unwrap();
    assert_eq!(whole.unwrap(), blob.bytes());
}

#[tokio::test]
async fn the_same_at_the_same_moment_are_kept_once() {
    let (bench, memory) = open_elsewhere();
    let ids = ["Note/1", "Note/2", "Note/3", "Note/4", "Note/5", "Note/6", "Note/7", "Note/8"];
    let jobs: Vec<_> = ids.into_iter().map(|id| tokio::spawn(bench.store.write(with(id, bytes(2))))).collect();
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    assert_eq!((memory.count(), bench.changes()), (1, 8), "what was put in vain is removed");
}

#[tokio::test]
async fn without_it_nothing_is_committed() {
    let (bench, memory) = open_elsewhere();
    memory.away.store(true, Ordering::SeqCst);
    let answer = bench.store.write(with("Note/1", bytes(3))).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    assert_eq!(bench.changes(), 0);
    memory.away.store(false, Ordering::SeqCst);
    bench.store.write(with("Note/1", bytes(3))).await.unwrap();
    assert_eq!((memory.count(), bench.changes()), (1, 1));
}

#[tokio::test]
async fn a_job_that_goes_on_without_what_it_needs_is_not_committed_without() {
    let (bench, memory) = open_elsewhere();
    let blob = bytes(4);
    let careless = move |tx: &mut Tx<'_>| {
        let put = tx.put_blob(&blob).is_ok();
        tx.commit_version(&create("Note/1")).map(|_| put)
    };
    assert!(bench.store.write(careless).await.unwrap(), "it was run again");
    assert_eq!((memory.count(), bench.changes()), (1, 1), "and committed once");
}

#[tokio::test]
async fn what_is_collected_is_removed_after_its_row() {
    let (bench, memory) = open_elsewhere();
    let (needed, orphan) = (bytes(5), bytes(6));
    bench.store.write(with("Note/1", needed.clone())).await.unwrap();
    let put = orphan.clone();
    bench.store.write(move |tx| tx.put_blob(&put)).await.unwrap();
    assert_eq!(memory.count(), 2);
    bench.clock.fetch_add(10, Ordering::SeqCst);
    let collected: usize = bench.store.write(|tx| tx.collect_blobs(tx.now())).await.unwrap();
    assert_eq!((collected, memory.count()), (1, 1));
    assert!(bench.store.blob(orphan.id()).await.unwrap().is_none());
    assert!(bench.store.blob(needed.id()).await.unwrap().unwrap().next().await.unwrap().is_some());
    // It may come back, under another name.
    bench.store.write(with("Note/2", orphan)).await.unwrap();
    assert_eq!(memory.count(), 2);
}

#[tokio::test]
async fn a_store_says_where_its_attachments_are() {
    let (bench, memory) = open_elsewhere();
    bench.store.close().await;
    let plain = Store::open(&bench.url, options(&bench.clock));
    let Err(StoreError::Attachments { found, .. }) = plain else { panic!("opened without") };
    assert_eq!(found, "memory");
    let here = open();
    here.store.write(with("Note/1", bytes(7))).await.unwrap();
    here.store.close().await;
    let attachments: Arc<dyn Objects> = memory;
    let moved = Store::open(&here.url, StoreOptions { attachments: Some(attachments), ..options(&here.clock) });
    assert!(matches!(moved, Err(StoreError::Attachments { .. })));
}
