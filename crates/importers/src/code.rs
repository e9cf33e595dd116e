//! Places in code: one spelling of paths, and the keys of what a rule found there.

use crate::identity;
use crate::model::IdentityKey;
use crate::occurrences::Occurrences;

/// Schemes of [`Places::keys`].
pub(crate) const SCHEMES: [&str; 3] = ["code.fingerprint", "code", "code.moved"];

/// What a rule found, as it enters keys.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'p> {
    pub(crate) source: &'p str,
    pub(crate) repository: Option<&'p str>,
    pub(crate) file: Option<&'p str>,
    pub(crate) rule: &'p str,
    /// What the rule points at: a digest of the code, the name of a resource.
    pub(crate) anchor: Option<&'p str>,
    /// Name and value of what the tool itself computed.
    pub(crate) fingerprint: Option<(&'p str, &'p str)>,
}

/// Places of one file, so that equal ones can be told apart.
#[derive(Default)]
pub(crate) struct Places(Occurrences);

impl Places {
    /// Keys of a place, strongest first: the tool's own, the file's, the one that survives a rename.
    pub(crate) fn keys(&mut self, place: &Place<'_>) -> Vec<IdentityKey> {
        let Place { source, repository, file, rule, anchor, fingerprint } = *place;
        let mut keys = Vec::with_capacity(3);
        if let Some((name, value)) = fingerprint.filter(|(_, value)| is_told(value)) {
            let nth = self.0.of(("fingerprint", rule, file, name, value));
            keys.push(identity::code_fingerprint(source, rule, file, name, value, nth));
        }
        let nth = self.0.of(("code", repository, file, rule, anchor));
        keys.push(identity::code(repository, file, rule, anchor, nth));
        if let Some(anchor) = anchor {
            let nth = self.0.of(("code.moved", repository, rule, anchor));
            keys.push(identity::code_moved(repository, rule, anchor, nth));
        }
        keys
    }
}

/// Some tools write a notice where the value needs a licence to be shown.
pub(crate) fn is_told(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && !value.eq_ignore_ascii_case("requires login")
}

/// One spelling of a path: forward slashes, no leading `./`, no scheme.
pub(crate) fn path(text: &str) -> String {
    let plain = text.trim().replace('\\', "/");
    let mut plain = plain.strip_prefix("file://").unwrap_or(&plain);
    while let Some(rest) = plain.strip_prefix("./") {
        plain = rest;
    }
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_instead_of_a_fingerprint_is_none() {
        let mut places = Places::default();
        let place = Place { source: "s", rule: "r", fingerprint: Some(("f", "requires login")), ..Place::default() };
        let schemes: Vec<String> = places.keys(&place).into_iter().map(|key| key.scheme).collect();
        assert_eq!(schemes, ["code"]);
        assert_eq!(path(".\\a\\b.py"), "a/b.py");
    }
}
