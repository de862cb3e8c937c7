//! How large files are, and how they begin.

use super::{Finding, Tree};

/// A file over this many lines holds more than one subject.
const LINES: usize = 800;

/// Whether files are of a size to be read, and crates say what they are.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let written_by_hand = [".rs", ".sql", ".css", ".js", ".sh"].iter().any(|end| file.path.ends_with(end));
        let lines = file.text.lines().count();
        if written_by_hand && lines > LINES {
            findings.push(file.finding(0, format!("{lines} lines: split it by subject (at most {LINES})")));
        }
        let is_root = ["src/lib.rs", "src/main.rs"].iter().any(|end| file.path.ends_with(end));
        if is_root && !file.text.trim_start().starts_with("//!") {
            findings.push(file.finding(1, "a crate begins by saying what it is, and what holds of it (`//! …`)"));
        }
        // Written in two halves, so that this rule does not find itself.
        for home in [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")] {
            let named = file.text.lines().enumerate().filter(|(_, line)| line.contains(home));
            findings.extend(named.map(|(at, _)| file.finding(at + 1, "a path of somebody's machine")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{LINES, Tree, check};

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of([(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn long_files_are_found_unless_they_are_data() {
        assert_eq!(lines("crates/a/src/b.rs", &"\n".repeat(LINES)), [0_usize; 0]);
        assert_eq!(lines("crates/a/src/b.rs", &"\n".repeat(LINES + 1)), [0]);
        assert_eq!(lines("crates/a/data/b.tsv", &"\n".repeat(LINES + 1)), [0_usize; 0]);
    }

    #[test]
    fn a_crate_says_what_it_is() {
        assert_eq!(lines("crates/a/src/lib.rs", "mod b;"), [1]);
        assert_eq!(lines("crates/a/src/lib.rs", "//! A.\nmod b;"), [0_usize; 0]);
    }

    #[test]
    fn no_machine_is_named() {
        assert_eq!(lines("docs/a.md", concat!("a\nsee /ho", "me/me/x")), [2]);
    }
}
