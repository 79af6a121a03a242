//! Jobs: adding an application with its job, changing it, testing its connection.

use directory::DirectoryError;
use jiff::Timestamp;
use mapping::{ObjectMapping, ObjectType};
use serde::Deserialize;
use serde_json::{Value, json};
use store::applications::RoleRecord;
use store::audit::{AuditRecord, insert_audit};
use store::jobs::{self, JobRecord};
use store::{AppId, ReadTx, StoreError, WriteTx};

use crate::configuration::{BadConfiguration, ConfigurationStep};
use crate::discovery::{Discovered, Discovery};
use crate::engine::{Engine, read_settings};
use crate::gallery::{Dialect, Template};
use crate::mapping_versions::{self, SchemaBase};
use crate::scope::ScopeSetting;
use crate::secret::CannotDecrypt;
use crate::settings::{BadSettings, JobSettings, JobStatus};
use crate::surroundings::check_groups;
use crate::target::{ConnectionProblem, TenantUrl, Untold, discover, test_connection};
use crate::target_path::TargetPath;
use crate::validation::Installation;
use crate::view::JobView;

/// Longest secret token in bytes.
const TOKEN_BYTES_MAX: usize = 8192;
/// Times a change is made anew because somebody else has changed the job meanwhile.
const CHANGE_ATTEMPTS_MAX: u32 = 5;

/// Why a use case of a job failed. One sentence with the cure.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// There is no such job.
    #[error("no application has that id")]
    NotFound,
    /// A cycle of the job is running.
    #[error("a cycle of this application is running already; wait for it to end")]
    Busy,
    /// The program is ending.
    #[error("the cycle was stopped with the program; the next one goes on where it stood")]
    Stopped,
    /// The lease was lost while the cycle ran: to another machine, or because the job has another target now.
    #[error(
        "the Tenant URL was changed, or another machine took the job over; this cycle stopped, and the next one goes on with the job as it is now"
    )]
    LeaseLost,
    /// Others changed the job each time this change was to be written.
    #[error("others are changing this job at the same time; look at its settings and change it again")]
    Changed,
    /// Somebody changed the job after the difference was made that this change was decided by.
    #[error("somebody changed this job meanwhile; nothing was done, look at the difference again")]
    ChangedMeanwhile,
    /// The job would be at another server, for which the stored token was not given.
    #[error(
        "the Tenant URL leads to another server, which needs a secret token of its own: the stored one is not sent there"
    )]
    TokenNeeded,
    /// The settings are wrong.
    #[error("{0}")]
    Settings(#[from] BadSettings),
    /// A file says of a job what cannot be.
    #[error("{0}")]
    Configuration(#[from] BadConfiguration),
    /// Something that was given is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The target cannot be worked with.
    #[error("{0}")]
    Connection(#[from] ConnectionProblem),
    /// The target tells nothing of its attributes.
    #[error("{0}")]
    Untold(#[from] Untold),
    /// The stored token cannot be read.
    #[error("{0}")]
    Secret(#[from] CannotDecrypt),
    /// The directory refused.
    #[error("{0}")]
    Directory(#[from] DirectoryError),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The lock folder cannot be used.
    #[error("the lock file of the job cannot be made: {0}")]
    Lock(#[from] std::io::Error),
}

/// A new application with its job.
#[derive(Clone, Debug, Default)]
pub struct NewJob {
    /// The gallery template, by name.
    pub template: String,
    /// The display name.
    pub name: String,
    /// The Tenant URL.
    pub tenant_url: String,
    /// The secret token.
    pub secret_token: String,
    /// App roles beside *Default Access*.
    pub roles: Vec<String>,
    /// Which objects are candidates; *assigned* unless given.
    pub scope: Option<ScopeSetting>,
    /// Seconds between cycles.
    pub interval_seconds: Option<u64>,
    /// How requests are written.
    pub dialect: Option<Dialect>,
    /// Whether *Default Access* counts for nothing.
    pub exclude_default_access: Option<bool>,
    /// Whether cycles run by themselves from now on.
    pub enabled: bool,
}

/// Changes to a job; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct JobChange {
    /// The display name.
    pub name: Option<String>,
    /// The Tenant URL.
    pub tenant_url: Option<String>,
    /// The secret token.
    pub secret_token: Option<String>,
    /// Which objects are candidates.
    pub scope: Option<ScopeSetting>,
    /// Seconds between cycles.
    pub interval_seconds: Option<u64>,
    /// How requests are written.
    pub dialect: Option<Dialect>,
    /// Whether *Default Access* counts for nothing.
    pub exclude_default_access: Option<bool>,
    /// Objects that are worked on at the same time.
    pub concurrency: Option<usize>,
    /// Seconds after which a request is given up.
    pub request_timeout_seconds: Option<u64>,
    /// Seconds before a create of unknown outcome may be sent again.
    pub settle_seconds: Option<u64>,
    /// The mappings, all of them.
    pub objects: Option<Vec<ObjectMapping>>,
    /// On or off.
    pub status: Option<JobStatus>,
    /// Begin again with an initial cycle; links stay.
    pub restart: bool,
    /// App roles that the application gets.
    pub add_roles: Vec<String>,
    /// App roles that it loses; nobody may be assigned with them.
    pub remove_roles: Vec<String>,
    /// What stands behind the mappings after the change.
    #[serde(skip)]
    pub schema: SchemaBase,
    /// What made the change, as the version of the mappings tells it.
    #[serde(skip)]
    pub reason: Option<String>,
    /// The latest version that the mappings must still have.
    #[serde(skip)]
    pub if_mapping_version: Option<i64>,
    /// Assignments that are made and ended, and the configuration that the job must still have.
    #[serde(skip)]
    pub configuration: Option<Box<ConfigurationStep>>,
}

impl JobChange {
    /// Whether who is in scope, or what accounts hold, may be another afterwards: then everything is looked at again.
    const fn needs_initial_cycle(&self) -> bool {
        self.restart
            || self.scope.is_some()
            || self.exclude_default_access.is_some()
            || self.objects.is_some()
            || self.tenant_url.is_some()
    }

    /// Whether the connection is tested before the change is kept.
    pub const fn needs_connection_test(&self) -> bool {
        self.tenant_url.is_some() || self.secret_token.is_some() || self.dialect.is_some()
    }

    /// Whether it must bring the secret token: the one that is stored was given for another server, and is not shown to a new one.
    fn lacks_token(&self, before: &JobSettings, after: &JobSettings) -> bool {
        self.secret_token.is_none() && TenantUrl::are_of_two_servers(&before.tenant_url, &after.tenant_url)
    }

    /// The change without mappings that the job has already: they are no reason to look at everything again, and not judged once more.
    pub(crate) fn without_same(&self, before: &JobSettings) -> Self {
        let objects = self.objects.clone().filter(|objects| *objects != before.objects);
        Self { objects, ..self.clone() }
    }

    /// Whether this is the way back to an earlier version, which was right once: groups that are gone since keep nobody from it.
    pub(crate) const fn goes_back(&self) -> bool {
        matches!(self.schema, SchemaBase::OfVersion(_))
    }

    /// Settings with the change made to them.
    pub(crate) fn applied(&self, before: &JobSettings) -> JobSettings {
        fn set<T: Clone>(slot: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                slot.clone_from(value);
            }
        }
        let mut settings = before.clone();
        set(&mut settings.tenant_url, self.tenant_url.as_ref());
        set(&mut settings.plain.scope, self.scope.as_ref());
        set(&mut settings.plain.interval_seconds, self.interval_seconds.as_ref());
        set(&mut settings.plain.dialect, self.dialect.as_ref());
        set(&mut settings.plain.exclude_default_access, self.exclude_default_access.as_ref());
        set(&mut settings.plain.concurrency, self.concurrency.as_ref());
        set(&mut settings.plain.request_timeout_seconds, self.request_timeout_seconds.as_ref());
        set(&mut settings.plain.settle_seconds, self.settle_seconds.as_ref());
        set(&mut settings.objects, self.objects.as_ref());
        settings
    }

    /// What is wrong with settings after the change. What was wrong before, as settings that an earlier version took may be, keeps nobody
    /// from changing something else, such as switching the job off.
    pub(crate) fn problems(
        &self,
        before: &JobSettings,
        after: &JobSettings,
        template: &Template,
        installation: Installation,
    ) -> Vec<String> {
        let Err(BadSettings(mut problems)) = after.check(template, installation) else { return Vec::new() };
        if self.objects.is_none()
            && let Err(BadSettings(old)) = before.check(template, installation)
        {
            problems.retain(|problem| !old.contains(problem));
        }
        problems
    }
}

impl Engine {
    /// Adds an application and its job, once its connection test succeeds; nothing is kept when anything fails.
    pub async fn add_job(&self, new: NewJob) -> Result<JobView, JobError> {
        let template =
            Template::by_name(&new.template).ok_or_else(|| JobError::Invalid(unknown_template(&new.template)))?;
        let settings = JobSettings::of(template, &new.tenant_url);
        let change = JobChange {
            scope: new.scope,
            interval_seconds: new.interval_seconds,
            dialect: new.dialect,
            exclude_default_access: new.exclude_default_access,
            ..JobChange::default()
        };
        let mut settings = change.applied(&settings);
        settings.check(template, self.installation())?;
        let token = checked_token(&new.secret_token)?;
        settings.discovered = self.test(&settings, template, &token).await?.discovered;
        self.insert(new, settings, &token, None).await
    }

    /// Keeps a new application with its job, all of it or nothing.
    pub(crate) async fn insert(
        &self,
        new: NewJob,
        settings: JobSettings,
        token: &str,
        step: Option<ConfigurationStep>,
    ) -> Result<JobView, JobError> {
        let app: AppId = self.new_id();
        let secret = self.0.key.encrypt(app, self.random(), token);
        let roles = self.roles(&new.roles);
        let (now, entry) = (self.now(), self.entry());
        let status = if new.enabled { JobStatus::On } else { JobStatus::Off };
        let text = settings_text(&settings)?;
        let (name, template_name) = (new.name.trim().to_owned(), new.template);
        self.store()
            .write(move |tx| {
                check_groups(tx, &[], &settings.objects)?;
                directory::add_application(tx, app, &name, &template_name, &roles, now)?;
                jobs::insert_job(tx, app, status.as_str(), &text, &secret, now)?;
                mapping_versions::begin(tx, app, &settings.objects, None, &entry)?;
                if let Some(step) = &step {
                    step.assign(tx, app, &entry)?;
                }
                let values: Vec<&String> = roles.iter().map(|role| &role.value).collect();
                let detail =
                    json!({ "id": app, "template": template_name, "tenantUrl": settings.tenant_url, "roles": values });
                entry.audit(tx, "Add service principal", &name, &detail).map_err(JobError::from)
            })
            .await?;
        self.job(app).await
    }

    /// Whether a change is refused with [`JobError::TokenNeeded`] as it is.
    pub async fn lacks_token(&self, app: AppId, change: &JobChange) -> Result<bool, JobError> {
        let (_, _, before) = self.load(app).await?;
        Ok(change.lacks_token(&before, &change.applied(&before)))
    }

    /// Changes a job. A new address or token must pass the connection test first, and the address of another server comes with its
    /// token. Where somebody else changes the job meanwhile, the change is made anew to what that left.
    pub async fn change_job(&self, app: AppId, change: JobChange) -> Result<JobView, JobError> {
        if change.status == Some(JobStatus::Quarantine) {
            return Err(JobError::Invalid(
                "the status is set to on or off; quarantine is found out by cycles".to_owned(),
            ));
        }
        for _ in 0..CHANGE_ATTEMPTS_MAX {
            if self.try_change(app, &change).await? {
                return self.job(app).await;
            }
        }
        Err(JobError::Changed)
    }

    /// Changes a job as it is now; says whether it still was so when the change was to be written.
    async fn try_change(&self, app: AppId, change: &JobChange) -> Result<bool, JobError> {
        let (record, template, before) = self.load(app).await?;
        let change = change.without_same(&before);
        let mut settings = change.applied(&before);
        let problems = change.problems(&before, &settings, template, self.installation());
        if !problems.is_empty() {
            return Err(BadSettings(problems).into());
        }
        if change.lacks_token(&before, &settings) {
            return Err(JobError::TokenNeeded);
        }
        if change.objects.is_some() && !change.goes_back() {
            let (before, after) = (before.objects.clone(), settings.objects.clone());
            self.store().read(move |tx| check_groups(tx, &before, &after)).await?;
        }
        let moved = TenantUrl::are_of_two_targets(&before.tenant_url, &settings.tenant_url);
        let token = match &change.secret_token {
            Some(token) => checked_token(token)?,
            None => self.0.key.decrypt(app, &record.secret)?,
        };
        if change.needs_connection_test() {
            // Another target has told nothing yet.
            if moved {
                settings.discovered = Discovered::default();
            }
            match self.test(&settings, template, &token).await {
                Ok(discovery) => settings.discovered = discovery.discovered,
                // A target that has grown until it ignores filters was taken when it was small: cycles go on, and need its token.
                Err(JobError::Connection(ConnectionProblem::IgnoresFilters(_))) if !moved => {}
                Err(error) => return Err(error),
            }
        }
        let secret = self.0.key.encrypt(app, self.random(), &token);
        let (entry, roles) = (self.entry(), self.roles(&change.add_roles));
        let text = settings_text(&settings)?;
        let mut detail = told(&before, &settings, &change);
        self.store()
            .write(move |tx| {
                if let Some(step) = &change.configuration {
                    step.refuse_other(tx, app)?;
                }
                if !jobs::update_job(tx, app, &text, &secret, record.version)? {
                    return Ok(false);
                }
                if let Some(version) = mapping_versions::keep(tx, app, &before, &settings, &change, &entry)? {
                    detail["mappingVersion"] = json!({ "number": version.number, "reason": version.reason });
                }
                // Another address is another set of objects: an id of the old one means nothing, or another person, there. A
                // cycle that is running with the old one must not write down any more of them.
                if moved {
                    jobs::forget_target(tx, app)?;
                }
                write_change(tx, app, &change, &roles, &entry)?;
                let name = directory::application(tx, app)?.name;
                entry.audit(tx, "Update provisioning setting or credentials", &name, &detail)?;
                Ok(true)
            })
            .await
    }

    /// Removes an application, its job and its links. Accounts at the target stay as they are.
    pub async fn remove_job(&self, app: AppId) -> Result<(), JobError> {
        let _lock = self.locks().take(app)?.ok_or(JobError::Busy)?;
        let entry = self.entry();
        self.store()
            .write(move |tx| {
                let name = directory::application(tx, app)?.name;
                jobs::delete_traces(tx, app)?;
                directory::remove_application(tx, app)?;
                entry.audit(tx, "Remove service principal", &name, &json!({ "id": app })).map_err(JobError::from)
            })
            .await
    }

    /// Tests the connection of a job. Where its template discovers attributes, what the target tells is kept.
    pub async fn test_connection(&self, app: AppId) -> Result<Discovery, JobError> {
        let (record, template, settings) = self.load(app).await?;
        let token = self.0.key.decrypt(app, &record.secret)?;
        let discovery = self.test(&settings, template, &token).await?;
        self.keep(&record, settings, &discovery).await?;
        Ok(discovery)
    }

    /// Reads the attributes of a job's target, whatever its template, and keeps those that are not known yet.
    pub async fn discover(&self, app: AppId) -> Result<Discovery, JobError> {
        let (record, _, settings) = self.load(app).await?;
        let target = self.target_of(&record, &settings)?;
        let mut discovered = settings.discovered.clone();
        let added = discovered.learn(discover(&target, settings.request_timeout()).await?);
        let discovery = Discovery::of(discovered, added, &settings.objects);
        self.keep(&record, settings, &discovery).await?;
        Ok(discovery)
    }

    /// Keeps what was discovered, unless somebody has changed the job since: the next discovery finds it again.
    pub(crate) async fn keep(
        &self,
        record: &JobRecord,
        mut settings: JobSettings,
        discovery: &Discovery,
    ) -> Result<(), JobError> {
        if discovery.discovered == settings.discovered {
            return Ok(());
        }
        settings.discovered = discovery.discovered.clone();
        let (app, version, text) = (record.app, record.version, settings_text(&settings)?);
        self.store().write(move |tx| jobs::note_settings(tx, app, &text, version).map_err(JobError::from)).await?;
        Ok(())
    }

    pub(crate) async fn test(
        &self,
        settings: &JobSettings,
        template: &Template,
        token: &str,
    ) -> Result<Discovery, JobError> {
        let target = self.target(settings, token)?;
        let nonce = store::version_7(self.now(), self.random()).to_string();
        let plans = settings.objects.iter().filter(|object| object.enabled).map(|object| settings.plan(object));
        let plans = plans.collect::<Result<Vec<_>, _>>().map_err(|error| JobError::Invalid(error.to_string()))?;
        let matching: Vec<(ObjectType, &TargetPath)> =
            plans.iter().filter_map(|plan| Some((plan.object(), plan.first_matching()?))).collect();
        let patience = settings.request_timeout();
        test_connection(&target, &matching, &nonce, patience).await?;
        let mut discovered = settings.discovered.clone();
        // A target without `/Schemas` can be worked with all the same.
        let mut told = discover(&target, patience).await.unwrap_or_default();
        if !template.discovery {
            (told.users, told.groups) = (Vec::new(), Vec::new());
        }
        let added = discovered.learn(told);
        Ok(Discovery::of(discovered, added, &settings.objects))
    }

    pub(crate) fn roles(&self, values: &[String]) -> Vec<RoleRecord> {
        let role = |value: &String| RoleRecord { id: self.new_id(), value: value.clone(), display_name: value.clone() };
        values.iter().map(role).collect()
    }

    pub(crate) fn entry(&self) -> Entry {
        Entry { id: self.new_id(), at: self.now(), actor: self.0.actor.clone() }
    }

    pub(crate) async fn load(&self, app: AppId) -> Result<(JobRecord, &'static Template, JobSettings), JobError> {
        let read = self.store().read(move |tx| {
            Ok::<_, StoreError>((jobs::job_by_app(tx, app)?, store::applications::app_by_id(tx, app)?))
        });
        let (Some(record), Some(application)) = read.await? else { return Err(JobError::NotFound) };
        let (template, settings) = read_settings(&record, &application.template)?;
        Ok((record, template, settings))
    }
}

fn unknown_template(name: &str) -> String {
    let names: Vec<&str> = Template::all().iter().map(|template| template.name.as_str()).collect();
    format!("no gallery template is named {name:?}; there are {}", names.join(", "))
}

pub(crate) fn checked_token(token: &str) -> Result<String, JobError> {
    let token = token.trim();
    if token.is_empty()
        || token.len() > TOKEN_BYTES_MAX
        || token.chars().any(|character| character.is_whitespace() || character.is_control())
    {
        return Err(JobError::Invalid(format!(
            "the secret token must be one word of at most {TOKEN_BYTES_MAX} bytes; copy it again"
        )));
    }
    Ok(token.to_owned())
}

pub(crate) fn settings_text(settings: &JobSettings) -> Result<String, JobError> {
    serde_json::to_string(settings).map_err(|error| JobError::Invalid(error.to_string()))
}

/// Whether an application's job leaves out whoever has no role there but *Default Access*.
pub fn leaves_out_default_access(tx: &mut ReadTx<'_>, app: AppId) -> Result<bool, JobError> {
    let Some(record) = jobs::job_by_app(tx, app)? else { return Ok(false) };
    let (_, settings) = read_settings(&record, &directory::application(tx, app)?.template)?;
    Ok(settings.plain.exclude_default_access && settings.plain.scope == ScopeSetting::Assigned)
}

fn write_change(
    tx: &mut WriteTx<'_>,
    app: AppId,
    change: &JobChange,
    roles: &[RoleRecord],
    entry: &Entry,
) -> Result<(), JobError> {
    let now = entry.at;
    if let Some(name) = &change.name {
        directory::rename_application(tx, app, name, now)?;
    }
    for role in roles {
        directory::add_app_role(tx, app, role)?;
    }
    if let Some(step) = &change.configuration {
        step.assign(tx, app, entry)?;
    }
    for role in &change.remove_roles {
        directory::remove_app_role(tx, app, role)?;
    }
    if let Some(status) = change.status {
        jobs::set_status(tx, app, status.as_str())?;
        jobs::set_next_run(tx, app, now)?;
    }
    let job = jobs::job_by_app(tx, app)?.filter(|job| change.needs_connection_test() && job.quarantine.is_some());
    if let Some(job) = job {
        jobs::set_quarantine(tx, app, None, job.version)?;
        jobs::set_next_run(tx, app, now)?;
    }
    if change.needs_initial_cycle() {
        jobs::restart(tx, app, now)?;
    }
    Ok(())
}

/// What the audit log says of a change: the settings that are others now, by name, and what may be read of their values.
fn told(before: &JobSettings, after: &JobSettings, change: &JobChange) -> Value {
    let mut detail = json!({});
    let plain = before.plain.members().into_iter().zip(after.plain.members());
    let plain = plain.map(|(before, after)| (before.0, before != after));
    let others = [
        ("mappings", before.objects != after.objects),
        // Whether it is another token is nobody's business who reads the log.
        ("secretToken", change.secret_token.is_some()),
        ("restart", change.restart),
    ];
    let mut names: Vec<&str> = plain.chain(others).filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
    if before.tenant_url != after.tenant_url {
        names.push("tenantUrl");
        detail["tenantUrl"] = json!({ "old": before.tenant_url, "new": after.tenant_url });
    }
    let words = [
        ("name", change.name.as_ref().map(|name| json!(name))),
        ("status", change.status.map(|status| json!(status))),
        ("addRoles", (!change.add_roles.is_empty()).then(|| json!(change.add_roles))),
        ("removeRoles", (!change.remove_roles.is_empty()).then(|| json!(change.remove_roles))),
    ];
    for (name, value) in words.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        names.push(name);
        detail[name] = value;
    }
    detail["settings"] = json!(names);
    detail
}

/// What every record in the audit log says beside the change.
pub(crate) struct Entry {
    pub(crate) id: store::LogId,
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
}

impl Entry {
    pub(crate) fn audit(
        &self,
        tx: &mut WriteTx<'_>,
        activity: &str,
        target: &str,
        detail: &Value,
    ) -> Result<(), StoreError> {
        let record = AuditRecord {
            id: self.id,
            at: self.at,
            actor: self.actor.clone(),
            activity: activity.to_owned(),
            target: target.to_owned(),
            detail: detail.to_string(),
        };
        insert_audit(tx, &record)
    }
}
