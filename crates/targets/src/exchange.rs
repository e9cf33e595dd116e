//! Many targets at once: CSV and JSON files in and out.
//! Invariant: a row at fault is named by its line and left out; the good rows of one file commit together or not at all.

use audit::Change;
use base::{Actor, Error, PageRequest, Result, words};
use bytes::Bytes;
use futures::{Stream, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::model::{Filter, NewTarget, Target, TargetPatch};
use crate::service::{Targets, held};
use crate::{actions, errors, store};

/// Most rows in one file.
const MOST_ROWS: usize = 10_000;
/// Most faults told; the rest is counted.
const MOST_FAULTS: usize = 1000;

words! {
    errors::word;
    /// A file format for targets.
    FileFormat, "format" {
        /// Comma-separated values with a header line.
        Csv = "csv",
        /// A JSON array of objects.
        Json = "json",
    }
}

impl FileFormat {
    /// The media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Targets recorded.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub created: u64,
    /// Targets of the same name and type that were changed.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub updated: u64,
    /// Targets that were already so.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub unchanged: u64,
    /// Rows left out.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub refused: u64,
    /// The first thousand of them with their reasons.
    #[schema(max_items = 1000)]
    pub faults: Vec<RowFault>,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowFault {
    /// Line in a CSV file, the header being line 1; element in a JSON array, counted from 1.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub line: u64,
    /// What is wrong.
    #[schema(max_length = 1000)]
    pub reason: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CsvRow {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    tags: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    criticality: Option<String>,
}

type Row = (u64, Result<NewTarget, String>);

impl CsvRow {
    fn read(self) -> Result<NewTarget> {
        let plain = |text: Option<String>| text.map(|text| unguarded(&text).to_owned()).filter(|text| !text.trim().is_empty());
        Ok(NewTarget {
            name: unguarded(&self.name).to_owned(),
            kind: self.kind.trim().parse()?,
            address: plain(self.address),
            description: plain(self.description),
            tags: plain(self.tags)
                .map(|tags| tags.split(';').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
                .unwrap_or_default(),
            owner: plain(self.owner),
            environment: plain(self.environment),
            unit: plain(self.unit).map(|path| path.parse().map_err(|error: Error| error.at("/unit"))).transpose()?,
            criticality: plain(self.criticality).map(|text| text.trim().parse()).transpose()?,
        })
    }

    fn write(target: &Target) -> Self {
        let optional = |text: &Option<String>| text.as_deref().map(guarded);
        Self {
            name: guarded(&target.name),
            kind: target.kind.to_string(),
            address: optional(&target.address),
            description: Some(guarded(&target.description)),
            tags: Some(guarded(&target.tags.join(";"))),
            owner: optional(&target.owner),
            environment: optional(&target.environment),
            unit: target.unit.as_ref().map(|unit| guarded(unit.as_str())),
            criticality: Some(target.criticality.to_string()),
        }
    }
}

/// What a spreadsheet would run as a formula is kept from it by an apostrophe, which reading takes off again.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) { format!("'{text}") } else { text.to_owned() }
}

fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => rest,
        _ => text,
    }
}

fn csv_rows(file: &[u8]) -> Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file));
    let header = reader.headers().map_err(|cause| errors::import(format!("line 1: {cause}")))?.clone();
    for needed in ["name", "type"] {
        if !header.iter().any(|column| column == needed) {
            return Err(errors::import(format!("line 1: the header must name the column `{needed}`")));
        }
    }
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                let row = record.deserialize::<CsvRow>(Some(&header)).map_err(|cause| cause.to_string());
                rows.push((line, row.and_then(|row| row.read().map_err(told))));
            }
            Err(cause) => rows.push((line, Err(cause.to_string()))),
        }
        if rows.len() > MOST_ROWS {
            return Err(errors::import(format!("a file holds at most {MOST_ROWS} targets")));
        }
    }
}

fn json_rows(file: &[u8]) -> Result<Vec<Row>> {
    let elements: Vec<&RawValue> =
        serde_json::from_slice(file).map_err(|cause| errors::import(format!("the file is not a JSON array: {cause}")))?;
    if elements.len() > MOST_ROWS {
        return Err(errors::import(format!("a file holds at most {MOST_ROWS} targets")));
    }
    let read = |element: &RawValue| serde_json::from_str(element.get()).map_err(|cause| cause.to_string());
    Ok((1..).zip(elements).map(|(line, element)| (line, read(element))).collect())
}

fn told(error: Error) -> String {
    match error.field() {
        Some(field) => format!("{}: {}", field.trim_start_matches('/'), error.detail()),
        None => error.detail().to_owned(),
    }
}

/// What must change so that `before` becomes what the row says; `None` when it already is.
fn difference(before: &Target, wanted: &Target) -> Option<TargetPatch> {
    let same = before.address == wanted.address
        && before.description == wanted.description
        && before.tags == wanted.tags
        && before.owner == wanted.owner
        && before.environment == wanted.environment
        && before.unit == wanted.unit
        && before.criticality == wanted.criticality;
    (!same).then(|| TargetPatch {
        address: Some(wanted.address.clone()),
        description: Some(wanted.description.clone()),
        tags: Some(wanted.tags.clone()),
        owner: Some(wanted.owner.clone()),
        environment: Some(wanted.environment.clone()),
        unit: Some(wanted.unit.clone()),
        criticality: Some(wanted.criticality),
        ..TargetPatch::default()
    })
}

impl Targets {
    /// Records or changes targets from a file; with `dry_run` only says what would happen.
    ///
    /// # Errors
    /// `Invalid` for a file that cannot be read at all; `Forbidden`.
    pub async fn import(&self, actor: &Actor, format: FileFormat, file: &[u8], dry_run: bool) -> Result<Imported> {
        let rows = match format {
            FileFormat::Csv => csv_rows(file)?,
            FileFormat::Json => json_rows(file)?,
        };
        let mut change = Change::begin(&self.backends, actor, actions::IMPORT).await?;
        let scope = change.scope();
        let mut done = Imported::default();
        let mut changed: Vec<Target> = Vec::new();
        for (line, row) in rows {
            let wanted = row.and_then(|new| new.build(change.id(), change.now()).and_then(|built| held(&scope, built)).map_err(told));
            let wanted = match wanted {
                Ok(wanted) => wanted,
                Err(reason) => {
                    done.refused += 1;
                    if done.faults.len() < MOST_FAULTS {
                        done.faults.push(RowFault { line, reason: reason.chars().take(1000).collect() });
                    }
                    continue;
                }
            };
            match store::find_by_name(&mut change, &wanted.name, wanted.kind).await? {
                None => {
                    store::insert(&mut change, &wanted, actor.user).await?;
                    done.created += 1;
                }
                Some(before) => match difference(&before, &wanted) {
                    None => done.unchanged += 1,
                    Some(patch) => {
                        let after = patch.apply(before, change.now())?;
                        store::update(&mut change, &after).await?;
                        changed.push(after);
                        done.updated += 1;
                    }
                },
            }
        }
        if dry_run || done.created + done.updated == 0 {
            return Ok(done);
        }
        let run: base::Id<Imported> = change.id();
        change.subject("target_import", run);
        change.detail(json!({ "created": done.created, "updated": done.updated, "unchanged": done.unchanged, "refused": done.refused }));
        change.commit().await?;
        for target in &changed {
            self.remember(&scope, target.id, Some(target)).await;
        }
        Ok(done)
    }

    /// All targets the filter shows, page by page, as a file that [`Targets::import`] takes.
    ///
    /// # Errors
    /// `Forbidden` or `Invalid` naming the parameter at once; in the stream whatever reading a page answers.
    pub fn export(&self, actor: &Actor, filter: Filter, format: FileFormat) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static> {
        actor.scope(actions::READ)?;
        filter.check()?;
        let first = Some((self.clone(), actor.clone(), filter, PageRequest { cursor: None, limit: Some(PageRequest::MAXIMUM) }));
        let pages = stream::try_unfold(first, move |state| async move {
            let Some((targets, actor, filter, request)) = state else { return Ok::<_, Error>(None) };
            let is_first = request.cursor.is_none();
            let page = targets.list(&actor, filter.clone(), request).await?;
            let is_last = page.next_cursor.is_none();
            let rendered = match format {
                FileFormat::Csv => csv_page(&page.items, is_first)?,
                FileFormat::Json => json_page(&page.items, is_first, is_last)?,
            };
            let next = page
                .next_cursor
                .map(|cursor| (targets, actor, filter, PageRequest { cursor: Some(cursor), limit: Some(PageRequest::MAXIMUM) }));
            Ok(Some((rendered, next)))
        });
        Ok(pages.into_stream())
    }
}

fn csv_page(targets: &[Target], is_first: bool) -> Result<Bytes> {
    let written = |cause: Box<dyn std::error::Error + Send + Sync>| Error::internal("targets cannot be written as CSV").because(cause);
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    if is_first {
        let header = ["name", "type", "address", "description", "tags", "owner", "environment", "unit", "criticality"];
        writer.write_record(header).map_err(|cause| written(cause.into()))?;
    }
    for target in targets {
        writer.serialize(CsvRow::write(target)).map_err(|cause| written(cause.into()))?;
    }
    writer.into_inner().map(Bytes::from).map_err(|cause| written(cause.to_string().into()))
}

fn json_page(targets: &[Target], is_first: bool, is_last: bool) -> Result<Bytes> {
    let mut text = String::from(if is_first { "[\n" } else { "" });
    for (index, target) in targets.iter().enumerate() {
        if index > 0 || !is_first {
            text.push_str(",\n");
        }
        let row = NewTarget {
            name: target.name.clone(),
            kind: target.kind,
            address: target.address.clone(),
            description: Some(target.description.clone()),
            tags: target.tags.clone(),
            owner: target.owner.clone(),
            environment: target.environment.clone(),
            unit: target.unit.clone(),
            criticality: Some(target.criticality),
        };
        text.push_str(&serde_json::to_string(&row).map_err(|cause| Error::internal("a target cannot be written as JSON").because(cause))?);
    }
    if is_last {
        text.push_str("\n]\n");
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let file = b"name,type,tags\nshop,web,a;b\nx,spaceship,\n\"two\nlines\",host,\nlast,api,\"c\"\n";
        let rows = csv_rows(file).unwrap();
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 6]);
        assert_eq!(rows[0].1.as_ref().unwrap().tags, ["a", "b"]);
        assert!(rows[1].1.as_ref().unwrap_err().contains("spaceship"));
        assert!(csv_rows(b"name,kind\n").unwrap_err().detail().contains("`type`"));
        assert!(json_rows(b"{}").is_err());
        let rows = json_rows(br#"[{"name":"a","type":"web"},{"name":"b"}]"#).unwrap();
        assert!(rows[0].1.is_ok() && rows[1].1.as_ref().unwrap_err().contains("type"));
    }

    #[test]
    fn a_formula_survives_the_way_out_and_in_without_running() {
        for text in ["=1+1", "-x", "'quoted", "'=already", "plain", "+49", "@home"] {
            let out = guarded(text);
            assert!(!out.starts_with(['=', '+', '-', '@']));
            assert_eq!(unguarded(&out), text);
        }
    }
}
