//! Keys: their lives, their file, and what is sealed with them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use backends::{Algorithm, Clock, Keys, State};
use base::{Error, Secret};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::engines::START;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn folder() -> (TempDir, std::path::PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("keys");
    (parent, folder)
}

async fn open(folder: &Path, passphrase: Option<&str>, clock: &Clock) -> Result<Keys, Error> {
    let passphrase = passphrase.map(|text| Secret::new(text.to_owned()));
    Keys::connect(&format!("file:{}", folder.display()), passphrase.as_ref(), clock).await
}

#[tokio::test]
async fn a_new_key_is_known_before_it_signs_and_the_old_one_verifies_until_its_deadline() {
    let (_parent, folder) = folder();
    let clock = Clock::fixed(START);
    let keys = open(&folder, None, &clock).await.unwrap();
    let other = open(&folder, None, &clock).await.unwrap();
    let old = keys.signer("jwt", Algorithm::Es256).await.unwrap();
    assert_eq!(other.signer("jwt", Algorithm::Es256).await.unwrap(), old, "processes share the key");
    assert_eq!(keys.rotate("audit", DAY, DAY).await.unwrap_err().code(), "keys.none");

    let rotation = keys.rotate("jwt", DAY, 2 * DAY).await.unwrap();
    assert_eq!((rotation.previous.as_str(), rotation.active_at, rotation.retire_at), (old.kid.as_str(), START + DAY, START + 3 * DAY));
    let states = async |keys: &Keys| -> Vec<(String, State)> {
        keys.public("jwt").await.unwrap().into_iter().map(|key| (key.kid, key.state)).collect()
    };
    let new = rotation.kid.clone();
    assert_eq!(states(&other).await, [(old.kid.clone(), State::Active), (new.clone(), State::Published)]);
    assert_eq!(other.signer("jwt", Algorithm::Es256).await.unwrap(), old);
    let signature = keys.sign(&old, b"message").await.unwrap();
    assert_eq!(keys.rotate("jwt", DAY, DAY).await.unwrap_err().code(), "keys.waiting", "one successor at a time");

    clock.advance(DAY);
    assert_eq!(states(&other).await, [(new.clone(), State::Active), (old.kid.clone(), State::Retiring)]);
    assert_eq!(other.signer("jwt", Algorithm::Es256).await.unwrap().kid, new);
    let public = other.public("jwt").await.unwrap();
    assert!(public[1].verify(b"message", &signature) && !public[0].verify(b"message", &signature));

    clock.advance(2 * DAY);
    assert_eq!(states(&other).await, [(new, State::Active)]);
    assert_eq!(keys.sign(&old, b"message").await.unwrap_err().code(), "keys.unknown");
}

#[tokio::test]
async fn purposes_and_algorithms_have_their_own_keys_which_outlive_the_process() {
    let (_parent, folder) = folder();
    let clock = Clock::fixed(START);
    let mut made = Vec::new();
    {
        let keys = open(&folder, None, &clock).await.unwrap();
        for (purpose, algorithm) in [("jwt", Algorithm::Es256), ("jwt", Algorithm::Rs256), ("audit", Algorithm::Ed25519)] {
            let signer = keys.signer(purpose, algorithm).await.unwrap();
            let signature = keys.sign(&signer, b"message").await.unwrap();
            made.push((purpose, signer, signature));
        }
    }
    let keys = open(&folder, None, &clock).await.unwrap();
    for (purpose, signer, signature) in made {
        assert_eq!(keys.signer(purpose, signer.algorithm).await.unwrap(), signer);
        let public = keys.public(purpose).await.unwrap();
        let key = public.iter().find(|key| key.kid == signer.kid).unwrap();
        assert!(key.verify(b"message", &signature));
        assert_eq!(key.state, State::Active);
    }
    assert_eq!(keys.public("jwt").await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_together_agree_on_one_key() {
    let (_parent, folder) = folder();
    let mut starters = JoinSet::new();
    for _ in 0..8 {
        let folder = folder.clone();
        starters.spawn(async move {
            let keys = open(&folder, None, &Clock::fixed(START)).await.unwrap();
            let sealed = keys.seal("place", b"plain").await.unwrap();
            (keys.signer("jwt", Algorithm::Es256).await.unwrap().kid, sealed, keys)
        });
    }
    let mut all = starters.join_all().await;
    let (kid, sealed, keys) = all.pop().unwrap();
    for (other, other_sealed, other_keys) in &all {
        assert_eq!(*other, kid);
        assert_eq!(keys.open("place", other_sealed).await.unwrap(), b"plain");
        assert_eq!(other_keys.open("place", &sealed).await.unwrap(), b"plain");
    }
}

#[tokio::test]
async fn a_sealed_value_opens_only_where_it_was_sealed() {
    let (_parent, folder) = folder();
    let clock = Clock::fixed(START);
    let keys = open(&folder, None, &clock).await.unwrap();
    let sealed = keys.seal("users:totp:1", b"secret").await.unwrap();
    assert_ne!(keys.seal("users:totp:1", b"secret").await.unwrap(), sealed);
    assert_eq!(keys.open("users:totp:1", &sealed).await.unwrap(), b"secret");
    assert_eq!(keys.open("users:totp:2", &sealed).await.unwrap_err().code(), "keys.open");
    for length in 0..sealed.len() {
        assert_eq!(keys.open("users:totp:1", &sealed[..length]).await.unwrap_err().code(), "keys.open");
        let mut altered = sealed.clone();
        altered[length] ^= 1;
        assert_eq!(keys.open("users:totp:1", &altered).await.unwrap_err().code(), "keys.open");
    }

    keys.rotate_seal().await.unwrap();
    let newer = keys.seal("users:totp:1", b"secret").await.unwrap();
    assert_ne!(newer[1..9], sealed[1..9], "a new data key");
    let reopened = open(&folder, None, &clock).await.unwrap();
    for value in [&sealed, &newer] {
        assert_eq!(reopened.open("users:totp:1", value).await.unwrap(), b"secret");
    }
}

#[tokio::test]
async fn the_file_is_closed_to_others_and_says_what_is_wrong_with_it() {
    let (_parent, folder) = folder();
    let clock = Clock::fixed(START);
    let code = async |passphrase: Option<&str>| open(&folder, passphrase, &clock).await.err().map(|error| error.code());
    open(&folder, None, &clock).await.unwrap().signer("jwt", Algorithm::Es256).await.unwrap();
    let path = folder.join("keys.json");
    for (path, mode) in [(&folder, 0o700), (&path, 0o600), (&folder.join("master.key"), 0o600)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
        fs::set_permissions(path, PermissionsExt::from_mode(mode | 0o044)).unwrap();
        let error = open(&folder, None, &clock).await.unwrap_err();
        assert_eq!(error.code(), "config.folder");
        assert!(error.detail().contains(&path.display().to_string()), "{error}");
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    assert_eq!(code(Some("passphrase")).await, Some("keys.protection"));

    let whole = fs::read_to_string(&path).unwrap();
    assert!(!whole.contains("\"jwt\""), "even the purposes are sealed");
    fs::write(&path, whole.replace("\"version\": 1", "\"version\": 2")).unwrap();
    assert_eq!(code(None).await, Some("keys.file"));
    let middle = whole.len() - 40;
    let flipped = if &whole[middle..=middle] == "A" { "B" } else { "A" };
    fs::write(&path, format!("{}{flipped}{}", &whole[..middle], &whole[middle + 1..])).unwrap();
    assert_eq!(code(None).await, Some("keys.sealed"));
    fs::write(&path, &whole).unwrap();
    assert_eq!(code(None).await, None);
    fs::remove_file(folder.join("master.key")).unwrap();
    assert_eq!(code(None).await, Some("keys.file"), "a lost master key is not silently replaced");
}

#[tokio::test]
async fn a_passphrase_opens_the_file_and_another_does_not() {
    let (_parent, folder) = folder();
    let clock = Clock::fixed(START);
    let keys = open(&folder, Some("correct horse"), &clock).await.unwrap();
    let kid = keys.signer("jwt", Algorithm::Es256).await.unwrap().kid;
    let again = open(&folder, Some("correct horse"), &clock).await.unwrap();
    assert_eq!(again.signer("jwt", Algorithm::Es256).await.unwrap().kid, kid);
    let error = open(&folder, Some("battery staple"), &clock).await.unwrap_err();
    assert_eq!(error.code(), "keys.sealed");
    assert!(error.detail().contains("keys.json"), "{error}");
    assert_eq!(open(&folder, None, &clock).await.unwrap_err().code(), "keys.protection");
    assert!(!folder.join("master.key").exists());
}
