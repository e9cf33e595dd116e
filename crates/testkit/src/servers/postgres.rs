//! PostgreSQL clusters and empty databases.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, Recipe, is_root, run};
use crate::{free_port, scratch};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Whether an acknowledged commit is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// `fsync` off: for every test that does not pull the plug.
    Fast,
    /// `fsync` on, as in production.
    Safe,
}

/// A PostgreSQL cluster of one's own.
pub struct Postgres {
    process: Process,
    port: u16,
    // Removed after the server has stopped: fields drop in order.
    _folder: TempDir,
}

impl Postgres {
    /// Creates an empty cluster and starts it.
    pub fn start(durability: Durability) -> Self {
        let folder = scratch::folder("postgres");
        let cluster = folder.path().join("cluster");
        std::fs::create_dir(&cluster).expect("the folder of the cluster");
        if is_root() {
            run(&["chown", "postgres:", &cluster.to_string_lossy()], None);
        }
        let initdb = binary("initdb");
        let cluster = cluster.to_string_lossy().into_owned();
        run(
            &[&initdb, "--pgdata", &cluster, "--username=tyrian", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            Some("postgres"),
        );
        let port = free_port(LOCALHOST);
        let mut line = vec![binary("postgres"), "-D".to_owned(), cluster];
        let mut set = |setting: &str| line.extend(["-c".to_owned(), setting.to_owned()]);
        set("listen_addresses=127.0.0.1");
        set(&format!("port={port}"));
        set("unix_socket_directories=");
        set("max_connections=300");
        set("shared_buffers=64MB");
        if durability == Durability::Fast {
            set("fsync=off");
            set("synchronous_commit=off");
            set("full_page_writes=off");
        }
        let ready = binary("pg_isready");
        let port_text = port.to_string();
        let process = Process::start(Recipe {
            name: "postgres",
            line,
            environment: Vec::new(),
            folder: folder.path().to_path_buf(),
            user: Some("postgres"),
            stop: Signal::SIGINT,
            ready: Box::new(move || {
                std::process::Command::new(&ready)
                    .args(["-q", "-h", "127.0.0.1", "-p", &port_text])
                    .status()
                    .is_ok_and(|status| status.success())
            }),
        });
        Self { process, port, _folder: folder }
    }

    /// The port it listens on at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// URL of the superuser's `postgres` database.
    pub fn url(&self) -> String {
        format!("postgres://tyrian@127.0.0.1:{}/postgres", self.port)
    }

    /// An empty database in this cluster.
    pub fn fresh_database(&self) -> Database {
        Database::create(&self.url())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops it if it runs and starts it again on the same port and data.
    pub fn restart(&mut self) {
        self.process.restart();
    }
}

/// An empty database, dropped with this value.
pub struct Database {
    url: String,
    name: String,
    admin: String,
}

impl Database {
    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn create(admin: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let started = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_micros());
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{started}_{number}", std::process::id());
        statement(admin, &format!("CREATE DATABASE {name} TEMPLATE template0"));
        let (server, _) = admin.rsplit_once('/').expect("an URL that names a database");
        Self { url: format!("{server}/{name}"), name, admin: admin.to_owned() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The cluster may be dead on purpose, and it is thrown away as a whole anyway.
        drop(
            std::process::Command::new(binary("psql"))
                .args(["-X", "-q", "-c"])
                .arg(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))
                .arg(&self.admin)
                .stderr(std::process::Stdio::null())
                .status(),
        );
    }
}

/// An empty database in the cluster of this run: that of `TYRIAN_TEST_POSTGRES` (the superuser's
/// URL, set by `./test`), otherwise one started by the first caller in this process.
pub fn fresh_database() -> Database {
    static OWN: OnceLock<Postgres> = OnceLock::new();
    match std::env::var("TYRIAN_TEST_POSTGRES") {
        Ok(url) => Database::create(&url),
        Err(_) => OWN.get_or_init(|| Postgres::start(Durability::Fast)).fresh_database(),
    }
}

fn statement(url: &str, sql: &str) {
    run(&[&binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, url], None);
}

/// Debian keeps the server programs of each major version out of `PATH`.
fn binary(name: &str) -> String {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        versions
            .filter_map(|entry| {
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                let folder = entry.path().join("bin");
                folder.join("initdb").exists().then_some((version, folder))
            })
            .max()
            .map(|(_, folder)| folder)
            .unwrap_or_else(|| panic!("postgresql is not installed: run ./test, it installs what tests need"))
    });
    folder.join(name).to_string_lossy().into_owned()
}
