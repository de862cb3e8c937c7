//! How often somebody may ask.
//!
//! What is kept of those who ask does not grow with them: everybody has one of a fixed number of cells, by a
//! hash that nobody outside can foresee. Two may share one; then they share what it allows.

use std::{
    convert::Infallible,
    fmt,
    hash::{BuildHasher as _, Hash, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};

use crate::network::place;

/// As many cells there are: with a thousand who ask at the same time, two in a hundred share one.
const CELLS: usize = 1 << 16;

/// So many in a time: at once, or evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In which time.
    pub per: Per,
}

/// The time of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// A second.
    Second,
    /// A minute.
    Minute,
}

/// Which rates hold; none: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Requests of a caller who is known.
    pub caller: Option<Rate>,
    /// Requests from an address.
    pub address: Option<Rate>,
    /// Tokens and certificates from an address that are not believed.
    pub unbelieved: Option<Rate>,
}

/// How often everybody asked lately.
#[derive(Debug)]
pub struct Rates {
    callers: Option<Limit>,
    addresses: Option<Limit>,
    unbelieved: Option<Limit>,
}

/// It is too often: when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: again in {seconds} s")]
pub struct TooOften {
    /// In so many seconds.
    pub seconds: u32,
}

impl Rates {
    /// By these rates.
    #[must_use]
    pub fn new(allowed: Allowed) -> Self {
        let limit = |rate: Option<Rate>| rate.map(Limit::new);
        Self {
            callers: limit(allowed.caller),
            addresses: limit(allowed.address),
            unbelieved: limit(allowed.unbelieved),
        }
    }

    /// A request from an address.
    ///
    /// # Errors
    /// When there were too many.
    pub fn from_address(&self, address: IpAddr) -> Result<(), TooOften> {
        self.addresses.as_ref().map_or(Ok(()), |limit| limit.take(place(address)))
    }

    /// A request of a caller, by their name.
    ///
    /// # Errors
    /// When there were too many.
    pub fn by_caller(&self, name: &str) -> Result<(), TooOften> {
        self.callers.as_ref().map_or(Ok(()), |limit| limit.take(name))
    }

    /// A token from an address that was not believed.
    ///
    /// # Errors
    /// When there were too many.
    pub fn not_believed(&self, address: IpAddr) -> Result<(), TooOften> {
        self.unbelieved.as_ref().map_or(Ok(()), |limit| limit.take(place(address)))
    }

    /// Whether tokens from an address may be looked at.
    ///
    /// # Errors
    /// When too many of them were not believed.
    pub fn may_be_believed(&self, address: IpAddr) -> Result<(), TooOften> {
        self.unbelieved.as_ref().map_or(Ok(()), |limit| limit.look(place(address)))
    }
}

struct Limit {
    limiter: RateLimiter<Cell, Cells, DefaultClock>,
    hasher: RandomState,
    clock: DefaultClock,
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limit")
    }
}

impl Limit {
    fn new(rate: Rate) -> Self {
        let quota = match rate.per {
            Per::Second => Quota::per_second(rate.count),
            Per::Minute => Quota::per_minute(rate.count),
        };
        let cells = Cells(std::iter::repeat_with(InMemoryState::default).take(CELLS).collect());
        let clock = DefaultClock::default();
        Self { limiter: RateLimiter::new(quota, cells, clock.clone()), hasher: RandomState::new(), clock }
    }

    fn take(&self, who: impl Hash) -> Result<(), TooOften> {
        self.limiter.check_key(&Cell::Take(self.cell(who))).map_err(|until| self.too_often(&until))
    }

    fn look(&self, who: impl Hash) -> Result<(), TooOften> {
        self.limiter.check_key(&Cell::Look(self.cell(who))).map_err(|until| self.too_often(&until))
    }

    fn cell(&self, who: impl Hash) -> usize {
        // What is cut off is not needed to tell cells apart.
        self.hasher.hash_one(who) as usize % CELLS
    }

    fn too_often(&self, until: &NotUntil<<DefaultClock as governor::clock::Clock>::Instant>) -> TooOften {
        let wait: Duration = until.wait_time_from(self.clock.now());
        TooOften { seconds: u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1) }
    }
}

/// What is kept: for each cell, until when what was asked is paid for.
#[derive(Debug)]
struct Cells(Box<[InMemoryState]>);

/// A cell, and whether to count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Cell {
    Take(usize),
    Look(usize),
}

impl StateStore for Cells {
    type Key = Cell;

    fn measure_and_replace<T, F, E>(&self, key: &Cell, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (Cell::Take(at) | Cell::Look(at)) = key;
        // There is a cell for each remainder.
        let none = InMemoryState::default();
        let state = self.0.get(*at).unwrap_or(&none);
        match key {
            Cell::Take(_) => state.measure_and_replace(&NotKeyed::NonKey, measure),
            Cell::Look(_) => {
                // What fails changes nothing: the answer is had as a failure.
                let looked: Result<Infallible, Result<T, E>> = state
                    .measure_and_replace(&NotKeyed::NonKey, |before| Err(measure(before).map(|(answer, _)| answer)));
                match looked {
                    Ok(never) => match never {},
                    Err(answer) => answer,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: u32) -> Option<Rate> {
        Some(Rate { count: NonZeroU32::new(count).unwrap(), per: Per::Minute })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_asks_too_often_is_told_when_to_ask_again_and_others_are_not_held_up() {
        let rates = Rates::new(Allowed { caller: rate(3), ..Allowed::default() });
        for _ in 0..3 {
            rates.by_caller("awa").unwrap();
        }
        let TooOften { seconds } = rates.by_caller("awa").unwrap_err();
        assert!((1..=20).contains(&seconds), "{seconds}");
        rates.by_caller("luc").unwrap();
    }

    #[test]
    fn an_address_is_counted_as_its_subscriber() {
        let rates = Rates::new(Allowed { address: rate(2), ..Allowed::default() });
        rates.from_address(ip("2001:db8::1")).unwrap();
        rates.from_address(ip("2001:db8::2")).unwrap();
        assert!(rates.from_address(ip("2001:db8::3")).is_err());
        rates.from_address(ip("2001:db8:0:1::1")).unwrap();
    }

    #[test]
    fn whether_tokens_are_looked_at_hangs_on_those_that_were_not_believed() {
        let rates = Rates::new(Allowed { unbelieved: rate(2), ..Allowed::default() });
        let address = ip("192.0.2.1");
        for _ in 0..100 {
            rates.may_be_believed(address).unwrap();
        }
        rates.not_believed(address).unwrap();
        rates.may_be_believed(address).unwrap();
        rates.not_believed(address).unwrap();
        assert!(rates.may_be_believed(address).is_err(), "looking counts nothing, and sees what was counted");
        assert!(rates.not_believed(address).is_err());
        rates.may_be_believed(ip("192.0.2.2")).unwrap();
    }

    #[test]
    fn without_rates_nothing_is_too_often() {
        let rates = Rates::new(Allowed::default());
        assert!((0..10_000).all(|_| rates.from_address(ip("192.0.2.1")).is_ok() && rates.by_caller("awa").is_ok()));
    }

    #[test]
    fn what_is_kept_does_not_grow_with_those_who_ask() {
        let rates = Rates::new(Allowed { caller: rate(1000), ..Allowed::default() });
        for number in 0..200_000 {
            rates.by_caller(&number.to_string()).unwrap();
        }
        assert_eq!(rates.callers.unwrap().limiter.into_state_store().0.len(), CELLS);
    }
}
