//! Gitleaks JSON reports of version 8 and before. A secret never leaves this file: it enters keys as a digest, and what
//! is shown of the line has it blacked out.

use std::io::Read;

use serde_json::Value;

use crate::code;
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, IdentityKey, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::{Output, floor_boundary};
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const SOURCE: &str = "gitleaks";
const EXPECTED: &str = "Gitleaks JSON";
const SNIPPET: usize = 2 << 10;
const BLACKED: &str = "[redacted]";
/// CWE-798: use of hard-coded credentials.
const CWE: u32 = 798;

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Gitleaks,
    id: "gitleaks",
    source: SOURCE,
    label: "Gitleaks JSON",
    schemes: &["secret", "secret.moved", "secret.place"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let all = |names: &[&str]| names.iter().all(|name| members.iter().any(|member| member == name));
    if all(&["Secret", "Match", "File"]) || all(&["offender", "rule", "file"]) {
        return Some(Confidence::Certain);
    }
    if all(&["RuleID", "StartLine"]) || all(&["offender", "commit"]) {
        return Some(Confidence::Likely);
    }
    let empty = head.is("null") || head.is("[]");
    (empty && head.is_named("gitleaks")).then_some(Confidence::Likely).or(head.is("null").then_some(Confidence::Possible))
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut leaks = Leaks { out, records: 0, taken: 0, seen: Occurrences::default() };
    walk::through(source, &bounds, EXPECTED, &mut leaks)?;
    if leaks.records > 0 && leaks.taken == 0 {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without leaks".to_owned() });
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Location::default(),
        extent: Extent::Whole,
        status: CoverageStatus::Done,
        reason: None,
    })
}

struct Leaks<'l, 'o> {
    out: &'l mut Output<'o>,
    records: u64,
    taken: u64,
    seen: Occurrences,
}

impl Route for Leaks<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        self.records += 1;
        if let Some(value) = walk::value(raw, position, self.out)? {
            self.taken += u64::from(leak(&value, position, &mut self.seen, self.out)?);
        }
        Ok(())
    }
}

/// One leak, in the names of either generation.
struct Leak<'v> {
    /// What the keys are made of; versions before 8 have no other id of a rule than its name.
    rule: &'v str,
    reason: &'v str,
    file: &'v str,
    line: Option<u32>,
    secret: &'v str,
    shown: &'v str,
    commit: Option<&'v str>,
    message: Option<&'v str>,
    author: Option<&'v str>,
    email: Option<&'v str>,
    date: Option<&'v str>,
    link: Option<&'v str>,
    repository: Option<&'v str>,
    tags: Vec<&'v str>,
    legacy: bool,
}

impl<'v> Leak<'v> {
    fn new(value: &'v Value) -> Option<Self> {
        let text = |name: &str| json::text(value, &[name]);
        let line = |name: &str| {
            let line = value.get(name)?;
            line.as_u64().or_else(|| line.as_str()?.parse().ok()).and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0)
        };
        let person = |author: &str, email: &str| (text(author), text(email));
        // What is a rule was a reason at first.
        if let Some(rule) = text("rule").or_else(|| text("offender").and(text("reason"))) {
            let (author, email) = person("author", "email");
            return Some(Self {
                rule,
                reason: rule,
                file: text("file")?,
                line: line("lineNumber"),
                secret: text("offender").unwrap_or_default(),
                shown: text("line").unwrap_or_default(),
                commit: text("commit"),
                message: text("commitMessage").or_else(|| text("commitMsg")),
                author,
                email,
                date: text("date"),
                link: text("leakURL"),
                repository: text("repoURL").or_else(|| text("repo")).filter(|repository| *repository != "."),
                tags: text("tags").into_iter().flat_map(|tags| tags.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).collect(),
                legacy: true,
            });
        }
        let reason = text("Description").or_else(|| text("RuleID"))?;
        value.get("StartLine").or(value.get("Secret")).or(value.get("Match"))?;
        let (author, email) = person("Author", "Email");
        Some(Self {
            rule: text("RuleID").unwrap_or(reason),
            reason,
            file: text("File").unwrap_or_default(),
            line: line("StartLine"),
            secret: text("Secret").unwrap_or_default(),
            shown: text("Match").or_else(|| text("Line")).unwrap_or_default(),
            commit: text("Commit"),
            message: text("Message"),
            author,
            email,
            date: text("Date"),
            link: text("Link"),
            repository: None,
            tags: json::texts(value, &["Tags"]),
            legacy: false,
        })
    }

    /// Rules of the old versions that name a service whose keys open everything.
    fn severity(&self) -> Severity {
        let grave = self.legacy && ["Github", "AWS", "Heroku"].into_iter().any(|service| self.rule.contains(service));
        if grave { Severity::Critical } else { Severity::High }
    }

    /// The secret, unless the report hides it already.
    fn told(&self) -> Option<&str> {
        let hidden = self.secret.is_empty() || self.secret.eq_ignore_ascii_case("redacted") || self.secret.bytes().all(|byte| byte == b'*');
        (!hidden).then_some(self.secret)
    }

    fn keys(&self, file: &str, seen: &mut Occurrences) -> Vec<IdentityKey> {
        let Self { rule, repository, commit, .. } = *self;
        let mut keys = Vec::with_capacity(3);
        if let Some(secret) = self.told() {
            let nth = seen.of(("secret", repository, rule, file, commit, secret));
            keys.push(identity::secret(repository, rule, Some(file), commit, secret, nth));
            let nth = seen.of(("moved", repository, rule, secret));
            keys.push(identity::secret_moved(repository, rule, secret, nth));
        }
        let nth = seen.of(("place", repository, rule, file, commit));
        keys.push(identity::secret_place(repository, rule, Some(file), commit, nth));
        keys
    }

    /// Text with the secret blacked out; all of it when the secret is too short to be told from other text.
    fn blacked(&self, text: &str) -> String {
        match self.told() {
            None => text.to_owned(),
            Some(secret) if secret.len() < 4 => BLACKED.to_owned(),
            Some(secret) => {
                let text = text.replace(secret, BLACKED);
                // A secret of several lines may stand in the text in parts.
                let parts = secret.lines().map(str::trim).filter(|part| part.len() >= 8 && part.len() < secret.len());
                parts.fold(text, |text, part| text.replace(part, BLACKED))
            }
        }
    }
}

fn leak(value: &Value, position: Position, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<bool, ParseError> {
    let Some(leak) = Leak::new(value) else {
        out.skip(position, "leak without a rule and a file")?;
        return Ok(false);
    };
    let file = code::path(leak.file);
    let line = leak.line.map(|line| line.to_string()).unwrap_or_default();
    let mut description = format!("{} in {file}.", leak.reason.trim_end_matches('.'));
    for (label, text) in [("Commit", leak.commit), ("Author", leak.author), ("E-mail", leak.email), ("Message", leak.message)] {
        if let Some(text) = text {
            description.push_str(&format!("\n{label}: {}", text.trim()));
        }
    }
    let shown = leak.blacked(leak.shown.trim());
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: format!("gitleaks:{}", leak.rule),
        title: leak.blacked(&format!("Hard-coded secret: {} in {file}", leak.reason)),
        description: leak.blacked(&description),
        remediation: Some("Revoke the secret, then keep its successor in a vault and out of the history.".to_owned()),
        severity: leak.severity(),
        confidence: 70,
        cwes: vec![CWE],
        references: leak.link.map(|link| leak.blacked(link)).into_iter().collect(),
        tags: leak.tags.iter().map(|tag| vocabulary::shorten(tag, 100)).collect(),
        location: Location {
            file: Some(file.clone()),
            line: leak.line,
            snippet: (!shown.is_empty()).then(|| shown[..floor_boundary(&shown, SNIPPET)].to_owned()),
            ..Location::default()
        },
        keys: leak.keys(&file, seen),
        observed_at: leak.date.and_then(vocabulary::moment),
        ..Observation::default()
    };
    let reason = if leak.legacy { "" } else { leak.reason };
    out.observation(observation, &[SOURCE, reason, &file, leak.secret, &line])?;
    Ok(true)
}
