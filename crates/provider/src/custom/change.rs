//! A tenant's definition as it is kept: shown, set, cleared, in the transaction of whoever administers tenants.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use store::schemas::{hold_schemas_alone, put_schemas};
use store::tenants::TenantRecord;
use store::{ReadTx, StoreError, TenantKey, WriteTx, listing};

use super::compiled::digest_of;
use super::fit::{self, RESOURCES_CHECKED_MAX};
use super::{CustomSchemas, Kinds, SchemaError};
use crate::tenant::tenant;
use crate::{Caller, Profile, TenantError, TenantSettings};

/// What setting or clearing a definition made different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaChange {
    /// One sentence for each thing that is new, different or gone; none where nothing changed.
    pub differences: Vec<String>,
}

/// What the tenant of that name defined; empty where it defined nothing.
pub fn schemas(tx: &mut ReadTx<'_>, name: &str) -> Result<CustomSchemas, TenantError> {
    let found = tenant(tx, name)?;
    Ok(stored(tx, found.key)?.0)
}

pub(super) fn stored(tx: &mut ReadTx<'_>, of: TenantKey) -> Result<(CustomSchemas, Kinds), StoreError> {
    let Some(record) = store::schemas::schemas(tx, of)? else { return Ok(Default::default()) };
    CustomSchemas::from_stored(&record.doc).map_err(StoreError::Decode)
}

/// Removes what the tenant of that name defined. Refused where resources need it.
pub fn clear_schemas(tx: &mut WriteTx<'_>, name: &str, now: Timestamp) -> Result<SchemaChange, TenantError> {
    set_schemas(tx, name, &CustomSchemas::default(), now)
}

/// Sets what the tenant of that name defines, in place of what it defined before. All of it is checked before anything is kept, also
/// against the resources there are: what would make one of them invalid, or leave values of it without a definition, is refused.
pub fn set_schemas(
    tx: &mut WriteTx<'_>,
    name: &str,
    definition: &CustomSchemas,
    now: Timestamp,
) -> Result<SchemaChange, TenantError> {
    let found = tenant(tx, name)?;
    change(tx, &found, definition, RESOURCES_CHECKED_MAX, now).map_err(|error| match error {
        SchemaError::Store(error) => TenantError::Store(error),
        refused @ (SchemaError::Wrong(_) | SchemaError::InTheWay(_) | SchemaError::Changed) => {
            TenantError::BadSchemas(refused.to_string())
        }
    })
}

/// The same for a tenant that was found, where so many resources may be looked at.
pub(super) fn change(
    tx: &mut WriteTx<'_>,
    found: &TenantRecord,
    definition: &CustomSchemas,
    resources_max: u64,
    now: Timestamp,
) -> Result<SchemaChange, SchemaError> {
    let in_force = hold_schemas_alone(tx, found.key)?;
    let unknown = || StoreError::Decode(format!("no profile is called {}", found.profile));
    let base = Profile::by_name(&found.profile).ok_or_else(unknown)?;
    let (old_definition, mut kinds) = stored(tx, found.key)?;
    let old = if in_force.is_some() {
        Arc::new(old_definition.compile(base, &mut kinds).map_err(StoreError::Decode)?)
    } else {
        Arc::clone(base)
    };
    let definition = definition.clone().settled(base);
    let new = Arc::new(definition.compile(base, &mut kinds).map_err(SchemaError::Wrong)?);
    let settings = TenantSettings::read(&found.settings)?;
    let caller = |profile: &Arc<Profile>| {
        Caller::new(found.key, found.name.clone(), Arc::clone(profile), settings.clone(), None, None)
    };
    let (before, after) = (caller(&old), caller(&new));
    check_removed(tx, &before, &after)?;
    let mut left = resources_max;
    for kind in new.kinds().filter(|kind| old.rules(*kind).is_some()) {
        fit::adapt(tx, &before, &after, kind, (&mut left, resources_max))?;
    }
    let change = SchemaChange { differences: differences(&old_definition, &definition) };
    if !change.differences.is_empty() || in_force.is_some() == definition.is_empty() {
        let doc = definition.stored(&kinds);
        let digest = (!definition.is_empty()).then(|| digest_of(&found.profile, &doc));
        put_schemas(tx, found.key, &doc, digest.as_ref(), now)?;
    }
    Ok(change)
}

/// A resource type goes only when it has no resources.
fn check_removed(tx: &mut ReadTx<'_>, before: &Caller, after: &Caller) -> Result<(), SchemaError> {
    for kind in before.profile().kinds().filter(|kind| after.profile().rules(*kind).is_none()) {
        let count = listing::count(tx, before.tenant(), kind)?;
        if count > 0 {
            return Err(SchemaError::InTheWay(format!(
                "the resource type '{}' still has resources ({count}); delete them first, or keep the type",
                before.kind_name(kind)
            )));
        }
    }
    Ok(())
}

/// What is new, different and gone, by resource types and schemas.
fn differences(old: &CustomSchemas, new: &CustomSchemas) -> Vec<String> {
    let types = |of: &CustomSchemas| -> Vec<(String, String)> {
        of.types.iter().map(|one| (format!("resource type {}", one.name), one.to_json().to_string())).collect()
    };
    let mut told = compared(&types(old), &types(new));
    let schemas = |of: &CustomSchemas| -> Vec<(String, String)> {
        let text = |schema| serde_json::to_string(schema).unwrap_or_default();
        of.schemas.iter().map(|schema| (format!("schema {}", schema.id), text(schema))).collect()
    };
    told.extend(compared(&schemas(old), &schemas(new)));
    told
}

fn compared(old: &[(String, String)], new: &[(String, String)]) -> Vec<String> {
    let names: BTreeSet<&String> = old.iter().chain(new).map(|(name, _)| name).collect();
    let find =
        |of: &[(String, String)], name: &str| of.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
    let told = names.into_iter().filter_map(|name| match (find(old, name), find(new, name)) {
        (None, Some(_)) => Some(format!("{name} is new")),
        (Some(_), None) => Some(format!("{name} goes")),
        (Some(before), Some(after)) if before != after => Some(format!("{name} changes")),
        _ => None,
    });
    told.collect()
}
