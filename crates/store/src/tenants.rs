//! Tenants of the application side, and their secret tokens.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{TenantKey, TokenId};
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

/// A secret token, without its secret: only a keyed hash is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// Its name; unique among the tenant's live tokens.
    pub name: String,
    /// The first characters of the token, to tell tokens apart.
    pub hint: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

/// What a presented token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    /// The tenant it opens.
    pub tenant: TenantKey,
    /// The tenant's name.
    pub tenant_name: String,
    /// The tenant's application profile.
    pub profile: String,
    /// The tenant's settings as JSON text.
    pub settings: String,
    /// Since when the tenant is suspended, if it is.
    pub suspended: Option<Timestamp>,
    /// When the token stops working.
    pub expires: Timestamp,
}

statements! {
    INSERT_TENANT = "INSERT INTO tenants (name, profile, settings, created) VALUES ($1, $2, $3, $4) RETURNING tenant";
    TENANT_BY_NAME = "SELECT tenant, name, profile, settings, created, suspended FROM tenants WHERE name = $1";
    TENANTS = "SELECT tenant, name, profile, settings, created, suspended FROM tenants ORDER BY name";
    SUSPEND_TENANT = "UPDATE tenants SET suspended = $2 WHERE tenant = $1";
    DELETE_TENANT_TOKENS = "DELETE FROM tokens WHERE tenant = $1";
    DELETE_TENANT_MEMBERS = "DELETE FROM members WHERE tenant = $1";
    DELETE_TENANT_KEYS = "DELETE FROM resource_keys WHERE tenant = $1";
    DELETE_TENANT_RESOURCES = "DELETE FROM resources WHERE tenant = $1";
    DELETE_TENANT_COUNTS = "DELETE FROM resource_counts WHERE tenant = $1";
    DELETE_TENANT_CHANGES = "DELETE FROM changes WHERE feed = $1",
                            "WITH unnumbered AS (DELETE FROM changes_unnumbered WHERE feed = $1), numbers AS (DELETE FROM feeds WHERE feed = $1) DELETE FROM changes WHERE feed = $1";
    DELETE_TENANT = "DELETE FROM tenants WHERE tenant = $1";
    INSERT_TOKEN = "INSERT INTO tokens (tenant, id, name, hash, hint, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TOKENS = "SELECT id, name, hint, created, expires, revoked FROM tokens WHERE tenant = $1 ORDER BY id";
    REVOKE_TOKEN = "UPDATE tokens SET revoked = $3 WHERE tenant = $1 AND name = $2 AND revoked IS NULL";
    TOKEN_OWNER = "SELECT t.tenant, n.name, n.profile, n.settings, n.suspended, t.expires FROM tokens t JOIN tenants n ON n.tenant = t.tenant WHERE t.hash = $1 AND t.revoked IS NULL";
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

/// All tenants, by name.
pub fn tenants(tx: &mut ReadTx<'_>) -> Result<Vec<TenantRecord>, StoreError> {
    tx.all(&TENANTS, &[], tenant)
}

/// Suspends a tenant since a moment, or ends its suspension.
pub fn set_suspended(tx: &mut WriteTx<'_>, key: TenantKey, since: Option<Timestamp>) -> Result<(), StoreError> {
    tx.run(&SUSPEND_TENANT, params![key, since]).map(drop)
}

/// Deletes a tenant with all its data and tokens.
pub fn delete_tenant(tx: &mut WriteTx<'_>, key: TenantKey) -> Result<(), StoreError> {
    for sql in [
        &DELETE_TENANT_TOKENS,
        &DELETE_TENANT_MEMBERS,
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

/// Keeps a new token by its keyed hash. A live token of that name is [`StoreError::NotUnique`].
pub fn insert_token(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    token: &TokenRecord,
    hash: &[u8],
) -> Result<(), StoreError> {
    tx.run(&INSERT_TOKEN, params![tenant, token.id, &token.name, hash, &token.hint, token.created, token.expires])
        .map(drop)
}

/// All tokens of a tenant, revoked ones too, oldest first.
pub fn tokens(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Vec<TokenRecord>, StoreError> {
    tx.all(&TOKENS, params![tenant], |row| {
        Ok(TokenRecord {
            id: row.id(0)?,
            name: row.text(1)?,
            hint: row.text(2)?,
            created: row.time(3)?,
            expires: row.time(4)?,
            revoked: row.opt_time(5)?,
        })
    })
}

/// Revokes the tenant's live token of that name; says whether there was one.
pub fn revoke_token(tx: &mut WriteTx<'_>, tenant: TenantKey, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.run(&REVOKE_TOKEN, params![tenant, name, now])? > 0)
}

/// What the live token with this keyed hash opens.
pub fn token_owner(tx: &mut ReadTx<'_>, hash: &[u8]) -> Result<Option<TokenOwner>, StoreError> {
    tx.first(&TOKEN_OWNER, params![hash], |row| {
        Ok(TokenOwner {
            tenant: TenantKey(row.int(0)?),
            tenant_name: row.text(1)?,
            profile: row.text(2)?,
            settings: row.text(3)?,
            suspended: row.opt_time(4)?,
            expires: row.time(5)?,
        })
    })
}

#[cfg(test)]
mod tests;
