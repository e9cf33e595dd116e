//! What is sent to a server: mappings, documents and queries, in the part of the language that both products speak.

use std::ops::Bound;

use query::{Document, Expression, Key, Kind, Leaf, Schema, Test};
use serde_json::{Map, Value, json};

use super::super::{Entry, Inquiry, names};

/// Where an index keeps the fingerprint of its schema.
pub(super) const MARK: &str = "/mappings/_meta/tyrian";

/// Settings and mappings of a new index. Words come ready-made and are only split at spaces.
pub(super) fn index(schema: &Schema) -> Value {
    let mut fields = Map::new();
    let mut add = |name: &str, mapping: Value| fields.insert(name.to_owned(), mapping);
    let words = || json!({ "type": "text", "analyzer": "whitespace", "norms": false });
    let term = || json!({ "type": "keyword", "doc_values": false });
    add(names::TENANT, term());
    add(names::ID, json!({ "type": "keyword", "index": false }));
    add(names::WORDS, words());
    add(names::PRESENT, term());
    for field in schema.fields {
        add(
            field.name,
            match field.kind {
                Kind::Text => words(),
                Kind::Keyword => term(),
                Kind::Number => json!({ "type": "double" }),
                _ => json!({ "type": "long" }),
            },
        );
        if field.sortable {
            let kind = if matches!(field.kind, Kind::Text | Kind::Keyword) { "keyword" } else { "long" };
            add(&names::order(field.name), json!({ "type": kind, "index": false }));
        }
    }
    json!({
        "settings": { "index": { "number_of_shards": 1, "auto_expand_replicas": "0-1", "gc_deletes": "1h" } },
        "mappings": {
            "dynamic": "strict",
            "_source": { "enabled": false },
            "_meta": { "tyrian": schema.fingerprint() },
            "properties": fields,
        },
    })
}

/// Adds the lines of one change.
pub(super) fn bulk(lines: &mut Vec<u8>, ticket: i64, entry: &Entry) {
    let mut add = |value: &Value| {
        lines.extend_from_slice(value.to_string().as_bytes());
        lines.push(b'\n');
    };
    let target = |id: &str| json!({ "_id": id, "version": ticket, "version_type": "external_gte" });
    match entry {
        Entry::Put(stored) => {
            add(&json!({ "index": target(&stored.id) }));
            add(&document(stored));
        }
        Entry::Remove(id) => add(&json!({ "delete": target(id) })),
    }
}

fn document(document: &Document) -> Value {
    let mut fields = Map::new();
    fields.insert(names::TENANT.to_owned(), json!(document.tenant));
    fields.insert(names::ID.to_owned(), json!(document.id));
    fields.insert(names::PRESENT.to_owned(), json!(document.present().collect::<Vec<_>>()));
    let mut words = |name: &str, values: &[Vec<String>]| {
        if !values.is_empty() {
            fields.insert(name.to_owned(), json!(query::joined(values)));
        }
    };
    words(names::WORDS, document.words(None));
    for field in document.schema().fields {
        words(field.name, document.words(Some(field.name)));
    }
    for field in document.schema().fields {
        let values = match field.kind {
            Kind::Text => continue,
            Kind::Keyword => json!(document.terms(field.name)),
            Kind::Number => json!(document.numbers(field.name)),
            _ => json!(document.integers(field.name)),
        };
        fields.insert(field.name.to_owned(), values);
    }
    for field in document.schema().fields.iter().filter(|field| field.sortable) {
        fields.insert(names::order(field.name), key(&document.key(field)));
    }
    Value::Object(fields)
}

/// A whole search.
pub(super) fn search(inquiry: &Inquiry<'_>, counted: u64) -> Value {
    let direction = if inquiry.sort.descending { "desc" } else { "asc" };
    let sort = match inquiry.sort.field {
        Some(field) => json!([{ names::order(field.name): { "order": direction } }, { names::ID: { "order": "asc" } }]),
        None => json!([{ names::ID: { "order": direction } }]),
    };
    let tenant = json!({ "term": { names::TENANT: inquiry.tenant } });
    let mut body = json!({
        "size": inquiry.limit,
        "_source": false,
        "track_total_hits": counted,
        "query": { "bool": { "filter": [tenant, compiled(inquiry.expression)] } },
        "sort": sort,
    });
    if let (Some(position), Some(body)) = (inquiry.after, body.as_object_mut()) {
        let mut after: Vec<Value> = position.key.iter().map(key).collect();
        after.push(json!(position.id));
        body.insert("search_after".to_owned(), Value::Array(after));
    }
    body
}

fn key(key: &Key) -> Value {
    match key {
        Key::Integer(key) => json!(key),
        Key::Text(key) => json!(key),
    }
}

fn compiled(expression: &Expression) -> Value {
    let all = |parts: &[Expression]| parts.iter().map(compiled).collect::<Vec<_>>();
    match expression {
        Expression::And(parts) if parts.is_empty() => json!({ "match_all": {} }),
        Expression::And(parts) => json!({ "bool": { "filter": all(parts) } }),
        Expression::Or(parts) if parts.is_empty() => json!({ "match_none": {} }),
        Expression::Or(parts) => json!({ "bool": { "should": all(parts), "minimum_should_match": 1 } }),
        Expression::Not(part) => json!({ "bool": { "must_not": [compiled(part)] } }),
        Expression::Leaf(leaf) => test(leaf),
    }
}

fn test(leaf: &Leaf) -> Value {
    let place = leaf.field.map_or(names::WORDS, |field| field.name);
    match &leaf.test {
        Test::Present => json!({ "term": { names::PRESENT: place } }),
        Test::Phrase(words) => match words.as_slice() {
            [word] => json!({ "term": { place: word } }),
            words => json!({ "match_phrase": { place: { "query": words.join(" "), "analyzer": "whitespace" } } }),
        },
        Test::Term(term) => json!({ "term": { place: term } }),
        Test::WordPrefix(prefix) | Test::TermPrefix(prefix) => json!({ "prefix": { place: { "value": prefix } } }),
        Test::Integers(Some(low), Some(high)) if low == high => json!({ "term": { place: low } }),
        Test::Integers(low, high) => {
            let ends = low.iter().map(|low| ("gte", json!(low))).chain(high.iter().map(|high| ("lte", json!(high))));
            range(place, ends)
        }
        Test::Numbers(low, high) => {
            let low = match low {
                Bound::Included(low) => Some(("gte", json!(low))),
                Bound::Excluded(low) => Some(("gt", json!(low))),
                Bound::Unbounded => None,
            };
            let high = match high {
                Bound::Included(high) => Some(("lte", json!(high))),
                Bound::Excluded(high) => Some(("lt", json!(high))),
                Bound::Unbounded => None,
            };
            range(place, low.into_iter().chain(high))
        }
    }
}

fn range<'a>(place: &str, ends: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let ends: Map<String, Value> = ends.map(|(name, value)| (name.to_owned(), value)).collect();
    json!({ "range": { place: ends } })
}
