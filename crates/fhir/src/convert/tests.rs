//! There and back, for every type and both ways.

mod notes;
mod round_trip;
