//! Secret tokens of tenants: 256 bits of the caller's randomness, kept as a keyed hash, shown once.
//!
//! A presented token is looked up by its HMAC-SHA256 under the server's key. Nothing is ever compared with the secret itself, so how
//! long a refusal takes tells nothing about how much of a guess was right.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use store::clients::ClientRecord;
use store::tokens::{TokenOwner, TokenRecord};
use store::{ReadTx, StoreError, TenantKey, TokenId, UniqueKey, WriteTx};

use crate::custom::profile_of;
use crate::oauth::is_jwt;
use crate::secret::{SecretKind, hint};
use crate::{Caller, Credential, Profile, TenantError, TenantSettings, tenant};

/// Longest name of a token, in characters.
pub const TOKEN_NAME_CHARS_MAX: usize = 128;
/// Days that a token works when nothing else is asked for.
pub const TOKEN_DAYS_DEFAULT: u16 = 365;

/// The server's key for hashing tokens. Without it, a copy of the database opens nothing.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    /// Takes the 32 bytes of the key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length"))
    }

    /// Hashes what a client presented. Anything that cannot be a token is refused unhashed.
    pub fn hash(&self, presented: &str) -> Result<TokenHash, AuthError> {
        match SecretKind::of(presented) {
            Some(SecretKind::Token | SecretKind::AccessToken) => Ok(self.digest(presented)),
            // A token of an identity provider; whether it opens anything is known where it was introduced.
            None if is_jwt(presented) => Ok(self.digest(presented)),
            Some(SecretKind::ClientSecret) | None => Err(AuthError::Invalid),
        }
    }

    /// The same at an address that names a tenant. Several tenants may trust one identity provider, so what its token opens is known
    /// for each of them apart.
    pub fn hash_at(&self, tenant: &str, presented: &str) -> Result<TokenHash, AuthError> {
        if is_jwt(presented) {
            // No token has this byte, so nothing else is hashed to the same.
            return Ok(self.digest(&format!("{presented}\0{tenant}")));
        }
        self.hash(presented)
    }

    /// A key of its own for another purpose.
    pub fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(purpose);
        mac.finalize().into_bytes().into()
    }

    pub(crate) fn digest(&self, token: &str) -> TokenHash {
        let mut mac = self.0.clone();
        mac.update(token.as_bytes());
        TokenHash(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// The keyed hash of a presented token; says nothing yet about whether it is valid.
#[derive(Clone, Debug)]
pub struct TokenHash(pub(crate) [u8; 32]);

impl TokenHash {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Finds what the token opens.
    pub fn authenticate(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Arc<Caller>, AuthError> {
        let found = tx.remembered(&self.0, |tx| {
            let owner = store::tokens::token_owner(tx, &self.0)?.ok_or(AuthError::Invalid)?;
            Opened::read(tx, owner)
        })?;
        found.admit(now)
    }

    /// Whether the token still opens what it opened before: asked in the transaction that writes, as between the head of a
    /// request and its body it may have been revoked. What the tenant defines itself stays as it is until the transaction ends, and
    /// must be what the request was prepared by.
    pub fn check(&self, tx: &mut WriteTx<'_>, caller: &Caller, now: Timestamp) -> Result<(), AuthError> {
        let owner = store::tokens::token_owner(tx, &self.0)?.ok_or(AuthError::Invalid)?;
        valid(owner.expires, owner.suspended.is_some(), now)?;
        let in_force = match caller.schema_digest() {
            None => owner.schema_digest,
            Some(_) => store::schemas::hold_schemas(tx, owner.tenant)?,
        };
        if in_force.as_ref() == caller.schema_digest() { Ok(()) } else { Err(AuthError::SchemasChanged) }
    }
}

/// Why a token does not open anything.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown, malformed or revoked.
    #[error("the bearer token is not valid")]
    Invalid,
    /// It was valid.
    #[error("the bearer token has expired")]
    Expired,
    /// It is valid, but the tenant is suspended.
    #[error("the tenant is suspended")]
    Suspended,
    /// It is valid, and for something else than what it was shown for.
    #[error("the bearer token is not for this; one of the scope {needed} is")]
    OtherScope {
        /// Who showed it.
        bearer: Box<Bearer>,
        /// What it would have to be for.
        needed: Scope,
    },
    /// What the tenant defines itself was changed while the request was on its way.
    #[error("the tenant's schemas were changed meanwhile; send the request again")]
    SchemasChanged,
    /// What the tenant defines itself is not at hand, and the transaction has no statement left to read it: it is for one that has.
    #[error("the tenant's schemas are not at hand")]
    SchemasNotAtHand,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who showed a valid token for something else than it is for. No use case takes one; it is for those who count and write down.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The key of the tenant that it opens.
    pub tenant: TenantKey,
    /// The tenant's name.
    pub tenant_name: String,
    /// The tenant's settings.
    pub settings: TenantSettings,
    /// What the request is logged under.
    pub credential: Option<Credential>,
}

/// Finds what a presented token opens; RFC 6750 §2.1 tells how it is presented.
pub fn authenticate(
    tx: &mut ReadTx<'_>,
    key: &TokenKey,
    presented: &str,
    now: Timestamp,
) -> Result<Arc<Caller>, AuthError> {
    key.hash(presented)?.authenticate(tx, now)
}

/// What a token opens while it is valid.
struct Opened {
    caller: Arc<Caller>,
    expires: Timestamp,
    suspended: bool,
    is_for_schemas: bool,
}

impl Opened {
    fn read(tx: &mut ReadTx<'_>, owner: TokenOwner) -> Result<Self, AuthError> {
        let profile = Profile::by_name(&owner.profile)
            .ok_or_else(|| StoreError::Decode(format!("no profile is called {}", owner.profile)))?;
        let profile = match &owner.schema_digest {
            None => Arc::clone(profile),
            Some(digest) => profile_of(tx, owner.tenant, profile, digest)?.ok_or(AuthError::SchemasNotAtHand)?,
        };
        let settings = TenantSettings::read(&owner.settings)?;
        let (token, digest) = (Some((owner.id, owner.client, owner.may_write)), owner.schema_digest);
        let caller = Arc::new(Caller::new(owner.tenant, owner.tenant_name, profile, settings, digest, token));
        let (suspended, is_for_schemas) = (owner.suspended.is_some(), owner.may_define);
        Ok(Self { caller, expires: owner.expires, suspended, is_for_schemas })
    }

    fn admit(&self, now: Timestamp) -> Result<Arc<Caller>, AuthError> {
        valid(self.expires, self.suspended, now)?;
        if self.is_for_schemas {
            let bearer = Bearer {
                tenant: self.caller.tenant(),
                tenant_name: self.caller.tenant_name().to_owned(),
                settings: self.caller.settings().clone(),
                credential: self.caller.credential(),
            };
            return Err(AuthError::OtherScope { bearer: Box::new(bearer), needed: Scope::Read });
        }
        Ok(Arc::clone(&self.caller))
    }
}

pub(crate) fn valid(expires: Timestamp, suspended: bool, now: Timestamp) -> Result<(), AuthError> {
    if expires <= now {
        return Err(AuthError::Expired);
    }
    if suspended { Err(AuthError::Suspended) } else { Ok(()) }
}

/// A token that was just made. The only moment at which its text is known.
pub struct NewToken {
    /// The text to hand to the client.
    pub text: String,
    /// What is kept of it.
    pub record: TokenRecord,
}

/// A token that an administrator asks for.
pub struct TokenRequest<'a> {
    /// The name of the tenant it opens.
    pub tenant: &'a str,
    /// Its own name; unique among the tenant's live tokens.
    pub name: &'a str,
    /// A new id.
    pub id: TokenId,
    /// 32 bytes from the operating system's generator.
    pub secret: [u8; 32],
    /// How many days it works.
    pub days: u16,
    /// What it may do.
    pub scope: Scope,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Read, search and list.
    Read,
    /// All of that, and write.
    #[default]
    Write,
    /// Read and change what the tenant defines itself; no people and no groups.
    Schemas,
}

impl Scope {
    /// That of a client, as it is stored.
    pub const fn of_client(client: &ClientRecord) -> Self {
        Self::of(client.may_write, client.may_define)
    }

    /// That of a secret token, as it is stored.
    pub const fn of_token(token: &TokenRecord) -> Self {
        Self::of(token.may_write, token.may_define)
    }

    const fn of(may_write: bool, may_define: bool) -> Self {
        match (may_write, may_define) {
            (_, true) => Self::Schemas,
            (true, false) => Self::Write,
            (false, false) => Self::Read,
        }
    }

    /// Whether whoever has this may have a token of another scope made for it.
    pub(crate) fn includes(self, other: Self) -> bool {
        self == other || (self, other) == (Self::Write, Self::Read)
    }

    /// Whether it allows writing.
    pub const fn may_write(self) -> bool {
        matches!(self, Self::Write)
    }

    /// Whether it allows to change what the tenant defines itself.
    pub const fn may_define(self) -> bool {
        matches!(self, Self::Schemas)
    }

    /// In the words of OAuth 2.0: names with blanks between them (RFC 6749 §3.3).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "read write",
            Self::Schemas => "schemas",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes a token.
pub fn create_token(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    request: &TokenRequest<'_>,
    now: Timestamp,
) -> Result<NewToken, TenantError> {
    if !is_token_name(request.name) {
        return Err(TenantError::BadTokenName);
    }
    let owner = tenant::tenant(tx, request.tenant)?;
    let text = SecretKind::Token.text(request.secret);
    let record = TokenRecord {
        id: request.id,
        name: request.name.to_owned(),
        hint: hint(&text),
        may_write: request.scope.may_write(),
        may_define: request.scope.may_define(),
        created: now,
        expires: days_later(now, request.days),
        revoked: None,
        last_used: None,
        warned: None,
    };
    let taken = || TenantError::TokenExists { tenant: request.tenant.to_owned(), token: request.name.to_owned() };
    store::tokens::insert_token(tx, owner.key, &record, &key.digest(&text).0)
        .map_err(|error| TenantError::unless_taken(error, UniqueKey::TokenName, taken))?;
    Ok(NewToken { text, record })
}

/// So many days of 24 hours later.
pub(crate) fn days_later(now: Timestamp, days: u16) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
}

/// Makes a successor of the live token of that name, with the same name and scope; `request.scope` is not looked at. The old one works
/// for `overlap_hours` more, but no longer than it would have, and is called after how it begins.
pub fn rotate_token(
    tx: &mut WriteTx<'_>,
    key: &TokenKey,
    request: &TokenRequest<'_>,
    overlap_hours: u16,
    now: Timestamp,
) -> Result<NewToken, TenantError> {
    let owner = tenant::tenant(tx, request.tenant)?;
    let old = store::tokens::token_by_name(tx, owner.key, request.name)?.ok_or_else(|| TenantError::NoSuchToken {
        tenant: request.tenant.to_owned(),
        token: request.name.to_owned(),
    })?;
    let overlap = SignedDuration::from_hours(i64::from(overlap_hours));
    let ends = now.saturating_add(overlap).unwrap_or(Timestamp::MAX).min(old.expires);
    let name = format!("{} ({}…)", old.name, old.hint);
    store::tokens::retire_token(tx, owner.key, old.id, &name, ends)?;
    create_token(tx, key, &TokenRequest { scope: Scope::of_token(&old), ..*request }, now)
}

/// The tokens of the tenant of that name, revoked ones too, oldest first.
pub fn tokens(tx: &mut ReadTx<'_>, tenant_name: &str) -> Result<Vec<TokenRecord>, TenantError> {
    let owner = tenant::tenant(tx, tenant_name)?;
    Ok(store::tokens::tokens(tx, owner.key)?)
}

/// Revokes the live token of that name: the next request with it is refused.
pub fn revoke_token(
    tx: &mut WriteTx<'_>,
    tenant_name: &str,
    token_name: &str,
    now: Timestamp,
) -> Result<(), TenantError> {
    let owner = tenant::tenant(tx, tenant_name)?;
    if store::tokens::revoke_token(tx, owner.key, token_name, now)? {
        return Ok(());
    }
    Err(TenantError::NoSuchToken { tenant: tenant_name.to_owned(), token: token_name.to_owned() })
}

pub(crate) fn is_token_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= TOKEN_NAME_CHARS_MAX && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_token_is_not_hashed() {
        let key = TokenKey::new([1; 32]);
        let token = SecretKind::Token.text([7; 32]);
        assert!(key.hash(&token).is_ok());
        assert!(key.hash(&SecretKind::AccessToken.text([7; 32])).is_ok());
        for presented in [
            "",
            "lst_",
            &token[1..],
            &format!("{token}A"),
            &token.replace("lst_", "lsk_"),
            &SecretKind::ClientSecret.text([7; 32]),
            &"é".repeat(30),
            "a.b",
            "eyJ.e30.é",
        ] {
            assert!(matches!(key.hash(presented), Err(AuthError::Invalid)), "{presented}");
        }
        assert!(matches!(key.hash(&"A".repeat(1 << 20)), Err(AuthError::Invalid)));
    }

    #[test]
    fn names() {
        for (name, expected) in [
            ("entra", true),
            ("Entra Ägypten 2", true),
            (&"é".repeat(TOKEN_NAME_CHARS_MAX), true),
            (&"é".repeat(TOKEN_NAME_CHARS_MAX + 1), false),
            ("", false),
            (" \u{3000}", false),
            ("a\nb", false),
            ("\u{1b}[31m", false),
        ] {
            assert_eq!(is_token_name(name), expected, "{name:?}");
        }
    }

    #[test]
    fn another_key_gives_another_hash_and_no_key_is_printed() {
        let token = SecretKind::Token.text([7; 32]);
        assert_ne!(TokenKey::new([1; 32]).digest(&token).0, TokenKey::new([2; 32]).digest(&token).0);
        assert_eq!(format!("{:?}", TokenKey::new([1; 32])), "TokenKey(…)");
    }
}
