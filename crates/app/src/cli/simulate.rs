//! Words of `tyrian simulate`, and of the race that a checker judges.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use simulator::{Activity, Carrier, Strike};
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// How many phones; as many as there are --enrol-code when those are given
    #[arg(long, default_value_t = 20)]
    pub(crate) devices: usize,
    /// Code for one phone (may be repeated); without, --token makes a code for each
    #[arg(long = "enrol-code", value_name = "CODE", conflicts_with = "devices")]
    pub(crate) codes: Vec<String>,
    /// Sensor recordings to play, as CSV like `tyrian threat evaluate` reads; each phone plays one subject with noise of its own
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,
    /// Attacks (comma separated), each as NAME, NAME@SECONDSs, NAME:PHONES or NAME:PHONES@SECONDSs: takeover, sensor-injection, replayed-window,
    /// token-theft, nonce-replay, clone; and mishaps that must be borne: clock-skew, reconnect-storm
    #[arg(long = "attack", value_name = "ATTACKS", value_delimiter = ',')]
    pub(crate) attacks: Vec<Strike>,
    /// How long the phones live once all are enrolled
    #[arg(long, default_value_t = 60.0)]
    pub(crate) seconds: f64,
    /// Make readings so many times faster than life; baselines are learned that much sooner
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Seconds between two batches of a phone
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub(crate) every: f64,
    /// Readings of each sensor a second
    #[arg(long, value_name = "HERTZ", default_value_t = 50.0)]
    pub(crate) rate: f64,
    /// What people do
    #[arg(long, value_enum, default_value_t = Carried::Walking)]
    pub(crate) activity: Carried,
    /// Seconds between two refreshes of a phone; four fifths of the access token's life when not given
    #[arg(long, value_name = "SECONDS")]
    pub(crate) refresh_every: Option<f64>,
    /// How phones talk to the server; enrolment, attestation and refresh go by requests in any case
    #[arg(long, value_enum, default_value_t = Line::Http)]
    pub(crate) line: Line,
    /// Where the gRPC listener is, for --line grpc
    #[arg(long, value_name = "URL", requires_all = ["certificate", "key"])]
    pub(crate) grpc: Option<Url>,
    /// PEM file of the certificate that phones show there
    #[arg(long, value_name = "FILE", requires = "grpc")]
    pub(crate) certificate: Option<PathBuf>,
    /// PEM file of its key
    #[arg(long, value_name = "FILE", requires = "grpc")]
    pub(crate) key: Option<PathBuf>,
    /// A further node of the server (may be repeated); phones are spread over all and move on when theirs is away
    #[arg(long = "node", value_name = "URL")]
    pub(crate) nodes: Vec<Url>,
    /// Lock and release a phone every so many seconds, with --token; phones go on asking, and nothing may be granted to a locked one
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lock_every: Option<f64>,
    /// Phones hold their line and say nothing unasked
    #[arg(long)]
    pub(crate) silent: bool,
    /// Address that phones come from
    #[arg(long, value_name = "ADDRESS", hide = true)]
    pub(crate) bind: Option<IpAddr>,
    /// Seed of all chance; another one each time when not given, because the same readings on the same server are a replay
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

/// How phones talk, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Line {
    /// Requests; commands are asked for
    Http,
    /// An open WebSocket, protobuf
    Socket,
    /// An open WebSocket, JSON
    SocketJson,
    /// A gRPC stream
    Grpc,
}

impl From<Line> for Carrier {
    fn from(line: Line) -> Self {
        match line {
            Line::Http => Self::Http,
            Line::Socket => Self::Socket,
            Line::SocketJson => Self::SocketJson,
            Line::Grpc => Self::Grpc,
        }
    }
}

/// What people do, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Carried {
    /// They walk
    Walking,
    /// The phone lies on a table
    Still,
    /// They hold it in their hand
    Handheld,
    /// One after the other
    Mixed,
}

impl From<Carried> for Activity {
    fn from(carried: Carried) -> Self {
        match carried {
            Carried::Walking => Self::Walking,
            Carried::Still => Self::Still,
            Carried::Handheld => Self::Handheld,
            Carried::Mixed => Self::Mixed,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Race {
    /// A node (may be repeated)
    #[arg(long = "node", value_name = "URL", required = true)]
    pub(crate) nodes: Vec<Url>,
    /// Operations after which it ends
    #[arg(long, default_value_t = 10_000)]
    pub(crate) operations: u64,
    /// Seconds after which it ends however few there were
    #[arg(long, default_value_t = 3600)]
    pub(crate) seconds: u64,
    /// Clients, a multiple of four
    #[arg(long, default_value_t = 16)]
    pub(crate) clients: usize,
    /// The nodes' devices.grace_seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) grace: u64,
    /// Where the history goes, one operation a line
    #[arg(long, value_name = "FILE")]
    pub(crate) history: PathBuf,
    /// Seed of all chance
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}
