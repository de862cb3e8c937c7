//! Inside the writer: the one lifecycle of everything that is stored.

use liaison_store::{
    contract::{Change, Committed, StoreError, UniqueKey},
    writer::Tx,
};

use super::prepare::{Prepared, deleted};
use crate::error::AppError;

/// Stores a prepared write: attachments, the resources made of them, the resource, and the end of
/// what it has no use for any more.
///
/// # Errors
/// What the store finds against it: a key held by another, references that do not resolve, a
/// resource that others still refer to.
pub(crate) fn commit(tx: &mut Tx<'_>, prepared: &Prepared) -> Result<Committed, AppError> {
    let version = &prepared.version;
    tx.foresee_blobs(prepared.blobs.iter())?;
    for blob in &prepared.blobs {
        tx.put_blob(blob)?;
    }
    for binary in &prepared.binaries {
        tx.commit_version(binary)?;
    }
    let committed = tx.commit_version(version).map_err(|error| taken(error, &version.unique, &prepared.key_places))?;
    for binary in &prepared.obsolete {
        let live = tx.current(binary)?.is_some_and(|version| version.change != Change::Delete);
        if live && tx.referrers(binary, 1)?.is_empty() {
            tx.commit_version(&deleted(binary.clone(), version.caller.clone()))?;
        }
    }
    Ok(committed)
}

/// The refusal of a write, with the place of the key that another resource holds.
pub(crate) fn taken(error: StoreError, keys: &[UniqueKey], places: &[String]) -> AppError {
    let place = match &error {
        StoreError::KeyTaken { key, .. } => {
            keys.iter().zip(places).find(|(held, _)| *held == key).map(|(_, p)| p.clone())
        }
        _ => None,
    };
    let mut error = AppError::from(error);
    if let (Some(place), Some(issue)) = (place, error.issues.first_mut()) {
        issue.place = place;
    }
    error
}
