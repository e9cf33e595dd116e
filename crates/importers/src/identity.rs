//! Names by which an observation is known again in the next scan.
//!
//! A key is a digest over typed, length-prefixed fields, so that no two lists of fields share an
//! encoding. Severity, wording, tags, line numbers, tool output and package versions never enter.

use std::net::IpAddr;

use aws_lc_rs::digest;
use url::Url;

use crate::model::IdentityKey;

/// One typed part of a key.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// Not known; differs from empty text.
    Absent,
    /// Text, compared byte for byte.
    Text(&'a str),
    /// A number.
    Number(u64),
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Field<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent, Self::Text)
    }
}

impl From<Option<u16>> for Field<'_> {
    fn from(number: Option<u16>) -> Self {
        number.map_or(Self::Absent, |number| Self::Number(number.into()))
    }
}

/// Digest of a scheme, its version and its fields.
pub fn key(scheme: &str, version: u16, fields: &[Field<'_>]) -> IdentityKey {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"tyrian.identity.v1");
    feed(&mut context, Field::Text(scheme));
    feed(&mut context, Field::Number(version.into()));
    for field in fields {
        feed(&mut context, *field);
    }
    IdentityKey { scheme: scheme.to_owned(), version, digest: hexadecimal(context.finish().as_ref()) }
}

/// Two keys per record make the general encoder show in a profile.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn feed(context: &mut digest::Context, field: Field<'_>) {
    match field {
        Field::Absent => context.update(&[0]),
        Field::Text(text) => {
            context.update(&[1]);
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        Field::Number(number) => {
            context.update(&[2]);
            context.update(&number.to_be_bytes());
        }
    }
}

/// A check on a port of a host.
pub fn network(host: &str, protocol: &str, port: Option<u16>, check: &str) -> IdentityKey {
    let host = asset(host);
    key("network", 1, &[host.as_str().into(), protocol.into(), port.into(), check.into()])
}

/// A check on a host wherever the port went; the weaker name for a service that moved.
pub fn network_moved(host: &str, protocol: &str, check: &str) -> IdentityKey {
    let host = asset(host);
    key("network.moved", 1, &[host.as_str().into(), protocol.into(), check.into()])
}

/// A TLS check on a port of a host.
pub fn tls(host: &str, port: Option<u16>, check: &str) -> IdentityKey {
    let host = asset(host);
    key("tls", 1, &[host.as_str().into(), port.into(), check.into()])
}

/// A web check: origin, method, path template and parameter (or other insertion point).
pub fn web(origin: &str, check: &str, method: Option<&str>, path: &str, parameter: Option<&str>) -> IdentityKey {
    web_at(&asset(origin), check, method, path, parameter)
}

/// As [`web`], for an origin that has its one spelling already.
pub(crate) fn web_at(origin: &str, check: &str, method: Option<&str>, path: &str, parameter: Option<&str>) -> IdentityKey {
    let method = method.map(str::to_ascii_uppercase);
    let template = path_template(path);
    key("web", 1, &[origin.into(), check.into(), method.as_deref().into(), template.as_str().into(), parameter.into()])
}

/// A web check on a host whatever scheme and port it answers on; the weaker name for a site that moved.
pub(crate) fn web_moved(host: &str, check: &str, method: Option<&str>, path: &str, parameter: Option<&str>) -> IdentityKey {
    let host = asset(host);
    let method = method.map(str::to_ascii_uppercase);
    let template = path_template(path);
    key("web.moved", 1, &[host.as_str().into(), check.into(), method.as_deref().into(), template.as_str().into(), parameter.into()])
}

/// A rule in a file: what it points at (see [`snippet`]) and which of several equal ones it is.
pub fn code(repository: Option<&str>, file: Option<&str>, rule: &str, anchor: Option<&str>, occurrence: u64) -> IdentityKey {
    key("code", 1, &[repository.into(), file.into(), rule.into(), anchor.into(), Field::Number(occurrence)])
}

/// A rule and what it points at wherever the file went; the weaker name after a rename.
pub fn code_moved(repository: Option<&str>, rule: &str, anchor: &str, occurrence: u64) -> IdentityKey {
    key("code.moved", 1, &[repository.into(), rule.into(), anchor.into(), Field::Number(occurrence)])
}

/// A fingerprint the tool itself computed, under the name the tool gives it.
pub fn code_fingerprint(source: &str, rule: &str, file: Option<&str>, name: &str, value: &str, occurrence: u64) -> IdentityKey {
    key("code.fingerprint", 1, &[source.into(), rule.into(), file.into(), name.into(), value.into(), Field::Number(occurrence)])
}

/// A vulnerability in a package; the package without its version.
pub fn dependency(asset: Option<&str>, vulnerability: &str, package: &str) -> IdentityKey {
    let vulnerability = vulnerability.to_ascii_uppercase();
    let package = package.to_ascii_lowercase();
    key("dependency", 1, &[asset.into(), vulnerability.as_str().into(), package.as_str().into()])
}

/// A vulnerability in a package that a certain file brings in, and which of several versions there it is.
pub fn dependency_in(asset: Option<&str>, manifest: Option<&str>, vulnerability: &str, package: &str, occurrence: u64) -> IdentityKey {
    let vulnerability = vulnerability.to_ascii_uppercase();
    let package = package.to_ascii_lowercase();
    let fields = [asset.into(), manifest.into(), vulnerability.as_str().into(), package.as_str().into(), Field::Number(occurrence)];
    key("dependency.place", 1, &fields)
}

/// A secret in a file (and commit, when the history was searched); only its digest enters, as with every field.
pub fn secret(
    repository: Option<&str>,
    rule: &str,
    file: Option<&str>,
    commit: Option<&str>,
    secret: &str,
    occurrence: u64,
) -> IdentityKey {
    key("secret", 1, &[repository.into(), rule.into(), file.into(), commit.into(), secret.into(), Field::Number(occurrence)])
}

/// A secret wherever its file and commit went.
pub fn secret_moved(repository: Option<&str>, rule: &str, secret: &str, occurrence: u64) -> IdentityKey {
    key("secret.moved", 1, &[repository.into(), rule.into(), secret.into(), Field::Number(occurrence)])
}

/// A file in which a rule saw a secret that the tool does not show.
pub fn secret_place(repository: Option<&str>, rule: &str, file: Option<&str>, commit: Option<&str>, occurrence: u64) -> IdentityKey {
    key("secret.place", 1, &[repository.into(), rule.into(), file.into(), commit.into(), Field::Number(occurrence)])
}

/// A check on a resource of a cloud account or cluster.
pub fn cloud(provider: &str, account: Option<&str>, region: Option<&str>, resource: &str, check: &str, occurrence: u64) -> IdentityKey {
    let provider = provider.to_ascii_lowercase();
    let fields = [provider.as_str().into(), account.into(), region.into(), resource.into(), check.into(), Field::Number(occurrence)];
    key("cloud", 1, &fields)
}

/// A check on a resource under whatever account and region it is reported; the weaker name after a move.
pub fn cloud_moved(provider: &str, resource: &str, check: &str) -> IdentityKey {
    let provider = provider.to_ascii_lowercase();
    key("cloud.moved", 1, &[provider.as_str().into(), resource.into(), check.into()])
}

/// An entry a person made.
pub fn manual(id: &str) -> IdentityKey {
    key("manual", 1, &[id.into()])
}

/// A host, address or URL origin as it enters keys: lower case, no default port, no trailing dot.
pub fn asset(text: &str) -> String {
    let text = text.trim();
    if text.contains("://")
        && let Ok(url) = Url::parse(text)
        && let Some(origin) = origin(&url)
    {
        return origin;
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return address.to_canonical().to_string();
    }
    text.trim_end_matches('.').to_lowercase()
}

/// The origin of an address as it enters keys; none without a host.
pub(crate) fn origin(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    Some(match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    })
}

/// A path with its identifiers replaced: numbers, UUIDs, long hexadecimal and random-looking parts.
pub fn path_template(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut template = String::with_capacity(path.len() + 1);
    for segment in path.split('/') {
        let segment = segment.split(';').next().unwrap_or_default();
        if segment.is_empty() {
            continue;
        }
        template.push('/');
        template.push_str(placeholder(segment).unwrap_or(segment));
    }
    if template.is_empty() {
        template.push('/');
    }
    template
}

fn placeholder(segment: &str) -> Option<&'static str> {
    let bytes = segment.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == bytes.len() {
        return Some("{number}");
    }
    let dashes = [8, 13, 18, 23];
    if bytes.len() == 36
        && bytes.iter().enumerate().all(|(index, byte)| if dashes.contains(&index) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
    {
        return Some("{uuid}");
    }
    if bytes.len() >= 16 && digits > 0 && bytes.iter().all(u8::is_ascii_hexdigit) {
        return Some("{hex}");
    }
    let opaque = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
    if bytes.len() >= 24 && digits >= 4 && bytes.iter().any(u8::is_ascii_uppercase) && bytes.iter().all(opaque) {
        return Some("{token}");
    }
    None
}

/// Anchor of a piece of code: its digest with white space removed, so that reformatting keeps it.
pub fn snippet(text: &str) -> String {
    let dense: String = text.split_whitespace().collect();
    hexadecimal(digest::digest(&digest::SHA256, dense.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_has_one_spelling() {
        assert_eq!(asset("HTTPS://Example.COM:443/a?b"), asset("https://example.com"));
        assert_eq!(asset("Example.com."), "example.com");
        assert_eq!(asset("::ffff:127.0.0.1"), "127.0.0.1");
        assert_eq!(asset("[2001:DB8::1]"), "2001:db8::1");
        assert_ne!(asset("https://example.com:8443"), asset("https://example.com"));
    }

    #[test]
    fn identifiers_in_a_path_become_placeholders_and_words_stay() {
        assert_eq!(path_template("/users/42//orders/7;jsessionid=A1?x=1"), "/users/{number}/orders/{number}");
        assert_eq!(path_template("/f/123e4567-e89b-12d3-a456-426614174000/"), "/f/{uuid}");
        assert_eq!(path_template("/api/v1/defaced-facade"), "/api/v1/defaced-facade");
        assert_eq!(path_template(""), "/");
    }

    #[test]
    fn an_absent_field_is_not_an_empty_one() {
        let absent = key("t", 1, &[Field::Absent, Field::Text("")]);
        let empty = key("t", 1, &[Field::Text(""), Field::Absent]);
        assert_ne!(absent, empty);
        assert_ne!(key("t", 1, &[]), key("t", 2, &[]));
    }
}
