//! The statements of searches, as they are asked, with their values and plans: a change of any of
//! them shows as a change of a snapshot.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use liaison_fhir::search::index::{IndexRow, IndexValue, Param, Target};
use liaison_fhir::search::query::{
    Clause, Comparison, DateTest, Direction, NumberTest, ParamKind, Query, ReferenceTest, Sort, SortKey, StringTest,
    SystemTest, Test, TokenTest, UriTest,
};

use super::plan::Purpose;
use crate::contract::{
    Change, Form, Instant, Link, Name, Named, NewVersion, PageRequest, PreparedBody, StoreError, TotalMode,
};
use crate::dialect::{Db, Dialect, Value};
use crate::reader::Reader;
use crate::store::{Store, StoreOptions, StoreUrl};

const DATE: Param = Param { base: "Note", code: "date" };
const SUBJECT: Param = Param { base: "Note", code: "subject" };
const AUTHOR: Param = Param { base: "Note", code: "author" };
const TYPE: Param = Param { base: "Note", code: "type" };
const LABEL: Param = Param { base: "Note", code: "security-label" };
const TITLE: Param = Param { base: "Note", code: "title" };
const PERIOD: Param = Param { base: "Note", code: "period" };
const SCORE: Param = Param { base: "Note", code: "score" };
const DOSE: Param = Param { base: "Note", code: "dose" };
const PROFILE: Param = Param { base: "Note", code: "profile" };
const PLACE: Param = Param { base: "Note", code: "place" };
const IDENTIFIER: Param = Param { base: "Person", code: "identifier" };
const FAMILY: Param = Param { base: "Person", code: "family" };
const GIVEN: Param = Param { base: "Person", code: "given" };
const PRACTITIONER: Param = Param { base: "Role", code: "practitioner" };

const DAY: i64 = 86_400_000_000;

/// Whether the statements are those for PostgreSQL (`LIAISON_TEST_STORE=postgres`).
fn on_postgres() -> bool {
    std::env::var("LIAISON_TEST_STORE").is_ok_and(|wanted| wanted == "postgres")
}

/// Where a store is.
enum Place {
    Directory { _goes: tempfile::TempDir },
    Database { _goes: liaison_test_postgres::Database<'static> },
}

/// Two persons, a role of one, and notes enough that codes are more than a few.
fn fixture() -> (Place, Store) {
    let (place, url) = if on_postgres() {
        let database = liaison_test_postgres::Cluster::shared().database();
        let url = StoreUrl::parse(&database.url()).unwrap();
        (Place::Database { _goes: database }, url)
    } else {
        let dir = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(dir.path().join("store.db"));
        (Place::Directory { _goes: dir }, url)
    };
    let clock = AtomicI64::new(0);
    let options = StoreOptions {
        readers: 1,
        timelines: vec![DATE],
        clock: Arc::new(move || Instant(1_700_000_000_000_000 + clock.fetch_add(1, Ordering::SeqCst))),
        ..StoreOptions::default()
    };
    let store = Store::open(&url, options).unwrap();
    let person = |id: &str, family: &str| {
        new("Person", id)
            .row(IDENTIFIER, token(Some("urn:ins"), id))
            .row(FAMILY, string(family))
            .row(GIVEN, string("Marie"))
    };
    let mut all =
        vec![person("1", "Dupont"), person("2", "Martin"), new("Role", "1").refers(PRACTITIONER, "Person", "1")];
    for number in 0..600_i64 {
        let mut note = new("Note", &number.to_string())
            .row(DATE, IndexValue::Date { low: number * DAY, high: number * DAY + 1000 })
            .row(TYPE, token(Some("urn:types"), "OBS"))
            .row(LABEL, token(None, "N"))
            .row(TITLE, string("Visite du matin"));
        if number < 40 {
            note = note.refers(SUBJECT, "Person", "2").refers(AUTHOR, "Role", "1");
        }
        if number == 0 {
            note = note
                .refers(AUTHOR, "Person", "1")
                .row(LABEL, token(Some("urn:labels"), "R"))
                .row(LABEL, token(Some("urn:other-labels"), "R"))
                .row(PERIOD, IndexValue::Date { low: 0, high: DAY })
                .row(SCORE, IndexValue::Number { low: 1.0, high: 2.0 })
                .row(
                    DOSE,
                    IndexValue::Quantity {
                        low: 1.0,
                        high: 2.0,
                        system: Some("urn:units".into()),
                        code: Some("mg".into()),
                    },
                )
                .row(PROFILE, IndexValue::Uri("urn:profile".into()))
                .row(PLACE, IndexValue::Position { latitude: 0.0, longitude: 0.0 });
        }
        all.push(note);
    }
    let job = store
        .write(move |tx| -> Result<(), StoreError> { all.iter().try_for_each(|new| tx.commit_version(new).map(drop)) });
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(job).unwrap();
    (place, store)
}

fn new(resource_type: &str, id: &str) -> NewVersion {
    NewVersion {
        name: Name { resource_type: resource_type.into(), id: id.into() },
        notebook: None,
        named: Named::ByCaller,
        change: Change::Create,
        form: Form(1),
        body: Some(PreparedBody { head: Bytes::from_static(b"{"), tail: Bytes::from_static(b"}"), holes: Vec::new() }),
        index: Vec::new(),
        links: Vec::new(),
        unique: Vec::new(),
        blobs: Vec::new(),
        caller: "tester".into(),
    }
}

impl NewVersion {
    fn row(mut self, param: Param, value: IndexValue) -> Self {
        self.index.push(IndexRow { param, value });
        self
    }

    fn refers(mut self, param: Param, resource_type: &str, id: &str) -> Self {
        let to = Name { resource_type: resource_type.into(), id: id.into() };
        self.links.push(Link { to, place: "".into() });
        let target = Target::Local { resource_type: resource_type.into(), id: id.into() };
        self.row(param, IndexValue::Reference(target))
    }
}

fn token(system: Option<&str>, code: &str) -> IndexValue {
    IndexValue::Token { system: system.map(Into::into), code: code.into() }
}

fn string(text: &str) -> IndexValue {
    IndexValue::String { exact: text.into(), folded: liaison_fhir::primitive::fold(text) }
}

fn code(param: Param, system: Option<&str>, code: &str) -> Clause {
    let system = system.map_or(SystemTest::Any, |system| SystemTest::Is(system.into()));
    Clause::Has(param, Test::Token(TokenTest { system, code: Some(code.into()) }))
}

fn starts(param: Param, text: &str) -> Clause {
    Clause::Has(param, Test::String(StringTest::StartsWith(liaison_fhir::primitive::fold(text))))
}

fn date(param: Param, comparison: Comparison, day: i64) -> Clause {
    Clause::Has(param, Test::Date(DateTest { comparison, low: day * DAY, high: (day + 1) * DAY }))
}

fn refers(param: Param, types: &[&'static str], target: Clause) -> Clause {
    Clause::Refers { param, types: types.to_vec(), target: Box::new(target) }
}

fn notes(filter: Clause) -> Query {
    Query { types: vec!["Note"], filter, sort: Vec::new(), includes: Vec::new() }
}

fn sorted(query: Query, by: SortKey, direction: Direction) -> Query {
    Query { sort: vec![Sort { by, direction }], ..query }
}

/// What a person's notes are asked by.
fn subject() -> Clause {
    refers(SUBJECT, &["Person"], code(IDENTIFIER, None, "2"))
}

/// Notes by a person, in their own name or in a role.
fn author() -> Clause {
    let person = Clause::All(vec![starts(FAMILY, "Dupont"), starts(GIVEN, "Marie")]);
    Clause::Any(vec![
        refers(AUTHOR, &["Person"], person.clone()),
        refers(AUTHOR, &["Role"], refers(PRACTITIONER, &["Person"], person)),
    ])
}

/// Whether the statements of a search may look at every row of a table.
#[derive(Clone, Copy, PartialEq)]
enum Scans {
    /// They must not.
    Never,
    /// Nothing narrows it.
    Allowed,
}

/// The searches of the volets, then one of each kind.
fn cases() -> Vec<(&'static str, Scans, Query)> {
    use Scans::{Allowed, Never};
    let date_key = SortKey::Param(DATE, ParamKind::Date);
    let newest = |query| sorted(query, date_key, Direction::Descending);
    vec![
        ("subject_by_identifier_newest_first", Never, newest(notes(subject()))),
        ("subject_by_identifier", Never, notes(subject())),
        ("author_by_family_and_given", Never, notes(author())),
        (
            "date_and_type_newest_first",
            Never,
            newest(notes(Clause::All(vec![
                date(DATE, Comparison::GreaterOrWithin, 100),
                code(TYPE, Some("urn:types"), "OBS"),
            ]))),
        ),
        (
            "date_and_type_oldest_first",
            Never,
            sorted(
                notes(Clause::All(vec![date(DATE, Comparison::Within, 100), code(TYPE, Some("urn:types"), "OBS")])),
                date_key,
                Direction::Ascending,
            ),
        ),
        ("security_label", Never, notes(code(LABEL, None, "N"))),
        (
            "type_and_label",
            Never,
            notes(Clause::All(vec![code(TYPE, Some("urn:types"), "OBS"), code(LABEL, None, "N")])),
        ),
        (
            "subject_type_and_date",
            Never,
            newest(notes(Clause::All(vec![
                subject(),
                code(TYPE, Some("urn:types"), "OBS"),
                date(DATE, Comparison::Greater, 10),
            ]))),
        ),
        ("identifier", Never, Query { types: vec!["Person"], ..notes(code(IDENTIFIER, Some("urn:ins"), "1")) }),
        (
            "identifier_or_identifier",
            Never,
            Query {
                types: vec!["Person"],
                ..notes(Clause::Any(vec![
                    code(IDENTIFIER, Some("urn:ins"), "1"),
                    code(IDENTIFIER, Some("urn:ins"), "2"),
                ]))
            },
        ),
        ("name", Never, Query { types: vec!["Person"], ..notes(starts(FAMILY, "Dup")) }),
        ("id", Never, notes(Clause::Id(vec!["1".into(), "2".into()]))),
        ("date_alone", Never, newest(notes(date(DATE, Comparison::GreaterOrWithin, 590)))),
        (
            "changed_since",
            Never,
            sorted(
                notes(Clause::LastUpdated(DateTest {
                    comparison: Comparison::Greater,
                    low: 1_700_000_000_000_100,
                    high: 1_700_000_000_000_101,
                })),
                SortKey::LastUpdated,
                Direction::Ascending,
            ),
        ),
        ("last_changed_first", Never, sorted(notes(Clause::always()), SortKey::LastUpdated, Direction::Descending)),
        ("everything", Never, notes(Clause::always())),
        ("not_a_code", Never, notes(Clause::Not(Box::new(code(TYPE, Some("urn:types"), "OBS"))))),
        ("missing", Never, notes(Clause::Not(Box::new(Clause::Present(SUBJECT))))),
        (
            "reference_to_a_type",
            Never,
            notes(Clause::Has(SUBJECT, Test::Reference(ReferenceTest::OfType(vec!["Person"])))),
        ),
        (
            "reference_elsewhere",
            Never,
            notes(Clause::Has(
                SUBJECT,
                Test::Reference(ReferenceTest::Is(Target::Elsewhere("http://elsewhere/1".into()))),
            )),
        ),
        (
            "referred_by",
            Never,
            Query {
                types: vec!["Person"],
                ..notes(Clause::ReferredBy { param: SUBJECT, source: Box::new(code(TYPE, Some("urn:types"), "OBS")) })
            },
        ),
        ("chain_from_many", Never, notes(refers(SUBJECT, &["Person"], Clause::Present(FAMILY)))),
        (
            "chain_checked",
            Never,
            notes(Clause::All(vec![
                refers(AUTHOR, &["Person", "Role"], Clause::Not(Box::new(Clause::Id(vec!["9".into()])))),
                refers(SUBJECT, &["Person"], code(IDENTIFIER, None, "2")),
            ])),
        ),
        ("text_contains", Never, notes(Clause::Has(TITLE, Test::String(StringTest::Contains("matin".into()))))),
        ("text_exactly", Never, notes(Clause::Has(TITLE, Test::String(StringTest::Exact("Visite du matin".into()))))),
        ("period", Never, notes(date(PERIOD, Comparison::Overlaps, 0))),
        (
            "number",
            Never,
            notes(Clause::Has(SCORE, Test::Number(NumberTest { comparison: Comparison::Less, low: 2.0, high: 2.0 }))),
        ),
        (
            "quantity",
            Never,
            notes(Clause::Has(
                DOSE,
                Test::Quantity {
                    number: NumberTest { comparison: Comparison::NotWithin, low: 5.0, high: 6.0 },
                    system: Some("urn:units".into()),
                    code: Some("mg".into()),
                },
            )),
        ),
        ("uri_below", Never, notes(Clause::Has(PROFILE, Test::Uri(UriTest::Below("urn:".into()))))),
        ("uri_above", Never, notes(Clause::Has(PROFILE, Test::Uri(UriTest::Above("urn:profile|2".into()))))),
        (
            "any_code_of_a_system",
            Never,
            notes(Clause::Has(TYPE, Test::Token(TokenTest { system: SystemTest::Is("urn:types".into()), code: None }))),
        ),
        ("near", Never, notes(Clause::Has(PLACE, Test::Near { latitude: 0.0, longitude: 0.0, metres: 1000.0 }))),
        (
            "sorted_by_text",
            Never,
            sorted(notes(subject()), SortKey::Param(TITLE, ParamKind::String), Direction::Ascending),
        ),
        (
            "sorted_by_code",
            Allowed,
            sorted(notes(subject()), SortKey::Param(TYPE, ParamKind::Token), Direction::Descending),
        ),
        ("several_types", Never, Query { types: vec!["Note", "Person"], ..notes(Clause::Id(vec!["1".into()])) }),
    ]
}

#[test]
fn the_statements_of_each_search() {
    let (_dir, store) = fixture();
    for (name, scans, query) in cases() {
        let text = store.read_now(|reader| statements(reader, &query)).unwrap();
        if scans == Scans::Never {
            for line in text.lines().filter(|line| line.trim_start().starts_with("SCAN")) {
                // Lists made by the statement itself are read whole: they are what it asked for.
                let of = line.trim_start().trim_start_matches("SCAN ");
                let made = matches!(of, "p" | "u" | "n" | "v")
                    || of.starts_with(['s', 'k', '('])
                    || of.starts_with("CONSTANT");
                assert!(made, "{name} looks at every row of a table: {line}\n{text}");
            }
        }
        if store.read_now(|reader| Ok::<_, StoreError>(reader.db.dialect())).unwrap() == Dialect::Postgres {
            assert!(!text.contains("Seq Scan"), "{name} looks at every row of a table:\n{text}");
            // The plan is PostgreSQL's, which differs from version to version.
            let statements: Vec<_> = text.lines().filter(|line| !line.starts_with("  ")).collect();
            insta::assert_snapshot!(format!("{name}.postgres"), statements.join("\n"));
            continue;
        }
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn what_can_never_match_asks_nothing() {
    let (_dir, store) = fixture();
    let nothing = || Clause::Id(Vec::new());
    let elsewhere = |id: &str| ReferenceTest::Is(Target::Local { resource_type: "Person".into(), id: id.into() });
    for filter in [
        nothing(),
        Clause::Not(Box::new(Clause::always())),
        Clause::All(vec![code(TYPE, None, "OBS"), nothing()]),
        Clause::Any(vec![nothing(), nothing()]),
        code(TYPE, Some("urn:never-met"), "OBS"),
        code(IDENTIFIER, None, "1"),
        Clause::Present(IDENTIFIER),
        refers(SUBJECT, &["Person", "Nothing"], nothing()),
        refers(SUBJECT, &["Nothing"], Clause::always()),
        refers(SUBJECT, &["Person"], starts(FAMILY, "Nobody")),
        Clause::ReferredBy { param: SUBJECT, source: Box::new(nothing()) },
        Clause::Has(SUBJECT, Test::Reference(ReferenceTest::OfType(vec!["Nothing"]))),
        Clause::Has(SUBJECT, Test::Reference(elsewhere("never-met"))),
    ] {
        let query = notes(filter);
        let search = store.read_now(|reader| reader.prepare(&query)).unwrap();
        let page = store.read_now(|reader| first_page(reader, &search)).unwrap();
        let count = store.read_now(|reader| reader.count_statement(&search, None)).unwrap();
        assert!(page.is_none() && count.is_none(), "{query:?}");
    }
}

#[test]
fn only_orders_of_time_are_walked() {
    let (_dir, store) = fixture();
    let purpose = |query: Query| {
        let search = store.read_now(|reader| reader.prepare(&query)).unwrap();
        super::purpose(&search.order)
    };
    let by = |key, direction| sorted(notes(Clause::always()), key, direction);
    let title = SortKey::Param(TITLE, ParamKind::String);
    for direction in [Direction::Ascending, Direction::Descending] {
        let date = SortKey::Param(DATE, ParamKind::Date);
        assert_eq!(purpose(by(date, direction)), Purpose::Moments);
        assert_eq!(purpose(by(SortKey::LastUpdated, direction)), Purpose::Changes);
        assert_eq!(purpose(by(title, direction)), Purpose::Set);
        assert_eq!(purpose(by(SortKey::Id, direction)), Purpose::Set);
    }
    assert_eq!(purpose(notes(Clause::always())), Purpose::Moments, "the newest first");
}

#[test]
fn a_code_of_two_systems_is_one_match() {
    let (_dir, store) = fixture();
    let page = |query: &Query| {
        let request = PageRequest {
            count: 1,
            cursor: None,
            total: TotalMode::Bounded,
            include_limit: 0,
            deadline: std::time::Duration::from_secs(10),
        };
        store.read_now(|reader| reader.search(query, &request)).unwrap()
    };
    let labelled = page(&notes(code(LABEL, None, "R")));
    assert_eq!((labelled.matches.len(), labelled.total, labelled.next.is_some()), (1, Some(1), false));
    let all = page(&notes(code(LABEL, None, "N")));
    assert_eq!((all.matches.len(), all.total, all.next.is_some()), (1, Some(600), true));
}

#[test]
fn notes_of_a_person_are_walked_in_order() {
    let (_dir, store) = fixture();
    for (name, _, query) in cases().into_iter().take(8) {
        let page = store.read_now(|reader| page_statement(reader, &query)).unwrap();
        let plan = store.read_now(|reader| plan(reader, &page.0, &page.1)).unwrap();
        if on_postgres() {
            // A walk of rows that are in order already, of which equals are put in theirs, is no sort of them.
            let sorts = plan.replace("Incremental Sort", "walk").contains("Sort");
            assert!(!sorts || name.starts_with("author"), "{name} sorts:\n{plan}");
            continue;
        }
        // Several heads are merged, one after the other in order: a sort of two pages at most.
        let sorts = if name.starts_with("author") { "USE TEMP B-TREE FOR ORDER BY" } else { "TEMP B-TREE" };
        let per_head = plan.lines().filter(|line| line.starts_with("      ")).collect::<Vec<_>>().join("\n");
        let looked_at = if name.starts_with("author") { &per_head } else { &plan };
        assert!(!looked_at.contains(sorts), "{name} sorts:\n{plan}");
    }
}

/// The statement of a first page of 20, and one to see whether more follow.
fn first_page(
    reader: &Reader<'_>,
    search: &super::Search,
) -> Result<Option<(String, Vec<Value<'static>>)>, StoreError> {
    let branches = reader.plan_for(search, super::purpose(&search.order))?;
    reader.page_statement(search, &branches, None, None, 21)
}

fn page_statement(reader: &Reader<'_>, query: &Query) -> Result<(String, Vec<Value<'static>>), StoreError> {
    let search = reader.prepare(query)?;
    Ok(first_page(reader, &search)?.unwrap_or_default())
}

/// The statements of a search, with values and plans.
fn statements(reader: &Reader<'_>, query: &Query) -> Result<String, StoreError> {
    let search = reader.prepare(query)?;
    let mut text = String::new();
    let page = first_page(reader, &search)?;
    let count = reader.count_statement(&search, Some(10_000))?;
    for (what, statement) in [("page", page), ("count", count)] {
        let Some((sql, values)) = statement else {
            writeln!(text, "-- {what}: nothing can match").unwrap();
            continue;
        };
        writeln!(text, "-- {what}\n{}", folded(&sql)).unwrap();
        let values: Vec<_> = (1..).zip(&values).map(|(number, value)| format!("?{number} = {}", said(value))).collect();
        writeln!(text, "-- {}", values.join(", ")).unwrap();
        text.push_str(&plan(reader, &sql, &statement_values(reader, &search, what)?)?);
    }
    Ok(text)
}

fn statement_values(
    reader: &Reader<'_>,
    search: &super::Search,
    what: &str,
) -> Result<Vec<Value<'static>>, StoreError> {
    let statement = match what {
        "page" => first_page(reader, search)?,
        _ => reader.count_statement(search, Some(10_000))?,
    };
    Ok(statement.unwrap_or_default().1)
}

/// The plan of a statement, a line for each step, indented.
fn plan(reader: &Reader<'_>, sql: &str, values: &[Value<'static>]) -> Result<String, StoreError> {
    if let Db::Postgres(db, _) = reader.db {
        let values: Vec<_> = values.iter().map(said).collect();
        let given = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        // As every connection has it: planned once, whatever the values.
        db.run(&format!("PREPARE it AS {}", sql.replace("CROSS JOIN", "JOIN").replace('?', "$")))?;
        let mut text = String::new();
        for row in db.rows(&format!("EXPLAIN (COSTS OFF) EXECUTE it{given}"), &[])? {
            writeln!(text, "  {}", row.get::<_, &str>(0)).unwrap();
        }
        db.run("DEALLOCATE it")?;
        return Ok(text);
    }
    let mut depths = std::collections::HashMap::from([(0, 0_usize)]);
    let mut text = String::new();
    reader.db.each(&format!("EXPLAIN QUERY PLAN {sql}"), values, |row| {
        let depth = depths.get(&row.int(1)?).copied().unwrap_or_default() + 1;
        depths.insert(row.int(0)?, depth);
        writeln!(text, "{}{}", "  ".repeat(depth), row.text(3)?).unwrap();
        Ok(())
    })?;
    Ok(text)
}

/// One clause a line.
fn folded(sql: &str) -> String {
    let mut text = sql.to_owned();
    for word in [" FROM ", " WHERE ", " ORDER BY ", " CROSS JOIN ", " LEFT JOIN ", " UNION "] {
        text = text.replace(word, &format!("\n {}", word.trim_start()));
    }
    text
}

fn said(value: &Value<'_>) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Real(number) => format!("{number:.6}"),
        Value::Text(text) => format!("'{text}'"),
        Value::Ints(numbers) => format!("'{{{}}}'", numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(",")),
        Value::Texts(texts) => format!("{texts:?}"),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Null => "NULL".to_owned(),
    }
}
