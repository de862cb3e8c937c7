//! Versions with the attachments that their bodies lack.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use liaison_store::{
    contract::{BlobId, Filler, StoreError, Version},
    reader::Reader,
};

use crate::{error::AppError, operation::Stage, stored::Stored};

/// The version with its attachments.
pub(crate) async fn whole(stage: &Stage, version: impl Into<Arc<Version>>) -> Result<Stored, AppError> {
    let version = version.into();
    let mut attached: Vec<(BlobId, Bytes)> = Vec::new();
    for hole in &version.holes {
        if let Filler::Data(blob) = hole.filler
            && !attached.iter().any(|(id, _)| *id == blob)
        {
            attached.push((blob, bytes_of(stage, blob).await?));
        }
    }
    Ok(Stored::whole(version, attached))
}

/// The version with its attachments, at the moment of the store that the reader sees.
///
/// # Errors
/// When an attachment is not there or cannot be read.
pub(crate) fn whole_seen(reader: &Reader<'_>, version: Version) -> Result<Stored, AppError> {
    let mut attached: Vec<(BlobId, Bytes)> = Vec::new();
    for hole in &version.holes {
        if let Filler::Data(blob) = hole.filler
            && !attached.iter().any(|(id, _)| *id == blob)
        {
            attached.push((blob, reader.blob_bytes(blob)?.ok_or(StoreError::BlobMissing(blob))?));
        }
    }
    Ok(Stored::whole(version, attached))
}

/// The version with its attachments as long as they fit in what is left of a budget of bytes,
/// without them otherwise.
pub(crate) async fn within(stage: &Stage, version: Version, budget: &mut u64) -> Result<Stored, AppError> {
    let blobs = version.holes.iter().filter_map(|hole| match hole.filler {
        Filler::Data(blob) => Some(blob),
        Filler::Base => None,
    });
    let lengths = stage
        .app
        .store()
        .read_here(|reader| blobs.map(|blob| reader.blob_length(blob)).collect::<Result<Vec<_>, StoreError>>())
        .await?;
    let needed: u64 = lengths.into_iter().flatten().sum();
    match budget.checked_sub(needed) {
        Some(left) if needed > 0 => {
            *budget = left;
            whole(stage, version).await
        }
        _ => Ok(Stored::light(version)),
    }
}

async fn bytes_of(stage: &Stage, blob: BlobId) -> Result<Bytes, AppError> {
    let mut reader = stage.app.store().blob(blob).await?.ok_or(StoreError::BlobMissing(blob))?;
    let first = reader.next().await?.unwrap_or_default();
    if first.len() as u64 == reader.length() {
        return Ok(first);
    }
    let mut bytes = BytesMut::with_capacity(usize::try_from(reader.length()).unwrap_or_default());
    bytes.extend_from_slice(&first);
    while let Some(piece) = reader.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}
