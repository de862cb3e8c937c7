//! What must hold for every byte string: one target per reader of what callers send.
//!
//! A target returns when all is well and panics when something does not hold. `tests/short.rs`
//! drives each with a [generator of our own](short), which needs no nightly compiler and runs in
//! `./test`; libFuzzer drives the same functions (under `libfuzzer/`). What was once found stays in
//! `found/`, one folder a target, and `tests/found.rs` tries it again. `tests/growth.rs` says that
//! ten times the input costs about ten times the work.

mod bounds;
mod cahier2017;
mod cda;
mod expand;
pub mod growth;
mod house;
mod http;
mod json;
mod judge;
mod patch;
mod path;
mod primitive;
mod resource;
pub mod samples;
mod search;
pub mod short;
mod terminology;
mod token;
mod world;
mod xml;

pub use cahier2017::cahier2017;
pub use cda::cda;
pub use expand::expand;
pub use http::http;
pub use json::json;
pub use patch::patch;
pub use path::path;
pub use primitive::primitive;
pub use resource::resource;
pub use search::search;
pub use terminology::terminology;
pub use token::token;
pub use xml::xml;

/// A function that every byte string must pass.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the libFuzzer binary, and of the folders of its findings and inputs.
    pub name: &'static str,
    /// What must return.
    pub run: fn(&[u8]),
    /// What its inputs are made of.
    pub samples: fn() -> Vec<Vec<u8>>,
    /// How many inputs the short run gives it: some cost a thousand times more than others.
    pub rounds: usize,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "json", run: json, samples: samples::resources, rounds: 2_000 },
    Target { name: "xml", run: xml, samples: samples::xml, rounds: 500 },
    Target { name: "search", run: search, samples: samples::searches, rounds: 300 },
    Target { name: "patch", run: patch, samples: samples::patches, rounds: 1_000 },
    Target { name: "cda", run: cda, samples: samples::cda, rounds: 60 },
    Target { name: "cahier2017", run: cahier2017, samples: samples::resources, rounds: 1_000 },
    Target { name: "resource", run: resource, samples: samples::resources, rounds: 500 },
    Target { name: "path", run: path, samples: samples::paths, rounds: 2_000 },
    Target { name: "primitive", run: primitive, samples: samples::primitives, rounds: 5_000 },
    Target { name: "terminology", run: terminology, samples: samples::terminology, rounds: 500 },
    Target { name: "token", run: token, samples: token::samples, rounds: 5_000 },
    Target { name: "http", run: http, samples: samples::http, rounds: 300 },
];
