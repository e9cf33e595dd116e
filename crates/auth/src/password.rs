//! Passwords: which are accepted (NIST SP 800-63B: length and no common ones, nothing else) and how they are kept
//! (Argon2id). Hashing runs off the async threads, few at a time, and refuses rather than queues without end.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use backends::Ids;
use base::{Error, Result, Secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::{OnceCell, Semaphore};
use unicode_normalization::UnicodeNormalization;

use crate::config::Config;
use crate::errors;

const SHORTEST: usize = 12;
const LONGEST: usize = 1024;
/// How many may wait for their turn.
const WAITING: usize = 64;
/// Words that make a password common however they are padded.
const COMMON: &str = include_str!("../passwords.txt");

/// Hashes and checks passwords at the configured cost.
#[derive(Clone)]
pub(crate) struct Passwords {
    inner: Arc<Inner>,
}

struct Inner {
    params: Params,
    turns: Semaphore,
    waiting: Semaphore,
    ids: Ids,
    /// Checked when there is no such user, so that both answers take the same time.
    decoy: OnceCell<String>,
}

impl Passwords {
    pub(crate) fn new(config: &Config, ids: &Ids) -> Self {
        let params = Params::new(config.password_memory_kib, config.password_passes, 1, None).unwrap_or_default();
        let turns = config.password_parallel.max(1) as usize;
        let inner = Inner {
            params,
            turns: Semaphore::new(turns),
            waiting: Semaphore::new(turns + WAITING),
            ids: ids.clone(),
            decoy: OnceCell::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A PHC string for the password.
    pub(crate) async fn hash(&self, password: &Secret<String>) -> Result<String> {
        let salt = self.salt()?;
        let password = normal(password);
        let params = self.inner.params.clone();
        self.blocking(move || {
            let hash = argon(params).hash_password(password.expose().as_bytes(), &salt).map_err(|cause| failed(&cause))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password fits; without a hash the same work is done for nothing.
    pub(crate) async fn verify(&self, password: &Secret<String>, hash: Option<&str>) -> Result<bool> {
        let (hash, is_real) = match hash {
            Some(hash) => (hash.to_owned(), true),
            None => (self.decoy().await?, false),
        };
        // Nobody has such a password, and hashing megabytes for a stranger is their gain.
        if password.expose().len() > LONGEST * 4 {
            return Ok(false);
        }
        let password = normal(password);
        let params = self.inner.params.clone();
        let fits = self
            .blocking(move || {
                let parsed = PasswordHash::new(&hash).map_err(|cause| failed(&cause))?;
                Ok(argon(params).verify_password(password.expose().as_bytes(), &parsed).is_ok())
            })
            .await?;
        Ok(fits && is_real)
    }

    /// Whether the hash was made at another cost than today's.
    pub(crate) fn is_outdated(&self, hash: &str) -> bool {
        let stored = PasswordHash::new(hash).ok().and_then(|parsed| Params::try_from(&parsed).ok());
        stored.is_none_or(|stored| {
            (stored.m_cost(), stored.t_cost(), stored.p_cost())
                != (self.inner.params.m_cost(), self.inner.params.t_cost(), self.inner.params.p_cost())
        })
    }

    async fn decoy(&self) -> Result<String> {
        let made = self.inner.decoy.get_or_try_init(async || self.hash(&self.inner.ids.secret(16)?).await).await?;
        Ok(made.clone())
    }

    fn salt(&self) -> Result<SaltString> {
        let chance = self.inner.ids.secret(16)?;
        let bytes = URL_SAFE_NO_PAD.decode(chance.expose()).map_err(|cause| Error::internal("chance is not base64").because(cause))?;
        SaltString::encode_b64(&bytes).map_err(|cause| failed(&cause))
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _place = self.inner.waiting.try_acquire().map_err(|_| errors::busy())?;
        let _turn = self.inner.turns.acquire().await.map_err(|cause| Error::internal("no more turns for passwords").because(cause))?;
        tokio::task::spawn_blocking(work).await.map_err(|cause| Error::internal("hashing a password panicked").because(cause))?
    }
}

fn argon(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn failed(cause: &argon2::password_hash::Error) -> Error {
    Error::internal(format!("a password hash cannot be made or read: {cause}"))
}

/// The same password typed on another keyboard is the same password (NFKC, SP 800-63B §3.1.1.2).
fn normal(password: &Secret<String>) -> Secret<String> {
    Secret::new(password.expose().nfkc().collect())
}

/// Whether the password may be used by this person.
pub(crate) fn check(password: &Secret<String>, username: &str, email: &str) -> Result<()> {
    let normal = normal(password);
    let text = normal.expose();
    let length = text.chars().count();
    if length < SHORTEST {
        return Err(errors::password("a password has at least 12 characters; a few words make a good one"));
    }
    if length > LONGEST {
        return Err(errors::password("a password has at most 1024 characters"));
    }
    let folded = text.to_lowercase();
    let of_person = [username, email, email.split('@').next().unwrap_or_default()];
    if of_person.iter().any(|own| !own.is_empty() && bare(&folded) == bare(&own.to_lowercase())) {
        return Err(errors::password("the password is the user name or address, at most with digits added"));
    }
    if is_common(&folded) {
        return Err(errors::password("this password is one of the first that are tried; take another"));
    }
    Ok(())
}

/// Common words padded with digits and signs, words said twice, one character over and over, runs along the keyboard.
fn is_common(folded: &str) -> bool {
    let is_listed = |word: &str| COMMON.lines().any(|line| line == word);
    let core = bare(folded);
    let plain: String = core.chars().map(unleet).collect();
    if is_listed(folded) || is_listed(&core) || is_listed(&plain) {
        return true;
    }
    let letters: Vec<char> = folded.chars().collect();
    (1..=letters.len() / 2).any(|period| {
        let repeats = letters.iter().enumerate().all(|(at, letter)| *letter == letters[at % period]);
        let unit: String = letters[..period].iter().collect();
        repeats && (period <= 4 || is_listed(&unit) || is_run(&unit))
    }) || is_run(folded)
}

/// Without the digits and signs round it.
fn bare(text: &str) -> String {
    text.trim_matches(|letter: char| !letter.is_alphabetic()).to_owned()
}

fn unleet(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// A stretch of the alphabet, the digits or a row of keys, forward or back.
fn is_run(text: &str) -> bool {
    const ROWS: &[&str] = &[
        "abcdefghijklmnopqrstuvwxyz",
        "0123456789012345678901234567890",
        "qwertyuiopasdfghjklzxcvbnm",
        "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
        "1q2w3e4r5t6y7u8i9o0p",
        "azertyuiopqsdfghjklmwxcvbn",
        "qwertzuiopasdfghjklyxcvbnm",
    ];
    let back: String = text.chars().rev().collect();
    ROWS.iter().any(|row| row.contains(text) || row.contains(&back))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        check(&Secret::new(password.to_owned()), "ada.lovelace", "ada@example.org").is_err()
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for weak in [
            "short",
            "elevenchars",
            "password1234",
            "P@ssw0rd!2026",
            "123456789012",
            "aaaaaaaaaaaa",
            "abababababab",
            "passwordpassword",
            "qwertyuiopas",
            "zyxwvutsrqponm",
            "1q2w3e4r5t6y",
            "ada.lovelace",
            "Ada.Lovelace1815",
            "ada@example.org",
            "administrator",
            "letmein!!!!!",
            "tyrian123456",
            "iloveyou2026",
        ] {
            assert!(refused(weak), "{weak}");
        }
        for good in ["correct horse battery staple", "ação e reação sempre", "7-vultures-on-a-fence", "tHx1138andMore"] {
            assert!(!refused(good), "{good}");
        }
    }

    #[tokio::test]
    async fn a_password_fits_its_hash_in_any_composition_of_its_letters() {
        let config = Config { password_memory_kib: 64, password_passes: 1, ..Config::default() };
        let passwords = Passwords::new(&config, &Ids::default());
        let composed = Secret::new("caf\u{e9} am Morgen".to_owned());
        let decomposed = Secret::new("cafe\u{301} am Morgen".to_owned());
        let hash = passwords.hash(&composed).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(passwords.verify(&decomposed, Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&Secret::new("cafe am Morgen".to_owned()), Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&composed, None).await.unwrap());
        assert!(!passwords.is_outdated(&hash));
        assert!(Passwords::new(&Config::default(), &Ids::default()).is_outdated(&hash));
    }
}
