//! The contract, line by line, over HTTP.

mod attachments;
mod clock;
mod concurrency;
mod conditional;
mod demo;
mod durability;
mod errors;
mod faces;
mod file;
mod form2017;
mod history;
mod hostile;
mod interactions;
mod metrics;
mod negotiation;
mod notes;
mod paging;
mod patch;
mod preferences;
mod program;
mod readme;
mod search;
mod site;
mod terminology;
mod transactions;
mod validation;
