//! Values of the file made typed ones, and what is wrong with each told at its place.

use std::collections::BTreeMap;

use mapping::nearest;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigurationProblem, PROBLEMS_KEPT_MAX, Place};
use crate::trial::Unparsed;

/// Bytes from one mark to the next.
const MARK_STEP: usize = 1024;
/// The most keys of a value that is read as one; none that this program writes has a tenth of them.
const KEYS_MAX: usize = 256;
/// As much of what serde says of a value is looked at and told, in bytes: it may quote the whole value.
const MESSAGE_MAX: usize = 1000;

/// The line and the character of a byte, both from 0. Places are counted from the mark before them, because a file may be one line.
#[derive(Clone, Copy, Default)]
struct Mark {
    line: usize,
    column: usize,
}

impl Mark {
    fn past(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |Self { line, column }, byte| match byte {
            b'\n' => Self { line: line + 1, column: 0 },
            // The second and further bytes of a character.
            0x80..=0xbf => Self { line, column },
            _ => Self { line, column: column + 1 },
        })
    }
}

/// The text of a file, and what is wrong with it.
pub(super) struct Reader<'t> {
    text: &'t str,
    marks: Vec<Mark>,
    pub(super) problems: Vec<ConfigurationProblem>,
    /// Sources that cannot be parsed, by the bytes where their rows begin, where they are to be kept; else each is a problem.
    pub(super) unparsed: Option<BTreeMap<usize, Unparsed>>,
}

pub(super) type Item<'t> = Spanned<DeValue<'t>>;

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut marks = vec![Mark::default()];
        for chunk in text.as_bytes().chunks_exact(MARK_STEP) {
            marks.push(marks[marks.len() - 1].past(chunk));
        }
        Self { text, marks, problems: Vec::new(), unparsed: None }
    }

    /// Line and character of a byte.
    pub(super) fn place(&self, byte: usize) -> Place {
        let byte = byte.min(self.text.len());
        let at = byte / MARK_STEP;
        let Mark { line, column } = self.marks[at].past(&self.text.as_bytes()[at * MARK_STEP..byte]);
        Place { line: line + 1, column: column + 1 }
    }

    /// Whether so much is wrong that nothing more is looked for.
    pub(super) const fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_KEPT_MAX
    }

    pub(super) fn problem(&mut self, byte: usize, what: impl Into<String>) {
        let place = Some(self.place(byte));
        self.problems.push(ConfigurationProblem { place, what: what.into() });
    }

    /// Tells a key that nobody knows.
    pub(super) fn unknown_key<'k>(
        &mut self,
        byte: usize,
        key: &str,
        of: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        let key = shortened(key);
        let told = nearest(key, known.clone()).map_or_else(
            || format!("there are {}", known.collect::<Vec<_>>().join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        self.problem(byte, format!("`{key}` is not a key of {of}; {told}"));
    }

    /// The elements of a list.
    pub(super) fn list<'v>(&mut self, name: &str, item: &'v Item<'t>) -> impl Iterator<Item = &'v Item<'t>> {
        let list = item.get_ref().as_array();
        if list.is_none() {
            self.problem(item.span().start, format!("`{name}` must be a list, in brackets"));
        }
        list.into_iter().flatten()
    }

    /// A table.
    pub(super) fn table<'v>(&mut self, name: &str, item: &'v Item<'t>) -> Option<&'v DeTable<'t>> {
        let table = item.get_ref().as_table();
        if table.is_none() {
            self.problem(item.span().start, format!("`{name}` must be a table, its keys in braces or below [{name}]"));
        }
        table
    }

    /// A value of a type that reads itself from JSON. Every unknown key is told, and every value that cannot be.
    pub(super) fn typed<T: DeserializeOwned>(&mut self, of: &str, item: &Item<'t>, json: Value) -> Option<T> {
        let mut left_out = Vec::new();
        self.partly(of, item, json, &mut left_out).filter(|_| left_out.is_empty())
    }

    /// The same, without the keys that cannot be read, which are told and named in `left_out`. `None` where nothing is left without them.
    pub(super) fn partly<T: DeserializeOwned>(
        &mut self,
        of: &str,
        item: &Item<'t>,
        mut json: Value,
        left_out: &mut Vec<String>,
    ) -> Option<T> {
        let mut is_cut = false;
        let table = item.get_ref().as_table();
        if let Some(keys) = table.map(DeTable::len).filter(|keys| *keys > KEYS_MAX) {
            self.problem(item.span().start, format!("{of} has {keys} keys, at most {KEYS_MAX} are allowed"));
            return None;
        }
        while !self.is_full() {
            let message = match T::deserialize(&json) {
                Ok(value) => return Some(value),
                Err(error) => shortened(&error.to_string()).to_owned(),
            };
            let Some((key, known)) = unknown("unknown field", &message) else {
                // What is missing because it was taken out has been told of.
                if is_cut && message.starts_with("missing field") {
                    return None;
                }
                let key = culprit::<T>(&json, &message);
                // Nor is what no value of it is to blame for.
                if is_cut && key.is_none() {
                    return None;
                }
                let byte = key.as_ref().and_then(|key| value_of(table, key));
                let of = key
                    .as_ref()
                    .filter(|_| byte.is_some())
                    .map_or_else(|| of.to_owned(), |key| format!("`{key}` of {of}"));
                self.problem(byte.unwrap_or_else(|| item.span().start), explained(&of, &message));
                is_cut = true;
                let key = key?;
                json.as_object_mut()?.remove(&key)?;
                left_out.push(key);
                continue;
            };
            let byte = table.and_then(|table| key_of(table, key)).unwrap_or_else(|| item.span().start);
            self.unknown_key(byte, key, of, known.iter().copied());
            // Without the key there may be more to tell; where it was not a key of this value, there is nothing to take out.
            json.as_object_mut()?.remove(key)?;
            left_out.push(key.to_owned());
        }
        None
    }
}

fn shortened(text: &str) -> &str {
    let whole = text.char_indices().take_while(|(at, _)| *at < MESSAGE_MAX).last();
    &text[..whole.map_or(0, |(at, c)| at + c.len_utf8())]
}

/// What stands in the back quotes of serde's sentence about an unknown field or variant: the word, and the words that there are.
fn unknown<'m>(what: &str, message: &'m str) -> Option<(&'m str, Vec<&'m str>)> {
    let rest = message.strip_prefix(what)?.strip_prefix(" `")?;
    let (word, rest) = rest.split_once('`')?;
    Some((word, rest.split('`').skip(1).step_by(2).collect()))
}

/// The sentence for people.
pub(super) fn explained(of: &str, message: &str) -> String {
    if let Some((word, known)) = unknown("unknown variant", message) {
        let told = nearest(word, known.iter().copied())
            .map_or_else(|| format!("there are {}", known.join(", ")), |name| format!("did you mean `{name}`?"));
        return format!("{of} cannot have `{word}`; {told}");
    }
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return format!("{of} has no `{name}`");
    }
    let wrong = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    match wrong.and_then(|wrong| wrong.split_once(", expected ")) {
        Some((found, expected)) => format!("{of} cannot be the {}; it must be {}", plain(found), plain_type(expected)),
        None => format!("{of}: {message}"),
    }
}

/// What was found, in the words of people: serde's begin with the names of types.
fn plain(found: &str) -> String {
    let words = [
        ("string ", "text "),
        ("integer ", "number "),
        ("floating point ", "number "),
        ("boolean ", "value "),
        ("sequence", "list"),
        ("map", "table"),
    ];
    let known = words.iter().find_map(|(serde, ours)| Some(format!("{ours}{}", found.strip_prefix(serde)?)));
    known.unwrap_or_else(|| found.to_owned())
}

fn plain_type(expected: &str) -> String {
    match expected {
        "usize" | "u64" | "u32" => "a whole number, not negative, without quotation marks".to_owned(),
        "a string" => "a text, in quotation marks".to_owned(),
        "a boolean" => "true or false, without quotation marks".to_owned(),
        "a sequence" => "a list, in brackets".to_owned(),
        // The names of our types tell an administrator nothing.
        _ if expected.starts_with("struct ") || expected == "a map" => "a table, in braces".to_owned(),
        _ => expected.to_owned(),
    }
}

/// The key whose value a failure is about: the one whose value is quoted, else the one without which the sentence is another.
fn culprit<T: DeserializeOwned>(json: &Value, message: &str) -> Option<String> {
    let members = json.as_object()?;
    let is_quoted = |value: &Value| {
        value.as_str().is_some_and(|text| text.len() < message.len() && message.contains(&format!("`{text}`")))
    };
    if let Some((key, _)) = members.iter().find(|(_, value)| is_quoted(value)) {
        return Some(key.clone());
    }
    let mut without = json.clone();
    members.iter().find_map(|(key, value)| {
        without.as_object_mut()?.remove(key);
        let told = T::deserialize(&without).err().map(|error| error.to_string());
        without[key] = value.clone();
        let is_of_it = told.is_none_or(|told| shortened(&told) != message && !told.starts_with("missing field"));
        is_of_it.then(|| key.clone())
    })
}

/// Where a key stands.
pub(super) fn key_of(table: &DeTable<'_>, key: &str) -> Option<usize> {
    table.keys().find(|name| name.get_ref() == key).map(|name| name.span().start)
}

/// Where the value of a key stands.
pub(super) fn value_of(table: Option<&DeTable<'_>>, key: &str) -> Option<usize> {
    table?.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value.span().start)
}

/// The value of a key.
pub(super) fn member<'v, 't>(table: &'v DeTable<'t>, key: &str) -> Option<&'v Item<'t>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}

/// A table as JSON, without some keys.
pub(super) fn object_of(table: &DeTable<'_>, without: &[&str]) -> Map<String, Value> {
    let kept = table.iter().filter(|(name, _)| !without.contains(&name.get_ref().as_ref()));
    kept.map(|(name, value)| (name.get_ref().to_string(), json_of(value))).collect()
}

/// A value as JSON. What JSON does not have becomes text, and is then not what is expected.
pub(super) fn json_of(item: &Item<'_>) -> Value {
    match item.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::String(number.to_string()), Value::from),
        DeValue::Float(number) => {
            let parsed = number.as_str().parse().ok().and_then(Number::from_f64);
            parsed.map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Array(list) => Value::Array(list.iter().map(json_of).collect()),
        DeValue::Table(table) => Value::Object(object_of(table, &[])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_its_line_and_character(text in "[aé\u{1f600}\n]{0,3000}") {
            let reader = Reader::new(&text);
            let (mut line, mut column) = (1, 1);
            for (byte, c) in text.char_indices() {
                prop_assert_eq!(reader.place(byte), Place { line, column });
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            prop_assert_eq!(reader.place(text.len() + 1), Place { line, column });
        }
    }
}
