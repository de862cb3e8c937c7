//! Persistence: resources, versions, index rows, keys and attachments in a relational store.
//!
//! Must never know: resource types by name, FHIR releases, policy, HTTP. Start reading at
//! [`contract`], then `Store`.

pub mod contract;
