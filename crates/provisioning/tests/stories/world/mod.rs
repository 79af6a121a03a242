//! A world for a story: a fresh database, an engine whose time and chance are given, applications in memory, and the
//! people of HR who change the directory.

mod hr;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use provisioning::target::Transport;
use provisioning::{
    Connect, CycleReport, Engine, EngineParts, JobChange, JobError, LogFilter, LogView, MasterKey, NewJob,
    OutboundPolicy, Predicted, ScopeSetting, TenantUrl, Trust,
};
use store::testing::databases;
use store::{AppId, Store, StoreError};

use crate::fake_target::{FakeTarget, Nature};

/// Cycles after which a job that still has something to do will never have nothing to do.
const CYCLES_MAX: u32 = 10;
/// When every story begins.
const BEGINNING: &str = "2026-03-02T08:00:00Z";

/// How many worlds there have been: each has a folder of its own for its locks.
static WORLDS: AtomicU64 = AtomicU64::new(0);

/// A clock that stands still unless it is told to move.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<Timestamp>>);

impl Clock {
    /// A clock at the beginning of every story.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(BEGINNING.parse().expect("it is a timestamp"))))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().expect("no test panics while it holds the lock")
    }

    /// Moves on.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().expect("no test panics while it holds the lock");
        *now = now.checked_add(by).expect("stories do not last for millennia");
    }
}

/// Bytes that look random and are the same in every run.
pub struct Chance(AtomicU64);

impl Chance {
    /// The bytes of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number (SplitMix64).
    pub fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound that is not zero.
    pub fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether something that happens in `percent` of all cases happens.
    pub fn happens(&self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The world of a story.
pub struct World {
    /// The data.
    pub store: Store,
    /// Tells the time to all.
    pub clock: Clock,
    /// The organisation's default domain.
    pub default_domain: Option<String>,
    chance: Arc<Chance>,
    folder: PathBuf,
    trust: Trust,
    targets: Arc<Mutex<BTreeMap<String, FakeTarget>>>,
}

impl World {
    /// A world over a store.
    pub fn new(store: Store, seed: u64) -> Self {
        let chance = Chance::new(seed);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lockstep-locks-{}-{number}", std::process::id()));
        let trust = Trust::new(None).expect("this machine has certificate authorities");
        Self {
            store,
            clock: Clock::new(),
            default_domain: None,
            chance: Arc::new(chance),
            folder,
            trust,
            targets: Arc::default(),
        }
    }

    /// The engine, as it is after every start of the program.
    pub fn engine(&self) -> Engine {
        let (clock, chance, targets) = (self.clock.clone(), Arc::clone(&self.chance), Arc::clone(&self.targets));
        let parts = EngineParts {
            store: self.store.clone(),
            key: MasterKey::new([7; 32]),
            policy: OutboundPolicy::default(),
            trust: self.trust.clone(),
            clock: Arc::new(move || clock.now()),
            random: Arc::new(move |bytes| bytes.iter_mut().for_each(|byte| *byte = chance.next().to_be_bytes()[0])),
            lock_folder: self.folder.clone(),
            instance: "world".to_owned(),
            actor: "story".to_owned(),
            default_domain: self.default_domain.clone(),
        };
        let connect: Connect = Arc::new(move |url: &TenantUrl, _| {
            let targets = targets.lock().expect("no test panics while it holds the lock");
            let target = targets.get(&url.to_string()).expect("the story has made this application").clone();
            Arc::new(target) as Arc<dyn Transport>
        });
        Engine::new(parts).over(connect)
    }

    /// Makes an application in memory; gives it and its Tenant URL.
    pub fn target(&self, name: &str, nature: Nature) -> (FakeTarget, String) {
        let url = format!("https://{name}.example.com/scim");
        let target = FakeTarget::new(nature, self.clock.clone());
        self.targets.lock().expect("no test panics while it holds the lock").insert(url.clone(), target.clone());
        (target, url)
    }

    /// Adds an application and its job from a template, one object at a time so that its requests come in order.
    pub async fn job(&self, template: &str, nature: Nature) -> Job<'_> {
        self.job_named(template, template, nature, None).await
    }

    /// The same under a name of its own.
    pub async fn job_named(&self, name: &str, template: &str, nature: Nature, scope: Option<ScopeSetting>) -> Job<'_> {
        let (target, url) = self.target(name, nature);
        let new = NewJob {
            template: template.to_owned(),
            name: name.to_owned(),
            tenant_url: url,
            secret_token: "secret".to_owned(),
            roles: vec!["Member".to_owned()],
            scope,
            enabled: true,
            ..NewJob::default()
        };
        let view = self.engine().add_job(new).await.expect("the application passes its connection test");
        let job = Job { world: self, app: view.app, target };
        job.change(JobChange { concurrency: Some(1), ..JobChange::default() }).await;
        job.target.take_requests();
        job
    }

    /// Has a file stand where the lock files go.
    pub fn lock_folder_is_unusable(&self) {
        drop(std::fs::remove_dir_all(&self.folder));
        std::fs::write(&self.folder, "").expect("the folder of temporary files can be written");
    }

    /// Lets what a dead cycle left come to its end: its tasks wind down, the writes that it had begun are committed.
    pub async fn comes_to_rest(&self) {
        for _ in 0..3 {
            tokio::task::yield_now().await;
            self.store.write(|_| Ok::<_, StoreError>(())).await.expect("the store is there");
        }
    }

    /// A new id.
    pub fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.clock.advance(SignedDuration::from_millis(1));
        let mut random = [0; 10];
        for byte in &mut random {
            *byte = self.chance.next().to_be_bytes()[0];
        }
        store::version_7(self.clock.now(), random).into()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder).or_else(|_| std::fs::remove_file(&self.folder)));
    }
}

/// A job of a world.
pub struct Job<'w> {
    /// Where.
    pub world: &'w World,
    /// Its application in the directory.
    pub app: AppId,
    /// Its application in memory.
    pub target: FakeTarget,
}

impl Job<'_> {
    /// Changes the job.
    pub async fn change(&self, change: JobChange) {
        self.world.engine().change_job(self.app, change).await.expect("the change is allowed");
    }

    /// Gives the job the address and the token of another target.
    pub async fn moves_to(&self, url: String) {
        let secret_token = Some("another".to_owned());
        self.change(JobChange { tenant_url: Some(url), secret_token, ..JobChange::default() }).await;
    }

    /// Changes the settings' mappings.
    pub async fn map(&self, change: impl FnOnce(&mut Vec<mapping::ObjectMapping>)) {
        let mut objects = self.world.engine().mappings(self.app).await.expect("the job is there");
        change(&mut objects);
        self.change(JobChange { objects: Some(objects), ..JobChange::default() }).await;
    }

    /// Adds a mapping of users in the layout of data files, in place of one with the same target.
    pub async fn map_user(&self, mapping: serde_json::Value) {
        self.map(|objects| {
            let mapping: mapping::AttributeMapping = serde_json::from_value(mapping).expect("it is a mapping");
            objects[0].attributes.retain(|other| other.target != mapping.target);
            objects[0].attributes.push(mapping);
        })
        .await;
    }

    /// Sets the attribute list of users, in the layout of data files.
    pub async fn list_attributes(&self, entries: serde_json::Value) {
        let entries: Vec<mapping::schema::AttributeDefinition> =
            serde_json::from_value(entries).expect("it is an attribute list");
        self.map(|objects| objects[0].target_attributes = entries).await;
    }

    /// One cycle, which must not fail.
    pub async fn cycle(&self) -> CycleReport {
        self.try_cycle().await.expect("the cycle ends well")
    }

    /// One cycle.
    pub async fn try_cycle(&self) -> Result<CycleReport, JobError> {
        self.world.engine().run_cycle(self.app, Arc::new(|_| {})).await
    }

    /// Cycles until one sends nothing; gives the first one's report.
    pub async fn until_calm(&self) -> CycleReport {
        let first = self.cycle().await;
        for _ in 0..CYCLES_MAX {
            if self.cycle().await.requests == 0 {
                return first;
            }
        }
        panic!("the job has something to do for ever: {:?}", self.target.take_requests());
    }

    /// What a cycle would send.
    pub async fn plan(&self) -> Vec<Predicted> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let sink = Box::new(move |one| sink.lock().expect("no test panics while it holds the lock").push(one));
        self.world.engine().plan(self.app, sink).await.expect("the plan can be made");
        let mut seen = seen.lock().expect("no test panics while it holds the lock");
        std::mem::take(&mut *seen)
    }

    /// The provisioning log, oldest record first.
    pub async fn logs(&self) -> Vec<LogView> {
        let page = self.world.engine().logs(self.app, LogFilter::default(), None, 1000).await;
        let mut logs = page.expect("the log can be read").records;
        logs.reverse();
        logs
    }

    /// The log in short: action, status, object, and the error where there is one.
    pub async fn log_lines(&self) -> Vec<String> {
        let line = |log: &LogView| {
            let error = &log.record["provisioningStatusInfo"]["errorInformation"]["errorCode"];
            let error = error.as_str().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{} {} {}{error}", log.action, log.object, log.status)
        };
        self.logs().await.iter().map(line).collect()
    }
}

/// What was sent, a line each: method, path, body.
pub fn lines(requests: &[crate::fake_target::Recorded]) -> String {
    let line = |one: &crate::fake_target::Recorded| {
        let body = one.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
        format!("{} {}{body}", one.method, one.path)
    };
    requests.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Tells a story on a fresh database of each kind there is, in time that passes at once where it is waited for.
pub fn on_both<F, Told>(story: F)
where
    F: Fn(Arc<World>) -> Told,
    Told: Future<Output = ()>,
{
    insta::allow_duplicates! {
        for database in databases() {
            let world = Arc::new(World::new(database.open(), 1));
            in_virtual_time(&world.store.clone(), story(world));
        }
    }
}

/// Runs something where waits pass at once, but for what the database takes: its threads know nothing of virtual time, and a lease
/// would end while it is being renewed.
pub fn in_virtual_time<T>(store: &Store, told: impl Future<Output = T>) -> T {
    let store = store.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .on_thread_park(move || {
            while store.under_way() > 0 {
                std::thread::yield_now();
            }
        })
        .build()
        .expect("a runtime starts");
    runtime.block_on(told)
}
