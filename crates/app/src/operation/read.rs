//! `read`: <https://hl7.org/fhir/R4/http.html#read>.

use liaison_store::contract::{Change, Name};

use crate::{
    audit::AuditRecord,
    error::AppError,
    load, name,
    operation::{Operation, Stage, audit_trail},
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
        if audit_trail::answers_for(&self.name.resource_type, &stage.app) {
            let store = stage.app.store().clone();
            return store.read_again(move |reader| audit_trail::read(&self.name, &stage, reader)).await;
        }
        let version = stage.app.store().current(&self.name).await?;
        match stage.there.shown(version, &stage).await? {
            None => Err(AppError::unknown(&self.name)),
            Some(version) if version.change == Change::Delete => Err(AppError::gone(&self.name, version.version)),
            Some(version) => {
                let stored = load::whole(&stage, version).await?;
                stage.shows_one(&stored).await?;
                Ok(stored)
            }
        }
    }
}
