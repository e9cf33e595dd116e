//! A running `tyrian serve`, and people who use it.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use base::Secret;
use client::Client;
use serde_json::{Value as Json, json};
use url::Url;

/// Long enough for the rules, made of nothing that is used elsewhere.
pub(crate) const PASSWORD: &str = "amber-quarry-lantern-27";

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Runs the binary to its end; `input` is what is typed.
pub(crate) fn tyrian(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tyrian"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Standard output as text.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server of one's own, killed with this value.
pub(crate) struct Server {
    child: Child,
    launcher: Vec<String>,
    /// Where the API is.
    pub(crate) base: Url,
    /// Where metrics and health are.
    pub(crate) management: Url,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Server {
    /// Starts `tyrian serve` on embedded storage below `data`.
    pub(crate) fn embedded(data: &Path) -> Self {
        Self::start(&["--data", &data.display().to_string()], &[])
    }

    /// Starts `tyrian serve` with further words and variables; listens on a free port.
    pub(crate) fn start(words: &[&str], environment: &[(&str, &str)]) -> Self {
        let port = testkit::free_port(LOCALHOST);
        Self::listening(&[], &format!("127.0.0.1:{port}"), port, words, environment)
    }

    /// Starts `tyrian serve` through another program, which must become it.
    pub(crate) fn launched(launcher: &[String], words: &[&str]) -> Self {
        let port = testkit::free_port(LOCALHOST);
        Self::listening(launcher, &format!("127.0.0.1:{port}"), port, words, &[])
    }

    /// Starts context roles without a gateway; they listen on their own ports at the address of `listen`.
    pub(crate) fn roles(roles: &str, listen: &str, environment: &[(&str, &str)]) -> Self {
        Self::listening(&[], listen, 0, &["--role", roles], environment)
    }

    fn listening(launcher: &[String], listen: &str, port: u16, words: &[&str], environment: &[(&str, &str)]) -> Self {
        let management = testkit::free_port(LOCALHOST);
        let mut arguments = vec!["serve".to_owned()];
        arguments.extend(words.iter().map(|word| (*word).to_owned()));
        arguments.extend(["--listen".to_owned(), listen.to_owned(), "--management".to_owned(), format!("127.0.0.1:{management}")]);
        let environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let launcher = launcher.to_vec();
        let child = spawn(&launcher, &arguments, &environment);
        let url = |port: u16| Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        Self { child, launcher, base: url(port), management: url(management), arguments, environment }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again with the same words on the same ports.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.launcher, &self.arguments, &self.environment);
    }

    /// Asks it to end and waits; tells whether it ended well.
    pub(crate) fn stop(&mut self) -> bool {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.child.wait().unwrap().success()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A client without credentials.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.base, None, None).unwrap()
    }

    /// A signed-in client.
    pub(crate) async fn sign_in(&self, username: &str) -> Client {
        self.anonymous().sign_in(username, &Secret::new(PASSWORD.to_owned())).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts the binary and waits until it says where it is.
fn spawn(launcher: &[String], arguments: &[String], environment: &[(String, String)]) -> Child {
    let mut words = launcher.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_tyrian")]).chain(arguments.iter().map(String::as_str));
    let mut child = Command::new(words.next().unwrap())
        .args(words)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("TYRIAN__AUTH__PASSWORD_MEMORY_KIB", "7168")
        .env("TYRIAN__AUTH__PASSWORD_PASSES", "1")
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(log()))
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let greeting = lines.next();
    assert!(greeting.as_ref().is_some_and(Result::is_ok), "the server said nothing and ended: {:?}", child.wait());
    // The rest is read so that the pipe never fills.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn log_path() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("serve.log")
}

fn log() -> std::fs::File {
    std::fs::OpenOptions::new().create(true).append(true).open(log_path()).unwrap()
}

/// How often servers of all tests logged something, in all runs.
pub(crate) fn logged(text: &str) -> usize {
    std::fs::read(log_path()).map_or(0, |log| String::from_utf8_lossy(&log).matches(text).count())
}

/// A plain HTTP client, for what the typed one does not do.
pub(crate) fn http() -> reqwest::Client {
    // Loading the authorities installs the TLS provider the client asks for.
    drop(backends::Authorities::load(None).unwrap());
    reqwest::Client::new()
}

/// Makes an administrator on storage no server holds.
pub(crate) fn create_admin(words: &[&str], environment: &[(&str, &str)], username: &str) {
    create(words, environment, username, &[]);
}

/// Makes an administrator of another organisation.
pub(crate) fn create_admin_of(words: &[&str], organisation: &str, username: &str) {
    create(words, &[], username, &["--organisation", organisation]);
}

fn create(words: &[&str], environment: &[(&str, &str)], username: &str, more: &[&str]) {
    let mail = format!("{username}@example.org");
    let arguments = [words, &["user", "create", username, "--email", &mail, "--role", "admin"], more].concat();
    let environment = [environment, &[("TYRIAN__AUTH__PASSWORD_MEMORY_KIB", "7168"), ("TYRIAN__AUTH__PASSWORD_PASSES", "1")]].concat();
    let output = tyrian(&arguments, &environment, &format!("{PASSWORD}\n"));
    assert!(output.status.success(), "{}", stderr(&output));
}

/// A target with an authorisation of a day.
pub(crate) async fn authorized_target(client: &Client, address: &str) -> Json {
    let target: Json = client.post("targets", &json!({ "name": address, "type": "host" })).await.unwrap();
    let until = base::Time::from(chrono::Utc::now()) + std::time::Duration::from_secs(86_400);
    let authorization = json!({ "target": target["id"], "valid_until": until, "granted_by": "Ada", "evidence": "our own lab" });
    client.post::<Json>("authorizations", &authorization).await.unwrap();
    target
}

/// Waits until the scan has ended and gives it.
pub(crate) async fn ended(client: &Client, scan: &Json) -> Json {
    settled(client, "scans", scan, &["completed", "failed", "cancelled"]).await
}

/// Waits until the report is rendered or given up and gives it.
pub(crate) async fn rendered(client: &Client, report: &Json) -> Json {
    settled(client, "reports", report, &["ready", "failed"]).await
}

/// Two minutes are for machines that do something else besides.
async fn settled(client: &Client, place: &str, thing: &Json, states: &[&str]) -> Json {
    let path = format!("{place}/{}", thing["id"].as_str().unwrap());
    let start = std::time::Instant::now();
    loop {
        let thing: Json = client.get(&path).await.unwrap_or_default();
        if thing["state"].as_str().is_some_and(|state| states.contains(&state)) {
            return thing;
        }
        assert!(start.elapsed().as_secs() < 120, "it never ended: {thing}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}
