//! Push (RFC 8935): what waits is brought in order, one after the other; what a receiver refuses is dead, what it does not answer to is
//! tried again. Delivery is at least once: a receiver knows a repetition by its `jti`.

use std::time::Duration;

use audit::Change;
use backends::{Job, Limits, Request, Run};
use base::{Actor, Result};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value as Json, json};
use url::Url;

use super::Integrations;
use super::streams::place;
use crate::jobs::PushEvents;
use crate::model::{Held, HeldState, Method, Stream, StreamId};
use crate::{actions, errors, store, token};

/// Events brought between two looks at the stream.
const BATCH: u32 = 20;
/// Streams looked after in one run.
const STREAMS: u32 = 200;
const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), bytes: 64 * 1024, redirects: 0 };
const CONTENT_TYPE: &str = "application/secevent+jwt";

/// What a receiver made of an event.
enum Answer {
    Taken,
    /// It will never take this one.
    Refused(String),
    /// It may later.
    NotNow(String),
}

impl Integrations {
    /// Brings everything that waits in a stream to its receiver.
    ///
    /// # Errors
    /// `Unavailable` when the receiver does not take it now; the database's.
    pub(crate) async fn push(&self, id: StreamId, run: &Run) -> Result<()> {
        let actor = run.system(run.actor.tenant);
        let scope = actor.scope(actions::DELIVER)?;
        while !run.cancel.is_cancelled() {
            let Some(stream) = store::streams::find(&self.backends().db, &scope, id).await?.filter(|stream| stream.method == Method::Push)
            else {
                return Ok(());
            };
            let waiting = store::held::waiting(&self.backends().db, &scope, id, stream.status, BATCH).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            self.bring(&actor, &stream, waiting, run).await?;
        }
        Ok(())
    }

    async fn bring(&self, actor: &Actor, stream: &Stream, waiting: Vec<Held>, run: &Run) -> Result<()> {
        let mut settled: Vec<(Held, Option<String>)> = Vec::new();
        let mut trouble = None;
        for held in waiting {
            match self.send(stream, &held).await? {
                Answer::Taken => settled.push((held, None)),
                Answer::Refused(why) => settled.push((held, Some(why))),
                Answer::NotNow(why) => {
                    trouble = Some((held, why));
                    break;
                }
            }
        }
        let mut change = Change::begin(self.backends(), actor, actions::DELIVER).await?;
        for (held, refusal) in &settled {
            let state = if refusal.is_some() { HeldState::Dead } else { HeldState::Delivered };
            store::held::settle(&mut change, stream.id, held.id, state, refusal.as_deref()).await?;
        }
        let last_refusal = settled.iter().rev().find_map(|(_, refusal)| refusal.as_deref());
        let mut given_up = 0;
        if let Some((held, why)) = &trouble {
            store::held::tried(&mut change, stream.id, held.id).await?;
            if run.is_last {
                given_up = store::held::give_up(&mut change, stream.id, why).await?;
            }
        }
        let why = trouble.as_ref().map(|(_, why)| why.as_str()).or(last_refusal);
        store::streams::set_trouble(&mut change, stream.id, why).await?;
        let refused = settled.iter().filter(|(_, refusal)| refusal.is_some()).count();
        change.subject("event_stream", stream.id);
        change.detail(json!({ "delivered": settled.len() - refused, "refused": refused, "given_up": given_up, "trouble": why }));
        change.commit().await?;
        metrics::counter!("security_event_deliveries_total", "outcome" => "delivered").increment((settled.len() - refused) as u64);
        metrics::counter!("security_event_deliveries_total", "outcome" => "dead").increment(refused as u64 + given_up);
        match trouble {
            Some((_, why)) => {
                tracing::warn!(stream = %stream.id, why, "a receiver does not take events");
                Err(errors::receiver(&why))
            }
            None => Ok(()),
        }
    }

    async fn send(&self, stream: &Stream, held: &Held) -> Result<Answer> {
        let Some(url) = stream.endpoint.as_deref().and_then(|text| Url::parse(text).ok()) else {
            return Ok(Answer::Refused("the stream has no endpoint".to_owned()));
        };
        let token = token::sign(&self.backends().keys, self.issuer(), stream, held).await?;
        let mut request = Request::post(url, CONTENT_TYPE, token.into_bytes());
        request.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(sealed) = &stream.authorization {
            let plain = self.backends().keys.open(&place(stream.id), sealed).await?;
            let mut value = HeaderValue::from_bytes(&plain).map_err(|_| errors::authorization())?;
            value.set_sensitive(true);
            request.headers.insert(header::AUTHORIZATION, value);
        }
        match self.backends().outbound.fetch_within(request, LIMITS).await {
            Ok(response) => Ok(judged(response.status, &response.body)),
            // An address that may not be reached today may be allowed tomorrow.
            Err(error) => Ok(Answer::NotNow(error.detail().to_owned())),
        }
    }

    /// Looks after streams whose wake-up was lost, and forgets what was delivered long ago.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn sweep(&self, run: &Run) -> Result<()> {
        for (tenant, id) in store::held::unpushed(&self.backends().db, PushEvents::NAME, STREAMS).await? {
            let actor = run.system(tenant);
            let mut change = Change::begin(self.backends(), &actor, actions::DELIVER).await?;
            let now = change.now();
            change.enqueue_at(&PushEvents { stream: id }, now, Some(&id.to_string())).await?;
            change.subject("event_stream", id);
            change.commit().await?;
        }
        let before = self.now() - self.config().memory();
        for tenant in store::held::stale(&self.backends().db, before, STREAMS).await? {
            let mut change = Change::begin(self.backends(), &run.system(tenant), actions::DELIVER).await?;
            let forgotten = store::held::forget(&mut change, before).await?;
            change.subject("security_event", "delivered");
            change.detail(json!({ "forgotten": forgotten }));
            change.commit().await?;
        }
        Ok(())
    }
}

/// What a receiver's answer means (RFC 8935 §2.3, §2.4).
fn judged(status: StatusCode, body: &[u8]) -> Answer {
    if status.is_success() {
        return Answer::Taken;
    }
    let told: Json = serde_json::from_slice(body).unwrap_or_default();
    let word =
        |name: &str| told[name].as_str().map(|text| text.chars().filter(|letter| !letter.is_control()).take(300).collect::<String>());
    let why = match (word("err"), word("description")) {
        (Some(err), Some(description)) => format!("{} {err}: {description}", status.as_u16()),
        (Some(err), None) => format!("{} {err}", status.as_u16()),
        _ => status.as_u16().to_string(),
    };
    let is_about_the_channel = matches!(told["err"].as_str(), Some("authentication_failed" | "access_denied"));
    if status == StatusCode::BAD_REQUEST && !is_about_the_channel { Answer::Refused(why) } else { Answer::NotNow(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_will_never_be_taken_is_given_up_at_once() {
        let kind = |status: u16, body: &str| match judged(StatusCode::from_u16(status).unwrap(), body.as_bytes()) {
            Answer::Taken => "taken".to_owned(),
            Answer::Refused(why) => format!("refused {why}"),
            Answer::NotNow(why) => format!("later {why}"),
        };
        assert_eq!(kind(202, ""), "taken");
        assert_eq!(kind(400, r#"{"err":"invalid_key","description":"no\nsuch key"}"#), "refused 400 invalid_key: nosuch key");
        assert_eq!(kind(400, "<html>"), "refused 400");
        assert_eq!(kind(400, r#"{"err":"authentication_failed"}"#), "later 400 authentication_failed");
        for status in [301, 401, 403, 404, 429, 500, 503] {
            assert_eq!(kind(status, ""), format!("later {status}"));
        }
    }
}
