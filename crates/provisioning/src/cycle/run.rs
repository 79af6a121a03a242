//! The course of a cycle: which objects, in which order, and when the watermark moves.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::jobs::{self, Lease, QuarantineRecord};
use store::{
    AppId, DIRECTORY_FEED, ObjectId, ObjectKind, ReadTx, StoreError, changes_after, feed_head, groups, links,
    number_changes, references, users,
};
use tokio::time::Instant;

use super::context::{Cycle, Mode, Parts, Stop, Trust};
use super::lease::HeldLease;
use super::preview::{PlanSink, Preview};
use super::report::{CycleReport, ProgressFn};
use super::work::touched;
use crate::engine::Engine;
use crate::job::JobError;

/// Objects of the directory that are fetched at a time.
pub(super) const PAGE: u32 = 500;
/// Changes of the directory that are fetched at a time; the watermark moves after each such page.
pub(super) const CHANGES_PAGE: u32 = 1000;
/// Longest time until a job in quarantine is tried again.
const QUARANTINE_HOURS_MAX: i64 = 6;

impl Engine {
    /// Runs one cycle of a job: an initial one until one is complete, else an incremental one.
    pub async fn run_cycle(&self, app: AppId, progress: ProgressFn) -> Result<CycleReport, JobError> {
        let held = HeldLease::take(self, app).await?;
        let lease = held.lease;
        let cycle = match self.begin(app, Mode::Send(held), Trust::Exports, progress).await {
            Ok(cycle) => cycle,
            Err(error) => {
                let next = self.now() + jiff::SignedDuration::from_hours(1);
                self.store().write(move |tx| jobs::release(tx, lease, next)).await?;
                return Err(error);
            }
        };
        let started = Instant::now();
        let result = cycle.while_leased(cycle.run(lease)).await;
        let mut report = cycle.report(started);
        if report.waiting > 0 {
            report.settles_in_seconds = Some(cycle.settings.plain.settle_seconds);
        }
        cycle.finish(&report, result).await?;
        Ok(report)
    }

    /// Tells what a cycle would send, and sends nothing but reads.
    pub async fn plan(&self, app: AppId, sink: PlanSink) -> Result<CycleReport, JobError> {
        let mode = Mode::Preview(Box::new(std::sync::Mutex::new(Preview::new(sink))));
        let cycle = self.begin(app, mode, Trust::Exports, Arc::new(|_| {})).await?;
        let started = Instant::now();
        cycle.preview().await?;
        Ok(cycle.report(started))
    }

    /// The cycle of a job as it is now: its settings do not change while it runs.
    pub(super) async fn begin(
        &self,
        app: AppId,
        mode: Mode,
        trust: Trust,
        progress: ProgressFn,
    ) -> Result<Arc<Cycle>, JobError> {
        let (record, template, settings) = self.load(app).await?;
        let name = self.store().read(move |tx| directory::application(tx, app)).await?.name;
        settings.check_workable()?;
        let target = self.target_of(&record, &settings)?;
        let initial = match record.watermark {
            None => true,
            Some(watermark) => self.is_behind_the_feed(app, watermark).await?,
        };
        let trust = if initial { Trust::Nothing } else { trust };
        let engine = self.clone();
        Cycle::new(Parts { engine, app, name, template, settings, target, mode, initial, trust, progress })
    }
}

impl Engine {
    /// Whether what changed after a watermark is no longer kept: then everything is looked at, as in the first cycle.
    async fn is_behind_the_feed(&self, app: AppId, watermark: i64) -> Result<bool, JobError> {
        match self.store().read(move |tx| changes_after(tx, DIRECTORY_FEED, watermark, 1)).await {
            Ok(_) => Ok(false),
            Err(error @ StoreError::FeedTrimmed { .. }) => {
                tracing::warn!("The job of application {app} looks at everything again: {error}");
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Cycle {
    pub(super) fn report(&self, started: Instant) -> CycleReport {
        self.counts.report(self.kind(), self.requests(), started.elapsed().as_secs_f64())
    }

    async fn run(self: &Arc<Self>, lease: Lease) -> Result<(), Stop> {
        let (app, id, kind, now) = (self.app, self.cycle_id(), self.kind(), self.engine.now());
        self.record(move |tx| {
            jobs::insert_cycle(tx, app, id, kind, now)?;
            jobs::trim_cycles(tx, app)?;
            number_changes(tx, DIRECTORY_FEED)
        })
        .await?;
        if !self.initial {
            self.retry_failures(None).await?;
            return self.run_incremental(lease).await;
        }
        let read = self
            .engine
            .store()
            .read(move |tx| Ok::<_, StoreError>((jobs::job_by_app(tx, app)?, feed_head(tx, DIRECTORY_FEED)?)));
        let (job, head) = read.await?;
        let job = job.ok_or(JobError::NotFound)?;
        // A cycle that was cut off goes on where it stood; changes since it began, the first look of it, come in the next one.
        let (place, from) = (Place::parse(job.initial_cursor.as_deref()), job.initial_from.unwrap_or(head));
        let settled = self.retry_failures(Some(place)).await?;
        self.run_initial(lease, (place, from), &settled).await
    }

    /// Everything: users, then groups, then accounts whose source object is gone, then references.
    async fn run_initial(
        self: &Arc<Self>,
        lease: Lease,
        (place, from): (Place, i64),
        settled: &HashSet<(ObjectKind, ObjectId)>,
    ) -> Result<(), Stop> {
        let count = |tx: &mut ReadTx<'_>| Ok::<_, StoreError>(users::count_users(tx)?.0 + groups::count_groups(tx)?);
        self.total.store(self.engine.store().read(count).await?, Ordering::Relaxed);
        let mut place = Some(place);
        while let Some(here) = place {
            let mut page = self.initial_page(here).await?;
            page.objects.retain(|object| !settled.contains(object));
            if matches!(here, Place::Users(_)) {
                self.users_come(&page.objects).await;
            }
            self.look_at(page.objects, here.phase()).await?;
            place = page.next;
            if let Some(next) = place {
                self.record(move |tx| jobs::set_initial(tx, lease, from, &next.to_string())).await?;
            }
        }
        self.write_references().await?;
        self.look_after_references().await?;
        self.record(move |tx| jobs::set_watermark(tx, lease, from)).await
    }

    /// The objects at a place, and the next place.
    pub(super) async fn initial_page(&self, place: Place) -> Result<InitialPage, Stop> {
        let app = self.app;
        let page = self.engine.store().scan(move |tx| {
            let ids: Vec<ObjectId> = match place {
                Place::Users(after) => {
                    users::user_ids_after(tx, after.map(ObjectId::user), PAGE)?.into_iter().map(Into::into).collect()
                }
                Place::Groups(after) => {
                    groups::group_ids_after(tx, after.map(ObjectId::group), PAGE)?.into_iter().map(Into::into).collect()
                }
                Place::UserOrphans(after) => links::orphaned_links(tx, app, ObjectKind::User, after, PAGE)?
                    .iter()
                    .map(|link| link.source_id)
                    .collect(),
                Place::GroupOrphans(after) => links::orphaned_links(tx, app, ObjectKind::Group, after, PAGE)?
                    .iter()
                    .map(|link| link.source_id)
                    .collect(),
            };
            Ok::<_, StoreError>(InitialPage {
                next: place.after(ids.last().copied()),
                objects: ids.into_iter().map(|id| (place.kind(), id)).collect(),
            })
        });
        Ok(page.await?)
    }

    /// What changed since the watermark, page by page; a cycle without changes sends nothing.
    async fn run_incremental(self: &Arc<Self>, lease: Lease) -> Result<(), Stop> {
        let app = self.app;
        let mut watermark = self
            .engine
            .store()
            .read(move |tx| jobs::job_by_app(tx, app))
            .await?
            .and_then(|job| job.watermark)
            .unwrap_or(0);
        self.look_at_due().await?;
        loop {
            let needs = Arc::clone(&self.needs);
            let touched = self.engine.store().scan(move |tx| {
                let changes = changes_after(tx, DIRECTORY_FEED, watermark, CHANGES_PAGE)?;
                Ok::<_, JobError>((changes.last().map(|change| change.seq), touched(tx, app, &needs, &changes)?))
            });
            let (last, touched) = touched.await?;
            self.total.fetch_add(touched.objects.len() as u64, Ordering::Relaxed);
            // Before the looks: who is gone leaves the groups first, and what is forgotten takes its notes along.
            let memberships = touched.memberships.clone();
            if !memberships.is_empty() {
                self.record(move |tx| {
                    memberships
                        .iter()
                        .try_for_each(|(group, member)| references::want(tx, app, &membership(*group, *member)))
                })
                .await?;
            }
            self.look_at_touched(&touched).await?;
            self.write_references().await?;
            self.look_after_references().await?;
            let Some(seq) = last else { return Ok(()) };
            watermark = seq;
            self.record(move |tx| jobs::set_watermark(tx, lease, seq)).await?;
        }
    }

    /// Looks at every member of a group, page by page, but for those that were looked at just now.
    pub(super) async fn look_at_members(
        self: &Arc<Self>,
        group: ObjectId,
        seen: &BTreeSet<(ObjectKind, ObjectId)>,
    ) -> Result<(), Stop> {
        let mut after = None;
        loop {
            let from = after;
            let members =
                self.engine.store().scan(move |tx| groups::members_after(tx, group.group(), from, PAGE)).await?;
            let Some((last, _)) = members.last() else { return Ok(()) };
            after = Some(*last);
            let users =
                members.into_iter().filter(|(_, kind)| *kind == ObjectKind::User).map(|(id, _)| (ObjectKind::User, id));
            self.look_at(users.filter(|user| !seen.contains(user)).collect(), "members").await?;
        }
    }

    /// Writes down how the cycle ended and gives the lease back.
    async fn finish(self: Arc<Self>, report: &CycleReport, result: Result<(), Stop>) -> Result<(), JobError> {
        let state = match &result {
            Ok(()) if report.failed > 0 => "entryLevelErrors",
            Ok(()) => "succeeded",
            // It goes on where it stood: nothing of it has failed.
            Err(Stop::Job(JobError::Stopped)) => "interrupted",
            Err(_) => "failed",
        };
        let counts = serde_json::to_string(report).unwrap_or_default();
        let (app, id, now) = (self.app, self.cycle_id(), self.engine.now());
        let engine = self.engine.clone();
        engine.store().write(move |tx| jobs::end_cycle(tx, app, id, state, &counts, now)).await?;
        let interval = match &result {
            Err(Stop::Connection(problem)) => self.quarantine(&problem.to_string()).await?,
            Ok(()) => self.leave_quarantine().await?,
            Err(Stop::Job(JobError::Stopped)) => jiff::SignedDuration::ZERO,
            Err(Stop::LeaseLost | Stop::Job(_)) => self.settings.interval(),
        };
        if let Mode::Send(held) = &self.mode {
            held.release(&engine, interval).await?;
        }
        Ok(result?)
    }

    /// The target could not be worked with: the job is tried again, ever more rarely, until a cycle succeeds.
    async fn quarantine(&self, reason: &str) -> Result<jiff::SignedDuration, JobError> {
        let (app, now) = (self.app, self.engine.now());
        let (record, _, settings) = self.engine.load(app).await?;
        let since = record.quarantine.map_or(now, |quarantine| quarantine.since);
        let quarantine = QuarantineRecord { reason: reason.to_owned(), since };
        // What the target of other settings does says nothing of the one that there may be now.
        let version = self.lease().map_or(record.version, Lease::version);
        self.engine.store().write(move |tx| jobs::set_quarantine(tx, app, Some(&quarantine), version)).await?;
        // Doubles with the time already spent in quarantine.
        Ok(now
            .duration_since(since)
            .min(jiff::SignedDuration::from_hours(QUARANTINE_HOURS_MAX))
            .max(settings.interval()))
    }

    async fn leave_quarantine(&self) -> Result<jiff::SignedDuration, JobError> {
        let app = self.app;
        let (record, _, settings) = self.engine.load(app).await?;
        if record.quarantine.is_some() {
            self.engine.store().write(move |tx| jobs::set_quarantine(tx, app, None, record.version)).await?;
        }
        Ok(settings.interval())
    }
}

pub(super) fn membership(group: ObjectId, member: ObjectId) -> references::ReferenceRecord {
    references::ReferenceRecord {
        kind: ObjectKind::Group,
        holder: group,
        attribute: "members".to_owned(),
        wanted: member,
        fresh: false,
    }
}

pub(super) struct InitialPage {
    pub(super) objects: Vec<(ObjectKind, ObjectId)>,
    pub(super) next: Option<Place>,
}

/// How far an initial cycle has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Users(Option<ObjectId>),
    Groups(Option<ObjectId>),
    UserOrphans(Option<ObjectId>),
    GroupOrphans(Option<ObjectId>),
}

impl Place {
    /// Reads a stored place; one that cannot be read means the beginning, which is always right.
    pub(super) fn parse(text: Option<&str>) -> Self {
        let (name, id) = text.and_then(|text| text.split_once(' ')).unwrap_or(("users", ""));
        let after = id.parse().ok();
        match name {
            "groups" => Self::Groups(after),
            "userOrphans" => Self::UserOrphans(after),
            "groupOrphans" => Self::GroupOrphans(after),
            _ => Self::Users(after),
        }
    }

    /// The place behind an object, or the beginning of what comes next where there was none.
    pub(super) const fn after(self, last: Option<ObjectId>) -> Option<Self> {
        Some(match (self, last) {
            (Self::Users(_), Some(_)) => Self::Users(last),
            (Self::Users(_), None) => Self::Groups(None),
            (Self::Groups(_), Some(_)) => Self::Groups(last),
            (Self::Groups(_), None) => Self::UserOrphans(None),
            (Self::UserOrphans(_), Some(_)) => Self::UserOrphans(last),
            (Self::UserOrphans(_), None) => Self::GroupOrphans(None),
            (Self::GroupOrphans(_), Some(_)) => Self::GroupOrphans(last),
            (Self::GroupOrphans(_), None) => return None,
        })
    }

    /// Whether an initial cycle that is here still comes to an object of the directory.
    pub(super) fn comes_to(self, (kind, id): (ObjectKind, ObjectId)) -> bool {
        let is_ahead = |after: Option<ObjectId>| after.is_none_or(|after| id > after);
        match self {
            Self::Users(after) => kind == ObjectKind::Group || is_ahead(after),
            Self::Groups(after) => kind == ObjectKind::Group && is_ahead(after),
            Self::UserOrphans(_) | Self::GroupOrphans(_) => false,
        }
    }

    const fn kind(self) -> ObjectKind {
        match self {
            Self::Users(_) | Self::UserOrphans(_) => ObjectKind::User,
            Self::Groups(_) | Self::GroupOrphans(_) => ObjectKind::Group,
        }
    }

    pub(super) const fn phase(self) -> &'static str {
        match self {
            Self::Users(_) | Self::UserOrphans(_) => "users",
            Self::Groups(_) | Self::GroupOrphans(_) => "groups",
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, after) = match self {
            Self::Users(after) => ("users", after),
            Self::Groups(after) => ("groups", after),
            Self::UserOrphans(after) => ("userOrphans", after),
            Self::GroupOrphans(after) => ("groupOrphans", after),
        };
        match after {
            Some(id) => write!(f, "{name} {id}"),
            None => write!(f, "{name} "),
        }
    }
}
