//! Loaders that gather what one answer needs and read it in one statement per kind. One set per request: nothing is shared
//! between callers.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use backends::Backends;
use base::{Actor, Error};
use results::{Cluster, FalsePositives, Finding, FindingId, FindingNote};
use scans::{Scan, ScanId};
use targets::{Target, TargetId};
use tokio::sync::OnceCell;

use crate::Services;

/// Members of one cluster, and notes of one finding, that are loaded.
const MEMBERS: u32 = 50;
const NOTES: u32 = 50;
/// Things loaded together: as many as the services answer for at once.
const TOGETHER: usize = 500;

/// What a loader says went wrong; shared by all that waited for it.
pub(crate) type Failure = Arc<Error>;

/// Targets by id.
pub(crate) struct TargetLoader {
    services: Services,
    actor: Actor,
}

impl Loader<TargetId> for TargetLoader {
    type Value = Target;
    type Error = Failure;

    async fn load(&self, ids: &[TargetId]) -> Result<HashMap<TargetId, Target>, Failure> {
        let found = self.services.targets.of_ids(&self.actor, ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|target| (target.id, target)).collect())
    }
}

/// Scans by id, with their stages.
pub(crate) struct ScanLoader {
    services: Services,
    actor: Actor,
}

impl Loader<ScanId> for ScanLoader {
    type Value = Scan;
    type Error = Failure;

    async fn load(&self, ids: &[ScanId]) -> Result<HashMap<ScanId, Scan>, Failure> {
        let found = self.services.scans.of_ids(&self.actor, ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|scan| (scan.id, scan)).collect())
    }
}

/// Clusters by name.
pub(crate) struct ClusterLoader {
    services: Services,
    actor: Actor,
}

impl Loader<String> for ClusterLoader {
    type Value = Cluster;
    type Error = Failure;

    async fn load(&self, names: &[String]) -> Result<HashMap<String, Cluster>, Failure> {
        let found = self.services.results.clusters_of(&self.actor, names).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|cluster| (cluster.id.clone(), cluster)).collect())
    }
}

/// The first members of clusters, by the cluster's name.
pub(crate) struct MemberLoader {
    services: Services,
    actor: Actor,
}

impl Loader<String> for MemberLoader {
    type Value = Vec<Finding>;
    type Error = Failure;

    async fn load(&self, names: &[String]) -> Result<HashMap<String, Vec<Finding>>, Failure> {
        let found = self.services.results.cluster_members(&self.actor, names, MEMBERS).await.map_err(Arc::new)?;
        let mut members: HashMap<String, Vec<Finding>> = HashMap::new();
        for finding in found {
            if let Some(of) = &finding.cluster {
                members.entry(of.id.clone()).or_default().push(finding);
            }
        }
        Ok(members)
    }
}

/// The newest notes of findings, by the finding.
pub(crate) struct NoteLoader {
    services: Services,
    actor: Actor,
}

impl Loader<FindingId> for NoteLoader {
    type Value = Vec<FindingNote>;
    type Error = Failure;

    async fn load(&self, ids: &[FindingId]) -> Result<HashMap<FindingId, Vec<FindingNote>>, Failure> {
        let found = self.services.results.notes_of(&self.actor, ids, NOTES).await.map_err(Arc::new)?;
        let mut notes: HashMap<FindingId, Vec<FindingNote>> = HashMap::new();
        for note in found {
            notes.entry(note.finding_id).or_default().push(note);
        }
        Ok(notes)
    }
}

/// Who asks, and the loaders that ask for them.
pub(crate) struct Asking {
    pub(crate) actor: Actor,
    pub(crate) targets: DataLoader<TargetLoader>,
    pub(crate) scans: DataLoader<ScanLoader>,
    pub(crate) clusters: DataLoader<ClusterLoader>,
    pub(crate) members: DataLoader<MemberLoader>,
    pub(crate) notes: DataLoader<NoteLoader>,
    /// Read once, by the first finding that is asked.
    estimates: OnceCell<FalsePositives>,
}

impl Asking {
    pub(crate) fn new(services: &Services, actor: &Actor) -> Self {
        let (services_for, actor_for) = (|| services.clone(), || actor.clone());
        Self {
            actor: actor.clone(),
            targets: loader(TargetLoader { services: services_for(), actor: actor_for() }, services),
            scans: loader(ScanLoader { services: services_for(), actor: actor_for() }, services),
            clusters: loader(ClusterLoader { services: services_for(), actor: actor_for() }, services),
            members: loader(MemberLoader { services: services_for(), actor: actor_for() }, services),
            notes: loader(NoteLoader { services: services_for(), actor: actor_for() }, services),
            estimates: OnceCell::new(),
        }
    }

    /// What past decisions tell about findings.
    pub(crate) async fn estimates(&self, services: &Services) -> base::Result<&FalsePositives> {
        self.estimates.get_or_try_init(|| services.results.false_positives(&self.actor)).await
    }
}

fn loader<T>(loader: T, services: &Services) -> DataLoader<T> {
    DataLoader::new(loader, spawner(&services.backends)).max_batch_size(TOGETHER)
}

fn spawner(backends: &Backends) -> impl Fn(futures::future::BoxFuture<'static, ()>) + Send + Sync + 'static {
    let tasks = backends.tasks.clone();
    move |batch| tasks.spawn("graphql.loader", batch)
}
