//! Random resources and random questions about them.

use liaison_fhir::search::index::{IndexValue, Param, Target};
use liaison_fhir::search::query::{
    Clause, Comparison, DateTest, Direction, NumberTest, ParamKind, Query, ReferenceTest, ResourceSet, Sort, SortKey,
    StringTest, SystemTest, Test, TokenTest, UriTest,
};
use proptest::collection::SizeRange;
use proptest::prelude::*;
use proptest::sample::select;

use crate::bench::NOTE_DATE;

pub const TYPES: [&str; 3] = ["Note", "Person", "Team"];

/// Parameters of the three types, by what they hold.
pub const PARAMS: [(&str, &str, ParamKind); 14] = [
    ("Note", "type", ParamKind::Token),
    ("Note", "date", ParamKind::Date),
    ("Note", "period", ParamKind::Date),
    ("Note", "subject", ParamKind::Reference),
    ("Note", "author", ParamKind::Reference),
    ("Note", "title", ParamKind::String),
    ("Note", "score", ParamKind::Number),
    ("Note", "dose", ParamKind::Quantity),
    ("Note", "profile", ParamKind::Uri),
    ("Note", "place", ParamKind::Special),
    ("Person", "identifier", ParamKind::Token),
    ("Person", "family", ParamKind::String),
    ("Person", "member", ParamKind::Reference),
    ("Team", "name", ParamKind::String),
];

pub fn param(base: &'static str, code: &'static str) -> Param {
    Param { base, code }
}

fn word() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "ab", "abc", "b", "É", "é", "Dupré", "dupre", "x y", "", "z\u{10FFFF}"])
}

fn system() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![None, Some("s1"), Some("s2")])
}

fn url() -> impl Strategy<Value = &'static str> {
    select(vec!["http://a", "http://a/b", "http://a/b/c", "urn:x", "http://b"])
}

fn name() -> impl Strategy<Value = (&'static str, u8)> {
    (select(TYPES.to_vec()), 0..12_u8)
}

fn set() -> impl Strategy<Value = ResourceSet> {
    let ids = proptest::collection::vec(0..12_u8, 0..12);
    (select(TYPES.to_vec()), ids).prop_map(|(of, ids)| ResourceSet::new(of, ids.iter().map(|id| id.to_string().into())))
}

fn range() -> impl Strategy<Value = (i64, i64)> {
    prop_oneof![
        8 => (0..60_i64, 1..12_i64).prop_map(|(low, length)| (low, low + length)),
        1 => (0..60_i64).prop_map(|low| (low, i64::MAX)),
        1 => (0..60_i64).prop_map(|high| (i64::MIN, high)),
    ]
}

fn numbers() -> impl Strategy<Value = (f64, f64)> {
    (0..20_i32, 0..4_i32).prop_map(|(low, length)| (f64::from(low) / 2.0, f64::from(low + length) / 2.0))
}

fn place() -> impl Strategy<Value = (f64, f64)> {
    (-90..=90_i32, -180..=180_i32).prop_map(|(north, east)| (f64::from(north), f64::from(east)))
}

fn value(kind: ParamKind) -> BoxedStrategy<IndexValue> {
    match kind {
        ParamKind::Token => (system(), word())
            .prop_map(|(system, code)| IndexValue::Token { system: system.map(Into::into), code: code.into() })
            .boxed(),
        ParamKind::Date => range().prop_map(|(low, high)| IndexValue::Date { low, high }).boxed(),
        ParamKind::Reference => prop_oneof![
            5 => name().prop_map(|(of, id)| Target::Local { resource_type: of.into(), id: id.to_string().into() }),
            1 => url().prop_map(|url| Target::Elsewhere(url.into())),
        ]
        .prop_map(IndexValue::Reference)
        .boxed(),
        ParamKind::String => word()
            .prop_map(|exact| IndexValue::String { exact: exact.into(), folded: liaison_fhir::primitive::fold(exact) })
            .boxed(),
        ParamKind::Number => numbers().prop_map(|(low, high)| IndexValue::Number { low, high }).boxed(),
        ParamKind::Quantity => (numbers(), system(), system())
            .prop_map(|((low, high), system, code)| IndexValue::Quantity {
                low,
                high,
                system: system.map(Into::into),
                code: code.map(Into::into),
            })
            .boxed(),
        ParamKind::Uri => url().prop_map(|url| IndexValue::Uri(url.into())).boxed(),
        ParamKind::Special | ParamKind::Composite => {
            place().prop_map(|(latitude, longitude)| IndexValue::Position { latitude, longitude }).boxed()
        }
    }
}

/// What is done to a resource.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Created if it is not there, changed if it is.
    Put(&'static str, u8, Vec<(Param, IndexValue)>),
    /// Deleted, if it is there.
    Delete(&'static str, u8),
}

fn put() -> impl Strategy<Value = Deed> {
    name().prop_flat_map(|(of, id)| rows(of).prop_map(move |rows| Deed::Put(of, id, rows)))
}

/// Resources that come to be there and change, none that goes.
pub fn puts(number: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Deed>> {
    proptest::collection::vec(put(), number)
}

pub fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => put(),
        1 => name().prop_map(|(of, id)| Deed::Delete(of, id)),
    ]
}

fn rows(of: &'static str) -> impl Strategy<Value = Vec<(Param, IndexValue)>> {
    let kinds: Vec<_> = PARAMS.into_iter().filter(|(base, ..)| *base == of).collect();
    let row =
        select(kinds).prop_flat_map(|(base, code, kind)| value(kind).prop_map(move |value| (param(base, code), value)));
    proptest::collection::vec(row, 0..10).prop_map(|mut rows| {
        // A timeline has one value a resource.
        let mut dated = false;
        rows.retain(|(param, _)| *param != NOTE_DATE || !std::mem::replace(&mut dated, true));
        rows
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    select(vec![Within, NotWithin, Greater, Less, GreaterOrWithin, LessOrWithin, After, Before, Overlaps])
}

fn date_test() -> impl Strategy<Value = DateTest> {
    (comparison(), range()).prop_map(|(comparison, (low, high))| DateTest { comparison, low, high })
}

fn number_test() -> impl Strategy<Value = NumberTest> {
    (comparison(), numbers()).prop_map(|(comparison, (low, high))| NumberTest { comparison, low, high })
}

fn types() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(TYPES.to_vec(), 1..=3)
}

fn test(kind: ParamKind) -> BoxedStrategy<Test> {
    match kind {
        ParamKind::Token => {
            let system = prop_oneof![
                Just(SystemTest::Any),
                Just(SystemTest::Absent),
                select(vec!["s1", "s2", "s3"]).prop_map(|system| SystemTest::Is(system.into())),
            ];
            (system, proptest::option::weighted(0.9, word()))
                .prop_map(|(system, code)| TokenTest { system, code: code.map(Into::into) })
                .prop_filter("asks for something", |test| test.code.is_some() || test.system != SystemTest::Any)
                .prop_map(Test::Token)
                .boxed()
        }
        ParamKind::Date => date_test().prop_map(Test::Date).boxed(),
        ParamKind::Reference => prop_oneof![
            name().prop_map(|(of, id)| {
                ReferenceTest::Is(Target::Local { resource_type: of.into(), id: id.to_string().into() })
            }),
            url().prop_map(|url| ReferenceTest::Is(Target::Elsewhere(url.into()))),
            (0..12_u8, types()).prop_map(|(id, types)| ReferenceTest::Id { id: id.to_string().into(), types }),
            types().prop_map(ReferenceTest::OfType),
            set().prop_map(ReferenceTest::Among),
        ]
        .prop_map(Test::Reference)
        .boxed(),
        ParamKind::String => prop_oneof![
            word().prop_map(|word| StringTest::StartsWith(liaison_fhir::primitive::fold(word))),
            word().prop_map(|word| StringTest::Contains(liaison_fhir::primitive::fold(word))),
            word().prop_map(|word| StringTest::Exact(word.into())),
        ]
        .prop_map(Test::String)
        .boxed(),
        ParamKind::Number => number_test().prop_map(Test::Number).boxed(),
        ParamKind::Quantity => (number_test(), system(), system())
            .prop_map(|(number, system, code)| Test::Quantity {
                number,
                system: system.map(Into::into),
                code: code.map(Into::into),
            })
            .boxed(),
        ParamKind::Uri => prop_oneof![
            url().prop_map(|url| UriTest::Is(url.into())),
            url().prop_map(|url| UriTest::Below(url.into())),
            url().prop_map(|url| UriTest::Above(url.into())),
        ]
        .prop_map(Test::Uri)
        .boxed(),
        ParamKind::Special | ParamKind::Composite => (place(), 1..20_000_i32)
            .prop_map(|((latitude, longitude), kilometres)| Test::Near {
                latitude,
                longitude,
                metres: f64::from(kilometres) * 1000.0 + 0.5,
            })
            .boxed(),
    }
}

fn reference_param() -> impl Strategy<Value = Param> {
    select(vec![param("Note", "subject"), param("Note", "author"), param("Person", "member")])
}

/// A condition. `updated`: around which moment resources were changed.
pub fn clause(updated: i64) -> impl Strategy<Value = Clause> {
    let leaf = prop_oneof![
        12 => select(PARAMS.to_vec()).prop_flat_map(|(base, code, kind)| {
            test(kind).prop_map(move |test| Clause::Has(param(base, code), test))
        }),
        2 => select(PARAMS.to_vec()).prop_map(|(base, code, _)| Clause::Present(param(base, code))),
        1 => proptest::collection::vec((0..12_u8).prop_map(|id| id.to_string().into()), 0..4).prop_map(Clause::Id),
        1 => set().prop_map(Clause::Among),
        1 => (comparison(), 0..60_i64, 1..20_i64).prop_map(move |(comparison, low, length)| {
            Clause::LastUpdated(DateTest { comparison, low: updated + low, high: updated + low + length })
        }),
        1 => types().prop_map(Clause::OfType),
        1 => Just(Clause::always()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 1..4).prop_map(Clause::All),
            2 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Clause::Any),
            1 => inner.clone().prop_map(|clause| Clause::Not(Box::new(clause))),
            3 => (reference_param(), types(), inner.clone())
                .prop_map(|(param, types, target)| Clause::Refers { param, types, target: Box::new(target) }),
            2 => (reference_param(), inner)
                .prop_map(|(param, source)| Clause::ReferredBy { param, source: Box::new(source) }),
        ]
    })
}

fn sort() -> impl Strategy<Value = Sort> {
    let sortable: Vec<_> = PARAMS.into_iter().filter(|(.., kind)| *kind != ParamKind::Special).collect();
    let by = prop_oneof![
        1 => Just(SortKey::LastUpdated),
        1 => Just(SortKey::Id),
        2 => Just(SortKey::Param(NOTE_DATE, ParamKind::Date)),
        3 => select(sortable).prop_map(|(base, code, kind)| SortKey::Param(param(base, code), kind)),
    ];
    let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
    (by, direction).prop_map(|(by, direction)| Sort { by, direction })
}

fn searched_types() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        6 => select(TYPES.to_vec()).prop_map(|of| vec![of]),
        1 => Just(Vec::new()),
        1 => types(),
    ]
}

/// A query that everything of some types matches, in some order: mostly by what these types have.
pub fn order() -> impl Strategy<Value = Query> {
    let own = |(base, ..): &(&str, &str, ParamKind), types: &[&str]| types.is_empty() || types.contains(base);
    searched_types().prop_flat_map(move |types| {
        let params: Vec<_> = PARAMS
            .into_iter()
            .filter(|param| param.2 != ParamKind::Special && own(param, &types))
            .map(|(base, code, kind)| SortKey::Param(param(base, code), kind))
            .collect();
        let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
        let by_own = (select(params), direction).prop_map(|(by, direction)| Sort { by, direction });
        let sort = proptest::collection::vec(prop_oneof![3 => by_own, 1 => sort()], 0..3);
        sort.prop_map(move |sort| Query { types: types.clone(), filter: Clause::always(), sort, includes: Vec::new() })
    })
}

/// A query without includes.
pub fn query(updated: i64) -> impl Strategy<Value = Query> {
    (searched_types(), clause(updated), proptest::collection::vec(sort(), 0..3))
        .prop_map(|(types, filter, sort)| Query { types, filter, sort, includes: Vec::new() })
}
