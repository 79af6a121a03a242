//! A group with all its members as text that is made piece by piece while it is sent.

use std::sync::Arc;

use store::resources::{self, ResourceKind, ResourceRecord};
use store::{ReadTx, ResourceId, members};

use crate::effort::Effort;
use crate::groups::known_members_json;
use crate::packed::{Members, MembersText, read_members};
use crate::query::{SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW};
use crate::representation::{Joined, Representation, View, represent};
use crate::{Caller, EntityTag, Fetched, Precondition, ProviderError};

/// The answer to a GET of one group.
#[derive(Debug)]
pub enum GroupFetched {
    /// The group.
    Found(Box<GroupText>),
    /// It is still at a version that the client has (RFC 7644 §3.14).
    NotModified {
        /// That version.
        version: i64,
    },
    /// Its members take more memory than was allowed.
    TooLarge,
}

/// A group while its text is made. Each piece is given once; what it was made from is then let go.
#[derive(Debug)]
pub struct GroupText {
    /// The version that the group is at.
    pub version: i64,
    /// What comes before the members, or all there is.
    head: Option<String>,
    members: Option<MembersText>,
    bytes: usize,
}

/// Members that take next to nothing to read and to send.
pub const MEMBERS_FEW_MAX: u32 = 100;

/// Gets a group with its members, as far as the projection wants them (RFC 7644 §3.4.1). `unless` is the client's `If-None-Match`;
/// `bytes_max` is what the members may take.
///
/// # Errors
/// [`ProviderError::NotFound`]; `tooMany` where choosing what is shown costs too much.
pub fn get_group(
    tx: &mut ReadTx<'_>,
    caller: &Arc<Caller>,
    id: ResourceId,
    view: View<'_>,
    unless: &Precondition,
    bytes_max: usize,
) -> Result<GroupFetched, ProviderError> {
    let kind = ResourceKind::Group;
    let record = resources::by_id(tx, caller.tenant(), kind, id)?.ok_or_else(|| caller.not_found(kind))?;
    if unless.names(record.version) {
        return Ok(GroupFetched::NotModified { version: record.version });
    }
    let mut effort = Effort::new(SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW);
    let found = |head, members, bytes| {
        let group = GroupText { version: record.version, head: Some(head), members, bytes };
        Ok(GroupFetched::Found(Box::new(group)))
    };
    match read_members(tx, caller, id, view, bytes_max, &mut effort)? {
        Members::Unwanted => found(represent(caller, kind, &record, view, None)?, None, 0),
        Members::Few(members) => {
            let joined = known_members_json(caller, &members, view)?.map(Joined::members);
            found(represent(caller, kind, &record, view, joined.as_ref())?, None, 0)
        }
        Members::Many(packed) => {
            let (head, bytes) = (head(caller, &record, view)?, packed.bytes);
            found(head, Some(MembersText::new(caller, view, packed)), bytes)
        }
        Members::TooLarge => Ok(GroupFetched::TooLarge),
    }
}

/// The same for a group of [`MEMBERS_FEW_MAX`] members at the most, which is read in no time; `None` for a larger one, and where members are
/// chosen by filters.
///
/// # Errors
/// [`ProviderError::NotFound`].
pub fn get_small_group(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    id: ResourceId,
    view: View<'_>,
    unless: &Precondition,
) -> Result<Option<Fetched>, ProviderError> {
    if view.projection.comparisons() > 0 {
        return Ok(None);
    }
    let kind = ResourceKind::Group;
    let record = resources::by_id(tx, caller.tenant(), kind, id)?.ok_or_else(|| caller.not_found(kind))?;
    let tag = EntityTag::of(record.version);
    if unless.names(record.version) {
        return Ok(Some(Fetched::NotModified { tag }));
    }
    let mut joined = None;
    if view.projection.wants_members(caller.resource_type(kind)?) {
        let members = members::members_after(tx, caller.tenant(), id, None, MEMBERS_FEW_MAX + 1)?;
        if members.len() > MEMBERS_FEW_MAX as usize {
            return Ok(None);
        }
        joined = known_members_json(caller, &members, view)?.map(Joined::members);
    }
    let text = represent(caller, kind, &record, view, joined.as_ref())?;
    Ok(Some(Fetched::Found(Representation { id, tag, text })))
}

/// A group up to its members; [`TAIL`] is what comes behind them.
pub(crate) fn head(caller: &Caller, record: &ResourceRecord, view: View<'_>) -> Result<String, ProviderError> {
    let mut head = represent(caller, ResourceKind::Group, record, view, None)?;
    // `id` is always there, so there is always something before the comma.
    head.truncate(head.len().saturating_sub(1));
    head.push_str(",\"members\":[");
    Ok(head)
}

/// What comes behind the members of a group that [`head`] begins.
pub(crate) const TAIL: &str = "]}";

impl GroupText {
    /// Whether the text is short enough to be sent as a whole.
    pub const fn is_short(&self) -> bool {
        self.members.is_none()
    }

    /// What the members take, in bytes of memory.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Iterator for GroupText {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut text = self.head.take();
        if let Some(members) = &mut self.members {
            let text = text.get_or_insert_default();
            members.write_next(text);
            if members.pages_left() == 0 {
                text.push_str(TAIL);
                self.members = None;
            }
        }
        text
    }
}
