//! Everything, or all that changed since a moment, as lines of JSON: what a bulk export is made of
//! (<https://hl7.org/fhir/uv/bulkdata/export.html>).
//!
//! An export is a moment of the store and a type: nobody keeps anything while it is read, and what
//! is written meanwhile changes nothing of it. It is read in pieces of bounded size.

use liaison_fhir::{json, object, tree::Value};
pub use liaison_store::bulk::{Reached, Standing};
use liaison_store::{
    bulk::Walk,
    contract::{Instant, Name, Version},
    reader::Reader,
    shard::{Places, Reach},
};

use crate::{
    audit::AuditRecord,
    error::AppError,
    face::Face,
    load, name,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::{self, Stored},
    there::View,
    write::attachments,
};

/// Versions read at most for a piece.
const PIECE: u32 = 100;
/// A piece ends with the resource that makes it as long as this.
const PIECE_BYTES: usize = 1024 * 1024;

const BINARY: &str = "Binary";

/// What there is to export: which types, and how much of each.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Only what was changed at or after this, in microseconds since 1970 UTC.
    pub since: Option<i64>,
    /// The moment; that of the last change when there is none.
    pub at: Option<i64>,
    /// Only these types; all that this release keeps when there are none.
    pub types: Vec<&'static str>,
    /// The types of which release.
    pub face: Face,
}

/// What a survey found.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// The moment.
    pub at: i64,
    /// The types of which there is something.
    pub types: Vec<TypeSurveyed>,
}

/// What a survey found of a type.
#[derive(Clone, Debug)]
pub struct TypeSurveyed {
    /// The type.
    pub resource_type: &'static str,
    /// Resources that an export of it passes, whatever it gives of them.
    pub passed: u64,
    /// Whether some of them are there.
    pub live: bool,
    /// Whether some of them were deleted.
    pub deleted: bool,
}

impl Operation for Survey {
    type Answer = Surveyed;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Export)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Export, entity: String::new() }
    }

    async fn run(self, stage: Stage) -> Result<Surveyed, AppError> {
        let at = match self.at {
            Some(at) => at,
            None => now(&stage).await?,
        };
        let there = stage.there.clone();
        stage.app.store().read(move |reader| self.look(at, View::of(reader, &there))).await
    }
}

/// The moment of the last change, asked while nobody writes: whatever is committed later has a later
/// one.
pub(crate) async fn now(stage: &Stage) -> Result<i64, AppError> {
    let places = Places { reach: Reach::Everywhere, ..Places::default() };
    let last = stage.app.store().write_at(places, |tx| Ok::<_, AppError>(tx.last_changed()?));
    Ok(last.await?.map_or(0, |instant| instant.0))
}

impl Survey {
    fn look(self, at: i64, view: View<'_, '_>) -> Result<Surveyed, AppError> {
        let reader = view.reader();
        let asked = if self.types.is_empty() { self.face.release.resources() } else { self.types };
        let mut types = Vec::new();
        for resource_type in asked {
            let walk = |standing| walk(resource_type, self.since, at, standing);
            let passed = reader.walked_in_all(&walk(Standing::Live))?;
            if passed > 0 {
                let some = |standing| is_some(&walk(standing), view);
                let (live, deleted) = (some(Standing::Live)?, some(Standing::Deleted)?);
                if live || deleted {
                    types.push(TypeSurveyed { resource_type, passed, live, deleted });
                }
            }
        }
        Ok(Surveyed { at, types })
    }
}

/// What becomes of heavy attachments, which are kept as a `Binary` of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachments {
    /// They stand in the resource they belong to, and not as a `Binary` beside it.
    Inside,
    /// The resource says their address.
    ByAddress,
}

/// Reads the next piece of an export of one type.
#[derive(Clone, Debug)]
pub struct Export {
    /// Through which base.
    pub face: Face,
    /// The type.
    pub resource_type: &'static str,
    /// Only what was changed at or after this, in microseconds since 1970 UTC.
    pub since: Option<i64>,
    /// The moment.
    pub at: i64,
    /// What is there, or what was deleted.
    pub standing: Standing,
    /// What becomes of attachments.
    pub attachments: Attachments,
    /// Where the piece before ended.
    pub after: Option<Reached>,
}

/// A piece of an export.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// Whole lines: of each resource that is there the resource, of each that was deleted a
    /// transaction that deletes it.
    pub lines: Vec<u8>,
    /// How many lines.
    pub written: u64,
    /// How many resources were passed: some may have no line.
    pub passed: u64,
    /// Where it ends; `None` when there was nothing more.
    pub reached: Option<Reached>,
}

impl Operation for Export {
    type Answer = Piece;

    fn action(&self) -> Action {
        Action::on(Interaction::Export, self.resource_type)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Export, entity: self.resource_type.to_owned() }
    }

    fn goes_on(&self) -> bool {
        self.after.is_some()
    }

    async fn run(self, stage: Stage) -> Result<Piece, AppError> {
        stage.shows_everything(self.resource_type);
        let there = stage.there.clone();
        stage.app.store().read_again(move |reader| self.clone().read(View::of(reader, &there))).await
    }
}

impl Export {
    pub(crate) fn read(self, view: View<'_, '_>) -> Result<Piece, AppError> {
        let reader = view.reader();
        let walk = walk(self.resource_type, self.since, self.at, self.standing);
        let mut piece = Piece::default();
        for (place, version) in reader.walk(&walk, self.after, PIECE)? {
            if view.shows(&version)? && self.write(reader, version, &mut piece.lines)? {
                piece.written += 1;
            }
            piece.passed += 1;
            piece.reached = Some(place);
            if piece.lines.len() >= PIECE_BYTES {
                break;
            }
        }
        Ok(piece)
    }

    /// Writes the line of a version, if it has one.
    fn write(&self, reader: &Reader<'_>, version: Version, lines: &mut Vec<u8>) -> Result<bool, AppError> {
        let is_binary = *version.name.resource_type == *BINARY;
        if self.standing == Standing::Deleted {
            lines.extend_from_slice(&deleting(&version.name));
        } else if is_binary && self.attachments == Attachments::Inside && self.stands_in_another(reader, &version)? {
            return Ok(false);
        } else if is_binary || self.attachments == Attachments::Inside {
            load::whole_seen(reader, version)?.write_json(&self.face, lines)?;
        } else {
            Stored::light(version).write_json(&self.face, lines)?;
        }
        lines.push(b'\n');
        Ok(true)
    }

    /// Whether a `Binary` was made of an attachment of a resource that has it still.
    fn stands_in_another(&self, reader: &Reader<'_>, binary: &Version) -> Result<bool, AppError> {
        let body = stored::fill(binary, |_, _| {});
        let tree = stored::read_stored(&body)?;
        let of = tree.object("securityContext").and_then(|context| context.str("reference"));
        let Some((resource_type, id)) = of.and_then(|reference| reference.split_once('/')) else { return Ok(false) };
        let of = Name { resource_type: resource_type.into(), id: id.into() };
        let of = reader.at_moment(&of, Instant(self.at))?;
        Ok(of.is_some_and(|version| attachments::made_by(&version).contains_key(&*binary.name.id)))
    }
}

/// Whether there is something for the caller among what a walk passes.
pub(crate) fn is_some(walk: &Walk, view: View<'_, '_>) -> Result<bool, AppError> {
    let (mut after, mut at_once) = (None, 1);
    loop {
        let passed = view.reader().walk(walk, after, at_once)?;
        at_once = PIECE;
        let Some((reached, _)) = passed.last() else { return Ok(false) };
        after = Some(*reached);
        for (_, version) in &passed {
            if view.shows(version)? {
                return Ok(true);
            }
        }
    }
}

fn walk(resource_type: &str, since: Option<i64>, at: i64, standing: Standing) -> Walk {
    Walk { resource_type: resource_type.into(), since: since.map(Instant), at: Instant(at), standing }
}

/// A transaction that deletes a resource, as the bulk-data rules tell of deletions.
fn deleting(name: &Name) -> Vec<u8> {
    let request = object! { "method" => "DELETE", "url" => name::reference(name) };
    let entry = Value::from(object! { "request" => request });
    json::write(&object! { "resourceType" => "Bundle", "type" => "transaction", "entry" => vec![entry] })
}

/// Which of these resources are here, or were: asked before they are brought in.
#[derive(Clone, Debug)]
pub struct Known {
    /// Their names.
    pub names: Vec<Name>,
}

impl Operation for Known {
    type Answer = std::collections::HashSet<Name>;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Export)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Export, entity: String::new() }
    }

    async fn run(self, stage: Stage) -> Result<Self::Answer, AppError> {
        stage.app.store().read(move |reader| Ok(reader.known(&self.names)?)).await
    }
}
