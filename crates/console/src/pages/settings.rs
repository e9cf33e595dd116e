//! One's own account, and the organisation's.

use askama::Template;
use auth::{Organisation, SessionEntry, User};
use axum::extract::State;
use base::{Error, Secret};
use http::StatusCode;

use super::{Shown, done, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared, errors};

#[derive(Template)]
#[template(path = "settings/profile.html")]
struct ProfilePage {
    frame: Frame,
    form: Form,
    user: User,
    sessions: Vec<SessionEntry>,
}

#[derive(Template)]
#[template(path = "settings/organisation.html")]
struct OrganisationPage {
    frame: Frame,
    form: Form,
    organisation: Organisation,
    keys: Vec<Key>,
}

/// A public key that verifies access tokens.
struct Key {
    id: String,
    algorithm: String,
}

pub(crate) async fn profile(State(services): State<Shared>, viewer: Viewer) -> Shown {
    profiled(&services, viewer, Form::default(), StatusCode::OK).await
}

async fn profiled(services: &Services, viewer: Viewer, form: Form, status: StatusCode) -> Shown {
    let user = services.auth.myself(&viewer.actor).await?;
    let sessions = services.auth.sessions(&viewer.actor).await?;
    show_as(status, &ProfilePage { frame: viewer.frame, form, user, sessions })
}

pub(crate) async fn change_password(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let secret = |name| Secret::new(fields.raw(name).to_owned());
    let outcome = if fields.raw("password") == fields.raw("repeated") {
        services.auth.change_password(&viewer.actor, &secret("present"), &secret("password")).await
    } else {
        Err(errors::passwords_differ())
    };
    match outcome {
        Ok(()) => Ok(done("/settings/profile", "password_changed")),
        Err(error) => {
            let error = if error.code() == "auth.credentials" { Error::at(error, "/present") } else { error };
            let form = refused(&viewer, Fields::default(), error)?;
            profiled(&services, viewer, form, StatusCode::BAD_REQUEST).await
        }
    }
}

pub(crate) async fn end_session(State(services): State<Shared>, viewer: Viewer, Named(id): Named<SessionEntry>) -> Shown {
    services.auth.end_session(&viewer.actor, id).await?;
    Ok(done("/settings/profile", "session_ended"))
}

pub(crate) async fn organisation(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let organisation = services.auth.organisation(&viewer.actor).await?;
    let form = Form::of(Fields::default().set("name", &organisation.name));
    organised(&services, viewer, organisation, form, StatusCode::OK).await
}

pub(crate) async fn rename(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let organisation = services.auth.organisation(&viewer.actor).await?;
    match services.auth.rename_organisation(&viewer.actor, organisation.id, fields.get("name")).await {
        Ok(_) => Ok(done("/settings/organisation", "saved")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            organised(&services, viewer, organisation, form, status).await
        }
    }
}

async fn organised(services: &Services, viewer: Viewer, organisation: Organisation, form: Form, status: StatusCode) -> Shown {
    let jwks = services.auth.jwks().await?;
    let text = |key: &serde_json::Value, name: &str| key.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let keys = jwks
        .get("keys")
        .and_then(|keys| keys.as_array())
        .map(|keys| keys.iter().map(|key| Key { id: text(key, "kid"), algorithm: text(key, "alg") }).collect());
    show_as(status, &OrganisationPage { frame: viewer.frame, form, organisation, keys: keys.unwrap_or_default() })
}

pub(crate) async fn rotate_keys(State(services): State<Shared>, viewer: Viewer) -> Shown {
    services.auth.rotate_keys(&viewer.actor).await?;
    Ok(done("/settings/organisation", "keys_rotated"))
}
