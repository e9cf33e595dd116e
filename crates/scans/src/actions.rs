//! Every action of this context.

use base::{Action, Permission};

/// Look at scans and their progress.
pub const READ: Action = Action::new("scans.read", Permission::ReadScans).by_unit();
/// Start a scan.
pub const START: Action = Action::new("scans.start", Permission::WriteScans).by_unit();
/// A scan was refused before it began.
pub const REFUSE: Action = Action::open("scans.refuse");
/// Stop a scan.
pub const CANCEL: Action = Action::new("scans.cancel", Permission::WriteScans).by_unit();
/// A worker takes a scan up; who started it was checked then.
pub const RUN: Action = Action::open("scans.run");
/// A worker ends a stage of a scan.
pub const STAGE: Action = Action::open("scans.stage");
/// A worker ends a scan.
pub const FINISH: Action = Action::open("scans.finish");
/// The results context took in what a stage brought.
pub const INGEST: Action = Action::open("scans.ingest");
/// Read what a stage brought; asked by the results context.
pub const ARTIFACT: Action = Action::open("scans.artifact");
