//! What of the store is there for a caller. Whoever reads on a caller's behalf reads through a [`View`]: what
//! is not there for the caller is not found, not counted, not led through, and answered as what never was.

use std::sync::Arc;

use liaison_care::access::{Belonging, Deed, Leave, Party, Sight, Verdict};
use liaison_fhir::{
    release,
    search::{
        extract::{self, ExtractContext},
        query::Query,
    },
    tree::Object,
};
use liaison_store::{
    contract::{Change, HistoryPage, HistoryRequest, Name, Page, PageRequest, UniqueKey, Version},
    reader::Reader,
};

use jiff::tz::TimeZone;

use crate::{audit::Notebooks, belongings::Belongings, error::AppError, operation::Stage, stored::Stored};

/// What is there for a caller.
#[derive(Clone, Debug)]
pub(crate) enum There {
    /// All of it: for the system itself.
    Everything,
    /// What somebody may see.
    Only(Arc<Seen>),
}

/// What somebody may see, at the moment of a request.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What the rules need to know of them.
    pub sight: Sight,
    /// The addresses of this server.
    pub bases: Arc<[String]>,
    /// The zone of dates that have none.
    pub zone: TimeZone,
    /// What was found before of versions.
    pub belongings: Arc<Belongings>,
}

/// The store as a caller sees it, at one moment of it.
#[derive(Clone, Copy)]
pub(crate) struct View<'v, 'c> {
    reader: &'v Reader<'c>,
    there: &'v There,
}

/// Who holds a unique key.
#[derive(Clone, Debug)]
pub(crate) enum Holder {
    /// Nobody.
    Nobody,
    /// This one.
    Seen(Name),
    /// One that is not there for the caller: that much uniqueness tells.
    Hidden,
}

/// Those who refer to a `Binary` that are looked at: it is there when one of them is.
const REFERRERS: u32 = 100;

impl Seen {
    /// What a version belongs to, and what it is called among parties.
    ///
    /// # Errors
    /// When its body cannot be read.
    pub(crate) fn belonging(&self, version: &Version) -> Result<(Arc<Belonging>, Party), AppError> {
        Ok((self.belonging_alone(version)?, Party::resource(&version.name.resource_type, &version.name.id)))
    }

    /// What a version belongs to.
    ///
    /// # Errors
    /// When its body cannot be read.
    fn belonging_alone(&self, version: &Version) -> Result<Arc<Belonging>, AppError> {
        let read = || {
            let tree = Stored::light(version.clone()).tree_in(release::view())?;
            Ok::<_, AppError>(self.belonging_of(&tree))
        };
        self.belongings.of(version, &self.bases, read)
    }

    /// What a resource in its R4 form belongs to.
    pub(crate) fn belonging_of(&self, tree: &Object) -> Belonging {
        // The zone matters to dates alone.
        let context = ExtractContext { zone: &TimeZone::UTC, bases: &self.bases };
        Belonging::of(tree, &extract::extract(tree, &context), &self.bases)
    }

    /// Whether they may do something to a version that is there.
    ///
    /// # Errors
    /// When its body cannot be read.
    pub(crate) fn may(&self, deed: Deed, version: &Version) -> Result<Verdict, AppError> {
        let (belonging, itself) = self.belonging(version)?;
        Ok(self.sight.may(deed, &belonging, &itself))
    }

    /// Whether the scopes of their token reach a version that is there.
    ///
    /// # Errors
    /// When its body cannot be read.
    pub(crate) fn in_scope(&self, to: Leave, version: &Version) -> Result<bool, AppError> {
        if self.sight.limits.are_none() {
            return Ok(true);
        }
        let belonging = self.belonging_alone(version)?;
        let tree = Stored::light(version.clone()).tree_in(release::view())?;
        let context = ExtractContext { zone: &self.zone, bases: &self.bases };
        Ok(self.sight.limits.reach(to, &tree, &belonging, &context))
    }

    /// Whether a version alone says that they see it; `None` when what is beside it in the store must be looked at.
    fn sees_alone(&self, version: &Version) -> Result<Option<bool>, AppError> {
        if version.change == Change::Delete || *version.name.resource_type == *"Binary" {
            return Ok(None);
        }
        Ok(Some(self.may(Deed::See, version)? == Verdict::Granted && self.in_scope(Leave::See, version)?))
    }

    fn sees(&self, version: &Version, reader: &Reader<'_>) -> Result<bool, AppError> {
        if version.change == Change::Delete {
            // It was there for who saw what was deleted.
            let before = version.version.checked_sub(1).filter(|number| *number > 0);
            let before = before.map(|number| reader.version(&version.name, number)).transpose()?.flatten();
            return match before.filter(|before| before.change != Change::Delete) {
                Some(before) => self.sees(&before, reader),
                None => Ok(false),
            };
        }
        if *version.name.resource_type == *"Binary" {
            return self.sees_bytes(version, reader);
        }
        Ok(self.may(Deed::See, version)? == Verdict::Granted && self.in_scope(Leave::See, version)?)
    }

    /// The persons in whose notebooks a version is.
    ///
    /// # Errors
    /// When its body cannot be read, or the store is away.
    fn notebooks(&self, version: &Version, reader: &Reader<'_>) -> Result<Vec<String>, AppError> {
        notebooks(version, reader, |version| Ok(self.belonging_alone(version)?.notebooks.clone()))
    }

    /// Bytes are there for who sees a resource that they were made for, or that refers to them.
    fn sees_bytes(&self, version: &Version, reader: &Reader<'_>) -> Result<bool, AppError> {
        for name in owners(version, reader)? {
            let found = reader.current(&name)?.filter(|found| *found.name.resource_type != *"Binary");
            if let Some(found) = found
                && found.change != Change::Delete
                && self.sees(&found, reader)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl There {
    /// As [`Self::notebooks`], when the version alone tells, and it costs little; otherwise nothing.
    ///
    /// # Errors
    /// When its body cannot be read.
    pub(crate) fn notebooks_alone(&self, version: &Version) -> Result<Option<Notebooks>, AppError> {
        match self {
            Self::Only(seen) if version.change != Change::Delete && *version.name.resource_type != *"Binary" => {
                Ok(Some(Notebooks::Of(seen.belonging_alone(version)?)))
            }
            _ => Ok(None),
        }
    }

    /// The persons in whose notebooks a version is, for the trail.
    ///
    /// # Errors
    /// When its body cannot be read, or the store is away.
    pub(crate) fn notebooks(&self, version: &Version, reader: &Reader<'_>) -> Result<Vec<String>, AppError> {
        match self {
            Self::Only(seen) => seen.notebooks(version, reader),
            Self::Everything => notebooks(version, reader, |version| {
                let tree = Stored::light(version.clone()).tree_in(release::view())?;
                let context = ExtractContext { zone: &TimeZone::UTC, bases: &[] };
                Ok(Belonging::of(&tree, &extract::extract(&tree, &context), &[]).notebooks)
            }),
        }
    }
}

/// What `alone` tells of a version; of bytes and of what was deleted, what it tells of what they belonged to.
fn notebooks(
    version: &Version,
    reader: &Reader<'_>,
    alone: impl Fn(&Version) -> Result<Vec<String>, AppError>,
) -> Result<Vec<String>, AppError> {
    if version.change == Change::Delete {
        let before = version.version.checked_sub(1).filter(|number| *number > 0);
        let before = before.map(|number| reader.version(&version.name, number)).transpose()?.flatten();
        return match before.filter(|before| before.change != Change::Delete) {
            Some(before) => notebooks(&before, reader, alone),
            None => Ok(Vec::new()),
        };
    }
    if *version.name.resource_type != *"Binary" {
        return alone(version);
    }
    let mut found = Vec::new();
    for name in owners(version, reader)? {
        let owner = reader.current(&name)?.filter(|owner| *owner.name.resource_type != *"Binary");
        if let Some(owner) = owner.filter(|owner| owner.change != Change::Delete) {
            found.extend(alone(&owner)?);
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The resources that bytes were made for, or that refer to them.
fn owners(version: &Version, reader: &Reader<'_>) -> Result<Vec<Name>, AppError> {
    let tree = Stored::light(version.clone()).tree_in(release::view())?;
    let of = tree.object("securityContext").and_then(|context| context.str("reference"));
    let of = of.and_then(|reference| reference.split_once('/'));
    let of = of.map(|(resource_type, id)| Name { resource_type: resource_type.into(), id: id.into() });
    Ok(of.into_iter().chain(reader.referrers(&version.name, REFERRERS)?).collect())
}

impl<'v, 'c> View<'v, 'c> {
    /// The store as it is there.
    pub(crate) const fn of(reader: &'v Reader<'c>, there: &'v There) -> Self {
        Self { reader, there }
    }

    /// The store itself: for what is nobody's in particular.
    pub(crate) const fn reader(&self) -> &'v Reader<'c> {
        self.reader
    }

    /// Whether a version is there.
    ///
    /// # Errors
    /// When the store is away, or a body cannot be read.
    pub(crate) fn shows(&self, version: &Version) -> Result<bool, AppError> {
        match self.there {
            There::Everything => Ok(true),
            There::Only(seen) => seen.sees(version, self.reader),
        }
    }

    fn shown(&self, version: Option<Version>) -> Result<Option<Version>, AppError> {
        let Some(version) = version else { return Ok(None) };
        Ok(self.shows(&version)?.then_some(version))
    }

    /// The last version of a resource.
    ///
    /// # Errors
    /// As [`View::shows`].
    pub(crate) fn current(&self, name: &Name) -> Result<Option<Version>, AppError> {
        self.shown(self.reader.current(name)?)
    }

    /// A version of a resource: there when both it and the last one are.
    ///
    /// # Errors
    /// As [`View::shows`].
    pub(crate) fn version(&self, name: &Name, number: u32) -> Result<Option<Version>, AppError> {
        if let There::Only(_) = self.there
            && self.current(name)?.is_none()
        {
            return Ok(None);
        }
        self.shown(self.reader.version(name, number)?)
    }

    /// A page of a search.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn search(&self, query: &Query, request: &PageRequest) -> Result<Page, AppError> {
        match self.there {
            There::Everything => Ok(self.reader.search(query, request)?),
            There::Only(seen) => {
                let there = |version: &Version| {
                    seen.sees(version, self.reader).unwrap_or_else(|error| {
                        tracing::error!(cause = %error, "what is included could not be looked at");
                        false
                    })
                };
                Ok(self.reader.search_among(query, request, &there)?)
            }
        }
    }

    /// A page of the history of one resource.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn history(&self, request: &HistoryRequest) -> Result<HistoryPage, AppError> {
        if let There::Everything = self.there {
            return Ok(self.reader.history(request)?);
        }
        let mut told = HistoryPage { versions: Vec::new(), total: 0, next: None };
        let mut request = request.clone();
        let wanted = usize::try_from(request.count).unwrap_or(usize::MAX);
        loop {
            // As many as are still wanted, so that the page ends where its cursor says; then all others, to count.
            let left = u32::try_from(wanted - told.versions.len()).unwrap_or(u32::MAX);
            request.count = if left > 0 { left } else { COUNTED };
            let page = self.reader.history(&request)?;
            for version in page.versions {
                if self.shows(&version)? {
                    told.total += 1;
                    if told.versions.len() < wanted {
                        told.versions.push(version);
                    } else if told.next.is_none() {
                        told.next.clone_from(&request.cursor);
                    }
                }
            }
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => return Ok(told),
            }
        }
    }

    /// Who holds a unique key.
    ///
    /// # Errors
    /// As [`View::shows`].
    pub(crate) fn holder(&self, key: &UniqueKey) -> Result<Holder, AppError> {
        let Some(name) = self.reader.holder(key)? else { return Ok(Holder::Nobody) };
        Ok(match self.there {
            There::Everything => Holder::Seen(name),
            There::Only(_) => match self.current(&name)? {
                Some(_) => Holder::Seen(name),
                None => Holder::Hidden,
            },
        })
    }
}

/// Versions read at a time only to be counted.
const COUNTED: u32 = 500;

impl There {
    /// A query that finds only what is there.
    pub(crate) fn within(&self, query: Query) -> Query {
        match self {
            Self::Everything => query,
            Self::Only(seen) => seen.sight.within(query),
        }
    }

    /// A version that was read by its name, when it is there.
    ///
    /// # Errors
    /// As [`View::shows`].
    pub(crate) async fn shown(
        &self,
        version: Option<Arc<Version>>,
        stage: &Stage,
    ) -> Result<Option<Arc<Version>>, AppError> {
        match (self, version) {
            (Self::Only(seen), Some(version)) => {
                if let Some(sees) = seen.sees_alone(&version)? {
                    return Ok(sees.then_some(version));
                }
                let look = |reader: &Reader<'_>| View::of(reader, self).shows(&version);
                let there = stage.app.store().read_here(look).await?;
                Ok(there.then_some(version))
            }
            (_, version) => Ok(version),
        }
    }
}
