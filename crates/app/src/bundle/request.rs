//! What an entry asks for: `Bundle.entry.request`, read like the address of a request.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
    tree::Object,
};
use liaison_store::contract::Name;

use crate::{
    error::{AppError, Refusal},
    face::Face,
    name,
    operation::update::{Expected, Target},
    query_string,
};

/// What an entry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `POST Type`.
    Create { resource_type: &'static str, if_none_exist: Option<String> },
    /// `PUT`.
    Update { target: Target, expected: Expected },
    /// `PATCH`.
    Patch { target: Target, expected: Expected },
    /// `DELETE`.
    Delete { target: Target, expected: Expected },
    /// `GET Type/id`.
    Read(Name),
    /// `GET Type/id/_history/n`.
    Vread(Name, u32),
    /// `GET Type?…`.
    Search { resource_type: Option<&'static str>, pairs: Vec<(String, String)> },
}

impl Asked {
    /// In which order the entries of a transaction are carried out.
    pub(crate) const fn turn(&self) -> u8 {
        match self {
            Self::Delete { .. } => 0,
            Self::Create { .. } => 1,
            Self::Update { .. } | Self::Patch { .. } => 2,
            Self::Read(_) | Self::Vread(..) | Self::Search { .. } => 3,
        }
    }

    /// Reads the request of an entry.
    ///
    /// # Errors
    /// 400 for what is not understood, 404 for types that are not kept here.
    pub(crate) fn read(request: &Object, face: &Face) -> Result<Self, AppError> {
        let method = request.str("method").unwrap_or_default();
        let url = request.str("url").unwrap_or_default().trim();
        let url = face.bases.iter().find_map(|base| url.strip_prefix(base.as_str())).unwrap_or(url);
        let url = url.trim_start_matches('/');
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let pairs = query.map(|query| query_string::read(query.as_bytes())).transpose()?;
        let expected = expected(request)?;
        let not_here = || {
            let shown: String = url.chars().take(120).collect();
            AppError::not_understood(
                IssueKind::NotSupported,
                "request.url",
                text!(
                    en: "“{method} {shown}” is no request that an entry can make here.",
                    fr: "« {method} {shown} » n'est pas une requête qu'une entrée peut faire ici.",
                ),
            )
        };
        if segments.iter().any(|segment| segment.starts_with('$')) {
            return Err(not_here());
        }
        match (method, segments.as_slice(), pairs) {
            ("POST", [kind], None) => Ok(Self::Create {
                resource_type: name::resource_type(kind, face.release)?,
                if_none_exist: request.str("ifNoneExist").map(str::to_owned),
            }),
            ("PUT" | "PATCH" | "DELETE", [kind, id], None) => {
                let target = Target::Named(name::of(kind, id, face.release)?);
                Ok(Self::change(method, target, expected))
            }
            ("PUT" | "PATCH" | "DELETE", [kind], Some(criteria)) => {
                let resource_type = name::resource_type(kind, face.release)?;
                Ok(Self::change(method, Target::Matching { resource_type, criteria }, expected))
            }
            ("GET" | "HEAD", [kind, id], None) => Ok(Self::Read(name::of(kind, id, face.release)?)),
            ("GET" | "HEAD", [kind, id, "_history", version], None) => {
                let name = name::of(kind, id, face.release)?;
                let version = version.parse().map_err(|_| AppError::unknown(&name))?;
                Ok(Self::Vread(name, version))
            }
            ("GET" | "HEAD", [kind], pairs) => Ok(Self::Search {
                resource_type: Some(name::resource_type(kind, face.release)?),
                pairs: pairs.unwrap_or_default(),
            }),
            ("GET" | "HEAD", [], Some(pairs)) => Ok(Self::Search { resource_type: None, pairs }),
            _ => Err(not_here()),
        }
    }

    fn change(method: &str, target: Target, expected: Expected) -> Self {
        match method {
            "PUT" => Self::Update { target, expected },
            "PATCH" => Self::Patch { target, expected },
            _ => Self::Delete { target, expected },
        }
    }
}

/// What `ifMatch` and `ifNoneMatch` of an entry ask of the version that is changed.
fn expected(request: &Object) -> Result<Expected, AppError> {
    if let Some(tag) = request.str("ifMatch") {
        let version = tag.trim().trim_start_matches("W/").trim_matches('"');
        return version.parse().map(Expected::Version).map_err(|_| {
            AppError::not_understood(
                IssueKind::Value,
                "request.ifMatch",
                text!(
                    en: "ifMatch is an ETag of this server, W/\"3\".",
                    fr: "ifMatch est un ETag de ce serveur, W/\"3\".",
                ),
            )
        });
    }
    Ok(if request.str("ifNoneMatch") == Some("*") { Expected::Absent } else { Expected::Anything })
}

/// The refusal of an entry without a request.
pub(crate) fn without() -> AppError {
    AppError::new(
        Refusal::NotUnderstood,
        Issue::error(
            IssueKind::Required,
            "request",
            text!(
                en: "An entry of a batch or transaction says what it asks for: request.method and request.url.",
                fr: "Une entrée de batch ou de transaction dit ce qu'elle demande : request.method et request.url.",
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{object, release::r4};

    use super::*;

    fn read(method: &str, url: &str) -> Result<Asked, AppError> {
        let base = "https://notes.example.org/fhir/r4/";
        let face = Face { release: r4(), base: base.into(), bases: [base.to_owned()].into() };
        Asked::read(&object! { "method" => method, "url" => url }, &face)
    }

    #[test]
    fn addresses_are_read_as_those_of_requests() {
        assert!(matches!(read("PUT", "Patient/1"), Ok(Asked::Update { target: Target::Named(_), .. })));
        assert!(matches!(
            read("DELETE", "https://notes.example.org/fhir/r4/Patient?identifier=a|b"),
            Ok(Asked::Delete { target: Target::Matching { .. }, .. })
        ));
        assert!(matches!(read("GET", "Patient/1/_history/2"), Ok(Asked::Vread(_, 2))));
        for (method, url) in [
            ("POST", ""),
            ("POST", "Patient/1"),
            ("POST", "Patient/$validate"),
            ("PUT", "Patient"),
            ("FETCH", "Patient/1"),
        ] {
            assert!(read(method, url).is_err(), "{method} {url}");
        }
    }
}
