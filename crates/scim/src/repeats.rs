//! Which elements of a multi-valued attribute say the same (RFC 7643 §2.4, RFC 7644 §3.5.2.1), by how its values compare: what is added,
//! what is removed and what a filter finds are then the same values. Of several spellings the one that is held stays.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::limits::VALUES_MAX;
use crate::schema::Attribute;

/// Elements of a list that are compared each with each, which for few is faster than any table.
const COMPARED_PAIRWISE_MAX: usize = 16;
/// Elements of a list in which repeated ones are looked for: a full list and as many that are added to it.
const REPEATS_LOOKED_FOR_MAX: usize = 2 * VALUES_MAX;
/// The parts that tell which element of a list it is.
const TELLING: [&str; 2] = ["value", "type"];

/// An element as it is compared: each text folded once, however many elements it is compared with.
pub(crate) struct Said {
    is_object: bool,
    value: Option<String>,
    kind: Option<String>,
    /// All that an object says.
    parts: OnceCell<Map<String, Value>>,
}

impl Said {
    pub(crate) fn new(attribute: &Attribute, element: &Value) -> Self {
        let part = |name: &str| Some(canonical_part(attribute, name, element.get(name)?));
        let is_object = element.is_object();
        let (value, kind) =
            if is_object { (part("value"), part("type")) } else { (Some(attribute.canonical(element)), None) };
        Self { is_object, value, kind, parts: OnceCell::new() }
    }

    fn parts(&self, attribute: &Attribute, element: &Value) -> &Map<String, Value> {
        self.parts.get_or_init(|| {
            let parts = element.as_object().into_iter().flatten();
            parts.map(|(name, part)| (name.clone(), Value::from(canonical_part(attribute, name, part)))).collect()
        })
    }

    /// A text that is the same for elements that say the same.
    fn key(&self, attribute: &Attribute, element: &Value) -> String {
        match (&self.value, &self.kind) {
            (Some(value), kind) => Value::from(vec![Some(value.as_str()), kind.as_deref()]).to_string(),
            (None, _) => Value::Object(self.parts(attribute, element).clone()).to_string(),
        }
    }
}

fn canonical_part(attribute: &Attribute, name: &str, part: &Value) -> String {
    attribute.sub_attribute(name).map_or_else(|| part.to_string(), |sub| sub.canonical(part))
}

/// Whether an element says again what a known one says: all of it, or the same value of the same type (RFC 7643 §2.4). Without a type only
/// where neither says what the other one contradicts: an attribute's other parts may be what tells its values apart.
fn is_repeated(attribute: &Attribute, known: (&Value, &Said), element: (&Value, &Said)) -> bool {
    say_the_same(attribute, known, element, |_| true)
}

/// The same where the element is to be added: to the lists that the known one has, its own are added.
pub(crate) fn is_added_to(attribute: &Attribute, known: (&Value, &Said), element: (&Value, &Said)) -> bool {
    say_the_same(attribute, known, element, |part| !part.is_array())
}

fn say_the_same(
    attribute: &Attribute,
    (known, known_said): (&Value, &Said),
    (element, said): (&Value, &Said),
    may_contradict: impl Fn(&Value) -> bool,
) -> bool {
    if (known_said.is_object, &known_said.value, &known_said.kind) != (said.is_object, &said.value, &said.kind) {
        return false;
    }
    if !said.is_object || said.value.is_some() && said.kind.is_some() {
        return true;
    }
    let (known_parts, parts) = (known_said.parts(attribute, known), said.parts(attribute, element));
    if said.value.is_none() {
        return known_parts == parts;
    }
    // Which one is primary is told anew each time.
    let contradicts = |(name, part): (&String, &Value)| {
        name != "primary"
            && known_parts.get(name).is_some_and(|known| known != part)
            && element.get(name).is_some_and(&may_contradict)
    };
    !parts.iter().any(contradicts)
}

/// Drops elements that say again what an earlier one says: a combination of type and value is not to be answered twice (RFC 7643
/// §2.4), and what the later one says besides is added to the earlier. Long lists, such as those of members, are kept as they are: they
/// have rules of their own.
pub(crate) fn drop_repeated(attribute: &Attribute, elements: &mut Vec<Value>) {
    if elements.len() < 2 || elements.len() > REPEATS_LOOKED_FOR_MAX {
        return;
    }
    let is_long = elements.len() > COMPARED_PAIRWISE_MAX;
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    let mut kept: Vec<(Value, Said)> = Vec::with_capacity(elements.len());
    for element in elements.drain(..) {
        let said = Said::new(attribute, &element);
        let is_earlier = |at: &usize| {
            kept.get(*at)
                .is_some_and(|(known, known_said)| is_repeated(attribute, (known, known_said), (&element, &said)))
        };
        let key = if is_long { said.key(attribute, &element) } else { String::new() };
        let earlier = if is_long {
            let places = places.get(&key).map_or([].as_slice(), Vec::as_slice);
            places.iter().take(COMPARED_PAIRWISE_MAX).copied().find(is_earlier)
        } else {
            (0..kept.len()).find(is_earlier)
        };
        if let Some((known, known_said)) = earlier.and_then(|at| kept.get_mut(at)) {
            if complete(known, element) {
                *known_said = Said::new(attribute, known);
            }
        } else {
            if is_long {
                places.entry(key).or_default().push(kept.len());
            }
            kept.push((element, said));
        }
    }
    elements.extend(kept.into_iter().map(|(element, _)| element));
}

/// Whether elements that did not repeat each other may do so when a part of all of them changes: not where each has what tells them
/// apart, and that is another part.
pub(crate) fn may_repeat(elements: &[Value], changed: &Attribute) -> bool {
    TELLING.contains(&changed.name.as_str())
        || !elements.iter().all(|element| TELLING.iter().all(|part| element.get(part).is_some()))
}

/// Makes one of an element that was changed and another one that says the same.
pub(crate) fn join_repeated(attribute: &Attribute, elements: &mut Vec<Value>, changed: usize) {
    let Some(element) = elements.get(changed).filter(|_| elements.len() > 1) else { return };
    let said = Said::new(attribute, element);
    let other = elements.iter().enumerate().position(|(at, other)| {
        at != changed && is_repeated(attribute, (other, &Said::new(attribute, other)), (element, &said))
    });
    if let Some(other) = other {
        let element = elements.remove(changed);
        if let Some(known) = elements.get_mut(if other > changed { other - 1 } else { other }) {
            complete(known, element);
        }
    }
}

/// Adds to an element what another one says besides the same; tells whether that was anything.
fn complete(known: &mut Value, other: Value) -> bool {
    let (Value::Object(known), Value::Object(other)) = (known, other) else { return false };
    let mut besides = besides(known, other);
    // One that is not said to be primary a second time stays it.
    besides.retain(|name, part| !(name == "primary" && *part == Value::Bool(false) && known.contains_key(name)));
    let is_more = !besides.is_empty();
    known.extend(besides);
    is_more
}

/// What an element says besides what a known one says that is the same.
pub(crate) fn besides(known: &Map<String, Value>, mut other: Map<String, Value>) -> Map<String, Value> {
    if !other.contains_key("value") {
        return Map::new();
    }
    other.retain(|name, part| !TELLING.contains(&name.as_str()) && known.get(name) != Some(part));
    other
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Kind;

    fn list() -> Attribute {
        let text = |name: &str| Attribute::new(name, Kind::String);
        let sub_attributes = vec![text("value"), text("type"), text("display")];
        Attribute { multi_valued: true, sub_attributes, ..Attribute::new("list", Kind::Complex) }
    }

    #[test]
    fn repeated_elements_are_dropped_from_lists_of_any_length_but_the_longest() {
        let element = |number: usize| json!({ "value": format!("x{number}") });
        for count in
            [1, COMPARED_PAIRWISE_MAX, COMPARED_PAIRWISE_MAX + 1, REPEATS_LOOKED_FOR_MAX, REPEATS_LOOKED_FOR_MAX + 1]
        {
            for last in ["x0", "X0"] {
                // The last one says what the first one says.
                let mut elements: Vec<_> = (0..count - 1).map(element).chain([json!({ "value": last })]).collect();
                let first = elements[0].clone();
                drop_repeated(&list(), &mut elements);
                let is_looked_for = count > 1 && count <= REPEATS_LOOKED_FOR_MAX;
                assert_eq!(elements.len(), if is_looked_for { count - 1 } else { count }, "{count}");
                assert_eq!(elements[0], first);
            }
        }
        assert_eq!((COMPARED_PAIRWISE_MAX, REPEATS_LOOKED_FOR_MAX), (16, 2_000));
    }

    #[test]
    fn values_that_other_parts_tell_apart_are_kept_in_lists_of_any_length() {
        let element = |number: usize| json!({ "value": "admin", "display": number.to_string() });
        for count in [2, COMPARED_PAIRWISE_MAX, COMPARED_PAIRWISE_MAX + 1, REPEATS_LOOKED_FOR_MAX] {
            let elements: Vec<_> = (0..count - 1).map(element).collect();
            let mut repeated: Vec<_> = elements.iter().cloned().chain([element(0)]).collect();
            drop_repeated(&list(), &mut repeated);
            assert_eq!(repeated, elements, "{count}");
        }
    }

    #[test]
    fn the_first_spelling_is_kept() {
        let exact = Attribute { case_exact: true, ..Attribute::new("value", Kind::String) };
        let tags = Attribute { multi_valued: true, ..Attribute::new("tags", Kind::String) };
        let counted = Attribute { sub_attributes: vec![exact], ..list() };
        for (attribute, given, expected) in [
            (&tags, json!(["a", "A", "É", "é"]), json!(["a", "É"])),
            (
                &list(),
                json!([{"value": "a@x", "type": "work"}, {"value": "A@X", "type": "Work", "display": "D"}]),
                json!([{"value": "a@x", "type": "work", "display": "D"}]),
            ),
            (
                &list(),
                json!([{"value": "a", "display": "D"}, {"value": "A", "display": "d"}]),
                json!([{"value": "a", "display": "d"}]),
            ),
            (&list(), json!([{"display": "D"}, {"display": "d"}]), json!([{"display": "D"}])),
            (
                &list(),
                json!([{"value": "a", "type": "x"}, {"value": "A"}]),
                json!([{"value": "a", "type": "x"}, {"value": "A"}]),
            ),
            (&counted, json!([{"value": "a"}, {"value": "A"}]), json!([{"value": "a"}, {"value": "A"}])),
            (&list(), json!(["a", {"value": "a"}]), json!(["a", {"value": "a"}])),
        ] {
            let mut elements = given.as_array().unwrap().clone();
            drop_repeated(attribute, &mut elements);
            assert_eq!(Value::from(elements), expected, "{given}");
        }
    }

    #[test]
    fn what_tells_elements_apart_is_looked_at_again_only_where_it_may_be_the_same_now() {
        let both = json!({ "value": "a", "type": "work" });
        for (elements, changed, expected) in [
            (vec![both.clone()], "display", false),
            (vec![both.clone()], "primary", false),
            (vec![both.clone()], "value", true),
            (vec![both.clone()], "type", true),
            (vec![both.clone(), json!({ "value": "a" })], "display", true),
            (vec![both, json!({ "display": "a", "type": "work" })], "primary", true),
            (Vec::new(), "display", false),
        ] {
            let changed = Attribute::new(changed, Kind::String);
            assert_eq!(may_repeat(&elements, &changed), expected, "{elements:?} {}", changed.name);
        }
    }
}
