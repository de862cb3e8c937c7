//! Where something stands in a resource, as a FHIRPath, without building text before it is needed.

use std::fmt;

/// A step on the way from the root of a resource to an element; the steps before it are borrowed
/// from the callers' frames, so that walking a tree allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    up: Option<&'p Place<'p>>,
    name: &'p str,
    index: Option<usize>,
}

impl<'p> Place<'p> {
    /// The root: a resource type, or whatever the way starts from.
    #[must_use]
    pub const fn root(name: &'p str) -> Self {
        Self { up: None, name, index: None }
    }

    /// An element of this one.
    #[must_use]
    pub const fn child(&'p self, name: &'p str) -> Self {
        Place { up: Some(self), name, index: None }
    }

    /// One of the repetitions of this element, counted from 0.
    #[must_use]
    pub const fn item(self, index: usize) -> Self {
        Place { index: Some(index), ..self }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(up) = self.up {
            up.fmt(f)?;
            f.write_str(".")?;
        }
        f.write_str(self.name)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

impl From<Place<'_>> for String {
    fn from(place: Place<'_>) -> Self {
        place.to_string()
    }
}

impl From<&Place<'_>> for String {
    fn from(place: &Place<'_>) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_a_fhirpath() {
        let root = Place::root("Patient");
        let name = root.child("name").item(2);
        assert_eq!(name.child("given").item(0).to_string(), "Patient.name[2].given[0]");
        assert_eq!(String::from(root.child("active")), "Patient.active");
    }
}
