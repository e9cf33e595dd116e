//! What the API document says of a parameter is true: whatever goes beyond is refused, by name.

use serde_json::{Value as Json, json};

use crate::server::{PASSWORD, Server, create_admin, http};

/// Longer texts do not fit into the address of a request at all.
const LONGEST_ASKED: u64 = 5_000;

/// An id of nothing.
const NOBODY: &str = "0190b8a0-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_takes_more_than_the_document_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    create_admin(&["--data", &data], &[], "ada");
    let unhurried = [("TYRIAN__GATEWAY__RATE_PER_ADDRESS__BURST", "100000"), ("TYRIAN__GATEWAY__RATE_PER_USER__BURST", "100000")];
    let server = Server::start(&["--data", &data], &unhurried);
    let session: Json = server.anonymous().post("auth/login", &json!({ "username": "ada", "password": PASSWORD })).await.unwrap();
    let http = http();
    let document: Json = http.get(server.base.join("openapi.json").unwrap()).send().await.unwrap().json().await.unwrap();
    let (mut asked, mut wrong) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| !path.starts_with("/device/")) {
        let parameters = queried(&document, &item["get"]);
        for (name, schema, _) in &parameters {
            for values in beyond(schema) {
                let others = parameters.iter().filter(|(other, _, required)| *required && other != name);
                let mut url = server.base.join(&format!("api/v1{}", filled(path))).unwrap();
                url.query_pairs_mut()
                    .extend_pairs(others.map(|(other, schema, _)| (other, within(schema))))
                    .extend_pairs(values.iter().map(|value| (name, value)));
                let response = http.get(url).bearer_auth(session["access_token"].as_str().unwrap()).send().await.unwrap();
                let (status, body) = (response.status().as_u16(), response.json::<Json>().await.unwrap());
                // Of what is not there nothing is asked.
                if status == 404 && (path.contains('{') || parameters.iter().any(|(other, _, required)| *required && other != name)) {
                    continue;
                }
                asked += 1;
                let is_named = body["errors"].as_array().is_some_and(|errors| errors.iter().any(|error| error["parameter"] == *name));
                if status != 400 || !is_named {
                    let given: String = values.concat().chars().take(40).collect();
                    wrong.push(format!("{path} answers {} times {name} = {given}: {status} {body}", values.len()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(asked > 100, "only {asked} limits are documented");
}

/// A path with an id in every place for one.
pub(crate) fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { NOBODY } else { part }).collect::<Vec<_>>().join("/")
}

/// Name, schema and whether it is required, of what an operation takes behind the question mark.
fn queried(document: &Json, operation: &Json) -> Vec<(String, Json, bool)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query");
    parameters
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap().to_owned();
            (name, resolved(document, &parameter["schema"]), parameter["required"] == true)
        })
        .collect()
}

/// A schema with the one it refers to in its place, and so for its items.
fn resolved(document: &Json, schema: &Json) -> Json {
    let reference = schema["$ref"].as_str().map(|reference| document.pointer(reference.trim_start_matches('#')).unwrap());
    let mut schema = reference.unwrap_or(schema).clone();
    if schema["items"].is_object() {
        schema["items"] = resolved(document, &schema["items"]);
    }
    schema
}

/// A value the schema allows.
fn within(schema: &Json) -> String {
    match (schema["enum"][0].as_str(), schema["format"].as_str()) {
        (Some(word), _) => word.to_owned(),
        (None, Some("uuid")) => NOBODY.to_owned(),
        (None, _) => "1".to_owned(),
    }
}

/// Values just outside the schema, one list for each of its limits.
fn beyond(schema: &Json) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| *most < LONGEST_ASKED) {
        all.push(vec![within(&schema["items"]); usize::try_from(most).unwrap() + 1]);
    }
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| *most < LONGEST_ASKED) {
        all.push(vec!["a".repeat(usize::try_from(most).unwrap() + 1)]);
    }
    if let Some(most) = schema["maximum"].as_i64() {
        all.push(vec![(most + 1).to_string()]);
    }
    if let Some(least) = schema["minimum"].as_i64() {
        all.push(vec![(least - 1).to_string()]);
    }
    if schema["enum"].is_array() || schema["format"] == "uuid" || schema["format"] == "date-time" {
        all.push(vec!["no-such-word".to_owned()]);
    }
    all
}
