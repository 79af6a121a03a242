//! What a compiled pattern remembers of the texts that it met, beside what was compiled: states of the automata that are made when they are
//! needed, and where groups were found. It stays with the pattern, so it has a bound, and counts as the pattern itself does.

/// Bytes for such states, of all automata of a pattern together and in each direction, beside what large classes need.
const STATES_BYTES: usize = 32 << 10;
/// What is added for large classes, at the most: of a pattern that is one automaton, and for each automaton of a pattern that has several.
const LARGE_BYTES_OF_ONE: usize = 512 << 10;
const LARGE_BYTES_OF_EACH: usize = 64 << 10;
/// Bytes of one such state where classes are small, and up to which size they are.
const STATE_BYTES: usize = 256;
const SMALL_SIZE: usize = 8 << 10;
/// Up to so many characters and classes each set of those that can be met at once is one state, and no more states than these sets.
pub(super) const FEW_PARTS_MAX: usize = 8;
/// Bytes that are compiled for a place where the slowest engine may be, at the least; bytes that it remembers there for each group.
const PLACE_SIZE: usize = 88;
const GROUP_BYTES: usize = 32;

/// What is known of a pattern when it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Bytes of what is compiled.
    pub(super) size: usize,
    /// Characters and classes, each as often as it is compiled.
    pub(super) parts: usize,
    /// Groups that capture.
    pub(super) captures: usize,
    /// Classes as written: each may become an automaton of its own where one way is tried after the other.
    pub(super) classes: usize,
    /// Whether it consists of letters alone.
    pub(super) is_plain: bool,
    pub(super) is_backtracking: bool,
    /// Whether it is compiled twice: for texts that end with a line feed too.
    pub(super) is_twofold: bool,
}

/// The bounds of a pattern, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// Of the states of one automaton in one direction, and of one for texts that end with a line feed.
    pub(super) states_max: usize,
    pub(super) second_states_max: usize,
    /// Of everything.
    pub(super) total: usize,
}

impl Shape {
    pub(super) fn memory(self) -> Memory {
        let Self { size, parts, captures, classes, is_plain, is_backtracking, is_twofold } = self;
        let places = size / PLACE_SIZE + 2 * captures;
        let groups = places.saturating_mul(captures + 1).saturating_mul(GROUP_BYTES);
        let each_size = if is_twofold { size / 2 } else { size };
        let pieces = classes.max(1);
        let of_each = STATES_BYTES / pieces + LARGE_BYTES_OF_EACH.min(each_size / 2);
        let of_one = STATES_BYTES + LARGE_BYTES_OF_ONE.min(each_size / 2);
        let (states_max, engines) = if is_backtracking { (of_each, pieces) } else { (of_one, 1) };
        let most = if is_plain {
            parts.saturating_mul(STATE_BYTES)
        } else if parts <= FEW_PARTS_MAX && each_size < SMALL_SIZE && !is_backtracking {
            STATE_BYTES << parts
        } else {
            usize::MAX
        };
        let first = states_max.min(most).saturating_mul(engines);
        let second = if is_twofold { of_each.min(most).saturating_mul(pieces) } else { 0 };
        // States are made in both directions.
        let total = first.saturating_add(second).saturating_mul(2).saturating_add(groups);
        Memory { states_max, second_states_max: of_each, total }
    }
}
