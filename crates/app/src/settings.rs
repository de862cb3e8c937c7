//! What the use cases need to know of how the server is set up.

use std::time::Duration;

use jiff::tz::TimeZone;

/// The settings of [`App`](crate::App).
#[derive(Clone, Debug)]
pub struct Settings {
    /// Zone of dates that have none.
    pub zone: TimeZone,
    /// Whether callers are known.
    pub callers: Callers,
    /// Whether it is kept who did what.
    pub audit: Audit,
    /// What is too much.
    pub limits: Limits,
    /// Decoded attachments of more bytes than this are stored as a `Binary` of their own.
    pub inline_attachment: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            zone: TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC),
            callers: Callers::TheSystem,
            audit: Audit::Off,
            limits: Limits::default(),
            inline_attachment: 32 * 1024,
        }
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Everybody is the system.
    TheSystem,
    /// Those who show who they are.
    Known,
}

/// Whether the audit trail is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audit {
    /// Every access is told of.
    On,
    /// None is.
    Off,
}

/// What is too much; each has an error of its own.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of an attachment, decoded.
    pub attachment: usize,
    /// Entries of a bundle.
    pub bundle: usize,
    /// Matches of a page.
    pub page: u32,
    /// Links of a chain of references in a search.
    pub chain: usize,
    /// Included resources of a page.
    pub includes: u32,
    /// Time a search may take.
    pub query_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attachment: 20 * 1024 * 1024,
            bundle: 500,
            page: 500,
            chain: 5,
            includes: 1_000,
            query_time: Duration::from_secs(10),
        }
    }
}
