//! `capabilities`: <https://hl7.org/fhir/R4/http.html#capabilities>.

use std::sync::Arc;

use liaison_fhir::tree::{Object, Value};
use liaison_store::indexing::Standing;

use crate::{
    app::App,
    audit::AuditRecord,
    capabilities,
    error::AppError,
    face::Face,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
};

/// Says what this server can do at a base: the same as long as it runs and its index stands as it does.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// Which base.
    pub face: Face,
    /// Whether web pages of other origins may call.
    pub other_origins: OtherOrigins,
}

/// Whether web pages of other origins may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum OtherOrigins {
    Refused,
    Allowed,
}

/// A statement that may be made: not made yet, since it may have been before.
#[derive(Clone, Debug)]
pub struct Statement {
    app: App,
    face: Face,
    other_origins: OtherOrigins,
    index: Arc<Standing>,
}

impl Statement {
    /// A number that changes with what it says of searches.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.index.generation
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> Object {
        let mut statement = capabilities::statement(self.face.release, self.app.settings(), &self.index.not_ready);
        let base = self.face.base.trim_end_matches('/');
        if let Some(implementation) = statement.get_mut("implementation").and_then(Value::as_object_mut) {
            implementation.set("url", base);
        }
        statement.insert_at(1, "date", self.app.opened());
        statement.insert_at(1, "url", format!("{base}/metadata"));
        let rest = statement.get_mut("rest").and_then(Value::as_array_mut).and_then(|rest| rest.first_mut());
        let security = rest.and_then(Value::as_object_mut).and_then(|rest| rest.get_mut("security"));
        if let Some(security) = security.and_then(Value::as_object_mut) {
            security.set("cors", self.other_origins == OtherOrigins::Allowed);
        }
        statement
    }
}

impl Operation for Capabilities {
    type Answer = Statement;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Capabilities)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Capabilities, entity: "CapabilityStatement".to_owned() }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Statement, AppError> {
        let index = stage.app.store().index_standing().await?;
        Ok(Statement { app: stage.app, face: self.face, other_origins: self.other_origins, index })
    }
}
