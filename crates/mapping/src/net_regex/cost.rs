//! What a pattern costs: its memory, and the steps that a search takes at the most, counted while the pattern is translated.

/// What a part of a pattern costs. Everything is an upper bound, and stays at `usize::MAX` once it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// What one step through a text costs where all ways are tried at once.
    pub(super) weight: usize,
    /// The characters and classes that are looked for, each as often as it is compiled: so many ways there may be to be followed at once.
    pub(super) parts: usize,
    /// Bytes of the compiled part, as measured.
    pub(super) size: usize,
    /// Characters that it can look at from where it begins; `usize::MAX` where there is no bound.
    pub(super) reach: usize,
    /// Characters that are looked at behind the last place where a match could end, or behind where it begins, until it is known that it goes
    /// on: of `a+` it is the one behind the match, of `a.*b` all; `usize::MAX` where there is no bound.
    pub(super) beyond: usize,
    /// Whether it matches where nothing is taken, wherever that is.
    pub(super) may_be_empty: bool,
    /// Ways to go on behind it.
    pub(super) ways: usize,
    /// Steps until all those ways were tried one after the other.
    pub(super) steps: usize,
    /// Whether it is compiled once where it is repeated.
    pub(super) is_kept: bool,
}

/// How often a part is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// The copies that are compiled.
    pub(super) copies: usize,
    /// The fewest.
    pub(super) least: usize,
    pub(super) is_bounded: bool,
}

impl Cost {
    pub(super) const NOTHING: Self = Self {
        weight: 0,
        parts: 0,
        size: 0,
        reach: 0,
        beyond: 0,
        may_be_empty: true,
        ways: 1,
        steps: 0,
        is_kept: false,
    };

    /// Of what looks at one character.
    pub(super) const fn of_one(weight: usize, size: usize) -> Self {
        Self { weight, parts: 1, size, reach: 1, beyond: 1, may_be_empty: false, ways: 1, steps: 1, is_kept: false }
    }

    /// One behind the other.
    pub(super) fn then(self, next: Self) -> Self {
        Self {
            weight: self.weight.saturating_add(next.weight),
            parts: self.parts.saturating_add(next.parts),
            size: self.size.saturating_add(next.size),
            reach: self.reach.saturating_add(next.reach),
            beyond: if next.may_be_empty {
                self.beyond.max(next.beyond)
            } else {
                self.reach.saturating_add(next.beyond)
            },
            may_be_empty: self.may_be_empty && next.may_be_empty,
            ways: self.ways.saturating_mul(next.ways),
            steps: self.steps.saturating_add(self.ways.saturating_mul(next.steps)),
            is_kept: self.is_kept || next.is_kept,
        }
    }

    /// The one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            weight: self.weight.saturating_add(other.weight),
            parts: self.parts.saturating_add(other.parts),
            size: self.size.saturating_add(other.size),
            reach: self.reach.max(other.reach),
            beyond: self.beyond.max(other.beyond),
            may_be_empty: self.may_be_empty || other.may_be_empty,
            ways: self.ways.saturating_add(other.ways),
            steps: self.steps.saturating_add(other.steps).saturating_add(1),
            is_kept: self.is_kept || other.is_kept,
        }
    }

    pub(super) fn repeated(self, times: Times) -> Self {
        let Times { copies, least, is_bounded } = times;
        let (ways, steps) = match (is_bounded, self.ways) {
            (false, _) => (usize::MAX, usize::MAX),
            (true, 1) => (copies.saturating_add(1), copies.saturating_mul(self.steps.saturating_add(1))),
            (true, _) => self.powers(copies),
        };
        let compiled = if self.is_kept { 1 } else { copies };
        Self {
            weight: self.weight.saturating_mul(compiled),
            parts: self.parts.saturating_mul(compiled),
            size: self.size.saturating_mul(compiled),
            reach: if is_bounded { self.reach.saturating_mul(copies) } else { usize::MAX },
            // A match can end behind each repetition but the first ones, of which so many have to be.
            beyond: self.reach.saturating_mul(least.saturating_sub(1)).saturating_add(self.beyond),
            may_be_empty: least == 0 || self.may_be_empty,
            ways,
            steps,
            is_kept: self.is_kept,
        }
    }

    /// The ways and the steps of none up to so many repetitions, where each begins in several ways.
    fn powers(self, copies: usize) -> (usize, usize) {
        let (mut power, mut ways, mut steps) = (1_usize, 1_usize, 0_usize);
        for _ in 0..copies {
            steps = steps.saturating_add(power.saturating_mul(self.steps.saturating_add(1)));
            power = power.saturating_mul(self.ways);
            ways = ways.saturating_add(power);
            if steps == usize::MAX {
                break;
            }
        }
        (ways, steps)
    }
}

/// The costs of a group that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    /// The alternatives before the one that is read.
    before: Option<Cost>,
    current: Cost,
}

impl Sum {
    pub(super) const EMPTY: Self = Self { before: None, current: Cost::NOTHING };

    pub(super) fn add(&mut self, more: Cost) {
        self.current = self.current.then(more);
    }

    /// Begins the next alternative.
    pub(super) fn alternative(&mut self) {
        *self = Self { before: Some(self.total()), current: Cost::NOTHING };
    }

    /// Whether there is one alternative only.
    pub(super) fn is_one(self) -> bool {
        self.before.is_none()
    }

    pub(super) fn total(self) -> Cost {
        self.before.map_or(self.current, |before| before.or(self.current))
    }
}
