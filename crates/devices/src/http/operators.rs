//! What people ask about phones.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Page, PageRequest};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Answer, Body, Caller, Params, PathId};

use crate::model::{Code, Command, Device, DeviceId, Filter, Lock, Moment, Policy, Seen, Why};
use crate::order::{Because, DevicePatch, LockOrder, NewCode, OverlayOrder, PolicyPatch};
use crate::service::{CommandPage, Devices};

/// Phones, newest first, each with what it said last.
#[utoipa::path(get, path = "/devices", operation_id = "list_devices", tag = "devices", params(Filter, PageRequest),
    responses((status = 200, body = Page<Seen>), web::ErrorResponses))]
pub(super) async fn list(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    Params(filter): Params<Filter>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Seen>>> {
    Ok(Json(devices.list(&actor, &filter, &page).await?))
}

/// Enrolment codes, newest first.
#[utoipa::path(get, path = "/devices/codes", operation_id = "list_enrolment_codes", tag = "devices", params(PageRequest),
    responses((status = 200, body = Page<Code>), web::ErrorResponses))]
pub(super) async fn codes(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Code>>> {
    Ok(Json(devices.codes(&actor, &page).await?))
}

/// Makes a code with which one phone can enrol; it is shown only now.
#[utoipa::path(post, path = "/devices/codes", operation_id = "create_enrolment_code", tag = "devices", request_body = NewCode,
    responses((status = 201, body = Code), web::ErrorResponses))]
pub(super) async fn create_code(State(devices): State<Devices>, Caller(actor): Caller, Body(new): Body<NewCode>) -> Answer<Response> {
    let code = devices.create_code(&actor, new).await?;
    Ok(web::created("codes", &code))
}

/// What the organisation allows.
#[utoipa::path(get, path = "/devices/policy", operation_id = "get_device_policy", tag = "devices",
    responses((status = 200, body = Policy), web::ErrorResponses))]
pub(super) async fn policy(State(devices): State<Devices>, Caller(actor): Caller) -> Answer<Json<Policy>> {
    Ok(Json(devices.policy(&actor).await?))
}

/// Changes what the organisation allows: absent fields stay.
#[utoipa::path(patch, path = "/devices/policy", operation_id = "patch_device_policy", tag = "devices", request_body = PolicyPatch,
    responses((status = 200, body = Policy), web::ErrorResponses))]
pub(super) async fn patch_policy(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    Body(patch): Body<PolicyPatch>,
) -> Answer<Json<Policy>> {
    Ok(Json(devices.patch_policy(&actor, patch).await?))
}

/// Lets phones be locked by themselves again after that stopped because too many were.
#[utoipa::path(post, path = "/devices/policy/resume", operation_id = "resume_device_locks", tag = "devices", request_body = Because,
    responses((status = 200, body = Policy), web::ErrorResponses))]
pub(super) async fn resume(State(devices): State<Devices>, Caller(actor): Caller, Body(why): Body<Because>) -> Answer<Json<Policy>> {
    Ok(Json(devices.resume(&actor, &why.reason).await?))
}

/// One phone.
#[utoipa::path(get, path = "/devices/{device_id}", operation_id = "get_device", tag = "devices",
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = Seen), web::ErrorResponses))]
pub(super) async fn get(State(devices): State<Devices>, Caller(actor): Caller, PathId(id): PathId<Device>) -> Answer<Json<Seen>> {
    Ok(Json(devices.get(&actor, id).await?))
}

/// Renames a phone, or puts it on the list of those never locked by themselves.
#[utoipa::path(patch, path = "/devices/{device_id}", operation_id = "patch_device", tag = "devices", request_body = DevicePatch,
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = Device), web::ErrorResponses))]
pub(super) async fn patch(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Device>,
    Body(patch): Body<DevicePatch>,
) -> Answer<Json<Device>> {
    Ok(Json(devices.patch(&actor, id, patch).await?))
}

/// What happened to a phone, newest first.
#[utoipa::path(get, path = "/devices/{device_id}/timeline", operation_id = "get_device_timeline", tag = "devices",
    params(("device_id" = DeviceId, Path), PageRequest), responses((status = 200, body = Page<Moment>), web::ErrorResponses))]
pub(super) async fn timeline(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Device>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Moment>>> {
    Ok(Json(devices.timeline(&actor, id, &page).await?))
}

/// Why a phone may do what it may do: its lock, its newest window taken apart, its attestation.
#[utoipa::path(get, path = "/devices/{device_id}/why", operation_id = "get_device_why", tag = "devices",
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = Why), web::ErrorResponses))]
pub(super) async fn why(State(devices): State<Devices>, Caller(actor): Caller, PathId(id): PathId<Device>) -> Answer<Json<Why>> {
    Ok(Json(devices.why(&actor, id).await?))
}

/// Locks of a phone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceLocks)]
pub(super) struct Locks {
    /// The locks, newest first.
    #[schema(max_items = 100)]
    items: Vec<Lock>,
}

/// Locks of a phone, newest first: why, on what evidence, until when, and who took them back.
#[utoipa::path(get, path = "/devices/{device_id}/locks", operation_id = "list_device_locks", tag = "devices",
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = Locks), web::ErrorResponses))]
pub(super) async fn locks(State(devices): State<Devices>, Caller(actor): Caller, PathId(id): PathId<Device>) -> Answer<Json<Locks>> {
    Ok(Json(Locks { items: devices.locks(&actor, id).await? }))
}

/// Commands given to a phone, newest first.
#[utoipa::path(get, path = "/devices/{device_id}/commands", operation_id = "list_device_commands", tag = "devices",
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = CommandPage), web::ErrorResponses))]
pub(super) async fn commands(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Device>,
) -> Answer<Json<CommandPage>> {
    Ok(Json(devices.commands_of(&actor, id).await?))
}

/// Locks a phone: its next request is refused on every node.
#[utoipa::path(post, path = "/devices/{device_id}/lock", operation_id = "lock_device", tag = "devices", request_body = LockOrder,
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = Lock), web::ErrorResponses))]
pub(super) async fn lock(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Device>,
    Body(order): Body<LockOrder>,
) -> Answer<Json<Lock>> {
    Ok(Json(devices.lock(&actor, id, order).await?))
}

/// Keeps a lock beyond its day, until a person releases it.
#[utoipa::path(post, path = "/devices/{device_id}/lock/confirm", operation_id = "confirm_device_lock", tag = "devices",
    request_body = Because, params(("device_id" = DeviceId, Path)), responses((status = 200, body = Lock), web::ErrorResponses))]
pub(super) async fn confirm_lock(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Device>,
    Body(why): Body<Because>,
) -> Answer<Json<Lock>> {
    Ok(Json(devices.confirm_lock(&actor, id, &why.reason).await?))
}

/// Releases a locked phone, or trusts a restricted one again.
#[utoipa::path(post, path = "/devices/{device_id}/unlock", operation_id = "unlock_device", tag = "devices", request_body = Because,
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = Device), web::ErrorResponses))]
pub(super) async fn unlock(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Device>,
    Body(why): Body<Because>,
) -> Answer<Json<Device>> {
    Ok(Json(devices.unlock(&actor, id, &why.reason).await?))
}

/// Puts a message over a phone's screen until its user saw it.
#[utoipa::path(post, path = "/devices/{device_id}/overlay", operation_id = "overlay_device", tag = "devices", request_body = OverlayOrder,
    params(("device_id" = DeviceId, Path)), responses((status = 200, body = Command), web::ErrorResponses))]
pub(super) async fn overlay(
    State(devices): State<Devices>,
    Caller(actor): Caller,
    PathId(id): PathId<Device>,
    Body(order): Body<OverlayOrder>,
) -> Answer<Json<Command>> {
    Ok(Json(devices.overlay(&actor, id, order).await?))
}
