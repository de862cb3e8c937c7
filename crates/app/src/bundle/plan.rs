//! A transaction, from its entries to what is carried out in the writer.

use std::{collections::HashMap, sync::Arc};

use liaison_care::{matching, unique};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    release::Release,
    search::extract,
    text,
    tree::Object,
};
use liaison_store::{
    contract::{Change, Name, Named, StoreError, UniqueKey, Version},
    reader::Reader,
    shard::{Places, Reach},
    writer::Tx,
};

use super::{
    answer::EntryAnswer,
    entry::Entry,
    identity::{Identities, Met},
    request::Asked,
};
use crate::{
    conformance,
    error::AppError,
    face::Face,
    load, name,
    operation::{Stage, delete::Deleted, patch::patched},
    permission::{self, Fresh},
    place,
    stored::Stored,
    there::View,
    write::{
        commit::commit,
        draft::Draft,
        prepare::{Prepared, deletion, prepare},
        rules::{self, Beside},
        same::same_as,
    },
    written::{Effect, Written},
};

/// A transaction that was read, to be planned on what is stored.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    /// Its entries.
    pub entries: Arc<Vec<Entry>>,
    /// Through which base it came.
    pub face: Face,
    /// What it works with.
    pub stage: Stage,
}

/// What is to be carried out, given what was met.
#[derive(Debug)]
pub(crate) struct Plan {
    met: Identities,
    steps: Vec<Step>,
}

/// What an entry comes to.
#[derive(Debug)]
enum Step {
    /// A version to commit.
    Write(Box<Prepared>),
    /// The same resource as that of an earlier entry.
    Twin(usize),
    /// Here already; with what to tell of it.
    Found(Version, Vec<Issue>),
    /// A deletion.
    Delete(Box<Prepared>),
    /// Deleted before.
    WasDeleted(Version),
    /// A read.
    Look,
}

impl Transaction {
    /// Carries it out whole, or not at all.
    ///
    /// `key`: under which the answer is remembered. `before` and `after` run in the same turn of the writer: the one may answer instead, the
    /// other sees what was committed.
    ///
    /// # Errors
    /// What is wrong with any entry, placed in the bundle.
    pub(crate) async fn carry_out(
        self,
        key: Option<Box<str>>,
        before: impl Fn(&Reader<'_>) -> Result<Option<Vec<EntryAnswer>>, AppError> + Send + 'static,
        after: impl Fn(&mut Tx<'_>, &[EntryAnswer]) -> Result<(), AppError> + Send + 'static,
    ) -> Result<Vec<EntryAnswer>, AppError> {
        let planning = self.clone();
        let plan = self.stage.app.store().read_again(move |reader| planning.plan(reader)).await?;
        let stage = self.stage.clone();
        let places = self.places(&plan, key);
        stage
            .write_at(places, move |tx| {
                if let Some(answers) = before(tx)? {
                    self.tell(&answers, tx)?;
                    return Ok(answers);
                }
                let met = Identities::look(&self.entries, &self.face, &self.stage, tx)?;
                let anew = if met.same(&plan.met) { None } else { Some(self.plan_on(met, tx)?) };
                let answers = self.commit(anew.as_ref().unwrap_or(&plan), tx)?;
                after(tx, &answers)?;
                self.tell(&answers, tx)?;
                Ok(answers)
            })
            .await
    }

    /// Says what the answers show that was there before.
    fn tell(&self, answers: &[EntryAnswer], reader: &Reader<'_>) -> Result<(), AppError> {
        for answer in answers {
            match answer {
                EntryAnswer::Read(stored) => self.stage.shows([&**stored], reader)?,
                EntryAnswer::Found(found, _) => {
                    self.stage.shows(found.matches.iter().chain(&found.includes), reader)?;
                }
                EntryAnswer::Written(written) if written.effect == Effect::Found => {
                    self.stage.shows([&written.resource], reader)?;
                }
                EntryAnswer::Deleted(deleted) => {
                    if let Some(version) = reader.version(&deleted.name, deleted.version)? {
                        self.stage.shows([&Stored::light(version)], reader)?;
                    }
                }
                EntryAnswer::Written(_) => {}
            }
        }
        Ok(())
    }

    /// Where a plan writes.
    fn places(&self, plan: &Plan, key: Option<Box<str>>) -> Places {
        let mut places = Places { answers: key.into_iter().collect(), ..Places::default() };
        for (entry, step) in self.entries.iter().zip(&plan.steps) {
            let searched = entry.criteria.is_some()
                || matches!(entry.asked, Asked::Search { .. })
                || matches!(step, Step::Write(prepared) if prepared.version.change == Change::Create)
                    && matching::ACTORS.contains(&entry.resource_type());
            if searched {
                places.reach = Reach::Everywhere;
            }
            if let Step::Write(prepared) | Step::Delete(prepared) = step {
                let more = prepared.places();
                places.names.extend(more.names);
                places.looks.extend(more.looks);
                places.keys.extend(more.keys);
                if more.reach == Reach::Everywhere {
                    places.reach = more.reach;
                }
            }
        }
        places
    }

    fn plan(&self, reader: &Reader<'_>) -> Result<Plan, AppError> {
        let met = Identities::look(&self.entries, &self.face, &self.stage, reader)?;
        self.plan_on(met, reader)
    }

    fn plan_on(&self, met: Identities, reader: &Reader<'_>) -> Result<Plan, AppError> {
        let mut steps = Vec::with_capacity(self.entries.len());
        let mut trees: HashMap<Name, (&'static Release, Object)> = HashMap::new();
        let mut by_name: HashMap<Name, usize> = HashMap::new();
        for (index, (entry, meeting)) in self.entries.iter().zip(&met.met).enumerate() {
            let step = match meeting {
                Met::Nothing => Step::Look,
                Met::Found(version) => Step::Found(version.clone(), vec![recognised(entry)]),
                Met::Held(name, version) => self.held(entry, name, version, &met, reader)?,
                Met::Writes(name, before) => {
                    let earlier = by_name.insert(name.clone(), index);
                    match earlier {
                        Some(first) if matches!(entry.asked, Asked::Create { .. }) => Step::Twin(first),
                        Some(_) => return Err(twice(name, &entry.place)),
                        None => self.writes(entry, name, before.as_ref(), &met, &mut trees, reader)?,
                    }
                }
            };
            steps.push(step);
        }
        self.permitted(&steps, &met, reader)?;
        self.check_notes(&steps, &trees, reader)?;
        Ok(Plan { met, steps })
    }

    fn writes(
        &self,
        entry: &Entry,
        name: &Name,
        before: Option<&Version>,
        met: &Identities,
        trees: &mut HashMap<Name, (&'static Release, Object)>,
        reader: &Reader<'_>,
    ) -> Result<Step, AppError> {
        conformance::writable(name).map_err(|e| e.inside(&entry.place))?;
        let draft = match &entry.asked {
            Asked::Delete { expected, .. } => {
                let Some(before) = before else { return Ok(Step::Look) };
                if before.change == Change::Delete {
                    return Ok(Step::WasDeleted(before.clone()));
                }
                expected.check(Some(before)).map_err(|e| e.inside(&entry.place))?;
                return Ok(Step::Delete(Box::new(deletion(before, &self.stage))));
            }
            Asked::Patch { expected, .. } => {
                expected.check(before).map_err(|e| e.inside(&entry.place))?;
                self.patched(entry, name, before, reader).map_err(|e| e.inside(&entry.place))?
            }
            Asked::Update { expected, .. } => {
                expected.check(before).map_err(|e| e.inside(&entry.place))?;
                self.rewritten(entry, met)?
            }
            _ => self.rewritten(entry, met)?,
        };
        let mut prepared =
            prepare(&draft, name, before, &self.face, &self.stage).map_err(|e| e.inside(&entry.place))?;
        if *name == entry.fresh {
            prepared.version.named = Named::ByServer;
        }
        let tree = prepared.note.clone().unwrap_or_else(|| draft.tree.clone());
        trees.insert(name.clone(), (draft.release, tree));
        Ok(Step::Write(Box::new(prepared)))
    }

    /// What an entry writes, its references those of this server.
    fn rewritten(&self, entry: &Entry, met: &Identities) -> Result<Draft, AppError> {
        let Some(mut draft) = entry.draft.clone() else {
            return Err(AppError::defect("an entry that writes has no draft".to_owned()));
        };
        rules::refuse(met.called.rewrite(&mut draft.tree, &entry.place))?;
        Ok(draft)
    }

    /// What a patch in a bundle makes of a resource, seen whole, as one sent by itself sees it.
    fn patched(
        &self,
        entry: &Entry,
        name: &Name,
        before: Option<&Version>,
        reader: &Reader<'_>,
    ) -> Result<Draft, AppError> {
        let (Some(before), Some(change)) = (before, &entry.patch) else { return Err(AppError::unknown(name)) };
        let tree = load::whole_seen(reader, before.clone())?.tree(&self.face)?;
        let mut draft = patched(tree, change, name, &self.face, &self.stage)?;
        for issue in &mut draft.issues {
            issue.place = place::inside(&entry.place, &issue.place);
        }
        draft.place = Some(entry.place.clone());
        Ok(draft)
    }

    /// A note that is sent again: the same is found, another is refused.
    fn held(
        &self,
        entry: &Entry,
        name: &Name,
        version: &Version,
        met: &Identities,
        reader: &Reader<'_>,
    ) -> Result<Step, AppError> {
        let mut draft = self.rewritten(entry, met)?;
        // Actors without any identifier are new each time: one that says the same as the actor that
        // the note here refers to is taken for that actor.
        let earlier = Stored::light(version.clone()).tree_in(draft.release)?;
        let context = extract::ExtractContext { zone: &self.stage.app.settings().zone, bases: &self.face.bases };
        let there = extract::references(&earlier, draft.release, &context);
        let mut taken_for: Vec<(Name, Name)> = Vec::new();
        for (target, at) in extract::references(&draft.tree, draft.release, &context) {
            let Some(ours) = rules::local_target(target) else { continue };
            let theirs = there.iter().find(|(_, place)| *place == at).and_then(|(t, _)| rules::local_target(t.clone()));
            let Some(theirs) = theirs.filter(|theirs| *theirs != ours) else { continue };
            let is_new = self.entries.iter().zip(&met.met).find_map(|(other, met)| match met {
                Met::Writes(name, None) if *name == ours => other.draft.as_ref().map(|_| other),
                _ => None,
            });
            let Some(actor) = is_new else { continue };
            let Some(known) = reader.current(&theirs)? else { continue };
            if same_as(&self.rewritten(actor, met)?, &known)? {
                taken_for.push((ours, theirs));
            }
        }
        let mut called = super::references::Called::default();
        for (ours, theirs) in taken_for {
            called.insert(&name::reference(&ours), &theirs);
        }
        let _nothing_is_urn_any_more = called.rewrite(&mut draft.tree, &entry.place);
        if same_as(&draft, version)? {
            return Ok(Step::Found(version.clone(), Vec::new()));
        }
        let key = UniqueKey { scope: unique::NOTE, key: name.id.clone() };
        Err(AppError::from(StoreError::KeyTaken { key, holder: version.name.clone() }).inside(&entry.place))
    }

    /// Whether the caller may write all of it.
    fn permitted(&self, steps: &[Step], met: &Identities, reader: &Reader<'_>) -> Result<(), AppError> {
        let there = &self.stage.there;
        let named = self.entries.iter().zip(&met.met);
        let fresh: Fresh<'_> = named
            .filter_map(|(entry, met)| match met {
                Met::Writes(name, None) if *name == entry.fresh => Some(name),
                _ => None,
            })
            .collect();
        for ((entry, step), meeting) in self.entries.iter().zip(steps).zip(&met.met) {
            let before = match meeting {
                Met::Writes(_, before) => before.as_ref(),
                _ => None,
            };
            let permitted = match step {
                Step::Write(prepared) => permission::to_write(prepared, before, &fresh, there, View::of(reader, there)),
                Step::Delete(_) => before.map_or(Ok(()), |before| permission::to_delete(before, there)),
                Step::Twin(_) | Step::Found(..) | Step::WasDeleted(_) | Step::Look => Ok(()),
            };
            permitted.map_err(|error| error.inside(&entry.place))?;
        }
        Ok(())
    }

    /// The rules of notes that need what they refer to, in the bundle or in the store.
    fn check_notes(
        &self,
        steps: &[Step],
        trees: &HashMap<Name, (&'static Release, Object)>,
        reader: &Reader<'_>,
    ) -> Result<(), AppError> {
        let beside = BundleFirst { trees, reader };
        let mut issues = Vec::new();
        for (entry, step) in self.entries.iter().zip(steps) {
            let Step::Write(prepared) = step else { continue };
            let Some(note) = &prepared.note else { continue };
            let found = rules::findings(note, self.face.release, &self.face.bases, &beside)?;
            issues.extend(found.into_iter().map(|i| Issue { place: place::inside(&entry.place, &i.place), ..i }));
        }
        rules::refuse(issues)
    }

    fn commit(&self, plan: &Plan, tx: &mut Tx<'_>) -> Result<Vec<EntryAnswer>, AppError> {
        let written = plan.steps.iter().filter_map(|step| match step {
            Step::Write(prepared) => Some(&prepared.blobs),
            _ => None,
        });
        tx.foresee_blobs(written.flatten())?;
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|index| self.entries.get(*index).map_or(u8::MAX, |entry| entry.asked.turn()));
        let mut answers: Vec<Option<EntryAnswer>> = self.entries.iter().map(|_| None).collect();
        for index in order {
            let (Some(entry), Some(step)) = (self.entries.get(index), plan.steps.get(index)) else { continue };
            let answer = match step {
                Step::Twin(first) => match answers.get(*first).and_then(Option::as_ref) {
                    Some(EntryAnswer::Written(written)) => {
                        EntryAnswer::Written(Box::new(Written { effect: Effect::Found, ..written.as_ref().clone() }))
                    }
                    _ => return Err(AppError::defect("a twin came before its other".to_owned())),
                },
                step => self.carry(entry, step, tx).map_err(|error| error.inside(&entry.place))?,
            };
            if let Some(place) = answers.get_mut(index) {
                *place = Some(answer);
            }
        }
        answers
            .into_iter()
            .map(|answer| answer.ok_or_else(|| AppError::defect("an entry was left out".to_owned())))
            .collect()
    }

    fn carry(&self, entry: &Entry, step: &Step, tx: &mut Tx<'_>) -> Result<EntryAnswer, AppError> {
        let written = |effect, version, issues| {
            EntryAnswer::Written(Box::new(Written { effect, resource: Stored::light(version), issues }))
        };
        Ok(match step {
            Step::Write(prepared) => {
                let issues = prepared.issues.clone();
                let effect = if prepared.version.change == Change::Create { Effect::Created } else { Effect::Updated };
                written(effect, commit(tx, prepared)?.version, issues)
            }
            Step::Found(version, issues) => written(Effect::Found, version.clone(), issues.clone()),
            Step::Delete(prepared) => {
                let version = commit(tx, prepared)?.version;
                EntryAnswer::Deleted(Deleted { name: version.name, version: version.version })
            }
            Step::WasDeleted(version) => {
                EntryAnswer::Deleted(Deleted { name: version.name.clone(), version: version.version })
            }
            Step::Twin(_) | Step::Look => look(entry, View::of(tx, &self.stage.there))?,
        })
    }
}

/// What a reading entry sees: what the transaction has written.
fn look(entry: &Entry, view: View<'_, '_>) -> Result<EntryAnswer, AppError> {
    let (name, version) = match &entry.asked {
        Asked::Read(name) => (name, view.current(name)?),
        Asked::Vread(name, version) => (name, view.version(name, *version)?),
        Asked::Search { resource_type, .. } => {
            let Some(question) = &entry.question else {
                return Err(AppError::defect("an entry that searches has no question".to_owned()));
            };
            return Ok(EntryAnswer::Found(Box::new(question.clone().ask(view)?), *resource_type));
        }
        _ => return Err(AppError::defect("an entry that writes was left out".to_owned())),
    };
    match version {
        None => Err(AppError::unknown(name)),
        Some(version) if version.change == Change::Delete => Err(AppError::gone(name, version.version)),
        Some(version) => Ok(EntryAnswer::Read(Box::new(Stored::light(version)))),
    }
}

/// The resources of the bundle before those of the store.
struct BundleFirst<'p, 'r, 'c> {
    trees: &'p HashMap<Name, (&'static Release, Object)>,
    reader: &'r Reader<'c>,
}

impl Beside for BundleFirst<'_, '_, '_> {
    fn resource(&self, name: &Name, release: &'static Release) -> Result<Option<Object>, AppError> {
        match self.trees.get(name) {
            // All entries of a bundle are of its release, but for `Binary`, which no rule looks at.
            Some((_, tree)) => Ok(Some(tree.clone())),
            None => self.reader.resource(name, release),
        }
    }
}

fn recognised(entry: &Entry) -> Issue {
    let resource_type = entry.resource_type();
    Issue::information(
        entry.place.clone(),
        text!(
            en: "This {resource_type} is here already: the one here is referred to, and was not changed.",
            fr: "Ce {resource_type} est déjà ici : c'est lui qui est référencé, et il n'a pas été modifié.",
        ),
    )
}

fn twice(name: &Name, place: &str) -> AppError {
    let reference = name::reference(name);
    AppError::not_understood(
        IssueKind::Invalid,
        place,
        text!(
            en: "Two entries of this transaction change {reference}: each resource once.",
            fr: "Deux entrées de cette transaction modifient {reference} : chaque ressource une seule fois.",
        ),
    )
}
