//! Looks at one object: reads it, looks its account up, decides. What is sent then is in `write`, what is written down in
//! `note`.

use jiff::Timestamp;
use serde_json::{Map, Value};
use store::links::{self, LinkRecord, LinkState};
use store::{ObjectId, ObjectKind};

use super::context::{Cycle, Mode, Stop};
use super::evaluate::{Evaluation, held_manager, wrote_manager};
use super::subject::Subject;
use super::takeover::Holder;
use crate::object_plan::{Desired, Failure, MatchValue, ObjectPlan};
use crate::plan::{
    Action, Found, Lookup, SkipReason, decide_in_scope, decide_out_of_scope, duplicate_target_entries, lookup,
};
use crate::scope::Scope;
use crate::target::{CallError, resource_id};
use crate::target_path::TargetPath;

/// Times an object is looked at again because its account turned out to be gone, or to exist already.
const ROUNDS_MAX: u32 = 3;
/// The code of a failure that two source objects match one account.
const DUPLICATE_SOURCE_ENTRIES: &str = "DuplicateSourceEntries";

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
    /// The linked account is gone, or a create met an existing account: look again.
    Again {
        conflicted: bool,
    },
}

/// What a look-up at the target came to.
enum Sought<'p> {
    /// What the target holds, and the id of the account where there is one.
    Found(Found<'p>, Option<String>),
    /// The account that matches has the link of an object that is deleted.
    Leavers(LinkRecord),
    /// The account was deleted while it was asked for.
    Deleted,
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
        if self.with_preview(|preview| !preview.looked.insert((kind, id))) == Some(true) {
            return Ok(Done { action: "other", status: "skipped", reason: None });
        }
        self.counts.waits(kind, id, false);
        self.counts.stays(kind, id, false);
        let mut conflicted = false;
        for _ in 0..ROUNDS_MAX {
            let look = self.look(plan, kind, id, conflicted).await?;
            match look.run().await? {
                Looked::Done(done) => {
                    look.keep_time().await?;
                    return Ok(done);
                }
                Looked::Again { conflicted: again } => conflicted = again,
            }
        }
        let failure = Failure {
            code: "InvalidAnchor",
            reason: "the target contradicts itself about this object: it has the account and has it not".to_owned(),
        };
        let look = self.look(plan, kind, id, conflicted).await?;
        let looked = look.fail(None, &failure, "other").await?;
        look.keep_time().await?;
        match looked {
            Looked::Done(done) => Ok(done),
            Looked::Again { .. } => Ok(Done { action: "other", status: "failure", reason: Some(failure.reason) }),
        }
    }

    async fn look<'c>(
        &'c self,
        plan: &'c ObjectPlan,
        kind: ObjectKind,
        id: ObjectId,
        conflicted: bool,
    ) -> Result<Look<'c>, Stop> {
        // What was read ahead is good for one look: the next one has to see what the first has done.
        let mut subject = self.subject(kind, id).await?;
        self.with_preview(|preview| preview.foresee(&mut subject));
        Ok(Look { cycle: self, plan, subject, started: self.engine.now(), conflicted })
    }

    /// Whether this is a preview.
    pub(super) const fn previews(&self) -> bool {
        matches!(self.mode, Mode::Preview(_))
    }
}

impl Look<'_> {
    async fn run(&self) -> Result<Looked, Stop> {
        let evaluation = match self.cycle.evaluate(self.plan, &self.subject) {
            Ok(evaluation) => evaluation,
            Err(failure) => return self.fail(None, &failure, self.intended()).await,
        };
        match self.decide_and_act(&evaluation).await {
            Ok(looked) => Ok(looked),
            Err(Trouble::Stop(stop)) => Err(stop),
            // A live object took the account over meanwhile: this one has none any more.
            Err(Trouble::Object(failure))
                if failure.code == DUPLICATE_SOURCE_ENTRIES && evaluation.scope != Scope::In =>
            {
                Ok(Looked::Again { conflicted: self.conflicted })
            }
            Err(Trouble::Object(failure)) => self.fail(Some(&evaluation), &failure, "other").await,
        }
    }

    /// What was to be done about an object that cannot be evaluated, as far as is known.
    fn intended(&self) -> &'static str {
        match self.cycle.scope_of(self.plan, &self.subject) {
            // Nothing is evaluated of who is out of scope but what switches the account off.
            Ok(Scope::Out(_)) if self.plan.mapping.flow_types.update => "disable",
            Ok(Scope::Out(_)) => "other",
            _ if self.subject.link.as_ref().is_some_and(|link| link.target_id.is_some()) => "update",
            _ => "create",
        }
    }

    async fn decide_and_act(&self, evaluation: &Evaluation<'_>) -> Result<Looked, Trouble> {
        if evaluation.ignored {
            return Ok(self.skip(evaluation, &SkipReason::Ignored).await?);
        }
        let known = self.cycle.known(self.plan, &self.subject, evaluation);
        let is_unmatched =
            evaluation.scope == Scope::In && lookup(known) == Lookup::ByMatch && evaluation.matches.is_empty();
        if is_unmatched && self.remembered_matches().is_empty() {
            return Ok(self.skip(evaluation, &SkipReason::NoMatchingValue).await?);
        }
        let (found, target_id) = match self.look_up(lookup(known), evaluation).await? {
            Sought::Found(found, target_id) => (found, target_id),
            Sought::Leavers(former) => return self.take_over(evaluation, former).await,
            Sought::Deleted => return Ok(Looked::Again { conflicted: self.conflicted }),
        };
        let action = match &evaluation.scope {
            // A create of unknown outcome was looked for by what it was sent with, and is not sent again without.
            Scope::In if is_unmatched && matches!(found, Found::Absent) => {
                if known.quiet {
                    Action::Forget
                } else {
                    Action::Wait
                }
            }
            Scope::In => {
                let new = match found {
                    Found::Absent => self.cycle.desired_of_new(self.plan, &self.subject).map_err(Trouble::Object)?,
                    Found::NotAsked | Found::Account { .. } => Desired::Values(Vec::new()),
                };
                decide_in_scope(known, found, new)
            }
            Scope::Out(why) => decide_out_of_scope(known, why, found),
        };
        self.act(evaluation, action, target_id).await
    }

    /// Asks the target what it holds.
    async fn look_up<'e>(&self, how: Lookup, evaluation: &'e Evaluation<'e>) -> Result<Sought<'e>, Trouble> {
        let linked = self.subject.link.as_ref().and_then(|link| link.target_id.clone());
        let asked = self.cycle.deletions.now();
        let held = match how {
            Lookup::Nothing => return Ok(Sought::Found(Found::NotAsked, linked)),
            Lookup::ById => match &linked {
                Some(id) => {
                    self.cycle.ready().await?;
                    self.cycle.target.read(self.subject.object(), id).await.map_err(trouble)?
                }
                None => None,
            },
            Lookup::ByMatch => self.find(evaluation).await?,
        };
        let held = held.and_then(|held| self.cycle.as_foreseen(self.subject.kind, held));
        let Some(held) = held else { return Ok(Sought::Found(Found::Absent, linked)) };
        let target_id = resource_id(&held).ok_or_else(|| Trouble::Object(unusable_id()))?.to_owned();
        if let Some(Holder { link: other, has_left }) = self.holder(&target_id).await? {
            return match (&evaluation.scope, has_left) {
                (Scope::In, true) => Ok(Sought::Leavers(other)),
                (Scope::In, false) => Err(Trouble::Object(duplicate_source_entries(&other.label))),
                // Who is out of scope and has lost the account to somebody else has none.
                (Scope::Out(_), _) => Ok(Sought::Found(Found::Absent, linked)),
            };
        }
        if self.cycle.deletions.since(asked, self.subject.kind, &target_id) {
            return Ok(Sought::Deleted);
        }
        let ours = self.manages_held_manager(&held).await?;
        let plan: &'e ObjectPlan = evaluation.plan;
        let differences = Cycle::differences_of(plan, &self.subject, evaluation, &held, ours);
        Ok(Sought::Found(Found::Account { target_id: target_id.clone(), differences }, Some(target_id)))
    }

    /// The one account that matches. Values are tried in order; the first that finds any decides. A create of unknown
    /// outcome is looked for by the values it was sent with first.
    async fn find(&self, evaluation: &Evaluation<'_>) -> Result<Option<Map<String, Value>>, Trouble> {
        self.cycle.ready().await?;
        let remembered = self.remembered_matches();
        let mut matches: Vec<(&TargetPath, &str)> =
            remembered.iter().map(|(path, value)| (path, value.as_str())).collect();
        if self.subject.exists() {
            let wanted = evaluation.matches.iter().map(|wanted| (wanted.path, wanted.value.as_str()));
            let new: Vec<_> = wanted
                .filter(|(path, value)| !remembered.iter().any(|(p, v)| p.text() == path.text() && v == value))
                .collect();
            matches.extend(new);
        }
        for (path, value) in matches {
            let wanted = MatchValue { path, value: value.to_owned(), redacted: false };
            let mut found = self.cycle.target.find(self.subject.object(), &wanted).await.map_err(trouble)?;
            match found.len() {
                0 => {}
                1 => return Ok(found.pop()),
                many => return Err(Trouble::Object(duplicate_target_entries(many))),
            }
        }
        Ok(None)
    }

    /// The values by which a create of unknown outcome is found again, also for an object that is gone since, or is
    /// called otherwise.
    fn remembered_matches(&self) -> Vec<(TargetPath, String)> {
        let open = self.subject.link.as_ref().filter(|link| link.state == LinkState::Creating);
        let text = open.map_or("[]", |link| link.match_key.as_str());
        let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
        let parse = |(text, value): (String, String)| {
            let known = self.plan.target(&text).cloned();
            Some((known.or_else(|| TargetPath::parse(&text, self.subject.object()).ok())?, value))
        };
        pairs.into_iter().filter_map(parse).collect()
    }

    async fn manages_held_manager(&self, held: &Map<String, Value>) -> Result<bool, Trouble> {
        let Some(id) = self.plan.reference("manager").and_then(|path| held_manager(path, held)) else {
            return Ok(false);
        };
        if self.subject.link.as_ref().and_then(|link| link.exported).is_some_and(wrote_manager) {
            return Ok(true);
        }
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
        if let Some(looked) = self.leave_groups(&action).await? {
            return Ok(looked);
        }
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
            Action::NoteLink { state, reason } => self.note_link(evaluation, state, &reason, target_id).await,
            Action::Forget => self.forget(evaluation, None).await,
            Action::Rematch => self.rematch().await,
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

pub(super) fn duplicate_source_entries(other: &str) -> Failure {
    let reason = format!(
        "the matching account at the target belongs to {other} already; give the two source objects different matching values"
    );
    Failure { code: DUPLICATE_SOURCE_ENTRIES, reason }
}

fn conflict_without_account() -> Failure {
    let reason = "the target says the account exists already, yet no account matches: another unique value is taken; look at the account names and e-mail addresses at the target".to_owned();
    Failure { code: "EntryConflict", reason }
}
