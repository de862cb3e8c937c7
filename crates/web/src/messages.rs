//! Every sentence of the pages, once per language.
//!
//! A page takes its sentences from [`Messages`]; a new sentence is a new field, so that a language
//! that lacks it does not compile.

pub mod people;

use crate::language::Language;

/// The sentences of the pages.
pub struct Messages {
    /// The heading of the home page, and its title.
    pub title: &'static str,
    /// What this program is, in one sentence.
    pub purpose: &'static str,
    /// The link that skips to the content.
    pub skip: &'static str,
    /// The heading over the FHIR bases.
    pub bases: &'static str,
    /// What both bases have in common.
    pub bases_explained: &'static str,
    /// The caption of the table of bases.
    pub bases_caption: &'static str,
    /// Column: the release.
    pub release: &'static str,
    /// Column: the address of the base.
    pub address: &'static str,
    /// Column: what it can do.
    pub capabilities: &'static str,
    /// The link to a base's capabilities; the release follows.
    pub read_capabilities: &'static str,
    /// The heading over the first requests.
    pub first_requests: &'static str,
    /// Before the command that reads notes.
    pub read_notes: &'static str,
    /// Before the command that writes a note.
    pub write_note: &'static str,
    /// Where the rest of the documentation is.
    pub documentation: &'static str,
    /// Before the version.
    pub version: &'static str,
    /// The heading over the addresses that watch over the server.
    pub operation: &'static str,
    /// What `/healthz` says.
    pub alive: &'static str,
    /// What `/readyz` says.
    pub ready: &'static str,
    /// The heading where there is no page.
    pub nothing_here: &'static str,
    /// What one can do about it.
    pub nothing_here_explained: &'static str,
    /// The link to the home page.
    pub home: &'static str,
    /// What is said to people who sign in.
    pub people: people::Sentences,
}

/// The sentences in a language.
pub const fn messages(language: Language) -> &'static Messages {
    match language {
        Language::French => &FRENCH,
        Language::English => &ENGLISH,
    }
}

static FRENCH: Messages = Messages {
    title: "Liaison, le cahier de liaison partagé",
    purpose: "Ce serveur tient des cahiers de liaison : les notes que les professionnels, les proches et la personne \
              accompagnée s’écrivent autour d’elle.",
    skip: "Aller au contenu",
    bases: "Les deux entrées de l’API",
    bases_explained: "Les mêmes notes se lisent et s’écrivent par l’une et par l’autre.",
    bases_caption: "Adresses de l’API FHIR",
    release: "Version de FHIR",
    address: "Adresse de base",
    capabilities: "Ce qu’elle sait faire",
    read_capabilities: "Déclaration de conformité",
    first_requests: "Premières requêtes",
    read_notes: "Lire les dernières notes, avec leurs auteurs et les personnes concernées :",
    write_note: "Écrire une note :",
    documentation: "La documentation accompagne le programme, dans son dossier docs : pour les intégrateurs, les \
                    exploitants et les personnes qui écrivent des notes.",
    version: "Version",
    operation: "Surveillance",
    alive: "le programme répond",
    ready: "le serveur peut servir : la base de données est joignable et à jour",
    nothing_here: "Il n’y a pas de page à cette adresse",
    nothing_here_explained: "Vérifiez l’adresse, ou repartez de la page d’accueil.",
    home: "Page d’accueil",
    people: people::FRENCH,
};

static ENGLISH: Messages = Messages {
    title: "Liaison, the shared notebook",
    purpose: "This server keeps shared notebooks: the notes that professionals, relatives and the person cared for \
              write to one another.",
    skip: "Skip to content",
    bases: "The two doors of the API",
    bases_explained: "The same notes are read and written through either.",
    bases_caption: "Addresses of the FHIR API",
    release: "FHIR release",
    address: "Base address",
    capabilities: "What it can do",
    read_capabilities: "Capability statement",
    first_requests: "First requests",
    read_notes: "Read the latest notes, with their authors and the persons concerned:",
    write_note: "Write a note:",
    documentation: "The documentation comes with the program, in its docs folder: for integrators, for operators and \
                    for the people who write notes.",
    version: "Version",
    operation: "Watching over it",
    alive: "the program answers",
    ready: "the server can serve: the database is within reach and up to date",
    nothing_here: "There is no page at this address",
    nothing_here_explained: "Check the address, or start again from the home page.",
    home: "Home page",
    people: people::ENGLISH,
};
