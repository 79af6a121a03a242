//! One connection of a load: sends a request, waits for its answer, notes how long that took, and again. How many
//! connections there are and what becomes of their notes is the business of `load`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::request::Template;
use super::response::{self, Head};

/// Failures after which a connection gives up; the server is then gone, not slow.
const BROKEN_MAX: u64 = 20;
/// How long one answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Room for an answer to begin with.
const BUFFER_BYTES: usize = 16 << 10;

/// What all connections of a load share.
#[derive(Debug)]
pub struct Plan {
    pub address: SocketAddr,
    pub template: Template,
    /// The number of the next request.
    pub next: AtomicU64,
    /// The number after the last request, when the load has a fixed size.
    pub end: Option<u64>,
    /// Answers that arrive before this moment warm up and are not counted.
    pub counted_from: Instant,
    /// No request begins after this moment, and answers after it are not counted.
    pub until: Instant,
    pub expected_status: u16,
    pub keep_ids: bool,
}

/// What one connection, or all together, saw.
#[derive(Debug, Default)]
pub struct Tally {
    /// Microseconds of each counted answer.
    pub micros: Vec<u32>,
    /// Counted answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Answers with another status than the expected one.
    pub unexpected: u64,
    /// Connections that broke, or could not be made.
    pub broken: u64,
    /// The first thing that went wrong.
    pub trouble: Option<String>,
    /// The `id` of each answer with the number of its request.
    pub ids: Vec<(u64, String)>,
}

impl Tally {
    /// Takes the notes of another connection in.
    pub fn absorb(&mut self, other: Self) {
        self.micros.extend(other.micros);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.unexpected += other.unexpected;
        self.broken += other.broken;
        self.trouble = self.trouble.take().or(other.trouble);
        self.ids.extend(other.ids);
    }

    fn note(&mut self, trouble: impl FnOnce() -> String) {
        if self.trouble.is_none() {
            self.trouble = Some(trouble());
        }
    }
}

/// Sends requests of the plan until it is over.
pub async fn drive(plan: &Plan) -> Tally {
    let mut tally = Tally::default();
    let mut connection = None;
    let (mut request, mut scratch) = (Vec::new(), Vec::new());
    while let Some(number) = take_number(plan) {
        plan.template.render(number, &mut request, &mut scratch);
        if let Err(error) = exchange(plan, &mut connection, number, &request, &mut tally).await {
            connection = None;
            tally.broken += 1;
            tally.note(|| format!("{error:#}"));
            if tally.broken == BROKEN_MAX {
                break;
            }
        }
    }
    tally
}

fn take_number(plan: &Plan) -> Option<u64> {
    if Instant::now() >= plan.until {
        return None;
    }
    let number = plan.next.fetch_add(1, Ordering::Relaxed);
    plan.end.is_none_or(|end| number < end).then_some(number)
}

async fn exchange(
    plan: &Plan,
    connection: &mut Option<Connection>,
    number: u64,
    request: &[u8],
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(Connection::open(plan.address).await?),
    };
    let begun = Instant::now();
    let head = tokio::time::timeout(ANSWER_TIMEOUT, open.answer(request)).await.context("no answer in time")??;
    let ended = Instant::now();
    if ended >= plan.counted_from && ended < plan.until {
        tally.micros.push(u32::try_from((ended - begun).as_micros()).unwrap_or(u32::MAX));
        *tally.statuses.entry(head.status).or_default() += 1;
    }
    if head.status != plan.expected_status {
        tally.unexpected += 1;
        tally.note(|| format!("{}: {}", head.status, String::from_utf8_lossy(&head.body(&open.buffer))));
    } else if plan.keep_ids {
        let answer: WithId = serde_json::from_slice(&head.body(&open.buffer)).context("an answer without an id")?;
        tally.ids.push((number, answer.id));
    }
    if head.closes {
        *connection = None;
    }
    Ok(())
}

#[derive(Deserialize)]
struct WithId {
    id: String,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER_BYTES) })
    }

    /// Sends `request` and reads its answer, which `buffer` then holds.
    async fn answer(&mut self, request: &[u8]) -> anyhow::Result<Head> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            let count = self.stream.read_buf(&mut self.buffer).await?;
            anyhow::ensure!(count > 0, "the server closed the connection");
            if head.is_none() {
                head = response::head(&self.buffer)?;
            }
            let Some(known) = head else { continue };
            if known.end(&self.buffer)?.is_some() {
                return Ok(known);
            }
        }
    }
}
