//! Elements of multi-valued attributes under PATCH: found by filter, created when absent, kept to one `primary`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Op;
use super::edit::{is_clearing, not_mutable, store};
use super::removal::remove_in_all;
use crate::error::echo;
use crate::filter::ElementMatcher;
use crate::repeats::{Said, besides, drop_repeated, is_added_to, join_repeated, may_repeat};
use crate::schema::{Attribute, Kind, Mutability};
use crate::{Filter, Literal, Operator, ResourceType, ScimError, value};

/// What an element is called besides what it says; alone it says nothing.
const LABELS: [&str; 2] = ["type", "primary"];

/// The object in a value; a stored value of another form (from before the attribute was complex) gives way to an empty one.
pub(super) fn object_of(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("made an object above")
}

/// Takes the elements out of a level; a single stored value counts as a list of one.
pub(super) fn take_elements(level: &mut Map<String, Value>, attribute: &Attribute) -> Vec<Value> {
    match level.remove(&attribute.name) {
        Some(Value::Array(elements)) => elements,
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one],
    }
}

pub(super) fn put_elements(level: &mut Map<String, Value>, attribute: &Attribute, elements: Vec<Value>) {
    store(level, attribute, (!elements.is_empty()).then_some(Value::Array(elements)));
}

/// Sets or clears a sub-attribute. One that may not change any more takes the value that it has, and keeps its spelling.
pub(super) fn put(object: &mut Map<String, Value>, sub: &Attribute, value: Option<Value>) -> Result<(), ScimError> {
    if sub.mutability == Mutability::Immutable
        && let Some(held) = object.get(&sub.name)
    {
        let is_same = value.is_some_and(|value| sub.same(&value, held));
        return if is_same { Ok(()) } else { Err(not_mutable(sub)) };
    }
    store(object, sub, value);
    Ok(())
}

/// Whether the operation adds to what a sub-attribute has: it is a list itself (RFC 7644 §3.5.2.1).
pub(super) fn adds_to(op: Op, sub: &Attribute) -> bool {
    op == Op::Add && sub.multi_valued
}

/// What a sub-attribute is after a value was set on it, or added to its list.
pub(super) fn combined(
    op: Op,
    attribute: &Attribute,
    object: &Map<String, Value>,
    sub: &Attribute,
    read: Value,
) -> Result<Value, ScimError> {
    if !adds_to(op, sub) {
        return Ok(read);
    }
    let held = object.get(&sub.name);
    let is_set_once = [attribute, sub].iter().any(|one| one.mutability == Mutability::Immutable);
    match (held, read) {
        (Some(held), Value::Array(added)) if is_set_once => {
            let added = without_held(sub, held.as_array().map_or(std::slice::from_ref(held), Vec::as_slice), added);
            value::add_parts(sub, Some(held), Value::Array(added))
        }
        (held, read) => value::add_parts(sub, held, read),
    }
}

/// The values that are not held yet, in whatever spelling: of a list that may not change any more, the others are no change.
fn without_held(attribute: &Attribute, held: &[Value], mut added: Vec<Value>) -> Vec<Value> {
    let known: HashSet<String> = held.iter().map(|value| attribute.canonical(value)).collect();
    added.retain(|value| !known.contains(&attribute.canonical(value)));
    added
}

/// Sets a sub-attribute, or adds to its list; without value it is cleared, and nothing is added.
fn put_by(
    op: Op,
    attribute: &Attribute,
    object: &mut Map<String, Value>,
    sub: &Attribute,
    read: Option<Value>,
) -> Result<(), ScimError> {
    match read {
        None if adds_to(op, sub) => Ok(()),
        None => put(object, sub, None),
        Some(read) => {
            let value = combined(op, attribute, object, sub, read)?;
            put(object, sub, Some(value))
        }
    }
}

pub(super) fn says_nothing(element: &Value) -> bool {
    element.as_object().is_none_or(|object| object.keys().all(|key| LABELS.contains(&key.as_str())))
}

/// At most one element is primary; the newest claim wins (RFC 7644 §3.5.2), unless what the older ones are was set once.
fn unset_primary(attribute: &Attribute, elements: &mut [Value], newest: usize) -> Result<(), ScimError> {
    let Some(primary) = attribute.sub_attribute("primary") else { return Ok(()) };
    let others = elements.iter_mut().enumerate().filter(|(index, _)| *index != newest);
    for (_, element) in others.filter(|(_, element)| value::is_primary(element)) {
        put(object_of(element), primary, Some(Value::Bool(false)))?;
    }
    Ok(())
}

/// Adds elements that are not there yet. An element with the same `value` and `type` is completed instead of doubled, and without a type
/// one that nothing added contradicts.
pub(super) fn append(
    resource_type: &ResourceType,
    level: &mut Map<String, Value>,
    attribute: &Attribute,
    value: Value,
) -> Result<(), ScimError> {
    let mut added = value::read_elements(resource_type, attribute, value)?;
    let mut elements = take_elements(level, attribute);
    if attribute.mutability == Mutability::Immutable {
        added = without_held(attribute, &elements, added);
    }
    if resource_type.is_members(attribute) {
        append_members(&mut elements, added);
    } else {
        let mut said: Vec<Said> = elements.iter().map(|element| Said::new(attribute, element)).collect();
        for element in added {
            append_one(attribute, (&mut elements, &mut said), element)?;
        }
    }
    value::check_count(resource_type, attribute, elements.len())?;
    put_elements(level, attribute, elements);
    Ok(())
}

/// A member is its id; a set finds known ones in groups of any size.
fn append_members(elements: &mut Vec<Value>, added: Vec<Value>) {
    let id = |element: &Value| element.get("value").and_then(Value::as_str).map(str::to_owned);
    let mut known: HashSet<Option<String>> = elements.iter().map(id).collect();
    elements.extend(added.into_iter().filter(|element| known.insert(id(element))));
}

fn append_one(
    attribute: &Attribute,
    (elements, said): (&mut Vec<Value>, &mut Vec<Said>),
    added: Value,
) -> Result<(), ScimError> {
    let new = Said::new(attribute, &added);
    let mut known = elements.iter().zip(said.iter());
    let at = known.position(|known| is_added_to(attribute, known, (&added, &new))).unwrap_or(elements.len());
    if value::is_primary(&added) {
        unset_primary(attribute, elements, at)?;
        *said = elements.iter().map(|element| Said::new(attribute, element)).collect();
    }
    match (elements.get_mut(at), added) {
        (Some(element @ Value::Object(_)), Value::Object(added)) => {
            let known = object_of(element);
            for (name, value) in besides(known, added) {
                match attribute.sub_attribute(&name) {
                    Some(sub) => put_by(Op::Add, attribute, known, sub, Some(value))?,
                    None => drop(known.insert(name, value)),
                }
            }
            if let Some(said) = said.get_mut(at) {
                *said = Said::new(attribute, element);
            }
        }
        (Some(_), _) => {}
        (None, added) => {
            elements.push(added);
            said.push(new);
        }
    }
    Ok(())
}

/// Sets or clears a sub-attribute of every element; with no element yet, one is made. Of elements that are the same then, one stays.
pub(super) fn set_in_all(
    op: Op,
    level: &mut Map<String, Value>,
    attribute: &Attribute,
    sub: &Attribute,
    value: Value,
) -> Result<(), ScimError> {
    let read = value::read_single(sub, value)?;
    let mut elements = take_elements(level, attribute);
    if elements.is_empty() && read.is_some() {
        elements.push(Value::Object(Map::new()));
    }
    if read.is_none() && !adds_to(op, sub) {
        put_elements(level, attribute, elements);
        return remove_in_all(level, attribute, sub, Value::Null);
    }
    for element in &mut elements {
        put_by(op, attribute, object_of(element), sub, read.clone())?;
    }
    if may_repeat(&elements, sub) {
        drop_repeated(attribute, &mut elements);
    }
    if elements.iter().filter(|element| value::is_primary(element)).count() > 1 {
        return Err(ScimError::invalid_value(format!(
            "'{}' would have more than one primary value",
            echo(&attribute.name)
        )));
    }
    put_elements(level, attribute, elements);
    Ok(())
}

pub(super) fn matcher<'a>(attribute: &'a Attribute, filter: &Filter) -> Result<ElementMatcher<'a>, ScimError> {
    if !attribute.multi_valued {
        return Err(ScimError::invalid_path(format!("'{}' has no elements to select", echo(&attribute.name))));
    }
    ElementMatcher::new(filter, attribute)
}

/// Sets the elements that match, or one sub-attribute of each; creates an element when none matches, unless one is to be replaced whole.
pub(super) fn set_matching(
    resource_type: &ResourceType,
    level: &mut Map<String, Value>,
    attribute: &Attribute,
    sub: Option<&Attribute>,
    filter: &Filter,
    op: Op,
    value: Value,
) -> Result<(), ScimError> {
    let matcher = matcher(attribute, filter)?;
    if attribute.kind != Kind::Complex {
        return set_plain(resource_type, level, attribute, &matcher, op, value);
    }
    let mut elements = take_elements(level, attribute);
    let mut meant: Vec<usize> = (0..elements.len())
        .filter(|index| elements.get(*index).is_some_and(|element| matcher.matches(element)))
        .collect();
    let is_whole = op == Op::Replace && sub.is_none() && is_object(&value);
    let parts = parts_of(attribute, sub, value)?;
    let dropped = if is_whole { left_out(attribute, filter, &parts) } else { Vec::new() };
    let is_made = meant.is_empty();
    // A primary one, which each list may have, is made also where it was to be replaced (Slack's form).
    if is_made && is_whole && !parts.is_empty() && !names(filter, "primary") {
        return Err(no_target(attribute));
    }
    if is_made {
        if parts.iter().all(|(_, value)| value.is_none()) {
            put_elements(level, attribute, elements);
            return Ok(());
        }
        meant.push(elements.len());
        elements.push(described(attribute, filter, op)?);
        value::check_count(resource_type, attribute, elements.len())?;
    }
    let claims_primary = parts.iter().any(|(sub, value)| sub.name == "primary" && *value == Some(Value::Bool(true)));
    if claims_primary && meant.len() > 1 {
        return Err(ScimError::invalid_value(format!(
            "'{}' would have more than one primary value",
            echo(&attribute.name)
        )));
    }
    for index in &meant {
        let Some(element) = elements.get_mut(*index) else { continue };
        for sub in &dropped {
            object_of(element).remove(&sub.name);
        }
        for (sub, value) in &parts {
            put_by(op, attribute, object_of(element), sub, value.clone())?;
        }
    }
    // What is made is what the path describes, or it would be made again each time.
    if is_made && !elements.last().is_some_and(|element| matcher.matches(element)) {
        return Err(no_target(attribute));
    }
    let newest_primary = meant.iter().copied().find(|index| elements.get(*index).is_some_and(value::is_primary));
    if let Some(newest) = newest_primary.filter(|_| claims_primary || meant.len() == 1) {
        unset_primary(attribute, &mut elements, newest)?;
    }
    tidy(attribute, &mut elements, &meant, &parts);
    put_elements(level, attribute, elements);
    Ok(())
}

/// Drops the elements that say nothing any more, and makes one of those that say the same now.
fn tidy(attribute: &Attribute, elements: &mut Vec<Value>, changed: &[usize], parts: &[(&Attribute, Option<Value>)]) {
    let clears = parts.iter().any(|(_, value)| value.is_none());
    // What told several apart may have been what was changed.
    let are_compared = parts.iter().any(|(sub, _)| may_repeat(elements, sub));
    if let [only] = changed {
        if clears && elements.get(*only).is_some_and(says_nothing) {
            elements.remove(*only);
        } else if are_compared {
            join_repeated(attribute, elements, *only);
        }
        return;
    }
    if clears {
        let mut at = 0;
        elements.retain(|element| {
            let is_gone = changed.binary_search(&at).is_ok() && says_nothing(element);
            at += 1;
            !is_gone
        });
    }
    if are_compared {
        drop_repeated(attribute, elements);
    }
}

/// Sets the plain values that match. Where none does there is nothing to replace, and what is given is added.
fn set_plain(
    resource_type: &ResourceType,
    level: &mut Map<String, Value>,
    attribute: &Attribute,
    matcher: &ElementMatcher<'_>,
    op: Op,
    value: Value,
) -> Result<(), ScimError> {
    let mut given = value::read_elements(resource_type, attribute, value)?;
    if given.len() > 1 {
        return Err(ScimError::invalid_value(format!("one value of '{}' is set to one value", echo(&attribute.name))));
    }
    let given = given.pop();
    let held = take_elements(level, attribute);
    let is_found = held.iter().any(|element| matcher.matches(element));
    let mut elements = Vec::with_capacity(held.len() + 1);
    for element in held {
        let kept = if matcher.matches(&element) { given.clone() } else { Some(element) };
        elements.extend(kept);
    }
    if !is_found && given.is_some() {
        if op == Op::Replace {
            return Err(no_target(attribute));
        }
        elements.extend(given);
    }
    drop_repeated(attribute, &mut elements);
    value::check_count(resource_type, attribute, elements.len())?;
    put_elements(level, attribute, elements);
    Ok(())
}

fn no_target(attribute: &Attribute) -> ScimError {
    ScimError::no_target(format!("no value of '{}' matches the filter", echo(&attribute.name)))
}

/// Whether a value is an object, or the only one of a list.
fn is_object(value: &Value) -> bool {
    match value {
        Value::Array(elements) => matches!(elements.as_slice(), [Value::Object(_)]),
        one => one.is_object(),
    }
}

/// RFC 7644 §3.5.2.3: an element that is replaced as a whole loses what the new one does not have. It stays what the path says it is, and
/// primary until another one is. An object without `value`, where elements have one, is no element: it changes what it names, as an object
/// that is set on a complex attribute does.
fn left_out<'a>(
    attribute: &'a Attribute,
    filter: &Filter,
    parts: &[(&Attribute, Option<Value>)],
) -> Vec<&'a Attribute> {
    let names_value = parts.iter().any(|(sub, _)| sub.name == "value");
    if parts.is_empty() || !names_value && attribute.sub_attribute("value").is_some() {
        return Vec::new();
    }
    let is_given = |sub: &Attribute| parts.iter().any(|(given, _)| given.name == sub.name);
    let changeable = attribute.sub_attributes.iter().filter(|sub| sub.mutability == Mutability::ReadWrite);
    changeable.filter(|sub| sub.name != "primary" && !is_given(sub) && !names(filter, &sub.name)).collect()
}

/// Whether a filter says what a sub-attribute must be.
fn names(filter: &Filter, sub: &str) -> bool {
    terms_of(filter).iter().any(|term| match term {
        Filter::Compare { path, operator: Operator::Eq, .. } => path.attribute.eq_ignore_ascii_case(sub),
        _ => false,
    })
}

/// What must hold for a filter to hold.
fn terms_of(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::And(members) => members,
        one => std::slice::from_ref(one),
    }
}

/// What to set on an element: one sub-attribute, or those an object gives. A cleared element clears its `value` and the rest.
fn parts_of<'a>(
    attribute: &'a Attribute,
    sub: Option<&'a Attribute>,
    value: Value,
) -> Result<Vec<(&'a Attribute, Option<Value>)>, ScimError> {
    if let Some(sub) = sub {
        return Ok(vec![(sub, value::read_single(sub, value)?)]);
    }
    let given = match value {
        Value::Array(mut given) if given.len() == 1 => given.pop().unwrap_or_default(),
        other => other,
    };
    if is_clearing(&given) {
        return Ok(attribute.sub_attributes.iter().map(|sub| (sub, None)).collect());
    }
    let given = match given {
        Value::Object(given) => given,
        other => match value::read_element(attribute, other)? {
            Some(Value::Object(read)) => read,
            _ => Map::new(),
        },
    };
    let known = given.into_iter().filter_map(|(name, value)| Some((attribute.sub_attribute(&name)?, value)));
    known
        .filter(|(sub, _)| sub.mutability != Mutability::ReadOnly)
        .map(|(sub, value)| Ok((sub, value::read_single(sub, value)?)))
        .collect()
}

/// The element that a filter of equalities describes.
fn described(attribute: &Attribute, filter: &Filter, op: Op) -> Result<Value, ScimError> {
    let no_target = || no_target(attribute);
    let mut element = Map::new();
    let mut is_expected = false;
    for term in terms_of(filter) {
        let Filter::Compare { path, operator: Operator::Eq, value } = term else { return Err(no_target()) };
        // What only the service provider sets is not set by describing it either.
        let is_settable = |sub: &&Attribute| sub.mutability != Mutability::ReadOnly;
        let sub = attribute.sub_attribute(&path.attribute).filter(is_settable).ok_or_else(no_target)?;
        let given = match value {
            Literal::Number { value, .. } => Value::Number(value.clone()),
            Literal::Boolean(value) => Value::Bool(*value),
            Literal::String(text) => Value::from(text.as_str()),
            Literal::Null => return Err(no_target()),
        };
        is_expected = is_expected
            || sub.name == "primary"
            || sub.name == "type" && given.as_str().is_some_and(|text| is_suggested(sub, text));
        if let Some(read) = value::read_single(sub, given)? {
            element.insert(sub.name.clone(), read);
        }
    }
    if op == Op::Replace && !is_expected { Err(no_target()) } else { Ok(Value::Object(element)) }
}

fn is_suggested(sub: &Attribute, text: &str) -> bool {
    sub.canonical_values.iter().any(|suggested| suggested.eq_ignore_ascii_case(text))
}
