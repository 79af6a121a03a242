//! Regular expressions as .NET understands them, run by an engine that is bounded: a pattern that would need too many steps on a text gives
//! up in words and never stands still.

mod blocks;
mod classes;
mod cost;
mod groups;
mod replacement;
mod surrogates;
#[cfg(test)]
mod tests;
mod translate;

use std::fmt;
use std::sync::Arc;

use fancy_regex::{CompileError, Regex as Engine, RegexBuilder};

use cost::Cost;
use groups::{GroupName, Groups};
use replacement::Part;
pub(crate) use translate::WEIGHT_MAX;
use translate::{TOO_LARGE, Translated};

type Captures<'t> = fancy_regex::Captures<'t, str>;

/// Characters of a pattern; an expression, which may hold one, has as many.
pub(crate) const PATTERN_CHARS_MAX: usize = 10_000;
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
const BORDER_TIMES: usize = 4;
/// What a byte costs that is looked at to find a match. Where a match ends is known only behind it, at worst at the end of the text.
const BYTE_COST: usize = 2;
/// What finding out the groups of a match costs for each of its bytes and of what the pattern weighs.
const GROUP_COST: usize = 25;
/// Each way that is tried anew may look at the rest of the text: what that costs for two bytes.
const BACKTRACK_COST_OF_TWO: usize = 1;
/// Bytes of a character at the most.
const CHARACTER_BYTES: usize = 4;
/// Memory of a compiled pattern, and of what is remembered while it runs; in bytes.
const COMPILED_BYTES_MAX: usize = 2 << 20;

/// A compiled pattern. Equal to another one of the same text.
#[derive(Clone)]
pub(crate) struct NetRegex(Arc<Compiled>);

struct Compiled {
    text: String,
    engine: Engine,
    /// For texts that end with a line feed.
    before_line_feed: Option<Engine>,
    groups: Groups,
    cost: Cost,
    is_backtracking: bool,
    has_borders: bool,
}

/// What the searches of one evaluation may still cost, all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort(usize);

impl Default for Effort {
    fn default() -> Self {
        Self(COST_MAX)
    }
}

impl Effort {
    fn spend(&mut self, cost: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(cost).ok_or(Exhausted)?;
        Ok(())
    }

    fn give_back(&mut self, cost: usize) {
        self.0 = self.0.saturating_add(cost).min(COST_MAX);
    }
}

/// A search that would take more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression takes too many steps on this value")]
pub(crate) struct Exhausted;

/// Why a replacement was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreplaced {
    Exhausted(Exhausted),
    TooLong,
}

impl From<Exhausted> for Unreplaced {
    fn from(why: Exhausted) -> Self {
        Self::Exhausted(why)
    }
}

impl NetRegex {
    /// Compiles a pattern; says in words what is wrong with one that is none.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Self::compiled(text, |pattern| pattern)
    }

    /// The same for a pattern that has to match a text from its begin to its end.
    pub(crate) fn of_whole(text: &str) -> Result<Self, String> {
        Self::compiled(text, |pattern| format!("\\A(?:{pattern})\\z"))
    }

    fn compiled(text: &str, wrap: impl Fn(String) -> String) -> Result<Self, String> {
        let count = text.chars().count();
        if count > PATTERN_CHARS_MAX {
            return Err(format!("has {count} characters, more than {PATTERN_CHARS_MAX}"));
        }
        let Translated { pattern, before_line_feed, groups, cost, is_backtracking, has_borders } =
            translate::translate(text)?;
        let compile = |pattern| compile(&wrap(pattern), backtracks_max(&cost));
        let engine = compile(pattern)?;
        let before_line_feed = before_line_feed.map(compile).transpose()?;
        let text = text.to_owned();
        Ok(Self(Arc::new(Compiled { text, engine, before_line_feed, groups, cost, is_backtracking, has_borders })))
    }

    /// The pattern as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.0.text
    }

    /// The bytes of what was compiled, roughly; [`WEIGHT_MAX`] is the most.
    pub(crate) fn weight(&self) -> usize {
        let Cost { size, .. } = self.0.cost;
        size
    }

    /// Whether the text holds a match anywhere.
    pub(crate) fn is_match(&self, text: &str, effort: &mut Effort) -> Result<bool, Exhausted> {
        self.search(text, effort, false).next().map(|found| found.is_some())
    }

    /// True when there is a group of this name or number.
    pub(crate) fn has_group(&self, name: &str) -> bool {
        self.0.groups.find(&GroupName::read(name)).is_some()
    }

    /// What the group holds in the first match; `None` where nothing matches, or the group took no part.
    pub(crate) fn first_group<'t>(
        &self,
        text: &'t str,
        name: &str,
        effort: &mut Effort,
    ) -> Result<Option<&'t str>, Exhausted> {
        let found = self.search(text, effort, true).next()?;
        let name = GroupName::read(name);
        Ok(found.and_then(|found| self.span(&found, &name)).map(|(from, to)| &text[from..to]))
    }

    /// Replaces every match by what `replacement` says, in at most `bytes_max` bytes.
    pub(crate) fn replace(
        &self,
        text: &str,
        replacement: &str,
        bytes_max: usize,
        effort: &mut Effort,
    ) -> Result<String, Unreplaced> {
        let parts = replacement::parts(replacement, &self.0.groups);
        let has_groups = parts.iter().any(|part| matches!(part, Part::Group(_) | Part::LastGroup));
        Self::rewrite(text, bytes_max, self.search(text, effort, has_groups), |replaced, found| {
            for part in &parts {
                replaced.push(match part {
                    Part::Literal(literal) => literal,
                    Part::Group(name) => self.span(found, name).map_or("", |(from, to)| &text[from..to]),
                    Part::Whole => &text[found.begin..found.end],
                    Part::Before => &text[..found.begin],
                    Part::After => &text[found.end..],
                    Part::LastGroup => {
                        let last = GroupName::Number(self.0.groups.last);
                        self.span(found, &last).map_or("", |(from, to)| &text[from..to])
                    }
                    Part::Everything => text,
                })?;
            }
            Ok(())
        })
    }

    /// Replaces in every match what the group holds there.
    pub(crate) fn replace_group(
        &self,
        text: &str,
        name: &str,
        new: &str,
        bytes_max: usize,
        effort: &mut Effort,
    ) -> Result<String, Unreplaced> {
        let name = GroupName::read(name);
        Self::rewrite(text, bytes_max, self.search(text, effort, true), |replaced, found| {
            let Some((from, to)) = self.span(found, &name) else {
                return replaced.push(&text[found.begin..found.end]);
            };
            // A group in a look-ahead may lie outside the match.
            let (from, to) = (from.clamp(found.begin, found.end), to.clamp(found.begin, found.end));
            replaced.push(&text[found.begin..from])?;
            replaced.push(new)?;
            replaced.push(&text[to..found.end])
        })
    }

    fn rewrite(
        text: &str,
        bytes_max: usize,
        mut search: Search<'_>,
        mut write: impl FnMut(&mut Bounded, &Found<'_>) -> Result<(), Unreplaced>,
    ) -> Result<String, Unreplaced> {
        let mut replaced = Bounded { text: String::with_capacity(text.len()), bytes_max };
        let mut copied = 0;
        while let Some(found) = search.next()? {
            replaced.push(&text[copied..found.begin])?;
            write(&mut replaced, &found)?;
            copied = found.end;
        }
        replaced.push(&text[copied..])?;
        Ok(replaced.text)
    }

    /// Where a group was found last: several may have one name.
    fn span(&self, found: &Found<'_>, name: &GroupName) -> Option<(usize, usize)> {
        let (places, groups) = (self.0.groups.find(name)?, found.groups.as_ref()?);
        places.iter().rev().find_map(|place| groups.get(*place)).map(|span| (span.start(), span.end()))
    }

    fn search<'s>(&'s self, text: &'s str, effort: &'s mut Effort, has_groups: bool) -> Search<'s> {
        let ends = text.ends_with('\n');
        let engine = self.0.before_line_feed.as_ref().filter(|_| ends).unwrap_or(&self.0.engine);
        let is_backtracking = self.0.is_backtracking || ends && self.0.before_line_feed.is_some();
        let is_slow = self.0.has_borders && !text.is_ascii();
        Search { engine, text, at: Some(0), cost: self.0.cost, is_backtracking, is_slow, has_groups, effort }
    }
}

/// Ways that one search may try.
fn backtracks_max(cost: &Cost) -> usize {
    if is_few(cost) { BACKTRACKS_MAX_OF_FEW } else { BACKTRACKS_MAX }
}

fn is_few(cost: &Cost) -> bool {
    cost.reach != usize::MAX && cost.steps <= FEW_STEPS_MAX
}

fn compile(pattern: &str, backtracks_max: usize) -> Result<Engine, String> {
    let engine = RegexBuilder::new(pattern)
        .backtrack_limit(backtracks_max)
        .delegate_size_limit(COMPILED_BYTES_MAX)
        .delegate_dfa_size_limit(COMPILED_BYTES_MAX)
        .build();
    engine.map_err(|error| {
        let why = match error {
            fancy_regex::Error::CompileError(why) => why,
            fancy_regex::Error::ParseError(_, why) => {
                return format!("is no regular expression that can be run: {why}");
            }
            _ => return "is no regular expression that can be run".to_owned(),
        };
        match *why {
            CompileError::InnerError(_) | CompileError::DfaBuildError(..) | CompileError::PatternTooComplex => {
                TOO_LARGE.to_owned()
            }
            _ => "is no regular expression that can be run".to_owned(),
        }
    })
}

/// A match.
struct Found<'s> {
    begin: usize,
    end: usize,
    /// Where they are asked for.
    groups: Option<Captures<'s>>,
}

/// The matches of a text from the left, as .NET finds them: behind one that is empty it goes on one character further.
struct Search<'s> {
    engine: &'s Engine,
    text: &'s str,
    /// Where the next search begins; `None` behind the last.
    at: Option<usize>,
    cost: Cost,
    is_backtracking: bool,
    /// Whether borders of words are found by the slow engine.
    is_slow: bool,
    has_groups: bool,
    effort: &'s mut Effort,
}

impl<'s> Search<'s> {
    fn next(&mut self) -> Result<Option<Found<'s>>, Exhausted> {
        let Some(at) = self.at else { return Ok(None) };
        self.effort.spend(self.beginning())?;
        let rest = self.text.len() - at + 1;
        let most = self.price(rest, rest);
        self.effort.spend(most)?;
        let found = self.engine.find_from_pos(self.text, at).map_err(|_| Exhausted)?;
        let Some((begin, end)) = found.map(|found| (found.start(), found.end())) else {
            self.at = None;
            return Ok(None);
        };
        self.effort.give_back(most.saturating_sub(self.price(begin - at + 1, self.looked_at(end - at, rest))));
        self.at =
            if end > begin { Some(end) } else { self.text[end..].chars().next().map(|next| end + next.len_utf8()) };
        let groups = if self.has_groups { self.groups(begin, end)? } else { None };
        Ok(Some(Found { begin, end, groups }))
    }

    /// Bytes that were looked at to find a match that ends behind so many.
    fn looked_at(&self, found: usize, rest: usize) -> usize {
        // What tries all ways at once goes on behind a match only as long as a better one may come.
        let behind = if self.is_backtracking { self.cost.reach } else { self.cost.beyond };
        behind.saturating_mul(CHARACTER_BYTES).saturating_add(found + 1).min(rest)
    }

    /// What a search costs whatever it looks at.
    const fn beginning(&self) -> usize {
        if self.is_slow { SEARCH_COST * BORDER_TIMES } else { SEARCH_COST }
    }

    /// What a search costs that tried to begin at so many places and looked at so many bytes.
    fn price(&self, places: usize, bytes: usize) -> usize {
        if !self.is_backtracking {
            let of_each = if self.is_slow { self.cost.parts.saturating_mul(GROUP_COST) } else { BYTE_COST };
            return bytes.saturating_mul(of_each);
        }
        if !is_few(&self.cost) {
            return bytes.saturating_mul(BACKTRACKS_MAX * BACKTRACK_COST_OF_TWO / 2);
        }
        let of_each = self.cost.steps / self.cost.ways + 2;
        let steps = places.saturating_mul(self.cost.steps + 1).min(BACKTRACKS_MAX_OF_FEW.saturating_mul(of_each));
        steps.saturating_mul(STEP_COST).saturating_add(bytes.saturating_mul(BYTE_COST))
    }

    /// The groups of a match that was found: more work than to find it.
    fn groups(&mut self, begin: usize, end: usize) -> Result<Option<Captures<'s>>, Exhausted> {
        let cost = if self.is_backtracking {
            if is_few(&self.cost) { self.price(1, end - begin) } else { 0 }
        } else {
            (end - begin).saturating_mul(self.cost.weight).saturating_mul(GROUP_COST)
        };
        self.effort.spend(cost.saturating_add(self.beginning()))?;
        self.engine.captures_from_pos(self.text, begin).map_err(|_| Exhausted)
    }
}

struct Bounded {
    text: String,
    bytes_max: usize,
}

impl Bounded {
    fn push(&mut self, more: &str) -> Result<(), Unreplaced> {
        if self.text.len() + more.len() > self.bytes_max {
            return Err(Unreplaced::TooLong);
        }
        self.text.push_str(more);
        Ok(())
    }
}

impl PartialEq for NetRegex {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for NetRegex {}

impl fmt::Debug for NetRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetRegex({:?})", self.0.text)
    }
}
