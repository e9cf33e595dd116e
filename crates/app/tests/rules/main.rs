//! House rules: what ARCHITECTURE.md and CONTRIBUTING.md promise, held by reading the repository's
//! files. A rule that fails says what it found, where, and what to do instead.
#![cfg(test)]

mod configuration;
mod declarations;
mod dependencies;
mod documents;
mod engines;
mod files;
mod floors;
mod migrations;
mod names;
mod source;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Every text file of the repository, relative path first, sorted.
static FILES: LazyLock<Vec<File>> = LazyLock::new(read_repository);

/// One text file.
struct File {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.starts_with("crates/") && self.path.ends_with(".rs")
    }

    /// Product code: neither tests nor benchmarks nor the test kit.
    fn is_product(&self) -> bool {
        self.is_rust() && self.path.contains("/src/") && self.krate() != "testkit"
    }

    /// The crate it belongs to.
    fn krate(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// `path:line` of the first line that contains `part`.
    fn at(&self, part: &str) -> String {
        let line = self.text.lines().position(|line| line.contains(part)).map_or(1, |index| index + 1);
        format!("{}:{line}", self.path)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn file(path: &str) -> &'static File {
    FILES.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} does not exist"))
}

fn rust() -> impl Iterator<Item = &'static File> {
    FILES.iter().filter(|file| file.is_rust())
}

fn product() -> impl Iterator<Item = &'static File> {
    FILES.iter().filter(|file| file.is_product())
}

/// Fails with every violation at once, so that one run shows all the work.
fn none(violations: Vec<String>, instead: &str) {
    assert!(violations.is_empty(), "{} found; {instead}\n  {}", violations.len(), violations.join("\n  "));
}

fn read_repository() -> Vec<File> {
    let root = root();
    let visible = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        let foreign = name.starts_with('.') || name == "node_modules" || (entry.depth() == 1 && (name == "target" || name == "data"));
        entry.depth() == 0 || name == ".ci" || !foreign
    };
    let mut files: Vec<File> = walkdir::WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(visible)
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            // What is not text has no rules here.
            std::fs::read_to_string(entry.path()).ok().map(|text| File { path, text })
        })
        .collect();
    files.sort_by(|one, two| one.path.cmp(&two.path));
    files
}
