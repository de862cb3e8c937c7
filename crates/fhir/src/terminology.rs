//! Code systems, value sets and concept maps: expand, validate, look up, translate.

pub mod systems;
