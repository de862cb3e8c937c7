//! FHIR's XML.

use liaison_fhir::{
    json,
    outcome::Issue,
    release::{r4, stu3},
    validate, xml,
};

use crate::{
    bounds::bounded,
    judge::{LIMITS, same_through_xml, told},
};

/// Bytes as XML, in both releases: what is read is well-formed, holds no document type, is written
/// and read again the same, and is JSON too.
pub fn xml(bytes: &[u8]) {
    for release in [r4(), stu3()] {
        let read = bounded(bytes.len(), 400, || xml::read(bytes, release, &LIMITS));
        let tree = match read {
            Ok(tree) => tree,
            Err(issues) => {
                told(&issues);
                continue;
            }
        };
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
        let text = text.expect("what is read is UTF-8");
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
        let document = roxmltree::Document::parse_with_options(text, options);
        let document = document.unwrap_or_else(|error| panic!("read, though {error}"));
        assert_eq!(Some(document.root_element().tag_name().name()), tree.resource_type(), "the root names the type");
        assert!(!text.contains("<!DOCTYPE") || text.contains("<!--") || text.contains("<![CDATA["), "a document type");
        let as_json = json::write(&tree);
        assert_eq!(json::read(&as_json, &json::Limits::OWN).as_ref(), Ok(&tree), "as JSON");
        let issues = validate::validate(&tree, release);
        if issues.iter().any(Issue::refuses) {
            told(&issues);
        } else {
            xml::write(&tree, release).unwrap_or_else(|issue| panic!("valid, and not to be written: {issue:?}"));
        }
        same_through_xml(&tree, release);
    }
}
