//! The store itself: opening it, and running use cases in transactions.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Semaphore;

use crate::error::StoreError;
use crate::figures::{Figures, WriteTimes};
use crate::{ReadTx, WriteTx, postgres, sqlite};

/// Which database holds the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded default: one file.
    Sqlite(PathBuf),
    /// PostgreSQL 15 or newer, by its connection URL or key-value string.
    Postgres(String),
}

/// A handle on the data; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Inner,
    /// Who may scan at this moment; the others wait without a thread, a connection or memory.
    scans: Arc<Semaphore>,
    scans_max: usize,
    under_way: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Inner {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(Arc<postgres::Pool>),
}

/// Times a transaction that the database gave up (deadlock, serialisation) is tried again.
pub(crate) const ATTEMPTS_MAX: u32 = 5;

impl Store {
    /// Opens the database and brings its schema up to date. Refuses a file of another program, and a schema that is
    /// newer than this program.
    pub fn open(database: &Database) -> Result<Self, StoreError> {
        let (inner, scans) = match database {
            Database::Sqlite(path) => (Inner::Sqlite(Arc::new(sqlite::Sqlite::open(path)?)), sqlite::scans_max()),
            Database::Postgres(url) => (Inner::Postgres(Arc::new(postgres::Pool::open(url)?)), postgres::SCANS_MAX),
        };
        Ok(Self { inner, scans: Arc::new(Semaphore::new(scans)), scans_max: scans, under_way: Arc::default() })
    }

    /// Runs a use case that may write. When this returns `Ok`, its changes are durable; when it returns `Err`, none of
    /// them was kept. The use case may run again when the database gave up a first attempt.
    pub async fn write<T, E, F>(&self, use_case: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_timed(use_case).await.0
    }

    /// The same, and tells when it went through its stages; of one that was never taken, nothing.
    pub async fn write_timed<T, E, F>(&self, mut use_case: F) -> (Result<T, E>, Option<WriteTimes>)
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, wait) = tokio::sync::oneshot::channel();
        let under_way = self.begin();
        let answer = move |told| {
            drop(answer.send(told));
            drop(under_way);
        };
        let begun = match &self.inner {
            Inner::Sqlite(sqlite) => sqlite.write(move |tx| use_case(tx), move |result, times| answer((result, times))),
            Inner::Postgres(pool) => pool.submit(move |connection, turn| {
                let (result, ended) = connection.write(&mut use_case);
                answer((result, WriteTimes::of(turn, ended)));
            }),
        };
        if let Err(error) = begun {
            return (Err(error.into()), None);
        }
        match wait.await {
            Ok((result, times)) => (result, Some(times)),
            Err(_) => (Err(ended().into()), None),
        }
    }

    /// Runs a use case that reads a few rows. On SQLite it runs on the calling thread: an indexed look-up takes
    /// microseconds, less than a change of threads.
    pub async fn read<T, E, F>(&self, use_case: F) -> Result<T, E>
    where
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.inner {
            Inner::Sqlite(sqlite) => sqlite.read(use_case),
            Inner::Postgres(pool) => on_postgres(pool, self.begin(), move |connection| connection.read(use_case)).await,
        }
    }

    /// Runs a use case that is one statement. It sees one moment of the data without a transaction around it, which
    /// PostgreSQL need not begin and end; a second statement is refused.
    pub async fn look_up<T, E, F>(&self, use_case: F) -> Result<T, E>
    where
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.inner {
            Inner::Sqlite(sqlite) => sqlite.look_up(use_case),
            Inner::Postgres(pool) => {
                on_postgres(pool, self.begin(), move |connection| connection.look_up(use_case)).await
            }
        }
    }

    /// Runs a use case that reads many rows, on a thread where it keeps nobody waiting. Only some scan at a time, the others
    /// wait for their turn: on SQLite each takes a connection with its memory, on PostgreSQL one of those that answer all. When nobody
    /// waits for the outcome any more, no further statement is run; what the use case holds it holds until then.
    pub async fn scan<T, E, F>(&self, use_case: F) -> Result<T, E>
    where
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Ok(turn) = Arc::clone(&self.scans).acquire_owned().await else { return Err(ended().into()) };
        let waiting = Waiting::default();
        let unwanted = Arc::clone(&waiting.is_over);
        let use_case = move |tx: &mut ReadTx<'_>| {
            tx.stop_when(unwanted);
            use_case(tx)
        };
        match &self.inner {
            Inner::Sqlite(sqlite) => {
                let ((answer, wait), readers) = (tokio::sync::oneshot::channel(), sqlite.readers());
                let under_way = self.begin();
                sqlite.aside(move || {
                    // Held to the end of the work, also where nobody waits for its outcome any more.
                    let _held = (turn, under_way);
                    if !answer.is_closed() {
                        drop(answer.send(readers.read(use_case)));
                    }
                })?;
                wait.await.unwrap_or_else(|_| Err(ended().into()))
            }
            Inner::Postgres(pool) => {
                let scan = move |connection: &mut postgres::Connection| {
                    let _turn = turn;
                    connection.read(use_case)
                };
                on_postgres(pool, self.begin(), scan).await
            }
        }
    }

    /// Runs something that takes long and reads no data, such as to make sense of a large body, where it keeps nobody waiting: in turn
    /// with those who scan.
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
        let Ok(turn) = Arc::clone(&self.scans).acquire_owned().await else { return Err(ended()) };
        let (answer, wait) = tokio::sync::oneshot::channel();
        let job = move || {
            let _turn = turn;
            if !answer.is_closed() {
                drop(answer.send(work()));
            }
        };
        match &self.inner {
            Inner::Sqlite(sqlite) => sqlite.aside(job)?,
            Inner::Postgres(_) => drop(tokio::task::spawn_blocking(job)),
        }
        wait.await.map_err(|_| ended())
    }

    /// Writes a consistent copy of the embedded database to a new file while others go on reading and writing.
    /// PostgreSQL has `pg_dump` for this, and the error says so.
    pub async fn backup(&self, to: PathBuf, progress: impl Fn(u64, u64) + Send + 'static) -> Result<(), StoreError> {
        match &self.inner {
            Inner::Sqlite(sqlite) => {
                let sqlite = Arc::clone(sqlite);
                tokio::task::spawn_blocking(move || sqlite.backup(&to, progress))
                    .await
                    .unwrap_or_else(|error| Err(StoreError::Internal(error.to_string())))
            }
            Inner::Postgres(_) => Err(StoreError::NotOffered("a PostgreSQL database is backed up with pg_dump")),
        }
    }

    /// Whether writes run one after the other, so that each sees all that were begun before it.
    pub const fn writes_in_turn(&self) -> bool {
        matches!(self.inner, Inner::Sqlite(_))
    }

    /// What the store counts of itself.
    pub fn figures(&self) -> &Figures {
        match &self.inner {
            Inner::Sqlite(sqlite) => sqlite.figures(),
            Inner::Postgres(pool) => pool.figures(),
        }
    }

    /// Use cases that other threads of this program run at this moment. Who simulates time must not let it pass while there are any.
    pub fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::Acquire)
    }

    fn begin(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(Arc::clone(&self.under_way))
    }

    /// How many may scan at a time.
    pub const fn scans_max(&self) -> usize {
        self.scans_max
    }

    /// Which database this is, for people: `SQLite 3.x` or `PostgreSQL 15.x`.
    pub async fn version(&self) -> Result<String, StoreError> {
        match &self.inner {
            Inner::Sqlite(_) => Ok(format!("SQLite {}", rusqlite::version())),
            Inner::Postgres(_) => self.read(crate::settings::database_version).await,
        }
    }

    /// Checks the database from end to end; gives the problems found. Reads everything, so it may take long.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        match &self.inner {
            Inner::Sqlite(_) => self.scan(crate::settings::integrity_problems).await,
            Inner::Postgres(_) => Ok(Vec::new()),
        }
    }
}

/// A use case that another thread runs. Dropped after its outcome is told, so that who waits for it has been woken before it is over.
struct UnderWay(Arc<AtomicU64>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One who waits for an outcome.
#[derive(Default)]
struct Waiting {
    is_over: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn ended() -> StoreError {
    StoreError::Internal("the database thread ended".to_owned())
}

/// Runs something that reads on one of the connections; not at all where nobody waits for it any more when its turn comes.
async fn on_postgres<T, E>(
    pool: &postgres::Pool,
    under_way: UnderWay,
    run: impl FnOnce(&mut postgres::Connection) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (answer, wait) = tokio::sync::oneshot::channel();
    pool.submit(move |connection, _| {
        let _held = under_way;
        if !answer.is_closed() {
            drop(answer.send(run(connection)));
        }
    })?;
    wait.await.unwrap_or_else(|_| Err(ended().into()))
}

#[cfg(test)]
mod tests;
