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

use fancy_regex::{Captures, Regex as Engine, RegexBuilder};

use groups::{GroupName, Groups};
use replacement::Part;
use translate::Translated;

/// Characters of a pattern; an expression, which may hold one, has as many.
pub(crate) const PATTERN_CHARS_MAX: usize = 10_000;
/// Ways that the engine goes back to and tries anew in one search, where a pattern needs that at all.
const BACKTRACKS_MAX: usize = 20_000;
/// Matches in one text of a pattern that is searched that way.
const BACKTRACKING_MATCHES_MAX: usize = 200;
/// Steps of all searches in one text: each may go through the rest of it, and a step costs what the pattern weighs.
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

/// A search that would take more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression takes too many steps on this value")]
pub(crate) struct Exhausted;

/// Why a replacement was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreplaced {
    Exhausted,
    TooLong,
}

impl From<Exhausted> for Unreplaced {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
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

    /// What compiling it cost and a step through a text costs, roughly.
    pub(crate) fn weight(&self) -> usize {
        self.0.weight
    }

    /// Whether the text holds a match anywhere.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, Exhausted> {
        self.search(text).next().map(|found| found.is_some())
    }

    /// True when there is a group of this name or number.
    pub(crate) fn has_group(&self, name: &str) -> bool {
        self.0.groups.find(&GroupName::read(name)).is_some()
    }

    /// What the group holds in the first match; `None` where nothing matches, or the group took no part.
    pub(crate) fn first_group<'t>(&self, text: &'t str, name: &str) -> Result<Option<&'t str>, Exhausted> {
        let found = self.search(text).next()?;
        let name = GroupName::read(name);
        Ok(found.and_then(|found| self.span(&found, &name)).map(|(from, to)| &text[from..to]))
    }

    /// Replaces every match by what `replacement` says, in at most `bytes_max` bytes.
    pub(crate) fn replace(&self, text: &str, replacement: &str, bytes_max: usize) -> Result<String, Unreplaced> {
        let parts = replacement::parts(replacement, &self.0.groups);
        self.rewrite(text, bytes_max, |replaced, found, whole| {
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
    pub(crate) fn replace_group(&self, text: &str, name: &str, new: &str, bytes_max: usize) -> Result<String, Unreplaced> {
        let name = GroupName::read(name);
        self.rewrite(text, bytes_max, |replaced, found, whole| {
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
        mut write: impl FnMut(&mut Bounded, &Captures<'_>, (usize, usize)) -> Result<(), Unreplaced>,
    ) -> Result<String, Unreplaced> {
        let mut replaced = Bounded { text: String::with_capacity(text.len()), bytes_max };
        let (mut search, mut copied) = (self.search(text), 0);
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

    fn search<'s>(&'s self, text: &'s str) -> Search<'s> {
        let ends = text.ends_with('\n');
        let engine = self.0.before_line_feed.as_ref().filter(|_| ends).unwrap_or(&self.0.engine);
        let is_backtracking = self.0.is_backtracking || ends && self.0.before_line_feed.is_some();
        Search { engine, text, at: Some(0), weight: self.0.weight, work: 0, found: 0, is_backtracking }
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
    work: usize,
    found: usize,
    is_backtracking: bool,
}

impl<'s> Search<'s> {
    fn next(&mut self) -> Result<Option<Captures<'s>>, Exhausted> {
        let Some(at) = self.at else { return Ok(None) };
        self.work = self.work.saturating_add((self.text.len() - at + 1).saturating_mul(self.weight));
        let is_too_often = self.is_backtracking && self.found >= BACKTRACKING_MATCHES_MAX;
        if self.work > WORK_MAX || is_too_often {
            return Err(Exhausted);
        }
        let found = self.engine.captures_from_pos(self.text, at).map_err(|_| Exhausted)?;
        self.found += 1;
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
