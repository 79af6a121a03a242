//! The embedded database: one writer thread with group commit, readers on connections of their own, a thread that
//! checkpoints off the write path.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::migrate;
use crate::{ReadTx, WriteTx};

/// Writes that share one commit at the most.
const GROUP_MAX: usize = 256;
/// How long a lock of another program is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// Idle reader connections that are kept.
const READERS_MAX: usize = 32;
/// Prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 256;
/// How often the write-ahead log is looked at.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(50);
/// Size of the write-ahead log from which it is copied into the database.
const CHECKPOINT_BYTES: u64 = 4 << 20;
/// Size of the write-ahead log from which it is also cut, at some cost to writers.
const TRUNCATE_BYTES: u64 = 48 << 20;
/// `PRAGMA application_id` of our files: `LOCK` in ASCII.
const APPLICATION_ID: i64 = 0x4C4F_434B;
/// Pages copied per step of a backup.
const BACKUP_PAGES: i32 = 512;

type Work = Box<dyn FnOnce(&Connection) -> Finish + Send>;
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(crate) struct Sqlite {
    path: PathBuf,
    work: Option<Sender<Work>>,
    writer: Option<JoinHandle<()>>,
    stop: Option<Sender<()>>,
    checkpointer: Option<JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut writer = connect(path)?;
        claim(&writer, path)?;
        migrate::sqlite(&mut writer)?;
        let (work, inbox) = channel();
        let (stop, stopped) = channel();
        let checkpoints = connect(path)?;
        let wal = wal_path(path);
        Ok(Self {
            path: path.to_owned(),
            work: Some(work),
            writer: Some(std::thread::spawn(move || write_loop(&writer, &inbox))),
            stop: Some(stop),
            checkpointer: Some(std::thread::spawn(move || checkpoint_loop(&checkpoints, &wal, &stopped))),
            readers: Mutex::new(Vec::new()),
        })
    }

    /// Queues a use case for the writer; `done` is called when its group is durable, or has failed.
    pub(crate) fn write<T, E>(
        &self,
        use_case: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>) + Send + 'static,
    ) -> Result<(), StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let work: Work = Box::new(move |connection| {
            let result = in_savepoint(connection, use_case);
            Box::new(move |committed| done(result.and_then(|value| committed.map(|()| value).map_err(E::from))))
        });
        let sender = self.work.as_ref().ok_or_else(|| StoreError::Internal("the store is closed".to_owned()))?;
        sender.send(work).map_err(|_| StoreError::Internal("the writer thread ended".to_owned()))
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        run(&connection, "BEGIN")?;
        let result = use_case(&mut ReadTx::sqlite(&connection));
        run(&connection, "COMMIT")?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        result
    }

    pub(crate) fn backup(&self, to: &Path, progress: impl Fn(u64, u64)) -> Result<(), StoreError> {
        let from = connect(&self.path)?;
        let mut copy = Connection::open(to)?;
        let backup = rusqlite::backup::Backup::new(&from, &mut copy)?;
        loop {
            let step = backup.step(BACKUP_PAGES)?;
            let state = backup.progress();
            let total = u64::try_from(state.pagecount).unwrap_or(0);
            progress(total.saturating_sub(u64::try_from(state.remaining).unwrap_or(0)), total);
            match step {
                rusqlite::backup::StepResult::Done => return Ok(()),
                rusqlite::backup::StepResult::More => {}
                _ => std::thread::yield_now(),
            }
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        drop(self.work.take());
        drop(self.stop.take());
        for thread in [self.writer.take(), self.checkpointer.take()].into_iter().flatten() {
            drop(thread.join());
        }
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan that may depend on a bound value, such as a limit, is thrown away whenever a value is bound, and compiling a statement
    // takes ten times as long as running it.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The first statement that touches the file tells whether it is a database at all.
    let ours = connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;");
    match ours {
        Err(rusqlite::Error::SqliteFailure(code, _)) if code.code == rusqlite::ErrorCode::NotADatabase => {
            Err(StoreError::Foreign { path: path.to_owned() })
        }
        other => Ok(other.map(|()| connection)?),
    }
}

/// Refuses a file of another program; marks a new one as ours.
fn claim(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (id, tables) {
        (APPLICATION_ID, _) => Ok(()),
        (0, 0) => Ok(connection.pragma_update(None, "application_id", APPLICATION_ID)?),
        _ => Err(StoreError::Foreign { path: path.to_owned() }),
    }
}

fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn in_savepoint<T, E: From<StoreError>>(
    connection: &Connection,
    use_case: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, "SAVEPOINT one")?;
    let result = catch_unwind(AssertUnwindSafe(|| use_case(&mut WriteTx::over(ReadTx::sqlite(connection)))))
        .unwrap_or_else(|_| Err(StoreError::Internal("a use case panicked".to_owned()).into()));
    if result.is_err() && !connection.is_autocommit() {
        run(connection, "ROLLBACK TO one")?;
    }
    if !connection.is_autocommit() {
        run(connection, "RELEASE one")?;
    }
    result
}

/// Takes what is queued, runs it in one transaction, commits, and only then answers.
fn write_loop(connection: &Connection, inbox: &Receiver<Work>) {
    while let Ok(first) = inbox.recv() {
        let mut finishes = Vec::new();
        let mut next = Some(first);
        let begun = run(connection, "BEGIN IMMEDIATE");
        while let Some(work) = next {
            finishes.push(work(connection));
            next = if finishes.len() < GROUP_MAX { inbox.try_recv().ok() } else { None };
        }
        let committed = begun.and_then(|()| commit(connection));
        for finish in finishes {
            finish(match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(same(error)),
            });
        }
    }
}

/// Commits. A full disk makes SQLite roll the whole transaction back by itself: then there is nothing to commit.
fn commit(connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        return Err(StoreError::Full);
    }
    run(connection, "COMMIT").inspect_err(|_| drop(run(connection, "ROLLBACK")))
}

fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Full => StoreError::Full,
        other => StoreError::Internal(other.to_string()),
    }
}

/// Copies the write-ahead log into the database from time to time, so that no commit has to.
fn checkpoint_loop(connection: &Connection, wal: &Path, stopped: &Receiver<()>) {
    while stopped.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
        let bytes = std::fs::metadata(wal).map_or(0, |file| file.len());
        let sql = match bytes {
            TRUNCATE_BYTES.. => "PRAGMA wal_checkpoint(TRUNCATE)",
            CHECKPOINT_BYTES.. => "PRAGMA wal_checkpoint(PASSIVE)",
            _ => continue,
        };
        if let Err(error) = connection.query_row(sql, [], |_| Ok(())) {
            tracing::debug!("A checkpoint was put off: {error}");
        }
    }
}
