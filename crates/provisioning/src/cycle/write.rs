//! Sends what was decided about one object. Before each write the intent is committed: should nobody learn how it ended,
//! the next cycle finds it and looks before it does anything else.

use std::borrow::Cow;

use store::links::{self, LinkRecord, LinkState};

use super::context::Stop;
use super::evaluate::{Evaluation, hidden_remnant, match_key, remnant};
use super::look::{Look, Looked, Trouble, duplicate_source_entries};
use super::managers::other_end_gone;
use super::note::{Manager, not_on_two, set_free};
use super::record::ModifiedProperty;
use super::report::one_more;
use crate::dialect;
use crate::object_plan::{Difference, Wish, new_account};
use crate::redaction::{Redacted, shown_differences, shown_wishes};
use crate::scope::Scope;
use crate::target::{CallError, Patched};
use crate::target_path::TargetPath;

impl Look<'_> {
    pub(super) async fn create(&self, evaluation: &Evaluation<'_>, wishes: &[Wish<'_>]) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let object = self.subject.object();
        // Two objects with one matching value must not both find nothing and both be created.
        if !cycle.claim(self.subject.kind, self.subject.id, &evaluation.matches) {
            return Err(Trouble::Object(duplicate_source_entries("another object")));
        }
        let wishes = &*self.with_unique_values(wishes).await?;
        let shown = cycle.previews().then(|| shown_wishes(wishes));
        let account = new_account(shown.as_deref().unwrap_or(wishes));
        let body = dialect::create_body(cycle.target.dialect, object, account);
        let modified: Vec<_> = wishes.iter().map(ModifiedProperty::of_wish).collect();
        if cycle.previews() {
            cycle.predict_create(&self.subject, &body);
            self.foresee_link(None, true, true, Manager::NotSent);
            one_more(&cycle.counts.created);
            return Ok(self.done("create", "success", None));
        }
        // The id of an account that is gone stays until there is another: it tells that references are to be written anew.
        let gone = self.subject.link.as_ref().and_then(|link| link.target_id.clone());
        let link = self.new_link(evaluation, LinkState::Creating, gone);
        let leave = || self.intend(link.clone());
        leave().await?;
        match cycle.target.create(object, &body, leave).await? {
            Ok(created) => {
                let (at, target_id) = (cycle.engine.now(), Some(created.id));
                let exported = exported(evaluation, LinkState::Linked, self.subject.link.as_ref(), true);
                let link = LinkRecord { target_id, state: LinkState::Linked, at, exported, ..link };
                self.linked(evaluation, link, "create", modified, Manager::NotSent).await
            }
            Err(CallError::Refused(failure)) if failure.code == "EntryConflict" && !self.conflicted => {
                self.withdraw().await?;
                Ok(Looked::Again { conflicted: true })
            }
            Err(error) => {
                // These may be others than those of the evaluation: some flow at creation only.
                let error = Redacted::of(wishes, &[]).hide_in_error(error);
                self.not_done(evaluation, error, "create").await
            }
        }
    }

    pub(super) async fn update(
        &self,
        evaluation: &Evaluation<'_>,
        action: &'static str,
        differences: &[Difference<'_>],
        target_id: Option<String>,
        state: LinkState,
    ) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let Some(target_id) = target_id else { return self.rematch().await };
        let object = self.subject.object();
        if self.is_shadowed() && differences.iter().any(|one| evaluation.looks_for(one.path)) {
            return Ok(self.wait_to_rename().await?);
        }
        let (manager, differences) = self.without_manager(differences);
        let shown = cycle.previews().then(|| shown_differences(&differences));
        let body = dialect::patch_body(cycle.target.dialect, shown.as_deref().unwrap_or(&differences));
        if cycle.previews() {
            cycle.predict_update(&self.subject, action, &target_id, &body);
            if action == "disable" {
                cycle.foresee_switched_off(self.subject.kind, &target_id, &differences);
            }
            let linked = state == LinkState::Linked && !self.may_be_overtaken();
            self.foresee_link(Some(&target_id), false, linked, manager);
            one_more(if action == "disable" { &cycle.counts.disabled } else { &cycle.counts.updated });
            return Ok(self.done(action, "success", None));
        }
        let hidden = differences.iter().any(|one| one.path.is_write_only());
        let link_in = |state, target_id| LinkRecord {
            exported: exported(evaluation, state, self.subject.link.as_ref(), hidden),
            ..self.new_link(evaluation, state, Some(target_id))
        };
        // Until it is known to be switched off, an account that nothing switched off counts as such.
        let kept = evaluation.scope != Scope::In && self.subject.link.as_ref().is_some_and(|link| link.kept);
        let intent = LinkRecord { kept, ..link_in(LinkState::Verify, target_id.clone()) };
        let leave = || self.intend(intent.clone());
        leave().await?;
        let modified = differences.iter().map(ModifiedProperty::of_difference).collect();
        match cycle.target.patch(object, &target_id, &body, leave).await? {
            Ok(Patched::Gone) if manager == Manager::Written && cycle.is_there(&self.subject, &target_id).await? => {
                self.not_done(evaluation, CallError::Refused(other_end_gone()), action).await
            }
            Ok(Patched::Gone) => {
                self.withdraw().await?;
                self.rematch().await
            }
            Ok(patched) => {
                // As long as an older write may still arrive, the account is read again in each cycle.
                let late = patched == Patched::DoneButLate || self.may_be_overtaken();
                let state = if late { LinkState::Verify } else { state };
                let link = link_in(state, target_id);
                self.linked(evaluation, link, action, modified, manager).await
            }
            Err(error) => {
                let error = Redacted::of_differences(&differences).hide_in_error(error);
                self.not_done(evaluation, error, action).await
            }
        }
    }

    /// The differences that go in one request. A manager goes on its own, unless nothing else differs or it is taken away.
    fn without_manager<'d, 'p>(&self, differences: &'d [Difference<'p>]) -> (Manager, Cow<'d, [Difference<'p>]>) {
        let path = self.plan.reference("manager").map(TargetPath::text);
        let is_manager = |one: &Difference<'_>| Some(one.path.text()) == path && one.after.is_some();
        match differences {
            [only] if is_manager(only) => (Manager::Written, Cow::Borrowed(differences)),
            all if all.iter().any(is_manager) => {
                (Manager::PutOff, Cow::Owned(all.iter().filter(|one| !is_manager(one)).cloned().collect()))
            }
            _ => (Manager::NotSent, Cow::Borrowed(differences)),
        }
    }

    pub(super) async fn delete(
        &self,
        evaluation: &Evaluation<'_>,
        target_id: Option<String>,
    ) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let Some(target_id) = target_id else { return self.forget(evaluation, None).await };
        if cycle.previews() {
            cycle.predict_delete(&self.subject, &target_id);
            self.foresee_no_link();
            one_more(&cycle.counts.deleted);
            return Ok(self.done("delete", "success", None));
        }
        cycle.ready().await?;
        let intent = self.new_link(evaluation, LinkState::Deleting, Some(target_id.clone()));
        let leave = || self.intend(intent.clone());
        leave().await?;
        match cycle.target.delete(self.subject.object(), &target_id, leave).await? {
            Ok(()) => {
                cycle.deletions.note(self.subject.kind, &target_id);
                self.forget(evaluation, Some(&target_id)).await
            }
            Err(error) => self.not_done(evaluation, error, "delete").await,
        }
    }

    /// A write was not carried out, or nobody knows: its intent stays as long as nobody does.
    async fn not_done(
        &self,
        evaluation: &Evaluation<'_>,
        error: CallError,
        action: &'static str,
    ) -> Result<Looked, Trouble> {
        match error {
            CallError::Unknown(failure) => {
                self.cycle.counts.waits(self.subject.kind, self.subject.id, action == "create");
                Ok(self.fail(Some(evaluation), &failure, action).await?)
            }
            CallError::Refused(failure) => {
                self.withdraw().await?;
                Ok(self.fail(Some(evaluation), &failure, action).await?)
            }
            CallError::Job(problem) => {
                self.withdraw().await?;
                Err(Trouble::Stop(Stop::Connection(problem)))
            }
        }
    }

    /// Whether a create that was sent again after one of unknown outcome is so recent that the first may still arrive. As
    /// long as the account has its name the target refuses that; the name must not be set free before.
    pub(super) fn is_shadowed(&self) -> bool {
        self.subject.link.as_ref().is_some_and(|link| link.attempt > 1 && !self.cycle.is_quiet(link))
    }

    /// Puts a new name off until nothing can arrive under the old one.
    async fn wait_to_rename(&self) -> Result<Looked, Stop> {
        if let Some(mut link) = self.subject.link.clone() {
            link.state = LinkState::Verify;
            link.exported = link.exported.map(hidden_remnant);
            let app = self.cycle.app;
            self.cycle.record(move |tx| links::put_link(tx, app, &link)).await?;
        }
        Ok(self.wait())
    }

    /// Whether an earlier update or delete of unknown outcome may still arrive after what is done now.
    pub(super) fn may_be_overtaken(&self) -> bool {
        let is_open = |link: &&LinkRecord| matches!(link.state, LinkState::Verify | LinkState::Deleting);
        self.subject.link.as_ref().filter(is_open).is_some_and(|link| !self.cycle.is_quiet(link))
    }

    /// Commits what is about to be sent, as of now: from here on the settle window counts.
    async fn intend(&self, intent: LinkRecord) -> Result<(), Trouble> {
        let (app, intent) = (self.cycle.app, LinkRecord { at: self.cycle.engine.now(), ..intent });
        not_on_two(self.cycle.record(move |tx| links::put_link(tx, app, &intent)).await)?;
        if let Err(stop) = self.cycle.may_send() {
            return Err(Trouble::Stop(stop));
        }
        Ok(())
    }

    /// The target refused for good: the intent is taken back, unless an earlier attempt is still of unknown outcome.
    pub(super) async fn withdraw(&self) -> Result<(), Stop> {
        let (app, kind, id, before) = (self.cycle.app, self.subject.kind, self.subject.id, self.subject.link.clone());
        self.cycle
            .record(move |tx| {
                let Some(link) = &before else { return links::delete_link(tx, app, kind, id) };
                links::put_link(tx, app, link)?;
                if link.state == LinkState::Linked { set_free(tx, app, kind, id) } else { Ok(()) }
            })
            .await
    }

    /// How many creates an account has seen, as long as that matters.
    fn attempts_in_mind(&self) -> i64 {
        self.subject.link.as_ref().filter(|_| self.is_shadowed()).map_or(1, |link| link.attempt)
    }

    /// The link as it will be, with what is needed to find the account again.
    pub(super) fn new_link(
        &self,
        evaluation: &Evaluation<'_>,
        state: LinkState,
        target_id: Option<String>,
    ) -> LinkRecord {
        let before = self.subject.link.as_ref();
        let match_key = if evaluation.matches.is_empty() {
            before.map_or_else(|| "[]".to_owned(), |link| link.match_key.clone())
        } else {
            match_key(&evaluation.matches)
        };
        let same_state = before.filter(|link| link.state == state && state.is_open());
        LinkRecord {
            kind: self.subject.kind,
            source_id: self.subject.id,
            target_id,
            state,
            attempt: same_state.map_or_else(|| self.attempts_in_mind(), |link| link.attempt + 1),
            at: self.cycle.engine.now(),
            fence: self.cycle.fence(),
            match_key,
            label: self.subject.label(),
            exported: exported(evaluation, state, before, state == LinkState::Creating),
            kept: false,
        }
    }
}

/// What is kept of an export, so that an incremental cycle knows that there is nothing to do. `hidden` tells whether values that the
/// target never tells were written since, or are being written.
fn exported(evaluation: &Evaluation<'_>, state: LinkState, before: Option<&LinkRecord>, hidden: bool) -> Option<i64> {
    if state == LinkState::Linked && evaluation.scope == Scope::In {
        return Some(evaluation.fingerprint);
    }
    before.and_then(|link| link.exported).map(if hidden { remnant } else { hidden_remnant })
}
