//! Word that something about an organisation's phones changed, for whoever shows them: read the state again.

use backends::Subscription;
use base::{Actor, Result, TenantId};

use super::Devices;
use super::watch::{CHANNEL, Word};
use crate::actions;

/// What one organisation's phones make known; says only that something changed, never what.
pub struct News {
    subscription: Subscription,
    tenant: TenantId,
}

impl News {
    /// Waits for the next word; `None` when there will be none. Safe to drop and call again.
    pub async fn next(&mut self) -> Option<()> {
        loop {
            let message = self.subscription.next().await?;
            // Whoever missed something reads everything.
            let Some(body) = message.body() else { return Some(()) };
            if serde_json::from_slice::<Word>(body).is_ok_and(|word| word.concerns(self.tenant)) {
                return Some(());
            }
        }
    }
}

impl Word {
    /// Whether it is about this organisation's phones; a line that opened is nobody's news.
    fn concerns(&self, own: TenantId) -> bool {
        match self {
            Self::Changed { tenant, .. } | Self::Commanded { tenant, .. } => *tenant == own,
            Self::Switched { tenant, .. } => tenant.is_none_or(|tenant| tenant == own),
            Self::Joined { .. } => false,
        }
    }
}

impl Devices {
    /// Listens to changes of the organisation's phones on all nodes. Scores are no news: they come with every batch.
    ///
    /// # Errors
    /// `Forbidden`; `Unavailable` when the bus does not answer.
    pub async fn news(&self, actor: &Actor) -> Result<News> {
        let tenant = actor.scope(actions::READ)?.tenant();
        Ok(News { subscription: self.backends().bus.subscribe(CHANNEL).await?, tenant })
    }
}
