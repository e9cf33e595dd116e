//! Loaders that gather what one answer needs and read it in one statement per kind. One set per request: nothing is shared
//! between callers.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use backends::Backends;
use base::{Actor, Error};
use scans::{Scan, ScanId};
use targets::{Target, TargetId};

use crate::Services;

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

/// Who asks, and the loaders that ask for them.
pub(crate) struct Asking {
    pub(crate) actor: Actor,
    pub(crate) targets: DataLoader<TargetLoader>,
    pub(crate) scans: DataLoader<ScanLoader>,
}

impl Asking {
    pub(crate) fn new(services: &Services, actor: &Actor) -> Self {
        let loader = || (services.clone(), actor.clone());
        let ((services_of_targets, for_targets), (services_of_scans, for_scans)) = (loader(), loader());
        Self {
            actor: actor.clone(),
            targets: DataLoader::new(TargetLoader { services: services_of_targets, actor: for_targets }, spawner(&services.backends)),
            scans: DataLoader::new(ScanLoader { services: services_of_scans, actor: for_scans }, spawner(&services.backends)),
        }
    }
}

fn spawner(backends: &Backends) -> impl Fn(futures::future::BoxFuture<'static, ()>) + Send + Sync + 'static {
    let tasks = backends.tasks.clone();
    move |batch| tasks.spawn("graphql.loader", batch)
}
