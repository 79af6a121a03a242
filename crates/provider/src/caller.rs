//! Who calls: the proof that a valid token was presented, and what it opens.

use std::sync::Arc;

use scim::ResourceType;
use store::TenantKey;
use store::resources::ResourceKind;

use crate::{Profile, ProviderError, Rules, TenantSettings};

/// A tenant whose token was presented. Only [`crate::authenticate`] and [`crate::TokenHash::authenticate`] make one, and every use case
/// asks for one, so no tenant's data is reached without its token.
#[derive(Clone, Debug)]
pub struct Caller {
    tenant: TenantKey,
    tenant_name: String,
    profile: Arc<Profile>,
    settings: TenantSettings,
}

impl Caller {
    pub(crate) const fn new(
        tenant: TenantKey,
        tenant_name: String,
        profile: Arc<Profile>,
        settings: TenantSettings,
    ) -> Self {
        Self { tenant, tenant_name, profile, settings }
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
