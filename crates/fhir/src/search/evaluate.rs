//! A query answered in memory.
