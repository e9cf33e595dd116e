//! How targets, scans, findings, clusters and trends look to a question. Names are those of the REST API, in camel case.

mod cluster;
mod finding;
mod note;
mod scalar;
mod scan;
mod target;
mod trend;

pub(crate) use cluster::{ClusterNode, ClusterPage, MembershipNode};
pub(crate) use finding::{FindingFilter, FindingNode, FindingPage, FindingSort};
pub(crate) use note::NoteNode;
pub(crate) use scalar::{Cursor, Moment, PageEnd, SeverityWord, cost, id, listed, nothing, page, span, taken, wanted};
pub(crate) use scan::{ProgressNode, ScanFilter, ScanNode, ScanPage};
pub(crate) use target::{TargetFilter, TargetNode, TargetPage};
pub(crate) use trend::TrendsNode;
