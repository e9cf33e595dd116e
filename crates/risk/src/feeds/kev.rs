//! KEV: CISA's catalogue of known exploited vulnerabilities, as JSON or as CSV.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::errors::value;
use super::source::Source;
use super::{FeedError, cve, day};

/// A vulnerability that is known to be exploited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kev {
    /// CVE id in upper case.
    pub cve: String,
    /// Vendor or project.
    pub vendor: String,
    /// Product.
    pub product: String,
    /// Name of the vulnerability.
    pub name: String,
    /// Day it was listed.
    pub added: Option<NaiveDate>,
    /// Day by which federal agencies must have acted.
    pub due: Option<NaiveDate>,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
    /// What to do.
    pub action: String,
}

/// An entry as either form has it; keys are those of CISA's schema.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(rename = "cveID")]
    cve: String,
    vendor_project: Option<String>,
    product: Option<String>,
    vulnerability_name: Option<String>,
    date_added: Option<String>,
    due_date: Option<String>,
    known_ransomware_campaign_use: Option<String>,
    required_action: Option<String>,
}

impl Raw {
    /// The checked entry, or the field that is wrong and what it holds.
    fn check(self) -> Result<Kev, (&'static str, String)> {
        let date = |field, text: Option<String>| match text.unwrap_or_default().trim() {
            "" => Ok(None),
            text => day(text).map(Some).ok_or_else(|| (field, text.to_owned())),
        };
        Ok(Kev {
            cve: cve(&self.cve).ok_or_else(|| ("cveID", self.cve.clone()))?,
            added: date("dateAdded", self.date_added)?,
            due: date("dueDate", self.due_date)?,
            ransomware: self.known_ransomware_campaign_use.is_some_and(|text| text.trim().eq_ignore_ascii_case("known")),
            vendor: self.vendor_project.unwrap_or_default(),
            product: self.product.unwrap_or_default(),
            name: self.vulnerability_name.unwrap_or_default(),
            action: self.required_action.unwrap_or_default(),
        })
    }
}

/// Reads the CSV form, which does not say its version: its day is that of the newest entry.
pub(super) fn read_csv(
    source: Source<'_>,
    mut take: impl FnMut(Kev) -> Result<(), FeedError>,
) -> Result<(Option<String>, Option<NaiveDate>), FeedError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let header = reader.headers()?.clone();
    if !header.iter().any(|column| column == "cveID") {
        return Err(FeedError::NoColumn { column: "cveID", line: 1 });
    }
    let mut newest = None;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let raw: Raw = record.deserialize(Some(&header)).map_err(|cause| FeedError::Malformed { line, what: cause.to_string() })?;
        let entry = raw.check().map_err(|(field, text)| value(line, field, &text))?;
        newest = newest.max(entry.added);
        take(entry)?;
    }
    Ok((None, newest))
}

/// Reads the JSON form, one entry at a time.
pub(super) fn read_json(
    source: Source<'_>,
    mut take: impl FnMut(Kev) -> Result<(), FeedError>,
) -> Result<(Option<String>, Option<NaiveDate>), FeedError> {
    let line = Cell::new(1);
    let mut catalogue = Catalogue { version: None, released: None, listed: false, failure: None, line: &line, take: &mut take };
    let mut deserializer = serde_json::Deserializer::from_reader(Lines { source, line: &line });
    let outcome = (&mut catalogue).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (catalogue.failure, outcome) {
        (Some(failure), _) => Err(failure),
        (_, Err(cause)) => Err(cause.into()),
        (_, Ok(())) if !catalogue.listed => Err(FeedError::UnknownKind),
        (_, Ok(())) => Ok((catalogue.version, catalogue.released.as_deref().and_then(day))),
    }
}

/// Counts lines as they are read: the deserializer reads on before it says where an error was.
struct Lines<'f, 'l> {
    source: Source<'f>,
    line: &'l Cell<u64>,
}

impl Read for Lines<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(out)?;
        let ends = out.iter().take(count).filter(|byte| **byte == b'\n').count();
        self.line.set(self.line.get() + u64::try_from(ends).unwrap_or(0));
        Ok(count)
    }
}

/// The outermost object.
struct Catalogue<'t> {
    version: Option<String>,
    released: Option<String>,
    listed: bool,
    failure: Option<FeedError>,
    line: &'t Cell<u64>,
    take: &'t mut dyn FnMut(Kev) -> Result<(), FeedError>,
}

impl<'de> DeserializeSeed<'de> for &mut Catalogue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Catalogue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a KEV catalogue with vulnerabilities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "catalogVersion" => self.version = map.next_value()?,
                "dateReleased" => self.released = map.next_value()?,
                "vulnerabilities" => {
                    self.listed = true;
                    map.next_value_seed(Entries(self))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The array of entries.
struct Entries<'c, 't>(&'c mut Catalogue<'t>);

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of vulnerabilities")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(raw) = items.next_element::<Raw>()? {
            let outcome =
                raw.check().map_err(|(field, text)| value(self.0.line.get(), field, &text)).and_then(|entry| (self.0.take)(entry));
            if let Err(failure) = outcome {
                self.0.failure = Some(failure);
                return Err(serde::de::Error::custom("refused"));
            }
        }
        Ok(())
    }
}
