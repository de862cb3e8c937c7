//! Writes the FHIR definition tables of `crates/fhir/data`.
//!
//! ```text
//! cargo run --release --ignore-rust-version --manifest-path xtask/tables/Cargo.toml
//! ```
//!
//! Sources, all read as data and pinned by `Cargo.lock`: the crate `fhir-types` (order, cardinality,
//! types, flags, search parameters), the crates `fhir-r3` and `fhir-r4` (bindings, targets by type),
//! and `input/`, extracted by `extract.py` from HL7's definitions (codes of required bindings, targets
//! and components of search parameters, compartments) and `constraints.py` (constraints, corrected by
//! `corrections.tsv`). The resource types come from `types.txt`.
//! `docs/definitions.md` describes the files written and how they are checked.

mod constraints;
mod literal;

use constraints::Constraint;
use literal::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// `fhir-types` leaves out a primitive that no element uses: the STU3 `uuid`.
const UNUSED: [&str; 1] = ["uuid"];
const STRUCTURE: &str = "http://hl7.org/fhir/StructureDefinition/";

struct Release {
    /// The folder of the tables, and the module of `fhir-types`.
    name: &'static str,
    version: &'static str,
    /// The crate that holds the bindings.
    bindings: &'static str,
}

const RELEASES: [Release; 2] = [
    Release {
        name: "stu3",
        version: "3.0.2",
        bindings: "fhir-r3",
    },
    Release {
        name: "r4",
        version: "4.0.1",
        bindings: "fhir-r4",
    },
];

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = here.join("../../crates/fhir/data");
    let crates = sources(here);
    let wanted = lines(&here.join("types.txt"));
    let mut found = BTreeSet::new();
    for release in &RELEASES {
        let tables = Tables::read(
            release,
            &crates,
            &wanted,
            here,
        );
        found.extend(tables.resources.iter().cloned());
        let folder = out.join(release.name);
        std::fs::create_dir_all(&folder).expect("a writable data folder");
        for (name, text) in tables.render(&crates) {
            let rows = text.lines().filter(|l| !l.starts_with('#')).count();
            println!("{}/{name}: {rows} rows, {} bytes", release.name, text.len());
            std::fs::write(folder.join(name), text).expect("a writable data folder");
        }
    }
    for name in wanted.iter().filter(|n| !found.contains(*n)) {
        println!("warning: no release has the type {name}");
    }
}

struct Crate {
    version: String,
    src: PathBuf,
}

/// Where cargo keeps the sources of the pinned crates.
fn sources(here: &Path) -> BTreeMap<String, Crate> {
    let output = std::process::Command::new(std::env::var("CARGO").unwrap_or("cargo".into()))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--manifest-path",
        ])
        .arg(here.join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata");
    let packages = json["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .filter_map(|p| {
            let manifest = Path::new(p["manifest_path"].as_str()?);
            Some((
                p["name"].as_str()?.to_owned(),
                Crate {
                    version: p["version"].as_str()?.to_owned(),
                    src: manifest.parent()?.join("src"),
                },
            ))
        })
        .collect()
}

/// The lines of a file that hold something.
fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file)
        .unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()))
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn rows(file: &Path) -> Vec<Vec<String>> {
    lines(file)
        .iter()
        .map(|l| l.split('\t').map(str::to_owned).collect())
        .collect()
}

/// One row of `structures.tsv`.
struct Element {
    path: String,
    min: u64,
    max: &'static str,
    /// Type codes in definition order, each with the targets of a reference or canonical.
    types: Vec<(String, Vec<String>)>,
    /// Children are defined elsewhere.
    content: Option<String>,
    flags: String,
    binding: Option<(String, String)>,
}

impl Element {
    fn types(&self) -> String {
        if let Some(path) = &self.content {
            return format!("#{path}");
        }
        let mut out = Vec::new();
        for (code, targets) in &self.types {
            if !targets.is_empty() {
                out.push(format!("{code}({})", targets.join("|")));
            } else if code == "Reference" {
                out.push("Reference(Any)".to_owned());
            } else {
                out.push(code.clone());
            }
        }
        out.join(",")
    }
}

/// One row of `search-parameters.tsv`.
struct Parameter {
    base: String,
    code: String,
    kind: String,
    expression: String,
    targets: String,
    components: String,
    url: String,
}

struct Tables<'a> {
    release: &'a Release,
    /// Every resource type of the release that is not abstract.
    all: Vec<String>,
    /// The resource types we keep.
    resources: BTreeSet<String>,
    elements: Vec<Element>,
    parameters: Vec<Parameter>,
    /// Value sets of required bindings: URL and its rows, or why it has none.
    valuesets: BTreeMap<String, Result<Vec<[String; 3]>, String>>,
    compartments: Vec<Vec<String>>,
    constraints: Vec<Constraint>,
}

impl<'a> Tables<'a> {
    fn read(
        release: &'a Release,
        crates: &BTreeMap<String, Crate>,
        wanted: &[String],
        here: &Path,
    ) -> Self {
        let input = here.join("input").join(release.name);
        let module = crates["fhir-types"].src.join(release.name);
        let schemas = &literal::statics(&module.join("schema.rs"))["SCHEMAS"];
        let facts =
            &literal::statics(&crates[release.bindings].src.join("meta/generated.rs"))["ELEMENTS"];
        let facts: BTreeMap<&str, &Value> = facts
            .list()
            .iter()
            .map(|e| (e.get("path").str(), e))
            .collect();
        let all: Vec<String> = schemas
            .get("resources")
            .strs()
            .iter()
            .map(|s| s.to_string())
            .collect();
        let resources: BTreeSet<String> =
            wanted.iter().filter(|w| all.contains(w)).cloned().collect();

        let mut t = Tables {
            release,
            all,
            resources,
            elements: Vec::new(),
            parameters: Vec::new(),
            valuesets: BTreeMap::new(),
            compartments: Vec::new(),
            constraints: Vec::new(),
        };
        t.structures(schemas, &facts);
        let registry = &literal::statics(&module.join("search_parameters.rs"))["SEARCH_PARAMETERS"];
        t.search(
            registry.get("parameters").list(),
            &rows(&input.join("search-parameters.tsv")),
        );
        t.codes(rows(&input.join("valuesets.tsv")));
        t.compartments = rows(&input.join("compartments.tsv"))
            .into_iter()
            .filter(|r| t.resources.contains(&r[1]))
            .collect();
        let paths: BTreeSet<&str> = t.elements.iter().map(|e| e.path.as_str()).collect();
        t.constraints = constraints::read(here, release.name, |path| paths.contains(path));
        t
    }

    fn structures(&mut self, schemas: &Value, facts: &BTreeMap<&str, &Value>) {
        let by_path: BTreeMap<&str, &Value> = schemas
            .get("types")
            .list()
            .iter()
            .map(|t| (t.get("path").str(), t))
            .collect();
        let primitives: BTreeSet<&str> = schemas
            .get("primitives")
            .list()
            .iter()
            .map(|p| p.get("name").str())
            .chain(UNUSED)
            .collect();
        let mut kinds: BTreeMap<&str, &str> =
            primitives.iter().map(|p| (*p, "primitive")).collect();
        for path in by_path.keys().filter(|p| !p.contains('.')) {
            let kind = if self.all.iter().any(|r| r == path) {
                if !self.resources.contains(*path) {
                    continue;
                }
                "resource"
            } else if matches!(
                *path,
                "Resource" | "DomainResource" | "Element" | "BackboneElement"
            ) {
                "abstract"
            } else {
                "datatype"
            };
            kinds.insert(path, kind);
        }
        for (name, kind) in kinds {
            self.elements.push(Element {
                path: name.to_owned(),
                min: 0,
                max: "*",
                types: vec![(kind.to_owned(), Vec::new())],
                content: None,
                flags: String::new(),
                binding: None,
            });
            if kind != "primitive" {
                self.fields(by_path[name], &by_path, facts);
            }
        }
    }

    fn fields(
        &mut self,
        parent: &Value,
        by_path: &BTreeMap<&str, &Value>,
        facts: &BTreeMap<&str, &Value>,
    ) {
        for field in parent.get("fields").list() {
            let path = field.get("path").str();
            let fact = facts.get(path);
            let mut flags = String::new();
            for (set, letter) in [
                (field.get("is_summary").bool(), 's'),
                (field.get("is_modifier").bool(), 'm'),
                (field.get("kind").name() == "Attribute", 'a'),
            ] {
                if set {
                    flags.push(letter);
                }
            }
            let many = field.get("many").bool();
            let max = match field.get("max").option().map(Value::int) {
                None => "*",
                Some(0) => "0",
                Some(1) => "1",
                Some(n) => panic!("{path}: max {n}"),
            };
            assert_eq!(many, max == "*", "{path}");
            self.elements.push(Element {
                path: path.to_owned(),
                min: field.get("min").int(),
                max,
                types: self.types(field, fact.copied()),
                content: field
                    .get("content_reference")
                    .option()
                    .map(|v| v.str().to_owned()),
                flags,
                binding: fact.and_then(|f| f.get("binding").option()).map(|b| {
                    let url = b.get("value_set").option().map_or("-", Value::str);
                    (
                        b.get("strength").name().to_lowercase(),
                        url.split('|').next().unwrap_or_default().to_owned(),
                    )
                }),
            });
            if let Some(nested) = by_path.get(path) {
                self.fields(nested, by_path, facts);
            }
        }
    }

    /// The codes in definition order, with targets by type where the second source has them (the
    /// first holds one list for the whole element).
    fn types(&self, field: &Value, fact: Option<&Value>) -> Vec<(String, Vec<String>)> {
        let path = field.get("path").str();
        let targeted = |code: &str| code == "Reference" || code == "canonical";
        let mut out: Vec<(String, Vec<String>)> = Vec::new();
        for code in field.get("types").strs() {
            if !out.iter().any(|(c, _)| c == code) {
                out.push((code.to_owned(), Vec::new()));
            }
        }
        let shared = field.get("target_profiles").strs();
        for (code, targets) in out.iter_mut().filter(|(c, _)| targeted(c)) {
            let profiles: Vec<&str> = match fact {
                Some(f) => f
                    .get("types")
                    .list()
                    .iter()
                    .filter(|t| t.get("code").str() == code)
                    .flat_map(|t| t.get("target_profiles").strs())
                    .collect(),
                None => shared.clone(),
            };
            for profile in profiles {
                assert!(
                    shared.contains(&profile),
                    "{path}: {profile} in one source only"
                );
                let name = profile.strip_prefix(STRUCTURE).unwrap_or(profile);
                let name = if name == "Resource" { "Any" } else { name };
                assert!(
                    name == "Any" || self.all.iter().any(|r| r == name),
                    "{path}: {name} is no resource type"
                );
                if !targets.iter().any(|t| t == name) {
                    targets.push(name.to_owned());
                }
            }
            if targets.iter().any(|t| t == "Any") {
                *targets = vec!["Any".to_owned()];
            }
        }
        if let Some(f) = fact {
            let other: BTreeSet<&str> = f
                .get("types")
                .list()
                .iter()
                .map(|t| t.get("code").str())
                .collect();
            let ours: BTreeSet<&str> = out.iter().map(|(c, _)| c.as_str()).collect();
            let system = other
                .iter()
                .any(|c| c.starts_with("http://hl7.org/fhirpath/"));
            if other != ours && !system {
                println!("{} {path}: types {ours:?} and {other:?}", self.release.name);
            }
        }
        out
    }

    fn search(&mut self, registry: &[Value], facts: &[Vec<String>]) {
        let facts: BTreeMap<&str, &Vec<String>> =
            facts.iter().map(|r| (r[0].as_str(), r)).collect();
        let mut bases: Vec<&str> = self.resources.iter().map(String::as_str).collect();
        bases.extend(["Resource", "DomainResource"]);
        let mut out: BTreeMap<(String, String), Parameter> = BTreeMap::new();
        for p in registry {
            let expression = p.get("expression").option().map(Value::str);
            // Parameters of extension packs, defined for humans only.
            if expression.is_none() && p.get("experimental").bool() {
                continue;
            }
            let url = p.get("url").str();
            let code = p.get("code").str();
            let declared = p.get("base").strs();
            let fact = facts.get(url);
            for base in declared.iter().filter(|b| bases.contains(b)) {
                let mine = match expression {
                    None => "-".to_owned(),
                    Some(e) => {
                        let parts: Vec<&str> = alternatives(e)
                            .into_iter()
                            .filter(|a| root(a) == *base)
                            .collect();
                        if parts.is_empty() {
                            println!("{} {base}.{code}: kept whole: {e}", self.release.name);
                            e.to_owned()
                        } else {
                            parts.join(" | ")
                        }
                    }
                };
                let kind = p.get("type").name().to_lowercase();
                let targets = if kind == "reference" {
                    self.targets(base, code, &mine, fact.map(|f| f[1].as_str()))
                } else {
                    "-".to_owned()
                };
                let row = Parameter {
                    base: base.to_string(),
                    code: code.to_owned(),
                    kind,
                    expression: mine,
                    targets,
                    components: fact.map_or("-".to_owned(), |f| f[2].clone()),
                    url: url.to_owned(),
                };
                if let Some(old) = out.insert((base.to_string(), code.to_owned()), row) {
                    println!(
                        "{} {base}.{code}: defined twice: {} {url}",
                        self.release.name, old.url
                    );
                }
            }
        }
        self.parameters = out.into_values().collect();
    }

    /// What a reference parameter may point at: what the parameter declares, kept to what the
    /// element allows (a parameter of many resource types declares the union).
    fn targets(&self, base: &str, code: &str, expression: &str, declared: Option<&str>) -> String {
        let mut allowed: Vec<String> = Vec::new();
        for part in alternatives(expression) {
            match self.allowed(part) {
                Some(targets) => allowed.extend(targets),
                None => {
                    allowed = vec!["Any".into()];
                    println!("{} {base}.{code}: no element for {part}", self.release.name);
                }
            }
        }
        let any = |list: &[String]| list.is_empty() || list.iter().any(|t| t == "Any");
        let declared: Vec<String> = declared
            .filter(|d| *d != "-")
            .map(|d| d.split('|').map(str::to_owned).collect())
            .unwrap_or_default();
        let kept: BTreeSet<String> = if any(&declared) {
            allowed.into_iter().collect()
        } else if any(&allowed) {
            declared.into_iter().collect()
        } else {
            let kept: BTreeSet<String> = declared
                .iter()
                .filter(|d| allowed.contains(d))
                .cloned()
                .collect();
            if kept.is_empty() {
                println!(
                    "{} {base}.{code}: {declared:?} against {allowed:?}",
                    self.release.name
                );
                declared.into_iter().collect()
            } else {
                kept
            }
        };
        if code == "patient" {
            // The STU3 union of `clinical-patient` adds Group for other parameters' sake.
            "Patient".to_owned()
        } else if kept.is_empty() || kept.contains("Any") {
            "Any".to_owned()
        } else {
            kept.into_iter().collect::<Vec<_>>().join("|")
        }
    }

    /// The targets of the element a simple expression names, kept to `resolve() is X`.
    fn allowed(&self, expression: &str) -> Option<Vec<String>> {
        let mut path = String::new();
        let mut only = None;
        let mut rest = expression.trim().trim_start_matches('(');
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(".where(") {
                let end = closing(after)?;
                if let Some(name) = after[..end].strip_prefix("resolve() is ") {
                    only = Some(name.trim().to_owned());
                }
                rest = &after[end + 1..];
            } else if let Some(after) = rest.strip_prefix(".as(") {
                rest = &after[closing(after)? + 1..];
            } else if let Some(after) = rest.strip_prefix(" as ") {
                rest = &after[after.find(')')? + 1..];
            } else if rest == ")" {
                break;
            } else {
                let end = rest[1..]
                    .find(['.', ' ', ')', '('])
                    .map_or(rest.len(), |i| i + 1);
                path.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
        let element = self.resolve(&path)?;
        let mut targets: Vec<String> = Vec::new();
        for (code, of) in &element.types {
            match code.as_str() {
                "Reference" | "canonical" if of.is_empty() => targets.push("Any".into()),
                "Reference" | "canonical" => targets.extend(of.iter().cloned()),
                // A bare URI, or a resource in a bundle: the element says nothing.
                "uri" | "Resource" => targets.push("Any".into()),
                _ => {}
            }
        }
        match only {
            Some(name) => Some(vec![name]),
            None => Some(targets),
        }
    }

    /// The element at a path that may cross data types and content references.
    fn resolve(&self, path: &str) -> Option<&Element> {
        let find = |p: &str| {
            self.elements
                .iter()
                .find(|e| e.path == p || e.path.strip_suffix("[x]") == Some(p))
        };
        let mut steps = path.split('.');
        let mut at = find(steps.next()?)?;
        for step in steps {
            let step = step.split('[').next().unwrap_or(step);
            let parent = at.content.as_ref().unwrap_or(&at.path);
            at = find(&format!("{parent}.{step}")).or_else(|| {
                at.types
                    .iter()
                    .find_map(|(code, _)| find(&format!("{code}.{step}")))
            })?;
        }
        Some(at)
    }

    fn codes(&mut self, input: Vec<Vec<String>>) {
        let mut sets: BTreeMap<String, Result<Vec<[String; 3]>, String>> = BTreeMap::new();
        for row in input {
            let [url, system, code, display] = row.try_into().expect("four columns");
            if system == "-" {
                sets.insert(url, Err(display));
            } else if let Ok(list) = sets.entry(url).or_insert(Ok(Vec::new())) {
                list.push([system, code, display]);
            }
        }
        for element in &self.elements {
            if let Some((strength, url)) = &element.binding
                && strength == "required"
            {
                let found = sets.get(url).cloned();
                self.valuesets.insert(
                    url.clone(),
                    found.unwrap_or(Err("not in the definitions".into())),
                );
            }
        }
    }

    fn render(&self, crates: &BTreeMap<String, Crate>) -> Vec<(&'static str, String)> {
        let version = self.release.version;
        let sources = format!(
            "# Made by xtask/tables from the crates fhir-types {} (Apache-2.0) and {} {} (MIT or Apache-2.0),\n\
             # and from HL7's definitions. FHIR definitions: HL7, CC0. Do not edit: see docs/definitions.md.\n",
            crates["fhir-types"].version,
            self.release.bindings,
            crates[self.release.bindings].version,
        );
        let head = |what: &str, columns: &str| {
            format!("# FHIR {version}: {what}.\n{sources}# Columns: {columns}\n")
        };

        let mut structures = head(
            "elements in definition order",
            "path min max types flags binding",
        );
        for e in &self.elements {
            let flags = if e.flags.is_empty() { "-" } else { &e.flags };
            let binding = e
                .binding
                .as_ref()
                .map_or("-".to_owned(), |(s, u)| format!("{s}|{u}"));
            line(
                &mut structures,
                &[
                    &e.path,
                    &e.min.to_string(),
                    e.max,
                    &e.types(),
                    flags,
                    &binding,
                ],
            );
        }

        let mut types = head("every resource type", "name");
        for name in &self.all {
            line(&mut types, &[name]);
        }

        let mut sets = head(
            "codes of the value sets of required bindings",
            "valueset system code display",
        );
        for (url, codes) in &self.valuesets {
            if let Err(why) = codes {
                writeln!(sets, "# Omitted: {url} ({why})").expect("a string takes all");
            }
        }
        for (url, codes) in &self.valuesets {
            for [system, code, display] in codes.iter().flatten() {
                line(&mut sets, &[url, system, code, display]);
            }
        }

        let mut search = head(
            "search parameters, one row for each base type and code",
            "base code type expression targets components url",
        );
        for p in &self.parameters {
            line(
                &mut search,
                &[
                    &p.base,
                    &p.code,
                    &p.kind,
                    &p.expression,
                    &p.targets,
                    &p.components,
                    &p.url,
                ],
            );
        }

        let mut compartments = head("compartments", "compartment resource parameters");
        for row in &self.compartments {
            line(
                &mut compartments,
                &row.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }

        let mut constraints = head(
            "constraints, and who checks them: path (the expression, evaluated), walk, nobody",
            "path key severity by expression",
        );
        for c in &self.constraints {
            line(
                &mut constraints,
                &[&c.path, &c.key, &c.severity, &c.by, &c.expression],
            );
        }

        vec![
            ("structures.tsv", structures),
            ("resource-types.txt", types),
            ("valuesets.tsv", sets),
            ("search-parameters.tsv", search),
            ("compartments.tsv", compartments),
            ("constraints.tsv", constraints),
        ]
    }
}

fn line(out: &mut String, cells: &[&str]) {
    assert!(
        !cells.iter().any(|c| c.contains(['\t', '\n'])),
        "a cell holds a separator: {cells:?}"
    );
    out.push_str(&cells.join("\t"));
    out.push('\n');
}

/// Splits a FHIRPath union at its outer `|`.
fn alternatives(expression: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut out = Vec::new();
    for (i, c) in expression.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            '|' if !quoted && depth == 0 => {
                out.push(expression[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(expression[start..].trim());
    out
}

/// The type an expression starts from.
fn root(expression: &str) -> &str {
    let start = expression.trim_start_matches(['(', ' ']);
    let end = start
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(start.len());
    &start[..end]
}

/// The offset of the parenthesis that closes the one just before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(i),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}
