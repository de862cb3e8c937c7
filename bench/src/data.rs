//! Fictional people and their notes, the same in every run.
//!
//! Proportions: 2 KB of French text a note, a photo on one note in 100, 50 notes a person on
//! average, one person in 1,000 with a tenth of all the notes between them (5,000 each at a
//! million), 400 notes an author. Numbers of persons are well formed but of a birthplace that does
//! not exist (department 99, country 000 to 098), so that they are nobody's.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::random::Random;

/// Average notes of a person.
const NOTES_A_PERSON: usize = 50;
/// Notes of an author, exactly.
pub const NOTES_AN_AUTHOR: usize = 400;
/// One person in so many has many notes.
const PERSONS_A_HEAVY_ONE: usize = 1_000;
/// One note in so many is about a person with many notes.
const NOTES_A_HEAVY_ONE: usize = 10;
/// One note in so many has a photo.
const NOTES_A_PHOTO: usize = 100;
const PHOTO_BYTES: usize = 48 << 10;
const TEXT_BYTES: usize = 2_048;
/// The first moment of a note: 2024-01-01T00:00:00Z.
const FIRST_MOMENT: i64 = 1_704_067_200;
/// The notes are spread evenly over two years.
const SPAN: i64 = 2 * 365 * 86_400;

/// System of the persons' identifiers (INS-NIR).
pub const PERSON_SYSTEM: &str = "urn:oid:1.2.250.1.213.1.4.8";
/// System of the professionals' identifiers (RPPS).
pub const AUTHOR_SYSTEM: &str = "https://rpps.esante.gouv.fr";

/// How many of what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Notes in all.
    pub notes: usize,
    /// Persons, of whom the first [`Shape::heavy`] have many notes.
    pub persons: usize,
    /// Persons with many notes.
    pub heavy: usize,
    /// Authors.
    pub authors: usize,
}

impl Shape {
    /// The shape of a store with so many notes.
    pub fn of(notes: usize) -> Shape {
        let persons = (notes / NOTES_A_PERSON).max(2);
        let heavy = (persons / PERSONS_A_HEAVY_ONE).max(1);
        Shape { notes, persons, heavy, authors: (notes / NOTES_AN_AUTHOR).max(1) }
    }

    /// Whom a note is about.
    pub fn person_of(&self, note: usize) -> usize {
        if note.is_multiple_of(NOTES_A_HEAVY_ONE) {
            return note / NOTES_A_HEAVY_ONE % self.heavy;
        }
        let rank = note - note / NOTES_A_HEAVY_ONE - 1;
        self.heavy + rank % (self.persons - self.heavy)
    }

    /// Who wrote a note.
    pub fn author_of(&self, note: usize) -> usize {
        note % self.authors
    }

    /// When a note was written, in seconds since 1970.
    pub fn moment_of(&self, note: usize) -> i64 {
        FIRST_MOMENT + SPAN * note as i64 / self.notes.max(1) as i64
    }
}

/// A person's number: INS-NIR with its key. Different for the first 237 million.
pub fn person_number(index: u64) -> String {
    let (sex, index) = (1 + index % 2, index / 2);
    let (year, month) = (index % 100, 1 + index / 100 % 12);
    let (order, country) = (1 + index / 1_200 % 999, index / 1_198_800 % 99);
    let number = format!("{sex}{year:02}{month:02}99{country:03}{order:03}");
    let key = 97 - number.parse::<u64>().unwrap_or_default() % 97;
    format!("{number}{key:02}")
}

/// A professional's number: RPPS with its Luhn key. Different for the first 100 million.
pub fn author_number(index: u64) -> String {
    let number = format!("99{:08}", index % 100_000_000);
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            let doubled = if place % 2 == 0 { digit * 2 } else { digit };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    format!("{number}{}", (10 - sum % 10) % 10)
}

/// An instant as FHIR writes it.
pub fn instant(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// A `Patient` with this number.
pub fn person(index: u64, number: &str) -> String {
    let mut random = Random::new(index ^ 0xA11CE);
    let (family, given) = name(&mut random);
    let (gender, year) = if index.is_multiple_of(2) { ("male", index / 2 % 100) } else { ("female", index / 2 % 100) };
    let month = 1 + index / 200 % 12;
    let day = 1 + random.below(28);
    let street = 1 + random.below(120);
    let phone = random.below(100_000_000);
    format!(
        r#"{{"resourceType":"Patient","active":true,"identifier":[{{"use":"official","type":{{"coding":[{{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203","code":"INS-NIR"}}]}},"system":"{PERSON_SYSTEM}","value":"{number}"}}],"name":[{{"use":"official","family":"{family}","given":["{given}"]}}],"telecom":[{{"system":"phone","value":"+336{phone:08}","use":"mobile","rank":1}}],"gender":"{gender}","birthDate":"19{year:02}-{month:02}-{day:02}","address":[{{"use":"home","type":"both","line":["{street} rue des Tilleuls"],"city":"Valmorel-sur-Orge","postalCode":"99120"}}]}}"#
    )
}

/// A `Practitioner` with this number.
pub fn author(index: u64, number: &str) -> String {
    let (family, given) = name(&mut Random::new(index ^ 0xB0B));
    format!(
        r#"{{"resourceType":"Practitioner","active":true,"identifier":[{{"use":"official","type":{{"coding":[{{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203","code":"RPPS"}}]}},"system":"{AUTHOR_SYSTEM}","value":"{number}"}}],"name":[{{"use":"usual","prefix":["MME"],"family":"{family}","given":["{given}"]}}],"telecom":[{{"system":"email","value":"{number}@soins.example.org","use":"work"}}]}}"#
    )
}

/// What a note is made of beside its text, which its index decides.
pub struct NoteParts<'a> {
    /// The value of its `masterIdentifier`.
    pub master: &'a str,
    /// Reference to the person.
    pub subject: &'a str,
    /// Reference to the author.
    pub author: &'a str,
    /// When it was written.
    pub date: &'a str,
    /// Whether it may have a photo.
    pub photo: Photo,
}

/// Whether a note may have a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Photo {
    /// One note in 100 has.
    Sometimes,
    /// None.
    Never,
}

/// A note: `DocumentReference` as the CdL profile wants it.
pub fn note(index: u64, parts: &NoteParts<'_>) -> String {
    let mut random = Random::new(index);
    let (code, display) = NOTE_TYPES.get(random.below(NOTE_TYPES.len())).copied().unwrap_or_default();
    let text = STANDARD.encode(text(&mut random));
    let title = random.pick(TITLES).copied().unwrap_or_default();
    let urgent = if random.below(20) == 0 {
        r#""extension":[{"url":"https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency","valueBoolean":true}],"#
    } else {
        ""
    };
    let NoteParts { master, subject, author, date, .. } = parts;
    let mut note = format!(
        r#"{{"resourceType":"DocumentReference","meta":{{"profile":["https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference"]}},{urgent}"masterIdentifier":{{"system":"https://logiciel.example.org/notes","value":"{master}"}},"status":"current","type":{{"coding":[{{"system":"https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote","code":"{code}","display":"{display}"}}]}},"subject":{{"reference":"{subject}"}},"date":"{date}","author":[{{"reference":"{author}"}}],"description":"{title}","content":[{{"attachment":{{"contentType":"text/plain; charset=utf-8","language":"fr","data":"{text}","title":"{title}","creation":"{date}"}}}}"#
    );
    if parts.photo == Photo::Sometimes && index.is_multiple_of(NOTES_A_PHOTO as u64) {
        let photo = STANDARD.encode(photo(&mut random));
        // Writing to a string cannot fail.
        let _ =
            write!(note, r#",{{"attachment":{{"contentType":"image/jpeg","data":"{photo}","title":"photo.jpg"}}}}"#);
    }
    note.push_str("]}");
    note
}

fn name(random: &mut Random) -> (&'static str, &'static str) {
    (random.pick(FAMILIES).copied().unwrap_or_default(), random.pick(GIVEN).copied().unwrap_or_default())
}

fn text(random: &mut Random) -> String {
    let mut text = String::with_capacity(TEXT_BYTES + 160);
    while text.len() < TEXT_BYTES {
        text.push_str(random.pick(SENTENCES).copied().unwrap_or_default());
        match random.below(6) {
            0 => {
                let _ = write!(
                    text,
                    " (relevé de {} h {:02} : {})",
                    7 + random.below(14),
                    random.below(60),
                    random.below(200)
                );
            }
            1 => text.push('\n'),
            _ => {}
        }
        text.push(' ');
    }
    let end = (0..=TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.truncate(end);
    text
}

/// Bytes that begin and end as a JPEG file does and do not compress.
fn photo(random: &mut Random) -> Vec<u8> {
    let mut photo = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".to_vec();
    while photo.len() < PHOTO_BYTES - 2 {
        // 0xFF would begin a marker.
        photo.extend(random.next().to_le_bytes().map(|byte| byte & 0x7F));
    }
    photo.truncate(PHOTO_BYTES - 2);
    photo.extend_from_slice(b"\xFF\xD9");
    photo
}

/// As often as they are listed.
const NOTE_TYPES: &[(&str, &str)] = &[
    ("OBS", "Note d'observation"),
    ("OBS", "Note d'observation"),
    ("OBS", "Note d'observation"),
    ("OBS", "Note d'observation"),
    ("GEN", "Note générale"),
    ("GEN", "Note générale"),
    ("GEN", "Note générale"),
    ("INST", "Instruction"),
    ("INTERV", "Note d'intervention"),
    ("DEM-AVIS", "Demande d'avis"),
];

const TITLES: &[&str] = &[
    "Passage du matin",
    "Passage du soir",
    "Repas et hydratation",
    "Nuit agitée",
    "Visite de la famille",
    "Pansement refait",
    "Chute sans gravité",
    "Séance de kinésithérapie",
    "Pilulier à compléter",
    "Rendez-vous à organiser",
];

const FAMILIES: &[&str] = &[
    "ARVELLE",
    "BOISSERAND",
    "CHANTRELOT",
    "DELAMBRAY",
    "ESCOFFRIN",
    "FONTANIEUX",
    "GUERMEUR",
    "HAUTEVRAC",
    "IZARDIN",
    "JOUVENCEAUX",
    "KERVILLIO",
    "LAMOTHIÈRE",
    "MONTREVEL",
    "NOIRETABLE",
    "ORGEBIN",
    "PÉRIGNAC",
    "QUENTINEL",
    "ROUVERAN",
    "SAINTONGEAIS",
    "TRÉMOLIN",
    "URVILLERS",
    "VALCROISSANT",
    "WATTRELOS",
    "YSSINGEAC",
];

const GIVEN: &[&str] = &[
    "Adèle",
    "Baptiste",
    "Céleste",
    "Damien",
    "Élise",
    "Fernand",
    "Gisèle",
    "Hector",
    "Irène",
    "Joachim",
    "Karine",
    "Léonie",
    "Marius",
    "Noémie",
    "Octave",
    "Pauline",
    "Quitterie",
    "Raphaël",
    "Solange",
    "Théodore",
    "Ursule",
    "Victoire",
    "Wilfried",
    "Zoé",
];

const SENTENCES: &[&str] = &[
    "Réveillée à mon arrivée, de bonne humeur, a demandé des nouvelles de sa fille.",
    "Toilette faite au lavabo avec une aide partielle, la peau est saine hormis une rougeur au talon gauche.",
    "Le petit déjeuner a été pris en entier : deux tartines, un yaourt et un grand bol de café au lait.",
    "Refuse de boire entre les repas ; j'ai laissé une carafe d'eau aromatisée à portée de main.",
    "Les médicaments de midi ont été donnés et avalés devant moi.",
    "Tension prise au bras droit, assise, après cinq minutes de repos.",
    "Se plaint d'une douleur à l'épaule en levant le bras, sans gêne au repos.",
    "Le pansement a été refait selon le protocole, plaie propre, pas d'écoulement.",
    "Marche dans le couloir avec le déambulateur, aller et retour, sans essoufflement.",
    "Son fils passera samedi après-midi et apportera les vêtements d'hiver.",
    "Merci de vérifier le stock de protections, il en reste pour trois jours.",
    "Le pédicure est venu, prochaine visite dans six semaines.",
    "A peu dormi, s'est levée plusieurs fois, dit entendre du bruit dans la rue.",
    "L'appétit revient depuis que les repas sont mixés ; penser à varier les goûts.",
    "J'ai appelé le cabinet pour avancer le rendez-vous, réponse attendue demain matin.",
    "Les volets du salon ferment mal, le gardien est prévenu.",
    "Glycémie un peu haute avant le déjeuner, surveiller ce soir et noter la valeur.",
    "A participé à l'atelier de mémoire et a chanté avec les autres.",
    "Confuse en fin de journée, ne reconnaissait plus la cuisine, apaisée en regardant les photos de famille.",
    "Le bas de contention a été mis avant le lever, à retirer au coucher.",
    "Courses faites avec elle, elle a choisi elle-même les fruits.",
    "Pas de selles depuis deux jours, j'ai proposé des pruneaux et de la marche.",
    "La famille demande si une aide de nuit serait possible pendant leurs vacances.",
    "Température normale, pas de toux, respire bien.",
];

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_author_has_400_notes_and_every_person_enough_for_a_page() {
        for notes in [2_000, 10_000, 100_000] {
            let shape = Shape::of(notes);
            let (mut persons, mut authors) = (HashMap::new(), HashMap::new());
            for note in 0..notes {
                *persons.entry(shape.person_of(note)).or_insert(0) += 1;
                *authors.entry(shape.author_of(note)).or_insert(0) += 1;
            }
            assert_eq!((persons.len(), authors.len()), (shape.persons, shape.authors));
            assert!(authors.values().all(|count| *count == NOTES_AN_AUTHOR), "{notes}");
            assert!(persons.values().all(|count| *count >= 40), "{notes}");
            assert_eq!(
                persons.iter().filter(|(person, _)| **person < shape.heavy).map(|(_, count)| count).sum::<usize>(),
                notes / 10
            );
        }
        assert_eq!(Shape::of(1_000_000).heavy, 20);
    }

    #[test]
    fn numbers_have_their_keys_and_differ() {
        let number = person_number(123_456_789);
        let (body, key) = number.split_at(13);
        assert_eq!(body.parse::<u64>().unwrap() % 97 + key.parse::<u64>().unwrap(), 97);
        let all: std::collections::HashSet<String> = (0..100_000).map(|index| person_number(index * 2_371)).collect();
        assert_eq!(all.len(), 100_000);
        assert!(luhn(&author_number(0)) && luhn(&author_number(98_765_432)));
    }

    fn luhn(number: &str) -> bool {
        let digits = number.bytes().rev().map(|digit| u32::from(digit - b'0'));
        let sum: u32 = digits.enumerate().map(|(i, d)| if i % 2 == 1 { d * 2 / 10 + d * 2 % 10 } else { d }).sum();
        number.len() == 11 && sum.is_multiple_of(10)
    }

    #[test]
    fn notes_are_json_with_two_kilobytes_of_text_and_a_photo_on_one_in_a_hundred() {
        let parts = NoteParts {
            master: "m",
            subject: "Patient/1",
            author: "Practitioner/1",
            date: "2024-01-01T00:00:00Z",
            photo: Photo::Sometimes,
        };
        let mut photos = 0;
        for index in 0..300 {
            let note: serde_json::Value = serde_json::from_str(&note(index, &parts)).unwrap();
            let content = note["content"].as_array().unwrap();
            let text = STANDARD.decode(content[0]["attachment"]["data"].as_str().unwrap()).unwrap();
            assert!((TEXT_BYTES - 3..=TEXT_BYTES).contains(&String::from_utf8(text).unwrap().len()));
            photos += content.len() - 1;
        }
        assert_eq!(photos, 3);
        for index in 0..50 {
            serde_json::from_str::<serde_json::Value>(&person(index, &person_number(index))).unwrap();
            serde_json::from_str::<serde_json::Value>(&author(index, &author_number(index))).unwrap();
        }
    }

    #[test]
    fn the_last_note_is_within_the_two_years() {
        let shape = Shape::of(10_000);
        assert_eq!(instant(shape.moment_of(0)), "2024-01-01T00:00:00Z");
        assert!(instant(shape.moment_of(9_999)).starts_with("2025-12-30T"));
    }
}
