//! `vread`: <https://hl7.org/fhir/R4/http.html#vread>.

use liaison_store::contract::{Change, Name};

use crate::{
    audit::AuditRecord,
    error::AppError,
    load, name,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::Stored,
    there::View,
};

/// Reads one version of a resource, attachments included.
#[derive(Clone, Debug)]
pub struct Vread {
    /// Which resource.
    pub name: Name,
    /// Which version.
    pub version: u32,
}

impl Operation for Vread {
    type Answer = Stored;

    fn action(&self) -> Action {
        Action::on(Interaction::Vread, &self.name.resource_type)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord {
            interaction: Interaction::Vread,
            entity: format!("{}/_history/{}", name::reference(&self.name), self.version),
        }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Stored, AppError> {
        match stage
            .app
            .store()
            .read_here(|reader| View::of(reader, &stage.there).version(&self.name, self.version))
            .await?
        {
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
