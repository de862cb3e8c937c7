//! The interactions of FHIR REST, one to a file: extractors, one operation, one answer.

pub mod batch;
pub mod binary;
pub mod capabilities;
pub mod create;
pub mod delete;
pub mod export;
pub mod history;
pub mod operation;
pub mod patch;
pub mod read;
pub mod search;
pub mod smart;
pub mod update;
