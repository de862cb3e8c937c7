//! The threat model names, for each attack, tests that are there.

use super::{File, Finding, Tree};

const MODEL: &str = "docs/security/threat-model.md";

/// Whether each attack has a test, and each test named exists.
pub fn check(tree: &Tree) -> Vec<Finding> {
    match tree.file(MODEL) {
        Some(model) => attacks(model).flat_map(|(line, row)| check_row(model, line, row, tree)).collect(),
        None => vec![Finding { path: MODEL.into(), line: 0, text: "missing".into() }],
    }
}

/// The rows of its tables, but for those that only lay them out, with their lines.
fn attacks(model: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<(usize, &str)> = model.text.lines().enumerate().map(|(at, line)| (at + 1, line)).collect();
    let is_rule = |line: &str| line.starts_with("|--");
    // The line before a rule names the columns.
    let heads: Vec<usize> = lines.iter().filter(|(_, line)| is_rule(line)).map(|(at, _)| at - 1).collect();
    lines.into_iter().filter(move |(at, line)| line.starts_with('|') && !is_rule(line) && !heads.contains(at))
}

fn check_row(model: &File, line: usize, row: &str, tree: &Tree) -> Vec<Finding> {
    let named: Vec<(&str, &str)> = row.split('`').filter_map(|word| word.split_once(".rs::")).collect();
    if named.is_empty() {
        return vec![model.finding(line, "an attack without a test that covers it (`tests/it/….rs::name`)")];
    }
    let missing = named.into_iter().filter(|(path, test)| !is_test(tree, &format!("{path}.rs"), test));
    missing.map(|(path, test)| model.finding(line, format!("there is no test {test} in {path}.rs"))).collect()
}

/// Whether a file holds a function of this name that is a test.
fn is_test(tree: &Tree, path: &str, name: &str) -> bool {
    let Some(file) = tree.file(path) else { return false };
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let is_named = |line: &str| line.split_once("fn ").is_some_and(|(_, rest)| rest.split('(').next() == Some(name));
    lines.iter().enumerate().filter(|(_, line)| is_named(line)).any(|(at, _)| {
        let before = lines.get(..at).unwrap_or_default().iter().rev().take_while(|line| line.starts_with('#'));
        // Tests of properties stand inside of a macro, and have the mark of a test too.
        before.into_iter().any(|mark| mark.contains("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    const TESTS: &str = "#[tokio::test(flavor = \"x\")]\n#[expect(lint, reason = \"r\")]\nasync fn it_holds() {}\n\
                         fn helper() {}\n#[test]\nfn it_holds_too() {}";

    fn lines(model: &str) -> Vec<usize> {
        let tree = Tree::of([("docs/security/threat-model.md", model), ("tests/it/a.rs", TESTS)]);
        check(&tree).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn each_attack_names_tests_that_are_there() {
        let head = "| attack | test |\n|---|---|\n";
        assert_eq!(
            lines(&format!("{head}| a | `tests/it/a.rs::it_holds`, `tests/it/a.rs::it_holds_too` |")),
            [0_usize; 0]
        );
        assert_eq!(lines(&format!("{head}| a | none |")), [3]);
        for wrong in ["tests/it/a.rs::helper", "tests/it/a.rs::it_hold", "tests/it/b.rs::it_holds"] {
            assert_eq!(lines(&format!("{head}| a | `{wrong}` |")), [3], "{wrong}");
        }
    }

    #[test]
    fn there_is_a_model() {
        assert_eq!(check(&Tree::of([("README.md", "")])).len(), 1);
    }
}
