//! What every story needs: services, an authorised target, somebody who takes artifacts in, fake programs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use backends::{Handlers, Job, Run, jobs};
use base::{Actor, Result, Role};
use importers::{Observation, Record};
use scans::{ArtifactId, Config, NewScan, Profile, Scan, ScanId, Scans, Summary};
use serde::{Deserialize, Serialize};
use targets::{Authorization, NewAuthorization, NewTarget, Target, TargetKind, Targets};
use testkit::{Engine, World};

/// Takes in what a stage brought, as the results context does.
#[derive(Serialize, Deserialize)]
pub(crate) struct TakeIn {
    scan_id: ScanId,
    artifact_id: ArtifactId,
}

impl Job for TakeIn {
    const NAME: &'static str = "test.take_in";
    const QUEUE: &'static str = "import_queue";
    const ON: &'static [&'static str] = &["scan.stage_finished"];
    type Service = Scans;

    async fn run(self, scans: &Scans, run: &Run) -> Result<()> {
        let artifact = scans.artifact(&run.actor, self.artifact_id).await?;
        let mut summary = Summary::default();
        for record in artifact.records()? {
            if let Record::Observation(observation) = record? {
                summary.observations += 1;
                summary.by_severity.add(observation.severity);
            }
        }
        scans.ingested(&run.actor, self.scan_id, self.artifact_id, summary).await
    }
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) targets: Targets,
    pub(crate) scans: Scans,
    pub(crate) handlers: Handlers,
    pub(crate) ana: Actor,
}

impl Stage {
    pub(crate) async fn new(engine: Engine, config: Config) -> Self {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let scans = Scans::new(&world.backends, &targets, config);
        let handlers = scans::jobs(&scans).merge(Handlers::new().add::<TakeIn>(scans.clone()));
        world.backends.subscriptions.set(&handlers);
        let ana = world.actor(&[Role::RedTeam]);
        Self { world, targets, scans, handlers, ana }
    }

    /// Moves the clock to the present, which real certificates are made for.
    pub(crate) fn in_the_present(&self) {
        let present = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let clock = &self.world.backends.clock;
        clock.advance(present.saturating_sub(clock.now().since(base::Time::default())));
    }

    pub(crate) async fn target(&self, address: &str, kind: TargetKind) -> Target {
        self.targets.create(&self.ana, NewTarget::named(address, kind)).await.unwrap()
    }

    pub(crate) async fn authorize(&self, target: &Target, change: impl FnOnce(&mut NewAuthorization)) -> Authorization {
        let until = self.world.backends.clock.now() + Duration::from_secs(7 * 24 * 3600);
        let mut new = NewAuthorization::for_target(target.id, "CISO", "contract 7", until);
        change(&mut new);
        self.targets.authorize(&self.ana, new).await.unwrap()
    }

    /// An authorised host.
    pub(crate) async fn host(&self, address: &str) -> Target {
        let target = self.target(address, TargetKind::Host).await;
        self.authorize(&target, |_| ()).await;
        target
    }

    pub(crate) async fn start(&self, target: &Target, profile: Profile, ports: &[u16]) -> Scan {
        let mut new = NewScan::of(target.id, profile);
        new.ports = Some(ports.iter().map(u16::to_string).collect::<Vec<_>>().join(","));
        self.scans.start(&self.ana, new).await.unwrap()
    }

    pub(crate) async fn drain(&self) -> jobs::Drained {
        let work = jobs::drain(&self.world.backends, &self.handlers);
        match tokio::time::timeout(Duration::from_secs(150), work).await {
            Ok(drained) => drained.unwrap(),
            Err(_) => {
                let page = self.scans.list(&self.ana, scans::Filter::default(), base::PageRequest::default()).await.unwrap();
                panic!("work that does not end: {:#?}", page.items);
            }
        }
    }

    /// Drains in the background.
    pub(crate) fn work(&self) -> tokio::task::JoinHandle<()> {
        let (backends, handlers) = (self.world.backends.clone(), self.handlers.clone());
        tokio::spawn(async move {
            jobs::drain(&backends, &handlers).await.unwrap();
        })
    }

    pub(crate) async fn get(&self, scan: &Scan) -> Scan {
        self.scans.get(&self.ana, scan.id).await.unwrap()
    }

    /// Everything the scan's stages observed, by tool.
    pub(crate) async fn records(&self, scan: &Scan) -> BTreeMap<String, Vec<Record>> {
        let rows =
            self.world.backends.db.all(backends::sql("SELECT id FROM scan_artifacts WHERE scan_id = $1").bind(scan.id)).await.unwrap();
        let mut records = BTreeMap::new();
        for row in rows {
            let artifact = self.scans.artifact(&self.ana, row.get("id").unwrap()).await.unwrap();
            records.insert(artifact.tool.clone(), artifact.records().unwrap().collect::<Result<Vec<_>>>().unwrap());
        }
        records
    }
}

pub(crate) fn observations(records: &[Record]) -> Vec<&Observation> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Observation(observation) => Some(observation),
            Record::Asset(_) | Record::Coverage(_) | Record::Warning(_) | Record::Belief(_) => None,
        })
        .collect()
}

/// A program in `folder` that runs this script.
pub(crate) fn fake(folder: &Path, name: &str, script: &str) {
    let file = folder.join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Looks for programs in `folder` first, then where they really are.
pub(crate) fn config_with(folder: &Path) -> Config {
    let mut config = Config::default();
    config.tool_folders.insert(0, folder.to_owned());
    config
}

/// Accepts connections and says nothing, counting them.
pub(crate) async fn listener(address: &str) -> (SocketAddr, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind((address, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            drop(stream);
        }
    });
    (address, count)
}
