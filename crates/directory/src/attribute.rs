//! The table of source attributes: what a user or group of the directory can have, and what its values look like.
//! How they reach a target is decided by mappings, elsewhere.

use std::borrow::Cow;

use serde_json::Value;
use store::ObjectKind;

mod table;
#[cfg(test)]
mod tests;

use table::EXTENSION;
pub(crate) use table::GROUP_ATTRIBUTES;
pub use table::SOURCE_ATTRIBUTES;

/// The longest value, in characters, of an attribute that has no smaller limit of its own.
pub const STRING_MAX: usize = 1024;
/// The most values of a multi-valued attribute.
pub const VALUES_MAX: usize = 250;

/// The type of an attribute's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    /// Text, never empty: an empty text is no value.
    String,
    /// `true` or `false`; imports also take `True`, `Yes` and `1`.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// A moment, kept as RFC 3339 text in UTC; a date alone is its midnight.
    DateTime,
    /// The object id of another object of the directory.
    Reference,
}

/// An attribute of a user or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceAttribute {
    /// The name in Entra's spelling; compared without case.
    pub name: &'static str,
    /// The type of each value.
    pub kind: AttributeType,
    /// Whether it holds a list of values.
    pub multi_valued: bool,
    /// Other names that Graph and Entra's downloads use for it.
    pub aliases: &'static [&'static str],
    /// The most characters of a value.
    pub max_length: usize,
    /// The only values there are, where they are few; compared without case.
    pub choices: &'static [&'static str],
    /// Whether only the directory itself sets it.
    pub read_only: bool,
}

/// The attribute of users with that name or alias, without case.
pub fn source_attribute(name: &str) -> Option<&'static SourceAttribute> {
    find(SOURCE_ATTRIBUTES, name)
}

/// The names of all attributes of users, or of groups, with their other names; directory extensions have no list.
pub fn attribute_names(kind: ObjectKind) -> impl Iterator<Item = &'static str> + Clone {
    let table = if kind == ObjectKind::Group { GROUP_ATTRIBUTES } else { SOURCE_ATTRIBUTES };
    table.iter().flat_map(|attribute| std::iter::once(attribute.name).chain(attribute.aliases.iter().copied()))
}

fn find(table: &'static [SourceAttribute], name: &str) -> Option<&'static SourceAttribute> {
    table.iter().find(|attribute| attribute.is_named(name))
}

/// An attribute together with the name under which its value is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: Cow<'static, str>,
    pub(crate) rules: &'static SourceAttribute,
}

/// The attribute of users with that name, including directory extensions (`extension_<application id>_<name>`).
pub(crate) fn of_user(name: &str) -> Option<Named> {
    if let Some(rules) = source_attribute(name) {
        return Some(Named { name: Cow::Borrowed(rules.name), rules });
    }
    is_extension(name).then(|| Named { name: Cow::Owned(name.to_owned()), rules: &EXTENSION })
}

/// The name under which the value of an attribute is kept, of the attribute with that name or alias, without case.
pub fn attribute_name(kind: ObjectKind, name: &str) -> Option<Cow<'static, str>> {
    let named = if kind == ObjectKind::Group { of_group(name) } else { of_user(name) };
    named.map(|named| named.name)
}

/// The attribute whose values are kept under exactly this name, which no alias is.
pub fn attribute_named(kind: ObjectKind, name: &str) -> Option<&'static SourceAttribute> {
    let named = if kind == ObjectKind::Group { of_group(name) } else { of_user(name) };
    named.filter(|named| named.name == name).map(|named| named.rules)
}

/// The attribute of groups with that name.
pub(crate) fn of_group(name: &str) -> Option<Named> {
    find(GROUP_ATTRIBUTES, name).map(|rules| Named { name: Cow::Borrowed(rules.name), rules })
}

/// Whether the name is one of a directory extension.
pub(crate) fn is_extension(name: &str) -> bool {
    let Some((application, rest)) = name.strip_prefix("extension_").and_then(|rest| rest.split_once('_')) else {
        return false;
    };
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    name.len() <= EXTENSION.max_length && word(application) && word(rest)
}

impl SourceAttribute {
    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }

    /// Brings a JSON value into the form in which it is kept; `None` is no value. The error is the end of a sentence
    /// that begins with the attribute's name.
    pub(crate) fn normalised(&self, value: Value) -> Result<Option<Value>, String> {
        match value {
            Value::Null => Ok(None),
            Value::Array(values) if self.multi_valued => self.list(values),
            Value::Array(mut values) if values.len() <= 1 => values.pop().map_or(Ok(None), |value| self.one(value)),
            value if self.multi_valued => self.list(vec![value]),
            value => self.one(value),
        }
    }

    /// The values of a cell of a table: a multi-valued attribute's are separated by semicolons.
    pub(crate) fn cell(&self, text: &str) -> Value {
        if self.multi_valued && !text.is_empty() {
            return text.split(';').map(|part| Value::String(part.trim().to_owned())).collect();
        }
        Value::String(text.to_owned())
    }

    fn list(&self, values: Vec<Value>) -> Result<Option<Value>, String> {
        if values.len() > VALUES_MAX {
            return Err(format!("has {} values; it can have {VALUES_MAX}", values.len()));
        }
        let mut kept = Vec::with_capacity(values.len());
        for value in values {
            if let Some(value) = self.one(value)?
                && !kept.contains(&value)
            {
                kept.push(value);
            }
        }
        Ok((!kept.is_empty()).then_some(Value::Array(kept)))
    }

    fn one(&self, value: Value) -> Result<Option<Value>, String> {
        if value.as_str().is_some_and(str::is_empty) {
            return Ok(None);
        }
        match (self.kind, value) {
            (_, Value::Null) => Ok(None),
            (AttributeType::Boolean, Value::Bool(flag)) => Ok(Some(Value::Bool(flag))),
            (AttributeType::Boolean, Value::String(text)) => flag(&text).map(|flag| Some(Value::Bool(flag))),
            (AttributeType::Integer, Value::Number(number)) if number.is_i64() => Ok(Some(Value::Number(number))),
            (AttributeType::Integer, Value::String(text)) => match text.parse::<i64>() {
                Ok(number) => Ok(Some(number.into())),
                Err(_) => Err(format!("is no whole number: {}", shown(&text))),
            },
            (AttributeType::DateTime, Value::String(text)) => moment(&text).map(|at| Some(at.into())),
            (AttributeType::String | AttributeType::Reference, Value::String(text)) => {
                self.text(text).map(|text| Some(Value::String(text)))
            }
            (AttributeType::String, Value::Number(number)) => {
                self.text(number.to_string()).map(|text| Some(Value::String(text)))
            }
            (kind, value) => Err(format!("is {} where {} is wanted", json_kind(&value), kind.described())),
        }
    }

    fn text(&self, text: String) -> Result<String, String> {
        let length = if text.len() <= self.max_length { text.len() } else { text.chars().count() };
        if length > self.max_length {
            return Err(format!("has {length} characters; it can have {}", self.max_length));
        }
        if text.contains('\0') {
            return Err("holds a NUL character".to_owned());
        }
        if self.choices.is_empty() {
            return Ok(text);
        }
        let choice = self.choices.iter().find(|choice| choice.eq_ignore_ascii_case(&text));
        choice
            .map(|choice| (*choice).to_owned())
            .ok_or_else(|| format!("is {}; it can be {}", shown(&text), self.choices.join(", ")))
    }
}

impl AttributeType {
    const fn described(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::DateTime => "a date",
            Self::Reference => "an object id",
        }
    }
}

const fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The most characters of a bad value that a message repeats.
const SHOWN_MAX: usize = 64;

/// A bad value as a message repeats it: quoted, never long.
pub(crate) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}

pub(crate) fn flag(text: &str) -> Result<bool, String> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["true", "yes", "1"]) {
        Ok(true)
    } else if is(&["false", "no", "0"]) {
        Ok(false)
    } else {
        Err(format!("is {}; it can be true or false", shown(text)))
    }
}

fn moment(text: &str) -> Result<String, String> {
    let midnight = |date: jiff::civil::Date| date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp());
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() <= "YYYY-MM-DD".len())?;
        midnight(date)
    });
    at.map(|at| at.to_string()).ok_or_else(|| {
        format!("is {}; write a date like 2024-05-31 or a moment like 2024-05-31T08:00:00Z", shown(text))
    })
}
