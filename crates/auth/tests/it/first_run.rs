//! The link for the first administrator.

use auth::Auth;
use base::{Origin, Role};

use crate::stage::{PASSWORD, Stage, ada, attempt, cheap, secret};

#[tokio::test]
async fn the_first_admin_link_survives_restarts_and_works_once() {
    for engine in testkit::engines() {
        let stage = Stage::new(engine).await;
        let origin = Origin::default();
        let token = stage.auth.first_admin_token().await.unwrap().unwrap();
        let restarted = Auth::new(&stage.world.backends, cheap());
        assert_eq!(restarted.first_admin_token().await.unwrap().unwrap().expose(), token.expose());

        let wrong = restarted.create_first_admin("guess", ada(), &origin).await.unwrap_err();
        assert_eq!(wrong.code(), "auth.first_run");
        let mut weak = ada();
        weak.password = secret("password2026");
        assert_eq!(restarted.create_first_admin(token.expose(), weak, &origin).await.unwrap_err().code(), "auth.password");

        let user = restarted.create_first_admin(token.expose(), ada(), &origin).await.unwrap();
        assert_eq!((user.roles.as_slice(), user.tenant_id), (&[Role::Admin][..], restarted.home_tenant().await.unwrap()));
        assert!(restarted.first_admin_token().await.unwrap().is_none());
        let mut second = ada();
        second.username = "mallory".to_owned();
        assert_eq!(restarted.create_first_admin(token.expose(), second, &origin).await.unwrap_err().code(), "auth.first_run");

        let actor = stage.enter("ada").await;
        assert_eq!(stage.auth.organisation(&actor).await.unwrap().name, "Analytical Engines");
    }
}

#[tokio::test]
async fn of_two_who_use_the_link_at_once_one_becomes_administrator() {
    for engine in testkit::engines() {
        let stage = Stage::new(engine).await;
        let token = stage.auth.first_admin_token().await.unwrap().unwrap();
        let origin = Origin::default();
        let mut second = ada();
        second.username = "mallory".to_owned();
        second.email = "mallory@example.org".to_owned();
        let (one, other) = tokio::join!(
            stage.auth.create_first_admin(token.expose(), ada(), &origin),
            stage.auth.create_first_admin(token.expose(), second, &origin),
        );
        assert!(one.is_ok() ^ other.is_ok());
        assert_eq!(stage.world.count("users").await, 1);
        let entered =
            [stage.auth.sign_in(attempt("ada", PASSWORD), &origin).await, stage.auth.sign_in(attempt("mallory", PASSWORD), &origin).await];
        assert_eq!(entered.iter().filter(|entered| entered.is_ok()).count(), 1);
    }
}
