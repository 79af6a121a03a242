//! Lists of resources: filters, orders and pages (RFC 7644 §3.4.2, RFC 9865).
//!
//! A list is prepared before its transaction: what it asks for is read and checked, candidates are planned (`plan`), the page's place is
//! read from a cursor (`pager`) or remembered (`marks`). Then candidates are streamed (`stream`) or, for an order that no index has, held
//! (`held`), and those that match are written (`page`).

mod check;
mod held;
mod joined;
mod marks;
mod memberships;
mod page;
mod pager;
mod paging;
mod plan;
mod spelling;
mod stream;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use jiff::Timestamp;
use scim::{AttributePath, Edge, Filter, LIST_RESPONSE_URN, Place, ResourceType, ScimError, Sort};
use sha2::{Digest as _, Sha256};
use store::ReadTx;
use store::resources::{ResourceKind, ResourceRecord};

use self::marks::{End, Walk};
use self::memberships::Memberships;
use self::page::{Outcome, Page};
use self::pager::Digest;
pub use self::pager::{CURSOR_SECONDS, Pager, Walker};
pub use self::paging::ListQuery;
use self::paging::Paging;
use self::plan::{LookUp, Plan, Planned};
pub use self::text::ListText;
use crate::representation::{View, write_json};
use crate::{COMPARISONS_AT_ONCE_MAX, Caller, ProviderError, Rules, users};

/// Resources on a page when the client does not say.
pub const COUNT_DEFAULT: u32 = 100;
/// Most resources on a page.
pub const COUNT_MAX: u32 = 1000;
/// Most resources that a filter without index is tried on.
pub const SCAN_MAX: u32 = 100_000;
/// Most resources that are sorted by an attribute without index.
pub const SORT_MAX: u32 = 100_000;
/// Most that the texts come to which they are sorted by, in bytes.
pub const SORT_BYTES_MAX: usize = 16 << 20;
/// Most resources that one filter may find by indexes.
pub const CANDIDATES_MAX: u32 = 10_000;
/// Resources that are read where a look-up by id is: a value that many share is read where it keeps nobody waiting.
const FEW: u32 = 8;
/// Most that is read for one filter without index, in bytes of documents: it occupies a reader that others wait for.
pub const SCAN_BYTES_MAX: u64 = 1 << 30;
/// Most that the comparisons of one filter may cost, and what an order compares, in bytes that are compared: a quarter of a second. What is
/// not ASCII counts as often as folding it takes longer.
pub const SCAN_EFFORT_MAX: u64 = 1 << 28;
/// What looking up one member of one group counts in that.
const MEMBER_EFFORT: u64 = 2048;
/// Most members of groups, or groups of users, that one filter may look at which names no id of one.
pub const MEMBERSHIPS_MAX: u64 = 200_000;
/// Most that choosing what one answer shows may cost, in bytes times comparisons: `attributes` may name elements by filters of their own.
pub const SHOW_EFFORT_MAX: u64 = 4 << 30;
/// What choosing may have cost when a page ends early.
const PAGE_EFFORT_MAX: u64 = 1 << 30;
/// How an answer is refused that is beyond [`SHOW_EFFORT_MAX`].
pub(crate) const TOO_MUCH_TO_SHOW: &str =
    "the filters among the attributes make too many comparisons for so many values; ask for fewer";
/// Size from which a page ends early, in bytes: a resource may be large, and groups are answered with their members.
pub const LIST_BYTES_MAX: usize = 32 << 20;

/// Which resource types a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// One of them.
    One(ResourceKind),
    /// All that the application has, one behind the other (RFC 7644 §3.4.2.1).
    All,
}

/// A list that a client asked for, ready to be run.
#[derive(Debug)]
pub struct Listing {
    parts: Vec<Part>,
    filter: Option<Filter>,
    /// What its comparisons may cost.
    effort_max: u64,
    /// How many memberships it may look at.
    memberships_max: u64,
    way: Way,
    is_descending: bool,
    count: u32,
    begin: Begin,
    /// What the page before has told of the number of all.
    total: Option<u64>,
    /// The number of the page's first resource; `None` for a page by cursor.
    start_index: Option<u64>,
    asked: Asked,
    pager: Arc<Pager>,
    walker: Walker,
    now: Timestamp,
}

/// One resource type of a list.
#[derive(Debug)]
struct Part {
    kind: ResourceKind,
    plan: Plan,
    /// Whether every candidate of the plan is a match.
    is_exact: bool,
    /// The members or groups that the filter asks about.
    memberships: Memberships,
    /// `None` where the list is not sorted, and where this type lacks the attribute.
    sort: Option<Sort>,
}

/// In what order candidates are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ById,
    ByUniqueKey,
    /// All of them, to be sorted.
    Held,
}

/// Where the page begins.
#[derive(Debug)]
enum Begin {
    /// Behind so many matches.
    Number(u64),
    /// Behind the page that ended there.
    Mark(Place),
    /// Where a cursor says.
    Edge(Edge),
}

/// What tells one list from another.
#[derive(Debug)]
struct Asked {
    scope: Kinds,
    sort_by: String,
}

fn too_many(limit: u32) -> ProviderError {
    let detail = format!(
        "the filter would have to look at more than {limit} resources; ask for an indexed attribute too, such as id, or userName eq"
    );
    ScimError::too_many(detail).into()
}

impl Listing {
    /// Reads what a client asks for, checks it against what the application can be searched by, and plans it. An application without
    /// groups has an empty list of them, because clients test with a query for a group.
    pub fn prepare(
        caller: &Caller,
        scope: Kinds,
        query: &ListQuery<'_>,
        pager: &Arc<Pager>,
        walker: Walker,
        now: Timestamp,
    ) -> Result<Self, ProviderError> {
        let (paging, count) = Paging::read(query)?;
        let mut filter = query.filter.map(str::parse::<Filter>).transpose()?;
        if let Some(filter) = &mut filter {
            spelling::without_memberships(filter, false);
        }
        let is_descending = is_descending(query.sort_order)?;
        let parts = parts(caller, scope, filter.as_ref(), query.sort_by)?;
        let mut listing = Self {
            way: way(caller, &parts, query.sort_by),
            parts,
            filter,
            effort_max: SCAN_EFFORT_MAX,
            memberships_max: MEMBERSHIPS_MAX,
            is_descending: is_descending && query.sort_by.is_some(),
            count,
            begin: Begin::Number(0),
            total: None,
            start_index: None,
            asked: Asked { scope, sort_by: query.sort_by.unwrap_or_default().to_owned() },
            pager: Arc::clone(pager),
            walker,
            now,
        };
        listing.find_begin(caller, paging, query.count.is_some())?;
        Ok(listing)
    }

    fn find_begin(&mut self, caller: &Caller, paging: Paging<'_>, names_count: bool) -> Result<(), ProviderError> {
        match paging {
            Paging::Index(start) => {
                self.start_index = Some(start);
                // The first page is never a further one.
                let mark = (start > 1).then(|| self.pager.marks().find(&self.walk(caller), start, self.now));
                match mark.flatten() {
                    None => self.begin = Begin::Number(start - 1),
                    Some((place, total)) => (self.begin, self.total) = (Begin::Mark(place), Some(total)),
                }
            }
            Paging::Cursor("") => self.begin = Begin::Edge(Edge::Start),
            Paging::Cursor(text) => {
                let cursor = self.pager.open(&self.digest(caller), text, self.now)?;
                if names_count && self.count != cursor.count {
                    let detail =
                        format!("the pages of this query have a count of {}; leave it out or repeat it", cursor.count);
                    return Err(ScimError::invalid_count(detail).into());
                }
                self.count = cursor.count.min(COUNT_MAX);
                (self.begin, self.total) = (Begin::Edge(cursor.edge), cursor.total);
            }
        }
        Ok(())
    }

    /// Whether one statement answers it unless an index leads to many, so that [`list_few`] may run where a look-up by id runs.
    pub fn may_be_one_statement(&self) -> bool {
        let is_one = |part: &Part| match (&part.plan, part.kind) {
            (Plan::LookUps(look_ups), _) if look_ups.is_empty() => true,
            // Each membership that is asked about takes another one.
            _ if part.memberships.look_ups() > 0 && !part.is_exact => false,
            (Plan::LookUps(look_ups), ResourceKind::User | ResourceKind::Custom(_)) => {
                matches!(look_ups.as_slice(), [LookUp::Id(_) | LookUp::Unique(_) | LookUp::Key(..)])
            }
            _ => false,
        };
        // Where a page ends before a place, its beginning is looked for first.
        let is_forward = !matches!(self.begin, Begin::Edge(Edge::Before(_)));
        let compares_few = self.filter.as_ref().is_none_or(|filter| filter.comparisons() <= COMPARISONS_AT_ONCE_MAX);
        is_forward && compares_few && self.way == Way::ById && self.parts.len() <= 1 && self.parts.iter().all(is_one)
    }

    /// Whether users in it are shown with their groups, so that there is more to read than the users.
    pub fn shows_groups(&self, caller: &Caller, view: View<'_>) -> Result<bool, ProviderError> {
        let has_users = self.parts.iter().any(|part| part.kind == ResourceKind::User);
        Ok(has_users && users::shows_groups(caller, view)?)
    }

    /// Whether it tells a number and no resource, so that its answer takes next to nothing.
    pub const fn only_counts(&self) -> bool {
        self.count == 0
    }

    /// Whether resources are looked at that no index leads to.
    const fn looks_at_all(&self) -> bool {
        self.filter.is_some()
    }

    /// What this list asks for, whatever its page, what it shows and who asks.
    fn digest(&self, caller: &Caller) -> Digest {
        let mut digest = Sha256::new();
        let scope = match self.asked.scope {
            Kinds::One(kind) => caller.endpoint(kind).to_owned(),
            Kinds::All => "*".to_owned(),
        };
        let filter = self.filter.as_ref().map(|filter| spelling::folded(filter).to_string()).unwrap_or_default();
        let order = if self.is_descending { "descending" } else { "ascending" };
        // By its key: a later tenant may have the name of one that was removed.
        digest.update(caller.tenant().number().to_be_bytes());
        for text in [scope.as_str(), &filter, &self.asked.sort_by.to_lowercase(), order] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }
}

fn is_descending(sort_order: Option<&str>) -> Result<bool, ScimError> {
    match sort_order.map(str::trim) {
        None => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("ascending") => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("descending") => Ok(true),
        Some(_) => Err(ScimError::invalid_value("sortOrder is ascending or descending")),
    }
}

/// The resource types of a list with their plans.
fn parts(
    caller: &Caller,
    scope: Kinds,
    filter: Option<&Filter>,
    sort_by: Option<&str>,
) -> Result<Vec<Part>, ProviderError> {
    let kinds: Vec<(ResourceKind, &Rules)> = match scope {
        Kinds::One(kind) => caller.rules(kind).ok().map(|rules| (kind, rules)).into_iter().collect(),
        Kinds::All => caller.profile().kinds().filter_map(|kind| Some((kind, caller.rules(kind).ok()?))).collect(),
    };
    if scope == Kinds::All {
        check_known(&kinds, filter, sort_by)?;
    }
    kinds.into_iter().map(|(kind, rules)| part(caller, scope, (kind, rules), filter, sort_by)).collect()
}

fn part(
    caller: &Caller,
    scope: Kinds,
    (kind, rules): (ResourceKind, &Rules),
    filter: Option<&Filter>,
    sort_by: Option<&str>,
) -> Result<Part, ProviderError> {
    let Planned { plan, is_exact } = match filter {
        None => Planned { plan: Plan::All, is_exact: true },
        Some(filter) => plan::plan(caller, kind, rules, filter),
    };
    let mut memberships = Memberships::default();
    if let Some(filter) = filter {
        // In a search of several it is enough that one of them has what is compared.
        if scope != Kinds::All {
            filter.check(&rules.resource_type)?;
        }
        check::check_filterable(caller, rules, filter)?;
        memberships = Memberships::of(kind, filter, &rules.resource_type);
    }
    let is_known =
        |text: &str| text.parse::<AttributePath>().is_ok_and(|path| rules.resource_type.resolve(&path).is_some());
    let sort = match sort_by {
        Some(text) if scope != Kinds::All || is_known(text) => Some(Sort::read(text, &rules.resource_type)?),
        _ => None,
    };
    if let Some(sort) = &sort {
        check::check_sortable(kind, sort)?;
    }
    Ok(Part { kind, plan, is_exact, memberships, sort })
}

/// In a search of several resource types, one of them must have each attribute.
fn check_known(
    kinds: &[(ResourceKind, &Rules)],
    filter: Option<&Filter>,
    sort_by: Option<&str>,
) -> Result<(), ScimError> {
    let is_known = |path: &AttributePath| kinds.iter().any(|(_, rules)| rules.resource_type.resolve(path).is_some());
    if let Some(filter) = filter {
        let types: Vec<&ResourceType> = kinds.iter().map(|(_, rules)| &rules.resource_type).collect();
        filter.check_among(&types)?;
    }
    match sort_by.map(str::parse::<AttributePath>) {
        Some(Ok(path)) if is_known(&path) => Ok(()),
        None => Ok(()),
        Some(_) => Err(ScimError::invalid_value("sortBy names no attribute of any resource type")),
    }
}

/// Ids are made in the order of time, so `meta.created` has the index that they have; resources made in the same millisecond are in
/// the order of their ids either way.
fn way(caller: &Caller, parts: &[Part], sort_by: Option<&str>) -> Way {
    if sort_by.is_none() {
        return Way::ById;
    }
    match parts {
        [] => Way::ById,
        [Part { kind, plan, sort: Some(sort), .. }] => match sort.path() {
            "id" | "meta.created" => Way::ById,
            path if Some(path) == caller.unique_attribute(*kind) && *plan == Plan::All => Way::ByUniqueKey,
            _ => Way::Held,
        },
        _ => Way::Held,
    }
}

/// Runs a list; gives the text of the ListResponse, which takes `bytes_max` at the most, and `None` where the members of its first group
/// take more. A page ends before a group that it has no room for.
pub fn list(
    tx: &mut ReadTx<'_>,
    caller: &Arc<Caller>,
    listing: &Listing,
    view: View<'_>,
    bytes_max: usize,
) -> Result<Option<ListText>, ProviderError> {
    write(tx, caller, listing, (view, bytes_max), None)
}

/// Runs a list by one statement, where [`Listing::may_be_one_statement`] says so, and by some more where it shows the groups of users;
/// `None` when an index leads to more than a few resources, which [`list`] then reads.
pub fn list_few(
    tx: &mut ReadTx<'_>,
    caller: &Arc<Caller>,
    listing: &Listing,
    view: View<'_>,
) -> Result<Option<String>, ProviderError> {
    let mut given = None;
    if let [Part { kind, plan: Plan::LookUps(look_ups), .. }] = listing.parts.as_slice()
        && let [LookUp::Key(path, key)] = look_ups.as_slice()
    {
        let found = store::listing::by_key(tx, caller.tenant(), *kind, (path, key), FEW + 1)?;
        if found.len() > FEW as usize {
            return Ok(None);
        }
        given = Some(found);
    }
    let text = write(tx, caller, listing, (view, LIST_BYTES_MAX), given)?;
    // It is not of groups, so that it is one text.
    Ok(text.and_then(|mut text| text.next()))
}

fn write(
    tx: &mut ReadTx<'_>,
    caller: &Arc<Caller>,
    listing: &Listing,
    (view, bytes_max): (View<'_>, usize),
    given: Option<Vec<ResourceRecord>>,
) -> Result<Option<ListText>, ProviderError> {
    let mut page = Page::new(caller, listing, view, bytes_max)?;
    let outcome = page.run(tx, given)?;
    if outcome.is_too_large {
        return Ok(None);
    }
    let Page { resources, items, .. } = page;
    let mut text = String::with_capacity(resources.bytes() + 192);
    write_json(&mut text, format_args!("{{\"schemas\":[\"{LIST_RESPONSE_URN}\"],\"totalResults\":"));
    if let Some(start) = listing.start_index {
        let total = listing.walked_total(start, items, &outcome);
        listing.remember(caller, (start, items, total), &outcome);
        write_json(&mut text, format_args!("{total},\"startIndex\":{start}"));
    } else {
        write_json(&mut text, format_args!("{}", outcome.total));
        let total = listing.filter.as_ref().map(|_| outcome.total);
        for (name, edge) in listing.edges(&outcome) {
            let cursor = listing.pager.seal(&listing.digest(caller), edge, (total, listing.count), listing.now);
            write_json(&mut text, format_args!(",\"{name}\":\"{cursor}\""));
        }
    }
    write_json(&mut text, format_args!(",\"itemsPerPage\":{items},\"Resources\":["));
    Ok(Some(resources.between(text, "]}")))
}

impl Listing {
    /// The number of all matches as a client sees it that walks by index. While it walks, what it has seen may be deleted: the number
    /// then counts what it has seen and what is left, so that a client that stops at that number has seen all that are left.
    fn walked_total(&self, start: u64, items: u32, outcome: &Outcome) -> u64 {
        let seen = start.saturating_sub(1).saturating_add(u64::from(items));
        match &self.begin {
            Begin::Mark(_) if self.count > 0 && !outcome.has_more => seen,
            Begin::Mark(_) if outcome.has_more => outcome.total.max(seen.saturating_add(1)),
            Begin::Mark(_) | Begin::Number(_) | Begin::Edge(_) => outcome.total,
        }
    }

    /// Remembers where the page ended, if it is one of several.
    fn remember(&self, caller: &Caller, (start, items, total): (u64, u32, u64), outcome: &Outcome) {
        let from = match &self.begin {
            Begin::Mark(place) => Some((start, place)),
            Begin::Number(_) | Begin::Edge(_) => None,
        };
        if from.is_none() && !outcome.has_more {
            return;
        }
        let end = outcome.ends.as_ref().map(|(_, last)| {
            let next = start.saturating_add(u64::from(items));
            End { next, place: last.clone(), total, has_more: outcome.has_more }
        });
        self.pager.marks().go_on(&self.walk(caller), from, end, self.now);
    }

    /// Whose walk a page by index belongs to.
    fn walk(&self, caller: &Caller) -> Walk {
        let digest = self.digest(caller);
        let Self { walker, count, is_descending, .. } = *self;
        Walk { tenant: caller.tenant(), walker, digest, count, is_descending }
    }

    /// The cursors of a page, with their names.
    fn edges(&self, outcome: &Outcome) -> Vec<(&'static str, Edge)> {
        if self.count == 0 {
            return Vec::new();
        }
        let mut edges = Vec::new();
        match (&outcome.ends, &self.begin) {
            (Some((first, last)), _) => {
                if outcome.has_before {
                    edges.push(("previousCursor", Edge::Before(first.clone())));
                }
                if outcome.has_more {
                    edges.push(("nextCursor", Edge::After(last.clone())));
                }
            }
            // What was there is deleted.
            (None, Begin::Edge(Edge::After(place))) => edges.push(("previousCursor", Edge::Before(place.clone()))),
            (None, Begin::Edge(Edge::Before(_))) => edges.push(("nextCursor", Edge::Start)),
            (None, Begin::Edge(Edge::Start) | Begin::Number(_) | Begin::Mark(_)) => {}
        }
        edges
    }
}
