//! Who calls: an access token, checked against the provider that issued it, becomes an identity that
//! the rules of access know ([`liaison_care::access`]).
//!
//! What holds: a token is believed only for its signature by a key of a trusted provider, with an
//! algorithm that the key, not the token, is for; for its issuer, its audience and its time. What it
//! says of its bearer is read through the mapping of that provider, and nothing it says widens what
//! the rules give.
//!
//! Must never know: HTTP (what is asked of a provider goes through [`provider::Ask`]), the store, who
//! may do what. Time is a parameter. Start reading at [`authenticator::Authenticator::authenticate`].

pub mod attempt;
pub mod authenticator;
pub mod certified;
pub mod claims;
pub mod client_key;
pub mod form;
pub mod keys;
pub mod mapping;
pub mod provider;
pub mod sign_in;
mod signature;
pub mod token;

#[cfg(test)]
mod issuing;
