//! Resources, valid or not.

use liaison_fhir::{
    convert, json,
    outcome::Issue,
    release::{r4, stu3},
    search::extract::{ExtractContext, extract, references},
    spelling, validate, xml,
};

use crate::{
    bounds::bounded,
    judge::{LIMITS, same_through_xml, sorted, told},
};

/// Bytes as a resource: everything that looks at one comes to an end in bounded memory, and a valid
/// one goes through XML and through the other release without loss.
pub fn resource(bytes: &[u8]) {
    let Ok(tree) = json::read(bytes, &LIMITS) else { return };
    let _ = spelling::closest(tree.resource_type().unwrap_or_default(), r4().resources());
    for release in [r4(), stu3()] {
        let issues = bounded(bytes.len(), 400, || validate::validate(&tree, release));
        let _ = liaison_care::check::check(&tree, release);
        if issues.iter().any(Issue::refuses) {
            told(&issues);
            continue;
        }
        xml::write(&tree, release).unwrap_or_else(|issue| panic!("valid, and not to be written: {issue:?}"));
        same_through_xml(&tree, release);
        let to_r4 = std::ptr::eq(release, stu3());
        let there = bounded(bytes.len(), 400, || if to_r4 { convert::to_r4(&tree) } else { convert::to_stu3(&tree) });
        let back = if to_r4 { convert::to_stu3(&there) } else { convert::to_r4(&there) };
        assert_eq!(sorted(back), sorted(tree.clone()), "there and back");
    }
    let zone = jiff::tz::TimeZone::UTC;
    let bases = ["http://localhost/fhir/r4".to_owned()];
    let context = ExtractContext { zone: &zone, bases: &bases };
    let _ = bounded(bytes.len(), 2_000, || extract(&tree, &context));
    let _ = references(&tree, r4(), &context);
    let _ = liaison_care::unique::keys(&tree);
}
