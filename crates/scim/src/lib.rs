//! SCIM 2.0 (RFC 7643, RFC 7644): schemas, filters, paths, PATCH, projection, messages. Pure: no HTTP, no SQL, no clock.
//!
//! A resource's attributes are [`Attributes`]: JSON in the schema's own spelling, extensions under their URN. `schemas`, `id` and
//! `meta` are not stored in them; the service provider adds them when it answers. Lenient forms (bare words in filters, `"True"` for
//! a boolean, dotted keys) are recognised by their form, never by who sends them.
//!
#![doc = include_str!("../README.md")]

pub mod bulk;
mod canonical;
mod comparison;
mod cursor;
mod definition;
mod error;
mod filter;
mod fold;
mod immutable;
mod input;
mod json;
pub mod limits;
mod message;
mod moment;
mod patch;
mod path;
mod projection;
mod reference;
mod repeats;
mod resource_type;
mod schema;
mod sort;
mod twice;
mod value;

pub use canonical::EXACT_MAX;
pub use cursor::{CURSOR_CHARS_MAX, Cursor, Edge, Place};
pub use error::{ScimError, ScimType};
pub use filter::{Filter, Literal, Matcher, Operator};
pub use fold::{fold, fold_effort, fold_username};
pub use json::parse_json;
pub use message::{ErrorBody, ListResponse};
pub use moment::Moment;
pub use patch::{Member, MemberChange, Op, Operation, PatchOp, expects_no_content};
pub use path::AttributePath;
pub use projection::Projection;
pub use reference::resource_at;
pub use resource_type::{Resolved, ResourceType};
pub use schema::{
    Attribute, BULK_REQUEST_URN, BULK_RESPONSE_URN, ENTERPRISE_USER_URN, ERROR_URN, GROUP_URN, Kind, LIST_RESPONSE_URN,
    Mutability, PATCH_OP_URN, RESOURCE_TYPE_URN, Returned, SCHEMA_URN, SEARCH_REQUEST_URN, SERVICE_PROVIDER_CONFIG_URN,
    Schema, USER_URN, Uniqueness, core_group, core_user, enterprise_user, service_provider_schemas,
};
pub use sort::{SORT_KEY_BYTES_MAX, Sort, SortKey};

/// The attributes of one resource, in the schema's spelling; an extension is an object under its URN (RFC 7643 §3.3).
pub type Attributes = serde_json::Map<String, serde_json::Value>;
