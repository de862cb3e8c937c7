//! From who asks to what they may see: looked up in the store, at the moment of the request.

use std::collections::BTreeMap;

use compact_str::CompactString;
use liaison_care::access::{
    Capacities, Capacity, Circle, InNotebook, Keeping, Limits, Member, Party, Sight, capacity, circle::Setting,
};
use liaison_fhir::{
    release,
    search::{
        index::{Param, Target},
        parse::{Handling, SearchContext, SearchLimits, SearchRequest, parse},
        query::{Clause, Query, ReferenceTest, SystemTest, Test, TokenTest},
    },
    tree::Object,
};
use liaison_store::{
    contract::{PageRequest, TotalMode},
    reader::Reader,
};

use crate::{caller::Known, error::AppError, query_string, settings::Settings, stored::Stored};

/// Those who can be somebody.
const ACTORS: [&str; 6] = ["Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Device"];

/// What a sight rests on: those who can be somebody, and the circles.
pub const RESTS_ON: [&str; 7] =
    ["Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Device", "CareTeam"];

/// Resources read at a time.
const AT_A_TIME: u32 = 500;

/// What somebody may see at a moment, in microseconds since 1970 UTC, and the moment from which on the same
/// circles give something else.
///
/// # Errors
/// When the store is away.
pub(crate) fn of(known: &Known, now: i64, settings: &Settings, reader: &Reader<'_>) -> Result<(Sight, i64), AppError> {
    let looking = Looking { known, settings, reader };
    let selves = looking.selves()?;
    let structures = looking.structures()?;
    let mut notebooks: BTreeMap<String, InNotebook> = BTreeMap::new();
    for one in &selves {
        if let Party::Resource { resource_type, id } = &one.party
            && resource_type == "Patient"
        {
            enter(&mut notebooks, id, Capacity::Person.into(), Keeping::Keeper);
        }
    }
    let mut until = i64::MAX;
    for circle in looking.circles(&selves, &structures)? {
        until = until.min(circle.next_change(now));
        for member in circle.at(now) {
            let capacities = looking.capacities(member, &selves, &structures);
            if !capacities.is_none() {
                enter(&mut notebooks, &circle.person, capacities, member.keeping);
            }
        }
    }
    let selves = selves.into_iter().map(|one| one.party).collect();
    let restriction = |resource_type: &'static str, text: &str| restriction(resource_type, text, known, settings);
    let limits = Limits::of(&known.scopes, known.patient.as_deref(), &restriction);
    Ok((Sight::new(known.identity.clone(), selves, notebooks, limits), until))
}

/// What a scope says behind `?`, as a search of a type in its R4 form; `None` when it is none.
fn restriction(resource_type: &'static str, text: &str, known: &Known, settings: &Settings) -> Option<Clause> {
    let read = query_string::read(text.as_bytes()).ok().and_then(|pairs| {
        let context = SearchContext {
            zone: &settings.zone,
            now: 0,
            bases: &known.bases,
            limits: SearchLimits { page: settings.limits.page, chain_depth: 0, ..SearchLimits::default() },
        };
        let (release, types) = (release::view(), [resource_type]);
        let request =
            SearchRequest { release, types: &types, pairs: &pairs, handling: Handling::Strict, context: &context };
        parse(&request).ok()
    });
    // A restriction that restricts nothing was meant otherwise.
    let read = read.map(|parsed| parsed.query.filter).filter(|filter| *filter != Clause::always());
    if read.is_none() {
        tracing::warn!(resource_type, "a restriction within a scope is not understood: the scope gives nothing");
    }
    read
}

fn enter(notebooks: &mut BTreeMap<String, InNotebook>, id: &str, capacities: Capacities, keeping: Keeping) {
    let place =
        notebooks.entry(id.to_owned()).or_insert(InNotebook { capacities: Capacities::NONE, keeping: Keeping::Member });
    place.capacities = place.capacities.and(capacities);
    if keeping == Keeping::Keeper {
        place.keeping = keeping;
    }
}

/// One of those whom somebody is here, and in which capacity by it.
struct Oneself {
    party: Party,
    capacities: Capacities,
}

struct Looking<'l, 'c> {
    known: &'l Known,
    settings: &'l Settings,
    reader: &'l Reader<'c>,
}

impl Looking<'_, '_> {
    /// Everybody whom the caller is here: what was vouched for, the resources that carry the same
    /// identifiers, and the situations of exercise of these.
    fn selves(&self) -> Result<Vec<Oneself>, AppError> {
        let identity = &self.known.identity;
        let mut selves: Vec<Oneself> = Vec::new();
        let mut add = |party: Party, capacities: Capacities| {
            if !selves.iter().any(|one| one.party == party) {
                selves.push(Oneself { party, capacities });
            }
        };
        let mut professionals: Vec<CompactString> = Vec::new();
        for party in &identity.parties {
            add(party.clone(), identity.nature);
        }
        let mut found = self.carrying(&identity.parties, &ACTORS)?;
        for party in &identity.parties {
            if let Party::Resource { resource_type, id } = party
                && let Some(known) = ACTORS.iter().find(|actor| **actor == resource_type.as_str())
            {
                found.extend(self.find(known, Clause::Id(vec![id.clone()]))?);
            }
        }
        for actor in found {
            let (Some(resource_type), Some(id)) = (actor.resource_type(), actor.str("id")) else { continue };
            if resource_type == "Practitioner" {
                professionals.push(id.into());
            }
            let capacities = match resource_type {
                "RelatedPerson" => {
                    let relations: Vec<&Object> = actor.objects("relationship").collect();
                    capacity::of_related_person(&relations).into()
                }
                "Patient" => Capacity::Person.into(),
                _ => identity.nature,
            };
            let party = Party::resource(resource_type, id);
            selves.retain(|one| one.party != party);
            selves.push(Oneself { party, capacities });
        }
        if !professionals.is_empty() {
            let practitioner = Param { base: "PractitionerRole", code: "practitioner" };
            let of = professionals.iter().map(|id| points(practitioner, "Practitioner", id)).collect();
            for role in self.find("PractitionerRole", Clause::Any(of))? {
                let Some(id) = role.str("id") else { continue };
                let party = Party::resource("PractitionerRole", id);
                if !selves.iter().any(|one| one.party == party) {
                    selves.push(Oneself { party, capacities: identity.nature });
                }
            }
        }
        Ok(selves)
    }

    /// The structures that the caller works for, as far as was vouched for: what people write of
    /// themselves into the directory opens no circle.
    fn structures(&self) -> Result<Vec<Party>, AppError> {
        let mut structures = self.known.identity.structures.clone();
        for organization in self.carrying(&self.known.identity.structures, &["Organization"])? {
            structures.extend(organization.str("id").map(|id| Party::resource("Organization", id)));
        }
        Ok(structures)
    }

    /// The resources of these types that carry the identifier of one of these parties.
    fn carrying(&self, parties: &[Party], types: &[&'static str]) -> Result<Vec<Object>, AppError> {
        let written: Vec<(String, String)> = parties.iter().flat_map(Party::written).collect();
        if written.is_empty() {
            return Ok(Vec::new());
        }
        let mut carrying = Vec::new();
        for resource_type in types {
            let param = Param { base: resource_type, code: "identifier" };
            let any = written.iter().map(|(system, value)| token(param, Some(system), value)).collect();
            carrying.extend(self.find(resource_type, Clause::Any(any))?.into_iter().filter(|actor| {
                actor.objects("identifier").filter_map(Party::identified).any(|party| parties.contains(&party))
            }));
        }
        Ok(carrying)
    }

    /// The active circles that name the caller, or a structure that the caller works for.
    fn circles(&self, selves: &[Oneself], structures: &[Party]) -> Result<Vec<Circle>, AppError> {
        let participant = Param { base: "CareTeam", code: "participant" };
        let identified = Param { base: "CareTeam", code: "participant:identifier" };
        let managing = Param { base: "CareTeam", code: "managingOrganization" };
        let mut named: Vec<Clause> = Vec::new();
        for party in selves.iter().map(|one| &one.party).chain(structures) {
            match party {
                Party::Resource { resource_type, id } => {
                    named.push(points(participant, resource_type, id));
                    if resource_type == "Organization" {
                        named.push(points(managing, resource_type, id));
                    }
                }
                Party::Identified { .. } => {
                    named.extend(
                        party.written().into_iter().map(|(system, value)| token(identified, Some(&system), &value)),
                    );
                }
            }
        }
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let active = token(Param { base: "CareTeam", code: "status" }, None, "active");
        let teams = self.find("CareTeam", Clause::All(vec![active, Clause::Any(named)]))?;
        let setting = Setting { zone: &self.settings.zone, bases: &self.known.bases };
        Ok(teams.iter().filter_map(|team| Circle::of(team, setting)).collect())
    }

    /// In which capacities a member of a circle is the caller; none when it is somebody else.
    fn capacities(&self, member: &Member, selves: &[Oneself], structures: &[Party]) -> Capacities {
        let by_oneself = selves.iter().filter(|one| member.who.contains(&one.party));
        let mut capacities = by_oneself.fold(Capacities::NONE, |all, one| all.and(one.capacities));
        if capacities.is_none() && member.who.iter().any(|who| structures.contains(who)) {
            capacities = self.known.identity.nature;
        }
        // A guardian by the role in the circle is no mere relative.
        match capacities == Capacity::Relative.into() && !member.role.is_none() {
            true => member.role,
            false => capacities,
        }
    }

    /// All live resources of a type for which a clause holds, in their R4 form.
    fn find(&self, resource_type: &'static str, filter: Clause) -> Result<Vec<Object>, AppError> {
        let query = Query { types: vec![resource_type], filter, sort: Vec::new(), includes: Vec::new() };
        let mut request = PageRequest {
            count: AT_A_TIME,
            cursor: None,
            total: TotalMode::None,
            include_limit: 0,
            deadline: self.settings.limits.query_time,
        };
        let mut found = Vec::new();
        loop {
            let page = self.reader.search(&query, &request)?;
            for version in page.matches {
                found.push(Stored::light(version).tree_in(release::view())?);
            }
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => return Ok(found),
            }
        }
    }
}

fn points(param: Param, resource_type: &str, id: &str) -> Clause {
    let target = Target::Local { resource_type: resource_type.into(), id: id.into() };
    Clause::Has(param, Test::Reference(ReferenceTest::Is(target)))
}

fn token(param: Param, system: Option<&str>, code: &str) -> Clause {
    let system = system.map_or(SystemTest::Any, |system| SystemTest::Is(system.into()));
    Clause::Has(param, Test::Token(TokenTest { system, code: Some(code.into()) }))
}
