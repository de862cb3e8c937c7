//! What was given, as text, with the place it was given at.

use std::{
    borrow::Cow,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use liaison_outbound::s3::Credentials;
use toml::de::{DeTable, DeValue};

use super::{ALL, SettingError};

/// The settings that were given, each with its place; of several the strongest.
#[derive(Clone, Debug, Default)]
pub struct Given {
    values: Vec<(&'static str, String, Place)>,
    /// Variables that look like ours and are not: a misspelt one should not go unnoticed, but an
    /// orchestrator may set some of its own (`LIAISON_SERVICE_HOST`), so they do not stop anything.
    pub unknown_variables: Vec<String>,
    /// The key of the store of objects.
    pub objects_key: Option<Credentials>,
}

/// Where a setting was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// As a flag.
    Flag(String),
    /// In the environment.
    Variable(String),
    /// In the file, at a line.
    File(PathBuf, usize),
    /// Nowhere: it is what is in force by default.
    Default(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Variable(variable) => write!(f, "{variable} in the environment"),
            Self::File(file, line) => write!(f, "{}, line {line}", file.display()),
            Self::Default(key) => write!(f, "{key} (by default)"),
        }
    }
}

const PREFIX: &str = "LIAISON_";

impl Given {
    /// Adds what a flag says.
    pub fn flag(&mut self, key: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            let flag = format!("--{}", key.replace('_', "-"));
            self.add(key, value.clone(), Place::Flag(flag));
        }
    }

    /// Adds what the repeated `--set KEY=VALUE` says.
    pub fn set_flags(&mut self, pairs: &[String]) -> Result<(), SettingError> {
        for pair in pairs {
            let place = Place::Flag(format!("--set {}", shown(pair)));
            let wrong = |problem: String| SettingError { place: place.clone(), problem };
            let (key, value) = pair.split_once('=').ok_or_else(|| wrong("write KEY=VALUE".into()))?;
            let key = known(key).ok_or_else(|| wrong(unknown_key(key)))?;
            self.add(key, value.into(), place.clone());
        }
        Ok(())
    }

    /// Adds what the environment says.
    pub fn environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), SettingError> {
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            // The file to read is no setting of the file.
            if name == CONFIG_VARIABLE {
                continue;
            }
            let Some(key) = known(&name[PREFIX.len()..].to_ascii_lowercase()) else {
                self.unknown_variables.push(name.into());
                continue;
            };
            let place = Place::Variable(name.into());
            match value.into_string() {
                Ok(value) => self.add(key, value, place),
                Err(_) => return Err(SettingError { place, problem: "write it in UTF-8".into() }),
            }
        }
        Ok(())
    }

    /// Adds what the environment says by names that other programs know too: where the collector of traces
    /// is, when our own names and the file say nothing of it, and the key of a store of objects, which is
    /// given nowhere else, so that it is never shown among the settings.
    pub fn of_others(&mut self, variables: &[(OsString, OsString)]) {
        let said = |name: &str| {
            let said = variables.iter().find(|(known, value)| known == name && !value.is_empty());
            said.and_then(|(_, value)| value.to_str()).map(str::to_owned)
        };
        if let Some(value) = said(COLLECTOR_VARIABLE) {
            self.add("otlp_endpoint", value, Place::Variable(COLLECTOR_VARIABLE.into()));
        }
        let (key, secret) = (said("AWS_ACCESS_KEY_ID"), said("AWS_SECRET_ACCESS_KEY"));
        if let (Some(key), Some(secret)) = (key, secret) {
            self.objects_key = Some(Credentials { key, secret, session: said("AWS_SESSION_TOKEN") });
        }
    }

    /// Adds what a file says.
    pub fn file(&mut self, path: &Path, text: &str) -> Result<(), SettingError> {
        let line_at = |at: usize| 1 + text.get(..at).unwrap_or(text).matches('\n').count();
        let wrong = |at: usize, problem: String| SettingError { place: Place::File(path.into(), line_at(at)), problem };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(at, format!("not TOML: {}", error.message()))
        })?;
        for (key, value) in table.get_ref() {
            let at = key.span().start;
            let key = known(key.get_ref()).ok_or_else(|| wrong(at, unknown_key(key.get_ref())))?;
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Boolean(truth) => truth.to_string(),
                _ => return Err(wrong(at, format!("{key}: write a text or a whole number"))),
            };
            self.add(key, text, Place::File(path.into(), line_at(at)));
        }
        Ok(())
    }

    /// What is in force for a setting, and where it was given. Flags are added first, then the
    /// environment, then the file: the first that speaks is heard.
    pub fn get(&self, key: &'static str) -> (&str, Place) {
        let given = self.values.iter().find(|(known, ..)| *known == key);
        given.map_or_else(
            || {
                let setting = ALL.iter().find(|setting| setting.key == key);
                (setting.map_or("", |setting| setting.default), Place::Default(key))
            },
            |(_, value, place)| (value.as_str(), place.clone()),
        )
    }

    fn add(&mut self, key: &'static str, value: String, place: Place) {
        self.values.push((key, value, place));
    }
}

/// The variable by which OpenTelemetry's programs are told where their collector is.
const COLLECTOR_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The variable that names the file of settings.
pub const CONFIG_VARIABLE: &str = "LIAISON_CONFIG";

/// A value as it may be shown: without the password of an address.
pub fn shown(text: &str) -> Cow<'_, str> {
    let parts = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match parts.and_then(|(scheme, (who, rest))| Some((scheme, who.split_once(':')?.0, rest))) {
        Some((scheme, who, rest)) => format!("{scheme}://{who}:…@{rest}").into(),
        None => text.into(),
    }
}

fn known(key: &str) -> Option<&'static str> {
    ALL.iter().map(|setting| setting.key).find(|known| *known == key)
}

fn unknown_key(key: &str) -> String {
    let nearest = ALL.iter().map(|setting| setting.key).min_by_key(|known| distance(key, known));
    let hint = nearest.filter(|known| distance(key, known) <= 3).map(|known| format!(" (did you mean {known}?)"));
    format!("unknown setting {key:?}{}; `liaison doctor` lists those there are", hint.unwrap_or_default())
}

/// How many letters to change, add or leave out to make one word of another (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..b.len() {
            let change = diagonal + usize::from(letter != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
