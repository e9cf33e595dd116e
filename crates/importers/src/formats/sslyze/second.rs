//! A server of SSLyze JSON before version 3, said in the words of the later versions.

use serde_json::{Map, Value, json};

use crate::json;

/// Commands of the old reports and what they are called since.
const COMMANDS: [(&str, &str); 12] = [
    ("certinfo", "certificate_info"),
    ("compression", "tls_compression"),
    ("heartbleed", "heartbleed"),
    ("openssl_ccs", "openssl_ccs_injection"),
    ("reneg", "session_renegotiation"),
    ("robot", "robot"),
    ("sslv2", "ssl_2_0_cipher_suites"),
    ("sslv3", "ssl_3_0_cipher_suites"),
    ("tlsv1", "tls_1_0_cipher_suites"),
    ("tlsv1_1", "tls_1_1_cipher_suites"),
    ("tlsv1_2", "tls_1_2_cipher_suites"),
    ("tlsv1_3", "tls_1_3_cipher_suites"),
];

/// The same server as a later version would have told it.
pub(super) fn modern(value: &Value) -> Value {
    let place = json::at(value, &["server_info"]).unwrap_or(&Value::Null);
    let mut results = Map::new();
    for (command, outcome) in json::at(value, &["commands_results"]).and_then(Value::as_object).into_iter().flatten() {
        let name = COMMANDS.iter().find(|(old, _)| old == command).map_or(command.as_str(), |(_, name)| name);
        let failed = ["error", "error_message"].into_iter().find_map(|member| json::text(outcome, &[member]));
        let told = match failed {
            Some(reason) => json!({"status": "ERROR", "error_reason": reason, "result": null}),
            None => json!({"status": "COMPLETED", "result": result(name, outcome)}),
        };
        results.insert(name.to_owned(), told);
    }
    json!({
        "server_location": {
            "hostname": place.get("hostname"),
            "ip_address": place.get("ip_address"),
            "port": place.get("port"),
        },
        "scan_result": results,
    })
}

fn result(command: &str, outcome: &Value) -> Value {
    match command {
        "certificate_info" => certificates(outcome),
        "tls_compression" => json!({"supports_compression": json::text(outcome, &["compression_name"]).is_some()}),
        "robot" => json!({"robot_result": outcome.get("robot_result_enum")}),
        _ if command.ends_with("_cipher_suites") => {
            let suites = json::items(outcome, &["accepted_cipher_list"]);
            // The standard's name where there is one: the other is that of a library.
            let named = suites.map(|suite| json!({"cipher_suite": {"name": suite.get("name").or(suite.get("openssl_name"))}}));
            json!({"accepted_cipher_suites": named.collect::<Vec<_>>()})
        }
        // Members kept their names.
        _ => outcome.clone(),
    }
}

fn certificates(outcome: &Value) -> Value {
    let said = |validation: &Value| {
        let error = ["verify_string", "error_message"].into_iter().find_map(|name| json::text(validation, &[name]));
        json!({"trust_store": validation.get("trust_store"), "openssl_error_string": error.filter(|text| *text != "ok")})
    };
    let lists = ["path_validation_result_list", "path_validation_error_list"];
    let validations: Vec<Value> = lists.into_iter().filter_map(|list| outcome.get(list)?.as_array()).flatten().map(said).collect();
    let matches = outcome.get("leaf_certificate_subject_matches_hostname").or(outcome.get("certificate_matches_hostname"));
    json!({"certificate_deployments": [{
        "leaf_certificate_subject_matches_hostname": matches,
        "path_validation_results": validations,
    }]})
}
