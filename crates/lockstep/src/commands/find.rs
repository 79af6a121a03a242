//! Finding what a command names.

use anyhow::bail;
use directory::{Application, DirectoryError, Group, Principal, User, UserPlace, UserSearch};
use store::ReadTx;

use crate::world::World;

/// Users whose names begin the same that are looked at.
const SAME_BEGINNING_MAX: u32 = 10;

/// The application of that name or id.
pub async fn application(world: &World, name: &str) -> Result<Application, DirectoryError> {
    let name = name.to_owned();
    world.store().read(move |tx| directory::find_application(tx, &name)).await
}

/// The same, or the only one there is where none is named.
pub async fn application_or_only(world: &World, name: Option<&str>) -> anyhow::Result<Application> {
    if let Some(name) = name {
        return Ok(application(world, name).await?);
    }
    let mut all = world.store().read(directory::applications).await?;
    match (all.pop(), all.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => bail!("there is no application; add one with lockstep app add"),
        (Some(_), others) => bail!("there are {} applications; name one with --app", others + 1),
    }
}

/// The user of that `userPrincipalName` or object id, or else the only one whose name is that before the `@`, or else the soft-deleted one:
/// for commands that change nothing.
pub async fn user_by_any_name(world: &World, name: &str) -> Result<User, DirectoryError> {
    let name = name.to_owned();
    let find = move |tx: &mut ReadTx<'_>| match directory::find_user(tx, &name) {
        Err(absent @ DirectoryError::NotFound { .. }) if !name.contains('@') => {
            let before = format!("{}@", name.to_lowercase());
            let place = Some(UserPlace::Name(before.clone()));
            let mut found = directory::list_users(tx, &UserSearch::default(), place, SAME_BEGINNING_MAX)?.items;
            found.retain(|user| user.user_principal_name.to_lowercase().starts_with(&before));
            match (found.pop(), found.len()) {
                (Some(only), 0) => Ok(only),
                (Some(_), others) => {
                    Err(DirectoryError::Ambiguous { kind: "user", name: name.clone(), count: others + 1 })
                }
                (None, _) => directory::find_deleted_user(tx, &name).map_err(|error| rather(error, absent)),
            }
        }
        Err(absent @ DirectoryError::NotFound { .. }) => {
            directory::find_deleted_user(tx, &name).map_err(|error| rather(error, absent))
        }
        found => found,
    };
    world.store().read(find).await
}

/// Whoever is not among the soft-deleted is told of as not there at all; every other failure is told as it is.
fn rather(error: DirectoryError, absent: DirectoryError) -> DirectoryError {
    if matches!(error, DirectoryError::NotFound { .. }) { absent } else { error }
}

/// The user of that `userPrincipalName` or object id.
pub async fn user(world: &World, name: &str) -> Result<User, DirectoryError> {
    let name = name.to_owned();
    world.store().read(move |tx| directory::find_user(tx, &name)).await
}

/// The same, or else the soft-deleted one.
pub async fn user_or_deleted(world: &World, name: &str) -> Result<User, DirectoryError> {
    let name = name.to_owned();
    world
        .store()
        .read(move |tx| match directory::find_user(tx, &name) {
            Err(absent @ DirectoryError::NotFound { .. }) => {
                directory::find_deleted_user(tx, &name).map_err(|error| rather(error, absent))
            }
            found => found,
        })
        .await
}

/// The group of that `displayName` or object id.
pub async fn group(world: &World, name: &str) -> Result<Group, DirectoryError> {
    let name = name.to_owned();
    world.store().read(move |tx| directory::find_group(tx, &name)).await
}

/// The same, or else the soft-deleted one: for commands that change nothing.
pub async fn group_or_deleted(world: &World, name: &str) -> Result<Group, DirectoryError> {
    let name = name.to_owned();
    let find = move |tx: &mut ReadTx<'_>| match directory::find_group(tx, &name) {
        Err(absent @ DirectoryError::NotFound { .. }) => {
            directory::find_deleted_group(tx, &name).map_err(|error| rather(error, absent))
        }
        found => found,
    };
    world.store().read(find).await
}

/// The user or group of that name or object id.
pub async fn principal(world: &World, name: &str) -> Result<Principal, DirectoryError> {
    let name = name.to_owned();
    world.store().read(move |tx| directory::find_principal(tx, &name)).await
}
