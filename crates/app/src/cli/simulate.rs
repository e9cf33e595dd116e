//! Words of `tyrian simulate`, and of the race that a checker judges.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use simulator::{Activity, Strike};
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
    /// Attacks (comma separated), each as NAME, NAME:PHONES or NAME:PHONES@SECONDSs: takeover, sensor-injection, replayed-window,
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
    /// Seed of all chance; another one each time when not given, because the same readings on the same server are a replay
    #[arg(long)]
    pub(crate) seed: Option<u64>,
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
