//! The month of notes of the demonstration: who wrote what about whom, when.

use super::circle::Member::{
    self, Ahmed, AideRole, Daughter, Dispenser, DoctorRole, Jeanne, Lucien, NurseRole, Service, Simone, Theo, Yvonne,
};

/// A note, before it is put into a form of FHIR.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Its number, from 1: replies name it.
    pub number: u32,
    /// When it was written.
    pub when: When,
    /// Whom it is about.
    pub subject: Member,
    /// Who wrote it.
    pub author: Member,
    /// Its type.
    pub kind: Kind,
    /// Its title.
    pub title: &'static str,
    /// Its text.
    pub text: &'static str,
    /// What else there is to it.
    pub more: &'static [More],
}

/// When a note was written, seen from the day the demonstration begins.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// So many days before, at an hour and a minute.
    DaysBefore(i8, i8, i8),
    /// So many minutes before.
    MinutesBefore(i16),
}

/// The types of notes: the codes of TRE_R234.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Asks for advice.
    Advice,
    /// Says something in general.
    General,
    /// Tells what to do.
    Instruction,
    /// Tells what was done.
    Intervention,
    /// Tells what was seen.
    Observation,
}

/// What a note may have beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// It must be read at once.
    Urgent,
    /// It answers another note.
    Answers(u32),
    /// Some may not see it.
    Hidden(Audience),
    /// A light picture, which stays in the note.
    Photo,
    /// A heavy picture, which is stored apart.
    LargePhoto,
    /// A clinical document (CDA).
    Document,
    /// It was a mistake, and was marked as one.
    Mistaken,
}

/// Who may not see a note: the codes of JDV_J110.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The person taken care of.
    InvisiblePatient,
    /// Health professionals.
    MasquePs,
    /// Social professionals.
    MasquePsocial,
    /// Relatives and other third persons.
    MasquePt,
}

use Kind::{Advice, General, Instruction, Intervention, Observation};
use More::{Answers, Document, Hidden, LargePhoto, Mistaken, Photo, Urgent};
use When::{DaysBefore, MinutesBefore};

#[expect(clippy::too_many_arguments, reason = "a table of notes reads best as one row of columns each")]
const fn note(
    number: u32,
    when: When,
    subject: Member,
    author: Member,
    kind: Kind,
    title: &'static str,
    text: &'static str,
    more: &'static [More],
) -> Note {
    Note { number, when, subject, author, kind, title, text, more }
}

/// All of them, oldest first within each notebook; a note stands after the one it answers.
pub const ALL: [Note; 40] = [
    note(
        1,
        DaysBefore(30, 9, 10),
        Jeanne,
        NurseRole,
        General,
        "Retour à domicile",
        "Mme Morel est rentrée chez elle ce matin après son séjour en rééducation. Passage infirmier deux fois par jour, aide au lever et au coucher. Le cahier de liaison est ouvert à toute l’équipe et à sa fille.",
        &[],
    ),
    note(
        2,
        DaysBefore(30, 18, 40),
        Jeanne,
        Daughter,
        General,
        "Merci à tous",
        "Maman est heureuse d’être à la maison. Je passe le mercredi et le dimanche. Les clés sont dans la boîte à code, le code est inchangé.",
        &[Answers(1)],
    ),
    note(
        3,
        DaysBefore(29, 8, 15),
        Jeanne,
        AideRole,
        Intervention,
        "Aide au lever",
        "Lever à 8 h sans douleur. Toilette au lavabo, petit déjeuner complet. Madame marche avec le déambulateur jusqu’à la cuisine.",
        &[],
    ),
    note(
        4,
        DaysBefore(28, 11, 0),
        Jeanne,
        DoctorRole,
        Instruction,
        "Traitement après la sortie",
        "Paracétamol 1 g trois fois par jour pendant dix jours, puis à la demande. Arrêt de l’anticoagulant le 15. Surveillance de la tension une fois par jour pendant deux semaines.",
        &[],
    ),
    note(
        5,
        DaysBefore(27, 8, 30),
        Jeanne,
        NurseRole,
        Observation,
        "Tension et pansement",
        "TA 138/76, pouls 72. Cicatrice propre et sèche, pansement simple refait. Pas de fièvre.",
        &[Photo],
    ),
    note(
        6,
        DaysBefore(26, 19, 5),
        Jeanne,
        Daughter,
        Advice,
        "Sommeil",
        "Maman dit qu’elle dort mal depuis son retour et se lève la nuit. Faut-il revoir l’heure du coucher ou le traitement ?",
        &[],
    ),
    note(
        7,
        DaysBefore(25, 9, 20),
        Jeanne,
        DoctorRole,
        General,
        "Réponse sur le sommeil",
        "Pas de somnifère, le risque de chute est trop grand. Coucher plus tard, pas de sieste après 15 h, veilleuse dans le couloir. Nous en reparlerons dans quinze jours.",
        &[Answers(6)],
    ),
    note(
        8,
        DaysBefore(25, 20, 10),
        Jeanne,
        AideRole,
        Intervention,
        "Veilleuse installée",
        "Veilleuse branchée dans le couloir. Coucher à 21 h 30 avec un livre. Madame trouve que c’est une bonne idée.",
        &[Answers(7)],
    ),
    note(
        9,
        DaysBefore(23, 8, 20),
        Jeanne,
        NurseRole,
        Observation,
        "Poids",
        "Poids 56,8 kg, un kilo de moins qu’à la sortie. À suivre. Encourager les collations.",
        &[],
    ),
    note(
        10,
        DaysBefore(22, 12, 45),
        Jeanne,
        AideRole,
        Observation,
        "Repas de midi",
        "A mangé la moitié du plat et tout le dessert. Photo de l’assiette pour l’équipe.",
        &[LargePhoto],
    ),
    note(
        11,
        DaysBefore(21, 10, 30),
        Jeanne,
        Jeanne,
        General,
        "Un mot de ma part",
        "Je préfère les soupes le soir et du poisson le vendredi. La tisane de Nadia me fait du bien. J’aimerais recommencer à sortir au marché.",
        &[],
    ),
    note(
        12,
        DaysBefore(20, 17, 50),
        Jeanne,
        Dispenser,
        Observation,
        "Case du soir non ouverte",
        "La case du soir n’a pas été ouverte avant 17 h 30.",
        &[],
    ),
    note(
        13,
        DaysBefore(20, 18, 30),
        Jeanne,
        NurseRole,
        Intervention,
        "Vérification du pilulier",
        "Passage à 18 h 15 : les comprimés ont été pris depuis la plaquette, pas de double prise. Explication refaite avec Madame, pilulier replacé sur la table.",
        &[Answers(12)],
    ),
    note(
        14,
        DaysBefore(18, 9, 0),
        Jeanne,
        DoctorRole,
        Instruction,
        "Kinésithérapie",
        "Dix séances à domicile pour la marche et l’équilibre, à commencer dès que possible. Ordonnance déposée dans la pochette.",
        &[],
    ),
    note(
        15,
        DaysBefore(17, 16, 20),
        Jeanne,
        Daughter,
        General,
        "Épuisement",
        "Je préfère que ceci reste entre nous : je fatigue, et j’aimerais savoir quelles aides existent pour les proches. Maman ne doit pas s’inquiéter.",
        &[Hidden(Audience::InvisiblePatient)],
    ),
    note(
        16,
        DaysBefore(16, 9, 30),
        Jeanne,
        Service,
        General,
        "Aide aux aidants",
        "Une rencontre avec notre assistante sociale est possible mardi à 14 h, au service ou par téléphone. Un relais à domicile d’une demi-journée par semaine peut être mis en place.",
        &[Answers(15), Hidden(Audience::InvisiblePatient)],
    ),
    note(
        17,
        DaysBefore(15, 8, 25),
        Jeanne,
        NurseRole,
        Observation,
        "Rougeur au talon",
        "Rougeur de 2 cm au talon gauche, qui ne s’efface pas à la pression. Talon mis en décharge, crème appliquée. Photo jointe.",
        &[Photo],
    ),
    note(
        18,
        DaysBefore(15, 8, 50),
        Jeanne,
        NurseRole,
        Advice,
        "Avis sur le talon",
        "Docteur, pouvez-vous regarder la photo et dire s’il faut un matelas adapté ?",
        &[Answers(17), Urgent],
    ),
    note(
        19,
        DaysBefore(15, 12, 30),
        Jeanne,
        DoctorRole,
        Instruction,
        "Prévention de l’escarre",
        "Matelas à air prescrit, livraison demain. Talon en décharge permanente, changement de position toutes les trois heures dans la journée, réévaluation dans 48 heures.",
        &[Answers(18)],
    ),
    note(
        20,
        DaysBefore(14, 15, 0),
        Jeanne,
        AideRole,
        Intervention,
        "Matelas livré",
        "Matelas à air installé et réglé avec le prestataire. Madame est bien installée.",
        &[Answers(19)],
    ),
    note(
        21,
        DaysBefore(13, 8, 20),
        Jeanne,
        NurseRole,
        Observation,
        "Talon : mieux",
        "La rougeur a diminué de moitié et s’efface à la pression. On continue.",
        &[Answers(19)],
    ),
    note(
        22,
        DaysBefore(12, 18, 0),
        Jeanne,
        AideRole,
        Observation,
        "Note saisie par erreur",
        "Cette note concernait une autre personne.",
        &[Mistaken],
    ),
    note(
        23,
        DaysBefore(10, 11, 15),
        Jeanne,
        DoctorRole,
        General,
        "Synthèse de consultation",
        "Bonne évolution à trois semaines de la sortie. Le compte rendu est joint.",
        &[Document],
    ),
    note(
        24,
        DaysBefore(9, 10, 40),
        Jeanne,
        NurseRole,
        General,
        "Point sur les finances",
        "Question de facturation réglée avec la famille ; cette note ne regarde pas les intervenants sociaux.",
        &[Hidden(Audience::MasquePsocial)],
    ),
    note(
        25,
        DaysBefore(7, 16, 10),
        Jeanne,
        AideRole,
        Intervention,
        "Première sortie",
        "Sortie de vingt minutes jusqu’au port, bras dessus bras dessous. Madame était ravie, fatiguée au retour, pas d’essoufflement.",
        &[],
    ),
    note(
        26,
        DaysBefore(5, 9, 0),
        Jeanne,
        NurseRole,
        Observation,
        "Tension et poids",
        "TA 132/74, pouls 70. Poids 57,4 kg : elle reprend. Talon guéri.",
        &[],
    ),
    note(
        27,
        DaysBefore(3, 20, 30),
        Jeanne,
        Daughter,
        General,
        "Dimanche en famille",
        "Nous viendrons à quatre dimanche midi. Merci de ne pas préparer le repas ce jour-là.",
        &[],
    ),
    note(
        28,
        DaysBefore(1, 8, 40),
        Jeanne,
        AideRole,
        Observation,
        "Toux ce matin",
        "Madame tousse depuis cette nuit, voix enrouée, dit ne pas avoir de fièvre. A bien déjeuné.",
        &[],
    ),
    note(
        29,
        MinutesBefore(95),
        Jeanne,
        NurseRole,
        Observation,
        "Fièvre",
        "38,7 °C, fréquence respiratoire 24, saturation 93 %. Toux grasse. Consciente, bien orientée.",
        &[Urgent],
    ),
    note(
        30,
        MinutesBefore(60),
        Jeanne,
        DoctorRole,
        Instruction,
        "Visite bientôt",
        "Je passe dans l’heure. D’ici là : hydratation, paracétamol 1 g, saturation toutes les deux heures. Appeler le 15 en dessous de 90 %.",
        &[Answers(29), Urgent],
    ),
    note(
        31,
        DaysBefore(24, 10, 0),
        Lucien,
        NurseRole,
        General,
        "Ouverture du cahier",
        "M. Arnaud vit avec son épouse. Trouble de la mémoire connu depuis deux ans. Passage infirmier pour la préparation du pilulier, le lundi.",
        &[],
    ),
    note(
        32,
        DaysBefore(19, 14, 30),
        Lucien,
        AideRole,
        Observation,
        "Après-midi agitée",
        "M. Arnaud cherchait à sortir pour « aller au travail ». Apaisé par une promenade dans le jardin et de la musique.",
        &[],
    ),
    note(
        33,
        DaysBefore(18, 8, 10),
        Lucien,
        DoctorRole,
        Instruction,
        "Conduite à tenir",
        "Ne pas contredire, proposer une activité, noter l’heure et ce qui a précédé. Me prévenir si cela se répète plus de trois fois dans la semaine.",
        &[Answers(32)],
    ),
    note(
        34,
        DaysBefore(11, 17, 45),
        Lucien,
        AideRole,
        Intervention,
        "Promenade",
        "Marche d’une demi-heure. A reconnu la boulangerie et salué la boulangère par son nom.",
        &[],
    ),
    note(
        35,
        DaysBefore(4, 9, 35),
        Lucien,
        NurseRole,
        Advice,
        "Perte d’appétit",
        "Trois repas sautés cette semaine d’après son épouse. Souhaitez-vous un bilan ?",
        &[],
    ),
    note(
        36,
        DaysBefore(4, 13, 5),
        Lucien,
        DoctorRole,
        General,
        "Bilan demandé",
        "Prise de sang à faire jeudi à jeun, ordonnance envoyée au laboratoire. Enrichir les repas en attendant.",
        &[Answers(35), Hidden(Audience::MasquePt)],
    ),
    note(
        37,
        DaysBefore(8, 11, 20),
        Yvonne,
        NurseRole,
        Intervention,
        "Vaccination",
        "Vaccin contre la grippe fait ce jour au bras gauche, bien toléré après quinze minutes de surveillance.",
        &[],
    ),
    note(
        38,
        DaysBefore(6, 10, 5),
        Ahmed,
        NurseRole,
        Observation,
        "Glycémies",
        "Glycémies à jeun entre 1,10 et 1,35 g/l sur la semaine. Carnet à jour. M. Benali demande un rendez-vous de podologie.",
        &[],
    ),
    note(
        39,
        DaysBefore(2, 15, 15),
        Simone,
        AideRole,
        General,
        "Changement d’horaire",
        "À partir de lundi, passage à 9 h 30 au lieu de 9 h. Mme Vidal est d’accord.",
        &[],
    ),
    note(
        40,
        DaysBefore(2, 18, 25),
        Theo,
        Theo,
        General,
        "Mon week-end",
        "Je pars samedi avec le club de handisport. Merci de préparer le traitement pour deux jours.",
        &[Hidden(Audience::MasquePs)],
    ),
];

impl Kind {
    /// The code and the name of the nomenclature.
    pub const fn coding(self) -> (&'static str, &'static str) {
        match self {
            Advice => ("DEM-AVIS", "Demande d'avis"),
            General => ("GEN", "Note générale"),
            Instruction => ("INST", "Instruction"),
            Intervention => ("INTERV", "Note d'intervention"),
            Observation => ("OBS", "Note d'observation"),
        }
    }
}

impl Audience {
    /// The code and the name of the nomenclature.
    pub const fn coding(self) -> (&'static str, &'static str) {
        match self {
            Self::InvisiblePatient => ("INVISIBLE_PATIENT", "Non visible par le patient"),
            Self::MasquePs => ("MASQUE_PS", "Masqué aux professionnels de santé"),
            Self::MasquePsocial => ("MASQUE_PSOCIAL", "Masqué aux professionnels du domaine social"),
            Self::MasquePt => ("MASQUE_PT", "Masqué aux personnes tierces"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, More};

    #[test]
    fn a_note_answers_one_before_it_about_the_same_person() {
        for (at, note) in ALL.iter().enumerate() {
            assert_eq!(note.number as usize, at + 1);
            for more in note.more {
                if let More::Answers(number) = more {
                    let answered = &ALL[..at].iter().find(|other| other.number == *number).expect("it is before");
                    assert_eq!(answered.subject, note.subject, "note {}", note.number);
                }
            }
        }
    }

    #[test]
    fn every_type_of_note_and_every_trait_is_shown() {
        let kinds: BTreeSet<_> = ALL.iter().map(|note| note.kind).collect();
        assert_eq!(kinds.len(), 5);
        let has = |wanted: fn(&More) -> bool| ALL.iter().any(|note| note.more.iter().any(wanted));
        assert!(has(|more| *more == More::Urgent) && has(|more| *more == More::LargePhoto));
        assert!(has(|more| *more == More::Document) && has(|more| *more == More::Mistaken));
        assert!(has(|more| matches!(more, More::Hidden(_))) && has(|more| matches!(more, More::Answers(_))));
    }
}
