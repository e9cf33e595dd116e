//! The folder of recorded outside bytes (scanner output, feeds, attestation chains). It is not in
//! the repository: `./test` points `TYRIAN_TESTDATA` at it.

use std::path::PathBuf;

/// The test-data file or folder at `path`, or `None` when no test data is installed.
///
/// # Panics
/// When `TYRIAN_TESTDATA` is set and `path` does not exist in it.
pub fn data(path: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("TYRIAN_TESTDATA") else {
        eprintln!("TYRIAN_TESTDATA is not set: nothing read from {path}");
        return None;
    };
    let file = PathBuf::from(root).join(path);
    assert!(file.exists(), "test data {} is missing", file.display());
    Some(file)
}
