//! What was typed into a form or stands in a query string, kept as it was so that a refused form comes back filled in.

use std::str::FromStr;

use axum::extract::{FromRequest, Request};
use base::{Error, Result, Time};
use chrono::NaiveDateTime;
use url::form_urlencoded;

use crate::Shared;
use crate::failure::Failure;

/// Names and values in their order; a name may stand several times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The value of a name; empty when it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }

    /// The value exactly as typed, for passwords.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// The value of a name, unless it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name)).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// Every value of a name that is not empty.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(own, value)| own == name && !value.trim().is_empty()).map(|(_, value)| value.trim().to_owned()).collect()
    }

    /// Whether a name has this value among its values.
    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(own, other)| own == name && other == value)
    }

    /// The same with one more value.
    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The value of a name as one of the words of `T`.
    pub(crate) fn word<T: FromStr<Err = Error>>(&self, name: &str) -> Result<Option<T>> {
        self.text(name).map(|text| text.parse().map_err(|error: Error| error.at(format!("/{name}")))).transpose()
    }

    /// The value of a name as a whole number.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        self.text(name).map(|text| text.parse().map_err(|_| crate::errors::not_a_number(name))).transpose()
    }

    /// The value of a date-and-time field, which is meant as UTC.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Time>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parsed =
            NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M").or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S"));
        match parsed {
            Ok(moment) => Ok(Some(moment.and_utc().into())),
            Err(_) => Err(crate::errors::not_a_moment(name)),
        }
    }

    /// The query string without empty values and without `without`, ready for more.
    pub(crate) fn query(&self, without: &[&str]) -> String {
        let kept = self.0.iter().filter(|(name, value)| !value.is_empty() && !without.contains(&name.as_str()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
    }

    /// The address of the page after this one.
    pub(crate) fn next(&self, path: &str, cursor: Option<String>) -> Option<String> {
        let cursor = cursor?;
        Some(format!("{path}?{}", self.clone().without(&["cursor", "done"]).set("cursor", cursor).query(&[])))
    }

    /// The same without these names.
    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// How many of these names have a value.
    pub(crate) fn count(&self, names: &[&str]) -> u64 {
        names.iter().map(|name| u64::from(!self.all(name).is_empty())).sum()
    }

    /// Whether any of these names has a value: then the list is narrowed.
    pub(crate) fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| !self.get(name).is_empty())
    }
}

impl FromRequest<Shared> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Failure> {
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|_| crate::errors::unreadable_form())?;
        Ok(Self::parse(&bytes))
    }
}

/// A form as it is shown: what stands in it and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    fields: Fields,
    fault: Option<(Option<String>, String)>,
}

impl Form {
    /// A form to be filled in.
    pub(crate) fn of(fields: Fields) -> Self {
        Self { fields, fault: None }
    }

    /// A form that was refused: the field, when one is at fault, and why.
    pub(crate) fn refused(fields: Fields, field: Option<String>, message: String) -> Self {
        Self { fields, fault: Some((field, message)) }
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.fields.get(name)
    }

    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.fields.has(name, value)
    }

    /// Whether any of these names was filled in: then what holds them stands open.
    pub(crate) fn is_opened(&self, names: &str) -> bool {
        names.split_whitespace().any(|name| !self.fields.get(name).is_empty())
    }

    /// What is wrong with this field.
    pub(crate) fn fault(&self, name: &str) -> Option<&str> {
        self.fault.as_ref().filter(|(field, _)| field.as_deref() == Some(name)).map(|(_, message)| message.as_str())
    }

    /// What is wrong with the whole.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.fault.as_ref().map(|(_, message)| message.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filter_and_loses_the_old_cursor() {
        let fields = Fields::parse(b"severity=high&severity=low&q=&cursor=old&done=created");
        assert_eq!(fields.next("/findings", Some("new".into())).as_deref(), Some("/findings?severity=high&severity=low&cursor=new"));
        assert_eq!(fields.next("/findings", None), None);
        assert_eq!(fields.all("severity"), ["high", "low"]);
    }

    #[test]
    fn a_date_field_is_read_as_utc() {
        let fields = Fields::parse(b"until=2026-12-31T23%3A59&bad=tomorrow");
        assert_eq!(fields.moment("until").unwrap().unwrap().to_string(), "2026-12-31T23:59:00Z");
        assert_eq!(fields.moment("bad").unwrap_err().field(), Some("/bad"));
        assert!(fields.moment("absent").unwrap().is_none());
    }
}
