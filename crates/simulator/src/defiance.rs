//! Phones that do not take a lock for an answer: they ask on, with tokens that were revoked too, and whatever is granted is counted.

use base::Result;
use bytes::Bytes;
use reqwest::Method;
use serde_json::json;
use threat::Posture;
use tokio::time::Instant;

use crate::handset::{Ask, Tokens};
use crate::phone::Phone;
use crate::stage::Stage;

impl Phone {
    /// Something was granted that was asked for at this moment.
    pub(crate) fn granted(&self, stage: &Stage, asked: Instant, what: &str) {
        if stage.is_defiant && self.ward.forbids(asked) {
            tracing::warn!(phone = self.number, what, "a locked phone was served");
            stage.tally.leaked();
        }
    }

    /// Tries what is barred: a locked phone asks on, and a revoked token is brought again. Once each, without patience.
    pub(crate) async fn defy(&mut self, stage: &Stage) -> Result<()> {
        let body = Bytes::from_static(b"{}");
        let is_revoked = self.ward.revoked(self.given);
        if is_revoked && self.spent.as_deref() != Some(&self.tokens.access) {
            self.spent = Some(self.tokens.access.clone());
        }
        if let Some(token) = self.spent.clone() {
            stage.tally.tried();
            let ask = Ask { method: &Method::POST, path: "device/signals", token: Some(&token), code: None, body: Some(&body) };
            if let Ok(reply) = self.handset.ask(stage.node(self.handset.node), &stage.clock, ask).await?
                && reply.is_ok()
            {
                tracing::warn!(phone = self.number, "a revoked token was taken");
                stage.tally.leaked();
            }
        }
        if self.posture < Posture::Lock {
            return Ok(());
        }
        stage.tally.tried();
        let (asked, token) = (Instant::now(), self.tokens.access.clone());
        let ask = Ask { method: &Method::POST, path: "device/signals", token: Some(&token), code: None, body: Some(&body) };
        if let Ok(reply) = self.handset.ask(stage.node(self.handset.node), &stage.clock, ask).await?
            && reply.is_ok()
        {
            self.granted(stage, asked, "readings");
        }
        stage.tally.tried();
        let (asked, body) = (Instant::now(), Bytes::from(json!({ "refresh_token": self.tokens.refresh }).to_string()));
        let ask = Ask::keyed(&Method::POST, "device/token", Some(&body));
        if let Ok(reply) = self.handset.ask(stage.node(self.handset.node), &stage.clock, ask).await?
            && let Some(tokens) = Tokens::read(&reply.body).filter(|_| reply.is_ok())
        {
            self.granted(stage, asked, "tokens");
            self.take(stage, tokens);
        }
        if stage.carrier.is_line() {
            stage.tally.tried();
            self.knock(stage).await?;
        }
        Ok(())
    }

    /// Opens a line, which nobody barred may have.
    async fn knock(&mut self, stage: &Stage) -> Result<()> {
        let (asked, token) = (Instant::now(), self.tokens.access.clone());
        let node = stage.node(self.handset.node);
        if let Ok(line) = stage.opener.open(node, &stage.clock, &mut self.handset, &token, self.orders.done()).await? {
            self.granted(stage, asked, "a line");
            drop(line);
        }
        Ok(())
    }
}
