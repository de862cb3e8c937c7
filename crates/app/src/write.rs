//! The one way in which anything is written.
//!
//! [`draft`] reads and checks what was sent, and sets its heavy attachments apart; [`prepare`] makes
//! of it what the store takes (all outside the writer); [`commit`] stores it (inside). What hangs
//! on what is stored already is looked up before, so that the work is done outside the writer, and
//! looked up again inside: only when somebody came in between is it done again there.

pub mod attachments;
pub mod commit;
pub mod draft;
pub mod note;
pub mod prepare;
pub mod rules;
pub mod same;
pub mod sniff;
