//! The people of the organisation: who is there, who comes, who may do what.

use askama::Template;
use auth::{Invitation, NewUser, User, UserPatch, UserState};
use axum::extract::State;
use base::{Result, Role, Unit};
use http::StatusCode;

use super::{Shown, done, page_of, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared};

const ROLES: &str = "admin security_analyst red_team blue_team viewer";

#[derive(Template)]
#[template(path = "settings/users.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    users: Vec<User>,
    /// Who was just invited, and their link; shown once.
    invitation: Option<(String, Link)>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "settings/user.html")]
struct UserPage {
    frame: Frame,
    form: Form,
    user: User,
    is_self: bool,
    invitation: Option<Link>,
}

fn roles(fields: &Fields) -> Result<Vec<Role>> {
    fields.all("roles").iter().map(|word| word.parse::<Role>().map_err(|error| error.at("/roles"))).collect()
}

/// Business units as they are typed: paths with commas between.
fn units(fields: &Fields) -> Result<Vec<Unit>> {
    let paths = fields.get("units").split(',').map(str::trim).filter(|path| !path.is_empty());
    paths.map(|path| path.parse::<Unit>().map_err(|error| error.at("/units"))).collect()
}

/// The word for where an account stands.
fn state(user: &User) -> &'static str {
    match user.state {
        UserState::Active => "active",
        UserState::Invited => "invited",
        UserState::Locked => "locked",
    }
}

/// An invitation to hand over.
struct Link {
    address: String,
    is_mailed: bool,
}

impl From<Invitation> for Link {
    fn from(invitation: Invitation) -> Self {
        Self { address: format!("/invitation?token={}", invitation.token.expose()), is_mailed: invitation.is_mailed }
    }
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    listed(&services, viewer, Form::of(Fields::default().set("roles", "viewer")), None, StatusCode::OK).await
}

async fn listed(services: &Services, viewer: Viewer, form: Form, invitation: Option<(String, Link)>, status: StatusCode) -> Shown {
    let page = services.auth.users(&viewer.actor, &page_of(&viewer.query)).await?;
    let next = viewer.query.next("/settings/users", page.next_cursor);
    show_as(status, &ListPage { frame: viewer.frame, form, users: page.items, invitation, next })
}

pub(crate) async fn create(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let outcome = match roles(&fields).and_then(|roles| Ok((roles, units(&fields)?))) {
        Ok((roles, units)) => {
            let new = NewUser {
                username: fields.get("username").to_owned(),
                email: fields.get("email").to_owned(),
                roles,
                units,
                password: None,
                language: viewer.frame.language,
            };
            services.auth.create_user(&viewer.actor, new).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(created) => {
            let invitation = created.invitation.map(|invitation| (created.user.username, Link::from(invitation)));
            listed(&services, viewer, Form::of(Fields::default().set("roles", "viewer")), invitation, StatusCode::OK).await
        }
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            listed(&services, viewer, form, None, status).await
        }
    }
}

fn filled(user: &User) -> Form {
    let units: Vec<&str> = user.units.iter().map(Unit::as_str).collect();
    let fields = Fields::default().set("email", &user.email).set("units", units.join(", "));
    let fields = user.roles.iter().fold(fields, |fields, role| fields.set("roles", role.as_str()));
    Form::of(fields)
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<base::User>) -> Shown {
    let user = services.auth.user(&viewer.actor, id).await?;
    let form = filled(&user);
    shown(viewer, user, form, None, StatusCode::OK)
}

fn shown(viewer: Viewer, user: User, form: Form, invitation: Option<Link>, status: StatusCode) -> Shown {
    let is_self = viewer.actor.user == Some(user.id);
    show_as(status, &UserPage { frame: viewer.frame, form, user, is_self, invitation })
}

pub(crate) async fn update(State(services): State<Shared>, viewer: Viewer, Named(id): Named<base::User>, fields: Fields) -> Shown {
    let outcome = match roles(&fields).and_then(|roles| Ok((roles, units(&fields)?))) {
        Ok((roles, units)) => {
            let patch = UserPatch { email: fields.text("email"), roles: Some(roles), units: Some(units) };
            services.auth.patch_user(&viewer.actor, id, patch).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(done(&format!("/settings/users/{id}"), "saved")),
        Err(error) => {
            let user = services.auth.user(&viewer.actor, id).await?;
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            shown(viewer, user, form, None, status)
        }
    }
}

pub(crate) async fn lock(State(services): State<Shared>, viewer: Viewer, Named(id): Named<base::User>, fields: Fields) -> Shown {
    match services.auth.lock_user(&viewer.actor, id, fields.get("reason")).await {
        Ok(_) => Ok(done(&format!("/settings/users/{id}"), "user_locked")),
        Err(error) => {
            let user = services.auth.user(&viewer.actor, id).await?;
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, Fields::default().set("email", &user.email), error)?;
            shown(viewer, user, form, None, status)
        }
    }
}

pub(crate) async fn unlock(State(services): State<Shared>, viewer: Viewer, Named(id): Named<base::User>) -> Shown {
    services.auth.unlock_user(&viewer.actor, id).await?;
    Ok(done(&format!("/settings/users/{id}"), "user_unlocked"))
}

pub(crate) async fn invite(State(services): State<Shared>, viewer: Viewer, Named(id): Named<base::User>) -> Shown {
    let invitation = services.auth.invite(&viewer.actor, id, viewer.frame.language).await?;
    let user = services.auth.user(&viewer.actor, id).await?;
    let form = filled(&user);
    shown(viewer, user, form, Some(invitation.into()), StatusCode::OK)
}

pub(crate) async fn delete(State(services): State<Shared>, viewer: Viewer, Named(id): Named<base::User>) -> Shown {
    services.auth.delete_user(&viewer.actor, id).await?;
    Ok(done("/settings/users", "user_deleted"))
}
