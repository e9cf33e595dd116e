//! Runs one program: no shell, no environment, limits from outside, a process group of its own that dies with us.
//! Invariant: after `run` returns or is dropped, nothing of the program's group is alive.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base::{Error, Result};
use bytes::{Bytes, BytesMut};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Config;
use crate::errors;

/// Time between asking a program to end and ending it.
const GRACE: Duration = Duration::from_millis(700);
/// Time for the last output to arrive after the program ended; a child of it may hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Kept of what a program complains about.
const STDERR_KEPT: usize = 8 * 1024;

/// What to run and how much of everything it may use.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) wall: Duration,
    pub(crate) memory: u64,
    pub(crate) output: u64,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal that was not ours, such as the one of a limit.
    Killed(i32),
    /// Its time was up.
    TimedOut,
    /// It said more than it may.
    TooLoud,
    /// The scan was halted.
    Halted,
}

/// The end of a program and the tail of its complaints.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) ending: Ending,
    pub(crate) complaints: String,
}

impl Invocation {
    pub(crate) fn new(config: &Config, program: PathBuf, arguments: Vec<String>) -> Self {
        Self {
            program,
            arguments,
            wall: Duration::from_secs(config.tool_seconds),
            memory: config.tool_memory_mebibytes << 20,
            output: config.tool_output_mebibytes << 20,
        }
    }

    /// The command line as it is kept on record, the wrappers left out.
    pub(crate) fn argv(&self) -> Vec<String> {
        let program = self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned();
        std::iter::once(program).chain(self.arguments.iter().cloned()).collect()
    }

    /// `setpriv` ties the program's life to ours, `prlimit` bounds what it may use; both are part of util-linux.
    fn command(&self, config: &Config, folder: &std::path::Path) -> Command {
        let mut words: Vec<std::ffi::OsString> = Vec::new();
        if let Some(setpriv) = config.find("setpriv") {
            words.extend([setpriv.into(), "--pdeathsig".into(), "KILL".into()]);
        }
        if let Some(prlimit) = config.find("prlimit") {
            words.extend([
                prlimit.into(),
                format!("--cpu={}", self.wall.as_secs().max(1)).into(),
                format!("--as={}", self.memory).into(),
                format!("--fsize={}", self.output).into(),
                "--core=0".into(),
            ]);
        }
        words.push(self.program.clone().into());
        words.extend(self.arguments.iter().map(Into::into));
        let mut words = words.into_iter();
        #[expect(clippy::disallowed_methods, reason = "this is the tool runner the lint points at")]
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    /// Runs the program until it ends, is halted or passes a limit; `hear` gets every piece of its output, and so does the reader.
    pub(crate) async fn run(
        &self,
        config: &Config,
        halt: &CancellationToken,
        reader: Option<mpsc::Sender<Bytes>>,
        mut hear: impl FnMut(&[u8]) + Send,
    ) -> Result<Finished> {
        let folder = tempfile::Builder::new()
            .prefix("tyrian-tool-")
            .tempdir()
            .map_err(|cause| errors::tool_failed("a folder for the tool", cause))?;
        let (mut child, keeper) =
            spawn(self.command(config, folder.path())).await.map_err(|cause| errors::tool_failed(&self.argv().join(" "), cause))?;
        let mut group = Group::of(&child);
        let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::internal("a tool was started without pipes"));
        };
        let mut ending = None;
        let mut exited: Option<ExitStatus> = None;
        let mut heard = 0_u64;
        let (mut is_open, mut is_complaining) = (true, true);
        let mut complaints = Vec::new();
        let mut buffer = BytesMut::with_capacity(64 * 1024);
        let mut complaint = [0_u8; 4096];
        let deadline = Instant::now() + self.wall;
        let mut kill_at: Option<Instant> = None;
        let mut give_up_at: Option<Instant> = None;
        while exited.is_none() || is_open || is_complaining {
            tokio::select! {
                read = stdout.read_buf(&mut buffer), if is_open => match read {
                    Ok(count) if count > 0 => {
                        heard += count as u64;
                        if heard > self.output && ending.is_none() {
                            ending = Some(Ending::TooLoud);
                            group.signal(Signal::SIGKILL);
                        } else if ending != Some(Ending::TooLoud) {
                            let piece = buffer.split().freeze();
                            hear(&piece);
                            if let Some(reader) = &reader {
                                // A reader that gave up says why itself.
                                let _ = reader.send(piece).await;
                            }
                        }
                        buffer.clear();
                        buffer.reserve(64 * 1024);
                    }
                    _ => is_open = false,
                },
                read = stderr.read(&mut complaint), if is_complaining => match read {
                    Ok(count) if count > 0 => {
                        complaints.extend_from_slice(&complaint[..count]);
                        let surplus = complaints.len().saturating_sub(STDERR_KEPT);
                        complaints.drain(..surplus);
                    }
                    _ => is_complaining = false,
                },
                status = child.wait(), if exited.is_none() => {
                    exited = Some(status.map_err(|cause| errors::tool_failed("the end of a tool", cause))?);
                    // Whatever it left behind goes with it; later its number may be another's.
                    group.signal(Signal::SIGKILL);
                    group.0 = None;
                    give_up_at = Some(Instant::now() + LAST_WORDS);
                }
                () = halt.cancelled(), if ending.is_none() => {
                    ending = Some(Ending::Halted);
                    group.signal(Signal::SIGTERM);
                    kill_at = Some(Instant::now() + GRACE);
                }
                () = sleep_until(deadline), if ending.is_none() => {
                    ending = Some(Ending::TimedOut);
                    group.signal(Signal::SIGTERM);
                    kill_at = Some(Instant::now() + GRACE);
                }
                () = sleep_until(kill_at.unwrap_or(deadline)), if kill_at.is_some() => {
                    group.signal(Signal::SIGKILL);
                    kill_at = None;
                }
                () = sleep_until(give_up_at.unwrap_or(deadline)), if give_up_at.is_some() => (is_open, is_complaining) = (false, false),
            }
        }
        drop((group, keeper));
        let ending = ending.unwrap_or_else(|| exited.map_or(Ending::Killed(0), of_status));
        Ok(Finished { ending, complaints: String::from_utf8_lossy(&complaints).trim().to_owned() })
    }
}

fn of_status(status: ExitStatus) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    match status.code() {
        Some(code) => Ending::Exited(code),
        None => Ending::Killed(status.signal().unwrap_or(0)),
    }
}

/// Ends the whole process group when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // An error means that nobody of the group is left.
            let _ = killpg(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Lets the thread that started a program end.
struct Keeper {
    _hold: std::sync::mpsc::Sender<()>,
}

/// Starts a program on a thread that lives as long as it: the kernel's parent-death signal watches the thread, not the process.
async fn spawn(mut command: Command) -> io::Result<(Child, Keeper)> {
    let runtime = tokio::runtime::Handle::current();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let (started, child) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("tool".to_owned()).spawn(move || {
        let child = {
            let _entered = runtime.enter();
            command.spawn()
        };
        if started.send(child).is_ok() {
            let _ = held.recv();
        }
    })?;
    let child = child.await.map_err(io::Error::other)??;
    Ok((child, Keeper { _hold: hold }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Invocation {
        let config = Config::default();
        let mut invocation = Invocation::new(&config, "/bin/sh".into(), vec!["-c".into(), script.into()]);
        invocation.wall = Duration::from_secs(20);
        invocation
    }

    async fn heard(invocation: &Invocation, halt: &CancellationToken) -> (Finished, String) {
        let mut text = String::new();
        let finished =
            invocation.run(&Config::default(), halt, None, |piece| text.push_str(&String::from_utf8_lossy(piece))).await.unwrap();
        (finished, text)
    }

    #[tokio::test]
    async fn a_program_sees_nothing_of_our_environment() {
        let (finished, text) = heard(&shell("env; pwd; ulimit -c; echo sorry >&2; exit 3"), &CancellationToken::new()).await;
        assert_eq!(finished.ending, Ending::Exited(3));
        assert_eq!(finished.complaints, "sorry");
        assert!(text.contains("tyrian-tool-") && text.contains("LC_ALL=C"));
        assert!(!text.contains("HOME=") && !text.contains("CARGO"), "{text}");
    }

    #[tokio::test]
    async fn a_program_that_says_too_much_or_takes_too_long_is_ended() {
        let mut loud = shell("while :; do echo 0123456789012345678901234567890123456789; done");
        loud.output = 100_000;
        let (finished, text) = heard(&loud, &CancellationToken::new()).await;
        assert_eq!(finished.ending, Ending::TooLoud);
        assert!(text.len() <= 100_000);
        let mut slow = shell("echo begun; trap '' TERM; while :; do sleep 1; done");
        slow.wall = Duration::from_millis(300);
        let (finished, text) = heard(&slow, &CancellationToken::new()).await;
        assert_eq!((finished.ending, text.as_str()), (Ending::TimedOut, "begun\n"));
    }

    #[tokio::test]
    async fn a_halt_ends_the_whole_group_within_two_seconds() {
        let halt = CancellationToken::new();
        let begun = Instant::now();
        let mut group = None;
        let script = shell("sleep 600 & echo $!; trap '' TERM; wait; sleep 600");
        let finished = script
            .run(&Config::default(), &halt, None, |piece| {
                group = String::from_utf8_lossy(piece).trim().parse::<i32>().ok();
                halt.cancel();
            })
            .await
            .unwrap();
        assert_eq!(finished.ending, Ending::Halted);
        assert!(begun.elapsed() < Duration::from_secs(2));
        let child = Pid::from_raw(group.unwrap());
        let is_gone = || nix::sys::signal::kill(child, None).is_err() || is_zombie(child);
        for _ in 0..50 {
            if is_gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a grandchild is still alive");
    }

    fn is_zombie(pid: Pid) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    }
}
