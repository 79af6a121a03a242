//! Runs an import: one thread reads and checks, the database writes batch by batch.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use jiff::Timestamp;
use store::{StoreError, UserId, WriteTx};
use tokio::sync::watch;

use super::report::{IGNORED_MAX, ImportError, ImportReport, PROBLEMS_MAX, Problem, Progress};
use super::rows::{self, Batch, Kind};
use super::{Format, Import, NewId};
use crate::error::DirectoryError;

/// Rows of one transaction.
pub const BATCH_ROWS: usize = 500;
/// Batches that are read ahead of the database.
const READ_AHEAD: usize = 2;
/// Times a batch is tried when somebody else takes a name at the same moment.
const ATTEMPTS_MAX: u32 = 3;

/// What an import works with.
pub(super) struct Job<'a> {
    pub(super) import: &'a Import<'a>,
    pub(super) progress: &'a dyn Fn(Progress),
    pub(super) stop: watch::Receiver<bool>,
}

impl Job<'_> {
    /// Ends when the import is to stop.
    async fn stopped(&self) {
        drop(self.stop.clone().wait_for(|stop| *stop).await);
    }

    /// Fails when the import is to stop.
    pub(super) fn go_on(&self) -> Result<(), ImportError> {
        if *self.stop.borrow() { Err(ImportError::Stopped) } else { Ok(()) }
    }
}

/// What applying rows needs beside the rows; made anew for each transaction.
pub(super) struct Context {
    pub(super) ids: NewId,
    pub(super) now: Timestamp,
    /// Managers found in this transaction, as named: people of one team often follow each other.
    pub(super) managers: HashMap<String, UserId>,
}

/// What a row did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Created,
    Updated,
    Unchanged,
}

/// What a row did, and what is left to do when the whole file was read.
pub(super) struct Applied {
    pub(super) done: Done,
    pub(super) later: Option<Later>,
    /// Names under which the row's user is found from now on.
    pub(super) names: Vec<String>,
}

/// A manager who was not there when the row was written.
pub(super) struct Later {
    pub(super) user: UserId,
    pub(super) manager: String,
}

/// A row whose manager is looked for again.
pub(super) struct Deferred {
    pub(super) line: u64,
    pub(super) done: Done,
    pub(super) later: Later,
}

/// What was found out so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) report: ImportReport,
    pub(super) deferred: Vec<Deferred>,
    /// In a dry run, the names that users would have got.
    pub(super) names: HashSet<String>,
}

impl Tally {
    pub(super) fn problem(&mut self, problem: Problem) {
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(problem);
        } else {
            self.report.further_problems += 1;
        }
    }

    fn failed(&mut self, problem: Problem) {
        self.report.read += 1;
        self.report.failed += 1;
        self.problem(problem);
    }

    fn applied(&mut self, line: u64, applied: Applied) {
        self.report.read += 1;
        match applied.done {
            Done::Created => self.report.created += 1,
            Done::Updated => self.report.updated += 1,
            Done::Unchanged => self.report.unchanged += 1,
        }
        if self.report.dry_run {
            self.names.extend(applied.names);
        }
        if let Some(later) = applied.later {
            self.deferred.push(Deferred { line, done: applied.done, later });
        }
    }

    pub(super) fn report(mut self) -> ImportReport {
        self.report.problems.sort_by_key(|problem| problem.line);
        self.report
    }
}

/// Reads and writes a whole file.
pub(super) async fn import<K: Kind>(
    job: &Job<'_>,
    input: impl Read + Send + 'static,
    format: Format,
    kind: K,
    tally: &mut Tally,
) -> Result<(), ImportError> {
    tally.report.dry_run = job.import.options.dry_run;
    let (sender, mut batches) = tokio::sync::mpsc::channel(READ_AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        rows::read(kind, input, format, BATCH_ROWS, |batch| sender.blocking_send(batch).is_ok())
    });
    loop {
        // Between batches only: what is being written is waited for, and counted.
        let batch = tokio::select! {
            biased;
            () = job.stopped() => return Err(ImportError::Stopped),
            batch = batches.recv() => batch,
        };
        let Some(batch) = batch else { break };
        let Batch { rows, bytes, mut ignored } = batch;
        while tally.report.ignored_columns.len() < IGNORED_MAX {
            let Some(column) = ignored.pop_first() else { break };
            tally.report.ignored_columns.insert(column);
        }
        write::<K>(job, rows, tally).await?;
        (job.progress)(Progress { rows: tally.report.read, bytes });
    }
    reading.await.unwrap_or_else(|ended| Err(ImportError::Read(std::io::Error::other(ended))))
}

type Rows<K> = Vec<Result<(u64, <K as Kind>::Row), Problem>>;

async fn write<K: Kind>(job: &Job<'_>, rows: Rows<K>, tally: &mut Tally) -> Result<(), ImportError> {
    let rows = Arc::new(rows);
    let (ids, now) = (Arc::clone(&job.import.ids), job.import.now);
    let shared = Arc::clone(&rows);
    let outcomes: Vec<_> = in_transaction(job, move |tx| {
        let mut context = Context { ids: Arc::clone(&ids), now, managers: HashMap::new() };
        shared.iter().flatten().map(|(_, row)| unless_broken(K::apply(tx, row, &mut context))).collect()
    })
    .await?;
    let mut outcomes = outcomes.into_iter();
    for row in rows.iter() {
        match row {
            Err(problem) => tally.failed(problem.clone()),
            Ok((line, _)) => match outcomes.next() {
                Some(Ok(applied)) => tally.applied(*line, applied),
                Some(Err(error)) => tally.failed(Problem::of_error(*line, &error)),
                None => tally.failed(Problem::of_row(*line, "the database gave no answer for the row")),
            },
        }
    }
    Ok(())
}

/// Tells a failure of the database, which ends the transaction, from one of the row.
pub(super) fn unless_broken<T>(outcome: Result<T, DirectoryError>) -> Result<Result<T, DirectoryError>, StoreError> {
    match outcome {
        Err(DirectoryError::Store(error)) => Err(error),
        other => Ok(other),
    }
}

/// Why a transaction was not committed.
enum NotCommitted<T> {
    DryRun(T),
    Broken(StoreError),
}

impl<T> From<StoreError> for NotCommitted<T> {
    fn from(error: StoreError) -> Self {
        Self::Broken(error)
    }
}

/// Runs work in a transaction, which a dry run rolls back. A name or id that somebody else took between look and write
/// breaks the transaction; then the work is done again and sees it.
pub(super) async fn in_transaction<T: Send + 'static>(
    job: &Job<'_>,
    work: impl Fn(&mut WriteTx<'_>) -> Result<T, StoreError> + Send + Sync + 'static,
) -> Result<T, ImportError> {
    let dry_run = job.import.options.dry_run;
    let work = Arc::new(work);
    let mut attempt = 1;
    loop {
        let work = Arc::clone(&work);
        let result = job
            .import
            .store
            .write(move |tx| {
                let done = work(tx)?;
                if dry_run { Err(NotCommitted::DryRun(done)) } else { Ok(done) }
            })
            .await;
        match result {
            Ok(done) | Err(NotCommitted::DryRun(done)) => return Ok(done),
            Err(NotCommitted::Broken(StoreError::NotUnique(key))) if attempt < ATTEMPTS_MAX => {
                tracing::debug!(?key, attempt, "A batch is tried again: somebody else wrote at the same moment");
                attempt += 1;
            }
            Err(NotCommitted::Broken(error)) => return Err(error.into()),
        }
    }
}
