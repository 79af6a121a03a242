//! What an expression reads and yields: values, the source object, and what may be asked of the world.
//! How values are computed lives in `expression`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A value while it flows: nothing, one text, or several. Booleans are the texts `True` and `False`, numbers are decimal
/// text, a complex value is its compact JSON text. In JSON it is `null`, a string, or an array of strings; what a source
/// sends, with its booleans and numbers, is read by [`Value::from_json`] instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Absent. An attribute that the source object does not have reads as this.
    #[default]
    Null,
    /// A single value.
    Text(String),
    /// A multi-valued attribute, in the source's order.
    List(Vec<String>),
}

impl Value {
    /// True for null, `""` and a list of nothing but these: what is never provisioned.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(values) => values.iter().all(String::is_empty),
        }
    }

    /// The text, or the first value of a list: what a function of texts sees of a multi-valued attribute.
    pub fn first(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text),
            Self::List(values) => values.first().map(String::as_str),
        }
    }

    /// [`Value::first`] by value, without a copy.
    pub fn into_first(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text),
            Self::List(values) => values.into_iter().next(),
        }
    }

    /// Reads a JSON value: booleans become `True`/`False`, numbers their decimal text, an array a list whose nulls are
    /// left out, and an object (also inside an array) its compact JSON text.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Array(items) => Self::List(items.iter().filter_map(text_of).collect()),
            single => text_of(single).map_or(Self::Null, Self::Text),
        }
    }
}

fn text_of(json: &serde_json::Value) -> Option<String> {
    match json {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Bool(flag) => Some(boolean_text(*flag).to_owned()),
        other => Some(other.to_string()),
    }
}

/// How the expression language writes a boolean.
pub(crate) fn boolean_text(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Text(boolean_text(flag).to_owned())
    }
}

impl From<Vec<String>> for Value {
    fn from(values: Vec<String>) -> Self {
        Self::List(values)
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

/// The source object an expression reads. Names are case-sensitive; an absent attribute is [`Value::Null`].
pub trait Source {
    /// The value of the attribute `name`.
    fn attribute(&self, name: &str) -> Value;
}

/// An object some of whose attributes are others than they are: what would be if.
pub struct Overridden<'s> {
    /// The object.
    pub object: &'s dyn Source,
    /// What stands in place of its own values.
    pub values: BTreeMap<String, Value>,
}

impl Source for Overridden<'_> {
    fn attribute(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or_else(|| self.object.attribute(name))
    }
}

impl Source for BTreeMap<String, Value> {
    fn attribute(&self, name: &str) -> Value {
        self.get(name).cloned().unwrap_or_default()
    }
}

impl Source for serde_json::Map<String, serde_json::Value> {
    fn attribute(&self, name: &str) -> Value {
        self.get(name).map_or(Value::Null, Value::from_json)
    }
}

/// All that an expression may ask of the world, handed in so that the same inputs always give the same result.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The instant that `Now` answers.
    pub now: jiff::Timestamp,
    /// The tenant's default verified domain, for `DefaultDomain`.
    pub default_domain: Option<&'a str>,
    /// Fills the slice with random bytes, for `Guid` and `RandomString`. Must be cryptographically strong in production.
    pub random: &'a dyn Fn(&mut [u8]),
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("default_domain", &self.default_domain)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_becomes_values() {
        for (json, expected) in [
            (json!(null), Value::Null),
            (json!("x"), Value::from("x")),
            (json!(true), Value::from("True")),
            (json!(false), Value::from("False")),
            (json!(42), Value::from("42")),
            (json!(1.5), Value::from("1.5")),
            (json!({"id": "1"}), Value::from(r#"{"id":"1"}"#)),
            (json!(["a", null, 1, {"b": true}]), Value::from(vec!["a".into(), "1".into(), r#"{"b":true}"#.into()])),
        ] {
            assert_eq!(Value::from_json(&json), expected, "{json}");
        }
    }

    #[test]
    fn values_are_written_as_json_and_read_back() {
        for (value, expected) in [
            (Value::Null, "null"),
            (Value::from("True"), "\"True\""),
            (Value::List(vec!["a".into()]), "[\"a\"]"),
            (Value::List(vec![]), "[]"),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), expected);
            assert_eq!(serde_json::from_str::<Value>(expected).unwrap(), value);
        }
    }

    #[test]
    fn emptiness_and_first_value() {
        for (value, empty, first) in [
            (Value::Null, true, None),
            (Value::from(""), true, Some("")),
            (Value::from("x"), false, Some("x")),
            (Value::List(vec![]), true, None),
            (Value::List(vec![String::new(), String::new()]), true, Some("")),
            (Value::List(vec![String::new(), "b".into()]), false, Some("")),
            (Value::List(vec!["a".into(), "b".into()]), false, Some("a")),
        ] {
            assert_eq!(value.is_empty(), empty, "{value:?}");
            assert_eq!(value.first(), first, "{value:?}");
            assert_eq!(value.clone().into_first().as_deref(), first, "{value:?}");
        }
    }

    #[test]
    fn attribute_names_are_case_sensitive() {
        let map = BTreeMap::from([("mail".to_owned(), Value::from("a@b"))]);
        let json = json!({"mail": "a@b"});
        let json = json.as_object().unwrap();
        for source in [&map as &dyn Source, json] {
            assert_eq!(source.attribute("mail"), Value::from("a@b"));
            assert_eq!(source.attribute("Mail"), Value::Null);
        }
    }
}
