//! Whether a caller may write what was prepared.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use liaison_care::access::{
    Acting, Belonging, Class, Deed, Keeping, Leave, Owner, Party, Reason, Standing, Verdict, decide, scopes::Right,
};
use liaison_fhir::{
    outcome::{Issue, IssueKind, Text},
    release,
    search::extract::{self, ExtractContext},
    text,
};
use liaison_store::contract::{Change, Link, Name, Named, StoreError, Version};

use crate::{
    error::{AppError, Refusal},
    policy,
    stored::Stored,
    there::{Seen, There, View},
    write::{
        prepare::Prepared,
        rules::{Beside as _, local_target},
    },
};

/// The resources that a bundle makes: for who sends it they are there, and a person among them comes with
/// a notebook that is theirs to open.
pub(crate) type Fresh<'n> = HashSet<&'n Name>;

/// Whether what was prepared may be stored, after this version if there is one.
///
/// # Errors
/// 403 for what the caller may know of, 404 and references that do not resolve for what is not there for
/// the caller.
pub(crate) fn to_write(
    prepared: &Prepared,
    before: Option<&Version>,
    fresh: &Fresh<'_>,
    there: &There,
    view: View<'_, '_>,
) -> Result<(), AppError> {
    let There::Only(seen) = there else { return Ok(()) };
    let Some(belonging) = &prepared.belonging else { return Ok(()) };
    let name = &prepared.version.name;
    let mut kept: HashSet<Name> = HashSet::new();
    match before.filter(|before| before.change != Change::Delete) {
        Some(before) => {
            to_change(seen, before, belonging, name, view)?;
            // What it led to before, an author may leave as it is, even when no longer in the circle.
            kept = led_to(before, seen)?;
        }
        // Under a name of the caller's own it could be one that is hidden: both are not there.
        None if prepared.version.named == Named::ByCaller && !fresh.contains(name) => {
            return Err(AppError::unknown(name));
        }
        None => {
            match decide(Deed::Make, belonging.class, belonging.audience, making(seen, belonging, name, fresh, view)?) {
                Verdict::Granted => {}
                Verdict::Refused(reason) => return Err(refused(reason)),
                Verdict::Hidden => {
                    leads_somewhere(prepared, &kept, seen, fresh, view)?;
                    return Err(refused(Reason::NotOfTheKind));
                }
            }
        }
    }
    if !prepared.in_scope {
        return Err(policy::Refused::Scope.into());
    }
    leads_somewhere(prepared, &kept, seen, fresh, view)
}

/// What a version refers to here.
fn led_to(version: &Version, seen: &Seen) -> Result<HashSet<Name>, AppError> {
    let tree = Stored::light(version.clone()).tree_in(release::view())?;
    let context = ExtractContext { zone: &TimeZone::UTC, bases: &seen.bases };
    let targets = extract::references(&tree, release::view(), &context).into_iter();
    Ok(targets.filter_map(|(target, _)| local_target(target)).collect())
}

/// Whether a version may be deleted.
///
/// # Errors
/// As [`to_write`].
pub(crate) fn to_delete(before: &Version, there: &There) -> Result<(), AppError> {
    let There::Only(seen) = there else { return Ok(()) };
    match seen.may(Deed::Remove, before)? {
        Verdict::Granted if seen.in_scope(Leave::Do(Right::Delete), before)? => Ok(()),
        Verdict::Granted if seen.in_scope(Leave::See, before)? => Err(policy::Refused::Scope.into()),
        Verdict::Granted => Err(AppError::unknown(&before.name)),
        Verdict::Refused(reason) => Err(refused(reason)),
        Verdict::Hidden => Err(AppError::unknown(&before.name)),
    }
}

fn to_change(
    seen: &Seen,
    before: &Version,
    after: &Belonging,
    name: &Name,
    view: View<'_, '_>,
) -> Result<(), AppError> {
    let (was, itself) = seen.belonging(before)?;
    let mut standing = seen.sight.standing(&was, &itself);
    act(&mut standing, seen, &was, view)?;
    match decide(Deed::Change, was.class, was.audience, standing) {
        Verdict::Granted => {}
        Verdict::Refused(reason) => return Err(refused(reason)),
        Verdict::Hidden => return Err(AppError::unknown(name)),
    }
    let keep = decide(Deed::Change, Class::Circle, was.audience, standing);
    match after.said.instead_of(&was.said, &seen.sight.identity, standing, keep) {
        Verdict::Granted => {}
        Verdict::Refused(reason) => return Err(refused(reason)),
        Verdict::Hidden => return Err(refused(Reason::NotAKeeper)),
    }
    if !seen.in_scope(Leave::Do(Right::Update), before)? {
        return Err(policy::Refused::Scope.into());
    }
    // What is written stays in one's own name, and moves only into notebooks that one could have written in.
    let mut standing = seen.sight.standing(after, &itself);
    act(&mut standing, seen, after, view)?;
    if !after.authors.is_empty() && standing.owner == Owner::Others {
        return Err(refused(Reason::InAnothersName));
    }
    if after.notebooks.iter().all(|notebook| was.notebooks.contains(notebook)) {
        return Ok(());
    }
    match decide(Deed::Make, after.class, after.audience, standing) {
        Verdict::Granted => Ok(()),
        Verdict::Refused(reason) => Err(refused(reason)),
        Verdict::Hidden => Err(refused(Reason::NotOfTheKind)),
    }
}

/// How the caller stands towards something that is being made.
fn making(
    seen: &Seen,
    belonging: &Belonging,
    name: &Name,
    fresh: &Fresh<'_>,
    view: View<'_, '_>,
) -> Result<Standing, AppError> {
    let itself = Party::resource(&name.resource_type, &name.id);
    let mut standing = seen.sight.standing(belonging, &itself);
    act(&mut standing, seen, belonging, view)?;
    if belonging.authors.is_empty() {
        // Of a type that names no author, whoever makes it is.
        standing.owner = Owner::Oneself;
    }
    let is_fresh = |id: &String| fresh.contains(&Name { resource_type: "Patient".into(), id: id.as_str().into() });
    if !belonging.notebooks.is_empty() && belonging.notebooks.iter().all(is_fresh) {
        standing.in_notebook = seen.sight.identity.nature;
        standing.keeping = Keeping::Keeper;
    }
    Ok(standing)
}

/// Makes somebody's what software may write for others.
fn act(standing: &mut Standing, seen: &Seen, belonging: &Belonging, view: View<'_, '_>) -> Result<(), AppError> {
    let for_others = match seen.sight.identity.acting {
        Acting::ForOneself => false,
        Acting::ForAnybody => !belonging.authors.is_empty(),
        Acting::ForItsStaff => {
            let mut any = false;
            for author in &belonging.authors {
                any = any || is_staff(author, seen, view)?;
            }
            any
        }
    };
    if for_others {
        standing.owner = Owner::Oneself;
    }
    Ok(())
}

/// Whether an author works for a structure of the caller's, as the directory says: by the situation of
/// exercise that is named.
fn is_staff(author: &Party, seen: &Seen, view: View<'_, '_>) -> Result<bool, AppError> {
    let Party::Resource { resource_type, id } = author else { return Ok(false) };
    if resource_type != "PractitionerRole" {
        return Ok(false);
    }
    let name = Name { resource_type: resource_type.as_str().into(), id: id.as_str().into() };
    let Some(role) = view.reader().resource(&name, release::view())? else { return Ok(false) };
    let Some(structure) = role.object("organization") else { return Ok(false) };
    Ok(Party::all(structure, &seen.bases).iter().any(|party| seen.sight.selves.contains(party)))
}

/// Whether everything it refers to is there for the caller.
///
/// # Errors
/// Those that are not, as references that do not resolve.
fn leads_somewhere(
    prepared: &Prepared,
    kept: &HashSet<Name>,
    seen: &Seen,
    fresh: &Fresh<'_>,
    view: View<'_, '_>,
) -> Result<(), AppError> {
    let mut nowhere: Vec<Link> = Vec::new();
    for link in &prepared.version.links {
        let own = link.to == prepared.version.name || prepared.binaries.iter().any(|binary| binary.name == link.to);
        let known = own || kept.contains(&link.to) || fresh.contains(&link.to);
        if known || is_there(&link.to, seen, view)? {
            continue;
        }
        nowhere.push(link.clone());
    }
    if nowhere.is_empty() { Ok(()) } else { Err(StoreError::Unresolved(nowhere).into()) }
}

fn is_there(name: &Name, seen: &Seen, view: View<'_, '_>) -> Result<bool, AppError> {
    match Class::of(&name.resource_type, None) {
        // Whether they exist, the store says.
        Class::Directory | Class::Definition => Ok(true),
        Class::Identity if seen.sight.notebooks.contains_key(&*name.id) => Ok(true),
        _ => Ok(view.current(name)?.is_some_and(|version| version.change != Change::Delete)),
    }
}

/// The refusal for a reason.
pub(crate) fn refused(reason: Reason) -> AppError {
    let text: Text = match reason {
        Reason::NotTheAuthor => text!(
            en: "Only its author changes or deletes it.",
            fr: "Seul son auteur le modifie ou le supprime.",
        ),
        Reason::InAnothersName => text!(
            en: "It names somebody else as its author: write in your own name.",
            fr: "Il désigne quelqu'un d'autre comme auteur : écrivez en votre nom.",
        ),
        Reason::NotAKeeper => text!(
            en: "The circle is changed by the person, by who acts for the person, by the attending physician or by the organisation in charge.",
            fr: "Le cercle est modifié par la personne, par qui la représente, par le médecin traitant ou par l'organisation responsable.",
        ),
        Reason::NotOfTheKind => text!(
            en: "This is not for you to write: your role does not allow it.",
            fr: "Ce n'est pas à vous de l'écrire : votre rôle ne le permet pas.",
        ),
        Reason::NotTheOperator => text!(
            en: "Only who runs this server changes or deletes it.",
            fr: "Seul l'exploitant de ce serveur le modifie ou le supprime.",
        ),
    };
    AppError::new(Refusal::Forbidden, Issue::error(IssueKind::Forbidden, "", text))
}
