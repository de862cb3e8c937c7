//! The wire form of 2017, read as it was meant.
