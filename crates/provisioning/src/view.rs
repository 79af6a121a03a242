//! What is shown of jobs and logs: status, counts, the last cycles.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::links::{LinkState, count_escrows, count_kept_links, count_links};
use store::logs::{LogRecord, logs_before, logs_of_source};
use store::{AppId, LogId, ObjectId, ObjectKind, ReadTx, StoreError, jobs, references};

use crate::engine::Engine;
use crate::gallery::Dialect;
use crate::job::JobError;
use crate::outlook::Outlook;
use crate::scope::ScopeSetting;
use crate::settings::JobStatus;

/// Accounts of one type by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectCounts {
    /// Managed.
    pub linked: u64,
    /// No longer managed: switched off, or left as they were.
    pub released: u64,
    /// With a write of unknown outcome.
    pub open: u64,
    /// Of all these, the ones of objects that are out of scope: nothing switches them off or removes them, as of the last look.
    pub not_switched_off: u64,
}

/// One cycle.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CycleView {
    /// Its id.
    pub id: String,
    /// `initial` or `incremental`.
    pub cycle: String,
    /// `running`, `succeeded`, `entryLevelErrors`, `failed` or, where its process was stopped or died, `interrupted`.
    pub state: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What it did.
    pub counts: Value,
}

impl CycleView {
    /// Nobody runs a cycle whose lease has ended, also where nobody has noted that yet.
    fn shown(mut self, running: bool) -> Self {
        if self.state == "running" && !running {
            "interrupted".clone_into(&mut self.state);
        }
        self
    }
}

/// A job as it is shown. Its token never is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    /// The application.
    pub app: AppId,
    /// Its display name.
    pub name: String,
    /// The gallery template.
    pub template: &'static str,
    /// The template's title.
    pub title: &'static str,
    /// Whether it runs.
    pub status: JobStatus,
    /// Whether a cycle is running now.
    pub running: bool,
    /// The Tenant URL.
    pub tenant_url: String,
    /// Which objects are candidates.
    pub scope: ScopeSetting,
    /// How requests are written.
    pub dialect: Dialect,
    /// Seconds between cycles.
    pub interval_seconds: u64,
    /// Whether *Default Access* counts for nothing.
    pub exclude_default_access: bool,
    /// Objects worked on at the same time.
    pub concurrency: usize,
    /// Seconds after which a request without answer is given up.
    pub request_timeout_seconds: u64,
    /// Attributes that the target has told of.
    pub discovered: usize,
    /// Seconds that must pass before a create of unknown outcome may be sent again.
    pub settle_seconds: u64,
    /// Whether the initial cycle is complete.
    pub initial_done: bool,
    /// When the next cycle is due, where cycles run by themselves.
    pub next_run: Option<Timestamp>,
    /// Users at the target.
    pub users: ObjectCounts,
    /// Groups at the target.
    pub groups: ObjectCounts,
    /// Failures that wait for another attempt.
    pub escrows: u64,
    /// References that wait for their other end.
    pub pending_references: u64,
    /// Why the job is in quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// What is wrong with the settings, each in one sentence: nothing of them can be saved before that is mended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What an administrator should know about the mappings, each in one sentence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The last cycle.
    pub last_cycle: Option<CycleView>,
}

/// A record of the provisioning log.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogView {
    /// Its id.
    pub id: LogId,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub action: String,
    /// How it ended.
    pub status: String,
    /// The source object's name.
    pub object: String,
    /// The whole record: steps, modified properties, error.
    pub record: Value,
}

/// Which records of the provisioning log are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogFilter {
    /// Only those of this source object.
    pub source: Option<ObjectId>,
    /// Only those that ended so.
    pub status: Option<&'static str>,
}

/// Records of the provisioning log, newest first.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// Those that are wanted, of the ones that were looked at.
    pub records: Vec<LogView>,
    /// Before which record the log goes on, if it does.
    pub next: Option<LogId>,
}

impl Engine {
    /// A job with its counts.
    pub async fn job(&self, app: AppId) -> Result<JobView, JobError> {
        let (record, template, settings) = self.load(app).await?;
        let facts = self
            .store()
            .scan(move |tx| Ok::<_, JobError>((directory::application(tx, app)?.name, Facts::read(tx, app)?)));
        let (name, facts) = facts.await?;
        let status = JobStatus::of(&record);
        let outlook = Outlook::of(&settings, template, self.installation());
        let running = record.lease_until.is_some_and(|until| until > self.now());
        Ok(JobView {
            app,
            name,
            template: &template.name,
            title: &template.title,
            problems: outlook.problems,
            warnings: outlook.warnings,
            status,
            running,
            dialect: settings.effective_dialect(),
            tenant_url: settings.tenant_url,
            scope: settings.plain.scope,
            interval_seconds: settings.plain.interval_seconds,
            exclude_default_access: settings.plain.exclude_default_access,
            concurrency: settings.plain.concurrency,
            request_timeout_seconds: settings.plain.request_timeout_seconds,
            discovered: settings.discovered.count(),
            settle_seconds: settings.plain.settle_seconds,
            initial_done: record.watermark.is_some(),
            next_run: (status != JobStatus::Off).then_some(record.next_run),
            users: facts.users,
            groups: facts.groups,
            escrows: facts.escrows,
            pending_references: facts.pending_references,
            quarantine: record.quarantine.map(|quarantine| quarantine.reason),
            last_cycle: facts.last_cycle.map(|cycle| cycle.shown(running)),
        })
    }

    /// All jobs by name.
    pub async fn jobs(&self) -> Result<Vec<JobView>, JobError> {
        let apps = self.store().read(directory::applications).await?;
        let mut jobs = Vec::new();
        for app in apps {
            match self.job(app.id).await {
                Ok(job) => jobs.push(job),
                // An application without a job has nothing to show here.
                Err(JobError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(jobs)
    }

    /// The job's mappings as they are stored.
    pub async fn mappings(&self, app: AppId) -> Result<Vec<mapping::ObjectMapping>, JobError> {
        Ok(self.load(app).await?.2.objects)
    }

    /// Looks at so many records of an application's provisioning log, older than `before` (or the newest), and gives those
    /// that are wanted, newest first.
    pub async fn logs(
        &self,
        app: AppId,
        wanted: LogFilter,
        before: Option<LogId>,
        looks: u32,
    ) -> Result<LogPage, JobError> {
        let records = self.store().scan(move |tx| match wanted.source {
            Some(source) => logs_of_source(tx, app, source, before, looks),
            None => logs_before(tx, app, before, looks),
        });
        let records = records.await?;
        let is_last = records.len() < looks as usize;
        let next = records.last().filter(|_| !is_last).map(|record| record.id);
        let of_status = |record: &LogRecord| wanted.status.is_none_or(|status| record.status == status);
        Ok(LogPage { records: records.into_iter().filter(of_status).map(log_view).collect(), next })
    }
}

fn log_view(record: LogRecord) -> LogView {
    LogView {
        id: record.id,
        at: record.at,
        action: record.action,
        status: record.status,
        object: record.label,
        record: serde_json::from_str(&record.doc).unwrap_or(Value::Null),
    }
}

struct Facts {
    users: ObjectCounts,
    groups: ObjectCounts,
    escrows: u64,
    pending_references: u64,
    last_cycle: Option<CycleView>,
}

impl Facts {
    fn read(tx: &mut ReadTx<'_>, app: AppId) -> Result<Self, StoreError> {
        let last = jobs::cycles(tx, app, 1)?.into_iter().next();
        Ok(Self {
            users: counts(tx, app, ObjectKind::User)?,
            groups: counts(tx, app, ObjectKind::Group)?,
            escrows: count_escrows(tx, app)?,
            pending_references: references::count(tx, app)?,
            last_cycle: last.map(|cycle| CycleView {
                id: cycle.id.to_string(),
                cycle: cycle.kind,
                state: cycle.state,
                started: cycle.started,
                ended: cycle.ended,
                counts: serde_json::from_str(&cycle.counts).unwrap_or(Value::Null),
            }),
        })
    }
}

fn counts(tx: &mut ReadTx<'_>, app: AppId, kind: ObjectKind) -> Result<ObjectCounts, StoreError> {
    let not_switched_off = count_kept_links(tx, app, kind)?;
    let mut counts = ObjectCounts { not_switched_off, ..ObjectCounts::default() };
    for (state, number) in count_links(tx, app, kind)? {
        match state {
            LinkState::Linked => counts.linked += number,
            LinkState::Released | LinkState::LeftAlone | LinkState::LeftActive => counts.released += number,
            LinkState::Creating | LinkState::Verify | LinkState::Deleting => counts.open += number,
        }
    }
    Ok(counts)
}
