//! Kill switches over HTTP: propose, confirm with the password, release.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Page, PageRequest, Secret};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Answer, Body, Caller, Params, PathId};

use crate::model::{Switch, SwitchId};
use crate::order::{Because, NewSwitch};
use crate::service::Devices;

/// Kill switches, newest first.
#[utoipa::path(get, path = "/devices/switches", operation_id = "list_kill_switches", tag = "devices", params(PageRequest),
    responses((status = 200, body = Page<Switch>), web::ErrorResponses))]
pub(super) async fn list(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Switch>>> {
    Ok(Json(devices.switches(&actor, &page).await?))
}

/// Proposes a kill switch; `affects` says how many phones it would stop. It stops nobody yet.
#[utoipa::path(post, path = "/devices/switches", operation_id = "propose_kill_switch", tag = "devices", request_body = NewSwitch,
    responses((status = 201, body = Switch), web::ErrorResponses))]
pub(super) async fn propose(State(devices): State<Devices>, Caller(actor): Caller, Body(new): Body<NewSwitch>) -> Answer<Response> {
    let switch = devices.propose_switch(&actor, new).await?;
    Ok(web::created("switches", &switch))
}

/// The password again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KillSwitchConfirmation)]
pub(super) struct Confirmation {
    /// The password of whoever throws the switch.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1024, format = Password)]
    password: Option<Secret<String>>,
}

/// Throws a proposed kill switch; the global one takes another person than its proposer.
#[utoipa::path(post, path = "/devices/switches/{switch_id}/confirm", operation_id = "confirm_kill_switch", tag = "devices",
    request_body = Confirmation, params(("switch_id" = SwitchId, Path)), responses((status = 200, body = Switch), web::ErrorResponses))]
pub(super) async fn confirm(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Switch>,
    Body(given): Body<Confirmation>,
) -> Answer<Json<Switch>> {
    Ok(Json(devices.confirm_switch(&actor, id, given.password.as_ref()).await?))
}

/// Takes a kill switch back.
#[utoipa::path(post, path = "/devices/switches/{switch_id}/release", operation_id = "release_kill_switch", tag = "devices",
    request_body = Because, params(("switch_id" = SwitchId, Path)), responses((status = 200, body = Switch), web::ErrorResponses))]
pub(super) async fn release(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Switch>,
    Body(why): Body<Because>,
) -> Answer<Json<Switch>> {
    Ok(Json(devices.release_switch(&actor, id, &why.reason).await?))
}
