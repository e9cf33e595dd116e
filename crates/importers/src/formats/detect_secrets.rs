//! detect-secrets baselines: what may be a secret, by file. The secret itself is only in there as a digest.

use std::io::Read;

use serde_json::Value;

use crate::code;
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{ANY, Plan};

const SOURCE: &str = "detect-secrets";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::DetectSecrets,
    id: "detect_secrets",
    source: SOURCE,
    label: "detect-secrets JSON",
    schemes: &["secret", "secret.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    (has("plugins_used") || (has("results") && head.has("\"hashed_secret\""))).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Baseline::default())
}

#[derive(Default)]
struct Baseline {
    seen: Occurrences,
    generated: Option<String>,
}

impl Records for Baseline {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "detect-secrets JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["results"] | ["results", _] => Plan::Enter,
            ["generated_at"] | ["results", _, ANY] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["plugins_used"]
    }

    fn note(&mut self, path: &[&str], value: &Value) -> bool {
        if path == ["generated_at"] {
            self.generated = value.as_str().and_then(vocabulary::moment);
        }
        path == ["generated_at"]
    }

    fn take(&mut self, path: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let [_, file, _] = path else {
            return Ok(false);
        };
        let text = |name: &str| json::text(value, &[name]);
        let (Some(kind), Some(digest)) = (text("type"), text("hashed_secret")) else {
            return Ok(false);
        };
        let holds = |name: &str| value.get(name).and_then(Value::as_bool);
        if holds("is_secret") == Some(false) {
            return Ok(true);
        }
        let file = code::path(text("filename").unwrap_or(file));
        let line = value.get("line_number").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
        let nth = self.seen.of(("place", kind, &file, digest));
        let moved = self.seen.of(("moved", kind, digest));
        let verified = holds("is_verified") == Some(true);
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("detect-secrets:{kind}"),
            title: format!("Hard-coded secret: {kind} in {file}"),
            description: format!("{kind} in {file}."),
            remediation: Some("Revoke the secret, then keep its successor in a vault and out of the history.".to_owned()),
            severity: Severity::Medium,
            confidence: if verified { 95 } else { 50 },
            cwes: vec![798],
            tags: verified.then(|| "verified".to_owned()).into_iter().collect(),
            keys: vec![identity::secret(None, kind, Some(&file), None, digest, nth), identity::secret_moved(None, kind, digest, moved)],
            location: Location { line, file: Some(file.clone()), ..Location::default() },
            observed_at: self.generated.clone(),
            ..Observation::default()
        };
        out.observation(observation, &[kind, &file, &line.map(|line| line.to_string()).unwrap_or_default(), digest])?;
        Ok(true)
    }
}
