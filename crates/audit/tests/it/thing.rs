//! A thing to change, and the few words the stories share.

use audit::Change;
use backends::sql;
use base::{Action, Actor, Permission, Result, Role};
use serde_json::json;
use testkit::World;

/// Renames the thing.
pub(crate) const RENAME: Action = Action::new("things.rename", Permission::WriteTargets);

/// Makes the table the stories write to.
pub(crate) async fn table(world: &World) {
    let mut tx = world.backends.db.begin().await.unwrap();
    tx.run(sql("CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL)")).await.unwrap();
    tx.commit().await.unwrap();
}

/// One whole change.
pub(crate) async fn write(world: &World, actor: &Actor, id: &str, name: &str) -> Result<()> {
    let mut change = Change::begin(&world.backends, actor, RENAME).await?;
    change.run(sql("INSERT INTO things (id, name) VALUES ($1, $2)").bind(id).bind(name)).await?;
    change.subject("thing", id);
    change.detail(json!({ "name": name }));
    change.commit().await
}

/// Who may read the log.
pub(crate) fn reader(world: &World) -> Actor {
    world.actor(&[Role::Admin])
}
