//! The liaison program: configuration, wiring, commands
