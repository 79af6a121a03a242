//! Sends the spans that wait, batch by batch, through a function of the program: what may be dialled is decided there. A collector that
//! is slow or gone costs spans, and nothing else.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::queue::{Batch, Queue};
use super::{Traces, otlp};
use crate::App;

/// How long spans wait for others to go with.
const SEND_EVERY: Duration = Duration::from_secs(2);
/// Longest time for the collector to take a batch.
pub const SEND_DEADLINE: Duration = Duration::from_secs(10);
/// Times that a batch is sent, where the collector may take it later.
const ATTEMPTS_MAX: u32 = 3;
/// Pause before the second time; before the third it is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause, whatever the collector asks for.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Longest time for what is left at the end.
pub const FLUSH_DEADLINE: Duration = Duration::from_secs(3);
/// Statuses after which the same may be sent again (OTLP/HTTP, "Retryable Response Codes").
const RETRYABLE: [u16; 4] = [429, 502, 503, 504];

/// What the collector answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The status.
    pub status: u16,
    /// How long it asks to wait, in seconds.
    pub retry_after: Option<u64>,
}

/// A batch on its way; where it does not arrive, a sentence that tells why.
pub type Sending = Pin<Box<dyn Future<Output = Result<Taken, String>> + Send>>;

/// Posts a batch, which is JSON (`application/json`), to the collector's address for traces.
pub type SendSpans = Box<dyn Fn(String) -> Sending + Send + Sync>;

impl App {
    /// Sends spans to the collector until `stopped` is done, and then what is left, within [`FLUSH_DEADLINE`]. Ends at once where
    /// traces are off.
    pub async fn send_spans(&self, send: SendSpans, stopped: impl Future<Output = ()>) {
        if let Some(traces) = &self.edge().traces {
            Exporter::new(traces, send).run(stopped).await;
        }
    }
}

pub(super) struct Exporter<'a> {
    queue: &'a Queue,
    beginning: String,
    send: SendSpans,
    /// Whether the latest batch was dropped, which is told once and not for each.
    is_failing: bool,
}

impl<'a> Exporter<'a> {
    pub(super) fn new(traces: &'a Traces, send: SendSpans) -> Self {
        let beginning = otlp::beginning(&traces.settings.service_name);
        Self { queue: &traces.queue, beginning, send, is_failing: false }
    }

    pub(super) async fn run(mut self, stopped: impl Future<Output = ()>) {
        let mut stopped = pin!(stopped);
        // What was on its way when the end came is sent once more: the collector knows spans by their ids.
        let left = loop {
            tokio::select! {
                biased;
                () = &mut stopped => break None,
                () = self.queue.is_full() => {}
                () = sleep(SEND_EVERY) => {}
            }
            let mut next = self.queue.take();
            while let Some(batch) = &next {
                tokio::select! {
                    biased;
                    () = self.deliver(batch, ATTEMPTS_MAX) => next = self.queue.take(),
                    () = &mut stopped => break,
                }
            }
            if next.is_some() {
                break next;
            }
        };
        self.flush(left).await;
    }

    /// Sends what is left, as far as there is time.
    async fn flush(&mut self, mut next: Option<Batch>) {
        next = next.or_else(|| self.queue.take());
        let all = async {
            while let Some(batch) = &next {
                self.deliver(batch, 1).await;
                next = self.queue.take();
            }
        };
        if timeout(FLUSH_DEADLINE, all).await.is_ok() {
            return;
        }
        let mut dropped = next.map_or(0, |batch| batch.spans);
        while let Some(batch) = self.queue.take() {
            dropped += batch.spans;
        }
        self.queue.lost(dropped);
        tracing::warn!("Spans were dropped that the collector did not take in time: the last {dropped}");
    }

    /// Sends a batch up to so many times, and counts what became of it.
    async fn deliver(&mut self, batch: &Batch, attempts: u32) {
        let text = otlp::batch(&self.beginning, &batch.of_requests);
        let mut attempt = 1;
        let failed = loop {
            let (told, wait) = match timeout(SEND_DEADLINE, (self.send)(text.clone())).await {
                Ok(Ok(Taken { status: 200..=299, .. })) => break None,
                Ok(Ok(Taken { status, retry_after })) if RETRYABLE.contains(&status) => {
                    (format!("it answered with status {status}"), retry_after.map(Duration::from_secs))
                }
                Ok(Ok(Taken { status, .. })) => break Some(format!("it answered with status {status}")),
                Ok(Err(told)) => (told, None),
                Err(_) => (format!("it did not answer within {} s", SEND_DEADLINE.as_secs()), None),
            };
            if attempt == attempts {
                break Some(told);
            }
            sleep(wait.unwrap_or(PAUSE * attempt).min(PAUSE_MAX)).await;
            attempt += 1;
        };
        match &failed {
            None => self.queue.sent(batch.spans),
            Some(told) => {
                self.queue.lost(batch.spans);
                if !self.is_failing {
                    tracing::warn!("Spans are dropped, because the collector does not take them: {told}");
                }
            }
        }
        if failed.is_none() && self.is_failing {
            tracing::warn!("The collector takes spans again");
        }
        self.is_failing = failed.is_some();
    }
}
