//! What the entries of a transaction are called here, and what is here already.

use liaison_care::{
    matching::{self, Attempt},
    unique,
};
use liaison_fhir::tree::Object;
use liaison_store::{
    contract::{Change, Name, StoreError, UniqueKey, Version},
    reader::Reader,
};

use super::{entry::Entry, references::Called, request::Asked};
use crate::{
    criteria::{self, Criteria, Matched},
    error::AppError,
    face::Face,
    operation::{Stage, update::Target},
    there::View,
    write::draft::in_r4,
};

/// What the entries of a transaction meet in the store.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    /// One for each entry.
    pub met: Vec<Met>,
    /// What everything is called.
    pub called: Called,
}

/// What an entry meets.
#[derive(Clone, Debug)]
pub(crate) enum Met {
    /// Writes under this name, after this version if there is one.
    Writes(Name, Option<Version>),
    /// What it would create is here already.
    Found(Version),
    /// A note of that `masterIdentifier` is here: the same one, or a conflict.
    Held(Name, Version),
    /// Reads.
    Nothing,
}

impl Met {
    fn seen(&self) -> (u8, Option<(&Name, u32)>) {
        match self {
            Self::Writes(name, before) => (0, Some((name, before.as_ref().map_or(0, |version| version.version)))),
            Self::Found(version) => (1, Some((&version.name, version.version))),
            Self::Held(_, version) => (2, Some((&version.name, version.version))),
            Self::Nothing => (3, None),
        }
    }

    /// What the entry is called here.
    pub(crate) const fn name(&self) -> Option<&Name> {
        match self {
            Self::Writes(name, _) | Self::Held(name, _) => Some(name),
            Self::Found(version) => Some(&version.name),
            Self::Nothing => None,
        }
    }
}

impl Identities {
    /// Whether another look met the same: then what was prepared on this one holds.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.called == other.called && self.met.iter().map(Met::seen).eq(other.met.iter().map(Met::seen))
    }

    /// Looks up what the entries meet.
    ///
    /// # Errors
    /// Conditions that match several resources, changes of what is not there.
    pub(crate) fn look(entries: &[Entry], face: &Face, stage: &Stage, reader: &Reader<'_>) -> Result<Self, AppError> {
        let actors = Actors::of(entries);
        let mut found = Self { met: vec![Met::Nothing; entries.len()], called: Called::default() };
        for entry in entries {
            for (text, place, criteria) in &entry.by_criteria {
                match criteria.matched(reader, stage)? {
                    Matched::One(version) => found.called.insert(text, &version.name),
                    Matched::Many => return Err(criteria::many().inside(place)),
                    Matched::None => {
                        return Err(
                            AppError { refusal: crate::error::Refusal::Precondition, ..criteria::none() }.inside(place)
                        );
                    }
                }
            }
        }
        // Those that others refer to first: an actor is also recognised by whom it refers to.
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|index| entries.get(*index).map_or(u8::MAX, |entry| rank(entry.resource_type())));
        for index in order {
            let Some(entry) = entries.get(index) else { continue };
            let met = found.met_by(index, entries, actors, face, stage, reader).map_err(|e| e.inside(&entry.place))?;
            if let (Some(name), Some(full_url)) = (met.name(), &entry.full_url) {
                found.called.insert(full_url, name);
            }
            if let Some(place) = found.met.get_mut(index) {
                *place = met;
            }
        }
        Ok(found)
    }

    fn met_by(
        &self,
        index: usize,
        entries: &[Entry],
        actors: Actors,
        face: &Face,
        stage: &Stage,
        reader: &Reader<'_>,
    ) -> Result<Met, AppError> {
        let Some(entry) = entries.get(index) else { return Ok(Met::Nothing) };
        match &entry.asked {
            Asked::Create { .. } => self.created(entry, entries, actors, face, stage, reader),
            Asked::Update { .. } => {
                let Some(whom) = &entry.replaces else { return Ok(Met::Nothing) };
                let (name, before) = whom.find(reader, stage)?;
                Ok(Met::Writes(name, before))
            }
            Asked::Patch { target, .. } => {
                let version = changed(target, entry.criteria.as_ref(), stage, reader)?;
                if version.change == Change::Delete {
                    return Err(AppError::gone(&version.name, version.version));
                }
                Ok(Met::Writes(version.name.clone(), Some(version)))
            }
            Asked::Delete { target, .. } => {
                let version = changed(target, entry.criteria.as_ref(), stage, reader)?;
                Ok(Met::Writes(version.name.clone(), Some(version)))
            }
            Asked::Read(_) | Asked::Vread(..) | Asked::Search { .. } => Ok(Met::Nothing),
        }
    }

    fn created(
        &self,
        entry: &Entry,
        entries: &[Entry],
        actors: Actors,
        face: &Face,
        stage: &Stage,
        reader: &Reader<'_>,
    ) -> Result<Met, AppError> {
        if let Some(criteria) = &entry.criteria {
            match criteria.matched(reader, stage)? {
                Matched::One(version) => return Ok(Met::Found(version)),
                Matched::Many => return Err(criteria::many()),
                Matched::None => {}
            }
        }
        let new = Met::Writes(entry.fresh.clone(), None);
        let Some(draft) = &entry.draft else { return Ok(new) };
        let mut tree = draft.tree.clone();
        // A URN that no entry has is told when the entry is prepared.
        let _told_later = self.called.rewrite(&mut tree, &entry.place);
        let view = in_r4(&tree, draft.release);
        for key in unique::keys(&view).into_iter().filter(|key| key.scope == unique::NOTE) {
            let key = UniqueKey { scope: key.scope, key: key.key.into() };
            let holder = reader.holder(&key)?;
            if let Some(version) = holder.map(|name| reader.current(&name)).transpose()?.flatten() {
                if !View::of(reader, &stage.there).shows(&version)? {
                    return Err(StoreError::KeyTaken { key, holder: version.name }.into());
                }
                return Ok(Met::Held(entry.fresh.clone(), version));
            }
        }
        if actors == Actors::Doubled || !matching::ACTORS.contains(&draft.resource_type) {
            return Ok(new);
        }
        if let Some(version) = recognised(&view, draft.resource_type, face, stage, reader)? {
            return Ok(Met::Found(version));
        }
        // The same actor twice in one bundle is one actor.
        let keys = unique::keys(&view);
        let twin = entries.iter().zip(&self.met).find_map(|(other, met)| {
            let other = other.draft.as_ref().filter(|other| other.resource_type == draft.resource_type)?;
            let Met::Writes(name, None) = met else { return None };
            let theirs = unique::keys(&in_r4(&other.tree, other.release));
            theirs.iter().any(|k| keys.iter().any(|own| own.scope == k.scope && own.key == k.key)).then(|| name.clone())
        });
        Ok(twin.map_or(new, |name| Met::Writes(name, None)))
    }
}

/// Whether actors that are here already are created again, or recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Actors {
    /// A bundle without a note is a plain transaction: what is unique is refused.
    Doubled,
    /// A note brings its actors along for the case that they are not here yet.
    Recognised,
}

impl Actors {
    fn of(entries: &[Entry]) -> Self {
        let brings_note = entries.iter().any(|entry| {
            entry.resource_type() == "DocumentReference"
                && matches!(entry.asked, Asked::Create { .. } | Asked::Update { .. })
        });
        if brings_note { Self::Recognised } else { Self::Doubled }
    }
}

/// Actors before those who refer to them, notes last.
fn rank(resource_type: &str) -> u8 {
    match resource_type {
        "Patient" | "Practitioner" | "Organization" | "Device" | "Location" => 0,
        "RelatedPerson" => 1,
        "PractitionerRole" => 2,
        _ => 3,
    }
}

/// The live resource that an actor is, if it is here.
fn recognised(
    actor: &Object,
    resource_type: &'static str,
    face: &Face,
    stage: &Stage,
    reader: &Reader<'_>,
) -> Result<Option<Version>, AppError> {
    for attempt in matching::attempts(actor) {
        let found = match attempt {
            Attempt::ByKey(key) => {
                let key = UniqueKey { scope: key.scope, key: key.key.into() };
                let holder = reader.holder(&key)?.map(|name| reader.current(&name)).transpose()?.flatten();
                match holder {
                    Some(version) if !View::of(reader, &stage.there).shows(&version)? => {
                        return Err(StoreError::KeyTaken { key, holder: version.name }.into());
                    }
                    holder => holder,
                }
            }
            Attempt::BySearch(pairs) => {
                let criteria = Criteria::read_r4(resource_type, &pairs, face, stage)?;
                match criteria.matched(reader, stage)? {
                    Matched::One(version) => Some(version),
                    Matched::None | Matched::Many => None,
                }
            }
        };
        let Some(version) = found.filter(|version| version.name.resource_type.as_ref() == resource_type) else {
            continue;
        };
        let there = crate::stored::Stored::light(version.clone()).tree_in(liaison_fhir::release::view())?;
        if matching::may_be_same(actor, &there) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

fn changed(
    target: &Target,
    criteria: Option<&Criteria>,
    stage: &Stage,
    reader: &Reader<'_>,
) -> Result<Version, AppError> {
    match (target, criteria) {
        (Target::Named(name), _) => {
            View::of(reader, &stage.there).current(name)?.ok_or_else(|| AppError::unknown(name))
        }
        (Target::Matching { .. }, Some(criteria)) => match criteria.matched(reader, stage)? {
            Matched::One(version) => Ok(version),
            Matched::Many => Err(criteria::many()),
            Matched::None => Err(criteria::none()),
        },
        (Target::Matching { .. }, None) => Err(criteria::none()),
    }
}
