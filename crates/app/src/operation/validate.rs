//! `$validate`: <https://hl7.org/fhir/R4/resource-operation-validate.html>.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
    tree::Object,
};
use liaison_store::contract::Name;

use crate::{
    audit::AuditRecord,
    error::AppError,
    face::Face,
    load,
    operation::{Operation, Stage, read::Read},
    policy::{Action, Interaction},
    there::View,
    write::draft,
};

/// Says what would be found wrong with a resource, without storing anything.
#[derive(Clone, Debug)]
pub struct Validate {
    /// Through which base.
    pub face: Face,
    /// The type the address names.
    pub resource_type: &'static str,
    /// The resource it names, when it names one.
    pub instance: Option<Name>,
    /// The resource to look at, or `Parameters` that hold it; the instance when there is none.
    pub body: Option<Object>,
    /// What it is to be looked at for (`mode`), from the address.
    pub mode: Option<String>,
    /// The profile it is to be held to, from the address.
    pub profile: Option<String>,
}

impl Operation for Validate {
    type Answer = Vec<Issue>;

    fn action(&self) -> Action {
        Action::on(Interaction::Operation, self.resource_type)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Operation, entity: format!("{}/$validate", self.resource_type) }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Vec<Issue>, AppError> {
        let Self { face, resource_type, instance, body, mut mode, mut profile } = self;
        let sent = match body {
            Some(body) if body.resource_type() == Some("Parameters") && resource_type != "Parameters" => {
                let read = parameters(&body)?;
                mode = mode.or(read.mode);
                profile = profile.or(read.profile);
                read.resource
            }
            other => other,
        };
        let deleting = match mode.as_deref() {
            None | Some("create" | "update" | "profile") => false,
            Some("delete") => true,
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                return Err(AppError::not_understood(
                    IssueKind::Value,
                    "http.mode",
                    text!(
                        en: "“{other}” is no mode of $validate: create, update, delete or profile.",
                        fr: "« {other} » n'est pas un mode de $validate : create, update, delete ou profile.",
                    ),
                ));
            }
        };
        if deleting {
            return deletable(instance, stage).await;
        }
        let mut resource = match (sent, instance) {
            (Some(resource), _) => resource,
            (None, Some(name)) => {
                let stored = stage.carries_out(Read { name }).await?;
                load::whole(&stage, stored.into_version()).await?.tree(&face)?
            }
            (None, None) => {
                return Err(AppError::not_understood(
                    IssueKind::Required,
                    "http",
                    text!(
                        en: "$validate needs a resource to look at, in the body.",
                        fr: "$validate demande une ressource à examiner, dans le corps.",
                    ),
                ));
            }
        };
        if let Some(profile) = profile {
            hold_to(&mut resource, &profile);
        }
        let mut issues = draft::findings(resource, resource_type, &face, &stage);
        if mode.as_deref() == Some("profile") {
            issues.retain(|issue| issue.kind != IssueKind::Informational);
        }
        Ok(issues)
    }
}

/// Whether a resource could be deleted: whether nothing refers to it.
async fn deletable(instance: Option<Name>, stage: Stage) -> Result<Vec<Issue>, AppError> {
    let Some(name) = instance else {
        return Err(AppError::not_understood(
            IssueKind::Required,
            "http.mode",
            text!(
                en: "mode=delete is asked of a resource, at [type]/[id]/$validate.",
                fr: "mode=delete se demande d'une ressource, à [type]/[id]/$validate.",
            ),
        ));
    };
    let there = stage.there.clone();
    let by = stage
        .app
        .store()
        .read(move |reader| {
            let view = View::of(reader, &there);
            view.current(&name)?.ok_or_else(|| AppError::unknown(&name))?;
            let mut by = reader.referrers(&name, 10)?;
            by.retain(|name| view.current(name).is_ok_and(|version| version.is_some()));
            Ok::<_, AppError>(by)
        })
        .await?;
    if by.is_empty() {
        return Ok(Vec::new());
    }
    Ok(AppError::from(liaison_store::contract::StoreError::Referred { by }).issues)
}

/// Has a resource declare a profile, so that it is held to it.
fn hold_to(resource: &mut Object, profile: &str) {
    if resource.object("meta").is_none() {
        resource.set("meta", Object::new());
    }
    let Some(meta) = resource.get_mut("meta").and_then(|meta| meta.as_object_mut()) else { return };
    match meta.get_mut("profile").and_then(|profiles| profiles.as_array_mut()) {
        Some(profiles) if profiles.iter().any(|p| p.as_str() == Some(profile)) => {}
        Some(profiles) => profiles.push(profile.into()),
        None => {
            meta.set("profile", liaison_fhir::array![profile]);
        }
    }
}

#[derive(Default)]
struct Asked {
    resource: Option<Object>,
    mode: Option<String>,
    profile: Option<String>,
}

fn parameters(body: &Object) -> Result<Asked, AppError> {
    let mut asked = Asked::default();
    for parameter in body.objects("parameter") {
        let value = |names: [&str; 3]| names.iter().find_map(|name| parameter.str(name)).map(str::to_owned);
        match parameter.str("name") {
            Some("resource") => asked.resource = parameter.object("resource").cloned(),
            Some("mode") => asked.mode = value(["valueCode", "valueString", "valueUri"]),
            Some("profile") => asked.profile = value(["valueUri", "valueCanonical", "valueString"]),
            other => {
                let other = other.unwrap_or_default().chars().take(40).collect::<String>();
                return Err(AppError::not_understood(
                    IssueKind::NotSupported,
                    "Parameters.parameter",
                    text!(
                        en: "$validate has no parameter “{other}”: resource, mode and profile.",
                        fr: "$validate n'a pas de paramètre « {other} » : resource, mode et profile.",
                    ),
                ));
            }
        }
    }
    Ok(asked)
}
