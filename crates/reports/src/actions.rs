//! Every action of this context.

use base::{Action, Permission};

/// Look at reports and fetch them.
pub const READ: Action = Action::new("reports.read", Permission::ReadReports).by_unit();
/// Ask for a report.
pub const CREATE: Action = Action::new("reports.create", Permission::WriteReports).by_unit();
/// Remove a report.
pub const DELETE: Action = Action::new("reports.delete", Permission::WriteReports).by_unit();
/// A worker freezes the content of a report; who asked for it was checked then.
pub const FREEZE: Action = Action::open("reports.freeze");
/// A worker hands a report in, or gives it up.
pub const FINISH: Action = Action::open("reports.finish");
