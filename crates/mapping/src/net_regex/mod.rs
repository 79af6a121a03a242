//! Regular expressions as .NET understands them, run by an engine that is bounded: a pattern that would need too many steps on a text gives
//! up in words and never stands still.

mod blocks;
mod classes;
mod cost;
mod groups;
mod memory;
mod price;
mod replacement;
mod surrogates;
#[cfg(test)]
mod tests;
mod translate;

use std::fmt;
use std::sync::Arc;

use fancy_regex::{CompileError, Regex as Engine, RegexBuilder};

use groups::{GroupName, Groups};
use price::Prices;
pub(crate) use price::{Effort, Exhausted};
use replacement::Part;
pub(crate) use translate::WEIGHT_MAX;
use translate::{TOO_LARGE, Translated};

type Captures<'t> = fancy_regex::Captures<'t, str>;

/// Characters of a pattern; an expression, which may hold one, has as many.
pub(crate) const PATTERN_CHARS_MAX: usize = 10_000;
/// Memory of a part of a compiled pattern, in bytes: the engine's own bound.
const COMPILED_BYTES_MAX: usize = 2 << 20;
/// What a pattern may weigh that only the values of an object make: it is compiled beside those of the expression.
const VALUE_WEIGHT_MAX: usize = 1 << 20;

/// A compiled pattern. Equal to another one of the same text.
#[derive(Clone)]
pub(crate) struct NetRegex(Arc<Compiled>);

struct Compiled {
    text: String,
    engine: Engine,
    /// For texts that end with a line feed.
    before_line_feed: Option<Engine>,
    groups: Groups,
    prices: Prices,
    weight: usize,
    is_backtracking: bool,
    has_borders: bool,
}

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
        Self::compiled(text, WEIGHT_MAX, |pattern| pattern)
    }

    /// The same for a pattern that was found in the values of an object: it may be less large.
    pub(crate) fn of_value(text: &str) -> Result<Self, String> {
        Self::compiled(text, VALUE_WEIGHT_MAX, |pattern| pattern)
    }

    /// The same for a pattern that has to match a text from its begin to its end.
    pub(crate) fn of_whole(text: &str) -> Result<Self, String> {
        Self::compiled(text, WEIGHT_MAX, |pattern| format!("\\A(?:{pattern})\\z"))
    }

    fn compiled(text: &str, weight_max: usize, wrap: impl Fn(String) -> String) -> Result<Self, String> {
        let count = text.chars().count();
        if count > PATTERN_CHARS_MAX {
            return Err(format!("has {count} characters, more than {PATTERN_CHARS_MAX}"));
        }
        let translated = translate::translate(text)?;
        let weight = translated.weight();
        if weight > weight_max {
            return Err(TOO_LARGE.to_owned());
        }
        let prices = Prices::of(&translated);
        let Translated { pattern, before_line_feed, groups, memory, is_backtracking, has_borders, .. } = translated;
        let compile = |pattern, states_max| compile(&wrap(pattern), prices.backtracks_max(), states_max);
        let engine = compile(pattern, memory.states_max)?;
        let second = before_line_feed.map(|pattern| compile(pattern, memory.second_states_max));
        let before_line_feed = second.transpose()?;
        let text = text.to_owned();
        let compiled =
            Compiled { text, engine, before_line_feed, groups, prices, weight, is_backtracking, has_borders };
        Ok(Self(Arc::new(compiled)))
    }

    /// The pattern as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.0.text
    }

    /// The bytes of what was compiled and of what it may remember, roughly; [`WEIGHT_MAX`] is the most.
    pub(crate) fn weight(&self) -> usize {
        self.0.weight
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
        let pattern = &self.0;
        let engine = pattern.before_line_feed.as_ref().filter(|_| ends).unwrap_or(&pattern.engine);
        let is_backtracking = pattern.is_backtracking || ends && pattern.before_line_feed.is_some();
        let is_slow = pattern.has_borders && !text.is_ascii();
        let prices = pattern.prices.on(is_backtracking, is_slow);
        Search { engine, text, at: Some(0), prices, has_groups, effort }
    }
}

fn compile(pattern: &str, backtracks_max: usize, states_bytes_max: usize) -> Result<Engine, String> {
    let engine = RegexBuilder::new(pattern)
        .backtrack_limit(backtracks_max)
        .delegate_size_limit(COMPILED_BYTES_MAX)
        .delegate_dfa_size_limit(states_bytes_max)
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
    prices: Prices,
    has_groups: bool,
    effort: &'s mut Effort,
}

impl<'s> Search<'s> {
    fn next(&mut self) -> Result<Option<Found<'s>>, Exhausted> {
        let Some(at) = self.at else { return Ok(None) };
        self.effort.spend(self.prices.beginning())?;
        let rest = self.text.len() - at + 1;
        let most = self.prices.search(rest, rest);
        self.effort.spend(most)?;
        let found = self.engine.find_from_pos(self.text, at).map_err(|_| Exhausted)?;
        let Some((begin, end)) = found.map(|found| (found.start(), found.end())) else {
            self.at = None;
            return Ok(None);
        };
        self.effort.give_back(most.saturating_sub(self.prices.found(begin - at, end - at, rest)));
        self.at =
            if end > begin { Some(end) } else { self.text[end..].chars().next().map(|next| end + next.len_utf8()) };
        let groups = if self.has_groups { self.groups(begin, end)? } else { None };
        Ok(Some(Found { begin, end, groups }))
    }

    /// The groups of a match that was found: more work than to find it.
    fn groups(&mut self, begin: usize, end: usize) -> Result<Option<Captures<'s>>, Exhausted> {
        self.effort.spend(self.prices.groups(end - begin))?;
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
