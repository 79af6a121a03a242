//! Members of groups. Groups may be nested; they never form a cycle.

use std::collections::HashSet;

use jiff::Timestamp;
use store::{DIRECTORY_FEED, GroupId, ObjectId, ObjectKind, ReadTx, WriteTx, append_change, groups as stored};

use crate::error::DirectoryError;
use crate::group::live_group;
use crate::page::Page;
use crate::principal::refuse_absent;

#[cfg(test)]
mod tests;

/// The most groups that may stand above a group, directly or through others, for a group to be added to it.
pub const NESTING_MAX: usize = 1_000;
/// Rows read at a time while the groups above one are looked at.
const STEP: u32 = 500;

/// Adds a user or group as a direct member; says whether it was not one yet. A group is not added where that would
/// close a cycle.
pub fn add_member(
    tx: &mut WriteTx<'_>,
    group: GroupId,
    member: ObjectId,
    kind: ObjectKind,
    now: Timestamp,
) -> Result<bool, DirectoryError> {
    live_group(tx, group)?;
    refuse_absent(tx, member, kind)?;
    if kind == ObjectKind::Group {
        refuse_cycle(tx, group, member.group())?;
    }
    let added = stored::add_member(tx, group, member, kind)?;
    if added {
        append_change(tx, DIRECTORY_FEED, ObjectKind::Membership, group.into(), Some(member), now)?;
    }
    Ok(added)
}

/// Removes a direct member; says whether it was one.
pub fn remove_member(
    tx: &mut WriteTx<'_>,
    group: GroupId,
    member: ObjectId,
    now: Timestamp,
) -> Result<bool, DirectoryError> {
    live_group(tx, group)?;
    let removed = stored::remove_member(tx, group, member)?;
    if removed {
        append_change(tx, DIRECTORY_FEED, ObjectKind::Membership, group.into(), Some(member), now)?;
    }
    Ok(removed)
}

/// Direct members with an id above `after` and what they are, in the order of their ids, `limit` at the most. Members
/// that are soft-deleted are among them.
pub fn members(
    tx: &mut ReadTx<'_>,
    group: GroupId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Page<(ObjectId, ObjectKind), ObjectId>, DirectoryError> {
    let items = stored::members_after(tx, group, after, limit)?;
    let full = items.len() >= limit as usize;
    let next = items.last().filter(|_| full).map(|(id, _)| *id);
    Ok(Page { items, next })
}

/// Walks upwards from `group` and refuses when `member` is met: it would then hold itself.
fn refuse_cycle(tx: &mut ReadTx<'_>, group: GroupId, member: GroupId) -> Result<(), DirectoryError> {
    let mut seen = HashSet::from([group]);
    let mut open = vec![group];
    while let Some(below) = open.pop() {
        if below == member {
            let (outer, inner) = (live_group(tx, member)?.display_name, live_group(tx, group)?.display_name);
            return Err(DirectoryError::NotAllowed(if member == group {
                format!("the group {outer:?} cannot be a member of itself")
            } else {
                format!("the group {outer:?} holds {inner:?}, directly or through others, and cannot be its member")
            }));
        }
        let mut after = None;
        loop {
            let above = stored::groups_of(tx, below.into(), after, STEP)?;
            let Some(last) = above.last().copied() else { break };
            open.extend(above.into_iter().filter(|id| seen.insert(*id)));
            if seen.len() > NESTING_MAX + 1 {
                return Err(DirectoryError::NotAllowed(format!(
                    "more than {NESTING_MAX} groups stand above group {group}; it cannot hold further groups"
                )));
            }
            after = Some(last);
        }
    }
    Ok(())
}
