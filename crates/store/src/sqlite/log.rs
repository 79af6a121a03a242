//! The write-ahead log: it is copied into the database off the write path, and begun anew where it has grown big.
//!
//! It is begun anew in place and not cut. To cut a file of that size takes the file system tens of milliseconds, in which nobody
//! commits, and what is appended to it afterwards costs more than what is written over.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
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
/// How long that may keep writers waiting for a reader that still needs the log.
pub(super) const RESTART_WAIT: Duration = Duration::from_millis(100);
/// Size of the log up to which it is not begun anew while someone scans: writers would wait for the scan, and fail.
pub(super) const RESTART_HELD_BYTES: u64 = 4 * RESTART_BYTES;
/// Looks at the log between an attempt that a reader prevented and the next one.
pub(super) const RESTART_PAUSE: u32 = 40;
/// What the file keeps of a log that had grown beyond.
pub(super) const KEPT_BYTES: u64 = 64 << 20;

/// Bytes of a frame beside its page, and of the log's header (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const FRAME_HEADER_BYTES: u64 = 24;
const LOG_HEADER_BYTES: u64 = 32;

/// How far the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// Another one after each commit.
    change: u32,
    /// What is written of it: the file may be longer.
    pub(super) bytes: u64,
}

impl Log {
    /// Reads the header of the log's index, which lies beside the database (<https://sqlite.org/walformat.html> §2.1). While a commit
    /// writes it, its parts may not fit each other; who asks looks again soon. `None` where there is no log.
    pub(super) fn of(database: &Path) -> Option<Self> {
        let mut index = database.as_os_str().to_owned();
        index.push("-shm");
        let mut header = [0; 20];
        File::open(index).ok()?.read_exact(&mut header).ok()?;
        let number = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let page = match u16::from_ne_bytes([header[14], header[15]]) {
            1 => 1 << 16,
            bytes => u64::from(bytes),
        };
        Some(Self { change: number(8), bytes: LOG_HEADER_BYTES + u64::from(number(16)) * (page + FRAME_HEADER_BYTES) })
    }
}

/// Copies the log into the database from time to time, so that no commit has to.
pub(super) fn keep_small(
    connection: &Connection,
    readers: &Readers,
    database: &Path,
    stopped: &Receiver<()>,
    is_scanning: impl Fn() -> bool,
) {
    let (mut pause, mut copied) = (0, None);
    while stopped.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
        let log = Log::of(database).filter(|log| Some(log.change) != copied);
        let bytes = log.map_or(0, |log| log.bytes);
        pause = put_off(bytes, pause, is_scanning());
        let look = || checkpoint(connection, bytes, pause);
        let checked = if is_begun_anew(bytes, pause) {
            readers.without_snapshots(look)
        } else {
            readers.let_go();
            look()
        };
        pause = checked.pause;
        if checked.is_whole {
            copied = log.map(|log| log.change);
        }
    }
}

/// The looks without beginning anew that are left: one more at the least while a scan holds the log.
pub(super) const fn put_off(bytes: u64, pause: u32, is_scanning: bool) -> u32 {
    if pause == 0 && is_scanning && bytes < RESTART_HELD_BYTES { 1 } else { pause }
}

const fn is_begun_anew(bytes: u64, pause: u32) -> bool {
    bytes >= RESTART_BYTES && pause == 0
}

/// What came of a look at the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// The looks before the log is to be begun anew again.
    pub(super) pause: u32,
    /// Whether all of it is in the database: nothing is to be done until someone commits.
    pub(super) is_whole: bool,
}

/// Copies a log of that size, and has it begun anew where it is big, unless a reader prevented that within the last `pause` looks.
pub(super) fn checkpoint(connection: &Connection, bytes: u64, pause: u32) -> Checked {
    if bytes < CHECKPOINT_BYTES {
        return Checked { pause: 0, is_whole: false };
    }
    let copied = run(connection, "PRAGMA wal_checkpoint(PASSIVE)");
    if !is_begun_anew(bytes, pause) {
        return Checked { pause: pause.saturating_sub(1), is_whole: copied == Some(true) };
    }
    // Writers wait for what is left only.
    match run(connection, "PRAGMA wal_checkpoint(RESTART)") {
        Some(true) => Checked { pause: 0, is_whole: true },
        _ => Checked { pause: RESTART_PAUSE, is_whole: false },
    }
}

/// Whether all was done. `None` where nothing could be.
fn run(connection: &Connection, sql: &str) -> Option<bool> {
    let whole = connection.query_row(sql, [], |row| {
        let [busy, log, copied] = [row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?];
        Ok(busy == 0 && log == copied)
    });
    whole.inspect_err(|error| tracing::debug!("A checkpoint was put off: {error}")).ok()
}
