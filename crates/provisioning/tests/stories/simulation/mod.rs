//! Crash simulation: the directory changes at random, the application fails at random, the program is killed at random
//! requests and awaits. Then all is well again, and what the application holds must be what the directory says. What that
//! is, is worked out in `projection` without the engine.

mod changes;
mod projection;

use std::ops::Range;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use jiff::SignedDuration;
use provisioning::target::{Method, Request};
use provisioning::{CycleReport, JobChange, JobError};
use serde_json::json;
use store::testing::databases;
use store::{Database, Store};

use crate::fake_target::{Fault, Nature};
use crate::world::{Chance, Job, World, in_virtual_time, lines};
use changes::Organisation;

/// Seeds that every run of the tests goes through. Raise the end by hand to look further.
const SEEDS: Range<u64> = 1..201;
/// Seeds that are also run on every other database there is: each needs a schema of its own there.
const OTHER_SEEDS: Range<u64> = 1..11;
/// Times the directory changes, and a cycle runs, before all is well again.
const EPOCHS: u64 = 6;
/// Cycles after that. The first of them finds out what was on its way, a later one tries what failed again.
const HEALING_HOURS: [i64; 5] = [1, 1, 24, 1, 1];
/// Longest time for which a request is on its way: less than the settle window of 120 s.
const LATE_SECONDS_MAX: u64 = 59;

#[test]
fn whatever_fails_the_application_ends_up_as_the_directory_says() {
    for seed in SEEDS {
        let folder = Folder::new(seed);
        let database = Database::Sqlite(folder.0.join("lockstep.db"));
        lives(Store::open(&database).expect("a fresh database opens"), seed);
    }
    // SQLite comes first among the databases, the others follow where there are any.
    for number in 1..databases().len() {
        for seed in OTHER_SEEDS {
            let database = databases().swap_remove(number);
            lives(database.open(), seed);
        }
    }
}

fn lives(store: Store, seed: u64) {
    let world = World::new(store, seed);
    if let Err(broken) = in_virtual_time(&world.store, live(&world, seed)) {
        panic!("seed {seed}: {broken}");
    }
}

/// A folder of one seed. In memory where the system has such a place: what is simulated is the death of the program, which
/// loses nothing that was written, so that waiting for a disk would prove nothing.
struct Folder(PathBuf);

impl Folder {
    fn new(seed: u64) -> Self {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = place.join(format!("lockstep-simulation-{}-{seed}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// What fails in one seed: a part of everything that can.
struct Weather {
    faults: Vec<Fault>,
    percent: u64,
    crashes: bool,
}

impl Weather {
    fn of(chance: &Chance) -> Self {
        let late = SignedDuration::from_secs(i64::try_from(1 + chance.below(LATE_SECONDS_MAX)).unwrap_or(1));
        let all = [
            Fault::Unreachable,
            Fault::Lost,
            Fault::AnswerLost,
            Fault::Late(late),
            Fault::Refused(400, None),
            Fault::Refused(401, None),
            Fault::Refused(409, None),
            Fault::Refused(429, Some(2)),
            Fault::Refused(500, None),
            Fault::AppliedThenRefused(500),
            Fault::AppliedThenRefused(503),
            Fault::Garbage,
            Fault::OtherId,
        ];
        let faults: Vec<Fault> = all.into_iter().filter(|_| chance.happens(50)).collect();
        Self { faults, percent: 5 + chance.below(25), crashes: chance.happens(80) }
    }

    /// What happens to the next requests: faults, and at one of them a crash.
    fn next(&self, chance: &Chance, seed: u64) -> impl FnMut(&Request) -> Fault + Send + 'static {
        let (faults, percent) = (self.faults.clone(), self.percent);
        let crash_at = (self.crashes && chance.happens(60)).then(|| chance.below(25));
        let after = chance.happens(50);
        let dice = Chance::new(seed ^ chance.next());
        let mut number = 0;
        move |request| {
            number += 1;
            if Some(number) == crash_at {
                return if after { Fault::CrashAfter } else { Fault::CrashBefore };
            }
            if faults.is_empty() || !dice.happens(percent) {
                return Fault::None;
            }
            let pick = usize::try_from(dice.below(faults.len() as u64)).unwrap_or(0);
            suited(&faults[pick], request)
        }
    }
}

/// A read that is late is a read that is lost. An application that gives a new account another id than it has cannot be
/// helped; about accounts that exist it is found out.
fn suited(fault: &Fault, request: &Request) -> Fault {
    match fault {
        Fault::OtherId if request.method != Method::Get => Fault::None,
        Fault::Late(_) if request.method == Method::Get => Fault::Lost,
        other => other.clone(),
    }
}

async fn live(world: &World, seed: u64) -> Result<(), String> {
    let chance = Chance::new(seed.wrapping_mul(0x51_7c_c1_b7));
    let unique = seed.is_multiple_of(2);
    let lag = if chance.happens(50) { 0 } else { i64::try_from(chance.below(50)).unwrap_or(0) };
    let nature = Nature { unique, lag: SignedDuration::from_secs(lag), ..Nature::default() };
    let job = world.job(if unique { "palo-alto-cie" } else { "scim" }, nature).await;
    let concurrency = usize::try_from(1 + chance.below(4)).unwrap_or(1);
    job.change(JobChange { concurrency: Some(concurrency), ..JobChange::default() }).await;
    job.target.watch_intents(world.store.clone(), job.app);
    let unmanaged = job.target.with(|app| app.add_user(&json!({ "userName": "robot@contoso.com", "active": true })));
    let mut organisation = Organisation::found(world, &job, &chance).await;
    let weather = Weather::of(&chance);
    let mut story = Vec::new();
    for _ in 0..EPOCHS {
        for _ in 0..=chance.below(5) {
            story.push(organisation.change(&chance).await);
        }
        job.target.fail(weather.next(&chance, seed));
        let polls = (weather.crashes && chance.happens(30)).then(|| chance.below(60));
        let ended = cycle_or_crash(&job, polls).await?;
        story.push(format!("at {}: {ended}", world.clock.now()));
        story.push(lines(&job.target.take_requests()));
        world.clock.advance(SignedDuration::from_secs(i64::try_from(chance.below(100)).unwrap_or(0)));
        broken_promises(&job, &story)?;
    }
    job.target.heal();
    for hours in HEALING_HOURS {
        world.clock.advance(SignedDuration::from_hours(hours));
        let report =
            job.try_cycle().await.map_err(|error| told(&story, &format!("a healthy cycle failed: {error}")))?;
        story.push(format!("healthy: {report}\n{}", lines(&job.target.take_requests())));
    }
    broken_promises(&job, &story)?;
    judge(world, &job, &unmanaged).await.map_err(|problem| told(&story, &problem))
}

/// The last judgement: the application is as the directory says, and everybody knows it.
async fn judge(world: &World, job: &Job<'_>, unmanaged: &str) -> Result<(), String> {
    projection::compare(world, job, unmanaged).await?;
    let report = job.try_cycle().await.map_err(|error| error.to_string())?;
    let writes = job.target.take_writes();
    if !writes.is_empty() {
        return Err(format!("a further cycle wrote: {}", lines(&writes)));
    }
    if report.failed > 0 {
        return Err(format!("a further cycle failed: {:?}", job.log_lines().await.last()));
    }
    job.change(JobChange { restart: true, ..JobChange::default() }).await;
    let report = job.try_cycle().await.map_err(|error| error.to_string())?;
    let writes = job.target.take_writes();
    if !writes.is_empty() || report.failed > 0 {
        return Err(format!("a restart wrote: {report} {}", lines(&writes)));
    }
    Ok(())
}

fn told(story: &[String], problem: &str) -> String {
    format!("{problem}\n--- what happened:\n{}", story.join("\n"))
}

fn broken_promises(job: &Job<'_>, story: &[String]) -> Result<(), String> {
    let violations = job.target.with(|app| std::mem::take(&mut app.violations));
    if violations.is_empty() { Ok(()) } else { Err(told(story, &violations.join("; "))) }
}

/// Runs a cycle until it ends, or the program dies: at a request, or after it was polled so often.
async fn cycle_or_crash(job: &Job<'_>, polls: Option<u64>) -> Result<String, String> {
    let ended = {
        let engine = job.world.engine();
        let cycle = pin!(engine.run_cycle(job.app, Arc::new(|_| {})));
        tokio::select! {
            biased;
            () = job.target.crashed() => None,
            ended = polled(cycle, polls) => ended,
        }
    };
    job.world.comes_to_rest().await;
    match ended {
        None => Ok("killed".to_owned()),
        Some(Ok(report)) => Ok(report.to_string()),
        Some(Err(error @ (JobError::Connection(_) | JobError::Invalid(_)))) => Ok(format!("failed: {error}")),
        Some(Err(error)) => Err(format!("a cycle cannot fail with: {error}")),
    }
}

/// Polls a cycle only so often.
async fn polled(
    mut cycle: std::pin::Pin<&mut impl Future<Output = Result<CycleReport, JobError>>>,
    polls: Option<u64>,
) -> Option<Result<CycleReport, JobError>> {
    let mut left = polls.unwrap_or(u64::MAX);
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        cycle.as_mut().poll(context).map(Some)
    })
    .await
}
