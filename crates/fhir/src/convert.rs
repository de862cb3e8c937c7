//! STU3 to R4 and back, without loss.
