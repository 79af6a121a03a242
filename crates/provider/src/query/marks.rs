//! Where the pages of walks by index ended.
//!
//! A client that walks by `startIndex` asks for "the 101st" when it has seen a hundred. While it walks, others are made and deleted, so
//! that the 101st is no longer the one behind the last it has seen. A page by index therefore leaves a mark, and the one that follows
//! goes on from there.
//!
//! The law: who is there during the whole walk is **never skipped**, and is shown twice only where two walks cannot be told apart. A
//! number alone would skip: whoever is deleted in front of it moves everybody behind it forward. Two walks are told apart by the
//! token, by what is asked for, by the size of their pages and by the number they stand at. Where several still stand at one number,
//! in different places, who asks may be any of them, and goes on from the place that comes first. From there on they stand together.
//! A walk that has gone on leaves its mark behind for the case that its request is sent again, and one that is over leaves a last one;
//! such a mark counts for less than one where a walk stands. A mark that is forgotten, by age or because the same token walks through very many lists, leaves the number.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use scim::Place;
use store::TenantKey;

use super::pager::{Digest, Walker};

/// How long the end of a page by index is remembered.
pub(super) const MARK_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Ends of pages that are remembered for one token. Those that a walk has left are forgotten first, then the oldest.
const MARKS_EACH: usize = 32;
/// Tokens of one tenant for which any are remembered; who has not walked for longest is forgotten first.
const WALKERS_EACH: usize = 8;
/// Tenants for which any are remembered; who has not walked for longest is forgotten first.
const TENANTS_MAX: usize = 1024;
/// Longest text of a sorted list's place that is remembered, in bytes.
const MARK_KEY_BYTES_MAX: usize = 256;
/// Most walks that are counted in one place.
const WALKS_TOGETHER_MAX: u8 = 4;

/// What tells one walk from another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) tenant: TenantKey,
    pub(super) walker: Walker,
    pub(super) digest: Digest,
    /// The size of its pages, as it asks for them.
    pub(super) count: u32,
    /// Whether its places come in descending order.
    pub(super) is_descending: bool,
}

/// The end of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The number of the resource behind it.
    pub(super) next: u64,
    pub(super) place: Place,
    /// What the client was told of the number of all.
    pub(super) total: u64,
    /// Whether the walk goes on. A client that asks once more all the same is shown what has come since.
    pub(super) has_more: bool,
}

#[derive(Debug)]
struct Mark {
    digest: Digest,
    count: u32,
    end: End,
    /// How many walks stand here; 0 when all have gone on.
    walks: u8,
    expires: Timestamp,
}

/// The marks of one token.
#[derive(Debug, Default)]
struct Trail {
    marks: VecDeque<Mark>,
    /// When it last left one.
    last: Timestamp,
}

/// All that is remembered.
#[derive(Debug, Default)]
pub(super) struct Marks(HashMap<TenantKey, Vec<(Walker, Trail)>>);

impl Marks {
    /// Where the page goes on that begins with this number, and the number of all that was told; `None` where that is not known.
    pub(super) fn find(&self, walk: &Walk, start: u64, now: Timestamp) -> Option<(Place, u64)> {
        let (_, trail) = self.0.get(&walk.tenant)?.iter().find(|(walker, _)| *walker == walk.walker)?;
        let live = |mark: &&Mark| mark.expires > now && mark.digest == walk.digest && mark.end.next == start;
        let of_size = || trail.marks.iter().filter(live).filter(|mark| mark.count == walk.count);
        let standing = |mark: &&Mark| mark.walks > 0;
        let first = |one: &&Mark, other: &&Mark| order(walk, one, other);
        let mark = of_size().filter(standing).min_by(first).or_else(|| of_size().next_back());
        // A client whose last page is smaller goes on all the same.
        let mark = mark.or_else(|| trail.marks.iter().filter(live).filter(standing).min_by(first))?;
        Some((mark.end.place.clone(), mark.end.total))
    }

    /// Notes that a page was shown. `from` is its number and the place that [`Self::find`] gave, `None` for a page that none precedes;
    /// `end` is where the walk now stands, `None` when nothing was shown.
    pub(super) fn go_on(&mut self, walk: &Walk, from: Option<(u64, &Place)>, end: Option<End>, now: Timestamp) {
        let is_kept = |end: &End| end.place.key.as_ref().is_none_or(|key| key.bytes() <= MARK_KEY_BYTES_MAX);
        let end = end.filter(is_kept);
        if from.is_none() && end.is_none() {
            return;
        }
        let trail = self.trail(walk, now);
        trail.marks.retain(|mark| mark.expires > now);
        let is_again = from.is_some_and(|(start, place)| !trail.leave(walk, start, place));
        if let Some(end) = end {
            trail.stand(walk, end, is_again, now);
        }
    }

    fn trail(&mut self, walk: &Walk, now: Timestamp) -> &mut Trail {
        if self.0.len() >= TENANTS_MAX && !self.0.contains_key(&walk.tenant) {
            let last = |trails: &[(Walker, Trail)]| trails.iter().map(|(_, trail)| trail.last).max();
            let idle = self.0.iter().min_by_key(|(_, trails)| last(trails)).map(|(tenant, _)| *tenant);
            idle.map(|idle| self.0.remove(&idle));
        }
        let trails = self.0.entry(walk.tenant).or_default();
        let at = trails.iter().position(|(walker, _)| *walker == walk.walker).unwrap_or_else(|| {
            if trails.len() >= WALKERS_EACH {
                let idle = trails.iter().enumerate().min_by_key(|(_, (_, trail))| trail.last).map(|(at, _)| at);
                idle.map(|idle| trails.swap_remove(idle));
            }
            trails.push((walk.walker, Trail::default()));
            trails.len() - 1
        });
        let (_, trail) = &mut trails[at];
        trail.last = now;
        trail
    }
}

impl Trail {
    /// A walk leaves the place it was shown to go on from. Whoever else stands at that number stands there too from now on. Tells
    /// whether a walk stood there; none does when a request is sent again.
    fn leave(&mut self, walk: &Walk, start: u64, place: &Place) -> bool {
        let is_meant = |mark: &Mark| mark.digest == walk.digest && mark.end.next == start && mark.walks > 0;
        let of_place = |mark: &&Mark| is_meant(mark) && mark.end.place == *place;
        let left = self.marks.iter().filter(of_place);
        let Some(count) = left.map(|mark| mark.count).min_by_key(|count| *count != walk.count) else { return false };
        let is_first = |mark: &Mark| {
            self.marks
                .iter()
                .filter(|other| is_meant(other) && other.count == count)
                .all(|other| order(walk, mark, other).is_le())
        };
        let is_first = self.marks.iter().any(|mark| of_place(&mark) && mark.count == count && is_first(mark));
        let mut others = 0;
        if is_first {
            self.marks.retain(|mark| {
                let is_other = is_meant(mark) && mark.count == count && mark.end.place != *place;
                others += if is_other { mark.walks } else { 0 };
                !is_other
            });
        }
        if let Some(mark) = self.marks.iter_mut().find(|mark| of_place(&&**mark) && mark.count == count) {
            mark.walks = (mark.walks - 1).saturating_add(others).min(WALKS_TOGETHER_MAX);
        }
        true
    }

    /// A walk stands where its page ended. Who was shown the page again stands there already.
    fn stand(&mut self, walk: &Walk, end: End, is_again: bool, now: Timestamp) {
        let expires = now.saturating_add(MARK_LIFE).unwrap_or(Timestamp::MAX);
        let is_same = |mark: &Mark| {
            mark.digest == walk.digest
                && mark.count == walk.count
                && mark.end.next == end.next
                && mark.end.place == end.place
        };
        let mut walks = u8::from(end.has_more);
        if let Some(at) = self.marks.iter().position(is_same)
            && let Some(mark) = self.marks.remove(at)
        {
            let is_counted = end.has_more && !(is_again && mark.walks > 0);
            walks = mark.walks.saturating_add(u8::from(is_counted)).min(WALKS_TOGETHER_MAX);
        }
        if self.marks.len() >= MARKS_EACH {
            let at = self.marks.iter().position(|mark| mark.walks == 0).unwrap_or(0);
            self.marks.remove(at);
        }
        self.marks.push_back(Mark { digest: walk.digest, count: walk.count, end, walks, expires });
    }
}

/// Which of two places comes first in the list.
fn order(walk: &Walk, one: &Mark, other: &Mark) -> Ordering {
    let (one, other) = (&one.end.place, &other.end.place);
    let order = one.key.cmp(&other.key).then_with(|| (one.part, one.id).cmp(&(other.part, other.id)));
    if walk.is_descending { order.reverse() } else { order }
}

#[cfg(test)]
mod tests;
