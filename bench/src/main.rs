//! The same load on our server, on its limits, and on any other FHIR server.
fn main() {}
