//! The two wire forms of notes: their rules differ in a few places.

use liaison_fhir::release::Release;

/// A wire form of notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// That of 2017, with a date of creation and a date of indexing.
    Of2017,
    /// Today's, with one date.
    Today,
}

impl Form {
    /// The form of the notes of a release: what its tables call the date of a note tells.
    #[must_use]
    pub fn of(release: &Release) -> Self {
        let date = release.type_named("DocumentReference").and_then(|note| note.element("date"));
        if date.is_some() { Self::Today } else { Self::Of2017 }
    }
}

#[cfg(test)]
mod tests {
    use liaison_fhir::release::{r4, stu3};

    use super::*;

    #[test]
    fn the_form_is_told_by_the_tables() {
        assert_eq!((Form::of(stu3()), Form::of(r4())), (Form::Of2017, Form::Today));
    }
}
