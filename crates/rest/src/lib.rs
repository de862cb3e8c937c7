//! FHIR REST over HTTP, thin
