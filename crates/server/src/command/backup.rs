//! `liaison backup`: a copy of a store, made while it is in use.

use liaison_store::store::Store;

use crate::{assembly::store_text, cli::BackupFlags, failure::Failure};

use super::{Variables, store_settings};

/// Writes the copy.
pub fn run(flags: &BackupFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let store = store_text(&settings.store);
    Store::backup(&settings.store, &flags.out)
        .map_err(|error| Failure::of_store(&store, error).context(&format!("no backup of {store} was made")))?;
    println!("{store} was copied to {}", flags.out.display());
    Ok(())
}
