//! `status`: where the provisioning of each application stands.

use provisioning::{JobStatus, JobView};

use super::find;
use crate::outcome::Outcome;
use crate::output::{Output, moment};
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
        return Ok(Outcome::Done);
    }
    let head = ["APPLICATION", "STATUS", "USERS", "GROUPS", "FAILED", "LAST CYCLE", "NEXT"];
    output.table(&head, jobs.iter().map(row).collect(), "No applications; add one with lockstep app add")?;
    for job in &jobs {
        if let Some(reason) = &job.quarantine {
            output.line(&format!("{} is in quarantine: {reason}", job.name))?;
        }
    }
    Ok(Outcome::Done)
}

fn row(job: &JobView) -> Vec<String> {
    let status = if job.running { "running".to_owned() } else { job.status.as_str().to_owned() };
    let last = job.last_cycle.as_ref().map_or_else(
        || "none yet".to_owned(),
        |cycle| format!("{} {} {}", cycle.cycle, cycle.state, moment(cycle.ended.unwrap_or(cycle.started))),
    );
    let next = if job.status == JobStatus::Off { "by command".to_owned() } else { moment(job.next_run) };
    let counts = [job.users.linked, job.groups.linked, job.escrows].map(|count| count.to_string());
    let [users, groups, failed] = counts;
    vec![job.name.clone(), status, users, groups, failed, last, next]
}
