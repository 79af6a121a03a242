//! When two values of an attribute are the same (RFC 7643 §2.3, §2.4): a text for each value, equal where the values are.
//!
//! Immutable attributes accept the value they have, and unique ones refuse the value that another resource has; both ask here.

use serde_json::{Map, Number, Value};

use crate::comparison::Comparison;
use crate::schema::Attribute;
use crate::{Moment, fold};

/// Whole numbers below this are exact also as fractions (2^53), and the same as the fraction that is written for them.
pub const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Attribute {
    /// The text under which a value of this attribute is the same as another: text folded unless case counts, an instant whatever its
    /// offset, a number whatever its notation, the parts of an object and the elements of a list in any order.
    pub fn canonical(&self, value: &Value) -> String {
        match value {
            Value::Array(elements) => {
                let mut texts: Vec<String> = elements.iter().map(|element| self.canonical_one(element)).collect();
                texts.sort_unstable();
                Value::from(texts).to_string()
            }
            one => self.canonical_one(one),
        }
    }

    /// Whether two values of this attribute are the same: those with the same [`Self::canonical`] text, which is written only where nothing
    /// simpler tells.
    pub fn same(&self, left: &Value, right: &Value) -> bool {
        match (left, right) {
            _ if left == right => true,
            (Value::String(_), Value::String(_)) if self.comparison() == Comparison::Exact => false,
            (Value::String(left), Value::String(right))
                if self.comparison() == Comparison::Folded && left.is_ascii() && right.is_ascii() =>
            {
                left.eq_ignore_ascii_case(right)
            }
            _ => self.canonical(left) == self.canonical(right),
        }
    }

    fn canonical_one(&self, value: &Value) -> String {
        match value {
            Value::String(text) => self.canonical_text(text),
            Value::Number(number) => canonical_number(number),
            Value::Object(object) => self.canonical_object(object),
            Value::Null | Value::Bool(_) | Value::Array(_) => value.to_string(),
        }
    }

    fn canonical_text(&self, text: &str) -> String {
        match self.comparison() {
            Comparison::Instant => {
                Moment::read(text).map_or_else(|| text.to_owned(), |moment| moment.as_nanosecond().to_string())
            }
            Comparison::Exact => text.to_owned(),
            Comparison::Folded | Comparison::UserName | Comparison::Boolean | Comparison::Number => fold(text),
        }
    }

    fn canonical_object(&self, object: &Map<String, Value>) -> String {
        let part = |(name, value): (&String, &Value)| {
            let text = self.sub_attribute(name).map_or_else(|| value.to_string(), |sub| sub.canonical(value));
            (name.clone(), Value::from(text))
        };
        let mut parts: Vec<(String, Value)> = object.iter().map(part).collect();
        parts.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        Value::from_iter(parts).to_string()
    }
}

fn canonical_number(number: &Number) -> String {
    match number.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below the limit of exact integers")]
        Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() < EXACT_MAX => (value as i64).to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::Kind;

    fn attribute(kind: Kind, case_exact: bool) -> Attribute {
        let part = |name: &str, case_exact| Attribute { case_exact, ..Attribute::new(name, Kind::String) };
        let sub_attributes =
            if kind == Kind::Complex { vec![part("value", case_exact), part("type", false)] } else { Vec::new() };
        Attribute { case_exact, sub_attributes, ..Attribute::new("a", kind) }
    }

    #[test]
    fn what_is_the_same_and_what_is_not() {
        use Kind::{Binary, Boolean, Complex, DateTime, Decimal, Integer, String};
        for (kind, exact, left, right, same) in [
            (String, false, json!("Straße"), json!("STRAßE"), true),
            (String, true, json!("a"), json!("A"), false),
            (Binary, true, json!("QQ=="), json!("qq=="), false),
            (Integer, false, json!(7), json!(7), true),
            (Integer, false, json!(7), json!(-7), false),
            (Decimal, false, json!(1), json!(1.0), true),
            (Decimal, false, json!(1.5), json!(1.25), false),
            (Decimal, false, json!(u64::MAX), json!(u64::MAX - 1), false),
            (DateTime, false, json!("2026-01-01T00:00:00Z"), json!("2026-01-01T01:00:00.000+01:00"), true),
            (DateTime, false, json!("2026-01-01T00:00:00Z"), json!("2026-01-01T00:00:00.001Z"), false),
            (Boolean, false, json!(true), json!(false), false),
            (String, false, json!(["b", "A"]), json!(["a", "B"]), true),
            (String, false, json!(["a", "a"]), json!(["a"]), false),
            (String, false, json!(["a,b"]), json!(["a", "b"]), false),
            (Complex, true, json!({"value": "x", "type": "W"}), json!({"type": "w", "value": "x"}), true),
            (Complex, true, json!({"value": "x"}), json!({"value": "X"}), false),
            (Complex, false, json!([{"value": "x"}, {"value": "y"}]), json!([{"value": "Y"}, {"value": "X"}]), true),
        ] {
            let attribute = attribute(kind, exact);
            assert_eq!(attribute.canonical(&left) == attribute.canonical(&right), same, "{kind:?} {left} {right}");
            assert_eq!(attribute.same(&left, &right), same, "{kind:?} {left} {right}");
        }
    }

    proptest! {
        #[test]
        fn the_same_have_the_same_text(left in "[aAéÉß]{0,3}", right in "[aAéÉß]{0,3}", exact: bool) {
            let (attribute, left, right) = (attribute(Kind::String, exact), json!(left), json!(right));
            prop_assert_eq!(attribute.same(&left, &right), attribute.canonical(&left) == attribute.canonical(&right));
        }

        #[test]
        fn text_that_counts_case_is_the_same_only_as_itself(left in ".*", right in ".*") {
            let attribute = attribute(Kind::String, true);
            prop_assert_eq!(attribute.canonical(&json!([left])) == attribute.canonical(&json!([right])), left == right);
        }
    }
}
