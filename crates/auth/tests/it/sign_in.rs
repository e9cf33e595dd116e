//! Wrong passwords.

use std::net::IpAddr;

use auth::{Auth, Config};
use base::{Kind, Origin, Role};

use crate::stage::{PASSWORD, Stage, attempt, cheap, secret};

#[tokio::test]
async fn wrong_passwords_lock_a_name_whether_it_exists_or_not() {
    for engine in testkit::engines() {
        let (stage, _) = Stage::with_admin(engine).await;
        let origin = Origin::default();
        for name in ["ada", "ADA2"] {
            for _ in 0..5 {
                let error = stage.auth.sign_in(attempt(name, "wrong"), &origin).await.unwrap_err();
                assert_eq!((error.kind(), error.code()), (Kind::Unauthenticated, "auth.credentials"), "{name}");
            }
            // The right password does not help now, and says nothing.
            let error = stage.auth.access_token(attempt(name, PASSWORD), &origin).await.unwrap_err();
            assert_eq!((error.code(), error.wait().unwrap().as_secs()), ("auth.locked_out", 60), "{name}");
        }
        stage.pass(61);
        assert_eq!(stage.auth.sign_in(attempt("ada", "wrong"), &origin).await.unwrap_err().code(), "auth.credentials");
        let error = stage.auth.sign_in(attempt("ada", PASSWORD), &origin).await.unwrap_err();
        assert_eq!(error.wait().unwrap().as_secs(), 120, "the second lock is twice as long");
        stage.pass(121);
        stage.auth.sign_in(attempt(" Ada ", PASSWORD), &origin).await.unwrap();
        assert_eq!(stage.world.count("audit_logs WHERE action_taken = 'auth.refuse_sign_in'").await, 11);
        assert_eq!(
            stage.world.count("audit_logs WHERE detail LIKE '%ada2%' OR subject_id LIKE '%ada2%'").await,
            0,
            "what was typed is not kept"
        );
    }
}

#[tokio::test]
async fn one_wrong_password_an_hour_keeps_nobody_out() {
    for engine in testkit::engines() {
        let (stage, _) = Stage::with_admin(engine).await;
        let origin = Origin::default();
        let wrong = async || stage.auth.sign_in(attempt("ada", "wrong"), &origin).await.unwrap_err();
        for _ in 0..24 {
            assert_eq!(wrong().await.code(), "auth.credentials");
            stage.pass(3_600);
        }
        stage.auth.sign_in(attempt("ada", PASSWORD), &origin).await.unwrap_or_else(|error| panic!("{engine:?} {error}"));
        // As fast as it goes, up to the longest lock.
        let mut waits = Vec::new();
        while waits.last() != Some(&3_600) {
            if let Some(wait) = wrong().await.wait() {
                waits.push(wait.as_secs());
                stage.pass(wait.as_secs());
            }
        }
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600], "{engine:?}");
        // Whoever only sat it out is locked for as long again; after half a day without a guess a slip is a slip.
        assert_eq!(wrong().await.code(), "auth.credentials");
        assert_eq!(wrong().await.wait().unwrap().as_secs(), 3_600, "{engine:?}");
        stage.pass(3_600 + 12 * 3_600);
        assert_eq!(wrong().await.code(), "auth.credentials");
        stage.auth.sign_in(attempt("ada", PASSWORD), &origin).await.unwrap_or_else(|error| panic!("{engine:?} {error}"));
    }
}

#[tokio::test]
async fn whoever_signed_in_from_a_place_is_not_kept_out_there_by_strangers_elsewhere() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let bob = stage.add(&admin, "bob", &[Role::Viewer]).await;
        let from = |ip: &str| Origin { ip: Some(ip.parse::<IpAddr>().unwrap()), ..Origin::default() };
        let (home, abroad, stranger) = (from("2001:db8:1:2::7"), from("198.51.100.4"), from("203.0.113.9"));
        let refusal = async |origin: &Origin, password: &str| {
            stage.auth.sign_in(attempt("bob", password), origin).await.err().map(|error| error.code())
        };
        assert_eq!(refusal(&from("2001:db8:1:2:ffff::1"), PASSWORD).await, None);
        for _ in 0..5 {
            assert_eq!(refusal(&stranger, "wrong").await, Some("auth.credentials"));
        }
        assert_eq!(refusal(&abroad, PASSWORD).await, Some("auth.locked_out"), "nobody signed in from there yet");
        assert_eq!(refusal(&home, PASSWORD).await, None, "{engine:?}");
        assert_eq!(refusal(&stranger, PASSWORD).await, Some("auth.locked_out"), "who is at home frees no stranger");
        // Guesses from home are counted as well, for themselves; an administrator ends either lock.
        for _ in 0..5 {
            assert_eq!(refusal(&home, "wrong").await, Some("auth.credentials"));
        }
        assert_eq!(refusal(&home, PASSWORD).await, Some("auth.locked_out"));
        stage.auth.unlock_user(&admin, bob.id).await.unwrap();
        assert_eq!(refusal(&home, PASSWORD).await, None);
        assert_eq!(refusal(&abroad, PASSWORD).await, None);
        // A place is known for ninety days.
        for _ in 0..5 {
            assert_eq!(refusal(&stranger, "wrong").await, Some("auth.credentials"));
        }
        assert_eq!(refusal(&home, PASSWORD).await, None);
        stage.pass(91 * 24 * 3_600);
        for _ in 0..5 {
            assert_eq!(refusal(&stranger, "wrong").await, Some("auth.credentials"));
        }
        assert_eq!(refusal(&home, PASSWORD).await, Some("auth.locked_out"));
    }
}

#[tokio::test]
async fn a_password_asked_for_again_cannot_be_guessed_either() {
    for engine in testkit::engines() {
        let (stage, ada) = Stage::with_admin(engine).await;
        stage.auth.prove_password(&ada, &secret("wrong")).await.unwrap_err();
        stage.auth.prove_password(&ada, &secret(PASSWORD)).await.unwrap();
        for number in 0..5 {
            let wrong = if number % 2 == 0 {
                stage.auth.prove_password(&ada, &secret("wrong")).await.unwrap_err()
            } else {
                stage.auth.change_password(&ada, &secret("wrong"), &secret("a heron stands in the rain")).await.unwrap_err()
            };
            assert_eq!(wrong.code(), "auth.credentials", "{number}: what was right in between had been forgotten");
        }
        assert_eq!(stage.auth.prove_password(&ada, &secret(PASSWORD)).await.unwrap_err().code(), "auth.locked_out");
        stage.auth.sign_in(attempt("ada", PASSWORD), &Origin::default()).await.expect("the sign-in counts for itself");
        assert_eq!(stage.world.count("audit_logs WHERE action_taken = 'auth.refuse_sign_in'").await, 6);

        // Nor do strangers who guess at the sign-in keep anybody from what takes a password.
        let (stage, ada) = Stage::with_admin(engine).await;
        for _ in 0..5 {
            stage.auth.sign_in(attempt("ada", "wrong"), &Origin::default()).await.unwrap_err();
        }
        assert_eq!(stage.auth.sign_in(attempt("ada", PASSWORD), &Origin::default()).await.unwrap_err().code(), "auth.locked_out");
        stage.auth.prove_password(&ada, &secret(PASSWORD)).await.unwrap();
    }
}

#[tokio::test]
async fn attempts_are_limited_where_the_hot_store_does_not_count() {
    let stage = Stage::new(testkit::Engine::Embedded).await;
    let auth = Auth::new(&stage.world.backends, Config { attempts_per_minute: 3, ..cheap() });
    let origin = Origin { ip: Some("203.0.113.9".parse().unwrap()), ..Origin::default() };
    // What no limit can be counted in: the store refuses.
    stage.world.backends.hot.set("rl:sign_in:203.0.113.9", b"no number", None).await.unwrap();
    for name in ["a1", "a2", "a3"] {
        assert_eq!(auth.sign_in(attempt(name, "wrong"), &origin).await.unwrap_err().code(), "auth.credentials");
    }
    assert_eq!(auth.sign_in(attempt("a4", "wrong"), &origin).await.unwrap_err().code(), "auth.attempts");
}

#[tokio::test]
async fn an_administrator_unlocks_a_name_at_once() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let bob = stage.add(&admin, "bob", &[Role::Viewer]).await;
        let origin = Origin::default();
        for _ in 0..5 {
            stage.auth.sign_in(attempt("bob", "wrong"), &origin).await.unwrap_err();
        }
        assert_eq!(stage.auth.sign_in(attempt("bob", PASSWORD), &origin).await.unwrap_err().code(), "auth.locked_out");
        stage.auth.unlock_user(&admin, bob.id).await.unwrap();
        stage.auth.sign_in(attempt("bob", PASSWORD), &origin).await.unwrap();
    }
}

#[tokio::test]
async fn one_address_may_try_only_so_often() {
    for engine in testkit::engines() {
        let stage = Stage::new(engine).await;
        let auth = Auth::new(&stage.world.backends, Config { attempts_per_minute: 3, ..cheap() });
        let from = |ip: &str| Origin { ip: Some(ip.parse::<IpAddr>().unwrap()), ..Origin::default() };
        for host in ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::3"] {
            assert_eq!(auth.sign_in(attempt(host, "wrong"), &from(host)).await.unwrap_err().code(), "auth.credentials");
        }
        let error = auth.sign_in(attempt("fresh", "wrong"), &from("2001:db8:1:2::4")).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::TooMany, "auth.attempts"));
        assert_eq!(auth.sign_in(attempt("fresh", "wrong"), &from("2001:db8:1:3::4")).await.unwrap_err().code(), "auth.credentials");
    }
}
