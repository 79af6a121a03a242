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
    /// Of these ways, those that do not depend on how long the text is; and how many times they are multiplied by how long it is.
    pub(super) choices: usize,
    pub(super) loops: u32,
    /// Steps until all those ways were tried one after the other.
    pub(super) steps: usize,
    /// Whether it is compiled once where it is repeated.
    pub(super) is_kept: bool,
    /// Bytes that it would take if nothing were kept.
    pub(super) written_size: usize,
    /// The parts from the first one on that may be met at several places of a text at once, up to its end: what is remembered of a text may
    /// be any of the sets of these.
    pub(super) blurred: usize,
    /// The most of them that are run together.
    pub(super) blurred_max: usize,
    /// How often the rest of a text may be looked at within itself, where one way is followed: `.*` looks at it once, `(?:(?=.*a).)*` does
    /// so at each of its places.
    pub(super) scans: u32,
    /// Whether it is tried in one way after the other.
    pub(super) is_hard: bool,
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
        choices: 1,
        loops: 0,
        steps: 0,
        is_kept: false,
        written_size: 0,
        blurred: 0,
        blurred_max: 0,
        scans: 0,
        is_hard: false,
    };

    /// Of what looks at one character.
    pub(super) const fn of_one(weight: usize, size: usize) -> Self {
        let one = Self { weight, parts: 1, size, written_size: size, steps: 1, ..Self::NOTHING };
        Self { reach: 1, beyond: 1, may_be_empty: false, ..one }
    }

    /// As what is looked back at. Where its length varies it is looked for backwards in one search too, for which nothing is kept.
    pub(super) fn backwards(self) -> Self {
        let more = if self.is_hard_or_kept() && self.blurred > 0 { self.written_size } else { 0 };
        Self { size: self.size.saturating_add(more), ..self }
    }

    const fn is_hard_or_kept(self) -> bool {
        self.is_hard || self.is_kept
    }

    /// As what stands apart from the rest: a look around, or a group that is not tried again.
    pub(super) fn apart(self) -> Self {
        // What is easy inside is one search; ways that are tried inside are counted as if they were tried from outside.
        let outside = Self { blurred: 0, is_hard: true, ..self };
        if self.is_hard { outside } else { Self { ways: 1, choices: 1, loops: 0, ..outside } }
    }

    /// One behind the other.
    pub(super) fn then(self, next: Self) -> Self {
        let blurred = if self.blurred > 0 { self.blurred.saturating_add(next.parts) } else { next.blurred };
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
            choices: self.choices.saturating_mul(next.choices),
            loops: self.loops.saturating_add(next.loops),
            steps: self.steps.saturating_add(self.ways.saturating_mul(next.steps)),
            is_kept: self.is_kept || next.is_kept,
            written_size: self.written_size.saturating_add(next.written_size),
            blurred,
            blurred_max: self.blurred_max.max(next.blurred_max).max(blurred),
            scans: self.scans.max(next.scans),
            is_hard: self.is_hard || next.is_hard,
        }
    }

    /// The one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        let parts = self.parts.saturating_add(other.parts);
        let is_one = |cost: Self| cost.reach == 1 && !cost.may_be_empty;
        let blurred = if is_one(self) && is_one(other) { 0 } else { parts };
        Self {
            weight: self.weight.saturating_add(other.weight),
            parts,
            size: self.size.saturating_add(other.size),
            reach: self.reach.max(other.reach),
            beyond: self.beyond.max(other.beyond),
            may_be_empty: self.may_be_empty || other.may_be_empty,
            ways: self.ways.saturating_add(other.ways),
            choices: self.choices.saturating_add(other.choices),
            loops: self.loops.max(other.loops),
            steps: self.steps.saturating_add(other.steps).saturating_add(1),
            is_kept: self.is_kept || other.is_kept,
            written_size: self.written_size.saturating_add(other.written_size),
            blurred,
            blurred_max: self.blurred_max.max(other.blurred_max).max(blurred),
            scans: self.scans.max(other.scans),
            is_hard: self.is_hard || other.is_hard,
        }
    }

    pub(super) fn repeated(self, times: Times) -> Self {
        let Times { copies, least, is_bounded } = times;
        let (ways, steps) = match (is_bounded, self.ways) {
            (false, _) => (usize::MAX, usize::MAX),
            (true, 1) => (copies.saturating_add(1), copies.saturating_mul(self.steps.saturating_add(1))),
            (true, _) => self.powers(copies),
        };
        let (choices, loops) = match (is_bounded, self.ways) {
            (true, usize::MAX) => (usize::MAX, 0),
            (true, _) => (ways, 0),
            (false, 1) => (1, 1),
            (false, _) => (usize::MAX, 0),
        };
        let compiled = if self.is_kept { 1 } else { copies };
        let parts = self.parts.saturating_mul(compiled);
        let is_fixed = is_bounded && least == copies && self.blurred == 0;
        let blurred = if is_fixed { 0 } else { parts };
        let is_each_a_search = self.is_hard && (!is_bounded || self.is_kept);
        let scans = if is_each_a_search { self.scans.saturating_add(1) } else { self.scans };
        Self {
            weight: self.weight.saturating_mul(compiled),
            parts,
            size: self.size.saturating_mul(compiled),
            reach: if is_bounded { self.reach.saturating_mul(copies) } else { usize::MAX },
            // A match can end behind each repetition but the first ones, of which so many have to be.
            beyond: self.reach.saturating_mul(least.saturating_sub(1)).saturating_add(self.beyond),
            may_be_empty: least == 0 || self.may_be_empty,
            ways,
            choices,
            loops,
            steps,
            is_kept: self.is_kept,
            written_size: self.written_size.saturating_mul(copies),
            blurred,
            blurred_max: self.blurred_max.max(blurred),
            scans: if is_bounded { scans } else { scans.max(1) },
            is_hard: self.is_hard,
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
