//! What phones ask. Each request carries a DPoP proof (RFC 9449) with our nonce; the first one without it is told the nonce.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use web::{Body, Params, Path};

use super::batch::{Batch, SignalBytes};
use super::presented::{Answer, Applicant, Keyholder, Prover, Served, Spoken, WithCode};
use crate::model::Command;
use crate::service::{
    Attestation, Attesting, Challenge, CommandPage, DeviceReason, Devices, Enrolled, Enrolment, SignalBatch, SignalReceipt, Tokens,
};
use crate::vocabulary::Outcome;

/// Asks for a nonce to attest: with an enrolment code before, with the phone's key after enrolment.
#[utoipa::path(post, path = "/device/nonce", operation_id = "device_nonce", tag = "phones", security(("dpop" = [])),
    params(("Enrolment-Code" = Option<String>, Header, description = "The enrolment code, before enrolment", max_length = 128)),
    responses((status = 200, body = Challenge), web::ErrorResponses))]
pub(super) async fn nonce(State(devices): State<Devices>, applicant: Applicant) -> Answer<Json<Challenge>> {
    Ok(Json(match applicant {
        Applicant::Code(code) => devices.challenge_code(&code).await?,
        Applicant::Phone(phone) => devices.challenge_phone(&phone).await?,
    }))
}

/// Enrols a phone: a code, a key, and what the platform says of it.
#[utoipa::path(post, path = "/device/enrol", operation_id = "device_enrol", tag = "phones", security(("dpop" = [])),
    params(("Enrolment-Code" = String, Header, description = "The enrolment code", max_length = 128)), request_body = Enrolment,
    responses((status = 201, body = Enrolled), web::ErrorResponses))]
pub(super) async fn enrol(
    State(devices): State<Devices>,
    WithCode(code): WithCode,
    Prover(proof, origin): Prover,
    Body(new): Body<Enrolment>,
) -> Answer<Response> {
    let enrolled = devices.enrol(&code, &proof, new, &origin).await?;
    Ok(web::created("why", &enrolled))
}

/// Proves again what the phone is; the phone's key is enough to ask.
#[utoipa::path(post, path = "/device/attest", operation_id = "device_attest", tag = "phones", security(("dpop" = [])),
    request_body = Attesting, responses((status = 200, body = Attestation), web::ErrorResponses))]
pub(super) async fn attest(
    State(devices): State<Devices>,
    Keyholder(phone, origin): Keyholder,
    Body(new): Body<Attesting>,
) -> Answer<Json<Attestation>> {
    Ok(Json(devices.attest(&phone, new, &origin).await?))
}

/// A refresh token to be exchanged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceRefresh)]
pub(super) struct RefreshBody {
    /// The refresh token.
    #[schema(max_length = 256)]
    refresh_token: String,
}

/// Exchanges a refresh token; a lost reply repeated within seconds gets the same successor.
#[utoipa::path(post, path = "/device/token", operation_id = "device_token", tag = "phones", security(("dpop" = [])),
    request_body = RefreshBody, responses((status = 200, body = Tokens), web::ErrorResponses))]
pub(super) async fn token(
    State(devices): State<Devices>,
    Prover(proof, origin): Prover,
    Body(body): Body<RefreshBody>,
) -> Answer<Json<Tokens>> {
    Ok(Json(devices.refresh(&body.refresh_token, &proof, &origin).await?))
}

/// Sends what the phone measured since the last batch.
#[utoipa::path(post, path = "/device/signals", operation_id = "device_signals", tag = "phones", security(("dpop" = [])),
    request_body(content((SignalBatch = "application/json"), (SignalBytes = "application/x-protobuf"))),
    responses((status = 200, body = SignalReceipt), web::ErrorResponses))]
pub(super) async fn signals(
    State(devices): State<Devices>,
    Served(phone, origin): Served,
    Batch(batch): Batch,
) -> Answer<Json<SignalReceipt>> {
    Ok(Json(devices.signals(&phone, batch, &origin).await?))
}

/// From where commands are told.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Number of the last command the phone got.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
}

/// Commands for the phone, also while it is locked: those after a number, and every one it has not answered.
#[utoipa::path(get, path = "/device/commands", operation_id = "device_commands", tag = "phones", security(("dpop" = [])), params(After),
    responses((status = 200, body = CommandPage), web::ErrorResponses))]
pub(super) async fn commands(
    State(devices): State<Devices>,
    Keyholder(phone, _): Keyholder,
    Params(from): Params<After>,
) -> Answer<Json<CommandPage>> {
    Ok(Json(devices.commands_since(&phone, from.after.max(0)).await?))
}

/// What became of a command.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceAcknowledgement)]
pub(super) struct Acknowledgement {
    /// What became of it.
    outcome: Outcome,
}

/// Tells what became of a command; the first answer stands.
#[utoipa::path(post, path = "/device/commands/{sequence}/acknowledge", operation_id = "device_acknowledge", tag = "phones",
    security(("dpop" = [])), params(("sequence" = i64, Path, minimum = 1)), request_body = Acknowledgement,
    responses((status = 200, body = Command), web::ErrorResponses))]
pub(super) async fn acknowledge(
    State(devices): State<Devices>,
    Keyholder(phone, _): Keyholder,
    Path(sequence): Path<i64>,
    Body(told): Body<Acknowledgement>,
) -> Answer<Json<Command>> {
    Ok(Json(devices.acknowledge(&phone, sequence, told.outcome).await?))
}

/// Why the phone may do what it may do, in its user's language; also while it is locked.
#[utoipa::path(get, path = "/device/why", operation_id = "device_why", tag = "phones", security(("dpop" = [])),
    responses((status = 200, body = DeviceReason), web::ErrorResponses))]
pub(super) async fn why(
    State(devices): State<Devices>,
    Keyholder(phone, _): Keyholder,
    Spoken(language): Spoken,
) -> Answer<Json<DeviceReason>> {
    Ok(Json(devices.reason(&phone, language.as_deref()).await?))
}
