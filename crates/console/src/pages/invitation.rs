//! The page behind an invitation: its receiver sets a password.

use askama::Template;
use axum::extract::State;
use base::Secret;
use web::Peer;

use super::{Shown, done, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show, show_as};
use crate::request::Visitor;
use crate::{Shared, errors};

#[derive(Template)]
#[template(path = "session/invitation.html")]
struct InvitationPage {
    frame: Frame,
    form: Form,
    token: String,
}

pub(crate) async fn form(Visitor(frame): Visitor) -> Shown {
    let token = frame.query.get("token").to_owned();
    show(&InvitationPage { frame, form: Form::default(), token })
}

pub(crate) async fn accept(State(services): State<Shared>, Visitor(frame): Visitor, Peer(origin): Peer, fields: Fields) -> Shown {
    let outcome = if fields.raw("password") == fields.raw("repeated") {
        services.auth.accept_invitation(fields.get("token"), &Secret::new(fields.raw("password").to_owned()), &origin).await
    } else {
        Err(errors::passwords_differ())
    };
    match outcome {
        Ok(_) => Ok(done("/sign-in", "password_set")),
        Err(error) => {
            let token = fields.get("token").to_owned();
            let status = crate::failure::status(error.kind());
            let form = refused(&frame, fields, error)?;
            show_as(status, &InvitationPage { frame, form, token })
        }
    }
}
