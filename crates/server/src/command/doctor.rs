//! `liaison doctor`: what is in force, what is wrong, how to mend it.

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    time::{Duration, SystemTime},
};

use liaison_app::settings::Audit;
use liaison_store::store::{MigrateMode, Store, StoreUrl, Way};

use crate::{
    assembly::{looking, store_text, waiting},
    cli::DoctorFlags,
    encryption,
    failure::Failure,
    settings::{ALL, Auth, Given, Place, Settings, shown},
};

use super::{Variables, given};

/// Prints every setting with its place, then what is wrong; fails when something is.
pub fn run(flags: &DoctorFlags, variables: &Variables) -> Result<(), Failure> {
    let given = given(&flags.serve, variables)?;
    print!("{}", in_force(&given));
    let wrong: Vec<String> = match Settings::read(&given) {
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
        Ok(settings) => {
            let mut wrong: Vec<String> = [store(&settings), address(&settings)].into_iter().flatten().collect();
            if let Some(files) = &settings.tls {
                let examined = encryption::examine(files, settings.public_host(), SystemTime::now());
                wrong.extend(examined.wrong);
                for note in examined.notes {
                    println!("note: {note}");
                }
            }
            if wrong.is_empty()
                && let Ok(way) = settings.store.way()
                && let Some(note) = exposed(way)
            {
                println!("note: {note}");
            }
            if let Some(note) = untold(&settings.auth, settings.audit) {
                println!("note: {note}");
            }
            if flags.check_store && wrong.is_empty() {
                wrong.extend(damage(&settings.store));
            }
            wrong
        }
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
        let _ = writeln!(table, "{:<26} {:<24} {:<34} {}", setting.key, shown(value), place, setting.meaning);
    }
    table
}

fn store(settings: &Settings) -> Option<String> {
    let url = &settings.store;
    let name = store_text(url);
    if let StoreUrl::Sqlite(path) = url
        && !path.exists()
    {
        return folder(path);
    }
    match Store::migrate(url, MigrateMode::Plan) {
        Ok(steps) if steps.is_empty() => index(settings),
        // Nothing yet: serving makes it.
        Ok(steps) if steps.first().is_some_and(|step| step.to == 1) => None,
        Ok(_) => Some(format!(
            "the store {name} is of an earlier version: back it up, then run `liaison migrate --store {name}`"
        )),
        Err(error) => Some(Failure::of_store(&name, error).to_string()),
    }
}

/// Who could read what goes to the database, or stand in its place.
const fn exposed(way: Way) -> Option<&'static str> {
    match way {
        Way::Here | Way::Encrypted => None,
        Way::Open => Some(
            "the way to the database leaves this machine and is not encrypted: encrypt it with sslmode=verify-full and \
             sslrootcert in the address of the store, or keep it in a tunnel",
        ),
        Way::EncryptedToAnybody => Some(
            "the way to the database is encrypted, but whoever answers is believed: name the authority of its \
             certificate by sslmode=verify-full and sslrootcert in the address of the store",
        ),
    }
}

/// That nobody could answer for what was read.
const fn untold(auth: &Auth, audit: Audit) -> Option<&'static str> {
    match (auth, audit) {
        (Auth::Oidc(_), Audit::Off) => Some(
            "callers are known and audit = off: nobody will be able to tell who read what, neither you nor the persons \
             whose notebooks they are",
        ),
        _ => None,
    }
}

/// Which searches the store cannot answer, by the definitions of this program.
fn index(settings: &Settings) -> Option<String> {
    let name = store_text(&settings.store);
    let look = || {
        let options = looking(settings)?;
        let store = Store::open(&settings.store, options).map_err(|error| Failure::of_store(&name, error))?;
        store.read_now(|reader| reader.index_standing()).map_err(|error| Failure::of_store(&name, error))
    };
    match look() {
        Ok(index) => waiting(&index).map(|waiting| format!("{waiting}: run `liaison reindex --store {name}`")),
        Err(failure) => Some(failure.to_string()),
    }
}

/// What of a store is not as it was written.
fn damage(url: &StoreUrl) -> Vec<String> {
    let name = store_text(url);
    let remedy = "restore a backup with `liaison restore`, and look at the disk";
    match Store::check(url) {
        Ok(found) => found.iter().map(|damage| format!("the store {name} is damaged: {damage}: {remedy}")).collect(),
        Err(error) => vec![Failure::of_store(&name, error).to_string()],
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
    if lives(settings.listen) {
        println!("note: a server lives at {} already", settings.listen);
        return None;
    }
    Some(format!(
        "nothing can listen on {} now ({error}): stop the program that does, or choose another address",
        settings.listen
    ))
}

/// Whether what listens there says that it lives, as our server does, or that it speaks TLS alone.
fn lives(address: SocketAddr) -> bool {
    const PATIENCE: Duration = Duration::from_secs(1);
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(4000).read_to_end(&mut answer)?;
        Ok(answer)
    };
    /// How an alert of TLS begins.
    const ALERT: &[u8] = &[0x15, 0x03];
    let answer = ask().unwrap_or_default();
    answer.starts_with(ALERT) || (answer.starts_with(b"HTTP/1.0 200") && answer.ends_with(b"ok\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_reads_leave_no_trace_is_said() {
        let known = Auth::Oidc(Vec::new());
        assert!(untold(&known, Audit::Off).is_some_and(|note| note.contains("who read what")));
        assert_eq!([untold(&known, Audit::On), untold(&Auth::Off, Audit::Off)], [None, None]);
    }

    #[test]
    fn a_way_that_others_could_read_or_take_is_said() {
        assert_eq!([Way::Here, Way::Encrypted].map(exposed), [None, None]);
        assert!(exposed(Way::Open).is_some_and(|note| note.contains("not encrypted")));
        assert!(exposed(Way::EncryptedToAnybody).is_some_and(|note| note.contains("believed")));
    }
}
