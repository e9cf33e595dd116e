//! Organisations: the first one, further ones, and one's own.

use audit::Change;
use base::{Actor, ActorKind, Id, Result, Source, Tenant, TenantId};
use serde_json::json;

use super::Auth;
use crate::model::{Organisation, check_name};
use crate::{actions, errors, store};

impl Auth {
    /// The first organisation, made when it is first asked for; the first administrator joins it, so that what was
    /// scanned on the command line before is visible to them.
    ///
    /// # Errors
    /// The database's.
    pub async fn home_tenant(&self) -> Result<TenantId> {
        let db = &self.backends().db;
        if let Some(home) = store::tenants::home(db).await? {
            return Ok(home);
        }
        let id: Id<Tenant> = self.backends().ids.next();
        let mut change = Change::begin(self.backends(), &Actor::system(id, Source::Cli), actions::CREATE_TENANT).await?;
        let organisation = Organisation { id, name: "Home".to_owned(), created_at: change.now() };
        if store::tenants::insert(&mut change, &organisation, true).await? {
            change.subject("organisation", id);
            change.detail(json!({ "name": organisation.name, "home": true }));
            change.commit().await?;
        }
        // Dropped without commit when another process was faster: then theirs is found.
        store::tenants::home(db).await?.ok_or_else(|| base::Error::internal("the home organisation is missing after making it"))
    }

    /// Founds an organisation; only Tyrian itself may, for it lies outside every other one.
    ///
    /// # Errors
    /// `Forbidden` for anybody else, `Invalid` for the name.
    pub async fn create_tenant(&self, actor: &Actor, name: &str) -> Result<Organisation> {
        if actor.kind != ActorKind::System {
            return Err(errors::system_only());
        }
        check_name(name, "/name")?;
        let id: Id<Tenant> = self.backends().ids.next();
        let founder = Actor { tenant: id, ..actor.clone() };
        let mut change = Change::begin(self.backends(), &founder, actions::CREATE_TENANT).await?;
        let organisation = Organisation { id, name: name.trim().to_owned(), created_at: change.now() };
        store::tenants::insert(&mut change, &organisation, false).await?;
        change.subject("organisation", id);
        change.detail(json!({ "name": organisation.name }));
        change.commit().await?;
        Ok(organisation)
    }

    /// The actor's own organisation.
    ///
    /// # Errors
    /// The database's.
    pub async fn organisation(&self, actor: &Actor) -> Result<Organisation> {
        let scope = actor.scope(actions::READ_SELF)?;
        store::tenants::one(&self.backends().db, &scope).await?.ok_or_else(errors::no_user)
    }

    /// Gives the actor's own organisation another name.
    ///
    /// # Errors
    /// `NotFound` for any other organisation, `Invalid` for the name.
    pub async fn rename_organisation(&self, actor: &Actor, id: TenantId, name: &str) -> Result<Organisation> {
        check_name(name, "/name")?;
        let before = self.organisation(actor).await?;
        if before.id != id {
            return Err(errors::no_organisation());
        }
        let name = name.trim();
        let mut change = Change::begin(self.backends(), actor, actions::RENAME_TENANT).await?;
        store::tenants::rename(&mut change, name).await?;
        change.subject("organisation", id);
        change.detail(json!({ "name": [&before.name, name] }));
        change.commit().await?;
        Ok(Organisation { name: name.to_owned(), ..before })
    }
}
