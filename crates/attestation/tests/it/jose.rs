//! JOSE: the published examples are accepted, and nothing that anybody has tried against a verifier.

use attestation::jose::{Algorithm, DecryptionKey, JoseError, VerificationKey, certificate_thumbprint, decrypt, verify};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::testdata;
use crate::token::{Signer, as_der, encode, encrypt};

fn example(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(testdata().join("jose_cookbook").join(path)).unwrap()).unwrap()
}

#[test]
fn the_signatures_of_the_cookbook_verify() {
    for (path, algorithm) in [
        ("jws/4_1.rsa_v15_signature.json", Algorithm::Rs256),
        ("jws/4_2.rsa-pss_signature.json", Algorithm::Ps384),
        ("jws/4_3.ecdsa_signature.json", Algorithm::Es512),
        ("curve25519/jws.json", Algorithm::EdDsa),
    ] {
        let example = example(path);
        let mut jwk = example["input"]["key"].as_object().unwrap().clone();
        assert!(VerificationKey::from_jwk(&jwk, algorithm).is_err(), "a private key is no verification key");
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            jwk.remove(private);
        }
        let key = VerificationKey::from_jwk(&jwk, algorithm).unwrap();
        let signed = verify(example["output"]["compact"].as_str().unwrap(), &[key]).unwrap();
        assert_eq!(signed.payload, example["input"]["payload"].as_str().unwrap().as_bytes(), "{path}");
    }
}

#[test]
fn the_cookbooks_symmetric_signature_has_no_algorithm_here() {
    let example = example("jws/4_4.hmac-sha2_integrity_protection.json");
    let token = example["output"]["compact"].as_str().unwrap();
    assert_eq!(verify(token, &[Signer::new().key()]), Err(JoseError::Algorithm("HS256".to_owned())));
    assert!(["none", "HS256", "HS512", "es256", "ES256K", ""].iter().all(|name| Algorithm::from_name(name).is_none()));
}

#[test]
fn the_wrapped_key_example_of_the_cookbook_decrypts() {
    let example = example("jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm.json");
    let key = URL_SAFE_NO_PAD.decode(example["input"]["key"]["k"].as_str().unwrap()).unwrap();
    let key = DecryptionKey::new(key).unwrap();
    let token = example["output"]["compact"].as_str().unwrap();
    assert_eq!(decrypt(token, &key, "A128GCM").unwrap(), example["input"]["plaintext"].as_str().unwrap().as_bytes());
    assert!(matches!(decrypt(token, &key, "A256GCM"), Err(JoseError::Algorithm(_))));
}

#[test]
fn encrypted_examples_with_other_algorithms_are_refused() {
    let key = DecryptionKey::new(vec![1; 16]).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(testdata().join("jose_cookbook/jwe")).unwrap() {
        let example: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        if let Some(token) = example["output"]["compact"].as_str() {
            assert!(decrypt(token, &key, "A128GCM").is_err(), "{}", example["title"]);
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn an_honest_token_verifies_with_the_key_it_names() {
    let (signer, other) = (Signer::new(), Signer::new());
    let mut key = signer.key();
    key.kid = Some("2025-11".to_owned());
    let mut elder = other.key();
    elder.kid = Some("2025-10".to_owned());
    let token = signer.sign(r#"{"alg":"ES256","kid":"2025-11","typ":"at+jwt"}"#, "{}");
    let signed = verify(&token, &[elder.clone(), key]).unwrap();
    assert_eq!(
        (signed.payload.as_slice(), signed.kid.as_deref(), signed.kind.as_deref()),
        (b"{}".as_slice(), Some("2025-11"), Some("at+jwt"))
    );
    assert!(verify(&token, &[elder]).is_err());
    assert!(verify(&token, &[]).is_err());
}

/// Headers, each signed by the right key, none of which may be accepted.
const HEADERS: &[&str] = &[
    r#"{"alg":"none"}"#,
    r#"{"alg":"None"}"#,
    r#"{"alg":"nOnE"}"#,
    r#"{"alg":""}"#,
    r#"{"alg":null}"#,
    r#"{"alg":["ES256"]}"#,
    r#"{"alg":"ES256 "}"#,
    r#"{"alg":"es256"}"#,
    r#"{"alg":"ES384"}"#,
    r#"{"alg":"ES256K"}"#,
    r#"{"alg":"RS256"}"#,
    r#"{"alg":"PS256"}"#,
    r#"{"alg":"HS256"}"#,
    r#"{"alg":"EdDSA"}"#,
    r#"{}"#,
    r#"[]"#,
    r#""ES256""#,
    r#"{"alg":"ES256"}{"alg":"ES256"}"#,
    r#"{"alg":"ES256"} x"#,
    r#"{"alg":"ES256","alg":"none"}"#,
    r#"{"alg":"none","alg":"ES256"}"#,
    r#"{"alg":"ES256","\u0061lg":"none"}"#,
    r#"{"alg":"ES256","kid":"other"}"#,
    r#"{"alg":"ES256","kid":7}"#,
    r#"{"alg":"ES256","kid":"a","kid":"named"}"#,
    r#"{"alg":"ES256","crit":[]}"#,
    r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
    r#"{"alg":"ES256","b64":false}"#,
    r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#,
    r#"{"alg":"ES256","jku":"https://attacker.example/keys"}"#,
    r#"{"alg":"ES256","x5u":"https://attacker.example/chain"}"#,
    r#"{"alg":"ES256","x5c":["AAAA"]}"#,
    r#"{"alg":"ES256","jwk":{"kty":"EC"}}"#,
    r#"{"alg":"ES256","enc":"A256GCM"}"#,
    r#"{"alg":"ES256","zip":"DEF"}"#,
    r#"{"alg":"ES256","p2c":100000000}"#,
    r#"{"alg":"ES256","epk":{}}"#,
    r#"{"alg":"ES256","url":"file:///etc/passwd"}"#,
];

#[test]
fn no_abused_header_is_accepted_even_under_a_good_signature() {
    let signer = Signer::new();
    let mut key = signer.key();
    key.kid = Some("named".to_owned());
    assert!(verify(&signer.sign(r#"{"alg":"ES256","kid":"named"}"#, "{}"), &[key.clone()]).is_ok());
    for header in HEADERS {
        assert!(verify(&signer.sign(header, "{}"), &[key.clone()]).is_err(), "{header}");
    }
    let mut own = signer.jwk.clone();
    own.insert("kid".to_owned(), json!("named"));
    let header = json!({"alg": "ES256", "jwk": own}).to_string();
    assert_eq!(verify(&Signer::new().sign(header, "{}"), &[key]), Err(JoseError::Header("jwk".to_owned())));
}

#[test]
fn no_abused_signature_is_accepted() {
    let signer = Signer::new();
    let key = [signer.key()];
    let token = signer.sign(r#"{"alg":"ES256"}"#, r#"{"sub":"a"}"#);
    let (message, encoded) = token.rsplit_once('.').unwrap();
    let honest = URL_SAFE_NO_PAD.decode(encoded).unwrap();
    assert!(verify(&token, &key).is_ok());
    let order = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let (r, s) = honest.split_at(32);
    let zero = [0; 32];
    let forgeries = [
        Vec::new(),
        vec![0; 64],
        [&zero[..], s].concat(),
        [r, &zero[..]].concat(),
        [&order[..], s].concat(),
        [r, &order[..]].concat(),
        [&order[..], &order[..]].concat(),
        vec![0xff; 64],
        as_der(&honest),
        honest[..63].to_vec(),
        [&honest[..], &[0]].concat(),
        [&[0][..], &honest].concat(),
        [&[0][..], r, &[0][..], s].concat(),
        [s, r].concat(),
        Signer::new().signature(message),
        aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, signer.point()), message.as_bytes())
            .as_ref()
            .to_vec(),
    ];
    for forgery in forgeries {
        assert!(verify(&format!("{message}.{}", encode(&forgery)), &key).is_err(), "{}", hex::encode(forgery));
    }
}

#[test]
fn no_abused_encoding_is_accepted() {
    let signer = Signer::new();
    let key = [signer.key()];
    let token = signer.sign(r#"{"alg":"ES256"}"#, r#"{"sub":"a"}"#);
    let parts: Vec<&str> = token.split('.').collect();
    let (first, payload, signature) = (parts[0], parts[1], parts[2]);
    let long = "A".repeat(70_000);
    let stray = |text: &str| {
        // The last character carries unused bits: another one decodes alike in lax readers.
        let (head, last) = text.split_at(text.len() - 1);
        let next = char::from(last.as_bytes()[0] + 1);
        format!("{head}{next}")
    };
    let forgeries = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{first}.{payload}"),
        format!("{first}.{payload}."),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{first}..{signature}"),
        format!("{first}.{payload}.{signature}=="),
        format!("{first}=.{payload}.{signature}"),
        format!("{first} .{payload}.{signature}"),
        format!("{first}.{payload}.{signature}\n"),
        format!("{first}.{}.{signature}", encode(r#"{"sub":"b"}"#)),
        format!("{}.{payload}.{signature}", encode(r#"{"alg": "ES256"}"#)),
        format!("{first}.{payload}.{}", stray(signature)),
        format!("{first}.{long}.{signature}"),
        json!({"protected": first, "payload": payload, "signature": signature}).to_string(),
    ];
    for forgery in forgeries {
        assert!(verify(&forgery, &key).is_err(), "{}", forgery.chars().take(120).collect::<String>());
    }
    let deep = format!(r#"{{"alg":"ES256","typ":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert!(verify(&signer.sign(deep, "{}"), &key).is_err());
}

#[test]
fn keys_that_are_not_what_they_say_are_refused() {
    let good = Signer::new().jwk;
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk.insert(name.to_owned(), value);
        VerificationKey::from_jwk(&jwk, Algorithm::Es256)
    };
    assert!(VerificationKey::from_jwk(&good, Algorithm::Es256).is_ok());
    let wrong = [
        ("kty", json!("RSA")),
        ("kty", json!("oct")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        ("x", json!("AA")),
        ("x", json!(7)),
        ("d", json!("AA")),
        ("k", json!("AA")),
        ("alg", json!("ES384")),
        ("use", json!("enc")),
    ];
    for (name, value) in wrong {
        assert!(with(name, value.clone()).is_err(), "{name} {value}");
    }
    // A point that is not on the curve is a key that verifies nothing.
    let off = with("y", json!(encode([9; 32]))).unwrap();
    assert_eq!(verify(&Signer::new().sign(r#"{"alg":"ES256"}"#, "{}"), &[off]), Err(JoseError::Signature));
    assert!(DecryptionKey::new(vec![0; 24]).is_err());
}

#[test]
fn a_thumbprint_is_the_one_of_the_standard() {
    // RFC 7638, section 3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let jwk = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let key = VerificationKey::from_jwk(jwk.as_object().unwrap(), Algorithm::Rs256).unwrap();
    assert_eq!(key.thumbprint.as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    // SHA-256 of nothing, for want of a certificate.
    assert_eq!(certificate_thumbprint(b""), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
}

#[test]
fn no_changed_encryption_is_accepted() {
    let kek = [7; 32];
    let key = DecryptionKey::new(kek.to_vec()).unwrap();
    let token = encrypt(r#"{"alg":"A256KW","enc":"A256GCM"}"#, &kek, "secret");
    assert_eq!(decrypt(&token, &key, "A256GCM").unwrap(), b"secret");
    for header in [
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"A128KW","enc":"A256GCM"}"#,
        r#"{"alg":"RSA1_5","enc":"A256GCM"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2000000000,"p2s":"AA"}"#,
        r#"{"alg":"A256KW","enc":"A128GCM"}"#,
        r#"{"alg":"A256KW"}"#,
        r#"{"alg":"A256KW","enc":"A256GCM","zip":"DEF"}"#,
        r#"{"alg":"A256KW","enc":"A256GCM","crit":["zip"]}"#,
        r#"{"alg":"A256KW","enc":"A256GCM","enc":"A256GCM"}"#,
    ] {
        assert!(decrypt(&encrypt(header, &kek, "secret"), &key, "A256GCM").is_err(), "{header}");
    }
    let parts: Vec<&str> = token.split('.').collect();
    for at in 1..5 {
        let mut changed: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let mut bytes = URL_SAFE_NO_PAD.decode(parts[at]).unwrap();
        bytes[0] ^= 1;
        changed[at] = encode(&bytes);
        assert_eq!(decrypt(&changed.join("."), &key, "A256GCM"), Err(JoseError::Decryption), "part {at}");
        bytes[0] ^= 1;
        bytes.truncate(bytes.len() - 4);
        changed[at] = encode(&bytes);
        assert!(decrypt(&changed.join("."), &key, "A256GCM").is_err(), "shorter part {at}");
    }
    assert!(decrypt(&token, &DecryptionKey::new(vec![8; 32]).unwrap(), "A256GCM").is_err());
}
