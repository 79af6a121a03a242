//! Regular expressions as .NET understands them, run by an engine that is bounded: a pattern that would need too many steps on a text gives
//! up in words and never stands still.

mod classes;
mod groups;
mod replacement;
#[cfg(test)]
mod tests;
mod translate;

use std::fmt;
use std::sync::Arc;

use fancy_regex::{Regex as Engine, RegexBuilder};

use groups::{GroupName, Groups};
use replacement::Part;
use translate::Translated;

type Captures<'t> = fancy_regex::Captures<'t, str>;

/// Characters of a pattern; an expression, which may hold one, has as many.
pub(crate) const PATTERN_CHARS_MAX: usize = 10_000;
/// Ways that the engine goes back to and tries anew in one search, where a pattern needs that at all.
const BACKTRACKS_MAX: usize = 20_000;
/// Searches of one evaluation that go back and try anew.
const BACKTRACKING_SEARCHES_MAX: usize = 200;
/// Steps of all searches of one evaluation: each may go through the rest of its text, and a step costs what the pattern weighs.
const WORK_MAX: usize = 16_000_000;
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
    weight: usize,
    is_backtracking: bool,
}

/// What the searches of one evaluation may still take, all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    work: usize,
    backtracking_searches: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { work: WORK_MAX, backtracking_searches: BACKTRACKING_SEARCHES_MAX }
    }
}

impl Effort {
    fn spend(&mut self, work: usize, is_backtracking: bool) -> Result<(), Exhausted> {
        self.work = self.work.checked_sub(work).ok_or(Exhausted)?;
        let searches = self.backtracking_searches.checked_sub(usize::from(is_backtracking));
        self.backtracking_searches = searches.ok_or(Exhausted)?;
        Ok(())
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
        let count = text.chars().count();
        if count > PATTERN_CHARS_MAX {
            return Err(format!("has {count} characters, more than {PATTERN_CHARS_MAX}"));
        }
        let Translated { pattern, before_line_feed, groups, weight, is_backtracking } = translate::translate(text)?;
        let engine = compile(&pattern)?;
        let before_line_feed = before_line_feed.map(|pattern| compile(&pattern)).transpose()?;
        let text = text.to_owned();
        Ok(Self(Arc::new(Compiled { text, engine, before_line_feed, groups, weight, is_backtracking })))
    }

    /// The pattern as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether the text holds a match anywhere.
    pub(crate) fn is_match(&self, text: &str, effort: &mut Effort) -> Result<bool, Exhausted> {
        self.search(text, effort).next().map(|found| found.is_some())
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
        let found = self.search(text, effort).next()?;
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
        self.rewrite(text, bytes_max, effort, |replaced, found, whole| {
            for part in &parts {
                replaced.push(match part {
                    Part::Literal(literal) => literal,
                    Part::Group(name) => self.span(found, name).map_or("", |(from, to)| &text[from..to]),
                    Part::Whole => &text[whole.0..whole.1],
                    Part::Before => &text[..whole.0],
                    Part::After => &text[whole.1..],
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
        self.rewrite(text, bytes_max, effort, |replaced, found, whole| {
            let Some((from, to)) = self.span(found, &name) else {
                return replaced.push(&text[whole.0..whole.1]);
            };
            // A group in a look-ahead may lie outside the match.
            let (from, to) = (from.clamp(whole.0, whole.1), to.clamp(whole.0, whole.1));
            replaced.push(&text[whole.0..from])?;
            replaced.push(new)?;
            replaced.push(&text[to..whole.1])
        })
    }

    fn rewrite(
        &self,
        text: &str,
        bytes_max: usize,
        effort: &mut Effort,
        mut write: impl FnMut(&mut Bounded, &Captures<'_>, (usize, usize)) -> Result<(), Unreplaced>,
    ) -> Result<String, Unreplaced> {
        let mut replaced = Bounded { text: String::with_capacity(text.len()), bytes_max };
        let (mut search, mut copied) = (self.search(text, effort), 0);
        while let Some(found) = search.next()? {
            let Some(whole) = found.get(0).map(|whole| (whole.start(), whole.end())) else { break };
            replaced.push(&text[copied..whole.0])?;
            write(&mut replaced, &found, whole)?;
            copied = whole.1;
        }
        replaced.push(&text[copied..])?;
        Ok(replaced.text)
    }

    /// Where a group was found last: several may have one name.
    fn span(&self, found: &Captures<'_>, name: &GroupName) -> Option<(usize, usize)> {
        let places = self.0.groups.find(name)?;
        places.iter().rev().find_map(|place| found.get(*place)).map(|span| (span.start(), span.end()))
    }

    fn search<'s>(&'s self, text: &'s str, effort: &'s mut Effort) -> Search<'s> {
        let ends = text.ends_with('\n');
        let engine = self.0.before_line_feed.as_ref().filter(|_| ends).unwrap_or(&self.0.engine);
        let is_backtracking = self.0.is_backtracking || ends && self.0.before_line_feed.is_some();
        Search { engine, text, at: Some(0), weight: self.0.weight, is_backtracking, effort }
    }
}

fn compile(pattern: &str) -> Result<Engine, String> {
    let engine = RegexBuilder::new(pattern)
        .backtrack_limit(BACKTRACKS_MAX)
        .delegate_size_limit(COMPILED_BYTES_MAX)
        .delegate_dfa_size_limit(COMPILED_BYTES_MAX)
        .build();
    engine.map_err(|error| match error {
        fancy_regex::Error::CompileError(_) => "is too large, or looks back at what has no fixed length".to_owned(),
        _ => "is no regular expression".to_owned(),
    })
}

/// The matches of a text from the left, as .NET finds them: behind one that is empty it goes on one character further.
struct Search<'s> {
    engine: &'s Engine,
    text: &'s str,
    /// Where the next search begins; `None` behind the last.
    at: Option<usize>,
    weight: usize,
    is_backtracking: bool,
    effort: &'s mut Effort,
}

impl<'s> Search<'s> {
    fn next(&mut self) -> Result<Option<Captures<'s>>, Exhausted> {
        let Some(at) = self.at else { return Ok(None) };
        let work = (self.text.len() - at + 1).saturating_mul(self.weight);
        self.effort.spend(work, self.is_backtracking)?;
        let found = self.engine.captures_from_pos(self.text, at).map_err(|_| Exhausted)?;
        self.at = found.as_ref().and_then(|found| found.get(0)).and_then(|whole| {
            if whole.end() > whole.start() {
                return Some(whole.end());
            }
            self.text[whole.end()..].chars().next().map(|next| whole.end() + next.len_utf8())
        });
        Ok(found)
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
