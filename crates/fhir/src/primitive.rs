//! Primitive values: what each type allows, and what dates and strings mean in a search.
