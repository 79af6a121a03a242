//! OAuth 2.0 clients of tenants: their secrets, of which only a keyed hash is stored, and the identity providers that vouch for them.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{ClientId, SecretId, TenantKey};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A client of a tenant (RFC 6749 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its `client_id`.
    pub id: ClientId,
    /// Its name; unique in the tenant.
    pub name: String,
    /// Whether its access tokens may also write.
    pub may_write: bool,
    /// Whether its access tokens are for what the tenant defines itself, and for nothing else.
    pub may_define: bool,
    /// How many minutes its access tokens work.
    pub token_minutes: i64,
    /// When it was made.
    pub created: Timestamp,
}

/// A secret of a client, without the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRecord {
    /// Its id.
    pub id: SecretId,
    /// Its first characters, to tell secrets apart.
    pub hint: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
    /// When an access token was last issued for it.
    pub last_used: Option<Timestamp>,
    /// The warning about its end that was given last: so many days before.
    pub warned: Option<i64>,
}

/// What a presented client secret stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretOwner {
    /// The tenant of the client.
    pub tenant: TenantKey,
    /// The tenant's name.
    pub tenant_name: String,
    /// Since when the tenant is suspended, if it is.
    pub suspended: Option<Timestamp>,
    /// The client.
    pub client: ClientRecord,
    /// The secret.
    pub secret: SecretId,
    /// When the secret stops working.
    pub expires: Timestamp,
}

/// An identity provider whose assertions count as a client's secret (RFC 7523 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederationRecord {
    /// The client.
    pub client: ClientId,
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must name.
    pub audience: String,
    /// What `sub` must be, where that is asked for.
    pub subject: Option<String>,
    /// Where the provider's keys are fetched.
    pub jwks_url: Option<String>,
    /// The provider's keys, where they are kept here.
    pub jwks: Option<String>,
    /// Whether its tokens are also taken as bearer tokens.
    pub accept_bearer: bool,
    /// When it was set.
    pub created: Timestamp,
}

statements! {
    INSERT_CLIENT = "INSERT INTO clients (tenant, id, name, may_write, may_define, token_minutes, created) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    CLIENTS = "SELECT id, name, may_write, may_define, token_minutes, created FROM clients WHERE tenant = $1 ORDER BY name";
    CLIENT_BY_NAME_LOCKED = "SELECT id, name, may_write, may_define, token_minutes, created FROM clients WHERE tenant = $1 AND name = $2",
                            "SELECT id, name, may_write, may_define, token_minutes, created FROM clients WHERE tenant = $1 AND name = $2 FOR UPDATE";
    CLIENT_LOCKED = "SELECT id, name, may_write, may_define, token_minutes, created FROM clients WHERE tenant = $1 AND id = $2",
                    "SELECT id, name, may_write, may_define, token_minutes, created FROM clients WHERE tenant = $1 AND id = $2 FOR UPDATE";
    INSERT_SECRET = "INSERT INTO client_secrets (tenant, client, id, hash, hint, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    SECRETS = "SELECT id, hint, created, expires, last_used, warned FROM client_secrets WHERE tenant = $1 AND client = $2 ORDER BY id";
    SECRET_OWNER = "SELECT s.tenant, n.name, n.suspended, c.id, c.name, c.may_write, c.may_define, c.token_minutes, c.created, s.id, s.expires FROM client_secrets s JOIN clients c ON c.tenant = s.tenant AND c.id = s.client JOIN tenants n ON n.tenant = s.tenant WHERE s.hash = $1";
    SECRET_USED = "UPDATE client_secrets SET last_used = $4 WHERE tenant = $1 AND client = $2 AND id = $3";
    SECRET_WARNED = "UPDATE client_secrets SET warned = $4 WHERE tenant = $1 AND client = $2 AND id = $3";
    DELETE_SECRET = "DELETE FROM client_secrets WHERE tenant = $1 AND client = $2 AND id = $3";
    DELETE_EXPIRED_SECRETS = "DELETE FROM client_secrets WHERE tenant = $1 AND client = $2 AND expires <= $3";
    DELETE_TOKENS_OF_SECRET = "DELETE FROM tokens WHERE tenant = $1 AND client = $2 AND client_secret = $3";
    DELETE_TOKENS_OF_FEDERATION = "DELETE FROM tokens WHERE tenant = $1 AND client = $2 AND client_secret IS NULL";
    DELETE_ENDED_ASSERTIONS = "DELETE FROM assertions WHERE tenant = $1 AND client = $2 AND expires <= $3";
    DELETE_ENDED_ASSERTIONS_OF_ALL = "DELETE FROM assertions WHERE tenant = $1 AND expires <= $2";
    ASSERTION_TAKEN = "SELECT expires FROM assertions WHERE tenant = $1 AND client = $2 AND digest = $3";
    ASSERTIONS_FULL = "SELECT expires FROM assertions WHERE tenant = $1 AND client = $2 ORDER BY digest LIMIT 1 OFFSET $3";
    INSERT_ASSERTION = "INSERT INTO assertions (tenant, client, digest, expires) VALUES ($1, $2, $3, $4)";
    DELETE_ASSERTIONS = "DELETE FROM assertions WHERE tenant = $1 AND client = $2";
    DELETE_TOKENS = "DELETE FROM tokens WHERE tenant = $1 AND client = $2";
    DELETE_SECRETS = "DELETE FROM client_secrets WHERE tenant = $1 AND client = $2";
    DELETE_FEDERATION = "DELETE FROM federations WHERE tenant = $1 AND client = $2";
    DELETE_CLIENT = "DELETE FROM clients WHERE tenant = $1 AND id = $2";
    INSERT_FEDERATION = "INSERT INTO federations (tenant, client, issuer, audience, subject, jwks_url, jwks, accept_bearer, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FEDERATIONS = "SELECT client, issuer, audience, subject, jwks_url, jwks, accept_bearer, created FROM federations WHERE tenant = $1 ORDER BY client";
    FEDERATION = "SELECT client, issuer, audience, subject, jwks_url, jwks, accept_bearer, created FROM federations WHERE tenant = $1 AND client = $2";
}

fn client(row: &Row<'_>) -> Result<ClientRecord, StoreError> {
    client_from(row, 0)
}

fn client_from(row: &Row<'_>, first: usize) -> Result<ClientRecord, StoreError> {
    Ok(ClientRecord {
        id: row.id(first)?,
        name: row.text(first + 1)?,
        may_write: row.flag(first + 2)?,
        may_define: row.flag(first + 3)?,
        token_minutes: row.int(first + 4)?,
        created: row.time(first + 5)?,
    })
}

fn federation(row: &Row<'_>) -> Result<FederationRecord, StoreError> {
    Ok(FederationRecord {
        client: row.id(0)?,
        issuer: row.text(1)?,
        audience: row.text(2)?,
        subject: row.opt_text(3)?,
        jwks_url: row.opt_text(4)?,
        jwks: row.opt_text(5)?,
        accept_bearer: row.flag(6)?,
        created: row.time(7)?,
    })
}

/// Keeps a new client. A client of that name is [`StoreError::NotUnique`].
pub fn insert_client(tx: &mut WriteTx<'_>, tenant: TenantKey, client: &ClientRecord) -> Result<(), StoreError> {
    let ClientRecord { id, name, may_write, may_define, token_minutes, created } = client;
    tx.run(&INSERT_CLIENT, params![tenant, *id, name, *may_write, *may_define, *token_minutes, *created]).map(drop)
}

/// All clients of a tenant, by name.
pub fn clients(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Vec<ClientRecord>, StoreError> {
    tx.all(&CLIENTS, params![tenant], client)
}

/// The tenant's client of that name, held against others who change it or have a token issued.
pub fn client_by_name_locked(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    name: &str,
) -> Result<Option<ClientRecord>, StoreError> {
    tx.first(&CLIENT_BY_NAME_LOCKED, params![tenant, name], client)
}

/// The tenant's client of that id, held against others who change it or have a token issued.
pub fn client_locked(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    id: ClientId,
) -> Result<Option<ClientRecord>, StoreError> {
    tx.first(&CLIENT_LOCKED, params![tenant, id], client)
}

/// Deletes a client with its secrets, its identity provider and its access tokens.
pub fn delete_client(tx: &mut WriteTx<'_>, tenant: TenantKey, id: ClientId) -> Result<(), StoreError> {
    for sql in [&DELETE_TOKENS, &DELETE_SECRETS, &DELETE_FEDERATION, &DELETE_ASSERTIONS, &DELETE_CLIENT] {
        tx.run(sql, params![tenant, id])?;
    }
    Ok(())
}

/// Keeps a new secret of a client by its keyed hash; those of the client that have expired go.
pub fn insert_secret(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    client: ClientId,
    secret: &SecretRecord,
    hash: &[u8],
) -> Result<(), StoreError> {
    let SecretRecord { id, hint, created, expires, .. } = secret;
    tx.run(&DELETE_EXPIRED_SECRETS, params![tenant, client, *created])?;
    tx.run(&INSERT_SECRET, params![tenant, client, *id, hash, hint, *created, *expires]).map(drop)
}

/// The secrets of a client, oldest first.
pub fn secrets(tx: &mut ReadTx<'_>, tenant: TenantKey, client: ClientId) -> Result<Vec<SecretRecord>, StoreError> {
    tx.all(&SECRETS, params![tenant, client], |row| {
        Ok(SecretRecord {
            id: row.id(0)?,
            hint: row.text(1)?,
            created: row.time(2)?,
            expires: row.time(3)?,
            last_used: row.opt_time(4)?,
            warned: row.opt_int(5)?,
        })
    })
}

/// Deletes a secret with the access tokens that were issued for it.
pub fn delete_secret(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    client: ClientId,
    id: SecretId,
) -> Result<(), StoreError> {
    tx.run(&DELETE_TOKENS_OF_SECRET, params![tenant, client, id])?;
    tx.run(&DELETE_SECRET, params![tenant, client, id]).map(drop)
}

/// Whose secret has this keyed hash.
pub fn secret_owner(tx: &mut ReadTx<'_>, hash: &[u8]) -> Result<Option<SecretOwner>, StoreError> {
    tx.first(&SECRET_OWNER, params![hash], |row| {
        Ok(SecretOwner {
            tenant: TenantKey(row.int(0)?),
            tenant_name: row.text(1)?,
            suspended: row.opt_time(2)?,
            client: client_from(row, 3)?,
            secret: row.id(9)?,
            expires: row.time(10)?,
        })
    })
}

/// Notes that an access token was issued for a secret.
pub fn note_use(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    client: ClientId,
    id: SecretId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&SECRET_USED, params![tenant, client, id, at]).map(drop)
}

/// Notes that the warning was given which comes so many days before a secret's end.
pub fn note_warning(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    client: ClientId,
    id: SecretId,
    days: i64,
) -> Result<(), StoreError> {
    tx.run(&SECRET_WARNED, params![tenant, client, id, days]).map(drop)
}

/// Sets, changes or takes away the identity provider of a client. Access tokens that were issued on the word of the former one go.
pub fn set_federation(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    client: ClientId,
    federation: Option<&FederationRecord>,
) -> Result<(), StoreError> {
    tx.run(&DELETE_TOKENS_OF_FEDERATION, params![tenant, client])?;
    tx.run(&DELETE_FEDERATION, params![tenant, client])?;
    let Some(FederationRecord { issuer, audience, subject, jwks_url, jwks, accept_bearer, created, .. }) = federation
    else {
        return Ok(());
    };
    let (subject, jwks_url, jwks) = (subject.as_deref(), jwks_url.as_deref(), jwks.as_deref());
    let values = params![tenant, client, issuer, audience, subject, jwks_url, jwks, *accept_bearer, *created];
    tx.run(&INSERT_FEDERATION, values).map(drop)
}

/// The identity providers of a tenant's clients.
pub fn federations(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Vec<FederationRecord>, StoreError> {
    tx.all(&FEDERATIONS, params![tenant], federation)
}

/// The identity provider of a client.
pub fn federation_of(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    client: ClientId,
) -> Result<Option<FederationRecord>, StoreError> {
    tx.first(&FEDERATION, params![tenant, client], federation)
}

/// Removes the assertions of a tenant's clients that nobody would believe any more; says how many.
pub fn delete_ended_assertions(tx: &mut WriteTx<'_>, tenant: TenantKey, now: Timestamp) -> Result<u64, StoreError> {
    tx.run(&DELETE_ENDED_ASSERTIONS_OF_ALL, params![tenant, now])
}

/// What became of an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is new, and kept until it expires.
    New,
    /// It was taken before.
    Before,
    /// As many of the client are kept as may be, so it is not known.
    TooMany,
}

/// Takes an assertion of a client, named by a hash, once before it expires. No more than `max` are kept of a client, which its
/// transaction must hold ([`client_locked`]).
pub fn take_assertion(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    client: ClientId,
    (digest, expires): (&[u8], Timestamp),
    (max, now): (u32, Timestamp),
) -> Result<Taken, StoreError> {
    tx.run(&DELETE_ENDED_ASSERTIONS, params![tenant, client, now])?;
    if tx.first(&ASSERTION_TAKEN, params![tenant, client, digest], |_| Ok(()))?.is_some() {
        return Ok(Taken::Before);
    }
    let others = i64::from(max.saturating_sub(1));
    if tx.first(&ASSERTIONS_FULL, params![tenant, client, others], |_| Ok(()))?.is_some() {
        return Ok(Taken::TooMany);
    }
    tx.run(&INSERT_ASSERTION, params![tenant, client, digest, expires])?;
    Ok(Taken::New)
}

/// Whether an assertion of a client, named by a hash, was taken and is kept in mind.
pub fn is_assertion_taken(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    client: ClientId,
    digest: &[u8],
) -> Result<bool, StoreError> {
    Ok(tx.first(&ASSERTION_TAKEN, params![tenant, client, digest], |_| Ok(()))?.is_some())
}

#[cfg(test)]
pub(crate) mod tests;
