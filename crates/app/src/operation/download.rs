//! The bytes of a `Binary`: <https://hl7.org/fhir/R4/binary.html>.

use std::ops::Range;

use bytes::Bytes;
use std::sync::Arc;

use liaison_store::{
    blob::BlobReader,
    contract::{Change, Filler, Name, StoreError},
};

use crate::{
    audit::AuditRecord,
    error::AppError,
    name,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::{Stored, read_stored},
    there::View,
};

/// Reads a `Binary` for its bytes.
#[derive(Clone, Debug)]
pub struct Download {
    /// Which.
    pub name: Name,
    /// Which version; the current one when there is none.
    pub version: Option<u32>,
}

/// A `Binary` whose bytes are to be sent.
pub struct Downloaded {
    /// The resource, without its bytes.
    pub resource: Stored,
    /// The type of its bytes.
    pub content_type: String,
    reader: Option<BlobReader>,
}

impl Downloaded {
    /// How many bytes there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.reader.as_ref().map_or(0, BlobReader::length)
    }

    /// Reads only these bytes.
    #[must_use]
    pub fn range(mut self, range: Range<u64>) -> Self {
        self.reader = self.reader.map(|reader| reader.range(range));
        self
    }

    /// The next bytes; nothing at the end.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        match &mut self.reader {
            Some(reader) => Ok(reader.next().await?),
            None => Ok(None),
        }
    }
}

impl Operation for Download {
    type Answer = Downloaded;

    fn action(&self) -> Action {
        Action::on(Interaction::Read, &self.name.resource_type)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Read, entity: name::reference(&self.name) }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Downloaded, AppError> {
        let store = stage.app.store();
        let version = match self.version {
            None => store.current(&self.name).await?,
            Some(version) => store
                .read_here(|reader| View::of(reader, &stage.there).version(&self.name, version))
                .await?
                .map(Arc::new),
        };
        let version = stage.there.shown(version, &stage).await?;
        let version = version.ok_or_else(|| AppError::unknown(&self.name))?;
        if version.change == Change::Delete {
            return Err(AppError::gone(&self.name, version.version));
        }
        let content_type =
            read_stored(&version.body)?.str("contentType").unwrap_or("application/octet-stream").to_owned();
        let blob = version.holes.iter().find_map(|hole| match hole.filler {
            Filler::Data(blob) => Some(blob),
            Filler::Base => None,
        });
        let reader = match blob {
            Some(blob) => Some(stage.app.store().blob(blob).await?.ok_or(StoreError::BlobMissing(blob))?),
            None => None,
        };
        let resource = Stored::light(version);
        stage.shows_one(&resource).await?;
        Ok(Downloaded { resource, content_type, reader })
    }
}
