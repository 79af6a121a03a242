//! Resources of a tenant: create and get (RFC 7644 §3.3, §3.4.1). Replacing and patching are in `changing`, deletion is in `deletion`,
//! lists are in `query`.
//!
//! What a request says is read and checked before the transaction ([`NewResource`]); the transaction writes. Every change leaves its row in
//! the tenant's change feed.

use jiff::Timestamp;
use scim::{AttributePath, Attributes, Member};
use serde_json::Value;
use store::members::MemberRecord;
use store::resources::{self, ResourceKind, ResourceRecord};
use store::{
    Action, ObjectId, Occurrence, ReadTx, ResourceId, StoreError, UniqueKey, WriteTx, append_occurrence, listing,
    unique_values,
};

use crate::document::Document;
use crate::membership::{Membership, NO_BASE};
use crate::representation::{Joined, Representation, View, represent, tag_of};
use crate::{Caller, EntityTag, Precondition, ProviderError, Rules, WriteAccess, groups, manager, users};

/// A resource that a POST described, ready to be stored.
#[derive(Debug)]
pub struct NewResource {
    pub(crate) kind: ResourceKind,
    pub(crate) record: ResourceRecord,
    unique_key: Option<String>,
    keys: Vec<resources::IndexKey>,
    unique: Vec<resources::IndexKey>,
    members: Vec<Member>,
}

impl NewResource {
    /// Reads the body of a POST (RFC 7644 §3.3). `id` is a new one.
    pub fn prepare(
        caller: &Caller,
        kind: ResourceKind,
        body: Value,
        id: ResourceId,
        now: Timestamp,
    ) -> Result<Self, ProviderError> {
        let (attributes, members) = read_body(caller, kind, body)?;
        let document = Document::write(caller, kind, &attributes)?;
        let now = whole_millis(now);
        let record = ResourceRecord { id, doc: document.text, version: 1, created: now, modified: now };
        Ok(Self {
            kind,
            record,
            unique_key: document.unique_key,
            keys: document.keys,
            unique: document.unique,
            members,
        })
    }

    /// The answer to the POST; `members` are those that [`create`] gave.
    pub fn represent(
        &self,
        caller: &Caller,
        view: View<'_>,
        members: &[MemberRecord],
    ) -> Result<Representation, ProviderError> {
        let json = match self.kind {
            ResourceKind::User | ResourceKind::Custom(_) => None,
            ResourceKind::Group => groups::known_members_json(caller, members, view)?,
        };
        let joined = json.map(Joined::members);
        // All that is stored was sent.
        let set = caller.rules(self.kind)?.on_request.clone();
        let text = represent_set(caller, self.kind, &self.record, view, joined.as_ref(), set)?;
        Ok(Representation { id: self.record.id, tag: tag_of(&self.record, joined.as_ref()), text })
    }
}

/// Reads a body and takes the members of a group out of it; they are rows of their own.
pub(crate) fn read_body(
    caller: &Caller,
    kind: ResourceKind,
    body: Value,
) -> Result<(Attributes, Vec<Member>), ProviderError> {
    let rules = caller.rules(kind)?;
    let mut attributes = rules.resource_type.read(body)?;
    let members = match kind {
        ResourceKind::User | ResourceKind::Custom(_) => Vec::new(),
        ResourceKind::Group => attributes.remove("members").map(Member::read_list).transpose()?.unwrap_or_default(),
    };
    forget(rules, &mut attributes);
    Ok((attributes, members))
}

/// Drops what is not kept; of the address of a manager it is kept that there was one.
pub(crate) fn forget(rules: &Rules, attributes: &mut Attributes) {
    manager::name_by_address(attributes);
    let told = manager::is_told(attributes);
    rules.forget(attributes);
    if told {
        manager::keep(attributes);
    }
}

/// Stores a new resource; gives the members of a new group.
pub fn create(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    new: &NewResource,
) -> Result<Vec<MemberRecord>, ProviderError> {
    insert(tx, access.caller(), new)?;
    join(tx, access.caller(), new)
}

/// Stores a new resource without its members.
pub(crate) fn insert(tx: &mut WriteTx<'_>, caller: &Caller, new: &NewResource) -> Result<(), ProviderError> {
    check_quota(tx, caller, new.kind)?;
    let record = &new.record;
    let stored = resources::insert(
        tx,
        caller.tenant(),
        new.kind,
        record.id,
        new.unique_key.as_deref(),
        &record.doc,
        &new.keys,
        record.created,
    );
    stored.map_err(|error| unique(caller, new.kind, error))?;
    claim(tx, caller, new.kind, record.id, &new.unique.iter().collect::<Vec<_>>())?;
    let occurrence = occurrence(Action::Created, record.version);
    told(tx, caller, (new.kind, record.id), &occurrence, record.created)
}

/// Refuses one more where the tenant has as many as it may. Those that are made at the same moment may go beyond by as many as they are:
/// a guard against runaways, which is to make nobody wait.
fn check_quota(tx: &mut ReadTx<'_>, caller: &Caller, kind: ResourceKind) -> Result<(), ProviderError> {
    let settings = caller.settings();
    let max = match kind {
        ResourceKind::User => settings.users_max,
        ResourceKind::Group => settings.groups_max,
        ResourceKind::Custom(_) => None,
    };
    match max {
        Some(max) if listing::count(tx, caller.tenant(), kind)? >= u64::from(max) => {
            Err(ProviderError::Quota { kind: caller.kind_name(kind).to_owned(), max })
        }
        _ => Ok(()),
    }
}

/// Adds the members of a new group; gives them.
pub(crate) fn join(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    new: &NewResource,
) -> Result<Vec<MemberRecord>, ProviderError> {
    if new.members.is_empty() {
        return Ok(Vec::new());
    }
    let mut membership = Membership::new(caller, new.record.id, NO_BASE);
    membership.add(tx, &new.members)
}

pub(crate) fn unique(caller: &Caller, kind: ResourceKind, error: StoreError) -> ProviderError {
    match (error, caller.unique_attribute(kind)) {
        (StoreError::NotUnique(UniqueKey::ResourceKey), Some(attribute)) => {
            ProviderError::NotUnique { attribute: attribute.to_owned() }
        }
        (error, _) => ProviderError::Store(error),
    }
}

/// Claims the values that no other resource may have.
pub(crate) fn claim(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    id: ResourceId,
    values: &[&resources::IndexKey],
) -> Result<(), ProviderError> {
    match unique_values::claim(tx, caller.tenant(), kind, id, values)? {
        None => Ok(()),
        Some((attribute, _)) => Err(ProviderError::NotUnique { attribute: attribute.to_string() }),
    }
}

pub(crate) const fn occurrence(action: Action, version: i64) -> Occurrence {
    Occurrence { action, switched: None, version, attributes: String::new(), external_id: None }
}

/// Tells the tenant's feed what happened.
pub(crate) fn told(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    (kind, id): (ResourceKind, ResourceId),
    occurrence: &Occurrence,
    now: Timestamp,
) -> Result<(), ProviderError> {
    Ok(append_occurrence(tx, caller.tenant(), kind.into(), ObjectId::new(id.uuid()), occurrence, now)?)
}

/// The answer to a GET of one resource.
#[derive(Debug)]
pub enum Fetched {
    /// The resource.
    Found(Representation),
    /// It is still as the client has it (RFC 7644 §3.14).
    NotModified {
        /// The entity tag that says so.
        tag: EntityTag,
    },
}

/// Gets a resource (RFC 7644 §3.4.1), of a group what is not its members; see [`crate::get_group`]. `unless` is the client's
/// `If-None-Match`. A user's groups change without the user's version, so the tag of an answer that shows some tells them too.
pub fn get(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    id: ResourceId,
    view: View<'_>,
    unless: &Precondition,
) -> Result<Fetched, ProviderError> {
    let record = resources::by_id(tx, caller.tenant(), kind, id)?.ok_or_else(|| caller.not_found(kind))?;
    let shows_groups = kind == ResourceKind::User && users::shows_groups(caller, view)?;
    if !shows_groups && unless.names(record.version) {
        return Ok(Fetched::NotModified { tag: EntityTag::of(record.version) });
    }
    let joined = if shows_groups { joined_groups(tx, caller, id, view)? } else { None };
    let tag = tag_of(&record, joined.as_ref());
    if shows_groups && unless.names_answer(tag) {
        return Ok(Fetched::NotModified { tag });
    }
    let text = represent(caller, kind, &record, view, joined.as_ref())?;
    Ok(Fetched::Found(Representation { id, tag, text }))
}

/// A resource as a GET answers it, a group without its members.
pub(crate) fn shown(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    record: &ResourceRecord,
    view: View<'_>,
    shows_groups: bool,
) -> Result<String, ProviderError> {
    let joined = if shows_groups { joined_groups(tx, caller, record.id, view)? } else { None };
    represent(caller, kind, record, view, joined.as_ref())
}

fn joined_groups(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    user: ResourceId,
    view: View<'_>,
) -> Result<Option<Joined>, ProviderError> {
    let memberships = users::groups_of(tx, caller, user)?;
    Ok(users::groups_json(caller, &memberships, view)?.map(Joined::groups))
}

/// Whether the tenant has the resource.
pub fn exists(tx: &mut ReadTx<'_>, caller: &Caller, kind: ResourceKind, id: ResourceId) -> Result<bool, ProviderError> {
    Ok(!listing::ids_there_are(tx, caller.tenant(), kind, &[id])?.is_empty())
}

/// Where an application has no groups, no address of one leads anywhere; only making one is something it does not offer.
pub(crate) fn check_kind(caller: &Caller, kind: ResourceKind) -> Result<(), ProviderError> {
    caller.rules(kind).map(drop).map_err(|_| caller.not_found(kind))
}

/// As [`represent`], with what the request set although it is shown on request only.
pub(crate) fn represent_set(
    caller: &Caller,
    kind: ResourceKind,
    record: &ResourceRecord,
    view: View<'_>,
    joined: Option<&Joined>,
    set: Vec<AttributePath>,
) -> Result<String, ProviderError> {
    if set.is_empty() {
        return represent(caller, kind, record, view, joined);
    }
    let projection = view.projection.clone().with_set(set);
    represent(caller, kind, record, View { projection: &projection, ..view }, joined)
}

/// What is answered must be what the store gives back later, and it keeps milliseconds.
pub(crate) fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
