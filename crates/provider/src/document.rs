//! What is stored of a resource: its document as text, its unique key, and the keys it is found by.

use std::collections::HashMap;

use scim::limits::KEY_BYTES_MAX;
use scim::{Attributes, ScimError};
use serde_json::Value;
use serde_json::value::RawValue;
use store::StoreError;
use store::resources::{IndexKey, ResourceKind};

use crate::paths::IndexedPath;
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
        Ok(Self {
            text: text_of(attributes)?,
            unique_key: unique_key(caller, kind, attributes)?,
            keys: keys(caller, kind, attributes)?,
            unique: unique_values(caller, kind, attributes)?,
        })
    }

    /// Writes attributes in place of former ones. Its keys and unique values, and the former ones beside it, are those of the paths at
    /// which the two differ: a short change of a large resource would else fold all of it, twice.
    pub(crate) fn rewrite(
        caller: &Caller,
        kind: ResourceKind,
        old: &Attributes,
        new: &Attributes,
    ) -> Result<(Self, Former), ProviderError> {
        let (mut keys, mut unique) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for path in indexed(caller, kind)?.filter(|path| path.differs(old, new)) {
            path.collect(old, &mut keys.0);
            path.collect(new, &mut keys.1);
        }
        for path in caller.rules(kind)?.unique.iter().filter(|path| path.differs(old, new)) {
            path.collect(old, &mut unique.0);
            path.collect(new, &mut unique.1);
        }
        let former = Former { keys: keys.0, unique: unique.0 };
        let (text, unique_key) = (text_of(new)?, unique_key(caller, kind, new)?);
        Ok((Self { text, unique_key, keys: keys.1, unique: unique.1 }, former))
    }
}

/// What a resource had where it has something else now.
#[derive(Debug)]
pub(crate) struct Former {
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) unique: Vec<IndexKey>,
}

fn text_of(attributes: &Attributes) -> Result<String, ProviderError> {
    let text = serde_json::to_string(attributes).map_err(|error| StoreError::Decode(error.to_string()))?;
    if text.len() > RESOURCE_BYTES_MAX {
        return Err(ScimError::too_many(format!("a resource has at most {RESOURCE_BYTES_MAX} bytes")).into());
    }
    Ok(text)
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
    let mut keys = Vec::new();
    for path in indexed(caller, kind)? {
        path.collect(attributes, &mut keys);
    }
    Ok(keys)
}

/// The paths that the index of values holds; the attribute that no two resources share has its own.
fn indexed(caller: &Caller, kind: ResourceKind) -> Result<impl Iterator<Item = &IndexedPath>, ProviderError> {
    let unique = caller.unique_attribute(kind);
    Ok(caller.rules(kind)?.indexed.iter().filter(move |path| Some(&*path.path) != unique))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::{Profile, TenantSettings};

    /// How many keys a change makes: of what was, and of what is.
    fn made(old: &Value, new: &Value) -> (usize, usize) {
        let attributes = |value: &Value| value.as_object().unwrap().clone();
        let (tenant, profile) = (store::testing::tenant_key(1), Arc::clone(Profile::by_name("generic").unwrap()));
        let caller = Caller::new(tenant, "contoso".to_owned(), profile, TenantSettings::default(), None, None);
        let (old, new) = (attributes(old), attributes(new));
        let (document, former) = Document::rewrite(&caller, ResourceKind::User, &old, &new).unwrap();
        let whole = Document::write(&caller, ResourceKind::User, &new).unwrap();
        assert_eq!((&document.text, &document.unique_key), (&whole.text, &whole.unique_key));
        assert!(document.keys.iter().all(|key| whole.keys.contains(key)));
        (former.keys.len(), document.keys.len())
    }

    /// A title took 50 ms of the only writer where the resource was large.
    #[test]
    fn a_change_makes_keys_of_what_it_changes_only() {
        let emails: Vec<Value> =
            (0..900).map(|number| json!({ "value": format!("é{number}@contoso.example") })).collect();
        let old = json!({ "userName": "ann", "externalId": "a", "emails": emails });
        let with = |name: &str, value: Value| {
            let mut new = old.clone();
            new[name] = value;
            new
        };
        let fewer = json!(&emails[1..]);
        for (new, expected) in [
            (old.clone(), (0, 0)),
            (with("title", json!("T")), (0, 0)),
            (with("userName", json!("bob")), (0, 0)),
            (with("externalId", json!("b")), (1, 1)),
            (with("emails", fewer), (900, 899)),
            (with("emails", Value::Null), (900, 0)),
        ] {
            assert_eq!(made(&old, &new), expected, "{}", new["title"]);
        }
    }
}
