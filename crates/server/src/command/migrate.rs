//! `liaison migrate`: brings a store to the version of this program.

use liaison_store::{
    schema::distribution,
    store::{MigrateMode, Store, StoreUrl},
};

use crate::{
    assembly::store_text,
    cli::{Engine, MigrateFlags},
    failure::Failure,
};

use super::{Variables, store_settings};

/// Says what is to be done and, unless it is only to be said, does it.
pub fn run(flags: &MigrateFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let store = store_text(&settings.store);
    let mode = if flags.dry_run { MigrateMode::Plan } else { MigrateMode::Run };
    let steps = Store::migrate(&settings.store, mode).map_err(|error| Failure::of_store(&store, error))?;
    let done = if flags.dry_run { "to do" } else { "done" };
    for step in &steps {
        println!("{done}: version {}, {}", step.to, step.title);
    }
    if steps.is_empty() {
        println!("{store} is at the version of this program");
    }
    match flags.distribute {
        Some(Engine::Citus) => distribute(&settings.store, distribution::Engine::Citus, mode),
        None => Ok(()),
    }
}

/// Has an engine spread the store; only says how when nothing is to be done.
fn distribute(url: &StoreUrl, engine: distribution::Engine, mode: MigrateMode) -> Result<(), Failure> {
    if mode == MigrateMode::Plan {
        for statement in distribution::statements(engine) {
            println!("to do: {statement};");
        }
        return Ok(());
    }
    let store = store_text(url);
    Store::distribute(url, engine)
        .map_err(|error| Failure::of_store(&store, error).context(&format!("{store} was not distributed")))?;
    println!("done: {store} is distributed");
    Ok(())
}
