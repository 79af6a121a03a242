//! Traces (OpenTelemetry): which requests are followed, what is told of them, and the queue towards the collector.
//!
//! A request that is followed has one span, and one for each step in the store. Nothing of people is told: addresses as templates, no
//! ids, no filters, no bodies. Where traces are off, a request asks once whether they are.

mod export;
mod ids;
mod otlp;
mod parent;
mod queue;
mod route;
#[cfg(test)]
mod tests;
mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::HeaderMap;

pub use export::{FLUSH_DEADLINE, SEND_DEADLINE, SendSpans, Sending, Taken};
pub use queue::QUEUE_SPANS_MAX;
pub(crate) use trace::{READ, Told, Trace, step};

pub(crate) use ids::TraceId;

use ids::SpanId;
use parent::Parent;
use queue::Queue;
use trace::Sampling;

/// How requests are traced.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// What the collector is told that this service is called.
    pub service_name: String,
    /// The share of the requests that are followed although no caller says so: from 0, none, to 1, all.
    pub share: f64,
}

/// Random bytes from which ids are made.
pub(crate) type Seed = [u8; 16];

/// Follows requests.
pub(crate) struct Traces {
    settings: TraceSettings,
    /// Numbers below it are of the share; `None` where all are.
    below: Option<u64>,
    seed: [u64; 2],
    drawn: AtomicU64,
    pub(crate) queue: Queue,
}

impl Traces {
    pub(crate) fn new(settings: TraceSettings, seed: Seed) -> Self {
        let seed = u128::from_be_bytes(seed);
        let [high, low] = [seed >> 64, seed & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or(u64::MAX));
        Self {
            below: below(settings.share),
            settings,
            seed: [high, low],
            drawn: AtomicU64::new(0),
            queue: Queue::default(),
        }
    }

    /// Begins to follow a request, where its share or its caller says so. One whose caller follows it and does not want it told is known
    /// by its trace only.
    pub(crate) fn begin(&self, headers: &HeaderMap, began: Instant) -> Option<Arc<Trace>> {
        let parent = Parent::of(headers);
        let is_of_share = self.is_of_share(self.draw(0));
        let (id, above, sampling) = match parent {
            Some(parent) => {
                let sampling = match (parent.is_sampled, is_of_share) {
                    (false, _) => Sampling::Not,
                    (true, true) => Sampling::Always,
                    (true, false) => Sampling::ForCallers,
                };
                (parent.trace, Some(parent.span), sampling)
            }
            None if is_of_share => (TraceId::of([self.draw(0), self.draw(1)]), None, Sampling::Always),
            None => return None,
        };
        Some(Arc::new(Trace::new(id, SpanId::of(self.draw(0)), above, sampling, began)))
    }

    /// Takes what is told of a request that has ended, where it is to be told.
    pub(crate) fn end(&self, trace: &Trace, told: &Told<'_>) {
        if trace.is_told(told.tenant.is_some()) {
            let (text, spans) = otlp::spans(trace, told);
            self.queue.add(text, spans);
        }
    }

    fn is_of_share(&self, number: u64) -> bool {
        self.below.is_none_or(|below| number < below)
    }

    /// The next number of a sequence that looks random (SplitMix64), from one half of the seed.
    fn draw(&self, half: usize) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut number = self.seed[half].wrapping_add(drawn.wrapping_add(1).wrapping_mul(STEP));
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }
}

/// The number below which so large a share of all numbers lies; `None` where all do.
fn below(share: f64) -> Option<u64> {
    const PARTS: u32 = 1_000_000_000;
    // In billionths, which no one tells from the exact share.
    let parts = (0..30).rev().fold(0_u32, |parts, bit| {
        let more = parts | (1 << bit);
        if f64::from(more) <= share * f64::from(PARTS) { more } else { parts }
    });
    (parts < PARTS).then(|| u64::MAX / u64::from(PARTS) * u64::from(parts))
}
