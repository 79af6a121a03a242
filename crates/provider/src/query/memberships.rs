//! The members of groups and the groups of users that a filter asks about. They are not in the document: each is looked up for each
//! candidate, by its id where the filter names one, and else among all that the candidate has.
//!
//! Of those only as many are kept as decide what the filter says: a comparison holds where it holds for one, so that one for which it
//! does stands for all of them.

use scim::{Attributes, Filter, Literal, Matcher, Operator, ResourceType, ScimError};
use serde_json::{Map, Value, json};
use store::members::{self, GroupOfMember};
use store::resources::{self, ResourceKind};
use store::{ReadTx, ResourceId};

use super::page::Page;
use super::{MEMBER_EFFORT, MEMBERSHIPS_MAX, Part};
use crate::effort::Effort;
use crate::{Caller, ProviderError, groups, users};

/// Memberships that are read at first: most often one of the first decides.
const FIRST_CHUNK: u32 = 8;
/// Members that are read at a time after that.
const CHUNK: u32 = 512;
/// Groups of a user that are read at a time, with their documents.
const GROUPS_CHUNK: u32 = 16;

/// What a filter asks about members of groups or groups of users.
#[derive(Debug, Default)]
pub(super) struct Memberships {
    /// `members` of a group, `groups` of a user.
    attribute: &'static str,
    /// The ids that it names.
    ids: Vec<ResourceId>,
    /// Whether it asks if there are any.
    any: bool,
    /// Whether it compares more than ids.
    is_whole: bool,
    /// What one of all must meet, for each comparison that names no id.
    sought: Vec<Filter>,
}

impl Memberships {
    /// What a filter asks that the resource type has accepted.
    pub(super) fn of(kind: ResourceKind, filter: &Filter, resource_type: &ResourceType) -> Self {
        let attribute = match kind {
            ResourceKind::User => "groups",
            ResourceKind::Group => "members",
            ResourceKind::Custom(_) => return Self::default(),
        };
        let mut asked = Self { attribute, ..Self::default() };
        let mut pending = vec![filter];
        while let Some(filter) = pending.pop() {
            match filter {
                Filter::And(members) | Filter::Or(members) => pending.extend(members),
                Filter::Not(inner) => pending.push(inner),
                Filter::Present(path) | Filter::Compare { path, .. } | Filter::ValuePath { path, .. } => {
                    let found = resource_type.resolve(path);
                    // An extension may have an attribute of this name, which is in the document.
                    let is_meant =
                        |found: &scim::Resolved<'_>| found.extension.is_none() && found.attribute.name == attribute;
                    // In a search of several types, what makes no sense for this one asks for nothing.
                    if let Some(found) = found.filter(is_meant).filter(|_| filter.check(resource_type).is_ok()) {
                        asked.add(filter, found.sub_attribute.is_none_or(|sub| sub.name == "value"));
                    }
                }
            }
        }
        asked
    }

    /// Adds one comparison; `is_id` where it is of an id, whatever stands in brackets before it.
    fn add(&mut self, comparison: &Filter, is_id: bool) {
        match comparison {
            Filter::Present(path) if is_id && path.filter.is_none() => self.any = true,
            Filter::Compare { path, value: Literal::Null, .. } if is_id && path.filter.is_none() => self.any = true,
            Filter::Compare { path, operator: Operator::Eq, value, .. } if is_id && *value != Literal::Null => {
                self.ids.extend(value.text().and_then(ResourceId::exact));
                self.is_whole |= path.filter.is_some();
            }
            Filter::ValuePath { filter: brackets, .. } => self.add_bracketed(comparison, Some(brackets)),
            Filter::Present(path) | Filter::Compare { path, .. } => {
                self.add_bracketed(comparison, path.filter.as_deref());
            }
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => {}
        }
    }

    fn add_bracketed(&mut self, comparison: &Filter, brackets: Option<&Filter>) {
        if let Some(ids) = brackets.and_then(ids_named) {
            self.ids.extend(ids);
            let is_plain =
                matches!(comparison, Filter::ValuePath { filter, .. } if matches!(**filter, Filter::Compare { .. }));
            self.is_whole |= !is_plain;
        } else {
            self.sought.extend(sought(comparison));
            self.is_whole = true;
        }
    }

    /// How many look-ups a candidate takes at the least.
    pub(super) fn look_ups(&self) -> u64 {
        self.ids.len() as u64 + u64::from(self.any) + u64::from(!self.sought.is_empty())
    }

    /// What is sought, made ready.
    fn matchers<'a>(&self, resource_type: &'a ResourceType) -> Result<Vec<Matcher<'a>>, ScimError> {
        self.sought.iter().map(|filter| filter.matcher(resource_type)).collect()
    }
}

/// What a list looks for among memberships, for each of its parts; nothing where that is nothing for all of them.
pub(super) fn sought_by<'q>(caller: &'q Caller, parts: &[Part]) -> Result<Vec<Vec<Matcher<'q>>>, ProviderError> {
    if parts.iter().all(|part| part.is_exact || part.memberships.sought.is_empty()) {
        return Ok(Vec::new());
    }
    parts.iter().map(|part| Ok(part.memberships.matchers(caller.resource_type(part.kind)?)?)).collect()
}

/// The only ids that an element may have which meets the filter in its brackets. As deep as the filter, whose depth its parser has bounded.
fn ids_named(brackets: &Filter) -> Option<Vec<ResourceId>> {
    match brackets {
        Filter::And(all) => all.iter().find_map(ids_named),
        Filter::Or(any) => {
            let ids: Option<Vec<Vec<ResourceId>>> = any.iter().map(ids_named).collect();
            Some(ids?.concat())
        }
        Filter::Compare { path, operator: Operator::Eq, value } if path.attribute.eq_ignore_ascii_case("value") => {
            value.text().map(|text| ResourceId::exact(text).into_iter().collect())
        }
        Filter::Compare { .. } | Filter::Not(_) | Filter::Present(_) | Filter::ValuePath { .. } => None,
    }
}

/// What elements decide a comparison: it says of some that meet these what it says of all.
fn sought(comparison: &Filter) -> Vec<Filter> {
    match comparison {
        Filter::Compare { path, value: Literal::Null, .. } => vec![Filter::Present(path.clone())],
        // Where there is nothing to compare it holds, so one that has something decides too.
        Filter::Compare { path, operator: Operator::Ne, .. } => {
            let present = Filter::Present(path.clone());
            vec![present.clone(), Filter::And(vec![present, comparison.clone()])]
        }
        _ => vec![comparison.clone()],
    }
}

/// What is looked for among the memberships of one candidate.
struct Search<'a, 'q> {
    caller: &'a Caller,
    asked: &'a Memberships,
    /// Those that none was found for yet.
    open: Vec<&'a Matcher<'q>>,
    base: &'a str,
    found: Vec<Value>,
    effort: &'a mut Effort,
    read: &'a mut Effort,
    looked_at: &'a mut Effort,
}

impl Page<'_> {
    /// Adds to a candidate those of its memberships that decide what the filter says of it.
    pub(super) fn join_memberships(
        &mut self,
        tx: &mut ReadTx<'_>,
        part: usize,
        id: ResourceId,
        resource: &mut Attributes,
    ) -> Result<(), ProviderError> {
        let (kind, asked) = (self.listing.parts[part].kind, &self.listing.parts[part].memberships);
        if asked.look_ups() == 0 {
            return Ok(());
        }
        let mut search = Search {
            caller: self.caller,
            asked,
            open: self.sought.get(part).into_iter().flatten().collect(),
            base: self.view.base,
            found: Vec::new(),
            effort: &mut self.effort,
            read: &mut self.read,
            looked_at: &mut self.looked_at,
        };
        if kind == ResourceKind::Group {
            search.members(tx, id)?;
        } else {
            search.groups(tx, id)?;
        }
        if !search.found.is_empty() {
            resource.insert(asked.attribute.to_owned(), Value::Array(search.found));
        }
        Ok(())
    }
}

impl Search<'_, '_> {
    fn members(&mut self, tx: &mut ReadTx<'_>, group: ResourceId) -> Result<(), ProviderError> {
        let (tenant, caller) = (self.caller.tenant(), self.caller);
        if !self.asked.is_whole {
            for id in &self.asked.ids {
                if members::is_member(tx, tenant, group, *id)? {
                    self.found.push(named(*id));
                }
            }
        } else if !self.asked.ids.is_empty() {
            for member in members::some(tx, tenant, group, &self.asked.ids)? {
                self.take(groups::element(caller, &member, self.base))?;
            }
        }
        let (mut after, mut rows) = (None, if self.open.is_empty() { 1 } else { FIRST_CHUNK });
        while !self.is_done() {
            let present = members::members_after(tx, tenant, group, after, rows)?;
            self.spend(present.len())?;
            after = present.last().map(|member| member.id);
            for member in &present {
                self.take(groups::element(caller, member, self.base))?;
            }
            if present.len() < rows as usize {
                break;
            }
            rows = CHUNK;
        }
        Ok(())
    }

    fn groups(&mut self, tx: &mut ReadTx<'_>, user: ResourceId) -> Result<(), ProviderError> {
        let tenant = self.caller.tenant();
        for id in &self.asked.ids {
            if !members::is_in(tx, tenant, *id, user)? {
                continue;
            }
            if !self.asked.is_whole {
                self.found.push(named(*id));
            } else if let Some(group) = resources::by_id(tx, tenant, ResourceKind::Group, *id)? {
                self.take_group(&GroupOfMember { id: *id, doc: group.doc })?;
            }
        }
        if self.open.is_empty() && !self.is_done() {
            let one = members::group_ids_of(tx, tenant, user, None, 1)?;
            self.found.extend(one.into_iter().map(named));
            return Ok(());
        }
        let (mut after, mut rows) = (None, FIRST_CHUNK);
        while !self.is_done() {
            let present = members::groups_of(tx, tenant, user, after, rows)?;
            self.spend(present.len())?;
            after = present.last().map(|group| group.id);
            for group in &present {
                self.take_group(group)?;
            }
            if present.len() < rows as usize {
                break;
            }
            rows = GROUPS_CHUNK;
        }
        Ok(())
    }

    fn take_group(&mut self, group: &GroupOfMember) -> Result<(), ProviderError> {
        self.read.spend(group.doc.len() as u64)?;
        self.take(users::element(self.caller, group, self.base))
    }

    /// Whether what was found decides.
    fn is_done(&self) -> bool {
        self.open.is_empty() && (!self.asked.any || !self.found.is_empty())
    }

    /// Counts memberships that were read.
    fn spend(&mut self, count: usize) -> Result<(), ProviderError> {
        self.effort.spend(MEMBER_EFFORT)?;
        Ok(self.looked_at.spend(count as u64)?)
    }

    /// Keeps an element that was named, that is the first, or that meets what none before it has met.
    fn take(&mut self, mut element: Value) -> Result<(), ProviderError> {
        if let Some(element) = element.as_object_mut() {
            // A group without a name is shown with an empty one, and has none.
            element.retain(|_, value| value.as_str() != Some(""));
        }
        let id = element.get("value").and_then(Value::as_str).and_then(ResourceId::exact);
        let is_first = self.found.is_empty() && self.asked.any;
        let mut is_kept = is_first || id.is_some_and(|id| self.asked.ids.contains(&id));
        let resource = Map::from_iter([(self.asked.attribute.to_owned(), Value::Array(vec![element]))]);
        let (mut work, open) = (0, self.open.len());
        self.open.retain(|matcher| !matcher.matches_counting(&resource, &mut work));
        is_kept |= self.open.len() < open;
        self.effort.spend(work)?;
        if is_kept && let Some((_, Value::Array(mut elements))) = resource.into_iter().next() {
            self.found.append(&mut elements);
        }
        Ok(())
    }
}

fn named(id: ResourceId) -> Value {
    json!({ "value": id.to_string() })
}

const _: () = assert!(MEMBERSHIPS_MAX == 200_000, "the words below name the limit");

/// How a list is refused that looks at more memberships than it may.
pub(super) fn looked_at(max: u64) -> Effort {
    let refusal = "the filter would have to look at more than 200000 memberships; \
                   ask for members.value or groups.value, or for an indexed attribute too";
    Effort::new(max, refusal)
}
