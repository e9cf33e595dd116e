//! Routes of this context, relative to the API's root.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use web::{Answer as Answered, Body, Caller, OpenApiRouter, Params, routes};

use crate::model::{Answer, IndexState, NewRebuild, Question, Rebuilding};
use crate::service::Search;

/// The routes under `/search`.
pub fn routes(search: &Search) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(find)).routes(routes!(indices)).routes(routes!(rebuild)).with_state(search.clone())
}

/// Search an index.
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "search", params(Question),
    responses((status = 200, body = Answer), web::ErrorResponses))]
async fn find(State(search): State<Search>, Caller(actor): Caller, Params(question): Params<Question>) -> Answered<Json<Answer>> {
    Ok(Json(search.find(&actor, &question).await?))
}

/// The indices that can be searched, with their fields and whether they are up to date.
#[utoipa::path(get, path = "/search/indices", operation_id = "list_search_indices", tag = "search",
    responses((status = 200, body = Vec<IndexState>), web::ErrorResponses))]
async fn indices(State(search): State<Search>, Caller(actor): Caller) -> Answered<Json<Vec<IndexState>>> {
    Ok(Json(search.indices(&actor).await?))
}

/// Make indices anew from the database; they answer meanwhile.
#[utoipa::path(post, path = "/search/rebuild", operation_id = "rebuild_search", tag = "search", request_body = NewRebuild,
    responses((status = 202, description = "It will be done", body = Rebuilding), web::ErrorResponses))]
async fn rebuild(State(search): State<Search>, Caller(actor): Caller, Body(new): Body<NewRebuild>) -> Answered<Response> {
    let indices = search.rebuild(&actor, &new).await?;
    Ok((StatusCode::ACCEPTED, Json(Rebuilding { indices })).into_response())
}
