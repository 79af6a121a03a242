//! The SCIM service provider: tenants, secret tokens, application profiles, users and groups of a tenant.
//! OAuth 2.0 clients of tenants are in [`oauth`].
//!
//! Use cases are plain functions over a transaction of the store; each takes a [`Caller`], which only a valid token gives. Whatever
//! can be done before a transaction (parsing, checking, writing the document) is done before it: the embedded database has one writer.
//! HTTP is not known here, and neither is the provisioning service.

mod caller;
pub mod discovery;
mod document;
mod effort;
mod error;
mod expiry;
mod groups;
pub mod oauth;
mod profile;
mod query;
mod representation;
mod resource;
mod secret;
mod tenant;
mod token;
mod users;
mod uses;
mod version;

pub use caller::{Caller, WriteAccess};
pub use document::RESOURCE_BYTES_MAX;
pub use error::{ProviderError, TenantError};
pub use expiry::{Ending, WARNED_DAYS, ending, ends_within, note_warned};
pub use profile::{Profile, Rules};
pub use query::{
    COUNT_DEFAULT, COUNT_MAX, LIST_BYTES_MAX, Listing, Paging, SCAN_EFFORT_MAX, SCAN_MAX, SHOW_EFFORT_MAX, list,
};
pub use representation::{Representation, View};
pub use resource::{
    Changed, Fetched, NewResource, PUT_WITHOUT_MEMBERS_MAX, Patch, Replacement, create, delete, get, patch, replace,
};
pub use store::resources::{CustomKind, ResourceKind};
pub use tenant::{TenantSettings, create_tenant, delete_tenant, resume_tenant, suspend_tenant, tenant, tenants};
pub use token::{
    AuthError, NewToken, Scope, TOKEN_DAYS_DEFAULT, TokenHash, TokenKey, TokenRequest, authenticate, create_token,
    revoke_token, rotate_token, tokens,
};
pub use uses::{TokenUse, TokenUses, USES_MAX, USES_WRITTEN_AT_A_TIME, write_uses};
pub use version::Precondition;
