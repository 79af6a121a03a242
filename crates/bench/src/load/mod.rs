//! The load generator: many connections that send one kind of request over HTTP/1.1 with keep-alive, and how fast they
//! were answered. It runs in a process of its own, so that client and server share neither runtime nor allocator; the
//! description goes in as JSON and the report comes out as JSON. What is measured with it is decided elsewhere.

mod connection;
mod request;
pub mod response;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use connection::{Plan, Tally, drive};
use request::Template;
pub use request::{Order, Request};

/// Connections of one load.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Seconds that one load may take; it ends itself after them.
pub const SECONDS_MAX: f64 = 600.0;
/// Threads of the generator: it has to leave room for the server.
const THREADS: usize = 2;

const NO_PATH: &str = "the path of this program is not known";

/// When a load is over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stop {
    /// After so many seconds, of which the first ones only warm up.
    Seconds {
        /// Seconds that are not counted.
        warm_up: f64,
        /// Seconds that are.
        counted: f64,
    },
    /// After so many requests, all counted.
    Requests(u64),
    /// After so many requests or seconds, whichever comes first; all are counted.
    AtMost {
        /// Requests.
        requests: u64,
        /// Seconds.
        seconds: f64,
    },
}

/// A load: what is sent, to whom, over how many connections, for how long.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// Connections, each with one request under way.
    pub connections: usize,
    /// When it is over.
    pub stop: Stop,
    /// What each request looks like.
    pub request: Request,
    /// The number of the first request.
    pub first_number: u64,
    /// The status of a good answer.
    pub expected_status: u16,
    /// Whether the report is to hold the `id` of each answer.
    pub keep_ids: bool,
}

/// What a load came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Counted answers.
    pub requests: u64,
    /// Seconds in which they came.
    pub seconds: f64,
    /// Answers per second.
    pub per_second: f64,
    /// Microseconds within which half of the answers came.
    pub p50_micros: u32,
    /// Microseconds within which 99 of 100 answers came.
    pub p99_micros: u32,
    /// Answers with another status than the expected one, and connections that broke.
    pub errors: u64,
    /// Counted answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// The first thing that went wrong.
    pub trouble: Option<String>,
    /// The ids of the answers, in the order of their requests' numbers.
    pub ids: Vec<String>,
    /// The number after the last one used.
    pub next_number: u64,
}

/// Runs a load in a process of its own.
///
/// # Errors
/// When the process cannot be started or answers nothing; errors of the server are counted in the report.
pub fn run(load: &Load) -> anyhow::Result<Report> {
    run_by(Command::new(std::env::current_exe().context(NO_PATH)?), load)
}

/// The same in a process that makes way for all others, as one on another machine would.
///
/// # Errors
/// As above, and where the system has no `nice`.
pub fn run_behind(load: &Load) -> anyhow::Result<Report> {
    let mut command = Command::new("nice");
    command.args(["-n", "5"]).arg(std::env::current_exe().context(NO_PATH)?);
    run_by(command, load)
}

fn run_by(mut command: Command, load: &Load) -> anyhow::Result<Report> {
    let mut child = command
        .arg("load")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the load generator does not start")?;
    // The pipe closes at the end of the statement, which tells the generator that it has everything.
    serde_json::to_writer(child.stdin.take().context("no pipe to the load generator")?, load)?;
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "the load generator ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("the load generator's report is not understood")
}

/// The process of the generator: reads a [`Load`] from standard input, writes its [`Report`] to standard output.
pub fn process() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let load: Load = serde_json::from_str(&text).context("the description of the load is not understood")?;
    drop(text);
    println!("{}", serde_json::to_string(&generate(load)?)?);
    Ok(())
}

/// Generates the load within this process.
pub fn generate(load: Load) -> anyhow::Result<Report> {
    check(&load)?;
    let (warm_up, counted, count) = match load.stop {
        Stop::Seconds { warm_up, counted } => (warm_up, counted, None),
        Stop::Requests(count) => (0.0, SECONDS_MAX, Some(count)),
        Stop::AtMost { requests, seconds } => (0.0, seconds, Some(requests)),
    };
    let begun = Instant::now();
    let counted_from = begun + Duration::from_secs_f64(warm_up);
    let plan = Arc::new(Plan {
        address: load.address,
        template: Template::new(load.request, load.address),
        next: AtomicU64::new(load.first_number),
        end: count.map(|count| load.first_number.saturating_add(count)),
        counted_from,
        until: counted_from + Duration::from_secs_f64(counted),
        expected_status: load.expected_status,
        keep_ids: load.keep_ids,
    });
    let tally = on_threads(&plan, load.connections)?;
    // What is answered after the last second is not counted.
    let seconds = if count.is_some() { begun.elapsed().as_secs_f64().min(counted) } else { counted };
    let next = plan.next.load(Ordering::Relaxed);
    Ok(report(tally, seconds, plan.end.map_or(next, |end| next.min(end))))
}

fn check(load: &Load) -> anyhow::Result<()> {
    let seconds = match load.stop {
        Stop::Seconds { warm_up, counted } => [warm_up, counted],
        Stop::Requests(_) => [0.0, 0.0],
        Stop::AtMost { seconds, .. } => [0.0, seconds],
    };
    let in_range = seconds.iter().all(|seconds| (0.0..=SECONDS_MAX).contains(seconds));
    anyhow::ensure!(in_range, "a load takes 0 to {SECONDS_MAX} seconds");
    let connections = load.connections;
    anyhow::ensure!((1..=CONNECTIONS_MAX).contains(&connections), "a load has 1 to {CONNECTIONS_MAX} connections");
    anyhow::ensure!(load.address.ip().is_loopback(), "a load goes to this machine only, not to {}", load.address);
    Ok(())
}

/// Each thread has a runtime of its own: connections do not wander, and nothing is shared but the counter.
fn on_threads(plan: &Arc<Plan>, connections: usize) -> anyhow::Result<Tally> {
    let threads: Vec<_> = (0..THREADS.min(connections))
        .map(|thread| {
            let plan = Arc::clone(plan);
            let own = (thread..connections).step_by(THREADS).count();
            std::thread::spawn(move || thread_of(&plan, own))
        })
        .collect();
    let mut tally = Tally::default();
    for thread in threads {
        tally.absorb(thread.join().map_err(|_| anyhow::anyhow!("a thread of the load generator panicked"))??);
    }
    Ok(tally)
}

fn thread_of(plan: &Arc<Plan>, connections: usize) -> anyhow::Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let plan = Arc::clone(plan);
            tasks.spawn(async move { drive(&plan).await });
        }
        let mut tally = Tally::default();
        while let Some(one) = tasks.join_next().await {
            tally.absorb(one.context("a connection panicked")?);
        }
        Ok(tally)
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn report(mut tally: Tally, seconds: f64, next_number: u64) -> Report {
    tally.micros.sort_unstable();
    tally.ids.sort_unstable();
    let requests = tally.micros.len() as u64;
    Report {
        requests,
        seconds,
        per_second: if seconds > 0.0 { requests as f64 / seconds } else { 0.0 },
        p50_micros: percentile(&tally.micros, 50),
        p99_micros: percentile(&tally.micros, 99),
        errors: tally.unexpected + tally.broken,
        statuses: tally.statuses,
        trouble: tally.trouble,
        ids: tally.ids.into_iter().map(|(_, id)| id).collect(),
        next_number,
    }
}

/// The value below or at which `percent` of the sorted values lie; 0 without values.
pub fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
