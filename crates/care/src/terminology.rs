//! The national nomenclatures that the volets bind: as tables, as resources, and as what the
//! terminology operations use.

pub mod builtin;
pub mod maps;
pub mod mos;
pub mod tables;
pub mod trees;
