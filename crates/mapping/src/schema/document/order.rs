//! The text of a document as it was written before: its members in their order, its numbers and texts in their notation, so that people see in
//! a difference of files nothing but what has changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Blanks at the begin of a line, at most.
const INDENT_MAX: usize = 8;
/// What JSON is mostly indented by.
const INDENT: &str = "  ";
/// The members by one of which an element of a list is known again, the first that it has.
const NAMES: [&str; 6] = ["id", "name", "targetAttributeName", "key", "sourceOperandName", "referencedObjectName"];

/// JSON in its order, with each text, number and word in its notation.
enum Node<'t> {
    Scalar(&'t str),
    List(Vec<Node<'t>>),
    /// Names with their quotes.
    Object(Vec<(&'t str, Node<'t>)>),
}

/// `written`, with its members in the order of `before`, and new ones behind; with line breaks, and ended as before. What is equal to what
/// stood there before is noted as there. Both are JSON.
pub(super) fn in_order_of(before: &str, written: &str) -> String {
    let mut text = Text { text: String::with_capacity(written.len() + 1), indent: indent_of(before) };
    text.node(&Scanner::read(written), Some(&Scanner::read(before)), 0);
    // A document in one line has no end of its own.
    if before.ends_with('\n') || !before.contains('\n') {
        text.text.push('\n');
    }
    text.text
}

/// The blanks before the first member.
fn indent_of(text: &str) -> &str {
    let line = text.trim_start_matches(['{', '[', '\u{FEFF}', '\r', ' ']).strip_prefix('\n').unwrap_or_default();
    let blanks = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    if (1..=INDENT_MAX).contains(&blanks.len()) { blanks } else { INDENT }
}

/// Goes through JSON that a parser has taken.
struct Scanner<'t> {
    rest: &'t str,
}

impl<'t> Scanner<'t> {
    fn read(text: &'t str) -> Node<'t> {
        Scanner { rest: text }.node()
    }

    /// What comes next, but for blanks and what separates.
    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',', ':', '\u{FEFF}']);
        self.rest.chars().next()
    }

    fn node(&mut self) -> Node<'t> {
        match self.next() {
            Some('[') => {
                let mut elements = Vec::new();
                while self.is_inside(']') {
                    elements.push(self.node());
                }
                Node::List(elements)
            }
            Some('{') => {
                let mut members = Vec::new();
                while self.is_inside('}') {
                    let name = self.scalar();
                    members.push((name, self.node()));
                }
                Node::Object(members)
            }
            _ => Node::Scalar(self.scalar()),
        }
    }

    /// Steps over a bracket that opens, and says whether there is something before the one that closes, which is stepped over.
    fn is_inside(&mut self, close: char) -> bool {
        self.rest = self.rest.strip_prefix(['[', '{']).unwrap_or(self.rest);
        match self.next() {
            Some(next) if next != close => true,
            _ => {
                self.rest = self.rest.strip_prefix(close).unwrap_or_default();
                false
            }
        }
    }

    fn scalar(&mut self) -> &'t str {
        let is_text = self.next() == Some('"');
        let mut is_escaped = false;
        let ends = |(index, byte): &(usize, u8)| match byte {
            _ if !is_text => matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n'),
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            b'\\' => {
                is_escaped = true;
                false
            }
            b'"' => *index > 0,
            _ => false,
        };
        let end =
            self.rest.bytes().enumerate().find(ends).map_or(self.rest.len(), |(index, _)| index + usize::from(is_text));
        let (scalar, rest) = self.rest.split_at(end);
        self.rest = rest;
        scalar
    }
}

/// What a text or name says, whatever its notation; words and numbers as they stand.
fn said(scalar: &str) -> Cow<'_, str> {
    if !scalar.starts_with('"') {
        return scalar.into();
    }
    match serde_json::from_str(scalar) {
        Ok(text) if scalar.contains('\\') => Cow::Owned(text),
        _ => scalar.trim_matches('"').into(),
    }
}

/// Whether two notations mean the same value.
fn is_same(one: &str, other: &str) -> bool {
    one == other || value(one).is_some_and(|one| value(other) == Some(one))
}

fn value(scalar: &str) -> Option<serde_json::Value> {
    serde_json::from_str(scalar).ok()
}

/// By what an element of a list is known again.
fn identity<'t>(element: &Node<'t>) -> Cow<'t, str> {
    match element {
        Node::Scalar(scalar) if scalar.starts_with('"') => said(scalar),
        // One number has many notations.
        Node::Scalar(scalar) => value(scalar).map_or("".into(), |value| value.to_string().into()),
        Node::List(_) => "".into(),
        Node::Object(members) => {
            let named = |name: &&str| members.iter().find(|(member, _)| said(member) == *name);
            let known = NAMES.iter().find_map(named);
            known
                .map_or("".into(), |(_, value)| if let Node::Scalar(scalar) = value { said(scalar) } else { "".into() })
        }
    }
}

/// For each element of a list the one that it was before; a new one is noted as the first.
fn elements_before<'n, 't>(elements: &[Node<'t>], before: &'n [Node<'t>]) -> Vec<Option<&'n Node<'t>>> {
    let mut known: BTreeMap<Cow<'t, str>, VecDeque<&Node<'t>>> = BTreeMap::new();
    for element in before {
        known.entry(identity(element)).or_default().push_back(element);
    }
    let same = |element| known.get_mut(&identity(element)).and_then(VecDeque::pop_front).or(before.first());
    elements.iter().map(same).collect()
}

/// The members in the order of those before, each with what it was; new ones behind.
fn members_before<'n, 't>(
    members: &'n [(&'t str, Node<'t>)],
    before: &'n [(&'t str, Node<'t>)],
) -> Vec<(&'t str, &'n Node<'t>, Option<&'n Node<'t>>)> {
    // Of a name that is there twice the first place and the last value count, as where it was read.
    let mut places: BTreeMap<Cow<'t, str>, (usize, &str, Option<&Node<'t>>)> = BTreeMap::new();
    for (place, (name, value)) in before.iter().enumerate() {
        places.entry(said(name)).or_insert((place, name, None)).2 = Some(value);
    }
    let mut found: Vec<_> = members
        .iter()
        .map(|(name, value)| {
            let (place, name, before) = places.get(&said(name)).copied().unwrap_or((usize::MAX, name, None));
            (place, (name, value, before))
        })
        .collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, member)| member).collect()
}

struct Text<'t> {
    text: String,
    indent: &'t str,
}

impl Text<'_> {
    fn node(&mut self, node: &Node<'_>, before: Option<&Node<'_>>, depth: usize) {
        match (node, before) {
            (Node::Scalar(now), Some(Node::Scalar(before))) if is_same(now, before) => self.text.push_str(before),
            (Node::Scalar(now), _) => self.text.push_str(now),
            (Node::List(elements), before) => {
                let before = if let Some(Node::List(before)) = before { before.as_slice() } else { &[] };
                self.text.push('[');
                for (index, (element, before)) in elements.iter().zip(elements_before(elements, before)).enumerate() {
                    self.line(index > 0, depth + 1);
                    self.node(element, before, depth + 1);
                }
                self.close(']', elements.is_empty(), depth);
            }
            (Node::Object(members), before) => {
                let before = if let Some(Node::Object(before)) = before { before.as_slice() } else { &[] };
                self.text.push('{');
                for (index, (name, value, before)) in members_before(members, before).into_iter().enumerate() {
                    self.line(index > 0, depth + 1);
                    self.text.push_str(name);
                    self.text.push_str(": ");
                    self.node(value, before, depth + 1);
                }
                self.close('}', members.is_empty(), depth);
            }
        }
    }

    fn line(&mut self, has_more: bool, depth: usize) {
        if has_more {
            self.text.push(',');
        }
        self.text.push('\n');
        for _ in 0..depth {
            self.text.push_str(self.indent);
        }
    }

    fn close(&mut self, close: char, is_empty: bool, depth: usize) {
        if !is_empty {
            self.line(false, depth);
        }
        self.text.push(close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_changed_is_written_as_it_was() {
        let before = "{\n    \"z\": 12345678901234567890123,\n    \"a\": [\n        {\n            \"x\": 1E-400,\n            \"name\": \"\\u00e9\\/\"\n        },\n        []\n    ],\n    \"\\u0062\": {}\n}\n";
        let written = "{\"a\":[{\"name\":\"é/\",\"x\":0.0},[]],\"b\":{},\"z\":1.2345678901234568e+22}";
        assert_eq!(in_order_of(before, written), before);
    }

    #[test]
    fn what_has_changed_stands_where_it_stood_and_what_is_new_behind() {
        for (before, written, expected) in [
            // Another value, a new member, one that is gone.
            (r#"{"c":1,"b":2,"a":3}"#, r#"{"a":4,"c":1,"d":5}"#, r#"{"c":1,"a":4,"d":5}"#),
            // Elements are known again by their names, and new ones are noted as the first.
            (
                r#"[{"x":1,"name":"a"},{"name":"b","x":2}]"#,
                r#"[{"name":"b","x":3},{"name":"c","x":4}]"#,
                r#"[{"name":"b","x":3},{"x":4,"name":"c"}]"#,
            ),
            // Of a name that is there twice the last counts.
            (r#"{"b":1E0,"a":2,"b":3}"#, r#"{"a":2,"b":3}"#, r#"{"b":3,"a":2}"#),
            // Other kinds.
            (r#"{"a":{"c":1},"b":[1]}"#, r#"{"b":{"x":1},"a":[2]}"#, r#"{"a":[2],"b":{"x":1}}"#),
            (r#"{"a":"1"}"#, r#"{"a":1}"#, r#"{"a":1}"#),
            // Elements that are numbers.
            ("[1.50,1e3,-0,1E-400,2]", "[1.5,1000.0,-0.0,0.0,3]", "[1.50,1e3,-0,1E-400,3]"),
        ] {
            let text = in_order_of(before, written);
            assert_eq!(text.replace([' ', '\n'], ""), expected, "{before}");
        }
    }

    #[test]
    fn lines_begin_as_they_did() {
        for (before, indent) in
            [("{\n\t\"a\": 1}", "\t"), ("\u{FEFF}{\r\n    \"a\": 1}", "    "), ("{\"a\":\n     1}", "  ")]
        {
            assert_eq!(in_order_of(before, "{\"a\": 1}"), format!("{{\n{indent}\"a\": 1\n}}"));
        }
        assert_eq!(in_order_of("{\"a\":1}", "{\"a\":1}"), "{\n  \"a\": 1\n}\n");
    }
}
