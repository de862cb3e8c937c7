//! `read`: <https://hl7.org/fhir/R4/http.html#read>.

use liaison_store::contract::{Change, Name};

use crate::{
    audit::AuditRecord,
    error::AppError,
    load, name,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::Stored,
};

/// Reads the current version of a resource, attachments included.
#[derive(Clone, Debug)]
pub struct Read {
    /// Which.
    pub name: Name,
}

impl Operation for Read {
    type Answer = Stored;

    fn action(&self) -> Action {
        Action::on(Interaction::Read, &self.name.resource_type)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Read, entity: name::reference(&self.name) }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Stored, AppError> {
        let version = stage.app.store().current(&self.name).await?;
        match stage.there.shown(version, &stage).await? {
            None => Err(AppError::unknown(&self.name)),
            Some(version) if version.change == Change::Delete => Err(AppError::gone(&self.name, version.version)),
            Some(version) => load::whole(&stage, version).await,
        }
    }
}
