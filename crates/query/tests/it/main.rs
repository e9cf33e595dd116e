//! The language as a person types it: what is read, what is refused and where.
#![cfg(test)]

mod answers;
mod refusals;

use query::{Document, Expression, Field, QueryError, Schema, parse};

const NOW: i64 = 1_795_305_600_000_000;
const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];

static FINDINGS: Schema = Schema {
    name: "findings",
    fields: &[
        Field::text("title", "what it is called").sortable(),
        Field::text("description", "what it means"),
        Field::keyword("cve", "identifiers").free(),
        Field::keyword("place", "where"),
        Field::rank("severity", SEVERITIES, "how grave").sortable(),
        Field::number("cvss_score", "CVSS").sortable(),
        Field::integer("times_seen", "how often"),
        Field::time("first_seen", "since when").sortable(),
        Field::flag("exploited", "whether it is"),
    ],
    sort: "-severity",
};

fn read(text: &str) -> Result<Expression, QueryError> {
    parse(text, &FINDINGS, NOW)
}

/// One finding with everything.
fn finding() -> Document {
    Document::new(&FINDINGS, "tenant", "1")
        .with("title", "Weak TLS cipher suites")
        .with("description", "The server offers RC4. Clients may choose it.")
        .with_all("cve", ["CVE-2013-2566", "CVE-2015-2808"])
        .with("place", "https://Example.org:443/")
        .with("severity", "high")
        .with("cvss_score", 7.5)
        .with("times_seen", 3_i64)
        .with("first_seen", 1_767_312_000_000_000_i64)
        .with("exploited", true)
}
