//! What is stored of a resource: its document as text, its unique key, and the keys it is found by.

use std::collections::HashMap;

use scim::limits::KEY_BYTES_MAX;
use scim::{Attributes, ScimError};
use serde_json::Value;
use serde_json::value::RawValue;
use store::StoreError;
use store::resources::{IndexKey, ResourceKind};

use crate::{Caller, ProviderError};

/// Longest stored form of a resource, in bytes; a group's members are not part of it. Many short requests could make one that no page of a
/// list can hold.
pub const RESOURCE_BYTES_MAX: usize = 256 << 10;

/// The stored form of a resource's attributes.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) unique_key: Option<String>,
    pub(crate) keys: Vec<IndexKey>,
    /// What no other resource of the kind may have, beside the unique key.
    pub(crate) unique: Vec<IndexKey>,
}

impl Document {
    /// Writes attributes that the resource type has accepted.
    pub(crate) fn write(caller: &Caller, kind: ResourceKind, attributes: &Attributes) -> Result<Self, ProviderError> {
        let text = serde_json::to_string(attributes).map_err(|error| StoreError::Decode(error.to_string()))?;
        if text.len() > RESOURCE_BYTES_MAX {
            return Err(ScimError::too_many(format!("a resource has at most {RESOURCE_BYTES_MAX} bytes")).into());
        }
        Ok(Self {
            text,
            unique_key: unique_key(caller, kind, attributes)?,
            keys: keys(caller, kind, attributes)?,
            unique: unique_values(caller, kind, attributes)?,
        })
    }
}

/// Reads a stored document.
pub(crate) fn read(text: &str) -> Result<Attributes, ProviderError> {
    Ok(serde_json::from_str(text).map_err(|error| StoreError::Decode(error.to_string()))?)
}

/// Reads one attribute of a stored document, or one extension: the others are passed over, which takes a fraction of the time.
pub(crate) fn read_one(text: &str, name: &str) -> Result<Attributes, ProviderError> {
    let unreadable = |error: serde_json::Error| StoreError::Decode(error.to_string());
    // Names of attributes and URNs need no escapes.
    let held: HashMap<&str, &RawValue> = serde_json::from_str(text).map_err(unreadable)?;
    let Some(value) = held.get(name) else { return Ok(Attributes::new()) };
    let value = serde_json::from_str(value.get()).map_err(unreadable)?;
    Ok(Attributes::from_iter([(name.to_owned(), value)]))
}

/// The keys that the index of values holds for these attributes.
pub(crate) fn keys(
    caller: &Caller,
    kind: ResourceKind,
    attributes: &Attributes,
) -> Result<Vec<IndexKey>, ProviderError> {
    let unique = caller.unique_attribute(kind);
    let mut keys = Vec::new();
    for path in caller.rules(kind)?.indexed.iter().filter(|path| Some(&*path.path) != unique) {
        path.collect(attributes, &mut keys);
    }
    Ok(keys)
}

/// The values that no other resource of the kind may have, with their paths.
pub(crate) fn unique_values(
    caller: &Caller,
    kind: ResourceKind,
    attributes: &Attributes,
) -> Result<Vec<IndexKey>, ProviderError> {
    let mut values = Vec::new();
    for path in &caller.rules(kind)?.unique {
        path.collect(attributes, &mut values);
    }
    Ok(values)
}

/// The folded value that no other resource of the kind may have. RFC 8265 decides for `userName`.
pub(crate) fn unique_key(
    caller: &Caller,
    kind: ResourceKind,
    attributes: &Attributes,
) -> Result<Option<String>, ScimError> {
    let Some(attribute) = caller.unique_attribute(kind) else { return Ok(None) };
    let value = attributes.get(attribute).and_then(Value::as_str).unwrap_or_default();
    if value.len() > KEY_BYTES_MAX {
        return Err(ScimError::invalid_value(format!("{attribute} has at most {KEY_BYTES_MAX} bytes")));
    }
    folded(kind, value).map(Some)
}

/// The key under which a value of the unique attribute is found.
pub(crate) fn folded(kind: ResourceKind, value: &str) -> Result<String, ScimError> {
    match kind {
        ResourceKind::User => scim::fold_username(value),
        ResourceKind::Group | ResourceKind::Custom(_) => Ok(scim::fold(value)),
    }
}
