//! Looking the whole trail through: whether anything of it is missing, was altered, or is not found any more.

use super::{CHAIN_BYTES, DIGEST_BYTES, End, Hex, chains, names, sealed};
use crate::contract::StoreError;
use crate::reader::Reader;

/// What the trail is when it is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Chains.
    pub chains: usize,
    /// Blocks, without the first ones.
    pub blocks: u64,
    /// Lines in them.
    pub lines: u64,
    /// The ends of chains that no other chain names: to be kept elsewhere, and looked for the next time.
    pub ends: Vec<End>,
}

/// Why the trail is not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A block is not there.
    #[error("block {number} of chain {chain} is missing")]
    Missing {
        /// In which chain.
        chain: String,
        /// Which.
        number: i64,
    },
    /// A block is not what was written, or not where it was written.
    #[error("block {number} of chain {chain} was altered")]
    Altered {
        /// In which chain.
        chain: String,
        /// Which.
        number: i64,
    },
    /// A block is not found by what its lines are about.
    #[error("block {number} of chain {chain} is not listed under everything that it is about")]
    Unlisted {
        /// In which chain.
        chain: String,
        /// Which.
        number: i64,
    },
    /// An end that was noted down is not there.
    #[error("the block {0} is not there, which was noted down elsewhere")]
    Unmet(End),
}

/// Whether the trail is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is.
    Whole(Verified),
    /// It is not: the first flaw.
    Broken(Flaw),
}

impl Reader<'_> {
    /// Looks the whole trail through; these ends, which were noted down before, must be in it. `about` reads what
    /// the lines of a block are about.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Damaged`].
    pub fn verify_audit(&self, noted: &[End], about: impl Fn(&[u8]) -> Vec<String>) -> Result<Looked, StoreError> {
        let mut wanted: Vec<(End, Option<String>)> = noted.iter().map(|end| (*end, None)).collect();
        let chains = chains(self.db)?;
        // What first blocks name must be there, whichever chain comes first.
        for chain in &chains {
            let sql = "SELECT body FROM audit WHERE chain = ?1 AND number = 0";
            let body = self.db.first(sql, &[chain.as_slice().into()], |row| Ok(row.bytes(0)?.to_vec()))?;
            for end in body.iter().flat_map(|body| names(body)) {
                wanted.push((end, Some(Hex(&end.chain).to_string())));
            }
        }
        let (mut verified, mut met) = (Verified::default(), Vec::new());
        for chain in chains {
            verified.chains += 1;
            match self.verify_chain(chain, &about, &mut verified, |end| {
                met.extend(wanted.extract_if(.., |(wanted, _)| *wanted == end));
            })? {
                Ok(end) => verified.ends.push(end),
                Err(flaw) => return Ok(Looked::Broken(flaw)),
            }
        }
        if let Some((end, named)) = wanted.into_iter().next() {
            return Ok(Looked::Broken(match named {
                Some(chain) => Flaw::Missing { chain, number: end.number },
                None => Flaw::Unmet(end),
            }));
        }
        verified.ends.retain(|end| !met.iter().any(|(met, named)| met == end && named.is_some()));
        Ok(Looked::Whole(verified))
    }

    /// Looks a chain through, some blocks at a time; gives its end.
    fn verify_chain(
        &self,
        chain: [u8; CHAIN_BYTES],
        about: &impl Fn(&[u8]) -> Vec<String>,
        verified: &mut Verified,
        mut meet: impl FnMut(End),
    ) -> Result<Result<End, Flaw>, StoreError> {
        let named = || Hex(&chain).to_string();
        let sql =
            "SELECT number, at, digest, body FROM audit WHERE chain = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
        let mut before = None::<End>;
        loop {
            let last = before.map_or(-1, |end| end.number);
            let blocks = self.db.all(sql, &[chain.as_slice().into(), last.into(), AT_ONCE.into()], |row| {
                Ok((row.int(0)?, row.int(1)?, row.bytes(2)?.to_vec(), row.bytes(3)?.to_vec()))
            })?;
            if blocks.is_empty() {
                return Ok(before.ok_or_else(|| Flaw::Missing { chain: named(), number: 0 }));
            }
            for (found, at, kept, body) in blocks {
                let number = before.map_or(0, |end| end.number.saturating_add(1));
                if found != number {
                    return Ok(Err(Flaw::Missing { chain: named(), number }));
                }
                let digest = before.map_or([0; DIGEST_BYTES], |end| end.digest);
                let digest = sealed(&digest, &chain, number, at, &body);
                if kept != digest {
                    return Ok(Err(Flaw::Altered { chain: named(), number }));
                }
                if number > 0 {
                    verified.blocks += 1;
                    verified.lines += body.iter().filter(|byte| **byte == b'\n').count() as u64;
                    for about in about(&body) {
                        let sql =
                            "SELECT 1 FROM audit_about WHERE about = ?1 AND at = ?2 AND chain = ?3 AND number = ?4";
                        let values = [about.as_str().into(), at.into(), chain.as_slice().into(), number.into()];
                        if self.db.first(sql, &values, |_| Ok(()))?.is_none() {
                            return Ok(Err(Flaw::Unlisted { chain: named(), number }));
                        }
                    }
                }
                let end = End { chain, number, digest };
                meet(end);
                before = Some(end);
            }
        }
    }

    /// Hands the blocks of lines of the trail to `each`, chain by chain.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Damaged`], and what `each` answers.
    pub fn audit_blocks(&self, mut each: impl FnMut(&[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for chain in chains(self.db)? {
            let sql = "SELECT body FROM audit WHERE chain = ?1 AND number > 0 ORDER BY number";
            self.db.stream(sql, &[chain.as_slice().into()], |row| each(row.bytes(0)?))?;
        }
        Ok(())
    }
}

/// Blocks that are looked through at once.
const AT_ONCE: u32 = 256;
