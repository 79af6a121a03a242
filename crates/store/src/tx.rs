//! Transactions: what a use case is handed. Reading and writing ones are different types, because on SQLite a read
//! transaction that turns into a write can fail.

use std::ops::{Deref, DerefMut};

use crate::error::StoreError;
use crate::postgres::Prepared;
use crate::sql::{Param, Row, Sql};

/// A transaction that reads, and sees one moment of the data.
pub struct ReadTx<'c> {
    inner: Inner<'c>,
}

/// A transaction that may also write. Everything it did is kept, or nothing.
pub struct WriteTx<'c>(ReadTx<'c>);

enum Inner<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres { client: &'c mut postgres::Client, prepared: &'c mut Prepared, gave_up: &'c mut bool },
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;
    fn deref(&self) -> &ReadTx<'c> {
        &self.0
    }
}

impl<'c> DerefMut for WriteTx<'c> {
    fn deref_mut(&mut self) -> &mut ReadTx<'c> {
        &mut self.0
    }
}

impl<'c> ReadTx<'c> {
    pub(crate) const fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self { inner: Inner::Sqlite(connection) }
    }

    /// `gave_up` becomes true when the server ends the transaction for the sake of another (deadlock, serialisation).
    pub(crate) const fn postgres(
        client: &'c mut postgres::Client,
        prepared: &'c mut Prepared,
        gave_up: &'c mut bool,
    ) -> Self {
        Self { inner: Inner::Postgres { client, prepared, gave_up } }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres { .. })
    }

    /// Calls `each` for every row, as the rows arrive; `each` says whether it wants more.
    pub(crate) fn each(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql.sqlite())?;
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                while let Some(row) = rows.next()? {
                    if !each(&Row::Sqlite(row))? {
                        break;
                    }
                }
                Ok(())
            }
            Inner::Postgres { client, prepared, gave_up } => noting(gave_up, || {
                use postgres::fallible_iterator::FallibleIterator;
                let statement = prepare(client, prepared, sql)?;
                let mut rows = client.query_raw(&statement, params.iter())?;
                while let Some(row) = rows.next()? {
                    if !each(&Row::Postgres(&row))? {
                        break;
                    }
                }
                Ok(())
            }),
        }
    }

    /// All rows. Only for statements whose answer is bounded by a limit of the caller.
    pub(crate) fn all<T>(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first row, if any.
    pub(crate) fn first<T>(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(sql, params, |row| {
            found = Some(read(row)?);
            Ok(false)
        })?;
        Ok(found)
    }
}

impl<'c> WriteTx<'c> {
    pub(crate) const fn over(read: ReadTx<'c>) -> Self {
        Self(read)
    }

    /// Runs a statement that answers no rows; gives the number of rows it touched.
    pub(crate) fn run(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<u64, StoreError> {
        match &mut self.0.inner {
            Inner::Sqlite(connection) => {
                Ok(connection.prepare_cached(sql.sqlite())?.execute(rusqlite::params_from_iter(params))? as u64)
            }
            Inner::Postgres { client, prepared, gave_up } => noting(gave_up, || {
                use postgres::fallible_iterator::FallibleIterator;
                let statement = prepare(client, prepared, sql)?;
                let mut rows = client.query_raw(&statement, params.iter())?;
                while rows.next()?.is_some() {}
                Ok(rows.rows_affected().unwrap_or(0))
            }),
        }
    }
}

fn noting<T>(gave_up: &mut bool, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    work().inspect_err(|error| *gave_up |= matches!(error, StoreError::Busy))
}

fn prepare(
    client: &mut postgres::Client,
    prepared: &mut Prepared,
    sql: &'static Sql,
) -> Result<postgres::Statement, StoreError> {
    if let Some(statement) = prepared.get(sql.postgres()) {
        return Ok(statement.clone());
    }
    let statement = client.prepare(sql.postgres())?;
    prepared.insert(sql.postgres(), statement.clone());
    Ok(statement)
}
