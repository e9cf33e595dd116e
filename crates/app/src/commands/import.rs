//! `tyrian import`: take another scanner's output, or only say what would be taken.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;
use std::process::ExitCode;

use axum::body::Bytes;
use base::Result;
use futures::Stream;
use importers::{Format, Limits, Record, Sink, Stop, Totals, Warning};
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::io::AsyncRead;

use super::session::Session;
use crate::cli::{Cli, Gravity, Import};
use crate::config::Settings;
use crate::{errors, output};

/// Largest share of a file that is looked at to guess its format.
const HEAD: u64 = 64 * 1024;
/// Bytes of a file sent at once.
const PART: usize = 256 * 1024;
/// How often an import that was accepted is asked after.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(200);

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
        return Err(errors::import_unknown_format(path, Format::all().count()));
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
            let of = &summary["summary"];
            output::line(&format!(
                "{}: {} new, {} known, {} moved, {} reopened, {} closed, {} not retested, from {} observations",
                summary["filename"].as_str().unwrap_or("-"),
                of["created"],
                of["unchanged"],
                of["moved"],
                of["reopened"],
                of["closed"],
                of["not_retested"],
                of["observations"]
            ));
            output::left_open(of["not_retested"].as_u64().unwrap_or_default(), &import.close_old);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn send(import: &Import, session: &Session) -> Result<Vec<Json>> {
    let mut summaries = Vec::new();
    for path in &import.files {
        let name = path.file_name().map_or_else(|| "stdin".to_owned(), |name| name.to_string_lossy().into_owned());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("filename", &name).append_pair("close_old", &import.close_old);
        let optional = [
            ("format", import.format.as_deref()),
            ("target_id", import.target.as_deref()),
            ("service", import.service.as_deref()),
            ("minimum_severity", import.minimum_severity.map(word)),
            ("do_not_reactivate", import.do_not_reactivate.then_some("true")),
            ("active", import.inactive.then_some("false")),
            ("verified", import.verified.then_some("true")),
        ];
        for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            query.append_pair(name, value);
        }
        for tag in &import.tags {
            query.append_pair("tags", tag);
        }
        let content = content(path).await?;
        let sent = session.client.upload_stream(&format!("imports?{}", query.finish()), content, "application/octet-stream").await?;
        summaries.push(ended(session, sent).await?);
    }
    Ok(summaries)
}

/// The file as it is read.
async fn content(path: &Path) -> Result<impl Stream<Item = std::io::Result<Bytes>> + Send + use<>> {
    use tokio::io::AsyncReadExt;

    let source: Box<dyn AsyncRead + Send + Unpin> = if path == Path::new("-") {
        Box::new(tokio::io::stdin())
    } else {
        Box::new(tokio::fs::File::open(path).await.map_err(|cause| errors::file(path, &cause))?)
    };
    Ok(futures::stream::try_unfold(source, |mut source| async move {
        let mut part = vec![0; PART];
        let read = source.read(&mut part).await?;
        part.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(part), source)))
    }))
}

/// Waits until an accepted file is taken in.
async fn ended(session: &Session, mut import: Json) -> Result<Json> {
    while import["state"] == "queued" {
        tokio::time::sleep(AGAIN).await;
        import = session.client.get(&format!("imports/{}", import["id"].as_str().unwrap_or_default())).await?;
    }
    match import["error"].as_str() {
        Some(error) if import["state"] == "failed" => Err(errors::import_failed(error)),
        _ => Ok(import),
    }
}

const fn word(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::Info => "info",
        Gravity::Low => "low",
        Gravity::Medium => "medium",
        Gravity::High => "high",
        Gravity::Critical => "critical",
    }
}
