//! Users and groups of a tenant: create, get, replace, patch (RFC 7644 §3.3 to §3.5). Deletion is in `deletion`, lists are in `query`.
//!
//! What a request says is read and checked before the transaction ([`NewResource`], [`Replacement`], [`Patch`]); the transaction loads,
//! compares and writes. Every change leaves its row in the tenant's change feed; a change that changes nothing leaves no trace.

use jiff::Timestamp;
use scim::{AttributePath, Attributes, Member, MemberChange, PatchOp, ScimError};
use serde_json::Value;
use store::members::{self, GroupOfMember, MemberRecord};
use store::resources::{self, ResourceKind, ResourceRecord};
use store::{
    Action, ObjectId, Occurrence, ReadTx, ResourceId, StoreError, UniqueKey, WriteTx, append_occurrence, listing,
    unique_values,
};

use crate::document::{self, Document};
use crate::kept::keep_immutable;
use crate::membership::{Membership, check_each_is_named};
use crate::representation::{Joined, Representation, View, represent};
use crate::{Caller, Precondition, ProviderError, Rules, WriteAccess, events, groups, manager, users};

/// Most memberships that a PUT ends by leaving `members` out. Emptying a larger group takes `"members": []`, so that a client which
/// does not know the attribute cannot do it by accident.
pub const PUT_WITHOUT_MEMBERS_MAX: u32 = 500;

/// Largest group that a PATCH of it answers. Whoever changes a larger one knows what was changed (RFC 7644 §3.5.2 leaves the choice).
pub const MEMBERS_ANSWERED_MAX: u32 = 20;

/// What of a PATCH takes as long as a statement.
const PATCH_EFFORT_OF_STATEMENT: u64 = 100;
/// Keys and unique values that are made and compared in the time of a statement.
const KEYS_OF_STATEMENT: u64 = 20;
/// How much of a document is read, changed and written in the time of a statement, in bytes.
const BYTES_OF_STATEMENT: u64 = 512;

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
        let joined = json.map(|json| Joined { attribute: "members", json });
        // All that is stored was sent.
        let set = caller.rules(self.kind)?.on_request.clone();
        let text = represent_set(caller, self.kind, &self.record, view, joined.as_ref(), set)?;
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
    forget(rules, &mut attributes);
    Ok((attributes, members))
}

/// Drops what is not kept; of the address of a manager it is kept that there was one.
fn forget(rules: &Rules, attributes: &mut Attributes) {
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
    let mut membership = Membership::new(caller, new.record.id);
    membership.add(tx, &new.members)
}

fn unique(caller: &Caller, kind: ResourceKind, error: StoreError) -> ProviderError {
    match (error, caller.unique_attribute(kind)) {
        (StoreError::NotUnique(UniqueKey::ResourceKey), Some(attribute)) => {
            ProviderError::NotUnique { attribute: attribute.to_owned() }
        }
        (error, _) => ProviderError::Store(error),
    }
}

/// Claims the values that no other resource may have.
fn claim(
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
    /// It is still at a version that the client has (RFC 7644 §3.14).
    NotModified {
        /// That version.
        version: i64,
    },
}

/// Gets a resource (RFC 7644 §3.4.1), of a group what is not its members; see [`crate::get_group`]. `unless` is the client's
/// `If-None-Match`. A user's groups change without the user's version, so an answer that shows some is always sent.
pub fn get(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    id: ResourceId,
    view: View<'_>,
    unless: &Precondition,
) -> Result<Fetched, ProviderError> {
    let record = resources::by_id(tx, caller.tenant(), kind, id)?.ok_or_else(|| not_found(caller, kind))?;
    let is_known = unless.names(record.version);
    let shows_groups = kind == ResourceKind::User && users::shows_groups(caller, view)?;
    if is_known && (!shows_groups || *unless == Precondition::Exists) {
        return Ok(Fetched::NotModified { version: record.version });
    }
    let joined = if shows_groups { joined_groups(tx, caller, id, view)? } else { None };
    if is_known && joined.is_none() {
        return Ok(Fetched::NotModified { version: record.version });
    }
    let text = represent(caller, kind, &record, view, joined.as_ref())?;
    Ok(Fetched::Found(Representation { id, version: record.version, text }))
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
    Ok(users::groups_json(caller, &memberships, view)?.map(|json| Joined { attribute: "groups", json }))
}

/// Whether the tenant has the resource.
pub fn exists(tx: &mut ReadTx<'_>, caller: &Caller, kind: ResourceKind, id: ResourceId) -> Result<bool, ProviderError> {
    Ok(!listing::ids_there_are(tx, caller.tenant(), kind, &[id])?.is_empty())
}

pub(crate) fn not_found(caller: &Caller, kind: ResourceKind) -> ProviderError {
    ProviderError::NotFound { kind: caller.kind_name(kind).to_owned() }
}

/// Where an application has no groups, no address of one leads anywhere; only making one is something it does not offer.
pub(crate) fn check_kind(caller: &Caller, kind: ResourceKind) -> Result<(), ProviderError> {
    caller.rules(kind).map(drop).map_err(|_| not_found(caller, kind))
}

/// A resource after a change. A group's members are not part of it: they are read when they are asked for.
#[derive(Debug)]
pub struct Changed {
    kind: ResourceKind,
    record: ResourceRecord,
    memberships: Vec<GroupOfMember>,
    /// What the request set and is shown on request only.
    set: Vec<AttributePath>,
    /// The members of a small group, where they are wanted.
    members: Option<Vec<MemberRecord>>,
}

impl Changed {
    pub(crate) const fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// The version that the resource is at now.
    pub const fn version(&self) -> i64 {
        self.record.version
    }

    /// Whether the resource is known whole, so that it can be answered without being read again.
    pub const fn is_whole(&self) -> bool {
        !matches!(self.kind, ResourceKind::Group) || self.members.is_some()
    }

    /// The resource as an answer; a group without its members, where they are not known.
    pub fn represent(&self, caller: &Caller, view: View<'_>) -> Result<Representation, ProviderError> {
        let joined = match &self.members {
            None => {
                let json = users::groups_json(caller, &self.memberships, view)?;
                json.map(|json| Joined { attribute: "groups", json })
            }
            Some(members) => {
                let json = groups::known_members_json(caller, members, view)?;
                json.map(|json| Joined { attribute: "members", json })
            }
        };
        let text = represent_set(caller, self.kind, &self.record, view, joined.as_ref(), self.set.clone())?;
        Ok(Representation { id: self.record.id, version: self.record.version, text })
    }
}

/// As [`represent`], with what the request set although it is shown on request only.
fn represent_set(
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
        if kind == ResourceKind::Group {
            check_each_is_named(&body)?;
        }
        let (attributes, members) = read_body(caller, kind, body)?;
        Ok(Self { kind, attributes, members: (names_members || !members.is_empty()).then_some(members) })
    }
}

/// Replaces a resource.
pub fn replace(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    id: ResourceId,
    replacement: &Replacement,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Changed, ProviderError> {
    let caller = access.caller();
    let kind = replacement.kind;
    let record = held(tx, caller, kind, id, precondition)?;
    tx.charge(record.doc.len() as u64 / BYTES_OF_STATEMENT);
    let old = document::read(&record.doc)?;
    let new = keep_immutable(caller.resource_type(kind)?, &old, &replacement.attributes)?;
    let mut membership = Membership::new(caller, id);
    match (&replacement.members, kind) {
        (_, ResourceKind::User | ResourceKind::Custom(_)) => {}
        (Some(members), ResourceKind::Group) => membership.set(tx, members)?,
        (None, ResourceKind::Group) => {
            check_left_out_members(tx, caller, id)?;
            membership.set(tx, &[])?;
        }
    }
    let change = Change { action: Action::Replaced, attributes: Some((&old, &new)), members: membership.differs() };
    let set = requested(caller, kind, |path| has(&replacement.attributes, path))?;
    let changed = finish(tx, caller, kind, record, &change, now)?;
    Ok(Changed { set, ..changed })
}

/// Of what is shown on request only, what the request set.
fn requested(
    caller: &Caller,
    kind: ResourceKind,
    is_set: impl Fn(&AttributePath) -> bool,
) -> Result<Vec<AttributePath>, ProviderError> {
    Ok(caller.rules(kind)?.on_request.iter().filter(|path| is_set(path)).cloned().collect())
}

fn has(attributes: &Attributes, path: &AttributePath) -> bool {
    let level = path.urn.as_ref().map_or(Some(attributes), |urn| attributes.get(urn).and_then(Value::as_object));
    level.is_some_and(|level| level.contains_key(&path.attribute))
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
    /// Whether its sender takes a group as an answer.
    takes_group: bool,
}

impl Patch {
    /// Reads the body of a PATCH (RFC 7644 §3.5.2).
    pub fn prepare(caller: &Caller, kind: ResourceKind, body: Value) -> Result<Self, ProviderError> {
        check_kind(caller, kind)?;
        let takes_group = kind == ResourceKind::Group && !scim::expects_no_content(&body);
        let (attributes, members) = PatchOp::read(body)?.split_members(caller.resource_type(kind)?)?;
        Ok(Self { kind, attributes, members, takes_group })
    }

    /// How it is refused where there is no such resource: a path that leads nowhere is told first, as it is where there is one.
    pub fn without_resource(&self, caller: &Caller) -> ProviderError {
        let checked = caller.resource_type(self.kind).map(|resource_type| self.attributes.check_paths(resource_type));
        match checked {
            Err(error) => error,
            Ok(Err(refusal)) => refusal.into(),
            Ok(Ok(())) => not_found(caller, self.kind),
        }
    }
}

/// Applies a PATCH as a whole or not at all.
pub fn patch(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    id: ResourceId,
    patch: &Patch,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Changed, ProviderError> {
    let changed = apply(tx, access.caller(), id, patch, precondition, now)?;
    if !patch.takes_group {
        return Ok(changed);
    }
    let members = members::members_after(tx, access.tenant(), id, None, MEMBERS_ANSWERED_MAX + 1)?;
    Ok(Changed { members: Some(members).filter(|members| members.len() <= MEMBERS_ANSWERED_MAX as usize), ..changed })
}

fn apply(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    id: ResourceId,
    patch: &Patch,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Changed, ProviderError> {
    let kind = patch.kind;
    let record = held(tx, caller, kind, id, precondition).map_err(|error| match error {
        ProviderError::NotFound { .. } => patch.without_resource(caller),
        other => other,
    })?;
    let mut membership = Membership::new(caller, id);
    membership.apply(tx, &patch.members)?;
    let members = membership.differs();
    if patch.attributes.operations.is_empty() {
        let change = Change { action: Action::Patched, attributes: None, members };
        return finish(tx, caller, kind, record, &change, now);
    }
    let rules = caller.rules(kind)?;
    let old = document::read(&record.doc)?;
    let mut new = old.clone();
    let mut effort = 0;
    let applied = patch.attributes.apply_counting(&rules.resource_type, &mut new, &mut effort);
    tx.charge(effort / PATCH_EFFORT_OF_STATEMENT + record.doc.len() as u64 / BYTES_OF_STATEMENT);
    applied?;
    forget(rules, &mut new);
    let set = if rules.on_request.is_empty() {
        Vec::new()
    } else {
        let named = patch.attributes.named(&rules.resource_type);
        let is_set =
            |path: &AttributePath| named.iter().any(|one| one.urn == path.urn && one.attribute == path.attribute);
        requested(caller, kind, is_set)?
    };
    let change = Change { action: Action::Patched, attributes: Some((&old, &new)), members };
    let changed = finish(tx, caller, kind, record, &change, now)?;
    Ok(Changed { set, ..changed })
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
    at_version(record, precondition)
}

pub(crate) fn at_version(record: ResourceRecord, precondition: &Precondition) -> Result<ResourceRecord, ProviderError> {
    if precondition.allows(record.version) {
        Ok(record)
    } else {
        Err(ProviderError::VersionMismatch { current: record.version })
    }
}

/// What a request did to a resource.
struct Change<'a> {
    action: Action,
    /// The attributes before and after, where they were looked at.
    attributes: Option<(&'a Attributes, &'a Attributes)>,
    /// Whether a group has other members.
    members: bool,
}

/// Stores what a change made different.
fn finish(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    mut record: ResourceRecord,
    change: &Change<'_>,
    now: Timestamp,
) -> Result<Changed, ProviderError> {
    let rewritten = change.attributes.filter(|(old, new)| old != new);
    if let Some((old, new)) = rewritten {
        let document = Document::write(caller, kind, new)?;
        let keys = (document::keys(caller, kind, old)?, document.keys);
        let unique_key = document.unique_key.as_deref();
        let both = (keys.0.as_slice(), keys.1.as_slice());
        resources::update(tx, caller.tenant(), kind, record.id, unique_key, &document.text, both, now)
            .map_err(|error| unique(caller, kind, error))?;
        let had = document::unique_values(caller, kind, old)?;
        let (gone, added) = resources::differing(&had, &document.unique);
        tx.charge((both.0.len() + both.1.len() + had.len() + document.unique.len()) as u64 / KEYS_OF_STATEMENT);
        unique_values::release(tx, caller.tenant(), kind, record.id, &gone)?;
        claim(tx, caller, kind, record.id, &added)?;
        record.doc = document.text;
    } else if change.members {
        resources::touch(tx, caller.tenant(), kind, record.id, now)?;
    }
    if rewritten.is_some() || change.members {
        record.version += 1;
        record.modified = whole_millis(now);
        let mut occurrence = occurrence(change.action, record.version);
        describe(&mut occurrence, rewritten, change.members);
        told(tx, caller, (kind, record.id), &occurrence, now)?;
    }
    let memberships = match kind {
        ResourceKind::User => users::groups_of(tx, caller, record.id)?,
        ResourceKind::Group | ResourceKind::Custom(_) => Vec::new(),
    };
    Ok(Changed { kind, record, memberships, set: Vec::new(), members: None })
}

/// Says which attributes are different, and whether the resource was switched on or off.
fn describe(occurrence: &mut Occurrence, rewritten: Option<(&Attributes, &Attributes)>, members: bool) {
    if let Some((old, new)) = rewritten {
        occurrence.attributes = events::changed_paths(old, new);
        let is_active = |attributes: &Attributes| attributes.get("active") != Some(&Value::Bool(false));
        occurrence.switched = Some(is_active(new)).filter(|active| *active != is_active(old));
    }
    if members {
        let blank = if occurrence.attributes.is_empty() { "" } else { " " };
        occurrence.attributes.push_str(blank);
        occurrence.attributes.push_str("members");
    }
}

/// What is answered must be what the store gives back later, and it keeps milliseconds.
fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
