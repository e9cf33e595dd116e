//! Words of `tyrian attest`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum AttestCommand {
    /// Verify an attestation and name every check; needs no server. Exit code 0: verified, 12: refused, 3: unreadable
    Verify(Box<AttestVerify>),
}

/// What is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AttestKind {
    /// Certificate chain of Android Key Attestation: PEM, JSON list or base64
    AndroidKey,
    /// Attestation or assertion of Apple App Attest: CBOR, base64, or JSON with the values to compare
    AppAttest,
    /// Token of Play Integrity in compact form
    PlayIntegrity,
}

/// Weakest place for the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AttestLevel {
    /// Android itself
    Software,
    /// Trusted execution environment
    Tee,
    /// Secure element
    Strongbox,
}

/// Which of Apple's servers vouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AttestEnvironment {
    /// Store applications
    Production,
    /// Applications under development
    Development,
}

/// VALUE is text, `hex:…` or `base64:…`; DIGEST is hexadecimal or base64.
#[derive(Debug, Args)]
pub(crate) struct AttestVerify {
    /// What FILE is
    #[arg(long, value_enum)]
    pub(crate) kind: AttestKind,
    /// The attestation; `-` for stdin
    pub(crate) file: PathBuf,
    /// Verify for this moment (RFC 3339); now when not given
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) at: Option<DateTime<Utc>>,
    /// Trust these roots (PEM, or JSON list of PEM) instead of Google's or Apple's
    #[arg(long, value_name = "FILE")]
    pub(crate) roots: Option<PathBuf>,
    /// Refuse what Google's status list (JSON) names
    #[arg(long, value_name = "FILE")]
    pub(crate) revoked: Option<PathBuf>,
    /// The challenge that was issued
    #[arg(long, value_name = "VALUE")]
    pub(crate) challenge: Option<String>,
    /// Package that must have asked (Android, Play); may be given again
    #[arg(long, value_name = "NAME")]
    pub(crate) package: Vec<String>,
    /// SHA-256 of a signing certificate that is accepted (Android, Play); may be given again
    #[arg(long, value_name = "DIGEST")]
    pub(crate) signer: Vec<String>,
    /// Weakest place the key may be in (Android)
    #[arg(long, value_enum, default_value = "tee")]
    pub(crate) least_level: AttestLevel,
    /// Demand a locked boot loader and a verified system (Android)
    #[arg(long)]
    pub(crate) verified_boot: bool,
    /// Accept a locked device that started a system with this verified-boot key (Android); may be given again, implies --verified-boot
    #[arg(long, value_name = "DIGEST")]
    pub(crate) boot_key: Vec<String>,
    /// Least version of the system, as 140000 (Android)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) least_os_version: Option<u64>,
    /// Least patch level of the system, as 202408 (Android)
    #[arg(long, value_name = "YYYYMM")]
    pub(crate) least_os_patch: Option<u64>,
    /// Least patch level of the vendor partition (Android)
    #[arg(long, value_name = "YYYYMM")]
    pub(crate) least_vendor_patch: Option<u64>,
    /// Least patch level of the boot partition (Android)
    #[arg(long, value_name = "YYYYMM")]
    pub(crate) least_boot_patch: Option<u64>,
    /// Purposes the key may have, as KeyMint numbers (comma separated; Android)
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    pub(crate) purpose: Vec<u64>,
    /// Algorithms the key may have, as KeyMint numbers (comma separated; Android)
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    pub(crate) algorithm: Vec<u64>,
    /// Demand a key that stays deleted once deleted (Android)
    #[arg(long)]
    pub(crate) rollback_resistance: bool,
    /// Demand a key that asks its user (Android)
    #[arg(long)]
    pub(crate) user_authentication: bool,
    /// Team and bundle, as TEAMID.com.example.app (Apple)
    #[arg(long, value_name = "ID")]
    pub(crate) app_id: Option<String>,
    /// Environment that is accepted (Apple); both when not given
    #[arg(long, value_enum)]
    pub(crate) environment: Option<AttestEnvironment>,
    /// Name of the key as the application sent it, base64 (Apple)
    #[arg(long, value_name = "DIGEST")]
    pub(crate) key_id: Option<String>,
    /// SHA-256 of the client data, in place of --challenge or --client-data (Apple)
    #[arg(long, value_name = "DIGEST")]
    pub(crate) client_data_hash: Option<String>,
    /// The request that an assertion is for (Apple)
    #[arg(long, value_name = "FILE")]
    pub(crate) client_data: Option<PathBuf>,
    /// The attested key, PEM or base64 (Apple assertion)
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
    /// Last counter seen from the key (Apple assertion)
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) counter: u32,
    /// Only this one of a file with several, from 1 (Apple)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) vector: Option<usize>,
    /// File with the base64 AES key of the Play Console (Play)
    #[arg(long, value_name = "FILE")]
    pub(crate) decryption_key: Option<PathBuf>,
    /// File with the ECDSA key of the Play Console, base64 or PEM (Play)
    #[arg(long, value_name = "FILE")]
    pub(crate) verification_key: Option<PathBuf>,
    /// Hash of the request the verdict must be about (Play); --challenge is the nonce of a classic request
    #[arg(long, value_name = "TEXT")]
    pub(crate) request_hash: Option<String>,
    /// Seconds after which a verdict is not believed (Play)
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) longest_age: u32,
    /// Tell this check but do not let it decide; may be given again
    #[arg(long, value_name = "CHECK")]
    pub(crate) waive: Vec<String>,
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc()).map_err(|cause| format!("{cause}, write it as 2025-01-01T00:00:00Z"))
}
