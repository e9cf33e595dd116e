//! Rate limits per address and per user, counted in `hot`, so they hold across nodes.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use backends::{Hot, Quota, Verdict};
use base::{Actor, Origin};
use http::HeaderValue;
use web::{Problem, UserLimit};

use crate::config::RateConfig;
use crate::errors;

/// One limit.
#[derive(Clone)]
pub(crate) struct Limit {
    pub(crate) hot: Hot,
    pub(crate) rate: RateConfig,
}

impl Limit {
    /// The store thinks in the time a whole burst takes to come back.
    fn quota(&self) -> Quota {
        Quota { burst: self.rate.burst, per: Duration::from_secs(60) * self.rate.burst / self.rate.per_minute.max(1) }
    }

    async fn ask(&self, key: &str) -> Option<Verdict> {
        match self.hot.limit(key, self.quota()).await {
            Ok(verdict) => Some(verdict),
            Err(error) => {
                // Open while the counter store is down: a limit protects the service, it must not be what stops it.
                tracing::warn!(%error, "rate limit not counted");
                metrics::counter!("rate_limit_uncounted_total").increment(1);
                None
            }
        }
    }
}

/// `api:rate_limit:{ip}`; an IPv6 site counts as one.
pub(crate) async fn per_address(State(limit): State<Limit>, request: Request, next: Next) -> Response {
    let ip = request.extensions().get::<Origin>().and_then(|origin| origin.ip);
    let Some(ip) = ip else { return next.run(request).await };
    guard(limit.ask(&format!("api:rate_limit:{}", web::network(ip))).await, request, next).await
}

/// `rl:user:{user}`; requests of nobody pass.
pub(crate) async fn per_user(State(limit): State<Limit>, mut request: Request, next: Next) -> Response {
    let user = request.extensions().get::<Actor>().and_then(|actor| actor.user);
    let Some(user) = user else { return next.run(request).await };
    let key = format!("rl:user:{user}");
    let verdict = limit.ask(&key).await;
    // For sockets, over which more is asked.
    request.extensions_mut().insert(UserLimit { key, quota: limit.quota() });
    guard(verdict, request, next).await
}

async fn guard(verdict: Option<Verdict>, request: Request, next: Next) -> Response {
    let Some(verdict) = verdict else { return next.run(request).await };
    let mut response = if verdict.allowed {
        next.run(request).await
    } else {
        metrics::counter!("rate_limited_total").increment(1);
        Problem::from(errors::too_often(verdict.retry_after)).into_response()
    };
    let reset = verdict.reset_after.as_secs() + u64::from(verdict.reset_after.subsec_nanos() > 0);
    let headers = response.headers_mut();
    for (name, value) in
        [("ratelimit-limit", u64::from(verdict.limit)), ("ratelimit-remaining", u64::from(verdict.remaining)), ("ratelimit-reset", reset)]
    {
        // The inner limit (the user's) is the tighter word; the outer one keeps quiet then.
        headers.entry(name).or_insert(HeaderValue::from(value));
    }
    response
}
