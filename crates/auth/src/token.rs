//! The form of API tokens: `tyr_`, twelve hexadecimal characters to look it up by, `_`, the secret.
//! The fixed beginning lets secret scanners find a leaked one.

use base::Secret;

use crate::model::TokenId;

/// What every API token begins with.
pub(crate) const MARK: &str = "tyr_";
const PREFIX: usize = 12;
/// 32 random bytes in unpadded base64.
const SECRET: usize = 43;

/// The part kept readable; the end of a version 7 id is random, the beginning is not.
pub(crate) fn prefix(id: TokenId) -> String {
    let plain = id.uuid().simple().to_string();
    plain.get(plain.len() - PREFIX..).unwrap_or_default().to_owned()
}

pub(crate) fn written(prefix: &str, secret: &Secret<String>) -> Secret<String> {
    Secret::new(format!("{MARK}{prefix}_{}", secret.expose()))
}

/// The prefix of a well-formed token.
pub(crate) fn read(token: &str) -> Option<&str> {
    let rest = token.strip_prefix(MARK)?;
    let (prefix, secret) = rest.split_at_checked(PREFIX)?;
    let secret = secret.strip_prefix('_')?;
    let is_prefix = prefix.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let is_secret = secret.len() == SECRET && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    (is_prefix && is_secret).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tokens_are_looked_up() {
        let secret = Secret::new("_-".to_owned() + &"A".repeat(41));
        let token = written("0123456789ab", &secret);
        assert_eq!(read(token.expose()), Some("0123456789ab"));
        for broken in ["", "tyr_", "tyr_0123456789ab", "tyr_0123456789ab_", "tyr_0123456789aé_x", "Tyr_0123456789ab_x"] {
            assert_eq!(read(broken), None, "{broken}");
        }
        assert_eq!(read(&format!("{}A", token.expose())), None);
    }
}
