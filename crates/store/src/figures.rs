//! What the store counts of itself: who waits, for how long, and what commits take. Plain atomics, which cost a writer some ten
//! nanoseconds and are read whenever somebody asks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Upper bounds of durations, in microseconds.
const DURATIONS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];
/// Upper bounds of the number of writes that share a commit; the last is the most there may be.
const WRITES: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// Counters of a histogram: one for each bound, and one for what is above the last.
const SLOTS: usize = DURATIONS.len() + 1;

/// How often values came, by upper bounds, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    counts: [AtomicU64; SLOTS],
    sum: AtomicU64,
}

impl Histogram {
    const fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: [const { AtomicU64::new(0) }; SLOTS], sum: AtomicU64::new(0) }
    }

    /// One of durations, in microseconds.
    pub const fn of_durations() -> Self {
        Self::new(&DURATIONS)
    }

    /// Counts a value.
    pub fn count(&self, value: u64) {
        self.counts[self.bounds.partition_point(|bound| *bound < value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a duration.
    pub fn count_duration(&self, took: Duration) {
        self.count(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Each upper bound with the number of values up to it; the last, without bound, with the number of all.
    pub fn up_to(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        bounds.zip(&self.counts).scan(0, |below, (bound, count)| {
            *below += count.load(Ordering::Relaxed);
            Some((bound, *below))
        })
    }

    /// The sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

/// The figures of one store.
#[derive(Debug)]
pub struct Figures {
    /// Connections of the pool; `None` on SQLite, which has a writer.
    pub connections: Option<u32>,
    waiting: AtomicI64,
    busy: AtomicI64,
    /// From asking until the writer, or a connection of the pool, has taken it.
    pub waits: Histogram,
    /// Of commits.
    pub commits: Histogram,
    /// Writes of each commit on SQLite.
    pub commit_writes: Histogram,
}

impl Figures {
    /// Figures of a store that has counted nothing yet, with the connections of its pool, if it has one.
    pub const fn new(connections: Option<u32>) -> Self {
        Self {
            connections,
            waiting: AtomicI64::new(0),
            busy: AtomicI64::new(0),
            waits: Histogram::of_durations(),
            commits: Histogram::of_durations(),
            commit_writes: Histogram::new(&WRITES),
        }
    }

    /// What waits at this moment: writes for the writer of SQLite, use cases of all kinds for a connection of PostgreSQL.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed).max(0).unsigned_abs()
    }

    /// Connections of the pool that are in use at this moment.
    pub fn busy(&self) -> u64 {
        self.busy.load(Ordering::Relaxed).max(0).unsigned_abs()
    }

    /// Something begins to wait; tells since when.
    pub(crate) fn queue(&self) -> Instant {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Instant::now()
    }

    /// What was queued will never be taken.
    pub(crate) fn give_up(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// What was queued is taken.
    pub(crate) fn take(&self, queued: Instant) -> Turn {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let began = Instant::now();
        self.waits.count_duration(began.duration_since(queued));
        Turn { queued, began }
    }

    /// A connection is in use until this is dropped.
    pub(crate) fn in_use(&self) -> InUse<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        InUse(self)
    }
}

/// A connection that is in use.
pub(crate) struct InUse<'a>(&'a Figures);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// When a use case was queued, and when it was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) queued: Instant,
    pub(crate) began: Instant,
}

/// When a transaction began to end, and when it had ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) begun: Instant,
    pub(crate) done: Instant,
}

/// When a write went through its stages; each begins where the one before ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteTimes {
    /// It was asked for.
    pub queued: Instant,
    /// The writer, or a connection of the pool, took it.
    pub began: Instant,
    /// The commit began: on SQLite after all writes of the group.
    pub commit: Instant,
    /// It was durable, or undone.
    pub done: Instant,
}

impl WriteTimes {
    pub(crate) const fn of(turn: Turn, ended: Ended) -> Self {
        Self { queued: turn.queued, began: turn.began, commit: ended.begun, done: ended.done }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_counted_in_the_first_bucket_that_holds_it() {
        let writes = Histogram::new(&WRITES);
        for value in [1, 2, 3, 256, 257] {
            writes.count(value);
        }
        let found: Vec<_> = writes.up_to().collect();
        assert_eq!(found.len(), WRITES.len() + 1);
        assert_eq!(found[..3], [(Some(1), 1), (Some(2), 2), (Some(4), 3)]);
        assert_eq!(found[8..], [(Some(256), 4), (None, 5)]);
        assert_eq!(writes.sum(), 519);
        let durations = Histogram::of_durations();
        durations.count_duration(Duration::MAX);
        assert_eq!(durations.up_to().last(), Some((None, 1)));
    }

    #[test]
    fn what_waits_is_counted_until_it_is_taken_or_given_up() {
        let figures = Figures::new(Some(2));
        let queued = [figures.queue(), figures.queue(), figures.queue()];
        assert_eq!(figures.waiting(), 3);
        figures.give_up();
        let turn = figures.take(queued[0]);
        assert!(turn.began >= turn.queued);
        assert_eq!((figures.waiting(), figures.waits.up_to().last()), (1, Some((None, 1))));
        let used = figures.in_use();
        assert_eq!(figures.busy(), 1);
        drop(used);
        assert_eq!(figures.busy(), 0);
    }
}
