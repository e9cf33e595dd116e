//! Scope, authorisations, coverage, gaps, tools and runs in words.

use base::fill;
use serde::Serialize;

use super::{Maker, Pair, pair};
use crate::language::Terms;
use crate::snapshot::Outcome;

/// A target in scope with its open findings.
#[derive(Serialize)]
pub(crate) struct TargetView {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) address: String,
    pub(crate) environment: String,
    pub(crate) criticality: String,
}

/// An authorisation.
#[derive(Serialize)]
pub(crate) struct AuthorizationView {
    pub(crate) granted_by: String,
    pub(crate) facts: Vec<Pair>,
}

/// A step of a test.
#[derive(Serialize)]
pub(crate) struct CoverageView {
    pub(crate) target: String,
    pub(crate) stage: String,
    pub(crate) tool: String,
    pub(crate) outcome: String,
    pub(crate) outcome_class: &'static str,
    pub(crate) reason: String,
}

/// A scan or import.
#[derive(Serialize)]
pub(crate) struct RunView {
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) started: String,
    pub(crate) finished: String,
    pub(crate) outcome: String,
}

impl Maker<'_> {
    fn maybe(&self, text: Option<&String>) -> String {
        text.map_or_else(|| "–".to_owned(), |text| self.line(text))
    }

    fn term(&self, terms: &Terms, word: &str) -> String {
        terms.get(word).cloned().unwrap_or_else(|| self.line(word))
    }

    pub(super) fn targets(&self) -> Vec<TargetView> {
        let targets = self.snapshot.scope.targets.iter();
        targets
            .map(|target| TargetView {
                name: self.line(&target.name),
                kind: self.term(&self.words.kinds, &target.kind),
                address: self.maybe(target.address.as_ref()),
                environment: self.maybe(target.environment.as_ref()),
                criticality: target.criticality.as_ref().map_or_else(|| "–".to_owned(), |word| self.term(&self.words.criticalities, word)),
            })
            .collect()
    }

    pub(super) fn authorizations(&self) -> Vec<AuthorizationView> {
        let labels = &self.words.labels;
        let list = |items: &[String]| self.line(&items.join(", "));
        let authorizations = self.snapshot.scope.authorizations.iter();
        authorizations
            .map(|authorization| {
                let mut validity = self.span(&self.words.sentences.validity, authorization.valid_from, authorization.valid_until);
                if let Some(revoked) = authorization.revoked_at {
                    let revoked = self.words.date(revoked);
                    validity.push_str("; ");
                    validity.push_str(&fill(&labels.revoked, &[("date", &revoked)]));
                }
                let mut facts = vec![pair(&labels.covers, list(&authorization.covers))];
                if !authorization.excludes.is_empty() {
                    facts.push(pair(&labels.excludes, list(&authorization.excludes)));
                }
                facts.push(pair(&labels.intrusiveness, self.term(&self.words.intrusiveness, &authorization.intrusiveness)));
                facts.push(pair(&labels.validity, validity));
                if authorization.evidence.is_some() {
                    facts.push(pair(&labels.proof, self.maybe(authorization.evidence.as_ref())));
                }
                AuthorizationView { granted_by: self.line(&authorization.granted_by), facts }
            })
            .collect()
    }

    /// The steps, those that need attention first.
    pub(super) fn coverage(&self) -> Vec<CoverageView> {
        let mut steps: Vec<_> = self.snapshot.coverage.iter().collect();
        steps.sort_by_key(|step| step.outcome == Outcome::Done);
        steps
            .into_iter()
            .map(|step| CoverageView {
                target: self.target_name(&step.target),
                stage: self.line(&scans::stage_name(&step.stage, self.words.tag)),
                tool: self.line(&step.tool),
                outcome: self.words.outcome(step.outcome).to_owned(),
                outcome_class: step.outcome.as_str(),
                reason: step.reason.as_ref().map_or_else(String::new, |reason| self.line(&scans::reason(reason, self.words.tag))),
            })
            .collect()
    }

    /// How many of the planned steps ran to their end.
    pub(super) fn coverage_sentence(&self) -> String {
        let (done, total) = self.steps();
        let (words, sentences) = (self.words, &self.words.sentences);
        let steps = words.counted(&words.counts.steps, total);
        if total == 0 {
            sentences.coverage_none.clone()
        } else if done == total {
            fill(&sentences.coverage_full, &[("steps", &steps)])
        } else {
            let section = &words.labels.coverage;
            let values = [("steps", &*steps), ("done", &*words.number(done)), ("section", section)];
            fill(&sentences.coverage_part, &values)
        }
    }

    /// Steps that ran to their end, and all steps.
    pub(super) fn steps(&self) -> (u64, u64) {
        let coverage = &self.snapshot.coverage;
        let done = coverage.iter().filter(|step| step.outcome == Outcome::Done).count();
        (u64::try_from(done).unwrap_or(0), u64::try_from(coverage.len()).unwrap_or(0))
    }

    pub(super) fn gaps(&self) -> Vec<Pair> {
        let gaps = self.snapshot.not_tested.iter();
        gaps.map(|gap| {
            let cause = self.words.cause(gap.cause);
            let reason = match &gap.note {
                Some(note) => format!("{cause}{} {}", self.words.colon, self.line(note)),
                None => cause.to_owned(),
            };
            pair(&self.line(&gap.what), reason)
        })
        .collect()
    }

    pub(super) fn method(&self) -> Vec<String> {
        let (words, sentences) = (self.words, &self.words.sentences);
        let mut method = Vec::new();
        if !self.snapshot.scope.authorizations.is_empty() {
            method.push(sentences.method_authorized.clone());
        }
        let steps = words.counted(&words.counts.steps, self.steps().1);
        let first = [("steps", &*steps), ("tools", &*self.counted_tools())];
        method.push(fill(&sentences.method_first, &first));
        let status = words.status(crate::snapshot::Status::NotRetested);
        method.push(fill(&sentences.method_second, &[("not_retested", status)]));
        method.push(sentences.method_third.clone());
        method
    }

    pub(super) fn counted_tools(&self) -> String {
        let tools = u64::try_from(self.snapshot.tools.len()).unwrap_or(0);
        self.words.counted(&self.words.counts.tools, tools)
    }

    pub(super) fn tools(&self) -> Vec<Pair> {
        let unknown = &self.words.labels.unknown;
        let tools = self.snapshot.tools.iter();
        tools
            .map(|tool| {
                let version = tool.version.as_ref();
                let version = version.map_or_else(|| unknown.clone(), |text| self.line(text));
                pair(&self.line(&tool.name), version)
            })
            .collect()
    }

    pub(super) fn runs(&self) -> Vec<RunView> {
        let moment = |time: Option<base::Time>| time.map_or_else(|| "–".to_owned(), |time| self.words.date_time(time));
        let runs = self.snapshot.runs.iter();
        runs.map(|run| RunView {
            name: self.line(&run.name),
            target: run.target.as_ref().map_or_else(|| "–".to_owned(), |id| self.target_name(id)),
            started: moment(run.started_at),
            finished: moment(run.finished_at),
            outcome: self.words.outcome(run.outcome).to_owned(),
        })
        .collect()
    }
}
