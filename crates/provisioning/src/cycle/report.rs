//! What a cycle counts and reports.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// What a cycle did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CycleReport {
    /// `initial` or `incremental`.
    pub cycle: &'static str,
    /// Accounts and groups made.
    pub created: u64,
    /// Accounts and groups changed.
    pub updated: u64,
    /// Accounts switched off.
    pub disabled: u64,
    /// Accounts and groups removed.
    pub deleted: u64,
    /// Objects about which nothing was to do.
    pub skipped: u64,
    /// Objects that failed and are kept for another attempt.
    pub failed: u64,
    /// References written: managers, and memberships.
    pub references: u64,
    /// Creates of unknown outcome whose window has not passed.
    pub waiting: u64,
    /// In how many seconds the last such window has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles_in_seconds: Option<u64>,
    /// Requests sent to the target, reads among them.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
}

impl fmt::Display for CycleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cycle: {} created, {} updated, {} disabled, {} deleted, {} skipped, {} failed, {} references, {} requests in {:.1} s",
            self.cycle,
            self.created,
            self.updated,
            self.disabled,
            self.deleted,
            self.skipped,
            self.failed,
            self.references,
            self.requests,
            self.seconds
        )
    }
}

/// How far a cycle has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is working on: `retries`, `users`, `groups`, `changes`, `members`, `references`.
    pub phase: &'static str,
    /// Objects looked at.
    pub done: u64,
    /// Objects there are to look at, as far as is known.
    pub total: u64,
    /// Requests sent so far.
    pub requests: u64,
}

/// Is told how far a cycle has come, now and then.
pub type ProgressFn = Arc<dyn Fn(&Progress) + Send + Sync>;

/// The counters of a running cycle.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) created: AtomicU64,
    pub(super) updated: AtomicU64,
    pub(super) disabled: AtomicU64,
    pub(super) deleted: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) references: AtomicU64,
    pub(super) waiting: AtomicU64,
    pub(super) done: AtomicU64,
}

pub(super) fn one_more(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counts {
    pub(super) fn report(&self, cycle: &'static str, requests: u64, seconds: f64) -> CycleReport {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CycleReport {
            cycle,
            created: get(&self.created),
            updated: get(&self.updated),
            disabled: get(&self.disabled),
            deleted: get(&self.deleted),
            skipped: get(&self.skipped),
            failed: get(&self.failed),
            references: get(&self.references),
            waiting: get(&self.waiting),
            settles_in_seconds: None,
            requests,
            seconds,
        }
    }
}
