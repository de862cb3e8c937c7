//! What holds of the tree beyond what the compiler proves.

mod directions;
mod documents;
mod rust_text;
mod shape;
mod threats;
mod tree;
mod words;

use std::fmt;

pub use tree::{File, Tree};

/// Something in the tree that is against a rule of the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the root of the tree.
    pub path: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong, and what to do instead.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Everything in the tree that is against a rule.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let rules = [directions::check, words::check, shape::check, documents::check, threats::check];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        let tree = super::Tree::read(crate::root()).unwrap();
        assert!(tree.files().len() > 50, "only {} files were found", tree.files().len());
        let findings = super::findings(&tree);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", lines.join("\n"));
    }
}
