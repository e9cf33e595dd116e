//! `tyrian user`: accounts of this installation, for the owner of its storage.

use std::io::{BufRead, IsTerminal, stdin};
use std::process::ExitCode;

use base::{Actor, Language, PageRequest, Permission, Result, Role, Secret, Source};
use serde_json::json;

use super::session::Session;
use crate::cli::{Cli, UserCommand};
use crate::config::Settings;
use crate::services::Services;
use crate::{errors, output};

/// Runs the command.
pub(super) async fn run(command: &UserCommand, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = match session.services() {
        Ok(services) => act(command, services, cli.json).await,
        Err(error) => Err(error),
    };
    session.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn act(command: &UserCommand, services: &Services, as_json: bool) -> Result<()> {
    let actor = Actor::system(services.auth.home_tenant().await?, Source::Cli);
    match command {
        UserCommand::Create { username, email, roles, units, organisation } => {
            let actor = match organisation {
                Some(name) => Actor::system(services.auth.create_tenant(&actor, name).await?.id, Source::Cli),
                None => actor,
            };
            let roles = roles.iter().map(|role| role.parse()).collect::<Result<Vec<Role>>>()?;
            let new = auth::NewUser {
                username: username.clone(),
                email: email.clone(),
                roles,
                units: units.clone(),
                password: Some(password(username)?),
                language: Language::English,
            };
            let created = services.auth.create_user(&actor, new).await?;
            if as_json {
                output::document(&created.user)
            } else {
                output::line(&format!("created {username}"));
                Ok(())
            }
        }
        UserCommand::List => list(services, &actor, as_json).await,
        UserCommand::Token { username, name, scopes } => {
            let user = find(services, &actor, username).await?;
            let scopes = if scopes.is_empty() {
                user.permissions().into_iter().collect()
            } else {
                scopes.iter().map(|scope| scope.parse()).collect::<Result<Vec<Permission>>>()?
            };
            let owner = Actor {
                user: Some(user.id),
                username: user.username.clone(),
                roles: user.roles.clone(),
                permissions: user.permissions(),
                units: user.units.clone(),
                ..actor
            };
            let (token, secret) =
                services.auth.create_token(&owner, auth::NewToken { name: name.clone(), scopes, expires_at: None }).await?;
            if as_json {
                output::document(&json!({ "token": secret.expose(), "expires_at": token.expires_at }))
            } else {
                output::line(secret.expose());
                output::note(&format!("valid until {}; it is shown only now", token.expires_at));
                Ok(())
            }
        }
    }
}

async fn list(services: &Services, actor: &Actor, as_json: bool) -> Result<()> {
    let users = everybody(services, actor).await?;
    if as_json {
        return output::document(&json!({ "users": users }));
    }
    for user in users {
        let roles: Vec<&str> = user.roles.iter().map(|role| role.as_str()).collect();
        output::line(&format!("{:<24} {:<32} {}", user.username, user.email, roles.join(", ")));
    }
    Ok(())
}

async fn everybody(services: &Services, actor: &Actor) -> Result<Vec<auth::User>> {
    let mut users = Vec::new();
    let mut request = PageRequest { cursor: None, limit: Some(PageRequest::MAXIMUM) };
    loop {
        let page = services.auth.users(actor, &request).await?;
        users.extend(page.items);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            return Ok(users);
        }
    }
}

async fn find(services: &Services, actor: &Actor, username: &str) -> Result<auth::User> {
    everybody(services, actor)
        .await?
        .into_iter()
        .find(|user| user.username.eq_ignore_ascii_case(username))
        .ok_or_else(|| errors::no_user(username))
}

/// Asks at a terminal, else takes one line of stdin.
fn password(username: &str) -> Result<Secret<String>> {
    if stdin().is_terminal() {
        let ask =
            |prompt: String| rpassword::prompt_password(prompt).map_err(|cause| errors::usage(format!("no password was given: {cause}")));
        let first = ask(format!("Password for {username}: "))?;
        if ask("Again: ".to_owned())? != first {
            return Err(errors::usage("the two passwords differ"));
        }
        return Ok(Secret::new(first));
    }
    let mut line = String::new();
    stdin().lock().read_line(&mut line).map_err(|cause| errors::usage(format!("no password on stdin: {cause}")))?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
