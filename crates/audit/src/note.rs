//! Signed notes and checkpoints in the text form of C2SP (signed-note, tlog-checkpoint, tlog-cosignature):
//! a checkpoint is believed only after a known key's signature over exactly its text was verified.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::tree::{Hash, hash};

/// Longest note read; a checkpoint with sixteen post-quantum signatures stays below it.
const MAXIMUM_BYTES: usize = 128 * 1024;
const PLAIN: u8 = 0x01;
const TIMESTAMPED: u8 = 0x04;

/// Why a note cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note at all.
    #[error("the checkpoint is malformed: {0}")]
    Malformed(&'static str),
    /// A key we know did not sign this text.
    #[error("the signature of key {0} does not fit the checkpoint")]
    BadSignature(String),
    /// Nobody we know signed it.
    #[error("no known key signed the checkpoint")]
    UnknownKey,
}

/// The size and root of the log at one moment, under the log's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's unique name, the first line.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The tree's root.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed: three lines.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The statement a timestamped signature covers (tlog-cosignature `cosignature/v1`).
    #[must_use]
    pub fn timed_text(&self, seconds: u64) -> String {
        format!("cosignature/v1\ntime {seconds}\n{}", self.text())
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoteError::Malformed("it has fewer than three lines"));
        };
        let canonical = size == "0" || !size.starts_with(['0', '+']);
        let size = size.parse().ok().filter(|_| canonical).ok_or(NoteError::Malformed("the size is not a number"))?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| Hash::try_from(bytes).ok());
        let root = root.ok_or(NoteError::Malformed("the root is not a SHA-256 digest"))?;
        if origin.is_empty() {
            return Err(NoteError::Malformed("the origin is empty"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// A public key that may sign for a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifierKey {
    /// Key name; for a log the origin.
    pub name: String,
    /// Raw Ed25519 public key.
    pub key: [u8; 32],
}

impl VerifierKey {
    fn id(&self, kind: u8) -> [u8; 4] {
        let digest = hash(&[self.name.as_bytes(), b"\n", &[kind], &self.key]);
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.key).verify(message, signature).is_ok()
    }

    /// One signature line over a checkpoint's text.
    #[must_use]
    pub fn plain_line(&self, signature: &[u8]) -> String {
        self.line(PLAIN, &[signature])
    }

    /// One signature line over [`Checkpoint::timed_text`].
    #[must_use]
    pub fn timed_line(&self, seconds: u64, signature: &[u8]) -> String {
        self.line(TIMESTAMPED, &[&seconds.to_be_bytes(), signature])
    }

    fn line(&self, kind: u8, parts: &[&[u8]]) -> String {
        let mut bytes = self.id(kind).to_vec();
        for part in parts {
            bytes.extend_from_slice(part);
        }
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

impl From<VerifierKey> for String {
    fn from(key: VerifierKey) -> Self {
        let typed: Vec<u8> = [&[PLAIN], key.key.as_slice()].concat();
        format!("{}+{}+{}", key.name, hex::encode(key.id(PLAIN)), STANDARD.encode(typed))
    }
}

impl TryFrom<String> for VerifierKey {
    type Error = NoteError;

    fn try_from(text: String) -> Result<Self, NoteError> {
        let bad = NoteError::Malformed("a verifier key is `name+id+key`");
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(bad) };
        let bytes = STANDARD.decode(key).map_err(|_| bad.clone())?;
        let Some((&PLAIN, raw)) = bytes.split_first() else { return Err(bad) };
        let key = Self { name: name.to_owned(), key: raw.try_into().map_err(|_| bad.clone())? };
        if hex::encode(key.id(PLAIN)) == id { Ok(key) } else { Err(bad) }
    }
}

/// A checkpoint whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Seconds since the epoch, when a timestamped signature says so.
    pub seconds: Option<u64>,
}

/// Reads a note's checkpoint without believing it.
///
/// # Errors
/// `Malformed` when the text is not a checkpoint.
pub fn peek(note: &str) -> Result<Checkpoint, NoteError> {
    Checkpoint::parse(parts(note)?.0)
}

/// Verifies a note with the keys we know.
///
/// # Errors
/// `Malformed`, `BadSignature` when a known key's line does not verify, `UnknownKey` when no known key signed.
pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Opened, NoteError> {
    let (text, lines) = parts(note)?;
    let checkpoint = Checkpoint::parse(text)?;
    let (mut signed, mut seconds) = (false, None);
    for line in lines.lines().take(100) {
        let Some((name, signature)) = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')) else {
            return Err(NoteError::Malformed("a signature line is not `— name signature`"));
        };
        let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Malformed("a signature is not base64"))?;
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else {
            return Err(NoteError::Malformed("a signature is too short"));
        };
        for key in keys.iter().filter(|key| key.name == name) {
            let good = if *id == key.id(PLAIN) {
                let good = key.verifies(text.as_bytes(), signature);
                signed |= good;
                good
            } else if *id == key.id(TIMESTAMPED) {
                match signature.split_first_chunk::<8>() {
                    Some((moment, signature)) => {
                        let moment = u64::from_be_bytes(*moment);
                        seconds = Some(moment);
                        key.verifies(checkpoint.timed_text(moment).as_bytes(), signature)
                    }
                    None => false,
                }
            } else {
                continue;
            };
            if !good {
                return Err(NoteError::BadSignature(String::from(key.clone())));
            }
        }
    }
    if signed { Ok(Opened { checkpoint, seconds }) } else { Err(NoteError::UnknownKey) }
}

/// Cuts a note into its text (with the final newline) and its signature lines.
fn parts(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > MAXIMUM_BYTES {
        return Err(NoteError::Malformed("it is too long"));
    }
    if note.chars().any(|character| character < ' ' && character != '\n') {
        return Err(NoteError::Malformed("it has control characters"));
    }
    let cut = note.rfind("\n\n").ok_or(NoteError::Malformed("it has no blank line before its signatures"))?;
    Ok((&note[..=cut], &note[cut + 2..]))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn pair(seed: u8) -> (Ed25519KeyPair, VerifierKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = VerifierKey { name: "tyrian.test/log".to_owned(), key: pair.public_key().as_ref().try_into().unwrap() };
        (pair, key)
    }

    fn signed(pair: &Ed25519KeyPair, key: &VerifierKey, size: u64) -> String {
        let checkpoint = Checkpoint { origin: key.name.clone(), size, root: [7; 32] };
        let plain = pair.sign(checkpoint.text().as_bytes());
        let timed = pair.sign(checkpoint.timed_text(1_800_000_000).as_bytes());
        format!("{}\n{}{}", checkpoint.text(), key.plain_line(plain.as_ref()), key.timed_line(1_800_000_000, timed.as_ref()))
    }

    #[test]
    fn a_note_of_the_standard_verifies() {
        let note = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
        let key: VerifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".to_owned().try_into().unwrap();
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let bytes = STANDARD.decode(line).unwrap();
        assert_eq!(bytes[..4], key.id(PLAIN));
        assert!(key.verifies(text.as_bytes(), &bytes[4..]));
        assert!(!key.verifies(note.as_bytes(), &bytes[4..]));
    }

    #[test]
    fn a_checkpoint_is_believed_only_from_a_known_key_and_unchanged() {
        let (pair_one, key) = pair(1);
        let (_, stranger) = pair(2);
        let note = signed(&pair_one, &key, 42);
        let opened = open(&note, &[stranger.clone(), key.clone()]).unwrap();
        assert_eq!((opened.checkpoint.size, opened.seconds), (42, Some(1_800_000_000)));
        assert_eq!(open(&note, &[stranger]), Err(NoteError::UnknownKey));
        let forged = note.replacen("\n42\n", "\n43\n", 1);
        assert!(matches!(open(&forged, std::slice::from_ref(&key)), Err(NoteError::BadSignature(_))));
        for broken in ["", "a\n\n", "a\nb\nc\n\n\u{2014} x", "log\n007\nAAAA\n\n"] {
            assert!(matches!(open(broken, std::slice::from_ref(&key)), Err(NoteError::Malformed(_))), "{broken:?}");
        }
    }

    #[test]
    fn a_verifier_key_reads_back_from_its_text() {
        let (_, key) = pair(3);
        assert_eq!(VerifierKey::try_from(String::from(key.clone())).unwrap(), key);
        assert!(VerifierKey::try_from("log+00000000+AAAA".to_owned()).is_err());
    }
}
