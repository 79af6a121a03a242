//! `mapping versions`, `diff`, `rollback`, `restore`: what the mappings of an application were, and the ways back.

use ::mapping::ObjectMapping;
use ::mapping::schema::Difference;
use anyhow::Context as _;
use provisioning::configuration::mappings_text;
use provisioning::{Engine, JobChange, MappingVersion, SchemaBase, VersionView};
use serde_json::json;
use store::AppId;

use super::find;
use super::pages::tell_more;
use crate::ask::confirm;
use crate::cli::VersionsCommand;
use crate::outcome::Outcome;
use crate::output::{Output, aside, moment, write_raw};
use crate::world::World;

/// Versions that are read at a time.
const STEP: u32 = 100;

/// Carries out a command of the versions.
pub async fn run(command: VersionsCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        VersionsCommand::Versions { app, limit } => {
            let app = find::application_or_only(world, app.as_deref()).await?;
            list(world, output, app.id, limit).await?;
        }
        VersionsCommand::Show { app, version } => {
            let app = find::application_or_only(world, app.as_deref()).await?;
            show(world, output, app.id, version).await?;
        }
        VersionsCommand::Diff { app, from, to } => {
            let app = find::application_or_only(world, app.as_deref()).await?;
            diff(world, output, app.id, from, to).await?;
        }
        VersionsCommand::Rollback { app, version, yes } => {
            let app = find::application_or_only(world, app.as_deref()).await?;
            let engine = world.engine()?;
            let wanted = engine.mapping_version(app.id, Some(version)).await?;
            let latest = engine.mapping_version(app.id, None).await?;
            let mut warnings = engine.roll_back_warnings(app.id, version).await?;
            let schema = SchemaBase::OfVersion(version);
            let change = JobChange { objects: Some(wanted.objects.clone()), schema, ..JobChange::default() };
            warnings.extend(scope_warnings(&engine, app.id, &change).await?);
            warnings.extend(engine.look_ahead(app.id, &change).await?.refuse()?);
            let back = Back { name: &app.name, what: format!("mappings of version {version}"), warnings, yes };
            let difference = back.ask(output, &latest, &wanted.objects)?;
            let done = engine.roll_back(app.id, version, Some(latest.head.version)).await?;
            told(world, output, app.id, &back, done.is_some().then_some(difference)).await?;
        }
        VersionsCommand::Restore { app, yes } => {
            let app = find::application_or_only(world, app.as_deref()).await?;
            let engine = world.engine()?;
            let wanted = engine.default_mappings(app.id).await?;
            let latest = engine.mapping_version(app.id, None).await?;
            let schema = SchemaBase::Without;
            let change = JobChange { objects: Some(wanted.clone()), schema, ..JobChange::default() };
            let mut warnings = scope_warnings(&engine, app.id, &change).await?;
            warnings.extend(engine.look_ahead(app.id, &change).await?.refuse()?);
            let back = Back { name: &app.name, what: format!("default mappings of {}", app.template), warnings, yes };
            let difference = back.ask(output, &latest, &wanted)?;
            let done = engine.restore_defaults(app.id, Some(latest.head.version)).await?;
            told(world, output, app.id, &back, done.is_some().then_some(difference)).await?;
        }
    }
    Ok(Outcome::Done)
}

async fn list(world: &World, output: Output, app: AppId, limit: u32) -> anyhow::Result<()> {
    let most = if limit == 0 { usize::MAX } else { limit as usize };
    let (mut versions, mut before): (Vec<VersionView>, _) = (Vec::new(), None);
    loop {
        let step = u32::try_from(most - versions.len()).unwrap_or(STEP).min(STEP);
        let page = world.engine()?.mapping_versions(app, before, step).await?;
        versions.extend(page.versions);
        before = page.next;
        if before.is_none() || versions.len() >= most {
            break;
        }
    }
    if output.is_json() {
        output.json(&versions)?;
    } else {
        let row =
            |one: &VersionView| vec![one.version.to_string(), moment(one.at), one.actor.clone(), one.reason.clone()];
        output.table(&["VERSION", "AT", "BY", "WHAT"], versions.iter().map(row).collect(), "No versions")?;
    }
    tell_more(before.is_some());
    Ok(())
}

async fn show(world: &World, output: Output, app: AppId, version: Option<i64>) -> anyhow::Result<()> {
    let found = world.engine()?.mapping_version(app, version).await?;
    if output.is_json() {
        return output.json(&found);
    }
    Ok(write_raw(mappings_text(&found.objects).trim_start().as_bytes())?)
}

async fn diff(world: &World, output: Output, app: AppId, from: Option<i64>, to: Option<i64>) -> anyhow::Result<()> {
    let engine = world.engine()?;
    let newer = engine.mapping_version(app, to).await?;
    let before = from.unwrap_or_else(|| (newer.head.version - 1).max(1));
    let older = engine.mapping_version(app, Some(before)).await?;
    let difference = Difference::between(&older.objects, &newer.objects);
    let (from, to) = (older.head.version, newer.head.version);
    if output.is_json() {
        return output.json(&json!({ "from": from, "to": to, "changes": difference }));
    }
    if difference.is_empty() {
        return output.line(&format!("Versions {from} and {to} have the same mappings"));
    }
    output.line(&format!("What version {to} changed after version {from}:"))?;
    output.difference(&difference.to_string())
}

/// Whose accounts a change gives up, in a sentence for each way in which it does.
pub async fn scope_warnings(engine: &Engine, app: AppId, change: &JobChange) -> anyhow::Result<Vec<String>> {
    let losses = engine.scope_losses(app, change).await?;
    Ok(losses.iter().map(ToString::to_string).collect())
}

/// Prints a difference of mappings with its warnings: as the answer, or, before somebody is asked whose answer is for a program, beside it.
pub fn show_before_asking(
    output: Output,
    difference: &Difference,
    warnings: &[String],
    yes: bool,
) -> anyhow::Result<()> {
    if !output.is_json() {
        if !difference.is_empty() {
            output.difference(&difference.to_string())?;
        }
        return warn_before_asking(output, warnings, yes);
    }
    if !difference.is_empty() {
        if !yes {
            aside(difference.to_string().trim_end());
        }
        warn_before_asking(output, warnings, yes)?;
    }
    Ok(())
}

/// The same of warnings alone.
pub fn warn_before_asking(output: Output, warnings: &[String], yes: bool) -> anyhow::Result<()> {
    for warning in warnings.iter().map(|warning| format!("WARNING: {warning}")) {
        if !output.is_json() {
            output.line(&warning)?;
        } else if !yes {
            aside(&warning);
        }
    }
    Ok(())
}

/// A way back.
struct Back<'b> {
    name: &'b str,
    what: String,
    /// What to know of it.
    warnings: Vec<String>,
    yes: bool,
}

impl Back<'_> {
    /// Shows the difference and asks; where there is none, there is nothing to ask.
    fn ask(&self, output: Output, latest: &MappingVersion, wanted: &[ObjectMapping]) -> anyhow::Result<Difference> {
        let difference = Difference::between(&latest.objects, wanted);
        show_before_asking(output, &difference, &self.warnings, self.yes)?;
        if !difference.is_empty() {
            let question = format!("Give {} the {}? Its next cycle looks at everything again.", self.name, self.what);
            confirm(&question, self.yes)?;
        }
        Ok(difference)
    }
}

async fn told(
    world: &World,
    output: Output,
    app: AppId,
    back: &Back<'_>,
    changes: Option<Difference>,
) -> anyhow::Result<()> {
    let latest = world.engine()?.mapping_version(app, None).await.context("the mappings were changed")?.head;
    if output.is_json() {
        let is_changed = changes.is_some();
        let shown = json!({
            "app": app, "name": back.name, "changed": is_changed, "version": latest, "changes": changes.unwrap_or_default(),
            "warnings": back.warnings,
        });
        return output.json(&shown);
    }
    let (name, what, number) = (back.name, &back.what, latest.version);
    if changes.is_some() {
        output.line(&format!("{name} has the {what} again, as version {number}"))
    } else {
        output.line(&format!("{name} has the {what} already (version {number})"))
    }
}
