//! `$emergency-access`: a health professional outside a circle opens it for some hours, saying why.

use jiff::SignedDuration;
use liaison_care::access::{
    Capacities, Party,
    emergency::{self, Asked, NotGiven, Person},
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    release,
    search::{
        extract,
        index::{Param, Target},
        query::{Clause, Query, SystemTest, Test, TokenTest},
    },
    text,
    tree::Object,
};
use liaison_store::{
    contract::{Change, Name, PageRequest, TotalMode},
    reader::Reader,
};

use crate::{
    audit::AuditRecord,
    clock,
    content::Content,
    error::{AppError, Refusal},
    face::Face,
    operation::{Operation, Stage, create::Create},
    policy::{Action, Interaction},
    stored::Stored,
    there::There,
    written::Written,
};

/// Its name.
pub const NAME: &str = emergency::OPERATION;

/// How long it lasts.
const LASTING: SignedDuration = SignedDuration::from_hours(4);

/// Opens the notebook of a person in an emergency.
#[derive(Clone, Debug)]
pub struct EmergencyAccess {
    /// Through which base.
    pub face: Face,
    /// What was sent: `Parameters`.
    pub parameters: Object,
}

impl Operation for EmergencyAccess {
    type Answer = Written;

    fn action(&self) -> Action {
        Action::on(Interaction::Emergency, "Patient")
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Emergency, entity: format!("Patient/${}", emergency::OPERATION) }
    }

    async fn run(self, stage: Stage) -> Result<Written, AppError> {
        let Self { face, parameters } = self;
        let There::Only(seen) = stage.there.clone() else {
            return Err(AppError::against_a_rule(
                IssueKind::BusinessRule,
                "",
                text!(
                    en: "Everybody is the system here (auth = off): nothing needs to be opened.",
                    fr: "Chacun est ici le système (auth = off) : il n'y a rien à ouvrir.",
                ),
            ));
        };
        let asked = Asked::read(&parameters).map_err(AppError::invalid)?;
        // Who may not open anything is not told who there is.
        emergency::decide(&seen.sight.identity, Capacities::NONE).map_err(not_given)?;
        let (sought, bases, limit) = (asked.person.clone(), face.bases.clone(), stage.app.settings().limits.query_time);
        let person = stage.app.store().read_again(move |reader| find(&sought, &bases, limit, reader)).await?;
        let person = person.ok_or_else(|| unknown(&asked.person))?;
        let in_notebook = seen.sight.notebooks.get(&person).map_or(Capacities::NONE, |place| place.capacities);
        emergency::decide(&seen.sight.identity, in_notebook).map_err(not_given)?;
        let who = emergency::member(&seen.sight.selves, seen.sight.identity.shown.as_deref());
        let who = who.ok_or_else(|| not_given(NotGiven::NotOfHealth))?;
        let (now, zone) = (clock::now(), &stage.app.settings().zone);
        let until = now.checked_add(LASTING).unwrap_or(now);
        let circle = emergency::circle(&person, who, &asked.reason, &clock::text(now, zone), &clock::text(until, zone));
        let create = Create {
            face: Face { release: release::view(), ..face },
            resource_type: "CareTeam",
            content: Content::Resource(circle),
            if_none_exist: None,
            idempotency_key: None,
        };
        // What the rules of the circle refuse to everybody else, this operation does.
        create.run(Stage { there: There::Everything, ..stage }).await
    }
}

/// The id of the person, if there is one, and one only.
fn find(
    sought: &Person,
    bases: &[String],
    deadline: std::time::Duration,
    reader: &Reader<'_>,
) -> Result<Option<String>, AppError> {
    let party = match sought {
        Person::Reference(reference) => {
            let Some(Target::Local { resource_type, id }) = extract::target(reference, bases) else { return Ok(None) };
            let name = Name { resource_type: resource_type.as_str().into(), id: id.as_str().into() };
            let there = reader.current(&name)?.is_some_and(|version| version.change != Change::Delete);
            return Ok((there && resource_type == "Patient").then(|| id.to_string()));
        }
        Person::Identified(party) => party,
    };
    let param = Param { base: "Patient", code: "identifier" };
    let any = party.written().into_iter().map(|(system, code)| {
        let test = TokenTest { system: SystemTest::Is(system.into()), code: Some(code.into()) };
        Clause::Has(param, Test::Token(test))
    });
    let query =
        Query { types: vec!["Patient"], filter: Clause::Any(any.collect()), sort: Vec::new(), includes: Vec::new() };
    let request = PageRequest { count: 10, cursor: None, total: TotalMode::None, include_limit: 0, deadline };
    let mut carrying = Vec::new();
    for version in reader.search(&query, &request)?.matches {
        let id = version.name.id.to_string();
        let tree = Stored::light(version).tree_in(release::view())?;
        // An identifier that is marked as old is nobody's any more.
        if tree.objects("identifier").filter_map(Party::identified).any(|own| own == *party) {
            carrying.push(id);
        }
    }
    Ok(if carrying.len() == 1 { carrying.pop() } else { None })
}

fn unknown(sought: &Person) -> AppError {
    let text = match sought {
        Person::Reference(reference) => text!(
            en: "There is no {reference} here.",
            fr: "Il n'y a pas de {reference} ici.",
        ),
        Person::Identified(_) => text!(
            en: "Nobody here has this identifier.",
            fr: "Personne n'a ici cet identifiant.",
        ),
    };
    AppError::new(Refusal::Unknown, Issue::error(IssueKind::NotFound, "", text))
}

fn not_given(why: NotGiven) -> AppError {
    match why {
        NotGiven::NotOfHealth => AppError::new(
            Refusal::Forbidden,
            Issue::error(
                IssueKind::Forbidden,
                "",
                text!(
                    en: "Emergency access is for health professionals who are known as such.",
                    fr: "L'accès en urgence est réservé aux professionnels de santé reconnus comme tels.",
                ),
            ),
        ),
        NotGiven::InTheCircle => AppError::against_a_rule(
            IssueKind::BusinessRule,
            "",
            text!(
                en: "You are in this person's circle: the notebook is open to you.",
                fr: "Vous êtes dans le cercle de cette personne : le cahier vous est ouvert.",
            ),
        ),
    }
}
