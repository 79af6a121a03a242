//! `group`: groups of the directory and their direct members.

use directory::{Activity, DirectoryError, Group, GroupDraft, GroupSearch, Page, Principal};
use mapping::counted;
use serde_json::{Value, json};
use store::{GroupId, ObjectId, ObjectKind, ReadTx};

use super::attribute_values::attribute_values;
use super::find;
use super::pages::{self, Listed, tell_more};
use crate::ask::confirm;
use crate::cli::{GroupCommand, MembersCommand};
use crate::outcome::Outcome;
use crate::output::{Output, moment_or, note};
use crate::shown::{facts, group_json, kind_name, text};
use crate::world::{World, audit, new_id, now};

/// Carries out `group`.
pub async fn run(command: GroupCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        GroupCommand::List { search, deleted, limit } => {
            list(world, output, GroupSearch { text: search, deleted }, limit).await?;
        }
        GroupCommand::Show { group } => show(world, output, &group).await?,
        GroupCommand::Add { display_name, attributes } => {
            let (group, is_ambiguous) = add(world, display_name, &attributes).await?;
            told(output, &group, "was added")?;
            if is_ambiguous {
                note(&format!(
                    "another group is named {:?} too, so commands that name it are refused; say its object id, {}",
                    group.display_name, group.id
                ));
            }
        }
        GroupCommand::Set { group, attributes } => {
            let (group, changed) = set(world, &group, &attributes).await?;
            told(output, &group, if changed { "was changed" } else { "is so already" })?;
        }
        GroupCommand::Delete { group } => {
            let group = find::group(world, &group).await?;
            let deleted = change(world, group.id, Activity::DeleteGroup, directory::delete_group).await?;
            told(output, &deleted, "was soft-deleted and can be restored for 30 days")?;
        }
        GroupCommand::Restore { group } => {
            let group = find_deleted(world, group).await?;
            let restored = change(world, group.id, Activity::RestoreGroup, directory::restore_group).await?;
            told(output, &restored, "was restored")?;
        }
        GroupCommand::Purge { group, yes } => {
            let group = find_deleted(world, group).await?;
            confirm(&format!("Remove the group {} for good?", group.display_name), yes)?;
            let keep = group.clone();
            change(world, group.id, Activity::HardDeleteGroup, move |tx, id, now| {
                directory::purge_group(tx, id, now).map(|()| keep.clone())
            })
            .await?;
            told(output, &group, "was removed for good")?;
        }
        GroupCommand::Members(command) => members(command, world, output).await?,
    }
    Ok(Outcome::Done)
}

fn told(output: Output, group: &Group, what: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&group_json(group));
    }
    output.line(&format!("Group {} {what}", group.display_name))
}

async fn find_deleted(world: &World, name: String) -> Result<Group, DirectoryError> {
    world.store().read(move |tx| directory::find_deleted_group(tx, &name)).await
}

async fn list(world: &World, output: Output, search: GroupSearch, limit: u32) -> anyhow::Result<()> {
    let page = move |tx: &mut ReadTx<'_>, after, step| directory::list_groups(tx, &search, after, step);
    let Listed { items: groups, more } = pages::read(world, limit, page).await?;
    if output.is_json() {
        output.json(&groups.iter().map(group_json).collect::<Vec<_>>())?;
        tell_more(more);
        return Ok(());
    }
    let row = |group: &Group| {
        let description = group.attributes.get("description").map(text).unwrap_or_default();
        let security = if group.security_enabled { "yes" } else { "no" };
        vec![
            group.display_name.clone(),
            description,
            security.to_owned(),
            moment_or(group.deleted, ""),
            group.id.to_string(),
        ]
    };
    output.table(
        &["GROUP", "DESCRIPTION", "SECURITY", "DELETED", "ID"],
        groups.iter().map(row).collect(),
        "No groups",
    )?;
    tell_more(more);
    Ok(())
}

async fn show(world: &World, output: Output, name: &str) -> anyhow::Result<()> {
    let group = match find::group(world, name).await {
        Err(DirectoryError::NotFound { kind, name }) => {
            find_deleted(world, name.clone()).await.map_err(|_| DirectoryError::NotFound { kind, name })?
        }
        found => found?,
    };
    let object = group_json(&group);
    if output.is_json() { output.json(&object) } else { output.facts(&facts(&object)) }
}

/// Adds a group; says too whether its name means another one as well.
async fn add(world: &World, display_name: String, attributes: &[String]) -> anyhow::Result<(Group, bool)> {
    let mut draft = GroupDraft::new(display_name);
    for (name, value) in attribute_values(attributes)? {
        draft.attributes.extend(value.map(|value| (name, value)));
    }
    let (id, now) = (new_id(), now());
    let added = world.store().write(move |tx| {
        let group = directory::create_group(tx, id, &draft, now)?;
        audit(tx, Activity::AddGroup, &group.display_name, &json!({ "id": group.id }))?;
        let named = directory::find_group(tx, &group.display_name);
        Ok::<_, DirectoryError>((group, matches!(named, Err(DirectoryError::Ambiguous { .. }))))
    });
    Ok(added.await?)
}

async fn set(world: &World, name: &str, attributes: &[String]) -> anyhow::Result<(Group, bool)> {
    let values = attribute_values(attributes)?;
    let (name, now) = (name.to_owned(), now());
    let written = world.store().write(move |tx| {
        let group = directory::find_group(tx, &name)?;
        let (group, changed) = directory::change_group(tx, group.id, &values, now)?;
        if changed {
            let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
            audit(tx, Activity::UpdateGroup, &group.display_name, &json!({ "id": group.id, "attributes": names }))?;
        }
        Ok::<_, DirectoryError>((group, changed))
    });
    Ok(written.await?)
}

async fn change<F>(world: &World, id: GroupId, activity: Activity, change: F) -> Result<Group, DirectoryError>
where
    F: Fn(&mut store::WriteTx<'_>, GroupId, jiff::Timestamp) -> Result<Group, DirectoryError> + Send + 'static,
{
    let now = now();
    world
        .store()
        .write(move |tx| {
            let group = change(tx, id, now)?;
            audit(tx, activity, &group.display_name, &json!({ "id": group.id }))?;
            Ok(group)
        })
        .await
}

async fn members(command: MembersCommand, world: &World, output: Output) -> anyhow::Result<()> {
    match command {
        MembersCommand::List { group, limit } => list_members(world, output, &group, limit).await,
        MembersCommand::Add { group, members } => {
            let (count, group) = change_members(world, &group, members, true).await?;
            tell_members(output, &group, count, "added to")
        }
        MembersCommand::Remove { group, members } => {
            let (count, group) = change_members(world, &group, members, false).await?;
            tell_members(output, &group, count, "removed from")
        }
    }
}

fn tell_members(output: Output, group: &Group, count: u64, what: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&json!({ "group": group.id, "displayName": group.display_name, "changed": count }));
    }
    output.line(&format!("{} {what} {}", counted(count, "member"), group.display_name))
}

/// Adds or removes all of the members, or none where one of them cannot be.
async fn change_members(
    world: &World,
    group: &str,
    names: Vec<String>,
    add: bool,
) -> Result<(u64, Group), DirectoryError> {
    let (name, now) = (group.to_owned(), now());
    world
        .store()
        .write(move |tx| {
            let group = directory::find_group(tx, &name)?;
            let mut count = 0;
            for name in &names {
                let Principal { id, kind, display_name } = directory::find_principal(tx, name)?;
                let (changed, activity) = if add {
                    (directory::add_member(tx, group.id, id, kind, now)?, Activity::AddMember)
                } else {
                    (directory::remove_member(tx, group.id, id, now)?, Activity::RemoveMember)
                };
                if changed {
                    count += 1;
                    let detail = json!({ "group": group.id, "member": id, "memberName": display_name });
                    audit(tx, activity, &group.display_name, &detail)?;
                }
            }
            Ok((count, group))
        })
        .await
}

async fn list_members(world: &World, output: Output, name: &str, limit: u32) -> anyhow::Result<()> {
    let group = find::group(world, name).await?;
    let page = move |tx: &mut ReadTx<'_>, after, step| {
        let Page { items, next } = directory::members(tx, group.id, after, step)?;
        let items = items.iter().map(|(id, kind)| described(tx, *id, *kind)).collect::<Result<Vec<_>, _>>()?;
        Ok(Page { items, next })
    };
    let Listed { items: members, more } = pages::read(world, limit, page).await?;
    if output.is_json() {
        output.json(&members)?;
        tell_more(more);
        return Ok(());
    }
    let cell = |member: &Value, key: &str| text(&member[key]);
    let row = |member: &Value| ["name", "displayName", "type", "id"].map(|key| cell(member, key)).to_vec();
    output.table(&["MEMBER", "NAME", "TYPE", "ID"], members.iter().map(row).collect(), "No members")?;
    tell_more(more);
    Ok(())
}

fn described(tx: &mut ReadTx<'_>, id: ObjectId, kind: ObjectKind) -> Result<Value, DirectoryError> {
    let (name, display_name) = if kind == ObjectKind::User {
        directory::user(tx, id.user())?.map(|user| (user.user_principal_name, user.display_name)).unwrap_or_default()
    } else {
        directory::group(tx, id.group())?
            .map(|group| (group.display_name.clone(), group.display_name))
            .unwrap_or_default()
    };
    Ok(json!({ "id": id, "type": kind_name(kind), "name": name, "displayName": display_name }))
}
