//! Random questions about a world: one to three criteria, an order, and what comes with the matches.

use crate::{
    dice::Dice,
    world::{CITIES, DATES, DAYS, FAMILIES, GIVENS, NOTE_TYPES, SYSTEMS, TEXTS, VALUES, World},
};

type Pair = (String, String);

/// A type and the parameters asked of it.
pub fn random(dice: &mut Dice, world: &World) -> (&'static str, Vec<Pair>) {
    let types = [
        "DocumentReference",
        "DocumentReference",
        "DocumentReference",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "RelatedPerson",
        "Organization",
        "CareTeam",
    ];
    let resource_type = dice.pick(&types);
    let mut pairs: Vec<Pair> = (0..dice.below(4)).map(|_| criterion(dice, world, resource_type)).collect();
    if dice.one_in(3) {
        pairs.push(sort(dice, resource_type));
    }
    if resource_type == "DocumentReference" && dice.one_in(3) {
        pairs.push(include(dice));
    }
    (resource_type, pairs)
}

pub fn text(pairs: &[Pair]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn pair(name: impl Into<String>, value: impl Into<String>) -> Pair {
    (name.into(), value.into())
}

fn escaped(value: &str) -> String {
    value.chars().fold(String::new(), |mut out, letter| {
        if matches!(letter, '$' | ',' | '|' | '\\') {
            out.push('\\');
        }
        out.push(letter);
        out
    })
}

fn token(dice: &mut Dice, systems: &[&str], codes: &[&str]) -> String {
    let (system, code) = (dice.pick(systems), escaped(dice.pick(codes)));
    match dice.below(6) {
        0 => format!("|{code}"),
        1 => format!("{system}|"),
        2 | 3 => format!("{system}|{code}"),
        _ => code,
    }
}

fn either(dice: &mut Dice, one: &mut impl FnMut(&mut Dice) -> String) -> String {
    let first = one(dice);
    if dice.one_in(4) { format!("{first},{}", one(dice)) } else { first }
}

fn identifier(dice: &mut Dice, name: &str) -> Pair {
    match dice.below(8) {
        0 => pair(format!("{name}:not"), token(dice, &SYSTEMS, &VALUES)),
        1 => pair(format!("{name}:missing"), dice.pick(&["true", "false"])),
        2 => {
            let value = escaped(dice.pick(&VALUES));
            pair(format!("{name}:of-type"), format!("http://terminology.hl7.org/CodeSystem/v2-0203|PI|{value}"))
        }
        _ => pair(name, either(dice, &mut |dice| token(dice, &SYSTEMS, &VALUES))),
    }
}

fn string(dice: &mut Dice, name: &str, texts: &[&str]) -> Pair {
    let modifier = dice.pick(&["", "", ":exact", ":contains"]);
    let value = either(dice, &mut |dice| {
        let text: Vec<char> = dice.pick(texts).chars().collect();
        let length = 1 + dice.below(text.len());
        let start = if modifier == ":contains" { dice.below(length) } else { 0 };
        let length = if modifier == ":exact" && dice.one_in(2) { text.len() } else { length };
        escaped(&text[start..length].iter().collect::<String>())
    });
    // A search for blanks alone says nothing.
    if value.trim().is_empty() { pair(name, "Du") } else { pair(format!("{name}{modifier}"), value) }
}

fn date(dice: &mut Dice, name: &str) -> Pair {
    let value = either(dice, &mut |dice| {
        let prefix = dice.pick(&["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]);
        let pool = if dice.one_in(2) { &DATES[..] } else { &DAYS[..] };
        let mut value = dice.pick(pool);
        if dice.one_in(3) {
            value = dice.pick(&["2026", "2026-03", "2026-03-29", "2026-10-25T02:30", "2026-03-30T12:00:00Z"]);
        }
        format!("{prefix}{value}")
    });
    pair(name, value)
}

fn reference(dice: &mut Dice, world: &World, name: &str, types: &[&str]) -> Pair {
    let of_type: Vec<_> = world.live.iter().filter(|live| types.contains(&live.resource_type)).collect();
    if of_type.is_empty() || dice.one_in(6) {
        return pair(format!("{name}:missing"), dice.pick(&["true", "false"]));
    }
    let live = of_type[dice.below(of_type.len())];
    match dice.below(5) {
        0 => pair(format!("{name}:identifier"), token(dice, &SYSTEMS, &VALUES)),
        1 => pair(format!("{name}:{}", live.resource_type), live.id.clone()),
        _ => pair(name, format!("{}/{}", live.resource_type, live.id)),
    }
}

fn criterion(dice: &mut Dice, world: &World, resource_type: &str) -> Pair {
    if dice.one_in(12) {
        let live = &world.live[dice.below(world.live.len())];
        return pair("_id", format!("{},{}", live.id, "nobody"));
    }
    match resource_type {
        "DocumentReference" => note(dice, world),
        "Patient" => match dice.below(9) {
            0 => string(dice, "family", &FAMILIES),
            1 => string(dice, "given", &GIVENS),
            2 => string(dice, "name", &FAMILIES),
            3 => date(dice, "birthdate"),
            4 => string(dice, "address-city", &CITIES),
            5 => pair("gender", either(dice, &mut |dice| dice.pick(&["male", "female"]).to_owned())),
            6 => reference(dice, world, "general-practitioner", &["Practitioner", "Organization"]),
            7 => pair("_has:DocumentReference:subject:type", dice.pick(&["OBS", "GEN"])),
            _ => identifier(dice, "identifier"),
        },
        "Practitioner" => match dice.below(5) {
            0 => string(dice, "family", &FAMILIES),
            1 => pair("active", dice.pick(&["true", "false"])),
            2 => pair("_has:PractitionerRole:practitioner:_has:DocumentReference:author:type", "OBS"),
            3 => pair("_has:DocumentReference:author:status", dice.pick(&["current", "superseded"])),
            _ => identifier(dice, "identifier"),
        },
        "PractitionerRole" => match dice.below(4) {
            0 => string(dice, "practitioner.family", &FAMILIES),
            1 => date(dice, "date"),
            2 => pair("organization.partof.name", dice.pick(&["Hopital", "SSIAD"])),
            _ => pair("role", dice.pick(&["60", "10"])),
        },
        "RelatedPerson" => match dice.below(3) {
            0 => string(dice, "name", &GIVENS),
            1 => string(dice, "patient.family", &FAMILIES),
            _ => identifier(dice, "identifier"),
        },
        "Organization" => match dice.below(3) {
            0 => string(dice, "name", &["Hôpital Nord", "SSIAD"]),
            1 => string(dice, "partof.name", &["Hôpital Nord", "SSIAD"]),
            _ => identifier(dice, "identifier"),
        },
        _ => match dice.below(6) {
            0 => date(dice, "date"),
            1 => date(dice, "participant-start"),
            2 => pair("status", dice.pick(&["active", "inactive"])),
            3 => identifier(dice, "patient.identifier"),
            4 => string(dice, "participant:PractitionerRole.practitioner.family", &FAMILIES),
            _ => reference(dice, world, "participant", &["PractitionerRole", "RelatedPerson", "Organization"]),
        },
    }
}

fn note(dice: &mut Dice, world: &World) -> Pair {
    let type_systems: Vec<&str> = NOTE_TYPES.iter().map(|(system, _)| *system).filter(|s| !s.is_empty()).collect();
    match dice.below(22) {
        0 | 1 => pair("type", either(dice, &mut |dice| token(dice, &type_systems, &["OBS", "GEN"]))),
        2 => pair("type:not", token(dice, &type_systems, &["OBS", "GEN"])),
        3 => pair(
            format!("{}:missing", dice.pick(&["type", "date", "author", "description", "subject", "relatesto"])),
            dice.pick(&["true", "false"]),
        ),
        4 | 5 => date(dice, "date"),
        6 => date(dice, "period"),
        7 => identifier(dice, "identifier"),
        8 => identifier(dice, "patient.identifier"),
        9 => identifier(dice, "subject:Patient.identifier"),
        10 => identifier(dice, "subject.identifier"),
        11 => identifier(dice, "author:Practitioner.identifier"),
        12 => string(dice, "author:Practitioner.family", &FAMILIES),
        13 => string(dice, "author:Practitioner.given", &GIVENS),
        14 => string(dice, "author:RelatedPerson.name", &FAMILIES),
        15 => string(dice, "description", &TEXTS),
        16 => pair("security-label", dice.pick(&["MASQUE_PT", "MASQUE_PS"])),
        17 => pair("status", either(dice, &mut |dice| dice.pick(&["current", "superseded"]).to_owned())),
        18 => {
            let name = dice.pick(&["author", "subject"]);
            reference(dice, world, name, &["Practitioner", "PractitionerRole", "Patient"])
        }
        19 => pair(
            format!("location{}", dice.pick(&["", ":below", ":above"])),
            dice.pick(&["http://a.example/x", "http://a.example/x/1"]),
        ),
        20 => string(dice, "author:PractitionerRole.practitioner.family", &FAMILIES),
        _ => reference(dice, world, "relatesto", &["DocumentReference"]),
    }
}

fn sort(dice: &mut Dice, resource_type: &str) -> Pair {
    let keys: &[&str] = match resource_type {
        "DocumentReference" => {
            &["date", "-date", "type,-date", "description", "-description", "status,_id", "_lastUpdated"]
        }
        "Patient" => &["family", "-family", "birthdate", "-birthdate", "gender,-family"],
        "Practitioner" | "RelatedPerson" => &["_id", "-_id", "-_lastUpdated"],
        "Organization" => &["name", "-name"],
        "CareTeam" => &["date", "-date"],
        _ => &["_lastUpdated", "-_id"],
    };
    pair("_sort", dice.pick(keys))
}

fn include(dice: &mut Dice) -> Pair {
    let (name, value) = match dice.below(9) {
        0 => ("_include", "DocumentReference:subject"),
        1 => ("_include", "DocumentReference:author"),
        2 => ("_include", "DocumentReference:author:Practitioner"),
        3 => ("_include", "*"),
        4 => ("_include:iterate", "*"),
        5 => ("_revinclude", "DocumentReference:relatesto"),
        6 => ("_revinclude:iterate", "DocumentReference:relatesto"),
        7 => ("_include:iterate", "DocumentReference:relatesto"),
        _ => ("_include", "DocumentReference:*"),
    };
    pair(name, value)
}
