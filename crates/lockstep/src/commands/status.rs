//! `status`: where the provisioning of each application stands.

use provisioning::{JobStatus, JobView};

use super::find;
use crate::outcome::Outcome;
use crate::output::{Output, moment, moment_or, note};
use crate::world::World;

/// Carries out `status`.
pub async fn run(app: Option<&str>, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let engine = world.engine()?;
    let jobs = match app {
        Some(name) => vec![engine.job(find::application(world, name).await?.id).await?],
        None => engine.jobs().await?,
    };
    if output.is_json() {
        output.json(&jobs)?;
        tell_waiting(&jobs, world)?;
        return Ok(Outcome::Done);
    }
    let head = ["APPLICATION", "STATUS", "USERS", "GROUPS", "FAILED", "LAST CYCLE", "NEXT"];
    output.table(&head, jobs.iter().map(row).collect(), "No applications; add one with lockstep app add")?;
    for job in &jobs {
        if let Some(reason) = &job.quarantine {
            output.line(&format!("{} is in quarantine: {reason}", job.name))?;
        }
    }
    tell_waiting(&jobs, world)?;
    Ok(Outcome::Done)
}

fn tell_waiting(jobs: &[JobView], world: &World) -> anyhow::Result<()> {
    if let Some(told) = unserved(jobs, world)? {
        note(&told);
    }
    Ok(())
}

/// What there is to say where jobs are on and nobody runs them.
pub fn unserved(jobs: &[JobView], world: &World) -> anyhow::Result<Option<String>> {
    let on: Vec<&str> = jobs.iter().filter(|job| job.status != JobStatus::Off).map(|job| job.name.as_str()).collect();
    // Looked at only where it matters: the look holds the server's lock for a moment.
    if on.is_empty() || world.folder().is_served()? {
        return Ok(None);
    }
    let (names, are) = (on.join(", "), if on.len() == 1 { "is" } else { "are" });
    // Another machine may serve the same database from a folder of its own; that is not seen from here.
    let unless = if world.config().postgres.is_some() { ", unless one runs elsewhere on this database" } else { "" };
    Ok(Some(format!(
        "{names} {are} on, but no server runs on this folder; start lockstep serve to have cycles run{unless}"
    )))
}

/// How a cycle ended, for people.
fn state_in_words(state: &str) -> &str {
    match state {
        "entryLevelErrors" => "succeeded, with failures",
        other => other,
    }
}

fn row(job: &JobView) -> Vec<String> {
    let status = if job.running { "running".to_owned() } else { job.status.as_str().to_owned() };
    let last = job.last_cycle.as_ref().map_or_else(
        || "none yet".to_owned(),
        |cycle| {
            format!("{} {} {}", cycle.cycle, state_in_words(&cycle.state), moment(cycle.ended.unwrap_or(cycle.started)))
        },
    );
    let next = moment_or(job.next_run, "by command");
    let counts = [job.users.linked, job.groups.linked, job.escrows].map(|count| count.to_string());
    let [users, groups, failed] = counts;
    vec![job.name.clone(), status, users, groups, failed, last, next]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_how_a_cycle_ended_in_words() {
        for (state, expected) in [
            ("entryLevelErrors", "succeeded, with failures"),
            ("succeeded", "succeeded"),
            ("interrupted", "interrupted"),
        ] {
            assert_eq!(state_in_words(state), expected);
        }
    }
}
