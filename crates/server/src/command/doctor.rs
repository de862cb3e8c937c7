//! `liaison doctor`: what is in force, what is wrong, how to mend it.

use std::{fmt::Write as _, fs, net::TcpListener, path::Path};

use liaison_store::store::{MigrateMode, Store, StoreUrl};

use crate::{
    assembly::store_text,
    cli::ServeFlags,
    failure::Failure,
    settings::{ALL, Given, Place, Settings},
};

use super::{Variables, given};

/// Prints every setting with its place, then what is wrong; fails when something is.
pub fn run(flags: &ServeFlags, variables: &Variables) -> Result<(), Failure> {
    let given = given(flags, variables)?;
    print!("{}", in_force(&given));
    let wrong: Vec<String> = match Settings::read(&given) {
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
        Ok(settings) => [store(&settings.store), address(&settings)].into_iter().flatten().collect(),
    };
    for name in &given.unknown_variables {
        println!("note: {name} in the environment is none of our settings and is not used");
    }
    if wrong.is_empty() {
        println!("nothing is wrong");
        return Ok(());
    }
    for problem in &wrong {
        println!("wrong: {problem}");
    }
    Err(Failure::Failed(format!("{} to mend, see above", wrong.len())))
}

fn in_force(given: &Given) -> String {
    let mut table = String::new();
    for setting in &ALL {
        let (value, place) = given.get(setting.key);
        let place = match place {
            Place::Default(_) => "by default".to_owned(),
            place => place.to_string(),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(table, "{:<20} {:<24} {:<34} {}", setting.key, value, place, setting.meaning);
    }
    table
}

fn store(url: &StoreUrl) -> Option<String> {
    let StoreUrl::Sqlite(path) = url;
    let name = store_text(url);
    if !path.exists() {
        return folder(path);
    }
    match Store::migrate(url, MigrateMode::Plan) {
        Ok(steps) if steps.is_empty() => None,
        Ok(_) => Some(format!(
            "the store {name} is of an earlier version: back it up, then run `liaison migrate --store {name}`"
        )),
        Err(error) => Some(Failure::of_store(&name, error).to_string()),
    }
}

/// The folder of a store that is yet to be made.
fn folder(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writable = fs::metadata(folder).map(|about| about.is_dir() && !about.permissions().readonly());
    match writable {
        Ok(true) => None,
        Ok(false) => {
            Some(format!("the folder {} cannot hold a store: allow this user to write in it", folder.display()))
        }
        Err(_) => Some(format!("there is no folder {}: make it, or name a store elsewhere", folder.display())),
    }
}

fn address(settings: &Settings) -> Option<String> {
    let error = TcpListener::bind(settings.listen).err()?;
    Some(format!(
        "nothing can listen on {} now ({error}): stop the program that does, or choose another address",
        settings.listen
    ))
}
