//! What the documents promise: the first commands, numbered decisions, links that lead somewhere.

use super::{File, Finding, Tree};

/// The commands a newcomer needs, in the first block of the README.
const FIRST_COMMANDS: [&str; 2] = ["cargo run --release -- demo", "./test"];

/// Whether the documents hold together.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    match tree.file("README.md") {
        Some(readme) => findings.extend(first_commands(readme)),
        None => findings.push(missing("README.md")),
    }
    for path in ["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "NOTICE", "SECURITY.md", "deny.toml", ".ci/run", "test"]
    {
        if tree.file(path).is_none() {
            findings.push(missing(path));
        }
    }
    findings.extend(decisions(tree));
    let documents = tree.files().iter().filter(|file| file.path.ends_with(".md"));
    findings.extend(documents.flat_map(|file| dead_links(file, tree)));
    findings
}

fn missing(path: &str) -> Finding {
    Finding { path: path.into(), line: 0, text: "missing".into() }
}

fn first_commands(readme: &File) -> Option<Finding> {
    let block = readme.text.split("```").nth(1).unwrap_or_default();
    let told = FIRST_COMMANDS.iter().all(|command| block.lines().any(|line| line.trim().starts_with(command)));
    (!told).then(|| readme.finding(1, format!("the first block holds the commands {FIRST_COMMANDS:?}")))
}

/// Decisions are numbered, each number is one decision's, and the title repeats it.
fn decisions(tree: &Tree) -> Vec<Finding> {
    let records = tree.files().iter().filter_map(|file| Some((file.path.strip_prefix("docs/decisions/")?, file)));
    let mut findings = Vec::new();
    let mut before = "";
    for (name, file) in records.filter(|(name, _)| *name != "README.md") {
        let number = name.split('-').next().unwrap_or_default();
        if number.len() != 4 || !number.bytes().all(|digit| digit.is_ascii_digit()) {
            findings.push(file.finding(0, "the name of a decision begins with its number: `0001-…`"));
        } else if number == before {
            findings.push(file.finding(0, format!("two decisions are numbered {number}")));
        } else if !file.text.starts_with(&format!("# {number} ")) {
            findings.push(file.finding(1, format!("the title of a decision begins with its number: `# {number} …`")));
        } else if !tree.file("docs/decisions/README.md").is_none_or(|list| list.text.contains(name)) {
            findings.push(file.finding(0, "missing in docs/decisions/README.md"));
        }
        before = number;
    }
    findings
}

fn dead_links(file: &File, tree: &Tree) -> Vec<Finding> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = resolve(folder, target);
            let leads_somewhere = |other: &File| other.path == path || other.path.starts_with(&format!("{path}/"));
            if !tree.files().iter().any(leads_somewhere) {
                findings.push(file.finding(at + 1, format!("a link that leads nowhere: {target}")));
            }
        }
    }
    findings
}

/// A relative link, from the root of the tree.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{Tree, dead_links, decisions, first_commands};

    #[test]
    fn the_readme_begins_with_the_two_commands() {
        let first = |text| first_commands(Tree::of([("README.md", text)]).file("README.md").unwrap());
        assert_eq!(first("# A\n```sh\ncargo run --release -- demo   # x\n./test\n```\n"), None);
        assert!(first("# A\n```sh\n./test\n```\n").is_some());
        assert!(first("# A\n```sh\nls\n```\n```sh\ncargo run --release -- demo\n./test\n```\n").is_some());
    }

    #[test]
    fn decisions_are_numbered_and_listed() {
        let count = |names: [(&str, &str); 2]| decisions(&Tree::of(names)).len();
        assert_eq!(count([("docs/decisions/0001-a.md", "# 0001 A"), ("docs/decisions/0003-b.md", "# 0003 B")]), 0);
        assert_eq!(count([("docs/decisions/0001-a.md", "# 0001 A"), ("docs/decisions/0001-b.md", "# 0001 B")]), 1);
        assert_eq!(count([("docs/decisions/0001-a.md", "# 0001 A"), ("docs/decisions/b.md", "# 0003 B")]), 1);
        assert_eq!(count([("docs/decisions/0001-a.md", "# A"), ("docs/decisions/0002-b.md", "# 0002 B")]), 1);
        assert_eq!(count([("docs/decisions/0001-a.md", "# 0001 A"), ("docs/decisions/README.md", "0002-b.md")]), 1);
    }

    #[test]
    fn links_lead_somewhere() {
        let tree =
            Tree::of([("docs/a/b.md", "[x](../c.md#y) [y](https://e.org) [z](d.md) [w](../a)"), ("docs/c.md", "")]);
        let lines: Vec<String> = dead_links(&tree.files()[0], &tree).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["docs/a/b.md:1: a link that leads nowhere: d.md"]);
    }
}
