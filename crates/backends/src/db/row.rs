//! A row of either engine, read by column name.

use std::str::FromStr;

use base::{Error, Id, Result, Time};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// A row that came back.
pub struct Row(pub(super) Engine);

pub(super) enum Engine {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A type that can be read from a column.
pub trait Column: Sized {
    /// Reads the column called `name`.
    ///
    /// # Errors
    /// `Internal` when the column is missing or of another type.
    fn read(row: &Row, name: &str) -> Result<Self>;
}

fn wrong(name: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::internal(format!("column `{name}` cannot be read")).because(cause)
}

macro_rules! columns {
    ($($kind:ty),+ $(,)?) => {
        $(
            impl Column for $kind {
                fn read(row: &Row, name: &str) -> Result<Self> {
                    match &row.0 {
                        Engine::Sqlite(row) => row.try_get(name),
                        Engine::Postgres(row) => row.try_get(name),
                    }
                    .map_err(|cause| wrong(name, cause))
                }
            }

            impl Column for Option<$kind> {
                fn read(row: &Row, name: &str) -> Result<Self> {
                    match &row.0 {
                        Engine::Sqlite(row) => row.try_get(name),
                        Engine::Postgres(row) => row.try_get(name),
                    }
                    .map_err(|cause| wrong(name, cause))
                }
            }
        )+
    };
}

columns!(String, i64, f64, bool, Vec<u8>);

macro_rules! narrower {
    ($($kind:ty),+) => {
        $(
            impl Column for $kind {
                fn read(row: &Row, name: &str) -> Result<Self> {
                    <$kind>::try_from(i64::read(row, name)?).map_err(|cause| wrong(name, cause))
                }
            }

            impl Column for Option<$kind> {
                fn read(row: &Row, name: &str) -> Result<Self> {
                    Option::<i64>::read(row, name)?.map(<$kind>::try_from).transpose().map_err(|cause| wrong(name, cause))
                }
            }
        )+
    };
}

narrower!(i32, u8, u16, u32, u64);

impl Column for Time {
    fn read(row: &Row, name: &str) -> Result<Self> {
        i64::read(row, name).map(Self::from_micros)
    }
}

impl Column for Option<Time> {
    fn read(row: &Row, name: &str) -> Result<Self> {
        Ok(Option::<i64>::read(row, name)?.map(Time::from_micros))
    }
}

impl<T> Column for Id<T> {
    fn read(row: &Row, name: &str) -> Result<Self> {
        String::read(row, name)?.parse().map_err(|cause: Error| wrong(name, cause))
    }
}

impl<T> Column for Option<Id<T>> {
    fn read(row: &Row, name: &str) -> Result<Self> {
        Option::<String>::read(row, name)?.map(|text| text.parse()).transpose().map_err(|cause: Error| wrong(name, cause))
    }
}

impl Row {
    /// Reads the column called `name`.
    ///
    /// # Errors
    /// `Internal` when the column is missing or of another type.
    pub fn get<T: Column>(&self, name: &str) -> Result<T> {
        T::read(self, name)
    }

    /// Reads a TEXT column that holds JSON.
    ///
    /// # Errors
    /// `Internal` when the text is not JSON of that shape.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        serde_json::from_str(&self.get::<String>(name)?).map_err(|cause| wrong(name, cause))
    }

    /// Reads a nullable TEXT column that holds JSON.
    ///
    /// # Errors
    /// `Internal` when the text is not JSON of that shape.
    pub fn json_option<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.get::<Option<String>>(name)?.map(|text| serde_json::from_str(&text)).transpose().map_err(|cause| wrong(name, cause))
    }

    /// Reads a TEXT column that holds the text form of `T`.
    ///
    /// # Errors
    /// `Internal` when the text is not one.
    pub fn parse<T: FromStr<Err = Error>>(&self, name: &str) -> Result<T> {
        self.get::<String>(name)?.parse().map_err(|cause: Error| wrong(name, cause))
    }
}
