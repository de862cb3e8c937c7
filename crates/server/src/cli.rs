//! The commands and their flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The shared notebook: a FHIR server for the notes around a person (STU3 and R4 on the same notes).
#[derive(Debug, Parser)]
#[command(name = "liaison", version, about, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "Every setting can also be given in the environment (LIAISON_LISTEN for --listen) or in the file of \
--config; a flag wins over the environment, the environment over the file. `liaison doctor` shows what is in force and \
where it comes from.\nExit status: 0 done, 1 failed, 2 wrong usage or settings.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start with a fictional care circle on an embedded store that is kept between runs
    Demo(DemoFlags),
    /// Serve the notebook
    Serve(ServeFlags),
    /// Bring a store to the version of this program
    Migrate(MigrateFlags),
    /// Write a copy of a store to a file, while it is in use
    Backup(BackupFlags),
    /// Put a backup in the place of a store that is not in use
    Restore(RestoreFlags),
    /// Say what is misconfigured and how to mend it
    Doctor(DoctorFlags),
    /// Read resources (R4, one JSON per line) into a store
    Import(ImportFlags),
    /// Write the resources of a store (R4, one JSON per line, one file per type)
    Export(ExportFlags),
    /// Make the index of a store anew, beside those who serve it; goes on where it was broken off
    Reindex(ReindexFlags),
    /// Look the audit trail of a store through, or write it out
    Audit(AuditFlags),
}

/// The flags of `demo`.
#[derive(Debug, Args)]
pub struct DemoFlags {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// The folder that keeps the store of the demonstration
    #[arg(long, value_name = "PATH", default_value = "liaison-demo")]
    pub dir: PathBuf,
    /// How logs are written on standard error: text or json
    #[arg(long, value_name = "text|json")]
    pub log: Option<String>,
}

/// The flags of `serve` and `doctor`.
#[derive(Debug, Default, Args)]
pub struct ServeFlags {
    /// A file of settings (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// The store: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Where attachments are kept, when not in the store: s3://BUCKET/PREFIX?endpoint=URL&region=REGION
    #[arg(long, value_name = "URL")]
    pub attachments: Option<String>,
    /// Who may call: off (everybody is the system; on a loopback address only)
    #[arg(long, value_name = "off|oidc")]
    pub auth: Option<String>,
    /// The address by which callers reach the server, when it is not the one it listens on
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// The zone of dates that have none
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// The address that shows figures to Prometheus, at /metrics; none by default
    #[arg(long, value_name = "ADDR")]
    pub metrics_listen: Option<String>,
    /// The collector that traces are told to by OTLP over HTTP; none by default
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// How logs are written on standard error: text or json
    #[arg(long, value_name = "text|json")]
    pub log: Option<String>,
    /// Any other setting, by its name in the file; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub others: Vec<String>,
}

/// The flags of `doctor`.
#[derive(Debug, Default, Args)]
pub struct DoctorFlags {
    #[command(flatten)]
    pub serve: ServeFlags,
    /// Read the whole store too, and say what is not as it was written
    #[arg(long)]
    pub check_store: bool,
}

/// Which store a command works on, and how it logs.
#[derive(Debug, Default, Args)]
pub struct StoreFlags {
    /// A file of settings (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The store: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Where its attachments are kept, when not in it: s3://BUCKET/PREFIX?endpoint=URL&region=REGION
    #[arg(long, value_name = "URL")]
    pub attachments: Option<String>,
    /// How logs are written on standard error: text or json
    #[arg(long, value_name = "text|json")]
    pub log: Option<String>,
}

/// The flags of `migrate`.
#[derive(Debug, Args)]
pub struct MigrateFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Spread a store on PostgreSQL over the servers of this engine
    #[arg(long, value_enum)]
    pub distribute: Option<Engine>,
}

/// What spreads a database over servers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Engine {
    /// The extension of this name
    Citus,
}

/// The flags of `backup`.
#[derive(Debug, Args)]
pub struct BackupFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// The file to write; it must not exist yet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// The flags of `restore`.
#[derive(Debug, Args)]
pub struct RestoreFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// The backup to put in place
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// The flags of `import`.
#[derive(Debug, Args)]
pub struct ImportFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// Files of one resource per line
    #[arg(value_name = "FILE.ndjson", required = true)]
    pub files: Vec<PathBuf>,
}

/// The flags of `export`.
#[derive(Debug, Args)]
pub struct ExportFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// The folder to write to; made when it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only what was changed at or after this moment (2026-01-31T08:00:00+01:00)
    #[arg(long, value_name = "INSTANT")]
    pub since: Option<String>,
}

/// The flags of `reindex`.
#[derive(Debug, Args)]
pub struct ReindexFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// Only this type of resources; can be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Also what is indexed as it should be, as far as the store knows: after a repair
    #[arg(long)]
    pub all: bool,
}

/// The flags of `audit`.
#[derive(Debug, Args)]
pub struct AuditFlags {
    /// What to do with it.
    #[command(subcommand)]
    pub what: AuditCommand,
}

/// What is done with the audit trail.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Say whether anything of it is missing or was altered
    Verify(AuditVerifyFlags),
    /// Write its lines (JSON, one per access) to standard output
    Export(StoreFlags),
}

/// The flags of `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// An end that an earlier run said, which must still be there; can be repeated
    #[arg(long, value_name = "END")]
    pub expect: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}
