//! Writing managers: one user's reference, decided anew from the present state.

use std::sync::Arc;

use store::links::{self, EscrowRecord, LinkRecord, LinkState};
use store::logs::LogRecord;
use store::references::{self, ReferenceRecord};
use store::{ObjectId, ObjectKind, logs};

use super::context::{Cycle, Stop};
use super::evaluate::{Evaluation, MANAGER_WRITTEN, held_manager, hidden_remnant};
use super::look::{Trouble, trouble};
use super::note::{REFERENCE_REFUSED, kept, leave_escrow};
use super::record::{Happened, ModifiedProperty, Status};
use super::report::one_more;
use super::subject::Subject;
use crate::dialect;
use crate::object_plan::{Difference, Failure};
use crate::scope::Scope;
use crate::target::{CallError, Patched};
use crate::target_path::TargetPath;

/// Notes about one user's manager that are looked at in one pass; more than one is rare.
const NOTES_MAX: u32 = 20;

impl Cycle {
    pub(super) async fn write_managers(&self, holder: ObjectId) -> Result<(), Stop> {
        let (app, needs) = (self.app, Arc::clone(&self.needs));
        let (subject, notes) = self
            .engine
            .store()
            .read(move |tx| {
                let notes = references::ready_of(tx, app, ObjectKind::User, holder, None, NOTES_MAX)?;
                Ok::<_, crate::job::JobError>((Subject::load(tx, app, &needs, ObjectKind::User, holder)?, notes))
            })
            .await?;
        let mut refused = false;
        for note in notes {
            match self.write_manager(&subject, &note).await {
                Ok(()) => {}
                Err(Trouble::Stop(stop)) => return Err(stop),
                Err(Trouble::Object(failure)) => {
                    refused = true;
                    self.references_failed(&subject, vec![note], &failure).await?;
                }
            }
        }
        if refused { Ok(()) } else { self.references_written(&subject).await }
    }

    async fn write_manager(&self, subject: &Subject, note: &ReferenceRecord) -> Result<(), Trouble> {
        let wanted = subject
            .user
            .as_ref()
            .and_then(|user| user.manager)
            .is_some_and(|manager| ObjectId::from(manager) == note.wanted);
        let (Some(link), Some(path), true) = (&subject.link, self.users.reference("manager"), wanted) else {
            return Ok(self.close_note(note).await?);
        };
        // Where a write is under way, the manager is written when it is known how that ended.
        let Some(target_id) = link.target_id.as_deref().filter(|_| link.state == LinkState::Linked) else {
            return Ok(self.close_note(note).await?);
        };
        let Some(manager) = &subject.manager_target else {
            let (app, note) = (self.app, note.clone());
            return Ok(self.record(move |tx| references::defer(tx, app, &note)).await?);
        };
        self.ready().await?;
        let before = if note.fresh { None } else { self.present_manager(subject, path, target_id).await? };
        if before.as_ref() == Some(manager) {
            return Ok(self.close_note(note).await?);
        }
        let difference = Difference::of_reference(path, before, Some(manager));
        self.send_manager(subject, note, &difference, target_id).await
    }

    async fn send_manager(
        &self,
        subject: &Subject,
        note: &ReferenceRecord,
        difference: &Difference<'_>,
        target_id: &str,
    ) -> Result<(), Trouble> {
        let leave = || self.intend_manager(subject);
        leave().await?;
        let body = dialect::patch_body(self.target.dialect, std::slice::from_ref(difference));
        match self.target.patch(subject.object(), target_id, &body, leave).await? {
            Ok(Patched::Gone) if self.is_there(subject, target_id).await? => {
                self.put(subject.link.clone()).await?;
                Err(Trouble::Object(other_end_gone()))
            }
            // The next cycle looks for it, and makes it anew where there is none: its manager then follows it.
            Ok(Patched::Gone) => Ok(self.reference_of_unknown_outcome(subject, &gone()).await?),
            Ok(patched) => self.manager_written(subject, note, difference, target_id, patched).await,
            // The look at an account of unknown state sees to its manager too.
            Err(CallError::Unknown(failure)) => Ok(self.reference_of_unknown_outcome(subject, &failure).await?),
            Err(error) => {
                self.put(subject.link.clone()).await?;
                Err(trouble(error))
            }
        }
    }

    /// Commits the intent: should nobody learn how this ends, the account is read before anything else is done about it.
    async fn intend_manager(&self, subject: &Subject) -> Result<(), Stop> {
        self.put(self.verifying(subject)).await?;
        self.may_send()
    }

    async fn put(&self, link: Option<LinkRecord>) -> Result<(), Stop> {
        let (Some(link), app) = (link, self.app) else { return Ok(()) };
        self.record(move |tx| {
            links::put_link(tx, app, &link)?;
            if link.state == LinkState::Linked {
                references::linked(tx, app, link.kind, link.source_id)?;
            }
            Ok(())
        })
        .await
    }

    /// The link of an object about which a write of unknown outcome is, or was, under way.
    pub(super) fn verifying(&self, subject: &Subject) -> Option<LinkRecord> {
        let link = subject.link.clone()?;
        Some(LinkRecord {
            state: LinkState::Verify,
            at: self.engine.now(),
            // References alone are written while it stands.
            exported: link.exported.map(hidden_remnant),
            ..link
        })
    }

    /// Whether the target has the account or group, of which it has just said that it has not.
    pub(super) async fn is_there(&self, subject: &Subject, target_id: &str) -> Result<bool, Trouble> {
        Ok(self.target.read(subject.object(), target_id).await.map_err(trouble)?.is_some())
    }

    async fn present_manager(
        &self,
        subject: &Subject,
        path: &TargetPath,
        target_id: &str,
    ) -> Result<Option<String>, Trouble> {
        let held = self.target.read(subject.object(), target_id).await.map_err(trouble)?;
        Ok(held.and_then(|held| held_manager(path, &held)))
    }

    async fn manager_written(
        &self,
        subject: &Subject,
        note: &ReferenceRecord,
        difference: &Difference<'_>,
        target_id: &str,
        patched: Patched,
    ) -> Result<(), Trouble> {
        let modified = vec![ModifiedProperty::of_difference(difference)];
        let happened = Happened {
            action: "update",
            status: Status::Success,
            target_id: Some(target_id),
            matching: "Both ends of the reference exist at the target",
            modified,
            started: self.engine.now(),
        };
        let log = self.log(subject, None, &happened);
        let mut link = self.exported_with_manager(subject);
        if patched == Patched::DoneButLate {
            link = self.verifying(subject);
        }
        let (app, note) = (self.app, note.clone());
        self.record(move |tx| {
            references::close(tx, app, &note)?;
            if let Some(link) = &link {
                links::put_link(tx, app, link)?;
                references::linked(tx, app, link.kind, link.source_id)?;
            }
            logs::insert_log(tx, app, &log)
        })
        .await?;
        one_more(&self.counts.references);
        Ok(())
    }

    /// The link of a user whose manager was written. What was exported includes it now, so that the next change is
    /// compared with that; unless the user has changed otherwise since, which is still to be exported.
    fn exported_with_manager(&self, subject: &Subject) -> Option<LinkRecord> {
        let mut link = subject.link.clone()?;
        let evaluation = self.evaluate(&self.users, subject).ok().filter(|evaluation| evaluation.scope == Scope::In);
        let waited = |evaluation: &Evaluation<'_>| link.exported == Some(evaluation.fingerprint_with(subject, None));
        link.exported = match evaluation {
            Some(evaluation) if waited(&evaluation) => Some(evaluation.fingerprint),
            _ => Some(link.exported.map_or(0, hidden_remnant) | MANAGER_WRITTEN),
        };
        Some(link)
    }

    pub(super) async fn close_note(&self, note: &ReferenceRecord) -> Result<(), Stop> {
        let (app, note) = (self.app, note.clone());
        self.record(move |tx| references::close(tx, app, &note)).await
    }

    /// References of one request were refused: the object itself is fine. They wait in escrow for another attempt, and for a change
    /// of either end.
    pub(super) async fn references_failed(
        &self,
        subject: &Subject,
        notes: Vec<ReferenceRecord>,
        failure: &Failure,
    ) -> Result<(), Stop> {
        let failure = &self.told(subject, failure);
        let log = self.reference_failure(subject, failure);
        let is_first = self.counts.fails(subject.kind, subject.id);
        let (app, key, failure, now) = (self.app, subject.key(), failure.clone(), self.engine.now());
        self.record(move |tx| {
            notes.iter().try_for_each(|note| references::defer(tx, app, note))?;
            // As it is now: an earlier request for the same holder may have been refused too.
            let before = links::escrow(tx, app, key.0, key.1)?;
            // Where the object itself has failed, its failure stands: when it is dealt with, the references are tried again.
            if before.as_ref().is_none_or(|escrow| escrow.code == REFERENCE_REFUSED) {
                let escrow = kept(before.as_ref(), key, &failure, is_first, now);
                links::put_escrow(tx, app, &EscrowRecord { code: REFERENCE_REFUSED.to_owned(), ..escrow })?;
            }
            logs::insert_log(tx, app, &log)
        })
        .await
    }

    /// Nobody knows whether a reference was written: its holder is looked at in each cycle until nothing can be on its
    /// way any more, and until then nothing more is written about its references.
    pub(super) async fn reference_of_unknown_outcome(&self, subject: &Subject, failure: &Failure) -> Result<(), Stop> {
        let log = self.reference_failure(subject, &self.told(subject, failure));
        let (app, link) = (self.app, self.verifying(subject));
        self.record(move |tx| {
            if let Some(link) = &link {
                links::put_link(tx, app, link)?;
            }
            logs::insert_log(tx, app, &log)
        })
        .await?;
        self.counts.fails(subject.kind, subject.id);
        Ok(())
    }

    fn reference_failure(&self, subject: &Subject, failure: &Failure) -> LogRecord {
        let happened = Happened {
            action: "update",
            status: Status::Failure(failure),
            target_id: subject.link.as_ref().and_then(|link| link.target_id.as_deref()),
            matching: "",
            modified: Vec::new(),
            started: self.engine.now(),
        };
        self.log(subject, None, &happened)
    }

    /// Every ready reference of a holder is written: if it was in escrow for one of them, it is no longer, unless there are
    /// some that were refused earlier.
    pub(super) async fn references_written(&self, subject: &Subject) -> Result<(), Stop> {
        if subject.escrow.as_ref().is_none_or(|escrow| escrow.code != REFERENCE_REFUSED) {
            return Ok(());
        }
        let (app, kind, id) = (self.app, subject.kind, subject.id);
        self.record(move |tx| leave_escrow(tx, app, kind, id, Some(true))).await
    }
}

/// The target answers a reference with 404, and has its holder.
pub(super) fn other_end_gone() -> Failure {
    let reason =
        "the target has the object, but not the other end of the reference; restart the job to have that made anew";
    Failure { code: "InvalidAnchor", reason: reason.to_owned() }
}

/// The holder of a reference was removed at the target by others.
pub(super) fn gone() -> Failure {
    Failure { code: "InvalidAnchor", reason: "the object is gone at the target; it is looked for again".to_owned() }
}

/// The failure inside a call's error; the end of the cycle where it is one.
pub(super) fn call_failure(error: CallError) -> Result<Failure, Stop> {
    match error {
        CallError::Refused(failure) | CallError::Unknown(failure) => Ok(failure),
        CallError::Job(problem) => Err(Stop::Connection(problem)),
    }
}
