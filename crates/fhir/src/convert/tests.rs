//! There and back, for every type and both ways.

mod constraints;
mod hostile;
mod notes;
mod round_trip;
mod tampered;
