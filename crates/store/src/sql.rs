//! Statements, parameters and rows: the one place where the two drivers meet.

use std::sync::OnceLock;

use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::error::StoreError;
use crate::id;

/// A named statement. Parameters are written `$1`, `$2`, …; where the databases differ there are two texts.
#[derive(Debug)]
pub(crate) struct Sql {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the test that prepares every statement names the one that fails")
    )]
    pub(crate) name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    numbered: OnceLock<String>,
}

impl Sql {
    pub(crate) const fn both(name: &'static str, text: &'static str) -> Self {
        Self { name, sqlite: text, postgres: text, numbered: OnceLock::new() }
    }

    pub(crate) const fn differing(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self { name, sqlite, postgres, numbered: OnceLock::new() }
    }

    /// The text for SQLite, which numbers `$n` by first use and therefore needs `?n`.
    pub(crate) fn sqlite(&self) -> &str {
        self.numbered.get_or_init(|| self.sqlite.replace('$', "?"))
    }

    pub(crate) const fn postgres(&self) -> &'static str {
        self.postgres
    }
}

/// Declares statements, and `ALL` over them, which a test prepares on both databases.
macro_rules! statements {
    (@one $name:ident $text:expr) => { pub(crate) static $name: $crate::sql::Sql = $crate::sql::Sql::both(stringify!($name), $text); };
    (@one $name:ident $sqlite:expr, $postgres:expr) => { pub(crate) static $name: $crate::sql::Sql = $crate::sql::Sql::differing(stringify!($name), $sqlite, $postgres); };
    ($($name:ident = $($text:expr),+;)+) => {
        $( $crate::sql::statements!(@one $name $($text),+); )+
        #[cfg(test)]
        pub(crate) const ALL: &[&$crate::sql::Sql] = &[$(&$name),+];
    };
}
pub(crate) use statements;

/// A value handed to a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Param<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Id(Uuid),
}

macro_rules! param_from { ($($type:ty => |$value:ident| $make:expr;)*) => { $(
    impl<'a> From<$type> for Param<'a> { fn from($value: $type) -> Self { $make } }
)* } }
param_from! {
    i64 => |value| Param::Int(value);
    bool => |value| Param::Int(i64::from(value));
    &'a str => |value| Param::Text(value);
    &'a String => |value| Param::Text(value.as_str());
    &'a [u8] => |value| Param::Bytes(value);
    &'a Vec<u8> => |value| Param::Bytes(value.as_slice());
    Uuid => |value| Param::Id(value);
    id::ResourceId => |value| Param::Id(value.uuid());
    id::TokenId => |value| Param::Id(value.uuid());
    id::ClientId => |value| Param::Id(value.uuid());
    id::SecretId => |value| Param::Id(value.uuid());
    id::WebhookId => |value| Param::Id(value.uuid());
    id::UserId => |value| Param::Id(value.uuid());
    id::GroupId => |value| Param::Id(value.uuid());
    id::ObjectId => |value| Param::Id(value.uuid());
    id::AppId => |value| Param::Id(value.uuid());
    id::RoleId => |value| Param::Id(value.uuid());
    id::CycleId => |value| Param::Id(value.uuid());
    id::LogId => |value| Param::Id(value.uuid());
    id::TenantKey => |value| Param::Int(value.0);
    jiff::Timestamp => |value| Param::Int(crate::millis(value));
}
impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}

/// The parameters of a statement, each turned into a [`Param`].
macro_rules! params { ($($value:expr),* $(,)?) => { &[$($crate::sql::Param::from($value)),*] } }
pub(crate) use params;

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, Value, ValueRef};
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Self::Id(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value.as_bytes())),
        })
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
            Self::Bytes(value) => value.to_sql(kind, out),
            Self::Id(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value for a statement that outlives the one who sends it.
#[derive(Debug)]
pub(crate) enum Owned {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Id(Uuid),
}

impl From<Param<'_>> for Owned {
    fn from(param: Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Int(value) => Self::Int(value),
            Param::Text(value) => Self::Text(value.to_owned()),
            Param::Bytes(value) => Self::Bytes(value.to_owned()),
            Param::Id(value) => Self::Id(value),
        }
    }
}

impl<'a> From<&'a Owned> for Param<'a> {
    fn from(value: &'a Owned) -> Self {
        match value {
            Owned::Null => Self::Null,
            Owned::Int(value) => Self::Int(*value),
            Owned::Text(value) => Self::Text(value),
            Owned::Bytes(value) => Self::Bytes(value),
            Owned::Id(value) => Self::Id(*value),
        }
    }
}

impl ToSql for Owned {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Param::from(self).to_sql(kind, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A row of an answer; columns are counted from 0.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r postgres::Row),
}

impl Row<'_> {
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn time(&self, column: usize) -> Result<jiff::Timestamp, StoreError> {
        Ok(crate::moment(self.int(column)?))
    }

    pub(crate) fn opt_time(&self, column: usize) -> Result<Option<jiff::Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(crate::moment))
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn opt_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn id<T: From<Uuid>>(&self, column: usize) -> Result<T, StoreError> {
        self.opt_id(column)?.ok_or_else(|| StoreError::Decode(format!("column {column} holds no id")))
    }

    pub(crate) fn opt_id<T: From<Uuid>>(&self, column: usize) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(row) => match row.get_ref(column)? {
                rusqlite::types::ValueRef::Null => Ok(None),
                rusqlite::types::ValueRef::Blob(bytes) => Uuid::from_slice(bytes)
                    .map(|id| Some(id.into()))
                    .map_err(|error| StoreError::Decode(error.to_string())),
                _ => Err(StoreError::Decode(format!("column {column} holds no id"))),
            },
            Self::Postgres(row) => Ok(row.try_get::<_, Option<Uuid>>(column)?.map(Into::into)),
        }
    }
}

#[cfg(test)]
mod tests;
