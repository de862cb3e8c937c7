//! A stored version on its way out: byte for byte where it can be, converted where it must be.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use liaison_fhir::{
    convert, json,
    release::{Release, ReleaseId},
    tree::Object,
};
pub use liaison_store::contract::Change;
use liaison_store::contract::{BlobId, Filler, Name, Version};

use crate::{
    error::AppError,
    face::{Face, release_of},
    part,
};

/// A version of a resource.
#[derive(Clone, Debug)]
pub struct Stored {
    version: Arc<Version>,
    /// The attachments that go back into the body; empty when they are left out.
    attached: Vec<(BlobId, Bytes)>,
}

impl Stored {
    /// A version whose heavy attachments are left out: only their address, size and hash are told.
    #[must_use]
    pub(crate) fn light(version: impl Into<Arc<Version>>) -> Self {
        Self { version: version.into(), attached: Vec::new() }
    }

    /// A version with the attachments that its body lacks.
    #[must_use]
    pub(crate) fn whole(version: impl Into<Arc<Version>>, attached: Vec<(BlobId, Bytes)>) -> Self {
        Self { version: version.into(), attached }
    }

    /// The version as the store gave it.
    #[must_use]
    pub(crate) fn into_version(self) -> Version {
        Arc::unwrap_or_clone(self.version)
    }

    /// The version as the store gave it, shared.
    pub(crate) fn shared_version(&self) -> Arc<Version> {
        Arc::clone(&self.version)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.version.name
    }

    /// Which version, from 1.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version.version
    }

    /// When it was committed, in microseconds since 1970 UTC.
    #[must_use]
    pub fn updated(&self) -> i64 {
        self.version.updated.0
    }

    /// When it was committed, as FHIR writes instants.
    #[must_use]
    pub fn updated_text(&self) -> String {
        self.version.updated.text()
    }

    /// How it came to be.
    #[must_use]
    pub fn change(&self) -> Change {
        self.version.change
    }

    /// Whether this version says that the resource is no more.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        self.version.change == Change::Delete
    }

    /// The compact JSON of the resource as that face shows it; nothing for a deletion.
    ///
    /// # Errors
    /// When the stored body cannot be read: a defect.
    pub fn json(&self, face: &Face) -> Result<Bytes, AppError> {
        if self.lacks_bytes() {
            return Ok(json::write(&self.tree(face)?).into());
        }
        let body = self.filled(face);
        if body.is_empty() || release_of(self.version.form).id == face.release.id {
            return Ok(body);
        }
        Ok(json::write(&self.converted(&body, face.release)?).into())
    }

    /// As [`Stored::json`], appended to what is being written.
    ///
    /// # Errors
    /// When the stored body cannot be read: a defect.
    pub fn write_json(&self, face: &Face, out: &mut Vec<u8>) -> Result<(), AppError> {
        if release_of(self.version.form).id == face.release.id && !self.lacks_bytes() {
            // At once, and the end of a line with it: what grows with its last bytes is there twice.
            out.reserve(self.shown_size(face) + 1);
            self.fill_into(face, out);
        } else {
            out.extend_from_slice(&self.json(face)?);
        }
        Ok(())
    }

    /// How many bytes it has as it is stored: about as many as it is shown with.
    #[must_use]
    pub fn size(&self) -> usize {
        self.version.body.len()
    }

    /// The tree of the resource as that face shows it; empty for a deletion.
    ///
    /// # Errors
    /// When the stored body cannot be read: a defect.
    pub fn tree(&self, face: &Face) -> Result<Object, AppError> {
        let body = self.filled(face);
        if body.is_empty() {
            return Ok(Object::new());
        }
        let mut tree = self.converted(&body, face.release)?;
        if self.lacks_bytes() {
            part::mark(&mut tree, face);
        }
        Ok(tree)
    }

    /// Whether it is a `Binary` without its bytes. Other resources say where theirs are, and keep
    /// them when they are sent back like that.
    fn lacks_bytes(&self) -> bool {
        let is_missing = |filler: &Filler| match filler {
            Filler::Data(blob) => !self.attached.iter().any(|(id, _)| id == blob),
            Filler::Base => false,
        };
        *self.version.name.resource_type == *"Binary" && self.version.holes.iter().any(|hole| is_missing(&hole.filler))
    }

    /// The tree in a release, addresses of attachments relative.
    pub(crate) fn tree_in(&self, release: &'static Release) -> Result<Object, AppError> {
        self.converted(&fill(&self.version, |_, _| {}), release)
    }

    fn converted(&self, body: &[u8], release: &'static Release) -> Result<Object, AppError> {
        let written = read_stored(body)?;
        Ok(match (release_of(self.version.form).id, release.id) {
            (ReleaseId::Stu3, ReleaseId::R4) => convert::to_r4(&written),
            (ReleaseId::R4, ReleaseId::Stu3) => convert::to_stu3(&written),
            _ => written,
        })
    }

    fn filled(&self, face: &Face) -> Bytes {
        if self.version.holes.is_empty() {
            return self.version.body.clone();
        }
        let mut out = Vec::with_capacity(self.shown_size(face));
        self.fill_into(face, &mut out);
        out.into()
    }

    /// As many bytes as it is shown with in the release it was written in, or a few more.
    fn shown_size(&self, face: &Face) -> usize {
        let filled = self.version.holes.iter().map(|hole| match &hole.filler {
            Filler::Base => face.base.len(),
            Filler::Data(blob) => {
                let attached = self.attached.iter().find(|(id, _)| id == blob);
                attached.map_or(0, |(_, bytes)| bytes.len().div_ceil(3) * 4 + DATA.len() + AFTER_DATA.len())
            }
        });
        self.version.body.len() + filled.sum::<usize>()
    }

    fn fill_into(&self, face: &Face, out: &mut Vec<u8>) {
        fill_into(&self.version, out, |filler, out| self.put(filler, face, out));
    }

    fn put(&self, filler: &Filler, face: &Face, out: &mut Vec<u8>) {
        match filler {
            Filler::Base => out.extend_from_slice(face.base.as_bytes()),
            Filler::Data(blob) => {
                let Some((_, bytes)) = self.attached.iter().find(|(id, _)| id == blob) else { return };
                out.extend_from_slice(DATA);
                encode_into(bytes, out);
                out.extend_from_slice(AFTER_DATA);
            }
        }
    }
}

/// What the bytes of an attachment stand between.
const DATA: &[u8] = b"\"data\":\"";
const AFTER_DATA: &[u8] = b"\",";

/// Writes base64 where it belongs: of 20 MB there is no second copy.
fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    // A multiple of three: only the last piece is padded.
    const PIECE: usize = 3 * 1024;
    let mut text = String::with_capacity(PIECE / 3 * 4);
    for piece in bytes.chunks(PIECE) {
        text.clear();
        STANDARD.encode_string(piece, &mut text);
        out.extend_from_slice(text.as_bytes());
    }
}

/// The body with its holes filled by `filler`; the very bytes when there are none.
pub(crate) fn fill(version: &Version, filler: impl FnMut(&Filler, &mut Vec<u8>)) -> Bytes {
    if version.holes.is_empty() {
        return version.body.clone();
    }
    let mut out = Vec::with_capacity(version.body.len() + 256);
    fill_into(version, &mut out, filler);
    out.into()
}

fn fill_into(version: &Version, out: &mut Vec<u8>, mut filler: impl FnMut(&Filler, &mut Vec<u8>)) {
    let mut from = 0;
    for hole in &version.holes {
        let at = (hole.at as usize).clamp(from, version.body.len());
        out.extend_from_slice(version.body.get(from..at).unwrap_or_default());
        filler(&hole.filler, out);
        from = at;
    }
    out.extend_from_slice(version.body.get(from..).unwrap_or_default());
}

/// Reads a body that this server wrote.
pub(crate) fn read_stored(body: &[u8]) -> Result<Object, AppError> {
    json::read(body, &STORED)
        .map_err(|issues| AppError::defect(issues.first().map(|i| i.text.en.clone()).unwrap_or_default()))
}

/// What was written within the limits of requests, with what the server added, is read back
/// whatever the limits are today.
const STORED: json::Limits = json::Limits { depth: 1_000, bytes: usize::MAX, nodes: usize::MAX };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_one_text_however_long_it_is() {
        for length in [0, 1, 2, 3, 3_071, 3_072, 3_073, 10_000] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| at as u8).collect();
            let mut out = b"x".to_vec();
            encode_into(&bytes, &mut out);
            assert_eq!(out, format!("x{}", STANDARD.encode(&bytes)).into_bytes(), "{length} bytes");
        }
    }
}
