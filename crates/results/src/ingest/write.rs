//! Second pass: reads the spool again and writes observations, findings and coverage, many rows per statement.

use std::str::FromStr;

use audit::Change;
use base::Result;
use importers::{Coverage, Observation, Record};

use super::apply::{Origin, Taken};
use super::batch::Batch;
use super::rows::{FindingRow, KnownFinding};
use crate::model::FindingId;
use crate::store::ingest as store;

/// Rows per statement; 29 columns times this stays below SQLite's 32,766 parameters.
const ROWS: usize = 1000;

#[derive(Default)]
struct Waiting {
    observations: Vec<(FindingId, Observation)>,
    findings: Vec<FindingRow>,
    coverage: Vec<Coverage>,
}

pub(super) async fn rows(change: &mut Change, batch: &mut Batch, origin: &Origin, known: &[KnownFinding], taken: &[Taken]) -> Result<()> {
    let mut records = batch.records()?;
    let mut waiting = Waiting::default();
    let mut ordinal = 0;
    while let Some(record) = records.next()? {
        match record {
            Record::Observation(observation) => {
                let Some(index) = batch.group_of(&observation) else { continue };
                let one = &taken[index];
                if batch.groups[index].speaker == ordinal {
                    waiting.findings.push(finding(change, origin, known, one, observation.clone()));
                }
                waiting.observations.push((one.id, observation));
                ordinal += 1;
            }
            Record::Coverage(coverage) => waiting.coverage.push(coverage),
            Record::Asset(_) | Record::Warning(_) => {}
        }
        waiting.flush(change, origin, ROWS).await?;
    }
    waiting.flush(change, origin, 1).await
}

impl Waiting {
    /// Writes every kind of which at least `many` rows wait.
    async fn flush(&mut self, change: &mut Change, origin: &Origin, many: usize) -> Result<()> {
        if self.observations.len() >= many {
            store::add_observations(change, origin.import, origin.scan, &self.observations).await?;
            self.observations.clear();
        }
        if self.findings.len() >= many {
            store::upsert(change, &self.findings).await?;
            self.findings.clear();
        }
        if self.coverage.len() >= many {
            store::add_coverage(change, origin.import, origin.scan, origin.target, &self.coverage).await?;
            self.coverage.clear();
        }
        Ok(())
    }
}

fn finding(change: &Change, origin: &Origin, known: &[KnownFinding], one: &Taken, observation: Observation) -> FindingRow {
    let before = one.known.map(|index| &known[index]);
    let is_same_scan = origin.scan.is_some() && before.is_some_and(|before| before.last_scan == origin.scan);
    FindingRow {
        id: one.id,
        target: origin.target,
        cvss_score: score(&observation),
        observation,
        derived: one.derived,
        ambiguous: one.is_ambiguous,
        first_seen: before.map_or(change.now(), |before| before.first_seen),
        seen: change.now(),
        scan: origin.scan.or_else(|| before.and_then(|before| before.last_scan)),
        import: origin.import,
        times_seen: before.map_or(1, |before| before.times_seen + i64::from(!is_same_scan)),
    }
}

/// The base score of the vector, to one decimal.
fn score(observation: &Observation) -> Option<f64> {
    let vector = cvss::Cvss::from_str(observation.cvss.as_deref()?).ok()?;
    Some((vector.score() * 10.0).round() / 10.0)
}
