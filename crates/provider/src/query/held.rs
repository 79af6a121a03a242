//! Lists in an order that no index has: the keys of all matches are held and sorted, then the resources of the page are read.

use std::cmp::Ordering;

use scim::{Edge, Place, ScimError, SortKey};
use store::resources::ResourceRecord;
use store::{ReadTx, ResourceId, listing};

use super::page::{Outcome, Page};
use super::stream::{IDS_CHUNK, Stream, place_of};
use super::{Begin, Part, SORT_BYTES_MAX, SORT_MAX};
use crate::ProviderError;

/// The place of a match: by its key, then by its part and id.
type Entry = (SortKey, usize, ResourceId);

fn too_many() -> ScimError {
    ScimError::too_many(format!(
        "at most {SORT_MAX} resources, with keys of {SORT_BYTES_MAX} bytes together, are sorted by an attribute without index; \
         narrow the list with a filter, or sort by id, meta.created or the unique attribute"
    ))
}

/// Runs a list that is sorted in memory.
pub(super) fn run(page: &mut Page<'_>, tx: &mut ReadTx<'_>) -> Result<Outcome, ProviderError> {
    let listing = page.listing;
    let mut entries = collect(page, tx)?;
    let mut outcome = Outcome { total: entries.len() as u64, ..Outcome::default() };
    if listing.count == 0 {
        return Ok(outcome);
    }
    entries.sort_unstable();
    if listing.is_descending {
        entries.reverse();
    }
    let count = listing.count as usize;
    let (from, to) = match &listing.begin {
        Begin::Edge(Edge::Start) => (0, count),
        Begin::Number(number) => {
            let from = usize::try_from(*number).unwrap_or(usize::MAX);
            (from, from.saturating_add(count))
        }
        Begin::Edge(Edge::After(place)) | Begin::Mark(place) => {
            let from = entries.partition_point(|entry| order(entry, place, listing.is_descending).is_le());
            (from, from.saturating_add(count))
        }
        Begin::Edge(Edge::Before(place)) => {
            let to = entries.partition_point(|entry| order(entry, place, listing.is_descending).is_lt());
            (to.saturating_sub(count), to)
        }
    };
    let wanted = entries.get(from..to.min(entries.len())).unwrap_or_default();
    outcome.has_before = from > 0;
    let shown = show(page, tx, wanted)?;
    outcome.is_too_large = shown == 0 && !wanted.is_empty();
    if let Some((first, last)) = wanted.first().zip(wanted.get(shown.saturating_sub(1))) {
        outcome.ends = Some((place(first), place(last)));
    }
    outcome.has_more = from.saturating_add(shown) < entries.len();
    Ok(outcome)
}

fn place((key, part, id): &Entry) -> Place {
    Place { key: Some(key.clone()), ..place_of(*part, *id) }
}

/// Where an entry is, seen from a place, in the order of the list.
fn order((key, part, id): &Entry, place: &Place, is_descending: bool) -> Ordering {
    let other = place.key.as_ref().unwrap_or(&SortKey::Missing);
    let order = key.cmp(other).then_with(|| (*part, id.to_bytes()).cmp(&(usize::from(place.part), place.id)));
    if is_descending { order.reverse() } else { order }
}

/// The keys of all matches.
fn collect(page: &mut Page<'_>, tx: &mut ReadTx<'_>) -> Result<Vec<Entry>, ProviderError> {
    let (caller, list) = (page.caller, page.listing);
    if list.filter.is_none() {
        let mut total = 0;
        for part in &list.parts {
            total += listing::count(tx, caller.tenant(), part.kind)?;
        }
        if total > u64::from(SORT_MAX) {
            return Err(too_many().into());
        }
    }
    let mut stream = Stream::unordered(caller, list);
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while let Some((part, records)) = stream.next(tx, u32::MAX)? {
        for record in &records {
            let resource = page.read_to_sort(tx, part, record)?;
            if !page.is_match(part, &resource)? {
                continue;
            }
            let key = page.key(part, &resource)?;
            bytes += key.bytes();
            if entries.len() >= SORT_MAX as usize || bytes > SORT_BYTES_MAX {
                return Err(too_many().into());
            }
            entries.push((key, part, record.id));
        }
    }
    Ok(entries)
}

/// Shows resources in the given order, until the page is full; gives how many.
fn show(page: &mut Page<'_>, tx: &mut ReadTx<'_>, wanted: &[Entry]) -> Result<usize, ProviderError> {
    let mut shown = 0;
    for some in wanted.chunks(IDS_CHUNK) {
        let mut found: Vec<(usize, ResourceRecord)> = Vec::with_capacity(some.len());
        for (part, Part { kind, .. }) in page.listing.parts.iter().enumerate() {
            let ids: Vec<ResourceId> = some.iter().filter(|entry| entry.1 == part).map(|entry| entry.2).collect();
            if !ids.is_empty() {
                let records = listing::by_ids(tx, page.caller.tenant(), *kind, &ids)?;
                page.foresee(tx, part, &records.iter().collect::<Vec<_>>())?;
                found.extend(records.into_iter().map(|record| (part, record)));
            }
        }
        for (_, part, id) in some {
            // One snapshot gave the ids and the resources.
            let record = found.iter().find(|(of, record)| of == part && record.id == *id);
            if page.is_full() {
                return Ok(shown);
            }
            if let Some((part, record)) = record
                && !page.show(tx, *part, record)?
            {
                return Ok(shown);
            }
            shown += 1;
        }
    }
    Ok(shown)
}
