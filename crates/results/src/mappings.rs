//! Mappings: tried, saved, listed, dropped, and chosen for an import. One that is not named is proposed at most.

use audit::Change;
use aws_lc_rs::digest::{SHA256, digest};
use base::{Actor, Result, Scope};
use importers::{Format, Limits, Mapping, Record};
use scans::BySeverity;
use serde_json::json;

use crate::ingest::{Reading, head};
use crate::model::{ImportOptions, MappingTrial, SavedMapping, TriedObservation, TryMapping};
use crate::service::Results;
use crate::{actions, errors, store};

/// Longest text of a mapping, and of a sample.
const LONGEST: usize = 256 << 10;
const SAMPLE: usize = 1 << 20;
const LONGEST_NAME: usize = 64;
/// Mappings of one organisation.
const MOST: usize = 200;
/// Mappings that are proposed for one file.
const PROPOSED: usize = 3;
/// Warnings of a trial that are shown.
const WARNINGS: usize = 20;

/// Checks a mapping as it was written.
fn checked(text: &str) -> Result<Mapping> {
    if text.len() > LONGEST {
        return Err(errors::sample("/mapping", LONGEST));
    }
    Mapping::from_json(text).map_err(|cause| errors::mapping(&cause))
}

impl Results {
    /// Tries a mapping on a sample and stores nothing.
    ///
    /// # Errors
    /// `Invalid` naming the field of the mapping and its place; `Forbidden`.
    pub async fn try_mapping(&self, actor: &Actor, attempt: TryMapping) -> Result<MappingTrial> {
        actor.scope(actions::MAP)?;
        if attempt.sample.len() > SAMPLE {
            return Err(errors::sample("/sample", SAMPLE));
        }
        let mapping = checked(&attempt.mapping)?;
        tokio::task::spawn_blocking(move || trial(&mapping, attempt.sample.as_bytes()))
            .await
            .map_err(|cause| base::Error::internal("trying a mapping panicked").because(cause))
    }

    /// Saves a mapping under its own name, in place of an older one; tells whether it is new.
    ///
    /// # Errors
    /// `Invalid` naming the field of the mapping and its place; `Conflict` when there are too many; `Forbidden`.
    pub async fn save_mapping(&self, actor: &Actor, name: &str, text: &str) -> Result<(SavedMapping, bool)> {
        let mut change = Change::begin(&self.backends, actor, actions::MAP).await?;
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_name) {
            return Err(errors::mapping_name("a mapping has a name of 1 to 64 letters, digits, dots, dashes and underscores"));
        }
        let mapping = checked(text)?;
        if mapping.name() != name {
            return Err(errors::mapping_name(&format!("the mapping calls itself `{}`, not `{name}`", mapping.name())));
        }
        let count = store::mappings::count(&mut change, name).await?;
        if count.others >= MOST {
            return Err(errors::too_many_mappings(MOST));
        }
        store::mappings::put(&mut change, name, text).await?;
        change.subject("mapping", name);
        change.detail(json!({ "notation": mapping.notation(), "digest": digest_of(text) }));
        let scope = change.scope();
        change.commit().await?;
        let saved = store::mappings::get(&self.backends.db, &scope, name).await?.ok_or_else(|| errors::mapping_not_found(name))?;
        Ok((saved.mapping, !count.is_known))
    }

    /// Saved mappings, by name.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn mappings(&self, actor: &Actor) -> Result<Vec<SavedMapping>> {
        let scope = actor.scope(actions::READ)?;
        Ok(store::mappings::all(&self.backends.db, &scope).await?.into_iter().map(|kept| kept.mapping).collect())
    }

    /// One saved mapping.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn mapping(&self, actor: &Actor, name: &str) -> Result<SavedMapping> {
        let scope = actor.scope(actions::READ)?;
        let kept = store::mappings::get(&self.backends.db, &scope, name).await?;
        kept.map(|kept| kept.mapping).ok_or_else(|| errors::mapping_not_found(name))
    }

    /// Drops a saved mapping; what was taken in by it stays.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn drop_mapping(&self, actor: &Actor, name: &str) -> Result<()> {
        let mut change = Change::begin(&self.backends, actor, actions::MAP).await?;
        if !store::mappings::delete(&mut change, name).await? {
            return Err(errors::mapping_not_found(name));
        }
        change.subject("mapping", name);
        change.commit().await
    }

    /// How a file is to be read: by the mapping or format that is named, else by the best guess at its format.
    ///
    /// # Errors
    /// `NotFound` for the mapping; `Invalid` when no format fits, naming the mappings that do.
    pub(crate) async fn reading(
        &self,
        scope: &Scope,
        file: &mut std::fs::File,
        filename: Option<&str>,
        format: Option<Format>,
        options: &mut ImportOptions,
    ) -> Result<Reading> {
        if let Some(wanted) = &mut options.mapping {
            let kept = store::mappings::get(&self.backends.db, scope, &wanted.name).await?;
            let kept = kept.ok_or_else(|| errors::mapping_not_found(&wanted.name))?;
            wanted.digest = digest_of(&kept.text);
            return Ok(Reading::Mapped(Box::new(checked(&kept.text)?)));
        }
        if let Some(format) = format {
            return Ok(Reading::Format(format));
        }
        let (head, is_whole) = head(file)?;
        if let Some((format, _)) = importers::sniff(&head, filename).into_iter().next() {
            return Ok(Reading::Format(format));
        }
        let saved = store::mappings::all(&self.backends.db, scope).await?;
        let fitting = saved.into_iter().filter(|kept| checked(&kept.text).is_ok_and(|mapping| mapping.fits(&head, is_whole)));
        let names: Vec<String> = fitting.map(|kept| kept.mapping.name).take(PROPOSED).collect();
        Err(if names.is_empty() { errors::unknown_format(filename) } else { errors::mapping_proposed(filename, &names) })
    }
}

/// A short name for exactly this text.
fn digest_of(text: &str) -> String {
    hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..8])
}

fn trial(mapping: &Mapping, sample: &[u8]) -> MappingTrial {
    let trial = mapping.attempt(sample, &Limits::default());
    let (mut observations, mut warnings) = (Vec::new(), Vec::new());
    for record in trial.records {
        match record {
            Record::Observation(seen) => observations.push(TriedObservation {
                check: seen.check,
                title: seen.title,
                description: seen.description,
                severity: seen.severity,
                cwes: seen.cwes,
                cves: seen.cves,
                location: seen.location,
            }),
            Record::Warning(warning) if warnings.len() < WARNINGS => {
                let place = warning.position.map(|position| format!(" ({position})")).unwrap_or_default();
                warnings.push(format!("{}{place}", warning.message));
            }
            _ => {}
        }
    }
    let counts = trial.totals.by_severity;
    MappingTrial {
        name: mapping.name().to_owned(),
        observations,
        observation_count: trial.totals.observations,
        by_severity: BySeverity { critical: counts.critical, high: counts.high, medium: counts.medium, low: counts.low, info: counts.info },
        skipped: trial.totals.skipped,
        warnings,
        unused: trial.unused,
        failure: trial.failure.map(|failure| failure.to_string()),
        fits: mapping.fits(sample, true),
    }
}
