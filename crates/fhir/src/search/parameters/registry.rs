//! Loading the tables of search parameters, once.

use std::{collections::HashMap, sync::LazyLock};

use crate::{
    outcome::Text,
    path::{Path, route},
    release::{ReleaseId, view},
    search::{index::Param, query::ParamKind},
};

use super::{Meaning, Offer, Parameter, Through, kind_named, reading::Reading};

pub(super) static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::load);

#[derive(Debug, Default)]
pub(super) struct Registry {
    indexed: HashMap<&'static str, Vec<&'static Parameter>>,
    offers: HashMap<(ReleaseId, &'static str), Vec<Offer>>,
    left_out: HashMap<(ReleaseId, &'static str, &'static str), &'static str>,
    through: Vec<Through>,
    codes: Vec<CodeRow>,
    /// What could not be loaded: a test says that there is nothing here.
    faults: Vec<String>,
}

#[derive(Debug)]
struct CodeRow {
    release: ReleaseId,
    base: &'static str,
    code: &'static str,
    said: &'static str,
    indexed: Vec<&'static str>,
}

/// A row of a release's table, or of our own.
#[derive(Clone, Copy, Debug)]
struct Row {
    base: &'static str,
    code: &'static str,
    kind: ParamKind,
    expression: &'static str,
    targets: &'static str,
    url: Option<&'static str>,
}

#[derive(Debug)]
struct Extra {
    releases: Vec<ReleaseId>,
    row: Row,
    description: Text,
}

#[derive(Clone, Copy, Debug)]
struct NameRow {
    release: ReleaseId,
    base: &'static str,
    name: &'static str,
    meaning: &'static str,
    reason: &'static str,
}

impl Registry {
    pub(super) fn offers(&self, release: ReleaseId, resource_type: &str) -> &[Offer] {
        let resource_type = view().resource(resource_type).map_or("", |structure| structure.path);
        self.offers.get(&(release, resource_type)).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn indexed(&self, resource_type: &str) -> &[&'static Parameter] {
        self.indexed.get(resource_type).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn reason_left_out(&self, release: ReleaseId, resource_type: &str, name: &str) -> Option<&'static str> {
        self.left_out
            .iter()
            .find(|((of, base, left), _)| *of == release && *base == resource_type && *left == name)
            .map(|(_, reason)| *reason)
    }

    pub(super) fn through(&self) -> &[Through] {
        &self.through
    }

    pub(super) fn indexed_codes(&self, release: ReleaseId, param: Param, said: &str) -> Option<&[&'static str]> {
        let row = |row: &&CodeRow| {
            row.release == release && row.base == param.base && row.code == param.code && row.said == said
        };
        self.codes.iter().find(row).map(|row| row.indexed.as_slice())
    }

    fn load() -> Self {
        let tables: Vec<(ReleaseId, Vec<Row>)> =
            ReleaseId::ALL.into_iter().map(|release| (release, release_rows(release.search_parameters()))).collect();
        let extras: Vec<Extra> =
            lines(include_str!("../../../data/search/extra.tsv")).filter_map(Extra::read).collect();
        let names: Vec<NameRow> =
            lines(include_str!("../../../data/search/names.tsv")).filter_map(NameRow::read).collect();
        let mut registry = Self::default();
        for resource_type in view().resources() {
            registry.load_type(resource_type, &tables, &extras, &names);
        }
        registry.load_through();
        registry.codes = lines(include_str!("../../../data/search/codes.tsv")).filter_map(CodeRow::read).collect();
        registry
    }

    fn load_type(
        &mut self,
        resource_type: &'static str,
        tables: &[(ReleaseId, Vec<Row>)],
        extras: &[Extra],
        names: &[NameRow],
    ) {
        let of_type = |base: &str| base == resource_type || base == "Resource" || base == "DomainResource";
        let renamed = |release: ReleaseId, name: &str| {
            names.iter().find(|row| row.release == release && row.name == name && of_type(row.base))
        };
        let rows: Vec<Row> = tables
            .iter()
            .filter(|(release, _)| *release == view().id)
            .flat_map(|(_, rows)| rows)
            .filter(|row| of_type(row.base))
            .chain(extras.iter().map(|extra| &extra.row).filter(|row| row.base == resource_type))
            .copied()
            .collect();

        // What is indexed.
        let mut indexed: Vec<&'static Parameter> = Vec::new();
        for row in &rows {
            let left_out = renamed(view().id, row.code).is_some_and(|name| name.meaning == "-");
            if left_out
                || row.kind == ParamKind::Composite
                || is_of_every_resource(row.code)
                || twin(row, &rows).is_some()
            {
                continue;
            }
            match load_parameter(resource_type, row) {
                Ok(parameter) => indexed.push(Box::leak(Box::new(parameter))),
                Err(fault) => self.faults.push(fault),
            }
        }

        // What it is called.
        let find = |code: &str| indexed.iter().copied().find(|parameter| parameter.param.code == code);
        let means = |code: &str| match code {
            "_id" => Some(Meaning::Id),
            "_lastUpdated" => Some(Meaning::LastUpdated),
            _ => match rows.iter().find(|row| row.code == code).and_then(|row| twin(row, &rows)) {
                Some((of, target)) => find(of).map(|parameter| Meaning::Restricted(parameter, target)),
                None => find(code).map(Meaning::Parameter),
            },
        };
        for (release, own) in tables {
            let release = *release;
            let mut offers: Vec<Offer> = Vec::new();
            let offered = own.iter().filter(|row| of_type(row.base)).map(|row| (*row, None)).chain(
                extras
                    .iter()
                    .filter(|extra| extra.releases.contains(&release) && extra.row.base == resource_type)
                    .map(|extra| (extra.row, Some(extra.description.clone()))),
            );
            for (row, description) in offered {
                let name = renamed(release, row.code);
                if let Some(NameRow { meaning: "-", reason, .. }) = name {
                    self.left_out.insert((release, resource_type, row.code), reason);
                    continue;
                }
                if row.kind == ParamKind::Composite {
                    self.left_out.insert((release, resource_type, row.code), "composite parameters are not offered");
                    continue;
                }
                if offers.iter().any(|offer| offer.name == row.code) {
                    continue;
                }
                let meaning = match name {
                    Some(name) => meaning(name.meaning, &means),
                    None => means(row.code),
                };
                match meaning {
                    Some(meaning) => {
                        offers.push(Offer { name: row.code, kind: row.kind, url: row.url, description, meaning });
                    }
                    None => self.faults.push(format!("{release:?} {resource_type} {}: means nothing", row.code)),
                }
            }
            let more =
                names.iter().filter(|row| row.release == release && row.base == resource_type && row.meaning != "-");
            for row in more {
                if offers.iter().any(|offer| offer.name == row.name) {
                    continue;
                }
                match meaning(row.meaning, &means) {
                    Some(meaning) => offers.push(Offer {
                        name: row.name,
                        kind: kind_of(&meaning),
                        url: None,
                        description: None,
                        meaning,
                    }),
                    None => self.faults.push(format!("{release:?} {resource_type} {}: means nothing", row.name)),
                }
            }
            offers.sort_by_key(|offer| offer.name);
            self.offers.insert((release, resource_type), offers);
        }
        self.indexed.insert(resource_type, indexed);
    }

    fn load_through(&mut self) {
        for line in lines(include_str!("../../../data/search/through.tsv")) {
            let columns: Vec<&'static str> = line.split('\t').collect();
            let [base, reference, target, role, of_role] = columns[..] else {
                self.faults.push(format!("through.tsv: {line}"));
                continue;
            };
            let find = |base: &str, code: &str| self.indexed(base).iter().copied().find(|p| p.param.code == code);
            match (find(base, reference), find(role, of_role)) {
                (Some(reference), Some(of_role)) => self.through.push(Through { reference, target, role, of_role }),
                _ => self.faults.push(format!("through.tsv: {line}")),
            }
        }
    }
}

/// Parameters that are no rows of the index.
fn is_of_every_resource(code: &str) -> bool {
    matches!(code, "_id" | "_lastUpdated")
}

/// A row is the twin of another when it is the same reference, limited to one type: it needs no
/// rows of its own.
fn twin(row: &Row, rows: &[Row]) -> Option<(&'static str, &'static str)> {
    let (expression, rest) = row.expression.split_once(".where(resolve() is ")?;
    let target = rest.strip_suffix(')').filter(|target| target.bytes().all(|b| b.is_ascii_alphabetic()))?;
    let other = rows.iter().find(|other| other.expression == expression && other.kind == ParamKind::Reference)?;
    Some((other.code, target))
}

fn load_parameter(resource_type: &'static str, row: &Row) -> Result<Parameter, String> {
    let at = || format!("{resource_type} {}", row.code);
    let path = Path::parse(row.expression).map_err(|error| format!("{}: {error}", at()))?;
    let routes: Vec<_> = route::routes(path.expression(), resource_type, view())
        .into_iter()
        .filter_map(|route| Reading::of(row.kind, route.type_code).map(|reading| (route, reading)))
        .collect();
    let is_condition = row.kind == ParamKind::Token && row.expression.contains("exists()");
    if routes.is_empty() && !is_condition {
        return Err(format!("{}: no value can be found by {}", at(), row.expression));
    }
    let targets = match (row.kind, row.targets) {
        (ParamKind::Reference, "Any" | "Resource") => view().resources(),
        (ParamKind::Reference, targets) => {
            let mut targets: Vec<&'static str> =
                targets.split('|').filter_map(|name| view().resource(name)).map(|structure| structure.path).collect();
            targets.sort_unstable();
            targets
        }
        _ => Vec::new(),
    };
    let variant = |of: Reading, name: &str| {
        let code: &'static str = format!("{}:{name}", row.code).leak();
        routes.iter().any(|(_, reading)| *reading == of).then_some(Param { base: resource_type, code })
    };
    Ok(Parameter {
        param: Param { base: resource_type, code: row.code },
        kind: row.kind,
        expression: row.expression,
        identifier: variant(Reading::Reference, "identifier"),
        of_type: variant(Reading::Identifier, "of-type"),
        path,
        routes,
        targets,
    })
}

fn meaning(text: &'static str, means: &impl Fn(&str) -> Option<Meaning>) -> Option<Meaning> {
    if text.contains('.') {
        return Some(Meaning::Chain(text));
    }
    match text.split_once(':') {
        Some((code, "identifier")) => match means(code)? {
            Meaning::Parameter(parameter) => Some(Meaning::Identifiers(parameter, parameter.identifier?)),
            _ => None,
        },
        Some(_) => None,
        None => means(text),
    }
}

fn kind_of(meaning: &Meaning) -> ParamKind {
    match meaning {
        Meaning::Id | Meaning::Identifiers(..) => ParamKind::Token,
        Meaning::LastUpdated => ParamKind::Date,
        Meaning::Parameter(parameter) => parameter.kind,
        Meaning::Restricted(..) => ParamKind::Reference,
        Meaning::Chain(_) => ParamKind::String,
    }
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn release_rows(table: &'static str) -> Vec<Row> {
    lines(table).filter_map(|line| Row::read(&mut line.split('\t'))).collect()
}

impl Row {
    fn read(columns: &mut impl Iterator<Item = &'static str>) -> Option<Self> {
        let (base, code) = (columns.next()?, columns.next()?);
        let kind = kind_named(columns.next()?)?;
        let (expression, targets) = (columns.next()?, columns.next()?);
        let url = columns.filter(|column| column.starts_with("http")).last();
        Some(Self { base, code, kind, expression, targets, url })
    }
}

impl Extra {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns: Vec<&'static str> = line.split('\t').collect();
        let (fr, en) = (columns.pop()?, columns.pop()?);
        let mut columns = columns.into_iter();
        let releases = columns.next()?.split(',').filter_map(ReleaseId::named).collect();
        let description = Text { en: en.to_owned(), fr: fr.to_owned() };
        Some(Self { releases, row: Row::read(&mut columns)?, description })
    }
}

impl NameRow {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        Some(Self {
            release: ReleaseId::named(columns.next()?)?,
            base: columns.next()?,
            name: columns.next()?,
            meaning: columns.next()?,
            reason: columns.next()?,
        })
    }
}

impl CodeRow {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let release = ReleaseId::named(columns.next()?)?;
        let (base, code, said) = (columns.next()?, columns.next()?, columns.next()?);
        Some(Self { release, base, code, said, indexed: columns.next()?.split(',').collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_understood() {
        assert_eq!(REGISTRY.faults, Vec::<String>::new());
        let count = |table: &'static str| lines(table).count();
        let extra = include_str!("../../../data/search/extra.tsv");
        assert_eq!(lines(extra).filter_map(Extra::read).count(), count(extra));
        let names = include_str!("../../../data/search/names.tsv");
        assert_eq!(lines(names).filter_map(NameRow::read).count(), count(names));
        for table in ReleaseId::ALL.map(ReleaseId::search_parameters) {
            assert_eq!(release_rows(table).len(), count(table));
        }
    }

    #[test]
    fn a_name_is_left_out_only_when_the_release_has_it() {
        for name in lines(include_str!("../../../data/search/names.tsv")).filter_map(NameRow::read) {
            let rows = release_rows(name.release.search_parameters());
            if name.meaning == "-" {
                assert!(rows.iter().any(|row| row.base == name.base && row.code == name.name), "{name:?}");
                assert!(name.reason.len() > 5, "{name:?} must say why");
            }
        }
    }
}
