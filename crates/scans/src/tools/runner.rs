//! Runs a program and reads its output while it speaks; what was read before its end is kept whatever the end was.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use base::{Error, Result};
use bytes::Bytes;
use importers::{Detail, Format, Options};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::process::{Ending, Finished, Invocation};
use super::{Adapter, Config};
use crate::artifact::Sheet;

/// Pieces of output between program and reader.
const PIECES: usize = 64;

/// The program's words as the importer reads them.
struct Incoming {
    pieces: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = piece,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.current.len());
        into[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

/// Collects what the runs of one stage say.
pub(crate) struct Collector {
    pub(crate) sheet: Sheet,
    raw: zstd::Encoder<'static, Vec<u8>>,
    pub(crate) argv: Vec<Vec<String>>,
}

/// How one run went.
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    /// What was wrong with it, in words, when it did not simply succeed.
    pub(crate) trouble: Option<String>,
}

impl Collector {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { sheet: Sheet::new()?, raw: zstd::Encoder::new(Vec::new(), 3).map_err(uncompressed)?, argv: Vec::new() })
    }

    /// The raw words, compressed, and the sheet.
    pub(crate) fn finish(self) -> Result<(Sheet, Vec<u8>, Vec<Vec<String>>)> {
        Ok((self.sheet, self.raw.finish().map_err(uncompressed)?, self.argv))
    }

    /// Runs one program; `hear` sees every piece of output as well.
    pub(crate) async fn run(
        self,
        config: &Config,
        invocation: &Invocation,
        format: Format,
        halt: &CancellationToken,
        mut hear: impl FnMut(&[u8]) + Send,
    ) -> Result<(Self, Ran)> {
        let Self { mut sheet, mut raw, mut argv } = self;
        argv.push(invocation.argv());
        let (sender, pieces) = mpsc::channel(PIECES);
        let reading = tokio::task::spawn_blocking(move || {
            let options = Options { detail: Detail::Judged, ..Options::default() };
            let mut incoming = Incoming { pieces, current: Bytes::new() };
            let outcome = importers::read(format, &mut incoming, &options, &mut sheet);
            (sheet, outcome)
        });
        let mut spoiled = None;
        let finished = invocation
            .run(config, halt, Some(sender), |piece| {
                hear(piece);
                if let Err(cause) = raw.write_all(piece) {
                    spoiled = Some(cause);
                }
            })
            .await?;
        let (sheet, outcome) = reading.await.map_err(|cause| Error::internal("reading a tool's output panicked").because(cause))?;
        if let Some(cause) = spoiled {
            return Err(uncompressed(cause));
        }
        let trouble = trouble(invocation, &finished, outcome.failure.as_ref());
        Ok((Self { sheet, raw, argv }, Ran { ending: finished.ending, trouble }))
    }
}

fn trouble(invocation: &Invocation, finished: &Finished, unreadable: Option<&importers::ParseError>) -> Option<String> {
    let complaint: String = finished.complaints.lines().last().unwrap_or_default().chars().take(300).collect();
    let said = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
    match finished.ending {
        Ending::Exited(0) => unreadable.map(|error| format!("its output cannot be read: {error}")),
        Ending::Exited(status) => Some(format!("it ended with status {status}{said}")),
        Ending::Killed(signal) => Some(format!("it was ended by signal {signal}, perhaps for passing a limit{said}")),
        Ending::TimedOut => Some(format!("it took longer than {} s", invocation.wall.as_secs())),
        Ending::TooLoud => Some(format!("it said more than {} MiB", invocation.output >> 20)),
        Ending::Halted => Some("it was stopped with the scan".to_owned()),
    }
}

fn uncompressed(cause: io::Error) -> Error {
    Error::internal("a tool's output cannot be compressed").because(cause)
}

/// Asks a program for its version.
pub(crate) async fn version(config: &Config, adapter: &Adapter, program: PathBuf, halt: &CancellationToken) -> Option<String> {
    let arguments = adapter.version.iter().map(|argument| (*argument).to_owned()).collect();
    let mut invocation = Invocation::new(config, program, arguments);
    invocation.wall = std::time::Duration::from_secs(5);
    invocation.output = 64 * 1024;
    let mut text = Vec::new();
    invocation.run(config, halt, None, |piece| text.extend_from_slice(piece)).await.ok()?;
    Adapter::read_version(&String::from_utf8_lossy(&text))
}
