//! The SCIM service provider: tenants, secret tokens, application profiles, users and groups of a tenant.
//! OAuth 2.0 clients of tenants are in [`oauth`].
//!
//! Use cases are plain functions over a transaction of the store; each takes a [`Caller`], which only a valid token gives. Whatever
//! can be done before a transaction (parsing, checking, writing the document) is done before it: the embedded database has one writer.
//! HTTP is not known here, and neither is the provisioning service.

mod address;
mod bulk;
mod caller;
mod changing;
mod custom;
mod deletion;
pub mod discovery;
mod document;
mod effort;
mod error;
mod events;
mod expiry;
mod export;
mod group_text;
mod groups;
mod kept;
mod manager;
mod membership;
pub mod oauth;
mod packed;
mod paths;
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

pub use address::{ADDRESS_PATH_BYTES_MAX, ADDRESS_SEGMENTS_MAX, Address, RESERVED_SEGMENTS};
pub use bulk::{
    BATCH_EFFORT_MAX, BATCH_OPERATIONS_MAX, BULK_BYTES_MAX, BULK_EFFORT_MAX, Batch, Bulk, BulkAnswer,
    CIRCLE_OPERATIONS_MAX, Done, Ran, run_batch,
};
pub use caller::{Caller, Credential, WriteAccess};
pub use changing::{Changed, PUT_WITHOUT_MEMBERS_MAX, Patch, Replacement, patch, replace};
pub use custom::{
    ATTRIBUTES_MAX, CustomSchemas, Definer, DefinitionTag, RESOURCE_TYPES_MAX, RESOURCES_CHECKED_BY_TOKEN_MAX,
    RESOURCES_CHECKED_MAX, SCHEMA_BYTES_MAX, SCHEMAS_MAX, SchemaChange, SchemaError, TagCondition, clear_schemas,
    define, definition, schemas, set_schemas,
};
pub use deletion::{
    Deleted, GROUPS_LEFT_MAX, MEMBERS_DELETED_MAX, delete, end_deletion, go_on_deleting, remove_left_members,
};
pub use document::RESOURCE_BYTES_MAX;
pub use effort::COMPARISONS_AT_ONCE_MAX;
pub use error::{ProviderError, TenantError};
pub use events::{Detail, EVENT_URIS, EVENTS_MAX, Event, events_after};
pub use expiry::{Ending, WARNED_DAYS, ending, ends_within, note_warned};
pub use export::{
    EXPORTED_AT_A_TIME, EXPORTED_BYTES, EXPORTED_GROUP_BYTES, Exported, counts, export_after, export_group,
    group_ids_after,
};
pub use group_text::{GroupFetched, GroupText, MEMBERS_FEW_MAX, get_group, get_small_group};
pub use membership::MEMBERS_REWRITTEN_MAX;
pub use profile::{Profile, Rules};
pub use query::{
    CANDIDATES_MAX, COUNT_DEFAULT, COUNT_MAX, CURSOR_SECONDS, Kinds, LIST_BYTES_MAX, ListQuery, ListText, Listing,
    MEMBERSHIPS_MAX, Pager, SCAN_BYTES_MAX, SCAN_EFFORT_MAX, SCAN_MAX, SHOW_EFFORT_MAX, SORT_BYTES_MAX, SORT_MAX,
    Walker, list, list_few,
};
pub use representation::{Representation, View};
pub use resource::{Fetched, NewResource, create, exists, get};
pub use store::resources::{CustomKind, ResourceKind};
pub use tenant::{
    TenantSettings, administrator, change_tenant, create_tenant, delete_tenant, resume_tenant, suspend_tenant, tenant,
    tenants,
};
pub use token::{
    AuthError, Bearer, NewToken, Scope, TOKEN_DAYS_DEFAULT, TokenHash, TokenKey, TokenRequest, authenticate,
    create_token, revoke_token, rotate_token, tokens,
};
pub use uses::{TokenUse, TokenUses, USES_MAX, USES_WRITTEN_AT_A_TIME, write_uses};
pub use version::{EntityTag, Precondition};
