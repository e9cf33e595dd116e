//! Coming in and going out: the first administrator, signing in, signing out.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base::Secret;
use http::{HeaderMap, StatusCode, header};
use web::Peer;

use super::{Shown, refused};
use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::page::{Frame, show, show_as};
use crate::request::{Viewer, Visitor, own_place};
use crate::{Services, Shared};

#[derive(Template)]
#[template(path = "session/sign_in.html")]
struct SignInPage {
    frame: Frame,
    form: Form,
}

#[derive(Template)]
#[template(path = "session/first_run.html")]
struct FirstRunPage {
    frame: Frame,
    form: Form,
    token: String,
}

pub(crate) async fn sign_in_form(State(services): State<Shared>, Visitor(frame): Visitor) -> Shown {
    if frame.actor.is_some() {
        return Ok(Redirect::to(own_place(frame.query.get("next"))).into_response());
    }
    if services.auth.first_admin_token().await?.is_some() {
        return Ok(Redirect::to("/first-run").into_response());
    }
    let form = Form::of(Fields::default().set("next", frame.query.get("next")));
    show(&SignInPage { frame, form })
}

pub(crate) async fn sign_in(
    State(services): State<Shared>,
    Visitor(frame): Visitor,
    Peer(origin): Peer,
    asked: HeaderMap,
    fields: Fields,
) -> Shown {
    let attempt = auth::SignIn { username: fields.get("username").to_owned(), password: Secret::new(fields.raw("password").to_owned()) };
    match services.auth.sign_in(attempt, &origin).await {
        Ok(session) => Ok(entered(&services, &asked, &session, own_place(fields.get("next")))),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&frame, fields, error)?;
            show_as(status, &SignInPage { frame, form })
        }
    }
}

pub(crate) async fn sign_out(State(services): State<Shared>, viewer: Viewer, asked: HeaderMap) -> Shown {
    services.auth.sign_out(&viewer.actor).await?;
    let mut response = Redirect::to("/sign-in?done=signed_out").into_response();
    if let Some(cookie) = services.auth.no_cookie(&asked) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

pub(crate) async fn first_run(State(services): State<Shared>, Visitor(frame): Visitor) -> Shown {
    if services.auth.first_admin_token().await?.is_none() {
        return Err(Failure::Elsewhere("/sign-in".to_owned()));
    }
    let token = frame.query.get("token").to_owned();
    show(&FirstRunPage { frame, form: Form::default(), token })
}

pub(crate) async fn create_first_admin(
    State(services): State<Shared>,
    Visitor(frame): Visitor,
    Peer(origin): Peer,
    asked: HeaderMap,
    fields: Fields,
) -> Shown {
    let password = Secret::new(fields.raw("password").to_owned());
    let username = fields.get("username").to_owned();
    let admin = auth::NewAdmin {
        organisation: fields.get("organisation").to_owned(),
        username: username.clone(),
        email: fields.get("email").to_owned(),
        password: password.clone(),
    };
    if let Err(error) = services.auth.create_first_admin(fields.get("token"), admin, &origin).await {
        let token = fields.get("token").to_owned();
        let status = crate::failure::status(error.kind());
        let form = refused(&frame, fields, error)?;
        return show_as(status, &FirstRunPage { frame, form, token });
    }
    let session = services.auth.sign_in(auth::SignIn { username, password }, &origin).await?;
    Ok(entered(&services, &asked, &session, "/"))
}

/// On to `place`, with the session's cookie.
fn entered(services: &Services, asked: &HeaderMap, session: &auth::Session, place: &str) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place.to_owned())]).into_response();
    if let Some(cookie) = services.auth.cookie(asked, session) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
