//! Groups that were deleted with more members than one transaction removes. The group is gone at once; rows of its members, which lead
//! nowhere then, go a few at a time.

use crate::error::StoreError;
use crate::id::{ResourceId, TenantKey};
use crate::sql::{params, statements};
use crate::{ReadTx, WriteTx};

statements! {
    NOTE = "INSERT INTO emptied_groups (tenant, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    NEXT = "SELECT group_id FROM emptied_groups WHERE tenant = $1 ORDER BY group_id LIMIT 1";
    REMOVE = "DELETE FROM members WHERE tenant = $1 AND group_id = $2
              AND member_id IN (SELECT member_id FROM members WHERE tenant = $1 AND group_id = $2 ORDER BY member_id LIMIT $3)",
             "DELETE FROM members WHERE tenant = $1 AND group_id = $2
              AND member_id = ANY(ARRAY(SELECT member_id FROM members WHERE tenant = $1 AND group_id >= $2 AND group_id <= $2 ORDER BY group_id, member_id LIMIT $3))";
    DONE = "DELETE FROM emptied_groups WHERE tenant = $1 AND group_id = $2";
    DELETE_TENANT_NOTES = "DELETE FROM emptied_groups WHERE tenant = $1";
}

/// Notes that the rows of a deleted group's members are still to be removed.
pub fn note_emptied(tx: &mut WriteTx<'_>, tenant: TenantKey, group: ResourceId) -> Result<(), StoreError> {
    tx.run(&NOTE, params![tenant, group]).map(drop)
}

/// Removes up to `limit` rows of members of a tenant's deleted groups; says whether there may be more.
pub fn remove_emptied(tx: &mut WriteTx<'_>, tenant: TenantKey, limit: u32) -> Result<bool, StoreError> {
    let Some(group) = next(tx, tenant)? else { return Ok(false) };
    if tx.run(&REMOVE, params![tenant, group, i64::from(limit)])? < u64::from(limit) {
        tx.run(&DONE, params![tenant, group])?;
        return Ok(next(tx, tenant)?.is_some());
    }
    Ok(true)
}

fn next(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Option<ResourceId>, StoreError> {
    tx.first(&NEXT, params![tenant], |row| row.id(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::{self, MemberRecord};
    use crate::resources::ResourceKind;
    use crate::tenants;
    use crate::testing::{numbered, on_both, second};

    #[test]
    fn rows_go_a_few_at_a_time_and_those_of_others_stay() {
        on_both(|store| async move {
            let story = store.write(|tx| {
                let one = tenants::insert_tenant(tx, "one", "generic", "{}", second(0))?;
                let two = tenants::insert_tenant(tx, "two", "generic", "{}", second(0))?;
                let people: Vec<MemberRecord> = (1..=5)
                    .map(|number| MemberRecord { id: numbered(number), kind: ResourceKind::User, display: None })
                    .collect();
                for (tenant, group) in [(one, 10), (one, 11), (one, 12), (two, 10)] {
                    members::add_all(tx, tenant, numbered(group), &people)?;
                }
                assert!(!remove_emptied(tx, one, 2)?);
                note_emptied(tx, one, numbered(10))?;
                note_emptied(tx, one, numbered(10))?;
                note_emptied(tx, one, numbered(12))?;
                let mut steps = 1;
                while remove_emptied(tx, one, 2)? {
                    steps += 1;
                }
                assert_eq!(steps, 6);
                for (tenant, group, left) in [(one, 10, 0), (one, 11, 5), (one, 12, 0), (two, 10, 5)] {
                    assert_eq!(members::count_up_to(tx, tenant, numbered(group), 9)?, left, "{group}");
                }
                assert_eq!(members::count_up_to(tx, one, numbered(11), 3)?, 3);
                Ok::<_, StoreError>(())
            });
            story.await.unwrap();
        });
    }
}
