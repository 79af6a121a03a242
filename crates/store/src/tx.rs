//! Transactions: what a use case is handed. Reading and writing ones are different types, because on SQLite a read
//! transaction that turns into a write can fail.

use std::any::Any;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::StoreError;
use crate::postgres::Session;
use crate::sql::{Param, Row, Sql};

/// Answers that a snapshot remembers.
const MEMO_MAX: usize = 64;

/// Long enough for the short transactions of others, in milliseconds.
const LOCK_WAIT_BRIEF: &str = "SET LOCAL lock_timeout = 100";

/// What use cases found out in a snapshot, for the next one that reads from it.
pub(crate) type Memo = HashMap<[u8; 32], Arc<dyn Any + Send + Sync>>;

/// A transaction that reads, and sees one moment of the data.
pub struct ReadTx<'c> {
    inner: Inner<'c>,
    memo: Option<&'c mut Memo>,
    /// The first statement that failed.
    failure: Option<StoreError>,
    /// Statements that may still be run.
    left: u32,
    /// What the statements have cost so far; see [`ReadTx::spent`].
    spent: u64,
    /// Which of several rows that add up this transaction writes to.
    slot: i64,
    /// Becomes true when nobody waits for the outcome any more; see [`ReadTx::stop_when`].
    unwanted: Option<Arc<AtomicBool>>,
    /// Whether it gives up rather than wait for others; see [`WriteTx::wait_briefly`].
    waits_briefly: bool,
}

/// A transaction that may also write. Everything it did is kept, or nothing.
pub struct WriteTx<'c>(ReadTx<'c>);

enum Inner<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut Session),
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
        Self::over(Inner::Sqlite(connection), None)
    }

    const fn over(inner: Inner<'c>, memo: Option<&'c mut Memo>) -> Self {
        Self { inner, memo, failure: None, left: u32::MAX, spent: 0, slot: 0, unwanted: None, waits_briefly: false }
    }

    /// Over a snapshot that other use cases may read from too. The memo is forgotten with the snapshot.
    pub(crate) const fn snapshot(connection: &'c rusqlite::Connection, memo: &'c mut Memo) -> Self {
        Self::over(Inner::Sqlite(connection), Some(memo))
    }

    /// On the transaction that the session has begun.
    pub(crate) const fn postgres(session: &'c mut Session) -> Self {
        Self::over(Inner::Postgres(session), None)
    }

    /// Refuses every statement from when this becomes true: who looks at much, in many statements, then ends soon.
    pub(crate) fn stop_when(&mut self, unwanted: Arc<AtomicBool>) {
        self.unwanted = Some(unwanted);
    }

    /// Refuses every statement but one: what runs outside of a transaction sees one moment with one statement only.
    pub(crate) const fn allow_one_statement(&mut self) {
        self.left = 1;
    }

    /// Whether a further statement may be run.
    pub const fn has_statement_left(&self) -> bool {
        self.left > 0
    }

    /// Writes to the row of that number, where several rows add up to one figure.
    pub(crate) const fn counting_in(mut self, slot: u32) -> Self {
        self.slot = slot as i64;
        self
    }

    /// Which row this transaction writes to where several add up: no two connections have the same, so none waits for another.
    pub(crate) const fn slot(&self) -> i64 {
        self.slot
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// What the transaction has cost so far: 1 for each statement, 1 for each row that was read or written, and what was charged. Who
    /// does many things in one transaction ends it by this before it keeps others waiting for long.
    pub const fn spent(&self) -> u64 {
        self.spent
    }

    /// Counts what was done beside statements, in what a statement costs: a few microseconds.
    pub const fn charge(&mut self, cost: u64) {
        self.spent = self.spent.saturating_add(cost);
    }

    /// The answer to a question that every request asks, such as whose token it brings. It must depend on the data alone: where the
    /// data have not changed since it was last found, it is not looked up again. `question` names it; errors are not remembered.
    pub fn remembered<T: Send + Sync + 'static, E>(
        &mut self,
        question: &[u8; 32],
        find: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let known = self.memo.as_ref().and_then(|memo| Arc::clone(memo.get(question)?).downcast().ok());
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = Arc::new(find(self)?);
        if let Some(memo) = &mut self.memo {
            if memo.len() >= MEMO_MAX {
                memo.clear();
            }
            let answer: Arc<T> = Arc::clone(&answer);
            memo.insert(*question, answer);
        }
        Ok(answer)
    }

    /// Calls `each` for every row, as the rows arrive; `each` says whether it wants more.
    pub(crate) fn each(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut rows_read = 0;
        let mut each = |row: &Row<'_>| {
            rows_read += 1;
            each(row)
        };
        let result = self.noting(|inner| {
            refuse_nul(params)?;
            match inner {
                Inner::Sqlite(connection) => {
                    let mut statement = connection.prepare_cached(sql.sqlite())?;
                    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                    while let Some(row) = rows.next()? {
                        if !each(&Row::Sqlite(row))? {
                            break;
                        }
                    }
                }
                Inner::Postgres(session) => {
                    session.query(sql, params, |row| each(&Row::Postgres(row)))?;
                }
            }
            Ok(())
        });
        self.spent += rows_read;
        result
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

    fn noting<T>(&mut self, work: impl FnOnce(&mut Inner<'c>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.unwanted.as_ref().is_some_and(|unwanted| unwanted.load(Ordering::Relaxed)) {
            return Err(StoreError::Internal("nobody waits for the outcome any more".to_owned()));
        }
        let left = self.left.checked_sub(1).ok_or(StoreError::Internal("a look-up is one statement".to_owned()))?;
        self.left = left;
        self.spent += 1;
        let result = work(&mut self.inner);
        if let Err(error) = &result {
            if let (Inner::Postgres(session), StoreError::GaveUp) = (&mut self.inner, error) {
                session.gave_up = true;
            }
            self.failure.get_or_insert_with(|| error.clone());
        }
        match result {
            // The others are to go first; tried again as it is, it might meet them again.
            Err(StoreError::Busy) if self.waits_briefly => {
                self.failure = Some(StoreError::GaveUp);
                Err(StoreError::GaveUp)
            }
            result => result,
        }
    }
}

impl<'c> WriteTx<'c> {
    pub(crate) const fn over(read: ReadTx<'c>) -> Self {
        Self(read)
    }

    /// Runs a use case, which fails where one of its statements did, also if it went on after that: PostgreSQL then keeps
    /// nothing of the transaction, so on SQLite nothing may be kept either.
    pub(crate) fn run_whole<T, E: From<StoreError>>(
        mut self,
        use_case: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let value = use_case(&mut self)?;
        if self.0.waits_briefly {
            self.settle()?;
        }
        match self.0.failure {
            None => Ok(value),
            Some(failure) => Err(went_on(&failure).into()),
        }
    }

    /// From here on waits for what another transaction holds only for a moment, and then fails as given up, without being tried again. For
    /// transactions that take many locks in an order that a client chose: two that wait for each other would else do so until PostgreSQL
    /// looks for a deadlock, after a second. On SQLite nobody else writes meanwhile.
    pub fn wait_briefly(&mut self) -> Result<(), StoreError> {
        self.0.noting(|inner| match inner {
            Inner::Sqlite(_) => Ok(()),
            Inner::Postgres(session) => session.say(LOCK_WAIT_BRIEF),
        })?;
        self.0.waits_briefly = true;
        Ok(())
    }

    /// Ends the transaction for the sake of another that is to go first, as the database does where it sees a deadlock, but at once: it is
    /// tried again, unless it waits for others but briefly.
    ///
    /// # Errors
    /// [`StoreError::GaveUp`], always.
    pub(crate) fn give_way(&mut self) -> Result<(), StoreError> {
        let is_brief = self.0.waits_briefly;
        self.0.noting(|_| Err(if is_brief { StoreError::Busy } else { StoreError::GaveUp }))
    }

    /// Runs a part of the use case that is kept as a whole or not at all, whatever becomes of the rest. Parts may lie within parts.
    ///
    /// # Errors
    /// The outer error is one of the database, which ends the transaction; the use case then has to fail with it. The inner one is the
    /// part's own: what it did is undone, and the transaction goes on. That a unique key was taken is such a one.
    pub fn part<T, E: From<StoreError>>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<Result<T, E>, StoreError> {
        if let Some(failure) = &self.0.failure {
            return Err(went_on(failure));
        }
        self.savepoint("SAVEPOINT part")?;
        let value = part(self);
        self.settle()?;
        match (self.0.failure.take(), value) {
            (None, Ok(value)) => {
                self.savepoint("RELEASE SAVEPOINT part")?;
                Ok(Ok(value))
            }
            (None | Some(StoreError::NotUnique(_)), Err(error)) => {
                self.savepoint("ROLLBACK TO SAVEPOINT part")?;
                self.savepoint("RELEASE SAVEPOINT part")?;
                Ok(Err(error))
            }
            (Some(failure), value) => {
                let failure = if value.is_ok() { went_on(&failure) } else { failure };
                self.0.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    fn savepoint(&mut self, sql: &'static str) -> Result<(), StoreError> {
        self.0.noting(|inner| match inner {
            // A full disk makes SQLite roll the whole transaction back by itself, and a savepoint outside of one would commit.
            Inner::Sqlite(connection) if connection.is_autocommit() => Err(StoreError::Full),
            Inner::Sqlite(connection) => {
                connection.prepare_cached(sql)?.execute([])?;
                Ok(())
            }
            Inner::Postgres(session) => session.say(sql),
        })
    }

    /// Waits for what was sent, so that a failure among it shows here.
    fn settle(&mut self) -> Result<(), StoreError> {
        self.0.noting(|inner| match inner {
            Inner::Sqlite(_) => Ok(()),
            Inner::Postgres(session) => session.settle(),
        })
    }

    /// Runs a statement whose outcome decides nothing, and that no unique key can refuse. On PostgreSQL it is not waited for, but goes with
    /// the next statement or the end: where it fails, these fail with its error.
    pub(crate) fn send(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<(), StoreError> {
        if !self.0.is_postgres() {
            return self.run(sql, params).map(drop);
        }
        self.0.spent += 1;
        self.0.noting(|inner| {
            refuse_nul(params)?;
            match inner {
                Inner::Sqlite(_) => Ok(()),
                Inner::Postgres(session) => session.send(sql, params),
            }
        })
    }

    /// Runs a statement that answers no rows; gives the number of rows it touched.
    pub(crate) fn run(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let result = self.0.noting(|inner| {
            refuse_nul(params)?;
            match inner {
                Inner::Sqlite(connection) => {
                    Ok(connection.prepare_cached(sql.sqlite())?.execute(rusqlite::params_from_iter(params))? as u64)
                }
                Inner::Postgres(session) => session.query(sql, params, |_| Ok(true)),
            }
        });
        self.0.spent += result.as_ref().copied().unwrap_or(0);
        result
    }
}

fn went_on(failure: &StoreError) -> StoreError {
    StoreError::Internal(format!("a use case went on after a statement failed: {}", failure.within_a_failure()))
}

/// PostgreSQL's text holds no NUL; SQLite's would, and cut it off in some of its functions.
fn refuse_nul(params: &[Param<'_>]) -> Result<(), StoreError> {
    let has_nul = |param: &Param<'_>| matches!(param, Param::Text(text) if text.as_bytes().contains(&0));
    if params.iter().any(has_nul) {
        return Err(StoreError::Internal("a text holds a NUL character".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
