//! What a mapped value becomes at a target attribute, by the attribute's type.

use scim::{Kind, Moment};
use serde_json::{Map, Value};

use super::TargetPath;
use crate::redaction::Redacted;

/// Characters of a value that a message shows.
const SHOWN_MAX: usize = 60;

/// Why a mapped value cannot be written to a target attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is nothing to write.
    Nothing,
    /// So many values, where there can be one.
    Several(usize),
    /// This text is none of the attribute's type, which wants this.
    Not(&'static str, String),
}

impl Unfit {
    /// The reason as an administrator reads it; a value that is secret is not shown, and nothing in it that is `hidden`.
    pub fn reason(&self, is_secret: bool, hidden: &Redacted) -> String {
        match self {
            Self::Nothing => "the mapping gives it no value".to_owned(),
            Self::Several(count) => format!(
                "it takes a single value and the mapping gives {count}; take one of them with an expression, or say in the attribute list that it is multi-valued"
            ),
            Self::Not(wanted, _) if is_secret => format!("the mapped value is not {wanted}"),
            Self::Not(wanted, text) => {
                let text = hidden.hide(text);
                let cut: String = text.chars().take(SHOWN_MAX).collect();
                let more = if cut.len() < text.len() { "…" } else { "" };
                format!("the mapped value {}{more} is not {wanted}", Value::from(cut))
            }
        }
    }
}

impl TargetPath {
    /// The JSON that a mapped value becomes at this attribute. Values that come twice are taken once.
    pub fn json(&self, value: &mapping::Value) -> Result<Value, Unfit> {
        match value {
            mapping::Value::Null => Err(Unfit::Nothing),
            mapping::Value::List(texts) if self.nature.multi_valued => self.elements(texts),
            mapping::Value::List(texts) => match texts.as_slice() {
                [] => Err(Unfit::Nothing),
                [single] => self.single(single),
                several => Err(Unfit::Several(several.len())),
            },
            mapping::Value::Text(text) if self.nature.multi_valued => self.elements(std::slice::from_ref(text)),
            mapping::Value::Text(text) => self.single(text),
        }
    }

    /// The value that a filter compares this attribute with: of its type, or text.
    pub fn literal(&self, text: &str) -> Value {
        match self.nature.kind {
            Kind::Boolean | Kind::Integer | Kind::Decimal => self.single(text).unwrap_or_else(|_| text.into()),
            Kind::String | Kind::DateTime | Kind::Reference | Kind::Binary | Kind::Complex => text.into(),
        }
    }

    fn elements(&self, texts: &[String]) -> Result<Value, Unfit> {
        let mut elements = Vec::with_capacity(texts.len());
        let mut seen = std::collections::HashSet::new();
        for text in texts.iter().filter(|text| !text.is_empty() && seen.insert(text.as_str())) {
            elements.push(self.element(text)?);
        }
        if elements.is_empty() { Err(Unfit::Nothing) } else { Ok(Value::Array(elements)) }
    }

    /// An element of a multi-valued attribute: the JSON object a role function makes, or a value of its own.
    fn element(&self, text: &str) -> Result<Value, Unfit> {
        match (object_in(text), self.nature.kind) {
            (Some(object), Kind::Complex | Kind::String) => Ok(Value::Object(object)),
            (None, Kind::Complex) => Ok(Value::Object(Map::from_iter([("value".to_owned(), text.into())]))),
            (_, _) => self.single(text),
        }
    }

    fn single(&self, text: &str) -> Result<Value, Unfit> {
        self.typed(text).or_else(|unfit| if self.nature.is_told { Ok(text.into()) } else { Err(unfit) })
    }

    fn typed(&self, text: &str) -> Result<Value, Unfit> {
        let not = |wanted| Unfit::Not(wanted, text.to_owned());
        match self.nature.kind {
            Kind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(Value::Bool(true)),
                "false" | "0" => Ok(Value::Bool(false)),
                _ => Err(not("a boolean; True or False is expected")),
            },
            Kind::Integer => text.trim().parse::<i64>().map(Value::from).map_err(|_| not("a whole number")),
            Kind::Decimal => {
                let number = text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
                number.map(Value::Number).ok_or_else(|| not("a number"))
            }
            Kind::DateTime => match Moment::read(text) {
                Some(_) => Ok(text.into()),
                None => Err(not("an instant such as 2026-03-02T08:00:00Z; FormatDateTime can write one")),
            },
            Kind::Binary if is_base64(text) => Ok(text.into()),
            Kind::Binary => Err(not("base64")),
            Kind::Reference
                if text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c)) =>
            {
                Err(not("a reference: an id or an address without blanks"))
            }
            Kind::Complex => match object_in(text) {
                Some(object) => Ok(Value::Object(object)),
                None if self.nature.has_value => Ok(Value::Object(Map::from_iter([("value".to_owned(), text.into())]))),
                None => Err(not("an object; map to a part of it, such as name.familyName")),
            },
            Kind::String | Kind::Reference => Ok(text.into()),
        }
    }
}

/// The object that a text is, without what is null in it: nulls are not sent.
fn object_in(text: &str) -> Option<Map<String, Value>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let Ok(Value::Object(mut object)) = serde_json::from_str(text) else { return None };
    object.retain(|_, value| !value.is_null());
    Some(object)
}

/// Base64 in either alphabet, with its padding or without (RFC 4648 §4, §5).
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len() - digits.len() <= 2
        && digits.len() % 4 != 1
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}
