//! What the program is made of: licences and banned crates, from `deny.toml`.
//!
//! `cargo deny` checks the same and more (advisories, sources); this check needs nothing installed
//! and no network, so it always runs.

mod licence;

use std::{path::Path, process::Command};

use serde_json::Value;

/// What `deny.toml` says.
struct Policy {
    allowed: Vec<String>,
    banned: Vec<String>,
}

/// A package of the build, as cargo describes it.
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
}

/// Every package of the build that is against the policy, or why it cannot be said.
pub fn findings(root: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(root.join("deny.toml")).map_err(|error| format!("deny.toml: {error}"))?;
    let policy = Policy::read(&text)?;
    let packages = packages(root)?;
    if packages.is_empty() {
        return Err("cargo names no package".into());
    }
    Ok(packages.iter().filter_map(|package| policy.against(package)).collect())
}

impl Policy {
    fn read(text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
        let list = |section: &str, key: &str| {
            let found = table.get(section).and_then(|section| section.get(key)).and_then(toml::Value::as_array);
            found.cloned().ok_or_else(|| format!("deny.toml lacks [{section}] {key}"))
        };
        let allowed = list("licenses", "allow")?.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        let banned =
            list("bans", "deny")?.iter().filter_map(|ban| Some(ban.get("crate")?.as_str()?.to_owned())).collect();
        Ok(Self { allowed, banned })
    }

    fn against(&self, package: &Package) -> Option<String> {
        let Package { name, version, licence } = package;
        if self.banned.contains(name) {
            return Some(format!("{name} {version} is banned by deny.toml"));
        }
        match licence {
            None => Some(format!("{name} {version} names no licence")),
            Some(licence) if licence::allowed(licence, &self.allowed) => None,
            Some(licence) => Some(format!("{name} {version} is under {licence}, which deny.toml does not allow")),
        }
    }
}

/// The packages that the build for Linux really uses: the lock file holds others too.
fn packages(root: &Path) -> Result<Vec<Package>, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]);
    let output = cargo.current_dir(root).output().map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let used: Vec<Value> = items(&metadata["resolve"]["nodes"]).iter().map(|node| node["id"].clone()).collect();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let described = items(&metadata["packages"]).into_iter().filter(|package| used.contains(&package["id"]));
    Ok(described
        .map(|package| Package {
            name: text(&package["name"]).unwrap_or_default(),
            version: text(&package["version"]).unwrap_or_default(),
            licence: text(&package["license"]),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::{Package, Policy};

    #[test]
    fn everything_the_program_is_made_of_is_allowed() {
        assert_eq!(super::findings(crate::root()), Ok(Vec::new()));
    }

    #[test]
    fn banned_crates_and_unknown_licences_are_found() {
        let policy =
            Policy::read("[licenses]\nallow = [\"MIT\"]\n[bans]\ndeny = [{ crate = \"openssl-sys\" }]").unwrap();
        let against = |name: &str, licence: Option<&str>| {
            policy.against(&Package { name: name.into(), version: "1.0.0".into(), licence: licence.map(str::to_owned) })
        };
        assert_eq!(against("itoa", Some("MIT OR Apache-2.0")), None);
        assert_eq!(against("openssl-sys", Some("MIT")), Some("openssl-sys 1.0.0 is banned by deny.toml".into()));
        assert!(against("a", Some("GPL-3.0")).is_some_and(|text| text.contains("GPL-3.0")));
        assert_eq!(against("a", None), Some("a 1.0.0 names no licence".into()));
    }

    #[test]
    fn a_policy_without_its_lists_is_an_error() {
        assert!(Policy::read("[licenses]\nallow = []").is_err());
    }
}
