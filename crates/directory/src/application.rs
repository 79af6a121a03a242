//! Applications, their app roles, and who is assigned to them. What is provisioned to them is decided elsewhere.

use jiff::Timestamp;
use store::applications as stored;
use store::{AppId, DIRECTORY_FEED, ObjectId, ObjectKind, ReadTx, RoleId, UserId, WriteTx, append_change, folded};

use crate::attribute::shown;
use crate::error::DirectoryError;
use crate::group::live_group;
use crate::page::Page;
use crate::principal::refuse_absent;
use crate::user::app_object;

#[cfg(test)]
mod tests;

pub use store::applications::{
    AppRecord as Application, AssignmentRecord as Assignment, EntitlementRecord as Entitlement, RoleRecord as AppRole,
};

/// The app role that every application has: its value and its display name.
pub const DEFAULT_ACCESS: &str = "Default Access";
/// The most characters of the name of an application or role.
pub const NAME_MAX: usize = 256;
/// The most app roles of an application.
pub const ROLES_MAX: usize = 1_000;
/// Roles of an application that a message names.
const ROLES_TOLD_MAX: usize = 20;

/// The role of an assignment that names none. Its id is the nil UUID, as in Entra.
pub fn default_access_role() -> AppRole {
    AppRole {
        id: RoleId::new(uuid::Uuid::nil()),
        value: DEFAULT_ACCESS.to_owned(),
        display_name: DEFAULT_ACCESS.to_owned(),
    }
}

/// Adds an application made from a gallery template, with [`DEFAULT_ACCESS`] and further app roles. A name that is taken
/// is [`DirectoryError::NotUnique`].
pub fn add_application(
    tx: &mut WriteTx<'_>,
    id: AppId,
    name: &str,
    template: &str,
    roles: &[AppRole],
    now: Timestamp,
) -> Result<Application, DirectoryError> {
    let key = free_name(tx, id, name)?;
    if stored::app_by_id(tx, id)?.is_some() {
        return Err(DirectoryError::NotUnique { kind: "application", attribute: "id", value: id.to_string() });
    }
    let all = all_roles(roles)?;
    let app = Application { id, name: name.to_owned(), template: template.to_owned(), created: now };
    stored::insert_app(tx, &app, &key)?;
    for role in &all {
        stored::insert_role(tx, id, role)?;
    }
    Ok(app)
}

/// The roles with [`DEFAULT_ACCESS`] among them; refuses two of one value or id.
fn all_roles(roles: &[AppRole]) -> Result<Vec<AppRole>, DirectoryError> {
    if roles.len() > ROLES_MAX {
        return Err(DirectoryError::invalid("appRoles", format!("are more than {ROLES_MAX}")));
    }
    let mut all = vec![default_access_role()];
    for role in roles {
        plain_name("appRole", &role.value)?;
        plain_name("appRole", &role.display_name)?;
        if *role == all[0] {
            continue;
        }
        if all.iter().any(|other| other.value == role.value || other.id == role.id) {
            return Err(DirectoryError::NotUnique { kind: "app role", attribute: "value", value: role.value.clone() });
        }
        all.push(role.clone());
    }
    Ok(all)
}

fn plain_name(attribute: &str, name: &str) -> Result<(), DirectoryError> {
    let problem = if name.trim().is_empty() {
        "cannot be empty".to_owned()
    } else if name.chars().count() > NAME_MAX {
        format!("can have {NAME_MAX} characters")
    } else if name.chars().any(char::is_control) {
        format!("{} holds a control character", shown(name))
    } else {
        return Ok(());
    };
    Err(DirectoryError::invalid(attribute, problem))
}

fn free_name(tx: &mut ReadTx<'_>, id: AppId, name: &str) -> Result<String, DirectoryError> {
    plain_name("displayName", name)?;
    let key = folded(name);
    match stored::app_by_name(tx, &key)? {
        Some(other) if other.id != id => {
            Err(DirectoryError::NotUnique { kind: "application", attribute: "displayName", value: name.to_owned() })
        }
        _ => Ok(key),
    }
}

/// The application with that id.
pub fn application(tx: &mut ReadTx<'_>, id: AppId) -> Result<Application, DirectoryError> {
    stored::app_by_id(tx, id)?.ok_or_else(|| DirectoryError::not_found("application", &id))
}

/// The application with that name, without case, or that id.
pub fn find_application(tx: &mut ReadTx<'_>, name: &str) -> Result<Application, DirectoryError> {
    let found = match name.parse::<AppId>() {
        Ok(id) => stored::app_by_id(tx, id)?,
        Err(_) if name.contains('\0') => None,
        Err(_) => stored::app_by_name(tx, &folded(name))?,
    };
    found.ok_or_else(|| DirectoryError::not_found("application", name))
}

/// All applications by name.
pub fn applications(tx: &mut ReadTx<'_>) -> Result<Vec<Application>, DirectoryError> {
    Ok(stored::apps(tx)?)
}

/// Gives an application another name. A name that is taken is [`DirectoryError::NotUnique`].
pub fn rename_application(
    tx: &mut WriteTx<'_>,
    id: AppId,
    name: &str,
    now: Timestamp,
) -> Result<Application, DirectoryError> {
    let app = application(tx, id)?;
    let key = free_name(tx, id, name)?;
    stored::rename_app(tx, id, name, &key, now)?;
    Ok(Application { name: name.to_owned(), ..app })
}

/// Removes an application with its roles, assignments and job. Accounts at the target stay as they are.
pub fn remove_application(tx: &mut WriteTx<'_>, id: AppId) -> Result<(), DirectoryError> {
    if stored::delete_app(tx, id)? { Ok(()) } else { Err(DirectoryError::not_found("application", &id)) }
}

/// The app roles of an application, by value.
pub fn app_roles(tx: &mut ReadTx<'_>, app: AppId) -> Result<Vec<AppRole>, DirectoryError> {
    Ok(stored::roles(tx, app)?)
}

/// Gives an application one more app role. A value that is taken is [`DirectoryError::NotUnique`].
pub fn add_app_role(tx: &mut WriteTx<'_>, app: AppId, role: &AppRole) -> Result<(), DirectoryError> {
    application(tx, app)?;
    let mut roles = app_roles(tx, app)?;
    roles.retain(|other| *other != default_access_role());
    roles.push(role.clone());
    all_roles(&roles)?;
    Ok(stored::insert_role(tx, app, role)?)
}

/// Takes an app role, named by value or display name, from an application. Refuses [`DEFAULT_ACCESS`], and a role that
/// somebody is assigned with.
pub fn remove_app_role(tx: &mut WriteTx<'_>, app: AppId, name: &str) -> Result<AppRole, DirectoryError> {
    application(tx, app)?;
    let role = role_named(tx, app, Some(name))?;
    if role.id == default_access_role().id {
        return Err(DirectoryError::NotAllowed(format!("every application has the role {DEFAULT_ACCESS}; it stays")));
    }
    if !stored::delete_unused_role(tx, app, role.id)? {
        return Err(DirectoryError::NotAllowed(format!(
            "users or groups are assigned with the role {:?}; lockstep app assignments shows them, unassign them first",
            role.value
        )));
    }
    Ok(role)
}

/// The role of that value, or else that display name, without case; [`DEFAULT_ACCESS`] where none is named.
pub fn role_named(tx: &mut ReadTx<'_>, app: AppId, name: Option<&str>) -> Result<AppRole, DirectoryError> {
    let Some(name) = name else { return Ok(default_access_role()) };
    let key = folded(name);
    let mut roles = stored::roles(tx, app)?;
    let found = roles
        .iter()
        .position(|role| role.value == name)
        .or_else(|| roles.iter().position(|role| folded(&role.value) == key))
        .or_else(|| roles.iter().position(|role| folded(&role.display_name) == key));
    if let Some(position) = found {
        return Ok(roles.swap_remove(position));
    }
    let values: Vec<&str> = roles.iter().take(ROLES_TOLD_MAX).map(|role| role.value.as_str()).collect();
    let more = if roles.len() > ROLES_TOLD_MAX { ", …" } else { "" };
    Err(DirectoryError::UnknownRole { name: name.to_owned(), known: values.join(", ") + more })
}

/// Assigns a user or group with an app role, named by value or display name; says whether that is new. Refuses
/// principals that are soft-deleted and groups that are not security groups. A user may be assigned with several roles.
pub fn assign(
    tx: &mut WriteTx<'_>,
    app: AppId,
    principal: ObjectId,
    kind: ObjectKind,
    role: Option<&str>,
    now: Timestamp,
) -> Result<bool, DirectoryError> {
    application(tx, app)?;
    refuse_absent(tx, principal, kind)?;
    if kind == ObjectKind::Group {
        let group = live_group(tx, principal.group())?;
        if !group.security_enabled {
            return Err(DirectoryError::NotAllowed(format!(
                "the group {:?} is not a security group; set its securityEnabled to true first",
                group.display_name
            )));
        }
    }
    let role = role_named(tx, app, role)?;
    let added = stored::assign(tx, app, principal, kind, role.id, now)?;
    if added {
        append_change(tx, DIRECTORY_FEED, ObjectKind::Assignment, principal, Some(app_object(app)), now)?;
    }
    Ok(added)
}

/// Ends the assignments of a user or group, or only the one with that role; says whether there was one.
pub fn unassign(
    tx: &mut WriteTx<'_>,
    app: AppId,
    principal: ObjectId,
    role: Option<&str>,
    now: Timestamp,
) -> Result<bool, DirectoryError> {
    application(tx, app)?;
    let role = match role {
        Some(_) => Some(role_named(tx, app, role)?.id),
        None => None,
    };
    let ended = stored::unassign(tx, app, principal, role)? > 0;
    if ended {
        append_change(tx, DIRECTORY_FEED, ObjectKind::Assignment, principal, Some(app_object(app)), now)?;
    }
    Ok(ended)
}

/// Assignments whose principal has an id above `after`, in the order of those ids. A page holds all roles of each
/// principal in it, hence `limit` assignments or, where one principal has more roles than that, as many as it has.
pub fn assignments(
    tx: &mut ReadTx<'_>,
    app: AppId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Page<Assignment, ObjectId>, DirectoryError> {
    let mut items = stored::assignments_after(tx, app, after, limit)?;
    if items.len() < limit as usize {
        return Ok(Page { items, next: None });
    }
    let Some(last) = items.last().map(|one| one.principal) else { return Ok(Page { items, next: None }) };
    if items.iter().all(|one| one.principal == last) {
        let most = u32::try_from(ROLES_MAX + 1).unwrap_or(u32::MAX);
        items = stored::assignments_after(tx, app, after, limit.saturating_add(most))?;
        items.retain(|one| one.principal == last);
    } else {
        items.retain(|one| one.principal != last);
    }
    let next = items.last().map(|one| one.principal);
    Ok(Page { items, next })
}

/// The roles a user has in an application: its own first, then those of its security groups, each by value. Nested
/// groups give none.
pub fn entitlements(tx: &mut ReadTx<'_>, app: AppId, user: UserId) -> Result<Vec<Entitlement>, DirectoryError> {
    Ok(stored::entitlements(tx, app, user)?)
}
