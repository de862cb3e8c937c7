//! What comes with the matches of a page.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use liaison_fhir::search::query::{Include, IncludeWay, Iterate};

use super::There;
use super::found::Resources;
use crate::contract::{Cut, INCLUDE_DEPTH, StoreError, Version};
use crate::kept::Live;
use crate::reader::Reader;

/// An include in terms of the store.
pub(super) struct Step {
    way: IncludeWay,
    /// Keys of the parameters followed.
    params: Vec<i64>,
    /// Keys of the types brought in; `None`: any.
    kinds: Option<Vec<i64>>,
    iterate: Iterate,
}

impl Step {
    /// Whether it follows the references of a parameter.
    fn follows(&self, param: i64) -> bool {
        self.way == IncludeWay::Forward && self.params.contains(&param)
    }

    fn brings(&self, kind: i64) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// What a resource leads to, by these steps.
pub(super) fn followed(steps: &[Step], from: &Live) -> Vec<i64> {
    let followed = from.references.iter().filter(|(param, _)| steps.iter().any(|step| step.follows(*param)));
    followed.map(|(_, target)| *target).collect()
}

impl Reader<'_> {
    /// What steps bring in beside the resources found: each once, at most `limit`.
    pub(super) fn included(
        &self,
        steps: &[Step],
        mut resources: Resources<'_>,
        found: Vec<Arc<Live>>,
        limit: u32,
        there: Option<There<'_>>,
    ) -> Result<(Vec<Arc<Version>>, Cut), StoreError> {
        let mut versions = Vec::new();
        if steps.is_empty() {
            return Ok((versions, Cut::Whole));
        }
        let goes_on = steps.iter().any(|step| step.iterate == Iterate::Repeatedly);
        let mut known: BTreeSet<i64> = found.iter().map(|one| one.key).collect();
        let mut waiting: VecDeque<(Arc<Live>, u32)> = found.into_iter().map(|one| (one, 0)).collect();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        resources
            .expect(waiting.iter().flat_map(|(one, _)| followed(steps, one)).filter(|key| !known.contains(key)))?;
        while let Some((from, depth)) = waiting.pop_front() {
            for step in steps.iter().filter(|step| depth == 0 || step.iterate == Iterate::Repeatedly) {
                let against = match step.way {
                    IncludeWay::Forward => Vec::new(),
                    // Those that are not there for who asks must not take the place of others.
                    IncludeWay::Reverse if there.is_some() => self.referring(&from, step, usize::MAX, 0)?,
                    IncludeWay::Reverse => self.referring(&from, step, limit - versions.len(), known.len())?,
                };
                let along = from.references.iter().filter(|(param, _)| step.follows(*param)).map(|(_, target)| *target);
                for key in along.chain(against) {
                    if known.contains(&key) {
                        continue;
                    }
                    let brought =
                        |one: &Arc<Live>| step.brings(one.kind) && there.is_none_or(|there| there(&one.version));
                    let Some(one) = resources.get(key)?.filter(brought) else { continue };
                    if versions.len() == limit {
                        return Ok((versions, Cut::Cut));
                    }
                    // Nearer ones came first: what is still waiting is as far away.
                    if depth == INCLUDE_DEPTH {
                        return Ok((versions, Cut::Deep));
                    }
                    known.insert(key);
                    versions.push(Arc::clone(&one.version));
                    if goes_on {
                        waiting.push_back((one, depth + 1));
                    }
                }
            }
        }
        Ok((versions, Cut::Whole))
    }

    /// Includes in terms of the store.
    pub(super) fn steps(&self, includes: &[Include]) -> Result<Vec<Step>, StoreError> {
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
                    kinds.extend(self.kind_named(name)?.map(|kind| kind.key));
                }
                Some(kinds)
            };
            steps.push(Step { way: include.way, params, kinds, iterate: include.iterate });
        }
        Ok(steps)
    }

    /// The resources that refer to another: no more than are still wanted and one, so that it shows
    /// when some are left out; those `known` already do not count.
    fn referring(&self, from: &Live, step: &Step, wanted: usize, known: usize) -> Result<Vec<i64>, StoreError> {
        let mut keys = Vec::new();
        let sql = "SELECT resource FROM reference WHERE target = ?1 AND param = ?2
                   ORDER BY instant DESC, resource DESC LIMIT ?3";
        let limit = i64::try_from(wanted.saturating_add(known).saturating_add(1)).unwrap_or(i64::MAX);
        for param in &step.params {
            let values = [from.key.into(), (*param).into(), limit.into()];
            self.db.each(sql, &values, |row| {
                keys.push(row.int(0)?);
                Ok(())
            })?;
        }
        Ok(keys)
    }
}
