//! Typesetting in a process of its own, so that no document can hold a server's memory or time.
//!
//! One JSON line describes the document and its limits, the files follow as raw bytes in the
//! order the line names them; the PDF comes back on standard output, a failure as text on
//! standard error with exit code 1. The child limits itself before it reads the first file.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use chrono::DateTime;
use nix::sys::resource::{Resource, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};

use crate::{Document, TypesetError};

/// The hidden subcommand under which the binary must call [`serve_stdin`].
pub const SUBCOMMAND: &str = "typeset";

const HEAD_LIMIT: u64 = 4 << 20;
const FILES_LIMIT: u64 = 256 << 20;
const PDF_LIMIT: u64 = 512 << 20;
const COMPLAINT_LIMIT: u64 = 16 << 10;

/// What one render may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest time from start to end; the process is killed after it, and its CPU time is
    /// limited to the same span.
    pub wall: Duration,
    /// Most address space in bytes, code and fonts included.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wall: Duration::from_secs(60), memory: 2 << 30 }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    main: String,
    title: String,
    language: String,
    created_microseconds: i64,
    cpu_seconds: u64,
    memory: u64,
    files: Vec<(String, u64)>,
}

/// Renders in a child: runs `<program> typeset`, kills it at the wall limit or when dropped.
pub async fn render(program: &Path, document: &Document, limits: Limits) -> Result<Vec<u8>, TypesetError> {
    let head = head(document, limits)?;
    let mut child = command(program).spawn().map_err(TypesetError::Process)?;
    let (Some(input), Some(output), Some(complaint)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
        return Err(TypesetError::Died("no pipes".to_owned()));
    };
    let work = async {
        let (sent, pdf, complaint) =
            tokio::join!(send(input, &head, document), receive(output, PDF_LIMIT), receive(complaint, COMPLAINT_LIMIT),);
        let status = child.wait().await.map_err(TypesetError::Process)?;
        answer(status, sent, pdf, complaint)
    };
    let answered = tokio::time::timeout(limits.wall, work).await;
    match answered {
        Ok(result) => result,
        Err(_) => {
            // Waited for as well, so that no zombie is left behind.
            let _ = child.kill().await;
            Err(TypesetError::TimedOut(limits.wall))
        }
    }
}

/// The whole life of the child: reads one document from standard input, writes one PDF.
pub fn serve_stdin() -> ExitCode {
    match serve(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}", error.as_text());
            ExitCode::from(1)
        }
    }
}

fn serve(input: &mut dyn BufRead, output: &mut dyn Write) -> Result<(), TypesetError> {
    let mut line = Vec::new();
    input.take(HEAD_LIMIT).read_until(b'\n', &mut line).map_err(TypesetError::Process)?;
    let head: Head = serde_json::from_slice(&line).map_err(|error| TypesetError::Document(format!("the request is malformed: {error}")))?;
    confine(&head)?;
    let document = document(head, input)?;
    let pdf = crate::pdf(&document)?;
    output.write_all(&pdf).and_then(|()| output.flush()).map_err(TypesetError::Process)
}

fn confine(head: &Head) -> Result<(), TypesetError> {
    let set = |resource, value| setrlimit(resource, value, value).map_err(|errno| TypesetError::Process(errno.into()));
    set(Resource::RLIMIT_CORE, 0)?;
    set(Resource::RLIMIT_FSIZE, 0)?;
    set(Resource::RLIMIT_CPU, head.cpu_seconds)?;
    set(Resource::RLIMIT_AS, head.memory)
}

fn document(head: Head, input: &mut dyn BufRead) -> Result<Document, TypesetError> {
    let total = head.files.iter().fold(0_u64, |sum, (_, length)| sum.saturating_add(*length));
    if total > FILES_LIMIT {
        return Err(TypesetError::TooLarge { what: "the document", limit: FILES_LIMIT });
    }
    let mut files = BTreeMap::new();
    for (path, length) in head.files {
        let mut bytes = Vec::new();
        let read = input.take(length).read_to_end(&mut bytes).map_err(TypesetError::Process)?;
        if u64::try_from(read).ok() != Some(length) {
            return Err(TypesetError::Document(format!("the file {path:?} ends too early")));
        }
        files.insert(path, bytes);
    }
    let created = DateTime::from_timestamp_micros(head.created_microseconds)
        .ok_or_else(|| TypesetError::Document("the creation time is out of range".to_owned()))?;
    Ok(Document { main: head.main, files, title: head.title, language: head.language, created })
}

fn head(document: &Document, limits: Limits) -> Result<Vec<u8>, TypesetError> {
    let length = |bytes: &Vec<u8>| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let files: Vec<(String, u64)> = document.files.iter().map(|(path, bytes)| (path.clone(), length(bytes))).collect();
    if files.iter().fold(0_u64, |sum, (_, length)| sum.saturating_add(*length)) > FILES_LIMIT {
        return Err(TypesetError::TooLarge { what: "the document", limit: FILES_LIMIT });
    }
    let head = Head {
        main: document.main.clone(),
        title: document.title.clone(),
        language: document.language.clone(),
        created_microseconds: document.created.timestamp_micros(),
        cpu_seconds: limits.wall.as_secs().max(1),
        memory: limits.memory,
        files,
    };
    let mut line = serde_json::to_vec(&head).map_err(|error| TypesetError::Document(format!("the request is malformed: {error}")))?;
    line.push(b'\n');
    if length(&line) > HEAD_LIMIT {
        return Err(TypesetError::TooLarge { what: "the source", limit: HEAD_LIMIT });
    }
    Ok(line)
}

#[expect(clippy::disallowed_methods, reason = "this is the runner: limits, own group, no shell")]
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg(SUBCOMMAND)
        .env_clear()
        // Threads cost address space, and one render should not take the whole machine.
        .env("RAYON_NUM_THREADS", "2")
        .env("MALLOC_ARENA_MAX", "2")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

async fn send(mut input: ChildStdin, head: &[u8], document: &Document) -> io::Result<()> {
    input.write_all(head).await?;
    for bytes in document.files.values() {
        input.write_all(bytes).await?;
    }
    input.shutdown().await
}

async fn receive(output: impl AsyncRead + Unpin, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let read = output.take(limit + 1).read_to_end(&mut bytes).await?;
    Ok((u64::try_from(read).is_ok_and(|read| read <= limit)).then_some(bytes))
}

fn answer(
    status: ExitStatus,
    sent: io::Result<()>,
    pdf: io::Result<Option<Vec<u8>>>,
    complaint: io::Result<Option<Vec<u8>>>,
) -> Result<Vec<u8>, TypesetError> {
    if status.success() {
        // A child that answers without reading everything is as wrong as one that cannot be read.
        sent.map_err(TypesetError::Process)?;
        return pdf.map_err(TypesetError::Process)?.ok_or(TypesetError::TooLarge { what: "the PDF", limit: PDF_LIMIT });
    }
    let complaint = complaint.ok().flatten().unwrap_or_default();
    let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
    if status.code() == Some(1) && !complaint.is_empty() {
        return Err(TypesetError::Document(complaint));
    }
    Err(TypesetError::Died(status.to_string()))
}

impl TypesetError {
    /// What the parent repeats: the cause without the words the parent adds itself.
    fn as_text(&self) -> String {
        match self {
            Self::Document(cause) => cause.clone(),
            other => other.to_string(),
        }
    }
}
