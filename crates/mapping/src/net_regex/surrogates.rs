//! The halves of the characters beyond U+FFFF, which .NET sees in a text and the engine does not: its texts are of whole characters. What
//! matches any half, or one half behind the other, becomes what matches the whole character.

/// Units of UTF-16 that are halves of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) first: u32,
    pub(super) last: u32,
}

/// All halves: those that come first, and those that come behind them.
pub(super) const ALL: Units = Units { first: 0xD800, last: 0xDFFF };
const LOW: Units = Units { first: 0xDC00, last: 0xDFFF };
/// What stands for several ranges: nothing that one range of the first halves or of the second is.
const SCATTERED: Units = Units { first: u32::MAX, last: 0 };
/// What all halves are in a class of the engine.
pub(super) const WHOLE: &str = "\\x{10000}-\\x{10FFFF}";
/// Why a pattern is refused that takes characters apart.
pub(super) const HALF: &str = "matches a half of a character beyond U+FFFF (a surrogate): write `\\p{Cs}` or `[\\uD800-\\uDFFF]` for all of \
                               them, or both halves, one behind the other, as `\\uD83D[\\uDC00-\\uDFFF]`";

pub(super) fn is_unit(number: u32) -> bool {
    (ALL.first..=ALL.last).contains(&number)
}

/// Takes a range apart: the halves in it, and what is before and behind them.
pub(super) fn split(first: u32, last: u32) -> (Option<Units>, [Option<(u32, u32)>; 2]) {
    if last < ALL.first || first > ALL.last || last > 0xFFFF {
        return (None, [Some((first, last)), None]);
    }
    let before = (first < ALL.first).then_some((first, ALL.first - 1));
    let behind = (last > ALL.last).then_some((ALL.last + 1, last));
    (Some(Units { first: first.max(ALL.first), last: last.min(ALL.last) }), [before, behind])
}

/// The halves of a class as one range; `None` where there are none, and an empty range where one range is not enough.
pub(super) fn merged(mut halves: Vec<Units>) -> Option<Units> {
    halves.sort_by_key(|units| units.first);
    let (first, rest) = halves.split_first()?;
    let mut all = *first;
    for units in rest {
        if units.first > all.last + 1 {
            return Some(SCATTERED);
        }
        all.last = all.last.max(units.last);
    }
    Some(all)
}

/// The characters, from one to another, whose halves are these; `None` where they are no such range.
pub(super) fn characters(high: Units, low: Units) -> Option<(u32, u32)> {
    let is_high = high.first >= ALL.first && high.last < LOW.first && high.first <= high.last;
    let is_low = low.first >= LOW.first && low.last <= LOW.last && low.first <= low.last;
    let is_range = low == LOW || high.first == high.last;
    let whole = |high: u32, low: u32| 0x10000 + ((high - ALL.first) << 10) + (low - LOW.first);
    (is_high && is_low && is_range).then(|| (whole(high.first, low.first), whole(high.last, low.last)))
}

/// Whether these are all that can come behind a first half.
pub(super) fn is_every_low(units: Units) -> bool {
    units == LOW
}
