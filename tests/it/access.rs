//! Who sees what, over HTTP: the rules of `docs/users/who-sees-what.md`, and that nothing can be deduced of what
//! is not seen.

mod audit;
mod emergency;
mod forged;
mod leaks;
mod matrix;
mod scopes;
mod tokens;
pub mod world;
mod writes;
