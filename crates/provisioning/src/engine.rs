//! The engine: what every use case of the service needs, and the scheduler that runs jobs when they are due.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use store::jobs::JobRecord;
use store::{AppId, Store};

use crate::gallery::Template;
use crate::job::JobError;
use crate::lock::JobLocks;
use crate::secret::MasterKey;
use crate::settings::JobSettings;
use crate::target::{HttpTransport, OutboundPolicy, Target, TenantUrl, Transport, Trust};
use crate::validation::Installation;

/// How often the scheduler looks for due jobs.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Jobs that run at the same time.
const JOBS_MAX: u32 = 16;

/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What an engine is made of. Time and randomness are handed in, so that tests are repeatable.
#[derive(Clone)]
pub struct EngineParts {
    /// The data.
    pub store: Store,
    /// The key of stored secrets.
    pub key: MasterKey,
    /// Where targets may be.
    pub policy: OutboundPolicy,
    /// Which certificate authorities are trusted.
    pub trust: Trust,
    /// Tells the time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Fills a buffer with random bytes.
    pub random: Random,
    /// The folder of lock files.
    pub lock_folder: PathBuf,
    /// The id of this data folder: whose leases may be taken over when their process is gone.
    pub instance: String,
    /// Who changes configuration, as the audit log names them.
    pub actor: String,
    /// The organisation's default domain, which `DefaultDomain` gives.
    pub default_domain: Option<String>,
}

/// The provisioning service; cheap to clone.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<EngineParts>, Option<Connect>, Arc<AtomicBool>);

/// Makes the transport to a target from its address and token.
pub type Connect = Arc<dyn Fn(&TenantUrl, &str) -> Arc<dyn Transport> + Send + Sync>;

impl Engine {
    /// An engine of these parts.
    pub fn new(parts: EngineParts) -> Self {
        Self(Arc::new(parts), None, Arc::new(AtomicBool::new(false)))
    }

    /// The same engine over another transport than HTTP: how tests give it a target of their own.
    #[must_use]
    pub fn over(self, connect: Connect) -> Self {
        Self(self.0, Some(connect), self.2)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0.random)(&mut bytes);
        bytes
    }

    /// A new id.
    pub(crate) fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        store::version_7(self.now(), self.random()).into()
    }

    /// The organisation's default domain, which `DefaultDomain` gives.
    pub fn default_domain(&self) -> Option<&str> {
        self.0.default_domain.as_deref()
    }

    /// What mappings may use of this installation.
    pub(crate) fn installation(&self) -> Installation {
        Installation { has_default_domain: self.default_domain().is_some() }
    }

    pub(crate) fn locks(&self) -> JobLocks {
        JobLocks::new(self.0.lock_folder.clone())
    }

    /// A target by settings and token.
    pub(crate) fn target(&self, settings: &JobSettings, token: &str) -> Result<Target, JobError> {
        let url = settings
            .url()
            .map_err(|error| JobError::Settings(crate::settings::BadSettings(vec![error.to_string()])))?;
        let transport: Arc<dyn Transport> = if let Some(connect) = &self.1 {
            connect(&url, token)
        } else {
            let parts = &self.0;
            let http = HttpTransport::new(url, token, parts.policy, &parts.trust, settings.request_timeout());
            Arc::new(http.map_err(JobError::Invalid)?)
        };
        Ok(Target::new(transport, settings.effective_dialect()))
    }

    /// The target of a stored job.
    pub(crate) fn target_of(&self, record: &JobRecord, settings: &JobSettings) -> Result<Target, JobError> {
        let token = self.0.key.decrypt(record.app, &record.secret)?;
        self.target(settings, &token)
    }

    /// Whether cycles are to end after the objects they are working on.
    pub(crate) fn is_stopping(&self) -> bool {
        self.2.load(Ordering::Relaxed)
    }

    /// Lets running cycles end after the objects they are working on, and new ones not begin: [`JobError::Stopped`]. They go
    /// on where they stood when they run again.
    pub fn stop(&self) {
        self.2.store(true, Ordering::Relaxed);
    }

    /// Runs jobs when they are due, until `shutdown` is ready; then lets running cycles finish what they have begun. They go
    /// on where they stood when they run again.
    pub async fn scheduler(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut running = tokio::task::JoinSet::new();
        let mut names = std::collections::BTreeSet::new();
        loop {
            self.start_due(&mut running, &mut names).await;
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(Ok(app)) = running.join_next() => { names.remove(&app); },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        self.stop();
        while running.join_next().await.is_some() {}
    }

    async fn start_due(
        &self,
        running: &mut tokio::task::JoinSet<AppId>,
        names: &mut std::collections::BTreeSet<AppId>,
    ) {
        let now = self.now();
        let due = match self.store().read(move |tx| store::jobs::due_jobs(tx, now, JOBS_MAX)).await {
            Ok(due) => due,
            Err(error) => return tracing::error!("The scheduler cannot read due jobs: {error}"),
        };
        for app in due {
            if names.len() >= JOBS_MAX as usize || !names.insert(app) {
                continue;
            }
            running.spawn(self.clone().run_due(app));
        }
    }

    /// Runs a job that is due. One whose cycle could not begin may be due still: it is not run again at once.
    async fn run_due(self, app: AppId) -> AppId {
        let mut cycle = tokio::task::JoinSet::new();
        let engine = self.clone();
        // A task of its own, so that a panic is this job's alone.
        cycle.spawn(async move { engine.run_cycle(app, Arc::new(|_| {})).await });
        match cycle.join_next().await {
            Some(Ok(Ok(report))) => tracing::info!(app = %app, "A cycle ended: {report}"),
            Some(Ok(Err(JobError::Stopped))) | None => {}
            Some(Ok(Err(error))) => {
                if !matches!(error, JobError::Busy) {
                    tracing::warn!(app = %app, "A cycle failed: {error}");
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Some(Err(panic)) => {
                tracing::error!(app = %app, "A cycle broke off: {panic}");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        app
    }
}

/// Template and settings of a stored job.
pub(crate) fn read_settings(record: &JobRecord, template: &str) -> Result<(&'static Template, JobSettings), JobError> {
    let template = Template::by_name(template)
        .ok_or_else(|| JobError::Invalid(format!("no gallery template is named {template}")))?;
    let settings = serde_json::from_str(&record.settings)
        .map_err(|error| JobError::Invalid(format!("the stored settings of the job cannot be read: {error}")))?;
    Ok((template, settings))
}
