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
/// Memory for pages of the connections that look up, all together, in KiB: one for each thread that can run.
pub(super) const LOOK_UPS_CACHE_KIB: usize = 64 << 10;
/// What one of them has at the least.
pub(super) const LOOK_UP_CACHE_KIB_MIN: usize = 8 << 10;
/// Memory for pages of a further connection, in KiB. It is there for what takes long, which reads most pages once.
pub(super) const READER_CACHE_KIB: usize = 8 << 10;

pub(crate) struct Readers {
    path: PathBuf,
    commits: Arc<Commits>,
    /// Those with a large cache are at the end, from where they are taken.
    idle: Mutex<Vec<Reader>>,
    /// A connection with a large cache holds one.
    large: Arc<()>,
    threads: usize,
    /// Looks at the log so far: no use case begins on a snapshot that is older than the last one.
    looks: AtomicU64,
    /// Whether snapshots are given up after each use case, so that the log can be begun anew.
    keeps_none: AtomicBool,
    kept_max: usize,
}

impl Readers {
    pub(super) fn new(path: &Path, commits: Arc<Commits>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            path: path.to_owned(),
            commits,
            idle: Mutex::default(),
            looks: AtomicU64::new(0),
            keeps_none: AtomicBool::new(false),
            large: Arc::default(),
            threads,
            kept_max: threads.max(READERS_MAX),
        }
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // Before the snapshot is taken: a commit in between makes it newer than its stamp says, never older.
        let last = self.commits.last().map(|commit| Seen { commit, looks: self.looks.load(Ordering::Acquire) });
        let mut reader = self.take()?;
        reader.see(last)?;
        let Reader { connection, memo, .. } = &mut reader;
        let result = catching(|| use_case(&mut ReadTx::snapshot(connection, memo)));
        if self.keeps_none.load(Ordering::Acquire) && reader.end().is_err() {
            return result;
        }
        self.keep(reader);
        result
    }

    fn take(&self) -> Result<Reader, StoreError> {
        let large = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = idle.pop() {
                return Ok(kept);
            }
            // Counted where only one at a time can.
            (Arc::strong_count(&self.large) <= self.threads).then(|| Arc::clone(&self.large))
        };
        let cache = if large.is_some() { look_up_cache_kib(self.threads) } else { READER_CACHE_KIB };
        Reader::open(&self.path, cache, large)
    }

    fn keep(&self, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.kept_max {
            let at = if reader.large.is_some() { idle.len() } else { 0 };
            idle.insert(at, reader);
        }
    }

    /// Runs something that waits until nobody reads from the log, such as beginning it anew: meanwhile no snapshot is held longer than
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

/// Memory for pages of a connection that looks up, in KiB.
const fn look_up_cache_kib(threads: usize) -> usize {
    let share = LOOK_UPS_CACHE_KIB / threads;
    if share < LOOK_UP_CACHE_KIB_MIN { LOOK_UP_CACHE_KIB_MIN } else { share }
}

struct Reader {
    connection: Connection,
    /// Held by one that has a large cache.
    large: Option<Arc<()>>,
    seen: Option<Seen>,
    memo: Memo,
}

impl Reader {
    fn open(path: &Path, cache_kib: usize, large: Option<Arc<()>>) -> Result<Self, StoreError> {
        let connection = connect(path)?;
        let cache_kib = i64::try_from(cache_kib).unwrap_or(i64::MAX);
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        Ok(Self { connection, large, seen: None, memo: Memo::default() })
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
