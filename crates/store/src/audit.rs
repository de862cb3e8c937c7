//! The audit trail: lines that are only ever added, so that one that is missing or was altered shows.
//!
//! Lines are written in blocks, one for each commit that has any, in the transaction of what they tell of.
//! Each block carries a digest of itself and of the block before it. A program that begins to write begins
//! a chain of its own, so that programs that write at the same time do not wait for each other; the first
//! block of a chain names the ends of all chains that no other names yet, so that a chain that was taken
//! away, or ends too early, shows as well. Of the chains that nothing names yet, whoever looks after the
//! store keeps the digests elsewhere: [`Verified::ends`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ring::digest::SHA256;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::contract::{Instant, Name, StoreError};
use crate::dialect::{Db, Dialect, Value, unavailable};
use crate::writer::Tx;

mod find;
mod verify;

pub use find::{Block, Looking, Spot};
pub use verify::{Flaw, Looked, Verified};

const CHAIN_BYTES: usize = 16;
const DIGEST_BYTES: usize = 32;
/// Sets these digests apart from those of anything else.
const PURPOSE: &[u8] = b"liaison audit 1\n";
/// What the lines of a first block begin with.
const NAMES: &str = "end ";

/// The end of a chain: written `CHAIN:NUMBER:DIGEST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    chain: [u8; CHAIN_BYTES],
    number: i64,
    digest: [u8; DIGEST_BYTES],
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", Hex(&self.chain), self.number, Hex(&self.digest))
    }
}

impl std::str::FromStr for End {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let (Some(chain), Some(number), Some(digest), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let number = number.parse().map_err(|_| ())?;
        Ok(Self { chain: unhex(chain).ok_or(())?, number, digest: unhex(digest).ok_or(())? })
    }
}

struct Hex<'b>(&'b [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = text.as_bytes();
    let mut read = [0; N];
    if bytes.len() != 2 * N || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (to, from) in read.iter_mut().zip(bytes.chunks_exact(2)) {
        *to = u8::from_str_radix(std::str::from_utf8(from).ok()?, 16).ok()?;
    }
    Some(read)
}

/// The digest of a block after the one of this digest.
fn sealed(
    before: &[u8; DIGEST_BYTES],
    chain: &[u8; CHAIN_BYTES],
    number: i64,
    at: i64,
    body: &[u8],
) -> [u8; DIGEST_BYTES] {
    let mut context = ring::digest::Context::new(&SHA256);
    for part in [PURPOSE, before, chain, &number.to_be_bytes(), &at.to_be_bytes(), body] {
        context.update(part);
    }
    let mut bytes = [0; DIGEST_BYTES];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// Lines that jobs of a transaction have written: those of a job that is undone go with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Option<Arc<Line>>);

#[derive(Debug)]
struct Line {
    before: Lines,
    text: Bytes,
    about: Vec<String>,
}

impl Lines {
    fn push(&mut self, text: Bytes, about: Vec<String>) {
        *self = Self(Some(Arc::new(Line { before: std::mem::take(self), text, about })));
    }

    fn each(&self) -> impl Iterator<Item = &Line> {
        std::iter::successors(self.0.as_deref(), |line| line.before.0.as_deref())
    }

    /// What they are about, each once.
    fn about(&self) -> Vec<String> {
        self.each().flat_map(|line| &line.about).collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }

    /// All of them, the oldest first, each with its end of line.
    fn body(&self) -> Vec<u8> {
        let texts: Vec<&Bytes> = self.each().map(|line| &line.text).collect();
        let mut body = Vec::with_capacity(texts.iter().map(|text| text.len() + 1).sum());
        for text in texts.into_iter().rev() {
            body.extend_from_slice(text);
            body.push(b'\n');
        }
        body
    }
}

/// A version that a job has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Of which resource.
    pub name: Name,
    /// Its number.
    pub version: u32,
    /// Whose notebook it is in, when in any.
    pub notebook: Option<Name>,
}

impl Tx<'_> {
    /// Adds lines to the trail, in the transaction of this job; they hold no end of line but between them.
    /// They are found again by what they are about.
    pub fn record(&mut self, lines: Bytes, about: Vec<String>) {
        self.counters.lines.push(lines, about);
    }
}

/// The chain of one writer.
#[derive(Debug, Default)]
pub(crate) struct Chain(Mutex<Standing>);

#[derive(Debug, Default)]
struct Standing {
    /// The last block that is known to be committed.
    end: Option<End>,
    /// The first block, while it is not known whether it is committed.
    first: Option<(End, i64, Vec<u8>)>,
    /// The end when the transaction that runs is committed.
    next: Option<End>,
}

impl Chain {
    /// Writes the lines of a transaction, before it is committed. The same again after a commit of which
    /// nobody knows whether it was done changes nothing.
    pub(crate) fn append(&self, db: Db<'_>, lines: &Lines, now: Instant) -> Result<(), StoreError> {
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing.next = None;
        if lines.0.is_none() {
            return Ok(());
        }
        let end = match standing.end {
            Some(end) => end,
            None => {
                if standing.first.is_none() {
                    standing.first = Some(first(db, now)?);
                }
                let Some((end, at, body)) = &standing.first else {
                    return Err(unavailable("a chain has no beginning"));
                };
                put(db, *end, *at, body)?;
                *end
            }
        };
        let (body, number) = (lines.body(), end.number + 1);
        let next = End { number, digest: sealed(&end.digest, &end.chain, number, now.0, &body), ..end };
        put(db, next, now.0, &body)?;
        list(db, next, now.0, lines.about())?;
        standing.next = Some(next);
        Ok(())
    }

    /// What was appended is committed.
    pub(crate) fn committed(&self) {
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = standing.next.take() {
            standing.end = Some(next);
            standing.first = None;
        }
    }

    /// Nobody knows how the chain ends: the next lines begin another, which names this one as it is found.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Standing::default();
    }
}

/// The first block of a new chain.
fn first(db: Db<'_>, now: Instant) -> Result<(End, i64, Vec<u8>), StoreError> {
    let mut chain = [0; CHAIN_BYTES];
    SystemRandom::new().fill(&mut chain).map_err(|_| unavailable("no randomness"))?;
    chain.iter_mut().zip(now.0.to_be_bytes()).for_each(|(to, from)| *to = from);
    let (mut ends, mut named) = (Vec::new(), Vec::new());
    for chain in chains(db)? {
        let sql = "SELECT number, digest FROM audit WHERE chain = ?1 ORDER BY number DESC LIMIT 1";
        let last = db.first(sql, &[chain.as_slice().into()], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))?;
        let Some((number, digest)) = last else { continue };
        // One that was altered is named as it is: looking it through will show it.
        let digest = digest.try_into().unwrap_or([0; DIGEST_BYTES]);
        ends.push(End { chain, number, digest });
        let sql = "SELECT body FROM audit WHERE chain = ?1 AND number = 0";
        let body = db.first(sql, &[chain.as_slice().into()], |row| Ok(row.bytes(0)?.to_vec()))?;
        named.extend(body.iter().flat_map(|body| names(body)));
    }
    let unnamed = ends.into_iter().filter(|end| !named.contains(end));
    let body = unnamed.map(|end| format!("{NAMES}{end}\n")).collect::<String>().into_bytes();
    let digest = sealed(&[0; DIGEST_BYTES], &chain, 0, now.0, &body);
    Ok((End { chain, number: 0, digest }, now.0, body))
}

/// What a first block names.
fn names(body: &[u8]) -> Vec<End> {
    let text = String::from_utf8_lossy(body);
    text.lines().filter_map(|line| line.strip_prefix(NAMES)?.parse().ok()).collect()
}

/// All chains, in the order of time.
fn chains(db: Db<'_>) -> Result<Vec<[u8; CHAIN_BYTES]>, StoreError> {
    let (mut found, mut after) = (Vec::new(), Vec::new());
    let sql = "SELECT chain FROM audit WHERE chain > ?1 ORDER BY chain LIMIT 1";
    while let Some(chain) = db.first(sql, &[after.as_slice().into()], |row| Ok(row.bytes(0)?.to_vec()))? {
        // One of another length was put there by somebody else: it is met again when it is looked through.
        let mut padded = [0; CHAIN_BYTES];
        padded.iter_mut().zip(&chain).for_each(|(to, from)| *to = *from);
        found.push(padded);
        after = chain;
    }
    Ok(found)
}

fn put(db: Db<'_>, End { chain, number, digest }: End, at: i64, body: &[u8]) -> Result<(), StoreError> {
    let values: [Value<'_>; 5] =
        [chain.as_slice().into(), number.into(), at.into(), digest.as_slice().into(), body.into()];
    let added = match db.dialect() {
        Dialect::Sqlite => db.execute(
            "INSERT INTO audit (chain, number, at, digest, body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            &values,
        )?,
        Dialect::Postgres => {
            let shard = i64::from(db.shards().of_bytes(&chain));
            let [chain, number, at, digest, body] = values;
            db.execute(
                "INSERT INTO audit (chain, number, at, digest, body, shard)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6::int8::int4) ON CONFLICT DO NOTHING",
                &[chain, number, at, digest, body, shard.into()],
            )?
        }
    };
    if added == 1 {
        return Ok(());
    }
    let sql = "SELECT digest FROM audit WHERE chain = ?1 AND number = ?2";
    let there = db.first(sql, &[chain.as_slice().into(), number.into()], |row| Ok(row.bytes(0)?.to_vec()))?;
    if there.as_deref() == Some(digest.as_slice()) { Ok(()) } else { Err(unavailable("a chain goes on otherwise")) }
}

/// Makes a block found by what its lines are about.
fn list(db: Db<'_>, End { chain, number, .. }: End, at: i64, about: Vec<String>) -> Result<(), StoreError> {
    if about.is_empty() {
        return Ok(());
    }
    match db.dialect() {
        Dialect::Sqlite => {
            let sql =
                "INSERT INTO audit_about (about, at, chain, number) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            for about in &about {
                db.execute(sql, &[about.as_str().into(), at.into(), chain.as_slice().into(), number.into()])?;
            }
        }
        Dialect::Postgres => {
            let shard = i64::from(db.shards().of_bytes(&chain));
            let sql = "INSERT INTO audit_about (about, at, chain, number, shard)
                       SELECT about, ?2, ?3, ?4, ?5::int8::int4 FROM unnest(?1::text[]) AS given (about)
                       ON CONFLICT DO NOTHING";
            let about = Value::Texts(about.into());
            db.execute(sql, &[about, at.into(), chain.as_slice().into(), number.into(), shard.into()])?;
        }
    }
    Ok(())
}
