//! Where the programs of PostgreSQL are, and as whom they run.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// The newest PostgreSQL of this machine.
#[derive(Debug)]
pub struct Installation {
    folder: PathBuf,
    version: u32,
    /// The user and the group that its programs run as, when not as the one who tests.
    user: Option<(u32, u32)>,
}

/// The oldest that the store is made for.
const OLDEST: u32 = 15;

impl Installation {
    /// The newest there is; the test fails when there is none that will do.
    pub fn find() -> &'static Self {
        static FOUND: OnceLock<Installation> = OnceLock::new();
        FOUND.get_or_init(|| {
            let newest = folders().into_iter().filter_map(|folder| Some((version(&folder)?, folder))).max();
            let (version, folder) = newest.expect("PostgreSQL is missing: `./test prepare` installs it");
            assert!(version >= OLDEST, "PostgreSQL {version} is older than {OLDEST}: {}", folder.display());
            Self { folder, version, user: somebody() }
        })
    }

    /// Its major version: 15.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// One of its programs: `psql`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The words that run one of its programs as whom it may run.
    pub(crate) fn words(&self, name: &str) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some((user, group)) = self.user {
            words.push("setpriv".into());
            words.push(format!("--reuid={user}").into());
            words.push(format!("--regid={group}").into());
            words.push("--clear-groups".into());
        }
        words.push(self.program(name).into());
        words
    }

    /// Makes a folder theirs.
    pub(crate) fn give(&self, folder: &Path) {
        if let Some((user, group)) = self.user {
            chown(folder, Some(user), Some(group)).expect("a folder can be given to the user of PostgreSQL");
        }
    }
}

/// Runs a program to its end; the test fails when it does.
#[track_caller]
pub(crate) fn run(words: &[OsString]) -> Output {
    let (program, arguments) = words.split_first().expect("a program");
    let output = Command::new(program).args(arguments).current_dir("/").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Debian keeps each version in a folder of its own, off the path.
fn folders() -> Vec<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = debian.map(|version| version.path().join("bin")).chain(std::env::split_paths(&path));
    // A link on the path may point to one program alone: all of them must be there.
    let programs = ["initdb", "postgres", "pg_ctl", "psql", "pg_basebackup"];
    all.filter(|folder| programs.iter().all(|program| folder.join(program).is_file())).collect()
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`
fn version(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    said.split(' ').nth(2)?.split('.').next()?.parse().ok()
}

/// As whom it runs, when this process is root.
fn somebody() -> Option<(u32, u32)> {
    let us = fs::metadata("/proc/self").expect("/proc").uid();
    if us != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the users of this machine");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("a user postgres");
    let mut numbers = line.split(':').skip(2).map_while(|number| number.parse().ok());
    numbers.next().zip(numbers.next())
}
