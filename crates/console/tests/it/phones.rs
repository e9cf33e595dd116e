//! Stories of phones through the pages, without a script: who is in the fleet, why one is locked, who stops all of them.

use base::{Actor, Role, Source};
use devices::{DeviceId, LockOrder, Ownership, Posture, Reach};
use futures::StreamExt;
use http::StatusCode;

use crate::stage::{PASSWORD, Stage};

/// A phone that enrolled. How phones enrol has stories of its own.
async fn phone(stage: &Stage, name: &str, ownership: Ownership) -> DeviceId {
    let backends = &stage.world.backends;
    let (id, now) = (backends.ids.next(), backends.clock.now());
    let mut tx = backends.db.begin().await.unwrap();
    let statement = "INSERT INTO devices (id, tenant_id, name, platform, ownership, plan, public_key, thumbprint, posture, generation, \
        attestation_state, attestation_level, attested_counter, allow_listed, command_sequence, enrolled_at, changed_at, version) \
        VALUES ($1, $2, $3, 'none', $4, 'free', '{}', $1, 'observe', 1, 'never', 'none', 0, $5, 0, $6, $6, 1)";
    let home = stage.auth.home_tenant().await.unwrap();
    tx.run(backends::sql(statement).bind(id).bind(home).bind(name).bind(ownership.as_str()).bind(false).bind(now)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn a_phone_is_locked_with_a_reason_kept_and_released() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let empty = stage.get("/devices", Some(&cookie)).await;
    assert!(empty.body.contains("No phones yet") && empty.body.contains("/devices/codes"), "{}", empty.body);
    let id = phone(&stage, "Ana <phone>", Ownership::Byod).await;
    let list = stage.get("/devices?posture=observe", Some(&cookie)).await;
    assert!(list.body.contains("Ana &#60;phone&#62;") && list.body.contains("/devices/live?posture=observe&#38;seen="), "{}", list.body);
    let filtered = stage.get("/devices?posture=lock", Some(&cookie)).await;
    assert!(filtered.body.contains("Nothing matches"), "{}", filtered.body);

    let place = format!("/devices/{id}");
    let form = stage.get(&format!("{place}/lock"), Some(&cookie)).await;
    assert!(form.body.contains("belongs to its user") && !form.body.contains("name=\"reach\""), "{}", form.body);
    let silent = stage.post(&format!("{place}/lock"), &cookie, "reason=&hours=1").await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST, "no lock without a reason");
    assert!(silent.body.contains("id=\"reason-fault\""), "{}", silent.body);
    let far = stage.post(&format!("{place}/lock"), &cookie, "reason=lost&hours=1&reach=device").await;
    assert_eq!(far.status, StatusCode::FORBIDDEN, "of somebody's own phone only the application is touched");
    let locked = stage.post(&format!("{place}/lock"), &cookie, "reason=Left%20in%20a%20taxi&hours=1&quarantine=true").await;
    assert_eq!(locked.location, format!("{place}?done=device_locked"), "{}", locked.body);
    let page = stage.get(&place, Some(&cookie)).await;
    for told in ["Left in a taxi", "A person decided", "2 Jan 2026, 04:04", "ordered_by", "state quarantine", "Quarantine", "/unlock"] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    assert_eq!(stage.post(&format!("{place}/keep"), &cookie, "reason=still%20gone").await.location, format!("{place}?done=lock_kept"));
    assert!(stage.get(&place, Some(&cookie)).await.body.contains("kept by ada"));
    let released = stage.post(&format!("{place}/unlock"), &cookie, "reason=found").await;
    assert_eq!(released.location, format!("{place}?done=device_released"));
    let twice = stage.post(&format!("{place}/keep"), &cookie, "reason=x").await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "what is over cannot be kept");
    let page = stage.get(&place, Some(&cookie)).await;
    assert!(page.body.contains("Proof asked"), "{}", page.body);
    stage.post(&format!("{place}/edit"), &cookie, "name=Ana&allow_listed=true").await;
    assert!(stage.get(&place, Some(&cookie)).await.body.contains("Never locked by itself"));
    stage.post(&format!("{place}/message"), &cookie, "message=Call%20us").await;
    let portuguese = stage.get(&place, Some(&format!("{cookie}; tyrian-language=pt-BR"))).await;
    assert!(portuguese.body.contains("Mensagem sobre a tela") && portuguese.body.contains("Bloqueio mantido"), "{}", portuguese.body);
    assert_eq!(stage.get(&format!("{place}/burn"), Some(&cookie)).await.status, StatusCode::NOT_FOUND);

    let viewer = stage.person("viola", Role::Viewer).await;
    let seen = stage.get(&place, Some(&viewer)).await;
    assert!(
        seen.body.contains("Left in a taxi") && !seen.body.contains(&format!("{place}/lock\"")),
        "what would be refused is not offered"
    );
    assert_eq!(stage.post(&format!("{place}/lock"), &viewer, "reason=x").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_open_page_is_told_when_its_phone_is_locked_elsewhere() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let id = phone(&stage, "Ana", Ownership::Corporate).await;
    let page = stage.get(&format!("/devices/{id}"), Some(&cookie)).await.body;
    let news = page.split("data-news=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let response = stage.open(&news, &cookie).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let hello = stream.next().await.unwrap().unwrap();
    assert!(hello.starts_with(b"retry:"), "nothing has changed since the page was made: {hello:?}");
    let system = Actor::system(stage.auth.home_tenant().await.unwrap(), Source::Cli);
    let order = LockOrder { reason: "stolen".to_owned(), quarantine: false, reach: Reach::Application, seconds: None };
    assert_eq!(stage.devices.lock(&system, id, order).await.unwrap().posture, Posture::Lock);
    let word = stream.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&word).contains("event: changed"), "{word:?}");
    let stranger = stage.get(&format!("/devices/{}/live", stage.world.backends.ids.next::<devices::Device>()), Some(&cookie)).await;
    assert!(!stranger.body.contains("changed"), "there is no such phone");
}

#[tokio::test]
async fn a_kill_switch_warns_asks_for_the_password_and_for_everything_takes_two() {
    let stage = Stage::new().await;
    let ada = stage.first_admin().await;
    let bea = stage.person("bea", Role::Admin).await;
    phone(&stage, "Ana", Ownership::Corporate).await;
    phone(&stage, "Bea", Ownership::Byod).await;
    let none = stage.post("/devices/switches", &ada, "scope=device&reason=x&hours=1").await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST, "which phone?");
    let asked = stage.post("/devices/switches", &ada, "scope=tenant&reason=leak&hours=1").await;
    assert!(asked.location.ends_with("?done=switch_proposed"), "{}", asked.body);
    let place = asked.location.split('?').next().unwrap().to_owned();
    let page = stage.get(&place, Some(&ada)).await;
    assert!(
        page.body.contains("This would stop 2 phones at once.") && page.body.contains("autocomplete=current-password"),
        "{}",
        page.body
    );
    let wrong = stage.post(&format!("{place}/throw"), &ada, "password=wrong").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN, "{}", wrong.body);
    assert!(wrong.body.contains("id=\"password-fault\""), "{}", wrong.body);
    assert_eq!(stage.post(&format!("{place}/throw"), &ada, "").await.status, StatusCode::FORBIDDEN, "not without it");
    let password = PASSWORD.replace(' ', "%20");
    let thrown = stage.post(&format!("{place}/throw"), &ada, &format!("password={password}")).await;
    assert_eq!(thrown.location, format!("{place}?done=switch_thrown"), "{}", thrown.body);
    assert!(stage.get("/devices", Some(&ada)).await.body.contains("A kill switch is on."));
    let released = stage.post(&format!("{place}/release"), &ada, "reason=over").await;
    assert_eq!(released.location, format!("{place}?done=switch_released"));
    assert!(!stage.get("/devices", Some(&ada)).await.body.contains("A kill switch is on."));

    let asked = stage.post("/devices/switches", &ada, "scope=global&reason=worm&hours=1").await;
    let place = asked.location.split('?').next().unwrap().to_owned();
    let own = stage.get(&place, Some(&ada)).await;
    assert!(own.body.contains("another operator has to throw it") && !own.body.contains("name=\"password\""), "{}", own.body);
    let alone = stage.post(&format!("{place}/throw"), &ada, &format!("password={password}")).await;
    assert_eq!(alone.status, StatusCode::FORBIDDEN, "nobody is their own second person");
    let both = stage.post(&format!("{place}/throw"), &bea, &format!("password={password}")).await;
    assert_eq!(both.location, format!("{place}?done=switch_thrown"), "{}", both.body);
}

#[tokio::test]
async fn codes_are_shown_once_and_the_policy_says_what_it_means() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let made = stage.post("/devices/codes", &cookie, "name=Ana&ownership=byod&plan=professional&hours=24").await;
    assert!(made.body.contains("tec_") && made.body.contains("never shown again"), "{}", made.body);
    let later = stage.get("/devices/codes", Some(&cookie)).await;
    assert!(!later.body.contains("tec_") && later.body.contains("state unused"), "{}", later.body);
    let nameless = stage.post("/devices/codes", &cookie, "name=&ownership=byod&plan=free&hours=24").await;
    assert_eq!(nameless.status, StatusCode::BAD_REQUEST);
    assert_eq!(stage.post("/devices/policy", &cookie, "shadow=true").await.location, "/devices/policy?done=saved");
    assert!(stage.get("/devices", Some(&cookie)).await.body.contains("Only watching."));
    // Another node says that it cannot keep up.
    let simplified = br#"{"because":"runtime","since":"2026-01-02T03:04:05Z"}"#;
    stage.world.backends.hot.set("sig:simplified", simplified, None).await.unwrap();
    let warned = stage.get("/devices", Some(&cookie)).await.body;
    assert!(warned.contains("Scores are simplified.") && warned.contains("Scoring takes too long."), "{warned}");
    let viewer = stage.person("viola", Role::Viewer).await;
    for path in ["/devices", "/devices/codes", "/devices/policy", "/devices/switches", "/devices/switches/new"] {
        assert_eq!(stage.get(path, Some(&viewer)).await.status, StatusCode::OK, "{path}");
    }
    assert!(!stage.get("/devices/policy", Some(&viewer)).await.body.contains("name=\"shadow\""));
}
