//! The text of a tree of files, for tests that read what the sources say.

use std::path::Path;

/// All files below a folder, one after the other in no order, but for those of this name (the test's own, as a rule).
///
/// # Panics
/// If a folder or file cannot be read.
#[must_use]
pub fn sources(folder: impl AsRef<Path>, except: &str) -> String {
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.as_ref().display()));
    entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| !path.ends_with(except))
        .map(|path| if path.is_dir() { sources(path, except) } else { std::fs::read_to_string(&path).expect("a text file") })
        .collect()
}
