//! Every action on findings and imports.

use base::{Action, Permission};

/// Read findings, imports and coverage.
pub const READ: Action = Action::new("results.read", Permission::ReadFindings).by_unit();
/// Read what is known of the organisation's findings together: clusters, causes, paths, reviews, rulings.
pub const SURVEY: Action = Action::new("results.survey", Permission::ReadFindings);
/// Take in a file.
pub const IMPORT: Action = Action::new("results.import", Permission::WriteFindings).by_unit();
/// Take in what a stage of a scan brought; the scan itself was allowed before.
pub const INGEST: Action = Action::open("results.ingest");
/// Mark what a finished scan did not look at again.
pub const SETTLE: Action = Action::open("results.settle");
/// Decide about a finding.
pub const DECIDE: Action = Action::new("results.decide", Permission::WriteFindings).by_unit();
/// Write a note on a finding, or take one away.
pub const NOTE: Action = Action::new("results.note", Permission::WriteFindings).by_unit();
/// End acceptances whose time is over.
pub const EXPIRE: Action = Action::open("results.expire");
/// Put what was decided about rules in force on findings that came meanwhile.
pub const RULE: Action = Action::open("results.rule");
/// Bring a feed of likelihoods or of exploited vulnerabilities.
pub const UPDATE_FEED: Action = Action::new("results.update_feed", Permission::WriteFindings);
/// Set a policy of due dates.
pub const SET_SLA: Action = Action::new("results.set_sla", Permission::WriteFindings);
/// Take a policy of due dates back.
pub const DROP_SLA: Action = Action::new("results.drop_sla", Permission::WriteFindings);
/// Bring risks and due dates in step with feeds, targets and time.
pub const ASSESS: Action = Action::open("results.assess");
/// Take in a file that waits; whoever sent it was allowed to.
pub const RUN_IMPORT: Action = Action::open("results.run_import");
/// Take an import back.
pub const UNDO: Action = Action::new("results.undo", Permission::WriteFindings);
/// Answer a review: is a finding new, or an older one?
pub const REVIEW: Action = Action::new("results.review", Permission::WriteFindings);
/// Approve or reject a decision that waits for a second person.
pub const APPROVE: Action = Action::new("results.approve", Permission::WriteFindings);
/// Take the decisions of one batch back.
pub const UNDO_DECISIONS: Action = Action::new("results.undo_decisions", Permission::WriteFindings);
/// Change the rules for deciding.
pub const SET_POLICY: Action = Action::new("results.set_policy", Permission::WriteUsers);
/// Put a finding into a cluster or out of it.
pub const CLUSTER: Action = Action::new("results.cluster", Permission::WriteFindings);
/// Keep or drop a filter under a name.
pub const SAVE_FILTER: Action = Action::new("results.save_filter", Permission::ReadFindings).by_unit();
/// Write the day's figures.
pub const RECORD: Action = Action::open("results.record");
/// Link findings by what all imports know together.
pub const LINK: Action = Action::open("results.link");
/// Learn from what people decided.
pub const LEARN: Action = Action::open("results.learn");
/// Save or drop a mapping for files of tools nobody else knows.
pub const MAP: Action = Action::new("results.map", Permission::WriteFindings);
