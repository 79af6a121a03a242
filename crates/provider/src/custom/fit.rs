//! Whether resources fit a changed definition. What only adds to one fits all resources; for anything else each resource is looked at, and
//! its keys are made anew.

use scim::{Attribute, Attributes, Mutability, ResourceType, Returned};
use serde_json::{Value, json};
use store::resources::{self, Chunk, ResourceKind, ResourceRecord};
use store::{ResourceId, WriteTx, listing, unique_values};

use super::SchemaError;
use crate::profile::Rules;
use crate::{Caller, ProviderError, document};

/// Most resources that one change looks at, of all types together: others that write wait for it.
pub const RESOURCES_CHECKED_MAX: u64 = 100_000;
/// What is read at a time.
const CHUNK: Chunk = Chunk { rows: 500, bytes: 8 << 20 };

/// Checks the resources of a kind against a changed definition, and makes their keys fit. `left` are those that may be looked at yet, of
/// `max` at first.
pub(super) fn adapt(
    tx: &mut WriteTx<'_>,
    before: &Caller,
    after: &Caller,
    kind: ResourceKind,
    (left, max): (&mut u64, u64),
) -> Result<(), SchemaError> {
    let (Some(old), Some(new)) = (before.profile().rules(kind), after.profile().rules(kind)) else { return Ok(()) };
    if only_adds(old, new) {
        return Ok(());
    }
    let count = listing::count(tx, before.tenant(), kind)?;
    let enough = left.checked_sub(count);
    *left = enough.ok_or_else(|| {
        let more = if max < RESOURCES_CHECKED_MAX {
            format!(", or use 'lockstep tenant schema set', which checks {RESOURCES_CHECKED_MAX}")
        } else {
            String::new()
        };
        SchemaError::InTheWay(format!(
            "the resource type '{}' has {count} resources, too many: at most {max} are checked against a changed definition; \
             only add optional attributes{more}",
            new.resource_type.name
        ))
    })?;
    let mut following: Option<ResourceId> = None;
    loop {
        let chunk = resources::page_after(tx, before.tenant(), kind, following, CHUNK)?;
        let Some(last) = chunk.last() else { return Ok(()) };
        following = Some(last.id);
        for record in &chunk {
            let attributes = document::read(&record.doc).map_err(|error| unreadable(&error))?;
            check(&new.resource_type, record, &attributes).map_err(SchemaError::InTheWay)?;
            exchange_keys(tx, (before, after), kind, record, &attributes)?;
        }
    }
}

fn unreadable(error: &ProviderError) -> SchemaError {
    SchemaError::InTheWay(format!("a resource cannot be read: {error}"))
}

/// A resource fits when it would be stored as it is, if it were sent now.
fn check(resource_type: &ResourceType, record: &ResourceRecord, attributes: &Attributes) -> Result<(), String> {
    let (name, id) = (&resource_type.name, record.id);
    let mut body = attributes.clone();
    body.insert("schemas".to_owned(), json!([resource_type.schema.id]));
    let read = resource_type.read(Value::Object(body));
    let read = read.map_err(|error| format!("the {name} {id} would be invalid: {}; change it first", error.detail))?;
    match attributes.iter().find(|(key, value)| read.get(*key) != Some(*value)) {
        None => Ok(()),
        Some((key, _)) => {
            Err(format!("the {name} {id} has a value of '{key}' that nothing would define any more; remove it first"))
        }
    }
}

fn exchange_keys(
    tx: &mut WriteTx<'_>,
    (before, after): (&Caller, &Caller),
    kind: ResourceKind,
    record: &ResourceRecord,
    attributes: &Attributes,
) -> Result<(), SchemaError> {
    let (tenant, id) = (before.tenant(), record.id);
    let keys = |caller: &Caller| document::keys(caller, kind, attributes).map_err(|error| unreadable(&error));
    resources::exchange_keys(tx, tenant, kind, id, (&keys(before)?, &keys(after)?))?;
    let unique =
        |caller: &Caller| document::unique_values(caller, kind, attributes).map_err(|error| unreadable(&error));
    let (had, has) = (unique(before)?, unique(after)?);
    let (gone, claimed) = resources::differing(&had, &has);
    unique_values::release(tx, tenant, kind, id, &gone)?;
    let Some(taken) = unique_values::claim(tx, tenant, kind, id, &claimed)? else { return Ok(()) };
    let other = unique_values::owner(tx, tenant, kind, &taken)?;
    let other = other.map_or_else(|| "another".to_owned(), |id| id.to_string());
    Err(SchemaError::InTheWay(format!(
        "the attribute '{}' cannot be unique: {id} and {other} have the same value; change one first",
        taken.0
    )))
}

/// Whether every resource of the old definition is one of the new, with the same keys.
fn only_adds(old: &Rules, new: &Rules) -> bool {
    let (old, new) = (&old.resource_type, &new.resource_type);
    let new_required = |urn: &str| new.extensions.iter().any(|(schema, required)| schema.id == urn && *required);
    let keeps_extensions = old.extensions.iter().all(|(schema, required)| {
        let kept = new.extensions.iter().find(|(known, _)| known.id == schema.id);
        kept.is_some_and(|(known, now)| (*required || !now) && keeps_all(&schema.attributes, &known.attributes))
    });
    let added =
        new.extensions.iter().filter(|(schema, _)| old.extensions.iter().all(|(known, _)| known.id != schema.id));
    old.schema.id == new.schema.id
        && keeps_all(&old.schema.attributes, &new.schema.attributes)
        && keeps_extensions
        && added.into_iter().all(|(schema, _)| !new_required(&schema.id))
}

fn keeps_all(old: &[Attribute], new: &[Attribute]) -> bool {
    let find = |of: &[Attribute], name: &str| of.iter().position(|attribute| attribute.name == name);
    old.iter().all(|attribute| find(new, &attribute.name).is_some_and(|at| keeps(attribute, &new[at])))
        && new.iter().all(|attribute| !attribute.required || find(old, &attribute.name).is_some())
}

fn keeps(old: &Attribute, new: &Attribute) -> bool {
    old.kind == new.kind
        && old.multi_valued == new.multi_valued
        && old.case_exact == new.case_exact
        && old.uniqueness == new.uniqueness
        && (old.required || !new.required)
        && (old.mutability == Mutability::ReadOnly) == (new.mutability == Mutability::ReadOnly)
        && (old.returned == Returned::Never) == (new.returned == Returned::Never)
        && keeps_all(&old.sub_attributes, &new.sub_attributes)
}
