//! One connection to the server, and the transaction on it. What nobody waits for goes with the next statement that somebody waits for:
//! a transaction begins with its first statement, and what it wrote last goes with its end. Each wait is a change of threads twice over.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls, Row, RowStream, Statement};

use crate::error::StoreError;
use crate::sql::{Owned, Param, Sql};

/// Statements that are under way without being waited for; who sends more waits for these first.
const SENT_MAX: usize = 64;

/// What a server tells whom it sends away.
const SENT_AWAY: [SqlState; 2] = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN];

type Answer = Result<(), Error>;

/// A statement that was sent and that nobody has waited for yet.
enum Sent {
    Waiting(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Answered(Answer),
}

impl Sent {
    /// Sends it, behind what was sent before.
    fn start(statement: impl Future<Output = Answer> + Send + 'static) -> Self {
        let mut statement = Box::pin(statement);
        // The driver queues a statement when it is first asked for its answer.
        match statement.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Self::Answered(answer),
            Poll::Pending => Self::Waiting(statement),
        }
    }

    fn wait(self, runtime: &Runtime) -> Answer {
        match self {
            Self::Waiting(statement) => runtime.block_on(statement),
            Self::Answered(answer) => answer,
        }
    }
}

pub(crate) struct Session {
    config: Config,
    /// What each connection is told before its first transaction.
    limits: String,
    runtime: Runtime,
    client: Option<Arc<Client>>,
    /// Statements that the connection has prepared, by their text.
    prepared: HashMap<&'static str, Statement>,
    /// With what the transaction begins, until its first statement takes it along.
    opening: String,
    /// Whether the server has answered anything in this transaction. Until then nothing was done, and another connection will do.
    is_open: bool,
    /// In the order in which they are answered.
    sent: Vec<Sent>,
    /// Whether the server ended the transaction for the sake of another (deadlock, serialisation).
    pub(crate) gave_up: bool,
}

impl Session {
    /// One that connects when it is first used.
    pub(crate) fn new(config: Config, limits: String) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Unavailable(format!("no runtime starts: {error}")))?;
        Ok(Self {
            config,
            limits,
            runtime,
            client: None,
            prepared: HashMap::new(),
            opening: String::new(),
            is_open: false,
            sent: Vec::new(),
            gave_up: false,
        })
    }

    /// Begins a transaction with that text, or with none what is one statement alone.
    pub(crate) fn begin(&mut self, opening: &'static str) -> Result<(), StoreError> {
        self.finish();
        (self.is_open, self.gave_up) = (false, false);
        self.opening.clear();
        self.opening.push_str(opening);
        if self.client.as_ref().is_none_or(|client| client.is_closed()) {
            self.connect()?;
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        self.client = None;
        self.prepared.clear();
        self.sent.clear();
        let client = self.runtime.block_on(async {
            let (client, connection) = self.config.connect(NoTls).await?;
            // What ends it fails the statements that wait for it, and is told there.
            tokio::spawn(async { drop(connection.await) });
            client.batch_execute(&self.limits).await?;
            Ok::<_, Error>(client)
        })?;
        self.client = Some(Arc::new(client));
        Ok(())
    }

    /// Runs a statement, and calls `each` for every row as it arrives; `each` says whether it wants more. Gives the number of rows that
    /// the statement touched, where all were read.
    pub(crate) fn query(
        &mut self,
        sql: &'static Sql,
        params: &[Param<'_>],
        mut each: impl FnMut(&Row) -> Result<bool, StoreError>,
    ) -> Result<u64, StoreError> {
        let mut rows = pin!(self.begin_query(sql, params)?);
        while let Some(row) = self.runtime.block_on(std::future::poll_fn(|cx| rows.as_mut().poll_next(cx))) {
            if !each(&row?)? {
                break;
            }
        }
        Ok(rows.rows_affected().unwrap_or(0))
    }

    fn begin_query(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<RowStream, StoreError> {
        let rows = self.try_query(sql, params);
        if rows.is_ok() || self.is_open {
            return rows;
        }
        // A kept connection may have died unnoticed, as when the server was restarted; nothing was done on it yet.
        self.connect()?;
        self.try_query(sql, params)
    }

    fn try_query(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<RowStream, StoreError> {
        let statement = self.prepare(sql)?;
        let client = self.client()?;
        if !self.is_open && !self.opening.is_empty() {
            let (client, opening) = (Arc::clone(&client), self.opening.clone());
            self.sent.push(Sent::start(async move { client.batch_execute(&opening).await }));
        }
        let rows = self.runtime.block_on(client.query_raw(&statement, params));
        let before = self.settle();
        let is_sent_away = rows.as_ref().err().and_then(Error::code).is_some_and(|code| SENT_AWAY.contains(code));
        self.is_open |= before.is_ok() && !is_sent_away && !client.is_closed();
        before?;
        Ok(rows?)
    }

    /// Sends a statement whose outcome nobody needs. Where it fails, what is waited for next fails for the same reason.
    pub(crate) fn send(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<(), StoreError> {
        if !self.is_open {
            return self.query(sql, params, |_| Ok(true)).map(drop);
        }
        let (statement, client) = (self.prepare(sql)?, self.client()?);
        let params: Vec<Owned> = params.iter().copied().map(Owned::from).collect();
        self.sent.push(Sent::start(async move { client.execute_raw(&statement, params).await.map(drop) }));
        if self.sent.len() < SENT_MAX { Ok(()) } else { self.settle() }
    }

    /// Sends a statement without parameters and rows, as those that begin and end parts of a transaction.
    pub(crate) fn say(&mut self, text: &'static str) -> Result<(), StoreError> {
        if self.is_open {
            let client = self.client()?;
            self.sent.push(Sent::start(async move { client.batch_execute(text).await }));
        } else {
            self.opening.push(';');
            self.opening.push_str(text);
        }
        Ok(())
    }

    /// Waits for all that was sent.
    ///
    /// # Errors
    /// Why the first of them failed that did.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        let mut first = Ok(());
        for sent in std::mem::take(&mut self.sent) {
            first = first.and(sent.wait(&self.runtime));
        }
        Ok(first?)
    }

    /// Keeps what the transaction did, and waits until that is durable.
    ///
    /// # Errors
    /// Nothing is kept, or where the connection was lost in this moment, it is unknown whether something is.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        self.end("COMMIT")
    }

    /// Undoes what the transaction did, if it has begun.
    pub(crate) fn roll_back(&mut self) {
        drop(self.end("ROLLBACK"));
    }

    /// Of a transaction in which something failed the server keeps nothing, also where it is told to, and the connection is as good as
    /// before; where the end itself failed it is not.
    fn end(&mut self, text: &'static str) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        let client = self.client()?;
        let end = Sent::start(async move { client.batch_execute(text).await });
        let before = self.settle();
        let ended = end.wait(&self.runtime);
        if ended.is_err() {
            // What the server made of the transaction is unknown on this connection: the next one gets a new one.
            self.client = None;
        }
        before?;
        Ok(ended?)
    }

    /// Ends a transaction that only read, without waiting for it: see [`Self::finish`].
    pub(crate) fn end_of_reading(&mut self) {
        if std::mem::take(&mut self.is_open)
            && let Some(client) = self.client.clone()
        {
            self.sent.push(Sent::start(async move { client.batch_execute("COMMIT").await }));
        }
    }

    /// Waits for the end of a transaction that only read, after its outcome was told.
    pub(crate) fn finish(&mut self) {
        if self.settle().is_err() {
            self.client = None;
        }
    }

    fn client(&self) -> Result<Arc<Client>, StoreError> {
        self.client.clone().ok_or_else(|| StoreError::Unavailable("the connection is gone".to_owned()))
    }

    fn prepare(&mut self, sql: &'static Sql) -> Result<Statement, StoreError> {
        if let Some(statement) = self.prepared.get(sql.postgres()) {
            return Ok(statement.clone());
        }
        let client = self.client()?;
        let statement = self.runtime.block_on(client.prepare(sql.postgres()))?;
        self.prepared.insert(sql.postgres(), statement.clone());
        Ok(statement)
    }
}
