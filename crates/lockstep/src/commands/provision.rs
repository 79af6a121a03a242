//! `provision`: one user or group now, with every step.

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
    let application = find::application_or_only(world, args.app.as_deref()).await?;
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
