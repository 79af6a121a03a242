//! What a tenant's resources may be filtered and sorted by.

use scim::{AttributePath, Filter, Literal, Operator, Resolved, ResourceType, ScimError, Sort};
use store::ResourceId;
use store::resources::ResourceKind;

use crate::{Caller, Rules};

/// Once `id eq` names the one resource there is nothing left to search, so any attribute may be tested on it: clients check references
/// with `id eq "…" and manager eq "…"`.
pub(super) fn check_filterable(
    caller: &Caller,
    kind: ResourceKind,
    rules: &Rules,
    filter: &Filter,
) -> Result<(), ScimError> {
    let names_id = filter.equality_terms(&rules.resource_type).iter().any(|(path, _)| path == "id");
    let mut refused = None;
    each_path(filter, &mut |path| {
        let Some(resolved) = rules.resource_type.resolve(path) else { return };
        if kind == ResourceKind::User && resolved.extension.is_none() && resolved.attribute.name == "groups" {
            refused = Some("groups cannot be filtered by here; list Groups by members.value".to_owned());
        }
        let Some(filterable) = &rules.filterable else { return };
        let name = resolved.to_string();
        if !names_id && name != "id" && !filterable.contains(&name) {
            let (kind, known) = (rules.resource_type.name.as_str(), filterable.join(", "));
            refused = Some(format!("{kind} can be filtered by id, {known} in {}", caller.profile().title));
        }
    });
    refused.map_or(Ok(()), |detail| Err(ScimError::invalid_filter(detail)))
}

/// Calls `each` with every attribute that a filter compares; what brackets hold belongs to the attribute before them.
pub(super) fn each_path(filter: &Filter, each: &mut impl FnMut(&AttributePath)) {
    match filter {
        Filter::And(members) | Filter::Or(members) => members.iter().for_each(|member| each_path(member, each)),
        Filter::Not(inner) => each_path(inner, each),
        Filter::Present(path) | Filter::Compare { path, .. } | Filter::ValuePath { path, .. } => each(path),
    }
}

/// What a filter asks of members.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AskedMembers {
    /// Whether these are members.
    pub(super) ids: Vec<ResourceId>,
    /// Whether there is any.
    pub(super) any: bool,
}

impl AskedMembers {
    /// How many are looked up.
    pub(super) const fn len(&self) -> usize {
        self.ids.len() + self.any as usize
    }
}

/// What a filter asks of members. They are not in the document: each is looked up for each candidate, so only `eq` and `pr` can be
/// offered.
pub(super) fn asked_members(filter: &Filter, resource_type: &ResourceType) -> Result<AskedMembers, ScimError> {
    let is_members = |path: &AttributePath| {
        // An extension may have an attribute of this name, which is in the document.
        resource_type.resolve(path).is_some_and(|resolved| {
            resource_type.name == "Group" && resolved.extension.is_none() && resolved.attribute.name == "members"
        })
    };
    let refuse = || {
        Err(ScimError::invalid_filter(
            "members can only be asked for by members.value eq \"id\", and whether there are any by members pr",
        ))
    };
    let mut asked = AskedMembers::default();
    let mut pending = vec![filter];
    while let Some(filter) = pending.pop() {
        match filter {
            Filter::And(members) | Filter::Or(members) => pending.extend(members),
            Filter::Not(inner) => pending.push(inner),
            Filter::Present(path) if is_members(path) => {
                if !is_member_id(resource_type.resolve(path)) || path.filter.is_some() {
                    return refuse();
                }
                asked.any = true;
            }
            Filter::Compare { path, operator, value } if is_members(path) => {
                let resolved = resource_type.resolve(path);
                match (is_member_id(resolved), &path.filter, operator, value.text()) {
                    (true, None, Operator::Eq, Some(id)) => asked.ids.extend(ResourceId::exact(id)),
                    _ => return refuse(),
                }
            }
            Filter::ValuePath { path, filter } if is_members(path) => match filter.as_ref() {
                Filter::Compare { path, operator: Operator::Eq, value }
                    if path.attribute.eq_ignore_ascii_case("value") && *value != Literal::Null =>
                {
                    asked.ids.extend(value.text().and_then(ResourceId::exact));
                }
                _ => return refuse(),
            },
            Filter::Present(_) | Filter::Compare { .. } | Filter::ValuePath { .. } => {}
        }
    }
    Ok(asked)
}

fn is_member_id(resolved: Option<Resolved<'_>>) -> bool {
    resolved.is_some_and(|resolved| resolved.sub_attribute.is_none_or(|sub| sub.name == "value"))
}

/// Members are rows of their own and a user's groups belong to the groups, so that neither is there to sort by.
pub(super) fn check_sortable(kind: ResourceKind, sort: &Sort) -> Result<(), ScimError> {
    let whole = sort.path().split('.').next().unwrap_or_default();
    let elsewhere = match kind {
        ResourceKind::User => whole == "groups",
        ResourceKind::Group => whole == "members",
        ResourceKind::Custom(_) => false,
    };
    if elsewhere {
        return Err(ScimError::invalid_value(format!(
            "nothing is sorted by {whole}; sort by an attribute of the resource itself"
        )));
    }
    Ok(())
}
