//! Places in a result, as text that a client can carry but not make up.

use std::hash::{Hash, Hasher};
use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::contract::{Cursor, StoreError};
use crate::dialect::{Db, Dialect, Value, damaged, unavailable};
use crate::entry::{put_number, take, take_number};
use crate::mark::StoreId;
use crate::shard::MOST;
use liaison_pages::seal;

/// Signs places: made once with the store, the same for every node.
#[derive(Clone)]
pub(crate) struct CursorKey(hmac::Key);

/// A key in a sort order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SortValue {
    /// Nothing: after everything else.
    Missing,
    /// A number or instant.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(String),
}

/// What a result is sorted by, column by column: nearly always one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SortValues {
    One(SortValue),
    Several(Vec<SortValue>),
}

impl Deref for SortValues {
    type Target = [SortValue];

    fn deref(&self) -> &[SortValue] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

/// A moment of the store: the number of the last change in each shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AsOf(pub(crate) Box<[i64]>);

impl AsOf {
    /// The last change in a shard.
    pub(crate) fn of(&self, shard: u32) -> i64 {
        self.0.get(shard as usize).copied().unwrap_or_default()
    }

    /// As a value of a statement: see [`Dialect::not_after`].
    pub(crate) fn value(&self, dialect: Dialect) -> Value<'static> {
        match dialect {
            Dialect::Sqlite => self.of(0).into(),
            Dialect::Postgres => Value::Ints(self.0.to_vec().into()),
        }
    }
}

/// A place in a result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// Which question it is a place in: a hash of it.
    pub(crate) question: u64,
    /// The last changes as of which the first page was made.
    pub(crate) as_of: AsOf,
    /// The number of results, counted for the first page.
    pub(crate) total: Option<u64>,
    /// The sort values of the last resource given.
    pub(crate) after: Vec<SortValue>,
    /// Its key.
    pub(crate) key: i64,
}

/// A number that stands for a question: a cursor of another one is refused.
pub(crate) fn question(asked: &impl Hash) -> u64 {
    let mut bytes = Gathered(Vec::with_capacity(512));
    asked.hash(&mut bytes);
    bytes.finish()
}

/// What is hashed, gathered: the same question has the same number in every process.
struct Gathered(Vec<u8>);

impl Hasher for Gathered {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        // Cursors are signed: nobody can look for one that fits a question it was not made for.
        seal(&self.0).cast_unsigned()
    }
}

const KEY_NAME: &str = "cursor-key";
const KEY_BYTES: usize = 32;
/// Half of SHA-256's output: as many bits as nobody guesses.
const TAG_BYTES: usize = 16;

impl CursorKey {
    /// Makes the key of a new store.
    pub(crate) fn make(db: Db<'_>) -> Result<Self, StoreError> {
        let mut fresh = [0; KEY_BYTES];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut fresh)
            .map_err(|_| unavailable("no randomness"))?;
        let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)";
        db.execute(sql, &[KEY_NAME.into(), fresh.as_slice().into()])?;
        Self::read(db)
    }

    /// The key of a store.
    pub(crate) fn read(db: Db<'_>) -> Result<Self, StoreError> {
        db.first("SELECT value FROM setting WHERE name = ?1", &[Value::from(KEY_NAME)], |row| {
            Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, row.bytes(0)?)))
        })?
        .ok_or_else(|| damaged("the store has no cursor key"))
    }

    /// Which store this is, without saying anything of the key.
    pub(crate) fn store_id(&self) -> StoreId {
        let tag = hmac::sign(&self.0, b"which store this is");
        let (first, _) = tag.as_ref().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        StoreId(*first)
    }

    /// Signs a place.
    pub(crate) fn seal(&self, place: &Place) -> Cursor {
        let mut bytes = vec![2];
        bytes.extend_from_slice(&place.question.to_le_bytes());
        put_number(&mut bytes, place.as_of.0.len() as u64);
        place.as_of.0.iter().for_each(|last| put_number(&mut bytes, last.cast_unsigned()));
        put_number(&mut bytes, place.total.map_or(0, |total| total.saturating_add(1)));
        put_number(&mut bytes, place.key.cast_unsigned());
        for value in &place.after {
            match value {
                SortValue::Missing => bytes.push(0),
                SortValue::Int(number) => {
                    bytes.push(1);
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
                SortValue::Real(number) => {
                    bytes.push(2);
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
                SortValue::Text(text) => {
                    bytes.push(3);
                    put_number(&mut bytes, text.len() as u64);
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        let tag = hmac::sign(&self.0, &bytes);
        bytes.extend_from_slice(tag.as_ref().get(..TAG_BYTES).unwrap_or_default());
        Cursor(URL_SAFE_NO_PAD.encode(&bytes))
    }

    /// The place a cursor names, in this question only.
    pub(crate) fn open(&self, cursor: &Cursor, question: u64) -> Result<Place, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).map_err(|_| StoreError::BadCursor)?;
        let at = bytes.len().checked_sub(TAG_BYTES).ok_or(StoreError::BadCursor)?;
        let (said, tag) = bytes.split_at(at);
        let right = hmac::sign(&self.0, said);
        // Compared in constant time, over the part that was kept.
        let same = right.as_ref().iter().zip(tag).fold(0, |differs, (one, other)| differs | (one ^ other));
        if same != 0 {
            return Err(StoreError::BadCursor);
        }
        let place = parse(said).map_err(|_| StoreError::BadCursor)?;
        if place.question == question { Ok(place) } else { Err(StoreError::BadCursor) }
    }
}

fn parse(mut from: &[u8]) -> Result<Place, StoreError> {
    let from = &mut from;
    let word = |from: &mut &[u8]| -> Result<[u8; 8], StoreError> {
        take(from, 8)?.try_into().map_err(|_| StoreError::BadCursor)
    };
    if take(from, 1)? != [2] {
        return Err(StoreError::BadCursor);
    }
    let question = u64::from_le_bytes(word(from)?);
    let shards = take_number(from)?;
    if shards > u64::from(MOST) {
        return Err(StoreError::BadCursor);
    }
    let as_of = (0..shards).map(|_| take_number(from).map(u64::cast_signed)).collect::<Result<_, _>>()?;
    let as_of = AsOf(as_of);
    let total = take_number(from)?.checked_sub(1);
    let key = take_number(from)?.cast_signed();
    let mut after = Vec::new();
    while !from.is_empty() {
        after.push(match take(from, 1)? {
            [0] => SortValue::Missing,
            [1] => SortValue::Int(i64::from_le_bytes(word(from)?)),
            [2] => SortValue::Real(f64::from_le_bytes(word(from)?)),
            _ => {
                let length = usize::try_from(take_number(from)?).map_err(|_| StoreError::BadCursor)?;
                let text = std::str::from_utf8(take(from, length)?).map_err(|_| StoreError::BadCursor)?;
                SortValue::Text(text.to_owned())
            }
        });
    }
    Ok(Place { question, as_of, total, after, key })
}
