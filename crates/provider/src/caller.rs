//! Who calls: the proof that a valid token was presented, and what it opens.

use scim::ResourceType;
use store::resources::ResourceKind;
use store::{TenantKey, TokenId};

use crate::{Profile, ProviderError, Rules, TenantSettings};

/// A tenant whose token was presented. Only [`crate::authenticate`] and [`crate::TokenHash::authenticate`] make one, and every use case
/// asks for one, so no tenant's data is reached without its token.
#[derive(Clone, Debug)]
pub struct Caller {
    tenant: TenantKey,
    tenant_name: String,
    profile: &'static Profile,
    settings: TenantSettings,
    token: TokenId,
}

impl Caller {
    pub(crate) const fn new(
        tenant: TenantKey,
        tenant_name: String,
        profile: &'static Profile,
        settings: TenantSettings,
        token: TokenId,
    ) -> Self {
        Self { tenant, tenant_name, profile, settings, token }
    }

    /// The token that was presented.
    pub const fn token(&self) -> TokenId {
        self.token
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
    pub const fn profile(&self) -> &'static Profile {
        self.profile
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
    pub(crate) fn rules(&self, kind: ResourceKind) -> Result<&'static Rules, ProviderError> {
        self.profile.rules(kind).ok_or(ProviderError::NotImplemented("this application has no groups"))
    }

    pub(crate) fn resource_type(&self, kind: ResourceKind) -> Result<&'static ResourceType, ProviderError> {
        self.rules(kind).map(|rules| &rules.resource_type)
    }

    /// The attribute whose folded value is unique, if there is one.
    pub(crate) fn unique_attribute(&self, kind: ResourceKind) -> Option<&'static str> {
        match kind {
            ResourceKind::User => Some("userName"),
            ResourceKind::Group => self.unique_group_names().then_some("displayName"),
        }
    }
}
