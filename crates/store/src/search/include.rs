//! What comes with the matches of a page.

use std::collections::{HashSet, VecDeque};

use liaison_fhir::search::query::{Include, IncludeWay, Iterate};

use super::page::Found;
use crate::contract::{Cut, StoreError, Version};
use crate::entry::{Entry, each_of};
use crate::reader::Reader;

/// How far `:iterate` goes from the matches: circles end by themselves, long threads end here.
const DEPTH: u32 = 32;

/// An include in terms of the store.
struct Step {
    way: IncludeWay,
    /// Keys of the parameters followed.
    params: Vec<i64>,
    /// Keys of the types brought in; `None`: any.
    kinds: Option<Vec<i64>>,
    iterate: Iterate,
}

impl Reader<'_> {
    /// What includes bring in beside the resources found: each once, at most `limit`.
    pub(super) fn included(
        &self,
        includes: &[Include],
        found: Vec<Found>,
        limit: u32,
    ) -> Result<(Vec<Version>, Cut), StoreError> {
        let steps = self.steps(includes)?;
        let mut known: HashSet<i64> = found.iter().map(|one| one.key).collect();
        let mut waiting: VecDeque<(Found, u32)> = found.into_iter().map(|one| (one, 0)).collect();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut versions = Vec::new();
        while let Some((from, depth)) = waiting.pop_front() {
            for step in steps.iter().filter(|step| depth == 0 || step.iterate == Iterate::Repeatedly) {
                let mut fresh = self.reached(&from, step, limit - versions.len(), &known)?;
                fresh.retain(|key| !known.contains(key));
                let mut cut = Cut::Whole;
                self.live_versions(fresh, |one| {
                    let Some((version, one)) = one else { return Ok(()) };
                    if step.kinds.as_ref().is_some_and(|kinds| !kinds.contains(&one.kind)) || known.contains(&one.key) {
                        return Ok(());
                    }
                    if versions.len() == limit {
                        cut = Cut::Cut;
                        return Ok(());
                    }
                    known.insert(one.key);
                    versions.push(version);
                    if depth < DEPTH {
                        waiting.push_back((one, depth + 1));
                    }
                    Ok(())
                })?;
                if cut == Cut::Cut {
                    return Ok((versions, Cut::Cut));
                }
            }
        }
        Ok((versions, Cut::Whole))
    }

    fn steps(&self, includes: &[Include]) -> Result<Vec<Step>, StoreError> {
        let mut steps = Vec::with_capacity(includes.len());
        for include in includes {
            let mut params = Vec::with_capacity(include.params.len());
            for param in &include.params {
                params.extend(self.words.param(self.db, *param)?);
            }
            let kinds = if include.types.is_empty() {
                None
            } else {
                let mut kinds = Vec::with_capacity(include.types.len());
                for name in &include.types {
                    kinds.extend(self.words.kind(self.db, name)?.map(|kind| kind.key));
                }
                Some(kinds)
            };
            steps.push(Step { way: include.way, params, kinds, iterate: include.iterate });
        }
        Ok(steps)
    }

    /// The resources one step from another. Against the references, no more than are still wanted
    /// and one, so that it shows when some are left out.
    fn reached(&self, from: &Found, step: &Step, wanted: usize, known: &HashSet<i64>) -> Result<Vec<i64>, StoreError> {
        let mut keys = Vec::new();
        match step.way {
            IncludeWay::Forward => each_of(&from.entry, |entry| {
                if let Entry::Reference { param, target, .. } = entry
                    && step.params.contains(&param)
                {
                    keys.push(target);
                }
            })?,
            IncludeWay::Reverse => {
                let sql = "SELECT resource FROM reference WHERE target = ?1 AND param = ?2
                           ORDER BY instant DESC, resource DESC LIMIT ?3";
                // Those already there do not count.
                let limit = i64::try_from(wanted.saturating_add(known.len()).saturating_add(1)).unwrap_or(i64::MAX);
                for param in &step.params {
                    let values = [from.key.into(), (*param).into(), limit.into()];
                    self.db.each(sql, &values, |row| {
                        keys.push(row.int(0)?);
                        Ok(())
                    })?;
                }
            }
        }
        Ok(keys)
    }
}
