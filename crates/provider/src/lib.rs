//! The SCIM service provider: tenants, secret tokens, application profiles, users and groups of a tenant.
//!
//! Use cases are plain functions over a transaction of the store; each takes a [`Caller`], which only a valid token gives. Whatever
//! can be done before a transaction (parsing, checking, writing the document) is done before it: the embedded database has one writer.
//! HTTP is not known here, and neither is the provisioning service.

mod caller;
pub mod discovery;
mod document;
mod effort;
mod error;
mod groups;
mod profile;
mod query;
mod representation;
mod resource;
mod tenant;
mod token;
mod users;
mod version;

pub use caller::Caller;
pub use document::RESOURCE_BYTES_MAX;
pub use error::{ProviderError, TenantError};
pub use profile::{Profile, Rules};
pub use query::{
    CANDIDATES_MAX, COUNT_DEFAULT, COUNT_MAX, CURSOR_SECONDS, LIST_BYTES_MAX, ListQuery, Listing, Pager,
    SCAN_EFFORT_MAX, SCAN_MAX, SHOW_EFFORT_MAX, SORT_BYTES_MAX, SORT_MAX, Scope, Walker, list, list_few,
};
pub use representation::{Representation, View};
pub use resource::{
    Changed, Fetched, NewResource, PUT_WITHOUT_MEMBERS_MAX, Patch, Replacement, create, delete, get, patch, replace,
};
pub use store::resources::{CustomKind, ResourceKind};
pub use tenant::{TenantSettings, create_tenant, delete_tenant, resume_tenant, suspend_tenant, tenant, tenants};
pub use token::{
    AuthError, NewToken, TOKEN_DAYS_DEFAULT, TokenHash, TokenKey, TokenRequest, authenticate, create_token,
    revoke_token, tokens,
};
pub use version::Precondition;
