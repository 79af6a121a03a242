//! Writes down what came of a look at one object: its link, its log record, what waits for it, its failure, all that belongs
//! together in one transaction.

use store::links::{self, EscrowRecord, LinkRecord, LinkState};
use store::references::{self, ReferenceRecord};
use store::{AppId, ObjectId, ObjectKind, StoreError, UniqueKey, WriteTx, logs, users};

use super::context::Stop;
use super::evaluate::{Evaluation, remnant};
use super::look::{Done, Look, Looked, Trouble, duplicate_source_entries};
use super::record::{Happened, ModifiedProperty, Status};
use super::report::one_more;
use crate::job::JobError;
use crate::object_plan::Failure;
use crate::plan::{SkipReason, next_attempt};
use crate::scope::{OutOfScope, Scope};
use crate::target::TOO_MANY_REQUESTS;

/// The code under which a holder of references waits for another attempt at those that were refused.
pub(super) const REFERENCE_REFUSED: &str = "UnableToResolveReferenceAttributeValue";
/// Reports of a manager that are noted at a time.
const REPORTS_PAGE: u32 = 500;

impl Look<'_> {
    /// Writes down a success: link, log, what waits for this object, all in one transaction.
    pub(super) async fn linked(
        &self,
        evaluation: &Evaluation<'_>,
        link: LinkRecord,
        action: &'static str,
        modified: Vec<ModifiedProperty>,
        manager: Manager,
    ) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let matching = match action {
            "create" => "No account matched; a new one was made",
            _ => "The account was read from the target",
        };
        let happened = Happened {
            action,
            status: Status::Success,
            target_id: link.target_id.as_deref(),
            matching,
            modified,
            started: self.started,
        };
        let log = cycle.log(&self.subject, Some(evaluation), &happened);
        let (app, tie) = (cycle.app, self.tie(link, action == "create", manager));
        let written = cycle.record(move |tx| {
            tie.write(tx, app)?;
            logs::insert_log(tx, app, &log)
        });
        if let Err(trouble) = not_on_two(written.await) {
            if matches!(trouble, Trouble::Object(_)) {
                self.withdraw().await?;
            }
            return Err(trouble);
        }
        one_more(match action {
            "create" => &cycle.counts.created,
            "disable" => &cycle.counts.disabled,
            _ => &cycle.counts.updated,
        });
        Ok(self.done(action, "success", None))
    }

    fn tie(&self, link: LinkRecord, created: bool, manager: Manager) -> Tie {
        let escrow = self.subject.escrow.as_ref().map(|escrow| escrow.code == REFERENCE_REFUSED);
        Tie { escrow, ..self.tie_in_escrow(link, created, manager) }
    }

    /// The same for an object that stays in escrow if it is there.
    pub(super) fn tie_in_escrow(&self, link: LinkRecord, created: bool, manager: Manager) -> Tie {
        Tie {
            link,
            before: self.subject.link.clone(),
            manager: self.manager_note(created, manager),
            written_manager: self.manager_reference(false).filter(|_| manager == Manager::Written),
            escrow: None,
        }
    }

    /// The note to write the manager, where that was not done with the object itself.
    pub(super) fn manager_note(&self, created: bool, manager: Manager) -> Option<ReferenceRecord> {
        let waits = created || manager == Manager::PutOff || self.subject.manager_target.is_none();
        self.manager_reference(created).filter(|_| waits)
    }

    fn manager_reference(&self, fresh: bool) -> Option<ReferenceRecord> {
        let user = self.subject.user.as_ref()?;
        self.plan.reference("manager")?;
        Some(ReferenceRecord {
            kind: ObjectKind::User,
            holder: user.id.into(),
            attribute: "manager".to_owned(),
            wanted: user.manager?.into(),
            fresh,
        })
    }

    /// Nothing had to be sent, but the link may have to be written down.
    pub(super) async fn note_link(
        &self,
        evaluation: &Evaluation<'_>,
        state: LinkState,
        reason: &SkipReason,
        target_id: Option<String>,
    ) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let before = self.subject.link.as_ref();
        // A write of unknown outcome may still arrive: the account is read again after the window.
        let keeps_verifying = self.may_be_overtaken();
        if cycle.previews() {
            self.foresee_link(target_id.as_deref(), false, state == LinkState::Linked, Manager::NotSent);
        }
        if cycle.previews() {
            return Ok(self.skip(evaluation, reason).await?);
        }
        if keeps_verifying {
            return Ok(self.put_off(evaluation, reason).await?);
        }
        let mut link = self.new_link(evaluation, state, target_id);
        // Nothing was sent: the window goes on from the last write.
        link.at = before.map_or(link.at, |before| before.at);
        link.kept = keeps_account(evaluation, reason);
        if let Some(before) = before.filter(|before| link.kept && before.state == state) {
            // The account is as it was: an export that is still good is not forgotten.
            link.exported = before.exported;
        }
        let text = reason.text();
        let happened = Happened {
            action: "other",
            status: Status::Skipped(&text),
            target_id: link.target_id.as_deref(),
            matching: if before.is_none() { "One account matched" } else { "The account was read from the target" },
            modified: Vec::new(),
            started: self.started,
        };
        let log = cycle.log(&self.subject, Some(evaluation), &happened);
        let (app, tie) = (cycle.app, self.tie(link, false, Manager::NotSent));
        let written = cycle
            .record(move |tx| {
                tie.write(tx, app)?;
                logs::insert_log(tx, app, &log)
            })
            .await;
        not_on_two(written)?;
        one_more(&cycle.counts.skipped);
        self.count_kept(evaluation, reason);
        Ok(self.done("other", "skipped", Some(text)))
    }

    /// Nothing is written down of an account that a write may still reach, but whether it stays as it is: the report counts it as well.
    async fn put_off(&self, evaluation: &Evaluation<'_>, reason: &SkipReason) -> Result<Looked, Stop> {
        let kept = keeps_account(evaluation, reason);
        if let Some(link) = self.subject.link.clone().filter(|link| link.kept != kept) {
            let (app, link) = (self.cycle.app, LinkRecord { kept, ..link });
            self.cycle.record(move |tx| links::put_link(tx, app, &link)).await?;
        }
        self.skip(evaluation, reason).await
    }

    /// The account is gone, or no longer ours: the link goes. `deleted` is the id of an account that was just removed.
    pub(super) async fn forget(&self, evaluation: &Evaluation<'_>, deleted: Option<&str>) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let (action, status, counter) = match deleted {
            Some(_) => ("delete", Status::Success, &cycle.counts.deleted),
            None => ("other", Status::Skipped(self.farewell(evaluation)), &cycle.counts.skipped),
        };
        if cycle.previews() {
            self.foresee_no_link();
        } else {
            let log = cycle.log(&self.subject, Some(evaluation), &self.happened(action, status, deleted));
            let (app, kind, id, exists) = (cycle.app, self.subject.kind, self.subject.id, self.subject.exists());
            let rest = self.rest_of(deleted);
            cycle.counts.waits(kind, id, rest.is_some());
            cycle
                .record(move |tx| {
                    match &rest {
                        Some(rest) => links::put_link(tx, app, rest)?,
                        None => links::delete_link(tx, app, kind, id)?,
                    }
                    references::unlinked(tx, app, id)?;
                    references::forget_holder(tx, app, kind, id)?;
                    if !exists {
                        references::forget_wanted(tx, app, id)?;
                    }
                    links::clear_escrow(tx, app, kind, id)?;
                    logs::insert_log(tx, app, &log)
                })
                .await?;
        }
        one_more(counter);
        Ok(self.done(action, if deleted.is_some() { "success" } else { "skipped" }, None))
    }

    fn farewell(&self, evaluation: &Evaluation<'_>) -> &'static str {
        let is_purged = evaluation.scope == Scope::Out(OutOfScope::HardDeleted);
        // What switches it off may have been sent by now, and may still arrive.
        let is_known = |link: &LinkRecord| link.kept && link.state != LinkState::Verify;
        if is_purged && self.subject.link.as_ref().is_some_and(is_known) {
            "the account is not managed any more; nothing switched it off or removed it when the object left the scope, so it stays at the target as it is"
        } else {
            "the account is not managed any more"
        }
    }

    /// Counts an account that stays as it is although its object is out of scope, by the rule by which that is noted with the link.
    fn count_kept(&self, evaluation: &Evaluation<'_>, reason: &SkipReason) {
        if self.subject.link.is_some() && keeps_account(evaluation, reason) {
            self.cycle.counts.stays(self.subject.kind, self.subject.id, true);
        }
    }

    /// What stays of the link of an account that was just removed: where an earlier create may still arrive, it is looked
    /// for until it cannot any more.
    fn rest_of(&self, deleted: Option<&str>) -> Option<LinkRecord> {
        let link = self.subject.link.clone().filter(|_| deleted.is_some() && self.is_shadowed())?;
        Some(LinkRecord { state: LinkState::Creating, target_id: None, exported: None, kept: false, ..link })
    }

    /// The linked account is gone at the target, or cannot be seen there yet: it is looked for as a create of unknown
    /// outcome would be, and made anew when it is really gone.
    pub(super) async fn rematch(&self) -> Result<Looked, Trouble> {
        let Some(mut link) = self.subject.link.clone() else {
            return Ok(Looked::Again { conflicted: self.conflicted });
        };
        link.state = LinkState::Creating;
        link.kept = false;
        link.exported = link.exported.map(remnant);
        let (app, kind, id) = (self.cycle.app, self.subject.kind, self.subject.id);
        self.cycle.with_preview(|preview| preview.gone.insert((kind, id)));
        not_on_two(self.cycle.record(move |tx| links::put_link(tx, app, &link)).await)?;
        Ok(Looked::Again { conflicted: self.conflicted })
    }

    pub(super) fn wait(&self) -> Looked {
        self.cycle.counts.waits(self.subject.kind, self.subject.id, true);
        self.done("other", "skipped", Some("a write of unknown outcome waits for its settle window".to_owned()))
    }

    /// Nothing to do. Written to the log for objects that have a link, or should have; others leave no trace there.
    pub(super) async fn skip(&self, evaluation: &Evaluation<'_>, reason: &SkipReason) -> Result<Looked, Stop> {
        let text = reason.text();
        let cycle = self.cycle;
        let matters = self.subject.link.is_some() || self.subject.escrow.is_some();
        if !cycle.previews() && (matters || *reason == SkipReason::NoMatchingValue) {
            let target_id = self.subject.link.as_ref().and_then(|link| link.target_id.as_deref());
            let happened = self.happened("other", Status::Skipped(&text), target_id);
            let log = cycle.log(&self.subject, Some(evaluation), &happened);
            let (app, kind, id) = (cycle.app, self.subject.kind, self.subject.id);
            let escrow = self.subject.escrow.as_ref().map(|escrow| escrow.code == REFERENCE_REFUSED);
            cycle
                .record(move |tx| {
                    leave_escrow(tx, app, kind, id, escrow)?;
                    logs::insert_log(tx, app, &log)
                })
                .await?;
        }
        one_more(&cycle.counts.skipped);
        self.count_kept(evaluation, reason);
        Ok(self.done("other", "skipped", Some(text)))
    }

    /// The object failed: into escrow, and into the log.
    pub(super) async fn fail(
        &self,
        evaluation: Option<&Evaluation<'_>>,
        failure: &Failure,
        action: &'static str,
    ) -> Result<Looked, Stop> {
        let cycle = self.cycle;
        let failure = &cycle.told(&self.subject, failure);
        let is_first = cycle.counts.fails(self.subject.kind, self.subject.id);
        if cycle.previews() {
            cycle.predict_failure(&self.subject, failure);
        } else {
            let target_id = self.subject.link.as_ref().and_then(|link| link.target_id.as_deref());
            let happened = self.happened(action, Status::Failure(failure), target_id);
            let log = cycle.log(&self.subject, evaluation, &happened);
            let before = self.subject.escrow.as_ref();
            let escrow = kept(before, self.subject.key(), failure, is_first, cycle.engine.now());
            let app = cycle.app;
            cycle
                .record(move |tx| {
                    links::put_escrow(tx, app, &escrow)?;
                    logs::insert_log(tx, app, &log)
                })
                .await?;
        }
        Ok(self.done(action, "failure", Some(format!("{}: {}", failure.code, failure.reason))))
    }

    fn happened<'a>(&self, action: &'static str, status: Status<'a>, target_id: Option<&'a str>) -> Happened<'a> {
        Happened { action, status, target_id, matching: "", modified: Vec::new(), started: self.started }
    }

    #[expect(clippy::unused_self, reason = "reads as what the look came to")]
    pub(super) fn done(&self, action: &'static str, status: &'static str, reason: Option<String>) -> Looked {
        Looked::Done(Done { action, status, reason })
    }
}

/// Whether the account stays as it is although its object is out of scope.
fn keeps_account(evaluation: &Evaluation<'_>, reason: &SkipReason) -> bool {
    evaluation.scope != Scope::In && reason.keeps_account()
}

/// The failure of an object as it is kept for another attempt, one more than before: cycles are counted, not looks. A target that
/// is busy says nothing about the object, which is tried again in the next cycle.
pub(super) fn kept(
    before: Option<&EscrowRecord>,
    (kind, source_id): (ObjectKind, ObjectId),
    failure: &Failure,
    is_first: bool,
    now: jiff::Timestamp,
) -> EscrowRecord {
    let is_busy = failure.code == TOO_MANY_REQUESTS;
    let more = i64::from(is_first && !is_busy);
    let (first_failed, attempts) = before.map_or((now, 1), |before| (before.first_failed, before.attempts + more));
    EscrowRecord {
        kind,
        source_id,
        code: failure.code.to_owned(),
        reason: failure.reason.clone(),
        first_failed,
        attempts,
        next_attempt: if is_busy { now } else { next_attempt(first_failed, attempts, now) },
    }
}

/// What became of the manager when an object was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    /// It is as it should be, or cannot be written yet.
    NotSent,
    /// It is written on its own, after the rest: a manager that the target refuses must keep nothing else out.
    PutOff,
    /// It was written.
    Written,
}

/// A link that is to be written down, and what has to be written with it.
pub(super) struct Tie {
    link: LinkRecord,
    before: Option<LinkRecord>,
    manager: Option<ReferenceRecord>,
    written_manager: Option<ReferenceRecord>,
    /// Whether the object is in escrow, and whether for its references.
    escrow: Option<bool>,
}

impl Tie {
    pub(super) fn write(&self, tx: &mut WriteTx<'_>, app: AppId) -> Result<(), StoreError> {
        let (kind, id) = (self.link.kind, self.link.source_id);
        links::put_link(tx, app, &self.link)?;
        let account_before = self.before.as_ref().and_then(|link| link.target_id.as_ref());
        let another = account_before.is_some() && account_before != self.link.target_id.as_ref();
        if another {
            // The account that stands for the object now knows none of the references of the one that is gone.
            references::unlinked(tx, app, id)?;
        }
        if self.link.state == LinkState::Linked {
            let state_before = self.before.as_ref().map(|link| link.state);
            if kind == ObjectKind::User && state_before != Some(LinkState::Linked) {
                references::want_memberships(tx, app, id)?;
            }
            if another && kind == ObjectKind::User {
                want_reports(tx, app, id)?;
            }
            set_free(tx, app, kind, id)?;
        } else if self.link.target_id.is_some() {
            // Memberships that are to be removed may have waited for the account to be seen again.
            references::linked(tx, app, kind, id)?;
        }
        if let Some(note) = &self.manager {
            references::want(tx, app, note)?;
        }
        if let Some(note) = &self.written_manager {
            references::close(tx, app, note)?;
        }
        leave_escrow(tx, app, kind, id, self.escrow)
    }
}

/// What becomes possible when an object has its account again: its own references, and those of others to it. What was
/// noted about it while a write was under way had to wait.
pub(super) fn set_free(tx: &mut WriteTx<'_>, app: AppId, kind: ObjectKind, id: ObjectId) -> Result<(), StoreError> {
    references::linked(tx, app, kind, id)?;
    if kind == ObjectKind::Group {
        references::want_members(tx, app, id.group())?;
    }
    Ok(())
}

/// The account of a manager is another: it has to be written to those who report there.
fn want_reports(tx: &mut WriteTx<'_>, app: AppId, manager: ObjectId) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let reports = users::reports_of(tx, manager.user(), after, REPORTS_PAGE)?;
        let Some(last) = reports.last().copied() else { return Ok(()) };
        after = Some(last);
        for report in reports {
            if links::link(tx, app, ObjectKind::User, report.into())?.is_none() {
                continue;
            }
            let note = ReferenceRecord {
                kind: ObjectKind::User,
                holder: report.into(),
                attribute: "manager".to_owned(),
                wanted: manager,
                fresh: false,
            };
            references::want(tx, app, &note)?;
        }
    }
}

/// The object itself is fine. References of it that were refused are tried again now; where it was in escrow for those,
/// that ends when they are written.
pub(super) fn leave_escrow(
    tx: &mut WriteTx<'_>,
    app: AppId,
    kind: ObjectKind,
    id: ObjectId,
    escrow: Option<bool>,
) -> Result<(), StoreError> {
    let Some(for_references) = escrow else { return Ok(()) };
    references::linked(tx, app, kind, id)?;
    if for_references && !references::ready_of(tx, app, kind, id, None, 1)?.is_empty() {
        return Ok(());
    }
    links::clear_escrow(tx, app, kind, id)
}

/// A commit that would have put two source objects on one account is a failure of the object, not of the cycle.
pub(super) fn not_on_two(written: Result<(), Stop>) -> Result<(), Trouble> {
    match written {
        Err(Stop::Job(JobError::Store(StoreError::NotUnique(UniqueKey::LinkTarget)))) => {
            Err(Trouble::Object(duplicate_source_entries("another object")))
        }
        other => other.map_err(Trouble::Stop),
    }
}
