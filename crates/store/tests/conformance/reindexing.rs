//! Rows follow the definitions of the program, or are said not to: never a search that misses some.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use liaison_fhir::search::definition::Definition;
use liaison_fhir::search::index::{IndexRow, IndexValue, Param, Target};
use liaison_fhir::search::query::{
    Clause, Comparison, DateTest, Direction, Include, IncludeWay, Iterate, ParamKind, Query, Sort, SortKey, SystemTest,
    Test, TokenTest,
};
use liaison_store::check::Damage;
use liaison_store::contract::{Change, NewVersion, Page, PageRequest, StoreError, TotalMode};
use liaison_store::indexing::Claim;
use liaison_store::reindex::{Pass, Piece, Put, Rebuild, Wanted, everywhere};
use liaison_store::store::{Store, StoreOptions, StoreUrl};

use crate::bench::{NOTE_DATE, Place, Say, create, delete, name, on_postgres, options, somewhere, update};

const WORD: Param = Param { base: "Note", code: "word" };
const LENGTH: Param = Param { base: "Note", code: "length" };
const ABOUT: Param = Param { base: "Note", code: "about" };
const KIND: Param = Param { base: "Person", code: "kind" };

/// A version of the program: what it takes for the word of a note, and whether it knows its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// The word of a note is its first.
    First,
    /// It is its last, its date is the number in it, and what it is about is found.
    Last,
}

impl Program {
    fn definitions(self) -> Vec<Definition> {
        let of = |param, first, last| Definition { param, fingerprint: if self == Self::First { first } else { last } };
        let mut all = vec![of(WORD, 11, 12), of(NOTE_DATE, 21, 22), of(LENGTH, 30, 30), of(KIND, 40, 40)];
        if self == Self::Last {
            all.push(of(ABOUT, 0, 52));
        }
        all
    }

    fn options(self) -> StoreOptions {
        let clock = Arc::new(std::sync::atomic::AtomicI64::new(1_700_000_000_000_000));
        StoreOptions { definitions: self.definitions(), kept_kib: 4096, ..options(&clock) }
    }

    fn open(self, url: &StoreUrl) -> Store {
        Store::open(url, self.options()).unwrap()
    }

    /// The rows of a note of a text, such as `red apple 17 about Person/1`.
    fn rows(self, text: &str) -> Vec<IndexRow> {
        let words: Vec<&str> = text.split(' ').collect();
        let token = |code: &str| IndexValue::Token { system: None, code: code.into() };
        let number: i64 = words.iter().find_map(|word| word.parse().ok()).unwrap_or_default();
        let length = text.len() as f64;
        let word = if self == Self::First { words[0] } else { words[1] };
        let day = if self == Self::First { 0 } else { number };
        let mut rows = vec![
            IndexRow { param: WORD, value: token(word) },
            IndexRow { param: LENGTH, value: IndexValue::Number { low: length, high: length } },
            IndexRow { param: NOTE_DATE, value: IndexValue::Date { low: day, high: day + 1 } },
        ];
        if let (Self::Last, Some(person)) = (self, words.iter().find_map(|word| word.strip_prefix("Person/"))) {
            let target = Target::Local { resource_type: "Person".into(), id: person.into() };
            rows.push(IndexRow { param: ABOUT, value: IndexValue::Reference(target) });
        }
        rows
    }

    fn note(self, of: &str, text: &str) -> NewVersion {
        let note = create(of).says(text).key("text", text);
        let note = self.rows(text).into_iter().fold(note, |note, row| note.row(row.param, row.value));
        match text.split(' ').find(|word| word.starts_with("Person/")) {
            Some(person) => note.links(person),
            None => note,
        }
    }

    /// The rows of the resources of a piece.
    fn rows_of(self, piece: &Piece) -> Vec<Vec<IndexRow>> {
        piece
            .resources
            .iter()
            .map(|stored| {
                let body = String::from_utf8_lossy(&stored.version.body).into_owned();
                let text = body.split("\"text\":\"").nth(1).unwrap().trim_end_matches("\"}").to_owned();
                if *stored.version.name.resource_type == *"Note" { self.rows(&text) } else { Vec::new() }
            })
            .collect()
    }
}

async fn commit(store: &Store, new: NewVersion) -> Result<u32, StoreError> {
    store.write(move |tx| tx.commit_version(&new)).await.map(|committed| committed.version.version)
}

const MISSING: Wanted = Wanted { types: Vec::new(), rebuild: Rebuild::Missing };
const ALL: Wanted = Wanted { types: Vec::new(), rebuild: Rebuild::All };

async fn begin(store: &Store, wanted: &Wanted) -> Result<Option<Pass>, StoreError> {
    let asked = wanted.clone();
    let Some(counted) = store.read(move |reader| reader.to_reindex(&asked)).await? else { return Ok(None) };
    let wanted = wanted.clone();
    store.write_at(everywhere(), move |tx| tx.begin_reindexing(&wanted, &counted)).await
}

async fn piece(store: &Store, pass: &Pass, shard: u32) -> Result<Option<Piece>, StoreError> {
    let pass = pass.clone();
    store.read(move |reader| reader.next_piece(&pass, shard)).await
}

async fn put(store: &Store, program: Program, pass: &Pass, piece: &Piece) -> Result<Put, StoreError> {
    let (rows, pass, piece) = (program.rows_of(piece), pass.clone(), piece.clone());
    store.write_at(piece.places(), move |tx| tx.put_piece(&pass, &piece, &rows)).await
}

async fn end(store: &Store, pass: &Pass) -> Result<(), StoreError> {
    let pass = pass.clone();
    store.write_at(everywhere(), move |tx| tx.end_reindexing(&pass)).await?;
    store.look_at_index_again();
    Ok(())
}

async fn unfinished(store: &Store) -> Vec<u32> {
    store.read(|reader| reader.reindexing()).await.unwrap_or_else(none).map_or_else(Vec::new, |now| now.shards)
}

fn none<T>(error: StoreError) -> T {
    panic!("{error:?}")
}

/// Carries a pass to its end; what was passed and changed on the way.
async fn carry_on(store: &Store, program: Program, pass: &Pass) -> Put {
    let mut done = Put::default();
    for shard in unfinished(store).await {
        while let Some(piece) = piece(store, pass, shard).await.unwrap() {
            let put = put(store, program, pass, &piece).await.unwrap();
            done = Put { passed: done.passed + put.passed, changed: done.changed + put.changed };
        }
    }
    end(store, pass).await.unwrap();
    done
}

async fn reindex(store: &Store, program: Program, wanted: &Wanted) -> Put {
    let pass = begin(store, wanted).await.unwrap().unwrap();
    carry_on(store, program, &pass).await
}

fn notes(filter: Clause) -> Query {
    Query { types: vec!["Note"], filter, sort: Vec::new(), includes: Vec::new() }
}

fn word(code: &str) -> Query {
    let test = TokenTest { system: SystemTest::Any, code: Some(code.into()) };
    // Ordered by what no definition changes.
    Query { sort: vec![by_id()], ..notes(Clause::Has(WORD, Test::Token(test))) }
}

fn by_id() -> Sort {
    Sort { by: SortKey::Id, direction: Direction::Ascending }
}

fn request() -> PageRequest {
    PageRequest {
        count: 1000,
        cursor: None,
        total: TotalMode::Accurate,
        include_limit: 1000,
        deadline: Duration::from_secs(10),
    }
}

async fn ask(store: &Store, query: &Query) -> Result<Page, StoreError> {
    let query = query.clone();
    store.read(move |reader| reader.search(&query, &request())).await
}

/// The ids that a query gives; what was brought in beside them has its type.
async fn found(store: &Store, query: &Query) -> Vec<String> {
    let page = ask(store, query).await.unwrap_or_else(none);
    let beside = page.includes.iter().map(|one| format!("{}/{}", one.name.resource_type, one.name.id));
    page.matches.iter().map(|one| one.name.id.to_string()).chain(beside).collect()
}

async fn refused(store: &Store, query: &Query) -> Vec<&'static str> {
    match ask(store, query).await {
        Err(StoreError::NotReady { params }) => params.into_iter().map(|param| param.code).collect(),
        other => panic!("{other:?}"),
    }
}

/// Questions that every row of the notes has a part in.
fn questions() -> Vec<Query> {
    let date =
        |low, high| notes(Clause::Has(NOTE_DATE, Test::Date(DateTest { comparison: Comparison::Within, low, high })));
    let include = Include { way: IncludeWay::Forward, params: vec![ABOUT], types: Vec::new(), iterate: Iterate::Once };
    let back = Include { way: IncludeWay::Reverse, ..include.clone() };
    let mut all: Vec<Query> = ["red", "green", "apple", "pear", "17"].map(word).into();
    all.extend([date(0, 1), date(0, 20), date(17, 18), notes(Clause::always()), notes(Clause::Present(ABOUT))]);
    all.push(Query { includes: vec![include], ..notes(Clause::Present(WORD)) });
    all.push(Query { types: vec!["Person"], includes: vec![back], ..notes(Clause::always()) });
    let sort = SortKey::Param(WORD, ParamKind::Token);
    all.push(Query {
        sort: vec![Sort { by: sort, direction: Direction::Descending }, by_id()],
        ..notes(Clause::always())
    });
    all
}

const TEXTS: [&str; 6] = [
    "red apple 17",
    "green pear 3 about Person/1",
    "red pear 17 about Person/2",
    "apple red 9",
    "pear green 12 about Person/1",
    "green 17 apple",
];

/// Writes persons and so many notes.
async fn fill(store: &Store, program: Program, count: usize) {
    for id in ["Person/1", "Person/2"] {
        commit(store, create(id)).await.unwrap();
    }
    let many: Vec<_> = (0..count)
        .map(|number| program.note(&format!("Note/{number:03}"), &format!("{} {number}x", TEXTS[number % TEXTS.len()])))
        .collect();
    store
        .write(move |tx| many.iter().map(|new| tx.commit_version(new)).collect::<Result<Vec<_>, StoreError>>())
        .await
        .unwrap();
}

/// What a store answers that was written by the program from the beginning, after the same.
async fn from_the_start(program: Program, count: usize, change: impl AsyncFn(&Store)) -> Vec<Vec<String>> {
    let (url, _place) = somewhere();
    let store = program.open(&url);
    fill(&store, program, count).await;
    change(&store).await;
    answers(&store).await
}

async fn answers(store: &Store) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for question in questions() {
        all.push(found(store, &question).await);
    }
    all
}

fn whole(url: &StoreUrl) {
    assert_eq!(Store::check(url).unwrap(), Vec::<Damage>::new());
}

/// A store that an earlier version of the program wrote.
async fn former(count: usize) -> (StoreUrl, Place) {
    let (url, place) = somewhere();
    let store = Program::First.open(&url);
    fill(&store, Program::First, count).await;
    store.close().await;
    (url, place)
}

#[tokio::test]
async fn a_search_whose_definition_changed_is_refused_until_its_rows_were_made_anew_and_others_are_served() {
    let (url, _place) = former(40).await;
    let store = Program::Last.open(&url);
    let people = Query { types: vec!["Person"], ..notes(Clause::always()) };
    let length = Query { sort: vec![by_id()], ..notes(Clause::Present(LENGTH)) };
    for round in 0..2 {
        assert_eq!(refused(&store, &word("apple")).await, ["date", "word"], "date: what notes are ordered by");
        assert_eq!(refused(&store, &length).await, ["date"]);
        assert_eq!(refused(&store, &notes(Clause::Present(ABOUT))).await, ["about", "date"], "new, and so not there");
        let include =
            Include { way: IncludeWay::Reverse, params: vec![ABOUT], types: Vec::new(), iterate: Iterate::Once };
        assert_eq!(refused(&store, &Query { includes: vec![include], ..people.clone() }).await, ["about"]);
        let chain = Clause::ReferredBy { param: ABOUT, source: Box::new(Clause::Present(LENGTH)) };
        assert_eq!(refused(&store, &Query { filter: chain, ..people.clone() }).await, ["about"]);
        assert_eq!(found(&store, &people).await.len(), 2, "what rests on nothing of it is answered");
        // What rests on a search that cannot be answered is not written.
        let job = store.write(|tx| tx.search(&word("apple"), &request()).map(|page| page.matches.len()));
        assert!(matches!(job.await, Err(StoreError::NotReady { .. })));
        let standing = store.index_standing().await.unwrap();
        assert_eq!(standing.not_ready.iter().map(|param| param.code).collect::<Vec<_>>(), ["about", "date", "word"]);
        if round == 0 {
            // Neither by opening it again nor by half of it.
            let pass = begin(&store, &MISSING).await.unwrap().unwrap();
            let shard = unfinished(&store).await[0];
            let first = piece(&store, &pass, shard).await.unwrap().unwrap();
            put(&store, Program::Last, &pass, &first).await.unwrap();
        }
    }
    reindex(&store, Program::Last, &MISSING).await;
    assert_eq!(answers(&store).await, from_the_start(Program::Last, 40, async |_| {}).await);
    assert_eq!(store.index_standing().await.unwrap().not_ready.len(), 0);
    assert_eq!(begin(&store, &MISSING).await.unwrap(), None, "nothing is left to do");
    store.close().await;
    whole(&url);
}

#[tokio::test]
async fn what_is_written_follows_the_new_definition_at_once() {
    let (url, _place) = former(3).await;
    let store = Program::Last.open(&url);
    commit(&store, Program::Last.note("Note/new", "blue plum 5")).await.unwrap();
    let counted = reindex(&store, Program::Last, &MISSING).await;
    assert_eq!(found(&store, &word("plum")).await, ["new"]);
    assert_eq!((counted.passed, counted.changed), (4, 3), "the note that was written since needed nothing");
}

#[tokio::test]
async fn what_was_broken_off_goes_on_from_the_place_reached() {
    let (url, _place) = former(600).await;
    let store = Program::Last.open(&url);
    let pass = begin(&store, &MISSING).await.unwrap().unwrap();
    let first = unfinished(&store).await[0];
    let done = piece(&store, &pass, first).await.unwrap().unwrap();
    assert!(done.resources.len() <= 100, "{}", done.resources.len());
    let put_before = put(&store, Program::Last, &pass, &done).await.unwrap();
    // As after a kill: nothing is known of it but what the store says.
    store.close().await;
    let store = Program::Last.open(&url);
    let progress = store.read(|reader| reader.reindexing()).await.unwrap_or_else(none).unwrap();
    assert_eq!((progress.done, progress.all), (put_before.passed, 600));
    let again = begin(&store, &MISSING).await.unwrap().unwrap();
    assert_eq!(again, pass, "taken up, not begun anew");
    assert_eq!(put(&store, Program::Last, &pass, &done).await.unwrap(), Put::default(), "a piece is put once");
    let rest = carry_on(&store, Program::Last, &pass).await;
    assert_eq!(put_before.passed + rest.passed, 600, "nothing twice, nothing left out");
    assert_eq!(answers(&store).await, from_the_start(Program::Last, 600, async |_| {}).await);
    store.close().await;
    whole(&url);
}

#[tokio::test]
async fn what_is_written_between_reading_and_putting_is_left_as_it_was_written() {
    let (url, _place) = former(30).await;
    let store = Program::Last.open(&url);
    let pass = begin(&store, &MISSING).await.unwrap().unwrap();
    let mut pieces = BTreeMap::new();
    for shard in unfinished(&store).await {
        pieces.insert(shard, piece(&store, &pass, shard).await.unwrap().unwrap());
    }
    let meanwhile = async |store: &Store| {
        commit(store, NewVersion { change: Change::Update, ..Program::Last.note("Note/004", "blue plum 5") })
            .await
            .unwrap();
        commit(store, delete("Note/005")).await.unwrap();
        commit(store, delete("Note/006")).await.unwrap();
        commit(store, Program::Last.note("Note/006", "plum blue 6 about Person/2")).await.unwrap();
        commit(store, Program::Last.note("Note/100", "grey plum 7")).await.unwrap();
    };
    meanwhile(&store).await;
    for piece in pieces.values() {
        put(&store, Program::Last, &pass, piece).await.unwrap();
    }
    carry_on(&store, Program::Last, &pass).await;
    assert_eq!(answers(&store).await, from_the_start(Program::Last, 30, meanwhile).await);
    store.close().await;
    whole(&url);
}

#[tokio::test]
async fn what_was_read_before_leads_on_by_the_new_rows() {
    let (url, _place) = former(12).await;
    let store = Program::Last.open(&url);
    // In memory, with the references that it had.
    for number in 0..12 {
        store.current(&name(&format!("Note/{number:03}"))).await.unwrap().unwrap();
    }
    reindex(&store, Program::Last, &MISSING).await;
    let include = Include { way: IncludeWay::Forward, params: vec![ABOUT], types: Vec::new(), iterate: Iterate::Once };
    let all = Query { includes: vec![include], ..notes(Clause::always()) };
    let found = found(&store, &all).await;
    assert!(found.contains(&"Person/1".to_owned()) && found.contains(&"Person/2".to_owned()), "{found:?}");
}

#[tokio::test]
async fn only_rows_that_differ_are_written_and_those_of_asked_types() {
    let (url, _place) = former(20).await;
    let store = Program::Last.open(&url);
    let persons = Wanted { types: vec!["Person".into()], ..MISSING };
    assert_eq!(begin(&store, &persons).await.unwrap(), None, "theirs did not change");
    assert_eq!(reindex(&store, Program::Last, &Wanted { types: vec!["Note".into()], ..MISSING }).await.changed, 20);
    // Made anew once more, everything is as it was.
    let again = reindex(&store, Program::Last, &ALL).await;
    assert_eq!((again.passed, again.changed), (22, 0));
    assert_eq!(answers(&store).await, from_the_start(Program::Last, 20, async |_| {}).await);
    store.close().await;
    whole(&url);
}

#[tokio::test]
async fn going_back_to_the_version_before_is_told_too() {
    let (url, _place) = former(10).await;
    let later = Program::Last.open(&url);
    reindex(&later, Program::Last, &MISSING).await;
    later.close().await;
    let store = Program::First.open(&url);
    assert_eq!(refused(&store, &word("red")).await, ["date", "word"]);
    reindex(&store, Program::First, &MISSING).await;
    let (theirs, _place) = former(10).await;
    let original = Program::First.open(&theirs);
    for word in ["red", "apple", "green"].map(word) {
        assert_eq!(found(&store, &word).await, found(&original, &word).await);
    }
}

#[tokio::test]
async fn two_versions_side_by_side_lose_nothing() {
    if !on_postgres() {
        return;
    }
    let (url, _place) = somewhere();
    let old = Program::First.open(&url);
    fill(&old, Program::First, 20).await;
    assert_eq!(found(&old, &word("red")).await.len(), 7);
    let new = Program::Last.open(&url);
    // Without a restart the old one hears that its own rows are not all there any more.
    assert_eq!(refused(&old, &word("red")).await, ["date", "word"]);
    assert_eq!(found(&old, &Query { types: vec!["Person"], ..notes(Clause::always()) }).await.len(), 2);
    let between = Program::First.note("Note/old", "blue plum 5");
    commit(&old, between).await.unwrap();
    commit(&new, Program::Last.note("Note/new", "plum blue 5")).await.unwrap();

    let pass = begin(&new, &MISSING).await.unwrap().unwrap();
    let late = commit(&old, Program::First.note("Note/late", "grey plum 6")).await;
    assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
    carry_on(&new, Program::Last, &pass).await;
    let late = commit(&old, Program::First.note("Note/late", "grey plum 6")).await;
    assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
    assert_eq!(found(&new, &word("plum")).await, ["old"]);
    assert_eq!(found(&new, &word("blue")).await, ["new"]);
    assert_eq!(old.ailment().await, None, "nothing ails the store");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let standing = old.index_standing().await.unwrap();
    assert_eq!(standing.writing, liaison_store::indexing::Writing::Superseded);
    assert_eq!(refused(&old, &word("red")).await, ["date", "word"], "it would miss what the new one wrote");
    old.close().await;
    new.close().await;
    whole(&url);
}

#[tokio::test]
async fn whoever_only_follows_leaves_a_store_of_other_definitions_alone() {
    let (url, _place) = former(3).await;
    let follow = |program: Program| StoreOptions { claim: Claim::Follow, ..program.options() };
    let refused = Store::open(&url, follow(Program::Last)).map(drop);
    assert!(matches!(refused, Err(StoreError::Superseded)), "{refused:?}");
    let store = Store::open(&url, follow(Program::First)).unwrap();
    assert_eq!(found(&store, &word("red")).await.len(), 2);
    commit(&store, Program::First.note("Note/new", "red plum 5")).await.unwrap();
}

#[tokio::test]
async fn a_node_hears_without_a_restart_that_its_searches_are_ready() {
    if !on_postgres() {
        return;
    }
    let (url, _place) = former(20).await;
    let (one, other) = (Program::Last.open(&url), Program::Last.open(&url));
    assert_eq!(refused(&other, &word("apple")).await, ["date", "word"]);
    // Both take part.
    let pass = begin(&one, &MISSING).await.unwrap().unwrap();
    assert_eq!(begin(&other, &MISSING).await.unwrap().unwrap(), pass);
    for (at, shard) in unfinished(&one).await.into_iter().enumerate() {
        let store = if at % 2 == 0 { &one } else { &other };
        while let Some(piece) = piece(store, &pass, shard).await.unwrap() {
            put(store, Program::Last, &pass, &piece).await.unwrap();
        }
    }
    end(&one, &pass).await.unwrap();
    assert!(matches!(end(&other, &pass).await, Err(StoreError::Overtaken)), "ended once");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(answers(&other).await, answers(&one).await);
}

#[tokio::test]
async fn a_program_of_other_definitions_that_comes_in_between_stops_what_it_would_spoil() {
    if !on_postgres() {
        return;
    }
    let (url, _place) = former(20).await;
    let new = Program::Last.open(&url);
    let pass = begin(&new, &MISSING).await.unwrap().unwrap();
    let shard = unfinished(&new).await[0];
    let read = piece(&new, &pass, shard).await.unwrap().unwrap();
    let old = Program::First.open(&url);
    commit(&old, update("Note/001").says("blue plum 5")).await.unwrap();
    assert!(matches!(put(&new, Program::Last, &pass, &read).await, Err(StoreError::Overtaken)));
    assert!(matches!(end(&new, &pass).await, Err(StoreError::Overtaken)));
    old.close().await;
    let shut_out = begin(&new, &MISSING).await;
    assert!(matches!(shut_out, Err(StoreError::Superseded)), "nobody shuts out who was started last: {shut_out:?}");
    let again = Program::Last.open(&url);
    reindex(&again, Program::Last, &MISSING).await;
    assert_eq!(found(&again, &word("plum")).await, ["001"]);
}
