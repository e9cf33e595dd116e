//! Folders for the data of servers. All of one process live under one name, so that the next run
//! can remove what a killed process left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

const PREFIX: &str = "tyrian-testkit-";

/// A new folder that other users may enter (servers drop root) and that is removed on drop.
pub(crate) fn folder(purpose: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix(&format!("{purpose}-")).tempdir_in(root()).expect("a folder for server data");
    open_to_others(folder.path());
    folder
}

fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let parent = std::env::temp_dir();
        remove_those_of_dead_processes(&parent);
        let root = parent.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir_all(&root).expect("the folder of this test process");
        open_to_others(&root);
        root
    })
}

fn open_to_others(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

fn remove_those_of_dead_processes(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
        if !Path::new("/proc").join(pid).exists() {
            // Another test process may be removing the same folder; either one is enough.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}
