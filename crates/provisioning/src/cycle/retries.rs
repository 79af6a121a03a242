//! What earlier cycles have left: writes of unknown outcome, and failures whose next attempt is due.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::links::{self, EscrowRecord};
use store::{ObjectId, ObjectKind, logs};

use super::context::{Cycle, Stop};
use super::record::{Happened, Status};
use super::run::{PAGE, Place};
use super::subject::Subject;
use crate::job::JobError;
use crate::object_plan::Failure;
use crate::plan::ESCROW_DAYS;

type Key = (ObjectKind, ObjectId);

impl Cycle {
    /// Looks at everything that earlier cycles have left, but for failures of objects to which an initial cycle comes anyhow: it is at
    /// `place`. Gives those with which this cycle is done.
    pub(super) async fn retry_failures(self: &Arc<Self>, place: Option<Place>) -> Result<HashSet<Key>, Stop> {
        // As of the beginning: what fails once more is not due again in this cycle.
        let now = self.engine.now();
        let mut seen = self.look_at_open().await?;
        let mut after = None;
        while let Some(due) = self.due_failures(now, &mut after).await? {
            let (old, fresh): (Vec<_>, Vec<_>) = due.into_iter().partition(|one| is_too_old(one.first_failed, now));
            self.give_up(old).await?;
            let again: Vec<Key> = fresh
                .into_iter()
                .map(|escrow| (escrow.kind, escrow.source_id))
                .filter(|object| !seen.contains(object) && !place.is_some_and(|place| place.comes_to(*object)))
                .collect();
            self.look_at(again, "retries").await?;
        }
        // What is not settled may be by what the rest of the cycle does.
        seen.retain(|object| !self.counts.is_unsettled(*object));
        Ok(seen)
    }

    /// The next failures that were due at a moment; `None` after the last of them.
    pub(super) async fn due_failures(
        &self,
        now: Timestamp,
        after: &mut Option<EscrowRecord>,
    ) -> Result<Option<Vec<EscrowRecord>>, Stop> {
        let (app, from) = (self.app, after.take());
        let due = self.engine.store().scan(move |tx| links::due_escrows(tx, app, now, from.as_ref(), PAGE)).await?;
        *after = due.last().cloned();
        Ok(after.is_some().then_some(due))
    }

    /// Failures that have been tried for too long are kept no more; what became of them is in the log.
    async fn give_up(&self, old: Vec<EscrowRecord>) -> Result<(), Stop> {
        if old.is_empty() {
            return Ok(());
        }
        let (app, started, needs) = (self.app, self.engine.now(), Arc::clone(&self.needs));
        let subjects = self.engine.store().scan(move |tx| {
            let load = |escrow: &EscrowRecord| Subject::load(tx, app, &needs, escrow.kind, escrow.source_id);
            old.iter().map(load).collect::<Result<Vec<_>, JobError>>()
        });
        let logs: Vec<_> = subjects
            .await?
            .iter()
            .map(|subject| {
                let failure = expired(subject.escrow.as_ref());
                let happened = Happened {
                    action: "other",
                    status: Status::Failure(&failure),
                    target_id: subject.link.as_ref().and_then(|link| link.target_id.as_deref()),
                    matching: "",
                    modified: Vec::new(),
                    started,
                };
                self.log(subject, None, &happened)
            })
            .collect();
        self.record(move |tx| {
            logs.iter().try_for_each(|log| {
                links::clear_escrow(tx, app, log.kind, log.source_id)?;
                logs::insert_log(tx, app, log)
            })
        })
        .await
    }

    /// Looks at every object with a write of unknown outcome; gives them.
    pub(super) async fn look_at_open(self: &Arc<Self>) -> Result<HashSet<Key>, Stop> {
        let mut after = None;
        let mut seen = HashSet::new();
        loop {
            let (app, from) = (self.app, after);
            let open = self.engine.store().scan(move |tx| links::open_links(tx, app, from, PAGE)).await?;
            let Some(last) = open.last() else { return Ok(seen) };
            after = Some((last.kind, last.source_id));
            let objects: Vec<_> = open.iter().map(|link| (link.kind, link.source_id)).collect();
            seen.extend(objects.iter().copied());
            self.look_at(objects, "retries").await?;
        }
    }
}

pub(super) fn is_too_old(first_failed: Timestamp, now: Timestamp) -> bool {
    now.duration_since(first_failed) > SignedDuration::from_hours(24 * ESCROW_DAYS)
}

fn expired(escrow: Option<&EscrowRecord>) -> Failure {
    let last = escrow.map(|escrow| format!(" ({}: {})", escrow.code, escrow.reason)).unwrap_or_default();
    let reason = format!(
        "the object has failed for {ESCROW_DAYS} days{last}; it is not tried again until it changes, is provisioned on demand, or the job is restarted"
    );
    Failure { code: "EscrowExpired", reason }
}
