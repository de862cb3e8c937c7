//! Connections to the outside.
//!
//! What holds: there is one HTTP client ([`http_client`]); it follows no redirect, takes no proxy from the
//! environment, ends within the time it is given, and reads no more than it is told to. It asks whom the operator
//! named, and beside those only who is everybody's ([`public`]). TLS is rustls with
//! ring, and the certificates that the machine trusts. Attachments may be kept in an S3-compatible store of
//! objects ([`s3`]); providers of identity are asked for their keys ([`providers`]); letters
//! go by the SMTP server that the operator names ([`mail`]).
//!
//! Must never know: FHIR, persons, policy.

pub mod http_client;
pub mod mail;
pub mod providers;
pub mod public;
pub mod s3;
