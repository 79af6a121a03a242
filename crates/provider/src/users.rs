//! The `groups` of a user (RFC 7643 §4.1.2): readOnly, taken from the memberships when a user is answered.
//!
//! Only profiles that know the attribute show it, direct groups only, and at most [`GROUPS_MAX`] of them.

use scim::Attributes;
use serde_json::{Value, json};
use store::members::{self, GroupOfMember};
use store::resources::ResourceKind;
use store::{ReadTx, ResourceId};

use crate::representation::{View, write_json};
use crate::{Caller, ProviderError};

/// Most groups shown with a user.
pub(crate) const GROUPS_MAX: u32 = 100;

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    display_name: Option<String>,
}

/// Whether an answer in this view shows the groups of a user who has any.
pub(crate) fn shows_groups(caller: &Caller, view: View<'_>) -> Result<bool, ProviderError> {
    Ok(view.projection.wants_groups(caller.resource_type(ResourceKind::User)?))
}

/// The groups that an answer about the user would show.
pub(crate) fn groups_of(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    user: ResourceId,
) -> Result<Vec<GroupOfMember>, ProviderError> {
    if !caller.rules(ResourceKind::User)?.shows_groups {
        return Ok(Vec::new());
    }
    Ok(members::groups_of(tx, caller.tenant(), user, None, GROUPS_MAX)?)
}

/// The groups as a JSON array; `None` when there are none, or the view does not want them.
pub(crate) fn groups_json(
    caller: &Caller,
    groups: &[GroupOfMember],
    view: View<'_>,
) -> Result<Option<String>, ProviderError> {
    if groups.is_empty() {
        return Ok(None);
    }
    if view.projection.is_all() {
        return Ok(Some(whole_json(caller, groups, view.base)));
    }
    let elements = groups.iter().map(|group| element(caller, group, view.base)).collect();
    let mut user = Attributes::from_iter([("groups".to_owned(), Value::Array(elements))]);
    view.projection.apply(caller.resource_type(ResourceKind::User)?, &mut user);
    Ok(user.get("groups").map(Value::to_string))
}

/// The text that [`element`]s have together, written at once: it is a part of most answers about users.
fn whole_json(caller: &Caller, groups: &[GroupOfMember], base: &str) -> String {
    let endpoint = caller.endpoint(ResourceKind::Group);
    let mut text = String::with_capacity(groups.len() * (base.len() + 160));
    for group in groups {
        let (id, before) = (group.id, if text.is_empty() { '[' } else { ',' });
        let reference = Value::String(format!("{base}{endpoint}{id}"));
        let display = Value::String(display_of(group).unwrap_or_default());
        write_json(
            &mut text,
            format_args!(
                "{before}{{\"$ref\":{reference},\"display\":{display},\"type\":\"direct\",\"value\":\"{id}\"}}"
            ),
        );
    }
    text.push(']');
    text
}

fn display_of(group: &GroupOfMember) -> Option<String> {
    serde_json::from_str::<Named>(&group.doc).ok().and_then(|named| named.display_name)
}

pub(crate) fn element(caller: &Caller, group: &GroupOfMember, base: &str) -> Value {
    let id = group.id.to_string();
    let display = display_of(group);
    json!({
        "$ref": format!("{base}{}{id}", caller.endpoint(ResourceKind::Group)),
        "display": display.unwrap_or_default(),
        "type": "direct",
        "value": id,
    })
}
