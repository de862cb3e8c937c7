//! The reader: one pass over the bytes, no look-back, bounded recursion.
//!
//! The place of a mistake is put together only when there is one, while the calls return.

mod number;
mod text;

use std::collections::HashSet;

use compact_str::CompactString;

use super::Limits;
use crate::{
    outcome::{Issue, IssueKind, Severity, Text},
    text,
    tree::{Object, Value},
};

pub(super) use text::plain_length;

pub(super) fn object(bytes: &[u8], limits: &Limits) -> Result<Object, Issue> {
    match value(bytes, limits)? {
        Value::Object(object) => Ok(object),
        other => {
            let (found_en, found_fr) = kind_of(&other);
            Err(fatal(
                IssueKind::Structure,
                String::new(),
                text!(
                    en: "A FHIR resource in JSON is an object; this document is {found_en}.",
                    fr: "Une ressource FHIR en JSON est un objet ; ce document est {found_fr}.",
                ),
            ))
        }
    }
}

pub(super) fn value(bytes: &[u8], limits: &Limits) -> Result<Value, Issue> {
    if bytes.len() > limits.bytes {
        let (size, limit) = (bytes.len(), limits.bytes);
        return Err(fatal(
            IssueKind::TooLong,
            String::new(),
            text!(
                en: "The document has {size} bytes; the limit is {limit}.",
                fr: "Le document fait {size} octets ; la limite est de {limit}.",
            ),
        ));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = simdutf8::compat::from_utf8(bytes).map_err(|error| {
        let (at_en, at_fr) = position(bytes, error.valid_up_to());
        fatal(
            IssueKind::Structure,
            String::new(),
            text!(
                en: "The document is not valid UTF-8 ({at_en}).",
                fr: "Le document n'est pas de l'UTF-8 valide ({at_fr}).",
            ),
        )
    })?;
    let mut reader = Reader { text, at: 0, depth_left: limits.depth.min(Limits::DEEPEST), nodes_left: limits.nodes };
    reader.document().map_err(|mistake| mistake.into_issue(bytes))
}

fn fatal(kind: IssueKind, place: String, text: Text) -> Issue {
    Issue { severity: Severity::Fatal, kind, text, place }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
    nodes_left: usize,
}

/// What is wrong, and the way to it from the inside out.
struct Mistake {
    kind: IssueKind,
    text: Text,
    offset: usize,
    way: Vec<Step>,
    resource_type: Option<CompactString>,
}

enum Step {
    Member(CompactString),
    Item(usize),
}

type Read<T> = Result<T, Box<Mistake>>;

/// Beyond this many members, names are looked for in a set rather than one by one.
const FEW_MEMBERS: usize = 24;

impl Reader<'_> {
    fn document(&mut self) -> Read<Value> {
        self.skip_blanks();
        let value = self.value()?;
        self.skip_blanks();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.mistake(text!(
                en: "There is something after the end of the document.",
                fr: "Il y a quelque chose après la fin du document.",
            ))),
        }
    }

    fn value(&mut self) -> Read<Value> {
        let Some(left) = self.nodes_left.checked_sub(1) else {
            return Err(self.too_much(text!(
                en: "The document holds too many values.",
                fr: "Le document contient trop de valeurs.",
            )));
        };
        self.nodes_left = left;
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Value::String(self.string()?))
            }
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number()?)),
            _ => Err(self.unexpected(text!(en: "a value", fr: "une valeur"))),
        }
    }

    fn nested(&mut self, inside: fn(&mut Self) -> Read<Value>) -> Read<Value> {
        let Some(left) = self.depth_left.checked_sub(1) else {
            return Err(self.too_much(text!(
                en: "Objects and arrays are nested too deep.",
                fr: "Les objets et tableaux sont imbriqués trop profondément.",
            )));
        };
        self.depth_left = left;
        self.at += 1;
        self.skip_blanks();
        let value = inside(self)?;
        self.depth_left = left + 1;
        Ok(value)
    }

    fn object(&mut self) -> Read<Value> {
        let mut object = Object::new();
        match self.members(&mut object) {
            Ok(()) => Ok(Value::Object(object)),
            Err(mut mistake) => {
                // The outermost object speaks last, so its type begins the place.
                mistake.resource_type = object.resource_type().map(CompactString::from);
                Err(mistake)
            }
        }
    }

    fn members(&mut self, object: &mut Object) -> Read<()> {
        if self.take(b'}') {
            return Ok(());
        }
        let mut seen = HashSet::new();
        loop {
            let start = self.at;
            if !self.take(b'"') {
                return Err(self.unexpected(text!(en: "the name of a member", fr: "le nom d'un membre")));
            }
            let name = self.string()?;
            if is_repeated(object, &mut seen, &name) {
                self.at = start;
                let mistake = self.mistake(text!(
                    en: "The member \"{name}\" occurs twice in the same object.",
                    fr: "Le membre « {name} » figure deux fois dans le même objet.",
                ));
                return Err(mistake.inside(Step::Member(name)));
            }
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.unexpected(text!(en: "\":\"", fr: "« : »")).inside(Step::Member(name)));
            }
            self.skip_blanks();
            match self.value() {
                Ok(value) => object.push(name, value),
                Err(mistake) => return Err(mistake.inside(Step::Member(name))),
            }
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.unexpected(text!(en: "\",\" or \"}}\"", fr: "« , » ou « }} »")));
            }
            self.skip_blanks();
        }
    }

    fn array(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            match self.value() {
                Ok(value) => items.push(value),
                Err(mistake) => return Err(mistake.inside(Step::Item(items.len()))),
            }
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.unexpected(text!(en: "\",\" or \"]\"", fr: "« , » ou « ] »")));
            }
            self.skip_blanks();
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Read<Value> {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.unexpected(text!(en: "a value", fr: "une valeur")))
        }
    }

    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn unexpected(&self, wanted: Text) -> Box<Mistake> {
        let found = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let (en, fr) = (wanted.en, wanted.fr);
        match found {
            None => self.mistake(text!(
                en: "The document ends where {en} was expected.",
                fr: "Le document s'arrête là où {fr} était attendu.",
            )),
            Some(found) => {
                let found = found.escape_debug();
                self.mistake(text!(
                    en: "Expected {en}, found \"{found}\".",
                    fr: "Attendu : {fr} ; trouvé : « {found} ».",
                ))
            }
        }
    }

    fn too_much(&self, text: Text) -> Box<Mistake> {
        let mut mistake = self.mistake(text);
        mistake.kind = IssueKind::TooCostly;
        mistake
    }

    fn mistake(&self, text: Text) -> Box<Mistake> {
        Box::new(Mistake { kind: IssueKind::Structure, text, offset: self.at, way: Vec::new(), resource_type: None })
    }
}

/// Whether the object has a member of that name already. Linear while members are few, so that
/// ordinary objects need no set; beyond, a set keeps a huge object from costing a square.
fn is_repeated(object: &Object, seen: &mut HashSet<CompactString>, name: &CompactString) -> bool {
    if object.len() < FEW_MEMBERS {
        return object.contains(name);
    }
    if seen.is_empty() {
        seen.extend(object.iter().map(|(name, _)| CompactString::from(name)));
    }
    !seen.insert(name.clone())
}

impl Mistake {
    fn inside(mut self: Box<Self>, step: Step) -> Box<Self> {
        self.way.push(step);
        self
    }

    fn into_issue(self, bytes: &[u8]) -> Issue {
        let (at_en, at_fr) = position(bytes, self.offset);
        let Text { en, fr } = self.text;
        let (en, fr) = (en.trim_end_matches('.'), fr.trim_end_matches('.'));
        let text = text!(en: "{en} ({at_en}).", fr: "{fr} ({at_fr}).");
        let mut place = self.resource_type.map(String::from).unwrap_or_default();
        for step in self.way.iter().rev() {
            match step {
                Step::Member(name) => {
                    if !place.is_empty() {
                        place.push('.');
                    }
                    // `_birthDate` holds the id and extensions of `birthDate`: one place.
                    place.push_str(name.strip_prefix('_').unwrap_or(name));
                }
                Step::Item(index) => place.push_str(&format!("[{index}]")),
            }
        }
        fatal(self.kind, place, text)
    }
}

/// The line and column of a byte, counted from 1, in English and in French.
fn position(bytes: &[u8], offset: usize) -> (String, String) {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    // Bytes that do not continue a character: as many as there are characters.
    let column = before.get(start..).unwrap_or_default().iter().filter(|b| (**b & 0xC0) != 0x80).count() + 1;
    (format!("line {line}, column {column}"), format!("ligne {line}, colonne {column}"))
}

fn kind_of(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", "null"),
        Value::Bool(_) => ("a boolean", "un booléen"),
        Value::Number(_) => ("a number", "un nombre"),
        Value::String(_) => ("a string", "une chaîne"),
        Value::Array(_) => ("an array", "un tableau"),
        Value::Object(_) => ("an object", "un objet"),
    }
}
