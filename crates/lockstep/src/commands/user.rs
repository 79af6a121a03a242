//! `user`: users of the directory.

use directory::{Activity, DirectoryError, User, UserDraft, UserSearch};
use serde_json::{Map, Value, json};
use store::{ReadTx, UserId, WriteTx};

use super::admin::or_force;
use super::attribute_values::attribute_values;
use super::find;
use super::pages::{self, Listed, tell_more};
use crate::ask::confirm;
use crate::cli::UserCommand;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::shown::{USER_HEAD, facts, text, user_json, user_row};
use crate::world::{World, audit, new_id, now};

/// Groups of a user that are shown.
const GROUPS_SHOWN_MAX: u32 = 1_000;

/// Carries out `user`.
pub async fn run(command: UserCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        UserCommand::List { search, deleted, enabled, limit } => {
            let search = UserSearch { text: search, deleted, account_enabled: enabled };
            list(world, output, search, limit).await?;
        }
        UserCommand::Show { user } => show(world, output, &user).await?,
        UserCommand::Add { user_principal_name, display_name, attributes, manager, disabled } => {
            let draft =
                draft(world, user_principal_name, display_name, &attributes, manager.as_deref(), disabled).await?;
            let user = add(world, draft).await?;
            told(output, &user, "was added")?;
        }
        UserCommand::Set { user, attributes, force } => {
            let (user, changed) = set(world, &user, &attributes, force).await?;
            told(output, &user, if changed { "was changed" } else { "is so already" })?;
        }
        UserCommand::Delete { user, force } => {
            let user = find::user(world, &user).await?;
            let deleted = change(world, user.id, Activity::DeleteUser, move |tx, id, now| {
                may_go(tx, id, force)?;
                directory::delete_user(tx, id, now)
            });
            let deleted = deleted.await.map_err(or_force)?;
            told(output, &deleted, "was soft-deleted and can be restored for 30 days")?;
        }
        UserCommand::Restore { user } => {
            let user = find_deleted(world, user).await?;
            let restored = change(world, user.id, Activity::RestoreUser, directory::restore_user).await?;
            told(output, &restored, "was restored")?;
        }
        UserCommand::Purge { user, force, yes } => {
            let user = find_deleted(world, user).await?;
            confirm(&format!("Remove {} for good?", user.user_principal_name), yes)?;
            let keep = user.clone();
            let purged = change(world, user.id, Activity::HardDeleteUser, move |tx, id, now| {
                may_go(tx, id, force)?;
                directory::purge_user(tx, id, now).map(|()| keep.clone())
            });
            purged.await.map_err(or_force)?;
            told(output, &user, "was removed for good")?;
        }
    }
    Ok(Outcome::Done)
}

/// Refuses to lose the last Global Administrator, unless somebody insists.
fn may_go(tx: &mut WriteTx<'_>, id: UserId, force: bool) -> Result<(), DirectoryError> {
    if force { Ok(()) } else { directory::refuse_last_administrator(tx, id) }
}

fn told(output: Output, user: &User, what: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&user_json(user));
    }
    output.line(&format!("User {} {what}", user.user_principal_name))
}

async fn find_deleted(world: &World, name: String) -> Result<User, DirectoryError> {
    world.store().read(move |tx| directory::find_deleted_user(tx, &name)).await
}

async fn list(world: &World, output: Output, search: UserSearch, limit: u32) -> anyhow::Result<()> {
    let page = move |tx: &mut ReadTx<'_>, after, step| directory::list_users(tx, &search, after, step);
    let Listed { items: users, more } = pages::read(world, limit, page).await?;
    if output.is_json() {
        output.json(&users.iter().map(user_json).collect::<Vec<_>>())?;
    } else {
        output.table(&USER_HEAD, users.iter().map(user_row).collect(), "No users")?;
    }
    tell_more(more);
    Ok(())
}

/// What a user belongs to: names of groups, and applications with roles.
struct Belongings {
    manager: Option<String>,
    groups: Vec<String>,
    applications: Vec<(String, Vec<String>)>,
}

async fn show(world: &World, output: Output, name: &str) -> anyhow::Result<()> {
    let name = name.to_owned();
    let (user, belongings) = world
        .store()
        .read(move |tx| {
            let user = match directory::find_user(tx, &name) {
                Err(DirectoryError::NotFound { .. }) => directory::find_deleted_user(tx, &name)
                    .map_err(|_| DirectoryError::NotFound { kind: "user", name: name.clone() })?,
                found => found?,
            };
            let belongings = belongings(tx, &user)?;
            Ok::<_, DirectoryError>((user, belongings))
        })
        .await?;
    let mut object = user_json(&user);
    if output.is_json() {
        let applications: Map<String, Value> =
            belongings.applications.into_iter().map(|(name, roles)| (name, roles.into())).collect();
        object["groups"] = json!(belongings.groups);
        object["applications"] = Value::Object(applications);
        return output.json(&object);
    }
    object["manager"] = json!(belongings.manager);
    let mut rows = facts(&object);
    let applications: Vec<String> =
        belongings.applications.iter().map(|(name, roles)| format!("{name} ({})", roles.join(", "))).collect();
    rows.push(("groups", text(&json!(belongings.groups))));
    rows.push(("applications", applications.join("; ")));
    output.facts(&rows)
}

fn belongings(tx: &mut ReadTx<'_>, user: &User) -> Result<Belongings, DirectoryError> {
    let mut groups = Vec::new();
    for id in store::groups::groups_of(tx, user.id.into(), None, GROUPS_SHOWN_MAX)? {
        groups.extend(directory::group(tx, id)?.map(|group| group.display_name));
    }
    groups.sort();
    let mut applications = Vec::new();
    for app in directory::applications(tx)? {
        let entitlements = directory::entitlements(tx, app.id, user.id)?;
        let roles: Vec<String> = entitlements.into_iter().map(|entitlement| entitlement.role.value).collect();
        if !roles.is_empty() {
            applications.push((app.name, roles));
        }
    }
    let manager = match user.manager {
        Some(id) => directory::user(tx, id)?.map(|manager| manager.user_principal_name),
        None => None,
    };
    Ok(Belongings { manager, groups, applications })
}

async fn draft(
    world: &World,
    user_principal_name: String,
    display_name: Option<String>,
    attributes: &[String],
    manager: Option<&str>,
    disabled: bool,
) -> anyhow::Result<UserDraft> {
    let local = user_principal_name.split('@').next().unwrap_or_default().to_owned();
    let mut draft = UserDraft::new(user_principal_name, display_name.unwrap_or(local));
    draft.account_enabled = !disabled;
    for (name, value) in attribute_values(attributes)? {
        draft.attributes.extend(value.map(|value| (name, value)));
    }
    if let Some(manager) = manager {
        draft.manager = Some(find::user(world, manager).await?.id);
    }
    Ok(draft)
}

async fn add(world: &World, draft: UserDraft) -> Result<User, DirectoryError> {
    let (id, now) = (new_id(), now());
    world
        .store()
        .write(move |tx| {
            let user = directory::create_user(tx, id, &draft, now)?;
            audit(tx, Activity::AddUser, &user.user_principal_name, &json!({ "id": user.id }))?;
            Ok(user)
        })
        .await
}

async fn set(world: &World, name: &str, attributes: &[String], force: bool) -> anyhow::Result<(User, bool)> {
    let values = attribute_values(attributes)?;
    let (name, now) = (name.to_owned(), now());
    let written = world.store().write(move |tx| {
        let before = directory::find_user(tx, &name)?;
        let (user, changed) = directory::change_user(tx, before.id, &values, now)?;
        if before.account_enabled && !user.account_enabled {
            may_go(tx, user.id, force)?;
        }
        if changed {
            let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
            audit(tx, Activity::UpdateUser, &user.user_principal_name, &json!({ "id": user.id, "attributes": names }))?;
        }
        Ok::<_, DirectoryError>((user, changed))
    });
    written.await.map_err(or_force)
}

async fn change<F>(world: &World, id: UserId, activity: Activity, change: F) -> Result<User, DirectoryError>
where
    F: Fn(&mut WriteTx<'_>, UserId, jiff::Timestamp) -> Result<User, DirectoryError> + Send + 'static,
{
    let now = now();
    world
        .store()
        .write(move |tx| {
            let user = change(tx, id, now)?;
            audit(tx, activity, &user.user_principal_name, &json!({ "id": user.id }))?;
            Ok(user)
        })
        .await
}
