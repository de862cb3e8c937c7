//! The rules of the CI-SIS: notes, persons and identifiers, profiles, nomenclatures
