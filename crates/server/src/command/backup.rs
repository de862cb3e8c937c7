//! `liaison backup`: a copy of a store, made while it is in use.

use crate::{cli::BackupFlags, failure::Failure};

use super::Variables;

/// Writes the copy.
pub fn run(_flags: &BackupFlags, _variables: &Variables) -> Result<(), Failure> {
    Err(Failure::Failed(String::new()))
}
