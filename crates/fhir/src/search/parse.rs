//! From a query string to a query.
