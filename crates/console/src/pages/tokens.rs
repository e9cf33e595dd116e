//! API tokens: made once, shown once, revoked at any time.

use std::time::Duration;

use askama::Template;
use auth::{ApiToken, NewToken};
use axum::extract::State;
use base::{Permission, Result, Time};
use http::StatusCode;

use super::{Shown, done, page_of, refused};
use crate::fields::{Fields, Form};
use crate::page::{Choice, Frame, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared};

const LIVES: &str = "7 30 90 365";
const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Template)]
#[template(path = "settings/tokens.html")]
struct TokensPage {
    frame: Frame,
    form: Form,
    tokens: Vec<ApiToken>,
    scopes: Vec<Choice>,
    /// The token just made.
    made: Option<String>,
    next: Option<String>,
}

/// Where a token stands now.
fn standing(token: &ApiToken, now: &Time) -> &'static str {
    match token {
        token if token.revoked_at.is_some() => "revoked",
        token if token.expires_at <= *now => "expired",
        _ => "active",
    }
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let form = Form::of(Fields::default().set("days", "90"));
    listed(&services, viewer, form, None, StatusCode::OK).await
}

async fn listed(services: &Services, viewer: Viewer, form: Form, made: Option<String>, status: StatusCode) -> Shown {
    let page = services.auth.tokens(&viewer.actor, &page_of(&viewer.query)).await?;
    let next = viewer.query.next("/settings/tokens", page.next_cursor);
    let choice = |permission: &Permission| Choice {
        value: permission.to_string(),
        label: viewer.word("permission", permission.to_string().replace(':', "_")),
    };
    let scopes = viewer.actor.permissions.iter().map(choice).collect();
    show_as(status, &TokensPage { form, tokens: page.items, scopes, made, next, frame: viewer.frame })
}

pub(crate) async fn create(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let outcome = match built(&viewer, &fields) {
        Ok(new) => services.auth.create_token(&viewer.actor, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((_, secret)) => {
            let form = Form::of(Fields::default().set("days", "90"));
            listed(&services, viewer, form, Some(secret.expose().clone()), StatusCode::OK).await
        }
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            listed(&services, viewer, form, None, status).await
        }
    }
}

fn built(viewer: &Viewer, fields: &Fields) -> Result<NewToken> {
    let scopes =
        fields.all("scopes").iter().map(|word| word.parse::<Permission>().map_err(|error| error.at("/scopes"))).collect::<Result<_>>()?;
    let days: Option<u32> = fields.get("days").parse().ok();
    Ok(NewToken { name: fields.get("name").to_owned(), scopes, expires_at: days.map(|days| viewer.now + DAY * days) })
}

pub(crate) async fn revoke(State(services): State<Shared>, viewer: Viewer, Named(id): Named<ApiToken>) -> Shown {
    services.auth.revoke_token(&viewer.actor, id).await?;
    Ok(done("/settings/tokens", "token_revoked"))
}
