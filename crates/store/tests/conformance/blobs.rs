//! Attachments.

use bytes::Bytes;
use liaison_store::contract::{BlobId, NewBlob, StoreError};

use crate::bench::{Bench, create, delete, open, update};

async fn put(bench: &Bench, bytes: Vec<u8>) -> BlobId {
    let blob = NewBlob::new(Bytes::from(bytes));
    bench.store.write(move |tx| tx.put_blob(&blob)).await.unwrap()
}

async fn fetch(bench: &Bench, blob: BlobId, range: std::ops::Range<u64>) -> Vec<u8> {
    let mut reader = bench.store.blob(blob).await.unwrap().unwrap().range(range);
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        assert!(piece.len() <= 256 * 1024);
        bytes.extend_from_slice(&piece);
    }
    bytes
}

#[tokio::test]
async fn bytes_come_back_whole_and_in_part() {
    let bench = open();
    let bytes: Vec<u8> = (0..600_000_u32).map(|number| (number % 251) as u8).collect();
    let blob = put(&bench, bytes.clone()).await;
    assert_eq!(bench.store.blob(blob).await.unwrap().unwrap().length(), 600_000);
    assert_eq!(fetch(&bench, blob, 0..u64::MAX).await, bytes);
    for range in [0..1, 262_143..262_145, 262_144..524_288, 599_999..600_000, 5..5, 600_000..700_000] {
        let wanted = bytes.get(range.start as usize..(range.end as usize).min(bytes.len())).unwrap_or_default();
        assert_eq!(fetch(&bench, blob, range.clone()).await, wanted, "{range:?}");
    }
}

#[tokio::test]
async fn no_bytes_are_an_attachment_too() {
    let bench = open();
    let blob = put(&bench, Vec::new()).await;
    assert_eq!(bench.store.blob(blob).await.unwrap().unwrap().length(), 0);
    assert!(fetch(&bench, blob, 0..10).await.is_empty());
    assert!(bench.store.blob(BlobId([0; 32])).await.unwrap().is_none());
}

#[tokio::test]
async fn a_version_needs_its_attachments() {
    let bench = open();
    let mut note = create("Note/1");
    note.blobs = vec![BlobId([9; 32])];
    let answer = bench.commit(note).await;
    assert!(matches!(answer, Err(StoreError::BlobMissing(BlobId(id))) if id == [9; 32]));
}

#[tokio::test]
async fn only_what_no_version_needs_is_collected() {
    let bench = open();
    let (needed, orphan) = (put(&bench, vec![1; 10]).await, put(&bench, vec![2; 10]).await);
    assert_eq!(put(&bench, vec![1; 10]).await, needed, "kept once");
    let mut note = create("Note/1");
    note.blobs = vec![needed, needed];
    bench.commit(note).await.unwrap();
    bench.commit(update("Note/1")).await.unwrap();
    bench.commit(delete("Note/1")).await.unwrap();
    let early = bench.store.write(|tx| tx.collect_blobs(liaison_store::contract::Instant(0))).await.unwrap();
    assert_eq!(early, 0, "young ones may still be waited for");
    bench.clock.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let collected = bench.store.write(|tx| tx.collect_blobs(tx.now())).await.unwrap();
    assert_eq!(collected, 1);
    assert!(bench.store.blob(orphan).await.unwrap().is_none());
    assert_eq!(fetch(&bench, needed, 0..10).await, [1; 10], "an old version still needs it");
}
