//! An invitation reaches the person it is for, through a real mail server.

use auth::{Auth, Config, NewUser};
use backends::{Authorities, Mail, jobs};
use base::{Kind, Language, Origin, Role};
use testkit::servers::Smtp;

use crate::stage::{PASSWORD, Stage, cheap, secret};

fn bob(language: Language) -> NewUser {
    NewUser {
        username: "bob".into(),
        email: "bob@example.org".into(),
        roles: vec![Role::Viewer],
        units: Vec::new(),
        password: None,
        language,
    }
}

/// The letter's text, its transfer encoding undone.
fn decoded(message: &str) -> String {
    message.replace("=\n", "").replace("=3D", "=")
}

#[tokio::test]
async fn an_invitation_is_a_letter_whose_link_works_once() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let server = Smtp::start();
        let mut backends = stage.world.backends.clone();
        let authorities = Authorities::load(None).unwrap();
        backends.mail = Mail::connect(&server.url(), "Tyrian <tyrian@example.org>", &backends.clock, &authorities).unwrap();
        let auth = Auth::new(&backends, Config { letters_link_to: "https://tyrian.example.org".into(), ..cheap() });
        let created = auth.create_user(&admin, bob(Language::Portuguese)).await.unwrap();
        let first = created.invitation.unwrap();
        assert!(first.is_mailed);
        let stored = stage.world.backends.db.all(backends::sql("SELECT payload FROM jobs")).await.unwrap();
        let payloads: Vec<String> = stored.iter().map(|row| row.get("payload").unwrap()).collect();
        assert!(payloads.iter().all(|payload| !payload.contains(first.token.expose())), "the queue holds the token in the clear");

        // The first link was replaced before its letter left: only the second is sent.
        let second = auth.invite(&admin, created.user.id, Language::Portuguese).await.unwrap();
        let drained = jobs::drain(&backends, &auth::jobs(&auth)).await.unwrap();
        assert!(drained.errors.is_empty(), "{:?}", drained.errors);
        let letters = server.messages();
        assert_eq!(letters.len(), 1, "{letters:?}");
        let letter = decoded(&letters[0]);
        assert!(letter.contains("To: bob@example.org") && letter.contains("Escolha sua senha"), "{letter}");
        let address = format!("https://tyrian.example.org/invitation?token={}", second.token.expose());
        assert!(letter.contains(&address), "{letter} lacks {address}");
        auth.accept_invitation(second.token.expose(), &secret(PASSWORD), &Origin::default()).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_mail_server_the_link_is_only_shown() {
    let (stage, admin) = Stage::with_admin(testkit::Engine::Embedded).await;
    let created = stage.auth.create_user(&admin, bob(Language::English)).await.unwrap();
    assert!(!created.invitation.unwrap().is_mailed);
    assert_eq!(jobs::drain(&stage.world.backends, &auth::jobs(&stage.auth)).await.unwrap().errors.len(), 0);
}

#[tokio::test]
async fn an_organisation_takes_another_name_and_nobody_elses() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let own = stage.auth.organisation(&admin).await.unwrap();
        let renamed = stage.auth.rename_organisation(&admin, own.id, "  Difference Engines ").await.unwrap();
        assert_eq!(renamed.name, "Difference Engines");
        assert_eq!(stage.auth.organisation(&admin).await.unwrap().name, "Difference Engines");
        assert_eq!(stage.auth.rename_organisation(&admin, own.id, " ").await.unwrap_err().kind(), Kind::Invalid);
        let eve = stage.stranger().await;
        let elsewhere = stage.auth.organisation(&stage.enter(&eve.username).await).await.unwrap();
        assert_eq!(stage.auth.rename_organisation(&admin, elsewhere.id, "Ours").await.unwrap_err().kind(), Kind::NotFound);
        stage.add(&admin, "vic", &[Role::Viewer]).await;
        let viewer = stage.enter("vic").await;
        assert_eq!(stage.auth.rename_organisation(&viewer, own.id, "Mine").await.unwrap_err().kind(), Kind::Forbidden);
    }
}
