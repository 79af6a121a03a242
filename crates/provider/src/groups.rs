//! Members of groups: changed row by row, written as JSON text in pieces. A group's members are never in its document and never all in
//! memory as values, so what a change costs depends on the members named, not on the group.

use std::collections::BTreeSet;

use jiff::Timestamp;
use scim::limits::PATCH_EFFORT_MAX;
use scim::{AttributePath, Attributes, Filter, Member, MemberChange, ResourceType, ScimError};
use serde_json::{Value, json};
use store::members::{self, MemberRecord};
use store::resources::{self, ResourceKind};
use store::{ObjectId, ObjectKind, ReadTx, ResourceId, WriteTx, append_change};

use crate::effort::Effort;
use crate::representation::{View, write_json};
use crate::{Caller, ProviderError};

/// Members read at a time.
const CHUNK: u32 = 1000;
/// What reading a member costs a PATCH, in comparisons of one text. A plain filter may still be tried on a million members.
const PATCH_MEMBER_EFFORT: u64 = 2;
/// Bytes of a member's name that are compared as fast as a short text.
const COMPARED_BYTES: u64 = 64;
/// What a member counts in what is shown, beside its name, in bytes.
const MEMBER_BYTES: u64 = 256;

/// Applies changes in order; tells whether any membership is different afterwards.
pub(crate) fn change_members(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    group: ResourceId,
    changes: &[MemberChange],
    now: Timestamp,
) -> Result<bool, ProviderError> {
    let mut differs = false;
    let mut effort = Effort::new(
        PATCH_EFFORT_MAX as u64,
        "the filters look at too many members; name the members to remove by their ids, or send several requests",
    );
    for change in changes {
        differs |= match change {
            MemberChange::Add(added) => !add_members(tx, caller, group, added, now)?.is_empty(),
            MemberChange::Remove(ids) => {
                remove_members(tx, caller, group, ids.iter().filter_map(|id| id.parse().ok()), now)?
            }
            MemberChange::RemoveWhere(filter) => remove_where(tx, caller, group, filter, &mut effort, now)?,
            MemberChange::Clear => clear_members(tx, caller, group, now)?,
            MemberChange::Replace(wanted) => set_members(tx, caller, group, wanted, now)?,
        };
    }
    Ok(differs)
}

/// Adds members; gives those that were none before. An id that names nothing of this tenant is refused in the same words whether it
/// exists elsewhere or not.
pub(crate) fn add_members(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    group: ResourceId,
    added: &[Member],
    now: Timestamp,
) -> Result<Vec<MemberRecord>, ProviderError> {
    let mut new = Vec::new();
    for member in added {
        let id = member.value.parse().map_err(|_| unknown_member(&member.value))?;
        let kind = resources::kind_held(tx, caller.tenant(), id)?.ok_or_else(|| unknown_member(&member.value))?;
        check_nesting(caller, group, id, kind)?;
        let record = MemberRecord { id, kind, display: member.display.clone() };
        if members::add(tx, caller.tenant(), group, &record)? {
            membership_changed(tx, caller, group, id, now)?;
            new.push(record);
        }
    }
    Ok(new)
}

fn unknown_member(id: &str) -> ScimError {
    let shown: String = id.chars().take(scim::limits::ECHO_CHARS_MAX).flat_map(char::escape_default).collect();
    ScimError::invalid_value(format!("members: no User or Group has the id '{shown}'"))
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

fn remove_members(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    group: ResourceId,
    ids: impl Iterator<Item = ResourceId>,
    now: Timestamp,
) -> Result<bool, ProviderError> {
    let mut changed = false;
    for id in ids {
        if members::remove(tx, caller.tenant(), group, id)? {
            membership_changed(tx, caller, group, id, now)?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Sets the members of a group: removes those not wanted, adds those that are new, leaves the others alone.
pub(crate) fn set_members(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    group: ResourceId,
    wanted: &[Member],
    now: Timestamp,
) -> Result<bool, ProviderError> {
    let ids: BTreeSet<ResourceId> = wanted.iter().filter_map(|member| member.value.parse().ok()).collect();
    let mut changed = false;
    let mut after = None;
    loop {
        let present = members::members_after(tx, caller.tenant(), group, after, CHUNK)?;
        let Some(last) = present.last() else { break };
        after = Some(last.id);
        let unwanted = present.iter().map(|member| member.id).filter(|id| !ids.contains(id));
        changed |= remove_members(tx, caller, group, unwanted, now)?;
    }
    Ok(!add_members(tx, caller, group, wanted, now)?.is_empty() || changed)
}

fn clear_members(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    group: ResourceId,
    now: Timestamp,
) -> Result<bool, ProviderError> {
    let mut after = None;
    loop {
        let present = members::members_after(tx, caller.tenant(), group, after, CHUNK)?;
        let Some(last) = present.last() else { break };
        after = Some(last.id);
        for member in &present {
            membership_changed(tx, caller, group, member.id, now)?;
        }
    }
    Ok(members::clear(tx, caller.tenant(), group)? > 0)
}

fn remove_where(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    group: ResourceId,
    filter: &Filter,
    effort: &mut Effort,
    now: Timestamp,
) -> Result<bool, ProviderError> {
    let resource_type = caller.resource_type(ResourceKind::Group)?;
    let path = AttributePath { urn: None, attribute: "members".to_owned(), filter: None, sub_attribute: None };
    let on_members = Filter::ValuePath { path, filter: Box::new(filter.clone()) };
    let matcher = on_members.matcher(resource_type)?;
    let comparisons = filter.comparisons() as u64;
    let mut changed = false;
    let mut after = None;
    loop {
        let present = members::members_after(tx, caller.tenant(), group, after, CHUNK)?;
        let Some(last) = present.last() else { break };
        after = Some(last.id);
        effort.spend(present.iter().map(|member| removal_effort(member, comparisons)).sum())?;
        let chosen = present.iter().filter(|member| {
            let group =
                Attributes::from_iter([("members".to_owned(), Value::Array(vec![element(caller, member, "")]))]);
            matcher.matches(&group)
        });
        changed |= remove_members(tx, caller, group, chosen.map(|member| member.id), now)?;
    }
    Ok(changed)
}

/// What trying a filter of so many comparisons on a member costs.
fn removal_effort(member: &MemberRecord, comparisons: u64) -> u64 {
    let texts = 1 + name_bytes(member) / COMPARED_BYTES;
    PATCH_MEMBER_EFFORT.saturating_add(comparisons.saturating_mul(texts))
}

fn name_bytes(member: &MemberRecord) -> u64 {
    member.display.as_ref().map_or(0, |name| name.len() as u64)
}

fn membership_changed(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    group: ResourceId,
    member: ResourceId,
    now: Timestamp,
) -> Result<(), ProviderError> {
    let (group, member) = (ObjectId::new(group.uuid()), ObjectId::new(member.uuid()));
    Ok(append_change(tx, caller.tenant().into(), ObjectKind::Membership, group, Some(member), now)?)
}

/// Takes a resource that is about to be deleted out of all groups.
pub(crate) fn leave_groups(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    member: ResourceId,
    now: Timestamp,
) -> Result<(), ProviderError> {
    let mut after = None;
    loop {
        let groups = members::group_ids_of(tx, caller.tenant(), member, after, CHUNK)?;
        let Some(last) = groups.last() else { break };
        after = Some(*last);
        for group in groups {
            resources::touch(tx, caller.tenant(), ResourceKind::Group, group, now)?;
            membership_changed(tx, caller, group, member, now)?;
        }
    }
    members::leave_all(tx, caller.tenant(), member)?;
    Ok(())
}

/// The members of a group as a JSON array, read and written in pieces; `None` when the view does not want them. A view that wants few
/// of them looks at all.
pub(crate) fn members_json(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    group: ResourceId,
    view: View<'_>,
    effort: &mut Effort,
) -> Result<Option<String>, ProviderError> {
    let resource_type = caller.resource_type(ResourceKind::Group)?;
    if !view.projection.wants_members(resource_type) {
        return Ok(None);
    }
    let comparisons = 1 + view.projection.comparisons() as u64;
    let mut json = String::from("[");
    let mut after = None;
    loop {
        let present = members::members_after(tx, caller.tenant(), group, after, CHUNK)?;
        let Some(last) = present.last() else { break };
        after = Some(last.id);
        let bytes = present.iter().map(|member| MEMBER_BYTES + name_bytes(member)).sum::<u64>();
        effort.spend(bytes.saturating_mul(comparisons))?;
        write_members(&mut json, caller, resource_type, &present, view);
        if present.len() < CHUNK as usize {
            break;
        }
    }
    json.push(']');
    Ok(Some(json))
}

/// Members that are known already, as a JSON array.
pub(crate) fn known_members_json(
    caller: &Caller,
    known: &[MemberRecord],
    view: View<'_>,
) -> Result<Option<String>, ProviderError> {
    let resource_type = caller.resource_type(ResourceKind::Group)?;
    if !view.projection.wants_members(resource_type) {
        return Ok(None);
    }
    let mut json = String::from("[");
    write_members(&mut json, caller, resource_type, known, view);
    json.push(']');
    Ok(Some(json))
}

fn write_members(
    json: &mut String,
    caller: &Caller,
    resource_type: &ResourceType,
    members: &[MemberRecord],
    view: View<'_>,
) {
    if view.projection.is_all() {
        for member in members {
            write_member(json, caller, member, view.base);
        }
        return;
    }
    let elements = members.iter().map(|member| element(caller, member, view.base)).collect();
    let mut group = Attributes::from_iter([("members".to_owned(), Value::Array(elements))]);
    view.projection.apply(resource_type, &mut group);
    for element in group.get("members").and_then(Value::as_array).into_iter().flatten() {
        let comma = if json.len() > 1 { "," } else { "" };
        write_json(json, format_args!("{comma}{element}"));
    }
}

fn write_member(json: &mut String, caller: &Caller, member: &MemberRecord, base: &str) {
    let comma = if json.len() > 1 { "," } else { "" };
    let (id, name, endpoint) = (member.id, caller.kind_name(member.kind), caller.endpoint(member.kind));
    write_json(json, format_args!("{comma}{{\"value\":\"{id}\",\"$ref\":\"{base}{endpoint}{id}\",\"type\":\"{name}\""));
    if let Some(display) = &member.display {
        write_json(json, format_args!(",\"display\":{}", Value::from(display.as_str())));
    }
    json.push('}');
}

fn element(caller: &Caller, member: &MemberRecord, base: &str) -> Value {
    let id = member.id.to_string();
    let mut element = json!({
        "$ref": format!("{base}{}{id}", caller.endpoint(member.kind)),
        "type": caller.kind_name(member.kind),
        "value": id,
    });
    if let (Some(object), Some(display)) = (element.as_object_mut(), &member.display) {
        object.insert("display".to_owned(), display.as_str().into());
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: usize) -> MemberRecord {
        let id = "01a1fcff-9d56-7a9e-8292-becdc33d4463".parse().unwrap();
        MemberRecord { id, kind: ResourceKind::User, display: (name > 0).then(|| "n".repeat(name)) }
    }

    #[test]
    fn a_plain_filter_may_be_tried_on_a_million_members() {
        for (name, comparisons, fits) in [(0, 1, true), (63, 1, true), (63, 2, true), (63, 3, false), (1024, 1, false)]
        {
            let effort = 1_000_000 * removal_effort(&member(name), comparisons);
            assert_eq!(effort <= PATCH_EFFORT_MAX as u64, fits, "{name} {comparisons}");
        }
    }
}
