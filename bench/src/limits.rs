//! What the machine allows: the same bytes over HTTP without a server behind them, and the same
//! rows in SQLite without a server before them.

pub mod handler;
pub mod store;
