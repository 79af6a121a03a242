//! Users and groups of a tenant: create, get, replace, patch, delete (RFC 7644 §3.3 to §3.6). Lists are in `query`.
//!
//! What a request says is read and checked before the transaction ([`NewResource`], [`Replacement`], [`Patch`]); the transaction loads,
//! compares and writes. Every change leaves its row in the tenant's change feed; a change that changes nothing leaves no trace.

use jiff::Timestamp;
use scim::{Attributes, Member, MemberChange, PatchOp, ScimError};
use serde_json::Value;
use store::members::{GroupOfMember, MemberRecord};
use store::resources::{self, ResourceKind, ResourceRecord};
use store::{ObjectId, ReadTx, ResourceId, StoreError, UniqueKey, WriteTx, append_change};

use crate::document::{self, Document};
use crate::effort::Effort;
use crate::query::{SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW};
use crate::representation::{Joined, Representation, View, represent};
use crate::{Caller, Precondition, ProviderError, groups, users};

/// Most memberships that a PUT ends by leaving `members` out. Emptying a larger group takes `"members": []`, so that a client which
/// does not know the attribute cannot do it by accident.
pub const PUT_WITHOUT_MEMBERS_MAX: u32 = 500;

/// A resource that a POST described, ready to be stored.
#[derive(Debug)]
pub struct NewResource {
    kind: ResourceKind,
    record: ResourceRecord,
    unique_key: Option<String>,
    keys: Vec<resources::IndexKey>,
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
        Ok(Self { kind, record, unique_key: document.unique_key, keys: document.keys, members })
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
        let joined = json.map(|json| Joined { attribute: "members", json });
        let text = represent(caller, self.kind, &self.record, view, joined.as_ref())?;
        Ok(Representation { id: self.record.id, version: self.record.version, text })
    }
}

/// Reads a body and takes the members of a group out of it; they are rows of their own.
fn read_body(caller: &Caller, kind: ResourceKind, body: Value) -> Result<(Attributes, Vec<Member>), ProviderError> {
    let rules = caller.rules(kind)?;
    let mut attributes = rules.resource_type.read(body)?;
    let members = match kind {
        ResourceKind::User | ResourceKind::Custom(_) => Vec::new(),
        ResourceKind::Group => attributes.remove("members").map(Member::read_list).transpose()?.unwrap_or_default(),
    };
    rules.forget(&mut attributes);
    Ok((attributes, members))
}

/// Stores a new resource; gives the members of a new group.
pub fn create(tx: &mut WriteTx<'_>, caller: &Caller, new: &NewResource) -> Result<Vec<MemberRecord>, ProviderError> {
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
    changed(tx, caller, new.kind, record.id, record.created)?;
    groups::add_members(tx, caller, record.id, &new.members, record.created)
}

fn unique(caller: &Caller, kind: ResourceKind, error: StoreError) -> ProviderError {
    match (error, caller.unique_attribute(kind)) {
        (StoreError::NotUnique(UniqueKey::ResourceKey), Some(attribute)) => {
            ProviderError::NotUnique { attribute: attribute.to_owned() }
        }
        (error, _) => ProviderError::Store(error),
    }
}

fn changed(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    id: ResourceId,
    now: Timestamp,
) -> Result<(), ProviderError> {
    Ok(append_change(tx, caller.tenant().into(), kind.into(), ObjectId::new(id.uuid()), None, now)?)
}

/// The answer to a GET of one resource.
#[derive(Debug)]
pub enum Fetched {
    /// The resource.
    Found(Representation),
    /// It is still at a version that the client has (RFC 7644 §3.14).
    NotModified {
        /// That version.
        version: i64,
    },
}

/// Gets a resource (RFC 7644 §3.4.1). `unless` is the client's `If-None-Match`. A user's groups change without the user's version, so
/// an answer that would show them is never the one that the client has.
pub fn get(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    id: ResourceId,
    view: View<'_>,
    unless: &Precondition,
) -> Result<Fetched, ProviderError> {
    let record = resources::by_id(tx, caller.tenant(), kind, id)?.ok_or_else(|| not_found(caller, kind))?;
    let shows_groups = kind == ResourceKind::User && users::shows_groups(caller, view)?;
    if unless.names(record.version) && (!shows_groups || *unless == Precondition::Exists) {
        return Ok(Fetched::NotModified { version: record.version });
    }
    let joined = match kind {
        ResourceKind::User if !shows_groups => None,
        ResourceKind::Custom(_) => None,
        ResourceKind::User => {
            let memberships = users::groups_of(tx, caller, id)?;
            users::groups_json(caller, &memberships, view)?.map(|json| Joined { attribute: "groups", json })
        }
        ResourceKind::Group => {
            let mut effort = Effort::new(SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW);
            groups::members_json(tx, caller, id, view, &mut effort)?.map(|json| Joined { attribute: "members", json })
        }
    };
    let text = represent(caller, kind, &record, view, joined.as_ref())?;
    Ok(Fetched::Found(Representation { id, version: record.version, text }))
}

fn not_found(caller: &Caller, kind: ResourceKind) -> ProviderError {
    ProviderError::NotFound { kind: caller.kind_name(kind).to_owned() }
}

/// Where an application has no groups, no address of one leads anywhere; only making one is something it does not offer.
fn check_kind(caller: &Caller, kind: ResourceKind) -> Result<(), ProviderError> {
    caller.rules(kind).map(drop).map_err(|_| not_found(caller, kind))
}

/// A resource after a change. A group's members are not part of it: they are read when they are asked for.
#[derive(Debug)]
pub struct Changed {
    kind: ResourceKind,
    record: ResourceRecord,
    memberships: Vec<GroupOfMember>,
}

impl Changed {
    /// The version that the resource is at now.
    pub const fn version(&self) -> i64 {
        self.record.version
    }

    /// The resource as an answer, without the members of a group.
    pub fn represent(&self, caller: &Caller, view: View<'_>) -> Result<Representation, ProviderError> {
        let json = users::groups_json(caller, &self.memberships, view)?;
        let joined = json.map(|json| Joined { attribute: "groups", json });
        let text = represent(caller, self.kind, &self.record, view, joined.as_ref())?;
        Ok(Representation { id: self.record.id, version: self.record.version, text })
    }
}

/// What a PUT asks for.
#[derive(Debug)]
pub struct Replacement {
    kind: ResourceKind,
    attributes: Attributes,
    /// `None` when the body does not speak of members.
    members: Option<Vec<Member>>,
}

impl Replacement {
    /// Reads the body of a PUT (RFC 7644 §3.5.1): attributes that are left out are cleared, readOnly ones are ignored.
    pub fn prepare(caller: &Caller, kind: ResourceKind, body: Value) -> Result<Self, ProviderError> {
        check_kind(caller, kind)?;
        let names_members = body.as_object().is_some_and(|body| {
            body.iter().any(|(name, value)| name.eq_ignore_ascii_case("members") && !value.is_null())
        });
        let (attributes, members) = read_body(caller, kind, body)?;
        Ok(Self { kind, attributes, members: (names_members || !members.is_empty()).then_some(members) })
    }
}

/// Replaces a resource.
pub fn replace(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    id: ResourceId,
    replacement: &Replacement,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Changed, ProviderError> {
    let kind = replacement.kind;
    let record = held(tx, caller, kind, id, precondition)?;
    let old = document::read(&record.doc)?;
    let mut new = replacement.attributes.clone();
    document::keep_immutable(caller.resource_type(kind)?, &old, &mut new)?;
    let members_changed = match (&replacement.members, kind) {
        (_, ResourceKind::User | ResourceKind::Custom(_)) => false,
        (Some(members), ResourceKind::Group) => groups::set_members(tx, caller, id, members, now)?,
        (None, ResourceKind::Group) => {
            check_left_out_members(tx, caller, id)?;
            groups::set_members(tx, caller, id, &[], now)?
        }
    };
    finish(tx, caller, kind, record, Some((&old, &new)), members_changed, now)
}

fn check_left_out_members(tx: &mut WriteTx<'_>, caller: &Caller, id: ResourceId) -> Result<(), ProviderError> {
    let present =
        store::members::members_after(tx, caller.tenant(), id, None, PUT_WITHOUT_MEMBERS_MAX.saturating_add(1))?;
    if present.len() > PUT_WITHOUT_MEMBERS_MAX as usize {
        let detail = format!(
            "the group has more than {PUT_WITHOUT_MEMBERS_MAX} members; send \"members\": [] to remove them all"
        );
        return Err(ScimError::invalid_value(detail).into());
    }
    Ok(())
}

/// What a PATCH asks for.
#[derive(Debug)]
pub struct Patch {
    kind: ResourceKind,
    attributes: PatchOp,
    members: Vec<MemberChange>,
}

impl Patch {
    /// Reads the body of a PATCH (RFC 7644 §3.5.2).
    pub fn prepare(caller: &Caller, kind: ResourceKind, body: Value) -> Result<Self, ProviderError> {
        check_kind(caller, kind)?;
        let (attributes, members) = PatchOp::read(body)?.split_members(caller.resource_type(kind)?)?;
        Ok(Self { kind, attributes, members })
    }
}

/// Applies a PATCH as a whole or not at all.
pub fn patch(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    id: ResourceId,
    patch: &Patch,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Changed, ProviderError> {
    let kind = patch.kind;
    let record = held(tx, caller, kind, id, precondition)?;
    let members_changed = groups::change_members(tx, caller, id, &patch.members, now)?;
    if patch.attributes.operations.is_empty() {
        return finish(tx, caller, kind, record, None, members_changed, now);
    }
    let rules = caller.rules(kind)?;
    let old = document::read(&record.doc)?;
    let mut new = old.clone();
    patch.attributes.apply(&rules.resource_type, &mut new)?;
    rules.forget(&mut new);
    finish(tx, caller, kind, record, Some((&old, &new)), members_changed, now)
}

/// The resource, held against other writers, at a version that the client accepts.
fn held(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    id: ResourceId,
    precondition: &Precondition,
) -> Result<ResourceRecord, ProviderError> {
    let record = resources::by_id_locked(tx, caller.tenant(), kind, id)?.ok_or_else(|| not_found(caller, kind))?;
    if precondition.allows(record.version) {
        Ok(record)
    } else {
        Err(ProviderError::VersionMismatch { current: record.version })
    }
}

/// Stores what a change made different; `attributes` are those before and after, where they were looked at.
fn finish(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    mut record: ResourceRecord,
    attributes: Option<(&Attributes, &Attributes)>,
    members_changed: bool,
    now: Timestamp,
) -> Result<Changed, ProviderError> {
    let rewritten = attributes.filter(|(old, new)| old != new);
    if let Some((old, new)) = rewritten {
        let document = Document::write(caller, kind, new)?;
        let keys = (document::keys(caller, kind, old)?, document.keys);
        let unique_key = document.unique_key.as_deref();
        let both = (keys.0.as_slice(), keys.1.as_slice());
        resources::update(tx, caller.tenant(), kind, record.id, unique_key, &document.text, both, now)
            .map_err(|error| unique(caller, kind, error))?;
        record.doc = document.text;
    } else if members_changed {
        resources::touch(tx, caller.tenant(), kind, record.id, now)?;
    }
    if rewritten.is_some() || members_changed {
        record.version += 1;
        record.modified = whole_millis(now);
    }
    if rewritten.is_some() {
        changed(tx, caller, kind, record.id, now)?;
    }
    let memberships = match kind {
        ResourceKind::User => users::groups_of(tx, caller, record.id)?,
        ResourceKind::Group | ResourceKind::Custom(_) => Vec::new(),
    };
    Ok(Changed { kind, record, memberships })
}

/// What is answered must be what the store gives back later, and it keeps milliseconds.
fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Deletes a resource with its memberships (RFC 7644 §3.6). Its id is never used again.
pub fn delete(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    id: ResourceId,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<(), ProviderError> {
    check_kind(caller, kind)?;
    let record = held(tx, caller, kind, id, precondition)?;
    groups::leave_groups(tx, caller, id, now)?;
    if kind == ResourceKind::Group {
        store::members::clear(tx, caller.tenant(), id)?;
    }
    let keys = document::keys(caller, kind, &document::read(&record.doc)?)?;
    resources::delete(tx, caller.tenant(), kind, id, &keys)?;
    changed(tx, caller, kind, id, now)
}
