//! What a cycle counts and reports.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mapping::counted;
use serde::Serialize;
use store::{AppId, ObjectId, ObjectKind, StoreError, links};

use super::run::PAGE;
use crate::engine::Engine;
use crate::job::JobError;

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
    /// Of those, the ones that are out of scope and whose accounts stay as they are, because nothing switches them off or removes them.
    pub not_switched_off: u64,
    /// Objects that failed and are kept for another attempt.
    pub failed: u64,
    /// References written: managers, and memberships.
    pub references: u64,
    /// Which objects those are.
    #[serde(skip)]
    pub failures: BTreeSet<(ObjectKind, ObjectId)>,
    /// Objects that wait for the window of a create of unknown outcome to pass.
    pub waiting: u64,
    /// In how many seconds the last such window has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles_in_seconds: Option<u64>,
    /// Requests sent to the target, reads among them; in a plan, those that were told.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
}

impl fmt::Display for CycleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = match self.not_switched_off {
            0 => String::new(),
            left => format!(" ({left} out of scope that nothing switches off)"),
        };
        write!(
            f,
            "{} cycle: {} created, {} updated, {} disabled, {} deleted, {} skipped{}, {} failed, {}, {} in {:.1} s",
            self.cycle,
            self.created,
            self.updated,
            self.disabled,
            self.deleted,
            self.skipped,
            left,
            self.failed,
            counted(self.references, "reference"),
            counted(self.requests, "request"),
            self.seconds
        )
    }
}

impl Engine {
    /// Which of these objects are kept for another attempt.
    pub async fn in_escrow(
        &self,
        app: AppId,
        objects: BTreeSet<(ObjectKind, ObjectId)>,
    ) -> Result<BTreeSet<(ObjectKind, ObjectId)>, JobError> {
        let mut kept = BTreeSet::new();
        let objects: Vec<_> = objects.into_iter().collect();
        for page in objects.chunks(PAGE as usize) {
            let page = page.to_vec();
            let read = self.store().scan(move |tx| {
                let mut kept = Vec::new();
                for (kind, id) in &page {
                    kept.extend(links::escrow(tx, app, *kind, *id)?.map(|_| (*kind, *id)));
                }
                Ok::<_, StoreError>(kept)
            });
            kept.extend(read.await?);
        }
        Ok(kept)
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
    /// By object, as `waiting`.
    not_switched_off: Mutex<BTreeSet<(ObjectKind, ObjectId)>>,
    failures: Mutex<BTreeSet<(ObjectKind, ObjectId)>>,
    pub(super) references: AtomicU64,
    /// By object: what the last look at it came to counts.
    waiting: Mutex<BTreeSet<(ObjectKind, ObjectId)>>,
    pub(super) done: AtomicU64,
}

pub(super) fn one_more(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn note_in(objects: &Mutex<BTreeSet<(ObjectKind, ObjectId)>>, object: (ObjectKind, ObjectId), is_one: bool) {
    let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    if is_one {
        objects.insert(object);
    } else {
        objects.remove(&object);
    }
}

impl Counts {
    /// An object failed, or a reference of it; says whether that is the first time in this cycle.
    pub(super) fn fails(&self, kind: ObjectKind, id: ObjectId) -> bool {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, id))
    }

    /// Whether an object has failed in this cycle, or waits.
    pub(super) fn is_unsettled(&self, object: (ObjectKind, ObjectId)) -> bool {
        let holds = |set: &Mutex<BTreeSet<_>>| set.lock().unwrap_or_else(PoisonError::into_inner).contains(&object);
        holds(&self.failures) || holds(&self.waiting)
    }

    /// Notes whether an object waits for the window of a create to pass.
    pub(super) fn waits(&self, kind: ObjectKind, id: ObjectId, waits: bool) {
        note_in(&self.waiting, (kind, id), waits);
    }

    /// Notes whether an object is out of scope and its account stays as it is.
    pub(super) fn stays(&self, kind: ObjectKind, id: ObjectId, stays: bool) {
        note_in(&self.not_switched_off, (kind, id), stays);
    }

    pub(super) fn report(&self, cycle: &'static str, requests: u64, seconds: f64) -> CycleReport {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        CycleReport {
            cycle,
            created: get(&self.created),
            updated: get(&self.updated),
            disabled: get(&self.disabled),
            deleted: get(&self.deleted),
            skipped: get(&self.skipped),
            not_switched_off: self.not_switched_off.lock().unwrap_or_else(PoisonError::into_inner).len() as u64,
            failed: failures.len() as u64,
            references: get(&self.references),
            failures,
            waiting: self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len() as u64,
            settles_in_seconds: None,
            requests,
            seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_sentence_also_where_there_is_one() {
        let report = CycleReport { cycle: "initial", created: 1, references: 1, requests: 2, ..CycleReport::default() };
        assert_eq!(
            report.to_string(),
            "initial cycle: 1 created, 0 updated, 0 disabled, 0 deleted, 0 skipped, 0 failed, 1 reference, 2 requests in 0.0 s"
        );
    }
}
