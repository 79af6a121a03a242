//! Lists of users or groups: filters and pages (RFC 7644 §3.4.2).
//!
//! The planner takes the first equality that an index answers; the filter decides among the candidates that the index gives. Only a
//! profile that lets every attribute be filtered by reads all resources for a filter without such an equality, up to [`SCAN_MAX`].

use std::num::IntErrorKind;

use scim::{
    AttributePath, Attributes, Filter, LIST_RESPONSE_URN, Literal, Matcher, Operator, Resolved, ResourceType, ScimError,
};
use serde_json::{Value, json};
use store::members;
use store::resources::{self, Chunk, ResourceKind, ResourceRecord};
use store::{ReadTx, ResourceId, StoreError};

use crate::effort::Effort;
use crate::representation::{Joined, View, complete, represent, write_json};
use crate::{Caller, ProviderError, Rules, document, groups};

/// Resources on a page when the client does not say.
pub const COUNT_DEFAULT: u32 = 100;
/// Most resources on a page.
pub const COUNT_MAX: u32 = 1000;
/// Most resources that a filter without index is tried on.
pub const SCAN_MAX: u32 = 100_000;
/// Most resources that one key of an index may lead to.
pub const CANDIDATES_MAX: u32 = 10_000;
/// Most that one filter may cost, in bytes of documents times comparisons: it occupies a reader that others wait for.
pub const SCAN_EFFORT_MAX: u64 = 4 << 30;
/// What looking up one member of one group counts in that.
const MEMBER_EFFORT: u64 = 4096;
/// Most that choosing what one answer shows may cost, in the same unit: `attributes` may name elements by filters of their own.
pub const SHOW_EFFORT_MAX: u64 = 4 << 30;
/// What choosing may have cost when a page ends early.
const PAGE_EFFORT_MAX: u64 = 1 << 30;
/// How an answer is refused that is beyond [`SHOW_EFFORT_MAX`].
pub(crate) const TOO_MUCH_TO_SHOW: &str =
    "the filters among the attributes make too many comparisons for so many values; ask for fewer";
/// Size from which a page ends early, in bytes: a resource may be large, and groups are answered with their members.
pub const LIST_BYTES_MAX: usize = 32 << 20;
/// What is read at a time. PostgreSQL sends all rows that a statement asks for also when they are not read to the end.
const CHUNK: Chunk = Chunk { rows: 100, bytes: 8 << 20 };

/// Which part of a list is wanted (RFC 7644 §3.4.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    start_index: u64,
    count: u32,
}

impl Paging {
    /// Reads `startIndex` (below 1 means 1) and `count` (below 0 means 0, above [`COUNT_MAX`] means that).
    pub fn read(start_index: Option<&str>, count: Option<&str>) -> Result<Self, ScimError> {
        let number = |name: &str, text: Option<&str>, default: i64| match text.map(|text| text.trim().parse::<i64>()) {
            None => Ok(default),
            Some(Ok(number)) => Ok(number),
            // Beyond the range is beyond every list.
            Some(Err(error)) => match error.kind() {
                IntErrorKind::PosOverflow => Ok(i64::MAX),
                IntErrorKind::NegOverflow => Ok(i64::MIN),
                _ => Err(ScimError::invalid_value(format!("{name} must be a whole number"))),
            },
        };
        let start_index = u64::try_from(number("startIndex", start_index, 1)?.max(1)).unwrap_or(1);
        let count = number("count", count, i64::from(COUNT_DEFAULT))?.clamp(0, i64::from(COUNT_MAX));
        Ok(Self { start_index, count: u32::try_from(count).unwrap_or(COUNT_MAX) })
    }

    const fn skipped(self) -> u64 {
        self.start_index - 1
    }

    /// Whether the match with this number, counted from 0, is on the page.
    fn holds(self, number: u64) -> bool {
        number >= self.skipped() && number - self.skipped() < u64::from(self.count)
    }
}

/// A list that a client asked for, ready to be run.
#[derive(Debug)]
pub struct Listing {
    kind: ResourceKind,
    filter: Option<Filter>,
    paging: Paging,
    plan: Plan,
    member_ids: Vec<ResourceId>,
}

/// How candidates are found.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Nothing can match.
    Nothing,
    /// Everything matches.
    Everything,
    Id(ResourceId),
    Unique(String),
    Key(&'static str, String),
    /// Groups that have this member.
    WithMember(ResourceId),
    /// Try all.
    Scan,
}

impl Listing {
    /// Reads a filter, checks it against what the application can be searched by, and plans it. An application without groups has an
    /// empty list of them, because clients test with a query for a group.
    pub fn prepare(
        caller: &Caller,
        kind: ResourceKind,
        filter: Option<&str>,
        paging: Paging,
    ) -> Result<Self, ProviderError> {
        let filter = filter.map(str::parse::<Filter>).transpose()?;
        let Ok(rules) = caller.rules(kind) else {
            return Ok(Self { kind, filter: None, paging, plan: Plan::Nothing, member_ids: Vec::new() });
        };
        let (plan, member_ids) = match &filter {
            None => (Plan::Everything, Vec::new()),
            Some(filter) => {
                filter.check(&rules.resource_type)?;
                let plan = plan(caller, kind, rules, filter);
                check_filterable(caller, kind, rules, filter)?;
                (plan, compared_members(filter, &rules.resource_type)?)
            }
        };
        Ok(Self { kind, filter, paging, plan, member_ids })
    }

    /// Whether one statement answers it, so that the query may run where a look-up by id runs.
    pub const fn is_one_statement(&self) -> bool {
        matches!(self.plan, Plan::Nothing | Plan::Id(_) | Plan::Unique(_)) && matches!(self.kind, ResourceKind::User)
            || matches!(self.plan, Plan::Nothing)
    }

    /// Whether the plan itself is the whole filter.
    const fn is_answered_by_plan(&self) -> bool {
        matches!(self.filter, Some(Filter::Compare { .. })) && matches!(self.plan, Plan::Id(_) | Plan::Unique(_))
    }
}

fn plan(caller: &Caller, kind: ResourceKind, rules: &'static Rules, filter: &Filter) -> Plan {
    let terms = filter.equality_terms(&rules.resource_type);
    // Everything with an index is text, so a number in the filter is the text it was written as.
    let text = |wanted: &str| terms.iter().find(|(path, _)| path == wanted).and_then(|(_, literal)| literal.text());
    if let Some(id) = text("id") {
        return ResourceId::exact(id).map_or(Plan::Nothing, Plan::Id);
    }
    if let Some(value) = caller.unique_attribute(kind).and_then(text) {
        // A name that cannot be stored is nobody's name.
        return document::folded(kind, value).map_or(Plan::Nothing, Plan::Unique);
    }
    for indexed in &rules.indexed {
        if let Some(value) = text(&indexed.path) {
            return Plan::Key(&indexed.path, indexed.key(value));
        }
    }
    if let Some(id) = text("members.value").filter(|_| kind == ResourceKind::Group) {
        return ResourceId::exact(id).map_or(Plan::Nothing, Plan::WithMember);
    }
    Plan::Scan
}

/// Once `id eq` names the one resource there is nothing left to search, so any attribute may be tested on it: clients check references
/// with `id eq "…" and manager eq "…"`.
fn check_filterable(caller: &Caller, kind: ResourceKind, rules: &Rules, filter: &Filter) -> Result<(), ScimError> {
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
fn each_path(filter: &Filter, each: &mut impl FnMut(&AttributePath)) {
    match filter {
        Filter::And(members) | Filter::Or(members) => members.iter().for_each(|member| each_path(member, each)),
        Filter::Not(inner) => each_path(inner, each),
        Filter::Present(path) | Filter::Compare { path, .. } | Filter::ValuePath { path, .. } => each(path),
    }
}

/// The ids that a filter compares members with. Members are not in the document: each of these is looked up for each candidate, so
/// only `eq` can be offered.
fn compared_members(filter: &Filter, resource_type: &ResourceType) -> Result<Vec<ResourceId>, ScimError> {
    let is_members = |path: &AttributePath| {
        resource_type
            .resolve(path)
            .is_some_and(|resolved| resource_type.name == "Group" && resolved.attribute.name == "members")
    };
    let refuse = || Err(ScimError::invalid_filter("members can only be compared by members.value eq \"id\""));
    let mut ids = Vec::new();
    let mut pending = vec![filter];
    while let Some(filter) = pending.pop() {
        match filter {
            Filter::And(members) | Filter::Or(members) => pending.extend(members),
            Filter::Not(inner) => pending.push(inner),
            Filter::Present(path) if is_members(path) => return refuse(),
            Filter::Compare { path, operator, value } if is_members(path) => {
                let resolved = resource_type.resolve(path);
                match (is_member_id(resolved), &path.filter, operator, value.text()) {
                    (true, None, Operator::Eq, Some(id)) => ids.extend(ResourceId::exact(id)),
                    _ => return refuse(),
                }
            }
            Filter::ValuePath { path, filter } if is_members(path) => match filter.as_ref() {
                Filter::Compare { path, operator: Operator::Eq, value }
                    if path.attribute.eq_ignore_ascii_case("value") && *value != Literal::Null =>
                {
                    ids.extend(value.text().and_then(ResourceId::exact));
                }
                _ => return refuse(),
            },
            Filter::Present(_) | Filter::Compare { .. } | Filter::ValuePath { .. } => {}
        }
    }
    Ok(ids)
}

fn is_member_id(resolved: Option<Resolved<'_>>) -> bool {
    resolved.is_some_and(|resolved| resolved.sub_attribute.is_none_or(|sub| sub.name == "value"))
}

/// Runs a list; gives the text of the ListResponse. A user's `groups` are only shown when one user is asked for.
pub fn list(tx: &mut ReadTx<'_>, caller: &Caller, listing: &Listing, view: View<'_>) -> Result<String, ProviderError> {
    let mut page = Page::new(caller, listing, view)?;
    page.fill(tx)?;
    let Page { total, resources, items, .. } = page;
    let mut text = String::with_capacity(resources.len() + 192);
    let start = listing.paging.start_index;
    write_json(
        &mut text,
        format_args!(
            "{{\"schemas\":[\"{LIST_RESPONSE_URN}\"],\"totalResults\":{total},\"startIndex\":{start},\
             \"itemsPerPage\":{items},\"Resources\":[{resources}]}}"
        ),
    );
    Ok(text)
}

fn too_many(limit: u32) -> ProviderError {
    ScimError::too_many(format!("the filter would have to look at more than {limit} resources")).into()
}

/// A page while it is written. Resources are read in chunks and turned into text one by one, so that beside the text no
/// more than a chunk is held, however many are looked at and however large they are.
struct Page<'q> {
    caller: &'q Caller,
    listing: &'q Listing,
    view: View<'q>,
    /// What the filter says, where the plan does not say it all.
    matcher: Option<Matcher<'q>>,
    /// Candidates that were looked at.
    seen: u64,
    /// Matches, those of other pages too.
    total: u64,
    /// What the filter has cost.
    effort: Effort,
    /// What choosing what is shown has cost.
    shown: Effort,
    items: u32,
    resources: String,
}

/// What trying the filter on a resource costs.
fn effort_of(listing: &Listing, bytes: usize) -> u64 {
    let comparisons = 1 + listing.filter.as_ref().map_or(0, Filter::comparisons);
    let looked_up = MEMBER_EFFORT.saturating_mul(listing.member_ids.len() as u64);
    (bytes as u64).saturating_mul(comparisons as u64).saturating_add(looked_up)
}

impl<'q> Page<'q> {
    fn new(caller: &'q Caller, listing: &'q Listing, view: View<'q>) -> Result<Self, ProviderError> {
        let filter = listing.filter.as_ref().filter(|_| !listing.is_answered_by_plan());
        let matcher = match filter {
            Some(filter) => Some(filter.matcher(caller.resource_type(listing.kind)?)?),
            None => None,
        };
        let effort = Effort::new(
            SCAN_EFFORT_MAX,
            "the filter makes too many comparisons for so many resources; ask for an indexed attribute too",
        );
        let shown = Effort::new(SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW);
        let (seen, total, items, resources) = (0, 0, 0, String::new());
        Ok(Self { caller, listing, view, matcher, seen, total, effort, shown, items, resources })
    }

    /// Looks at the candidates that the plan leads to.
    fn fill(&mut self, tx: &mut ReadTx<'_>) -> Result<(), ProviderError> {
        let (tenant, kind) = (self.caller.tenant(), self.listing.kind);
        match &self.listing.plan {
            Plan::Nothing => Ok(()),
            Plan::Everything => self.everything(tx),
            Plan::Id(id) => {
                let found = resources::by_id(tx, tenant, kind, *id)?;
                self.take(tx, found, 1)
            }
            Plan::Unique(key) => {
                let found = resources::by_unique_key(tx, tenant, kind, key)?;
                self.take(tx, found, 1)
            }
            Plan::Key(path, key) => self
                .chunks(tx, CANDIDATES_MAX, |tx, after| resources::by_key(tx, tenant, kind, (path, key), after, CHUNK)),
            Plan::WithMember(member) => self.with_member(tx, *member),
            Plan::Scan => {
                if resources::count(tx, tenant, kind)? > u64::from(SCAN_MAX) {
                    return Err(too_many(SCAN_MAX));
                }
                self.chunks(tx, SCAN_MAX, |tx, after| resources::page_after(tx, tenant, kind, after, CHUNK))
            }
        }
    }

    /// Takes what `read` gives above each last one, until nothing is left.
    fn chunks(
        &mut self,
        tx: &mut ReadTx<'_>,
        limit: u32,
        read: impl Fn(&mut ReadTx<'_>, Option<ResourceId>) -> Result<Vec<ResourceRecord>, StoreError>,
    ) -> Result<(), ProviderError> {
        let mut after = None;
        loop {
            let chunk = read(tx, after)?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = Some(last.id);
            self.take(tx, chunk, limit)?;
        }
    }

    /// All resources there are: those of other pages are counted, not read.
    fn everything(&mut self, tx: &mut ReadTx<'_>) -> Result<(), ProviderError> {
        let (tenant, kind, paging) = (self.caller.tenant(), self.listing.kind, self.listing.paging);
        self.total = resources::count(tx, tenant, kind)?;
        let mut after = None;
        while self.items < paging.count && !self.is_full() {
            let chunk = Chunk { rows: CHUNK.rows.min(paging.count - self.items), ..CHUNK };
            let found = match after {
                None => resources::page(tx, tenant, kind, paging.skipped(), chunk)?,
                after => resources::page_after(tx, tenant, kind, after, chunk)?,
            };
            let Some(last) = found.last() else { return Ok(()) };
            after = Some(last.id);
            for record in &found {
                self.show(tx, record)?;
            }
        }
        Ok(())
    }

    fn with_member(&mut self, tx: &mut ReadTx<'_>, member: ResourceId) -> Result<(), ProviderError> {
        let tenant = self.caller.tenant();
        let mut after = None;
        loop {
            let groups = members::group_ids_of(tx, tenant, member, after, CHUNK.rows)?;
            let Some(last) = groups.last() else { return Ok(()) };
            after = Some(*last);
            for group in groups {
                let found = resources::by_id(tx, tenant, ResourceKind::Group, group)?;
                self.take(tx, found, CANDIDATES_MAX)?;
            }
        }
    }

    /// Tries the filter on candidates, of which there may be `limit` in all. Matches are counted, those of the page shown.
    fn take(
        &mut self,
        tx: &mut ReadTx<'_>,
        candidates: impl IntoIterator<Item = ResourceRecord>,
        limit: u32,
    ) -> Result<(), ProviderError> {
        for record in candidates {
            self.seen += 1;
            if self.seen > u64::from(limit) {
                return Err(too_many(limit));
            }
            if !self.matches(tx, &record)? {
                continue;
            }
            if self.listing.paging.holds(self.total) {
                self.show(tx, &record)?;
            }
            self.total += 1;
        }
        Ok(())
    }

    fn matches(&mut self, tx: &mut ReadTx<'_>, record: &ResourceRecord) -> Result<bool, ProviderError> {
        if self.matcher.is_none() {
            return Ok(true);
        }
        self.effort.spend(effort_of(self.listing, record.doc.len()))?;
        let mut resource = document::read(&record.doc)?;
        complete(self.caller, self.listing.kind, record, self.view.base, &mut resource)?;
        join_members(tx, self.caller, record.id, &self.listing.member_ids, &mut resource)?;
        Ok(self.matcher.as_ref().is_none_or(|matcher| matcher.matches(&resource)))
    }

    /// Whether the page ends here, before its count: the next one then begins with what this one leaves out.
    const fn is_full(&self) -> bool {
        self.resources.len() >= LIST_BYTES_MAX || self.shown.spent() >= PAGE_EFFORT_MAX
    }

    /// Writes the next resource of the page, unless it is full.
    fn show(&mut self, tx: &mut ReadTx<'_>, record: &ResourceRecord) -> Result<(), ProviderError> {
        if self.is_full() {
            return Ok(());
        }
        let (caller, kind, view) = (self.caller, self.listing.kind, self.view);
        let json = match kind {
            ResourceKind::User => None,
            ResourceKind::Group => groups::members_json(tx, caller, record.id, view, &mut self.shown)?,
        };
        self.shown.spend((record.doc.len() as u64).saturating_mul(view.projection.comparisons() as u64))?;
        let joined = json.map(|json| Joined { attribute: "members", json });
        if self.items > 0 {
            self.resources.push(',');
        }
        self.resources.push_str(&represent(caller, kind, record, view, joined.as_ref())?);
        self.items += 1;
        Ok(())
    }
}

/// Of the ids a filter asks about, adds those that are members.
fn join_members(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    group: ResourceId,
    asked: &[ResourceId],
    resource: &mut Attributes,
) -> Result<(), ProviderError> {
    let mut present = Vec::new();
    for id in asked {
        if members::is_member(tx, caller.tenant(), group, *id)? {
            present.push(json!({ "value": id.to_string() }));
        }
    }
    if !present.is_empty() {
        resource.insert("members".to_owned(), Value::Array(present));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_filter_costs() {
        let member: ResourceId = "01a1fcff-9d56-7a9e-8292-becdc33d4463".parse().unwrap();
        for (filter, members, expected) in
            [("title pr", 0, 200), ("title pr or not (title eq \"x\")", 0, 300), ("id pr", 2, 200 + 2 * MEMBER_EFFORT)]
        {
            let listing = Listing {
                kind: ResourceKind::User,
                filter: Some(filter.parse().unwrap()),
                paging: Paging::read(None, None).unwrap(),
                plan: Plan::Scan,
                member_ids: vec![member; members],
            };
            assert_eq!(effort_of(&listing, 100), expected, "{filter}");
        }
    }
}
