//! The program under test.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The built program: the one that `LIAISON_BINARY` names, or a debug build that is as new as the
/// sources (Cargo sees to that, once per test run).
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("LIAISON_BINARY").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built =
        Command::new(cargo).args(["build", "--quiet", "--package", "liaison-server", "--bin", "liaison"]).status();
    assert!(built.is_ok_and(|status| status.success()), "the program does not build");
    // This runs from `<target>/debug/deps`: the program is one folder up.
    let here = std::env::current_exe().expect("a running test has a path");
    let folder = here.ancestors().nth(2).expect("tests run in the target folder");
    folder.join("liaison")
}
