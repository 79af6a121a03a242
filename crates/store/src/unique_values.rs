//! Values that no two resources of a kind in a tenant may share: one row each, which the database itself keeps apart.

use crate::error::StoreError;
use crate::id::{ResourceId, TenantKey};
use crate::resources::{IndexKey, ResourceKind};
use crate::sql::{params, statements};
use crate::{ReadTx, WriteTx};

/// Times that values are claimed which others free at the same moment.
const ATTEMPTS_MAX: u32 = 5;

statements! {
    CLAIM = "INSERT INTO unique_values (tenant, kind, path, key, id) SELECT $1, $2, value ->> 0, value ->> 1, $3 FROM json_each($4) WHERE TRUE ON CONFLICT DO NOTHING",
            "INSERT INTO unique_values (tenant, kind, path, key, id) SELECT $1, $2, value ->> 0, value ->> 1, $3 FROM json_array_elements($4::text::json) ON CONFLICT DO NOTHING";
    OWNER = "SELECT id FROM unique_values WHERE tenant = $1 AND kind = $2 AND path = $3 AND key = $4";
    OWNERS = "SELECT id FROM unique_values WHERE tenant = $1 AND kind = $2 AND path = $3 AND key IN (SELECT value FROM json_each($4))",
             "SELECT id FROM unique_values WHERE tenant = $1 AND kind = $2 AND path = $3 AND key = ANY (ARRAY(SELECT json_array_elements_text($4::text::json)))";
    RELEASE = "DELETE FROM unique_values WHERE tenant = $1 AND kind = $2 AND path = $3 AND key = $4 AND id = $5";
}

/// Claims values for a resource; gives the first path at which another resource has its value already. The claims of a transaction that
/// goes on after that are kept, so whoever is refused lets it fail.
pub fn claim(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    values: &[&IndexKey],
) -> Result<Option<IndexKey>, StoreError> {
    if values.is_empty() {
        return Ok(None);
    }
    // Always in the same order, so that two that claim the same values do not wait for each other.
    let mut pairs: Vec<(&str, &str)> = values.iter().map(|(path, key)| (path.as_ref(), key.as_str())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    // In JSON it would pass as an escape; see `tx`.
    if pairs.iter().any(|(_, key)| key.contains('\0')) {
        return Err(StoreError::Internal("a text holds a NUL character".to_owned()));
    }
    let text = serde_json::to_string(&pairs).map_err(|error| StoreError::Internal(error.to_string()))?;
    for _ in 0..ATTEMPTS_MAX {
        if tx.run(&CLAIM, params![tenant, kind.code(), id, &text])? == pairs.len() as u64 {
            return Ok(None);
        }
        let mut all_are_its_own = true;
        for value in values {
            match owner(tx, tenant, kind, value)? {
                Some(owner) if owner != id => return Ok(Some((*value).clone())),
                Some(_) => {}
                None => all_are_its_own = false,
            }
        }
        if all_are_its_own {
            return Ok(None);
        }
        // On PostgreSQL, who had a value may have freed it between the two statements.
    }
    Err(StoreError::Busy)
}

/// The resource that has a value.
pub fn owner(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    (path, key): &IndexKey,
) -> Result<Option<ResourceId>, StoreError> {
    tx.first(&OWNER, params![tenant, kind.code(), path.as_ref(), key], |row| row.id(0))
}

/// The resources that have one of these values at a path, in no order. The caller bounds how many are asked for.
pub fn owners(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    (path, keys): (&str, &[&str]),
) -> Result<Vec<ResourceId>, StoreError> {
    let keys = crate::listing::json(keys)?;
    tx.all(&OWNERS, params![tenant, kind.code(), path, &keys], |row| row.id(0))
}

/// Frees values that a resource had.
pub fn release(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    values: &[&IndexKey],
) -> Result<(), StoreError> {
    for (path, key) in values {
        tx.send(&RELEASE, params![tenant, kind.code(), path.as_ref(), key, id])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::CustomKind;
    use crate::tenants::insert_tenant;
    use crate::testing::{numbered, on_both, second};

    const KIND: ResourceKind = ResourceKind::Custom(CustomKind::new(0));

    fn value(path: &str, key: &str) -> IndexKey {
        (path.into(), key.to_owned())
    }

    #[test]
    fn a_value_belongs_to_one_resource_until_it_is_freed() {
        on_both(|store| async move {
            let story = store.write(|tx| {
                let tenant = insert_tenant(tx, "one", "generic", "{}", second(0))?;
                let other = insert_tenant(tx, "other", "generic", "{}", second(0))?;
                let (serial, tag) = (value("serial", "a"), value("tag", "a"));
                assert_eq!(claim(tx, tenant, KIND, numbered(1), &[&serial, &serial])?, None);
                assert_eq!(claim(tx, tenant, KIND, numbered(1), &[&serial])?, None, "one's own value again");
                assert_eq!(claim(tx, tenant, KIND, numbered(2), &[&tag])?, None, "another path");
                assert_eq!(claim(tx, other, KIND, numbered(2), &[&serial])?, None, "another tenant");
                assert_eq!(claim(tx, tenant, ResourceKind::User, numbered(2), &[&serial])?, None, "another kind");
                assert_eq!(claim(tx, tenant, KIND, numbered(2), &[&tag, &serial])?, Some(serial.clone()));
                release(tx, tenant, KIND, numbered(2), &[&serial])?;
                assert_eq!(owner(tx, tenant, KIND, &serial)?, Some(numbered(1)), "only its owner frees it");
                assert_eq!(owners(tx, tenant, KIND, ("serial", &["b", "a"]))?, [numbered(1)]);
                assert_eq!(owners(tx, other, KIND, ("serial", &["a"]))?, [numbered(2)]);
                release(tx, tenant, KIND, numbered(1), &[&serial])?;
                assert_eq!(claim(tx, tenant, KIND, numbered(2), &[&serial])?, None);
                Ok::<_, StoreError>(())
            });
            story.await.unwrap();
        });
    }
}
