//! The national nomenclatures that the volets bind.

pub mod tables;
