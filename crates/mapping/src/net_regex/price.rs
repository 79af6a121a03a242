//! What searches cost, as far as it is known before they are made: so much is taken from what an evaluation may spend, and what was not
//! needed is given back. A search that could take more than is left is not begun.

use super::cost::Cost;
use super::translate::Translated;

/// Ways that the engine goes back to and tries anew in one search, where a pattern needs that at all: where each place has few of them,
/// and where it has many.
const BACKTRACKS_MAX_OF_FEW: usize = 60_000;
const BACKTRACKS_MAX: usize = 5_000;
/// Steps that trying all ways of one place takes, where they are few.
const FEW_STEPS_MAX: usize = 10_000;
/// What such a step costs.
const STEP_COST: usize = 60;
/// What all searches of one evaluation may cost: nanoseconds, roughly.
const COST_MAX: usize = 100_000_000;
/// What beginning a search costs, and finding out its groups, beside what is looked at.
const SEARCH_COST: usize = 1_000;
/// How much more that is where borders of words are looked for in a text that is not ASCII: the fast engine leaves such a text to a slow one,
/// to which each part of the pattern costs as much at each byte as it costs to find groups.
const BORDER_TIMES: usize = 5;
/// What a byte costs that is looked at to find a match. Where a match ends is known only behind it, at worst at the end of the text.
const BYTE_COST: usize = 2;
/// What finding out the groups of a match costs for each of its bytes and of what the pattern weighs.
const GROUP_COST: usize = 25;
/// The same where the search may have to look at the text slowly: all parts that may be met at once are followed.
const BLURRED_COST: usize = 75;
/// Each way that is tried anew may look at the rest of the text with each part of the pattern: what that costs for a byte, and what it costs
/// slowly.
const SCAN_COST: usize = 3;
const BLURRED_SCAN_COST: usize = 12;
/// What finding out one group of a match costs beside that.
const EACH_GROUP_COST: usize = 150;
/// Bytes of a character at the most.
const CHARACTER_BYTES: usize = 4;
/// What the searches of one evaluation may still cost, all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort(usize);

impl Default for Effort {
    fn default() -> Self {
        Self(COST_MAX)
    }
}

impl Effort {
    pub(super) fn spend(&mut self, cost: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(cost).ok_or(Exhausted)?;
        Ok(())
    }

    pub(super) fn give_back(&mut self, cost: usize) {
        self.0 = self.0.saturating_add(cost).min(COST_MAX);
    }
}

/// A search that would take more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression takes too many steps on this value")]
pub(crate) struct Exhausted;

/// What a pattern's searches cost.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is found out on its own, by another part of a pattern")]
pub(super) struct Prices {
    pub(super) cost: Cost,
    captures: usize,
    is_backtracking: bool,
    /// Whether borders of words are found by the slow engine.
    is_slow: bool,
    is_blurred: bool,
    is_anchored: bool,
}

impl Prices {
    pub(super) const fn of(pattern: &Translated) -> Self {
        let Translated { cost, captures, is_backtracking, is_blurred, is_anchored, .. } = *pattern;
        Self { cost, captures, is_backtracking, is_slow: false, is_blurred, is_anchored }
    }

    /// The same for a text on which another engine may run.
    pub(super) const fn on(self, is_backtracking: bool, is_slow: bool) -> Self {
        Self { is_backtracking, is_slow, ..self }
    }

    /// Ways that one search may try.
    pub(super) fn backtracks_max(&self) -> usize {
        if self.is_few() { BACKTRACKS_MAX_OF_FEW } else { BACKTRACKS_MAX }
    }

    fn is_few(&self) -> bool {
        self.cost.reach != usize::MAX && self.cost.steps <= FEW_STEPS_MAX
    }

    /// What a search costs whatever it looks at.
    pub(super) const fn beginning(&self) -> usize {
        if self.is_slow { SEARCH_COST * BORDER_TIMES } else { SEARCH_COST }
    }

    /// What a search costs that found a match which begins and ends behind so many bytes.
    pub(super) fn found(&self, begin: usize, end: usize, rest: usize) -> usize {
        // What tries all ways at once goes on behind a match only as long as a better one may come.
        let behind = if self.is_backtracking { self.cost.reach } else { self.cost.beyond };
        let looked_at = behind.saturating_mul(CHARACTER_BYTES).saturating_add(end + 1).min(rest);
        self.search(begin + 1, looked_at)
    }

    /// What a search costs that tries to begin at so many places and looks at so many bytes.
    pub(super) fn search(&self, places: usize, bytes: usize) -> usize {
        if !self.is_backtracking {
            return bytes.saturating_mul(self.of_byte());
        }
        if !self.is_few() {
            let places = if self.is_anchored { 1 } else { places };
            let ways = bytes.saturating_add(1).saturating_pow(self.cost.loops).saturating_mul(self.cost.choices);
            let tries = places.saturating_mul(ways).min(BACKTRACKS_MAX);
            let scanned = bytes.saturating_pow(self.cost.scans.max(1));
            let of_part = if self.is_blurred { BLURRED_SCAN_COST } else { SCAN_COST };
            let scans = tries.saturating_mul(scanned).saturating_mul(self.cost.parts.saturating_mul(of_part));
            return scans.saturating_add(bytes.saturating_mul(STEP_COST));
        }
        let of_each = self.cost.steps / self.cost.ways + 2;
        let steps = places.saturating_mul(self.cost.steps + 1).min(BACKTRACKS_MAX_OF_FEW.saturating_mul(of_each));
        steps.saturating_mul(STEP_COST).saturating_add(bytes.saturating_mul(BYTE_COST))
    }

    fn of_byte(&self) -> usize {
        match (self.is_blurred, self.is_slow) {
            (true, _) => self.cost.parts.saturating_mul(BLURRED_COST),
            (false, true) => self.cost.parts.saturating_mul(GROUP_COST),
            (false, false) => BYTE_COST,
        }
    }

    /// What finding out the groups of a match of so many bytes costs: more than to find it.
    pub(super) fn groups(&self, bytes: usize) -> usize {
        let of_match = if self.is_backtracking {
            self.search(1, bytes)
        } else {
            let of_byte = self.cost.weight.saturating_mul(GROUP_COST + self.captures);
            bytes.saturating_mul(of_byte)
        };
        of_match.saturating_add(self.captures * EACH_GROUP_COST).saturating_add(self.beginning())
    }
}
