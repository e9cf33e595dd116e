//! Queries as a person could type them, of every kind of condition and nested.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::THINGS;

/// Every order there is.
pub(super) const SORTS: &[&str] =
    &["id", "-id", "title", "-title", "owner", "-owner", "severity", "-severity", "count", "-count", "score", "-score", "seen", "-seen"];

fn chosen(from: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(from).prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    let word = || {
        chosen(&[
            "weak",
            "Cipher",
            "tls",
            "TLS1.2",
            "strasse",
            "straße",
            "istanbul",
            "οδος",
            "fix",
            "ab",
            "cve-2024-1",
            "CVE-2024-10",
            "foo_bar",
            "a.b",
            "x",
            "中文",
            "1",
            "10",
            "naive",
            "the",
            "ete",
            "c\\+\\+",
            "/etc/passwd",
        ])
    };
    let prefix = || chosen(&["w*", "ciph*", "t*", "cve*", "中*", "1*", "y*", "É*", "str*"]);
    let phrase = || {
        chosen(&[
            "\"weak cipher\"",
            "\"cve 2024 1\"",
            "\"tls weak\"",
            "\"x x\"",
            "\"1 2 weak\"",
            "\"weak weak\"",
            "\"not the\"",
            "\"foo bar a\"",
        ])
    };
    let texts = prop_oneof![word(), prefix(), phrase()];
    let field = chosen(&["title:", "body:", "", "", ""]);
    let in_text = (field, texts).prop_map(|(field, value)| format!("{field}{value}"));
    let term = (chosen(&["label:", "owner:"]), prop_oneof![word(), prefix(), chosen(&["\"weak \"", "\"cve-2024-1-\"", "cve-2024-1*"])])
        .prop_map(|(field, value)| format!("{field}{value}"));
    let sign = || chosen(&["", ">", ">=", "<", "<=", "="]);
    let number = || chosen(&["0", "-1", "3", "7.5", "0.3", "1e300", "-1e300", "9.9", "-0"]);
    let integer = || chosen(&["0", "-1", "3", "9223372036854775807", "-9223372036854775808", "9007199254740993"]);
    let moment = || chosen(&["2026", "2026-03", "2025-12-31", "2026-11-22T00:00:00Z", "now", "now-30d", "now-52w"]);
    let severity = || chosen(&["info", "low", "medium", "HIGH", "critical"]);
    let compared = prop_oneof![
        (sign(), number()).prop_map(|(sign, value)| format!("score:{sign}{value}")),
        (sign(), integer()).prop_map(|(sign, value)| format!("count:{sign}{value}")),
        (sign(), moment()).prop_map(|(sign, value)| format!("seen:{sign}{value}")),
        (sign(), severity()).prop_map(|(sign, value)| format!("severity:{sign}{value}")),
    ];
    let ends = |low: BoxedStrategy<String>, high: BoxedStrategy<String>, name: &'static str| {
        let open = |end: BoxedStrategy<String>| prop_oneof![4 => end, 1 => Just("*".to_owned())];
        (chosen(&["[", "{"]), open(low), open(high), chosen(&["]", "}"]))
            .prop_map(move |(left, low, high, right)| format!("{name}:{left}{low} TO {high}{right}"))
    };
    let ranges = prop_oneof![
        ends(number().boxed(), number().boxed(), "score"),
        ends(integer().boxed(), integer().boxed(), "count"),
        ends(moment().boxed(), moment().boxed(), "seen"),
        ends(severity().boxed(), severity().boxed(), "severity"),
    ];
    let present = proptest::sample::select(THINGS.fields).prop_map(|field| format!("{}:*", field.name));
    let flag = chosen(&["open:true", "open:false", "-open:yes", "*"]);
    prop_oneof![4 => in_text, 2 => term, 2 => compared, 2 => ranges, 1 => present, 1 => flag]
}

fn question() -> impl Strategy<Value = String> {
    condition().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" ")),
            prop::collection::vec(inner.clone(), 2..5).prop_map(|parts| format!("({})", parts.join(" OR "))),
            prop::collection::vec(inner.clone(), 2..3).prop_map(|parts| parts.join(" AND ")),
            inner.clone().prop_map(|part| format!("NOT ({part})")),
            prop::collection::vec(inner, 2..3).prop_map(|parts| format!("({} OR NOT {})", parts.join(" AND "), parts.join(" "))),
        ]
    })
}

pub(super) fn generate(count: usize) -> Vec<String> {
    let mut runner = TestRunner::default();
    let fixed = ["", "*", "NOT *", "NOT weak", "NOT NOT weak", "weak OR NOT weak", "count:>9223372036854775807", "severity:{info TO low}"];
    let generated = (0..count).map(|_| question().new_tree(&mut runner).unwrap().current());
    fixed.into_iter().map(str::to_owned).chain(generated).collect()
}
