//! Use cases: the only door between callers and the store
