//! The whole of the rules as a page that a physician can read, kept in `docs/users/who-sees-what.md`.
//!
//! `LIAISON_WRITE_MATRIX=1 cargo test -p liaison-care access::tests` writes it anew; every other run
//! compares.

use std::fmt::Write as _;

use liaison_fhir::{array, object};

use super::{
    Audience, Capacities, Capacity, Class, Deed, Keeping, Standing, Verdict, decide,
    rules::{Office, Owner, Reason},
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/users/who-sees-what.md");

const VISIBILITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";
const CONFIDENTIALITY: &str = "urn:oid:2.16.840.1.113883.5.25";

/// The labels that a note can bear.
const LABELS: [(&str, &str, &str); 8] = [
    ("—", "", ""),
    ("INVISIBLE_PATIENT", VISIBILITY, "INVISIBLE_PATIENT"),
    ("INVISIBLE_ REPRESENTANTS_ LEGAUX", VISIBILITY, "INVISIBLE_REPRESENTANTS_LEGAUX"),
    ("MASQUE_PS", VISIBILITY, "MASQUE_PS"),
    ("MASQUE_PSOCIAL", VISIBILITY, "MASQUE_PSOCIAL"),
    ("MASQUE_PT", VISIBILITY, "MASQUE_PT"),
    ("R (2017)", CONFIDENTIALITY, "R"),
    ("V (2017)", CONFIDENTIALITY, "V"),
];

const CLASSES: [(Class, &str); 7] = [
    (Class::Note, "une note · a note"),
    (Class::Identity, "qui est qui · who is who"),
    (Class::Circle, "le cercle · the circle"),
    (Class::Record, "autre chose sur la personne · anything else about the person"),
    (Class::Directory, "l'annuaire · the directory"),
    (Class::Definition, "les définitions · definitions"),
    (Class::Private, "le reste · the rest"),
];

const DEEDS: [(Deed, &str); 4] = [
    (Deed::See, "voir · see"),
    (Deed::Make, "créer · make"),
    (Deed::Change, "modifier · change"),
    (Deed::Remove, "supprimer · delete"),
];

const fn name(capacity: Capacity) -> &'static str {
    match capacity {
        Capacity::Person => "la personne · the person",
        Capacity::LegalRepresentative => "représentant légal · legal representative",
        Capacity::Relative => "proche · relative",
        Capacity::HealthProfessional => "professionnel de santé · health professional",
        Capacity::SocialProfessional => "professionnel du social · social professional",
        Capacity::OtherProfessional => "autre professionnel · other professional",
        Capacity::Establishment => "établissement · establishment",
        Capacity::Device => "appareil · device",
    }
}

const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Granted => "oui",
        Verdict::Hidden => "·",
        Verdict::Refused(Reason::NotTheAuthor) => "non ¹",
        Verdict::Refused(Reason::InAnothersName) => "non ²",
        Verdict::Refused(Reason::NotAKeeper) => "non ³",
        Verdict::Refused(Reason::NotOfTheKind) => "non ⁴",
        Verdict::Refused(Reason::NotTheOperator) => "non ⁵",
    }
}

fn member(capacity: Capacity, owner: Owner, keeping: Keeping) -> Standing {
    Standing { nature: capacity.into(), in_notebook: capacity.into(), keeping, owner, office: Office::None }
}

fn audience(system: &str, code: &str) -> Audience {
    Audience::of(&object! {
        "securityLabel" => array![object! { "coding" => array![object! { "system" => system, "code" => code }] }]
    })
}

/// A row of a table.
fn row(page: &mut String, first: &str, cells: impl Iterator<Item = &'static str>) {
    let cells: Vec<_> = cells.collect();
    writeln!(page, "| {first} | {} |", cells.join(" | ")).unwrap();
}

fn head(page: &mut String, first: &str, columns: &[&str]) {
    writeln!(page, "| {first} | {} |", columns.join(" | ")).unwrap();
    writeln!(page, "|---|{}", ":-:|".repeat(columns.len())).unwrap();
}

fn deeds(page: &mut String, standing: impl Fn(Deed) -> Standing) {
    head(page, "", &DEEDS.map(|(_, name)| name));
    for (class, name) in CLASSES {
        let verdict = |deed| mark(decide(deed, class, Audience::OPEN, standing(deed)));
        row(page, name, DEEDS.iter().map(|(deed, _)| verdict(*deed)));
    }
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n## Qui lit une note d'un autre · Who reads a note by somebody else\n\n");
    head(&mut page, "dans le cercle · in the circle", &LABELS.map(|(name, ..)| name));
    for capacity in Capacity::ALL {
        let sees = |(_, system, code): &(&str, &str, &str)| {
            mark(decide(
                Deed::See,
                Class::Note,
                audience(system, code),
                member(capacity, Owner::Others, Keeping::Member),
            ))
        };
        row(&mut page, name(capacity), LABELS.iter().map(sees));
    }
    let out_of_circle = |owner, office| Standing {
        nature: Capacities::of(&Capacity::ALL),
        in_notebook: Capacities::NONE,
        keeping: Keeping::Member,
        owner,
        office,
    };
    for (who, standing) in [
        ("l'auteur, toujours · its author, always", out_of_circle(Owner::Oneself, Office::None)),
        ("hors du cercle · not in the circle", out_of_circle(Owner::Others, Office::None)),
        (
            "l'exploitant · the operator",
            Standing { nature: Capacities::NONE, ..out_of_circle(Owner::Others, Office::Operator) },
        ),
    ] {
        let sees = |(_, system, code): &(&str, &str, &str)| {
            mark(decide(Deed::See, Class::Note, audience(system, code), standing))
        };
        row(&mut page, who, LABELS.iter().map(sees));
    }
    page.push_str("\n## Qui fait quoi dans le cercle · Who does what in the circle\n\n");
    page.push_str("Ce qui est aux autres ; ce qu'on crée, on le crée en son propre nom. · What is others'; what one makes, one makes in one's own name.\n");
    for capacity in Capacity::ALL {
        writeln!(page, "\n### {}\n", capitalised(name(capacity))).unwrap();
        deeds(&mut page, |deed| {
            let owner = if deed == Deed::Make { Owner::Oneself } else { Owner::Others };
            member(capacity, owner, Keeping::Member)
        });
    }
    for (title, standing) in [
        (
            "Hors du cercle (un professionnel de santé) · Not in the circle (a health professional)",
            Standing {
                in_notebook: Capacities::NONE,
                ..member(Capacity::HealthProfessional, Owner::Others, Keeping::Member)
            },
        ),
        (
            "L'auteur, ou qui est concerné · The author, or whom it is about",
            member(Capacity::HealthProfessional, Owner::Oneself, Keeping::Member),
        ),
        (
            "Le médecin traitant, l'organisation responsable · The attending physician, the organisation in charge",
            member(Capacity::HealthProfessional, Owner::Others, Keeping::Keeper),
        ),
        (
            "L'exploitant · The operator",
            Standing { nature: Capacities::NONE, ..out_of_circle(Owner::Others, Office::Operator) },
        ),
    ] {
        writeln!(page, "\n### {title}\n").unwrap();
        deeds(&mut page, |_| standing);
    }
    page.push_str(EMERGENCY);
    page
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const EMERGENCY: &str = "
## En urgence · In an emergency

Un professionnel de santé qui n'est pas dans le cercle ouvre le cahier pour quatre heures en disant pourquoi \
(`POST Patient/$emergency-access`) ; nul autre ne le peut. Il en reste un cercle d'un seul membre, avec la raison, que la personne et \
son cercle lisent, et que ferme qui tient le cercle. · *A health professional who is not in the circle opens the notebook for four hours \
by saying why; nobody else can. What is left is a circle of one member, with the reason, which the person and their circle read, and \
which whoever keeps the circle closes.*
";

const INTRODUCTION: &str = "\
<!-- Written by `LIAISON_WRITE_MATRIX=1 cargo test -p liaison-care access::tests`; do not edit. -->
# Qui voit quoi · Who sees what

Ces tableaux sont tirés des règles mêmes que le serveur applique quand il demande qui appelle (`auth = oidc`).
*These tables are drawn from the very rules that the server applies when it asks who calls (`auth = oidc`).*

| | |
|---|---|
| oui | permis · allowed |
| · | pour cette personne, la chose n'existe pas · for them it does not exist |
| non ¹ | seul l'auteur · only the author |
| non ² | au nom d'un autre · in somebody else's name |
| non ³ | seul qui tient le cercle · only who keeps the circle |
| non ⁴ | pas ce rôle · not this kind of caller |
| non ⁵ | seul l'exploitant ou l'intéressé · only the operator, or whom it is about |
";

#[test]
fn the_page_that_a_physician_reads_says_what_the_rules_decide() {
    let page = page();
    if std::env::var_os("LIAISON_WRITE_MATRIX").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap();
    assert!(kept == page, "docs/users/who-sees-what.md is not what the rules say: see the head of this file");
}
