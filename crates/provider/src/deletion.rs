//! The deletion of a resource (RFC 7644 §3.6), and what is left of a group of very many members.
//!
//! Who is in more groups than [`GROUPS_LEFT_MAX`] leaves them in several transactions and is deleted by the last one. What anybody sees
//! in between is true: of the groups that are left the version is another one, of the others nothing has changed, and the resource is
//! still there. Others may make it a member meanwhile; the last transaction ends that too.

use jiff::Timestamp;
use serde_json::Value;
use store::deletions::{self, Begun};
use store::resources::{self, ResourceKind};
use store::{Action, ResourceId, StoreError, TenantKey, WriteTx, unique_values};

use crate::changing::at_version;
use crate::document;
use crate::membership::leave_groups;
use crate::resource::{check_kind, occurrence, told};
use crate::tenant::administrator;
use crate::{Caller, Precondition, ProviderError, TenantError, WriteAccess};

/// Members of a group that its deletion removes at once. The rows of more go a few at a time, when the group is gone.
pub const MEMBERS_DELETED_MAX: u32 = 5_000;
/// Groups that a resource leaves in one transaction, which keeps others from writing for some ten milliseconds.
pub const GROUPS_LEFT_MAX: u32 = 500;

/// What a deletion, or a part of one, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The resource is gone.
    Gone {
        /// Whether rows of a group's members are left, which lead nowhere; [`remove_left_members`] removes them.
        members_left: bool,
    },
    /// It has left some of its groups and is in others: the deletion goes on with [`go_on_deleting`].
    Leaving,
}

/// Deletes a resource with its memberships (RFC 7644 §3.6), or begins to. Its id is never used again. A deletion that was begun is ended
/// by [`end_deletion`] where nobody goes on with it.
pub fn delete(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    kind: ResourceKind,
    id: ResourceId,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Deleted, ProviderError> {
    let caller = access.caller();
    let (deleted, version) = delete_part(tx, caller, (kind, id), precondition, now)?;
    if deleted == Deleted::Leaving {
        let names_versions = matches!(precondition, Precondition::OneOf(_) | Precondition::NoneOf(_));
        let if_version = names_versions.then_some(version);
        deletions::note_begun(tx, caller.tenant(), Begun { kind, id, if_version })?;
    }
    Ok(deleted)
}

/// Goes on with a deletion that [`delete`] has begun, under the same condition. That another has ended it is no failure.
pub fn go_on_deleting(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    kind: ResourceKind,
    id: ResourceId,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Deleted, ProviderError> {
    let caller = access.caller();
    let deleted = match delete_part(tx, caller, (kind, id), precondition, now) {
        Ok((deleted, _)) => deleted,
        Err(ProviderError::NotFound { .. }) => Deleted::Gone { members_left: false },
        Err(error) => return Err(error),
    };
    if deleted != Deleted::Leaving {
        deletions::note_ended(tx, caller.tenant(), kind, id)?;
    }
    Ok(deleted)
}

/// Takes a deletion of the tenant of that name one part further, which was begun and that nobody may be going on with; says whether there
/// may be more to do. A resource that has another version than its deletion was to find stays.
pub fn end_deletion(tx: &mut WriteTx<'_>, tenant: &str, now: Timestamp) -> Result<bool, TenantError> {
    let caller = administrator(tx, tenant)?;
    let Some(Begun { kind, id, if_version }) = deletions::next_begun(tx, caller.tenant())? else { return Ok(false) };
    let precondition = if_version.map_or(Precondition::None, Precondition::at);
    // What fails is undone: nobody is left out of groups by a deletion that does not go on.
    let ended = match tx.part(|tx| delete_part(tx, &caller, (kind, id), &precondition, now))? {
        Ok((deleted, _)) => deleted != Deleted::Leaving,
        Err(ProviderError::Store(error)) => return Err(error.into()),
        // It is gone, was changed, or is of a type that the tenant no longer has.
        Err(
            ProviderError::NotFound { .. }
            | ProviderError::VersionMismatch { .. }
            | ProviderError::NotImplemented(_)
            | ProviderError::Scim(_)
            | ProviderError::NotUnique { .. }
            | ProviderError::TooLarge(_)
            | ProviderError::Conflict(_)
            | ProviderError::Quota { .. }
            | ProviderError::ReadOnly,
        ) => true,
    };
    if ended {
        deletions::note_ended(tx, caller.tenant(), kind, id)?;
    }
    Ok(true)
}

/// Takes the resource out of some groups, and where there are no others deletes it; gives the version that it is at.
pub(crate) fn delete_part(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    (kind, id): (ResourceKind, ResourceId),
    precondition: &Precondition,
    now: Timestamp,
) -> Result<(Deleted, i64), ProviderError> {
    check_kind(caller, kind)?;
    let tenant = caller.tenant();
    store::members::hold_groups_of(tx, tenant, id, GROUPS_LEFT_MAX)?;
    let record = resources::by_id_to_delete(tx, tenant, kind, id)?.ok_or_else(|| caller.not_found(kind))?;
    let record = at_version(record, precondition)?;
    if leave_groups(tx, caller, id, GROUPS_LEFT_MAX, now)? {
        return Ok((Deleted::Leaving, record.version));
    }
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
    Ok((Deleted::Gone { members_left }, record.version))
}

/// Removes some of the rows that deletions of a tenant's groups left behind; says whether there may be more.
pub fn remove_left_members(tx: &mut WriteTx<'_>, tenant: TenantKey) -> Result<bool, StoreError> {
    store::emptied::remove_emptied(tx, tenant, MEMBERS_DELETED_MAX)
}
