//! SQL of taking a run in: known findings by their names, and rows written many at a time.

mod known;
mod write;

pub(crate) use known::{by_first_key, opening, sources_of_scan, unseen};
pub(crate) use write::{
    add_coverage, add_history, add_keys, add_observations, add_reviews, carry_over, keep_before, retire_keys, rule, set_state, upsert,
};
