//! The log's verbs: read entries, prove them, export, verify, and record what changes nothing.

use backends::Backends;
use base::{Action, Actor, ActorKind, Page, PageRequest, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use crate::append::Appender;
use crate::entry::{Entry, EntryId};
use crate::export::Export;
use crate::filter::Filter;
use crate::prepare::{self, What};
use crate::proof::{self, Proof};
use crate::store::{self, Position};
use crate::verify::{Report, Trust, Verifier};
use crate::{actions, errors, sequence, tree_store};

/// An entry with the proof that it is in the log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Proven {
    /// The entry.
    pub entry: Entry,
    /// Absent until the next checkpoint, about a second.
    pub proof: Option<Proof>,
}

/// The audit log.
#[derive(Clone)]
pub struct Audit {
    pub(crate) backends: Backends,
    appender: Appender,
}

impl Audit {
    /// The log of these backends. Needs a running async runtime.
    #[must_use]
    pub fn new(backends: &Backends) -> Self {
        Self { backends: backends.clone(), appender: Appender::start(backends) }
    }

    /// Starts the loop that gives entries their place and signs checkpoints; every process may run one.
    pub fn start(&self) {
        self.backends.tasks.spawn("audit.sequence", sequence::forever(self.backends.clone()));
    }

    /// Gives every waiting entry its place now; returns how many.
    ///
    /// # Errors
    /// `Unavailable` when the stored tree is not the one signed last, else the database's.
    pub async fn sequence(&self) -> Result<u64> {
        sequence::all(&self.backends).await
    }

    /// Records something that changes no row: a refusal, a failed sign-in. Returns once it is durable.
    ///
    /// # Errors
    /// The database's.
    pub async fn record(&self, actor: &Actor, action: Action, subject: (&str, &str), detail: Json, reason: Option<&str>) -> Result<()> {
        let what = What {
            action: action.name,
            subject_kind: subject.0.to_owned(),
            subject_id: subject.1.to_owned(),
            detail,
            reason: reason.map(str::to_owned),
            threat_score: None,
            attestation_state: None,
        };
        let entry = prepare::entry(&self.backends, actor, self.backends.clock.now(), what)?;
        self.appender.append(entry).await
    }

    /// Entries, newest first.
    ///
    /// # Errors
    /// `Forbidden` without the permission, `Invalid` for a foreign cursor.
    pub async fn entries(&self, actor: &Actor, filter: &Filter, page: &PageRequest) -> Result<Page<Entry>> {
        let scope = actor.scope(actions::READ)?;
        let rows = page.rows()?;
        filter.check()?;
        let entries = store::list(&self.backends.db, scope.tenant(), filter, page.after()?, rows).await?;
        Page::cut(entries, rows, |entry| Position(entry.created_at, entry.id))
    }

    /// One entry with its inclusion proof.
    ///
    /// # Errors
    /// `NotFound` when this tenant has no such entry.
    pub async fn entry(&self, actor: &Actor, id: EntryId) -> Result<Proven> {
        let scope = actor.scope(actions::READ)?;
        let db = &self.backends.db;
        let (entry, salt) = store::get(db, scope.tenant(), id).await?.ok_or_else(|| errors::entry_not_found(id))?;
        let proof = match entry.leaf_index {
            Some(index) => proof::inclusion(db, index, &salt).await?,
            None => None,
        };
        Ok(Proven { entry, proof })
    }

    /// The checkpoint signed last, as a signed note.
    ///
    /// # Errors
    /// `NotFound` before the first.
    pub async fn checkpoint(&self, actor: &Actor) -> Result<String> {
        actor.scope(actions::READ)?;
        tree_store::latest(&self.backends.db).await?.map(|checkpoint| checkpoint.note).ok_or_else(errors::no_checkpoint)
    }

    /// The tile behind a C2SP tile path such as `0/x001/234` or `entries/000.p/17`.
    ///
    /// # Errors
    /// `NotFound` for what the newest checkpoint does not cover.
    pub async fn tile(&self, actor: &Actor, path: &str) -> Result<Vec<u8>> {
        actor.scope(actions::READ)?;
        proof::tile(&self.backends.db, path).await
    }

    /// Begins an export: of the actor's tenant, or of everything for the system itself. The export is an entry of its own.
    ///
    /// # Errors
    /// `Forbidden` without the permission, else the database's.
    pub async fn export(&self, actor: &Actor) -> Result<Export> {
        let scope = actor.scope(actions::EXPORT)?;
        let tenant = (actor.kind != ActorKind::System).then(|| scope.tenant());
        self.record(actor, actions::EXPORT, ("audit_log", &scope.tenant().to_string()), json!({ "all_tenants": tenant.is_none() }), None)
            .await?;
        Export::begin(&self.backends, tenant).await
    }

    /// Verifies the live log as an export would be verified.
    ///
    /// # Errors
    /// `Forbidden` without the permission, else the database's; what is wrong with the log is in the report.
    pub async fn verify(&self, actor: &Actor, trust: Trust) -> Result<Report> {
        let scope = actor.scope(actions::READ)?;
        let tenant = (actor.kind != ActorKind::System).then(|| scope.tenant());
        let mut export = Export::begin(&self.backends, tenant).await?;
        let mut verifier = Verifier::new(trust);
        while let Some(lines) = export.next().await? {
            for line in lines {
                verifier.line(line);
            }
        }
        Ok(verifier.finish())
    }
}
