//! Access tokens: issued to a client that shows its secret, or for which its identity provider vouches.
//!
//! What is shown is looked at in a transaction that reads, so that guesses keep no writer busy; what is right is looked at once more in
//! the one that writes, which holds the client, so that nothing is issued after a client, a secret or a provider was taken away.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use store::clients::{self as kept, ClientRecord, FederationRecord, Taken};
use store::tokens::{self, AccessTokenRecord};
use store::{ClientId, ReadTx, SecretId, StoreError, TenantKey, TokenId, WriteTx};

use super::assertion::{Assertion, BadAssertion, Expected};
use super::{ACCESS_TOKENS_MAX, ASSERTIONS_MAX, KeySet, OAuthError};
use crate::secret::{SecretKind, hint};
use crate::{AuthError, Scope, TenantSettings, TokenHash, TokenKey};

const WRONG_SECRET: OAuthError = OAuthError::InvalidClient("the client id and secret open nothing here");

/// A new access token as it is asked for.
#[derive(Clone, Copy)]
pub struct NewAccess {
    /// A new id.
    pub id: TokenId,
    /// 32 bytes from the operating system's generator.
    pub secret: [u8; 32],
    /// What it is to allow; none for all that the client may.
    pub scope: Option<Scope>,
}

/// An access token that was just issued (RFC 6749 §5.1).
pub struct AccessToken {
    /// The text to hand to the client.
    pub text: String,
    /// How many seconds it works.
    pub seconds: i64,
    /// What it allows.
    pub scope: Scope,
}

/// Reads the parameter `scope`: names with blanks between them (RFC 6749 §3.3).
pub fn requested_scope(text: Option<&str>) -> Result<Option<Scope>, OAuthError> {
    let mut asked = None;
    for word in text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        asked = match (word, asked) {
            ("read", None | Some(Scope::Read)) => Some(Scope::Read),
            ("read" | "write", None | Some(Scope::Read | Scope::Write)) => Some(Scope::Write),
            ("schemas", None | Some(Scope::Schemas)) => Some(Scope::Schemas),
            _ => return Err(OAuthError::InvalidScope),
        };
    }
    Ok(asked)
}

/// A client id with its secret, as they were shown at the address of a tenant.
pub struct ClientSecret {
    tenant: String,
    client: ClientId,
    hash: TokenHash,
}

impl ClientSecret {
    /// Reads what a client shows. What cannot be right is refused unhashed.
    pub fn read(key: &TokenKey, tenant: &str, client: &str, secret: &str) -> Result<Self, OAuthError> {
        let client = ClientId::exact(client).ok_or(WRONG_SECRET)?;
        if SecretKind::of(secret) != Some(SecretKind::ClientSecret) {
            return Err(WRONG_SECRET);
        }
        Ok(Self { tenant: tenant.to_owned(), client, hash: key.digest(secret) })
    }

    /// Whose secret it is. The tenant is the secret's: at another one's address it opens nothing.
    pub fn check(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<(), OAuthError> {
        self.owner(tx, now).map(drop)
    }

    fn owner(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<(TenantKey, ClientRecord, SecretId), OAuthError> {
        let owner = kept::secret_owner(tx, &self.hash.0)?.ok_or(WRONG_SECRET)?;
        if owner.tenant_name != self.tenant || owner.client.id != self.client || owner.expires <= now {
            return Err(WRONG_SECRET);
        }
        if owner.suspended.is_some() {
            return Err(OAuthError::Suspended);
        }
        Ok((owner.tenant, owner.client, owner.secret))
    }
}

/// Issues an access token for a secret.
pub fn issue_for_secret(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    shown: &ClientSecret,
    new: &NewAccess,
    now: Timestamp,
) -> Result<AccessToken, OAuthError> {
    let (tenant, client, _) = shown.owner(tx, now)?;
    kept::client_locked(tx, tenant, client.id)?.ok_or(WRONG_SECRET)?;
    // Once more, now that nobody can take the secret away.
    let (tenant, client, secret) = shown.owner(tx, now)?;
    kept::note_use(tx, tenant, client.id, secret, now)?;
    issue(tx, key, (tenant, &client, Some(secret)), new, now)
}

fn issue(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    (tenant, client, secret): (TenantKey, &ClientRecord, Option<SecretId>),
    new: &NewAccess,
    now: Timestamp,
) -> Result<AccessToken, OAuthError> {
    let own = Scope::of_client(client);
    let scope = new.scope.unwrap_or(own);
    if !own.includes(scope) {
        return Err(OAuthError::InvalidScope);
    }
    let text = SecretKind::AccessToken.text(new.secret);
    let seconds = client.token_minutes * 60;
    let record = AccessTokenRecord {
        id: new.id,
        client: client.id,
        secret,
        name: client.name.clone(),
        hint: hint(&text),
        may_write: scope.may_write(),
        may_define: scope.may_define(),
        created: now,
        expires: now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX),
    };
    tokens::insert_access_token(tx, tenant, &record, &key.digest(&text).0, ACCESS_TOKENS_MAX)?;
    Ok(AccessToken { text, seconds, scope })
}

/// An identity provider that may vouch for a client of a tenant.
#[derive(Clone, Debug)]
pub struct Voucher {
    tenant: TenantKey,
    record: FederationRecord,
    is_suspended: bool,
    has_own_address: bool,
}

/// The identity providers of a tenant's clients to which an assertion appeals; of one client where its id is given. They are what
/// the tenant's rows say: nothing in an assertion can name a tenant. Where there are none, nothing tells why.
pub fn vouchers(
    tx: &mut ReadTx<'_>,
    tenant_name: &str,
    client: Option<ClientId>,
    assertion: &Assertion<'_>,
) -> Result<Vec<Voucher>, OAuthError> {
    let Some(tenant) = store::tenants::tenant_by_name(tx, tenant_name)? else { return Ok(Vec::new()) };
    let is_suspended = tenant.suspended.is_some();
    let has_own_address = TenantSettings::read(&tenant.settings)?.address.is_some();
    let is_asked = |record: &FederationRecord| {
        client.is_none_or(|client| client == record.client) && assertion.is_said_to_be_of(&record.issuer)
    };
    let mut found: Vec<Voucher> = kept::federations(tx, tenant.key)?
        .into_iter()
        .filter(is_asked)
        .map(|record| Voucher { tenant: tenant.key, record, is_suspended, has_own_address })
        .collect();
    // What is wrong with it is told by one of them, if that one has signed it.
    if found.iter().any(|voucher| assertion.says(expected(&voucher.record)).is_ok()) {
        found.retain(|voucher| assertion.says(expected(&voucher.record)).is_ok());
    } else {
        found.truncate(1);
    }
    Ok(found)
}

fn expected(record: &FederationRecord) -> Expected<'_> {
    Expected { issuer: &record.issuer, audience: &record.audience, subject: record.subject.as_deref() }
}

impl Voucher {
    /// The tenant whose client it is about.
    pub const fn tenant(&self) -> TenantKey {
        self.tenant
    }

    /// Where its keys are fetched; none where they are kept here.
    pub fn keys_url(&self) -> Option<&str> {
        self.record.jwks_url.as_deref()
    }

    /// Its keys, where they are kept here.
    pub fn keys(&self) -> Option<KeySet> {
        KeySet::parse(self.record.jwks.as_deref()?.as_bytes()).ok()
    }

    /// Whether its tokens are also taken as bearer tokens.
    pub const fn accepts_bearer(&self) -> bool {
        self.record.accept_bearer
    }

    /// Checks an assertion with the provider's keys. Only who has signed it learns what else is wrong.
    pub fn verify(self, assertion: &Assertion<'_>, keys: &KeySet, now: Timestamp) -> Result<Vouched, OAuthError> {
        let verified = assertion.verify(keys, expected(&self.record), now)?;
        if self.is_suspended {
            return Err(OAuthError::Suspended);
        }
        let digest = verified.id.map(|id| Sha256::digest(id.as_bytes()).into());
        Ok(Vouched { voucher: self, digest, expires: verified.expires })
    }
}

/// An identity provider vouched for a client.
#[derive(Clone, Debug)]
pub struct Vouched {
    voucher: Voucher,
    /// A hash of the assertion's `jti`, where it has one.
    digest: Option<[u8; 32]>,
    expires: Timestamp,
}

impl Vouched {
    /// When it stops being believed, by a clock that may be behind that of the provider.
    fn believed_until(&self) -> Timestamp {
        self.expires.saturating_add(super::CLOCK_LEEWAY).unwrap_or(Timestamp::MAX)
    }

    /// The client, held against others; the provider must still be the one that was asked.
    fn client(&self, tx: &mut WriteTx<'_>) -> Result<ClientRecord, OAuthError> {
        let Voucher { tenant, record, .. } = &self.voucher;
        let gone = || OAuthError::InvalidClient(BadAssertion::Issuer.as_str());
        let client = kept::client_locked(tx, *tenant, record.client)?.ok_or_else(gone)?;
        let now_kept = kept::federation_of(tx, *tenant, record.client)?;
        if now_kept.as_ref() == Some(record) { Ok(client) } else { Err(gone()) }
    }
}

/// Issues an access token for an assertion. One that bears an id (`jti`) is taken once.
pub fn issue_for_assertion(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    vouched: &Vouched,
    new: &NewAccess,
    now: Timestamp,
) -> Result<AccessToken, OAuthError> {
    let client = vouched.client(tx)?;
    let tenant = vouched.voucher.tenant;
    if let Some(digest) = &vouched.digest {
        match kept::take_assertion(tx, tenant, client.id, (digest, vouched.believed_until()), (ASSERTIONS_MAX, now))? {
            Taken::New => {}
            Taken::Before => return Err(OAuthError::InvalidClient("the assertion was used before; make a new one")),
            Taken::TooMany => {
                return Err(OAuthError::Unavailable("too many assertions; use each access token until it expires"));
            }
        }
    }
    issue(tx, key, (tenant, &client, None), new, now)
}

/// Whether a token of an identity provider was introduced before, and is remembered.
pub fn is_introduced(tx: &mut ReadTx<'_>, hash: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
    match hash.authenticate(tx, now) {
        Ok(_)
        | Err(
            AuthError::Expired
            | AuthError::Suspended
            | AuthError::OtherScope { .. }
            | AuthError::SchemasChanged
            | AuthError::SchemasNotAtHand,
        ) => Ok(true),
        Err(AuthError::Invalid) => Ok(false),
        Err(AuthError::Store(error)) => Err(error),
    }
}

/// What a token of an identity provider begins with, by which those that are remembered are told from access tokens of our own.
const BEARER_HINT: &str = "eyJ";

/// Forgets the tokens of identity providers that a tenant has remembered, where other hashes are to be remembered of them: each is
/// verified anew when it is shown next.
pub(crate) fn forget_bearers(tx: &mut WriteTx<'_>, tenant: TenantKey) -> Result<(), StoreError> {
    tokens::delete_access_tokens_hinted(tx, tenant, BEARER_HINT)
}

/// The keyed hashes that a token of an identity provider is found by.
#[derive(Clone, Debug)]
pub struct BearerHashes {
    /// At addresses that name the tenant.
    pub of_tenant: TokenHash,
    /// At addresses that do not.
    pub elsewhere: TokenHash,
}

/// Remembers a verified token of an identity provider by its hashes, as access tokens that work for as long as it is believed itself.
/// From then on it is looked up like every other, and ends like every other with its client. At an address that names no tenant it
/// opens one only, if that has such an address: the first at which it was shown.
///
/// # Errors
/// That of a hash that is not unique where another request remembers it at the same time: the next look finds it.
pub fn introduce_bearer(
    tx: &mut WriteTx<'_>,
    hashes: &BearerHashes,
    vouched: &Vouched,
    ids: [TokenId; 2],
    now: Timestamp,
) -> Result<(), OAuthError> {
    let client = vouched.client(tx)?;
    if is_introduced(tx, &hashes.of_tenant, now)? {
        return Ok(());
    }
    // A token of one use is not one of another (RFC 8725 §3.12): what was shown to get an access token is none itself.
    if let Some(digest) = &vouched.digest
        && kept::is_assertion_taken(tx, vouched.voucher.tenant, client.id, digest)?
    {
        return Err(OAuthError::InvalidClient("the token was used as an assertion; make a new one"));
    }
    let [id, second] = ids;
    remember(tx, (&client, vouched), &hashes.of_tenant, id, now)?;
    if vouched.voucher.has_own_address && !is_introduced(tx, &hashes.elsewhere, now)? {
        remember(tx, (&client, vouched), &hashes.elsewhere, second, now)?;
    }
    Ok(())
}

fn remember(
    tx: &mut WriteTx<'_>,
    (client, vouched): (&ClientRecord, &Vouched),
    hash: &TokenHash,
    id: TokenId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let record = AccessTokenRecord {
        id,
        client: client.id,
        secret: None,
        name: client.name.clone(),
        hint: BEARER_HINT.to_owned(),
        may_write: client.may_write,
        may_define: client.may_define,
        created: now,
        expires: vouched.believed_until(),
    };
    tokens::insert_access_token(tx, vouched.voucher.tenant, &record, &hash.0, ACCESS_TOKENS_MAX)
}
