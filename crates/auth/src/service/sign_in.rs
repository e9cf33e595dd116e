//! Signing in: one check of name and password, then a session or an access token. Every way to fail looks the same and
//! takes the same time; wrong passwords lock the name, whether it exists or not. Where its owner signed in lately they count for
//! themselves: strangers can keep nobody out of their own place (NIST SP 800-63B-4 §3.2.2).

use std::net::IpAddr;
use std::time::Duration;

use audit::Change;
use backends::Quota;
use base::{Actor, ActorKind, Id, Kind, Origin, Result, UserId};
use serde_json::json;

use super::Auth;
use crate::jwt::{self, Claims};
use crate::model::{self, AccessToken, Account, Session, SessionId, SignIn, UserState};
use crate::{actions, digest, errors, lockout, store};

/// Guesses for one name that may be under way at once before the lock can count them.
const BURST_PER_NAME: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// How long a place is known from which somebody signed in.
pub(super) const KNOWN: Duration = Duration::from_secs(90 * 24 * 3600);

/// An account whose password was right.
struct Proven {
    account: Account,
    /// Under what this attempt would have counted.
    counted: String,
    /// The hash at today's cost, when the stored one is cheaper.
    rehashed: Option<String>,
}

impl Auth {
    /// Opens a console session.
    ///
    /// # Errors
    /// `Unauthenticated` for any wrong combination, `TooMany` while the name or the address is held back.
    pub async fn sign_in(&self, attempt: SignIn, origin: &Origin) -> Result<Session> {
        let proven = self.prove(&attempt, origin).await?;
        let token = self.backends().ids.secret(32)?;
        let id: SessionId = self.backends().ids.next();
        let actor = proven.account.actor(ActorKind::User, Some(id.to_string()), origin);
        let mut change = Change::begin(self.backends(), &actor, actions::SIGN_IN).await?;
        let expires_at = change.now() + self.session_ttl();
        store::sessions::insert(&mut change, id, &proven.account, &digest::sha256(token.expose()), origin, expires_at).await?;
        welcome(&mut change, &proven, "sign_in", origin).await?;
        change.detail(json!({ "session": id, "expires_at": expires_at }));
        change.commit().await?;
        Ok(Session { csrf: digest::csrf(token.expose()), token, user: proven.account.user, expires_at })
    }

    /// Hands out an access token for a name and a password.
    ///
    /// # Errors
    /// As [`Auth::sign_in`].
    pub async fn access_token(&self, attempt: SignIn, origin: &Origin) -> Result<AccessToken> {
        let proven = self.prove(&attempt, origin).await?;
        let jti = self.backends().ids.next::<AccessToken>().to_string();
        let actor = proven.account.actor(ActorKind::User, Some(jti.clone()), origin);
        let mut change = Change::begin(self.backends(), &actor, actions::ISSUE_TOKEN).await?;
        let claims = Claims::new(self.config(), &proven.account, jti, change.now());
        let token = jwt::sign(self.backends(), self.config(), &claims).await?;
        welcome(&mut change, &proven, "access_token", origin).await?;
        change.detail(json!({ "jti": claims.jti, "expires_in": self.config().access_ttl_seconds }));
        change.commit().await?;
        Ok(AccessToken { token, expires_in: self.config().access_ttl_seconds })
    }

    async fn prove(&self, attempt: &SignIn, origin: &Origin) -> Result<Proven> {
        self.limit_address(origin).await?;
        let login = model::login(&attempt.username);
        let counted = self.counter(&login, origin).await?;
        let account = store::credentials::by_login(&self.backends().db, &login).await?;
        let hash =
            account.as_ref().filter(|account| account.user.state == UserState::Active).and_then(|account| account.password_hash.as_deref());
        let is_right = self.inner.passwords.verify(&attempt.password, hash).await?;
        match account {
            Some(account) if is_right => {
                let rehashed = match account.password_hash.as_deref() {
                    Some(hash) if self.inner.passwords.is_outdated(hash) => Some(self.inner.passwords.hash(&attempt.password).await?),
                    _ => None,
                };
                Ok(Proven { account, counted, rehashed })
            }
            account => {
                self.refuse(account.as_ref(), &counted, origin).await?;
                Err(errors::credentials())
            }
        }
    }

    /// Under what a wrong password would count: the name, and while that is held back, the places its owner is known at.
    async fn counter(&self, login: &str, origin: &Origin) -> Result<String> {
        let counted = digest::sha256(login);
        match self.not_locked_out(&counted).await {
            Ok(_) => Ok(counted),
            Err(error) if error.kind() == Kind::TooMany && self.is_known_place(login, origin).await? => {
                let counted = at_home(login, origin.ip);
                self.not_locked_out(&counted).await?;
                Ok(counted)
            }
            Err(error) => Err(error),
        }
    }

    async fn is_known_place(&self, login: &str, origin: &Origin) -> Result<bool> {
        let Some(here) = origin.ip.map(web::network) else { return Ok(false) };
        let places = store::users::places(&self.backends().db, login, self.backends().clock.now() - KNOWN).await?;
        Ok(places.into_iter().any(|place| web::network(place) == here))
    }

    /// Refuses while the name is held back; tells whether wrong passwords are counted against it.
    pub(super) async fn not_locked_out(&self, login_hash: &str) -> Result<bool> {
        let (failed, now) = (store::failures::of(&self.backends().db, login_hash).await?, self.backends().clock.now());
        if let Some(until) = failed.as_ref().and_then(|failed| failed.locked_until)
            && until > now
        {
            return Err(errors::locked_out(until.since(now)));
        }
        self.limit(&format!("rl:sign_in:name:{login_hash}"), BURST_PER_NAME).await?;
        Ok(failed.is_some())
    }

    /// Counts the wrong password and, when there were enough, locks the name.
    pub(super) async fn refuse(&self, account: Option<&Account>, login_hash: &str, origin: &Origin) -> Result<()> {
        let actor = match account {
            Some(account) => account.actor(ActorKind::User, None, origin),
            // What was typed is not kept: people type passwords into the wrong field.
            None => nobody(self.home_tenant().await?, origin),
        };
        let mut change = Change::begin(self.backends(), &actor, actions::REFUSE_SIGN_IN).await?;
        let failures = store::failures::add(&mut change, login_hash).await?;
        let wait = lockout::wait(self.config(), failures);
        if let Some(wait) = wait {
            let until = change.now() + wait;
            store::failures::lock(&mut change, login_hash, until).await?;
        }
        match account {
            Some(account) => {
                store::users::note(&mut change, account.user.id, "sign_in_refused", origin).await?;
                change.subject("user", account.user.id);
            }
            None => change.subject("sign_in", login_hash),
        }
        change.detail(json!({ "failures": failures, "locked_seconds": wait.map(|wait| wait.as_secs()) }));
        change.reason(if account.is_some() { "wrong password or account not usable" } else { "no such user" });
        change.commit().await
    }

    /// One address may try only so often; an IPv6 site counts as one.
    pub(super) async fn limit_address(&self, origin: &Origin) -> Result<()> {
        let Some(ip) = origin.ip else { return Ok(()) };
        self.limit(&format!("rl:sign_in:{}", web::network(ip)), self.config().attempts_per_minute).await
    }

    /// Without the hot store this process counts by itself, and the lock in the database counts anyhow.
    async fn limit(&self, key: &str, burst: u32) -> Result<()> {
        match self.backends().hot.limit(key, Quota { burst, per: MINUTE }).await {
            Ok(verdict) if !verdict.allowed => Err(errors::attempts(verdict.retry_after)),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "sign-in attempts are counted by this process alone at the moment");
                let is_one_more = self.inner.attempts.take(key, burst, self.backends().clock.now());
                if is_one_more { Ok(()) } else { Err(errors::attempts(MINUTE)) }
            }
        }
    }
}

/// Under what wrong passwords count that are given at a place where the owner of the name is known: at each by itself, for one of them
/// may be a café.
pub(super) fn at_home(login: &str, place: Option<IpAddr>) -> String {
    let network = place.map(|ip| web::network(ip).to_string()).unwrap_or_default();
    digest::sha256(&format!("at home\n{network}\n{login}"))
}

async fn welcome(change: &mut Change, proven: &Proven, kind: &'static str, origin: &Origin) -> Result<()> {
    let id: UserId = proven.account.user.id;
    store::users::signed_in(change, id).await?;
    store::failures::forget(change, &proven.counted).await?;
    if let Some(hash) = &proven.rehashed {
        store::users::set_hash(change, id, hash).await?;
    }
    store::users::note(change, id, kind, origin).await?;
    change.subject("user", id);
    Ok(())
}

fn nobody(tenant: Id<base::Tenant>, origin: &Origin) -> Actor {
    Actor {
        kind: ActorKind::User,
        tenant,
        user: None,
        username: "unknown".to_owned(),
        roles: Vec::new(),
        permissions: std::collections::BTreeSet::new(),
        units: Vec::new(),
        device: None,
        jti: None,
        origin: origin.clone(),
    }
}
