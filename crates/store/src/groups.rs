//! Groups of the directory and their direct members.

use jiff::Timestamp;

use crate::changes::ObjectKind;
use crate::error::StoreError;
use crate::id::{GroupId, ObjectId, above};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A group of the directory as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRecord {
    /// Entra's `objectId`.
    pub id: GroupId,
    /// `displayName`; not unique, as in Entra.
    pub display_name: String,
    /// `securityEnabled`: only such groups can be assigned to an application.
    pub security_enabled: bool,
    /// When the group was soft-deleted, if so.
    pub deleted: Option<Timestamp>,
    /// All other attributes as JSON text.
    pub doc: String,
    /// 1 when made, one more with each change.
    pub version: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

/// The columns that [`group`] reads, in its order.
macro_rules! columns {
    () => {
        "id, display_name, security_enabled, deleted, doc, version, created, modified"
    };
}

statements! {
    INSERT = "INSERT INTO directory_groups (id, display_name, name_key, security_enabled, deleted, doc, version, created, modified) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    UPDATE = "UPDATE directory_groups SET display_name = $2, name_key = $3, security_enabled = $4, deleted = $5, doc = $6, version = version + 1, modified = $7 WHERE id = $1";
    LOCK = "SELECT 1 FROM directory_groups WHERE id = $1", "SELECT 1::bigint FROM directory_groups WHERE id = $1 FOR UPDATE";
    DELETE = "DELETE FROM directory_groups WHERE id = $1";
    BY_ID = concat!("SELECT ", columns!(), " FROM directory_groups WHERE id = $1");
    BY_NAME = concat!("SELECT ", columns!(), " FROM directory_groups WHERE name_key = $1 ORDER BY id LIMIT $2");
    AFTER = concat!("SELECT ", columns!(), " FROM directory_groups WHERE (name_key, id) > ($1, $2) ORDER BY name_key, id LIMIT $3");
    DELETED_BEFORE = concat!("SELECT ", columns!(), " FROM directory_groups WHERE deleted < $1 ORDER BY deleted LIMIT $2");
    IDS_AFTER = "SELECT id FROM directory_groups WHERE id >= $1 ORDER BY id LIMIT $2";
    COUNT = "SELECT COUNT(*) FROM directory_groups WHERE deleted IS NULL";
    ADD_MEMBER = "INSERT INTO directory_members (group_id, member_id, kind) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    REMOVE_MEMBER = "DELETE FROM directory_members WHERE group_id = $1 AND member_id = $2";
    IS_MEMBER = "SELECT 1 FROM directory_members WHERE group_id = $1 AND member_id = $2";
    MEMBERS = "SELECT member_id, kind FROM directory_members WHERE group_id = $1 AND member_id >= $2 ORDER BY member_id LIMIT $3";
    GROUPS_OF = "SELECT group_id FROM directory_members WHERE member_id = $1 AND group_id >= $2 ORDER BY group_id LIMIT $3";
    LIVE_GROUPS_OF = "SELECT m.group_id FROM directory_members m JOIN directory_groups g ON g.id = m.group_id AND g.deleted IS NULL WHERE m.member_id = $1 LIMIT $2";
    NESTED_GROUPS_OF = "WITH RECURSIVE above (id) AS (
                          SELECT m.group_id FROM directory_members m JOIN directory_groups g ON g.id = m.group_id AND g.deleted IS NULL WHERE m.member_id = $1
                          UNION
                          SELECT m.group_id FROM above a JOIN directory_members m ON m.member_id = a.id JOIN directory_groups g ON g.id = m.group_id AND g.deleted IS NULL
                        ) SELECT id FROM above LIMIT $2";
}

fn group(row: &Row<'_>) -> Result<GroupRecord, StoreError> {
    Ok(GroupRecord {
        id: row.id(0)?,
        display_name: row.text(1)?,
        security_enabled: row.flag(2)?,
        deleted: row.opt_time(3)?,
        doc: row.text(4)?,
        version: row.int(5)?,
        created: row.time(6)?,
        modified: row.time(7)?,
    })
}

/// Stores a new group. `name_key` is the folded `displayName`.
pub fn insert_group(tx: &mut WriteTx<'_>, group: &GroupRecord, name_key: &str) -> Result<(), StoreError> {
    let values = params![
        group.id,
        &group.display_name,
        name_key,
        group.security_enabled,
        group.deleted,
        &group.doc,
        group.version,
        group.created,
        group.modified
    ];
    tx.run(&INSERT, values).map(drop)
}

/// Replaces a stored group and raises its version.
pub fn update_group(tx: &mut WriteTx<'_>, group: &GroupRecord, name_key: &str) -> Result<(), StoreError> {
    let values = params![
        group.id,
        &group.display_name,
        name_key,
        group.security_enabled,
        group.deleted,
        &group.doc,
        group.modified
    ];
    tx.run(&UPDATE, values).map(drop)
}

/// Holds a group against other writers until the transaction ends, so that what is read next is what is changed.
pub fn lock_group(tx: &mut WriteTx<'_>, id: GroupId) -> Result<(), StoreError> {
    tx.first(&LOCK, params![id], |_| Ok(())).map(drop)
}

/// Purges a group for good; its memberships must be gone. Says whether there was one.
pub fn delete_group(tx: &mut WriteTx<'_>, id: GroupId) -> Result<bool, StoreError> {
    Ok(tx.run(&DELETE, params![id])? > 0)
}

/// The group with that id, soft-deleted or not.
pub fn group_by_id(tx: &mut ReadTx<'_>, id: GroupId) -> Result<Option<GroupRecord>, StoreError> {
    tx.first(&BY_ID, params![id], group)
}

/// The groups of that folded `displayName`, soft-deleted ones too, `limit` at the most.
pub fn groups_by_name(tx: &mut ReadTx<'_>, name_key: &str, limit: u32) -> Result<Vec<GroupRecord>, StoreError> {
    tx.all(&BY_NAME, params![name_key, i64::from(limit)], group)
}

/// Groups with a folded name and id behind `after`, soft-deleted ones too, in the order of those, `limit` at the most.
pub fn groups_by_name_after(
    tx: &mut ReadTx<'_>,
    after: (&str, GroupId),
    limit: u32,
) -> Result<Vec<GroupRecord>, StoreError> {
    tx.all(&AFTER, params![after.0, after.1, i64::from(limit)], group)
}

/// Groups that were soft-deleted before a moment, `limit` at the most.
pub fn groups_deleted_before(
    tx: &mut ReadTx<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<GroupRecord>, StoreError> {
    tx.all(&DELETED_BEFORE, params![before, i64::from(limit)], group)
}

/// The ids of groups above `after`, soft-deleted ones too, in order, `limit` at the most.
pub fn group_ids_after(tx: &mut ReadTx<'_>, after: Option<GroupId>, limit: u32) -> Result<Vec<GroupId>, StoreError> {
    tx.all(&IDS_AFTER, params![above(after), i64::from(limit)], |row| row.id(0))
}

/// How many live groups there are.
pub fn count_groups(tx: &mut ReadTx<'_>) -> Result<u64, StoreError> {
    Ok(tx.first(&COUNT, &[], |row| row.int(0))?.unwrap_or(0).unsigned_abs())
}

/// Adds a direct member, a user or a group; says whether it was not one yet.
pub fn add_member(
    tx: &mut WriteTx<'_>,
    group: GroupId,
    member: ObjectId,
    kind: ObjectKind,
) -> Result<bool, StoreError> {
    Ok(tx.run(&ADD_MEMBER, params![group, member, kind.code()])? > 0)
}

/// Removes a direct member; says whether it was one.
pub fn remove_member(tx: &mut WriteTx<'_>, group: GroupId, member: ObjectId) -> Result<bool, StoreError> {
    Ok(tx.run(&REMOVE_MEMBER, params![group, member])? > 0)
}

/// Whether the object is a direct member of the group.
pub fn is_member(tx: &mut ReadTx<'_>, group: GroupId, member: ObjectId) -> Result<bool, StoreError> {
    Ok(tx.first(&IS_MEMBER, params![group, member], |_| Ok(()))?.is_some())
}

/// Direct members with an id above `after` and what they are, `limit` at the most.
pub fn members_after(
    tx: &mut ReadTx<'_>,
    group: GroupId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<(ObjectId, ObjectKind)>, StoreError> {
    tx.all(&MEMBERS, params![group, above(after), i64::from(limit)], |row| {
        Ok((row.id(0)?, ObjectKind::from_code(row.int(1)?)?))
    })
}

/// The groups that are not soft-deleted and have the object as a direct member, in no order, `limit` at the most.
pub fn live_groups_of(tx: &mut ReadTx<'_>, member: ObjectId, limit: u32) -> Result<Vec<GroupId>, StoreError> {
    tx.all(&LIVE_GROUPS_OF, params![member, i64::from(limit)], |row| row.id(0))
}

/// The groups that have the object as a member, directly or through other groups, each once and in no order, `limit` at the most. A group
/// that is soft-deleted counts for nothing, and what is above it is not reached through it.
pub fn nested_groups_of(tx: &mut ReadTx<'_>, member: ObjectId, limit: u32) -> Result<Vec<GroupId>, StoreError> {
    tx.all(&NESTED_GROUPS_OF, params![member, i64::from(limit)], |row| row.id(0))
}

/// Groups that the object is a direct member of, with an id above `after`, `limit` at the most.
pub fn groups_of(
    tx: &mut ReadTx<'_>,
    member: ObjectId,
    after: Option<GroupId>,
    limit: u32,
) -> Result<Vec<GroupId>, StoreError> {
    tx.all(&GROUPS_OF, params![member, above(after), i64::from(limit)], |row| row.id(0))
}

#[cfg(test)]
mod tests;
