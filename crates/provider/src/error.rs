//! What can go wrong in a use case, without a word of HTTP. Which status an error becomes is the server's table.

use scim::ScimError;
use store::{StoreError, UniqueKey};

/// A use case of a tenant's users and groups failed.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The request is refused for a reason that SCIM has a word for (RFC 7644 §3.12).
    #[error(transparent)]
    Scim(#[from] ScimError),
    /// The tenant has no such resource. Those of other tenants are not told apart from those that never were.
    #[error("{kind} not found")]
    NotFound {
        /// `User`, `Schema`, `ResourceType`, the name of any resource type.
        kind: String,
    },
    /// Another resource of the tenant holds the value.
    #[error("{attribute} is already taken by another resource")]
    NotUnique {
        /// The attribute that must be unique.
        attribute: String,
    },
    /// The resource is not at a version that the client named (RFC 7644 §3.14).
    #[error("the resource changed; it is now at version {current}")]
    VersionMismatch {
        /// The version it is at.
        current: i64,
    },
    /// The application that the tenant stands for does not offer this.
    #[error("{0}")]
    NotImplemented(&'static str),
    /// The store failed; for the log, never for the client.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Administration of tenants and tokens failed.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The name does not follow the rule for tenant names.
    #[error(
        "{0:?} is no name of a tenant: it has 1 to 63 lower-case letters, digits and hyphens and starts with a letter or digit"
    )]
    BadName(String),
    /// The name of a token is empty or too long.
    #[error("a token name has 1 to {} characters and no control characters", crate::token::TOKEN_NAME_CHARS_MAX)]
    BadTokenName,
    /// There is no profile of that name.
    #[error("there is no profile {0:?}; there are {names}", names = crate::Profile::names().join(", "))]
    UnknownProfile(String),
    /// A tenant of that name exists.
    #[error("a tenant named {0:?} exists; choose another name")]
    TenantExists(String),
    /// There is no tenant of that name.
    #[error("no tenant is named {0:?}")]
    NoSuchTenant(String),
    /// The tenant has a live token of that name.
    #[error("the tenant {tenant:?} has a token named {token:?}; revoke it first or choose another name")]
    TokenExists {
        /// The tenant.
        tenant: String,
        /// The name that is taken.
        token: String,
    },
    /// The tenant has no live token of that name.
    #[error("the tenant {tenant:?} has no live token named {token:?}")]
    NoSuchToken {
        /// The tenant.
        tenant: String,
        /// The name as given.
        token: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TenantError {
    /// `taken` in place of a violation of `key`.
    pub(crate) fn unless_taken(error: StoreError, key: UniqueKey, taken: impl FnOnce() -> Self) -> Self {
        match error {
            StoreError::NotUnique(violated) if violated == key => taken(),
            other => Self::Store(other),
        }
    }
}
