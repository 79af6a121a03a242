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
    /// The request is larger than a limit, which the words name (RFC 7644 §3.7.4).
    #[error("{0}")]
    TooLarge(String),
    /// The operation of a bulk request needs another one that was not done (RFC 7644 §3.7.1).
    #[error("{0}")]
    Conflict(String),
    /// The application that the tenant stands for does not offer this.
    #[error("{0}")]
    NotImplemented(&'static str),
    /// The tenant has as many resources of a kind as it may.
    #[error(
        "the tenant may have {max} resources of the type {kind} and has them; delete some, or have the limit raised"
    )]
    Quota {
        /// `User` or `Group`.
        kind: String,
        /// How many it may have.
        max: u32,
    },
    /// The token may only read.
    #[error("this token may only read; ask for one that may also write")]
    ReadOnly,
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
    /// A host of an address is none.
    #[error("{0:?} is no host; name one like acme.example or acme.example:8443")]
    BadHost(String),
    /// A path of an address is none that a tenant can have.
    #[error(
        "{0:?} is no path of a tenant; name one like /api/v2/scim, of 1 to {max} parts of letters, digits and -._~, that does not begin with /t, /healthz, /readyz or /metrics",
        max = crate::address::ADDRESS_SEGMENTS_MAX
    )]
    BadPath(String),
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
    /// What is to be defined is wrong, or does not fit the resources there are.
    #[error("{0}")]
    BadSchemas(String),
    /// The name of a client is empty or too long.
    #[error("a client name has 1 to {} characters and no control characters", crate::token::TOKEN_NAME_CHARS_MAX)]
    BadClientName,
    /// The tenant has a client of that name.
    #[error("the tenant {tenant:?} has a client named {client:?}; remove it first or choose another name")]
    ClientExists {
        /// The tenant.
        tenant: String,
        /// The name that is taken.
        client: String,
    },
    /// The tenant has no client of that name.
    #[error("the tenant {tenant:?} has no client named {client:?}")]
    NoSuchClient {
        /// The tenant.
        tenant: String,
        /// The name as given.
        client: String,
    },
    /// The tenant has as many clients as it may.
    #[error("the tenant {0:?} has {max} clients; remove one first", max = crate::oauth::CLIENTS_MAX)]
    TooManyClients(String),
    /// The client has as many valid secrets as it may.
    #[error("the client {0:?} has {max} valid secrets; revoke one first", max = crate::oauth::SECRETS_MAX)]
    TooManySecrets(String),
    /// No secret of the client begins so, or several do.
    #[error(
        "{found} secrets of the client {client:?} begin with {hint:?}; lockstep tenant client list shows how they begin"
    )]
    NoSuchSecret {
        /// The client.
        client: String,
        /// The beginning as given.
        hint: String,
        /// How many begin so.
        found: usize,
    },
    /// Access tokens would work too briefly or too long.
    #[error("access tokens work {} to {} minutes", crate::oauth::TOKEN_MINUTES.start(), crate::oauth::TOKEN_MINUTES.end())]
    BadTokenMinutes,
    /// A client secret would work too long.
    #[error("a client secret works 1 to {} days", crate::oauth::SECRET_DAYS_MAX)]
    BadSecretDays,
    /// An identity provider cannot be used as described.
    #[error("{0}")]
    BadFederation(String),
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
