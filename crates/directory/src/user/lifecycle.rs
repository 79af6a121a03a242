//! How users leave: soft deletion, restoring, purging.

use jiff::{SignedDuration, Timestamp};
use store::users as stored;
use store::{AppId, DIRECTORY_FEED, GroupId, ObjectId, ObjectKind, UserId, WriteTx, append_change};
use store::{applications, groups};

use super::search::live_user;
use super::{User, changed, name_key, refuse_taken_name, user};
use crate::error::DirectoryError;

/// Days for which a soft-deleted user or group can be restored, as in Entra.
pub const SOFT_DELETE_DAYS: i64 = 30;
/// Rows handled at a time while an object is purged.
const STEP: u32 = 500;

/// Soft-deletes a user: it keeps its memberships and assignments, frees its name and can be restored for
/// [`SOFT_DELETE_DAYS`].
pub fn delete_user(tx: &mut WriteTx<'_>, id: UserId, now: Timestamp) -> Result<User, DirectoryError> {
    stored::lock_user(tx, id)?;
    let mut user = live_user(tx, id)?;
    user.deleted = Some(now);
    write(tx, user, None, now)
}

/// Restores a soft-deleted user. [`DirectoryError::NotUnique`] where the name was given to somebody else meanwhile.
pub fn restore_user(tx: &mut WriteTx<'_>, id: UserId, now: Timestamp) -> Result<User, DirectoryError> {
    stored::lock_user(tx, id)?;
    let mut user = deleted_user(tx, id)?;
    let key = name_key(&user.user_principal_name)?;
    refuse_taken_name(tx, &user, &key)?;
    user.deleted = None;
    write(tx, user, Some(&key), now)
}

fn write(tx: &mut WriteTx<'_>, mut user: User, key: Option<&str>, now: Timestamp) -> Result<User, DirectoryError> {
    user.version += 1;
    user.modified = now;
    stored::update_user(tx, &user.record()?, key)?;
    changed(tx, user.id, now)?;
    Ok(user)
}

fn deleted_user(tx: &mut WriteTx<'_>, id: UserId) -> Result<User, DirectoryError> {
    match user(tx, id)? {
        Some(user) if user.deleted.is_some() => Ok(user),
        Some(_) => Err(DirectoryError::NotAllowed(format!("user {id} is not soft-deleted; delete it first"))),
        None => Err(DirectoryError::not_found("user", &id)),
    }
}

/// Removes a soft-deleted user for good, with its memberships, assignments and admin roles; people it managed have no
/// manager then. The feed tells of each.
pub fn purge_user(tx: &mut WriteTx<'_>, id: UserId, now: Timestamp) -> Result<(), DirectoryError> {
    stored::lock_user(tx, id)?;
    deleted_user(tx, id)?;
    leave_all(tx, id.into(), now)?;
    for role in applications::admin_roles(tx, id)? {
        applications::revoke_admin_role(tx, id, &role)?;
    }
    let mut after = None;
    loop {
        let reports = stored::reports_of(tx, id, after, STEP)?;
        let Some(last) = reports.last().copied() else { break };
        for report in reports {
            if let Some(mut report) = user(tx, report)? {
                report.manager = None;
                let key = if report.deleted.is_none() { Some(name_key(&report.user_principal_name)?) } else { None };
                write(tx, report, key.as_deref(), now)?;
            }
        }
        after = Some(last);
    }
    stored::delete_user(tx, id)?;
    changed(tx, id, now)
}

/// Ends all direct memberships and assignments of a user or group.
pub(crate) fn leave_all(tx: &mut WriteTx<'_>, id: ObjectId, now: Timestamp) -> Result<(), DirectoryError> {
    let mut after: Option<GroupId> = None;
    loop {
        let holders = groups::groups_of(tx, id, after, STEP)?;
        let Some(last) = holders.last().copied() else { break };
        for group in holders {
            groups::remove_member(tx, group, id)?;
            append_change(tx, DIRECTORY_FEED, ObjectKind::Membership, group.into(), Some(id), now)?;
        }
        after = Some(last);
    }
    for app in applications::apps_of(tx, id)? {
        applications::unassign(tx, app, id, None)?;
        append_change(tx, DIRECTORY_FEED, ObjectKind::Assignment, id, Some(app_object(app)), now)?;
    }
    Ok(())
}

/// An application's id where the feed names the other end of an assignment.
pub(crate) const fn app_object(app: AppId) -> ObjectId {
    ObjectId::new(app.uuid())
}

/// What [`purge_expired`] removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Users removed for good.
    pub users: Vec<UserId>,
    /// Groups removed for good.
    pub groups: Vec<GroupId>,
}

/// Purges users and groups that were soft-deleted more than [`SOFT_DELETE_DAYS`] ago, `limit` of each at the most;
/// callers call again until nothing is purged.
pub fn purge_expired(tx: &mut WriteTx<'_>, now: Timestamp, limit: u32) -> Result<Purged, DirectoryError> {
    let before = now.checked_sub(SignedDuration::from_hours(24 * SOFT_DELETE_DAYS)).unwrap_or(Timestamp::MIN);
    let mut purged = Purged::default();
    for user in stored::users_deleted_before(tx, before, limit)? {
        purge_user(tx, user.id, now)?;
        purged.users.push(user.id);
    }
    for group in groups::groups_deleted_before(tx, before, limit)? {
        crate::group::purge_group(tx, group.id, now)?;
        purged.groups.push(group.id);
    }
    Ok(purged)
}
