//! `_include=DocumentReference:author:Practitioner`, `_revinclude=…`, `*`, and the dot of 2017.

use crate::{
    outcome::Issue,
    release::view,
    search::{
        index::Param,
        parameters::{self, Meaning},
        query::{Include, IncludeWay, Iterate},
    },
};

use super::{SearchRequest, refusal};

/// An include that was read, with what was put right in it.
pub(super) struct Read {
    pub(super) include: Include,
    pub(super) note: Option<Issue>,
}

/// Reads one include of a search of these types.
pub(super) fn read(
    request: &SearchRequest<'_>,
    searched: &[&'static str],
    way: IncludeWay,
    name: &str,
    value: &str,
) -> Result<Read, Issue> {
    let mut note = None;
    let mut iterate = match name.split_once(':').map(|(_, modifier)| modifier) {
        None => Iterate::Once,
        // `:recurse` is what STU3 calls it.
        Some("iterate" | "recurse") => Iterate::Repeatedly,
        Some(_) => {
            let why = ("its only modifier is :iterate", "son seul modificateur est :iterate");
            return Err(refusal::not_supported(name, why));
        }
    };
    let value = value.trim();
    if value == "*" {
        let params = everything(way, iterate, searched);
        return Ok(Read { include: Include { way, params, types: Vec::new(), iterate }, note });
    }
    let parts: Vec<&str> = match value.split_once('.') {
        Some((source, path)) if !value.contains(':') => {
            let what = (
                "The dot between type and parameter was read as a colon.",
                "Le point entre type et paramètre a été lu comme un deux-points.",
            );
            note = Some(refusal::repaired(name, what));
            vec![source, path]
        }
        _ => value.split(':').collect(),
    };
    let (source, reference, target) = match parts[..] {
        [source, reference] => (source, reference, None),
        [source, reference, target] => (source, reference, Some(target)),
        _ => return Err(refusal::bad_value(name, value, FORMS)),
    };
    let known = view().resource(source).filter(|_| request.release.resource(source).is_some());
    let source = known.ok_or_else(|| refusal::unknown_type(&format!("http.{name}"), source))?.path;
    let (params, mut types) = if reference == "*" {
        (params_of(source).collect(), Vec::new())
    } else {
        let offer = parameters::offer(request.release.id, source, reference)
            .ok_or_else(|| refusal::unknown_parameter(request.release.id, name, reference, &[source]))?;
        let parameter = offer.reference().ok_or_else(|| refusal::not_a_reference(name, reference))?;
        let restricted = match offer.meaning {
            Meaning::Restricted(_, target) => vec![target],
            _ => Vec::new(),
        };
        (vec![parameter.param], restricted)
    };
    if let Some(target) = target {
        let possible: Vec<&'static str> = params.iter().flat_map(|param| targets(*param).iter().copied()).collect();
        match possible.iter().find(|possible| **possible == target) {
            Some(target) => types = vec![*target],
            None => return Err(refusal::wrong_target(name, reference, target, &possible)),
        }
    }
    match way {
        IncludeWay::Forward => {
            if iterate == Iterate::Once && !searched.contains(&source) {
                let what = (
                    "The type is not one of those searched: the include was read as :iterate.",
                    "Le type n'est pas l'un de ceux cherchés : l'inclusion a été lue comme :iterate.",
                );
                note = Some(refusal::repaired(name, what));
                iterate = Iterate::Repeatedly;
            }
        }
        IncludeWay::Reverse => {
            let wanted = std::mem::replace(&mut types, vec![source]);
            // What may be referred to: the type named, or any that is searched.
            let reaches = |of: &&'static str| {
                params.iter().any(|param| targets(*param).contains(of)) && (wanted.is_empty() || wanted.contains(of))
            };
            if iterate == Iterate::Once && !searched.iter().any(reaches) {
                return Err(refusal::wrong_target(name, reference, &searched.join(", "), &wanted));
            }
            if !wanted.is_empty() && searched.iter().any(|of| !wanted.contains(of)) {
                let why = (
                    "in a search of several types, what is referred to cannot be limited to one of them",
                    "dans une recherche sur plusieurs types, ce qui est désigné ne peut être limité à l'un d'eux",
                );
                return Err(refusal::not_supported(name, why));
            }
        }
    }
    Ok(Read { include: Include { way, params, types, iterate }, note })
}

const FORMS: refusal::Why = (
    "an include is written Type:parameter, Type:parameter:Target, Type:* or *",
    "une inclusion s'écrit Type:paramètre, Type:paramètre:Cible, Type:* ou *",
);

/// `*`: every reference of what is searched, or to it; when repeated, of anything.
fn everything(way: IncludeWay, iterate: Iterate, searched: &[&'static str]) -> Vec<Param> {
    let all = || view().resources().into_iter().flat_map(params_of);
    match (way, iterate) {
        (_, Iterate::Repeatedly) => all().collect(),
        (IncludeWay::Forward, Iterate::Once) => searched.iter().flat_map(|of| params_of(of)).collect(),
        (IncludeWay::Reverse, Iterate::Once) => {
            all().filter(|param| targets(*param).iter().any(|target| searched.contains(target))).collect()
        }
    }
}

/// The parameters of a type that are references to resources.
fn params_of(resource_type: &str) -> impl Iterator<Item = Param> + use<> {
    let parameters = parameters::indexed(resource_type).iter();
    parameters.filter(|parameter| parameter.identifier.is_some()).map(|parameter| parameter.param)
}

fn targets(param: Param) -> &'static [&'static str] {
    parameters::parameter_of(param).map(|parameter| parameter.targets.as_slice()).unwrap_or_default()
}
