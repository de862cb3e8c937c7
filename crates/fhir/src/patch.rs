//! JSON Patch (RFC 6902) on trees.
