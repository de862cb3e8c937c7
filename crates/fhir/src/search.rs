//! Search: what can be asked, how it is read, what is indexed, and what matches.
//!
//! Everything is indexed once, in its R4 view: [`extract`] gives the rows of a resource, [`parse`]
//! turns a query string of either release into a [`query::Query`] on those rows, and
//! [`evaluate`] answers a query in memory (an independent judge of the store).

pub mod definition;
pub mod evaluate;
pub mod extract;
pub mod index;
mod numbers;
pub mod parameters;
pub mod parse;
pub mod query;
mod set;

#[cfg(test)]
mod grown;
