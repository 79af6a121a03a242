//! The sample directory: how it gets into the store, and the joiner, the mover and the leaver.

use directory::{DirectoryError, UserDraft};
use serde_json::Value;
use store::{GroupId, ObjectId, ObjectKind, UserId, WriteTx};

use super::expected::{Model, Somebody};
use crate::sample::{ALL_STAFF, MANAGERS, Person, SampleGroup, department_group, groups, people};
use crate::world::{World, new_id, now};

/// People, or members of a group, written in one transaction.
const STEP: usize = 250;
/// A manager of Sales who moves to Support, with another name.
const MOVER: usize = 12;
/// A manager of Support who leaves.
const LEAVER: usize = 13;

/// Loads people, groups and members; gives the ids of the people by number.
pub async fn load(world: &World, model: &Model) -> Result<Vec<UserId>, DirectoryError> {
    let people = people();
    let ids: Vec<UserId> = people.iter().map(|_| new_id()).collect();
    for part in people.chunks(STEP) {
        let (part, ids, now) = (part.to_vec(), ids.clone(), now());
        world.store().write(move |tx| part.iter().try_for_each(|person| add(tx, person, &ids, now))).await?;
    }
    let groups = groups();
    debug_assert_eq!(groups.len(), model.groups.len(), "the model is of the same sample");
    let made: Vec<GroupId> = groups.iter().map(|_| new_id()).collect();
    for (group, id) in groups.iter().zip(&made) {
        add_group(world, group, *id, &ids).await?;
    }
    for (group, id) in groups.iter().zip(&made) {
        for nested in &group.nested {
            let (id, nested, now) = (*id, *nested, now());
            world
                .store()
                .write(move |tx| {
                    let inner = directory::find_group(tx, nested)?;
                    directory::add_member(tx, id, inner.id.into(), ObjectKind::Group, now)
                })
                .await?;
        }
    }
    recycle(world, &people, &ids).await?;
    Ok(ids)
}

fn add(tx: &mut WriteTx<'_>, person: &Person, ids: &[UserId], now: jiff::Timestamp) -> Result<(), DirectoryError> {
    let mut draft = person.draft();
    draft.manager = person.manager.map(|number| ids[number]);
    directory::create_user(tx, ids[person.index], &draft, now).map(drop)
}

async fn add_group(world: &World, group: &SampleGroup, id: GroupId, ids: &[UserId]) -> Result<(), DirectoryError> {
    let mut draft = directory::GroupDraft::new(&group.name);
    draft.security_enabled = group.security;
    draft.attributes.insert("description".to_owned(), Value::from(group.description.as_str()));
    let now = now();
    world.store().write(move |tx| directory::create_group(tx, id, &draft, now)).await?;
    for part in group.members.chunks(STEP) {
        let members: Vec<ObjectId> = part.iter().map(|number| ids[*number].into()).collect();
        world
            .store()
            .write(move |tx| {
                members
                    .iter()
                    .try_for_each(|member| directory::add_member(tx, id, *member, ObjectKind::User, now).map(drop))
            })
            .await?;
    }
    Ok(())
}

/// Soft-deletes those who are in the recycle bin, now that they are members.
async fn recycle(world: &World, people: &[Person], ids: &[UserId]) -> Result<(), DirectoryError> {
    let deleted: Vec<UserId> = people.iter().filter(|person| person.deleted).map(|person| ids[person.index]).collect();
    let now = now();
    world
        .store()
        .write(move |tx| deleted.iter().try_for_each(|id| directory::delete_user(tx, *id, now).map(drop)))
        .await
}

/// A joiner, a mover and a leaver, in the directory and in the model of it.
pub async fn change(world: &World, model: &mut Model, ids: &[UserId]) -> Result<(), DirectoryError> {
    let joiner_groups = [ALL_STAFF.to_owned(), MANAGERS.to_owned(), department_group("Sales")];
    let (sales, support) = (department_group("Sales"), department_group("Support"));
    let number = model.people.len();
    model.people.push(Somebody { name: "joy.joiner@contoso.example".to_owned(), active: true });
    for group in &joiner_groups {
        model.groups.entry(group.clone()).or_default().insert(number);
    }
    model.groups.entry(sales.clone()).or_default().remove(&MOVER);
    model.groups.entry(support.clone()).or_default().insert(MOVER);
    model.people[LEAVER].active = false;
    let (joiner, mover, leaver, manager, now) = (new_id(), ids[MOVER], ids[LEAVER], ids[2], now());
    world
        .store()
        .write(move |tx| {
            join(tx, joiner, manager, &joiner_groups, now)?;
            let text = |value: &str| Some(Value::from(value));
            let changes = [
                ("department".to_owned(), text("Support")),
                ("jobTitle".to_owned(), text("Support Manager")),
                ("surname".to_owned(), text("Mover-Newname")),
                ("displayName".to_owned(), text("Mover-Newname")),
            ];
            directory::change_user(tx, mover, &changes, now)?;
            let (from, to) = (directory::find_group(tx, &sales)?.id, directory::find_group(tx, &support)?.id);
            directory::remove_member(tx, from, mover.into(), now)?;
            directory::add_member(tx, to, mover.into(), ObjectKind::User, now)?;
            directory::change_user(tx, leaver, &[("accountEnabled".to_owned(), Some(Value::Bool(false)))], now)
                .map(drop)
        })
        .await
}

fn join(
    tx: &mut WriteTx<'_>,
    id: UserId,
    manager: UserId,
    groups: &[String],
    now: jiff::Timestamp,
) -> Result<(), DirectoryError> {
    let mut draft = UserDraft::new("joy.joiner@contoso.example", "Joy Joiner")
        .with("givenName", "Joy")
        .with("surname", "Joiner")
        .with("mail", "joy.joiner@contoso.example")
        .with("department", "Sales")
        .with("jobTitle", "Sales Manager")
        .with("preferredLanguage", "en-GB");
    draft.manager = Some(manager);
    directory::create_user(tx, id, &draft, now)?;
    for name in groups {
        let group = directory::find_group(tx, name)?;
        directory::add_member(tx, group.id, id.into(), ObjectKind::User, now)?;
    }
    Ok(())
}
