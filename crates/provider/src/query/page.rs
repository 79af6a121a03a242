//! A page of a list while it is written. Resources are read in chunks and turned into text one by one, so that beside the text no more
//! than a chunk is held, however many are looked at and however large they are.

use std::sync::Arc;

use scim::{Attributes, Edge, Matcher, Place, SortKey, fold_effort};
use store::ReadTx;
use store::resources::{ResourceKind, ResourceRecord};

use super::joined::UserGroups;
use super::memberships::{looked_at, sought_by};
use super::stream::Stream;
use super::text::Resources;
use super::{
    Begin, LIST_BYTES_MAX, Listing, MEMBER_EFFORT, PAGE_EFFORT_MAX, Part, SCAN_BYTES_MAX, SHOW_EFFORT_MAX,
    TOO_MUCH_TO_SHOW, Way, held,
};
use crate::effort::Effort;
use crate::packed::{Members, read_members};
use crate::representation::{Joined, View, complete, represent};
use crate::{Caller, ProviderError, document, group_text, groups, manager};

/// What a run of a list found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Matches in all, as far as they are known.
    pub(super) total: u64,
    /// The first and the last resource that are shown.
    pub(super) ends: Option<(Place, Place)>,
    /// Whether there are matches behind those that are shown, and in front of them.
    pub(super) has_more: bool,
    pub(super) has_before: bool,
    /// Whether the first resource takes more memory than the page may.
    pub(super) is_too_large: bool,
}

pub(super) struct Page<'q> {
    pub(super) caller: &'q Arc<Caller>,
    pub(super) listing: &'q Listing,
    pub(super) view: View<'q>,
    /// What the filter says of each part, where the plan does not say it all.
    matchers: Vec<Option<Matcher<'q>>>,
    /// What it looks for among the memberships of each part.
    pub(super) sought: Vec<Vec<Matcher<'q>>>,
    /// What was read for the filter or the order, in bytes.
    pub(super) read: Effort,
    /// What the filter and the order have cost.
    pub(super) effort: Effort,
    /// Memberships that the filter has looked at.
    pub(super) looked_at: Effort,
    /// What choosing what is shown has cost.
    shown: Effort,
    /// The groups of the users that are shown.
    pub(super) user_groups: UserGroups,
    pub(super) items: u32,
    pub(super) resources: Resources,
    /// What the resources may take, in bytes of memory.
    bytes_max: usize,
}

impl<'q> Page<'q> {
    pub(super) fn new(
        caller: &'q Arc<Caller>,
        listing: &'q Listing,
        view: View<'q>,
        bytes_max: usize,
    ) -> Result<Self, ProviderError> {
        let matcher = |part: &Part| match &listing.filter {
            Some(filter) if !part.is_exact => {
                Ok::<_, ProviderError>(Some(filter.matcher_where_known(caller.resource_type(part.kind)?)))
            }
            _ => Ok(None),
        };
        let matchers = listing.parts.iter().map(matcher).collect::<Result<_, _>>()?;
        let sought = sought_by(caller, &listing.parts)?;
        let read = Effort::new(
            SCAN_BYTES_MAX,
            "the resources are too large to look at so many; narrow the list with a filter",
        );
        let effort = Effort::new(
            listing.effort_max,
            "the filter makes too many comparisons for so many resources; ask for an indexed attribute too",
        );
        let shown = Effort::new(SHOW_EFFORT_MAX, TOO_MUCH_TO_SHOW);
        Ok(Self {
            caller,
            listing,
            view,
            matchers,
            sought,
            read,
            effort,
            looked_at: looked_at(listing.memberships_max),
            shown,
            user_groups: UserGroups::new(caller, view)?,
            items: 0,
            resources: Resources::default(),
            bytes_max,
        })
    }

    /// Looks at the candidates, which may be given, and writes the page.
    pub(super) fn run(
        &mut self,
        tx: &mut ReadTx<'_>,
        given: Option<Vec<ResourceRecord>>,
    ) -> Result<Outcome, ProviderError> {
        match self.listing.way {
            Way::Held => held::run(self, tx),
            Way::ById | Way::ByUniqueKey => {
                let mut stream = Stream::new(self.caller, self.listing, false);
                if let Some(records) = given {
                    stream.give(records);
                }
                self.walk(tx, &mut stream)
            }
        }
    }

    /// Whether every candidate is a match, so that there is nothing to try.
    fn is_counted(&self) -> bool {
        self.matchers.iter().all(Option::is_none)
    }

    fn walk(&mut self, tx: &mut ReadTx<'_>, stream: &mut Stream<'_>) -> Result<Outcome, ProviderError> {
        let listing = self.listing;
        let mut outcome = Outcome::default();
        let mut known = listing.total;
        if self.is_counted() {
            let mut total = 0;
            for part in 0..listing.parts.len() {
                total += stream.len(tx, part)?;
            }
            known = Some(total);
        }
        let (mut skipped, mut limit) = (0, listing.count);
        match &listing.begin {
            Begin::Edge(Edge::Start) | Begin::Number(0) => {}
            Begin::Number(number) if self.is_counted() => stream.skip(tx, *number)?,
            Begin::Number(number) => skipped = *number,
            Begin::Edge(Edge::After(place)) | Begin::Mark(place) => {
                stream.go_behind(place);
                outcome.has_before = true;
            }
            Begin::Edge(Edge::Before(place)) => {
                let (start, found) = self.find_back(tx, place)?;
                outcome.has_before = start.is_some();
                if let Some(start) = &start {
                    stream.go_behind(start);
                }
                limit = found;
            }
        }
        self.fill(tx, stream, (skipped, limit), known, &mut outcome)?;
        Ok(outcome)
    }

    /// Shows the next `limit` matches behind those to be skipped. Matches of other pages are counted where their number is not known.
    fn fill(
        &mut self,
        tx: &mut ReadTx<'_>,
        stream: &mut Stream<'_>,
        (skipped, limit): (u64, u32),
        known: Option<u64>,
        outcome: &mut Outcome,
    ) -> Result<(), ProviderError> {
        let mut counted = 0;
        outcome.total = known.unwrap_or(0);
        if limit == 0 && known.is_some() {
            return Ok(());
        }
        loop {
            // One more tells whether there are more.
            let rows = if self.is_counted() { limit.saturating_sub(self.items) + 1 } else { u32::MAX };
            let Some((part, records)) = stream.next(tx, rows)? else { break };
            let (mut first, mut last) = (None, None);
            if self.is_counted() {
                self.foresee(tx, part, &records.iter().take(limit as usize).collect::<Vec<_>>())?;
            }
            for record in &records {
                if !self.matches(tx, part, record)? {
                    continue;
                }
                counted += 1;
                if counted <= skipped {
                    continue;
                }
                let is_over = self.items == limit || outcome.has_more || self.is_full();
                if is_over || !self.show(tx, part, record)? {
                    outcome.has_more = true;
                    outcome.is_too_large = self.items == 0 && limit > 0;
                    if known.is_some() || outcome.is_too_large {
                        break;
                    }
                    continue;
                }
                first = first.or(Some(record));
                last = Some(record);
            }
            if let Some((first, last)) = first.zip(last) {
                let last = stream.place(part, last)?;
                let first = outcome.ends.take().map_or_else(|| stream.place(part, first), |(first, _)| Ok(first))?;
                outcome.ends = Some((first, last));
            }
            if outcome.has_more && known.is_some() || outcome.is_too_large {
                return Ok(());
            }
        }
        outcome.total = known.unwrap_or(counted);
        Ok(())
    }

    /// Where the page begins that ends before a place, and how many matches it has: behind which match, `None` for the first page.
    fn find_back(&mut self, tx: &mut ReadTx<'_>, place: &Place) -> Result<(Option<Place>, u32), ProviderError> {
        let mut stream = Stream::new(self.caller, self.listing, true);
        stream.go_behind(place);
        let (limit, mut found) = (self.listing.count, 0);
        loop {
            let rows = if self.is_counted() { limit - found + 1 } else { u32::MAX };
            let Some((part, records)) = stream.next(tx, rows)? else { return Ok((None, found)) };
            for record in &records {
                if !self.matches(tx, part, record)? {
                    continue;
                }
                if found == limit {
                    return Ok((Some(stream.place(part, record)?), found));
                }
                found += 1;
            }
        }
    }

    pub(super) fn matches(
        &mut self,
        tx: &mut ReadTx<'_>,
        part: usize,
        record: &ResourceRecord,
    ) -> Result<bool, ProviderError> {
        if self.matchers[part].is_none() {
            return Ok(true);
        }
        let resource = self.read(tx, part, record)?;
        self.is_match(part, &resource)
    }

    /// The whole resource, as a filter sees it.
    pub(super) fn read(
        &mut self,
        tx: &mut ReadTx<'_>,
        part: usize,
        record: &ResourceRecord,
    ) -> Result<Attributes, ProviderError> {
        let Part { kind, memberships, .. } = &self.listing.parts[part];
        self.read.spend(record.doc.len() as u64)?;
        self.effort.spend(MEMBER_EFFORT.saturating_mul(memberships.look_ups()))?;
        let mut resource = document::read(&record.doc)?;
        manager::make_whole(&mut resource, self.view.base);
        complete(self.caller, *kind, record, self.view.base, &mut resource)?;
        self.join_memberships(tx, part, record.id, &mut resource)?;
        Ok(resource)
    }

    /// As much of a resource as its place needs, and the filter where there is one to try.
    pub(super) fn read_to_sort(
        &mut self,
        tx: &mut ReadTx<'_>,
        part: usize,
        record: &ResourceRecord,
    ) -> Result<Attributes, ProviderError> {
        let held_under = self.listing.parts[part].sort.as_ref().map_or("", scim::Sort::held_under);
        if self.matchers[part].is_some() || ["id", "meta", "schemas"].contains(&held_under) {
            return self.read(tx, part, record);
        }
        self.read.spend(record.doc.len() as u64)?;
        document::read_one(&record.doc, held_under)
    }

    /// Whether a resource that was read matches.
    pub(super) fn is_match(&mut self, part: usize, resource: &Attributes) -> Result<bool, ProviderError> {
        let Some(matcher) = &self.matchers[part] else { return Ok(true) };
        let mut work = 0;
        let is_match = matcher.matches_counting(resource, &mut work);
        self.effort.spend(work)?;
        Ok(is_match)
    }

    /// The place of a resource that was read.
    pub(super) fn key(&mut self, part: usize, resource: &Attributes) -> Result<SortKey, ProviderError> {
        let Some(sort) = &self.listing.parts[part].sort else { return Ok(SortKey::Missing) };
        self.effort.spend(sort.effort(resource))?;
        Ok(sort.key(resource))
    }

    /// Whether the page ends here, before its count: the next one then begins with what this one leaves out.
    pub(super) const fn is_full(&self) -> bool {
        self.resources.bytes() >= LIST_BYTES_MAX || self.shown.spent() >= PAGE_EFFORT_MAX
    }

    /// Reads at once what belongs to resources that are about to be shown.
    pub(super) fn foresee(
        &mut self,
        tx: &mut ReadTx<'_>,
        part: usize,
        records: &[&ResourceRecord],
    ) -> Result<(), ProviderError> {
        match self.listing.parts[part].kind {
            ResourceKind::User => self.user_groups.foresee(tx, self.caller, records),
            ResourceKind::Group | ResourceKind::Custom(_) => Ok(()),
        }
    }

    /// Writes the next resource of the page; says whether there was room for it.
    pub(super) fn show(
        &mut self,
        tx: &mut ReadTx<'_>,
        part: usize,
        record: &ResourceRecord,
    ) -> Result<bool, ProviderError> {
        let (caller, kind, view) = (self.caller, self.listing.parts[part].kind, self.view);
        let mut joined = None;
        let members = match kind {
            ResourceKind::Custom(_) => Members::Unwanted,
            ResourceKind::User => {
                joined = self.user_groups.of(tx, caller, record.id, view)?;
                Members::Unwanted
            }
            ResourceKind::Group => {
                let left = self.bytes_max.saturating_sub(self.resources.bytes());
                read_members(tx, caller, record.id, view, left, &mut self.shown)?
            }
        };
        let comparisons = view.projection.comparisons() as u64;
        if comparisons > 0 {
            let compared = (record.doc.len() as u64).saturating_mul(comparisons);
            self.shown.spend(compared.saturating_add(fold_effort(&record.doc)))?;
        }
        match &members {
            Members::TooLarge => return Ok(false),
            Members::Few(members) => {
                joined = groups::known_members_json(caller, members, view)?.map(Joined::members);
            }
            Members::Unwanted | Members::Many(_) => {}
        }
        if self.items > 0 {
            self.resources.push_str(",");
        }
        if let Members::Many(packed) = members {
            self.resources.push_str(&group_text::head(caller, record, view)?);
            self.resources.push_members(caller, view, packed);
            self.resources.push_str(group_text::TAIL);
        } else {
            self.resources.push_str(&represent(caller, kind, record, view, joined.as_ref())?);
        }
        self.items += 1;
        Ok(true)
    }
}
