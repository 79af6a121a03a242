//! `demo`: the whole system on a sample directory, over real HTTP on this machine, with what was sent and what came of it.

mod applications;
mod expected;
mod load;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mapping::counted;
use provisioning::{CycleReport, JobChange, JobStatus};
use serde_json::json;
use tokio::runtime::Runtime;
use uuid::Uuid;

use self::applications::Installed;
use self::expected::Model;
use super::cycle::run_shown;
use crate::cli::DemoArgs;
use crate::config::Config;
use crate::data_folder::foreign_file;
use crate::hosting::Hosting;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::sample::{GROUPS, PEOPLE};
use crate::stop::StopRequests;
use crate::world::{World, new_id};

/// Seconds between cycles while the demo goes on serving, short enough to watch.
const INTERVAL_SECONDS: u64 = 5;

/// A folder that is gone when the demo ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's temporary folder, which is cleared from time to time.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Carries out `demo`.
pub fn run(
    args: &DemoArgs,
    mut config: Config,
    data_is_given: bool,
    output: Output,
    runtime: &Runtime,
) -> anyhow::Result<Outcome> {
    let scratch =
        (!data_is_given).then(|| Scratch(std::env::temp_dir().join(format!("lockstep-demo-{}", new_id::<Uuid>()))));
    if let Some(Scratch(folder)) = &scratch {
        config.data.clone_from(folder);
    }
    if let Some(file) = foreign_file(&config.data)? {
        bail!(
            "{} is no file of Lockstep, and the demo needs an empty folder; name another with --data, or leave --data out",
            file.display()
        );
    }
    let outcome = {
        let world = World::open(config, runtime)?;
        runtime.block_on(shown(args, &world, output, data_is_given))
    };
    drop(scratch);
    outcome
}

async fn shown(args: &DemoArgs, world: &World, output: Output, data_is_kept: bool) -> anyhow::Result<Outcome> {
    refuse_used(world).await?;
    let _only_one = world.folder().lock_for_serving()?;
    let mut stop = StopRequests::listen();
    let mut hosting = Hosting::start(world, world.config().listen).await?;
    let (public_url, address) = (hosting.public_url.clone(), hosting.address);
    let told = tokio::select! {
        biased;
        () = stop.next() => Err(anyhow::anyhow!("the demo was stopped before its end; start it again")),
        told = story(world, output, &public_url) => told,
    };
    let ended = match told {
        Ok((Outcome::Done, installed)) if !args.once => {
            explore(world, output, &mut hosting, &mut stop, &installed).await.map(|()| Outcome::Done)
        }
        Ok((outcome, _)) => Ok(outcome),
        Err(error) => Err(error),
    };
    hosting.stop().await;
    if ended.is_ok() && data_is_kept {
        let data = world.folder().path().display();
        // The applications have the addresses of their tenants, with this port.
        say(
            output,
            &format!("The data stays in {data}; go on with it by: lockstep --data {data} serve --listen {address}"),
        )?;
    }
    ended
}

/// A demo never mixes with real people.
async fn refuse_used(world: &World) -> anyhow::Result<()> {
    let used = world.store().read(|tx| {
        let search = directory::UserSearch::default();
        let people = !directory::list_users(tx, &search, None, 1)?.items.is_empty();
        let tenants = !store::tenants::tenants(tx)?.is_empty();
        Ok::<_, directory::DirectoryError>(people || tenants || !directory::applications(tx)?.is_empty())
    });
    if used.await? {
        bail!(
            "{} already holds data, and the demo needs an empty folder; name another with --data, or leave --data out",
            world.folder().path().display()
        );
    }
    Ok(())
}

/// What was sent in one round, and what is wrong afterwards.
struct Round {
    title: &'static str,
    reports: Vec<(String, CycleReport)>,
    problems: Vec<String>,
}

async fn story(world: &World, output: Output, public_url: &str) -> anyhow::Result<(Outcome, Vec<Installed>)> {
    let mut model = Model::new();
    let users = load::load(world, &model).await.context("the sample directory cannot be loaded")?;
    say(output, &format!("A directory of {PEOPLE} people and {GROUPS} groups is at hand."))?;
    let installed = applications::install(world, public_url).await?;
    say(output, "Four applications are added; their tenants are empty. The initial cycles run over HTTP.\n")?;
    let mut accounts = vec![expected::Accounts::default(); installed.len()];
    let mut rounds = Vec::new();
    for step in [Step::Initial, Step::Changes, Step::Nothing] {
        if step == Step::Changes {
            load::change(world, &mut model, &users).await.context("the sample directory cannot be changed")?;
        }
        let round = round(world, output, step, &installed, &model, &mut accounts).await?;
        show(output, &round)?;
        rounds.push(round);
    }
    let problems: Vec<&String> = rounds.iter().flat_map(|round| &round.problems).collect();
    if output.is_json() {
        let reports = |round: &Round| {
            round.reports.iter().map(|(name, report)| json!({ "app": name, "report": report })).collect::<Vec<_>>()
        };
        let [initial, changes, nothing] = [0, 1, 2].map(|index| rounds.get(index).map(reports).unwrap_or_default());
        output.json(&json!({ "people": PEOPLE, "groups": GROUPS, "initial": initial, "incremental": changes, "empty": nothing, "problems": problems }))?;
    } else if problems.is_empty() {
        output.line("Every account, group and membership at every application is as the directory says.")?;
    }
    Ok((if problems.is_empty() { Outcome::Done } else { Outcome::ProblemsFound }, installed))
}

/// Sentences for people only.
fn say(output: Output, text: &str) -> anyhow::Result<()> {
    if output.is_json() { Ok(()) } else { output.line(text) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Initial,
    Changes,
    Nothing,
}

async fn round(
    world: &World,
    output: Output,
    step: Step,
    installed: &[Installed],
    model: &Model,
    accounts: &mut [expected::Accounts],
) -> anyhow::Result<Round> {
    let title = match step {
        Step::Initial => "Initial cycle",
        Step::Changes => "A joiner, a mover and a leaver: incremental cycle",
        Step::Nothing => "Nothing changed: empty cycle",
    };
    let engine = world.engine()?;
    let (mut reports, mut problems) = (Vec::new(), Vec::new());
    for (one, accounts) in installed.iter().zip(accounts) {
        let report = run_shown(&engine, one.app, one.name, output).await?;
        model.advance(one.definition, accounts);
        let expected = model.contents(one.definition, accounts);
        problems.extend(verify::differences(world, one, &expected).await?);
        if report.failed > 0 {
            problems.push(format!("{}: {} failed", one.name, counted(report.failed, "object")));
        }
        let wanted = if step == Step::Initial { "initial" } else { "incremental" };
        if report.cycle != wanted {
            problems.push(format!("{}: the cycle was {}, not {wanted}", one.name, report.cycle));
        }
        if step == Step::Nothing && report.requests > 0 {
            problems.push(format!("{}: the empty cycle sent {}", one.name, counted(report.requests, "request")));
        }
        reports.push((one.name.to_owned(), report));
    }
    Ok(Round { title, reports, problems })
}

fn show(output: Output, round: &Round) -> anyhow::Result<()> {
    if output.is_json() {
        return Ok(());
    }
    output.line(round.title)?;
    let head = [
        "APPLICATION",
        "CREATED",
        "UPDATED",
        "DISABLED",
        "DELETED",
        "SKIPPED",
        "FAILED",
        "REFERENCES",
        "REQUESTS",
        "SECONDS",
    ];
    let row = |(name, report): &(String, CycleReport)| {
        let counts = [
            report.created,
            report.updated,
            report.disabled,
            report.deleted,
            report.skipped,
            report.failed,
            report.references,
            report.requests,
        ];
        let counts = counts.iter().map(u64::to_string);
        std::iter::once(name.clone()).chain(counts).chain([format!("{:.2}", report.seconds)]).collect()
    };
    output.table(&head, round.reports.iter().map(row).collect(), "No applications")?;
    for problem in &round.problems {
        output.line(&format!("NOT AS EXPECTED: {problem}"))?;
    }
    output.line("")
}

/// Goes on serving, with the jobs on, and tells how to look around.
async fn explore(
    world: &World,
    output: Output,
    hosting: &mut Hosting,
    stop: &mut StopRequests,
    installed: &[Installed],
) -> anyhow::Result<()> {
    let engine = world.engine()?;
    for one in installed {
        let change =
            JobChange { status: Some(JobStatus::On), interval_seconds: Some(INTERVAL_SECONDS), ..JobChange::default() };
        engine.change_job(one.app, change).await?;
    }
    if output.is_json() {
        let tenants =
            installed.iter().map(|one| json!({ "tenant": one.tenant, "scim_url": one.scim_url, "token": one.token }));
        output.json(&json!({ "data": world.folder().path(), "public_url": hosting.public_url, "tenants": tenants.collect::<Vec<_>>() }))?;
    } else {
        addresses(output, world.folder().path(), installed)?;
    }
    hosting.run(stop.next()).await
}

fn addresses(output: Output, data: &Path, installed: &[Installed]) -> anyhow::Result<()> {
    let row = |one: &Installed| vec![one.name.to_owned(), one.scim_url.clone(), one.token.clone()];
    output.table(
        &["APPLICATION", "SCIM URL", "TOKEN (SHOWN THIS ONCE)"],
        installed.iter().map(row).collect(),
        "No applications",
    )?;
    let data = data.display();
    let program = std::env::args_os().next().unwrap_or_else(|| "lockstep".into());
    let program = program.display();
    output.line(&format!(
        "\nLockstep goes on serving; changes reach the applications within {INTERVAL_SECONDS} seconds. Try in another terminal:\n\
         \x20 {program} --data {data} status\n\
         \x20 {program} --data {data} user list --search Ann\n\
         \x20 {program} --data {data} logs --limit 20\n\
         Stop it with Ctrl+C."
    ))
}
