//! A group with all its members as text that is made piece by piece while it is sent. The members are read at one moment and held as
//! little more than their ids, so that neither memory nor a snapshot depends on how fast a client reads.

use std::sync::Arc;

use scim::Projection;
use store::members::{self, MemberRecord};
use store::resources::{self, ResourceKind, ResourceRecord};
use store::{ReadTx, ResourceId};

use crate::effort::Effort;
use crate::groups::{CHUNK, members_effort, write_members};
use crate::query::{SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW};
use crate::representation::{View, represent};
use crate::resource::not_found;
use crate::{Caller, Precondition, ProviderError};

/// Bytes of an id.
const ID_BYTES: usize = 16;
/// In place of a name's length: there is none.
const NO_NAME: u16 = u16::MAX;

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
    caller: Arc<Caller>,
    base: String,
    projection: Projection,
    /// What comes before the members; with them, if there are any to show, their number is in `pages`.
    head: Option<String>,
    pages: std::vec::IntoIter<Page>,
    is_first: bool,
    tail: Option<&'static str>,
    bytes: usize,
}

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
    let record = resources::by_id(tx, caller.tenant(), kind, id)?.ok_or_else(|| not_found(caller, kind))?;
    if unless.names(record.version) {
        return Ok(GroupFetched::NotModified { version: record.version });
    }
    let Some(packed) = read_pages(tx, caller, id, view, bytes_max)? else { return Ok(GroupFetched::TooLarge) };
    GroupText::new(caller, &record, view, packed).map(|group| GroupFetched::Found(Box::new(group)))
}

/// Members as they are held.
struct Packed {
    /// `None` where none are to be shown.
    pages: Option<Vec<Page>>,
    /// What they take, in bytes.
    bytes: usize,
}

/// The members in pages; `None` where they take too much.
fn read_pages(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    group: ResourceId,
    view: View<'_>,
    bytes_max: usize,
) -> Result<Option<Packed>, ProviderError> {
    if !view.projection.wants_members(caller.resource_type(ResourceKind::Group)?) {
        return Ok(Some(Packed { pages: None, bytes: 0 }));
    }
    let mut effort = Effort::new(SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW);
    let (mut pages, mut bytes, mut after) = (Vec::new(), 0, None);
    loop {
        let present = members::members_after(tx, caller.tenant(), group, after, CHUNK)?;
        let Some(last) = present.last() else { break };
        after = Some(last.id);
        effort.spend(members_effort(&present, view))?;
        let page = Page::new(&present);
        bytes += page.0.len() + size_of::<Page>();
        if bytes > bytes_max {
            return Ok(None);
        }
        pages.push(page);
        if present.len() < CHUNK as usize {
            break;
        }
    }
    Ok(Some(Packed { pages: Some(pages), bytes }))
}

impl GroupText {
    fn new(
        caller: &Arc<Caller>,
        record: &ResourceRecord,
        view: View<'_>,
        Packed { pages, bytes }: Packed,
    ) -> Result<Self, ProviderError> {
        let mut head = represent(caller, ResourceKind::Group, record, view, None)?;
        if pages.is_some() {
            // `id` is always there, so there is always something before the comma.
            head.truncate(head.len().saturating_sub(1));
            head.push_str(",\"members\":[");
        }
        Ok(Self {
            version: record.version,
            caller: Arc::clone(caller),
            base: view.base.to_owned(),
            projection: view.projection.clone(),
            head: Some(head),
            tail: pages.is_some().then_some("]}"),
            pages: pages.unwrap_or_default().into_iter(),
            is_first: true,
            bytes,
        })
    }

    /// Whether the text is short enough to be sent as a whole.
    pub fn is_short(&self) -> bool {
        self.pages.len() <= 1
    }

    /// What the members take, in bytes of memory.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    fn write(&mut self, page: &Page, text: &mut String) -> Result<(), ProviderError> {
        let resource_type = self.caller.resource_type(ResourceKind::Group)?;
        let view = View { base: &self.base, projection: &self.projection };
        let before = text.len();
        write_members(text, &self.caller, resource_type, &page.members(), view, self.is_first);
        self.is_first &= text.len() == before;
        Ok(())
    }
}

impl Iterator for GroupText {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let head = self.head.take();
        let is_over = head.is_none() && self.pages.len() == 0 && self.tail.is_none();
        let mut text = head.unwrap_or_default();
        if let Some(page) = self.pages.next() {
            // The resource type was there when the group was read.
            self.write(&page, &mut text).ok()?;
        }
        if self.pages.len() == 0 {
            text.push_str(self.tail.take().unwrap_or_default());
        }
        (!is_over).then_some(text)
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
