//! Subjects (RFC 9493): whom an event is about, and whether a stream leaves them out.

use aws_lc_rs::digest::{SHA256, digest};
use base::{Result, TenantId};
use serde_json::{Map, Value as Json, json};

use crate::errors;

/// Members of a complex subject of ours.
const MEMBERS: &[&str] = &["device", "user", "tenant"];
/// Longest subject taken.
const LONGEST: usize = 4_096;

/// Simple formats and the members each must have.
const FORMATS: &[(&str, &[&str])] = &[
    ("account", &["uri"]),
    ("did", &["url"]),
    ("email", &["email"]),
    ("iss_sub", &["iss", "sub"]),
    ("jwt_id", &["iss", "jti"]),
    ("opaque", &["id"]),
    ("phone_number", &["phone_number"]),
    ("saml_assertion_id", &["issuer", "assertion_id"]),
    ("uri", &["uri"]),
];

/// Whom our events are about: a phone, a person, or both, always in an organisation.
pub(crate) fn ours(issuer: &str, tenant: TenantId, device: Option<&str>, user: Option<&str>) -> Json {
    let own = |id: &str| json!({ "format": "iss_sub", "iss": issuer, "sub": id });
    let mut subject = json!({ "format": "complex", "tenant": { "format": "opaque", "id": tenant } });
    if let Some(device) = device {
        subject["device"] = own(device);
    }
    if let Some(user) = user {
        subject["user"] = own(user);
    }
    subject
}

/// A stream as the subject of what is said about itself.
pub(crate) fn stream(id: impl std::fmt::Display) -> Json {
    json!({ "format": "opaque", "id": id.to_string() })
}

/// Refuses what is no subject.
pub(crate) fn check(subject: &Json) -> Result<()> {
    let members = subject.as_object().ok_or_else(|| errors::subject("it is no object"))?;
    if subject.to_string().len() > LONGEST {
        return Err(errors::subject(format!("it is longer than {LONGEST} bytes")));
    }
    if members.get("format").and_then(Json::as_str) != Some("complex") {
        return simple(members);
    }
    let parts: Vec<(&String, &Json)> = members.iter().filter(|(name, _)| *name != "format").collect();
    if parts.is_empty() {
        return Err(errors::subject("a complex one has at least one member"));
    }
    parts
        .into_iter()
        .try_for_each(|(name, part)| simple(part.as_object().ok_or_else(|| errors::subject(format!("`{name}` is no subject")))?))
}

fn simple(members: &Map<String, Json>) -> Result<()> {
    let format = members.get("format").and_then(Json::as_str).ok_or_else(|| errors::subject("`format` is missing"))?;
    let (_, wanted) = FORMATS
        .iter()
        .find(|(name, _)| *name == format)
        .ok_or_else(|| errors::subject(format!("the format `{}` is unknown", format.chars().take(40).collect::<String>())))?;
    let missing = wanted.iter().find(|name| members.get(**name).and_then(Json::as_str).is_none_or(str::is_empty));
    missing.map_or(Ok(()), |name| Err(errors::subject(format!("`{format}` needs `{name}`"))))
}

/// The name a subject is remembered by: the same for the same members in whatever order.
pub(crate) fn fingerprint(subject: &Json) -> String {
    hex::encode(digest(&SHA256, sorted(subject).to_string().as_bytes()))
}

fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            Json::Object(names.into_iter().map(|name| (name.clone(), sorted(&members[name]))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

/// Every subject that names the one of an event: each of its members alone, and each complex one made of some of them
/// (SSF 1.0 §9.1.3.1: members that one of the two does not name do not matter).
pub(crate) fn names(subject: &Json) -> Vec<String> {
    let members: Vec<(&str, &Json)> = MEMBERS.iter().filter_map(|name| Some((*name, subject.get(*name)?))).collect();
    let some = |chosen: usize| {
        let mut complex = json!({ "format": "complex" });
        for (_, (name, member)) in members.iter().enumerate().filter(|(index, _)| chosen & (1 << index) != 0) {
            complex[*name] = (*member).clone();
        }
        fingerprint(&complex)
    };
    let alone = members.iter().map(|(_, member)| fingerprint(member));
    alone.chain((1..1_usize << members.len()).map(some)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Json {
        let tenant: TenantId = "0199c0de-0000-7000-8000-000000000001".parse().unwrap();
        ours("https://t.example", tenant, Some("d-1"), Some("u-1"))
    }

    #[test]
    fn a_subject_is_found_by_any_of_its_members_and_not_by_another() {
        let names = names(&event());
        let device = json!({ "sub": "d-1", "iss": "https://t.example", "format": "iss_sub" });
        assert!(names.contains(&fingerprint(&device)), "the order of members does not matter");
        assert!(names.contains(&fingerprint(&json!({ "format": "complex", "device": device.clone() }))));
        assert!(names.contains(&fingerprint(&event())));
        let other = json!({ "format": "iss_sub", "iss": "https://t.example", "sub": "d-2" });
        assert!(!names.contains(&fingerprint(&other)));
        assert!(!names.contains(&fingerprint(&json!({ "format": "complex", "device": device, "user": other }))));
    }

    #[test]
    fn what_is_no_subject_is_refused() {
        for wrong in [
            json!("d-1"),
            json!({}),
            json!({ "format": "complex" }),
            json!({ "format": "complex", "device": "d-1" }),
            json!({ "format": "email" }),
            json!({ "format": "email", "email": 1 }),
            json!({ "format": "horoscope", "id": "x" }),
            json!({ "format": "opaque", "id": "x".repeat(5_000) }),
        ] {
            assert_eq!(check(&wrong).unwrap_err().code(), "integrations.subject", "{wrong}");
        }
        assert!(check(&event()).is_ok());
        assert!(check(&json!({ "format": "email", "email": "ana@example.org" })).is_ok());
    }
}
