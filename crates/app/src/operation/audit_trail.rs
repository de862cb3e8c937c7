//! The audit trail as `AuditEvent`s: found and read like anything else, and made by this server alone.
//!
//! Who runs the server finds all of it. A person, and who acts for them by law, find what was done in their notebook:
//! who and when, as far as they may see what it was done to.

use std::time::{Duration, Instant as Watch};

use liaison_care::access::{Belonging, Capacities, Capacity, Class, Leave, Office};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    search::{
        evaluate::{self, Candidate},
        extract::ExtractContext,
        index::Target,
        query::{Clause, Comparison, DateTest, Direction, Query, ReferenceTest, SortKey, Test},
    },
    text,
    tree::Object,
};
use liaison_store::{
    audit::{Block, Looking, Spot},
    contract::{Instant, Name, PageRequest, StoreError},
    reader::Reader,
};

use crate::{
    app::App,
    audit::{
        Grouped, event,
        line::{EVERYBODY, Id, Line},
    },
    error::{AppError, Refusal},
    operation::Stage,
    policy::{Action, Interaction},
    stored::Stored,
    there::{Seen, There, View},
};

/// Blocks that are looked through at once.
const AT_ONCE: u32 = 16;

/// A line is in a block that was written at most so long after: as long as lines wait for a store that is away.
const WAITS: i64 = 3600 * 1_000_000;

/// Windows after the moment of a line in which its block is looked for, one after the other.
const WINDOWS: [i64; 3] = [1_000_000, 60_000_000, WAITS];

/// Whether the trail answers for this type here, and not the store.
pub(crate) fn answers_for(resource_type: &str, app: &App) -> bool {
    resource_type == event::TYPE && app.is_audited()
}

/// Refuses to write what the server alone writes, and to ask for its past.
///
/// # Errors
/// 405, for all but reading and searching `AuditEvent`s where a trail is kept.
pub(crate) fn allows(action: &Action, app: &App) -> Result<(), AppError> {
    let only_asks = matches!(action.interaction, Interaction::Read | Interaction::Search | Interaction::Operation);
    if only_asks || !action.resource_type.as_deref().is_some_and(|of| answers_for(of, app)) {
        return Ok(());
    }
    let text = text!(
        en: "AuditEvents are made by this server alone: they are read and searched for.",
        fr: "Les AuditEvent ne sont produits que par ce serveur : ils se lisent et se cherchent.",
    );
    let issue = Issue::error(IssueKind::NotSupported, "", text);
    Err(AppError::new(Refusal::NotAllowed(&["GET", "HEAD"]), issue))
}

/// A page of the trail.
#[derive(Debug)]
pub(crate) struct Page {
    /// The events, the latest first.
    pub events: Vec<Stored>,
    /// The last one, when there may be more.
    pub next: Option<String>,
}

/// One event.
///
/// # Errors
/// 404 when there is none that the caller may see.
pub(crate) fn read(name: &Name, stage: &Stage, reader: &Reader<'_>) -> Result<Stored, AppError> {
    let trail = Trail { stage, reader };
    let unknown = || AppError::unknown(name);
    let about = trail.about(&[]).ok_or_else(unknown)?;
    let (line, _) = trail.line(&name.id, &about)?.ok_or_else(unknown)?;
    Ok(trail.shown(line)?.ok_or_else(unknown)?.0)
}

/// A page of those that a query finds.
///
/// # Errors
/// What cannot be asked of the trail, a cursor that is none, or that it takes too long to find anything.
pub(crate) fn search(
    query: &Query,
    request: &PageRequest,
    stage: &Stage,
    reader: &Reader<'_>,
) -> Result<Page, AppError> {
    can_be_asked(query)?;
    let trail = Trail { stage, reader };
    let mut bounds = Bounds { from: i64::MIN, until: i64::MAX, persons: Vec::new() };
    bounds.narrow(&query.filter);
    let mut page = Page { events: Vec::new(), next: None };
    let wanted = usize::try_from(request.count).unwrap_or(usize::MAX);
    let Some(about) = trail.about(&bounds.persons).filter(|_| wanted > 0) else { return Ok(page) };
    let mut walk = Walk::new(trail, about, bounds, request.cursor.as_ref().map(|cursor| cursor.0.as_str()))?;
    while let Some(line) = walk.next()? {
        let id = line.id.clone();
        if let Some((event, tree)) = walk.trail.shown(line)?
            && walk.trail.matches(&tree, query)
        {
            page.events.push(event);
        }
        if page.events.len() >= wanted || walk.is_long() {
            page.next = Some(id);
            break;
        }
    }
    Ok(page)
}

/// After as long a page is given with what it has.
const LONG: Duration = Duration::from_secs(2);

/// A way through the lines about somebody, the latest first.
pub(crate) struct Walk<'t, 'r> {
    trail: Trail<'t, 'r>,
    about: About,
    bounds: Bounds,
    /// The last block that was looked at.
    before: Option<Spot>,
    /// What is left of those that were read.
    rest: std::vec::IntoIter<Line>,
    begun: Watch,
}

impl<'t, 'r> Walk<'t, 'r> {
    /// After the line of this name; from the latest when nothing is said.
    fn new(trail: Trail<'t, 'r>, about: About, bounds: Bounds, after: Option<&str>) -> Result<Self, AppError> {
        let (mut before, mut rest) = (None, Vec::new());
        if let Some(after) = after {
            let found = trail.line(after, &about)?;
            let (_, place) = found.ok_or_else(|| AppError::from(StoreError::BadCursor))?;
            (before, rest) = (Some(place.block), place.older);
        }
        Ok(Self { trail, about, bounds, before, rest: rest.into_iter(), begun: Watch::now() })
    }

    /// Through the notebook of one person, for who is told who saw it.
    ///
    /// # Errors
    /// 404 for everybody else, and a name of a line that is none.
    pub(crate) fn of_person(
        person: &str,
        after: Option<&str>,
        stage: &'t Stage,
        reader: &'t Reader<'r>,
    ) -> Result<Self, AppError> {
        let trail = Trail { stage, reader };
        let bounds = Bounds { from: i64::MIN, until: i64::MAX, persons: vec![person.to_owned()] };
        let unknown = || AppError::unknown(&Name { resource_type: "Patient".into(), id: person.into() });
        let about = trail.about(&bounds.persons).ok_or_else(unknown)?;
        Self::new(trail, about, bounds, after)
    }

    /// The next line, as it was written.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, AppError> {
        loop {
            if let Some(line) = self.rest.next() {
                return Ok(Some(line));
            }
            let looking = Looking {
                about: self.about.clone(),
                from: Instant(self.bounds.from),
                until: Instant(self.bounds.until.saturating_add(WAITS)),
                before: self.before,
                most: AT_ONCE,
            };
            let blocks = self.trail.reader.audit_latest(&looking)?;
            let Some(oldest) = blocks.last() else { return Ok(None) };
            self.before = Some(oldest.spot);
            self.rest = blocks.iter().flat_map(lines).collect::<Vec<_>>().into_iter();
        }
    }

    /// What of a line is told to a person.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) fn for_person(&self, line: Line) -> Result<Option<Line>, AppError> {
        match &self.trail.stage.there {
            There::Everything => Ok(Some(line)),
            There::Only(seen) => self.trail.for_person(line, seen),
        }
    }

    /// Whether it took so long that whoever waits is given what there is.
    pub(crate) fn is_long(&self) -> bool {
        self.begun.elapsed() > LONG
    }
}

/// The lines of a block, the latest first.
fn lines(block: &Block) -> impl Iterator<Item = Line> {
    block.body.rsplit(|byte| *byte == b'\n').filter_map(Line::read)
}

/// The trail as a caller sees it.
struct Trail<'t, 'r> {
    stage: &'t Stage,
    reader: &'t Reader<'r>,
}

/// The persons whose lines are looked at; all when nothing is said.
type About = Option<Vec<String>>;

/// Where a line is.
struct Place {
    block: Spot,
    /// Those of its block that are older.
    older: Vec<Line>,
}

impl Trail<'_, '_> {
    /// Whose lines may be looked at, of those that are asked for: those of all when nothing is said; `None` when none.
    fn about(&self, asked: &[String]) -> Option<About> {
        let asked = (!asked.is_empty()).then_some(asked);
        let mut about: Vec<String> = match (&self.stage.there, asked) {
            (There::Only(seen), _) if seen.sight.identity.office != Office::Operator => {
                let own = seen.sight.notebooks.iter().filter(|(_, place)| is_told(place.capacities));
                let own = own.map(|(person, _)| person).filter(|person| asked.is_none_or(|of| of.contains(person)));
                own.cloned().collect()
            }
            (_, Some(asked)) => asked.to_vec(),
            (_, None) => return Some(None),
        };
        if about.is_empty() {
            return None;
        }
        about.push(EVERYBODY.to_owned());
        Some(Some(about))
    }

    /// The line of this name.
    fn line(&self, id: &str, about: &About) -> Result<Option<(Line, Place)>, AppError> {
        let Ok(Id { at, .. }) = id.parse() else { return Ok(None) };
        let mut from = at;
        for window in WINDOWS {
            let until = at.saturating_add(window);
            let mut before = None;
            loop {
                let (from, until) = (Instant(from), Instant(until));
                let looking = Looking { about: about.clone(), from, until, before, most: AT_ONCE };
                let blocks = self.reader.audit_latest(&looking)?;
                let Some(oldest) = blocks.last() else { break };
                before = Some(oldest.spot);
                for block in &blocks {
                    let mut all = lines(block);
                    if let Some(line) = all.find(|line| line.id == id) {
                        return Ok(Some((line, Place { block: block.spot, older: all.collect() })));
                    }
                }
            }
            from = until.saturating_add(1);
        }
        Ok(None)
    }

    /// The event of a line, as the caller may see it.
    fn shown(&self, line: Line) -> Result<Option<(Stored, Object)>, AppError> {
        let zone = &self.stage.app.settings().zone;
        let There::Only(seen) = &self.stage.there else {
            let tree = event::tree(&line, zone);
            return Ok(Some((event::stored(&line, &tree), tree)));
        };
        let line = match seen.sight.identity.office {
            Office::Operator => Some(line),
            // By which account too.
            _ => self.for_person(line, seen)?.map(|line| Line { who: None, ..line }),
        };
        let Some(line) = line else { return Ok(None) };
        let tree = event::tree(&line, zone);
        let notebooks = line.about().filter(|of| *of != EVERYBODY).cloned().collect();
        let belonging = Belonging { notebooks, class: Class::of(event::TYPE, None), ..Belonging::of(&tree, &[], &[]) };
        let context = ExtractContext { zone, bases: &seen.bases };
        let reached = seen.sight.limits.reach(Leave::See, &tree, &belonging, &context);
        Ok(reached.then(|| (event::stored(&line, &tree), tree)))
    }

    /// What a person is told of a line: what was done in their notebook, to what they may see of it.
    fn for_person(&self, line: Line, seen: &Seen) -> Result<Option<Line>, AppError> {
        let own = |of: &String| {
            of == EVERYBODY || seen.sight.notebooks.get(of).is_some_and(|place| is_told(place.capacities))
        };
        let view = View::of(self.reader, &self.stage.there);
        let told = |groups: Grouped| -> Result<Grouped, AppError> {
            let mut told = Grouped::new();
            for (of, versions) in groups.into_iter().filter(|(of, _)| own(of)) {
                for version in versions {
                    let there = match versioned(&version) {
                        Some((name, number)) => view.version(&name, number)?.is_some(),
                        // All of a type.
                        None => true,
                    };
                    if there {
                        told.entry(of.clone()).or_default().insert(version);
                    }
                }
            }
            Ok(told)
        };
        let (made, shown) = (told(line.made)?, told(line.shown)?);
        if made.is_empty() && shown.is_empty() {
            return Ok(None);
        }
        // Where from is for who runs the server.
        Ok(Some(Line { made, shown, on: None, from: None, request: None, ..line }))
    }

    fn matches(&self, event: &Object, query: &Query) -> bool {
        let zone = &self.stage.app.settings().zone;
        let bases: &[String] = match &self.stage.there {
            There::Only(seen) => &seen.bases,
            There::Everything => &[],
        };
        let updated = event.str("recorded").and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let candidate = Candidate {
            resource_type: event::TYPE,
            id: event.str("id").unwrap_or_default(),
            tree: event,
            last_updated: updated.map_or(0, jiff::Timestamp::as_microsecond),
            order: 0,
        };
        evaluate::holds(&query.filter, &candidate, &ExtractContext { zone, bases })
    }
}

/// Whether somebody is told who saw a notebook: its person, and who acts for them by law.
pub(crate) fn is_told(capacities: Capacities) -> bool {
    capacities.meets(Capacities::of(&[Capacity::Person, Capacity::LegalRepresentative]))
}

/// `Type/id/_history/number`.
fn versioned(text: &str) -> Option<(Name, u32)> {
    let mut parts = text.split('/');
    let (resource_type, id) = (parts.next()?, parts.next()?);
    let number = parts.nth(1)?.parse().ok()?;
    Some((Name { resource_type: resource_type.into(), id: id.into() }, number))
}

/// Between which moments, and about whom, everything is that a clause holds of.
#[derive(Debug)]
struct Bounds {
    from: i64,
    until: i64,
    persons: Vec<String>,
}

impl Bounds {
    fn narrow(&mut self, clause: &Clause) {
        match clause {
            Clause::All(clauses) => clauses.iter().for_each(|clause| self.narrow(clause)),
            Clause::Any(clauses) if clauses.len() == 1 => clauses.iter().for_each(|clause| self.narrow(clause)),
            Clause::Has(param, Test::Date(test)) if param.code == "date" => self.within(test),
            Clause::LastUpdated(test) => self.within(test),
            Clause::Has(param, Test::Reference(test)) if param.code == "patient" || param.code == "entity" => {
                let person = match test {
                    ReferenceTest::Is(Target::Local { resource_type, id }) if resource_type == "Patient" => id,
                    ReferenceTest::Id { id, types } if *types == ["Patient"] => id,
                    _ => return,
                };
                // Of two, each is looked for; the rest is for whoever looks at each event.
                self.persons.push(person.to_string());
            }
            Clause::Id(ids) => {
                let moments: Vec<i64> = ids.iter().filter_map(|id| id.parse::<Id>().ok()).map(|id| id.at).collect();
                self.from = self.from.max(moments.iter().copied().min().unwrap_or(i64::MAX));
                self.until = self.until.min(moments.iter().copied().max().unwrap_or(i64::MIN));
            }
            _ => {}
        }
    }

    fn within(&mut self, test: &DateTest) {
        let DateTest { comparison, low, high } = *test;
        let (from, until) = match comparison {
            Comparison::Within | Comparison::Overlaps => (low, high),
            Comparison::Greater | Comparison::After | Comparison::GreaterOrWithin => (low, i64::MAX),
            Comparison::Less | Comparison::Before | Comparison::LessOrWithin => (i64::MIN, high),
            Comparison::NotWithin => return,
        };
        (self.from, self.until) = (self.from.max(from), self.until.min(until));
    }
}

/// # Errors
/// What leads from an event to something else, and orders other than that of time.
fn can_be_asked(query: &Query) -> Result<(), AppError> {
    fn leads_on(clause: &Clause) -> bool {
        match clause {
            Clause::All(of) | Clause::Any(of) => of.iter().any(leads_on),
            Clause::Not(of) => leads_on(of),
            Clause::Refers { .. } | Clause::ReferredBy { .. } => true,
            _ => false,
        }
    }
    let by_time = |key: &SortKey| match key {
        SortKey::LastUpdated => true,
        SortKey::Param(param, _) => param.code == "date",
        SortKey::Id => false,
    };
    let in_order = query.sort.iter().all(|sort| by_time(&sort.by) && sort.direction == Direction::Descending);
    let text = if leads_on(&query.filter) || !query.includes.is_empty() {
        text!(
            en: "Searches of AuditEvent follow no references: ask without chains, _has, _include and _revinclude.",
            fr: "Les recherches d'AuditEvent ne suivent pas les références : sans chaînes, _has, _include ni _revinclude.",
        )
    } else if !in_order {
        text!(
            en: "AuditEvents are given the latest first: leave _sort out, or sort by -date.",
            fr: "Les AuditEvent sont donnés du plus récent au plus ancien : sans _sort, ou avec _sort=-date.",
        )
    } else {
        return Ok(());
    };
    Err(AppError::not_understood(IssueKind::NotSupported, "http", text))
}
