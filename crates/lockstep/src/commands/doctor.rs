//! `doctor`: looks for problems before they are met.

use mapping::counted;
use provisioning::{Engine, JobView};
use serde::Serialize;
use store::{SCHEMA_VERSION, StoreError, audit, jobs, settings};

use super::status::unserved;
use crate::config::FILE_NAME;
use crate::outcome::Outcome;
use crate::output::{Output, moment};
use crate::world::{World, now};

/// How far ahead of the clock stored moments may be, in seconds: machines that share a database differ a little.
const CLOCK_AHEAD_SECONDS: i64 = 300;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Problem,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    state: State,
    message: String,
}

#[derive(Debug, Default)]
struct Checks(Vec<Finding>);

impl Checks {
    fn add(&mut self, check: impl Into<String>, state: State, message: impl Into<String>) {
        self.0.push(Finding { check: check.into(), state, message: message.into() });
    }

    /// A check that is well where there is nothing to tell.
    fn well_unless(&mut self, check: impl Into<String>, state: State, told: &[String], well: &str) {
        let (state, message) = if told.is_empty() { (State::Ok, well.to_owned()) } else { (state, told.join("; ")) };
        self.add(check, state, message);
    }
}

/// Carries out `doctor`.
pub async fn run(connections: bool, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let mut checks = Checks::default();
    folder(&mut checks, world);
    database(&mut checks, world).await?;
    clock(&mut checks, world).await?;
    let engine = world.engine()?;
    let jobs = engine.jobs().await?;
    let (state, told) = match unserved(&jobs, world)? {
        Some(told) => (State::Warning, told),
        None if world.folder().is_served()? => (State::Ok, "a server runs on this folder".to_owned()),
        None => (State::Ok, "no server runs on this folder".to_owned()),
    };
    checks.add("server", state, told);
    for job in &jobs {
        of_job(&mut checks, world, job).await?;
        if connections {
            connection(&mut checks, &engine, job, output).await;
        }
    }
    credentials(&mut checks, world).await?;
    let problems = checks.0.iter().filter(|check| check.state == State::Problem).count();
    if output.is_json() {
        output.json(&serde_json::json!({ "problems": problems, "checks": checks.0 }))?;
    } else {
        let shown = |state: State| match state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "PROBLEM",
        };
        let row = |check: &Finding| vec![shown(check.state).to_owned(), check.check.clone(), check.message.clone()];
        output.table(&["STATE", "CHECK", "FOUND"], checks.0.iter().map(row).collect(), "Nothing was checked")?;
    }
    Ok(if problems == 0 { Outcome::Done } else { Outcome::ProblemsFound })
}

fn folder(checks: &mut Checks, world: &World) {
    let folder = world.folder();
    let shown = folder.path().display();
    checks.well_unless(
        "data folder",
        State::Problem,
        &folder.open_to_others(),
        &format!("{shown} is its owner's alone"),
    );
    if let Some(told) = folder.open_password(FILE_NAME) {
        checks.add("configuration", State::Warning, told);
    }
}

async fn database(checks: &mut Checks, world: &World) -> anyhow::Result<()> {
    let version = world.store().version().await?;
    checks.add("database", State::Ok, format!("{version}, schema version {SCHEMA_VERSION}"));
    let damage = match world.store().check().await {
        Ok(damage) => damage,
        Err(error) => vec![error.to_string()],
    };
    let told: Vec<String> = damage.into_iter().map(|line| format!("{line}; restore a backup")).collect();
    checks.well_unless("integrity", State::Problem, &told, "the database is whole");
    let full = world.store().write(settings::probe).await.err().map(|error| error.to_string());
    checks.well_unless("writes", State::Problem, &Vec::from_iter(full), "the database takes writes");
    // The key was compared with the database's when the data was opened.
    checks.add("key", State::Ok, "master.key is the key of this database");
    Ok(())
}

/// Credentials of tenants that end soon: their clients are locked out then.
async fn credentials(checks: &mut Checks, world: &World) -> anyhow::Result<()> {
    let now = now();
    let told = world.store().scan(move |tx| {
        let mut told = Vec::new();
        for tenant in provider::tenants(tx)? {
            let ending = provider::ending(tx, tenant.key, now)?;
            told.extend(ending.into_iter().map(|ending| crate::expiry::sentence(&tenant.name, &ending)));
        }
        Ok::<_, provider::TenantError>(told)
    });
    checks.well_unless("credentials", State::Warning, &told.await?, "none ends within 30 days");
    Ok(())
}

async fn clock(checks: &mut Checks, world: &World) -> anyhow::Result<()> {
    let latest = world.store().read(|tx| audit::audit_before(tx, None, 1)).await?.pop();
    let now = now();
    let ahead = latest.filter(|record| record.at.as_second() - now.as_second() > CLOCK_AHEAD_SECONDS);
    let told: Vec<String> = ahead
        .map(|record| {
            format!("the newest record is of {}, later than now ({}); set the clock", moment(record.at), moment(now))
        })
        .into_iter()
        .collect();
    checks.well_unless("clock", State::Problem, &told, &moment(now));
    Ok(())
}

async fn of_job(checks: &mut Checks, world: &World, job: &JobView) -> anyhow::Result<()> {
    let app = job.app;
    let record = world.store().read(move |tx| jobs::job_by_app(tx, app)).await;
    if let Some(record) = record.map_err(|error: StoreError| error)? {
        let unreadable = world.master_key().decrypt(app, &record.secret).err().map(|error| error.to_string());
        let told: Vec<String> = unreadable.into_iter().collect();
        checks.well_unless(format!("{}: secret token", job.name), State::Problem, &told, "can be read with this key");
    }
    let quarantine: Vec<String> = job.quarantine.iter().map(|reason| format!("in quarantine: {reason}")).collect();
    checks.well_unless(format!("{}: job", job.name), State::Problem, &quarantine, job.status.as_str());
    let open = job.users.open + job.groups.open;
    let pending = (open > 0).then(|| {
        format!("{} of unknown outcome; a cycle after the settle window tells what it was", counted(open, "write"))
    });
    checks.well_unless(format!("{}: intents", job.name), State::Warning, &Vec::from_iter(pending), "none is open");
    let failed = (job.escrows > 0).then(|| {
        format!(
            "{} {} for another attempt; lockstep logs --app {:?} tells why",
            counted(job.escrows, "failure"),
            if job.escrows == 1 { "waits" } else { "wait" },
            job.name
        )
    });
    checks.well_unless(format!("{}: failures", job.name), State::Warning, &Vec::from_iter(failed), "none waits");
    Ok(())
}

async fn connection(checks: &mut Checks, engine: &Engine, job: &JobView, output: Output) {
    let tested = super::app::tested(output, engine.test_connection(job.app)).await;
    let told: Vec<String> = tested.err().map(|error| error.to_string()).into_iter().collect();
    checks.well_unless(format!("{}: connection", job.name), State::Problem, &told, "works");
}
