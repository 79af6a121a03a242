//! The deletion of a resource (RFC 7644 §3.6), and what is left of a group of very many members.

use jiff::Timestamp;
use serde_json::Value;
use store::resources::{self, ResourceKind};
use store::{Action, ResourceId, StoreError, WriteTx, unique_values};

use crate::changing::at_version;
use crate::document;
use crate::membership::leave_groups;
use crate::resource::{check_kind, not_found, occurrence, told};
use crate::{Precondition, ProviderError, WriteAccess};

/// Members of a group that its deletion removes at once. The rows of more go a few at a time, when the group is gone.
pub const MEMBERS_DELETED_MAX: u32 = 5_000;

/// What a deletion left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Whether rows of a group's members are left, which lead nowhere; [`remove_left_members`] removes them.
    pub members_left: bool,
}

/// Deletes a resource with its memberships (RFC 7644 §3.6). Its id is never used again.
pub fn delete(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    kind: ResourceKind,
    id: ResourceId,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Deleted, ProviderError> {
    let caller = access.caller();
    check_kind(caller, kind)?;
    let tenant = caller.tenant();
    store::members::hold_groups_of(tx, tenant, id)?;
    let record = resources::by_id_to_delete(tx, tenant, kind, id)?.ok_or_else(|| not_found(caller, kind))?;
    let record = at_version(record, precondition)?;
    leave_groups(tx, caller, id, now)?;
    let mut members_left = false;
    if kind == ResourceKind::Group {
        let most = MEMBERS_DELETED_MAX;
        members_left = store::members::count_up_to(tx, tenant, id, most + 1)? > u64::from(most);
        if members_left {
            store::emptied::note_emptied(tx, tenant, id)?;
        } else {
            store::members::clear(tx, tenant, id)?;
        }
    }
    let attributes = document::read(&record.doc)?;
    let had = document::unique_values(caller, kind, &attributes)?;
    unique_values::release(tx, tenant, kind, id, &had.iter().collect::<Vec<_>>())?;
    resources::delete(tx, tenant, kind, id, &document::keys(caller, kind, &attributes)?)?;
    let mut occurrence = occurrence(Action::Deleted, record.version);
    occurrence.external_id = attributes.get("externalId").and_then(Value::as_str).map(str::to_owned);
    told(tx, caller, (kind, id), &occurrence, now)?;
    Ok(Deleted { members_left })
}

/// Removes some of the rows that deletions of a tenant's groups left behind; says whether there may be more.
pub fn remove_left_members(tx: &mut WriteTx<'_>, tenant: store::TenantKey) -> Result<bool, StoreError> {
    store::emptied::remove_emptied(tx, tenant, MEMBERS_DELETED_MAX)
}
