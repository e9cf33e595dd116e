//! Risk and due dates of findings: feeds brought by operators, policies set by people, joined when read.
//! What lists are sorted by is kept in a column that jobs bring back in step; a detail always computes it anew.

mod assess;
mod feeds;
mod http;
mod policies;

pub(crate) use assess::{criticality as criticality_of, exposure as exposure_of};
pub(crate) use http::routes;
