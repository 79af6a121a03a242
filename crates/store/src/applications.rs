//! Applications of the directory, their app roles, who is assigned to them, and admin roles.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::changes::ObjectKind;
use crate::error::StoreError;
use crate::id::{AppId, ObjectId, RoleId, UserId, above};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// An application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRecord {
    /// Its id.
    pub id: AppId,
    /// Its display name; unique without case.
    pub name: String,
    /// The gallery template it was added from.
    pub template: String,
    /// When it was added.
    pub created: Timestamp,
}

/// An app role of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRecord {
    /// Its id.
    pub id: RoleId,
    /// The value that is provisioned.
    pub value: String,
    /// The name that people see.
    pub display_name: String,
}

/// An assignment of a user or group to an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRecord {
    /// Who is assigned.
    pub principal: ObjectId,
    /// Whether that is a user or a group.
    pub kind: ObjectKind,
    /// With which role.
    pub role: RoleRecord,
}

/// A role that a user has in an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementRecord {
    /// The role.
    pub role: RoleRecord,
    /// Whether the user is assigned, rather than one of the user's groups.
    pub direct: bool,
    /// Who is assigned: the user, or that group.
    pub principal: ObjectId,
}

statements! {
    INSERT = "INSERT INTO applications (id, name, name_key, template, created, modified) VALUES ($1, $2, $3, $4, $5, $5)";
    BY_NAME = "SELECT id, name, template, created FROM applications WHERE name_key = $1";
    BY_ID = "SELECT id, name, template, created FROM applications WHERE id = $1";
    ALL_APPS = "SELECT id, name, template, created FROM applications ORDER BY name_key";
    RENAME = "UPDATE applications SET name = $2, name_key = $3, modified = $4 WHERE id = $1";
    DELETE = "DELETE FROM applications WHERE id = $1";
    INSERT_ROLE = "INSERT INTO app_roles (app, id, value, display_name) VALUES ($1, $2, $3, $4)";
    ROLES = "SELECT id, value, display_name FROM app_roles WHERE app = $1 ORDER BY value";
    DELETE_UNUSED_ROLE = "DELETE FROM app_roles WHERE app = $1 AND id = $2 AND NOT EXISTS (SELECT 1 FROM assignments WHERE app = $1 AND role = $2)";
    ASSIGN = "INSERT INTO assignments (app, principal, kind, role, created) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    UNASSIGN = "DELETE FROM assignments WHERE app = $1 AND principal = $2";
    UNASSIGN_ROLE = "DELETE FROM assignments WHERE app = $1 AND principal = $2 AND role = $3";
    ASSIGNMENTS = "SELECT a.principal, a.kind, r.id, r.value, r.display_name FROM assignments a JOIN app_roles r ON r.app = a.app AND r.id = a.role WHERE a.app = $1 AND a.principal >= $2 ORDER BY a.principal LIMIT $3";
    APPS_OF = "SELECT app FROM assignments WHERE principal = $1 GROUP BY app";
    IS_ASSIGNED = "SELECT 1 FROM assignments WHERE app = $1 AND principal = $2 LIMIT 1";
    ENTITLEMENTS = "SELECT r.id, r.value, r.display_name, 1, a.principal FROM assignments a JOIN app_roles r ON r.app = a.app AND r.id = a.role WHERE a.app = $1 AND a.principal = $2
                    UNION ALL
                    SELECT r.id, r.value, r.display_name, 0, a.principal FROM directory_members m
                    JOIN directory_groups g ON g.id = m.group_id AND g.deleted IS NULL AND g.security_enabled = 1
                    JOIN assignments a ON a.app = $1 AND a.principal = m.group_id
                    JOIN app_roles r ON r.app = a.app AND r.id = a.role WHERE m.member_id = $2
                    ORDER BY 4 DESC, 2, 5",
                   "SELECT r.id, r.value, r.display_name, 1::bigint, a.principal FROM assignments a JOIN app_roles r ON r.app = a.app AND r.id = a.role WHERE a.app = $1 AND a.principal = $2
                    UNION ALL
                    SELECT r.id, r.value, r.display_name, 0::bigint, a.principal FROM directory_members m
                    JOIN directory_groups g ON g.id = m.group_id AND g.deleted IS NULL AND g.security_enabled = 1
                    JOIN assignments a ON a.app = $1 AND a.principal = m.group_id
                    JOIN app_roles r ON r.app = a.app AND r.id = a.role WHERE m.member_id = $2
                    ORDER BY 4 DESC, 2, 5";
    GRANT = "INSERT INTO admin_roles (user_id, role, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    REVOKE = "DELETE FROM admin_roles WHERE user_id = $1 AND role = $2";
    ADMINS = "SELECT user_id, role FROM admin_roles ORDER BY role, user_id LIMIT $1";
    ADMIN_ROLES = "SELECT role FROM admin_roles WHERE user_id = $1 ORDER BY role";
}

fn app(row: &Row<'_>) -> Result<AppRecord, StoreError> {
    Ok(AppRecord { id: row.id(0)?, name: row.text(1)?, template: row.text(2)?, created: row.time(3)? })
}

fn role(row: &Row<'_>, first: usize) -> Result<RoleRecord, StoreError> {
    Ok(RoleRecord { id: row.id(first)?, value: row.text(first + 1)?, display_name: row.text(first + 2)? })
}

/// Adds an application. A name that is taken is [`StoreError::NotUnique`].
pub fn insert_app(tx: &mut WriteTx<'_>, app: &AppRecord, name_key: &str) -> Result<(), StoreError> {
    tx.run(&INSERT, params![app.id, &app.name, name_key, &app.template, app.created]).map(drop)
}

/// The application of that folded name.
pub fn app_by_name(tx: &mut ReadTx<'_>, name_key: &str) -> Result<Option<AppRecord>, StoreError> {
    tx.first(&BY_NAME, params![name_key], app)
}

/// The application with that id.
pub fn app_by_id(tx: &mut ReadTx<'_>, id: AppId) -> Result<Option<AppRecord>, StoreError> {
    tx.first(&BY_ID, params![id], app)
}

/// All applications by name.
pub fn apps(tx: &mut ReadTx<'_>) -> Result<Vec<AppRecord>, StoreError> {
    tx.all(&ALL_APPS, &[], app)
}

/// Gives an application another name.
pub fn rename_app(
    tx: &mut WriteTx<'_>,
    id: AppId,
    name: &str,
    name_key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&RENAME, params![id, name, name_key, now]).map(drop)
}

/// Removes an application with its roles, assignments and job.
pub fn delete_app(tx: &mut WriteTx<'_>, id: AppId) -> Result<bool, StoreError> {
    Ok(tx.run(&DELETE, params![id])? > 0)
}

/// Adds an app role.
pub fn insert_role(tx: &mut WriteTx<'_>, app: AppId, role: &RoleRecord) -> Result<(), StoreError> {
    tx.run(&INSERT_ROLE, params![app, role.id, &role.value, &role.display_name]).map(drop)
}

/// Removes an app role unless somebody is assigned with it; says whether it is gone.
pub fn delete_unused_role(tx: &mut WriteTx<'_>, app: AppId, role: RoleId) -> Result<bool, StoreError> {
    Ok(tx.run(&DELETE_UNUSED_ROLE, params![app, role])? > 0)
}

/// The app roles of an application, by value.
pub fn roles(tx: &mut ReadTx<'_>, app: AppId) -> Result<Vec<RoleRecord>, StoreError> {
    tx.all(&ROLES, params![app], |row| role(row, 0))
}

/// Assigns a user or group; says whether that is new.
pub fn assign(
    tx: &mut WriteTx<'_>,
    app: AppId,
    principal: ObjectId,
    kind: ObjectKind,
    role: RoleId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.run(&ASSIGN, params![app, principal, kind.code(), role, now])? > 0)
}

/// Ends the assignments of a user or group, or only the one with `role`; gives how many ended.
pub fn unassign(
    tx: &mut WriteTx<'_>,
    app: AppId,
    principal: ObjectId,
    role: Option<RoleId>,
) -> Result<u64, StoreError> {
    match role {
        Some(role) => tx.run(&UNASSIGN_ROLE, params![app, principal, role]),
        None => tx.run(&UNASSIGN, params![app, principal]),
    }
}

/// Assignments of an application whose principal has an id above `after`, `limit` at the most.
pub fn assignments_after(
    tx: &mut ReadTx<'_>,
    app: AppId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<AssignmentRecord>, StoreError> {
    tx.all(&ASSIGNMENTS, params![app, above(after), i64::from(limit)], |row| {
        Ok(AssignmentRecord { principal: row.id(0)?, kind: ObjectKind::from_code(row.int(1)?)?, role: role(row, 2)? })
    })
}

/// The applications to which a user or group is assigned itself.
pub fn apps_of(tx: &mut ReadTx<'_>, principal: ObjectId) -> Result<Vec<AppId>, StoreError> {
    tx.all(&APPS_OF, params![principal], |row| row.id(0))
}

/// Whether the user or group itself is assigned to the application.
pub fn is_assigned(tx: &mut ReadTx<'_>, app: AppId, principal: ObjectId) -> Result<bool, StoreError> {
    Ok(tx.first(&IS_ASSIGNED, params![app, principal], |_| Ok(()))?.is_some())
}

/// The roles a user has in an application: its own first, then those of its groups, each by value. Nested groups give none.
/// A role that comes in several ways is there once, as the user's own where it is that too, or else of the first of those groups by id.
pub fn entitlements(tx: &mut ReadTx<'_>, app: AppId, user: UserId) -> Result<Vec<EntitlementRecord>, StoreError> {
    let mut found = ways_in(tx, app, user.into())?;
    let mut seen = HashSet::new();
    found.retain(|one| seen.insert(one.role.id));
    Ok(found)
}

/// Every assignment by which a user or group has a role in an application, its own first, then those of its groups, each by value. A role
/// that comes in several ways is there as often.
pub fn ways_in(tx: &mut ReadTx<'_>, app: AppId, principal: ObjectId) -> Result<Vec<EntitlementRecord>, StoreError> {
    tx.all(&ENTITLEMENTS, params![app, principal], |row| {
        Ok(EntitlementRecord { role: role(row, 0)?, direct: row.flag(3)?, principal: row.id(4)? })
    })
}

/// Gives a user an admin role, by its Entra name.
pub fn grant_admin_role(tx: &mut WriteTx<'_>, user: UserId, role: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.run(&GRANT, params![user, role, now])? > 0)
}

/// Takes an admin role from a user.
pub fn revoke_admin_role(tx: &mut WriteTx<'_>, user: UserId, role: &str) -> Result<bool, StoreError> {
    Ok(tx.run(&REVOKE, params![user, role])? > 0)
}

/// The admin roles of a user.
pub fn admin_roles(tx: &mut ReadTx<'_>, user: UserId) -> Result<Vec<String>, StoreError> {
    tx.all(&ADMIN_ROLES, params![user], |row| row.text(0))
}

/// Everybody's admin roles, by role, `limit` at the most.
pub fn admins(tx: &mut ReadTx<'_>, limit: u32) -> Result<Vec<(UserId, String)>, StoreError> {
    tx.all(&ADMINS, params![i64::from(limit)], |row| Ok((row.id(0)?, row.text(1)?)))
}
