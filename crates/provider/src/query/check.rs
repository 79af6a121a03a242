//! What a tenant's resources may be filtered and sorted by.

use scim::{AttributePath, Filter, Literal, Operator, Resolved, ResourceType, ScimError, Sort};
use store::ResourceId;
use store::resources::ResourceKind;

use crate::{Caller, Rules};

/// Once `id eq` names the one resource there is nothing left to search, so any attribute may be tested on it: clients check references
/// with `id eq "…" and manager eq "…"`.
pub(super) fn check_filterable(caller: &Caller, rules: &Rules, filter: &Filter) -> Result<(), ScimError> {
    let names_id = filter.equality_terms(&rules.resource_type).iter().any(|(path, _)| path == "id");
    let mut refused = None;
    each_path(filter, &mut |path| {
        let Some(resolved) = rules.resource_type.resolve(path) else { return };
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

/// The memberships that a filter asks about. They are not in the document: each is looked up for each candidate, so only what an index
/// answers can be offered.
#[derive(Debug, Default)]
pub(super) struct Memberships {
    /// `members` of a group, `groups` of a user.
    pub(super) attribute: &'static str,
    /// The ids that it is compared with.
    pub(super) ids: Vec<ResourceId>,
    /// Whether the filter asks if there are any.
    pub(super) any: bool,
}

impl Memberships {
    /// How many look-ups a candidate takes.
    pub(super) fn look_ups(&self) -> u64 {
        self.ids.len() as u64 + u64::from(self.any)
    }
}

/// What a filter asks about members of groups and groups of users.
pub(super) fn memberships(
    kind: ResourceKind,
    filter: &Filter,
    resource_type: &ResourceType,
) -> Result<Memberships, ScimError> {
    let attribute = match kind {
        ResourceKind::User => "groups",
        ResourceKind::Group => "members",
        ResourceKind::Custom(_) => return Ok(Memberships::default()),
    };
    let is_meant = |path: &AttributePath| {
        // An extension may have an attribute of this name, which is in the document.
        resource_type
            .resolve(path)
            .is_some_and(|resolved| resolved.extension.is_none() && resolved.attribute.name == attribute)
    };
    let refuse = || {
        let detail = format!("{attribute} can only be asked for by {attribute}.value eq \"id\" and {attribute} pr");
        Err(ScimError::invalid_filter(detail))
    };
    let mut asked = Memberships { attribute, ..Memberships::default() };
    let mut pending = vec![filter];
    while let Some(filter) = pending.pop() {
        match filter {
            Filter::And(members) | Filter::Or(members) => pending.extend(members),
            Filter::Not(inner) => pending.push(inner),
            Filter::Present(path) if is_meant(path) => {
                if !is_id(resource_type.resolve(path)) || path.filter.is_some() {
                    return refuse();
                }
                asked.any = true;
            }
            Filter::Compare { path, operator, value } if is_meant(path) => {
                let resolved = resource_type.resolve(path);
                match (is_id(resolved), &path.filter, operator, value.text()) {
                    (true, None, Operator::Eq, Some(id)) => asked.ids.extend(ResourceId::exact(id)),
                    _ => return refuse(),
                }
            }
            Filter::ValuePath { path, filter } if is_meant(path) => match filter.as_ref() {
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

fn is_id(resolved: Option<Resolved<'_>>) -> bool {
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
