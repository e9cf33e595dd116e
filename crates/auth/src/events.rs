//! What this context tells the others.

use backends::Event;
use base::UserId;
use serde::Serialize;

/// A person was locked out or removed: no session, access token or API token of theirs counts any more.
#[derive(Debug, Clone, Serialize)]
pub struct UserBarred {
    /// Who.
    pub user_id: UserId,
    /// Why, in words.
    pub reason: String,
}

impl Event for UserBarred {
    const NAME: &'static str = "user.barred";

    fn subject(&self) -> String {
        self.user_id.to_string()
    }
}
