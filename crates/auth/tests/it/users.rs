//! The people of an organisation.

use auth::{NewToken, NewUser, UserPatch, UserState};
use base::{Kind, Language, Origin, PageRequest, Permission, Role};

use crate::stage::{PASSWORD, Stage, attempt, secret};

#[tokio::test]
async fn another_tenants_user_does_not_exist() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let eve = stage.stranger().await;
        let missing = [
            stage.auth.user(&admin, eve.id).await.unwrap_err(),
            stage.auth.patch_user(&admin, eve.id, UserPatch::default()).await.unwrap_err(),
            stage.auth.lock_user(&admin, eve.id, "why not").await.unwrap_err(),
            stage.auth.unlock_user(&admin, eve.id).await.unwrap_err(),
            stage.auth.invite(&admin, eve.id, Language::English).await.unwrap_err(),
            stage.auth.delete_user(&admin, eve.id).await.unwrap_err(),
        ];
        assert!(missing.iter().all(|error| error.kind() == Kind::NotFound && error.code() == "auth.no_user"));
        let listed = stage.auth.users(&admin, &PageRequest::default()).await.unwrap();
        assert_eq!(listed.items.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ada"]);
        stage.enter("eve").await;
    }
}

#[tokio::test]
async fn the_last_administrator_stays() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let ada = admin.user.unwrap();
        stage.stranger().await;
        let demotion = || UserPatch { roles: Some(vec![Role::Viewer]), ..UserPatch::default() };
        let refused = [
            stage.auth.patch_user(&admin, ada, demotion()).await.unwrap_err(),
            stage.auth.lock_user(&admin, ada, "oops").await.unwrap_err(),
            stage.auth.delete_user(&admin, ada).await.unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.code() == "auth.last_admin"), "{refused:?}");
        assert_eq!(stage.auth.user(&admin, ada).await.unwrap().roles, [Role::Admin], "a refusal changes nothing");

        // Two administrators who demote each other at the same moment: one of them stays.
        let bob = stage.add(&admin, "bob", &[Role::Admin]).await;
        let other = stage.enter("bob").await;
        let (one, two) = tokio::join!(stage.auth.patch_user(&admin, bob.id, demotion()), stage.auth.patch_user(&other, ada, demotion()));
        assert!(one.is_ok() ^ two.is_ok(), "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn who_is_bound_to_units_stays_so_through_every_credential_and_manages_nobody() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let ada = admin.user.unwrap();
        let bob = stage.add(&admin, "bob", &[Role::Admin]).await;
        let units =
            |paths: &[&str]| UserPatch { units: Some(paths.iter().map(|path| path.parse().unwrap()).collect()), ..UserPatch::default() };
        let bound = stage.auth.patch_user(&admin, bob.id, units(&["retail/web", "Retail", "staff"])).await.unwrap();
        assert_eq!(bound.units, ["retail".parse().unwrap(), "staff".parse().unwrap()], "a unit within another says nothing more");

        let actor = stage.enter("bob").await;
        assert_eq!(actor.units, bound.units);
        assert_eq!(stage.knows(&stage.bearer("bob").await).await.unwrap().units, bound.units);
        let new = NewToken { name: "ci".into(), scopes: vec![Permission::ReadTargets], expires_at: None };
        let (_, token) = stage.auth.create_token(&actor, new).await.unwrap();
        assert_eq!(stage.knows(token.expose()).await.unwrap().units, bound.units);
        assert_eq!(stage.auth.users(&actor, &PageRequest::default()).await.unwrap_err().code(), "auth.bound_to_units");
        assert_eq!(stage.auth.patch_user(&actor, bob.id, units(&[])).await.unwrap_err().code(), "auth.bound_to_units");
        assert_eq!(stage.auth.patch_user(&admin, ada, units(&["staff"])).await.unwrap_err().code(), "auth.last_admin");

        stage.auth.patch_user(&admin, bob.id, units(&[])).await.unwrap();
        assert!(stage.knows(token.expose()).await.unwrap().units.is_empty());
    }
}

#[tokio::test]
async fn names_are_unique_everywhere_and_roles_stay_below_the_givers() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        stage.stranger().await;
        let new = |username: &str, roles: &[Role]| NewUser {
            username: username.to_owned(),
            email: format!("{username}@example.net"),
            roles: roles.to_vec(),
            units: Vec::new(),
            password: Some(secret(PASSWORD)),
            language: Language::English,
        };
        assert_eq!(stage.auth.create_user(&admin, new("EVE", &[Role::Viewer])).await.unwrap_err().code(), "auth.username_taken");
        assert_eq!(stage.auth.create_user(&admin, new("dev", &[Role::Device])).await.unwrap_err().code(), "auth.role");
        assert_eq!(stage.auth.create_user(&admin, new("none", &[])).await.unwrap_err().code(), "auth.no_role");
        let viewer = stage.add(&admin, "vic", &[Role::Viewer]).await;
        let actor = stage.enter("vic").await;
        assert_eq!(stage.auth.create_user(&actor, new("x2", &[Role::Viewer])).await.unwrap_err().kind(), Kind::Forbidden);
        assert_eq!(stage.auth.users(&actor, &PageRequest::default()).await.unwrap_err().kind(), Kind::Forbidden);
        assert_eq!(stage.auth.myself(&actor).await.unwrap().id, viewer.id);

        let page = PageRequest { limit: Some(1), cursor: None };
        let first = stage.auth.users(&admin, &page).await.unwrap();
        let second = stage.auth.users(&admin, &PageRequest { cursor: first.next_cursor, ..page }).await.unwrap();
        assert_eq!((first.items[0].username.as_str(), second.items[0].username.as_str(), second.next_cursor), ("ada", "vic", None));
    }
}

#[tokio::test]
async fn an_invitation_sets_a_password_once_and_in_time() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let origin = Origin::default();
        let new = NewUser {
            username: "bob".into(),
            email: "bob@example.org".into(),
            roles: vec![Role::Viewer],
            units: Vec::new(),
            password: None,
            language: Language::English,
        };
        let created = stage.auth.create_user(&admin, new).await.unwrap();
        assert_eq!(created.user.state, UserState::Invited);
        assert!(stage.auth.sign_in(attempt("bob", ""), &origin).await.is_err());
        let late = created.invitation.unwrap();
        stage.pass(7 * 24 * 3600);
        assert_eq!(
            stage.auth.accept_invitation(late.token.expose(), &secret(PASSWORD), &origin).await.unwrap_err().code(),
            "auth.invitation"
        );

        let admin = stage.enter("ada").await;
        let fresh = stage.auth.invite(&admin, created.user.id, Language::English).await.unwrap();
        let weak = stage.auth.accept_invitation(fresh.token.expose(), &secret("bob123456789"), &origin).await.unwrap_err();
        assert_eq!(weak.code(), "auth.password");
        stage.auth.accept_invitation(fresh.token.expose(), &secret(PASSWORD), &origin).await.unwrap();
        assert!(stage.auth.accept_invitation(fresh.token.expose(), &secret(PASSWORD), &origin).await.is_err());
        stage.enter("bob").await;
    }
}

#[tokio::test]
async fn a_link_dies_with_the_password_the_address_and_the_access_it_was_made_for() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let bob = stage.add(&admin, "bob", &[Role::Viewer]).await;
        let link = async || stage.auth.invite(&admin, bob.id, Language::English).await.unwrap().token;
        let dead = async |token: base::Secret<String>| {
            let used = stage.auth.accept_invitation(token.expose(), &secret("two owls on a gate"), &Origin::default()).await;
            assert_eq!(used.unwrap_err().code(), "auth.invitation", "{engine:?}");
        };
        let token = link().await;
        let actor = stage.enter("bob").await;
        stage.auth.change_password(&actor, &secret(PASSWORD), &secret("a heron stands in the rain")).await.unwrap();
        dead(token).await;
        let token = link().await;
        let patch = UserPatch { email: Some("robert@example.org".to_owned()), ..UserPatch::default() };
        stage.auth.patch_user(&admin, bob.id, patch.clone()).await.unwrap();
        dead(token).await;
        let token = link().await;
        stage.auth.lock_user(&admin, bob.id, "left").await.unwrap();
        stage.auth.unlock_user(&admin, bob.id).await.unwrap();
        dead(token).await;
        let token = link().await;
        stage.auth.patch_user(&admin, bob.id, patch).await.unwrap();
        stage.auth.accept_invitation(token.expose(), &secret(PASSWORD), &Origin::default()).await.unwrap();
    }
}

#[tokio::test]
async fn who_may_less_does_not_let_those_in_who_may_more_and_reasons_are_given_and_short() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let bob = stage.add(&admin, "bob", &[Role::Admin]).await;
        for unfit in ["", " ", &"x".repeat(501)] {
            let refused = stage.auth.lock_user(&admin, bob.id, unfit).await.unwrap_err();
            assert_eq!((refused.code(), refused.field()), ("auth.reason", Some("/reason")), "{unfit:?}");
        }
        stage.auth.lock_user(&admin, bob.id, &"x".repeat(500)).await.unwrap();
        let mut narrow = admin.clone();
        narrow.permissions.retain(|permission| *permission == Permission::WriteUsers);
        assert_eq!(stage.auth.unlock_user(&narrow, bob.id).await.unwrap_err().kind(), Kind::Forbidden);
        stage.auth.unlock_user(&admin, bob.id).await.unwrap();
    }
}
