//! A fresh outside world per test: migrated database, hot keys, bus, blobs and keys of either kind, on a clock that stands still.

use backends::{Backends, Clock, Config, sql};
use base::{Actor, ActorKind, Origin, Role, Source, TenantId, Time, UserId};
use tempfile::TempDir;
use uuid::Uuid;

use crate::scratch;
use crate::servers::{Database, fresh_database, fresh_redis};

/// Which engines stand behind the URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite and files in a folder.
    Embedded,
    /// PostgreSQL and Redis.
    Distributed,
}

/// Both kinds; a story runs on each.
#[must_use]
pub fn engines() -> [Engine; 2] {
    [Engine::Embedded, Engine::Distributed]
}

/// The outside world of one test, thrown away with it.
pub struct World {
    /// Handles on it.
    pub backends: Backends,
    /// The configuration it was made from, to connect again.
    pub config: Config,
    _folder: TempDir,
    _database: Option<Database>,
}

impl World {
    /// Makes one; the clock stands at 2026-01-02T03:04:05Z.
    pub async fn new(engine: Engine) -> Self {
        let folder = scratch::folder("world");
        let mut config = Config::embedded(folder.path());
        let mut database = None;
        if engine == Engine::Distributed {
            let fresh = fresh_database();
            config.db = fresh.url().to_owned();
            database = Some(fresh);
            let redis = fresh_redis();
            config.hot.clone_from(&redis);
            config.bus = redis;
        }
        let start: Time = "2026-01-02T03:04:05Z".parse().expect("a time");
        let backends = Backends::connect_with(&config, Clock::fixed(start)).await.expect("backends connect");
        Self { backends, config, _folder: folder, _database: database }
    }

    /// A user of the first tenant who holds `roles`. Rows of users and tenants exist only where a test makes them.
    #[must_use]
    pub fn actor(&self, roles: &[Role]) -> Actor {
        person(1, roles)
    }

    /// A user of another tenant, with the same id scheme.
    #[must_use]
    pub fn other(&self, roles: &[Role]) -> Actor {
        person(2, roles)
    }

    /// How many rows `table` has, read behind every scope.
    pub async fn count(&self, table: &str) -> i64 {
        let statement = backends::Sql::built(format!("SELECT COUNT(*) AS n FROM {table}"));
        let row = self.backends.db.one(statement).await.expect("a count");
        row.expect("one row").get("n").expect("a number")
    }

    /// Whether the database still answers.
    pub async fn is_up(&self) -> bool {
        self.backends.db.one(sql("SELECT 1")).await.is_ok()
    }
}

fn person(number: u128, roles: &[Role]) -> Actor {
    Actor {
        kind: ActorKind::User,
        tenant: TenantId::from_uuid(Uuid::from_u128(number << 64)),
        user: Some(UserId::from_uuid(Uuid::from_u128((number << 64) + 1))),
        username: format!("user-{number}"),
        roles: roles.to_vec(),
        permissions: roles.iter().flat_map(|role| role.permissions().iter().copied()).collect(),
        units: Vec::new(),
        device: None,
        jti: Some(format!("jti-{number}")),
        origin: Origin {
            source: Source::Http,
            ip: Some(std::net::IpAddr::from([127, 0, 0, 1])),
            user_agent: Some("testkit".to_owned()),
            correlation_id: Some(format!("correlation-{number}")),
        },
    }
}
