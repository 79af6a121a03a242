//! Works on one object: read it, look its account up, decide, send, write down.

use jiff::Timestamp;
use serde_json::{Map, Value};
use store::links::{self, LinkRecord, LinkState};
use store::references::{self, ReferenceRecord};
use store::{ObjectId, ObjectKind, StoreError, UniqueKey, logs};

use super::context::{Cycle, Mode, Stop};
use super::evaluate::{Evaluation, held_manager};
use super::record::{Happened, ModifiedProperty, Status};
use super::report::one_more;
use super::subject::Subject;
use crate::dialect;
use crate::job::JobError;
use crate::object_plan::{Difference, Failure, MatchValue, ObjectPlan, Wish, new_account};
use crate::plan::{
    Action, Found, Lookup, SkipReason, decide_in_scope, decide_out_of_scope, duplicate_target_entries, lookup,
    next_attempt,
};
use crate::scope::Scope;
use crate::target::{CallError, resource_id};
use crate::target_path::TargetPath;

/// Times an object is looked at again because its account turned out to be gone, or to exist already.
const ROUNDS_MAX: u32 = 3;

/// One look at one object.
pub(super) struct Look<'c> {
    pub(super) cycle: &'c Cycle,
    pub(super) plan: &'c ObjectPlan,
    pub(super) subject: Subject,
    pub(super) started: Timestamp,
    /// A create was refused because the account exists already.
    pub(super) conflicted: bool,
}

/// What came of a look.
#[derive(Clone, Debug)]
pub(super) enum Looked {
    Done(Done),
    /// The link was dropped, or a create met an existing account: look again.
    Again {
        conflicted: bool,
    },
}

/// What was done about an object, for those who asked about this object.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) action: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: Option<String>,
}

/// Why a look did not come to its end: the object failed, or the cycle cannot go on.
pub(super) enum Trouble {
    Object(Failure),
    Stop(Stop),
}

impl<E: Into<Stop>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Stop(error.into())
    }
}

impl Cycle {
    /// Works on one object; a failure of the object is written down and is no failure of the cycle.
    pub(super) async fn process(&self, kind: ObjectKind, id: ObjectId) -> Result<Done, Stop> {
        let Some(plan) = self.plan_of(kind) else {
            return Ok(Done {
                action: "other",
                status: "skipped",
                reason: Some("EntityTypeNotSupported: the job does not provision this type".to_owned()),
            });
        };
        let mut conflicted = false;
        for _ in 0..ROUNDS_MAX {
            let app = self.app;
            let subject = self.engine.store().read(move |tx| Subject::load(tx, app, kind, id)).await?;
            let look = Look { cycle: self, plan, subject, started: self.engine.now(), conflicted };
            match look.run().await? {
                Looked::Done(done) => return Ok(done),
                Looked::Again { conflicted: again } => conflicted = again,
            }
        }
        Ok(Done {
            action: "other",
            status: "failure",
            reason: Some("the target contradicts itself about this object".to_owned()),
        })
    }
}

impl Look<'_> {
    async fn run(self) -> Result<Looked, Stop> {
        let evaluation = match self.cycle.evaluate(self.plan, &self.subject) {
            Ok(evaluation) => evaluation,
            Err(failure) => return self.fail(None, &failure, "create").await,
        };
        match self.decide_and_act(&evaluation).await {
            Ok(looked) => Ok(looked),
            Err(Trouble::Stop(stop)) => Err(stop),
            Err(Trouble::Object(failure)) => self.fail(Some(&evaluation), &failure, "other").await,
        }
    }

    async fn decide_and_act(&self, evaluation: &Evaluation<'_>) -> Result<Looked, Trouble> {
        if evaluation.ignored {
            return Ok(self.skip(evaluation, &SkipReason::Ignored).await?);
        }
        let known = self.cycle.known(self.plan, &self.subject, evaluation);
        if evaluation.scope == Scope::In && lookup(known) == Lookup::ByMatch && evaluation.matches.is_empty() {
            let reason = "the object has no value for any matching attribute; fill the source attribute".to_owned();
            return Err(Trouble::Object(Failure { code: "ImportSkipped", reason }));
        }
        let (found, target_id) = self.look_up(lookup(known), evaluation).await?;
        let action = match &evaluation.scope {
            Scope::In => {
                let is_new = matches!(found, Found::Absent);
                let wishes = if is_new {
                    self.cycle.wishes_for_create(self.plan, &self.subject).map_err(Trouble::Object)?
                } else {
                    Vec::new()
                };
                decide_in_scope(known, found, wishes)
            }
            Scope::Out(why) => decide_out_of_scope(known, why, found),
        };
        self.act(evaluation, action, target_id).await
    }

    /// Asks the target what it holds. Gives the id of the account too, where there is one.
    async fn look_up<'e>(
        &self,
        how: Lookup,
        evaluation: &'e Evaluation<'e>,
    ) -> Result<(Found<'e>, Option<String>), Trouble> {
        let linked = self.subject.link.as_ref().and_then(|link| link.target_id.clone());
        let held = match how {
            Lookup::Nothing => return Ok((Found::NotAsked, linked)),
            Lookup::ById => match &linked {
                Some(id) => {
                    self.cycle.ready().await?;
                    self.cycle.target.read(self.subject.object(), id).await.map_err(trouble)?
                }
                None => None,
            },
            Lookup::ByMatch => self.find(evaluation).await?,
        };
        let Some(held) = held else { return Ok((Found::Absent, linked)) };
        let target_id = resource_id(&held).ok_or_else(|| Trouble::Object(unusable_id()))?.to_owned();
        self.refuse_foreign(&target_id).await?;
        let ours = self.manages_held_manager(&held).await?;
        let plan: &'e ObjectPlan = evaluation.plan;
        let differences = Cycle::differences_of(plan, &self.subject, evaluation, &held, ours);
        Ok((Found::Account { target_id: target_id.clone(), differences }, Some(target_id)))
    }

    /// The one account that matches. Values are tried in order; the first that finds any decides.
    async fn find(&self, evaluation: &Evaluation<'_>) -> Result<Option<Map<String, Value>>, Trouble> {
        self.cycle.ready().await?;
        let remembered = self.remembered_matches();
        let matches: Vec<(&TargetPath, &str)> = if self.subject.exists() {
            evaluation.matches.iter().map(|wanted| (wanted.path, wanted.value.as_str())).collect()
        } else {
            remembered.iter().map(|(path, value)| (path, value.as_str())).collect()
        };
        for (path, value) in matches {
            let wanted = MatchValue { path, value: value.to_owned() };
            let mut found = self.cycle.target.find(self.subject.object(), &wanted).await.map_err(trouble)?;
            match found.len() {
                0 => {}
                1 => return Ok(found.pop()),
                many => return Err(Trouble::Object(duplicate_target_entries(many))),
            }
        }
        Ok(None)
    }

    /// The values by which a create was to be found again, for an object that is gone since.
    fn remembered_matches(&self) -> Vec<(TargetPath, String)> {
        let text = self.subject.link.as_ref().map_or("[]", |link| link.match_key.as_str());
        let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
        let parse =
            |(path, value): (String, String)| Some((TargetPath::parse(&path, self.subject.object()).ok()?, value));
        pairs.into_iter().filter_map(parse).collect()
    }

    /// Never two source objects on one account.
    async fn refuse_foreign(&self, target_id: &str) -> Result<(), Trouble> {
        let (app, kind, id, target) = (self.cycle.app, self.subject.kind, self.subject.id, target_id.to_owned());
        let other = self.cycle.engine.store().read(move |tx| links::link_by_target(tx, app, kind, &target)).await?;
        match other.filter(|link| link.source_id != id) {
            Some(other) => Err(Trouble::Object(duplicate_source_entries(&other.label))),
            None => Ok(()),
        }
    }

    async fn manages_held_manager(&self, held: &Map<String, Value>) -> Result<bool, Trouble> {
        let Some(id) = self.plan.reference("manager").and_then(|path| held_manager(path, held)) else {
            return Ok(false);
        };
        let app = self.cycle.app;
        let link =
            self.cycle.engine.store().read(move |tx| links::link_by_target(tx, app, ObjectKind::User, &id)).await?;
        Ok(link.is_some())
    }

    async fn act(
        &self,
        evaluation: &Evaluation<'_>,
        action: Action<'_>,
        target_id: Option<String>,
    ) -> Result<Looked, Trouble> {
        match action {
            Action::Skip(reason) => Ok(self.skip(evaluation, &reason).await?),
            Action::Wait => Ok(self.wait()),
            Action::Create(_) if self.conflicted => Err(Trouble::Object(conflict_without_account())),
            Action::Create(wishes) => self.create(evaluation, &wishes).await,
            Action::Update(differences) => {
                self.update(evaluation, "update", &differences, target_id, LinkState::Linked).await
            }
            Action::Disable { differences, release } => {
                let state = if release { LinkState::Released } else { LinkState::Linked };
                self.update(evaluation, "disable", &differences, target_id, state).await
            }
            Action::Delete => self.delete(evaluation, target_id).await,
            Action::Settle { state, reason } => self.settle(evaluation, state, &reason, target_id).await,
            Action::Forget => self.forget(evaluation, None).await,
            Action::Rematch => self.rematch().await,
        }
    }

    async fn create(&self, evaluation: &Evaluation<'_>, wishes: &[Wish<'_>]) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let object = self.subject.object();
        let body = dialect::create_body(cycle.target.dialect, object, new_account(wishes));
        let modified: Vec<_> = wishes.iter().map(ModifiedProperty::of_wish).collect();
        if cycle.previews() {
            cycle.predict_create(&self.subject, &body);
            one_more(&cycle.counts.created);
            return Ok(self.done("create", "success", None));
        }
        let link = self.new_link(evaluation, LinkState::Creating, None);
        let (app, intent) = (cycle.app, link.clone());
        cycle.record(move |tx| links::put_link(tx, app, &intent)).await?;
        cycle.may_send()?;
        match cycle.target.create(object, &body).await {
            Ok(created) => {
                let link = LinkRecord { target_id: Some(created.id), state: LinkState::Linked, ..link };
                self.linked(evaluation, link, "create", modified, true).await
            }
            Err(CallError::Refused(failure)) => {
                self.withdraw_intent().await?;
                if failure.code == "EntryConflict" && !self.conflicted {
                    return Ok(Looked::Again { conflicted: true });
                }
                Ok(self.fail(Some(evaluation), &failure, "create").await?)
            }
            Err(CallError::Unknown(failure)) => Ok(self.fail(Some(evaluation), &failure, "create").await?),
            Err(CallError::Job(problem)) => {
                self.withdraw_intent().await?;
                Err(Trouble::Stop(Stop::Connection(problem)))
            }
        }
    }

    /// The target refused for good: the intent is taken back, unless an earlier attempt is still of unknown outcome.
    async fn withdraw_intent(&self) -> Result<(), Stop> {
        let (app, kind, id, before) = (self.cycle.app, self.subject.kind, self.subject.id, self.subject.link.clone());
        self.cycle
            .record(move |tx| match &before {
                Some(link) => links::put_link(tx, app, link),
                None => links::delete_link(tx, app, kind, id),
            })
            .await
    }

    async fn update(
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
        let body = dialect::patch_body(cycle.target.dialect, differences);
        if cycle.previews() {
            cycle.predict_update(&self.subject, action, &target_id, &body);
            one_more(if action == "disable" { &cycle.counts.disabled } else { &cycle.counts.updated });
            return Ok(self.done(action, "success", None));
        }
        cycle.may_send()?;
        let modified = differences.iter().map(ModifiedProperty::of_difference).collect();
        match cycle.target.patch(object, &target_id, &body).await {
            Ok(true) => {
                let was_unmanaged = self.subject.link.as_ref().is_none_or(|link| link.state != LinkState::Linked);
                let link = self.new_link(evaluation, state, Some(target_id));
                self.linked(evaluation, link, action, modified, was_unmanaged && state == LinkState::Linked).await
            }
            Ok(false) => self.rematch().await,
            Err(CallError::Refused(failure)) => Ok(self.fail(Some(evaluation), &failure, action).await?),
            Err(CallError::Unknown(failure)) => {
                let link = self.new_link(evaluation, LinkState::Verify, Some(target_id));
                let app = cycle.app;
                cycle.record(move |tx| links::put_link(tx, app, &link)).await?;
                Ok(self.fail(Some(evaluation), &failure, action).await?)
            }
            Err(CallError::Job(problem)) => Err(Trouble::Stop(Stop::Connection(problem))),
        }
    }

    async fn delete(&self, evaluation: &Evaluation<'_>, target_id: Option<String>) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let Some(target_id) = target_id else { return self.forget(evaluation, None).await };
        if cycle.previews() {
            cycle.predict_delete(&self.subject, &target_id);
            one_more(&cycle.counts.deleted);
            return Ok(self.done("delete", "success", None));
        }
        cycle.ready().await?;
        cycle.may_send()?;
        match cycle.target.delete(self.subject.object(), &target_id).await {
            Ok(()) => self.forget(evaluation, Some(&target_id)).await,
            Err(CallError::Refused(failure)) => Ok(self.fail(Some(evaluation), &failure, "delete").await?),
            Err(CallError::Unknown(failure)) => {
                let link = self.new_link(evaluation, LinkState::Deleting, Some(target_id));
                let app = cycle.app;
                cycle.record(move |tx| links::put_link(tx, app, &link)).await?;
                Ok(self.fail(Some(evaluation), &failure, "delete").await?)
            }
            Err(CallError::Job(problem)) => Err(Trouble::Stop(Stop::Connection(problem))),
        }
    }

    /// The link as it will be, with what is needed to find the account again.
    fn new_link(&self, evaluation: &Evaluation<'_>, state: LinkState, target_id: Option<String>) -> LinkRecord {
        let before = self.subject.link.as_ref();
        let pairs: Vec<(&str, &str)> =
            evaluation.matches.iter().map(|wanted| (wanted.path.text(), wanted.value.as_str())).collect();
        let match_key = if pairs.is_empty() {
            before.map(|link| link.match_key.clone())
        } else {
            serde_json::to_string(&pairs).ok()
        };
        let same_state = before.filter(|link| link.state == state && state.is_open());
        LinkRecord {
            kind: self.subject.kind,
            source_id: self.subject.id,
            target_id,
            state,
            attempt: same_state.map_or(1, |link| link.attempt + 1),
            at: self.cycle.engine.now(),
            fence: self.cycle.fence(),
            match_key: match_key.unwrap_or_else(|| "[]".to_owned()),
            label: self.subject.label(),
            exported: (state == LinkState::Linked && evaluation.scope == Scope::In).then_some(evaluation.fingerprint),
        }
    }

    /// Writes down a success: link, log, what waits for this object, all in one transaction.
    async fn linked(
        &self,
        evaluation: &Evaluation<'_>,
        link: LinkRecord,
        action: &'static str,
        modified: Vec<ModifiedProperty>,
        newly: bool,
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
        let (app, kind, id) = (cycle.app, self.subject.kind, self.subject.id);
        let note = self.manager_note(action == "create");
        let escrowed = self.subject.escrow.is_some();
        let written = cycle.record(move |tx| {
            links::put_link(tx, app, &link)?;
            if newly {
                newly_linked(tx, app, kind, id)?;
            }
            if let Some(note) = &note {
                references::want(tx, app, note)?;
            }
            if escrowed {
                links::clear_escrow(tx, app, kind, id)?;
            }
            logs::insert_log(tx, app, &log)
        });
        match written.await {
            Err(Stop::Job(JobError::Store(StoreError::NotUnique(UniqueKey::LinkTarget)))) => {
                self.withdraw_intent().await?;
                return Err(Trouble::Object(duplicate_source_entries("another object")));
            }
            other => other?,
        }
        one_more(match action {
            "create" => &cycle.counts.created,
            "disable" => &cycle.counts.disabled,
            _ => &cycle.counts.updated,
        });
        Ok(self.done(action, "success", None))
    }

    /// The note to write the manager, where that could not be done with the object itself.
    fn manager_note(&self, created: bool) -> Option<ReferenceRecord> {
        let user = self.subject.user.as_ref()?;
        self.plan.reference("manager")?;
        let wanted = user.manager?;
        (created || self.subject.manager_target.is_none()).then(|| ReferenceRecord {
            kind: ObjectKind::User,
            holder: user.id.into(),
            attribute: "manager".to_owned(),
            wanted: wanted.into(),
            fresh: created,
        })
    }

    /// Nothing had to be sent, but the link may have to be written down.
    async fn settle(
        &self,
        evaluation: &Evaluation<'_>,
        state: LinkState,
        reason: &SkipReason,
        target_id: Option<String>,
    ) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let before = self.subject.link.as_ref();
        let link = self.new_link(evaluation, state, target_id);
        // A late answer to an update of unknown outcome may still come: the account is read again after the window.
        let keeps_verifying = before.is_some_and(|before| {
            before.state == LinkState::Verify
                && cycle.engine.now().duration_since(before.at) < cycle.settings.settle_window()
        });
        if keeps_verifying || cycle.previews() {
            return Ok(self.skip(evaluation, reason).await?);
        }
        let newly = state == LinkState::Linked && before.is_none_or(|before| before.state != LinkState::Linked);
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
        let (app, kind, id, note) = (cycle.app, self.subject.kind, self.subject.id, self.manager_note(false));
        cycle
            .record(move |tx| {
                links::put_link(tx, app, &link)?;
                if newly {
                    newly_linked(tx, app, kind, id)?;
                }
                if let Some(note) = &note {
                    references::want(tx, app, note)?;
                }
                links::clear_escrow(tx, app, kind, id)?;
                logs::insert_log(tx, app, &log)
            })
            .await?;
        one_more(&cycle.counts.skipped);
        Ok(self.done("other", "skipped", Some(text)))
    }

    /// The account is gone, or no longer ours: the link goes. `deleted` is the id of an account that was just removed.
    async fn forget(&self, evaluation: &Evaluation<'_>, deleted: Option<&str>) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        let (action, status, counter) = match deleted {
            Some(_) => ("delete", Status::Success, &cycle.counts.deleted),
            None => ("other", Status::Skipped("the account is not managed any more"), &cycle.counts.skipped),
        };
        if !cycle.previews() {
            let happened = Happened {
                action,
                status,
                target_id: deleted,
                matching: "",
                modified: Vec::new(),
                started: self.started,
            };
            let log = cycle.log(&self.subject, Some(evaluation), &happened);
            let (app, kind, id) = (cycle.app, self.subject.kind, self.subject.id);
            cycle
                .record(move |tx| {
                    links::delete_link(tx, app, kind, id)?;
                    references::unlinked(tx, app, id)?;
                    references::forget_holder(tx, app, kind, id)?;
                    links::clear_escrow(tx, app, kind, id)?;
                    logs::insert_log(tx, app, &log)
                })
                .await?;
        }
        one_more(counter);
        Ok(self.done(action, if deleted.is_some() { "success" } else { "skipped" }, None))
    }

    /// The linked account is gone at the target: the link is dropped, and the object is matched, or made, anew.
    async fn rematch(&self) -> Result<Looked, Trouble> {
        let (app, kind, id) = (self.cycle.app, self.subject.kind, self.subject.id);
        if self.cycle.previews() {
            return Err(Trouble::Object(Failure {
                code: "InvalidAnchor",
                reason: "the linked account is gone at the target; a cycle will match the object again".to_owned(),
            }));
        }
        self.cycle
            .record(move |tx| {
                links::delete_link(tx, app, kind, id)?;
                references::unlinked(tx, app, id)
            })
            .await?;
        Ok(Looked::Again { conflicted: self.conflicted })
    }

    fn wait(&self) -> Looked {
        one_more(&self.cycle.counts.waiting);
        self.done("other", "skipped", Some("a create of unknown outcome waits for its settle window".to_owned()))
    }

    /// Nothing to do. Written to the log for objects that have a link; who was never provisioned leaves no trace there.
    async fn skip(&self, evaluation: &Evaluation<'_>, reason: &SkipReason) -> Result<Looked, Stop> {
        let text = reason.text();
        let cycle = self.cycle;
        if !cycle.previews() && (self.subject.link.is_some() || self.subject.escrow.is_some()) {
            let target_id = self.subject.link.as_ref().and_then(|link| link.target_id.as_deref());
            let happened = Happened {
                action: "other",
                status: Status::Skipped(&text),
                target_id,
                matching: "",
                modified: Vec::new(),
                started: self.started,
            };
            let log = cycle.log(&self.subject, Some(evaluation), &happened);
            let (app, kind, id) = (cycle.app, self.subject.kind, self.subject.id);
            cycle
                .record(move |tx| {
                    links::clear_escrow(tx, app, kind, id)?;
                    logs::insert_log(tx, app, &log)
                })
                .await?;
        }
        one_more(&cycle.counts.skipped);
        Ok(self.done("other", "skipped", Some(text)))
    }

    /// The object failed: into escrow, and into the log.
    async fn fail(
        &self,
        evaluation: Option<&Evaluation<'_>>,
        failure: &Failure,
        action: &'static str,
    ) -> Result<Looked, Stop> {
        let cycle = self.cycle;
        one_more(&cycle.counts.failed);
        if cycle.previews() {
            cycle.predict_failure(&self.subject, failure);
        } else {
            let target_id = self.subject.link.as_ref().and_then(|link| link.target_id.as_deref());
            let happened = Happened {
                action,
                status: Status::Failure(failure),
                target_id,
                matching: "",
                modified: Vec::new(),
                started: self.started,
            };
            let log = cycle.log(&self.subject, evaluation, &happened);
            let escrow = self.escrow(failure);
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

    fn escrow(&self, failure: &Failure) -> links::EscrowRecord {
        let now = self.cycle.engine.now();
        let before = self.subject.escrow.as_ref();
        let (first_failed, attempts) = before.map_or((now, 1), |before| (before.first_failed, before.attempts + 1));
        links::EscrowRecord {
            kind: self.subject.kind,
            source_id: self.subject.id,
            code: failure.code.to_owned(),
            reason: failure.reason.clone(),
            first_failed,
            attempts,
            next_attempt: next_attempt(first_failed, attempts, now),
        }
    }

    #[expect(clippy::unused_self, reason = "reads as what the look came to")]
    fn done(&self, action: &'static str, status: &'static str, reason: Option<String>) -> Looked {
        Looked::Done(Done { action, status, reason })
    }
}

/// What becomes possible when an object gets its account: its own references, those of others to it, memberships.
fn newly_linked(
    tx: &mut store::WriteTx<'_>,
    app: store::AppId,
    kind: ObjectKind,
    id: ObjectId,
) -> Result<(), StoreError> {
    references::linked(tx, app, kind, id)?;
    match kind {
        ObjectKind::Group => references::want_members(tx, app, id.group()).map(drop),
        ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment => {
            references::want_memberships(tx, app, id).map(drop)
        }
    }
}

pub(super) fn trouble(error: CallError) -> Trouble {
    match error {
        CallError::Refused(failure) | CallError::Unknown(failure) => Trouble::Object(failure),
        CallError::Job(problem) => Trouble::Stop(Stop::Connection(problem)),
    }
}

fn unusable_id() -> Failure {
    Failure {
        code: "SystemForCrossDomainIdentityManagementServiceIncompatible",
        reason: "the target gave an account without a usable id".to_owned(),
    }
}

fn duplicate_source_entries(other: &str) -> Failure {
    let reason = format!(
        "the matching account at the target belongs to {other} already; give the two source objects different matching values"
    );
    Failure { code: "DuplicateSourceEntries", reason }
}

fn conflict_without_account() -> Failure {
    let reason = "the target says the account exists already, yet no account matches: another unique value is taken; look at the account names and e-mail addresses at the target".to_owned();
    Failure { code: "EntryConflict", reason }
}

impl Cycle {
    /// Whether this is a preview.
    pub(super) const fn previews(&self) -> bool {
        matches!(self.mode, Mode::Preview(_))
    }
}
