//! Connections that read. Each holds the snapshot of its last use case open and reads from it again while nothing was
//! committed since: to take and give back SQLite's lock costs several times as much as a look-up.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::commits::{Commits, Stamp};
use super::{catching, connect, run};
use crate::ReadTx;
use crate::error::StoreError;
use crate::tx::Memo;

/// Idle connections that are kept, at the least; where more threads can run at a time, one for each.
pub(super) const READERS_MAX: usize = 8;
/// Memory for pages of one connection, in KiB.
pub(super) const READER_CACHE_KIB: i64 = 32 << 10;

pub(crate) struct Readers {
    path: PathBuf,
    commits: Arc<Commits>,
    idle: Mutex<Vec<Reader>>,
    /// Looks at the log so far: no use case begins on a snapshot that is older than the last one.
    looks: AtomicU64,
    /// Whether snapshots are given up after each use case, so that the log can be cut.
    keeps_none: AtomicBool,
    kept_max: usize,
}

impl Readers {
    pub(super) fn new(path: &Path, commits: Arc<Commits>) -> Self {
        Self {
            path: path.to_owned(),
            commits,
            idle: Mutex::default(),
            looks: AtomicU64::new(0),
            keeps_none: AtomicBool::new(false),
            kept_max: std::thread::available_parallelism().map_or(1, usize::from).max(READERS_MAX),
        }
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // Before the snapshot is taken: a commit in between makes it newer than its stamp says, never older.
        let last = self.commits.last().map(|commit| Seen { commit, looks: self.looks.load(Ordering::Acquire) });
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match kept {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        reader.see(last)?;
        let Reader { connection, memo, .. } = &mut reader;
        let result = catching(|| use_case(&mut ReadTx::snapshot(connection, memo)));
        if self.keeps_none.load(Ordering::Acquire) && reader.end().is_err() {
            return result;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.kept_max {
            idle.push(reader);
        }
        result
    }

    /// Runs something that waits until nobody reads from the log, such as cutting it: meanwhile no snapshot is held longer than
    /// its use case takes.
    pub(super) fn without_snapshots<T>(&self, run: impl FnOnce() -> T) -> T {
        self.keeps_none.store(true, Ordering::Release);
        self.let_go();
        let result = run();
        self.keeps_none.store(false, Ordering::Release);
        result
    }

    /// Lets go of the snapshots that nobody reads from, so that the log can be copied past them; of the others when their use
    /// case is done.
    pub(super) fn let_go(&self) {
        self.looks.fetch_add(1, Ordering::AcqRel);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that cannot end its transaction is closed, which ends it.
        idle.retain_mut(|reader| reader.end().is_ok());
    }
}

/// What a snapshot holds at the least, and since when it is held.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    commit: Stamp,
    looks: u64,
}

struct Reader {
    connection: Connection,
    seen: Option<Seen>,
    memo: Memo,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = connect(path)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(Self { connection, seen: None, memo: Memo::default() })
    }

    /// Makes the open snapshot one that holds the last commit.
    fn see(&mut self, last: Option<Seen>) -> Result<(), StoreError> {
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
