//! Commands a phone takes: signed by a key it learned when it enrolled, meant for it, not over, and each carried out once in its order.

use attestation::jose::{Algorithm, VerificationKey, verify};
use serde::Deserialize;
use serde_json::Value as Json;

/// `typ` of a signed command.
const KIND: &str = "tyrian-command+jwt";

#[derive(Deserialize)]
struct Claims {
    aud: String,
    seq: i64,
    exp: i64,
    cmd: String,
}

/// A command that is genuine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) sequence: i64,
    pub(crate) kind: String,
    /// It was carried out before; only the answer is repeated.
    pub(crate) is_repeated: bool,
}

/// What a phone knows of commands.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    keys: Vec<VerificationKey>,
    device: String,
    done: i64,
    carried_out: u64,
}

impl Orders {
    /// The orders of one phone, with the JWK set it was given.
    pub(crate) fn new(device: &str, keys: &Json) -> Self {
        let keys = keys["keys"].as_array().into_iter().flatten().filter_map(Json::as_object);
        let keys = keys.filter_map(|key| VerificationKey::from_jwk(key, Algorithm::Es256).ok()).collect();
        Self { keys, device: device.to_owned(), done: 0, carried_out: 0 }
    }

    /// Number of the last command that was carried out.
    pub(crate) fn done(&self) -> i64 {
        self.done
    }

    /// How many were carried out.
    pub(crate) fn carried_out(&self) -> u64 {
        self.carried_out
    }

    /// The genuine command behind a token at `now` (seconds); nothing else is to be obeyed, whatever stands beside the token.
    pub(crate) fn take(&mut self, token: &str, now: i64) -> Option<Order> {
        let signed = verify(token, &self.keys).ok().filter(|signed| signed.kind.as_deref() == Some(KIND) && signed.kid.is_some())?;
        let claims: Claims = serde_json::from_slice(&signed.payload).ok()?;
        if claims.aud != self.device || claims.exp <= now || claims.seq < 1 {
            return None;
        }
        let is_repeated = claims.seq <= self.done;
        self.done = self.done.max(claims.seq);
        self.carried_out += u64::from(!is_repeated);
        Some(Order { sequence: claims.seq, kind: claims.cmd, is_repeated })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn command(pair: &EcdsaKeyPair, kind: &str, device: &str, sequence: i64, until: i64) -> String {
        let encode = |value: Json| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(json!({ "alg": "ES256", "typ": kind, "kid": "one" }));
        let claims = encode(json!({ "aud": device, "seq": sequence, "exp": until, "cmd": "CRITICAL_LOCK" }));
        let signature = pair.sign(&SystemRandom::new(), format!("{header}.{claims}").as_bytes()).unwrap();
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn only_genuine_commands_for_this_phone_are_obeyed_and_each_once() {
        let pair = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (ours, theirs) = (pair(), pair());
        let point = ours.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let set = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "one", "x": x, "y": y }] });
        let mut orders = Orders::new("me", &set);
        for forged in [
            command(&theirs, KIND, "me", 1, 100),
            command(&ours, "at+jwt", "me", 1, 100),
            command(&ours, KIND, "you", 1, 100),
            command(&ours, KIND, "me", 1, 50),
            command(&ours, KIND, "me", 0, 100),
            "nonsense".to_owned(),
        ] {
            assert_eq!(orders.take(&forged, 60), None, "{forged}");
        }
        let order = |sequence, is_repeated| Some(Order { sequence, kind: "CRITICAL_LOCK".to_owned(), is_repeated });
        assert_eq!(orders.take(&command(&ours, KIND, "me", 2, 100), 60), order(2, false));
        assert_eq!(orders.take(&command(&ours, KIND, "me", 2, 100), 60), order(2, true));
        assert_eq!(orders.take(&command(&ours, KIND, "me", 1, 100), 60), order(1, true), "an older one comes too late");
        assert_eq!((orders.done(), orders.carried_out()), (2, 1));
    }
}
