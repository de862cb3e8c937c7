//! What a release says of a tree: is it right, and where is it wrong.
