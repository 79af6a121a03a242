//! Places in a document that are looked at without the schema: to index what is there, to keep it unique, to take it out.

use std::sync::Arc;

use scim::{Attribute, Attributes, EXACT_MAX, Kind, Literal, Moment, ResourceType, ScimError, Uniqueness};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use store::resources::IndexKey;

/// Longest key in the index of values, in bytes. Longer values share the key of their beginning and are told apart when the resource
/// is looked at; a database refuses index entries of a few kilobytes.
pub const INDEX_KEY_BYTES_MAX: usize = 512;
/// Longest value that is its own key among unique ones, in bytes; of longer ones the digest is, so that all of a value counts.
pub const UNIQUE_KEY_BYTES_MAX: usize = 256;

/// The schemas that RFC 7643 defines for resources. What a tenant defines may begin like them: Entra's extensions do.
const BUILT_IN: [&str; 3] = [scim::USER_URN, scim::GROUP_URN, scim::ENTERPRISE_USER_URN];

/// A path whose values are looked at without the schema.
#[derive(Clone, Debug)]
pub(crate) struct IndexedPath {
    pub(crate) path: Arc<str>,
    extension: Option<String>,
    attribute: String,
    sub_attribute: Option<String>,
    case_exact: bool,
}

/// A path whose values no two resources of a kind may share.
#[derive(Clone, Debug)]
pub(crate) struct UniquePath {
    place: IndexedPath,
    /// What is compared there.
    compared: Attribute,
}

impl UniquePath {
    /// Whether two forms of a resource have other values at this path, or in another order.
    pub(crate) fn differs(&self, old: &Attributes, new: &Attributes) -> bool {
        self.place.differs(old, new)
    }

    /// Adds the keys of all values that a resource has at this path.
    pub(crate) fn collect(&self, attributes: &Attributes, keys: &mut Vec<IndexKey>) {
        self.place.each(attributes, &mut |value| {
            let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for element in elements {
                // A complex value is compared by its `value` where it has one (RFC 7643 §2.4).
                let value = self.compared.compared().filter(|_| self.compared.kind == Kind::Complex);
                let key = match value {
                    Some(sub) => element.get(&sub.name).map(|value| sub.canonical(value)),
                    None => Some(self.compared.canonical(element)),
                };
                keys.extend(key.map(|key| (Arc::clone(&self.place.path), unique_key(&key))));
            }
        });
    }

    /// The path under which the values are kept, and the key there of all values that are equal to a filter's; `None` where they
    /// cannot be looked up. `path` is canonical, with the part that is compared.
    pub(crate) fn look_up(&self, path: &str, value: &Literal) -> Option<(&Arc<str>, String)> {
        let place = &self.place.path;
        let is_complex = self.compared.kind == Kind::Complex;
        let part = if is_complex { Some(self.compared.compared()?) } else { None };
        let compared = part.unwrap_or(&self.compared);
        let is_meant = match (path.strip_prefix(&**place), part) {
            (Some(""), None) => true,
            (Some(rest), Some(part)) => rest.strip_prefix('.') == Some(part.name.as_str()),
            _ => false,
        };
        let canonical = match (compared.kind, value) {
            // Beyond that a fraction is equal to whole numbers that are not equal to each other.
            (Kind::Integer | Kind::Decimal, Literal::Number { value, .. }) if value.as_f64()?.abs() < EXACT_MAX => {
                compared.canonical(&Value::Number(value.clone()))
            }
            (Kind::DateTime, Literal::String(text)) => Moment::of_filter(text)?.as_nanosecond().to_string(),
            (Kind::Boolean, Literal::Boolean(value)) => compared.canonical(&Value::Bool(*value)),
            _ => return None,
        };
        is_meant.then(|| (place, unique_key(&canonical)))
    }
}

/// The key of a canonical value. What it begins with tells a value from a digest.
fn unique_key(canonical: &str) -> String {
    if canonical.len() <= UNIQUE_KEY_BYTES_MAX {
        return format!("={canonical}");
    }
    format!("#{:x}", Sha256::digest(canonical.as_bytes()))
}

impl IndexedPath {
    pub(crate) fn new(resource_type: &ResourceType, path: &str) -> Result<Self, ScimError> {
        let unknown = || ScimError::invalid_path(format!("{path} names no attribute"));
        let parsed = path.parse()?;
        let resolved = resource_type.resolve(&parsed).ok_or_else(unknown)?;
        Ok(Self {
            path: resolved.to_string().into(),
            extension: resolved.extension.map(str::to_owned),
            attribute: resolved.attribute.name.clone(),
            sub_attribute: resolved.sub_attribute.map(|sub| sub.name.clone()),
            case_exact: resolved.compared().is_some_and(|attribute| attribute.case_exact),
        })
    }

    /// The key under which a text is found.
    pub(crate) fn key(&self, text: &str) -> String {
        let mut key = if self.case_exact { text.to_owned() } else { scim::fold(text) };
        if key.len() > INDEX_KEY_BYTES_MAX {
            let end = (0..=INDEX_KEY_BYTES_MAX).rev().find(|at| key.is_char_boundary(*at));
            key.truncate(end.unwrap_or(0));
        }
        key
    }

    /// Adds the keys of all texts that a resource has at this path.
    pub(crate) fn collect(&self, attributes: &Attributes, keys: &mut Vec<IndexKey>) {
        self.each(attributes, &mut |part| {
            if let Some(text) = part.as_str() {
                keys.push((Arc::clone(&self.path), self.key(text)));
            }
        });
    }

    /// Whether two forms of a resource have other values at this path, or in another order. To compare costs a fraction of folding.
    pub(crate) fn differs(&self, old: &Attributes, new: &Attributes) -> bool {
        let values = |attributes| {
            let mut values = Vec::new();
            self.each(attributes, &mut |value| values.push(value));
            values
        };
        values(old) != values(new)
    }

    /// Calls `each` with every value that a resource has at this path: each element of a list, the part of each where it names one.
    fn each<'v>(&self, attributes: &'v Attributes, each: &mut dyn FnMut(&'v Value)) {
        let level = match &self.extension {
            None => Some(attributes),
            Some(urn) => attributes.get(urn).and_then(Value::as_object),
        };
        let Some(value) = level.and_then(|level| level.get(&self.attribute)) else { return };
        let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for element in elements {
            match &self.sub_attribute {
                None => each(element),
                Some(sub) => element.get(sub).into_iter().for_each(&mut *each),
            }
        }
    }

    /// Removes what is at this path, and what is empty without it.
    pub(crate) fn remove(&self, attributes: &mut Attributes) {
        match &self.extension {
            None => self.remove_from(attributes),
            Some(urn) => {
                let Some(level) = attributes.get_mut(urn).and_then(Value::as_object_mut) else { return };
                self.remove_from(level);
                if level.is_empty() {
                    attributes.remove(urn);
                }
            }
        }
    }

    fn remove_from(&self, level: &mut Map<String, Value>) {
        let Some(sub) = &self.sub_attribute else {
            level.remove(&self.attribute);
            return;
        };
        let Some(value) = level.get_mut(&self.attribute) else { return };
        match value {
            Value::Object(object) => drop(object.remove(sub)),
            Value::Array(elements) => {
                elements.iter_mut().filter_map(Value::as_object_mut).for_each(|object| drop(object.remove(sub)));
                elements.retain(|element| element.as_object().is_none_or(|object| !object.is_empty()));
            }
            _ => {}
        }
        let is_empty = value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if is_empty {
            level.remove(&self.attribute);
        }
    }
}

/// Whether an attribute of a schema is the address that the server itself makes for a reference of a core schema.
pub(crate) fn is_own_address(schema: &str, attribute: &Attribute) -> bool {
    is_built_in(schema)
        && attribute.name == "$ref"
        && attribute.reference_types.iter().any(|kind| kind == "User" || kind == "Group")
}

/// Whether the schema is one that RFC 7643 defines.
pub(crate) fn is_built_in(schema: &str) -> bool {
    BUILT_IN.contains(&schema)
}

/// The places whose values are unique, in the schemas of a resource type; those in `besides` are seen to elsewhere.
pub(crate) fn unique_paths(resource_type: &ResourceType, besides: Option<&str>) -> Vec<UniquePath> {
    let is_unique = |_: &str, _: &Attribute, meant: &Attribute| meant.uniqueness != Uniqueness::None;
    let found = paths(resource_type, is_unique).into_iter();
    let unique = found.map(|(place, compared)| UniquePath { place, compared: compared.clone() });
    unique.filter(|unique| Some(&*unique.place.path) != besides).collect()
}

/// The places of the attributes and sub-attributes that are wanted, with their definitions. `wanted` is told the schema, the attribute,
/// and what is meant: the attribute itself, or one of its parts.
pub(crate) fn paths(
    resource_type: &ResourceType,
    wanted: impl Fn(&str, &Attribute, &Attribute) -> bool,
) -> Vec<(IndexedPath, &Attribute)> {
    let mut paths = Vec::new();
    for (number, schema) in resource_type.schemas().enumerate() {
        let extension = (number > 0).then(|| schema.id.clone());
        let prefix = extension.as_ref().map_or_else(String::new, |urn| format!("{urn}:"));
        for attribute in &schema.attributes {
            for sub in std::iter::once(None).chain(attribute.sub_attributes.iter().map(Some)) {
                let meant = sub.unwrap_or(attribute);
                if !wanted(&schema.id, attribute, meant) {
                    continue;
                }
                let part = sub.map_or_else(String::new, |sub| format!(".{}", sub.name));
                let place = IndexedPath {
                    path: format!("{prefix}{}{part}", attribute.name).into(),
                    extension: extension.clone(),
                    attribute: attribute.name.clone(),
                    sub_attribute: sub.map(|sub| sub.name.clone()),
                    case_exact: meant.case_exact,
                };
                paths.push((place, meant));
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_long_value_counts_and_none_passes_for_a_digest() {
        let long = "x".repeat(UNIQUE_KEY_BYTES_MAX + 1);
        assert_ne!(unique_key(&format!("{long}a")), unique_key(&format!("{long}b")));
        let digest = unique_key(&long);
        assert_ne!(unique_key(&digest), digest);
        assert!(digest.len() < UNIQUE_KEY_BYTES_MAX);
        assert_eq!(unique_key("x"), "=x");
    }
}
