//! Lists of JSON documents with commas between; and findings with everything another instance needs to know them as we do.

use std::collections::HashMap;

use base::{Result, Time};
use importers::{CarriedNote, Evidence, IdentityKey};
use serde::Serialize;

use super::unwritten;
use crate::model::{Finding, FindingId, State};
use crate::store::lives::Life;

/// What the document begins with; the importer of the same name knows it by this.
pub(super) fn begin(now: Time) -> String {
    format!("{{\"format\":\"tyrian-findings/1\",\"exported_at\":\"{now}\",\"findings\":[")
}

/// A finding, its names and what proves it.
#[derive(Serialize)]
struct Whole<'f> {
    #[serde(flatten)]
    finding: &'f Finding,
    state: State,
    aliases: &'f [String],
    evidence: &'f [Evidence],
    observed_at: Option<&'f str>,
    identity: &'f [IdentityKey],
    notes: &'f [CarriedNote],
}

/// A finding as a document.
pub(super) fn whole(finding: &Finding, lives: &HashMap<FindingId, Life>) -> serde_json::Result<serde_json::Value> {
    let life = lives.get(&finding.id);
    let said = life.and_then(|life| life.said.as_ref());
    serde_json::to_value(Whole {
        finding,
        state: finding.state,
        aliases: said.map(|(said, _)| said.aliases.as_slice()).unwrap_or_default(),
        evidence: said.map(|(said, _)| said.evidence.as_slice()).unwrap_or_default(),
        observed_at: said.and_then(|(_, at)| at.as_deref()),
        identity: life.map(|life| life.names.as_slice()).unwrap_or_default(),
        notes: life.map(|life| life.notes.as_slice()).unwrap_or_default(),
    })
}

/// Whether a comma is due.
#[derive(Default)]
pub(super) struct List {
    is_begun: bool,
}

impl List {
    pub(super) fn rows(
        &mut self,
        findings: &[Finding],
        document: impl Fn(&Finding) -> serde_json::Result<serde_json::Value>,
    ) -> Result<String> {
        let mut text = String::new();
        for finding in findings {
            text.push_str(if std::mem::replace(&mut self.is_begun, true) { ",\n" } else { "\n" });
            text.push_str(&document(finding).map_err(unwritten)?.to_string());
        }
        Ok(text)
    }
}
