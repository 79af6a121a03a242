//! Clients as an administrator makes them: with secrets, or with an identity provider that vouches for them.

use jiff::Timestamp;
use store::clients::{self as kept, ClientRecord, FederationRecord, SecretRecord};
use store::{ClientId, ReadTx, SecretId, TenantKey, UniqueKey, WriteTx};

use super::{CLIENTS_MAX, KeySet, SECRET_DAYS_MAX, SECRETS_MAX, TOKEN_MINUTES};
use crate::secret::{SecretKind, hint};
use crate::token::{days_later, is_token_name};
use crate::{Scope, TenantError, TokenKey, tenant};

/// Longest issuer, audience, subject or address of keys, in bytes.
const FEDERATION_TEXT_BYTES_MAX: usize = 2048;

/// A client that an administrator asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClientRequest<'a> {
    /// The name of the tenant it opens.
    pub tenant: &'a str,
    /// Its own name; unique in the tenant.
    pub name: &'a str,
    /// A new id.
    pub id: ClientId,
    /// What its access tokens may do.
    pub scope: Scope,
    /// How many minutes they work; within [`TOKEN_MINUTES`].
    pub token_minutes: u16,
}

/// A secret that an administrator asks for.
#[derive(Clone, Copy)]
pub struct SecretRequest {
    /// A new id.
    pub id: SecretId,
    /// 32 bytes from the operating system's generator.
    pub secret: [u8; 32],
    /// How many days it works; at most [`SECRET_DAYS_MAX`].
    pub days: u16,
}

/// A client that was just made.
pub struct NewClient {
    /// What is kept of it.
    pub record: ClientRecord,
    /// Its first secret.
    pub secret: Option<NewSecret>,
}

/// A client secret that was just made. The only moment at which its text is known.
pub struct NewSecret {
    /// The client it belongs to.
    pub client: ClientId,
    /// The text to hand to the client.
    pub text: String,
    /// What is kept of it.
    pub record: SecretRecord,
}

/// A client with what vouches for it.
#[derive(Clone, Debug)]
pub struct ClientView {
    /// The client.
    pub client: ClientRecord,
    /// Its secrets, oldest first.
    pub secrets: Vec<SecretRecord>,
    /// Its identity provider.
    pub federation: Option<FederationRecord>,
}

/// An identity provider that an administrator describes.
#[derive(Clone, Debug)]
pub struct Federation {
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must name.
    pub audience: String,
    /// What `sub` must be, where that is asked for.
    pub subject: Option<String>,
    /// Where its keys are.
    pub keys: FederationKeys,
    /// Whether its tokens are also taken as bearer tokens.
    pub accept_bearer: bool,
}

/// Where the keys of an identity provider are.
#[derive(Clone, Debug)]
pub enum FederationKeys {
    /// At an address, from which they are fetched.
    At(String),
    /// Here: a JSON Web Key Set.
    Here(String),
}

/// Makes a client, with a first secret where one is asked for.
pub fn add_client(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    request: &ClientRequest<'_>,
    secret: Option<&SecretRequest>,
    now: Timestamp,
) -> Result<NewClient, TenantError> {
    if !is_token_name(request.name) {
        return Err(TenantError::BadClientName);
    }
    if !TOKEN_MINUTES.contains(&request.token_minutes) {
        return Err(TenantError::BadTokenMinutes);
    }
    let owner = tenant::tenant(tx, request.tenant)?;
    if kept::clients(tx, owner.key)?.len() >= CLIENTS_MAX {
        return Err(TenantError::TooManyClients(owner.name));
    }
    let record = ClientRecord {
        id: request.id,
        name: request.name.to_owned(),
        may_write: request.scope.may_write(),
        may_define: request.scope.may_define(),
        token_minutes: request.token_minutes.into(),
        created: now,
    };
    let taken = || TenantError::ClientExists { tenant: request.tenant.to_owned(), client: request.name.to_owned() };
    kept::insert_client(tx, owner.key, &record)
        .map_err(|error| TenantError::unless_taken(error, UniqueKey::ClientName, taken))?;
    let secret = secret.map(|secret| insert(tx, key, (owner.key, &record), secret, now)).transpose()?;
    Ok(NewClient { record, secret })
}

fn insert(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    (tenant, client): (TenantKey, &ClientRecord),
    request: &SecretRequest,
    now: Timestamp,
) -> Result<NewSecret, TenantError> {
    if !(1..=SECRET_DAYS_MAX).contains(&request.days) {
        return Err(TenantError::BadSecretDays);
    }
    let text = SecretKind::ClientSecret.text(request.secret);
    let expires = days_later(now, request.days);
    let record =
        SecretRecord { id: request.id, hint: hint(&text), created: now, expires, last_used: None, warned: None };
    kept::insert_secret(tx, tenant, client.id, &record, &key.digest(&text).0)?;
    Ok(NewSecret { client: client.id, text, record })
}

/// The client of that name, held against others.
fn held(tx: &mut WriteTx<'_>, tenant_name: &str, name: &str) -> Result<(TenantKey, ClientRecord), TenantError> {
    let owner = tenant::tenant(tx, tenant_name)?;
    let client = kept::client_by_name_locked(tx, owner.key, name)?;
    let client =
        client.ok_or_else(|| TenantError::NoSuchClient { tenant: tenant_name.to_owned(), client: name.to_owned() })?;
    Ok((owner.key, client))
}

/// Gives a client one more secret, so that it can change over to it while the old one works. A third valid one is refused.
pub fn add_secret(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    (tenant, name): (&str, &str),
    request: &SecretRequest,
    now: Timestamp,
) -> Result<NewSecret, TenantError> {
    let (tenant, client) = held(tx, tenant, name)?;
    let valid = kept::secrets(tx, tenant, client.id)?.into_iter().filter(|secret| secret.expires > now).count();
    if valid >= SECRETS_MAX {
        return Err(TenantError::TooManySecrets(client.name));
    }
    insert(tx, key, (tenant, &client), request, now)
}

/// Revokes the secret of a client that begins as its hint does, or is it, with the access tokens that were issued for it.
pub fn revoke_secret(tx: &mut WriteTx<'_>, (tenant, name): (&str, &str), begins: &str) -> Result<(), TenantError> {
    let (tenant, client) = held(tx, tenant, name)?;
    // Where the whole secret was given, no more of it is told than is known anyway.
    let begins = hint(begins.trim_end_matches('…'));
    let secrets = kept::secrets(tx, tenant, client.id)?;
    let meant: Vec<&SecretRecord> = secrets.iter().filter(|secret| secret.hint == begins).collect();
    match meant.as_slice() {
        [one] => Ok(kept::delete_secret(tx, tenant, client.id, one.id)?),
        others => Err(TenantError::NoSuchSecret { client: client.name, hint: begins, found: others.len() }),
    }
}

/// Removes a client with its secrets and its access tokens: the next request with any of them is refused.
pub fn remove_client(tx: &mut WriteTx<'_>, (tenant, name): (&str, &str)) -> Result<(), TenantError> {
    let (tenant, client) = held(tx, tenant, name)?;
    Ok(kept::delete_client(tx, tenant, client.id)?)
}

/// The clients of the tenant of that name, by name.
pub fn clients(tx: &mut ReadTx<'_>, tenant_name: &str) -> Result<Vec<ClientView>, TenantError> {
    let owner = tenant::tenant(tx, tenant_name)?;
    let mut views = Vec::new();
    for client in kept::clients(tx, owner.key)? {
        let secrets = kept::secrets(tx, owner.key, client.id)?;
        let federation = kept::federation_of(tx, owner.key, client.id)?;
        views.push(ClientView { client, secrets, federation });
    }
    Ok(views)
}

/// Has an identity provider vouch for a client, in place of the one before; or none any more.
pub fn federate(
    tx: &mut WriteTx<'_>,
    (tenant, name): (&str, &str),
    federation: Option<&Federation>,
    now: Timestamp,
) -> Result<(), TenantError> {
    let (tenant, client) = held(tx, tenant, name)?;
    let record = federation.map(|federation| checked(&client, federation, now)).transpose()?;
    Ok(kept::set_federation(tx, tenant, client.id, record.as_ref())?)
}

fn checked(client: &ClientRecord, federation: &Federation, now: Timestamp) -> Result<FederationRecord, TenantError> {
    let Federation { issuer, audience, subject, keys, accept_bearer } = federation;
    let (jwks_url, jwks) = match keys {
        FederationKeys::At(url) => (Some(url.clone()), None),
        FederationKeys::Here(text) => {
            KeySet::parse(text.as_bytes()).map_err(|error| TenantError::BadFederation(error.to_string()))?;
            (None, Some(text.clone()))
        }
    };
    let texts = [("issuer", Some(issuer)), ("audience", Some(audience)), ("subject", subject.as_ref())];
    for (what, text) in texts.into_iter().chain([("address of the keys", jwks_url.as_ref())]) {
        let is_bad = |text: &String| {
            text.trim().is_empty() || text.len() > FEDERATION_TEXT_BYTES_MAX || text.chars().any(char::is_control)
        };
        if text.is_some_and(is_bad) {
            let limit = FEDERATION_TEXT_BYTES_MAX;
            let told = format!("the {what} has 1 to {limit} bytes and no control characters");
            return Err(TenantError::BadFederation(told));
        }
    }
    if jwks_url.as_ref().is_some_and(|url| !is_url(url)) {
        let told = "the address of the keys begins with https:// (http:// only inside your own network)";
        return Err(TenantError::BadFederation(told.to_owned()));
    }
    Ok(FederationRecord {
        client: client.id,
        issuer: issuer.clone(),
        audience: audience.clone(),
        subject: subject.clone(),
        jwks_url,
        jwks,
        accept_bearer: *accept_bearer,
        created: now,
    })
}

/// Whether it begins like an address on the web. What may be reached is decided where it is dialled.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['@', ' ', '#', '\\']))
}
