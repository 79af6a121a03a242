//! What opens a tenant: its secret tokens, and the access tokens issued to its OAuth clients. Of both only a keyed hash is stored, and
//! one statement finds either.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{ClientId, SecretId, TenantKey, TokenId};
use crate::schemas::{Digest, digest};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A secret token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// Its name; unique among the tenant's live tokens.
    pub name: String,
    /// The first characters of the token, to tell tokens apart.
    pub hint: String,
    /// Whether it may also write.
    pub may_write: bool,
    /// Whether it is for what the tenant defines itself, and for nothing else.
    pub may_define: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
    /// When it was last used; about a minute late.
    pub last_used: Option<Timestamp>,
    /// The warning about its end that was given last: so many days before.
    pub warned: Option<i64>,
}

/// An access token of an OAuth client, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenRecord {
    /// Its id.
    pub id: TokenId,
    /// Whom it was issued to.
    pub client: ClientId,
    /// The secret that was shown for it; none where an identity provider vouched.
    pub secret: Option<SecretId>,
    /// The client's name.
    pub name: String,
    /// The first characters of the token.
    pub hint: String,
    /// Whether it may also write.
    pub may_write: bool,
    /// Whether it is for what the tenant defines itself, and for nothing else.
    pub may_define: bool,
    /// When it was issued.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
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
    /// The token.
    pub id: TokenId,
    /// Whether it may also write.
    pub may_write: bool,
    /// Whether it is for what the tenant defines itself, and for nothing else.
    pub may_define: bool,
    /// The OAuth client that it was issued to, if it is an access token.
    pub client: Option<ClientId>,
    /// The digest of what the tenant defined itself, if it did.
    pub schema_digest: Option<Digest>,
}

statements! {
    INSERT_TOKEN = "INSERT INTO tokens (tenant, id, name, hash, hint, may_write, created, expires, may_define) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    TOKENS = "SELECT id, name, hint, may_write, created, expires, revoked, last_used, warned, may_define FROM tokens WHERE tenant = $1 AND client IS NULL ORDER BY id";
    TOKEN_BY_NAME = "SELECT id, name, hint, may_write, created, expires, revoked, last_used, warned, may_define FROM tokens WHERE tenant = $1 AND name = $2 AND revoked IS NULL AND client IS NULL";
    TOKEN_NAME = "SELECT name FROM tokens WHERE tenant = $1 AND id = $2";
    REVOKE_TOKEN = "UPDATE tokens SET revoked = $3 WHERE tenant = $1 AND name = $2 AND revoked IS NULL AND client IS NULL";
    RETIRE_TOKEN = "UPDATE tokens SET name = $3, expires = $4 WHERE tenant = $1 AND id = $2";
    TOKEN_OWNER = "SELECT t.tenant, n.name, n.profile, n.settings, n.suspended, t.expires, t.id, t.may_write, n.schema_digest, t.may_define, t.client FROM tokens t JOIN tenants n ON n.tenant = t.tenant WHERE t.hash = $1 AND t.revoked IS NULL";
    USED = "UPDATE tokens SET last_used = $3 WHERE tenant = $1 AND id = $2 AND (last_used IS NULL OR last_used < $3)";
    WARNED = "UPDATE tokens SET warned = $3 WHERE tenant = $1 AND id = $2";
    INSERT_ACCESS_TOKEN = "INSERT INTO tokens (tenant, id, name, hash, hint, may_write, created, expires, client, client_secret, may_define) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    DELETE_EXPIRED_OF_CLIENT = "DELETE FROM tokens WHERE tenant = $1 AND client = $2 AND expires <= $3";
    DELETE_OLDEST_OF_CLIENT = "DELETE FROM tokens WHERE tenant = $1 AND client = $2 AND id <= (SELECT id FROM tokens WHERE tenant = $1 AND client = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)";
    DELETE_ACCESS_TOKENS_HINTED = "DELETE FROM tokens WHERE tenant = $1 AND client IS NOT NULL AND hint = $2";
    DELETE_EXPIRED_ACCESS_TOKENS = "DELETE FROM tokens WHERE tenant = $1 AND client IS NOT NULL AND expires <= $2";
}

fn token(row: &Row<'_>) -> Result<TokenRecord, StoreError> {
    Ok(TokenRecord {
        id: row.id(0)?,
        name: row.text(1)?,
        hint: row.text(2)?,
        may_write: row.flag(3)?,
        created: row.time(4)?,
        expires: row.time(5)?,
        revoked: row.opt_time(6)?,
        last_used: row.opt_time(7)?,
        warned: row.opt_int(8)?,
        may_define: row.flag(9)?,
    })
}

/// Keeps a new token by its keyed hash. A live token of that name is [`StoreError::NotUnique`].
pub fn insert_token(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    token: &TokenRecord,
    hash: &[u8],
) -> Result<(), StoreError> {
    let TokenRecord { id, name, hint, may_write, may_define, created, expires, .. } = token;
    tx.run(&INSERT_TOKEN, params![tenant, *id, name, hash, hint, *may_write, *created, *expires, *may_define]).map(drop)
}

/// All secret tokens of a tenant, revoked ones too, oldest first.
pub fn tokens(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Vec<TokenRecord>, StoreError> {
    tx.all(&TOKENS, params![tenant], token)
}

/// The tenant's live secret token of that name.
pub fn token_by_name(tx: &mut ReadTx<'_>, tenant: TenantKey, name: &str) -> Result<Option<TokenRecord>, StoreError> {
    tx.first(&TOKEN_BY_NAME, params![tenant, name], token)
}

/// The name of one of the tenant's tokens.
pub fn token_name(tx: &mut ReadTx<'_>, tenant: TenantKey, id: TokenId) -> Result<Option<String>, StoreError> {
    tx.first(&TOKEN_NAME, params![tenant, id], |row| row.text(0))
}

/// Revokes the tenant's live token of that name; says whether there was one.
pub fn revoke_token(tx: &mut WriteTx<'_>, tenant: TenantKey, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.run(&REVOKE_TOKEN, params![tenant, name, now])? > 0)
}

/// Gives a token another name and another end, to make room for its successor.
pub fn retire_token(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    id: TokenId,
    name: &str,
    expires: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&RETIRE_TOKEN, params![tenant, id, name, expires]).map(drop)
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
            id: row.id(6)?,
            may_write: row.flag(7)?,
            schema_digest: digest(row.opt_bytes(8)?)?,
            may_define: row.flag(9)?,
            client: row.opt_id(10)?,
        })
    })
}

/// Notes that a token was used at a moment; an earlier one than is known changes nothing.
pub fn note_use(tx: &mut WriteTx<'_>, tenant: TenantKey, id: TokenId, at: Timestamp) -> Result<(), StoreError> {
    tx.run(&USED, params![tenant, id, at]).map(drop)
}

/// Notes that the warning was given which comes so many days before a token's end.
pub fn note_warning(tx: &mut WriteTx<'_>, tenant: TenantKey, id: TokenId, days: i64) -> Result<(), StoreError> {
    tx.run(&WARNED, params![tenant, id, days]).map(drop)
}

/// Keeps a new access token by its keyed hash. The client's expired ones go, and so many of its oldest that no more than `max`
/// are left; `max` is at least 1.
pub fn insert_access_token(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    token: &AccessTokenRecord,
    hash: &[u8],
    max: u32,
) -> Result<(), StoreError> {
    let AccessTokenRecord { id, client, secret, name, hint, may_write, may_define, created, expires } = token;
    tx.run(&DELETE_EXPIRED_OF_CLIENT, params![tenant, *client, *created])?;
    let others = i64::from(max.saturating_sub(1));
    tx.run(&DELETE_OLDEST_OF_CLIENT, params![tenant, *client, others])?;
    let values = params![tenant, *id, name, hash, hint, *may_write, *created, *expires, *client, *secret, *may_define];
    tx.run(&INSERT_ACCESS_TOKEN, values).map(drop)
}

/// Removes the access tokens of a tenant that have this hint.
pub fn delete_access_tokens_hinted(tx: &mut WriteTx<'_>, tenant: TenantKey, hint: &str) -> Result<(), StoreError> {
    tx.run(&DELETE_ACCESS_TOKENS_HINTED, params![tenant, hint]).map(drop)
}

/// Removes the access tokens of a tenant that have expired; says how many. No client has many: see [`insert_access_token`].
pub fn delete_expired_access_tokens(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(&DELETE_EXPIRED_ACCESS_TOKENS, params![tenant, now])
}

#[cfg(test)]
pub(crate) mod tests;
