//! What a FHIR release says: structures, bindings and names, as data.
//!
//! The tables under `data/` are generated (see `docs/definitions.md`); this module loads one once,
//! at first use, into an arena that a reader, a validator or a writer walks without hashing paths.
//! Only this module, the converter and the parsing of URLs and media types may name a release;
//! everyone else holds a `&'static Release`.

mod constraint;
mod names;

use std::sync::LazyLock;

pub use constraint::{Constraint, ConstraintSeverity};
use names::NameMap;

/// One FHIR release.
#[derive(Debug)]
pub struct Release {
    /// Which one it is.
    pub id: ReleaseId,
    structures: Vec<Structure>,
    types: NameMap<StructureId>,
    resource_names: Vec<&'static str>,
    code_lists: NameMap<CodeList>,
}

/// The releases this server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReleaseId {
    /// 3.0.2, the wire form of 2017.
    Stu3,
    /// 4.0.1, the wire form of today's volets.
    R4,
}

impl ReleaseId {
    /// The full version, as `CapabilityStatement.fhirVersion` has it.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Stu3 => "3.0.2",
            Self::R4 => "4.0.1",
        }
    }

    /// The short version, as the `fhirVersion` parameter of media types has it.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Stu3 => "3.0",
            Self::R4 => "4.0",
        }
    }

    /// Every release.
    pub const ALL: [Self; 2] = [Self::Stu3, Self::R4];

    /// The release of that name in our tables.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "stu3" => Some(Self::Stu3),
            "r4" => Some(Self::R4),
            _ => None,
        }
    }

    /// Its table of search parameters.
    pub(crate) const fn search_parameters(self) -> &'static str {
        match self {
            Self::Stu3 => include_str!("../data/stu3/search-parameters.tsv"),
            Self::R4 => include_str!("../data/r4/search-parameters.tsv"),
        }
    }

    /// The release itself.
    #[must_use]
    pub fn release(self) -> &'static Release {
        match self {
            Self::Stu3 => &STU3,
            Self::R4 => &R4,
        }
    }
}

static STU3: LazyLock<Release> = LazyLock::new(|| {
    Release::load(
        ReleaseId::Stu3,
        include_str!("../data/stu3/structures.tsv"),
        include_str!("../data/stu3/resource-types.txt"),
        include_str!("../data/stu3/valuesets.tsv"),
        include_str!("../data/stu3/constraints.tsv"),
    )
});

static R4: LazyLock<Release> = LazyLock::new(|| {
    Release::load(
        ReleaseId::R4,
        include_str!("../data/r4/structures.tsv"),
        include_str!("../data/r4/resource-types.txt"),
        include_str!("../data/r4/valuesets.tsv"),
        include_str!("../data/r4/constraints.tsv"),
    )
});

/// STU3, 3.0.2.
#[must_use]
pub fn stu3() -> &'static Release {
    &STU3
}

/// R4, 4.0.1.
#[must_use]
pub fn r4() -> &'static Release {
    &R4
}

/// The release of the view: the one that the index is made of, and that the rules, profiles and
/// nomenclatures of the CI-SIS are written in. Resources of another are converted to it first.
#[must_use]
pub fn view() -> &'static Release {
    &R4
}

/// The place of a structure in the arena of its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StructureId(u32);

/// A resource type, a data type, or a nested element (`DocumentReference.content`).
#[derive(Debug)]
pub struct Structure {
    /// Its path: `Patient`, `HumanName`, `DocumentReference.content`.
    pub path: &'static str,
    /// What kind of thing it is.
    pub kind: StructureKind,
    /// Its elements, in the order of the definition (which is the order in XML).
    pub elements: Vec<Element>,
    /// The positions in [`Self::elements`] of those that must be there.
    pub required: Vec<usize>,
    /// What must hold of it.
    pub constraints: Vec<Constraint>,
    /// The keys of the constraints that no expression checks, but the validator itself (`dom-3`).
    pub rules: Vec<&'static str>,
    members: NameMap<MemberId>,
}

/// The kinds of structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StructureKind {
    /// A resource that can be stored.
    Resource,
    /// `Resource`, `DomainResource`, `Element`…
    Abstract,
    /// A complex data type.
    DataType,
    /// A primitive data type.
    Primitive,
    /// An element with elements of its own.
    Nested,
}

/// An element of a structure.
#[derive(Debug)]
pub struct Element {
    /// Its name, without `[x]`.
    pub name: &'static str,
    /// Whether it is a choice (`value[x]`).
    pub choice: Choice,
    /// How many are needed at least: 0 or 1 in the base releases.
    pub min: u32,
    /// How many there may be.
    pub max: Max,
    /// The types it may have; one unless it is a choice.
    pub types: Vec<TypeRef>,
    /// Whether `_summary=true` keeps it.
    pub summary: Summary,
    /// Whether it changes the meaning of the rest.
    pub modifier: Modifier,
    /// Whether XML writes it as an attribute (`id`, `url` of extensions).
    pub xml_form: XmlForm,
    /// The value set its codes come from.
    pub binding: Option<Binding>,
    /// What must hold of it here, beside what holds of its type.
    pub constraints: Vec<Constraint>,
}

/// Whether an element is a choice of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Choice {
    Single,
    OfTypes,
}

/// Whether an element is part of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Summary {
    Kept,
    LeftOut,
}

/// Whether an element is a modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Modifier {
    Modifies,
    Plain,
}

/// How XML writes an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum XmlForm {
    Element,
    Attribute,
}

/// An upper cardinality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Max {
    /// At most this many (0 or 1).
    Times(u32),
    /// Any number: an array in JSON.
    Unbounded,
}

/// A type an element may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeRef {
    /// Its code: `CodeableConcept`, `string`, `BackboneElement`…
    pub code: &'static str,
    /// For `Reference` and `canonical`: the resource types it may point to; empty means any.
    pub targets: Vec<&'static str>,
    /// What it is made of.
    pub content: Content,
}

/// What a type is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A primitive value.
    Primitive(Primitive),
    /// Elements of its own.
    Structure(StructureId),
    /// Any resource (`contained`, `Bundle.entry.resource`).
    Resource,
}

/// The primitive types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of FHIR's primitive types")]
pub enum Primitive {
    Boolean,
    Integer,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Markdown,
    Code,
    Id,
    Uri,
    Url,
    Canonical,
    Oid,
    Uuid,
    Base64Binary,
    Instant,
    Date,
    DateTime,
    Time,
    Xhtml,
}

impl Primitive {
    /// Whether JSON writes it as a number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::UnsignedInt | Self::PositiveInt | Self::Decimal)
    }

    /// The primitive of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "unsignedInt" => Self::UnsignedInt,
            "positiveInt" => Self::PositiveInt,
            "decimal" => Self::Decimal,
            "string" => Self::String,
            "markdown" => Self::Markdown,
            "code" => Self::Code,
            "id" => Self::Id,
            "uri" => Self::Uri,
            "url" => Self::Url,
            "canonical" => Self::Canonical,
            "oid" => Self::Oid,
            "uuid" => Self::Uuid,
            "base64Binary" => Self::Base64Binary,
            "instant" => Self::Instant,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "time" => Self::Time,
            "xhtml" => Self::Xhtml,
            _ => return None,
        })
    }
}

/// The value set an element's codes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// How binding it is.
    pub strength: BindingStrength,
    /// The canonical of the value set, without version.
    pub value_set: &'static str,
}

/// How binding a value set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of FHIR's binding-strength codes")]
pub enum BindingStrength {
    Required,
    Extensible,
    Preferred,
    Example,
}

/// The codes of a value set that a required binding names.
#[derive(Debug, Default)]
pub struct CodeList {
    codes: NameMap<ListedCode>,
}

/// A code of a list.
#[derive(Clone, Copy, Debug)]
pub struct ListedCode {
    /// Its system.
    pub system: &'static str,
    /// Its English display, possibly empty.
    pub display: &'static str,
}

impl CodeList {
    /// The code, when it is in the list.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<ListedCode> {
        self.codes.get(code).copied()
    }

    /// The codes, in no particular order.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.codes.keys().copied()
    }
}

#[derive(Clone, Copy, Debug)]
struct MemberId {
    element: u16,
    type_ref: u16,
}

/// A JSON member of a structure: the element and, of its types, the one the name tells
/// (`valueString` is the `string` of `value[x]`).
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its position in [`Structure::elements`].
    pub index: usize,
    /// The element.
    pub element: &'a Element,
    /// The type.
    pub type_ref: &'a TypeRef,
}

impl Structure {
    /// The member of that JSON name (without the `_` of primitive siblings).
    #[must_use]
    pub fn member(&self, json_name: &str) -> Option<Member<'_>> {
        let id = self.members.get(json_name)?;
        let element = self.elements.get(usize::from(id.element))?;
        let type_ref = element.types.get(usize::from(id.type_ref))?;
        Some(Member { index: usize::from(id.element), element, type_ref })
    }

    /// The JSON names of the members (without the `_` of primitive siblings), in no particular order.
    pub fn member_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.members.keys().copied()
    }

    /// The element of that name (`value` for `value[x]`).
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|e| e.name == name)
    }
}

impl Element {
    /// Whether JSON writes it as an array.
    #[must_use]
    pub const fn repeats(&self) -> bool {
        matches!(self.max, Max::Unbounded)
    }

    /// The JSON name of this element when it has that type.
    #[must_use]
    pub fn json_name(&self, type_ref: &TypeRef) -> String {
        match self.choice {
            Choice::Single => self.name.to_owned(),
            Choice::OfTypes => choice_name(self.name, type_ref.code),
        }
    }
}

fn choice_name(name: &str, type_code: &str) -> String {
    let mut joined = String::with_capacity(name.len() + type_code.len());
    joined.push_str(name);
    let mut letters = type_code.chars();
    joined.extend(letters.next().map(|c| c.to_ascii_uppercase()));
    joined.push_str(letters.as_str());
    joined
}

impl Release {
    /// A structure of the arena.
    ///
    /// # Panics
    /// Never with an id that this release gave.
    #[must_use]
    pub fn structure(&self, id: StructureId) -> &Structure {
        &self.structures[id.0 as usize]
    }

    /// All structures, nested ones too.
    pub fn structures(&self) -> impl Iterator<Item = &Structure> {
        self.structures.iter()
    }

    /// A type by its name, resource or data type.
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<&Structure> {
        self.types.get(name).map(|id| self.structure(*id))
    }

    /// The place of a type in the arena, by its name.
    #[must_use]
    pub fn structure_id(&self, name: &str) -> Option<StructureId> {
        self.types.get(name).copied()
    }

    /// A resource type that can be stored, by its name.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<&Structure> {
        self.type_named(name).filter(|s| s.kind == StructureKind::Resource)
    }

    /// The names of the resource types that can be stored, in alphabetical order.
    #[must_use]
    pub fn resources(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .types
            .iter()
            .filter(|(_, id)| self.structure(**id).kind == StructureKind::Resource)
            .map(|(name, _)| *name)
            .collect();
        names.sort_unstable();
        names
    }

    /// The name as this release spells it, when it is a resource type of FHIR, stored here or not.
    #[must_use]
    pub fn resource_name(&self, name: &str) -> Option<&'static str> {
        self.resource_names.binary_search(&name).ok().map(|i| self.resource_names[i])
    }

    /// The codes of a value set, when a required binding names it and it is not too large.
    #[must_use]
    pub fn code_list(&self, value_set: &str) -> Option<&CodeList> {
        self.code_lists.get(value_set)
    }

    /// The value sets that have a list of codes here.
    pub fn code_list_urls(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.code_lists.keys().copied()
    }

    fn load(
        id: ReleaseId,
        structures: &'static str,
        resource_names: &'static str,
        code_lists: &'static str,
        constraints: &'static str,
    ) -> Self {
        let rows: Vec<Row> = rows(structures).filter_map(Row::read).collect();
        let mut release = Self {
            id,
            structures: Vec::new(),
            types: NameMap::default(),
            resource_names: resource_names.lines().filter(|l| !l.starts_with('#')).map(str::trim).collect(),
            code_lists: NameMap::default(),
        };
        release.resource_names.sort_unstable();
        // First every structure gets its place, so that types can be named before they are filled.
        let mut by_path: NameMap<StructureId> = NameMap::default();
        for row in &rows {
            let kind = if row.path.contains('.') {
                if !row.is_nested() {
                    continue;
                }
                StructureKind::Nested
            } else {
                match row.types {
                    "resource" => StructureKind::Resource,
                    "abstract" => StructureKind::Abstract,
                    "primitive" => StructureKind::Primitive,
                    _ => StructureKind::DataType,
                }
            };
            let place = StructureId(u32::try_from(release.structures.len()).unwrap_or(u32::MAX));
            by_path.insert(row.path, place);
            if kind != StructureKind::Nested {
                release.types.insert(row.path, place);
            }
            release.structures.push(Structure {
                path: row.path,
                kind,
                elements: Vec::new(),
                required: Vec::new(),
                constraints: Vec::new(),
                rules: Vec::new(),
                members: NameMap::default(),
            });
        }
        for row in &rows {
            let Some((parent, name)) = row.path.rsplit_once('.') else { continue };
            let Some(parent) = by_path.get(parent) else { continue };
            let element = row.element(name, &by_path);
            release.structures[parent.0 as usize].add(element);
        }
        for row in self::rows(constraints).filter_map(constraint::read) {
            release.add_constraint(row, &by_path);
        }
        for row in rows_of_codes(code_lists) {
            release
                .code_lists
                .entry(row.value_set)
                .or_default()
                .codes
                .insert(row.code, ListedCode { system: row.system, display: row.display });
        }
        release
    }

    /// Puts a constraint on the structure or the element it stands on.
    fn add_constraint(&mut self, row: constraint::Row, by_path: &NameMap<StructureId>) {
        if let Some(id) = by_path.get(row.path) {
            let structure = &mut self.structures[id.0 as usize];
            match row.by {
                constraint::By::Path(constraint) => structure.constraints.push(constraint),
                constraint::By::Walk(key) => structure.rules.push(key),
                constraint::By::Nobody => {}
            }
            return;
        }
        let Some((parent, name)) = row.path.trim_end_matches("[x]").rsplit_once('.') else { return };
        let Some(id) = by_path.get(parent) else { return };
        let structure = &mut self.structures[id.0 as usize];
        match row.by {
            constraint::By::Path(constraint) => {
                if let Some(element) = structure.elements.iter_mut().find(|e| e.name == name) {
                    element.constraints.push(constraint);
                }
            }
            constraint::By::Walk(key) => structure.rules.push(key),
            constraint::By::Nobody => {}
        }
    }
}

impl Structure {
    fn add(&mut self, element: Element) {
        let index = u16::try_from(self.elements.len()).unwrap_or(u16::MAX);
        for (position, type_ref) in element.types.iter().enumerate() {
            let member = MemberId { element: index, type_ref: u16::try_from(position).unwrap_or(u16::MAX) };
            match element.choice {
                Choice::Single => {
                    // Several types under one name (a reference and a canonical) never occur.
                    self.members.entry(element.name).or_insert(member);
                }
                Choice::OfTypes => {
                    let name: &'static str = choice_name(element.name, type_ref.code).leak();
                    self.members.insert(name, member);
                }
            }
        }
        if element.min > 0 {
            self.required.push(self.elements.len());
        }
        self.elements.push(element);
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

struct CodeRow {
    value_set: &'static str,
    system: &'static str,
    code: &'static str,
    display: &'static str,
}

fn rows_of_codes(table: &'static str) -> impl Iterator<Item = CodeRow> {
    rows(table).filter_map(|line| {
        let mut columns = line.split('\t');
        Some(CodeRow {
            value_set: columns.next()?,
            system: columns.next()?,
            code: columns.next()?,
            display: columns.next().unwrap_or_default(),
        })
    })
}

struct Row {
    path: &'static str,
    min: &'static str,
    max: &'static str,
    types: &'static str,
    flags: &'static str,
    binding: &'static str,
}

impl Row {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        Some(Self {
            path: columns.next()?,
            min: columns.next()?,
            max: columns.next()?,
            types: columns.next()?,
            flags: columns.next()?,
            binding: columns.next()?,
        })
    }

    fn is_nested(&self) -> bool {
        matches!(self.types, "BackboneElement" | "Element")
    }

    fn element(&self, name: &'static str, by_path: &NameMap<StructureId>) -> Element {
        let (name, choice) = match name.strip_suffix("[x]") {
            Some(name) => (name, Choice::OfTypes),
            None => (name, Choice::Single),
        };
        Element {
            name,
            choice,
            min: self.min.parse().unwrap_or(0),
            max: match self.max {
                "*" => Max::Unbounded,
                times => Max::Times(times.parse().unwrap_or(1)),
            },
            types: split_types(self.types).filter_map(|t| self.type_ref(t, by_path)).collect(),
            summary: if self.flags.contains('s') { Summary::Kept } else { Summary::LeftOut },
            modifier: if self.flags.contains('m') { Modifier::Modifies } else { Modifier::Plain },
            xml_form: if self.flags.contains('a') { XmlForm::Attribute } else { XmlForm::Element },
            binding: self.binding(),
            constraints: Vec::new(),
        }
    }

    fn binding(&self) -> Option<Binding> {
        let (strength, value_set) = self.binding.split_once('|')?;
        let strength = match strength {
            "required" => BindingStrength::Required,
            "extensible" => BindingStrength::Extensible,
            "preferred" => BindingStrength::Preferred,
            _ => BindingStrength::Example,
        };
        Some(Binding { strength, value_set })
    }

    fn type_ref(&self, text: &'static str, by_path: &NameMap<StructureId>) -> Option<TypeRef> {
        if let Some(path) = text.strip_prefix('#') {
            let content = Content::Structure(*by_path.get(path)?);
            return Some(TypeRef { code: "BackboneElement", targets: Vec::new(), content });
        }
        let (code, targets) = match text.split_once('(') {
            Some((code, targets)) => (code, targets.trim_end_matches(')')),
            None => (text, ""),
        };
        let targets = match targets {
            "" | "Any" | "Resource" => Vec::new(),
            some => some.split('|').collect(),
        };
        let content = if self.is_nested() {
            Content::Structure(*by_path.get(self.path)?)
        } else if code == "Resource" {
            Content::Resource
        } else if let Some(primitive) = Primitive::named(code) {
            Content::Primitive(primitive)
        } else {
            Content::Structure(*by_path.get(code)?)
        };
        Some(TypeRef { code, targets, content })
    }
}

/// Splits `Reference(A|B),string` at the commas; targets are separated by `|`, so none is inside.
fn split_types(types: &'static str) -> impl Iterator<Item = &'static str> {
    types.split(',').filter(|t| !t.is_empty())
}

#[cfg(test)]
mod tests;
