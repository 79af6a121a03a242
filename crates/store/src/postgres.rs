//! PostgreSQL: a pool of threads, each with a connection of its own, that run the same use cases.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};

use crate::error::StoreError;
use crate::figures::{Ended, Figures, Turn};
use crate::store::ATTEMPTS_MAX;
use crate::{ReadTx, WriteTx, migrate};

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

/// Statements that a connection has prepared, by their text.
pub(crate) type Prepared = HashMap<&'static str, postgres::Statement>;
type Work = Box<dyn FnOnce(&mut Connection, Turn) + Send>;

pub(crate) struct Pool {
    work: Sender<(Instant, Work)>,
    figures: Arc<Figures>,
}

pub(crate) struct Connection {
    number: u32,
    config: Config,
    client: Option<Client>,
    prepared: Prepared,
    figures: Arc<Figures>,
}

impl Pool {
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error: postgres::Error| {
            StoreError::Unavailable(format!("its address is not understood: {error}"))
        })?;
        config.connect_timeout(CONNECT_TIMEOUT).application_name("lockstep");
        let url_config = config.clone();
        // The driver runs a runtime of its own, which must not start inside the caller's.
        // Without our limits: migrations may take as long as they need.
        let migrated = std::thread::spawn(move || -> Result<(), StoreError> {
            let mut client = url_config.connect(NoTls)?;
            migrate::postgres(&mut client)
        });
        migrated.join().map_err(|_| StoreError::Internal("the migration panicked".to_owned()))??;
        let (work, inbox) = channel::<(Instant, Work)>();
        let (inbox, figures) = (Arc::new(Mutex::new(inbox)), Arc::new(Figures::new(Some(CONNECTIONS))));
        for number in 0..CONNECTIONS {
            let (inbox, config, figures) = (Arc::clone(&inbox), config.clone(), Arc::clone(&figures));
            std::thread::spawn(move || {
                serve(&inbox, Connection { number, config, client: None, prepared: HashMap::new(), figures });
            });
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
fn limit(client: &mut Client) -> Result<(), postgres::Error> {
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
    client.batch_execute(&ours.join(";"))
}

fn serve(inbox: &Mutex<Receiver<(Instant, Work)>>, mut connection: Connection) {
    let figures = Arc::clone(&connection.figures);
    loop {
        let work = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((queued, work)) = work else { return };
        let _in_use = figures.in_use();
        work(&mut connection, figures.take(queued));
    }
}

/// How long a connection lets the others go first after it was given up for their sake. Different for each, so that those
/// that blocked each other do not meet again at once; nothing is left to chance.
fn pause(connection: u32, attempt: u32) -> Duration {
    RETRY_PAUSE * (connection + 1) * attempt
}

fn no_connection() -> StoreError {
    StoreError::Unavailable("the connection is gone".to_owned())
}

fn catching<T, E: From<StoreError>>(use_case: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(use_case))
        .unwrap_or_else(|_| Err(StoreError::Internal("a use case panicked".to_owned()).into()))
}

impl Connection {
    fn client(&mut self) -> Result<&mut Client, StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.client = None;
            self.prepared.clear();
            let mut client = self.config.connect(NoTls)?;
            limit(&mut client)?;
            self.client = Some(client);
        }
        self.client.as_mut().ok_or_else(no_connection)
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &mut self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.within("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", |mut tx| use_case(&mut tx)).result
    }

    pub(crate) fn look_up<T, E: From<StoreError>>(
        &mut self,
        use_case: &mut impl FnMut(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let result = self.alone(&mut *use_case);
        if result.is_err() && self.client.as_ref().is_some_and(Client::is_closed) {
            // A kept connection may have died unnoticed, as when the server was restarted.
            return self.alone(use_case);
        }
        result
    }

    fn alone<T, E: From<StoreError>>(
        &mut self,
        use_case: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.client()?;
        let Some(client) = self.client.as_mut() else { return Err(no_connection().into()) };
        // A single statement gives way to nobody.
        let mut gave_up = false;
        let mut tx = ReadTx::postgres(client, &mut self.prepared, &mut gave_up);
        tx.allow_one_statement();
        catching(|| use_case(&mut tx))
    }

    pub(crate) fn write<T, E: From<StoreError>>(
        &mut self,
        use_case: &mut impl FnMut(&mut WriteTx<'_>) -> Result<T, E>,
    ) -> (Result<T, E>, Ended) {
        let mut attempt = 1;
        loop {
            let outcome = self.within("BEGIN", |tx| WriteTx::over(tx).run_whole(&mut *use_case));
            if !outcome.gave_up || attempt == ATTEMPTS_MAX {
                let Outcome { result, ended, .. } = outcome;
                if result.is_ok() {
                    self.figures.commits.count_duration(ended.done.duration_since(ended.begun));
                }
                return (result, ended);
            }
            std::thread::sleep(pause(self.number, attempt));
            attempt += 1;
        }
    }

    fn within<T, E: From<StoreError>>(
        &mut self,
        begin: &'static str,
        use_case: impl FnOnce(ReadTx<'_>) -> Result<T, E>,
    ) -> Outcome<T, E> {
        let (mut gave_up, slot) = (false, self.number);
        let result = self.begin(begin).map_err(E::from).and_then(|(client, prepared)| {
            let tx = ReadTx::postgres(client, prepared, &mut gave_up).counting_in(slot);
            catching(|| use_case(tx))
        });
        let ending = Instant::now();
        let result = match result {
            Ok(value) => self.end("COMMIT").map(|()| value).map_err(E::from),
            Err(error) => {
                drop(self.end("ROLLBACK"));
                Err(error)
            }
        };
        Outcome { result, gave_up, ended: Ended { begun: ending, done: Instant::now() } }
    }

    fn begin(&mut self, begin: &str) -> Result<(&mut Client, &mut Prepared), StoreError> {
        if self.client()?.batch_execute(begin).is_err() {
            // A kept connection may have died unnoticed, as when the server was restarted; nothing was done on it yet.
            self.client = None;
            self.client()?.batch_execute(begin)?;
        }
        let client = self.client.as_mut().ok_or_else(no_connection)?;
        Ok((client, &mut self.prepared))
    }

    fn end(&mut self, end: &str) -> Result<(), StoreError> {
        let Some(client) = self.client.as_mut() else { return Ok(()) };
        client.batch_execute(end).map_err(|error| {
            // What the server made of the transaction is unknown on this connection: the next use case gets a new one.
            self.client = None;
            error.into()
        })
    }
}

/// What a transaction came to, and whether the database gave it up for another's sake.
struct Outcome<T, E> {
    result: Result<T, E>,
    gave_up: bool,
    ended: Ended,
}

#[cfg(test)]
mod tests;
