//! A list of JSON documents, with commas between.

use base::Result;

use super::unwritten;
use crate::model::Finding;

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
