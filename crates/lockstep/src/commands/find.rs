//! Finding what a command names.

use directory::{Application, DirectoryError, Group, Principal, User};

use crate::world::World;

/// The application of that name or id.
pub async fn application(world: &World, name: &str) -> Result<Application, DirectoryError> {
    let name = name.to_owned();
    world.store().read(move |tx| directory::find_application(tx, &name)).await
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
                directory::find_deleted_user(tx, &name).map_err(|_| absent)
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

/// The user or group of that name or object id.
pub async fn principal(world: &World, name: &str) -> Result<Principal, DirectoryError> {
    let name = name.to_owned();
    world.store().read(move |tx| directory::find_principal(tx, &name)).await
}
