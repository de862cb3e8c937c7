//! The files of the tree, read once.

use std::{fs, io, path::Path};

use super::{Finding, rust_text::RustText};

/// What is made, not written.
const MADE: [&str; 6] = ["target", ".git", "node_modules", "corpus", "artifacts", "liaison-demo"];

/// The text files of the tree.
pub struct Tree {
    files: Vec<File>,
}

/// A text file.
pub struct File {
    /// Its path from the root, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
    /// The same as Rust, when it is.
    pub rust: Option<RustText>,
}

impl Tree {
    /// Reads the tree under a folder. Files that are not UTF-8 are none of ours to check.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let path = entry.path();
                let name = entry.file_name();
                if MADE.iter().any(|made| name == *made) {
                    continue;
                }
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = String::from_utf8(fs::read(&path)?) {
                    let from_root = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                    files.push(File::new(from_root, text));
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// The files, by path.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The manifests of the crates, with the folder of each.
    pub fn manifests(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().filter_map(|file| Some((file.path.strip_suffix("/Cargo.toml")?, file)))
    }
}

impl File {
    /// A file, read as Rust when its name says so.
    pub fn new(path: String, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| RustText::read(&path, &text));
        Self { path, text, rust }
    }

    /// A finding in this file.
    pub fn finding(&self, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, text: text.into() }
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files, for the tests of the rules.
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self { files: files.into_iter().map(|(path, text)| File::new(path.into(), text.into())).collect() }
    }
}
