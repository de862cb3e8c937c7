//! The one way in which anything is written.
//!
//! [`draft`] reads and checks what was sent, and sets its heavy attachments apart; [`prepare`] makes
//! of it what the store takes (all outside the writer); [`commit`] stores it (inside). What hangs
//! on what is stored already is looked up before, so that the work is done outside the writer, and
//! looked up again inside: only when somebody came in between is it done again there.

pub(crate) mod attachments;
pub(crate) mod commit;
pub(crate) mod draft;
pub(crate) mod note;
pub(crate) mod prepare;
pub(crate) mod rules;
pub(crate) mod same;
pub(crate) mod sniff;
