//! The attestation object: nine checks in the order Apple lists them, chain to application to key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::authenticator::{self, Credential, Environment, Head};
use super::{ClientData, object, relying_party, sha256};
use crate::asn1::single;
use crate::cbor;
use crate::certificate::{Certificate, KeyKind};
use crate::errors::Unreadable;
use crate::report::{Checks, Finding, Kind, READABLE, Report, Waived};
use crate::roots::Roots;
use crate::score::Level;

/// Object identifier of the extension that carries the nonce.
const NONCE: &str = "1.2.840.113635.100.8.2";

/// Demands on one attestation.
#[derive(Clone, Debug)]
pub struct AttestationPolicy {
    /// The moment to verify for; the leaf is good for three days only.
    pub at: DateTime<Utc>,
    /// Who may vouch.
    pub roots: Roots,
    /// What was to be attested: the challenge or its hash. Without it nothing can be verified.
    pub client_data: Option<ClientData>,
    /// Name of the key as the application sent it, a SHA-256.
    pub key_id: Option<Vec<u8>>,
    /// Team and bundle, `TEAMID.com.example.app`.
    pub application: Option<String>,
    /// Environment that is accepted; `None` accepts both.
    pub environment: Option<Environment>,
    /// Checks that are told but do not decide.
    pub waived: Waived,
}

impl AttestationPolicy {
    /// Apple's root, nothing else demanded yet.
    pub fn at(at: DateTime<Utc>) -> Self {
        let roots = Roots::apple();
        Self { at, roots, client_data: None, key_id: None, application: None, environment: None, waived: Waived::new() }
    }
}

struct Object {
    format: String,
    chain: Vec<Certificate>,
    receipt: Option<usize>,
    data: Vec<u8>,
    head: Head,
    credential: Credential,
}

/// Verifies an attestation object, CBOR or base64 of it.
pub fn verify(input: &[u8], policy: &AttestationPolicy) -> Report {
    match object(input).and_then(|bytes| read(&bytes)) {
        Ok(object) => judge(&object, policy),
        Err(error) => Report::unreadable(Kind::AppAttest, policy.at, &error),
    }
}

fn read(bytes: &[u8]) -> Result<Object, Unreadable> {
    let map = cbor::map(bytes, "attestation object")?;
    let statement = map.map("attStmt", "attestation statement")?;
    let certificates = statement.array("x5c")?;
    if certificates.len() > 5 {
        return Err(Unreadable::TooLarge { what: "certificates of a statement", limit: 5 });
    }
    let chain = certificates
        .iter()
        .map(|der| {
            der.as_bytes().ok_or_else(|| Unreadable::malformed("x5c", "not byte strings")).and_then(|der| Certificate::from_der(der))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let data = map.bytes("authData")?.to_vec();
    let (head, rest) = authenticator::head(&data)?;
    let credential = authenticator::credential(rest)?;
    let receipt = statement.bytes("receipt").ok().map(<[u8]>::len);
    Ok(Object { format: map.text("fmt")?.to_owned(), chain, receipt, head, credential, data })
}

fn judge(object: &Object, policy: &AttestationPolicy) -> Report {
    let mut checks = Checks::new(&policy.waived);
    checks.require(READABLE, Ok(format!("{} certificates, {} bytes of authenticator data", object.chain.len(), object.data.len())));
    checks.require("format", if object.format == "apple-appattest" { Ok(object.format.clone()) } else { Err(object.format.clone()) });
    checks.require("chain_shape", shape(&object.chain));
    checks.require("names", names(&object.chain, &policy.roots));
    checks.require("signatures", signatures(&object.chain, &policy.roots));
    checks.require("validity", validity(&object.chain, policy.at));
    match &policy.client_data {
        Some(data) => checks.require("nonce", nonce(object, data)),
        None => checks.unmade(&["nonce"], "without the challenge or its hash nothing binds the attestation to this server"),
    }
    judge_key(object, policy, &mut checks);
    match &policy.application {
        Some(application) => checks.require("application", relying_party(&object.head.relying_party, application)),
        None => checks.unasked("application", "no expected application given"),
    }
    let counter = object.head.counter;
    checks.require("counter", if counter == 0 { Ok("0".to_owned()) } else { Err(format!("{counter}, a new key starts with 0")) });
    checks.require("environment", environment(object.credential.environment, policy.environment));
    let level = match object.credential.environment {
        Some(Environment::Production) => Level::Strong,
        Some(Environment::Development) => Level::Basic,
        None => Level::None,
    };
    checks.report(Kind::AppAttest, policy.at, level, facts(object))
}

fn shape(chain: &[Certificate]) -> Finding {
    match chain {
        [leaf, intermediate] if leaf.key.kind == KeyKind::P256 && !leaf.is_authority && intermediate.is_authority => {
            Ok("a key of its own and one intermediate authority".to_owned())
        }
        [_, _] => Err("not a P-256 key under an intermediate authority".to_owned()),
        other => Err(format!("{} certificates, there must be two", other.len())),
    }
}

fn names(chain: &[Certificate], roots: &Roots) -> Finding {
    for (at, pair) in chain.windows(2).enumerate() {
        if !pair[0].issuer.matches(&pair[1].subject) {
            return Err(format!("certificate {} names {} as its issuer", at + 1, pair[0].issuer));
        }
    }
    match chain.last().map(|last| (last, roots.issuers(last).next())) {
        Some((_, Some(root))) => Ok(root.subject.to_string()),
        Some((last, None)) => Err(format!("{} is not trusted", last.issuer)),
        None => Err("no certificates".to_owned()),
    }
}

fn signatures(chain: &[Certificate], roots: &Roots) -> Finding {
    for (at, pair) in chain.windows(2).enumerate() {
        pair[0].verify(&pair[1].key).map_err(|why| format!("certificate {}: {why}", at + 1))?;
    }
    let last = chain.last().ok_or("no certificates")?;
    let by_root = roots.issuers(last).map(|root| last.verify(&root.key)).reduce(Result::or);
    by_root.unwrap_or_else(|| Err("signed by nobody who is trusted".to_owned())).map_err(|why| format!("last certificate: {why}"))?;
    Ok(format!("{} signatures verify", chain.len()))
}

fn validity(chain: &[Certificate], at: DateTime<Utc>) -> Finding {
    for (number, certificate) in chain.iter().enumerate() {
        if at < certificate.not_before || at > certificate.not_after {
            return Err(format!("certificate {} is good from {} to {}", number + 1, certificate.not_before, certificate.not_after));
        }
    }
    Ok("every certificate is good at this time".to_owned())
}

/// The nonce of the certificate is the hash of what the application says and what it was asked.
fn nonce(object: &Object, data: &ClientData) -> Finding {
    let expected = sha256(&[&object.data, &data.hash()]);
    let leaf = object.chain.first().ok_or("no certificates")?;
    match leaf.extensions(NONCE).as_slice() {
        [value] => match certified(value) {
            Ok(found) if found == expected => Ok("the certificate carries the hash of authenticator data and challenge".to_owned()),
            Ok(_) => Err("the certificate carries another hash: other data or another challenge".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        other => Err(format!("{} nonces in the certificate", other.len())),
    }
}

fn certified(value: &[u8]) -> Result<&[u8], Unreadable> {
    let mut fields = single(value, "nonce")?.sequence()?;
    let (tag, content) = fields.next()?.tagged()?;
    fields.end()?;
    if tag == 1 { content.octets() } else { Err(Unreadable::malformed("nonce", "another tag")) }
}

fn judge_key(object: &Object, policy: &AttestationPolicy, checks: &mut Checks<'_>) {
    let Some(leaf) = object.chain.first() else {
        checks.unmade(&["key_id", "credential_id", "credential_key"], "no certificates");
        return;
    };
    let hash = sha256(&[&leaf.key.bits]);
    match &policy.key_id {
        None => checks.unasked("key_id", format!("the key is called {}", STANDARD.encode(hash))),
        Some(id) if id.as_slice() == hash => checks.require("key_id", Ok("the hash of the certified key".to_owned())),
        Some(_) => checks.require("key_id", Err("the certified key is another".to_owned())),
    }
    let named = object.credential.id == hash;
    let told = "the credential is called by the hash of the certified key";
    checks.require("credential_id", if named { Ok(told.to_owned()) } else { Err("the credential is called otherwise".to_owned()) });
    checks.require(
        "credential_key",
        match &object.credential.point {
            Some(point) if *point == leaf.key.bits => Ok("the credential's key is the certified one".to_owned()),
            Some(_) => Err("the credential's key is not the certified one".to_owned()),
            None => Ok("the credential carries no key of its own".to_owned()),
        },
    );
}

fn environment(found: Option<Environment>, wanted: Option<Environment>) -> Finding {
    match (found, wanted) {
        (None, _) => Err("neither of Apple's environments".to_owned()),
        (Some(found), Some(wanted)) if found != wanted => Err(format!("{}, {} is demanded", found.name(), wanted.name())),
        (Some(found), _) => Ok(found.name().to_owned()),
    }
}

fn facts(object: &Object) -> Value {
    let leaf = object.chain.first();
    json!({
        "format": object.format,
        "keyId": leaf.map(|leaf| STANDARD.encode(sha256(&[&leaf.key.bits]))),
        "publicKey": leaf.map(|leaf| STANDARD.encode(&leaf.key.spki)),
        "credentialId": STANDARD.encode(object.credential.id),
        "credentialIdLength": object.credential.declared_length,
        "rpIdHash": STANDARD.encode(object.head.relying_party),
        "flags": object.head.flags,
        "counter": object.head.counter,
        "environment": object.credential.environment.map(Environment::name),
        "receiptBytes": object.receipt,
        "certificates": object.chain.iter().map(Certificate::facts).collect::<Value>(),
    })
}
