//! How the members of groups change: by statements about the members named, so that what a change costs depends on them and not on
//! the group. A change of a group's members is one change of the group, in its version and in the feed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use scim::limits::PATCH_EFFORT_MAX;
use scim::{AttributePath, Attributes, Filter, Matcher, Member, MemberChange, Operator, ScimError, fold_effort};
use serde_json::Value;
use store::members::{self, MemberRecord};
use store::resources::{self, ResourceKind};
use store::{Action, ObjectKind, ResourceId, WriteTx, append_occurrences};

use crate::effort::Effort;
use crate::groups::element;
use crate::{Caller, GROUPS_LEFT_MAX, ProviderError};

/// Members read or written by one statement.
const CHUNK: u32 = 1000;
/// Largest group whose members one request may replace or remove as a whole: meanwhile nobody else writes to an embedded database.
pub const MEMBERS_REWRITTEN_MAX: u32 = 100_000;
/// What reading a member costs a PATCH, in comparisons of one text. A plain filter may be tried on as many members as may be replaced.
const PATCH_MEMBER_EFFORT: u64 = PATCH_EFFORT_MAX as u64 / MEMBERS_REWRITTEN_MAX as u64 - 1;
/// Bytes of a member's name that are compared as fast as a short text.
const COMPARED_BYTES: u64 = 64;

/// Where no filter looks at members, their addresses do not matter.
pub(crate) const NO_BASE: &str = "";

/// A change of one group's members, while it is made.
pub(crate) struct Membership<'c> {
    caller: &'c Caller,
    group: ResourceId,
    /// The address of the tenant's endpoint, as filters see it in the addresses of members.
    base: &'c str,
    /// Whether any membership is different.
    changed: bool,
    effort: Effort,
}

impl<'c> Membership<'c> {
    pub(crate) const fn new(caller: &'c Caller, group: ResourceId, base: &'c str) -> Self {
        let effort = Effort::new(
            PATCH_EFFORT_MAX as u64,
            "the filters look at too many members; name the members to remove by their ids, or send several requests",
        );
        Self { caller, group, base, changed: false, effort }
    }

    /// Whether any membership is different.
    pub(crate) const fn differs(&self) -> bool {
        self.changed
    }

    /// Applies changes in order.
    pub(crate) fn apply(&mut self, tx: &mut WriteTx<'_>, changes: &[MemberChange]) -> Result<(), ProviderError> {
        for change in changes {
            match change {
                MemberChange::Add(added) => drop(self.add(tx, added)?),
                MemberChange::Require(id) => self.require(tx, id)?,
                MemberChange::Remove(ids) => {
                    // What is no id is nobody's.
                    let ids: Vec<ResourceId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                    self.remove(tx, &ids)?;
                }
                MemberChange::RemoveWhere(filter) => self.remove_where(tx, filter)?,
                MemberChange::Clear => self.clear(tx)?,
                MemberChange::Replace(wanted) => self.set(tx, wanted)?,
            }
        }
        Ok(())
    }

    /// Adds members; gives those that were none before. An id that names nothing of this tenant is refused in the same words whether it
    /// exists elsewhere or not; what has not the form of an id is nobody's and passed over.
    pub(crate) fn add(&mut self, tx: &mut WriteTx<'_>, added: &[Member]) -> Result<Vec<MemberRecord>, ProviderError> {
        let tenant = self.caller.tenant();
        let added = with_ids(added)?;
        if let [(id, only)] = added.as_slice() {
            let kind = resources::kind_held(tx, tenant, *id)?.ok_or_else(|| unknown_member(&only.value))?;
            let record = self.record(only, *id, kind)?;
            if !members::add(tx, tenant, self.group, &record)? {
                return Ok(Vec::new());
            }
            self.changed = true;
            return Ok(vec![record]);
        }
        let mut new = Vec::new();
        for chunk in added.chunks(CHUNK as usize) {
            let ids: Vec<ResourceId> = chunk.iter().map(|(id, _)| *id).collect();
            let kinds: BTreeMap<ResourceId, ResourceKind> =
                resources::kinds_held(tx, tenant, &ids)?.into_iter().collect();
            let mut records = Vec::with_capacity(chunk.len());
            for (id, member) in chunk {
                let kind = kinds.get(id).ok_or_else(|| unknown_member(&member.value))?;
                records.push(self.record(member, *id, *kind)?);
            }
            let mut stored: BTreeSet<ResourceId> =
                members::add_all(tx, tenant, self.group, &records)?.into_iter().collect();
            self.changed |= !stored.is_empty();
            new.extend(records.into_iter().filter(|record| stored.remove(&record.id)));
        }
        Ok(new)
    }

    fn record(&self, member: &Member, id: ResourceId, kind: ResourceKind) -> Result<MemberRecord, ScimError> {
        check_nesting(self.caller, self.group, id, kind)?;
        Ok(MemberRecord { id, kind, display: member.display.clone() })
    }

    /// What is no id is nobody's.
    fn require(&self, tx: &mut WriteTx<'_>, id: &str) -> Result<(), ProviderError> {
        let is_member = match id.parse() {
            Ok(member) => members::is_member(tx, self.caller.tenant(), self.group, member)?,
            Err(_) => false,
        };
        if is_member { Ok(()) } else { Err(ScimError::no_target("no value of 'members' matches the filter").into()) }
    }

    fn remove(&mut self, tx: &mut WriteTx<'_>, ids: &[ResourceId]) -> Result<(), ProviderError> {
        let tenant = self.caller.tenant();
        if let [only] = ids {
            if members::remove(tx, tenant, self.group, *only)? {
                self.changed = true;
            }
            return Ok(());
        }
        for chunk in ids.chunks(CHUNK as usize) {
            let removed = members::remove_all(tx, tenant, self.group, chunk)?;
            self.changed |= !removed.is_empty();
        }
        Ok(())
    }

    /// Sets the members: removes those not wanted, adds those that are new, leaves the others alone. What has not the form of an id is
    /// refused here: passed over, a mistake in the ids would empty the group.
    pub(crate) fn set(&mut self, tx: &mut WriteTx<'_>, wanted: &[Member]) -> Result<(), ProviderError> {
        self.check_size(tx)?;
        let ids = wanted.iter().map(wanted_id).collect::<Result<BTreeSet<ResourceId>, _>>()?;
        let mut after = None;
        loop {
            let present = members::members_after(tx, self.caller.tenant(), self.group, after, CHUNK)?;
            let Some(last) = present.last() else { break };
            after = Some(last.id);
            let unwanted: Vec<ResourceId> =
                present.iter().map(|member| member.id).filter(|id| !ids.contains(id)).collect();
            if !unwanted.is_empty() {
                self.remove(tx, &unwanted)?;
            }
        }
        self.add(tx, wanted).map(drop)
    }

    fn clear(&mut self, tx: &mut WriteTx<'_>) -> Result<(), ProviderError> {
        self.check_size(tx)?;
        self.changed |= members::clear(tx, self.caller.tenant(), self.group)? > 0;
        Ok(())
    }

    fn check_size(&self, tx: &mut WriteTx<'_>) -> Result<(), ProviderError> {
        let limit = MEMBERS_REWRITTEN_MAX;
        if members::count_up_to(tx, self.caller.tenant(), self.group, limit + 1)? <= u64::from(limit) {
            return Ok(());
        }
        let detail = format!(
            "members: of a group of more than {limit}, members are named by their ids; name the members to add and to \
             remove, or delete the group and make it anew"
        );
        Err(ScimError::too_many(detail).into())
    }

    fn remove_where(&mut self, tx: &mut WriteTx<'_>, filter: &Filter) -> Result<(), ProviderError> {
        let resource_type = self.caller.resource_type(ResourceKind::Group)?;
        let path = AttributePath { urn: None, attribute: "members".to_owned(), filter: None, sub_attribute: None };
        let on_members = Filter::ValuePath { path, filter: Box::new(filter.clone()) };
        let matcher = on_members.matcher(resource_type)?;
        let (tenant, comparisons) = (self.caller.tenant(), filter.comparisons() as u64);
        if let Some(named) = named_ids(filter) {
            let ids: Vec<ResourceId> = named.iter().filter_map(|id| id.parse().ok()).collect();
            let present = members::some(tx, tenant, self.group, &ids)?;
            return self.remove_matching(tx, &matcher, &present, comparisons);
        }
        self.check_size(tx)?;
        let mut after = None;
        loop {
            let present = members::members_after(tx, tenant, self.group, after, CHUNK)?;
            let Some(last) = present.last() else { return Ok(()) };
            after = Some(last.id);
            self.remove_matching(tx, &matcher, &present, comparisons)?;
        }
    }

    fn remove_matching(
        &mut self,
        tx: &mut WriteTx<'_>,
        matcher: &Matcher<'_>,
        present: &[MemberRecord],
        comparisons: u64,
    ) -> Result<(), ProviderError> {
        self.effort.spend(present.iter().map(|member| removal_effort(member, comparisons)).sum())?;
        let chosen = present.iter().filter(|member| {
            let group = Attributes::from_iter([(
                "members".to_owned(),
                Value::Array(vec![element(self.caller, member, self.base)]),
            )]);
            matcher.matches(&group)
        });
        let chosen: Vec<ResourceId> = chosen.map(|member| member.id).collect();
        if chosen.is_empty() { Ok(()) } else { self.remove(tx, &chosen) }
    }
}

/// The only ids that can match a filter of members; `None` where it may match others too.
fn named_ids(filter: &Filter) -> Option<Vec<&str>> {
    match filter {
        Filter::Compare { path, operator: Operator::Eq, value } if path.attribute.eq_ignore_ascii_case("value") => {
            value.text().map(|id| vec![id])
        }
        Filter::And(terms) => terms.iter().find_map(named_ids),
        Filter::Or(terms) => {
            let named = terms.iter().map(named_ids).collect::<Option<Vec<_>>>()?;
            Some(named.into_iter().flatten().collect())
        }
        Filter::Not(_) | Filter::Present(_) | Filter::Compare { .. } | Filter::ValuePath { .. } => None,
    }
}

/// The members whose value has the form of an id. A reference that only a bulk request could fill in is a mistake.
fn with_ids(added: &[Member]) -> Result<Vec<(ResourceId, &Member)>, ScimError> {
    let mut found = Vec::with_capacity(added.len());
    for member in added {
        match member.value.parse() {
            Ok(id) => found.push((id, member)),
            Err(_) if is_bulk_reference(&member.value) => return Err(unknown_member(&member.value)),
            Err(_) => {}
        }
    }
    Ok(found)
}

fn wanted_id(member: &Member) -> Result<ResourceId, ScimError> {
    member.value.parse().map_err(|_| {
        if is_bulk_reference(&member.value) {
            return unknown_member(&member.value);
        }
        let shown = shown(&member.value);
        ScimError::invalid_value(format!(
            "members: '{shown}' has not the form of an id; the list replaces all members, so name each by its id, or send an empty list"
        ))
    })
}

fn is_bulk_reference(value: &str) -> bool {
    value.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bulkId:"))
}

fn unknown_member(id: &str) -> ScimError {
    ScimError::invalid_value(format!("members: no User or Group has the id '{}'", shown(id)))
}

fn shown(id: &str) -> String {
    id.chars().take(scim::limits::ECHO_CHARS_MAX).flat_map(char::escape_default).collect()
}

/// Refuses a body that replaces a group in which an element of `members` says nothing: reading it would leave the element out, and the
/// group with it.
pub(crate) fn check_each_is_named(body: &Value) -> Result<(), ScimError> {
    let members = body.as_object().into_iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case("members"));
    match members.and_then(|(_, members)| members.as_array()) {
        Some(elements) if !elements.iter().all(Member::is_named) => Err(ScimError::invalid_value(
            "members: an element has no 'value'; name each by its id, or send an empty list",
        )),
        _ => Ok(()),
    }
}

fn check_nesting(caller: &Caller, group: ResourceId, member: ResourceId, kind: ResourceKind) -> Result<(), ScimError> {
    match kind {
        ResourceKind::Group if member == group => Err(ScimError::invalid_value("a group cannot be a member of itself")),
        ResourceKind::Group if !caller.profile().nested_groups => {
            Err(ScimError::invalid_value("this application has no nested groups: a member must be a User"))
        }
        ResourceKind::Group | ResourceKind::User | ResourceKind::Custom(_) => Ok(()),
    }
}

/// What trying a filter of so many comparisons on a member costs.
fn removal_effort(member: &MemberRecord, comparisons: u64) -> u64 {
    let texts = 1 + name_bytes(member) / COMPARED_BYTES;
    let folded = member.display.as_deref().filter(|name| !name.is_ascii()).map_or(0, fold_effort) / COMPARED_BYTES;
    PATCH_MEMBER_EFFORT.saturating_add(comparisons.saturating_mul(texts)).saturating_add(folded)
}

pub(crate) fn name_bytes(member: &MemberRecord) -> u64 {
    member.display.as_ref().map_or(0, |name| name.len() as u64)
}

/// What it costs to leave a group, in statements.
const LEAVING_EFFORT: u64 = 2;

/// Takes a resource that is being deleted out of its first groups, by id, [`GROUPS_LEFT_MAX`] at the most; says whether it is in more. Where
/// it is in no more, also what leads from it to groups that are gone is removed. `held` are the groups that are held already.
pub(crate) fn leave_groups(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    member: ResourceId,
    held: &[ResourceId],
    now: Timestamp,
) -> Result<bool, ProviderError> {
    let (tenant, limit) = (caller.tenant(), GROUPS_LEFT_MAX as usize);
    let mut groups = members::group_ids_of(tx, tenant, member, None, GROUPS_LEFT_MAX.saturating_add(1))?;
    let is_in_more = groups.len() > limit;
    groups.truncate(limit);
    if !groups.is_empty() {
        members::hold_joined(tx, tenant, held, &groups)?;
        tx.charge(LEAVING_EFFORT.saturating_mul(groups.len() as u64));
        let touched = resources::touch_all(tx, tenant, ResourceKind::Group, &groups, now)?;
        append_occurrences(tx, tenant, ObjectKind::Group, &touched, (Action::Patched, "members"), now)?;
    }
    if is_in_more {
        members::leave(tx, tenant, member, &groups)?;
    } else {
        members::leave_all(tx, tenant, member)?;
    }
    Ok(is_in_more)
}

#[cfg(test)]
mod tests;
