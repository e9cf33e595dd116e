//! One server as a child process: started, watched until it answers, stopped with everything it
//! started. It never outlives the test process, however that ends.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::eventually::happens_within;

/// A search server needs half a minute of a busy machine.
const START: Duration = Duration::from_secs(180);
const STOP: Duration = Duration::from_secs(10);

/// What to run and how to tell that it serves.
pub(crate) struct Recipe {
    /// Name in failures and of the log file.
    pub(crate) name: &'static str,
    /// Program and arguments.
    pub(crate) line: Vec<String>,
    /// Extra environment.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Folder for the log, and the working directory.
    pub(crate) folder: PathBuf,
    /// The user to become when the tests run as root.
    pub(crate) user: Option<&'static str>,
    /// The signal that stops the server at once but cleanly.
    pub(crate) stop: Signal,
    /// Whether it answers.
    pub(crate) ready: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A running server.
pub(crate) struct Process {
    recipe: Recipe,
    child: Child,
}

impl Process {
    /// Starts the server and waits until it answers.
    pub(crate) fn start(recipe: Recipe) -> Self {
        let child = launch(&recipe);
        let mut process = Self { recipe, child };
        process.wait_until_ready();
        process
    }

    /// Stops it cleanly.
    pub(crate) fn stop(&mut self) {
        let signal = self.recipe.stop;
        self.end(signal);
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.end(Signal::SIGKILL);
    }

    /// Starts it again after `stop` or `kill`, on the same port and data.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.child = launch(&self.recipe);
        self.wait_until_ready();
    }

    /// Freezes it: connections stay open and nothing answers.
    pub(crate) fn pause(&self) {
        killpg(self.group(), Signal::SIGSTOP).expect("freeze the server");
    }

    /// Ends a `pause`.
    pub(crate) fn resume(&self) {
        killpg(self.group(), Signal::SIGCONT).expect("resume the server");
    }

    fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    fn end(&mut self, signal: Signal) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let group = self.group();
        // A frozen process would keep the signal pending.
        let _ = killpg(group, Signal::SIGCONT);
        let _ = nix::sys::signal::kill(group, signal);
        let ended = happens_within(STOP, || !matches!(self.child.try_wait(), Ok(None)));
        let _ = killpg(group, Signal::SIGKILL);
        if !ended {
            drop(self.child.wait());
        }
    }

    fn wait_until_ready(&mut self) {
        let ready = happens_within(START, || (self.recipe.ready)() || !matches!(self.child.try_wait(), Ok(None)));
        let exited = self.child.try_wait().expect("the state of the server");
        if ready && exited.is_none() {
            return;
        }
        let log = std::fs::read_to_string(log_path(&self.recipe)).unwrap_or_default();
        panic!("{} did not start ({exited:?}):\n{log}", self.recipe.name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether the tests run as root, so that servers must become somebody else.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The program `name`, looked for in `PATH` and where Debian keeps servers.
///
/// # Panics
/// When it is not installed.
pub(crate) fn program(name: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/local/sbin"]);
    folders
        .map(|folder| Path::new(folder).join(name))
        .find(|candidate| candidate.is_file())
        .and_then(|found| found.to_str().map(str::to_owned))
        .unwrap_or_else(|| panic!("{name} is not installed: run ./test, it installs what tests need"))
}

/// Runs a helper program to its end and returns what it printed.
///
/// # Panics
/// When it fails.
pub(crate) fn run(line: &[&str], user: Option<&str>) -> String {
    let line: Vec<String> = line.iter().map(|&part| part.to_owned()).collect();
    let mut command = command(&line, user, None);
    let output = command.output().expect("run a helper program");
    assert!(output.status.success(), "{line:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn command(line: &[String], user: Option<&str>, death: Option<Signal>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(signal) = death {
        command.args(["--pdeathsig", signal.as_str().trim_start_matches("SIG")]);
    }
    if let Some(user) = user.filter(|_| is_root()) {
        command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    command.arg("--").args(line).stdin(Stdio::null());
    command
}

fn launch(recipe: &Recipe) -> Child {
    let log = File::options().create(true).append(true).open(log_path(recipe)).expect("a log file");
    let mut command = command(&recipe.line, recipe.user, Some(recipe.stop));
    command
        .envs(recipe.environment.iter().map(|(key, value)| (key, value)))
        .current_dir(&recipe.folder)
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log)
        .process_group(0);
    spawn_from_a_lasting_thread(command).unwrap_or_else(|error| panic!("{} cannot be run: {error}", recipe.name))
}

fn log_path(recipe: &Recipe) -> PathBuf {
    recipe.folder.join(format!("{}.log", recipe.name))
}

/// The kernel sends the parent-death signal when the *thread* that forked ends, and every test has
/// its own thread: a server shared by tests must be forked by one that lasts as long as the process.
fn spawn_from_a_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static FORKS: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let forks = FORKS.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                drop(reply.send(command.spawn()));
            }
        });
        orders
    });
    let (reply, answer) = mpsc::channel();
    forks.send((command, reply)).map_err(io::Error::other)?;
    answer.recv().map_err(io::Error::other)?
}
