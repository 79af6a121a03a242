//! Who calls: the proof that a valid token was presented, and what it opens; and the proof that it may also write.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use scim::ResourceType;
use store::resources::ResourceKind;
use store::schemas::Digest;
use store::{ClientId, TenantKey, TokenId};

use crate::{Profile, ProviderError, Rules, TenantSettings};

/// What a request is logged under: what an administrator made and has a name for, so that it is the same for as long as that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A secret token.
    Token(TokenId),
    /// An OAuth client, whichever of its access tokens was presented.
    Client(ClientId),
}

impl Credential {
    /// That of a token, which may be an access token of a client.
    pub(crate) fn of(token: TokenId, client: Option<ClientId>) -> Self {
        client.map_or(Self::Token(token), Self::Client)
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => id.fmt(formatter),
            Self::Client(id) => id.fmt(formatter),
        }
    }
}

/// A tenant whose token was presented. Only [`crate::authenticate`] and [`crate::TokenHash::authenticate`] make one, and every use case
/// asks for one, so no tenant's data is reached without its token.
#[derive(Clone, Debug)]
pub struct Caller {
    tenant: TenantKey,
    tenant_name: String,
    profile: Arc<Profile>,
    settings: TenantSettings,
    schema_digest: Option<Digest>,
    token: Option<TokenId>,
    client: Option<ClientId>,
    may_write: bool,
    noted: Minute,
}

impl Caller {
    pub(crate) fn new(
        tenant: TenantKey,
        tenant_name: String,
        profile: Arc<Profile>,
        settings: TenantSettings,
        schema_digest: Option<Digest>,
        token: Option<(TokenId, Option<ClientId>, bool)>,
    ) -> Self {
        let may_write = token.is_some_and(|(_, _, may_write)| may_write);
        let client = token.and_then(|(_, client, _)| client);
        let token = token.map(|(id, ..)| id);
        let noted = Minute(AtomicI64::new(i64::MIN));
        Self { tenant, tenant_name, profile, settings, schema_digest, token, client, may_write, noted }
    }

    /// The token that was presented; `None` where the server's own administrator looks.
    pub const fn token(&self) -> Option<TokenId> {
        self.token
    }

    /// Whose token was presented; `None` where the server's own administrator looks.
    pub fn credential(&self) -> Option<Credential> {
        self.token.map(|token| Credential::of(token, self.client))
    }

    /// The proof that the token may also write; [`ProviderError::ReadOnly`] where it may not.
    pub const fn may_write(&self) -> Result<WriteAccess<'_>, ProviderError> {
        if self.may_write { Ok(WriteAccess(self)) } else { Err(ProviderError::ReadOnly) }
    }

    /// Whether a use of the token at this moment is the first of its minute that this value hears of.
    pub fn is_first_in_minute(&self, now: Timestamp) -> bool {
        let minute = now.as_second().div_euclid(60);
        let Minute(noted) = &self.noted;
        noted.load(Ordering::Relaxed) != minute && noted.swap(minute, Ordering::Relaxed) != minute
    }

    /// The key of the tenant's rows.
    pub const fn tenant(&self) -> TenantKey {
        self.tenant
    }

    /// The tenant's name, as in its address.
    pub fn tenant_name(&self) -> &str {
        &self.tenant_name
    }

    /// The application that the tenant stands for.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The digest of what the tenant defined itself, when its token was looked at; `None` where it defined nothing.
    pub(crate) const fn schema_digest(&self) -> Option<&Digest> {
        self.schema_digest.as_ref()
    }

    /// The tenant's settings.
    pub const fn settings(&self) -> &TenantSettings {
        &self.settings
    }

    /// Whether no two groups may have the same `displayName`.
    pub fn unique_group_names(&self) -> bool {
        self.settings.unique_group_names.unwrap_or(self.profile.unique_group_names)
    }

    /// What the profile says about a kind of resource. `NotImplemented` when the application has none.
    pub(crate) fn rules(&self, kind: ResourceKind) -> Result<&Rules, ProviderError> {
        self.profile.rules(kind).ok_or(ProviderError::NotImplemented("this application has no groups"))
    }

    pub(crate) fn resource_type(&self, kind: ResourceKind) -> Result<&ResourceType, ProviderError> {
        self.rules(kind).map(|rules| &rules.resource_type)
    }

    /// The name of a kind of resource, such as `User`: its `meta.resourceType`.
    pub(crate) fn kind_name(&self, kind: ResourceKind) -> &str {
        match kind {
            ResourceKind::User => "User",
            ResourceKind::Group => "Group",
            ResourceKind::Custom(_) => self.profile.rules(kind).map_or("Resource", |rules| &rules.resource_type.name),
        }
    }

    /// What is said where the tenant has no such resource, whatever was to be done with it.
    pub fn not_found(&self, kind: ResourceKind) -> ProviderError {
        ProviderError::NotFound { kind: self.kind_name(kind).to_owned() }
    }

    /// The path under which a kind of resource lives, between slashes (RFC 7644 §3.2).
    pub fn endpoint(&self, kind: ResourceKind) -> &str {
        match kind {
            ResourceKind::User => "/Users/",
            ResourceKind::Group => "/Groups/",
            ResourceKind::Custom(_) => self.profile.rules(kind).map_or("/", |rules| &rules.path),
        }
    }

    /// The attribute whose folded value is unique, if there is one.
    pub(crate) fn unique_attribute(&self, kind: ResourceKind) -> Option<&'static str> {
        match kind {
            ResourceKind::User => Some("userName"),
            ResourceKind::Custom(_) => None,
            ResourceKind::Group => self.unique_group_names().then_some("displayName"),
        }
    }
}

/// The minute in which a use was last noted, counted from 1970.
#[derive(Debug)]
struct Minute(AtomicI64);

impl Clone for Minute {
    fn clone(&self) -> Self {
        Self(AtomicI64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// A caller whose token may also write. Every use case that writes asks for one, so none can forget to look.
#[derive(Clone, Copy, Debug)]
pub struct WriteAccess<'a>(&'a Caller);

impl<'a> WriteAccess<'a> {
    /// The caller.
    pub const fn caller(self) -> &'a Caller {
        self.0
    }
}

impl Deref for WriteAccess<'_> {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        self.0
    }
}
