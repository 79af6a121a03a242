//! PostgreSQL: a pool of threads, each with a connection of its own, that run the same use cases.

mod session;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::Config;

use crate::error::StoreError;
use crate::figures::{Ended, Figures, Turn};
use crate::store::ATTEMPTS_MAX;
use crate::{ReadTx, WriteTx, migrate};
pub(crate) use session::Session;

/// Connections of one process.
const CONNECTIONS: u32 = 16;
/// Connections that may scan at a time, so that some are left for those who ask for a few rows.
pub(crate) const SCANS_MAX: usize = 12;
/// How long a connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a statement may run. A request is given up after a minute, so nobody waits for longer.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a lock of another transaction is waited for; as on SQLite.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a transaction may hold its locks while nothing is asked of it.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the first connection waits before it tries a given up transaction for the second time; see [`pause`].
const RETRY_PAUSE: Duration = Duration::from_millis(4);

type Work = Box<dyn FnOnce(&mut Connection, Turn) + Send>;

pub(crate) struct Pool {
    work: Sender<(Instant, Work)>,
    figures: Arc<Figures>,
}

pub(crate) struct Connection {
    number: u32,
    session: Session,
    figures: Arc<Figures>,
}

impl Pool {
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            StoreError::Unavailable(format!("its address is not understood: {error}"))
        })?;
        config.connect_timeout(CONNECT_TIMEOUT).application_name("lockstep");
        let url_config = postgres::Config::from(config.clone());
        // The driver runs a runtime of its own, which must not start inside the caller's.
        // Without our limits: migrations may take as long as they need.
        let migrated = std::thread::spawn(move || -> Result<(), StoreError> {
            let mut client = url_config.connect(postgres::NoTls)?;
            migrate::postgres(&mut client)
        });
        migrated.join().map_err(|_| StoreError::Internal("the migration panicked".to_owned()))??;
        let (work, inbox) = channel::<(Instant, Work)>();
        let (inbox, figures) = (Arc::new(Mutex::new(inbox)), Arc::new(Figures::new(Some(CONNECTIONS))));
        for number in 0..CONNECTIONS {
            let (inbox, figures) = (Arc::clone(&inbox), Arc::clone(&figures));
            let session = Session::new(config.clone(), limits())?;
            std::thread::spawn(move || serve(&inbox, Connection { number, session, figures }));
        }
        Ok(Self { work, figures })
    }

    pub(crate) fn submit(&self, work: impl FnOnce(&mut Connection, Turn) + Send + 'static) -> Result<(), StoreError> {
        self.work.send((self.figures.queue(), Box::new(work))).map_err(|_| {
            self.figures.give_up();
            StoreError::Internal("the database threads ended".to_owned())
        })
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.figures
    }
}

/// Sets our limits where nobody has set others: neither the address, nor the role, the database or the server. They are
/// set by a statement and not in the options with which a connection begins, which a pooler before the server refuses.
fn limits() -> String {
    let limits = [
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
    ];
    let ours = limits.map(|(name, time)| {
        let time = time.as_millis();
        format!(
            "SELECT set_config(name, '{time}', false) FROM pg_settings WHERE name = '{name}' AND source = 'default'"
        )
    });
    ours.join(";")
}

fn serve(inbox: &Mutex<Receiver<(Instant, Work)>>, mut connection: Connection) {
    let figures = Arc::clone(&connection.figures);
    loop {
        let work = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((queued, work)) = work else { return };
        let _in_use = figures.in_use();
        work(&mut connection, figures.take(queued));
        connection.session.finish();
    }
}

/// How long a connection lets the others go first after it was given up for their sake. Different for each, so that those
/// that blocked each other do not meet again at once; nothing is left to chance.
fn pause(connection: u32, attempt: u32) -> Duration {
    RETRY_PAUSE * (connection + 1) * attempt
}

fn catching<T, E: From<StoreError>>(use_case: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(use_case))
        .unwrap_or_else(|_| Err(StoreError::Internal("a use case panicked".to_owned()).into()))
}

impl Connection {
    /// A transaction that only reads. Its end is not waited for before its outcome is told.
    pub(crate) fn read<T, E: From<StoreError>>(
        &mut self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.session.begin_reading()?;
        let result = catching(|| use_case(&mut ReadTx::postgres(&mut self.session)));
        self.session.end_of_reading();
        result
    }

    /// A single statement, which sees one moment without a transaction.
    pub(crate) fn look_up<T, E: From<StoreError>>(
        &mut self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.session.begin_alone()?;
        let mut tx = ReadTx::postgres(&mut self.session);
        tx.allow_one_statement();
        catching(|| use_case(&mut tx))
    }

    pub(crate) fn write<T, E: From<StoreError>>(
        &mut self,
        use_case: &mut impl FnMut(&mut WriteTx<'_>) -> Result<T, E>,
    ) -> (Result<T, E>, Ended) {
        let mut attempt = 1;
        loop {
            let (result, ended) = self.write_once(use_case);
            if !self.session.gave_up || attempt == ATTEMPTS_MAX {
                if result.is_ok() {
                    self.figures.commits.count_duration(ended.done.duration_since(ended.begun));
                }
                return (result, ended);
            }
            std::thread::sleep(pause(self.number, attempt));
            attempt += 1;
        }
    }

    fn write_once<T, E: From<StoreError>>(
        &mut self,
        use_case: &mut impl FnMut(&mut WriteTx<'_>) -> Result<T, E>,
    ) -> (Result<T, E>, Ended) {
        let result = self.session.begin_writing().map_err(E::from).and_then(|()| {
            let tx = ReadTx::postgres(&mut self.session).counting_in(self.number);
            catching(|| WriteTx::over(tx).run_whole(use_case))
        });
        let ending = Instant::now();
        let result = match result {
            Ok(value) => self.commit().map(|()| value).map_err(E::from),
            Err(error) => {
                self.session.roll_back();
                Err(error)
            }
        };
        (result, Ended { begun: ending, done: Instant::now() })
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let committed = self.session.commit();
        self.session.gave_up |= committed == Err(StoreError::GaveUp);
        committed
    }
}

#[cfg(test)]
mod tests;
