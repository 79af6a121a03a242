//! How much one request may make the elements of multi-valued attributes cost. A short body can name every element of a large resource
//! with hundreds of comparisons, a thousand times: every other limit would be kept, and all writers would wait.

use serde_json::Value;

use super::Op;
use crate::filter::FOLD_WORK;
use crate::limits::PATCH_EFFORT_MAX;
use crate::{Filter, ScimError};

/// Bytes that are compared as fast as one more element is visited.
const COMPARED_BYTES: usize = 64;
/// Bytes that are copied as fast as one more element is visited.
const COPIED_BYTES: usize = 16;
/// Bytes that are folded as fast as that, of a text that is not ASCII. An operation folds each text once.
const FOLDED_BYTES: usize = COMPARED_BYTES / FOLD_WORK as usize;

/// What a request has cost so far.
#[derive(Debug, Default)]
pub(super) struct Effort(usize);

impl Effort {
    pub(super) const fn spent(&self) -> u64 {
        self.0 as u64
    }

    /// Adds an operation on the elements that are held: `filter` is tried on each, `value` is compared with or written to each. Of a
    /// list, each element is compared with all that are held, and one that is added with those added before it.
    ///
    /// # Errors
    /// `tooMany` beyond [`PATCH_EFFORT_MAX`].
    pub(super) fn spend(
        &mut self,
        op: Op,
        held: Option<&Value>,
        filter: Option<&Filter>,
        value: &Value,
    ) -> Result<(), ScimError> {
        let elements = held.and_then(Value::as_array).map_or(1, Vec::len);
        let compared = filter.map_or(0, |filter| {
            let bytes = held.map_or(0, text_bytes);
            let folded = held.map_or(0, |held| folded_bytes(held, filter)) / FOLDED_BYTES;
            filter.comparisons().saturating_mul(elements.saturating_add(bytes / COMPARED_BYTES)).saturating_add(folded)
        });
        let written = elements.saturating_mul(1 + text_bytes(value) / COPIED_BYTES);
        // The first of a list looks at what is held as a single value does, which is counted as visited.
        let others = value.as_array().map_or(0, |listed| listed.len().saturating_sub(1));
        let paired = match op {
            Op::Add => others.saturating_mul(elements.saturating_add(others / 2)),
            Op::Remove => others.saturating_mul(elements),
            Op::Replace => 0,
        };
        self.add(compared.saturating_add(written).saturating_add(paired))
    }

    /// Adds an operation that adds to lists inside of what is held: each of their values is looked at and copied.
    ///
    /// # Errors
    /// `tooMany` beyond [`PATCH_EFFORT_MAX`].
    pub(super) fn spend_on_lists(&mut self, held: Option<&Value>, value: &Value) -> Result<(), ScimError> {
        let of = |value: &Value| values_in(value).saturating_add(text_bytes(value) / COPIED_BYTES);
        self.add(held.map_or(0, of).saturating_add(of(value)))
    }

    fn add(&mut self, cost: usize) -> Result<(), ScimError> {
        self.0 = self.0.saturating_add(cost);
        if self.0 > PATCH_EFFORT_MAX {
            return Err(ScimError::too_many(
                "the operations look at or write too many values; send them in several requests",
            ));
        }
        Ok(())
    }
}

/// How many values there are in a value that are neither lists nor objects.
fn values_in(value: &Value) -> usize {
    let mut count = 0;
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(elements) => pending.extend(elements),
            Value::Object(object) => pending.extend(object.values()),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => count += 1,
        }
    }
    count
}

/// The length of the texts of elements that a filter compares and that are not ASCII.
fn folded_bytes(held: &Value, filter: &Filter) -> usize {
    let mut compared = Vec::new();
    let mut pending = vec![filter];
    while let Some(filter) = pending.pop() {
        match filter {
            Filter::And(members) | Filter::Or(members) => pending.extend(members),
            Filter::Not(inner) => pending.push(inner),
            Filter::Compare { path, .. } => compared.push(path.attribute.to_ascii_lowercase()),
            Filter::Present(_) | Filter::ValuePath { .. } => {}
        }
    }
    compared.sort_unstable();
    compared.dedup();
    let is_compared = |name: &str| compared.iter().any(|known| known.eq_ignore_ascii_case(name));
    let folded = |value: &Value| if is_ascii(value) { 0 } else { text_bytes(value) };
    let of_element = |element: &Value| match element {
        Value::Object(parts) => parts.iter().filter(|(name, _)| is_compared(name)).map(|(_, part)| folded(part)).sum(),
        plain => folded(plain),
    };
    held.as_array().map_or(std::slice::from_ref(held), Vec::as_slice).iter().map(of_element).sum()
}

fn is_ascii(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_ascii(),
        Value::Array(parts) => parts.iter().all(|part| part.as_str().is_none_or(str::is_ascii)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

/// The length of all text in a value.
fn text_bytes(value: &Value) -> usize {
    let mut bytes = 0;
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(elements) => pending.extend(elements),
            Value::Object(object) => pending.extend(object.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_operations_cost() {
        let held = json!([{"value": "x".repeat(64), "type": "work"}, {"value": "", "type": "home"}]);
        for (op, filter, value, expected) in [
            (Op::Replace, None, json!(null), 2),
            (Op::Replace, None, json!("x".repeat(32)), 6),
            (Op::Remove, Some("type eq \"work\""), json!(null), 2 + 3),
            (
                Op::Add,
                Some("type eq \"work\" or not (value pr and value co \"x\")"),
                json!({"display": "x".repeat(16)}),
                4 + 9,
            ),
            (Op::Replace, None, json!(["a", "b", "c", "d"]), 2),
            (Op::Remove, None, json!(["a", "b", "c", "d"]), 2 + 3 * 2),
            (Op::Add, None, json!(["a", "b", "c", "d"]), 2 + 3 * (2 + 1)),
        ] {
            let filter = filter.map(|text| text.parse::<Filter>().unwrap());
            let mut effort = Effort::default();
            effort.spend(op, Some(&held), filter.as_ref(), &value).unwrap();
            assert_eq!(effort.0, expected, "{op} {filter:?} {value}");
        }
    }

    #[test]
    fn a_text_that_is_not_ascii_costs_what_folding_it_once_costs() {
        let held = json!([{"value": "é".repeat(64), "type": "work"}, {"value": "x", "display": "é".repeat(64)}]);
        for (filter, expected) in [
            ("type eq \"work\"", 6 + 2),
            ("type eq \"work\" or type pr", 2 * 6 + 2),
            ("value eq \"x\"", 6 + 64 + 2),
            ("value eq \"x\" or not (VALUE co \"y\")", 2 * 6 + 64 + 2),
            ("value eq \"x\" or display co \"y\"", 2 * 6 + 2 * 64 + 2),
        ] {
            let parsed = filter.parse::<Filter>().unwrap();
            let mut effort = Effort::default();
            effort.spend(Op::Remove, Some(&held), Some(&parsed), &json!(null)).unwrap();
            assert_eq!(effort.0, expected, "{filter}");
        }
    }

    /// What an attacker sent: it held the only writer for seconds.
    #[test]
    fn a_thousand_filters_on_a_long_run_of_marks_are_refused() {
        let marks = "a".to_owned() + &"\u{301}\u{316}".repeat(15_900);
        let held = json!([{"value": marks}, {"value": marks}, {"value": marks}]);
        let filter = "value co \"z\"".parse::<Filter>().unwrap();
        let mut effort = Effort::default();
        let taken =
            (0..1000).take_while(|_| effort.spend(Op::Remove, Some(&held), Some(&filter), &json!(null)).is_ok());
        assert!(taken.count() < 50);
    }

    #[test]
    fn the_limit_holds_for_all_operations_together() {
        let mut effort = Effort::default();
        let half = json!("x".repeat((PATCH_EFFORT_MAX / 2 - 1) * COPIED_BYTES));
        assert_eq!(effort.spend(Op::Replace, None, None, &half), Ok(()));
        assert_eq!(effort.spend(Op::Replace, None, None, &half), Ok(()));
        assert_eq!(
            effort.spend(Op::Replace, None, None, &json!(true)).unwrap_err().scim_type,
            crate::ScimType::TooMany
        );
    }
}
