//! JSON in and out, without loss.
