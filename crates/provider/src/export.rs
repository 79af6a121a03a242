//! All that a tenant has, in pieces: each resource as a GET answers it that asks for every attribute, for a copy that any SCIM server
//! understands.
//!
//! Each piece is a transaction of its own, so that an export of millions holds up nobody. What changes meanwhile is as it was when its
//! piece was read.

use std::sync::Arc;

use scim::Projection;
use store::resources::{Chunk, ResourceKind, page_after};
use store::{ReadTx, ResourceId, listing};

use crate::representation::View;
use crate::resource::shown;
use crate::{Caller, GroupFetched, GroupText, Precondition, ProviderError, get_group, users};

/// Resources that are read at a time, at the most.
pub const EXPORTED_AT_A_TIME: u32 = 500;
/// Size of their documents in bytes, from which no further one is read.
pub const EXPORTED_BYTES: usize = 4 << 20;
/// Most memory that the members of one group may take while they are written: about fourteen million members without a name.
pub const EXPORTED_GROUP_BYTES: usize = 256 << 20;
/// Ids of groups that are read at a time.
const GROUPS_AT_A_TIME: Chunk = Chunk { rows: 100, bytes: 1 << 20 };

/// A resource of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its id.
    pub id: ResourceId,
    /// Its JSON text.
    pub text: String,
}

/// How many resources of each kind the tenant has, with the kind's name.
pub fn counts(tx: &mut ReadTx<'_>, caller: &Caller) -> Result<Vec<(ResourceKind, String, u64)>, ProviderError> {
    let kinds: Vec<ResourceKind> = caller.profile().kinds().collect();
    let count = |kind| {
        let count = listing::count(tx, caller.tenant(), kind)?;
        Ok((kind, caller.kind_name(kind).to_owned(), count))
    };
    kinds.into_iter().map(count).collect()
}

/// The resources of a kind that follow `after` by id, at most [`EXPORTED_AT_A_TIME`], and none when all were read. Of groups the members
/// are left out: see [`export_group`]. `base` is the address of the tenant's endpoint.
pub fn export_after(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    after: Option<ResourceId>,
    base: &str,
) -> Result<Vec<Exported>, ProviderError> {
    let projection = whole(caller, kind)?;
    let view = View { base, projection: &projection };
    let shows_groups = kind == ResourceKind::User && users::shows_groups(caller, view)?;
    let chunk = Chunk { rows: EXPORTED_AT_A_TIME, bytes: EXPORTED_BYTES };
    let records = page_after(tx, caller.tenant(), kind, after, chunk)?;
    let exported = records
        .iter()
        .map(|record| Ok(Exported { id: record.id, text: shown(tx, caller, kind, record, view, shows_groups)? }));
    exported.collect()
}

/// The ids of the groups that follow `after` by id, some at a time, and none when all were read. Each is then read by
/// [`export_group`].
pub fn group_ids_after(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    after: Option<ResourceId>,
) -> Result<Vec<ResourceId>, ProviderError> {
    let records = page_after(tx, caller.tenant(), ResourceKind::Group, after, GROUPS_AT_A_TIME)?;
    Ok(records.into_iter().map(|record| record.id).collect())
}

/// A group with all its members, whose text comes in pieces; `None` where it is gone.
///
/// # Errors
/// [`ProviderError::TooLarge`] where its members take more memory than [`EXPORTED_GROUP_BYTES`].
pub fn export_group(
    tx: &mut ReadTx<'_>,
    caller: &Arc<Caller>,
    id: ResourceId,
    base: &str,
) -> Result<Option<Box<GroupText>>, ProviderError> {
    let view = View { base, projection: &whole(caller, ResourceKind::Group)? };
    match get_group(tx, caller, id, view, &Precondition::None, EXPORTED_GROUP_BYTES) {
        Ok(GroupFetched::Found(group)) => Ok(Some(group)),
        Ok(GroupFetched::TooLarge) => {
            Err(ProviderError::TooLarge(format!("the group {id} has more members than an export holds")))
        }
        Ok(GroupFetched::NotModified { .. }) | Err(ProviderError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Shows too what is shown on request only (RFC 7643 §7): a copy without it would not be one of all that there is.
fn whole(caller: &Caller, kind: ResourceKind) -> Result<Projection, ProviderError> {
    Ok(Projection::default().with_set(caller.rules(kind)?.on_request.clone()))
}
