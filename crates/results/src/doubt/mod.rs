//! Learns from what people decided, and tells how likely a finding is to be called a false positive. It decides nothing.

mod features;

use std::collections::{HashMap, HashSet};

use audit::Change;
use base::{Actor, Error, Result, Scope, Source};
use risk::false_positive::{Example, Features, Model, NEEDED, NEEDED_OF_EACH, Reason};
use serde_json::json;

use crate::model::{DecisionKind, FalsePositiveEstimate, FalsePositiveLearning, FalsePositiveReason, Finding, FindingId};
use crate::service::Results;
use crate::store::doubt::{self as store, Judged, Kept};
use crate::{actions, errors};
use features::Seen;

/// The newest decisions that are learned from.
const DECISIONS: usize = 10_000;
/// Decisions of one batch about one rule that count: a thousand rows ticked at once are one thought.
const OF_ONE_BATCH: usize = 20;

/// What of a finding an estimate looks at.
#[derive(Debug, Clone)]
pub struct Clues(Features);

impl From<&Finding> for Clues {
    fn from(finding: &Finding) -> Self {
        Self(Seen::from(finding).features())
    }
}

/// Tells estimates of one organisation; nothing where there are none.
#[derive(Debug)]
pub struct FalsePositives(Option<Model>);

impl FalsePositives {
    /// The estimate for a finding with these clues.
    #[must_use]
    pub fn of(&self, clues: &Clues) -> Option<FalsePositiveEstimate> {
        let model = self.0.as_ref()?;
        let estimate = model.estimate(&clues.0);
        Some(FalsePositiveEstimate {
            probability: estimate.probability,
            reasons: estimate.reasons.into_iter().map(reason).collect(),
            decisions: model.decisions(),
        })
    }
}

fn reason(reason: Reason) -> FalsePositiveReason {
    let about = match reason.feature.as_str() {
        "rule" => "this rule".to_owned(),
        "tool" => "this tool".to_owned(),
        "asset" => "this asset".to_owned(),
        other => format!("{} {}", other.replace('_', " "), reason.value),
    };
    FalsePositiveReason {
        message: format!("{} of {} decisions about {about} were false positives", reason.false_positives, reason.decisions),
        feature: reason.feature.as_str().to_owned(),
        value: reason.value,
        weight: reason.weight,
        decisions: reason.decisions,
        false_positives: reason.false_positives,
    }
}

impl Results {
    /// The estimates of the caller's organisation, for as many findings as there are: one statement.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn false_positives(&self, actor: &Actor) -> Result<FalsePositives> {
        self.estimates(&actor.scope(actions::READ)?).await
    }

    pub(crate) async fn estimates(&self, scope: &Scope) -> Result<FalsePositives> {
        let kept = store::kept(&self.backends.db, scope).await?;
        Ok(FalsePositives(kept.and_then(|kept| kept.model)))
    }

    /// Whether there are estimates, why not, and how good they are.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn false_positive_learning(&self, actor: &Actor) -> Result<FalsePositiveLearning> {
        let scope = actor.scope(actions::READ)?;
        let kept = store::kept(&self.backends.db, &scope).await?;
        let (needed, needed_of_each) = (NEEDED as u64, NEEDED_OF_EACH as u64);
        let Some(kept) = kept else {
            let why_not = Some("nothing was learned yet".to_owned());
            return Ok(FalsePositiveLearning {
                is_on: false,
                why_not,
                decisions: 0,
                false_positives: 0,
                needed,
                needed_of_each,
                brier: None,
                brier_of_mean: None,
                calibration_error: None,
                learned_at: None,
            });
        };
        let quality = kept.model.as_ref().map(Model::quality);
        Ok(FalsePositiveLearning {
            is_on: quality.is_some(),
            why_not: kept.why_not,
            decisions: kept.decisions,
            false_positives: kept.false_positives,
            needed,
            needed_of_each,
            brier: quality.map(|quality| quality.brier),
            brier_of_mean: quality.map(|quality| quality.baseline),
            calibration_error: quality.map(|quality| quality.calibration_error),
            learned_at: Some(kept.updated_at),
        })
    }

    /// Learns anew for every organisation in which somebody decided since; tells for how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn learn_false_positives(&self) -> Result<usize> {
        let mut learned = 0;
        for (tenant, latest) in store::tenants_with_news(&self.backends.db).await? {
            let system = Actor::system(tenant, Source::Job);
            let scope = system.scope(actions::LEARN)?;
            let examples = examples(store::judged(&self.backends.db, &scope, DECISIONS).await?);
            let false_positives = examples.iter().filter(|example| example.is_false).count();
            let decisions = examples.len();
            let outcome = tokio::task::spawn_blocking(move || Model::learn(&examples))
                .await
                .map_err(|cause| Error::internal("learning panicked").because(cause))?;
            let (model, why_not) = match outcome {
                Ok(model) => (Some(model), None),
                Err(why) => (None, Some(why.to_string())),
            };
            let mut change = Change::begin(&self.backends, &system, actions::LEARN).await?;
            let kept =
                Kept { model, why_not, decisions: decisions as u64, false_positives: false_positives as u64, updated_at: change.now() };
            store::keep(&mut change, &kept, &latest).await?;
            change.subject("organisation", tenant);
            change.detail(json!({ "decisions": decisions, "false_positives": false_positives, "is_on": kept.model.is_some() }));
            change.commit().await?;
            learned += 1;
        }
        Ok(learned)
    }
}

/// One example per finding, by its newest decision; rows of one batch about one rule count a few times only.
fn examples(judged: Vec<Judged>) -> Vec<Example> {
    let mut seen: HashSet<FindingId> = HashSet::new();
    let mut of_batch: HashMap<(String, String), usize> = HashMap::new();
    let mut examples = Vec::new();
    for one in judged {
        if !seen.insert(one.finding) {
            continue;
        }
        let is_false = match one.kind {
            DecisionKind::FalsePositive => true,
            DecisionKind::Accepted | DecisionKind::Mitigated | DecisionKind::Confirmed | DecisionKind::Fixed => false,
            // Whose it is, and that somebody thought again, tells nothing about the finding.
            DecisionKind::OutOfScope | DecisionKind::Reopen => continue,
        };
        if let Some(batch) = one.batch {
            let count = of_batch.entry((batch, one.check.clone())).or_default();
            *count += 1;
            if *count > OF_ONE_BATCH {
                continue;
            }
        }
        let seen = Seen {
            source: &one.source,
            check: &one.check,
            severity: one.severity,
            confidence: one.confidence,
            cwes: &one.cwes,
            location: &one.location,
        };
        examples.push(Example { features: seen.features(), is_false });
    }
    examples
}

/// A model that cannot be read is as good as none, and is learned anew.
pub(crate) fn model(text: &str) -> Option<Model> {
    serde_json::from_str(text).ok()
}

/// The model as it is kept.
pub(crate) fn text(model: &Model) -> Result<String> {
    serde_json::to_string(model).map_err(errors::unwritable)
}
