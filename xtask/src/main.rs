//! Checks of the tree that Cargo cannot make: `cargo run -p xtask -- tidy`.
//!
//! The same checks run as tests of this crate, so that `cargo test` makes them too.

mod tidy;

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("tidy") {
        eprintln!("usage: cargo run -p xtask -- tidy");
        return ExitCode::from(2);
    }
    let tree = match tidy::Tree::read(root()) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("the tree cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let findings = tidy::findings(&tree);
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        eprintln!("{} findings", findings.len());
        ExitCode::FAILURE
    }
}

/// The root of the workspace: this crate's folder is in it.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
