//! Running tests: a scan is a durable job of stages, each a tool with limits, watched live, stopped at once, resumed after a crash.

pub mod actions;
mod activity;
mod artifact;
mod documents;
mod errors;
mod events;
mod figures;
mod http;
mod jobs;
mod live;
mod model;
mod profile;
mod progress;
mod run;
mod service;
mod socket;
mod store;
mod tools;
mod watch;
mod wording;

pub use activity::{Activity, ActivityKind};
pub use artifact::Artifact;
pub use documents::METRICS;
pub use events::{ScanCancelled, ScanCompleted, ScanFailed, ScanQueued, ScanStarted, StageFinished};
pub use http::routes;
pub use jobs::{RunScan, SweepScans, list as jobs};
pub use model::{
    ArtifactId, BySeverity, Filter, NewScan, Profile, ProfileName, Scan, ScanId, ScanOptions, ScanState, StageRun, StageState, Summary,
};
pub use progress::Progress;
pub use service::Scans;
pub use tools::{Config, Installed, NATIVE, installed};
pub use wording::{reason, stage_name};
