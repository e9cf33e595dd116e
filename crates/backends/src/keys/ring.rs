//! All keys in memory and the rules of their lives. Published → active → retiring → gone; data keys stay.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use base::{Error, Result, Secret, Time};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::pair::{Algorithm, Pair, PublicKey, random, thumbprint};
use super::seal::{self, Key};
use crate::errors;

/// Layout of sealed values: this byte, the data key's id, then nonce, ciphertext and tag.
const LAYOUT: u8 = 1;
const DATA_ID: usize = 8;

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Verifiers know it, it does not sign yet.
    Published,
    /// It signs.
    Active,
    /// It has a successor and only verifies, until its deadline.
    Retiring,
}

/// What a rotation decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotation {
    /// The new key.
    pub kid: String,
    /// When it signs first.
    pub active_at: Time,
    /// The key it follows.
    pub previous: String,
    /// When verifiers must forget that one.
    pub retire_at: Time,
}

/// What is in the key file, before it is sealed.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    signing: Vec<WrittenSigning>,
    data: Vec<WrittenSealing>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSigning {
    purpose: String,
    algorithm: Algorithm,
    /// PKCS #8 as base64.
    #[serde(serialize_with = "exposed")]
    private: Secret<String>,
    created_at: Time,
    not_before: Time,
    retire_at: Option<Time>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSealing {
    /// Hexadecimal.
    id: String,
    /// Base64.
    #[serde(serialize_with = "exposed")]
    key: Secret<String>,
    created_at: Time,
}

/// Secrets refuse to be written; here they are about to be sealed.
fn exposed<S: Serializer>(secret: &Secret<String>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// The keys, parsed.
#[derive(Clone, Default)]
pub(super) struct Ring {
    signing: Vec<Arc<Signing>>,
    data: HashMap<[u8; DATA_ID], Arc<Sealing>>,
    /// The data key that seals.
    present: Option<[u8; DATA_ID]>,
}

struct Signing {
    purpose: String,
    private: Secret<Vec<u8>>,
    pair: Arc<Pair>,
    created_at: Time,
    public: PublicKey,
}

struct Sealing {
    key: Key,
    created_at: Time,
}

impl Ring {
    /// Reads the unsealed content of the key file.
    pub(super) fn parse(content: &[u8]) -> std::result::Result<Self, String> {
        let written: Written = serde_json::from_slice(content).map_err(|cause| cause.to_string())?;
        let mut ring = Self::default();
        for key in written.signing {
            let private = STANDARD.decode(key.private.expose()).map_err(|cause| cause.to_string())?;
            let signing = Signing::new(key.purpose, key.algorithm, Secret::new(private), key.created_at, key.not_before, key.retire_at);
            ring.signing.push(Arc::new(signing.map_err(|error| error.to_string())?));
        }
        for key in written.data {
            let id = hex::decode(&key.id).ok().and_then(|id| id.try_into().ok()).ok_or("a data key's id is malformed")?;
            let bytes = Zeroizing::new(STANDARD.decode(key.key.expose()).map_err(|cause| cause.to_string())?);
            let bytes = bytes.as_slice().try_into().map_err(|_| "a data key is not 32 bytes")?;
            ring.add(id, Sealing { key: Secret::new(bytes), created_at: key.created_at });
        }
        Ok(ring)
    }

    /// What `parse` reads.
    pub(super) fn content(&self) -> Result<Zeroizing<Vec<u8>>> {
        let signing = self.signing.iter().map(|key| WrittenSigning {
            purpose: key.purpose.clone(),
            algorithm: key.public.algorithm,
            private: Secret::new(STANDARD.encode(key.private.expose())),
            created_at: key.created_at,
            not_before: key.public.not_before,
            retire_at: key.public.retire_at,
        });
        let data = self.data.iter().map(|(id, data)| WrittenSealing {
            id: hex::encode(id),
            key: Secret::new(STANDARD.encode(data.key.expose())),
            created_at: data.created_at,
        });
        let written = Written { signing: signing.collect(), data: data.collect() };
        let content = serde_json::to_vec(&written).map_err(|cause| Error::internal("the key ring cannot be written").because(cause))?;
        Ok(Zeroizing::new(content))
    }

    /// The key that signs for `purpose` with `algorithm`.
    pub(super) fn active(&self, purpose: &str, algorithm: Algorithm, now: Time) -> Option<String> {
        let keys = self.of(purpose, now).filter(|key| key.public.algorithm == algorithm && key.public.not_before <= now);
        keys.max_by_key(|key| (key.public.not_before, key.created_at)).map(|key| key.public.kid.clone())
    }

    /// The private half of a key that is not past its deadline.
    pub(super) fn pair(&self, kid: &str, now: Time) -> Result<Arc<Pair>> {
        let key = self.signing.iter().find(|key| key.public.kid == kid && key.is_known(now));
        key.map(|key| Arc::clone(&key.pair)).ok_or_else(|| errors::keys_unknown(kid))
    }

    /// What verifiers need, the active key first.
    pub(super) fn public(&self, purpose: &str, now: Time) -> Vec<PublicKey> {
        let algorithms: HashSet<Algorithm> = self.of(purpose, now).map(|key| key.public.algorithm).collect();
        let active: HashSet<String> = algorithms.into_iter().filter_map(|algorithm| self.active(purpose, algorithm, now)).collect();
        let state = |key: &Signing| {
            if key.public.not_before > now {
                State::Published
            } else if active.contains(&key.public.kid) {
                State::Active
            } else {
                State::Retiring
            }
        };
        let mut keys: Vec<PublicKey> = self.of(purpose, now).map(|key| PublicKey { state: state(key), ..key.public.clone() }).collect();
        keys.sort_by_key(|key| (key.state != State::Active, key.not_before));
        keys
    }

    /// Adds a key that signs from `not_before` on.
    pub(super) fn create(&mut self, purpose: &str, algorithm: Algorithm, now: Time, not_before: Time) -> Result<String> {
        let signing = Signing::new(purpose.to_owned(), algorithm, Pair::generate(algorithm)?, now, not_before, None)?;
        let kid = signing.public.kid.clone();
        self.signing.push(Arc::new(signing));
        Ok(kid)
    }

    /// Gives the newest key a successor and a deadline. One successor at a time: each verifier is sent every key there is, so whoever may
    /// rotate must not be able to make them many.
    pub(super) fn rotate(&mut self, purpose: &str, now: Time, publish_for: Duration, retire_after: Duration) -> Result<Rotation> {
        self.signing.retain(|key| key.is_known(now));
        let newest = self.of(purpose, now).max_by_key(|key| (key.public.not_before, key.created_at));
        let (algorithm, starts) =
            newest.map(|key| (key.public.algorithm, key.public.not_before)).ok_or_else(|| errors::keys_none(purpose))?;
        if starts > now {
            return Err(errors::keys_waiting(purpose, starts.since(now)));
        }
        let active_at = now + publish_for;
        let retire_at = active_at + retire_after;
        let mut previous = String::new();
        for key in &mut self.signing {
            if key.purpose == purpose && key.public.algorithm == algorithm && key.public.retire_at.is_none() {
                previous.clone_from(&key.public.kid);
                *key = Arc::new(key.retiring(retire_at));
            }
        }
        let kid = self.create(purpose, algorithm, now, active_at)?;
        Ok(Rotation { kid, active_at, previous, retire_at })
    }

    pub(super) fn has_data_key(&self) -> bool {
        self.present.is_some()
    }

    /// Adds a data key; it seals from now on.
    pub(super) fn create_data_key(&mut self, now: Time) -> Result<()> {
        // Later than every other, whatever the clock says.
        let newest = self.data.values().map(|data| data.created_at + Duration::from_micros(1)).max();
        let created_at = newest.map_or(now, |newest| newest.max(now));
        self.add(random()?, Sealing { key: Secret::new(random()?), created_at });
        Ok(())
    }

    /// Seals under the present data key; nothing when there is none yet.
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some((id, data)) = self.present.and_then(|id| Some((id, self.data.get(&id)?))) else {
            return Ok(None);
        };
        let mut sealed = vec![LAYOUT];
        sealed.extend(id);
        let bound = [&sealed, place.as_bytes()].concat();
        sealed.extend(seal::seal(&data.key, &bound, plain)?);
        Ok(Some(sealed))
    }

    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let opened = sealed.split_at_checked(1 + DATA_ID).and_then(|(head, body)| {
            let (layout, id) = head.split_first()?;
            let data = self.data.get(id).filter(|_| *layout == LAYOUT)?;
            seal::open(&data.key, &[head, place.as_bytes()].concat(), body)
        });
        opened.ok_or_else(errors::keys_open)
    }

    fn of(&self, purpose: &str, now: Time) -> impl Iterator<Item = &Arc<Signing>> {
        self.signing.iter().filter(move |key| key.purpose == purpose && key.is_known(now))
    }

    fn add(&mut self, id: [u8; DATA_ID], data: Sealing) {
        self.data.insert(id, Arc::new(data));
        self.present = self.data.iter().max_by_key(|(id, data)| (data.created_at, **id)).map(|(id, _)| *id);
    }
}

impl Signing {
    fn new(
        purpose: String,
        algorithm: Algorithm,
        private: Secret<Vec<u8>>,
        created_at: Time,
        not_before: Time,
        retire_at: Option<Time>,
    ) -> Result<Self> {
        let pair = Pair::parse(algorithm, &private).map_err(|cause| Error::internal(format!("a signing key is malformed: {cause}")))?;
        let jwk = pair.jwk();
        let public =
            PublicKey { kid: thumbprint(&jwk), algorithm, spki: pair.spki()?, jwk, not_before, retire_at, state: State::Published };
        Ok(Self { purpose, private, pair: Arc::new(pair), created_at, public })
    }

    fn is_known(&self, now: Time) -> bool {
        self.public.retire_at.is_none_or(|deadline| now < deadline)
    }

    fn retiring(&self, retire_at: Time) -> Self {
        Self {
            purpose: self.purpose.clone(),
            private: self.private.clone(),
            pair: Arc::clone(&self.pair),
            created_at: self.created_at,
            public: PublicKey { retire_at: Some(retire_at), ..self.public.clone() },
        }
    }
}
