//! Who is signed in: the sessions of people's browsers, kept in the store so that any node serves them
//! (`docs/decisions/0041-sessions.md`).
//!
//! What holds: a session is a secret of 256 random bits that only the browser has, in a cookie; the store
//! knows its digest. It ends when it was not used for a while, at the latest after a while, and at once when
//! it is ended, on every node. What was said of the person at sign-in is kept and read anew with each request, by the
//! mapping that is set up: whoever is trusted no more has no sessions. What changes something needs more
//! than the cookie ([`guard`]). People without a provider have accounts, by invitation ([`accounts`]).
//!
//! Must never know: HTTP libraries, who may do what. Time is a parameter. Start reading at
//! [`sessions::Sessions`].

pub mod accounts;
pub mod cookie;
pub mod guard;
pub mod secret;
pub mod sessions;
