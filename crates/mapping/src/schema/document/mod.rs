//! The document of a synchronization schema, without loss: what is read is written as equal JSON, with every member that is not known
//! here. What it means is `read`'s.

mod json;
mod member;
mod model;
#[cfg(test)]
mod tests;

use std::fmt;

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

/// A synchronization schema as it came. `Serialize` writes what was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The schema.
    pub schema: Schema,
    /// The other members of the template that the schema stood in.
    template: Option<Map<String, Value>>,
    misspellings: Vec<Misspelling>,
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
        Self { schema, template: None, misspellings: Vec::new() }
    }

    /// Reads JSON text in UTF-8, with or without a byte order mark: a schema, or a template with a schema in it.
    ///
    /// # Errors
    /// What keeps it from being a schema; all values that do not fit, at once.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes));
        let text = text.map_err(|_| DocumentError::NotUtf8)?;
        if is_too_deep(text) {
            return Err(DocumentError::TooDeep);
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.disable_recursion_limit();
        let json = Value::deserialize(&mut deserializer).and_then(|json| deserializer.end().map(|()| json));
        Self::from_json(json.map_err(|error| DocumentError::NotJson(NoJson::of(text, &error)))?)
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
        if is_schema(&members) {
            return Self::of(members, None);
        }
        match members.remove(SCHEMA) {
            Some(Value::Object(schema)) if is_schema(&schema) => Self::of(schema, Some(members)),
            _ => Err(DocumentError::NotASchema(what_else(&members))),
        }
    }

    fn of(schema: Map<String, Value>, template: Option<Map<String, Value>>) -> Result<Self, DocumentError> {
        let mut reader = Reader::default();
        let schema = Schema::read(Value::Object(schema), &mut reader);
        if !reader.misfits.is_empty() {
            return Err(DocumentError::Misfits(reader.misfits));
        }
        Ok(Self { schema, template, misspellings: reader.misspellings })
    }

    /// The document as people keep it in files: JSON with line breaks, ended by one.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Members whose names are nearly known ones.
    pub fn misspellings(&self) -> &[Misspelling] {
        &self.misspellings
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(template) = &self.template else { return self.schema.serialize(serializer) };
        let mut map = serializer.serialize_map(Some(template.len() + 1))?;
        for (name, value) in template {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry(SCHEMA, &self.schema)?;
        map.end()
    }
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
    if members.get("value").is_some_and(Value::is_array) {
        return "it is a list; take one element of its `value`".to_owned();
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
