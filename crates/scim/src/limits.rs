//! Every limit of the crate, each checked before the work it bounds. What a transport limits (bodies, headers) lives with the transport.

/// Longest filter or path, in bytes.
pub const FILTER_BYTES_MAX: usize = 8192;
/// Deepest nesting of parentheses, `not` and brackets in a filter.
pub const FILTER_DEPTH_MAX: usize = 32;
/// Most comparisons in one filter. Databases refuse expressions of a thousand terms, so this stays well below.
pub const FILTER_TERMS_MAX: usize = 200;
/// Deepest nesting of arrays and objects in a body.
pub const JSON_DEPTH_MAX: usize = 32;
/// Most operations in one bulk request.
pub const BULK_OPERATIONS_MAX: usize = 1000;
/// Most operations in one PATCH.
pub const PATCH_OPERATIONS_MAX: usize = 1000;
/// Most that the operations of one PATCH may cost together, in elements visited: one comparison of one element of a multi-valued attribute
/// counts 1, and more for long texts. A thousand operations on a hundred elements stay below; the worst body takes a fraction of a second.
/// A filter on a group's members is charged to the same number where the members are kept; reading them takes a few times longer.
pub const PATCH_EFFORT_MAX: usize = 4_000_000;
/// Longest string value of an attribute, in bytes.
pub const STRING_BYTES_MAX: usize = 64 * 1024;
/// Longest `userName` or `externalId`, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;
/// Most elements of a multi-valued attribute other than a group's `members`.
pub const VALUES_MAX: usize = 1000;
/// Most members named by one request.
pub const MEMBERS_MAX: usize = 50_000;
/// Most attributes in one `attributes` or `excludedAttributes` parameter.
pub const PROJECTION_PATHS_MAX: usize = 200;
/// Most attributes, with their sub-attributes, of a schema given as data.
pub const SCHEMA_ATTRIBUTES_MAX: usize = 1000;
/// Most canonical values, or reference types, of an attribute of a schema given as data.
pub const CANONICAL_VALUES_MAX: usize = 500;
/// Longest name or description in a schema given as data, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 4096;
/// Most characters of a client's text that an error repeats.
pub const ECHO_CHARS_MAX: usize = 64;
