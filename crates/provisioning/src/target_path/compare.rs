//! Whether a target holds what is wanted, by the attribute's type.

use std::borrow::Cow;

use scim::{Kind, Moment};
use serde_json::Value;

use super::TargetPath;
use super::place::find;

impl TargetPath {
    /// Whether a filter `eq` with this value finds what is held (RFC 7644 §3.4.2.2): by that, case is no difference where the
    /// attribute does not say so, even where a change of case is to be written.
    pub fn matches(&self, held: &Value, wanted: &Value) -> bool {
        match (held, wanted) {
            (Value::String(held), Value::String(wanted)) if !self.nature.matched_exactly => {
                scim::fold(held) == scim::fold(wanted)
                    || self.same_value(&held.as_str().into(), &wanted.as_str().into())
            }
            _ => self.same(held, wanted),
        }
    }

    /// Whether a target holds what is wanted: booleans and numbers as text count, instants are the same in whatever offset, lists
    /// in whatever order, and names without case where they are unique so.
    pub fn same(&self, held: &Value, wanted: &Value) -> bool {
        match (held, wanted) {
            (Value::Array(held), Value::Array(wanted)) => self.same_set(held, wanted),
            (held, Value::Array(wanted)) => self.same_set(std::slice::from_ref(held), wanted),
            // A manager comes as a list of one, too.
            (Value::Array(held), wanted) => matches!(held.as_slice(), [only] if self.holds(only, wanted)),
            (held, wanted) => self.holds(held, wanted),
        }
    }

    /// Whether a wanted element is among those held of a multi-valued attribute.
    pub fn has_element(&self, held: &Value, wanted: &Value) -> bool {
        match held {
            Value::Array(held) => held.iter().any(|held| self.holds(held, wanted)),
            single => self.holds(single, wanted),
        }
    }

    fn same_set(&self, held: &[Value], wanted: &[Value]) -> bool {
        wanted.iter().all(|wanted| held.iter().any(|held| self.holds(held, wanted)))
            && held.iter().all(|held| wanted.iter().any(|wanted| self.holds(held, wanted)))
    }

    /// Whether a value or an element holds everything that another one has.
    fn holds(&self, held: &Value, wanted: &Value) -> bool {
        match (held, wanted) {
            (Value::Object(held), Value::Object(wanted)) => {
                wanted.iter().all(|(name, wanted)| match (find(held, name), wanted) {
                    // Who is not the primary one need not say so.
                    (None, wanted) => *wanted == Value::Bool(false),
                    (Some(held), wanted) if name == "value" => self.same_value(held, wanted),
                    (Some(held), wanted) => loosely_equal(held, wanted),
                })
            }
            // A manager is given by id and held as an object, and the other way round.
            (Value::Object(object), wanted) => {
                find(object, "value").is_some_and(|value| self.same_value(value, wanted))
            }
            (held, Value::Object(object)) if object.len() == 1 => {
                find(object, "value").is_some_and(|wanted| self.same_value(held, wanted))
            }
            _ => self.same_value(held, wanted),
        }
    }

    fn same_value(&self, held: &Value, wanted: &Value) -> bool {
        let same = match (self.nature.kind, held, wanted) {
            (Kind::DateTime, Value::String(held), Value::String(wanted)) => {
                Moment::read(held).is_some_and(|held| Some(held) == Moment::read(wanted))
            }
            (Kind::Integer | Kind::Decimal, held, wanted) => {
                number(held).is_some_and(|held| Some(held) == number(wanted))
            }
            (Kind::Binary, Value::String(held), Value::String(wanted)) => base64(held) == base64(wanted),
            (_, Value::String(held), Value::String(wanted)) if self.nature.ignores_case => {
                scim::fold(held) == scim::fold(wanted)
            }
            _ => false,
        };
        same || loosely_equal(held, wanted)
    }
}

/// Equal, where a boolean or a number may be written as text.
pub(super) fn loosely_equal(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::String(text), Value::Bool(value)) | (Value::Bool(value), Value::String(text)) => {
            text.eq_ignore_ascii_case(if *value { "true" } else { "false" })
        }
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            number.to_string() == *text
        }
        _ => held == wanted,
    }
}

/// A number in decimal text of one form.
fn number(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.trim()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        _ => return None,
    };
    // Whole numbers are too large for what fractions are held in.
    let whole = text.strip_suffix(".0").unwrap_or(&text).parse::<i128>().ok();
    whole.map(|whole| whole.to_string()).or_else(|| text.parse::<f64>().ok().map(|fraction| fraction.to_string()))
}

/// The digits of base64 in one alphabet, without padding.
fn base64(text: &str) -> String {
    text.trim_end_matches('=').replace('-', "+").replace('_', "/")
}
