//! What an application should hold, worked out from the directory alone, and the comparison with what it holds.

use std::collections::{BTreeMap, BTreeSet};

use directory::{Group, User};
use serde_json::{Value, json};
use store::{AppId, ObjectId, ReadTx, groups, users};

use crate::fake_target::Application;
use crate::world::{Job, World};

/// More than any organisation of a simulation has.
const ALL: u32 = 10_000;

/// The directory as far as it matters to one application.
struct Source {
    users: Vec<User>,
    /// Who is to have an account that is switched on.
    in_scope: BTreeSet<ObjectId>,
    /// Groups that are to be at the application, with their direct members.
    groups: Vec<(Group, BTreeSet<ObjectId>)>,
}

/// Fails with what is wrong first.
pub async fn compare(world: &World, job: &Job<'_>, unmanaged: &str) -> Result<(), String> {
    let app = job.app;
    let source = world.store.scan(move |tx| read(tx, app)).await.map_err(|error| error.to_string())?;
    job.target.with(|application| {
        robot_untouched(application, unmanaged)?;
        let ids = compare_users(&source, application, unmanaged)?;
        compare_managers(&source, application, &ids)?;
        compare_groups(&source, application, &ids)
    })
}

fn read(tx: &mut ReadTx<'_>, app: AppId) -> Result<Source, directory::DirectoryError> {
    let assigned: BTreeSet<ObjectId> =
        directory::assignments(tx, app, None, ALL)?.items.into_iter().map(|one| one.principal).collect();
    let mut entitled = assigned.clone();
    let mut provisioned = Vec::new();
    for id in groups::group_ids_after(tx, None, ALL)? {
        let Some(group) = directory::group(tx, id)? else { continue };
        if assigned.contains(&id.into()) && group.security_enabled && group.deleted.is_none() {
            let members: BTreeSet<ObjectId> =
                groups::members_after(tx, id, None, ALL)?.into_iter().map(|(member, _)| member).collect();
            entitled.extend(members.iter().copied());
            provisioned.push((group, members));
        }
    }
    let mut all = Vec::new();
    for id in users::user_ids_after(tx, None, ALL)? {
        all.extend(directory::user(tx, id)?);
    }
    let is_in = |user: &&User| entitled.contains(&user.id.into()) && user.account_enabled && user.deleted.is_none();
    let in_scope = all.iter().filter(is_in).map(|user| user.id.into()).collect();
    Ok(Source { users: all, in_scope, groups: provisioned })
}

fn robot_untouched(application: &Application, unmanaged: &str) -> Result<(), String> {
    let robot = application.users.get(unmanaged).map(|robot| Value::Object(robot.attributes.clone()));
    if robot == Some(json!({ "userName": "robot@contoso.com", "active": true })) {
        return Ok(());
    }
    Err(format!("the unmanaged account was touched: {robot:?}"))
}

/// Gives the ids of the accounts of people in scope.
fn compare_users(
    source: &Source,
    application: &Application,
    unmanaged: &str,
) -> Result<BTreeMap<ObjectId, String>, String> {
    let mut ids = BTreeMap::new();
    let mut enabled: BTreeSet<&String> = application
        .users
        .iter()
        .filter(|(_, user)| user.attributes.get("active") == Some(&json!(true)))
        .map(|(id, _)| id)
        .collect();
    enabled.retain(|id| *id != unmanaged);
    for user in source.users.iter().filter(|user| source.in_scope.contains(&user.id.into())) {
        let name = &user.user_principal_name;
        let id = application.user_id(name).ok_or_else(|| format!("{name} has no account"))?;
        if !enabled.remove(&id) {
            return Err(format!("the account of {name} is not switched on"));
        }
        let held = &application.users[&id].attributes;
        let surname = user.attribute("surname").unwrap_or_default();
        let given_name = user.attribute("givenName").unwrap_or_default();
        for (what, is, should) in [
            ("displayName", held["displayName"].clone(), user.display_name.as_str().into()),
            ("givenName", held["name"]["givenName"].clone(), given_name),
            ("familyName", held["name"]["familyName"].clone(), surname),
            ("title", held.get("title").cloned().unwrap_or_default(), user.attribute("jobTitle").unwrap_or_default()),
            ("mail", held["emails"][0]["value"].clone(), user.attribute("mail").unwrap_or_default()),
        ] {
            if is != should {
                return Err(format!("{what} of {name} is {is} and should be {should}"));
            }
        }
        ids.insert(user.id.into(), id);
    }
    if let Some(id) = enabled.first() {
        return Err(format!("{:?} is switched on and nobody's", application.users[*id].attributes.get("userName")));
    }
    Ok(ids)
}

fn compare_managers(
    source: &Source,
    application: &Application,
    ids: &BTreeMap<ObjectId, String>,
) -> Result<(), String> {
    for user in &source.users {
        let Some(id) = ids.get(&user.id.into()) else { continue };
        let enterprise = application.users[id].attributes.get(scim::ENTERPRISE_USER_URN);
        let is = enterprise.and_then(|held| held.get("manager")).map(|manager| manager["value"].clone());
        let should = user.manager.map(|manager| ids.get(&manager.into()).map(|id| Value::from(id.as_str())));
        let fits = match should {
            // A manager without an account that is switched on may or may not have one.
            Some(None) => true,
            Some(should) => is == should,
            None => is.is_none(),
        };
        if fits {
            continue;
        }
        return Err(format!("the manager of {} is {is:?}, not {:?}", user.user_principal_name, user.manager));
    }
    Ok(())
}

fn compare_groups(source: &Source, application: &Application, ids: &BTreeMap<ObjectId, String>) -> Result<(), String> {
    let mut left: BTreeSet<&String> = application.groups.keys().collect();
    for (group, members) in &source.groups {
        let name = &group.display_name;
        let id = application.group_id(name).ok_or_else(|| format!("the group {name} is missing"))?;
        left.remove(&id);
        let held = application.members.get(&id).cloned().unwrap_or_default();
        for (user, account) in ids {
            if members.contains(user) != held.contains(account) {
                return Err(format!(
                    "{user} ({account}) is in {name}: {}, the other way round at the application",
                    members.contains(user)
                ));
            }
        }
    }
    match left.first() {
        Some(id) => Err(format!("the group {:?} is nobody's", application.groups[*id].attributes.get("displayName"))),
        None => Ok(()),
    }
}
