//! The `groups` of the users of a page (RFC 7643 §4.1.2), read for many of them at once.
//!
//! Who is in more groups than are read at once, and who was not foreseen, is looked up alone, as a GET does.

use std::collections::{HashMap, HashSet};

use store::members::GroupOfMember;
use store::resources::{ResourceKind, ResourceRecord};
use store::{ReadTx, ResourceId, listing, members};

use crate::representation::{Joined, View};
use crate::users::{self, GROUPS_MAX};
use crate::{Caller, ProviderError};

/// Most memberships that are read at once.
const MEMBERSHIPS_AT_ONCE: u32 = 10_000;
/// Most groups that are read at once.
const GROUPS_AT_ONCE: usize = 200;

/// What is known of the groups of users.
#[derive(Default)]
pub(super) struct UserGroups {
    /// Whether the answer shows them.
    are_shown: bool,
    memberships: HashMap<ResourceId, Vec<ResourceId>>,
    groups: HashMap<ResourceId, GroupOfMember>,
    /// What the last user had who had any: those of a page are often in the same groups.
    last: Option<(Vec<ResourceId>, Option<Joined>)>,
}

impl UserGroups {
    pub(super) fn new(caller: &Caller, view: View<'_>) -> Result<Self, ProviderError> {
        Ok(Self { are_shown: users::shows_groups(caller, view)?, ..Self::default() })
    }

    /// Reads the memberships of users that are about to be shown.
    pub(super) fn foresee(
        &mut self,
        tx: &mut ReadTx<'_>,
        caller: &Caller,
        records: &[&ResourceRecord],
    ) -> Result<(), ProviderError> {
        self.memberships.clear();
        self.groups.clear();
        if !self.are_shown || records.len() < 2 {
            return Ok(());
        }
        let users: Vec<ResourceId> = records.iter().map(|record| record.id).collect();
        let rows = members::memberships_of(tx, caller.tenant(), &users, MEMBERSHIPS_AT_ONCE)?;
        self.memberships = by_user(&users, rows);
        let wanted: HashSet<ResourceId> = self.memberships.values().flatten().copied().collect();
        if wanted.is_empty() || wanted.len() > GROUPS_AT_ONCE {
            self.memberships.retain(|_, groups| groups.is_empty());
            return Ok(());
        }
        let wanted: Vec<ResourceId> = wanted.into_iter().collect();
        let found = listing::by_ids(tx, caller.tenant(), ResourceKind::Group, &wanted)?;
        self.groups =
            found.into_iter().map(|group| (group.id, GroupOfMember { id: group.id, doc: group.doc })).collect();
        Ok(())
    }

    /// The groups that the answer shows of a user.
    pub(super) fn of(
        &mut self,
        tx: &mut ReadTx<'_>,
        caller: &Caller,
        user: ResourceId,
        view: View<'_>,
    ) -> Result<Option<Joined>, ProviderError> {
        if !self.are_shown {
            return Ok(None);
        }
        let Some(ids) = self.memberships.remove(&user) else {
            let groups = users::groups_of(tx, caller, user)?;
            return Ok(users::groups_json(caller, &groups, view)?.map(Joined::groups));
        };
        if ids.is_empty() {
            return Ok(None);
        }
        if let Some((_, joined)) = self.last.as_ref().filter(|(last, _)| *last == ids) {
            return Ok(joined.clone());
        }
        // A group that is deleted leaves rows behind for a while, and is none of them.
        let there_are = ids.iter().filter_map(|id| self.groups.get(id)).take(GROUPS_MAX as usize).cloned();
        let joined = users::groups_json(caller, &there_are.collect::<Vec<_>>(), view)?.map(Joined::groups);
        self.last = Some((ids, joined.clone()));
        Ok(joined)
    }
}

/// The groups of each user, which is left out where not all of its memberships may have been read.
fn by_user(users: &[ResourceId], rows: Vec<(ResourceId, ResourceId)>) -> HashMap<ResourceId, Vec<ResourceId>> {
    let mut groups: HashMap<ResourceId, Vec<ResourceId>> = users.iter().map(|user| (*user, Vec::new())).collect();
    if rows.len() >= MEMBERSHIPS_AT_ONCE as usize
        && let Some((last, _)) = rows.last()
    {
        let last = last.to_bytes();
        groups.retain(|user, _| user.to_bytes() < last);
    }
    for (user, group) in rows {
        if let Some(groups) = groups.get_mut(&user) {
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> ResourceId {
        ResourceId::exact(&format!("00000000-0000-7000-8000-{number:012x}")).unwrap()
    }

    #[test]
    fn whose_memberships_may_not_all_have_been_read_is_looked_up_alone() {
        let users = [1, 2, 3].map(id);
        let few = by_user(&users, vec![(id(1), id(8)), (id(1), id(9)), (id(3), id(8))]);
        assert_eq!(few[&id(1)], [8, 9].map(id));
        assert_eq!((few[&id(2)].len(), few[&id(3)].len()), (0, 1));
        let rows = (0..u128::from(MEMBERSHIPS_AT_ONCE)).map(|row| (id(if row == 0 { 1 } else { 2 }), id(row)));
        let many = by_user(&users, rows.collect());
        assert_eq!(many.keys().collect::<Vec<_>>(), [&id(1)], "the third may have some too");
    }
}
