//! One resource and more for each constraint that an expression checks, breaking it.

use liaison_fhir::{
    json::{self, Limits},
    release::{Release, ReleaseId},
};

use crate::Case;

const ROWS: &str = include_str!("../constraints.tsv");

struct Row {
    releases: &'static str,
    key: &'static str,
    resource: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    ROWS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        Some(Row { releases: columns.next()?, key: columns.next()?, resource: columns.next()? })
    })
}

fn is_of(releases: &str, release: &Release) -> bool {
    match releases {
        "both" => true,
        one => ReleaseId::named(one) == Some(release.id),
    }
}

pub fn cases(release: &'static Release) -> Result<Vec<Case>, String> {
    rows()
        .enumerate()
        .filter(|(_, row)| is_of(row.releases, release))
        .map(|(line, row)| {
            let resource = json::read(row.resource.as_bytes(), &Limits::default())
                .map_err(|issues| format!("{} {}: {issues:?}", row.key, row.resource))?;
            let name = format!("constraint-{}-{line}", row.key);
            Ok(Case::json(name, release, &resource))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use liaison_fhir::{release, validate::validate};

    use super::*;

    /// As published these always hold: `select(…).exists()` finds a truth value, be it false; and
    /// there is no `kind` in a snapshot.
    const NEVER_BROKEN: [(ReleaseId, &str); 3] =
        [(ReleaseId::R4, "eld-11"), (ReleaseId::Stu3, "eld-11"), (ReleaseId::Stu3, "sdf-15")];

    #[test]
    fn every_constraint_is_broken_by_a_resource_of_its_own() {
        let mut missing = Vec::new();
        for release in [release::stu3(), release::r4()] {
            let wanted: BTreeSet<&str> = release
                .structures()
                .flat_map(|s| s.constraints.iter().chain(s.elements.iter().flat_map(|e| &e.constraints)))
                .map(|constraint| constraint.key)
                .filter(|key| !NEVER_BROKEN.contains(&(release.id, key)))
                .collect();
            let broken: BTreeSet<&str> = rows().filter(|row| is_of(row.releases, release)).map(|row| row.key).collect();
            missing.extend(wanted.difference(&broken).map(|key| format!("{:?} {key} has no resource", release.id)));
            missing.extend(broken.difference(&wanted).map(|key| format!("{:?} has no {key}", release.id)));
        }
        for row in rows() {
            for release in [release::stu3(), release::r4()].into_iter().filter(|release| is_of(row.releases, release)) {
                let resource = json::read(row.resource.as_bytes(), &Limits::default()).unwrap();
                let issues = validate(&resource, release);
                let mark = format!("({}).", row.key);
                if !issues.iter().any(|issue| issue.text.en.ends_with(&mark)) {
                    missing.push(format!("{:?} {}: not found in {}: {issues:?}", release.id, row.key, row.resource));
                }
            }
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
    }
}
