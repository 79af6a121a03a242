//! OAuth 2.0 for a tenant's endpoint: clients with secrets (RFC 6749 §4.4), and clients for whom an identity provider vouches with a
//! signed assertion (RFC 7523 §2.2). What is issued is opaque and stored like a secret token, as a keyed hash.

mod assertion;
mod clients;
mod issue;
mod keys;

use std::ops::RangeInclusive;

pub use assertion::{ASSERTION_AGE_MAX, ASSERTION_BYTES_MAX, Assertion, BadAssertion, CLOCK_LEEWAY, is_jwt};
pub use clients::{
    ClientRequest, ClientView, Federation, FederationKeys, NewClient, NewSecret, SecretRequest, add_client, add_secret,
    clients, federate, remove_client, revoke_secret,
};
pub(crate) use issue::forget_bearers;
pub use issue::{
    AccessToken, BearerHashes, ClientSecret, NewAccess, Vouched, Voucher, introduce_bearer, is_introduced,
    issue_for_assertion, issue_for_secret, requested_scope, vouchers,
};
pub use keys::{BadKeys, JWKS_BYTES_MAX, KEYS_MAX, KeySet};
use store::StoreError;

/// Clients that a tenant may have.
pub const CLIENTS_MAX: usize = 100;
/// Valid secrets that a client may have at a time: the old one and its successor.
pub const SECRETS_MAX: usize = 2;
/// Days that a client secret works when nothing else is asked for.
pub const SECRET_DAYS_DEFAULT: u16 = 365;
/// Days that a client secret works at most: three years.
pub const SECRET_DAYS_MAX: u16 = 3 * 365;
/// How many minutes access tokens may work, as Entra's gallery asks for.
pub const TOKEN_MINUTES: RangeInclusive<u16> = 60..=360;
/// How many minutes access tokens work when nothing else is asked for.
pub const TOKEN_MINUTES_DEFAULT: u16 = 60;
/// Live access tokens of one client; beyond that its oldest end.
pub const ACCESS_TOKENS_MAX: u32 = 100;
/// Assertions of one client that are kept in mind until they expire.
pub const ASSERTIONS_MAX: u32 = 10_000;

/// Why no access token is issued, in the words of RFC 6749 §5.2. No text of it repeats what was sent.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// Something is missing, twice there, or malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client is not who it says, or unknown.
    #[error("{0}")]
    InvalidClient(&'static str),
    /// Only `client_credentials` is offered.
    #[error("grant_type must be client_credentials")]
    UnsupportedGrant,
    /// The client may not have that scope, or there is none of that name.
    #[error("scope may be read, write or both, or schemas alone, as far as the client may have them")]
    InvalidScope,
    /// The tenant is suspended.
    #[error("the tenant is suspended")]
    Suspended,
    /// It cannot be told now.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The store failed; for the log, never for the client.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BadAssertion> for OAuthError {
    fn from(error: BadAssertion) -> Self {
        Self::InvalidClient(error.as_str())
    }
}
