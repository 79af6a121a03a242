//! The groups of a pattern as .NET numbers them: those without name first, from the left; then the named ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::classes;
use super::translate::Options;

/// A group by its number or by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GroupName {
    Number(usize),
    Name(String),
}

impl GroupName {
    pub(super) fn read(text: &str) -> Self {
        let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        let number = if is_number { text.parse().ok() } else { None };
        number.map_or_else(|| Self::Name(text.to_owned()), Self::Number)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Which groups of the engine, counted from 1 by their parentheses, are which of .NET. Several may be one.
#[derive(Debug, Default)]
pub(super) struct Groups {
    places: BTreeMap<GroupName, Vec<usize>>,
    /// The highest number of .NET.
    pub(super) last: usize,
}

impl Groups {
    /// The places of a group among the engine's; `None` where there is no such group.
    pub(super) fn find(&self, name: &GroupName) -> Option<&[usize]> {
        if *name == GroupName::Number(0) {
            return Some(&[0]);
        }
        self.places.get(name).map(Vec::as_slice)
    }

    /// Finds all groups of a pattern before it is translated: a reference may come before its group.
    pub(super) fn declared(letters: &[char]) -> Result<Self, String> {
        let found = declarations(letters)?;
        let mut groups = Self::default();
        let (mut used, mut number) = (BTreeSet::new(), 0);
        for (index, name) in found.iter().enumerate() {
            let name = match name {
                None => {
                    number += 1;
                    GroupName::Number(number)
                }
                Some(name @ GroupName::Number(_)) => name.clone(),
                Some(GroupName::Name(_)) => continue,
            };
            if let GroupName::Number(number) = name {
                used.insert(number);
            }
            groups.places.entry(name).or_default().push(index + 1);
        }
        number += 1;
        for (index, name) in found.iter().enumerate() {
            let Some(name @ GroupName::Name(_)) = name else { continue };
            if !groups.places.contains_key(name) {
                while used.contains(&number) {
                    number += 1;
                }
                used.insert(number);
            }
            let by_number = groups.numbers_of(name).unwrap_or(number);
            groups.places.entry(name.clone()).or_default().push(index + 1);
            groups.places.entry(GroupName::Number(by_number)).or_default().push(index + 1);
        }
        groups.last = used.last().copied().unwrap_or(0);
        Ok(groups)
    }

    /// The number of a name that was seen before.
    fn numbers_of(&self, name: &GroupName) -> Option<usize> {
        let first = self.places.get(name)?.first()?;
        self.places.iter().find_map(|(other, places)| match other {
            GroupName::Number(number) if places.first() == Some(first) => Some(*number),
            _ => None,
        })
    }
}

/// The capturing groups from the left, each with its name.
fn declarations(letters: &[char]) -> Result<Vec<Option<GroupName>>, String> {
    let (mut found, mut at) = (Vec::new(), 0);
    let (mut options, mut opened) = (Options::default(), Vec::new());
    while let Some(letter) = letters.get(at) {
        at += 1;
        match letter {
            // What only the whole pattern has, as `\k` and `\z`, is one letter here; what is none is refused later.
            '\\' => {
                let mut behind = at;
                at = classes::escape(letters, &mut behind).map_or(at + 1, |_| behind);
            }
            '[' => {
                classes::class(letters, &mut at)?;
            }
            '#' if options.is_extended => at += letters[at..].iter().take_while(|letter| **letter != '\n').count(),
            ')' => options = opened.pop().unwrap_or_default(),
            '(' => {
                let before = options;
                match group(&letters[at..], &mut options)? {
                    // Options last until the group around them ends.
                    Opening::Comment(length) | Opening::Options(length) => at += length,
                    Opening::Capturing(None) if before.is_explicit => opened.push(before),
                    Opening::Capturing(name) => {
                        found.push(name);
                        opened.push(before);
                    }
                    Opening::Other => opened.push(before),
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

enum Opening {
    /// So many letters to pass.
    Comment(usize),
    /// So many letters to pass.
    Options(usize),
    Capturing(Option<GroupName>),
    Other,
}

/// What opens behind a parenthesis.
fn group(rest: &[char], options: &mut Options) -> Result<Opening, String> {
    let letter = |index: usize| rest.get(index).copied();
    if letter(0) != Some('?') {
        return Ok(Opening::Capturing(None));
    }
    let end_of = |close: char| rest.iter().position(|letter| *letter == close);
    match (letter(1), letter(2)) {
        (Some('#'), _) => Ok(Opening::Comment(end_of(')').map_or(rest.len(), |end| end + 1))),
        (Some('<'), Some('=' | '!')) | (Some('=' | '!' | '>' | ':' | '('), _) => Ok(Opening::Other),
        (Some(open @ ('<' | '\'')), _) => {
            let close = if open == '<' { '>' } else { '\'' };
            let name: String = rest[2..].iter().take_while(|letter| **letter != close).collect();
            named(&name).map(|name| Opening::Capturing(Some(name)))
        }
        _ => {
            let mut is_on = true;
            for (index, letter) in rest.iter().enumerate().skip(1) {
                match letter {
                    '-' => is_on = false,
                    'n' => options.is_explicit = is_on,
                    'x' => options.is_extended = is_on,
                    'i' | 's' | 'm' => {}
                    ')' => return Ok(Opening::Options(index + 1)),
                    _ => break,
                }
            }
            Ok(Opening::Other)
        }
    }
}

fn named(name: &str) -> Result<GroupName, String> {
    if name.contains('-') {
        return Err("has a balancing group (`(?<a-b>`), which is not supported".to_owned());
    }
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    match GroupName::read(name) {
        GroupName::Number(0) => Err("gives a group the number 0, which is the whole match".to_owned()),
        GroupName::Name(name)
            if name.starts_with(|letter: char| letter.is_ascii_digit())
                || !name.chars().all(is_word)
                || name.is_empty() =>
        {
            Err("has a group whose name is none".to_owned())
        }
        name => Ok(name),
    }
}
