//! Why the program ends without having done what was asked.

use liaison_store::contract::StoreError;

use crate::settings::SettingError;

/// Why the program ends, in words for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was said on the command line, in the environment or in the file cannot be used.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Settings(Vec<SettingError>),
    /// What was asked did not work.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// The exit status of wrong usage.
    pub const USAGE: u8 = 2;

    /// The exit status.
    pub const fn status(&self) -> u8 {
        match self {
            Self::Settings(_) => Self::USAGE,
            Self::Failed(_) => 1,
        }
    }

    /// What was being done did not work, and why.
    pub fn of(doing: &str, error: impl std::error::Error) -> Self {
        let mut text = format!("{doing}: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self::Failed(text)
    }

    /// The store cannot be used; says what mends it.
    pub fn of_store(store: &str, error: StoreError) -> Self {
        let text = match error {
            StoreError::Schema { found, expected } if found < expected => format!(
                "the store {store} is of an earlier version ({found}; this program needs {expected}): stop what uses it, \
                 back it up, then run `liaison migrate --store {store}`"
            ),
            StoreError::Schema { found, expected } => format!(
                "the store {store} was written by a later version of this program ({found}; this one knows {expected}): \
                 use that version, or restore a backup made before with `liaison restore --store {store} FILE`"
            ),
            StoreError::Superseded => format!(
                "the index of the store {store} follows other definitions than those of this program: it is of another \
                 version, or has another `time_zone`. Use the version and the settings of the servers; if they \
                 were started before others were, start one of them again first"
            ),
            StoreError::Attachments { found, given } => format!(
                "the attachments of the store {store} are kept in {found}, not in {given}: set `attachments` to that \
                 (empty for the database). To move them, export the store and import it into a new one"
            ),
            StoreError::Foreign => format!("{store} is a database, but not a store of this program: name another file"),
            StoreError::InUse => {
                format!("another process serves the store {store}: stop it first, or name another file")
            }
            StoreError::Unopened(error) => Self::unopened(store, &error),
            StoreError::LogLost { acknowledged, found } => format!(
                "the store {store} ends at change {found}, but changes up to {acknowledged} were acknowledged: its log \
                 (the file of the same name with -wal) is gone or damaged, or the file was replaced. Put back the log \
                 or the file that belongs to it, or restore a backup with `liaison restore --store {store} FILE`. To \
                 go on without the changes that are lost, remove the file of the same name with -mark"
            ),
            StoreError::Damaged(cause) => format!(
                "the store {store} is damaged ({cause}): look at the disk, and restore a backup with `liaison restore \
                 --store {store} FILE`; `liaison doctor --check-store --store {store}` says what is damaged"
            ),
            StoreError::Full(cause) => {
                format!(
                    "there is no room left on the disk of the store {store} ({cause}): free space, then start again"
                )
            }
            StoreError::ReadOnly(cause) => format!(
                "the store {store} cannot be written to ({cause}): allow this user to write the file and its folder, \
                 on a file system that is mounted for writing"
            ),
            other => return Self::of(&format!("the store {store} cannot be used"), other),
        };
        Self::Failed(text)
    }

    fn unopened(store: &str, error: &std::io::Error) -> String {
        use std::io::ErrorKind;
        let remedy = match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                "its folder is not there: make it, or name a store elsewhere"
            }
            ErrorKind::IsADirectory => "that is a folder: name a file in it",
            ErrorKind::PermissionDenied => "allow this user to read and write the file and its folder",
            ErrorKind::ReadOnlyFilesystem => "its file system is read-only: mount it for writing",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "there is no room left on its disk: free space, then start again"
            }
            _ => "look at the disk and its file system",
        };
        format!("the store {store} cannot be opened ({error}): {remedy}")
    }

    /// The same, beginning with what was not done.
    #[must_use]
    pub fn context(self, undone: &str) -> Self {
        match self {
            Self::Failed(text) => Self::Failed(format!("{undone}: {text}")),
            settings @ Self::Settings(_) => settings,
        }
    }
}

impl From<Vec<SettingError>> for Failure {
    fn from(errors: Vec<SettingError>) -> Self {
        Self::Settings(errors)
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::Settings(vec![error])
    }
}
