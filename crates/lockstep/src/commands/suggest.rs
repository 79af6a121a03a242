//! What a command names that is not there: told with what was probably meant, or with where to look.

use directory::{AdminRole, DirectoryError, GroupSearch, UserSearch};
use mapping::nearest;
use provider::TenantError;
use store::ObjectKind;

use super::pages;
use crate::outcome::{sentence, usage};
use crate::world::World;

/// Users or groups that are looked at for a name like the one that was given.
const LOOKED_AT_MAX: u32 = 10_000;

/// The error, with the cure where it is about a name that nothing has.
pub async fn with_cure(error: anyhow::Error, world: &World) -> anyhow::Error {
    let wrong_use = is_wrong_use(&error);
    let told = told_with_cure(error, world).await;
    if wrong_use { usage(sentence(&told)) } else { told }
}

/// Whether a value was given that nothing in the data could make right: told from what failed by the exit code.
fn is_wrong_use(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let in_directory = cause.downcast_ref::<DirectoryError>().is_some_and(|error| {
            use DirectoryError::{Invalid, NotFound, UnknownAttribute};
            matches!(error, Invalid { .. } | UnknownAttribute { .. } | NotFound { kind: "admin role", .. })
        });
        let in_tenants = cause.downcast_ref::<TenantError>().is_some_and(|error| {
            use TenantError::{
                BadClientName, BadFederation, BadHost, BadName, BadPath, BadSecretDays, BadTokenMinutes, BadTokenName,
                UnknownProfile,
            };
            matches!(
                error,
                BadName(_)
                    | BadHost(_)
                    | BadPath(_)
                    | BadTokenName
                    | BadClientName
                    | BadTokenMinutes
                    | BadSecretDays
                    | BadFederation(_)
                    | UnknownProfile(_)
            )
        });
        in_directory || in_tenants
    })
}

async fn told_with_cure(error: anyhow::Error, world: &World) -> anyhow::Error {
    let cure = if let Some(missing) = error.chain().find_map(|cause| cause.downcast_ref::<DirectoryError>()) {
        in_directory(missing, world).await
    } else if let Some(missing) = error.chain().find_map(|cause| cause.downcast_ref::<TenantError>()) {
        in_tenants(missing, world).await
    } else {
        return error;
    };
    // The error itself is what counts: that its cure could not be looked up would only hide it.
    match cure {
        Ok(Some(cure)) => anyhow::anyhow!("{}; {cure}", sentence(&error)),
        Ok(None) | Err(_) => error,
    }
}

async fn in_directory(error: &DirectoryError, world: &World) -> anyhow::Result<Option<String>> {
    Ok(Some(match error {
        DirectoryError::NotFound { kind: "application", name } => {
            let applications = world.store().read(directory::applications).await?;
            let names: Vec<String> = applications.into_iter().map(|application| application.name).collect();
            meant(name, &names, "lockstep app list shows those there are")
        }
        DirectoryError::NotFound { kind: "admin role", name } => {
            let names: Vec<String> = AdminRole::ALL.iter().map(|role| role.name().to_owned()).collect();
            let all = format!("there are {}", names.join(", "));
            meant(name, &names, &all)
        }
        DirectoryError::NotFound { kind, name } => return principal(kind, name, world).await.map(Some),
        DirectoryError::UnknownAttribute { kind, name } => {
            let kind = if *kind == "group" { ObjectKind::Group } else { ObjectKind::User };
            let names: Vec<String> = directory::attribute_names(kind).map(str::to_owned).collect();
            let some = if kind == ObjectKind::Group {
                "groups have description, mail, securityEnabled and others"
            } else {
                "users have those of Entra, and extension_APPLICATION_NAME for what else there is"
            };
            meant(name, &names, some)
        }
        _ => return Ok(None),
    }))
}

/// A user or group that is not there: perhaps in the other state, perhaps of a like name.
async fn principal(kind: &str, name: &str, world: &World) -> anyhow::Result<String> {
    if let Some(cure) = in_other_state(kind, name, world).await? {
        return Ok(cure);
    }
    let deleted = kind.starts_with("soft-deleted");
    let mut names = Vec::new();
    if kind.contains("user") {
        names.extend(user_names(world, deleted).await?);
    }
    let local = |name: &str| name.split('@').next().unwrap_or_default().to_lowercase();
    if nearest(name, names.iter().map(String::as_str)).is_none()
        && let Some(same) = names.iter().find(|other| local(other) == local(name))
    {
        return Ok(did_you_mean(same));
    }
    if kind.contains("group") {
        names.extend(group_names(world, deleted).await?);
    }
    let command = if kind.contains("user") { "user" } else { "group" };
    let option = if deleted { "--deleted" } else { "--search TEXT" };
    Ok(meant(name, &names, &format!("lockstep {command} list {option} shows those there are")))
}

/// The cure where the object is there, but soft-deleted although it must not be, or the other way round.
async fn in_other_state(kind: &str, name: &str, world: &World) -> anyhow::Result<Option<String>> {
    let (kind, name) = (kind.to_owned(), name.to_owned());
    let found = world.store().read(move |tx| {
        let found = |found: bool, cure: &str| found.then(|| cure.to_owned());
        Ok::<_, DirectoryError>(match kind.as_str() {
            "soft-deleted user" => {
                found(directory::find_user(tx, &name).is_ok(), "the user of that name is not deleted")
            }
            "soft-deleted group" => {
                found(directory::find_group(tx, &name).is_ok(), "the group of that name is not deleted")
            }
            other => {
                let user = other.contains("user") && directory::find_deleted_user(tx, &name).is_ok();
                let group = other.contains("group") && directory::find_deleted_group(tx, &name).is_ok();
                found(user, "it is soft-deleted, and lockstep user restore brings it back")
                    .or_else(|| found(group, "it is soft-deleted, and lockstep group restore brings it back"))
            }
        })
    });
    Ok(found.await?)
}

async fn user_names(world: &World, deleted: bool) -> Result<Vec<String>, DirectoryError> {
    let search = UserSearch { deleted, ..UserSearch::default() };
    let listed =
        pages::read(world, LOOKED_AT_MAX, move |tx, after, step| directory::list_users(tx, &search, after, step));
    Ok(listed.await?.items.into_iter().map(|user| user.user_principal_name).collect())
}

async fn group_names(world: &World, deleted: bool) -> Result<Vec<String>, DirectoryError> {
    let search = GroupSearch { deleted, ..GroupSearch::default() };
    let listed =
        pages::read(world, LOOKED_AT_MAX, move |tx, after, step| directory::list_groups(tx, &search, after, step));
    Ok(listed.await?.items.into_iter().map(|group| group.display_name).collect())
}

async fn in_tenants(error: &TenantError, world: &World) -> anyhow::Result<Option<String>> {
    Ok(Some(match error {
        TenantError::NoSuchTenant(name) => {
            let tenants = world.store().read(provider::tenants).await?;
            let names: Vec<String> = tenants.into_iter().map(|tenant| tenant.name).collect();
            meant(name, &names, "lockstep tenant list shows those there are")
        }
        TenantError::NoSuchToken { tenant, token } => {
            let of = tenant.clone();
            let tokens = world.store().read(move |tx| provider::tokens(tx, &of)).await?;
            let live = tokens.into_iter().filter(|token| token.revoked.is_none());
            let names: Vec<String> = live.map(|token| token.name).collect();
            meant(token, &names, &format!("lockstep token list {tenant} shows those there are"))
        }
        TenantError::NoSuchClient { tenant, client } => {
            let of = tenant.clone();
            let clients = world.store().read(move |tx| provider::oauth::clients(tx, &of)).await?;
            let names: Vec<String> = clients.into_iter().map(|view| view.client.name).collect();
            meant(client, &names, &format!("lockstep tenant client list {tenant} shows those there are"))
        }
        _ => return Ok(None),
    }))
}

/// The name that was probably meant, or else where to look.
fn meant(written: &str, names: &[String], otherwise: &str) -> String {
    nearest(written, names.iter().map(String::as_str)).map_or_else(|| otherwise.to_owned(), did_you_mean)
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean {name:?}?")
}
