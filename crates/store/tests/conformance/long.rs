//! Texts that are longer than what an index of a database takes are found like others.

use liaison_fhir::search::index::{IndexValue, Param, Target};
use liaison_fhir::search::query::{Clause, Query, ReferenceTest, SystemTest, Test, TokenTest, UriTest};

use crate::bench::{Say, create, name, open};
use crate::property::page;

const CODE: Param = Param { base: "Note", code: "type" };
const PROFILE: Param = Param { base: "Note", code: "profile" };
const AUTHOR: Param = Param { base: "Note", code: "author" };

/// An address of so many bytes, of which the last letter says whose.
fn address(length: usize, last: char) -> String {
    let start = "https://é.example/";
    format!("{start}{}{last}", "a".repeat(length - start.len() - 1))
}

#[tokio::test]
async fn long_codes_systems_and_addresses_are_found() {
    let bench = open();
    let mut notes = Vec::new();
    for (id, last) in [("1", 'x'), ("2", 'y')] {
        for (of, length) in [("", 400), ("long", 1001), ("longer", 5000)] {
            let text = address(length, last);
            let token = IndexValue::Token { system: Some(text.as_str().into()), code: text.as_str().into() };
            let note = create(&format!("Note/{of}{id}"))
                .row(CODE, token)
                .row(PROFILE, IndexValue::Uri(text.as_str().into()))
                .row(AUTHOR, IndexValue::Reference(Target::Elsewhere(text.as_str().into())));
            notes.push(note);
        }
    }
    bench.commit_all(notes).await.unwrap();
    let found = |clause: Clause| {
        let query = Query { types: vec!["Note"], filter: clause, sort: Vec::new(), includes: Vec::new() };
        let page = bench.read(|reader| reader.search(&query, &page(10, None)));
        let mut names: Vec<_> = page.matches.iter().map(|version| version.name.clone()).collect();
        names.sort();
        names
    };
    for (id, length) in [("1", 400), ("long1", 1001), ("longer1", 5000)] {
        let text = address(length, 'x');
        let one = vec![name(&format!("Note/{id}"))];
        let by_code = |system| TokenTest { system, code: Some(text.as_str().into()) };
        for system in [SystemTest::Any, SystemTest::Is(text.as_str().into())] {
            assert_eq!(found(Clause::Has(CODE, Test::Token(by_code(system)))), one, "{id} by its code");
        }
        let by_system = TokenTest { system: SystemTest::Is(text.as_str().into()), code: None };
        assert_eq!(found(Clause::Has(CODE, Test::Token(by_system))), one, "{id} by its system");
        let whole = UriTest::Is(text.as_str().into());
        assert_eq!(found(Clause::Has(PROFILE, Test::Uri(whole))), one, "{id} by its address");
        let author = ReferenceTest::Is(Target::Elsewhere(text.as_str().into()));
        assert_eq!(found(Clause::Has(AUTHOR, Test::Reference(author))), one, "{id} by its author");
    }
    // As much of an address as can be asked for.
    let start: String = address(5000, 'x').chars().take(895).collect();
    assert_eq!(start.len(), 896);
    let below = found(Clause::Has(PROFILE, Test::Uri(UriTest::Below(start.as_str().into()))));
    assert_eq!(below, ["long1", "long2", "longer1", "longer2"].map(|id| name(&format!("Note/{id}"))));
    let above = format!("{}/more", address(400, 'y'));
    assert_eq!(found(Clause::Has(PROFILE, Test::Uri(UriTest::Above(above.as_str().into())))), [name("Note/2")]);
}
