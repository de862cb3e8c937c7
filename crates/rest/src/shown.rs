//! Parts of resources: `_summary` and `_elements`.
//!
//! <https://hl7.org/fhir/R4/search.html#summary>

use bytes::Bytes;
use liaison_app::{error::AppError, face::Face, part, stored::Stored};
use liaison_fhir::{
    json,
    outcome::IssueKind,
    release::{Content, Release, Structure, Summary},
    search::parse::{PageControls, SummaryMode},
    text,
    tree::{Object, Value},
};

use crate::exchange::Exchange;

/// Which part of a resource is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    mode: SummaryMode,
    elements: Vec<String>,
}

impl Shown {
    /// What a search asks for.
    #[must_use]
    pub fn of(page: &PageControls) -> Self {
        Self { mode: page.summary, elements: page.elements.clone() }
    }

    /// What a read of a resource of this type asks for.
    ///
    /// # Errors
    /// 400 for anything but `_summary` and `_elements`, and for values these do not have.
    pub fn asked(exchange: &Exchange, resource_type: &str) -> Result<Self, crate::errors::Refused> {
        exchange.only(&["_summary", "_elements"])?;
        let mut shown = Self { mode: SummaryMode::Whole, elements: Vec::new() };
        for (name, value) in &exchange.query {
            match (name.as_str(), value.as_str()) {
                (other, _) if other != "_summary" && other != "_elements" => {}
                ("_elements", elements) => {
                    for element in elements.split(',') {
                        shown.elements.push(element_of(resource_type, element.trim(), exchange.face.release)?);
                    }
                }
                (_, "true") => shown.mode = SummaryMode::Summary,
                (_, "text") => shown.mode = SummaryMode::Text,
                (_, "data") => shown.mode = SummaryMode::Data,
                (_, "false") => shown.mode = SummaryMode::Whole,
                (_, other) => {
                    return Err(AppError::not_understood(
                        IssueKind::Value,
                        "http._summary",
                        text!(
                            en: "_summary of a read is true, false, text or data, not “{other}”.",
                            fr: "Le _summary d'une lecture est true, false, text ou data, pas « {other} ».",
                        ),
                    )
                    .into());
                }
            }
        }
        Ok(shown)
    }

    /// The same, for what comes along with matches.
    #[must_use]
    pub const fn without_elements(&self) -> Self {
        Self { mode: self.mode, elements: Vec::new() }
    }

    fn is_whole(&self) -> bool {
        self.elements.is_empty() && matches!(self.mode, SummaryMode::Whole | SummaryMode::Count)
    }

    /// The compact JSON of what is shown of a resource.
    ///
    /// # Errors
    /// When it cannot be read: a defect.
    pub fn body(&self, stored: &Stored, face: &Face) -> Result<Bytes, AppError> {
        if self.is_whole() {
            return stored.json(face);
        }
        let mut tree = stored.tree(face)?;
        self.cut(&mut tree, face);
        Ok(json::write(&tree).into())
    }

    /// As [`Shown::body`], appended to what is being written.
    ///
    /// # Errors
    /// When it cannot be read: a defect.
    pub fn write_body(&self, stored: &Stored, face: &Face, out: &mut Vec<u8>) -> Result<(), AppError> {
        if self.is_whole() {
            return stored.write_json(face, out);
        }
        out.extend_from_slice(&self.body(stored, face)?);
        Ok(())
    }

    /// Leaves what is shown, and says that it is a part.
    fn cut(&self, tree: &mut Object, face: &Face) {
        let release = face.release;
        let Some(structure) = tree.resource_type().and_then(|t| release.resource(t)) else { return };
        let mandatory = |name: &str| {
            let name = name.trim_start_matches('_');
            structure.member(name).is_some_and(|member| member.element.min > 0)
        };
        let always = |name: &str| matches!(name, "resourceType" | "id" | "meta");
        if self.elements.is_empty() {
            match self.mode {
                SummaryMode::Whole | SummaryMode::Count => return,
                SummaryMode::Summary => summarise(tree, structure, release),
                SummaryMode::Text => tree.retain(|name, _| always(name) || name == "text" || mandatory(name)),
                SummaryMode::Data => {
                    tree.remove("text");
                }
            }
        } else {
            let wanted = |name: &str| {
                let name = name.trim_start_matches('_');
                let element = structure.member(name).map_or(name, |member| member.element.name);
                self.elements.iter().any(|e| e == name || e == element)
            };
            tree.retain(|name, _| always(name) || mandatory(name) || wanted(name));
        }
        part::mark(tree, face);
    }
}

/// The element that a read's `_elements` names, with or without its type.
fn element_of(resource_type: &str, path: &str, release: &'static Release) -> Result<String, AppError> {
    let name = path.strip_prefix(resource_type).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path);
    let structure = release.resource(resource_type);
    let is_there = |structure: &Structure| structure.element(name).is_some() || structure.member(name).is_some();
    if name == "resourceType" || structure.is_some_and(is_there) {
        return Ok(name.to_owned());
    }
    let shown: String = path.chars().take(80).collect();
    Err(AppError::not_understood(
        IssueKind::Value,
        "http._elements",
        text!(
            en: "_elements lists elements that a {resource_type} has at its root; “{shown}” is none.",
            fr: "_elements énumère des éléments qu'un {resource_type} a à sa racine ; « {shown} » n'en est pas un.",
        ),
    ))
}

/// Leaves the elements of the summary, at every depth.
fn summarise(object: &mut Object, structure: &'static Structure, release: &'static Release) {
    let element_of = |name: &str| structure.member(name.trim_start_matches('_'));
    object.retain(|name, _| {
        name == "resourceType" || element_of(name).is_none_or(|member| member.element.summary == Summary::Kept)
    });
    for (name, value) in object.iter_mut() {
        let Some(member) = element_of(name) else { continue };
        let Content::Structure(id) = member.type_ref.content else { continue };
        let inner = release.structure(id);
        // Data types are shown whole: only the elements of the resource itself are summarised.
        if inner.kind != liaison_fhir::release::StructureKind::Nested {
            continue;
        }
        let items = match value {
            Value::Array(items) => items.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            summarise(item, inner, release);
        }
    }
}
