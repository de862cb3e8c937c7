//! The part of FHIRPath that search parameters and profile rules need.
