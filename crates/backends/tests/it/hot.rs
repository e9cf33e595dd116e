//! Hot keys: the same meaning on both engines; what a server that hangs or dies does; what a disk remembers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backends::{Authorities, Bus, Clock, Hot, Quota, Tasks};
use base::Kind;
use testkit::eventually;
use testkit::servers::Redis;
use tokio::task::JoinSet;

use crate::engines::{Bench, START, authorities, open};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_value_is_there_until_it_is_removed_or_expires() {
    for bench in Bench::all().await {
        let hot = &bench.hot;
        assert_eq!(hot.get("k").await.unwrap(), None);
        hot.set("k", b"\x00\xff binary", None).await.unwrap();
        assert_eq!(hot.get("k").await.unwrap().unwrap(), b"\x00\xff binary");
        assert!(!hot.set_new("k", b"other", None).await.unwrap());
        assert!(!hot.delete_if("k", b"other").await.unwrap());
        assert!(hot.delete_if("k", b"\x00\xff binary").await.unwrap());
        assert!(!hot.delete("k").await.unwrap());
        assert!(hot.set_new("k", b"", Some(HOUR)).await.unwrap());
        assert_eq!(hot.take("k").await.unwrap(), Some(Vec::new()));
        assert_eq!(hot.take("k").await.unwrap(), None);

        let brief = Duration::from_millis(40);
        hot.set("brief", b"v", Some(brief)).await.unwrap();
        hot.set("kept", b"v", Some(brief)).await.unwrap();
        hot.set("kept", b"v", None).await.unwrap();
        bench.pass(brief);
        eventually("the value expires", async || hot.get("brief").await.unwrap().is_none()).await;
        assert!(hot.set_new("brief", b"again", Some(HOUR)).await.unwrap());
        assert!(hot.get("kept").await.unwrap().is_some(), "setting without a time-to-live removes the old one");
    }
}

#[tokio::test]
async fn a_claim_is_had_once_in_its_time_and_by_nobody_in_another_life() {
    for bench in Bench::all().await {
        let (hot, brief) = (&bench.hot, Duration::from_millis(40));
        assert!(hot.claim("proof", brief).await.unwrap());
        assert!(!hot.claim("proof", HOUR).await.unwrap());
        assert!(hot.claim("another", HOUR).await.unwrap());
        bench.pass(brief);
        eventually("the claim is over", async || hot.claim("proof", HOUR).await.unwrap()).await;
        assert!(!hot.claim("proof", HOUR).await.unwrap() && !hot.claim("another", HOUR).await.unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let (url, clock) = (format!("embedded:{}", folder.path().join("hot").display()), Clock::fixed(START));
    let first = open(&url, &clock).await;
    let life = first.life();
    assert!(first.claim("proof", HOUR).await.unwrap());
    drop(first);
    let second = open(&url, &clock).await;
    assert!(second.life() != life && second.claim("proof", HOUR).await.unwrap(), "what is forgotten is forgotten under another name");
}

#[tokio::test]
async fn keys_and_values_have_a_size() {
    for bench in Bench::all().await {
        let refused = [
            bench.hot.get("").await.unwrap_err(),
            bench.hot.get(&"k".repeat(1025)).await.unwrap_err(),
            bench.hot.set("k", &vec![0; 1024 * 1024 + 1], None).await.unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.kind() == Kind::Invalid), "{refused:?}");
    }
}

#[tokio::test]
async fn a_counter_lasts_as_long_as_its_first_window() {
    for bench in Bench::all().await {
        let hot = &bench.hot;
        let window = Duration::from_secs(1);
        let first = hot.count("c", 2, window).await.unwrap();
        assert_eq!(first.value, 2);
        assert!(first.resets_in <= window && first.resets_in > Duration::ZERO, "{first:?}");
        let second = hot.count("c", -5, HOUR).await.unwrap();
        assert_eq!(second.value, -3);
        assert!(second.resets_in <= window, "{second:?}");
        assert_eq!(hot.get("c").await.unwrap().unwrap(), b"-3");
        bench.pass(window);
        eventually("the window ends", async || hot.get("c").await.unwrap().is_none()).await;
        assert_eq!(hot.count("c", 1, window).await.unwrap().value, 1);

        hot.set("text", b"not a number", None).await.unwrap();
        assert_eq!(hot.count("text", 1, window).await.unwrap_err().code(), "hot.not_a_counter");
        assert_eq!(hot.limit("text", Quota { burst: 1, per: HOUR }).await.unwrap_err().code(), "hot.not_a_counter");
        assert_eq!(hot.get("text").await.unwrap().unwrap(), b"not a number");
        hot.set("forever", b"7", None).await.unwrap();
        assert_eq!(hot.count("forever", 1, HOUR).await.unwrap().resets_in, HOUR);
    }
}

#[tokio::test]
async fn a_quota_gives_its_burst_then_one_at_a_time() {
    for bench in Bench::all().await {
        let hot = &bench.hot;
        let quota = Quota { burst: 3, per: HOUR };
        for remaining in [2, 1, 0] {
            let verdict = hot.limit("q", quota).await.unwrap();
            assert!(verdict.allowed);
            assert_eq!((verdict.limit, verdict.remaining, verdict.retry_after), (3, remaining, Duration::ZERO));
        }
        let refused = hot.limit("q", quota).await.unwrap();
        assert!(!refused.allowed);
        let third = HOUR / 3;
        assert!(refused.retry_after <= third && refused.retry_after > third - Duration::from_secs(30), "{refused:?}");
        assert!(refused.reset_after <= HOUR && refused.reset_after > HOUR - Duration::from_secs(30), "{refused:?}");
        assert!(!hot.limit("none", Quota { burst: 0, per: HOUR }).await.unwrap().allowed);

        let quick = Quota { burst: 1, per: Duration::from_secs(1) };
        assert!(hot.limit("quick", quick).await.unwrap().allowed);
        let wait = hot.limit("quick", quick).await.unwrap().retry_after;
        assert!(wait > Duration::ZERO);
        bench.pass(wait);
        eventually("the quota refills", async || hot.limit("quick", quick).await.unwrap().allowed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_exactly_as_many_win_as_may() {
    for bench in Bench::all().await {
        let hot = bench.hot.clone();
        hot.set("token", b"t", Some(HOUR)).await.unwrap();
        hot.set("owned", b"mine", Some(HOUR)).await.unwrap();
        let mut racers = JoinSet::new();
        for _ in 0..64 {
            let hot = hot.clone();
            racers.spawn(async move {
                let counted = hot.count("counter", 1, HOUR).await.unwrap().value;
                [
                    hot.take("token").await.unwrap().is_some(),
                    hot.set_new("lock", b"x", Some(HOUR)).await.unwrap(),
                    hot.claim("claim", HOUR).await.unwrap(),
                    hot.delete_if("owned", b"mine").await.unwrap(),
                    hot.limit("quota", Quota { burst: 10, per: HOUR }).await.unwrap().allowed,
                    counted == 64,
                ]
            });
        }
        let mut wins = [0; 6];
        for won in racers.join_all().await {
            wins.iter_mut().zip(won).for_each(|(wins, won)| *wins += i32::from(won));
        }
        assert_eq!(wins, [1, 1, 1, 1, 10, 1]);
    }
}

#[tokio::test]
async fn the_embedded_store_survives_a_restart_and_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(START);
    let url = |name: &str| format!("embedded:{}", folder.path().join(name).display());
    let hot = open(&url("hot"), &clock).await;
    hot.set("kept", b"1", None).await.unwrap();
    hot.set("minute", b"2", Some(Duration::from_secs(60))).await.unwrap();
    hot.set("removed", b"3", None).await.unwrap();
    hot.flush().await.unwrap();
    hot.delete("removed").await.unwrap();
    hot.count("late", 41, HOUR).await.unwrap();
    hot.set_lazily("lazy", b"5", None).await.unwrap();
    hot.set("removed lazily", b"7", None).await.unwrap();
    hot.flush().await.unwrap();
    assert!(hot.delete_lazily("removed lazily").await.unwrap());
    hot.flush().await.unwrap();
    // What a power cut leaves: the file as it is now, never closed.
    fs::create_dir(folder.path().join("cut")).unwrap();
    fs::set_permissions(folder.path().join("cut"), PermissionsExt::from_mode(0o700)).unwrap();
    fs::copy(folder.path().join("hot/hot.redb"), folder.path().join("cut/hot.redb")).unwrap();
    hot.set("unflushed", b"4", None).await.unwrap();
    hot.set_lazily("lazy and unflushed", b"6", None).await.unwrap();
    drop(hot);

    let cut = open(&url("cut"), &clock).await;
    let reopened = open(&url("hot"), &clock).await;
    for hot in [&cut, &reopened] {
        assert_eq!(hot.get("kept").await.unwrap().unwrap(), b"1");
        assert_eq!(hot.get("minute").await.unwrap().unwrap(), b"2");
        assert_eq!(hot.get("removed").await.unwrap(), None);
        assert_eq!(hot.get("removed lazily").await.unwrap(), None);
        assert_eq!(hot.count("late", 1, HOUR).await.unwrap().value, 42);
        assert_eq!(hot.get("lazy").await.unwrap().unwrap(), b"5");
    }
    for (key, value) in [("unflushed", b"4"), ("lazy and unflushed", b"6")] {
        assert_eq!(reopened.get(key).await.unwrap().unwrap(), value, "dropping the store writes what is left");
    }
    drop(reopened);
    clock.advance(Duration::from_secs(60));
    assert_eq!(open(&url("hot"), &clock).await.get("minute").await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_in_use_or_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("embedded:{}", folder.path().join("hot").display());
    let clock = Clock::fixed(START);
    let held = open(&url, &clock).await;
    let connect = async || Hot::connect(&url, &clock, &Tasks::default(), &authorities()).await.unwrap_err();
    assert_eq!(connect().await.code(), "hot.in_use");
    drop(held);
    fs::set_permissions(folder.path().join("hot"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(connect().await.code(), "config.folder");
    for (url, code) in
        [("memory:", "config.backend"), ("redis+sentinel://127.0.0.1", "config.redis"), ("rediss+cluster://127.0.0.1", "config.redis")]
    {
        let error = Hot::connect(url, &clock, &Tasks::default(), &authorities()).await.unwrap_err();
        assert_eq!(error.code(), code, "{url}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let server = Redis::start_with(std::net::Ipv4Addr::LOCALHOST.into(), &["--requirepass", "right"]);
    let url = |password: &str| format!("redis://:{password}@{}", server.address());
    let clock = Clock::system();
    assert!(open(&url("right"), &clock).await.ping().await.is_ok());
    let error = Hot::connect(&url("wrong-one"), &clock, &Tasks::default(), &authorities()).await.unwrap_err();
    assert_eq!(error.code(), "redis.password");
    assert!(!format!("{error} {error:?}").contains("wrong-one"));
}

#[tokio::test]
async fn over_tls_only_a_server_with_a_known_authority_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let issuer = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(path("certificate.pem"), issuer.cert.pem()).unwrap();
    fs::write(path("key.pem"), issuer.signing_key.serialize_pem()).unwrap();
    let localhost = std::net::Ipv4Addr::LOCALHOST.into();
    let port = testkit::free_port(localhost).to_string();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let settings = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ];
    let _server = Redis::start_with(localhost, &settings);

    let url = format!("rediss://localhost:{port}");
    let known = Authorities::load(Some(&folder.path().join("certificate.pem"))).unwrap();
    let hot = Hot::connect(&url, &Clock::system(), &Tasks::default(), &known).await.unwrap();
    hot.set("k", b"over tls", None).await.unwrap();
    let bus = Bus::connect(&url, &Tasks::default(), &known).await.unwrap();
    let mut subscription = bus.subscribe("events").await.unwrap();
    bus.publish("events", b"over tls".to_vec()).await.unwrap();
    assert_eq!(subscription.next().await.unwrap().body().unwrap(), b"over tls");
    let error = Hot::connect(&url, &Clock::system(), &Tasks::default(), &authorities()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}

/// Hangs and kills the server under load. Whatever is answered must be about the key that was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_or_dies_is_left_and_found_again() {
    let mut server = Redis::start();
    let hot = Bench::redis(&server.url()).await.hot;
    let mut writers = JoinSet::new();
    let answered: Arc<[AtomicU64; 8]> = Arc::default();
    let all_go_on = async |when: &str| {
        let before = answered.each_ref().map(|count| count.load(Ordering::Relaxed));
        eventually(when, async || answered.iter().zip(before).all(|(count, before)| count.load(Ordering::Relaxed) > before)).await;
    };
    for writer in 0..8 {
        let (hot, answered) = (hot.clone(), answered.clone());
        writers.spawn(async move {
            for turn in 0_u32.. {
                let key = format!("{writer}:{turn}");
                if hot.set(&key, key.as_bytes(), None).await.is_ok()
                    && let Ok(Some(value)) = hot.get(&key).await
                {
                    assert_eq!(value, key.as_bytes(), "the reply belongs to another command");
                    answered[writer].fetch_add(1, Ordering::Relaxed);
                }
                if matches!(hot.get("stop").await, Ok(Some(_))) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    all_go_on("every writer is answered").await;

    server.pause();
    eventually("callers fail at once while it hangs", async || {
        let start = Instant::now();
        let error = hot.get("x").await.err();
        error.is_some_and(|error| error.kind() == Kind::Unavailable) && start.elapsed() < Duration::from_millis(200)
    })
    .await;
    server.resume();
    all_go_on("every writer is answered again after the hang").await;

    let life = hot.life();
    assert_eq!(Bench::redis(&server.url()).await.hot.life(), life, "every client sees the same life");
    server.kill();
    eventually("callers fail while it is dead", async || hot.ping().await.is_err()).await;
    server.restart();
    eventually("it is found again after a death", async || hot.set("after", b"death", None).await.is_ok()).await;
    all_go_on("every writer is answered again after the death").await;
    assert_eq!(hot.get("after").await.unwrap().unwrap(), b"death");
    assert_ne!(hot.life(), life, "what the dead server knew of claims is forgotten");
    assert!(hot.limit("scripts", Quota { burst: 1, per: HOUR }).await.unwrap().allowed, "the new server is taught the scripts");

    hot.set("stop", b"now", None).await.unwrap();
    writers.join_all().await;
}
