//! What the machine allows: the same bytes over HTTP without a server behind them, and the same
//! rows in a database without a server before them.

pub mod handler;
pub mod postgres;
pub mod store;
