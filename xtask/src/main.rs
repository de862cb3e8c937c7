//! Checks of the tree that Cargo cannot make: `cargo run -p xtask -- tidy` and `-- supply`.
//!
//! The same checks run as tests of this crate, so that `cargo test` makes them too.

mod supply;
mod tidy;

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let found = match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy::Tree::read(root())
            .map(|tree| tidy::findings(&tree).iter().map(ToString::to_string).collect())
            .map_err(|error| format!("the tree cannot be read: {error}")),
        Some("supply") => supply::findings(root()),
        _ => {
            eprintln!("usage: cargo run -p xtask -- tidy|supply");
            return ExitCode::from(2);
        }
    };
    match found {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            eprintln!("{}\n{} findings", findings.join("\n"), findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace: this crate's folder is in it.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
