//! What a PUT leaves out and is kept, because it is immutable (RFC 7643 §7): it has to be a whole value, or GET and then PUT would fail.

use scim::{Attribute, Attributes, Kind, Mutability, ResourceType, ScimError};
use serde_json::{Map, Value};

/// Keeps what is immutable, and checks what is left of attributes that were sent without any of it.
///
/// # Errors
/// `mutability` for another value of what is immutable, `invalidValue` where less is kept of an attribute than it needs.
pub(crate) fn keep_immutable(
    resource_type: &ResourceType,
    old: &Attributes,
    sent: &Attributes,
) -> Result<Attributes, ScimError> {
    let mut new = sent.clone();
    resource_type.keep_immutable(old, &mut new)?;
    for schema in resource_type.schemas() {
        let level = |attributes: &Attributes| match attributes.get(&schema.id) {
            Some(Value::Object(level)) => Some(level.clone()),
            _ => None,
        };
        let is_core = schema.id == resource_type.schema.id;
        for attribute in schema.attributes.iter().filter(|attribute| may_be_part(attribute)) {
            if is_core {
                check(attribute, "", sent, &new)?;
            } else if let Some(kept) = level(&new) {
                check(attribute, &format!("{}:", schema.id), &level(sent).unwrap_or_default(), &kept)?;
            }
        }
    }
    Ok(new)
}

/// Whether an attribute may be kept in part, and less of it than it needs.
fn may_be_part(attribute: &Attribute) -> bool {
    let has = |is_it: fn(&Attribute) -> bool| attribute.sub_attributes.iter().any(is_it);
    attribute.kind == Kind::Complex
        && !attribute.multi_valued
        && has(|sub| sub.mutability == Mutability::Immutable)
        && has(is_needed)
}

fn is_needed(attribute: &Attribute) -> bool {
    attribute.required && attribute.mutability != Mutability::ReadOnly
}

/// Checks one attribute of a level, whose names begin with `outer`.
fn check(
    attribute: &Attribute,
    outer: &str,
    sent: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), ScimError> {
    let (None, Some(kept)) = (sent.get(&attribute.name), new.get(&attribute.name)) else { return Ok(()) };
    let missing = attribute.sub_attributes.iter().find(|sub| is_needed(sub) && kept.get(&sub.name).is_none());
    missing.map_or(Ok(()), |sub| {
        let name = format!("{outer}{}", attribute.name);
        Err(ScimError::invalid_value(format!(
            "'{name}' cannot be left out: a part of it is immutable and stays, and then needs '{name}.{}'; send it too",
            sub.name
        )))
    })
}
