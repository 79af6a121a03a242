//! Tenants of the application side. What opens them is in `tokens` and `clients`.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::TenantKey;
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A tenant: one customer's isolated set of users and groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRecord {
    /// The key of all its rows.
    pub key: TenantKey,
    /// Its name, as in its address.
    pub name: String,
    /// The application profile, by name.
    pub profile: String,
    /// Settings as JSON text.
    pub settings: String,
    /// When it was made.
    pub created: Timestamp,
    /// Since when it is suspended, if it is.
    pub suspended: Option<Timestamp>,
}

statements! {
    INSERT_TENANT = "INSERT INTO tenants (name, profile, settings, created) VALUES ($1, $2, $3, $4) RETURNING tenant";
    TENANT_BY_NAME = "SELECT tenant, name, profile, settings, created, suspended FROM tenants WHERE name = $1";
    TENANTS = "SELECT tenant, name, profile, settings, created, suspended FROM tenants ORDER BY name";
    TENANT_NAME = "SELECT name FROM tenants WHERE tenant = $1";
    SUSPEND_TENANT = "UPDATE tenants SET suspended = $2 WHERE tenant = $1";
    CHANGE_SETTINGS = "UPDATE tenants SET settings = $2 WHERE tenant = $1";
    DELETE_TENANT_TOKENS = "DELETE FROM tokens WHERE tenant = $1";
    DELETE_TENANT_SECRETS = "DELETE FROM client_secrets WHERE tenant = $1";
    DELETE_TENANT_FEDERATIONS = "DELETE FROM federations WHERE tenant = $1";
    DELETE_TENANT_ASSERTIONS = "DELETE FROM assertions WHERE tenant = $1";
    DELETE_TENANT_CLIENTS = "DELETE FROM clients WHERE tenant = $1";
    DELETE_TENANT_MEMBERS = "DELETE FROM members WHERE tenant = $1";
    DELETE_TENANT_SCHEMAS = "DELETE FROM tenant_schemas WHERE tenant = $1";
    DELETE_TENANT_VALUES = "DELETE FROM unique_values WHERE tenant = $1";
    DELETE_TENANT_KEYS = "DELETE FROM resource_keys WHERE tenant = $1";
    DELETE_TENANT_RESOURCES = "DELETE FROM resources WHERE tenant = $1";
    DELETE_TENANT_COUNTS = "DELETE FROM resource_counts WHERE tenant = $1";
    DELETE_TENANT_CHANGES = "DELETE FROM changes WHERE feed = $1",
                            "WITH unnumbered AS (DELETE FROM changes_unnumbered WHERE feed = $1), numbers AS (DELETE FROM feeds WHERE feed = $1) DELETE FROM changes WHERE feed = $1";
    DELETE_TENANT = "DELETE FROM tenants WHERE tenant = $1";
}

fn tenant(row: &Row<'_>) -> Result<TenantRecord, StoreError> {
    Ok(TenantRecord {
        key: TenantKey(row.int(0)?),
        name: row.text(1)?,
        profile: row.text(2)?,
        settings: row.text(3)?,
        created: row.time(4)?,
        suspended: row.opt_time(5)?,
    })
}

/// Makes a tenant. A name that is taken is [`StoreError::NotUnique`].
pub fn insert_tenant(
    tx: &mut WriteTx<'_>,
    name: &str,
    profile: &str,
    settings: &str,
    now: Timestamp,
) -> Result<TenantKey, StoreError> {
    let key = tx.first(&INSERT_TENANT, params![name, profile, settings, now], |row| row.int(0))?;
    key.map(TenantKey).ok_or_else(|| StoreError::Internal("an insert gave no key".to_owned()))
}

/// The tenant of that name.
pub fn tenant_by_name(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<TenantRecord>, StoreError> {
    tx.first(&TENANT_BY_NAME, params![name], tenant)
}

/// The name of the tenant of that key.
pub fn tenant_name(tx: &mut ReadTx<'_>, key: TenantKey) -> Result<Option<String>, StoreError> {
    tx.first(&TENANT_NAME, params![key], |row| row.text(0))
}

/// All tenants, by name.
pub fn tenants(tx: &mut ReadTx<'_>) -> Result<Vec<TenantRecord>, StoreError> {
    tx.all(&TENANTS, &[], tenant)
}

/// Suspends a tenant since a moment, or ends its suspension.
pub fn set_suspended(tx: &mut WriteTx<'_>, key: TenantKey, since: Option<Timestamp>) -> Result<(), StoreError> {
    tx.run(&SUSPEND_TENANT, params![key, since]).map(drop)
}

/// Keeps other settings of a tenant, as JSON text.
pub fn change_settings(tx: &mut WriteTx<'_>, key: TenantKey, settings: &str) -> Result<(), StoreError> {
    tx.run(&CHANGE_SETTINGS, params![key, settings]).map(drop)
}

/// Deletes a tenant with all its data and credentials.
pub fn delete_tenant(tx: &mut WriteTx<'_>, key: TenantKey) -> Result<(), StoreError> {
    for sql in [
        &DELETE_TENANT_TOKENS,
        &DELETE_TENANT_SECRETS,
        &DELETE_TENANT_FEDERATIONS,
        &DELETE_TENANT_ASSERTIONS,
        &DELETE_TENANT_CLIENTS,
        &DELETE_TENANT_MEMBERS,
        &DELETE_TENANT_SCHEMAS,
        &DELETE_TENANT_VALUES,
        &crate::emptied::DELETE_TENANT_NOTES,
        &crate::deletions::DELETE_TENANT_NOTES,
        &crate::webhooks::DELETE_TENANT_WEBHOOKS,
        &DELETE_TENANT_KEYS,
        &DELETE_TENANT_RESOURCES,
        &DELETE_TENANT_COUNTS,
        &DELETE_TENANT_CHANGES,
        &DELETE_TENANT,
    ] {
        tx.run(sql, params![key])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
