//! `liaison restore`: puts a backup in the place of a store that is not in use.

use liaison_store::store::Store;

use crate::{assembly::store_text, cli::RestoreFlags, failure::Failure};

use super::{Variables, store_settings};

/// Puts it in place. The store that was there is kept beside it.
pub fn run(flags: &RestoreFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let store = store_text(&settings.store);
    let kept = Store::restore(&settings.store, &flags.file).map_err(|error| {
        Failure::of_store(&store, error).context(&format!("{} was not restored", flags.file.display()))
    })?;
    println!("{} is now {store}", flags.file.display());
    if let Some(kept) = kept {
        println!("the store that was there is kept as sqlite:{}", kept.display());
    }
    Ok(())
}
