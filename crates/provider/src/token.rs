//! Secret tokens of tenants: 256 bits of the caller's randomness, kept as a keyed hash, shown once.
//!
//! A presented token is looked up by its HMAC-SHA256 under the server's key. Nothing is ever compared with the secret itself, so how
//! long a refusal takes tells nothing about how much of a guess was right.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use store::tenants::{TokenOwner, TokenRecord};
use store::{ReadTx, StoreError, TokenId, UniqueKey, WriteTx};

use crate::{Caller, Profile, TenantError, TenantSettings, tenant};

/// What every token starts with, so that scanners of leaked secrets and people recognise one.
const PREFIX: &str = "lst_";
/// Base64url digits of 32 bytes.
const SECRET_CHARS: usize = 43;
/// Characters of a token that stay known: the prefix and six more.
const HINT_CHARS: usize = PREFIX.len() + 6;
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
        if is_token(presented) { Ok(self.digest(presented)) } else { Err(AuthError::Invalid) }
    }

    /// A key of its own for another purpose.
    pub(crate) fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(purpose);
        mac.finalize().into_bytes().into()
    }

    fn digest(&self, token: &str) -> TokenHash {
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
pub struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Finds what the token opens.
    pub fn authenticate(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Arc<Caller>, AuthError> {
        let found = tx.remembered(&self.0, |tx| {
            let owner = store::tenants::token_owner(tx, &self.0)?.ok_or(AuthError::Invalid)?;
            Opened::read(owner)
        })?;
        found.admit(now)
    }

    /// Whether the token still opens what it opened before: asked in the transaction that writes, as between the head of a
    /// request and its body it may have been revoked.
    pub fn check(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<(), AuthError> {
        let owner = store::tenants::token_owner(tx, &self.0)?.ok_or(AuthError::Invalid)?;
        valid(owner.expires, owner.suspended.is_some(), now)
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
}

impl Opened {
    fn read(owner: TokenOwner) -> Result<Self, AuthError> {
        let profile = Profile::by_name(&owner.profile)
            .ok_or_else(|| StoreError::Decode(format!("no profile is called {}", owner.profile)))?;
        let settings = TenantSettings::read(&owner.settings)?;
        let caller = Arc::new(Caller::new(owner.tenant, owner.tenant_name, Arc::clone(profile), settings));
        Ok(Self { caller, expires: owner.expires, suspended: owner.suspended.is_some() })
    }

    fn admit(&self, now: Timestamp) -> Result<Arc<Caller>, AuthError> {
        valid(self.expires, self.suspended, now)?;
        Ok(Arc::clone(&self.caller))
    }
}

fn valid(expires: Timestamp, suspended: bool, now: Timestamp) -> Result<(), AuthError> {
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
    let text = token_text(request.secret);
    let hours = 24 * i64::from(request.days);
    let expires = now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX);
    let record = TokenRecord {
        id: request.id,
        name: request.name.to_owned(),
        hint: text.chars().take(HINT_CHARS).collect(),
        created: now,
        expires,
        revoked: None,
    };
    let taken = || TenantError::TokenExists { tenant: request.tenant.to_owned(), token: request.name.to_owned() };
    store::tenants::insert_token(tx, owner.key, &record, &key.digest(&text).0)
        .map_err(|error| TenantError::unless_taken(error, UniqueKey::TokenName, taken))?;
    Ok(NewToken { text, record })
}

/// The tokens of the tenant of that name, revoked ones too, oldest first.
pub fn tokens(tx: &mut ReadTx<'_>, tenant_name: &str) -> Result<Vec<TokenRecord>, TenantError> {
    let owner = tenant::tenant(tx, tenant_name)?;
    Ok(store::tenants::tokens(tx, owner.key)?)
}

/// Revokes the live token of that name: the next request with it is refused.
pub fn revoke_token(
    tx: &mut WriteTx<'_>,
    tenant_name: &str,
    token_name: &str,
    now: Timestamp,
) -> Result<(), TenantError> {
    let owner = tenant::tenant(tx, tenant_name)?;
    if store::tenants::revoke_token(tx, owner.key, token_name, now)? {
        return Ok(());
    }
    Err(TenantError::NoSuchToken { tenant: tenant_name.to_owned(), token: token_name.to_owned() })
}

fn is_token(text: &str) -> bool {
    text.len() == PREFIX.len() + SECRET_CHARS
        && text.strip_prefix(PREFIX).is_some_and(|secret| secret.bytes().all(|b| DIGITS.contains(&b)))
}

/// The digits of base64url (RFC 4648 §5).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn token_text(secret: [u8; 32]) -> String {
    let mut text = String::with_capacity(PREFIX.len() + SECRET_CHARS);
    text.push_str(PREFIX);
    for three in secret.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    text
}

fn is_token_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= TOKEN_NAME_CHARS_MAX && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_base64url_of_its_bytes() {
        for (secret, expected) in [
            ([0; 32], "lst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ([255; 32], "lst___________________________________________8"),
            ([0x4d; 32], "lst_TU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU0"),
        ] {
            assert_eq!(token_text(secret), expected);
            assert!(is_token(expected));
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_not_hashed() {
        let key = TokenKey::new([1; 32]);
        let token = token_text([7; 32]);
        assert!(key.hash(&token).is_ok());
        for presented in
            ["", "lst_", &token[1..], &format!("{token}A"), &token.replace("lst_", "lsk_"), &"é".repeat(30)]
        {
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
        let token = token_text([7; 32]);
        assert_ne!(TokenKey::new([1; 32]).digest(&token).0, TokenKey::new([2; 32]).digest(&token).0);
        assert_eq!(format!("{:?}", TokenKey::new([1; 32])), "TokenKey(…)");
    }
}
