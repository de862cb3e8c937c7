//! From a resource to the rows of its index.
