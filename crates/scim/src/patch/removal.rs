//! What `remove` takes out of multi-valued attributes (RFC 7644 §3.5.2.2): elements that a filter or a value names, parts of them, and
//! values of lists inside of them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::list::{matcher, object_of, put, put_elements, says_nothing, take_elements};
use crate::repeats::{drop_repeated, may_repeat};
use crate::schema::Attribute;
use crate::{Filter, ResourceType, ScimError, value};

/// What is taken out of a sub-attribute: all of it, or some values of its list.
pub(super) struct Parts<'a> {
    sub: &'a Attribute,
    /// The values, as they are compared; `None` for all.
    values: Option<HashSet<String>>,
}

impl<'a> Parts<'a> {
    /// Values can be named of a list only; of anything else all is meant.
    pub(super) fn named(sub: &'a Attribute, value: Value) -> Result<Self, ScimError> {
        if value.is_null() || !sub.multi_valued {
            return Ok(Self { sub, values: None });
        }
        let named = value::read_single(sub, value)?;
        let values = named.iter().filter_map(Value::as_array).flatten().map(|value| sub.canonical(value)).collect();
        Ok(Self { sub, values: Some(values) })
    }

    /// Tells whether there was something to take away.
    pub(super) fn remove_from(&self, object: &mut Map<String, Value>) -> Result<bool, ScimError> {
        let Some(held) = object.get(&self.sub.name) else { return Ok(false) };
        let left = self.values.as_ref().and_then(|named| {
            let held = held.as_array().map_or(std::slice::from_ref(held), Vec::as_slice);
            let left: Vec<Value> =
                held.iter().filter(|value| !named.contains(&self.sub.canonical(value))).cloned().collect();
            (!left.is_empty()).then_some(Value::Array(left))
        });
        put(object, self.sub, left)?;
        Ok(true)
    }
}

/// Takes something out of a sub-attribute of every element; elements that say nothing without it go.
pub(super) fn remove_in_all(
    level: &mut Map<String, Value>,
    attribute: &Attribute,
    sub: &Attribute,
    value: Value,
) -> Result<(), ScimError> {
    let named = Parts::named(sub, value)?;
    let mut left = Vec::new();
    for mut element in take_elements(level, attribute) {
        if !named.remove_from(object_of(&mut element))? || !says_nothing(&element) {
            left.push(element);
        }
    }
    if may_repeat(&left, sub) {
        drop_repeated(attribute, &mut left);
    }
    put_elements(level, attribute, left);
    Ok(())
}

/// Removes the elements that match, or one sub-attribute of each.
pub(super) fn remove_matching(
    level: &mut Map<String, Value>,
    attribute: &Attribute,
    sub: Option<&Attribute>,
    filter: &Filter,
    value: Value,
) -> Result<(), ScimError> {
    let matcher = matcher(attribute, filter)?;
    let named = sub.map(|sub| Parts::named(sub, value)).transpose()?;
    let mut left = Vec::new();
    for mut element in take_elements(level, attribute) {
        if !matcher.matches(&element) {
            left.push(element);
        } else if let Some(named) = &named
            && !(named.remove_from(object_of(&mut element))? && says_nothing(&element))
        {
            left.push(element);
        }
    }
    if sub.is_some_and(|sub| may_repeat(&left, sub)) {
        drop_repeated(attribute, &mut left);
    }
    put_elements(level, attribute, left);
    Ok(())
}

/// Removes the elements that a list of values names: by `value` (and `type`, when both have one), or by all that is given.
pub(super) fn remove_values(
    resource_type: &ResourceType,
    level: &mut Map<String, Value>,
    attribute: &Attribute,
    value: Value,
    by_value_only: bool,
) -> Result<(), ScimError> {
    let named = value::read_elements(resource_type, attribute, value)?;
    let mut elements = take_elements(level, attribute);
    if by_value_only {
        let ids: HashSet<&str> = named.iter().filter_map(|element| element.get("value")?.as_str()).collect();
        elements.retain(|element| element.get("value").and_then(Value::as_str).is_none_or(|id| !ids.contains(id)));
    } else {
        let named = Named::new(attribute, named);
        elements.retain(|element| !named.has(element));
    }
    put_elements(level, attribute, elements);
    Ok(())
}

/// The elements that a client names: those with a value by what it is compared as, so that each element is looked up once.
struct Named<'a> {
    attribute: &'a Attribute,
    by_value: HashMap<String, Vec<Value>>,
    others: Vec<Value>,
}

impl<'a> Named<'a> {
    fn new(attribute: &'a Attribute, given: Vec<Value>) -> Self {
        let mut named = Self { attribute, by_value: HashMap::new(), others: Vec::new() };
        for name in given {
            match named.key(&name) {
                Some(key) => named.by_value.entry(key).or_default().push(name),
                None => named.others.push(name),
            }
        }
        named
    }

    fn key(&self, element: &Value) -> Option<String> {
        match element {
            Value::Object(object) => Some(self.attribute.sub_attribute("value")?.canonical(object.get("value")?)),
            plain => Some(self.attribute.canonical(plain)),
        }
    }

    fn has(&self, element: &Value) -> bool {
        let of_value = self.key(element).and_then(|key| self.by_value.get(&key));
        let is_of_type = |name: &Value| match (element.get("type"), name.get("type")) {
            (Some(_), Some(_)) => self.same("type", element, name),
            _ => true,
        };
        of_value.is_some_and(|names| names.iter().any(is_of_type))
            || self.others.iter().any(|name| self.says(element, name))
    }

    /// Whether an element says all that a name without value says.
    fn says(&self, element: &Value, name: &Value) -> bool {
        name.as_object().is_some_and(|parts| parts.keys().all(|key| self.same(key, element, name)))
    }

    fn same(&self, part: &str, left: &Value, right: &Value) -> bool {
        let (Some(left), Some(right)) = (left.get(part), right.get(part)) else { return false };
        self.attribute.sub_attribute(part).map_or(left == right, |sub| sub.same(left, right))
    }
}
