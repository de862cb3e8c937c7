//! Types whose changes are watched: what was worked out from all their resources holds as long as none of
//! them changed.
//!
//! Where this program is the only one that writes it knows of each change before it is committed
//! ([`crate::kept`]). Where others write as well it learns of theirs from the change feed, in each job that
//! reads a snapshot ([`crate::kept::followed`]): whoever rests a job on what was worked out before asks once
//! more after it.

/// A moment of what is watched, taken before something was worked out from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched(pub(crate) i64);

/// When this program knows that something that is watched changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// Before whoever changed it is answered.
    AtOnce,
    /// After a job that read a snapshot in which it is changed.
    AfterReading,
}
