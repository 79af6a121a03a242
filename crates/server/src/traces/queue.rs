//! The spans that wait for the collector: so many and no more. What does not fit is dropped and counted, and nobody waits for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// Most spans that wait: a few megabytes.
pub const QUEUE_SPANS_MAX: usize = 8192;
/// Spans that are sent at once, or as many more as the last request of them has.
pub(super) const BATCH_SPANS: usize = 512;

/// The queue, and what became of the spans.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    full_batch: Notify,
    sent: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    /// The spans of each request, with their number.
    of_requests: VecDeque<(String, usize)>,
    spans: usize,
}

/// Spans that are sent together.
pub(super) struct Batch {
    pub(super) of_requests: Vec<String>,
    pub(super) spans: usize,
}

impl Queue {
    /// Adds the spans of a request.
    pub(super) fn add(&self, text: String, spans: usize) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.spans + spans > QUEUE_SPANS_MAX {
            drop(waiting);
            self.lost(spans);
            return;
        }
        waiting.of_requests.push_back((text, spans));
        waiting.spans += spans;
        let is_full = waiting.spans >= BATCH_SPANS;
        drop(waiting);
        if is_full {
            self.full_batch.notify_one();
        }
    }

    /// Ready when enough wait to be sent.
    pub(super) async fn is_full(&self) {
        self.full_batch.notified().await;
    }

    /// The next to be sent.
    pub(super) fn take(&self) -> Option<Batch> {
        let mut batch = Batch { of_requests: Vec::new(), spans: 0 };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while batch.spans < BATCH_SPANS
            && let Some((text, spans)) = waiting.of_requests.pop_front()
        {
            batch.of_requests.push(text);
            batch.spans += spans;
        }
        waiting.spans -= batch.spans;
        (batch.spans > 0).then_some(batch)
    }

    /// Counts spans that the collector has.
    pub(super) fn sent(&self, spans: usize) {
        self.sent.fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// Counts spans that nobody gets.
    pub(super) fn lost(&self, spans: usize) {
        self.dropped.fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// Spans that were sent, and spans that were dropped.
    pub(crate) fn counted(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_spans_wait_than_allowed_and_the_others_are_counted() {
        let queue = Queue::default();
        for _ in 0..QUEUE_SPANS_MAX / 4 + 5 {
            queue.add("x".to_owned(), 4);
        }
        assert_eq!(queue.counted(), (0, 20));
        let mut spans = 0;
        while let Some(batch) = queue.take() {
            assert_eq!((batch.spans, batch.of_requests.len()), (BATCH_SPANS, BATCH_SPANS / 4));
            spans += batch.spans;
        }
        assert_eq!(spans, QUEUE_SPANS_MAX);
        queue.add("x".to_owned(), 1);
        assert_eq!(queue.take().map(|batch| batch.spans), Some(1), "there is room again");
    }
}
