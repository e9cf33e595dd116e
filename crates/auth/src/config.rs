//! How strict signing in is and how long credentials live.

use std::time::Duration;

use base::Result;
use serde::Deserialize;

use crate::errors;

/// Signature algorithm of access tokens; symmetric ones and `none` do not exist here (SPEC BR-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RS256,
}

/// The `[auth]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Life of an access token, in seconds.
    pub access_ttl_seconds: u64,
    /// Life of a console session, in seconds.
    pub session_ttl_seconds: u64,
    /// Signs access tokens: `ES256` or `RS256`.
    pub algorithm: Algorithm,
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// Wrong passwords in a row before a user name is locked.
    pub lockout_after: u32,
    /// First lock, in seconds; doubles with every further wrong password.
    pub lockout_seconds: u64,
    /// Longest lock, in seconds.
    pub lockout_maximum_seconds: u64,
    /// Sign-in attempts one address may make in a minute.
    pub attempts_per_minute: u32,
    /// Days an API token lives when its maker does not say.
    pub token_days: u32,
    /// Days an invitation can be used.
    pub invitation_days: u32,
    /// Memory of one password hash, in KiB (OWASP: 19456).
    pub password_memory_kib: u32,
    /// Passes of one password hash (OWASP: 2).
    pub password_passes: u32,
    /// Password hashes computed at once.
    pub password_parallel: u32,
    /// Seconds a new signing key is published before it signs.
    pub key_publish_seconds: u64,
    /// `true` everywhere but on plain HTTP on loopback: the cookie is `__Host-tyrian` and `Secure`, else `tyrian`; also there the first
    /// for whoever comes by a proxy that says `X-Forwarded-Proto: https`.
    pub secure_cookies: bool,
    /// Address of the console in letters; empty when letters cannot be sent. Follows from `server.base_url` and `backends.mail`.
    #[serde(skip)]
    pub letters_link_to: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            access_ttl_seconds: 900,
            session_ttl_seconds: 43_200,
            algorithm: Algorithm::ES256,
            issuer: "tyrian".to_owned(),
            audience: "tyrian-api".to_owned(),
            lockout_after: 5,
            lockout_seconds: 60,
            lockout_maximum_seconds: 3_600,
            attempts_per_minute: 20,
            token_days: 90,
            invitation_days: 7,
            password_memory_kib: 19_456,
            password_passes: 2,
            password_parallel: 2,
            key_publish_seconds: 600,
            secure_cookies: true,
            letters_link_to: String::new(),
        }
    }
}

impl Config {
    /// Refuses values that would open a hole or lock everybody out.
    ///
    /// # Errors
    /// `Invalid`, naming the key.
    pub fn check(&self) -> Result<()> {
        let limits: [(&'static str, u64, u64, u64); 9] = [
            ("access_ttl_seconds", self.access_ttl_seconds, 30, 86_400),
            ("session_ttl_seconds", self.session_ttl_seconds, 60, 2_592_000),
            ("lockout_after", self.lockout_after.into(), 1, 100),
            ("lockout_seconds", self.lockout_seconds, 1, 86_400),
            ("lockout_maximum_seconds", self.lockout_maximum_seconds, self.lockout_seconds, 86_400),
            ("token_days", self.token_days.into(), 1, 365),
            ("invitation_days", self.invitation_days.into(), 1, 90),
            ("password_memory_kib", self.password_memory_kib.into(), 7_168, 1_048_576),
            ("password_parallel", self.password_parallel.into(), 1, 64),
        ];
        for (key, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                return Err(errors::setting(key, &format!("must be {least} to {most}, not {value}")));
            }
        }
        if self.password_passes == 0 || self.attempts_per_minute == 0 {
            return Err(errors::setting("password_passes, attempts_per_minute", "must be at least 1"));
        }
        if self.issuer.is_empty() || self.audience.is_empty() {
            return Err(errors::setting("issuer, audience", "must not be empty"));
        }
        Ok(())
    }

    pub(crate) fn access_ttl(&self) -> Duration {
        Duration::from_secs(self.access_ttl_seconds)
    }

    pub(crate) fn session_ttl(&self) -> Duration {
        Duration::from_secs(self.session_ttl_seconds)
    }
}
