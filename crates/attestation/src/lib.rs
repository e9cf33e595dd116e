//! Attestation of devices and the tokens bound to them: Android Key Attestation, Apple App Attest, Play Integrity, DPoP.
//!
//! Pure: time, trusted roots and revocation lists are handed in, nothing is fetched. Every verifier answers with a
//! [`Report`] of named checks; untrusted bytes are bounded in size and depth.

pub mod android;
pub mod apple;
mod asn1;
mod cbor;
mod certificate;
pub mod dpop;
mod errors;
pub mod jose;
pub mod play;
mod report;
mod revocation;
mod roots;
mod score;
mod signature;

pub use certificate::{Certificate, KeyKind, Name, PublicKey, read_chain};
pub use errors::Unreadable;
pub use report::{Check, Kind, Report, Verdict, Waived};
pub use revocation::RevocationList;
pub use roots::Roots;
pub use score::{FADING, Level, score};
