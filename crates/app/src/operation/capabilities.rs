//! `capabilities`: <https://hl7.org/fhir/R4/http.html#capabilities>.

use liaison_fhir::tree::{Object, Value};

use crate::{
    audit::AuditRecord,
    error::AppError,
    face::Face,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
};

/// Says what this server can do at a base.
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

impl Operation for Capabilities {
    type Answer = Object;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Capabilities)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Capabilities, entity: "CapabilityStatement".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<Object, AppError> {
        let mut statement = stage.app.statement(self.face.release).clone();
        let base = self.face.base.trim_end_matches('/');
        if let Some(implementation) = statement.get_mut("implementation").and_then(Value::as_object_mut) {
            implementation.set("url", base);
        }
        statement.insert_at(1, "url", format!("{base}/metadata"));
        let rest = statement.get_mut("rest").and_then(Value::as_array_mut).and_then(|rest| rest.first_mut());
        let security = rest.and_then(Value::as_object_mut).and_then(|rest| rest.get_mut("security"));
        if let Some(security) = security.and_then(Value::as_object_mut) {
            security.set("cors", self.other_origins == OtherOrigins::Allowed);
        }
        Ok(statement)
    }
}
