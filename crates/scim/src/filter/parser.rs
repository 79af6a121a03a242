//! Text to filters and paths, in one pass. Every recursion is preceded by a check of its depth, every term by a check of the count.

use std::fmt;

use serde_json::Number;

use super::{Filter, Literal, Operator};
use crate::AttributePath;
use crate::json::has_digits;
use crate::limits::{FILTER_DEPTH_MAX, FILTER_TERMS_MAX};
use crate::path::is_attribute_name;

/// Why and where reading stopped. Never repeats the text.
#[derive(Debug)]
pub(crate) struct Problem {
    reason: &'static str,
    at: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.at + 1)
    }
}

type Parsed<T> = Result<T, Problem>;

/// A position in a text that the caller has checked for length.
#[derive(Clone, Copy)]
pub(crate) struct Parser<'t> {
    text: &'t str,
    at: usize,
    terms: usize,
    in_brackets: bool,
}

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, terms: 0, in_brackets: false }
    }

    pub(crate) fn whole_filter(mut self) -> Parsed<Filter> {
        let filter = self.any_of(0)?;
        self.end(filter)
    }

    pub(crate) fn whole_path(mut self) -> Parsed<AttributePath> {
        self.skip_blanks();
        let path = self.path(0)?;
        self.end(path)
    }

    fn end<T>(&mut self, parsed: T) -> Parsed<T> {
        self.skip_blanks();
        if self.at < self.text.len() { self.fail("unexpected text") } else { Ok(parsed) }
    }

    fn fail<T>(&self, reason: &'static str) -> Parsed<T> {
        Err(Problem { reason, at: self.at })
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// The text up to the next delimiter, not consumed.
    fn peek_word(&self) -> &'t str {
        let rest = self.rest();
        rest.find([' ', '\t', '(', ')', '[', ']', '"']).and_then(|end| rest.get(..end)).unwrap_or(rest)
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        self.skip_blanks();
        let found = self.peek_word().eq_ignore_ascii_case(keyword);
        if found {
            self.at += keyword.len();
        }
        found
    }

    fn deeper(&self, depth: usize) -> Parsed<usize> {
        if depth >= FILTER_DEPTH_MAX { self.fail("nested too deeply") } else { Ok(depth + 1) }
    }

    fn any_of(&mut self, depth: usize) -> Parsed<Filter> {
        let first = self.all_of(depth)?;
        let mut members = vec![first];
        while self.take_keyword("or") {
            members.push(self.all_of(depth)?);
        }
        Ok(one_or(members, Filter::Or))
    }

    fn all_of(&mut self, depth: usize) -> Parsed<Filter> {
        let first = self.term(depth)?;
        let mut members = vec![first];
        while self.take_keyword("and") {
            members.push(self.term(depth)?);
        }
        Ok(one_or(members, Filter::And))
    }

    fn term(&mut self, depth: usize) -> Parsed<Filter> {
        self.skip_blanks();
        let begin = self.at;
        if self.take_keyword("not") {
            if self.is_behind_a_name() {
                self.at = begin;
                return self.comparison(depth);
            }
            let inner_depth = self.deeper(depth)?;
            self.skip_blanks();
            // The parentheses belong to `not`, so that the canonical text is never deeper than what was read.
            let inner = if self.take(b'(') { self.parenthesised(inner_depth)? } else { self.term(inner_depth)? };
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.take(b'(') {
            let inner_depth = self.deeper(depth)?;
            return self.parenthesised(inner_depth);
        }
        self.comparison(depth)
    }

    /// Whether the `not` before this is the name of an attribute, which the grammar allows (RFC 7644 §3.4.2.2, `ATTRNAME`): where an operator
    /// follows, or a filter in brackets. A negation without parentheses may be of an attribute that is called like an operator: then
    /// another operator follows.
    fn is_behind_a_name(&self) -> bool {
        let mut ahead = *self;
        if ahead.take(b'[') {
            return true;
        }
        ahead.skip_blanks();
        if !ahead.take_operator() || ahead.rest().starts_with(['[', '(']) {
            return false;
        }
        ahead.skip_blanks();
        !ahead.take_operator()
    }

    fn take_operator(&mut self) -> bool {
        let word = self.peek_word();
        let found = word.eq_ignore_ascii_case("pr") || word.parse::<Operator>().is_ok();
        if found {
            self.at += word.len();
        }
        found
    }

    fn parenthesised(&mut self, depth: usize) -> Parsed<Filter> {
        let filter = self.any_of(depth)?;
        self.skip_blanks();
        if self.take(b')') { Ok(filter) } else { self.fail("expected a closing parenthesis") }
    }

    fn comparison(&mut self, depth: usize) -> Parsed<Filter> {
        let path = self.path(depth)?;
        self.skip_blanks();
        let word = self.peek_word();
        let ends = word.is_empty() || word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or");
        if ends && path.sub_attribute.is_none() {
            let AttributePath { filter, .. } = path;
            return match filter {
                Some(filter) => Ok(Filter::ValuePath { path: AttributePath { filter: None, ..path }, filter }),
                None => self.fail("expected an operator"),
            };
        }
        if self.terms >= FILTER_TERMS_MAX {
            return self.fail("too many comparisons");
        }
        self.terms += 1;
        if self.take_keyword("pr") {
            return Ok(Filter::Present(path));
        }
        let Ok(operator) = word.parse::<Operator>() else { return self.fail("expected an operator") };
        self.at += word.len();
        self.skip_blanks();
        Ok(Filter::Compare { path, operator, value: self.literal()? })
    }

    fn path(&mut self, depth: usize) -> Parsed<AttributePath> {
        let word = self.peek_word();
        let Some(mut path) = AttributePath::split(word) else { return self.fail("expected an attribute") };
        if self.in_brackets && (path.urn.is_some() || path.sub_attribute.is_some()) {
            return self.fail("expected a sub-attribute");
        }
        self.at += word.len();
        if !self.take(b'[') {
            return Ok(path);
        }
        if self.in_brackets || path.sub_attribute.is_some() || !path.may_name_attribute() {
            return self.fail("brackets are not allowed here");
        }
        let inner_depth = self.deeper(depth)?;
        self.in_brackets = true;
        path.filter = Some(Box::new(self.any_of(inner_depth)?));
        self.in_brackets = false;
        self.skip_blanks();
        if !self.take(b']') {
            return self.fail("expected a closing bracket");
        }
        if self.take(b'.') {
            let sub = self.peek_word();
            if !is_attribute_name(sub) {
                return self.fail("expected a sub-attribute");
            }
            self.at += sub.len();
            path.sub_attribute = Some(sub.to_owned());
        } else if !self.peek_word().is_empty() {
            return self.fail("unexpected text after brackets");
        }
        Ok(path)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        if self.rest().starts_with('"') {
            return self.quoted().map(Literal::String);
        }
        let word = self.peek_word();
        let next = self.rest().as_bytes().get(word.len());
        let reserved = ["and", "or", "not"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword));
        if word.starts_with('\'') {
            return self.fail("a text stands in double quotation marks");
        }
        if word.is_empty() || reserved || word.contains(char::is_control) || matches!(next, Some(b'"' | b'(' | b'[')) {
            return self.fail("expected a value");
        }
        self.at += word.len();
        Ok(bare(word))
    }

    fn quoted(&mut self) -> Parsed<String> {
        let rest = self.rest();
        let Some(length) = quoted_length(rest.as_bytes()) else { return self.fail("a string is not closed") };
        let text = rest.get(..length).and_then(|quoted| serde_json::from_str::<String>(quoted).ok());
        let Some(text) = text.filter(|text| !text.as_bytes().contains(&0)) else {
            return self.fail("a string is malformed");
        };
        self.at += length;
        if !matches!(self.rest().as_bytes().first(), None | Some(b' ' | b'\t' | b')' | b']')) {
            return self.fail("unexpected text after a string");
        }
        Ok(text)
    }
}

fn one_or(mut members: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    match members.pop() {
        Some(only) if members.is_empty() => only,
        last => {
            members.extend(last);
            several(members)
        }
    }
}

/// How many bytes a quoted string takes, quotation marks included.
fn quoted_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// A word without quotation marks. Numbers that cannot be held stay text.
fn bare(word: &str) -> Literal {
    match word {
        "true" => Literal::Boolean(true),
        "false" => Literal::Boolean(false),
        "null" => Literal::Null,
        _ => match number(word) {
            Some(value) => Literal::Number { value, written: word.to_owned() },
            None => Literal::String(word.to_owned()),
        },
    }
}

/// JSON says what a number looks like; the standard library rounds fractions to the nearest value, which printing relies on.
fn number(word: &str) -> Option<Number> {
    let number = serde_json::from_str::<Number>(word).ok()?;
    match number.is_f64() {
        false => Some(number),
        true if word.contains(['.', 'e', 'E']) => {
            let value: f64 = word.parse().ok()?;
            // What is too small to be told from 0 is not 0.
            if value == 0.0 && has_digits(word) { None } else { Number::from_f64(value) }
        }
        true if word == "-0" => Some(0.into()),
        true => None,
    }
}
