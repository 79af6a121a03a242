//! A running cycle: the job as it was when the cycle began, its target, its lease, its counters.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mapping::ObjectType;
use store::jobs::Lease;
use store::links::LinkRecord;
use store::{AppId, CycleId, ObjectId, ObjectKind, StoreError, WriteTx};

use super::ahead::{Ahead, needs_roles};
use super::deletions::Deletions;
use super::later::Later;
use super::lease::HeldLease;
use super::preview::Preview;
use super::recorder::Recorder;
use super::report::{Counts, Progress, ProgressFn};
use super::subject::object_type;
use crate::discovery::Discovery;
use crate::engine::Engine;
use crate::gallery::Template;
use crate::job::JobError;
use crate::object_plan::{MatchValue, ObjectPlan};
use crate::plan::{Leaving, is_quiet};
use crate::settings::JobSettings;
use crate::surroundings::JobNeeds;
use crate::target::{ConnectionProblem, Target, TargetFacts};

/// Whether requests that change the target are sent, or only told.
pub(super) enum Mode {
    Send(HeldLease),
    Preview(Box<Mutex<Preview>>),
}

/// What a cycle relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// An account that was exported as it is wanted is so still.
    Exports,
    /// The target is read: an initial cycle, and whoever is provisioned on demand.
    Nothing,
}

pub(super) struct Cycle {
    pub(super) engine: Engine,
    pub(super) app: AppId,
    pub(super) name: String,
    pub(super) id: CycleId,
    pub(super) settings: JobSettings,
    pub(super) members_per_request: usize,
    /// The target is asked for its attributes.
    discovers: bool,
    pub(super) facts: TargetFacts,
    pub(super) users: ObjectPlan,
    pub(super) groups: Option<ObjectPlan>,
    leaving_users: Leaving,
    leaving_groups: Leaving,
    pub(super) target: Target,
    pub(super) mode: Mode,
    recorder: Option<Recorder>,
    pub(super) initial: bool,
    pub(super) trust: Trust,
    pub(super) counts: Counts,
    pub(super) total: AtomicU64,
    pub(super) progress: ProgressFn,
    probed: tokio::sync::OnceCell<()>,
    stopped: AtomicBool,
    stop: Mutex<Option<Stop>>,
    /// Matching values for which an account is made in this cycle, and for which object.
    claims: Mutex<HashMap<(ObjectKind, String), ObjectId>>,
    pub(super) deletions: Deletions,
    pub(super) later: Mutex<Later>,
    pub(super) ahead: tokio::sync::Mutex<Ahead>,
    /// What filters and mappings ask for beside the objects.
    pub(super) needs: Arc<JobNeeds>,
    /// Whether scope or mappings ask for the roles of users.
    pub(super) needs_roles: bool,
}

/// Why a cycle cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    Connection(ConnectionProblem),
    LeaseLost,
    Job(JobError),
}

impl From<JobError> for Stop {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Job(error.into())
    }
}

impl From<Stop> for JobError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Connection(problem) => Self::Connection(problem),
            Stop::LeaseLost => Self::LeaseLost,
            Stop::Job(error) => error,
        }
    }
}

/// What a cycle is made of.
pub(super) struct Parts {
    pub(super) engine: Engine,
    pub(super) app: AppId,
    pub(super) name: String,
    pub(super) template: &'static Template,
    pub(super) settings: JobSettings,
    pub(super) target: Target,
    pub(super) mode: Mode,
    pub(super) initial: bool,
    pub(super) trust: Trust,
    pub(super) progress: ProgressFn,
}

impl Cycle {
    pub(super) fn new(parts: Parts) -> Result<Arc<Self>, JobError> {
        let Parts { engine, app, name, template, settings, target, mode, initial, trust, progress } = parts;
        let plan = |object: ObjectType| {
            let mapping = settings.object(object).filter(|mapping| mapping.enabled);
            mapping
                .map(|mapping| settings.plan(mapping))
                .transpose()
                .map_err(|error| JobError::Invalid(error.to_string()))
        };
        let users =
            plan(ObjectType::User)?.ok_or_else(|| JobError::Invalid("the job has no mapping of users".to_owned()))?;
        let groups = plan(ObjectType::Group)?;
        let leaving = |plan: &ObjectPlan| plan.leaving(template.has_soft_delete(plan.object()));
        let recorder = match &mode {
            Mode::Send(held) => Some(Recorder::new(engine.store().clone(), held.lease)),
            Mode::Preview(_) => None,
        };
        Ok(Arc::new(Self {
            id: engine.new_id(),
            engine,
            app,
            name,
            members_per_request: template.members_per_request,
            discovers: template.discovery && initial && recorder.is_some(),
            facts: settings.facts(template),
            needs: Arc::new(JobNeeds::new(Some(&users.mapping), groups.as_ref().map(|plan| &plan.mapping))),
            needs_roles: needs_roles(&settings),
            settings,
            leaving_users: leaving(&users),
            leaving_groups: groups.as_ref().map_or(Leaving::Deleted, leaving),
            users,
            groups,
            target,
            mode,
            recorder,
            initial,
            trust,
            counts: Counts::default(),
            total: AtomicU64::new(0),
            progress,
            probed: tokio::sync::OnceCell::new(),
            stopped: AtomicBool::new(false),
            stop: Mutex::new(None),
            claims: Mutex::default(),
            deletions: Deletions::default(),
            later: Mutex::default(),
            ahead: tokio::sync::Mutex::default(),
        }))
    }

    pub(super) const fn kind(&self) -> &'static str {
        if self.initial { "initial" } else { "incremental" }
    }

    /// The plan for objects of a kind; `None` where the job does not provision them.
    pub(super) fn plan_of(&self, kind: ObjectKind) -> Option<&ObjectPlan> {
        match object_type(kind) {
            ObjectType::User => Some(&self.users),
            ObjectType::Group => self.groups.as_ref(),
        }
    }

    /// What becomes of the accounts of a kind whose objects leave the scope.
    pub(super) const fn leaving_of(&self, kind: ObjectKind) -> Leaving {
        match object_type(kind) {
            ObjectType::User => self.leaving_users,
            ObjectType::Group => self.leaving_groups,
        }
    }

    /// Tests the connection before the first request of the cycle; a cycle without work sends nothing.
    pub(super) async fn ready(&self) -> Result<(), Stop> {
        let probe = || async {
            let nonce = self.engine.new_id::<CycleId>().to_string();
            let plans = std::iter::once(&self.users).chain(&self.groups);
            let matching: Vec<_> = plans.filter_map(|plan| Some((plan.object(), plan.first_matching()?))).collect();
            let patience = self.settings.request_timeout();
            match crate::target::test_connection(&self.target, &matching, &nonce, patience).await {
                // Who has an account is kept in step all the same; whoever has to be looked for fails.
                Ok(()) | Err(ConnectionProblem::IgnoresFilters(_)) => self.learn_attributes().await,
                Err(problem) => Err(Stop::Connection(problem)),
            }
        };
        self.probed.get_or_try_init(probe).await.map(drop)
    }

    /// An initial cycle asks the target for its attributes, where the template says so: the next one knows them. A target that
    /// tells nothing is worked with all the same.
    async fn learn_attributes(&self) -> Result<(), Stop> {
        if !self.discovers {
            return Ok(());
        }
        let Ok(told) = crate::target::discover(&self.target, self.settings.request_timeout()).await else {
            return Ok(());
        };
        let (record, _, settings) = self.engine.load(self.app).await.map_err(Stop::Job)?;
        if settings.tenant_url != self.settings.tenant_url {
            return Ok(());
        }
        let mut discovered = settings.discovered.clone();
        let added = discovered.learn(told);
        self.engine
            .keep(&record, settings, &Discovery { discovered, added, ..Discovery::default() })
            .await
            .map_err(Stop::Job)
    }

    /// Commits what a cycle has to remember, if the lease is still held. In a preview nothing is written.
    pub(super) async fn record<F>(&self, write: F) -> Result<(), Stop>
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<(), StoreError> + Send + 'static,
    {
        match &self.recorder {
            Some(recorder) => recorder.record(Box::new(write)).await,
            None => Ok(()),
        }
    }

    /// Must succeed before anything is sent that changes the target.
    pub(super) fn may_send(&self) -> Result<(), Stop> {
        match &self.mode {
            Mode::Send(held) if held.lasts(self.settings.request_timeout()) => Ok(()),
            Mode::Send(_) => Err(Stop::LeaseLost),
            Mode::Preview(_) => Err(Stop::Job(JobError::Invalid("a preview sends nothing".to_owned()))),
        }
    }

    /// The lease of the cycle; a preview has none.
    pub(super) const fn lease(&self) -> Option<Lease> {
        match &self.mode {
            Mode::Send(held) => Some(held.lease),
            Mode::Preview(_) => None,
        }
    }

    pub(super) fn fence(&self) -> i64 {
        self.lease().map_or(0, Lease::fence)
    }

    /// Works until the work is done or the lease is lost.
    pub(super) async fn while_leased<T>(&self, work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
        let Mode::Send(held) = &self.mode else { return work.await };
        tokio::select! {
            biased;
            ended = work => ended,
            () = held.lost() => Err(Stop::LeaseLost),
        }
    }

    /// Claims the matching values of an object for the account that is to be made for it; says whether they were free.
    pub(super) fn claim(&self, kind: ObjectKind, id: ObjectId, matches: &[MatchValue<'_>]) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        matches.iter().all(|wanted| {
            let value = format!("{} {}", wanted.path.text(), scim::fold(&wanted.value));
            *claims.entry((kind, value)).or_insert(id) == id
        })
    }

    /// Whether nothing about the object of a link can be on its way any more.
    pub(super) fn is_quiet(&self, link: &LinkRecord) -> bool {
        is_quiet(link, self.settings.settle_window(), self.engine.now())
    }

    /// Ends the cycle: the first reason counts.
    pub(super) fn halt(&self, stop: Stop) {
        let mut slot = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(stop);
        }
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Fails once the cycle was ended by one of its tasks.
    pub(super) fn go_on(&self) -> Result<(), Stop> {
        if !self.stopped.load(Ordering::Relaxed) {
            return Ok(());
        }
        let taken = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(taken.unwrap_or(Stop::LeaseLost))
    }

    pub(super) fn is_stopped(&self) -> bool {
        if self.engine.is_stopping() {
            self.halt(Stop::Job(JobError::Stopped));
        }
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, phase: &'static str) {
        let done = self.counts.done.load(Ordering::Relaxed);
        let total = self.total.load(Ordering::Relaxed).max(done);
        (self.progress)(&Progress { phase, done, total, requests: self.target.requests() });
    }
}
