//! Authorisations: who allows testing of what, recorded and taken back.

use std::io::Read;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use base::{Id, Result};
use targets::{Authorization, NewAuthorization, Rule, RuleKind, RuleText, Target, TargetId};

use super::{Shown, done, refused};
use crate::Shared;
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer};
use crate::upload::Parts;

const INTRUSIVENESS: &str = "passive safe intrusive";
/// Largest file that proves an authorisation.
const LARGEST_EVIDENCE: u64 = 16 << 20;
/// Offered as the end of a new authorisation: long enough to work, short enough to be asked again.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Template)]
#[template(path = "authorizations/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    target: Target,
}

#[derive(Template)]
#[template(path = "authorizations/evidence.html")]
struct EvidencePage {
    frame: Frame,
    form: Form,
    granted: Authorization,
}

#[derive(Template)]
#[template(path = "authorizations/revoke.html")]
struct RevokePage {
    frame: Frame,
    form: Form,
    granted: Authorization,
    rules: Vec<String>,
}

pub(crate) async fn new(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Target>) -> Shown {
    let target = services.targets.get(&viewer.actor, id).await?;
    let covering = target.endpoint().map(|address| RuleText::from(Rule::covering(&address)).value).unwrap_or_default();
    let until = viewer.now + MONTH;
    let fields = Fields::default()
        .set("rules", covering)
        .set("intrusiveness", "safe")
        .set("valid_until", until.to_chrono().format("%Y-%m-%dT%H:%M").to_string());
    render(&NewPage { frame: viewer.frame, form: Form::of(fields), target })
}

pub(crate) async fn create(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Target>, fields: Fields) -> Shown {
    let outcome = match built(id, &fields) {
        Ok(new) => services.targets.authorize(&viewer.actor, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(done(&format!("/targets/{id}"), "authorized")),
        Err(error) => {
            let target = services.targets.get(&viewer.actor, id).await?;
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            show_as(status, &NewPage { frame: viewer.frame, form, target })
        }
    }
}

fn built(target: TargetId, fields: &Fields) -> Result<NewAuthorization> {
    Ok(NewAuthorization {
        target: Some(target),
        rules: rules(fields.get("rules")),
        exclusions: rules(fields.get("exclusions")),
        valid_from: fields.moment("valid_from")?,
        valid_until: fields.moment("valid_until")?.ok_or_else(|| crate::errors::not_a_moment("valid_until"))?,
        intrusiveness: fields.word("intrusiveness")?,
        granted_by: fields.get("granted_by").to_owned(),
        evidence: fields.get("evidence").to_owned(),
    })
}

/// One rule a line; its look says its kind.
fn rules(text: &str) -> Vec<RuleText> {
    let kind = |line: &str| match line {
        line if line.contains("://") => RuleKind::UrlPrefix,
        line if line.contains('/') => RuleKind::Cidr,
        _ => RuleKind::Host,
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| RuleText { kind: kind(line), value: line.to_owned() }).collect()
}

/// Where to go back to.
fn home(granted: &Authorization) -> String {
    granted.target.map_or_else(|| "/targets".to_owned(), |id| format!("/targets/{id}"))
}

pub(crate) async fn ask(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Authorization>) -> Shown {
    let granted = services.targets.authorization(&viewer.actor, id).await?;
    asked(viewer, granted, Form::default(), http::StatusCode::OK)
}

fn asked(viewer: Viewer, granted: Authorization, form: Form, status: http::StatusCode) -> Shown {
    let rules = super::targets::written(&granted.rules);
    show_as(status, &RevokePage { frame: viewer.frame, form, granted, rules })
}

pub(crate) async fn revoke(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Authorization>, fields: Fields) -> Shown {
    let id: Id<Authorization> = id;
    match services.targets.revoke(&viewer.actor, id, fields.get("reason")).await {
        Ok(granted) => Ok(done(&home(&granted), "revoked")),
        Err(error) => {
            let granted = services.targets.authorization(&viewer.actor, id).await?;
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            asked(viewer, granted, form, status)
        }
    }
}

pub(crate) async fn evidence(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Authorization>) -> Shown {
    let granted = services.targets.authorization(&viewer.actor, id).await?;
    render(&EvidencePage { frame: viewer.frame, form: Form::default(), granted })
}

/// Takes in the file that proves an authorisation.
pub(crate) async fn prove(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Authorization>, parts: Parts) -> Shown {
    viewer.actor.scope(targets::actions::PROVE)?;
    let outcome = match read(parts).await {
        Ok(file) => services.targets.prove(&viewer.actor, id, file).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(granted) => Ok(done(&home(&granted), "evidence_kept")),
        Err(error) => {
            let granted = services.targets.authorization(&viewer.actor, id).await?;
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, Fields::default(), error)?;
            show_as(status, &EvidencePage { frame: viewer.frame, form, granted })
        }
    }
}

async fn read(parts: Parts) -> Result<Vec<u8>> {
    let mut file = parts.read(LARGEST_EVIDENCE).await?.file.ok_or_else(crate::errors::no_file)?.file;
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(crate::errors::spool)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_of_a_rule_says_its_kind() {
        let kinds: Vec<_> = rules("example.org\n\n 192.0.2.0/24 \nhttps://example.org/app/").into_iter().map(|rule| rule.kind).collect();
        assert_eq!(kinds, [RuleKind::Host, RuleKind::Cidr, RuleKind::UrlPrefix]);
    }
}
