//! Cursor pages: a list is read by "after this row", never by offset, so rows that come or go do not shift it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Error, Result, errors};

/// How much of a list to read, from where.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageRequest {
    /// `next_cursor` of the page before; absent for the first page.
    #[param(max_length = 1024)]
    pub cursor: Option<String>,
    /// Rows per page, 1 to 500; 50 when absent.
    #[serde(default, deserialize_with = "number")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// What is given must be a number: `limit=` is a mistake, not an absence.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    u32::deserialize(deserializer).map(Some)
}

impl PageRequest {
    /// Largest page.
    pub const MAXIMUM: u32 = 500;

    /// The checked row count.
    ///
    /// # Errors
    /// `Invalid` outside 1 to 500.
    pub fn rows(&self) -> Result<u32> {
        match self.limit.unwrap_or(50) {
            rows @ 1..=Self::MAXIMUM => Ok(rows),
            other => Err(errors::limit(Self::MAXIMUM, other)),
        }
    }

    /// The decoded cursor, if one was given.
    ///
    /// # Errors
    /// `Invalid` when the text is not a cursor of this list.
    pub fn after<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.cursor.as_deref().map(Cursor::decode).transpose()
    }
}

/// Turns a sort position into opaque text and back.
pub struct Cursor;

impl Cursor {
    /// Opaque text for `position`.
    ///
    /// # Errors
    /// `Internal` when the position cannot be written as JSON.
    pub fn encode<T: Serialize>(position: &T) -> Result<String> {
        serde_json::to_vec(position)
            .map(|json| URL_SAFE_NO_PAD.encode(json))
            .map_err(|cause| Error::internal("cursor cannot be written").because(cause))
    }

    /// The position behind opaque text.
    ///
    /// # Errors
    /// `Invalid` when the text was not made by [`Cursor::encode`] for this list.
    pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T> {
        URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| serde_json::from_slice(&json).ok()).ok_or_else(errors::cursor)
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    #[schema(max_items = 500)]
    pub items: Vec<T>,
    /// Give this back as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `rows + 1` fetched items to a page; the extra row proves that another page exists.
    ///
    /// # Errors
    /// `Internal` when the position cannot be encoded.
    pub fn cut<P: Serialize>(mut items: Vec<T>, rows: u32, position: impl Fn(&T) -> P) -> Result<Self> {
        let rows = rows as usize;
        let more = items.len() > rows;
        items.truncate(rows);
        let next_cursor = match items.last() {
            Some(last) if more => Some(Cursor::encode(&position(last))?),
            _ => None,
        };
        Ok(Self { items, next_cursor })
    }

    /// The same page with each item turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_where_no_row_follows() {
        let page = Page::cut(vec![1, 2, 3], 2, |number| *number).unwrap();
        assert_eq!(page.items, [1, 2]);
        let request = PageRequest { cursor: page.next_cursor, limit: None };
        assert_eq!(request.after::<i32>().unwrap(), Some(2));
        assert!(Page::cut(vec![1, 2], 2, |number| *number).unwrap().next_cursor.is_none());
    }

    #[test]
    fn a_made_up_cursor_or_limit_is_named() {
        let request = PageRequest { cursor: Some("nonsense".into()), limit: Some(0) };
        assert_eq!(request.after::<i32>().unwrap_err().field(), Some("cursor"));
        assert_eq!(request.rows().unwrap_err().field(), Some("limit"));
    }
}
