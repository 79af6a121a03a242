//! Deletions that take several transactions: of a resource that is in very many groups. It leaves them a few at a time and goes last,
//! so that no group ever shows who is gone. What was begun is noted, so that it ends also when the program does meanwhile.

use crate::error::StoreError;
use crate::id::{ResourceId, TenantKey};
use crate::resources::ResourceKind;
use crate::sql::{params, statements};
use crate::{ReadTx, WriteTx};

/// A deletion that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What kind of resource is being deleted.
    pub kind: ResourceKind,
    /// Which one.
    pub id: ResourceId,
    /// The version that it may be deleted at, where the client named one; at another it stays.
    pub if_version: Option<i64>,
}

statements! {
    NOTE = "INSERT INTO deletions (tenant, kind, id, if_version) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant, kind, id) DO UPDATE SET if_version = excluded.if_version";
    NEXT = "SELECT kind, id, if_version FROM deletions WHERE tenant = $1 ORDER BY kind, id LIMIT 1";
    DONE = "DELETE FROM deletions WHERE tenant = $1 AND kind = $2 AND id = $3";
    DELETE_TENANT_NOTES = "DELETE FROM deletions WHERE tenant = $1";
}

/// Notes that a deletion was begun.
pub fn note_begun(tx: &mut WriteTx<'_>, tenant: TenantKey, begun: Begun) -> Result<(), StoreError> {
    let Begun { kind, id, if_version } = begun;
    tx.run(&NOTE, params![tenant, kind.code(), id, if_version]).map(drop)
}

/// A deletion of the tenant that was begun and has not ended.
pub fn next_begun(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Option<Begun>, StoreError> {
    tx.first(&NEXT, params![tenant], |row| {
        Ok(Begun { kind: ResourceKind::from_code(row.int(0)?)?, id: row.id(1)?, if_version: row.opt_int(2)? })
    })
}

/// Forgets a deletion: it has ended.
pub fn note_ended(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
) -> Result<(), StoreError> {
    tx.run(&DONE, params![tenant, kind.code(), id]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::insert_tenant;
    use crate::testing::{numbered, on_both, second};

    #[test]
    fn what_was_begun_is_known_until_it_ends() {
        on_both(|store| async move {
            let story = store.write(|tx| {
                let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
                let two = insert_tenant(tx, "two", "generic", "{}", second(0))?;
                let begun = |number, if_version| Begun { kind: ResourceKind::User, id: numbered(number), if_version };
                for (tenant, number, version) in [(one, 1, Some(3)), (one, 1, None), (one, 2, Some(4)), (two, 1, None)]
                {
                    note_begun(tx, tenant, begun(number, version))?;
                }
                assert_eq!(next_begun(tx, one)?, Some(begun(1, None)), "what was asked last");
                note_ended(tx, one, ResourceKind::Group, numbered(1))?;
                note_ended(tx, one, ResourceKind::User, numbered(1))?;
                assert_eq!(next_begun(tx, one)?, Some(begun(2, Some(4))));
                note_ended(tx, one, ResourceKind::User, numbered(2))?;
                assert_eq!((next_begun(tx, one)?, next_begun(tx, two)?), (None, Some(begun(1, None))));
                Ok::<_, StoreError>(())
            });
            story.await.unwrap();
        });
    }
}
