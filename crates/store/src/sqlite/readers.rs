//! Connections that read. Each holds the snapshot of its last use case open and reads from it again while nothing was
//! committed since: to take and give back SQLite's lock costs several times as much as a look-up.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::commits::{Commits, Stamp};
use super::{catching, connect, run};
use crate::ReadTx;
use crate::error::StoreError;
use crate::tx::Memo;

/// Idle connections that are kept.
pub(super) const READERS_MAX: usize = 8;
/// Memory for pages of one connection, in KiB.
pub(super) const READER_CACHE_KIB: i64 = 32 << 10;

pub(super) struct Readers {
    path: PathBuf,
    commits: Arc<Commits>,
    idle: Mutex<Vec<Reader>>,
}

impl Readers {
    pub(super) fn new(path: &Path, commits: Arc<Commits>) -> Self {
        Self { path: path.to_owned(), commits, idle: Mutex::new(Vec::new()) }
    }

    pub(super) fn read<T, E: From<StoreError>>(
        &self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // Before the snapshot is taken: a commit in between makes it newer than its stamp says, never older.
        let last = self.commits.last();
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match kept {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        reader.see(last)?;
        let Reader { connection, memo, .. } = &mut reader;
        let result = catching(|| use_case(&mut ReadTx::snapshot(connection, memo)));
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS_MAX {
            idle.push(reader);
        }
        result
    }

    /// Lets go of the snapshots that nobody reads from, so that the log can be copied past them.
    pub(super) fn let_go(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that cannot end its transaction is closed, which ends it.
        idle.retain_mut(|reader| reader.end().is_ok());
    }
}

struct Reader {
    connection: Connection,
    /// The stamp of the commit that the open snapshot holds at the least.
    seen: Option<Stamp>,
    memo: Memo,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = connect(path)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(Self { connection, seen: None, memo: Memo::default() })
    }

    /// Makes the open snapshot one that holds the last commit.
    fn see(&mut self, last: Option<Stamp>) -> Result<(), StoreError> {
        let is_last = last.is_some() && self.seen == last && !self.connection.is_autocommit();
        if !is_last {
            self.end()?;
            run(&self.connection, "BEGIN")?;
            self.seen = last;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), StoreError> {
        self.seen = None;
        self.memo.clear();
        if self.connection.is_autocommit() { Ok(()) } else { run(&self.connection, "COMMIT") }
    }
}

#[cfg(test)]
mod tests;
