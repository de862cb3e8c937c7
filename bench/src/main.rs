//! The same load on our server, on what limits it, and on any other FHIR server.
//!
//! `docs/benchmark.md` says how to run it and how to read what it prints.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::BenchError;

mod access;
mod bulk;
mod data;
mod error;
mod http;
mod limits;
mod load;
mod population;
mod process;
mod random;
mod report;
mod run;
mod scenario;
mod template;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the server, and beside it what the machine allows.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What is measured, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Another FHIR R4 server, filled and measured in place of ours: http://HOST[:PORT][/PATH]
    #[arg(long)]
    base: Option<String>,
    /// Further nodes on the store of the one at --base: each scenario is measured on that one alone, and with the same clients spread over all
    #[arg(long, requires = "base", value_delimiter = ',')]
    also: Vec<String>,
    /// The PostgreSQL database of the server at --base, in which the bare loop gets a schema of its own: postgres://…
    #[arg(long, requires = "base")]
    beside: Option<String>,
    /// A file for a script of pgbench that writes what the server was seen to write for a note
    #[arg(long, requires = "beside")]
    script: Option<PathBuf>,
    /// Notes put into the store before measuring
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(2_000..=5_000_000))]
    notes: u64,
    /// Clients at once
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    clients: u64,
    /// Seconds each scenario is measured, on each side
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Only these scenarios, by name
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// A directory that keeps the filled store for the next run with as many notes; of a server at --base, what it was filled with
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Part {
    /// `liaison import` and `liaison export` against the same rows without them
    Bulk(bulk::Options),
    /// What the rules of access cost: callers with tokens against `--auth off`
    Access(access::Options),
    /// The bare handler: gives the answer in a file to whatever it is asked
    #[command(hide = true)]
    Handler {
        /// Head, empty line, body
        answer: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = done.map_err(BenchError::file("the runtime")).and_then(|runtime| {
        runtime.block_on(async {
            match arguments.part {
                Some(Part::Bulk(options)) => bulk::run(&options).await.map(|()| Vec::new()),
                Some(Part::Access(options)) => access::run(&options).await,
                Some(Part::Handler { answer }) => limits::handler::serve(&answer).await.map(|()| Vec::new()),
                None => run::run(&arguments.options).await,
            }
        })
    });
    match done {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            eprintln!("{} of the figures are not to be trusted: see the end of the report", complaints.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
