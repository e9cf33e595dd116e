//! How targets, scans and findings look to a question. Names are those of the REST API, in camel case.

mod finding;
mod scalar;
mod scan;
mod target;

pub(crate) use finding::{FindingFilter, FindingNode, FindingPage, FindingSort};
pub(crate) use scalar::{Cursor, Moment, PageEnd, SeverityWord, cost, id, listed, nothing, page};
pub(crate) use scan::{ProgressNode, ScanFilter, ScanNode, ScanPage};
pub(crate) use target::{TargetFilter, TargetNode, TargetPage};
