//! How a schema's fields lie in an index, and a document in them.

use query::{Document, Key, Kind, Schema};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema as Fields, SchemaBuilder, TextFieldIndexing, TextOptions};
use tantivy::{Index, TantivyDocument};

use super::super::names;

/// The fields of one open index.
pub(super) struct Layout {
    pub(super) schema: &'static Schema,
    pub(super) fields: Fields,
    pub(super) tenant: Field,
    pub(super) id: Field,
    pub(super) words: Field,
    pub(super) present: Field,
}

impl Layout {
    /// What the fields of `schema` become.
    pub(super) fn schema(schema: &Schema) -> Fields {
        build(schema).0
    }

    /// The layout of an index that was made from [`Layout::schema`].
    pub(super) fn of(index: &Index, schema: &'static Schema) -> Self {
        // Fields are numbered in the order in which they were added.
        let (_, [tenant, id, words, present]) = build(schema);
        Self { schema, fields: index.schema(), tenant, id, words, present }
    }

    /// The field of this name; the free words when there is none, which a checked expression never asks for.
    pub(super) fn field(&self, name: &str) -> Field {
        self.fields.get_field(name).unwrap_or(self.words)
    }

    /// What is stored of a document.
    pub(super) fn document(&self, document: &Document) -> TantivyDocument {
        let mut stored = TantivyDocument::new();
        stored.add_text(self.tenant, &document.tenant);
        stored.add_text(self.id, &document.id);
        add_words(&mut stored, self.words, document.words(None));
        for name in document.present() {
            stored.add_text(self.present, name);
        }
        for field in self.schema.fields {
            let place = self.field(field.name);
            match field.kind {
                Kind::Text => add_words(&mut stored, place, document.words(Some(field.name))),
                Kind::Keyword => document.terms(field.name).iter().for_each(|term| stored.add_text(place, term)),
                Kind::Number => document.numbers(field.name).iter().for_each(|number| stored.add_f64(place, *number)),
                _ => document.integers(field.name).iter().for_each(|number| stored.add_i64(place, *number)),
            }
            if field.sortable {
                let place = self.field(&names::order(field.name));
                match document.key(field) {
                    Key::Integer(key) => stored.add_i64(place, key),
                    Key::Text(key) => stored.add_text(place, key),
                }
            }
        }
        stored
    }
}

fn build(schema: &Schema) -> (Fields, [Field; 4]) {
    let mut fields = SchemaBuilder::default();
    let fixed = [
        fields.add_text_field(names::TENANT, exact()),
        fields.add_text_field(names::ID, exact().set_fast("raw")),
        fields.add_text_field(names::WORDS, worded()),
        fields.add_text_field(names::PRESENT, exact()),
    ];
    for field in schema.fields {
        match field.kind {
            Kind::Text => fields.add_text_field(field.name, worded()),
            Kind::Keyword => fields.add_text_field(field.name, exact()),
            Kind::Number => fields.add_f64_field(field.name, INDEXED | FAST),
            _ => fields.add_i64_field(field.name, INDEXED | FAST),
        };
        if field.sortable {
            let name = names::order(field.name);
            match field.kind {
                Kind::Text | Kind::Keyword => fields.add_text_field(&name, TextOptions::default().set_fast("raw")),
                _ => fields.add_i64_field(&name, FAST),
            };
        }
    }
    (fields.build(), fixed)
}

/// Words in their places; nothing is ever scored.
fn worded() -> TextOptions {
    let indexing = TextFieldIndexing::default().set_tokenizer("whitespace").set_fieldnorms(false);
    TextOptions::default().set_indexing_options(indexing.set_index_option(IndexRecordOption::WithFreqsAndPositions))
}

/// Whole values.
fn exact() -> TextOptions {
    let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
    TextOptions::default().set_indexing_options(indexing.set_index_option(IndexRecordOption::Basic))
}

fn add_words(stored: &mut TantivyDocument, place: Field, values: &[Vec<String>]) {
    if !values.is_empty() {
        stored.add_text(place, query::joined(values));
    }
}
