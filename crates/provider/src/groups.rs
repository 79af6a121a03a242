//! Members of groups as JSON text, written in pieces. A group's members are never in its document and never all in memory as values. How
//! they change is in `membership`.

use scim::{Attributes, ResourceType, fold_effort};
use serde_json::{Value, json};
use store::members::{self, MemberRecord};
use store::resources::ResourceKind;
use store::{ReadTx, ResourceId};

use crate::effort::Effort;
use crate::representation::{View, write_json};
use crate::{Caller, ProviderError, membership};

/// Members read at a time.
pub(crate) const CHUNK: u32 = 1000;
/// What a member counts in what is shown, beside its name, in bytes.
const MEMBER_BYTES: u64 = 256;

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
    let mut json = String::from("[");
    let mut after = None;
    loop {
        let present = members::members_after(tx, caller.tenant(), group, after, CHUNK)?;
        let Some(last) = present.last() else { break };
        after = Some(last.id);
        effort.spend(members_effort(&present, view))?;
        let is_first = json.len() == 1;
        write_members(&mut json, caller, resource_type, &present, view, is_first);
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
    write_members(&mut json, caller, resource_type, known, view, true);
    json.push(']');
    Ok(Some(json))
}

/// What choosing what is shown of members costs.
pub(crate) fn members_effort(members: &[MemberRecord], view: View<'_>) -> u64 {
    let comparisons = view.projection.comparisons() as u64;
    let effort = |member: &MemberRecord| {
        let compared = (MEMBER_BYTES + membership::name_bytes(member)).saturating_mul(1 + comparisons);
        let name = member.display.as_deref().filter(|name| comparisons > 0 && !name.is_ascii());
        compared.saturating_add(name.map_or(0, fold_effort))
    };
    members.iter().map(effort).fold(0, u64::saturating_add)
}

/// Adds members to a list; those that a projection leaves nothing of are left out.
pub(crate) fn write_members(
    json: &mut String,
    caller: &Caller,
    resource_type: &ResourceType,
    members: &[MemberRecord],
    view: View<'_>,
    mut is_first: bool,
) {
    if view.projection.is_all() {
        for member in members {
            write_member(json, caller, member, view.base, is_first);
            is_first = false;
        }
        return;
    }
    let elements = members.iter().map(|member| element(caller, member, view.base)).collect();
    let mut group = Attributes::from_iter([("members".to_owned(), Value::Array(elements))]);
    view.projection.apply(resource_type, &mut group);
    for element in group.get("members").and_then(Value::as_array).into_iter().flatten() {
        let comma = if is_first { "" } else { "," };
        write_json(json, format_args!("{comma}{element}"));
        is_first = false;
    }
}

fn write_member(json: &mut String, caller: &Caller, member: &MemberRecord, base: &str, is_first: bool) {
    let comma = if is_first { "" } else { "," };
    let (id, name, endpoint) = (member.id, caller.kind_name(member.kind), caller.endpoint(member.kind));
    write_json(json, format_args!("{comma}{{\"value\":\"{id}\",\"$ref\":\"{base}{endpoint}{id}\",\"type\":\"{name}\""));
    if let Some(display) = &member.display {
        write_json(json, format_args!(",\"display\":{}", Value::from(display.as_str())));
    }
    json.push('}');
}

pub(crate) fn element(caller: &Caller, member: &MemberRecord, base: &str) -> Value {
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
