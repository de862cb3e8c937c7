//! The liaison program: configuration, wiring, commands.

fn main() {}
