//! Rewrite "heads": a chain that begins with few resources becomes a list of their keys.
//!
//! `subject.identifier=X` nearly always means one person. Knowing its key, the notes that refer to
//! it can be walked in order and stopped after a page, which no join can be made to do. A chain
//! with more beginnings than [`HEADS`] stays a join: nothing is ever cut off.

use super::condition::Condition;
use super::plan::{Branch, Purpose, Start, Window, keys};
use super::sql::Sql;
use crate::contract::StoreError;
use crate::dictionary::Kind;
use crate::reader::Reader;

/// At most so many resources are looked up for a chain before it is left as it is.
const HEADS: usize = 64;

const OF_A_CODE: &str = "SELECT resource FROM token WHERE param = ?1 AND code = ?2 AND system = ?3 LIMIT ?4";

impl Reader<'_> {
    /// Replaces chains with few beginnings, innermost first.
    pub(crate) fn resolve_heads(&self, condition: Condition) -> Result<Condition, StoreError> {
        Ok(match condition {
            Condition::All(of) => Condition::all(self.resolve_all(of)?),
            Condition::Any(of) => Condition::any(self.resolve_all(of)?),
            Condition::Not(of) => Condition::not(self.resolve_heads(*of)?),
            Condition::Refers { param, targets } => {
                let mut heads = Vec::new();
                let mut kept = Vec::new();
                for (kind, condition) in targets {
                    let condition = self.resolve_heads(condition)?;
                    if condition.is_never() {
                        continue;
                    }
                    let found = self.few(&kind, &condition)?;
                    match found {
                        Some(found) if heads.len() + found.len() <= HEADS => heads.extend(found),
                        _ => kept.push((kind, condition)),
                    }
                }
                heads.sort_unstable();
                heads.dedup();
                let points = (!heads.is_empty()).then_some(Condition::Points { param, targets: heads });
                let refers = (!kept.is_empty()).then_some(Condition::Refers { param, targets: kept });
                Condition::any(points.into_iter().chain(refers))
            }
            Condition::Referred { param, kind, source } => {
                let source = self.resolve_heads(*source)?;
                if source.is_never() {
                    return Ok(Condition::NEVER);
                }
                Condition::Referred { param, kind, source: Box::new(source) }
            }
            other => other,
        })
    }

    fn resolve_all(&self, of: Vec<Condition>) -> Result<Vec<Condition>, StoreError> {
        of.into_iter().map(|condition| self.resolve_heads(condition)).collect()
    }

    /// The resources of a type for which a condition holds, if they are few and quickly found.
    fn few(&self, kind: &Kind, condition: &Condition) -> Result<Option<Vec<i64>>, StoreError> {
        let branches = self.plan(kind, condition.clone(), Purpose::Set)?;
        if branches.iter().any(|branch| matches!(branch.from, Start::Kind | Start::Updated { .. })) {
            return Ok(None);
        }
        let limit = HEADS as i64 + 1;
        // An identifier: nearly every chain begins so.
        if let [Branch { from: Start::Token { param, system: Some(system), code, .. }, rest, window, .. }] = &*branches
            && *window == Window::OPEN
            && rest.holds_of(0).is_some()
        {
            let values = [(*param).into(), code.as_str().into(), (*system).into(), limit.into()];
            let mut found = self.suppose(OF_A_CODE, &values)?;
            if found.len() > HEADS {
                return Ok(None);
            }
            found.retain(|key| rest.holds_of(*key) == Some(true));
            return Ok(Some(found));
        }
        let mut sql = Sql::of(self.db);
        let keys = keys(&mut sql, &branches);
        // One that comes twice only makes many of few.
        let text = format!("SELECT key FROM ({keys}) k LIMIT {}", sql.bind(limit));
        let found = self.suppose(&text, &sql.values)?;
        Ok((found.len() <= HEADS).then_some(found))
    }
}
