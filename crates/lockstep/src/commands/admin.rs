//! `admin`: who has which admin role.

use directory::{ADMINS_MAX, Activity, AdminRole, DirectoryError, User};
use serde_json::{Value, json};

use super::find;
use crate::ask::confirm;
use crate::cli::AdminCommand;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::shown::{state, text};
use crate::world::{World, audit, now};

/// Carries out `admin`.
pub async fn run(command: AdminCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        AdminCommand::List => list(world, output).await?,
        AdminCommand::Grant { user, role } => {
            let role: AdminRole = role.parse()?;
            let user = find::user(world, &user).await?;
            let changed = grant(world, &user, role).await?;
            told(output, &user, role, changed, if changed { "now has" } else { "already has" })?;
        }
        AdminCommand::Revoke { user, role, force, yes } => {
            let role: AdminRole = role.parse()?;
            let user = find::user_or_deleted(world, &user).await?;
            confirm(&format!("Take the role {role} from {}?", user.user_principal_name), yes)?;
            let changed = revoke(world, &user, role, force).await?;
            told(output, &user, role, changed, if changed { "no longer has" } else { "did not have" })?;
        }
    }
    Ok(Outcome::Done)
}

fn told(output: Output, user: &User, role: AdminRole, changed: bool, what: &str) -> anyhow::Result<()> {
    let name = &user.user_principal_name;
    if output.is_json() {
        return output
            .json(&json!({ "id": user.id, "userPrincipalName": name, "role": role.name(), "changed": changed }));
    }
    output.line(&format!("{name} {what} the role {role}"))
}

async fn grant(world: &World, user: &User, role: AdminRole) -> Result<bool, DirectoryError> {
    let (id, name, now) = (user.id, user.user_principal_name.clone(), now());
    world
        .store()
        .write(move |tx| {
            let granted = directory::grant_admin_role(tx, id, role, now)?;
            if granted {
                audit(tx, Activity::AddAdmin, &name, &json!({ "id": id, "role": role.name() }))?;
            }
            Ok(granted)
        })
        .await
}

/// The error, with what insists where that is possible.
pub fn or_force(error: DirectoryError) -> anyhow::Error {
    match error {
        DirectoryError::LastAdministrator => anyhow::anyhow!("{error}, or say --force"),
        other => other.into(),
    }
}

async fn revoke(world: &World, user: &User, role: AdminRole, force: bool) -> anyhow::Result<bool> {
    let (id, name) = (user.id, user.user_principal_name.clone());
    let revoked = world.store().write(move |tx| {
        let revoked = directory::revoke_admin_role(tx, id, role, force)?;
        if revoked {
            audit(tx, Activity::RemoveAdmin, &name, &json!({ "id": id, "role": role.name() }))?;
        }
        Ok(revoked)
    });
    revoked.await.map_err(or_force)
}

async fn list(world: &World, output: Output) -> anyhow::Result<()> {
    let listed = world.store().scan(|tx| {
        let mut listed = Vec::new();
        for (id, role) in directory::admins(tx, ADMINS_MAX)? {
            if let Some(user) = directory::user(tx, id)? {
                listed.push(json!({
                    "role": role.name(), "userPrincipalName": user.user_principal_name, "displayName": user.display_name,
                    "state": state(&user), "id": id,
                }));
            }
        }
        Ok::<_, DirectoryError>(listed)
    });
    let listed = listed.await?;
    if output.is_json() {
        return output.json(&listed);
    }
    let row =
        |one: &Value| ["role", "userPrincipalName", "displayName", "state", "id"].map(|key| text(&one[key])).to_vec();
    let none = "Nobody has an admin role; give one with lockstep admin grant USER --role ROLE";
    output.table(&["ROLE", "USER", "NAME", "STATE", "ID"], listed.iter().map(row).collect(), none)
}
