//! The document of a synchronization schema, without loss: what is read is written as equal JSON, with every member that is not known
//! here. What it means is `read`'s.

mod json;
mod member;
mod model;
mod order;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize as _, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use crate::no_json::NoJson;
use json::{Json as _, Reader, kind_of};
pub use member::Member;
pub use model::{
    AttributeEntry, AttributeMappingEntry, ClauseEntry, Directory, GroupEntry, KeyValue, ObjectDefinition,
    ObjectMappingEntry, OperandEntry, ParameterEntry, ReferencedObjectEntry, Rule, Schema, Scope, SourceEntry,
};

/// Bytes of a document. Large exports have some hundred kilobytes.
pub const DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one text in it.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// JSON lists and objects inside one another. A function inside a function takes three, so that there is room for far more of them than an
/// expression may have. What is read so deep needs less than half of a thread's usual stack, without any optimization.
pub const DEPTH_MAX: usize = 600;
/// Misfits that are told at once.
pub const MISFITS_MAX: usize = 50;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
/// The member of a template or job that holds the schema.
const SCHEMA: &str = "schema";
/// The member of a list of Graph's that holds its elements.
const VALUE: &str = "value";

/// What a schema stood in.
#[derive(Clone, Debug, PartialEq)]
enum Around {
    /// A template or job, with its other members.
    Template(Map<String, Value>),
    /// A list of one, with its other members.
    List(Map<String, Value>),
}

/// The text that a document was read from, for the order of its members. It makes no document another.
#[derive(Clone, Debug, Default)]
struct TextBefore(Option<Arc<str>>);

impl PartialEq for TextBefore {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A synchronization schema as it came. `Serialize` writes what was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The schema.
    pub schema: Schema,
    /// What the schema stood in, the outermost first.
    around: Vec<Around>,
    misspellings: Vec<Misspelling>,
    before: TextBefore,
}

/// A member whose name is nearly a known one. It is kept, but it has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misspelling {
    /// In which object, such as `synchronizationRules[0].objectMappings[1]`.
    pub place: String,
    /// The name as it is written.
    pub written: String,
    /// The name that was probably meant.
    pub meant: &'static str,
}

/// A value that cannot be what the document says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Which, such as `synchronizationRules[0].priority`.
    pub place: String,
    /// What can stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.place, self.expected, self.found)
    }
}

/// Why bytes are no synchronization schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Too many bytes.
    #[error("the document has {0} bytes, at most {DOCUMENT_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Another encoding.
    #[error("the document is not in UTF-8; save it as UTF-8")]
    NotUtf8,
    /// UTF-16, in which some editors and shells save.
    #[error("the document is in UTF-16, not in UTF-8; save it as UTF-8")]
    Utf16,
    /// Too deep.
    #[error("the document has lists and objects more than {DEPTH_MAX} deep")]
    TooDeep,
    /// Not JSON.
    #[error("the document is no JSON: {0}")]
    NotJson(NoJson),
    /// JSON, but something else.
    #[error("the document is no synchronization schema: {0}")]
    NotASchema(String),
    /// Values that do not fit, one per line.
    #[error("the document is no synchronization schema:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Misfits(Vec<Misfit>),
}

impl Document {
    /// A document of nothing but `schema`.
    pub fn new(schema: Schema) -> Self {
        Self { schema, ..Self::default() }
    }

    /// Reads JSON text in UTF-8, with or without a byte order mark: a schema, a template with a schema in it, or a list
    /// of Graph's with nothing but one of these.
    ///
    /// # Errors
    /// What keeps it from being a schema; all values that do not fit, at once.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::TooLarge(bytes.len()));
        }
        if is_utf16(bytes) {
            return Err(DocumentError::Utf16);
        }
        let text = std::str::from_utf8(bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes));
        let text = text.map_err(|_| DocumentError::NotUtf8)?;
        if is_too_deep(text) {
            return Err(DocumentError::TooDeep);
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.disable_recursion_limit();
        let json = Value::deserialize(&mut deserializer).and_then(|json| deserializer.end().map(|()| json));
        let document = Self::from_json(json.map_err(|error| DocumentError::NotJson(NoJson::of(text, &error)))?)?;
        Ok(Self { before: TextBefore(Some(text.into())), ..document })
    }

    /// Reads a JSON value, as [`parse`](Self::parse) does.
    ///
    /// # Errors
    /// As of `parse`.
    pub fn from_json(json: Value) -> Result<Self, DocumentError> {
        if !fits(&json, DEPTH_MAX) {
            return Err(DocumentError::TooDeep);
        }
        let Value::Object(mut members) = json else {
            return Err(DocumentError::NotASchema(format!("it is {}, an object is expected", kind_of(&json))));
        };
        let mut around = Vec::new();
        if !is_schema(&members)
            && let Some(element) = take_element(&mut members)
        {
            around.push(Around::List(std::mem::replace(&mut members, element)));
        }
        if !is_schema(&members)
            && let Some(Value::Object(schema)) = members.remove(SCHEMA)
        {
            around.push(Around::Template(std::mem::replace(&mut members, schema)));
        }
        if is_schema(&members) {
            Self::of(members, around)
        } else {
            Err(DocumentError::NotASchema(what_else(&members)))
        }
    }

    fn of(schema: Map<String, Value>, around: Vec<Around>) -> Result<Self, DocumentError> {
        let mut reader = Reader::default();
        let schema = Schema::read(Value::Object(schema), &mut reader);
        if !reader.misfits.is_empty() {
            return Err(DocumentError::Misfits(reader.misfits));
        }
        Ok(Self { schema, around, misspellings: reader.misspellings, before: TextBefore::default() })
    }

    /// The document as people keep it in files: JSON with line breaks, ended by one. What was read from a text keeps the order of its members,
    /// how its texts and numbers are noted, and its indentation and end; what is new stands behind.
    pub fn to_text(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        match &self.before.0 {
            Some(before) => order::in_order_of(before, &text),
            None => text + "\n",
        }
    }

    /// Members whose names are nearly known ones.
    pub fn misspellings(&self) -> &[Misspelling] {
        &self.misspellings
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Within { schema: &self.schema, around: &self.around }.serialize(serializer)
    }
}

/// A schema with what it stood in.
struct Within<'d> {
    schema: &'d Schema,
    around: &'d [Around],
}

impl Serialize for Within<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((outermost, around)) = self.around.split_first() else { return self.schema.serialize(serializer) };
        let inside = Self { schema: self.schema, around };
        let (Around::Template(others) | Around::List(others)) = outermost;
        let mut map = serializer.serialize_map(Some(others.len() + 1))?;
        for (name, value) in others {
            map.serialize_entry(name, value)?;
        }
        match outermost {
            Around::Template(_) => map.serialize_entry(SCHEMA, &inside)?,
            Around::List(_) => map.serialize_entry(VALUE, &[inside])?,
        }
        map.end()
    }
}

/// Whether text is UTF-16 without a mark, or with one: of the first two characters, which are no others than ASCII's in JSON, one byte is 0.
fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0xff, ..] | [1..=0xff, 0, ..])
}

/// Takes the only element out of a list of Graph's, where it is a schema or has one in it.
fn take_element(members: &mut Map<String, Value>) -> Option<Map<String, Value>> {
    let has_schema = |element: &Map<String, Value>| {
        is_schema(element) || element.get(SCHEMA).and_then(Value::as_object).is_some_and(is_schema)
    };
    let Some(Value::Array(elements)) = members.get_mut(VALUE) else { return None };
    let element = match elements.as_mut_slice() {
        [Value::Object(element)] if has_schema(element) => std::mem::take(element),
        _ => return None,
    };
    members.remove(VALUE);
    Some(element)
}

/// Whether a text has lists and objects too deep in one another. As far as it is JSON, it is as deep as is counted here.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => depth += 1,
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

/// Whether a value has at most so many lists and objects in one another.
fn fits(json: &Value, depth: usize) -> bool {
    match json {
        Value::Array(items) => depth > 0 && items.iter().all(|item| fits(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|value| fits(value, depth - 1)),
        _ => true,
    }
}

fn is_schema(members: &Map<String, Value>) -> bool {
    members.contains_key("synchronizationRules") || members.contains_key("directories")
}

/// What an object without rules and directories probably is, and what to do.
fn what_else(members: &Map<String, Value>) -> String {
    if let Some(elements) = members.get(VALUE).and_then(Value::as_array) {
        return match elements.len() {
            0 => "it is a list, and its `value` is empty: there is no schema in it".to_owned(),
            1 => "it is a list, and the element of its `value` is no schema".to_owned(),
            count => format!("it is a list of {count}; take one element of its `value`"),
        };
    }
    if members.contains_key("error") {
        return "it is an error that Microsoft Graph has answered".to_owned();
    }
    let known = ["synchronizationRules", "directories"];
    let near = members.keys().find_map(|name| crate::nearest(name, known.into_iter()).map(|meant| (name, meant)));
    let expected = "it has neither `synchronizationRules` nor `directories`";
    near.map_or_else(
        || expected.to_owned(),
        |(written, meant)| format!("{expected}; `{written}` is probably meant to be `{meant}`"),
    )
}
