//! The key that seals the key file: from a passphrase, or from `master.key` beside it.

use std::io;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base::{Error, Result, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::pair::random;
use super::seal::Key;
use crate::{errors, folder};

const MASTER: &str = "master.key";
/// What we are willing to spend on a file somebody else wrote.
const MAXIMUM_MEMORY_KIB: u32 = 1024 * 1024;
const MAXIMUM_ITERATIONS: u32 = 64;

/// How a key file is protected, as its header says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub(super) enum Protection {
    /// By the file `master.key`.
    MasterKey,
    /// By a passphrase through Argon2id.
    Passphrase {
        /// Base64.
        salt: String,
        memory_kib: u32,
        iterations: u32,
        lanes: u32,
    },
}

impl Protection {
    /// For a new key file.
    pub(super) fn new(has_passphrase: bool) -> Result<Self> {
        if !has_passphrase {
            return Ok(Self::MasterKey);
        }
        // OWASP's and RFC 9106's second recommendation: 64 MiB, three passes.
        Ok(Self::Passphrase { salt: STANDARD.encode(random::<16>()?), memory_kib: 64 * 1024, iterations: 3, lanes: 1 })
    }

    /// In words, for messages.
    pub(super) fn as_words(&self) -> &'static str {
        match self {
            Self::MasterKey => "the master key file",
            Self::Passphrase { .. } => "a passphrase",
        }
    }

    /// The sealing key. A missing `master.key` is made only when `may_create`.
    pub(super) fn key(&self, folder: &Path, passphrase: Option<&Secret<String>>, may_create: bool) -> Result<Key> {
        match (self, passphrase) {
            (Self::MasterKey, None) => master(&folder.join(MASTER), may_create),
            (Self::Passphrase { salt, memory_kib, iterations, lanes }, Some(passphrase)) => {
                let parameters = (*memory_kib <= MAXIMUM_MEMORY_KIB && *iterations <= MAXIMUM_ITERATIONS)
                    .then(|| Params::new(*memory_kib, *iterations, *lanes, Some(32)).ok())
                    .flatten();
                let salt = STANDARD.decode(salt).ok();
                let (Some(parameters), Some(salt)) = (parameters, salt) else {
                    return Err(errors::keys_file(folder, "its passphrase settings are out of bounds"));
                };
                let mut key = Zeroizing::new([0; 32]);
                Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
                    .hash_password_into(passphrase.expose().as_bytes(), &salt, &mut *key)
                    .map_err(|cause| Error::internal(format!("argon2 refused its input: {cause}")))?;
                Ok(Secret::new(*key))
            }
            (found, _) => Err(errors::keys_protection(folder, found.as_words())),
        }
    }
}

fn master(path: &Path, may_create: bool) -> Result<Key> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && may_create => {
            let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*Zeroizing::new(random::<32>()?))));
            folder::create(path, text.as_bytes()).map_err(|cause| errors::keys_file(path, cause))?;
            text
        }
        Err(cause) => return Err(errors::keys_file(path, cause)),
    };
    folder::closed(path, 0o600)?;
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).unwrap_or_default());
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| errors::keys_file(path, "it does not hold 32 bytes as base64"))?;
    Ok(Secret::new(key))
}
