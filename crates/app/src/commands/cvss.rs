//! `tyrian cvss`: scores and severities of CVSS vectors, without storage or server.

use std::io::{BufRead, stdin};
use std::process::ExitCode;

use base::{Kind, Result};
use risk::cvss::{Score, Vector};
use serde::Serialize;

use crate::cli::Cvss;
use crate::{errors, output};

/// No more of a line is kept; a vector is far shorter.
const LONGEST_LINE: u64 = 4096;

/// What one line of the input says, in the order of the input.
#[derive(Debug, Serialize)]
struct Reading {
    vector: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Scored(Scores),
    Refused { error: String },
}

#[derive(Debug, Serialize)]
struct Scores {
    version: &'static str,
    /// The vector in the order of its specification, without undefined metrics.
    canonical: String,
    base_score: f64,
    base_severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    temporal_score: Option<f64>,
    /// What v4 has in place of a temporal score.
    #[serde(skip_serializing_if = "Option::is_none")]
    threat_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environmental_score: Option<f64>,
    /// The score of all that the vector says, and its severity.
    score: f64,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nomenclature: Option<&'static str>,
}

/// Scores the vectors given as arguments, or else one per line of stdin. A bad one is part of the
/// answer and makes the exit code that of wrong input.
pub(super) fn run(command: &Cvss, as_json: bool) -> Result<ExitCode> {
    let mut readings = Vec::new();
    if command.vectors.is_empty() {
        lines(&mut stdin().lock(), |line| readings.push(read(line)))?;
    } else {
        readings.extend(command.vectors.iter().map(|vector| read(vector)));
    }
    if as_json {
        output::document(&readings)?;
    } else {
        readings.iter().for_each(print);
    }
    let refused = readings.iter().any(|reading| matches!(reading.outcome, Outcome::Refused { .. }));
    Ok(ExitCode::from(if refused { output::exit_code(Kind::Invalid) } else { 0 }))
}

/// Hands on every line that is not blank; what exceeds the longest line is dropped.
fn lines(source: &mut impl BufRead, mut take: impl FnMut(&str)) -> Result<()> {
    let failed = |cause: std::io::Error| errors::file(std::path::Path::new("-"), &cause);
    let mut line = Vec::new();
    loop {
        line.clear();
        if std::io::Read::take(&mut *source, LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") {
            source.skip_until(b'\n').map_err(failed)?;
        }
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            take(text.trim());
        }
    }
}

fn read(text: &str) -> Reading {
    let outcome = match Vector::parse(text) {
        Ok(vector) => Outcome::Scored(scores(&vector)),
        Err(error) => Outcome::Refused { error: error.to_string() },
    };
    Reading { vector: text.to_owned(), outcome }
}

fn scores(vector: &Vector) -> Scores {
    let temporal = vector.temporal().map(Score::value);
    let is_version_4 = vector.nomenclature().is_some();
    Scores {
        version: vector.version().as_str(),
        canonical: vector.to_string(),
        base_score: vector.base().value(),
        base_severity: vector.rate(vector.base()).as_str(),
        temporal_score: temporal.filter(|_| !is_version_4),
        threat_score: temporal.filter(|_| is_version_4),
        environmental_score: vector.environmental().map(Score::value),
        score: vector.score().value(),
        severity: vector.severity().as_str(),
        nomenclature: vector.nomenclature(),
    }
}

fn print(reading: &Reading) {
    match &reading.outcome {
        Outcome::Scored(scores) => {
            let (score, base) = (format!("{:.1}", scores.score), format!("{:.1}", scores.base_score));
            let base = if base == score { String::new() } else { format!(" (base {base})") };
            output::line(&format!("{:>4.1}  {:<8}  v{}  {}{base}", scores.score, scores.severity, scores.version, scores.canonical));
        }
        Outcome::Refused { error } => output::line(&format!("   -  refused   -     {}: {error}", reading.vector)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_read() {
        let mut text = vec![b'x'; 10_000];
        text.extend_from_slice(b"\r\n\n  AV:N \r\nlast");
        let mut seen = Vec::new();
        super::lines(&mut text.as_slice(), |line| seen.push(line.to_owned())).unwrap();
        assert_eq!((seen.len(), seen[0].len()), (3, 4096));
        assert_eq!(seen[1..], ["AV:N", "last"]);
    }
}
