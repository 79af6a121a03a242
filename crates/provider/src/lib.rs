//! The SCIM service provider: tenants, tokens, application profiles, users and groups of a tenant.
