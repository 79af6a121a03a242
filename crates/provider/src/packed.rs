//! Members of groups, read at one moment and held as little more than their ids until they become text, so that neither memory nor a
//! snapshot depends on how fast a client reads.

use std::sync::Arc;

use scim::Projection;
use store::members::{self, MemberRecord};
use store::resources::ResourceKind;
use store::{ReadTx, ResourceId};

use crate::effort::Effort;
use crate::groups::{CHUNK, members_effort, write_members};
use crate::representation::View;
use crate::{Caller, ProviderError};

/// Bytes of an id.
const ID_BYTES: usize = 16;
/// In place of a name's length: there is none.
const NO_NAME: u16 = u16::MAX;

/// The members of a group, as far as an answer is to show them.
pub(crate) enum Members {
    /// None are to be shown.
    Unwanted,
    /// All of a small group.
    Few(Vec<MemberRecord>),
    /// All of a group of more than a chunk.
    Many(Packed),
    /// They take more memory than they may.
    TooLarge,
}

/// Members as they are held.
pub(crate) struct Packed {
    pages: Vec<Page>,
    /// What they take, in bytes.
    pub(crate) bytes: usize,
}

/// Reads the members of a group that the view wants some of; what they take is `bytes_max` at the most.
pub(crate) fn read_members(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    group: ResourceId,
    view: View<'_>,
    bytes_max: usize,
    effort: &mut Effort,
) -> Result<Members, ProviderError> {
    if !view.projection.wants_members(caller.resource_type(ResourceKind::Group)?) {
        return Ok(Members::Unwanted);
    }
    let (mut pages, mut bytes, mut after) = (Vec::new(), 0, None);
    loop {
        let present = members::members_after(tx, caller.tenant(), group, after, CHUNK)?;
        effort.spend(members_effort(&present, view))?;
        let is_last = present.len() < CHUNK as usize;
        if is_last && pages.is_empty() {
            return Ok(Members::Few(present));
        }
        let Some(last) = present.last() else { break };
        after = Some(last.id);
        let page = Page::new(&present);
        bytes += page.0.len() + size_of::<Page>();
        if bytes > bytes_max {
            return Ok(Members::TooLarge);
        }
        pages.push(page);
        if is_last {
            break;
        }
    }
    Ok(Members::Many(Packed { pages, bytes }))
}

/// Members while they become text. Each page is let go when it has.
#[derive(Debug)]
pub(crate) struct MembersText {
    caller: Arc<Caller>,
    base: String,
    projection: Projection,
    pages: std::vec::IntoIter<Page>,
    is_first: bool,
}

impl MembersText {
    pub(crate) fn new(caller: &Arc<Caller>, view: View<'_>, packed: Packed) -> Self {
        Self {
            caller: Arc::clone(caller),
            base: view.base.to_owned(),
            projection: view.projection.clone(),
            pages: packed.pages.into_iter(),
            is_first: true,
        }
    }

    /// Adds the next page to a text, with the commas between members; says whether there was one.
    pub(crate) fn write_next(&mut self, text: &mut String) -> bool {
        let Some(page) = self.pages.next() else { return false };
        // The resource type was there when the group was read.
        if let Ok(resource_type) = self.caller.resource_type(ResourceKind::Group) {
            let view = View { base: &self.base, projection: &self.projection };
            let before = text.len();
            write_members(text, &self.caller, resource_type, &page.members(), view, self.is_first);
            self.is_first &= text.len() == before;
        }
        true
    }

    /// Pages that are left.
    pub(crate) fn pages_left(&self) -> usize {
        self.pages.len()
    }
}

/// Some members, packed: id, whether it is a group, the length of the name, the name.
#[derive(Debug)]
struct Page(Box<[u8]>);

impl Page {
    fn new(members: &[MemberRecord]) -> Self {
        let mut packed = Vec::with_capacity(members.len() * (ID_BYTES + 3));
        for member in members {
            packed.extend_from_slice(member.id.uuid().as_bytes());
            packed.push(u8::from(member.kind == ResourceKind::Group));
            let name = member.display.as_deref();
            // Names are checked to be far shorter when they come in.
            let length = name.and_then(|name| u16::try_from(name.len()).ok()).unwrap_or(NO_NAME);
            packed.extend_from_slice(&length.to_be_bytes());
            packed.extend_from_slice(name.filter(|_| length != NO_NAME).unwrap_or_default().as_bytes());
        }
        Self(packed.into_boxed_slice())
    }

    fn members(&self) -> Vec<MemberRecord> {
        let mut members = Vec::new();
        let mut rest = &*self.0;
        while let Some((id, more)) = rest.split_first_chunk::<ID_BYTES>()
            && let Some(([is_group, a, b], more)) = more.split_first_chunk::<3>()
        {
            let length = u16::from_be_bytes([*a, *b]);
            let taken = if length == NO_NAME { 0 } else { usize::from(length) };
            let Some((name, more)) = more.split_at_checked(taken) else { break };
            let display = (length != NO_NAME).then(|| String::from_utf8_lossy(name).into_owned());
            let kind = if *is_group == 1 { ResourceKind::Group } else { ResourceKind::User };
            members.push(MemberRecord { id: ResourceId::from_bytes(*id), kind, display });
            rest = more;
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_unpacked_as_they_were() {
        let member = |id: &str, kind, display: Option<&str>| MemberRecord {
            id: id.parse().unwrap(),
            kind,
            display: display.map(str::to_owned),
        };
        let members = [
            member("01a1fcff-9d56-7a9e-8292-becdc33d4463", ResourceKind::User, None),
            member("01a1fcff-9d56-7a9e-8292-becdc33d4464", ResourceKind::Group, Some("Zoé \u{1F600}")),
            member("01a1fcff-9d56-7a9e-8292-becdc33d4465", ResourceKind::User, Some("")),
            member("01a1fcff-9d56-7a9e-8292-becdc33d4466", ResourceKind::User, Some(&"n".repeat(1024))),
        ];
        assert_eq!(Page::new(&members).members(), members);
        assert_eq!(Page::new(&members[..1]).0.len(), ID_BYTES + 3);
        assert_eq!(Page::new(&[]).members(), []);
    }
}
