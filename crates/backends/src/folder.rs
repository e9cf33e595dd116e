//! Folders and files only we may read. What holds secrets or truth is created closed, and refused
//! when somebody opened it since.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base::Result;

use crate::errors;

const OTHERS: u32 = 0o077;

/// Makes the folder (0700) when it is missing and refuses one that others may enter.
pub(crate) fn private(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|cause| errors::private_path(path, "cannot be created").because(cause))?;
    closed(path, 0o700)
}

/// Refuses a file or folder that users other than its owner may touch.
pub(crate) fn closed(path: &Path, should_be: u32) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|cause| errors::private_path(path, "cannot be read").because(cause))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let advice = format!("is open to other users (mode {mode:o}); run `chmod {should_be:o} {}`", path.display());
    Err(errors::private_path(path, &advice))
}

/// Writes a new 0600 file and fails when there is one.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Puts `content` in place of the file at once: readers see the old or the new, also after a power cut.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    match fs::remove_file(&next) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    create(&next, content)?;
    fs::rename(&next, path)?;
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
