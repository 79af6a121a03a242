//! Memberships of a tenant's groups: a row per member, so that adding one touches one row whatever the size of the group.
//!
//! What is asked of all members of a group names the group to PostgreSQL as a range of one, in whose order only the primary key is. Where
//! most rows are of one large group, the planner takes equality for a condition that nearly every row meets: it would look through the
//! whole table, or through the members of all groups, also for those of a small group. For the same reason a group is joined by a query of
//! its own: where the planner takes a tenant for one of few groups, it would go through all of them for each.

use std::collections::BTreeSet;

use crate::error::StoreError;
use crate::id::{ResourceId, TenantKey, above};
use crate::resources::ResourceKind;
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// The member's id.
    pub id: ResourceId,
    /// What the member is.
    pub kind: ResourceKind,
    /// The `display` it was added with.
    pub display: Option<String>,
}

/// A group that a resource is a direct member of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOfMember {
    /// The group's id.
    pub id: ResourceId,
    /// The group's document.
    pub doc: String,
}

statements! {
    ADD = "INSERT INTO members (tenant, group_id, member_id, kind, display) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    REMOVE = "DELETE FROM members WHERE tenant = $1 AND group_id = $2 AND member_id = $3";
    CLEAR = "DELETE FROM members WHERE tenant = $1 AND group_id = $2",
            "DELETE FROM members WHERE tenant = $1 AND group_id >= $2 AND group_id <= $2";
    LEAVE = "DELETE FROM members WHERE tenant = $1 AND member_id = $2 AND group_id >= $4 AND group_id <= $5
             AND group_id IN (SELECT unhex(value, '-') FROM json_each($3))",
            "DELETE FROM members WHERE tenant = $1 AND member_id = $2 AND group_id >= $4 AND group_id <= $5
             AND group_id = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($3::text::json)))";
    LEAVE_ALL = "DELETE FROM members WHERE tenant = $1 AND member_id = $2";
    ADD_ALL = "INSERT INTO members (tenant, group_id, member_id, kind, display) SELECT $1, $2, unhex(value ->> 0, '-'), value ->> 1, value ->> 2
               FROM json_each($3) WHERE TRUE ON CONFLICT DO NOTHING RETURNING member_id",
              "INSERT INTO members (tenant, group_id, member_id, kind, display) SELECT $1, $2, (value ->> 0)::uuid, (value ->> 1)::bigint, value ->> 2
               FROM json_array_elements($3::text::json) ON CONFLICT DO NOTHING RETURNING member_id";
    REMOVE_ALL = "DELETE FROM members WHERE tenant = $1 AND group_id = $2 AND member_id IN (SELECT unhex(value, '-') FROM json_each($3)) RETURNING member_id",
                 "DELETE FROM members WHERE tenant = $1 AND group_id = $2
                  AND member_id = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($3::text::json))) RETURNING member_id";
    SOME = "SELECT member_id, kind, display FROM members WHERE tenant = $1 AND group_id = $2 AND member_id IN (SELECT unhex(value, '-') FROM json_each($3)) ORDER BY member_id",
           "SELECT member_id, kind, display FROM members WHERE tenant = $1 AND group_id = $2
            AND member_id = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($3::text::json))) ORDER BY member_id";
    HOLD_GROUPS_OF = "SELECT 1 WHERE $1 IS NULL AND $2 IS NULL AND $3 IS NULL",
                     "SELECT g.id FROM ((SELECT m.group_id AS id FROM members m WHERE m.tenant = $1 AND m.member_id = $2
                                        AND NOT EXISTS (SELECT 1 FROM emptied_groups e WHERE e.tenant = $1 AND e.group_id = m.group_id)
                                        ORDER BY m.group_id LIMIT $3) UNION ALL SELECT $2::uuid ORDER BY 1) m
                      CROSS JOIN LATERAL (SELECT id FROM resources WHERE tenant = $1 AND kind = 2 AND id = m.id FOR NO KEY UPDATE) g";
    HOLD_FREE = "SELECT 1 WHERE $1 IS NULL AND $2 IS NULL",
                "SELECT id FROM resources WHERE tenant = $1 AND kind = 2
                 AND id = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($2::text::json))) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED";
    COUNT_UP_TO = "SELECT COUNT(*) FROM (SELECT 1 FROM members WHERE tenant = $1 AND group_id = $2 LIMIT $3) AS counted",
                  "SELECT COUNT(*) FROM (SELECT 1 FROM members WHERE tenant = $1 AND group_id >= $2 AND group_id <= $2 ORDER BY group_id, member_id LIMIT $3) AS counted";
    IS_MEMBER = "SELECT 1 FROM members WHERE tenant = $1 AND group_id = $2 AND member_id = $3";
    MEMBERS = "SELECT member_id, kind, display FROM members WHERE tenant = $1 AND group_id = $2 AND member_id >= $3 ORDER BY member_id LIMIT $4",
              "SELECT member_id, kind, display FROM members WHERE tenant = $1 AND group_id <= $2 AND (group_id, member_id) >= ($2, $3) ORDER BY group_id, member_id LIMIT $4";
    GROUP_IDS_OF = "SELECT m.group_id FROM members m WHERE m.tenant = $1 AND m.member_id = $2 AND m.group_id >= $3
                    AND NOT EXISTS (SELECT 1 FROM emptied_groups e WHERE e.tenant = $1 AND e.group_id = m.group_id)
                    ORDER BY m.group_id LIMIT $4";
    MEMBER_IDS_OF = "SELECT m.member_id FROM members m WHERE m.tenant = $1 AND m.group_id = $2 AND m.kind = $3 AND m.member_id >= $4
                     AND NOT EXISTS (SELECT 1 FROM emptied_groups e WHERE e.tenant = $1 AND e.group_id = $2)
                     ORDER BY m.member_id LIMIT $5";
    IS_IN = "SELECT 1 FROM members m WHERE m.tenant = $1 AND m.group_id = $2 AND m.member_id = $3
             AND NOT EXISTS (SELECT 1 FROM emptied_groups e WHERE e.tenant = $1 AND e.group_id = $2)";
    GROUP_IDS_OF_ALL = "SELECT member_id, group_id FROM members WHERE tenant = $1 AND member_id IN (SELECT unhex(value, '-') FROM json_each($2))
                        ORDER BY member_id, group_id LIMIT $3",
                       "SELECT member_id, group_id FROM members WHERE tenant = $1 AND member_id = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($2::text::json)))
                        ORDER BY member_id, group_id LIMIT $3";
    GROUPS_OF = "SELECT g.id, g.doc FROM members m JOIN resources g ON g.tenant = m.tenant AND g.kind = 2 AND g.id = m.group_id
                 WHERE m.tenant = $1 AND m.member_id = $2 AND m.group_id >= $3 ORDER BY m.group_id LIMIT $4",
                "SELECT m.group_id, g.doc FROM members m
                 CROSS JOIN LATERAL (SELECT doc FROM resources WHERE tenant = $1 AND kind = 2 AND id = m.group_id LIMIT 1) g
                 WHERE m.tenant = $1 AND m.member_id = $2 AND m.group_id >= $3 ORDER BY m.group_id LIMIT $4";
}

/// Adds a member; says whether it was not one yet.
pub fn add(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    member: &MemberRecord,
) -> Result<bool, StoreError> {
    Ok(tx.run(&ADD, params![tenant, group, member.id, member.kind.code(), member.display.as_deref()])? > 0)
}

/// Removes a member; says whether it was one.
pub fn remove(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    member: ResourceId,
) -> Result<bool, StoreError> {
    Ok(tx.run(&REMOVE, params![tenant, group, member])? > 0)
}

/// Adds members, by one statement; gives those that were none yet.
pub fn add_all(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    added: &[MemberRecord],
) -> Result<Vec<ResourceId>, StoreError> {
    // In JSON it would pass as an escape; see `tx`.
    if added.iter().any(|member| member.display.as_ref().is_some_and(|name| name.contains('\0'))) {
        return Err(StoreError::Internal("a text holds a NUL character".to_owned()));
    }
    let rows: Vec<_> = added.iter().map(|member| (member.id, member.kind.code(), member.display.as_deref())).collect();
    tx.all(&ADD_ALL, params![tenant, group, &json(&rows)?], |row| row.id(0))
}

/// Removes members, by one statement; gives those that were some.
pub fn remove_all(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    removed: &[ResourceId],
) -> Result<Vec<ResourceId>, StoreError> {
    tx.all(&REMOVE_ALL, params![tenant, group, &json(removed)?], |row| row.id(0))
}

/// Those of some resources that are members of the group, in the order of their ids.
pub fn some(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    asked: &[ResourceId],
) -> Result<Vec<MemberRecord>, StoreError> {
    tx.all(&SOME, params![tenant, group, &json(asked)?], member)
}

/// Ids and what goes with them as one parameter: each would be a round trip of its own.
pub(crate) fn json<T: serde::Serialize + ?Sized>(rows: &T) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::Internal(error.to_string()))
}

/// Holds the first groups, by id, that a resource is a direct member of against other writers, until the transaction ends, and the resource
/// itself where it is a group; gives those that are held, of which SQLite, where one writes at a time, needs none. Who is about to delete the
/// resource does this first: a change of one of the groups holds the group and then asks for its members.
pub fn hold_groups_of(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    member: ResourceId,
    limit: u32,
) -> Result<Vec<ResourceId>, StoreError> {
    if !tx.is_postgres() {
        return Ok(Vec::new());
    }
    tx.all(&HOLD_GROUPS_OF, params![tenant, member, i64::from(limit)], |row| row.id(0))
}

/// Holds also those of some groups that the resource has joined since, without waiting for any of them: who changes one may be waiting for
/// the resource. Where one is not free, the transaction gives way, and tried again it holds that group first.
///
/// # Errors
/// [`StoreError::GaveUp`] where somebody else holds one.
pub fn hold_joined(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    held: &[ResourceId],
    groups: &[ResourceId],
) -> Result<(), StoreError> {
    if !tx.is_postgres() {
        return Ok(());
    }
    let held: BTreeSet<&ResourceId> = held.iter().collect();
    let joined: Vec<ResourceId> = groups.iter().filter(|group| !held.contains(group)).copied().collect();
    if joined.is_empty() {
        return Ok(());
    }
    let free: Vec<ResourceId> = tx.all(&HOLD_FREE, params![tenant, &json(&joined)?], |row| row.id(0))?;
    if free.len() < joined.len() { tx.give_way() } else { Ok(()) }
}

/// Removes all members of a group; gives how many there were.
pub fn clear(tx: &mut WriteTx<'_>, tenant: TenantKey, group: ResourceId) -> Result<u64, StoreError> {
    tx.run(&CLEAR, params![tenant, group])
}

/// Takes a resource out of some groups, which are in the order of their ids, by one statement.
pub fn leave(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    member: ResourceId,
    groups: &[ResourceId],
) -> Result<u64, StoreError> {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return Ok(0) };
    tx.run(&LEAVE, params![tenant, member, &json(groups)?, *first, *last])
}

/// Takes a resource out of every group.
pub fn leave_all(tx: &mut WriteTx<'_>, tenant: TenantKey, member: ResourceId) -> Result<u64, StoreError> {
    tx.run(&LEAVE_ALL, params![tenant, member])
}

/// How many members a group has; `limit` where it has more.
pub fn count_up_to(tx: &mut ReadTx<'_>, tenant: TenantKey, group: ResourceId, limit: u32) -> Result<u64, StoreError> {
    let count = tx.first(&COUNT_UP_TO, params![tenant, group, i64::from(limit)], |row| row.int(0))?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// Whether the resource is a direct member of the group.
pub fn is_member(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    member: ResourceId,
) -> Result<bool, StoreError> {
    Ok(tx.first(&IS_MEMBER, params![tenant, group, member], |_| Ok(()))?.is_some())
}

/// Members with an id above `after`, in the order of their ids, `limit` at the most.
pub fn members_after(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    after: Option<ResourceId>,
    limit: u32,
) -> Result<Vec<MemberRecord>, StoreError> {
    tx.all(&MEMBERS, params![tenant, group, above(after), i64::from(limit)], member)
}

fn member(row: &Row<'_>) -> Result<MemberRecord, StoreError> {
    Ok(MemberRecord { id: row.id(0)?, kind: ResourceKind::from_code(row.int(1)?)?, display: row.opt_text(2)? })
}

/// The groups a resource is a direct member of, with an id above `after`, `limit` at the most.
pub fn groups_of(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    member: ResourceId,
    after: Option<ResourceId>,
    limit: u32,
) -> Result<Vec<GroupOfMember>, StoreError> {
    tx.all(&GROUPS_OF, params![tenant, member, above(after), i64::from(limit)], |row| {
        Ok(GroupOfMember { id: row.id(0)?, doc: row.text(1)? })
    })
}

/// The direct memberships of some resources, as member and group, in order, `limit` at the most. Rows of a group that is deleted may be
/// among them.
pub fn memberships_of(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    members: &[ResourceId],
    limit: u32,
) -> Result<Vec<(ResourceId, ResourceId)>, StoreError> {
    let members = json(members)?;
    tx.all(&GROUP_IDS_OF_ALL, params![tenant, &members, i64::from(limit)], |row| Ok((row.id(0)?, row.id(1)?)))
}

/// The ids of the groups a resource is a direct member of, above `after`, in order, `limit` at the most. A group that is deleted is none
/// of them, also while rows of its members are left.
pub fn group_ids_of(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    member: ResourceId,
    after: Option<ResourceId>,
    limit: u32,
) -> Result<Vec<ResourceId>, StoreError> {
    tx.all(&GROUP_IDS_OF, params![tenant, member, above(after), i64::from(limit)], |row| row.id(0))
}

/// The ids of the members of a group that are of a kind, above `after`, in order, `limit` at the most. A group that is deleted has none,
/// also while rows of its members are left.
pub fn member_ids_of(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    (group, kind): (ResourceId, ResourceKind),
    after: Option<ResourceId>,
    limit: u32,
) -> Result<Vec<ResourceId>, StoreError> {
    let limit = i64::from(limit);
    tx.all(&MEMBER_IDS_OF, params![tenant, group, kind.code(), above(after), limit], |row| row.id(0))
}

/// As [`is_member`], of a group that may be deleted while rows of its members are left.
pub fn is_in(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    group: ResourceId,
    member: ResourceId,
) -> Result<bool, StoreError> {
    Ok(tx.first(&IS_IN, params![tenant, group, member], |_| Ok(()))?.is_some())
}

#[cfg(test)]
mod tests;
