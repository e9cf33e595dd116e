//! `tyrian import`: take another scanner's output, or only say what would be taken.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;
use std::process::ExitCode;

use base::Result;
use importers::{Format, Limits, Record, Sink, Stop, Totals, Warning};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::session::Session;
use crate::cli::{Cli, Import};
use crate::config::Settings;
use crate::{errors, output};

/// Largest share of a file that is looked at to guess its format.
const HEAD: u64 = 64 * 1024;

/// What a file holds.
#[derive(Debug, Serialize)]
struct Reading {
    file: String,
    format: Format,
    #[serde(flatten)]
    totals: Totals,
    findings: u64,
    warnings: Vec<Warning>,
}

/// Keeps warnings, counts the rest.
#[derive(Default)]
struct Warnings(Vec<Warning>);

impl Sink for Warnings {
    fn record(&mut self, record: Record) -> Result<(), Stop> {
        if let Record::Warning(warning) = record {
            self.0.push(warning);
        }
        Ok(())
    }
}

/// Reads the files and stores nothing.
pub(super) fn dry_run(import: &Import, as_json: bool) -> Result<ExitCode> {
    let readings = import.files.iter().map(|file| read(file, import.format.as_deref())).collect::<Result<Vec<_>>>()?;
    if as_json {
        match readings.as_slice() {
            [one] => output::document(one)?,
            several => output::document(&json!({ "files": several }))?,
        }
    } else {
        readings.iter().for_each(print);
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path, format: Option<&str>) -> Result<Reading> {
    let (format, mut source) = open(path, format)?;
    let mut warnings = Warnings::default();
    let totals = importers::parse(format, &mut source, &Limits::default(), &mut warnings)
        .map_err(|failure| errors::import_unreadable(path, &failure))?;
    Ok(Reading { file: path.display().to_string(), format, findings: totals.issues, totals, warnings: warnings.0 })
}

/// Opens the file and settles its format, by name or by a look at its head.
fn open(path: &Path, format: Option<&str>) -> Result<(Format, Box<dyn Read>)> {
    let mut source: Box<dyn Read> =
        if path == Path::new("-") { Box::new(stdin()) } else { Box::new(File::open(path).map_err(|cause| errors::file(path, &cause))?) };
    if let Some(name) = format {
        let format = name.parse().map_err(|failure: importers::UnknownFormat| errors::usage(failure.to_string()))?;
        return Ok((format, source));
    }
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head).map_err(|cause| errors::file(path, &cause))?;
    let guess = importers::sniff(&head, path.file_name().and_then(|name| name.to_str()));
    let Some((format, _)) = guess.first() else {
        let known: Vec<&str> = Format::all().map(Format::id).collect();
        return Err(errors::import_unknown_format(path, &known));
    };
    Ok((*format, Box::new(std::io::Cursor::new(head).chain(source))))
}

fn print(reading: &Reading) {
    let counts = &reading.totals.by_severity;
    output::line(&format!(
        "{}: {}, {} findings ({} critical, {} high, {} medium, {} low, {} info) from {} observations",
        reading.file,
        reading.format.label(),
        reading.findings,
        counts.critical,
        counts.high,
        counts.medium,
        counts.low,
        counts.info,
        reading.totals.observations
    ));
    for warning in &reading.warnings {
        let place = warning.position.as_ref().map_or_else(String::new, |position| format!("{position}: "));
        output::note(&format!("  warning: {place}{}", warning.message));
    }
}

/// Sends the files to the API.
pub(super) async fn run(import: &Import, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = send(import, &session).await;
    session.close().await;
    let summaries = outcome?;
    if cli.json {
        match summaries.as_slice() {
            [one] => output::document(one)?,
            several => output::document(&json!({ "files": several }))?,
        }
    } else {
        for summary in &summaries {
            output::line(&format!(
                "{}: {} new, {} known, {} reopened findings from {} observations",
                summary["filename"].as_str().unwrap_or("-"),
                summary["summary"]["created"],
                summary["summary"]["unchanged"],
                summary["summary"]["reopened"],
                summary["summary"]["observations"]
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn send(import: &Import, session: &Session) -> Result<Vec<Json>> {
    let mut summaries = Vec::new();
    for path in &import.files {
        let (format, mut source) = open(path, import.format.as_deref())?;
        let mut content = Vec::new();
        source.read_to_end(&mut content).map_err(|cause| errors::file(path, &cause))?;
        let name = path.file_name().map_or_else(|| "stdin".to_owned(), |name| name.to_string_lossy().into_owned());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("format", format.id()).append_pair("filename", &name);
        if let Some(target) = &import.target {
            query.append_pair("target_id", target);
        }
        summaries.push(session.client.upload(&format!("imports?{}", query.finish()), content, "application/octet-stream").await?);
    }
    Ok(summaries)
}
