//! There and back, for every type and both ways.

mod hostile;
mod notes;
mod round_trip;
mod tampered;
