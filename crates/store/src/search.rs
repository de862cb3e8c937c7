//! Searching: a query becomes conditions, conditions a plan, the plan one statement, its rows a
//! page.

mod condition;
mod found;
mod heads;
mod include;
mod order;
mod page;
mod plan;
mod sql;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use liaison_fhir::search::query::Query;

use crate::contract::{Page, PageRequest, StoreError, TotalMode, Version};
use crate::cursor::{Place, question};
use crate::dialect::Value;
use crate::dialect::postgres::Question;
use crate::dictionary::Kind;
use crate::reader::Reader;
use condition::Condition;
use found::Resources;
use include::{Step, followed};
use order::{By, Column, Order};
use page::{Hit, Way};
use plan::{Branch, Purpose};

/// A total is counted up to this many unless asked for exactly.
const COUNTED: u64 = 10_000;

/// A query, ready to be asked.
struct Search {
    kinds: Vec<Kind>,
    /// What must hold, by type.
    conditions: Vec<Condition>,
    order: Order,
}

/// Which of the versions met are there for who asks.
type There<'t> = &'t dyn Fn(&Version) -> bool;

impl Reader<'_> {
    /// A page of a search.
    ///
    /// Without an order asked for, the newest moment comes first: the latest value of the timeline
    /// parameter of a type, or the latest change when the type has none.
    ///
    /// Pages of one search belong together: each resource that was there when the first page was
    /// made and still matches when its page comes is given exactly once, in the order of that
    /// time, whatever is written meanwhile. What is created meanwhile is not given.
    ///
    /// # Errors
    /// [`StoreError::NotReady`], [`StoreError::BadCursor`], [`StoreError::TooSlow`],
    /// [`StoreError::Unavailable`].
    pub fn search(&self, query: &Query, page: &PageRequest) -> Result<Page, StoreError> {
        self.ask(query, page, None)
    }

    /// As [`Reader::search`], where of what could be brought in beside the matches only that is there of
    /// which `there` says so: nothing else is given, counted, or led through. What matches is the query's
    /// own affair.
    ///
    /// # Errors
    /// As [`Reader::search`].
    pub fn search_among(
        &self,
        query: &Query,
        page: &PageRequest,
        there: &dyn Fn(&Version) -> bool,
    ) -> Result<Page, StoreError> {
        self.ask(query, page, Some(there))
    }

    fn ask(&self, query: &Query, page: &PageRequest, there: Option<There<'_>>) -> Result<Page, StoreError> {
        // What a job that writes finds, or does not find, must still be so when it is committed.
        self.db.need_everything()?;
        self.db.within(page.deadline, || {
            self.when_ready(query, || self.supposing(|| self.search_page(query, page, there)))
        })
    }

    fn search_page(&self, query: &Query, request: &PageRequest, there: Option<There<'_>>) -> Result<Page, StoreError> {
        // The number of a question is only needed where there is a cursor.
        let number = || question(&(&query.types, &query.filter, &query.sort));
        let place = request.cursor.as_ref().map(|cursor| self.key.open(cursor, number())).transpose()?;
        // Of what is kept it says what is still so, and the next page what is new.
        self.ask_moment_along();
        let search = self.prepare(query)?;
        if place.as_ref().is_some_and(|place| !search.order.fits(place)) {
            return Err(StoreError::BadCursor);
        }
        let count = usize::try_from(request.count).unwrap_or(usize::MAX);
        let steps = self.steps(&query.includes)?;
        // A first page that is counted anyway says by its total whether another follows; else one
        // more than fits is looked for, and read in vain.
        let counted = place.is_none() && request.total != TotalMode::None;
        let (mut hits, all) = match (count, counted) {
            (0, _) => (Vec::new(), None),
            (_, true) => self.hits(
                &search,
                None,
                u64::from(request.count),
                Way::OnTowardsTheEnd { counted_to: limit_of(request.total) },
            )?,
            (_, false) => self.hits(&search, place.as_ref(), u64::from(request.count) + 1, Way::Page)?,
        };
        let beyond = hits.len() > count;
        hits.truncate(count);
        let mut resources = Resources::new(self);
        let rest = Rest { total: if counted && all.is_none() { Some(request.total) } else { None }, steps: &steps };
        self.ask_ahead(&search, &hits, &rest, &mut resources)?;
        let total = match &place {
            Some(place) => place.total,
            None if !counted => None,
            None if all.is_some() => all,
            None => self.total(&search, request.total)?,
        };
        let more = match counted {
            true => total.is_none_or(|total| total > u64::from(request.count)),
            false => beyond,
        };
        let next = match hits.last().filter(|_| more) {
            Some(Hit { values, key }) => {
                let as_of = match &place {
                    Some(place) => place.as_of.clone(),
                    None => self.as_of()?,
                };
                Some(self.key.seal(&Place { question: number(), as_of, total, after: values.to_vec(), key: *key }))
            }
            None => None,
        };
        let found = self.matches(&mut resources, &hits)?;
        let matches = found.iter().map(|live| Arc::clone(&live.version)).collect();
        let (includes, includes_cut) = self.included(&steps, resources, found, request.include_limit, there)?;
        Ok(Page { matches, includes, includes_cut, total, next })
    }

    /// Where each question is a way to a server and back: asks at once for what will be asked for once it
    /// is known which resources are on the page.
    fn ask_ahead(
        &self,
        search: &Search,
        hits: &[Hit],
        rest: &Rest<'_>,
        resources: &mut Resources<'_>,
    ) -> Result<(), StoreError> {
        let Some(db) = self.db.far() else { return Ok(()) };
        let mut questions = Vec::with_capacity(3);
        // What they led to when they were read last, they lead to now, most likely.
        let led_to = hits.iter().filter_map(|hit| self.followed()?.read_last(hit.key));
        let led_to: Vec<i64> = led_to.flat_map(|live| followed(rest.steps, &live)).collect();
        let many = resources.many(hits.iter().map(|hit| hit.key).chain(led_to))?;
        questions.extend(many.as_ref().map(|many| many.question.clone()));
        if let Some(mode) = rest.total
            && let Some((sql, values)) = self.count_statement(search, limit_of(mode))?
            && !db.has_foreseen(&sql, &values)
        {
            questions.push(Question { sql, values });
        }
        if !questions.is_empty() {
            db.foresee(questions)?;
        }
        many.map_or(Ok(()), |many| resources.take(many))
    }

    /// A query in terms of the store.
    fn prepare(&self, query: &Query) -> Result<Search, StoreError> {
        let all = if query.types.is_empty() {
            self.words.kinds(self.db)?
        } else {
            let mut kinds: Vec<Kind> = Vec::new();
            for name in &query.types {
                if let Some(kind) = self.kind_named(name)?
                    && !kinds.iter().any(|known| known.key == kind.key)
                {
                    kinds.push(kind);
                }
            }
            kinds
        };
        let order = self.order(&query.sort, &all)?;
        let (mut kinds, mut conditions) = (Vec::new(), Vec::new());
        for kind in all {
            let condition = self.resolve_heads(self.condition(&query.filter, &kind)?)?.knowing();
            if !condition.is_never() {
                kinds.push(kind);
                conditions.push(condition);
            }
        }
        Ok(Search { kinds, conditions, order })
    }

    fn plan_for(&self, search: &Search, purpose: Purpose) -> Result<Vec<Branch>, StoreError> {
        let mut branches = Vec::new();
        for (kind, condition) in search.kinds.iter().zip(&search.conditions) {
            branches.extend(self.plan(kind, condition.clone(), purpose)?);
        }
        Ok(branches)
    }

    /// How many match; `None` beyond what is counted.
    fn total(&self, search: &Search, mode: TotalMode) -> Result<Option<u64>, StoreError> {
        let Some((text, values)) = self.count_statement(search, limit_of(mode))? else { return Ok(Some(0)) };
        let counted = self.db.first(&text, &values, |row| row.value(0))?;
        Ok(match counted {
            Some(Value::Int(counted)) => Some(counted.cast_unsigned()),
            _ => None,
        })
    }
}

/// What is still to be asked for a page whose resources are known.
struct Rest<'a> {
    /// How they are to be counted.
    total: Option<TotalMode>,
    steps: &'a [Step],
}

/// How far a total is counted.
const fn limit_of(mode: TotalMode) -> Option<u64> {
    match mode {
        TotalMode::Bounded => Some(COUNTED),
        TotalMode::None | TotalMode::Accurate => None,
    }
}

/// What the first matches in an order are planned for.
fn purpose(order: &Order) -> Purpose {
    match order.columns.first() {
        Some(Column { by: By::Updated, .. }) => Purpose::Changes,
        _ if order.walk().is_some() => Purpose::Moments,
        _ => Purpose::Set,
    }
}
