//! The hot store on a Redis server: plain commands and one-key scripts over one supervised connection.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base::Result;
use redis::{Cmd, FromRedisValue, Script, ScriptInvocation, cmd};

use super::{Count, Quota, Verdict, milliseconds};
use crate::link::Link;
use crate::tls::Authorities;
use crate::{Tasks, errors};

static DELETE_IF: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
         return 0",
    )
});

// The window belongs to the counter's first call, and to a counter somebody set without one.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.pcall('INCRBY', KEYS[1], ARGV[1])
         if type(value) == 'table' then return {0, 0, 0} end
         local left = redis.call('PTTL', KEYS[1])
         if left < 0 then
           redis.call('PEXPIRE', KEYS[1], ARGV[2])
           left = tonumber(ARGV[2])
         end
         return {1, value, left}",
    )
});

// `Quota::decide`, word for word; the server's clock is the one all nodes share.
static LIMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
         local time = redis.call('TIME')
         local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
         local stored = redis.call('GET', KEYS[1])
         local full_at = now
         if stored then
           full_at = tonumber(stored)
           if not full_at then return {0, 0, 0, 0} end
         end
         local following = math.max(full_at, now) + interval
         local early = following - now - capacity
         if early > 0 then return {1, 0, early, full_at - now} end
         local ttl = math.max(1, math.ceil((following - now) / 1000))
         redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', string.format('%.0f', ttl))
         return {1, 1, 0, following - now}",
    )
});

/// The Redis engine.
#[derive(Clone)]
pub(super) struct Redis {
    link: Link,
}

impl Redis {
    pub(super) async fn connect(url: &str, tasks: &Tasks, authorities: &Authorities) -> Result<Self> {
        Ok(Self { link: Link::connect(url, tasks, authorities).await? })
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.run(cmd("GET").arg(key)).await
    }

    pub(super) async fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.run(expiring(cmd("SET").arg(key).arg(value), ttl)).await
    }

    pub(super) async fn set_new(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<bool> {
        let answer: Option<String> = self.run(expiring(cmd("SET").arg(key).arg(value).arg("NX"), ttl)).await?;
        Ok(answer.is_some())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<bool> {
        self.run(cmd("DEL").arg(key)).await
    }

    pub(super) async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.run(cmd("GETDEL").arg(key)).await
    }

    pub(super) async fn delete_if(&self, key: &str, value: &[u8]) -> Result<bool> {
        self.invoke(DELETE_IF.key(key).arg(value)).await
    }

    pub(super) async fn count(&self, key: &str, by: i64, window: Duration) -> Result<Count> {
        let (is_number, value, left): (bool, i64, i64) = self.invoke(COUNT.key(key).arg(by).arg(milliseconds(window))).await?;
        if !is_number {
            return Err(errors::hot_not_a_counter(key));
        }
        Ok(Count { value, resets_in: Duration::from_millis(u64::try_from(left).unwrap_or(0)) })
    }

    pub(super) async fn limit(&self, key: &str, quota: Quota) -> Result<Verdict> {
        let (is_number, allowed, wait, full_in): (bool, bool, i64, i64) =
            self.invoke(LIMIT.key(key).arg(quota.interval()).arg(quota.capacity())).await?;
        if !is_number {
            return Err(errors::hot_not_a_counter(key));
        }
        Ok(quota.verdict(allowed, wait, full_in))
    }

    pub(super) fn life(&self) -> Arc<str> {
        self.link.life()
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.link.ping().await
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        self.link.run(command).await
    }

    async fn invoke<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> Result<T> {
        self.link.invoke(invocation).await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Redis({})", self.link.server())
    }
}

fn expiring(command: &mut Cmd, ttl: Option<Duration>) -> &mut Cmd {
    match ttl {
        Some(ttl) => command.arg("PX").arg(milliseconds(ttl)),
        None => command,
    }
}
