//! Writing managers: one user's reference, decided anew from the present state.

use store::links::{self, LinkState};
use store::references::{self, ReferenceRecord};
use store::{ObjectId, ObjectKind, logs};

use super::act::{Trouble, trouble};
use super::context::{Cycle, Stop};
use super::evaluate::held_manager;
use super::record::{Happened, ModifiedProperty, Status};
use super::report::one_more;
use super::subject::Subject;
use crate::dialect;
use crate::object_plan::{Difference, Failure};
use crate::target::CallError;
use crate::target_path::TargetPath;

/// Notes about one user's manager that are looked at in one pass; more than one is rare.
const NOTES_MAX: u32 = 20;

impl Cycle {
    pub(super) async fn write_managers(&self, holder: ObjectId) -> Result<(), Stop> {
        let app = self.app;
        let (subject, notes) = self
            .engine
            .store()
            .read(move |tx| {
                let notes = references::ready_of(tx, app, ObjectKind::User, holder, None, NOTES_MAX)?;
                Ok::<_, crate::job::JobError>((Subject::load(tx, app, ObjectKind::User, holder)?, notes))
            })
            .await?;
        for note in notes {
            match self.write_manager(&subject, &note).await {
                Ok(()) => {}
                Err(Trouble::Stop(stop)) => return Err(stop),
                Err(Trouble::Object(failure)) => self.reference_failed(&subject, &note, &failure).await?,
            }
        }
        Ok(())
    }

    async fn write_manager(&self, subject: &Subject, note: &ReferenceRecord) -> Result<(), Trouble> {
        let wanted = subject
            .user
            .as_ref()
            .and_then(|user| user.manager)
            .is_some_and(|manager| ObjectId::from(manager) == note.wanted);
        let (Some(link), Some(path), Some(manager), true) =
            (&subject.link, self.users.reference("manager"), &subject.manager_target, wanted)
        else {
            return Ok(self.settle_note(note).await?);
        };
        let Some(target_id) = link.target_id.as_deref().filter(|_| link.state == LinkState::Linked) else {
            return Ok(self.settle_note(note).await?);
        };
        self.ready().await?;
        let before = if note.fresh { None } else { self.present_manager(subject, path, target_id).await? };
        if before.as_ref() == Some(manager) {
            return Ok(self.settle_note(note).await?);
        }
        let difference =
            Difference { path, before: before.map(Into::into), after: Some(manager.as_str().into()), redacted: false };
        self.may_send()?;
        let body = dialect::patch_body(self.target.dialect, std::slice::from_ref(&difference));
        match self.target.patch(subject.object(), target_id, &body).await {
            Ok(true) => {}
            Ok(false) => {
                return Err(Trouble::Object(Failure {
                    code: "InvalidAnchor",
                    reason: "the account is gone at the target".to_owned(),
                }));
            }
            Err(error) => return Err(trouble(error)),
        }
        self.manager_written(subject, note, &difference, target_id).await
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
        // What is exported now includes the manager, so that the next change is compared with that.
        let mut link = subject.link.clone();
        if let (Some(link), Ok(evaluation)) = (&mut link, self.evaluate(&self.users, subject)) {
            link.exported = Some(evaluation.fingerprint);
        }
        let (app, note) = (self.app, note.clone());
        self.record(move |tx| {
            references::settle(tx, app, &note)?;
            if let Some(link) = &link {
                links::put_link(tx, app, link)?;
            }
            logs::insert_log(tx, app, &log)
        })
        .await?;
        one_more(&self.counts.references);
        Ok(())
    }

    pub(super) async fn settle_note(&self, note: &ReferenceRecord) -> Result<(), Stop> {
        let (app, note) = (self.app, note.clone());
        self.record(move |tx| references::settle(tx, app, &note)).await
    }

    /// A reference could not be written: the object itself is fine. What was refused waits until either end changes; what
    /// is of unknown outcome is tried again in the next cycle.
    pub(super) async fn reference_failed(
        &self,
        subject: &Subject,
        note: &ReferenceRecord,
        failure: &Failure,
    ) -> Result<(), Stop> {
        let happened = Happened {
            action: "update",
            status: Status::Failure(failure),
            target_id: None,
            matching: "",
            modified: Vec::new(),
            started: self.engine.now(),
        };
        let log = self.log(subject, None, &happened);
        let again =
            matches!(failure.code, "Timeout" | "InternalServerError" | "TooManyRequests" | "WebExceptionProtocolError");
        let (app, note) = (self.app, note.clone());
        self.record(move |tx| {
            if !again {
                references::defer(tx, app, &note)?;
            }
            logs::insert_log(tx, app, &log)
        })
        .await?;
        one_more(&self.counts.failed);
        Ok(())
    }
}

/// The failure inside a call's error; the end of the cycle where it is one.
pub(super) fn call_failure(error: CallError) -> Result<Failure, Stop> {
    match error {
        CallError::Refused(failure) | CallError::Unknown(failure) => Ok(failure),
        CallError::Job(problem) => Err(Stop::Connection(problem)),
    }
}
