//! FHIR REST over HTTP: thin.
//!
//! Every route is in [`routes`]; what every request goes through, whatever its route, is in
//! [`around`]. A handler is extractors, one operation of `liaison-app`, one answer. What is refused, here
//! or further in, becomes an `OperationOutcome` in one place: [`errors`].
//!
//! Must never know: the store, and the rules of the volets.

pub mod around;
pub mod asked_for;
pub mod authenticate;
pub mod body;
pub mod bundle;
pub mod errors;
pub mod exchange;
pub mod fallback;
pub mod figures;
pub mod interaction;
pub mod negotiate;
pub mod options;
pub mod preconditions;
pub mod preferences;
pub mod request_id;
pub mod respond;
pub mod routes;
pub mod shown;
pub mod traced;

pub use options::RestOptions;
pub use routes::router;
