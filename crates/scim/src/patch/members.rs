//! A group's members as changes, so that a group of any size is never loaded to change one of them (RFC 7644 §3.5.2, RFC 7643 §4.2).

use serde_json::{Map, Value};

use super::edit::{below_its_name, is_clearing, not_mutable};
use super::{Op, Operation, PatchOp};
use crate::limits::{KEY_BYTES_MAX, MEMBERS_MAX};
use crate::reference::resource_at;
use crate::twice::{self, Null};
use crate::{Attribute, AttributePath, Filter, Mutability, Operator, ResourceType, ScimError};

/// One member as a client names it. `$ref` is not kept: the service provider makes it from the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The member's id.
    pub value: String,
    /// The name the client gave.
    pub display: Option<String>,
    /// `User` or `Group`; `type` in JSON.
    pub kind: Option<String>,
}

/// One change of a group's members; changes apply in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Adds those that are not members yet.
    Add(Vec<Member>),
    /// Changes nothing, and is `noTarget` where this id is no member: RFC 7644 §3.5.2.3 refuses to replace what a filter does not find.
    Require(String),
    /// Removes these ids; unknown ones are no error.
    Remove(Vec<String>),
    /// Removes the members that match a filter over `value`, `display`, `type`, `$ref`.
    RemoveWhere(Filter),
    /// Removes all.
    Clear,
    /// Sets the whole list.
    Replace(Vec<Member>),
}

impl Member {
    /// Reads what clients send for `members`: a list, or one element; elements are objects or ids. Null and `""` mean none.
    ///
    /// # Errors
    /// `invalidValue` for an element without id, or one that is no object and no string; `tooMany` above [`MEMBERS_MAX`].
    pub fn read_list(value: Value) -> Result<Vec<Member>, ScimError> {
        let given = match value {
            cleared if is_clearing(&cleared) => return Ok(Vec::new()),
            Value::Array(given) => given,
            one => vec![one],
        };
        if given.len() > MEMBERS_MAX {
            return Err(ScimError::too_many(format!("a request names at most {MEMBERS_MAX} members")));
        }
        given.into_iter().map(Self::read).collect()
    }

    /// Whether an element of `members` tells whom it means: as a text, by its `value`, or by an address with an id at its end.
    pub fn is_named(element: &Value) -> bool {
        let says = |value: &Value| !value.is_null() && value != "";
        let Value::Object(parts) = element else { return says(element) };
        let part = |name: &str| parts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        part("value").is_some_and(says) || part("$ref").and_then(Value::as_str).and_then(id_at_end).is_some()
    }

    fn read(value: Value) -> Result<Member, ScimError> {
        let missing = || ScimError::invalid_value("a member has no 'value'");
        let (id, display, kind) = match value {
            Value::String(id) => (id, None, None),
            Value::Object(mut given) => {
                let mut text = |name: &str| match super::take(&mut given, name) {
                    None | Some(Value::Null) => Ok(None),
                    Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
                    Some(_) => Err(ScimError::invalid_value(format!("a member's '{name}' must be a string"))),
                };
                let mut display = text("display")?;
                // Some clients call a member's name as they call a user's.
                if display.is_none() {
                    display = text("displayName").unwrap_or_default();
                }
                let address = text("$ref").unwrap_or_default();
                let id = text("value")?.or_else(|| address.as_deref().and_then(id_at_end).map(str::to_owned));
                (id.ok_or_else(missing)?, display, text("type")?)
            }
            _ => return Err(ScimError::invalid_value("a member must be an object or an id")),
        };
        if id.is_empty() {
            return Err(missing());
        }
        // Passed over as no id, it would be lost without a word.
        if id.trim_start().starts_with(['{', '[']) {
            return Err(ScimError::invalid_value("a member must be an object or an id, not JSON inside a text"));
        }
        if [Some(&id), display.as_ref(), kind.as_ref()].into_iter().flatten().any(|text| text.len() > KEY_BYTES_MAX) {
            return Err(ScimError::invalid_value(format!("a member's attributes have at most {KEY_BYTES_MAX} bytes")));
        }
        Ok(Member { value: id, display, kind })
    }
}

/// The id at the end of a user's or a group's address: RFC 7643 §4.2 requires neither a member's `value` nor its `$ref`.
fn id_at_end(address: &str) -> Option<&str> {
    let (endpoint, id) = resource_at(address)?;
    ["Users", "Groups"].iter().any(|known| endpoint.eq_ignore_ascii_case(known)).then_some(id)
}

impl PatchOp {
    /// Pulls out everything that touches a group's `members`, in order, also from values without path. What remains is applied to the
    /// attributes with [`PatchOp::apply`]; the two parts touch nothing in common.
    ///
    /// # Errors
    /// As [`Member::read_list`]; `mutability` for changing a member in place or taking a part from all, `noTarget` for setting a member that a filter other
    /// than `value eq` selects; `invalidSyntax` for a value without path that names an attribute twice.
    pub fn split_members(self, resource_type: &ResourceType) -> Result<(PatchOp, Vec<MemberChange>), ScimError> {
        let Some(members) = resource_type.core_attribute("members").filter(|found| resource_type.is_members(found))
        else {
            return Ok((self, Vec::new()));
        };
        let mut rest = Vec::new();
        let mut changes = Vec::new();
        let mut named = 0;
        for operation in self.operations {
            let before = changes.len();
            if let Some(operation) = split_one(operation, resource_type, members, &mut changes)? {
                rest.push(operation);
            }
            named += changes.iter().skip(before).map(MemberChange::named).sum::<usize>();
            if named > MEMBERS_MAX {
                return Err(ScimError::too_many(format!("a request names at most {MEMBERS_MAX} members")));
            }
        }
        Ok((PatchOp { operations: rest }, changes))
    }
}

impl MemberChange {
    fn named(&self) -> usize {
        match self {
            Self::Add(members) | Self::Replace(members) => members.len(),
            Self::Remove(ids) => ids.len(),
            Self::Require(_) | Self::RemoveWhere(_) | Self::Clear => 0,
        }
    }

    fn set(op: Op, value: Value) -> Result<Option<Self>, ScimError> {
        let members = Member::read_list(value)?;
        Ok(match op {
            Op::Replace if members.is_empty() => Some(Self::Clear),
            Op::Replace => Some(Self::Replace(members)),
            Op::Add | Op::Remove => (!members.is_empty()).then_some(Self::Add(members)),
        })
    }
}

/// Adds an operation's changes to `changes`; gives back what is left of it.
fn split_one(
    operation: Operation,
    resource_type: &ResourceType,
    members: &Attribute,
    changes: &mut Vec<MemberChange>,
) -> Result<Option<Operation>, ScimError> {
    let leads_to_members = |path: &AttributePath| {
        resource_type.resolve(path).filter(|resolved| resource_type.is_members(resolved.attribute))
    };
    match operation {
        Operation { op: op @ (Op::Add | Op::Replace), path: None, value: Some(Value::Object(given)) } => {
            twice::check(resource_type, &given, Null::Clears)?;
            let mut rest = Map::new();
            for (name, value) in given {
                match AttributePath::of_key(&name) {
                    Some(path) if leads_to_members(&path).is_some() => {
                        check_list(&value)?;
                        changes.extend(change(op, path, Some(value), members)?);
                    }
                    Some(path) if value.is_object() && names_core(resource_type, &path) => {
                        rest.insert(name, without_members(op, value, changes)?);
                    }
                    _ => {
                        rest.insert(name, value);
                    }
                }
            }
            Ok((!rest.is_empty()).then_some(Operation { op, path: None, value: Some(Value::Object(rest)) }))
        }
        Operation { op, path: Some(path), value } if leads_to_members(&path).is_some() => {
            changes.extend(change(op, path, value, members)?);
            Ok(None)
        }
        Operation { op: op @ (Op::Add | Op::Replace), path: Some(path), value: Some(value) }
            if names_core(resource_type, &path) =>
        {
            let value = without_members(op, value, changes)?;
            Ok(Some(Operation { op, path: Some(path), value: Some(value) }))
        }
        other => Ok(Some(other)),
    }
}

/// Whether the path is the URN of the core schema, whose value is an object of attributes.
fn names_core(resource_type: &ResourceType, path: &AttributePath) -> bool {
    path.filter.is_none() && resource_type.target(path) == Some(crate::resource_type::Target::Core)
}

fn without_members(op: Op, value: Value, changes: &mut Vec<MemberChange>) -> Result<Value, ScimError> {
    let Value::Object(mut given) = value else { return Ok(value) };
    if let Some(value) = super::take(&mut given, "members") {
        check_list(&value)?;
        changes.extend(MemberChange::set(op, value)?);
    }
    Ok(Value::Object(given))
}

/// Without path, text is no member, as in a POST: in a list it is an id, but alone it is more often a mistake.
fn check_list(value: &Value) -> Result<(), ScimError> {
    match value {
        Value::String(text) if !text.is_empty() => Err(ScimError::invalid_value("'members' must be a list of objects")),
        _ => Ok(()),
    }
}

/// What an operation on `members` does.
fn change(
    op: Op,
    path: AttributePath,
    value: Option<Value>,
    members: &Attribute,
) -> Result<Option<MemberChange>, ScimError> {
    let is_list = path.filter.is_none() && path.sub_attribute.is_none();
    let value = if is_list { value.map(|value| below_its_name(members, value)) } else { value };
    let part = path.sub_attribute.as_deref().and_then(|name| members.sub_attribute(name));
    let is_whole = part.is_none_or(|part| part.name == "value");
    match (op, path.filter) {
        (Op::Remove, _) if !is_whole => Err(part.map_or_else(|| not_mutable(members), not_mutable)),
        (Op::Remove, Some(filter)) => {
            crate::filter::ElementMatcher::new(&filter, members)?;
            Ok(Some(match only_id(&filter) {
                Some(id) => MemberChange::Remove(vec![id.to_owned()]),
                None => MemberChange::RemoveWhere(*filter),
            }))
        }
        // Without their ids, members would be none: what is immutable is not taken from all of them.
        (Op::Remove, None) if part.is_some() && value.as_ref().is_none_or(Value::is_null) => {
            Err(part.map_or_else(|| not_mutable(members), not_mutable))
        }
        (Op::Remove, None) => match value {
            // Some clients put the members to remove into the value; ignoring it would empty the group.
            None | Some(Value::Null) => Ok(Some(MemberChange::Clear)),
            Some(value) => {
                let ids: Vec<String> = Member::read_list(value)?.into_iter().map(|member| member.value).collect();
                Ok((!ids.is_empty()).then_some(MemberChange::Remove(ids)))
            }
        },
        // To set what is immutable for all of them would make one member of many, or none.
        (Op::Replace, None) if is_whole && part.is_some() => {
            Err(part.map_or_else(|| not_mutable(members), not_mutable))
        }
        (Op::Add | Op::Replace, None) if is_whole => MemberChange::set(op, value.unwrap_or_default()),
        (Op::Add | Op::Replace, Some(filter)) if is_whole => {
            set_selected(op, &filter, value.unwrap_or_default(), members)
        }
        // A member's name and type are the service provider's to tell; what a client says about them is not kept.
        (Op::Add | Op::Replace, None) => Ok(None),
        (Op::Add | Op::Replace, Some(filter)) => {
            let id = selected(&filter)?;
            let replaces = op == Op::Replace && !value.as_ref().is_none_or(is_clearing);
            Ok(replaces.then(|| MemberChange::Require(id.to_owned())))
        }
    }
}

/// Adding `members[value eq "u1"]` can only mean that u1 is a member, and replacing it that u1 was one before; clearing it, that u1 is none
/// any more.
fn set_selected(op: Op, filter: &Filter, value: Value, members: &Attribute) -> Result<Option<MemberChange>, ScimError> {
    let id = selected(filter)?;
    let given = Member::read_list(value)?;
    match given.as_slice() {
        [] => Ok((op == Op::Replace).then(|| MemberChange::Remove(vec![id.to_owned()]))),
        [only] if only.value == id && op == Op::Replace => Ok(Some(MemberChange::Require(id.to_owned()))),
        [only] if only.value == id => Ok(Some(MemberChange::Add(given))),
        _ => Err(members
            .sub_attribute("value")
            .filter(|sub| sub.mutability == Mutability::Immutable)
            .map_or_else(|| not_mutable(members), not_mutable)),
    }
}

/// The one member that a change in place is about.
fn selected(filter: &Filter) -> Result<&str, ScimError> {
    only_id(filter).ok_or_else(|| ScimError::no_target("a member is selected by 'value eq'"))
}

/// The id in `value eq "u1"`.
fn only_id(filter: &Filter) -> Option<&str> {
    match filter {
        Filter::Compare { path, operator: Operator::Eq, value } if path.attribute.eq_ignore_ascii_case("value") => {
            value.text()
        }
        _ => None,
    }
}
