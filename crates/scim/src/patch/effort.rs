//! How much one request may make the elements of multi-valued attributes cost. A short body can name every element of a large resource
//! with hundreds of comparisons, a thousand times: every other limit would be kept, and all writers would wait.

use serde_json::Value;

use super::Op;
use crate::limits::PATCH_EFFORT_MAX;
use crate::{Filter, ScimError};

/// Bytes that are compared as fast as one more element is visited.
const COMPARED_BYTES: usize = 64;
/// Bytes that are copied as fast as one more element is visited.
const COPIED_BYTES: usize = 16;
/// Bytes that are folded as fast as that, of a text that is not ASCII. An operation folds each text once.
const FOLDED_BYTES: usize = 2;

/// What it costs to look for what repeats an element by its value and type, in elements that are visited.
const REPEATED_ELEMENT: usize = 1;
/// The same for each part of an element that must be compared whole.
const REPEATED_PART: usize = 4;

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
        let removed = if op == Op::Remove && filter.is_none() { removal_bytes(held, value) / FOLDED_BYTES } else { 0 };
        let written = elements.saturating_mul(1 + text_bytes(value) / COPIED_BYTES);
        // The first of a list looks at what is held as a single value does, which is counted as visited.
        let others = value.as_array().map_or(0, |listed| listed.len().saturating_sub(1));
        let paired = match op {
            Op::Add => others.saturating_mul(elements.saturating_add(others / 2)),
            Op::Remove => others.saturating_mul(elements),
            Op::Replace => 0,
        };
        self.add(compared.saturating_add(removed).saturating_add(written).saturating_add(paired))
    }

    /// Adds that repeated elements are looked for among those that are held and those of a value: by value and type, and by all that one
    /// says which does not have both. What is compared is written down and folded once.
    ///
    /// # Errors
    /// `tooMany` beyond [`PATCH_EFFORT_MAX`].
    pub(super) fn spend_on_repeats(&mut self, held: Option<&Value>, value: &Value) -> Result<(), ScimError> {
        let (mut cost, mut bytes, mut folded) = (0_usize, 0_usize, 0_usize);
        for element in held.map_or([].as_slice(), each).iter().chain(each(value)) {
            match (element.is_object(), element.get("value"), element.get("type")) {
                (true, Some(value), Some(kind)) => {
                    cost += REPEATED_ELEMENT;
                    bytes += text_bytes(value) + text_bytes(kind);
                    folded += folded_in(value) + folded_in(kind);
                }
                (is_object, ..) => {
                    cost += if is_object { REPEATED_PART * values_in(element).max(1) } else { REPEATED_ELEMENT };
                    bytes += text_bytes(element);
                    folded += folded_in(element);
                }
            }
        }
        self.add(cost.saturating_add(bytes / COMPARED_BYTES).saturating_add(folded / FOLDED_BYTES))
    }

    /// Adds an operation that adds to lists inside of what is held: each of their values is looked at and copied. A held list is folded again
    /// for each element that is added to it, and an added one for each element that it may be added to.
    ///
    /// # Errors
    /// `tooMany` beyond [`PATCH_EFFORT_MAX`].
    pub(super) fn spend_on_lists(&mut self, held: Option<&Value>, value: &Value) -> Result<(), ScimError> {
        let objects = |value: &Value| each(value).iter().filter(|element| element.is_object()).count();
        let of = |value: &Value, times: usize| {
            let folded = folded_in_lists(value).saturating_mul(times.max(1)) / FOLDED_BYTES;
            values_in(value).saturating_add(text_bytes(value) / COPIED_BYTES).saturating_add(folded)
        };
        let of_held = held.map_or(0, |held| of(held, objects(value)));
        self.add(of_held.saturating_add(of(value, held.map_or(0, objects))))
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
    let of_element = |element: &Value| match element {
        Value::Object(parts) => {
            parts.iter().filter(|(name, _)| is_compared(name)).map(|(_, part)| folded_in(part)).sum()
        }
        plain => folded_in(plain),
    };
    each(held).iter().map(of_element).sum()
}

/// Names of parts that are told apart when a list of elements is removed; where there are more, every part counts.
const NAMES_MAX: usize = 32;

/// The bytes that are folded when elements are removed that a list names: the value of each once, other parts for each pair.
fn removal_bytes(held: Option<&Value>, named: &Value) -> usize {
    let elements = held.map_or([].as_slice(), each);
    if elements.iter().all(|element| folded_in(element) == 0) && folded_in(named) == 0 {
        return 0;
    }
    let is = |name: &str, of: &str| name.eq_ignore_ascii_case(of);
    let mut compared = vec!["type"];
    for name in each(named).iter().filter_map(Value::as_object) {
        if !name.keys().any(|key| is(key, "value")) {
            for key in name.keys() {
                if compared.len() <= NAMES_MAX && !compared.iter().any(|known| is(key, known)) {
                    compared.push(key);
                }
            }
        }
    }
    let is_compared = |name: &str| compared.len() > NAMES_MAX || compared.iter().any(|known| is(name, known));
    let of_pairs = |element: &Value| -> usize {
        let parts = element.as_object().into_iter().flatten();
        parts.filter(|(name, _)| is_compared(name)).map(|(_, part)| folded_in(part)).sum()
    };
    let value_of = |element: &Value| match element {
        Value::Object(parts) => parts.get("value").map_or(0, folded_in),
        plain => folded_in(plain),
    };
    let once = elements.iter().map(value_of).sum::<usize>().saturating_add(folded_in(named));
    let of_elements = each(named).len().saturating_mul(elements.iter().map(of_pairs).sum());
    let of_names = elements.len().saturating_mul(each(named).iter().map(of_pairs).sum());
    once.saturating_add(of_elements).saturating_add(of_names)
}

fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// The same of lists: those inside of elements, or elements that are plain.
fn folded_in_lists(value: &Value) -> usize {
    let of_element = |element: &Value| match element {
        Value::Object(parts) => parts.values().filter(|part| part.is_array()).map(folded_in).sum(),
        plain => folded_in(plain),
    };
    each(value).iter().map(of_element).sum()
}

/// The length of the texts in a value that are not ASCII.
fn folded_in(value: &Value) -> usize {
    texts(value, |text| if text.is_ascii() { 0 } else { text.len() })
}

/// The length of all text in a value.
fn text_bytes(value: &Value) -> usize {
    texts(value, str::len)
}

/// Adds up what each text in a value counts.
fn texts(value: &Value, of: impl Fn(&str) -> usize) -> usize {
    let mut bytes = 0;
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::String(text) => bytes += of(text),
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
    use crate::filter::FOLD_WORK;

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
        assert_eq!(FOLDED_BYTES as u64, COMPARED_BYTES as u64 / FOLD_WORK);
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

    #[test]
    fn elements_that_are_named_to_be_removed_cost_what_folding_them_costs() {
        let held = json!([{"value": "é".repeat(64), "display": "é".repeat(32), "type": "work"}, {"value": "x", "type": "é".repeat(8)}]);
        for (named, expected) in [
            (json!([{"value": "x"}]), 128 + 16),
            (json!([{"value": "é"}]), 128 + 2 + 16),
            (json!([{"value": "x"}, {"value": "y", "type": "é"}]), 128 + 2 + 2 * 16 + 2 * 2),
            (json!([{"Display": "é"}, {"value": "y"}]), 128 + 2 + 2 * (64 + 16) + 2 * 2),
            (json!("é"), 128 + 2 + 16),
        ] {
            assert_eq!(removal_bytes(Some(&held), &named), expected, "{named}");
        }
        assert_eq!(removal_bytes(Some(&json!([{"value": "x"}])), &json!([{"value": "x"}])), 0);
    }

    #[test]
    fn looking_for_repeated_elements_costs_what_folding_them_costs() {
        let held = json!([{"value": "é".repeat(64), "tags": ["é", "x"]}, {"value": "x", "display": "é".repeat(32)}]);
        for (value, repeats, lists) in
            [(json!("x"), 20 + 1 + 3 + 97, 5 + 12 + 1 + 1), (json!([{"value": "é"}]), 20 + 4 + 3 + 98, 5 + 12 + 1 + 1)]
        {
            let (mut of_repeats, mut of_lists) = (Effort::default(), Effort::default());
            of_repeats.spend_on_repeats(Some(&held), &value).unwrap();
            of_lists.spend_on_lists(Some(&held), &value).unwrap();
            assert_eq!((of_repeats.0, of_lists.0), (repeats, lists), "{value}");
        }
    }

    /// What another one sent: a thousand times all that a thousand elements say was written down, to find which were the same.
    #[test]
    fn what_repeats_is_not_looked_for_among_many_long_elements_a_thousand_times() {
        let of = |held: &Value| {
            let mut effort = Effort::default();
            (0..1000).take_while(|_| effort.spend_on_repeats(Some(held), &json!("x")).is_ok()).count()
        };
        let elements = |count: usize, make: fn(usize) -> Value| Value::from((0..count).map(make).collect::<Vec<_>>());
        let typed = |number: usize| json!({ "value": number.to_string(), "type": "work", "display": "é".repeat(99) });
        assert_eq!(of(&elements(1000, typed)), 1000, "of these only value and type are compared");
        let long = of(&elements(1000, |number| json!({ "value": format!("{number:04000}"), "type": "work" })));
        assert_eq!(long, PATCH_EFFORT_MAX / (1000 * REPEATED_ELEMENT + (1000 * 4004 + 1) / COMPARED_BYTES + 1));
        let wide = of(&elements(1000, |_| json!({ "a": true, "b": 1, "c": { "d": 2, "e": [3, 4] } })));
        assert_eq!(wide, PATCH_EFFORT_MAX / (1000 * 5 * REPEATED_PART + 1));
        assert_eq!(of(&elements(100, |number| json!({ "region": number.to_string(), "type": "work" }))), 1000);
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
