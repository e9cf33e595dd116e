//! How long tokens of phones live, and whose attestations are believed.

use std::path::PathBuf;
use std::time::Duration;

use base::Result;
use serde::Deserialize;
use threat::BreakerLimits;

use crate::errors;
use crate::vocabulary::Plan;

/// The `[devices]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How phones reach the API, such as `https://api.example.org`; empty takes the `Host` of each request.
    pub public_url: String,
    /// `iss` of tokens and commands.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// Life of an access token, in seconds.
    pub access_ttl_seconds: u64,
    /// Seconds in which a spent refresh token still gets the same successor, for replies that were lost.
    pub grace_seconds: u64,
    /// Days a refresh token lives unused, by plan.
    pub refresh_days: RefreshDays,
    /// Days after which a chain of refresh tokens ends however much it is used.
    pub family_days: u32,
    /// Life of an attestation nonce, in seconds.
    pub nonce_seconds: u64,
    /// Life of an enrolment code, in hours, when its maker does not say.
    pub code_hours: u32,
    /// Longest life of a lock nobody confirmed, in hours.
    pub lock_hours: u32,
    /// Failures signed by the phone's own key, in ten minutes, that quarantine it.
    pub failures: u32,
    /// Requests one phone may send per minute.
    pub requests_per_minute: u32,
    /// Whether organisations take phones that cannot attest unless their policy says otherwise.
    pub software_keys: bool,
    /// User names of the first organisation that may propose and confirm the global kill switch; it takes two.
    pub global_operators: Vec<String>,
    /// Android Key Attestation.
    pub android: Android,
    /// Apple App Attest.
    pub apple: Apple,
    /// Google Play Integrity.
    pub play: Play,
    /// Lines this process holds open at once.
    pub lines: usize,
    /// The listener for gRPC.
    pub grpc: Grpc,
    /// When scoring is simplified.
    pub breaker: BreakerConfig,
}

/// The `[devices.breaker]` section: scores are simplified, and lock nobody, when one of these was exceeded for a second and a half; they are
/// whole again after five seconds below half of all of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// Mean time that batches wait before they are scored, in milliseconds.
    pub queue_milliseconds: u32,
    /// Time within which 95 of 100 batches must be scored, in milliseconds.
    pub runtime_milliseconds: u32,
    /// Share of the batches that come which must be scored, in percent.
    pub throughput_percent: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { queue_milliseconds: 250, runtime_milliseconds: 50, throughput_percent: 90 }
    }
}

impl BreakerConfig {
    pub(crate) fn limits(&self) -> BreakerLimits {
        BreakerLimits {
            queue_latency: self.queue_milliseconds.into(),
            runtime: self.runtime_milliseconds.into(),
            throughput: f64::from(self.throughput_percent) / 100.0,
            ..BreakerLimits::default()
        }
    }
}

/// The `[devices.grpc]` section: a listener of its own, for clients with certificates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grpc {
    /// Address to listen on, such as `0.0.0.0:8009`; empty: no gRPC.
    pub listen: String,
    /// PEM certificate chain of the server, leaf first.
    pub certificate: PathBuf,
    /// PEM private key of the server.
    pub key: PathBuf,
    /// PEM certificates of those whose client certificates are taken.
    pub authorities: PathBuf,
    /// PEM lists of client certificates that were revoked.
    pub revocations: Option<PathBuf>,
    /// Tells whoever asks what can be called; not for production.
    pub reflection: bool,
}

impl Grpc {
    /// Where to listen, when it is configured.
    ///
    /// # Errors
    /// `Invalid`, naming the key.
    pub fn address(&self) -> Result<Option<std::net::SocketAddr>> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        for (key, path) in [("certificate", &self.certificate), ("key", &self.key), ("authorities", &self.authorities)] {
            if path.as_os_str().is_empty() {
                return Err(errors::setting(&format!("grpc.{key}"), "is needed: without certificates on both sides there is no gRPC"));
            }
        }
        self.listen.parse().map(Some).map_err(|cause| errors::setting("grpc.listen", cause))
    }
}

/// Days a refresh token lives unused.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshDays {
    /// Plan free.
    pub free: u32,
    /// Plan professional.
    pub professional: u32,
    /// Plan high security.
    pub high_security: u32,
}

impl Default for RefreshDays {
    fn default() -> Self {
        Self { free: 7, professional: 30, high_security: 1 }
    }
}

/// The `[devices.android]` section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Android {
    /// File of roots to trust instead of Google's.
    pub roots: Option<PathBuf>,
    /// File with the list of revoked certificates, read again when it changes; without it revocation is not checked.
    pub revocations: Option<PathBuf>,
    /// Hours after which that file is too old and attestations are refused; 0 only warns, after a day.
    pub revocations_hours: u32,
    /// Package names, one of which must be the application's; empty takes any.
    pub packages: Vec<String>,
    /// SHA-256 digests (hexadecimal) of signing certificates; empty takes any.
    pub signers: Vec<String>,
    /// Verified-boot keys (hexadecimal) of other systems that are taken, such as those of GrapheneOS.
    pub boot_keys: Vec<String>,
    /// Whether the boot loader must be locked and the system verified.
    pub verified_boot: bool,
    /// Least version of the system, as MMmmss such as 140000; 0 takes any.
    pub least_os_version: u32,
    /// Least patch level of the system, as YYYYMM; 0 takes any.
    pub least_os_patch: u32,
    /// Least patch level of the vendor partition, as YYYYMM; 0 takes any.
    pub least_vendor_patch: u32,
    /// Least patch level of the boot partition, as YYYYMM; 0 takes any.
    pub least_boot_patch: u32,
    /// Checks that are told and do not decide: tag_order, attestation_version, security_level_of_certificate, key_matches.
    pub waived: Vec<String>,
}

/// The `[devices.apple]` section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Apple {
    /// File of roots to trust instead of Apple's.
    pub roots: Option<PathBuf>,
    /// Team and bundle, `TEAMID.com.example.app`; without it App Attest is refused.
    pub application: String,
    /// Take attestations of the development environment too.
    pub development: bool,
}

/// The `[devices.play]` section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Play {
    /// File with the AES key of the Play Console in base64; without it Play Integrity is refused.
    pub decryption_key: Option<PathBuf>,
    /// File with the ECDSA public key of the Play Console.
    pub verification_key: Option<PathBuf>,
    /// Package names, one of which must have asked; empty takes any.
    pub packages: Vec<String>,
    /// SHA-256 digests (hexadecimal) of signing certificates; empty takes any.
    pub signers: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: String::new(),
            issuer: "tyrian".to_owned(),
            audience: "tyrian-devices".to_owned(),
            access_ttl_seconds: 300,
            grace_seconds: 10,
            refresh_days: RefreshDays::default(),
            family_days: 90,
            nonce_seconds: 180,
            code_hours: 24,
            lock_hours: 24,
            failures: 5,
            requests_per_minute: 240,
            software_keys: false,
            global_operators: Vec::new(),
            android: Android::default(),
            apple: Apple::default(),
            play: Play::default(),
            lines: 100_000,
            grpc: Grpc::default(),
            breaker: BreakerConfig::default(),
        }
    }
}

impl Config {
    /// Refuses values that would open a hole or lock everybody out.
    ///
    /// # Errors
    /// `Invalid`, naming the key.
    pub fn check(&self) -> Result<()> {
        let limits: [(&str, u64, u64, u64); 14] = [
            ("access_ttl_seconds", self.access_ttl_seconds, 30, 3_600),
            ("grace_seconds", self.grace_seconds, 0, 60),
            ("family_days", self.family_days.into(), 1, 366),
            ("nonce_seconds", self.nonce_seconds, 120, 300),
            ("code_hours", self.code_hours.into(), 1, 720),
            ("lock_hours", self.lock_hours.into(), 1, 24),
            ("failures", self.failures.into(), 2, 1_000),
            ("requests_per_minute", self.requests_per_minute.into(), 1, 60_000),
            ("lines", self.lines as u64, 1, 10_000_000),
            ("breaker.queue_milliseconds", self.breaker.queue_milliseconds.into(), 1, 60_000),
            ("breaker.runtime_milliseconds", self.breaker.runtime_milliseconds.into(), 1, 60_000),
            ("breaker.throughput_percent", self.breaker.throughput_percent.into(), 1, 100),
            (
                "refresh_days",
                u64::from(self.refresh_days.free.min(self.refresh_days.professional).min(self.refresh_days.high_security)),
                1,
                366,
            ),
            (
                "refresh_days",
                u64::from(self.refresh_days.free.max(self.refresh_days.professional).max(self.refresh_days.high_security)),
                1,
                366,
            ),
        ];
        for (key, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                return Err(errors::setting(key, format!("must be {least} to {most}, not {value}")));
            }
        }
        self.grpc.address()?;
        if self.issuer.is_empty() || self.audience.is_empty() {
            return Err(errors::setting("issuer, audience", "must not be empty"));
        }
        if !self.public_url.is_empty() {
            let url = url::Url::parse(&self.public_url).map_err(|cause| errors::setting("public_url", cause))?;
            if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
                return Err(errors::setting("public_url", "must be an http or https address"));
            }
        }
        Ok(())
    }

    pub(crate) fn access_ttl(&self) -> Duration {
        Duration::from_secs(self.access_ttl_seconds)
    }

    pub(crate) fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }

    pub(crate) fn nonce_ttl(&self) -> Duration {
        Duration::from_secs(self.nonce_seconds)
    }

    pub(crate) fn lock_life(&self) -> Duration {
        hours(self.lock_hours)
    }

    pub(crate) fn code_life(&self) -> Duration {
        hours(self.code_hours)
    }

    pub(crate) fn refresh_life(&self, plan: Plan) -> Duration {
        let days = match plan {
            Plan::Free => self.refresh_days.free,
            Plan::Professional => self.refresh_days.professional,
            Plan::HighSecurity => self.refresh_days.high_security,
        };
        hours(days * 24)
    }

    pub(crate) fn family_life(&self) -> Duration {
        hours(self.family_days * 24)
    }
}

fn hours(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 3_600)
}
