//! What tenants define themselves: their schemas and resource types as one document each, with a version and a digest.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::TenantKey;
use crate::sql::{params, statements};
use crate::{ReadTx, WriteTx};

/// Bytes of a digest: SHA-256.
pub const DIGEST_BYTES: usize = 32;

/// The digest of a document, by which a compiled one is found again.
pub type Digest = [u8; DIGEST_BYTES];

/// What a tenant defined itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRecord {
    /// 1 when first defined, one more with each change.
    pub version: i64,
    /// The document.
    pub doc: String,
    /// When it was last changed.
    pub changed: Timestamp,
}

statements! {
    SCHEMAS = "SELECT version, doc, changed FROM tenant_schemas WHERE tenant = $1";
    DIGEST = "SELECT schema_digest FROM tenants WHERE tenant = $1";
    PUT = "INSERT INTO tenant_schemas AS kept (tenant, version, doc, changed) VALUES ($1, 1, $2, $3)
           ON CONFLICT (tenant) DO UPDATE SET version = kept.version + 1, doc = excluded.doc, changed = excluded.changed";
    PUT_DIGEST = "UPDATE tenants SET schema_digest = $2 WHERE tenant = $1";
    HOLD = "SELECT schema_digest FROM tenants WHERE tenant = $1",
           "SELECT schema_digest FROM tenants WHERE tenant = $1 FOR SHARE";
    HOLD_ALONE = "SELECT schema_digest FROM tenants WHERE tenant = $1",
                 "SELECT schema_digest FROM tenants WHERE tenant = $1 FOR NO KEY UPDATE";
}

/// What a tenant defined; `None` where it never did.
pub fn schemas(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Option<SchemaRecord>, StoreError> {
    tx.first(&SCHEMAS, params![tenant], |row| {
        Ok(SchemaRecord { version: row.int(0)?, doc: row.text(1)?, changed: row.time(2)? })
    })
}

/// Keeps what a tenant defined, with the digest by which its callers know it; without one nothing of it is in force.
pub fn put_schemas(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    doc: &str,
    digest: Option<&Digest>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&PUT, params![tenant, doc, now])?;
    tx.run(&PUT_DIGEST, params![tenant, digest.map(Digest::as_slice)]).map(drop)
}

/// The digest that is in force, as the transaction sees it; `None` where nothing is defined.
pub fn digest_in_force(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Option<Digest>, StoreError> {
    Ok(tx.first(&DIGEST, params![tenant], |row| digest(row.opt_bytes(0)?))?.flatten())
}

/// The digest that is in force, which stays so until the transaction ends.
pub fn hold_schemas(tx: &mut WriteTx<'_>, tenant: TenantKey) -> Result<Option<Digest>, StoreError> {
    Ok(tx.first(&HOLD, params![tenant], |row| digest(row.opt_bytes(0)?))?.flatten())
}

/// As [`hold_schemas`], and keeps others from holding it too, so that it can be changed.
pub fn hold_schemas_alone(tx: &mut WriteTx<'_>, tenant: TenantKey) -> Result<Option<Digest>, StoreError> {
    Ok(tx.first(&HOLD_ALONE, params![tenant], |row| digest(row.opt_bytes(0)?))?.flatten())
}

/// The digest in a column.
pub(crate) fn digest(bytes: Option<Vec<u8>>) -> Result<Option<Digest>, StoreError> {
    let read =
        |bytes: Vec<u8>| Digest::try_from(bytes.as_slice()).map_err(|error| StoreError::Decode(error.to_string()));
    bytes.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::insert_tenant;
    use crate::testing::{on_both, second};

    #[test]
    fn what_was_defined_is_read_back_with_its_version() {
        on_both(|store| async move {
            let story = store.write(|tx| {
                let tenant = insert_tenant(tx, "one", "generic", "{}", second(0))?;
                let other = insert_tenant(tx, "other", "generic", "{}", second(0))?;
                assert_eq!((schemas(tx, tenant)?, hold_schemas(tx, tenant)?), (None, None));
                put_schemas(tx, tenant, "{\"v\":1}", Some(&[1; 32]), second(1))?;
                assert_eq!((digest_in_force(tx, tenant)?, hold_schemas(tx, tenant)?), (Some([1; 32]), Some([1; 32])));
                put_schemas(tx, tenant, "{\"v\":2}", None, second(2))?;
                let kept = SchemaRecord { version: 2, doc: "{\"v\":2}".to_owned(), changed: second(2) };
                assert_eq!((schemas(tx, tenant)?, hold_schemas_alone(tx, tenant)?), (Some(kept), None));
                assert_eq!((schemas(tx, other)?, hold_schemas(tx, other)?), (None, None));
                Ok::<_, StoreError>(())
            });
            story.await.unwrap();
        });
    }
}
