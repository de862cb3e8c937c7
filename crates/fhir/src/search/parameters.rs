//! The search parameters of each release, as data.
