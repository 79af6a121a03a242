//! The embedded database: one writer thread with group commit, readers on connections of their own, a thread that
//! checkpoints off the write path.

mod commits;
mod log;
mod readers;
mod scanners;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use self::commits::Commits;
use self::readers::Readers;
use self::scanners::Scanners;
use crate::error::StoreError;
use crate::figures::{Ended, Figures, WriteTimes};
use crate::migrate;
use crate::{ReadTx, WriteTx};

/// Writes that share one commit at the most.
const GROUP_MAX: usize = 256;
/// How long a lock of another program is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// Prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 256;
/// `PRAGMA application_id` of our files: `LOCK` in ASCII.
const APPLICATION_ID: i64 = 0x4C4F_434B;
/// Pages copied per step of a backup.
const BACKUP_PAGES: i32 = 512;

/// Scans at a time on each processor: one may wait for the disk while another computes.
const SCANS_EACH: usize = 2;

/// How many may scan at a time: each has a connection of its own.
pub(crate) fn scans_max() -> usize {
    SCANS_EACH * std::thread::available_parallelism().map_or(1, usize::from)
}

/// A use case, run where the transaction of its group is open, and told why where it is not.
type Work = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Finish + Send>;
/// Answers a use case, when its group is durable or has failed.
type Finish = Box<dyn FnOnce(Result<(), StoreError>, Ended) + Send>;

pub(crate) struct Sqlite {
    path: PathBuf,
    work: Option<Sender<Work>>,
    writer: Option<JoinHandle<()>>,
    stop: Option<Sender<()>>,
    checkpointer: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
    figures: Arc<Figures>,
    scanners: Scanners,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        // Before anything of the file is changed, such as its journal mode.
        claim(&mut open_file(path)?, path)?;
        let mut writer = connect(path)?;
        migrate::sqlite(&mut writer)?;
        let commits = Arc::new(Commits::open(path).map_err(|error| cannot_stamp(path, &error))?);
        let readers = Arc::new(Readers::new(path, Arc::clone(&commits)));
        let (work, inbox) = channel();
        let (stop, stopped) = channel();
        let checkpoints = connect(path)?;
        checkpoints.busy_timeout(log::RESTART_WAIT)?;
        let idle_readers = Arc::clone(&readers);
        let figures = Arc::new(Figures::new(None));
        let counted = Arc::clone(&figures);
        let scanners = Scanners::new(scans_max());
        let is_scanning = scanners.is_busy();
        Ok(Self {
            path: path.to_owned(),
            work: Some(work),
            writer: Some(std::thread::spawn(move || write_loop(&writer, &commits, &inbox, &counted))),
            stop: Some(stop),
            checkpointer: Some(std::thread::spawn(move || {
                log::keep_small(&checkpoints, &idle_readers, &stopped, is_scanning);
            })),
            readers,
            figures,
            scanners,
        })
    }

    /// Queues a use case for the writer; `done` is called when its group is durable, or has failed.
    pub(crate) fn write<T, E>(
        &self,
        use_case: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>, WriteTimes) + Send + 'static,
    ) -> Result<(), StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (figures, queued) = (Arc::clone(&self.figures), self.figures.queue());
        let work: Work = Box::new(move |begun| {
            let turn = figures.take(queued);
            let result = begun.map_err(E::from).and_then(|connection| in_savepoint(connection, use_case));
            Box::new(move |committed, ended| {
                let result = result.and_then(|value| committed.map(|()| value).map_err(E::from));
                done(result, WriteTimes::of(turn, ended));
            })
        });
        let sender = self.work.as_ref().ok_or_else(|| StoreError::Internal("the store is closed".to_owned()))?;
        sender.send(work).map_err(|_| {
            self.figures.give_up();
            StoreError::Internal("the writer thread ended".to_owned())
        })
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.figures
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.readers.read(use_case)
    }

    /// Has something done on a thread that makes way for others. What is undone when the store is closed is dropped.
    pub(crate) fn aside(&self, job: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        self.scanners.run(job)
    }

    /// The connections that read, for what is done aside: it must not hold the store, which ends when nobody does.
    pub(crate) fn readers(&self) -> Arc<Readers> {
        Arc::clone(&self.readers)
    }

    pub(crate) fn look_up<T, E: From<StoreError>>(
        &self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.readers.read(|tx| {
            tx.allow_one_statement();
            use_case(tx)
        })
    }

    pub(crate) fn backup(&self, to: &Path, progress: impl Fn(u64, u64)) -> Result<(), StoreError> {
        let from = connect(&self.path)?;
        // A snapshot is held to the end: else each write of others between two steps would start the copy anew.
        run(&from, "BEGIN")?;
        from.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
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

fn open_file(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_file(path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan that may depend on a bound value, such as a limit, is thrown away whenever a value is bound, and compiling a statement
    // takes ten times as long as running it.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=0;
         PRAGMA journal_size_limit={}; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;",
        log::KEPT_BYTES
    ))?;
    Ok(connection)
}

/// Refuses a file of another program, and leaves it as it is; marks a new one as ours.
fn claim(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let foreign = || StoreError::Foreign { path: path.to_owned() };
    // The first statement that touches the file tells whether it is a database at all.
    let is_ours = |connection: &Connection| -> Result<Option<bool>, StoreError> {
        match facts(connection) {
            Ok((APPLICATION_ID, _)) => Ok(Some(true)),
            Ok((0, 0)) => Ok(None),
            Ok(_) => Ok(Some(false)),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => Ok(Some(false)),
            Err(error) => Err(error.into()),
        }
    };
    let looked = connection.transaction()?;
    let mut ours = is_ours(&looked)?;
    drop(looked);
    if ours.is_none() {
        // Two that begin on a new file at once: the second finds what the first has made of it.
        let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        ours = is_ours(&tx)?;
        if ours.is_none() {
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.commit()?;
            return Ok(());
        }
    }
    if ours == Some(true) { Ok(()) } else { Err(foreign()) }
}

/// The application id of a database and its number of tables and indexes.
fn facts(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let id = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok((id, connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?))
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn catching<T, E: From<StoreError>>(use_case: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(use_case))
        .unwrap_or_else(|_| Err(StoreError::Internal("a use case panicked".to_owned()).into()))
}

fn in_savepoint<T, E: From<StoreError>>(
    connection: &Connection,
    use_case: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, "SAVEPOINT one")?;
    let result = catching(|| WriteTx::over(ReadTx::sqlite(connection)).run_whole(use_case));
    let kept = result.is_ok() || connection.is_autocommit() || run(connection, "ROLLBACK TO one").is_ok();
    if !connection.is_autocommit() && (!kept || run(connection, "RELEASE one").is_err()) {
        // What cannot be undone alone is undone with its whole group, which then hears of it.
        drop(run(connection, "ROLLBACK"));
    }
    result
}

/// Takes what is queued, runs it in one transaction, commits, and only then answers.
fn write_loop(connection: &Connection, commits: &Commits, inbox: &Receiver<Work>, figures: &Figures) {
    while let Ok(first) = inbox.recv() {
        let mut finishes = Vec::new();
        let mut next = Some(first);
        let begun = run(connection, "BEGIN IMMEDIATE");
        while let Some(work) = next {
            finishes.push(work(still_open(connection, &begun)));
            next = if finishes.len() < GROUP_MAX { inbox.try_recv().ok() } else { None };
        }
        let commit_begun = Instant::now();
        let committed = begun.and_then(|()| commit(connection)).inspect(|()| tell(commits));
        let ended = Ended { begun: commit_begun, done: Instant::now() };
        figures.commits.count_duration(ended.done.duration_since(ended.begun));
        figures.commit_writes.count(finishes.len() as u64);
        for finish in finishes {
            finish(committed.clone(), ended);
        }
    }
}

/// The connection, while the transaction of the group is open. Outside of one, a savepoint would commit on its own what
/// its caller is then told was not kept.
fn still_open<'c>(connection: &'c Connection, begun: &Result<(), StoreError>) -> Result<&'c Connection, StoreError> {
    match begun {
        Err(error) => Err(error.clone()),
        Ok(()) if connection.is_autocommit() => Err(StoreError::Full),
        Ok(()) => Ok(connection),
    }
}

/// Commits. A full disk makes SQLite roll the whole transaction back by itself: then there is nothing to commit.
fn commit(connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        return Err(StoreError::Full);
    }
    run(connection, "COMMIT").inspect_err(|_| drop(run(connection, "ROLLBACK")))
}

/// Tells readers of a commit. Where that fails they find out by themselves, when their snapshots end.
fn tell(commits: &Commits) {
    if let Err(error) = commits.stamp() {
        tracing::warn!("Readers see the last commit late, because its stamp cannot be written: {error}");
    }
}

fn cannot_stamp(database: &Path, error: &std::io::Error) -> StoreError {
    let path = commits::beside(database);
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StoreError::Full;
    }
    StoreError::Unavailable(format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests;
