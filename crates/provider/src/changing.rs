//! Changes of a resource of a tenant: replace and patch (RFC 7644 §3.5). Making one and getting one are in `resource`, deletion is in
//! `deletion`.
//!
//! What a request says is read and checked before the transaction ([`Replacement`], [`Patch`]); the transaction loads, compares and
//! writes. A change that changes nothing leaves no trace.

use jiff::Timestamp;
use scim::{AttributePath, Attributes, Member, MemberChange, PatchOp, ScimError};
use serde_json::Value;
use store::members::{self, GroupOfMember, MemberRecord};
use store::resources::{self, ResourceKind, ResourceRecord};
use store::{Action, Occurrence, ResourceId, WriteTx, unique_values};

use crate::document::{self, Document};
use crate::kept::keep_immutable;
use crate::membership::{Membership, NO_BASE, check_each_is_named};
use crate::representation::{Joined, Representation, View, tag_of};
use crate::resource::{check_kind, claim, forget, occurrence, read_body, represent_set, told, unique, whole_millis};
use crate::{Caller, Precondition, ProviderError, WriteAccess, events, groups, users};

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
    /// Which kind of resource it is.
    pub const fn kind(&self) -> ResourceKind {
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

    /// What the request set and is shown on request only, for whoever reads the resource again to answer it.
    pub fn set(&self) -> &[AttributePath] {
        &self.set
    }

    /// The resource as an answer; a group without its members, where they are not known.
    pub fn represent(&self, caller: &Caller, view: View<'_>) -> Result<Representation, ProviderError> {
        let joined = match &self.members {
            None => {
                let json = users::groups_json(caller, &self.memberships, view)?;
                json.map(Joined::groups)
            }
            Some(members) => {
                let json = groups::known_members_json(caller, members, view)?;
                json.map(Joined::members)
            }
        };
        let text = represent_set(caller, self.kind, &self.record, view, joined.as_ref(), self.set.clone())?;
        Ok(Representation { id: self.record.id, tag: tag_of(&self.record, joined.as_ref()), text })
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
    let mut membership = Membership::new(caller, id, NO_BASE);
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
    /// The address of the tenant's endpoint.
    base: String,
    /// Whether its sender takes a group as an answer.
    takes_group: bool,
}

impl Patch {
    /// Reads the body of a PATCH (RFC 7644 §3.5.2). `base` is the address of the tenant's endpoint, as answers show it.
    pub fn prepare(caller: &Caller, kind: ResourceKind, body: Value, base: &str) -> Result<Self, ProviderError> {
        check_kind(caller, kind)?;
        let takes_group = kind == ResourceKind::Group && !scim::expects_no_content(&body);
        let (attributes, members) = PatchOp::read(body)?.split_members(caller.resource_type(kind)?)?;
        Ok(Self { kind, attributes, members, base: base.to_owned(), takes_group })
    }

    /// How it is refused where there is no such resource: a path that leads nowhere is told first, as it is where there is one.
    pub fn without_resource(&self, caller: &Caller) -> ProviderError {
        let checked = caller.resource_type(self.kind).map(|resource_type| self.attributes.check_paths(resource_type));
        match checked {
            Err(error) => error,
            Ok(Err(refusal)) => refusal.into(),
            Ok(Ok(())) => caller.not_found(self.kind),
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
    let mut membership = Membership::new(caller, id, &patch.base);
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
    let record = resources::by_id_locked(tx, caller.tenant(), kind, id)?.ok_or_else(|| caller.not_found(kind))?;
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
        let (document, former) = Document::rewrite(caller, kind, old, new)?;
        let unique_key = document.unique_key.as_deref();
        let both = (former.keys.as_slice(), document.keys.as_slice());
        if let Some(attribute) = caller.unique_attribute(kind).filter(|name| old.get(*name) != new.get(*name)) {
            check_free(tx, caller, (kind, record.id), attribute, unique_key)?;
        }
        resources::update(tx, caller.tenant(), kind, record.id, unique_key, &document.text, both, now)
            .map_err(|error| unique(caller, kind, error))?;
        let (gone, added) = resources::differing(&former.unique, &document.unique);
        let made = both.0.len() + both.1.len() + former.unique.len() + document.unique.len();
        tx.charge(made as u64 / KEYS_OF_STATEMENT);
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

/// Refuses a name that another resource has, before anything is written: two that would swap their names would each wait for the other,
/// until PostgreSQL looked for a deadlock. A name that is only being taken is found by the index.
fn check_free(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    (kind, id): (ResourceKind, ResourceId),
    attribute: &str,
    unique_key: Option<&str>,
) -> Result<(), ProviderError> {
    let Some(key) = unique_key else { return Ok(()) };
    match resources::by_unique_key(tx, caller.tenant(), kind, key)? {
        Some(holder) if holder.id != id => Err(ProviderError::NotUnique { attribute: attribute.to_owned() }),
        _ => Ok(()),
    }
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
