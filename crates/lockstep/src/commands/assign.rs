//! `assign` and `unassign`: who gets an account at an application, with which app role.

use std::io::IsTerminal as _;

use directory::{Activity, Application, DEFAULT_ACCESS, DirectoryError};
use provisioning::JobError;
use serde_json::json;
use store::{ObjectId, ObjectKind, ReadTx};

use super::app::note_default_access;
use super::find;
use super::mapping_versions::warn_before_asking;
use crate::ask::confirm;
use crate::cli::{AssignArgs, PrincipalArgs, UnassignArgs};
use crate::outcome::Outcome;
use crate::output::Output;
use crate::world::{World, audit, now};

/// Carries out `assign`: all of those named, or none where one of them cannot be.
pub async fn assign(args: AssignArgs, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let app = find::application(world, &args.app).await?;
    let (id, role, now) = (app.id, args.role, now());
    let name = app.name.clone();
    let by_default = role.as_ref().is_none_or(|role| role.eq_ignore_ascii_case(DEFAULT_ACCESS));
    let added = world.store().write(move |tx| {
        let mut added = 0;
        for (principal, kind, shown) in principals(tx, &args.principals.users, &args.principals.groups)? {
            if directory::assign(tx, id, principal, kind, role.as_deref(), now)? {
                added += 1;
                let detail = json!({ "principal": principal, "principalName": shown, "role": role });
                audit(tx, Activity::AddAssignment, &name, &detail)?;
            }
        }
        Ok::<_, DirectoryError>(added)
    });
    let outcome = told(output, &app, added.await?, "assigned to", "All of them are assigned so already")?;
    if by_default {
        note_default_access(world, id, &app.name, true).await?;
    }
    Ok(outcome)
}

/// Carries out `unassign`, once it is told whose accounts that gives up; asks where there is somebody to ask.
pub async fn unassign(args: UnassignArgs, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let app = find::application(world, &args.app).await?;
    let (id, role, now) = (app.id, args.role, now());
    let PrincipalArgs { users, groups } = args.principals;
    let named = world.store().read(move |tx| principals(tx, &users, &groups)).await?;
    let ending = named.iter().map(|(principal, kind, _)| (*principal, *kind)).collect();
    let warnings: Vec<String> = match world.engine()?.losses_by_unassigning(id, ending, role.clone()).await {
        Ok(losses) => losses.iter().map(ToString::to_string).collect(),
        // Without a job there are no accounts.
        Err(JobError::NotFound) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if !warnings.is_empty() {
        // Scripts that nobody looks at went on before there was a question, and still do.
        let yes = args.yes || !std::io::stdin().is_terminal();
        warn_before_asking(output, &warnings, yes)?;
        confirm("Unassign them all the same?", yes)?;
    }
    let name = app.name.clone();
    let ended = world.store().write(move |tx| {
        let mut ended = 0;
        for (principal, _, shown) in &named {
            if directory::unassign(tx, id, *principal, role.as_deref(), now)? {
                ended += 1;
                let detail = json!({ "principal": principal, "principalName": shown, "role": role });
                audit(tx, Activity::RemoveAssignment, &name, &detail)?;
            }
        }
        Ok::<_, DirectoryError>(ended)
    });
    let ended: u64 = ended.await?;
    if output.is_json() {
        output.json(&json!({ "app": app.id, "name": app.name, "changed": ended, "warnings": warnings }))?;
        return Ok(Outcome::Done);
    }
    told(output, &app, ended, "no longer assigned to", "None of them is assigned so")
}

fn told(output: Output, app: &Application, changed: u64, what: &str, nothing: &str) -> anyhow::Result<Outcome> {
    if output.is_json() {
        output.json(&json!({ "app": app.id, "name": app.name, "changed": changed }))?;
    } else if changed == 0 {
        output.line(&format!("{nothing} ({})", app.name))?;
    } else {
        let who = if changed == 1 { "1 user or group".to_owned() } else { format!("{changed} users and groups") };
        output.line(&format!("{who} {what} {}", app.name))?;
    }
    Ok(Outcome::Done)
}

/// The users and groups of those names or object ids, with the names that people see.
fn principals(
    tx: &mut ReadTx<'_>,
    users: &[String],
    groups: &[String],
) -> Result<Vec<(ObjectId, ObjectKind, String)>, DirectoryError> {
    let mut found = Vec::with_capacity(users.len() + groups.len());
    for name in users {
        let user = directory::find_user(tx, name)?;
        found.push((user.id.into(), ObjectKind::User, user.user_principal_name));
    }
    for name in groups {
        let group = directory::find_group(tx, name)?;
        found.push((group.id.into(), ObjectKind::Group, group.display_name));
    }
    Ok(found)
}
