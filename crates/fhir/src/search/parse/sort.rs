//! `_sort=-date,_id`.

use crate::{
    outcome::Issue,
    search::{
        parameters::{self, Meaning},
        query::{Direction, ParamKind, Sort, SortKey},
    },
};

use super::{SearchRequest, refusal};

/// The orders asked for, the first first.
pub(super) fn read(request: &SearchRequest<'_>, types: &[&'static str], value: &str) -> Result<Vec<Sort>, Issue> {
    value.split(',').map(|key| one(request, types, key.trim())).collect()
}

fn one(request: &SearchRequest<'_>, types: &[&'static str], key: &str) -> Result<Sort, Issue> {
    let (name, direction) = match key.strip_prefix('-') {
        Some(name) => (name, Direction::Descending),
        None => (key, Direction::Ascending),
    };
    if name.is_empty() {
        return Err(refusal::empty_value("_sort"));
    }
    let by = match (name, types) {
        ("_id", _) => SortKey::Id,
        ("_lastUpdated", _) => SortKey::LastUpdated,
        (name, [of]) => {
            let offer = parameters::offer(request.release.id, of, name)
                .ok_or_else(|| refusal::unknown_parameter(request.release.id, "_sort", name, &[of]))?;
            match &offer.meaning {
                Meaning::Parameter(parameter) | Meaning::Restricted(parameter, _)
                    if !matches!(parameter.kind, ParamKind::Special | ParamKind::Composite) =>
                {
                    SortKey::Param(parameter.param, parameter.kind)
                }
                _ => {
                    let why = ("it has no order", "il n'a pas d'ordre");
                    return Err(refusal::bad_value("_sort", name, why));
                }
            }
        }
        (name, _) => {
            let why = (
                "a search of several types sorts by _id or _lastUpdated only",
                "une recherche sur plusieurs types ne trie que par _id ou _lastUpdated",
            );
            return Err(refusal::bad_value("_sort", name, why));
        }
    };
    Ok(Sort { by, direction })
}
