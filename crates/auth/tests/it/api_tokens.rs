//! API tokens.

use std::time::Duration;

use auth::{NewToken, NewUser, UserPatch};
use base::{Actor, ActorKind, Language, PageRequest, Permission, Role};

use crate::stage::{PASSWORD, Stage, secret};

fn new(scopes: &[Permission]) -> NewToken {
    NewToken { name: "ci".to_owned(), scopes: scopes.to_vec(), expires_at: None }
}

fn held(actor: &Actor) -> Vec<Permission> {
    actor.permissions.iter().copied().collect()
}

#[tokio::test]
async fn an_api_token_never_allows_more_than_its_maker_may() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let bob = stage.add(&admin, "bob", &[Role::RedTeam]).await;
        let actor = stage.enter("bob").await;
        let beyond = stage.auth.create_token(&actor, new(&[Permission::ReadTargets, Permission::WriteUsers])).await.unwrap_err();
        assert_eq!((beyond.code(), beyond.field()), ("auth.scope", Some("/scopes")));

        let scopes = [Permission::WriteTargets, Permission::ReadTargets, Permission::WriteTokens];
        let (entry, token) = stage.auth.create_token(&actor, new(&scopes)).await.unwrap();
        assert!(token.expose().starts_with(&format!("{}_", entry.prefix)));
        let program = stage.knows(token.expose()).await.unwrap();
        assert_eq!((program.kind, program.user), (ActorKind::Token, Some(bob.id)));
        assert_eq!(held(&program), [Permission::ReadTargets, Permission::WriteTargets, Permission::WriteTokens]);
        let child = stage.auth.create_token(&program, new(&[Permission::ReadTargets])).await.unwrap_err();
        assert_eq!(child.code(), "auth.people_only", "a token has no successors");
        assert_eq!(stage.auth.sessions(&program).await.unwrap_err().code(), "auth.people_only");

        let patch = UserPatch { roles: Some(vec![Role::Viewer]), ..UserPatch::default() };
        stage.auth.patch_user(&admin, bob.id, patch).await.unwrap();
        assert_eq!(held(&stage.knows(token.expose()).await.unwrap()), [Permission::ReadTargets], "at use as well");

        let listed = stage.auth.tokens(&admin, &PageRequest::default()).await.unwrap();
        assert_eq!((listed.items.len(), listed.items[0].last_used_at), (1, Some(stage.world.backends.clock.now())));
        stage.auth.revoke_token(&admin, entry.id).await.unwrap();
        assert_eq!(stage.knows(token.expose()).await.unwrap_err().code(), "auth.token");
        assert_eq!(stage.auth.revoke_token(&admin, entry.id).await.unwrap_err().code(), "auth.no_token");
    }
}

#[tokio::test]
async fn an_api_token_cannot_become_the_person_it_acts_for() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let (_, token) = stage.auth.create_token(&admin, new(&[Permission::WriteUsers])).await.unwrap();
        let program = stage.knows(token.expose()).await.unwrap();
        let refused = stage.auth.invite(&program, admin.user.unwrap(), Language::English).await.unwrap_err();
        assert_eq!(refused.code(), "auth.people_only");
        stage.auth.invite(&admin, admin.user.unwrap(), Language::English).await.unwrap();
    }
}

#[tokio::test]
async fn an_api_token_ends_and_a_near_miss_is_none() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let now = stage.world.backends.clock.now();
        let day = Duration::from_secs(24 * 3600);
        for wrong in [now, now + day * 400] {
            let request = NewToken { expires_at: Some(wrong), ..new(&[Permission::ReadTargets]) };
            assert_eq!(stage.auth.create_token(&admin, request).await.unwrap_err().code(), "auth.expiry");
        }
        let (entry, token) = stage.auth.create_token(&admin, new(&[Permission::ReadTargets])).await.unwrap();
        assert_eq!(entry.expires_at, now + day * 90);
        stage.knows(token.expose()).await.unwrap();
        let mut near = token.expose().clone();
        let last = if near.ends_with('A') { 'B' } else { 'A' };
        near.pop();
        near.push(last);
        assert_eq!(stage.knows(&near).await.unwrap_err().code(), "auth.token");
        stage.pass(90 * 24 * 3600);
        assert_eq!(stage.knows(token.expose()).await.unwrap_err().code(), "auth.token");
    }
}

#[tokio::test]
async fn a_program_gets_no_link_that_outlives_its_token() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let (_, token) = stage.auth.create_token(&admin, new(&held(&admin))).await.unwrap();
        let program = stage.knows(token.expose()).await.unwrap();
        let eve = |password: Option<&str>| NewUser {
            username: "eve".to_owned(),
            email: "eve@example.org".to_owned(),
            roles: vec![Role::Viewer],
            units: Vec::new(),
            password: password.map(secret),
            language: Language::English,
        };
        assert_eq!(stage.auth.create_user(&program, eve(None)).await.unwrap_err().code(), "auth.people_only");
        let added = stage.auth.create_user(&program, eve(Some(PASSWORD))).await.unwrap();
        assert!(added.invitation.is_none());
        assert_eq!(stage.auth.invite(&program, added.user.id, Language::English).await.unwrap_err().code(), "auth.people_only");
    }
}

#[tokio::test]
async fn a_locked_user_takes_their_tokens_along() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let bob = stage.add(&admin, "bob", &[Role::SecurityAnalyst]).await;
        let actor = stage.enter("bob").await;
        let (_, token) = stage.auth.create_token(&actor, new(&[Permission::ReadScans])).await.unwrap();
        let bearer = stage.bearer("bob").await;
        stage.knows(token.expose()).await.unwrap();
        stage.knows(&bearer).await.unwrap();
        stage.auth.lock_user(&admin, bob.id, "left the company").await.unwrap();
        assert!(stage.knows(token.expose()).await.is_err() && stage.knows(&bearer).await.is_err());
        stage.auth.unlock_user(&admin, bob.id).await.unwrap();
        stage.knows(token.expose()).await.unwrap();
        assert!(stage.knows(&bearer).await.is_err(), "access tokens from before stay dead");
        stage.auth.delete_user(&admin, bob.id).await.unwrap();
        assert!(stage.knows(token.expose()).await.is_err());
    }
}
