//! The `liaison` program: settings, wiring, commands.
//!
//! What holds:
//! - This is the only crate that reads the environment or a file of settings, and the only one that
//!   chooses a store; everything below takes what it needs as parameters.
//! - What the program itself writes goes the way every caller goes: the demonstration through the FHIR
//!   API, in process ([`door`]), an import through the use cases below it.
//! - Standard output carries what was asked for, standard error the logs; a person's data is in neither.

mod assembly;
mod cli;
mod command;
mod demo;
mod descriptors;
mod door;
mod encryption;
mod failure;
mod health;
mod log;
mod progress;
mod serving;
mod settings;
mod signing_in;
mod threads;
mod traces;
mod watch;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::Parser as _;

use cli::{Cli, Command};
use failure::Failure;

/// Runs the program with these arguments and variables.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version are told here too; a broken pipe is nobody's concern.
            let _ = told.print();
            return ExitCode::from(if told.use_stderr() { Failure::USAGE } else { 0 });
        }
    };
    let variables: Vec<(OsString, OsString)> = variables.into_iter().collect();
    match execute(cli.command, &variables) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "liaison: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

fn execute(command: Command, variables: &[(OsString, OsString)]) -> Result<(), Failure> {
    match command {
        Command::Demo(flags) => command::demo::run(&flags),
        Command::Serve(flags) => command::serve::run(&flags, variables),
        Command::Migrate(flags) => command::migrate::run(&flags, variables),
        Command::Backup(flags) => command::backup::run(&flags, variables),
        Command::Restore(flags) => command::restore::run(&flags, variables),
        Command::Doctor(flags) => command::doctor::run(&flags, variables),
        Command::Import(flags) => command::import::run(&flags, variables),
        Command::Export(flags) => command::export::run(&flags, variables),
        Command::Reindex(flags) => command::reindex::run(&flags, variables),
        Command::Audit(flags) => command::audit::run(&flags, variables),
    }
}
