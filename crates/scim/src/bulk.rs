//! Bulk requests (RFC 7644 §3.7): from the body to operations, each of which may be malformed alone. What `bulkId:` means in them is
//! decided in `references`, in which order they run in `order`.

mod order;
mod places;
mod references;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use order::in_order;
use serde_json::{Map, Value};

use crate::error::echo;
use crate::input::lists_schema;
use crate::limits::{BULK_OPERATIONS_MAX, KEY_BYTES_MAX};
use crate::patch::take;
use crate::{BULK_REQUEST_URN, PATCH_OP_URN, ResourceType, ScimError};

/// What an operation of a bulk request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BulkMethod {
    /// Makes a resource.
    Post,
    /// Replaces one.
    Put,
    /// Changes one.
    Patch,
    /// Deletes one.
    Delete,
}

impl BulkMethod {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for BulkMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BulkMethod {
    type Err = ScimError;

    /// Any case, as for the `op` of a PATCH.
    ///
    /// # Errors
    /// `invalidValue` for any other word.
    fn from_str(word: &str) -> Result<Self, ScimError> {
        [Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| word.eq_ignore_ascii_case(method.as_str()))
            .ok_or_else(|| ScimError::invalid_value("'method' must be POST, PUT, PATCH or DELETE"))
    }
}

/// What a resource is called in an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkId {
    /// By its `id`, or what stands in its place.
    Known(String),
    /// By the `bulkId` of the operation with that number, counted from 0, which makes it.
    Made(usize),
}

/// One operation of a bulk request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkOperation {
    /// What it does.
    pub method: BulkMethod,
    /// The resource type's endpoint, without slashes: `Users`.
    pub endpoint: String,
    /// The resource it is about; `None` for a POST.
    pub target: Option<BulkId>,
    /// The id that is chosen for what a POST makes.
    pub chosen: Option<String>,
    /// The entity tag that the client has of it (RFC 7644 §3.14).
    pub version: Option<String>,
    /// The body; null for a DELETE.
    pub data: Value,
    /// The operations that make what this one speaks of, in order, each once.
    pub needs: Vec<usize>,
}

/// An operation as it was sent, well-formed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkEntry {
    /// Its `method` as it was sent, for the answer; the RFC's word where it is one.
    pub method: Option<String>,
    /// Its `bulkId`, for the answer.
    pub bulk_id: Option<String>,
    /// What is to be done, or why that cannot be told.
    pub operation: Result<BulkOperation, ScimError>,
}

/// A bulk request.
///
/// ```
/// use scim::bulk::BulkRequest;
/// use serde_json::json;
///
/// let request = BulkRequest::read(
///     json!({
///         "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
///         "Operations": [
///             { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "members": [{ "value": "bulkId:u" }] } },
///             { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "userName": "ada" } },
///         ],
///     }),
///     || "id-that-was-chosen".to_owned(),
/// )?;
/// assert_eq!(request.order(), [[1], [0]], "the user is made first");
/// let group = request.entries[0].operation.as_ref().expect("it is well-formed");
/// assert_eq!(group.data["members"][0]["value"], "id-that-was-chosen");
/// # Ok::<(), scim::bulk::BulkError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkRequest {
    /// After how many errors the rest is left undone; `None` for never.
    pub fail_on_errors: Option<u64>,
    /// The operations, in the client's order.
    pub entries: Vec<BulkEntry>,
}

/// A bulk request is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    /// It has more operations than [`BULK_OPERATIONS_MAX`] (RFC 7644 §3.7.4); the status that goes with it is 413.
    #[error("a bulk request has at most {BULK_OPERATIONS_MAX} operations")]
    TooManyOperations,
    /// It is malformed.
    #[error(transparent)]
    Scim(#[from] ScimError),
}

impl BulkRequest {
    /// Reads the body of a bulk request. Unknown keys are ignored, keys and methods match in any case. Where an operation speaks of the
    /// `bulkId` of another one, in whatever place a text may stand, `ids` gives the id that this one will have: `bulkId:x` in a value,
    /// an address that ends in `/bulkId:x` in a `$ref`, `"bulkId:x"` in the `path` of a PATCH, and `/Users/bulkId:x`.
    ///
    /// # Errors
    /// [`BulkError::TooManyOperations`]; `invalidSyntax` when the body is no BulkRequest message, `invalidValue` for a `failOnErrors`
    /// that is no whole number; 0 is how some clients write that they want none.
    pub fn read(body: Value, ids: impl FnMut() -> String) -> Result<Self, BulkError> {
        Self::read_as(body, |_| None, ids)
    }

    /// As [`Self::read`], where `types` tells the resource type that lives at an endpoint such as `Users`: of its values only references to
    /// resources are looked at, which are attributes of that type, and `value` and `$ref` beside each other. `bulkId:x` is a text elsewhere.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_as<'t>(
        body: Value,
        types: impl Fn(&str) -> Option<&'t ResourceType>,
        ids: impl FnMut() -> String,
    ) -> Result<Self, BulkError> {
        let Value::Object(mut body) = body else {
            return Err(ScimError::invalid_syntax("the body is not a JSON object").into());
        };
        if !lists_schema(&body, BULK_REQUEST_URN) {
            return Err(ScimError::invalid_syntax(format!("'schemas' does not list {BULK_REQUEST_URN}")).into());
        }
        let fail_on_errors = match take(&mut body, "failOnErrors") {
            None | Some(Value::Null) => None,
            Some(given) => {
                let errors = given.as_u64().ok_or_else(|| {
                    ScimError::invalid_value(
                        "'failOnErrors' must be a whole number; leave it out to go on after errors",
                    )
                })?;
                Some(errors).filter(|errors| *errors > 0)
            }
        };
        let Some(Value::Array(given)) = take(&mut body, "Operations") else {
            return Err(ScimError::invalid_syntax("'Operations' must be a list").into());
        };
        if given.len() > BULK_OPERATIONS_MAX {
            return Err(BulkError::TooManyOperations);
        }
        let mut entries: Vec<BulkEntry> = given.into_iter().map(BulkEntry::read).collect();
        references::resolve(&mut entries, types, ids);
        Ok(Self { fail_on_errors, entries })
    }

    /// The operations in an order in which each comes after those that make what it speaks of, and after those before it that are about
    /// the same resource, in whatever case its address is written; else in the client's. Operations that speak of each other in a circle
    /// come together.
    pub fn order(&self) -> Vec<Vec<usize>> {
        let mut last_about: HashMap<(String, String), usize> = HashMap::new();
        let mut last_made: HashMap<usize, usize> = HashMap::new();
        let mut after = Vec::with_capacity(self.entries.len());
        for (number, entry) in self.entries.iter().enumerate() {
            let Ok(operation) = &entry.operation else {
                after.push(Vec::new());
                continue;
            };
            let mut all = operation.needs.clone();
            all.extend(match &operation.target {
                None => None,
                Some(BulkId::Known(id)) => {
                    last_about.insert((operation.endpoint.to_ascii_lowercase(), id.to_ascii_lowercase()), number)
                }
                Some(BulkId::Made(by)) => last_made.insert(*by, number),
            });
            // What was read names operations that there are; what a caller has changed may not.
            all.retain(|other| *other < self.entries.len());
            after.push(all);
        }
        in_order(&after)
    }
}

impl BulkEntry {
    fn read(given: Value) -> Self {
        let refused = |detail: &str| Err(ScimError::invalid_syntax(detail));
        let Value::Object(mut given) = given else {
            return Self { method: None, bulk_id: None, operation: refused("an operation is not a JSON object") };
        };
        let method = match take(&mut given, "method") {
            Some(Value::String(word)) => Some(word),
            _ => None,
        };
        let (bulk_id, has_bad_id) = match take(&mut given, "bulkId") {
            None | Some(Value::Null) => (None, false),
            Some(Value::String(id)) if !id.is_empty() && id.len() <= KEY_BYTES_MAX => (Some(id), false),
            Some(_) => (None, true),
        };
        let parsed = match &method {
            None => Err(ScimError::invalid_syntax("an operation has no 'method'")),
            Some(_) if has_bad_id => {
                Err(ScimError::invalid_value(format!("a 'bulkId' is a text of 1 to {KEY_BYTES_MAX} bytes")))
            }
            Some(word) => word.parse(),
        };
        let operation = parsed.and_then(|method| BulkOperation::read(method, bulk_id.is_some(), given));
        let method = match &operation {
            Ok(operation) => Some(operation.method.as_str().to_owned()),
            Err(_) => method.map(|word| shown_method(&word)),
        };
        Self { method, bulk_id, operation }
    }
}

/// What an answer repeats of a method.
fn shown_method(word: &str) -> String {
    word.parse().map_or_else(|_| echo(word), |method: BulkMethod| method.as_str().to_owned())
}

impl BulkOperation {
    fn read(method: BulkMethod, has_bulk_id: bool, mut given: Map<String, Value>) -> Result<Self, ScimError> {
        let Some(Value::String(path)) = take(&mut given, "path") else {
            return Err(ScimError::invalid_syntax("an operation has no 'path'"));
        };
        let (endpoint, id) = read_path(&path)?;
        let target = match (method, id) {
            (BulkMethod::Post, None) if has_bulk_id => None,
            (BulkMethod::Post, None) => return Err(ScimError::invalid_syntax("a POST needs a 'bulkId'")),
            (BulkMethod::Post, Some(_)) => {
                return Err(ScimError::invalid_path("the 'path' of a POST names a resource type, such as /Users"));
            }
            (BulkMethod::Put | BulkMethod::Patch | BulkMethod::Delete, Some(id)) => Some(BulkId::Known(id.to_owned())),
            (BulkMethod::Put | BulkMethod::Patch | BulkMethod::Delete, None) => {
                return Err(ScimError::invalid_path(format!(
                    "the 'path' of a {method} names one resource, such as /Users/id"
                )));
            }
        };
        let data = take(&mut given, "data").filter(|data| !data.is_null());
        let data = match (method, data) {
            (BulkMethod::Delete, _) => Value::Null,
            (BulkMethod::Patch, Some(data)) => as_patch(data),
            (_, Some(data)) => data,
            (_, None) => return Err(ScimError::invalid_syntax(format!("a {method} needs 'data'"))),
        };
        let version = match take(&mut given, "version") {
            None | Some(Value::Null) => None,
            Some(Value::String(version)) => Some(version),
            Some(_) => return Err(ScimError::invalid_value("a 'version' is an entity tag such as W/\"1\"")),
        };
        Ok(Self { method, endpoint: endpoint.to_owned(), target, chosen: None, version, data, needs: Vec::new() })
    }
}

/// The body of a PATCH, also where it leaves its `schemas` out, or is nothing but the operations, as RFC 7644 §3.7 prints it: that an
/// operation is a PATCH is told by its `method`.
fn as_patch(data: Value) -> Value {
    let mut body = match data {
        Value::Array(operations) => Map::from_iter([("Operations".to_owned(), Value::Array(operations))]),
        Value::Object(body) => body,
        other => return other,
    };
    let names_schemas = body.iter().any(|(name, urns)| {
        name.eq_ignore_ascii_case("schemas") && !urns.is_null() && urns.as_array().is_none_or(|urns| !urns.is_empty())
    });
    if !names_schemas {
        body.retain(|name, _| !name.eq_ignore_ascii_case("schemas"));
        body.insert("schemas".to_owned(), Value::from(vec![PATCH_OP_URN]));
    }
    Value::Object(body)
}

/// The endpoint and the id in `/Users` or `/Users/id`. Nothing but resources is reached by a bulk request, and nothing elsewhere.
fn read_path(path: &str) -> Result<(&str, Option<&str>), ScimError> {
    let relative = path.strip_prefix('/').unwrap_or(path);
    let relative = relative.strip_suffix('/').unwrap_or(relative);
    let (endpoint, id) = match relative.split_once('/') {
        None => (relative, None),
        Some((endpoint, id)) => (endpoint, Some(id)),
    };
    let is_segment = |text: &str| {
        !text.is_empty()
            && !text.starts_with('.')
            && !text.contains(['/', '?', '#', '%', '\\'])
            && text.len() <= KEY_BYTES_MAX
    };
    // A `bulkId` is whatever the client made up: no part of an address, but what stands for one.
    let is_id = |id: &str| references::after_prefix(id).is_some() || is_segment(id);
    if is_segment(endpoint) && !endpoint.contains(':') && id.is_none_or(is_id) {
        Ok((endpoint, id))
    } else {
        Err(ScimError::invalid_path(format!("'{}' is no path of a resource, such as /Users or /Users/id", echo(path))))
    }
}

#[cfg(test)]
mod tests;
