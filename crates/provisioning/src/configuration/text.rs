//! TOML as it is written: strings, inline rows; and the comparison of two texts by lines. What is written is decided in `write`.

use std::time::Duration;

use serde_json::Value;
use similar::{Algorithm, TextDiff};

/// Lines around a change that are shown.
const CONTEXT_LINES: usize = 3;
/// How long the shortest difference of two texts is looked for; then a longer one will do.
const DIFFERENCE_TIME_MAX: Duration = Duration::from_secs(5);
/// Keys that stand first in a row, in this order; the others follow by name.
const FIRST: [&str; 11] = [
    "sourceObject",
    "targetObject",
    "name",
    "target",
    "source",
    "attribute",
    "operator",
    "value",
    "matchingPriority",
    "enabled",
    "flowTypes",
];

/// The difference of two texts in unified form; empty where they are the same.
pub fn unified(before: &str, after: &str, names: (&str, &str)) -> String {
    let mut diff = TextDiff::configure();
    diff.algorithm(Algorithm::Patience).timeout(DIFFERENCE_TIME_MAX);
    let diff = diff.diff_lines(before, after);
    diff.unified_diff().context_radius(CONTEXT_LINES).header(names.0, names.1).to_string()
}

/// A string: as it is between `'` where it holds quotation marks or `\`, as expressions do, else between `"` with escapes.
pub(super) fn string(text: &str) -> String {
    let is_plain = |c: char| !c.is_control() && c != '\'';
    if text.contains(['"', '\\']) && text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(["\\u", &format!("{:04X}", u32::from(c))]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key, in quotation marks where it needs them.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_bare { name.to_owned() } else { string(name) }
}

/// A value on one line. TOML has no null: who has one leaves the key out.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => string(text),
        Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(_) => {
            let pairs = ordered(value).map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            let pairs: Vec<String> = pairs.collect();
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
    }
}

/// The members of an object that have a value, the telling ones first.
pub(super) fn ordered(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let mut members: Vec<_> = object.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).collect();
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    members.sort_by(|(left, _), (right, _)| (place(left), left).cmp(&(place(right), right)));
    members.into_iter().map(|(name, value)| (name.as_str(), value))
}

/// `name = value` on a line of its own.
pub(super) fn line(out: &mut String, name: &str, value: &Value) {
    out.extend([&key(name), " = ", &inline(value), "\n"]);
}

/// `name = [` with a row a line.
pub(super) fn rows<'v>(out: &mut String, name: &str, values: impl Iterator<Item = &'v Value>) {
    let mut values = values.peekable();
    if values.peek().is_none() {
        out.extend([&key(name), " = []\n"]);
        return;
    }
    out.extend([&key(name), " = [\n"]);
    for value in values {
        out.extend(["  ", &inline(value), ",\n"]);
    }
    out.push_str("]\n");
}
