//! Finding a target attribute in a resource's JSON, and putting it there.

use serde_json::{Map, Value};

use super::TargetPath;
use super::compare::loosely_equal;

impl TargetPath {
    /// The value at this attribute in a resource.
    pub fn read<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        let value = self.whole(resource)?;
        let value = if self.is_filtered() || self.nature.in_elements {
            elements(value).iter().find(|element| self.is_chosen(element))?
        } else {
            value
        };
        match &self.name.sub_attribute {
            Some(sub) => find(value.as_object()?, sub),
            None => Some(value),
        }
        .filter(|value| !is_unassigned(value))
    }

    /// The attribute with all its elements and parts.
    fn whole<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        let holder = match &self.name.urn {
            Some(urn) => find(resource, urn)?.as_object()?,
            None => resource,
        };
        find(holder, &self.name.attribute)
    }

    /// Whether an element is written to, and a resource has none that is meant.
    pub fn needs_element(&self, resource: &Map<String, Value>) -> bool {
        let chooses = self.is_filtered() || self.nature.in_elements;
        let has = |whole| elements(whole).iter().any(|element| self.is_chosen(element));
        chooses && !self.whole(resource).is_some_and(has)
    }

    fn is_chosen(&self, element: &Value) -> bool {
        let Some(element) = element.as_object() else { return false };
        self.terms.iter().all(|(name, wanted)| match (find(element, name), wanted) {
            (Some(Value::String(given)), Value::String(wanted)) => scim::fold(given) == scim::fold(wanted),
            (given, wanted) => given.is_some_and(|given| loosely_equal(given, wanted)),
        })
    }

    /// Writes a value into a resource, making what it needs on the way.
    pub fn write(&self, resource: &mut Map<String, Value>, value: Value) {
        let holder = match &self.name.urn {
            Some(urn) => object_at(resource, urn),
            None => resource,
        };
        let name = &self.name;
        if !self.is_filtered() && !self.nature.in_elements {
            match &name.sub_attribute {
                Some(sub) => put(object_at(holder, &name.attribute), sub, value),
                None => put(holder, &name.attribute, value),
            }
            return;
        }
        let list = holder.entry(key_in(holder, &name.attribute)).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(elements) = list else { return };
        let position = elements.iter().position(|element| self.is_chosen(element)).unwrap_or_else(|| {
            elements.push(Value::Object(self.new_element()));
            elements.len() - 1
        });
        if let Some(Value::Object(element)) = elements.get_mut(position) {
            put(element, name.sub_attribute.as_deref().unwrap_or("value"), value);
        }
    }

    /// Writes another part of the element that this path writes to, unless it is there already.
    pub fn write_beside(&self, resource: &mut Map<String, Value>, part: &str, value: Value) {
        let mut beside = self.clone();
        beside.name.sub_attribute = Some(part.to_owned());
        if beside.read(resource).is_none() {
            beside.write(resource, value);
        }
    }

    /// The element that the brackets describe, as far as they describe it.
    pub fn new_element(&self) -> Map<String, Value> {
        self.terms.iter().cloned().collect()
    }
}

/// The elements of a list; an object in place of a list is its only one.
fn elements(whole: &Value) -> &[Value] {
    match whole {
        Value::Array(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

/// Attribute names are compared without case (RFC 7643 §2.1).
pub(super) fn find<'m>(object: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The name as an object has it already, else as it is.
fn key_in(object: &Map<String, Value>, name: &str) -> String {
    object.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned())
}

fn put(object: &mut Map<String, Value>, name: &str, value: Value) {
    object.insert(key_in(object, name), value);
}

fn object_at<'m>(object: &'m mut Map<String, Value>, name: &str) -> &'m mut Map<String, Value> {
    let slot = object.entry(key_in(object, name)).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("it was just made an object")
}

fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
