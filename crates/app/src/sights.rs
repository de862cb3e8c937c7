//! What callers may see, kept until something changes that it rests on: most of it is asked for again and
//! again by the same few, and the circles of a person change once a month.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use liaison_store::{
    store::Store,
    watch::{Hearing, Watched},
};
use quick_cache::sync::Cache;

use crate::{belongings::Belongings, caller::Known, clock, error::AppError, settings::Settings, sight, there::Seen};

/// The types that a sight rests on: who is who here, and the circles.
pub const WATCHED: [&str; 7] = sight::RESTS_ON;

/// As many are kept.
const KEPT: usize = 20_000;

/// The sights of those who asked lately.
pub(crate) struct Sights {
    kept: Cache<Asker, Kept>,
    belongings: Arc<Belongings>,
}

/// Who asked, with everything that was vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asker(Arc<Known>);

impl Hash for Asker {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Nobody has many tokens that say different things.
        self.0.identity.name.hash(state);
    }
}

#[derive(Clone, Debug)]
struct Kept {
    seen: Arc<Seen>,
    /// Of what it rests on.
    moment: Watched,
    /// From this instant on the circles are not the same, in microseconds since 1970 UTC.
    until: i64,
}

/// How sure it must be that nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sureness {
    /// As far as is known here: whoever goes by it looks again afterwards ([`Looked::held`]).
    AsFarAsKnown,
    /// For sure.
    Sure,
}

/// What a caller may see, and what that rests on.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    /// What.
    pub seen: Arc<Seen>,
    /// Of what it rests on, where it may turn out to have changed.
    supposed: Option<Watched>,
}

impl Looked {
    /// Whether it was still so when a job read that has ended since.
    pub(crate) fn held(&self, store: &Store) -> bool {
        self.supposed.is_none_or(|moment| store.unchanged(moment))
    }
}

impl Sights {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { kept: Cache::new(KEPT), belongings: Arc::new(Belongings::new()) }
    }

    /// What somebody may see now.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) async fn of(
        &self,
        known: &Arc<Known>,
        sureness: Sureness,
        settings: &Settings,
        store: &Store,
    ) -> Result<Looked, AppError> {
        let asker = Asker(Arc::clone(known));
        let now = clock::now().as_microsecond();
        if let Some(kept) = self.kept.get(&asker).filter(|kept| now < kept.until) {
            let supposed = match (store.hearing(), sureness) {
                (Hearing::AtOnce, _) => None,
                (Hearing::AfterReading, Sureness::AsFarAsKnown) => Some(kept.moment),
                (Hearing::AfterReading, Sureness::Sure) => {
                    store.read_here(|_| Ok::<_, AppError>(())).await?;
                    None
                }
            };
            if store.unchanged(kept.moment) {
                return Ok(Looked { seen: kept.seen, supposed });
            }
        }
        // Before it is read: what changes meanwhile is looked at again the next time.
        let moment = store.watch();
        let (whose, settings) = (Arc::clone(known), settings.clone());
        let zone = settings.zone.clone();
        let looked = move |reader: &liaison_store::reader::Reader<'_>| sight::of(&whose, now, &settings, reader);
        let (sight, until) = store.read_again(looked).await?;
        let (bases, belongings) = (Arc::clone(&known.bases), Arc::clone(&self.belongings));
        let seen = Arc::new(Seen { sight, bases, zone, belongings });
        if let Some(moment) = moment {
            self.kept.insert(asker, Kept { seen: Arc::clone(&seen), moment, until });
        }
        Ok(Looked { seen, supposed: None })
    }
}
