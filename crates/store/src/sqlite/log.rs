//! The write-ahead log: it is copied into the database off the write path, and begun anew where it has grown big.
//!
//! It is begun anew in place and not cut. To cut a file of that size takes the file system tens of milliseconds, in which nobody
//! commits, and what is appended to it afterwards costs more than what is written over.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;

use super::readers::Readers;

/// How often the log is looked at, which no snapshot of a reader outlives by more than a use case.
pub(super) const CHECKPOINT_EVERY: Duration = Duration::from_millis(50);
/// Size of the log from which it is copied into the database.
pub(super) const CHECKPOINT_BYTES: u64 = 4 << 20;
/// Size of the log from which it is also begun anew, at some cost to writers.
pub(super) const RESTART_BYTES: u64 = 48 << 20;
/// How often it is copied before that at the most: writers wait for what is left.
const COPIES_MAX: u32 = 3;
/// How long that may keep writers waiting for a reader that still needs the log.
pub(super) const RESTART_WAIT: Duration = Duration::from_millis(100);
/// Size of the log up to which it is not begun anew while someone scans: writers would wait for the scan, and fail.
pub(super) const RESTART_HELD_BYTES: u64 = 4 * RESTART_BYTES;
/// Looks at the log between an attempt that a reader prevented and the next one.
pub(super) const RESTART_PAUSE: u32 = 40;
/// What the file keeps of a log that had grown beyond.
pub(super) const KEPT_BYTES: u64 = 64 << 20;

/// Bytes of a frame beside its page (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const FRAME_HEADER_BYTES: u64 = 24;

/// How far the log is written and copied, in bytes: its file may be longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) bytes: u64,
    pub(super) copied: u64,
}

impl Log {
    /// Asks SQLite, and never the files: who closes one of those that SQLite has locks on lets go of all these locks
    /// (<https://sqlite.org/howtocorrupt.html> §2.2).
    pub(super) fn of(connection: &Connection) -> Option<Self> {
        run(connection, "PRAGMA wal_checkpoint(NOOP)").map(|(_, log)| log)
    }

    const fn left(self) -> u64 {
        self.bytes.saturating_sub(self.copied)
    }
}

/// Copies the log into the database from time to time, so that no commit has to.
pub(super) fn keep_small(
    connection: &Connection,
    readers: &Readers,
    stopped: &Receiver<()>,
    is_scanning: impl Fn() -> bool,
) {
    let mut pause = 0;
    while stopped.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
        let log = Log::of(connection).unwrap_or_default();
        pause = put_off(log.bytes, pause, is_scanning());
        let look = || checkpoint(connection, log, pause);
        pause = if is_begun_anew(log, pause) {
            readers.without_snapshots(look)
        } else {
            readers.let_go();
            look()
        };
    }
}

/// The looks without beginning anew that are left: one more at the least while a scan holds the log.
pub(super) const fn put_off(bytes: u64, pause: u32, is_scanning: bool) -> u32 {
    if pause == 0 && is_scanning && bytes < RESTART_HELD_BYTES { 1 } else { pause }
}

/// Whoever writes next to a log that is copied whole begins it anew anyway.
const fn is_begun_anew(log: Log, pause: u32) -> bool {
    log.bytes >= RESTART_BYTES && pause == 0 && log.left() > 0
}

/// Copies the log, and has it begun anew where it is big, unless a reader prevented that within the last `pause` looks. Gives the pause
/// that is left.
pub(super) fn checkpoint(connection: &Connection, mut log: Log, pause: u32) -> u32 {
    let is_begun_anew = is_begun_anew(log, pause);
    for _ in 0..if is_begun_anew { COPIES_MAX } else { 1 } {
        if log.bytes < CHECKPOINT_BYTES || log.left() == 0 {
            break;
        }
        log = run(connection, "PRAGMA wal_checkpoint(PASSIVE)").map_or(log, |(_, log)| log);
        if log.left() < CHECKPOINT_BYTES {
            break;
        }
    }
    if !is_begun_anew {
        return pause.saturating_sub(1);
    }
    match run(connection, "PRAGMA wal_checkpoint(RESTART)") {
        Some((false, _)) => 0,
        _ => RESTART_PAUSE,
    }
}

/// Whether someone was in the way, and how far the log is then.
fn run(connection: &Connection, sql: &str) -> Option<(bool, Log)> {
    let asked = || {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        connection.query_row(sql, [], |row| {
            let [busy, log, copied] = [row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?];
            let bytes = |frames: i64| {
                let frame = u64::try_from(page).unwrap_or(0) + FRAME_HEADER_BYTES;
                u64::try_from(frames).unwrap_or(0).saturating_mul(frame)
            };
            Ok((busy != 0, Log { bytes: bytes(log), copied: bytes(copied) }))
        })
    };
    asked().inspect_err(|error: &rusqlite::Error| tracing::debug!("A checkpoint was put off: {error}")).ok()
}
