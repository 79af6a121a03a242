//! What a tenant's resources may be filtered and sorted by.

use scim::{AttributePath, Filter, ScimError, Sort};
use store::resources::ResourceKind;

use crate::{Caller, Rules};

/// What every resource may be asked for: which it is, and of which type, by which a search of several chooses among them.
const ALWAYS_FILTERABLE: [&str; 2] = ["id", "meta.resourceType"];

/// Once `id eq` names the one resource there is nothing left to search, so any attribute may be tested on it: clients check references
/// with `id eq "…" and manager eq "…"`.
pub(super) fn check_filterable(caller: &Caller, rules: &Rules, filter: &Filter) -> Result<(), ScimError> {
    let names_id = filter.equality_terms(&rules.resource_type).iter().any(|(path, _)| path == "id");
    let mut refused = None;
    each_path(filter, &mut |path| {
        let Some(resolved) = rules.resource_type.resolve(path) else { return };
        let Some(filterable) = &rules.filterable else { return };
        let name = resolved.to_string();
        if !names_id && !ALWAYS_FILTERABLE.contains(&name.as_str()) && !filterable.contains(&name) {
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
