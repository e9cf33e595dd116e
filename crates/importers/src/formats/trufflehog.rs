//! TruffleHog JSON lines of version 2 and 3. A secret never leaves this file: it enters keys as a digest and is shown as the tool masks it.

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
use crate::walk::Plan;

const SOURCE: &str = "trufflehog";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Trufflehog,
    id: "trufflehog",
    source: SOURCE,
    label: "TruffleHog JSON",
    schemes: &["secret", "secret.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{', '[']) {
        // Nothing found is nothing written.
        return (head.is("") && head.is_named(SOURCE)).then_some(Confidence::Possible);
    }
    let all = |keys: &[&str]| keys.iter().all(|key| head.has(key));
    let known = all(&["\"SourceMetadata\"", "\"DetectorName\""]) || all(&["\"stringsFound\"", "\"commitHash\"", "\"printDiff\""]);
    let likely = all(&["\"stringsFound\"", "\"reason\""]);
    known.then_some(Confidence::Certain).or(likely.then_some(Confidence::Likely))
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Lines::default())
}

#[derive(Default)]
struct Lines(Occurrences);

impl Records for Lines {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "TruffleHog JSON";
    const LINES: bool = true;

    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn marks(&self, _: &[&str]) -> bool {
        false
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        if value.get("SourceMetadata").is_some() && value.get("DetectorName").is_some() {
            return self.third(value, out);
        }
        if value.get("stringsFound").is_some() && value.get("reason").is_some() {
            return self.second(value, out);
        }
        // What version 3 logs between its results.
        Ok(value.get("level").is_some() && value.get("logger").is_some())
    }
}

/// One secret, in the names of either version.
struct Leak<'v> {
    rule: &'v str,
    file: String,
    line: Option<u32>,
    commit: Option<&'v str>,
    repository: Option<&'v str>,
    secret: String,
    /// What may be shown of it.
    masked: Option<&'v str>,
    link: Option<&'v str>,
    time: Option<&'v str>,
    author: Option<&'v str>,
    severity: Severity,
    verified: bool,
}

impl Lines {
    fn third(&mut self, value: &Value, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let rule = json::text(value, &["DetectorName"]).unwrap_or("unknown");
        let place = json::at(value, &["SourceMetadata", "Data"]).and_then(Value::as_object).and_then(|sources| sources.values().next());
        let place = place.unwrap_or(&Value::Null);
        let told = |names: &[&str]| names.iter().find_map(|name| json::text(place, &[name]));
        let verified = value.get("Verified").and_then(Value::as_bool) == Some(true);
        let line = place.get("line").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
        let leak = Leak {
            rule,
            file: told(&["file", "key", "path", "layer", "link"]).map(code::path).unwrap_or_default(),
            line: line.filter(|line| *line > 0),
            commit: told(&["commit"]),
            repository: told(&["repository", "bucket", "image", "project"]),
            secret: format!("{}{}", json::text(value, &["Raw"]).unwrap_or_default(), json::text(value, &["RawV2"]).unwrap_or_default()),
            masked: json::text(value, &["Redacted"]),
            link: told(&["link"]),
            time: told(&["timestamp"]),
            author: told(&["email"]),
            severity: match rule {
                _ if verified => Severity::Critical,
                "PrivateKey" => Severity::High,
                "Generic Secret" => Severity::Medium,
                _ => Severity::Critical,
            },
            verified,
        };
        let line = leak.line.map(|line| line.to_string()).unwrap_or_default();
        let issue = [leak.file.clone(), rule.to_owned(), line, leak.commit.unwrap_or_default().to_owned(), leak.secret.clone()];
        self.tell(&leak, &issue.each_ref().map(String::as_str), out)
    }

    fn second(&mut self, value: &Value, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let reason = json::text(value, &["reason"]).unwrap_or("unknown");
        let grave = ["Oauth", "AWS", "Heroku"].into_iter().any(|word| reason.contains(word));
        let leak = Leak {
            rule: reason,
            file: json::text(value, &["path"]).map(code::path).unwrap_or_default(),
            line: None,
            commit: json::text(value, &["commitHash"]),
            repository: None,
            secret: json::texts(value, &["stringsFound"]).join("\n"),
            masked: None,
            link: None,
            time: json::text(value, &["date"]),
            author: None,
            severity: match reason {
                "High Entropy" => Severity::Info,
                "Generic Secret" => Severity::Medium,
                _ if grave => Severity::Critical,
                _ => Severity::High,
            },
            verified: false,
        };
        let issue = [leak.file.clone(), reason.to_owned()];
        self.tell(&leak, &issue.each_ref().map(String::as_str), out)
    }

    fn tell(&mut self, leak: &Leak<'_>, issue: &[&str], out: &mut Output<'_>) -> Result<bool, ParseError> {
        let Leak { rule, ref file, commit, repository, ref secret, .. } = *leak;
        let nth = self.0.of(("secret", repository, rule, file, commit, secret));
        let moved = self.0.of(("moved", repository, rule, secret));
        let mut description = format!("{rule} in {file}.");
        for (label, text) in [("Repository", repository), ("Commit", commit), ("Author", leak.author), ("Shown as", leak.masked)] {
            if let Some(text) = text {
                description.push_str(&format!("\n{label}: {}", text.trim()));
            }
        }
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("trufflehog:{rule}"),
            title: format!("Hard-coded secret: {rule} in {file}"),
            description,
            remediation: Some("Revoke the secret, then keep its successor in a vault and out of the history.".to_owned()),
            severity: leak.severity,
            confidence: if leak.verified { 95 } else { 50 },
            cwes: vec![798],
            references: leak.link.map(str::to_owned).into_iter().collect(),
            tags: leak.verified.then(|| "verified".to_owned()).into_iter().collect(),
            keys: vec![
                identity::secret(repository, rule, Some(file), commit, secret, nth),
                identity::secret_moved(repository, rule, secret, moved),
            ],
            location: Location {
                line: leak.line,
                logical: repository.map(str::to_owned),
                file: Some(file.clone()).filter(|file| !file.is_empty()),
                ..Location::default()
            },
            observed_at: leak.time.and_then(vocabulary::moment),
            ..Observation::default()
        };
        out.observation(observation, issue)?;
        Ok(true)
    }
}
