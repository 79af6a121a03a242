//! One connection to the server, and the transaction on it. What nobody waits for goes with the next statement that somebody waits for:
//! one that reads begins with its first statement, and what one wrote last goes with its end. Each wait is a change of threads twice over.

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
        let mut sent = Self::Waiting(Box::pin(statement));
        // The driver queues a statement when it is first asked for its answer.
        sent.take_in(&mut Context::from_waker(Waker::noop()));
        sent
    }

    /// Takes what has come of its answer; says whether that is all.
    fn take_in(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::Waiting(statement) = self
            && let Poll::Ready(answer) = statement.as_mut().poll(cx)
        {
            *self = Self::Answered(answer);
        }
        matches!(self, Self::Answered(_))
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
    /// With what the transaction begins.
    opening: &'static str,
    /// Whether the transaction has begun. Until then nothing was done, and another connection will do.
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
            opening: "",
            is_open: false,
            sent: Vec::new(),
            gave_up: false,
        })
    }

    /// Begins a transaction that writes, and waits until it has begun: what stood behind a beginning that failed would be kept by itself.
    pub(crate) fn begin_writing(&mut self) -> Result<(), StoreError> {
        self.start("BEGIN")?;
        let begun = self.begin_now();
        // A kept connection may have died unnoticed, as when the server was restarted; nothing was done on it yet.
        begun.or_else(|_| self.connect().and_then(|()| self.begin_now()))?;
        self.is_open = true;
        Ok(())
    }

    fn begin_now(&mut self) -> Result<(), StoreError> {
        let (client, opening) = (self.client()?, self.opening);
        Ok(self.wait(client.batch_execute(opening))?)
    }

    /// Begins a transaction that reads; it goes with the first statement.
    pub(crate) fn begin_reading(&mut self) -> Result<(), StoreError> {
        self.start("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    /// Prepares for what is one statement alone.
    pub(crate) fn begin_alone(&mut self) -> Result<(), StoreError> {
        self.start("")
    }

    fn start(&mut self, opening: &'static str) -> Result<(), StoreError> {
        self.finish();
        (self.is_open, self.gave_up, self.opening) = (false, false, opening);
        if self.client.as_ref().is_none_or(|client| client.is_closed()) { self.connect() } else { Ok(()) }
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
        while let Some(row) = self.wait(std::future::poll_fn(|cx| rows.as_mut().poll_next(cx))) {
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
        // As where a transaction begins to write; who only reads may ask again.
        self.connect()?;
        self.try_query(sql, params)
    }

    fn try_query(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<RowStream, StoreError> {
        let statement = self.prepare(sql)?;
        let client = self.client()?;
        if !self.is_open && !self.opening.is_empty() {
            let (client, opening) = (Arc::clone(&client), self.opening);
            self.sent.push(Sent::start(async move { client.batch_execute(opening).await }));
        }
        let rows = self.wait(client.query_raw(&statement, params));
        let before = self.settle();
        let is_lost = rows
            .as_ref()
            .is_err_and(|error| client.is_closed() || error.code().is_some_and(|code| SENT_AWAY.contains(code)));
        self.is_open |= before.is_ok() && !is_lost;
        before?;
        Ok(rows?)
    }

    /// Sends a statement whose outcome nobody needs. Where it fails, what is waited for next fails for the same reason.
    pub(crate) fn send(&mut self, sql: &'static Sql, params: &[Param<'_>]) -> Result<(), StoreError> {
        let (statement, client) = (self.prepare(sql)?, self.client()?);
        let params: Vec<Owned> = params.iter().copied().map(Owned::from).collect();
        self.sent.push(Sent::start(async move { client.execute_raw(&statement, params).await.map(drop) }));
        if self.sent.len() < SENT_MAX { Ok(()) } else { self.settle() }
    }

    /// Sends a statement without parameters and rows, as those that begin and end parts of a transaction.
    pub(crate) fn say(&mut self, text: &'static str) -> Result<(), StoreError> {
        let client = self.client()?;
        self.sent.push(Sent::start(async move { client.batch_execute(text).await }));
        Ok(())
    }

    /// Waits for something, and takes in meanwhile what is answered to those that were sent before: the driver gives nobody's answer while
    /// an earlier one is not taken.
    fn wait<T>(&mut self, awaited: impl Future<Output = T>) -> T {
        let (runtime, sent, mut awaited) = (&self.runtime, &mut self.sent, pin!(awaited));
        runtime.block_on(std::future::poll_fn(|cx| {
            for sent in sent.iter_mut() {
                sent.take_in(cx);
            }
            awaited.as_mut().poll(cx)
        }))
    }

    /// The answers to all that was sent, in order.
    fn answers(&mut self) -> Vec<Answer> {
        let (runtime, mut sent) = (&self.runtime, std::mem::take(&mut self.sent));
        if !sent.is_empty() {
            runtime.block_on(std::future::poll_fn(|cx| {
                let open = sent.iter_mut().filter_map(|sent| (!sent.take_in(cx)).then_some(())).count();
                if open == 0 { Poll::Ready(()) } else { Poll::Pending }
            }));
        }
        let answer = |sent| match sent {
            Sent::Answered(answer) => Some(answer),
            Sent::Waiting(_) => None,
        };
        sent.into_iter().filter_map(answer).collect()
    }

    /// Waits for all that was sent.
    ///
    /// # Errors
    /// Why the first of them failed that did.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        Ok(self.answers().into_iter().collect::<Answer>()?)
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
        self.say(text)?;
        let mut answers = self.answers();
        let ended = answers.pop().unwrap_or(Ok(()));
        if ended.is_err() {
            // What the server made of the transaction is unknown on this connection: the next one gets a new one.
            self.client = None;
        }
        answers.into_iter().collect::<Answer>()?;
        Ok(ended?)
    }

    /// Ends a transaction that only read, without waiting for it: see [`Self::finish`].
    pub(crate) fn end_of_reading(&mut self) {
        if std::mem::take(&mut self.is_open) {
            // Without a connection there is nothing to end.
            drop(self.say("COMMIT"));
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
        // Behind a statement that failed the server prepares none, and that one's error is what counts.
        self.settle()?;
        let client = self.client()?;
        let statement = self.wait(client.prepare(sql.postgres()))?;
        self.prepared.insert(sql.postgres(), statement.clone());
        Ok(statement)
    }
}
