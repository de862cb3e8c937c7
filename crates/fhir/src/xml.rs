//! XML in and out, without loss.
