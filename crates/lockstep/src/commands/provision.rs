//! `provision`: one user or group now, with every step.

use anyhow::bail;
use mapping::counted;
use provisioning::OnDemandReport;
use serde_json::{Value, json};

use super::find;
use super::logs::step_lines;
use crate::cli::ProvisionArgs;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::world::World;

/// Carries out `provision`.
pub async fn run(args: ProvisionArgs, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let principal = find::principal(world, &args.principal).await?;
    let application = match &args.app {
        Some(name) => find::application(world, name).await?,
        None => the_only_application(world).await?,
    };
    let report = world.engine()?.provision(application.id, principal.id, principal.kind).await?;
    if output.is_json() {
        let mut shown = serde_json::to_value(&report)?;
        shown["object"] = json!(principal.display_name);
        shown["app"] = json!(application.name);
        output.json(&shown)?;
    } else {
        show(output, &principal.display_name, &application.name, &report)?;
    }
    Ok(Outcome::of_failed(u64::from(report.status == "failure")))
}

async fn the_only_application(world: &World) -> anyhow::Result<directory::Application> {
    let mut all = world.store().read(directory::applications).await?;
    match (all.pop(), all.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => bail!("there is no application; add one with lockstep app add"),
        (Some(_), others) => bail!("there are {} applications; name one with --app", others + 1),
    }
}

fn show(output: Output, object: &str, application: &str, report: &OnDemandReport) -> anyhow::Result<()> {
    let reason = report.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    output.line(&format!(
        "{object} at {application}: {} {}{reason}, {}",
        report.action,
        report.status,
        counted(report.requests, "request")
    ))?;
    for line in report.log.as_ref().map(|log: &Value| step_lines(log)).unwrap_or_default() {
        output.line(&line)?;
    }
    Ok(())
}
