//! One operation on the attributes of a resource (RFC 7644 §3.5.2.1 to §3.5.2.3).

use serde_json::{Map, Value};

use super::single::Single;
use super::{Draft, Op, Operation, list, removal};
use crate::error::echo;
use crate::resource_type::{Resolved, Target, unknown_path};
use crate::schema::{Attribute, Kind, Mutability};
use crate::twice::{self, Null};
use crate::{AttributePath, Filter, ResourceType, ScimError, value};

/// Whether the value clears what it is set on (RFC 7643 §2.5, and `""`).
pub(crate) fn is_clearing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

pub(super) fn not_mutable(attribute: &Attribute) -> ScimError {
    let why = if attribute.mutability == Mutability::ReadOnly { "readOnly" } else { "immutable" };
    ScimError::mutability(format!("'{}' is {why}", echo(&attribute.name)))
}

pub(super) fn no_path() -> ScimError {
    ScimError::no_target("remove needs a 'path'")
}

fn check_writable(resolved: &Resolved<'_>) -> Result<(), ScimError> {
    let read_only = [Some(resolved.attribute), resolved.sub_attribute]
        .into_iter()
        .flatten()
        .find(|a| a.mutability == Mutability::ReadOnly);
    read_only.map_or(Ok(()), |found| Err(not_mutable(found).of_attribute(resolved.extension, resolved.attribute)))
}

fn is_schemas(resolved: &Resolved<'_>) -> bool {
    resolved.extension.is_none() && resolved.attribute.name == "schemas"
}

/// RFC 7644 §3.5.2 lets a client say which schemas a resource has from then on. That follows from its attributes here, so it is no change
/// by itself; what the resource cannot have is not set, nor does it go without what it must have.
fn check_schemas(resource_type: &ResourceType, op: Op, value: &Value) -> Result<(), ScimError> {
    let given = match value {
        Value::Array(given) => given.as_slice(),
        one => std::slice::from_ref(one),
    };
    let names = |known: &str, urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(known));
    let unknown = given.iter().find(|urn| !resource_type.schemas().any(|known| names(&known.id, urn)));
    if let Some(unknown) = unknown {
        let detail =
            format!("'schemas' is readOnly; '{}' is no schema of it", echo(unknown.as_str().unwrap_or_default()));
        return Err(ScimError::mutability(detail));
    }
    let core = &resource_type.schema.id;
    if op == Op::Replace && !given.iter().any(|urn| names(core, urn)) {
        return Err(ScimError::mutability(format!("'schemas' is readOnly: a resource always has {core}")));
    }
    Ok(())
}

/// What an operation gives for the attribute that its path names: some clients give a list below the attribute's name, as if there were
/// no path (`"path": "members", "value": {"members": […]}`). Nothing there names nothing, and so changes nothing.
pub(super) fn below_its_name(attribute: &Attribute, value: Value) -> Value {
    let is_name = |name: &String| name.eq_ignore_ascii_case(&attribute.name);
    match value {
        Value::Object(mut given)
            if attribute.multi_valued
                && given.len() == 1
                && given.keys().all(is_name)
                && attribute.sub_attribute(&attribute.name).is_none() =>
        {
            match given.values_mut().next().map(Value::take) {
                None | Some(Value::Null) => Value::Array(Vec::new()),
                Some(listed) => listed,
            }
        }
        other => other,
    }
}

/// What an operation gives for an attribute that holds one text or one boolean: older clients of Microsoft wrap it as they wrap members
/// (`"path": "displayName", "value": [{"$ref": null, "value": "x"}]`).
fn out_of_its_wrapping(resolved: &Resolved<'_>, value: Value) -> Value {
    let target = resolved.sub_attribute.unwrap_or(resolved.attribute);
    let Value::Array(listed) = &value else { return value };
    let [Value::Object(wrapping)] = listed.as_slice() else { return value };
    if target.multi_valued || !matches!(target.kind, Kind::String | Kind::Reference | Kind::Boolean) {
        return value;
    }
    let is_value = |name: &str| name.eq_ignore_ascii_case("value");
    let is_no_address =
        |name: &str, other: &Value| name.eq_ignore_ascii_case("$ref") && (other.is_null() || other == "");
    let says_nothing_else = wrapping.iter().all(|(name, other)| is_value(name) || is_no_address(name, other));
    let mut wrapped = wrapping.iter().filter(|(name, _)| is_value(name)).map(|(_, wrapped)| wrapped);
    match (wrapped.next(), wrapped.next()) {
        (Some(only @ (Value::String(_) | Value::Bool(_) | Value::Null)), None) if says_nothing_else => only.clone(),
        _ => value,
    }
}

impl<'a> Draft<'a> {
    pub(super) fn apply(&mut self, operation: &Operation) -> Result<(), ScimError> {
        let value = || operation.value.clone().unwrap_or_default();
        match (operation.op, &operation.path) {
            (Op::Remove, None) => Err(no_path()),
            (Op::Remove, Some(path)) => self.remove(path, value()),
            (Op::Add | Op::Replace, None) => self.set_pathless(operation.op, value()),
            (Op::Add | Op::Replace, Some(path)) => self.set(operation.op, path, value()),
        }
    }

    pub(super) fn set(&mut self, op: Op, path: &AttributePath, value: Value) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        match resource_type.target(path).ok_or_else(|| unknown_path(&path.to_string()))? {
            Target::Attribute(resolved) if is_schemas(&resolved) => check_schemas(resource_type, op, &value),
            Target::Attribute(resolved) => {
                check_writable(&resolved)?;
                let value = self.given(&resolved, path, out_of_its_wrapping(&resolved, value));
                self.set_attribute(op, resolved, path.filter.as_deref(), value)
            }
            _ if path.filter.is_some() => Err(unknown_path(&path.to_string())),
            Target::Extension(schema) => self.set_object(op, Some(&schema.id), value),
            Target::Core => self.set_object(op, None, value),
        }
    }

    /// The value of an operation with a path in the form in which a body has it. A member may be named by its id alone there.
    fn given(&self, resolved: &Resolved<'_>, path: &AttributePath, value: Value) -> Value {
        if path.filter.is_some() || resolved.sub_attribute.is_some() {
            return value;
        }
        match below_its_name(resolved.attribute, value) {
            Value::String(id) if !id.is_empty() && self.resource_type.is_members(resolved.attribute) => {
                Value::Array(vec![Value::String(id)])
            }
            other => other,
        }
    }

    /// The value's keys are attributes, extensions or paths.
    fn set_pathless(&mut self, op: Op, value: Value) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        let Value::Object(given) = value else {
            return Err(ScimError::invalid_value(format!("{op} without 'path' needs an object as 'value'")));
        };
        twice::check(resource_type, &given, Null::Clears)?;
        let mut given: Vec<(String, Value)> = given.into_iter().collect();
        if given.iter().any(|(name, _)| name.contains('[')) {
            // Filters may choose the same element: whatever case the keys are in, the result is one.
            given.sort_by_cached_key(|(name, _)| name.to_lowercase());
        }
        for (name, value) in given {
            if let Some(attribute) = resource_type.core_attribute(&name) {
                self.set_if_writable(op, Resolved { extension: None, attribute, sub_attribute: None }, None, value)?;
            } else if let Some(extension) = resource_type.extension(&name) {
                self.set_object(op, Some(&extension.id), value)?;
            } else if let Some(path) = AttributePath::of_key(&name) {
                match resource_type.target(&path) {
                    Some(Target::Attribute(resolved)) => {
                        self.set_if_writable(op, resolved, path.filter.as_deref(), value)?;
                    }
                    Some(Target::Extension(_) | Target::Core) if path.filter.is_none() => self.set(op, &path, value)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The value's keys are attributes of one schema; unspecified ones stay.
    fn set_object(&mut self, op: Op, extension: Option<&'a str>, value: Value) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        let given = match value {
            Value::Object(given) => given,
            cleared if is_clearing(&cleared) => {
                if let (Op::Replace, Some(urn)) = (op, extension) {
                    self.level(None, urn).remove(urn);
                }
                return Ok(());
            }
            _ => return Err(ScimError::invalid_value("a schema's attributes must be an object")),
        };
        for (name, value) in given {
            if let Some(attribute) = resource_type.level(extension, &name) {
                self.set_if_writable(op, Resolved { extension, attribute, sub_attribute: None }, None, value)?;
            }
        }
        Ok(())
    }

    /// Inside objects, what only the service provider sets is ignored as in a POST (RFC 7644 §3.3).
    fn set_if_writable(
        &mut self,
        op: Op,
        resolved: Resolved<'a>,
        filter: Option<&Filter>,
        value: Value,
    ) -> Result<(), ScimError> {
        if check_writable(&resolved).is_err() {
            return Ok(());
        }
        self.set_attribute(op, resolved, filter, value)
    }

    fn set_attribute(
        &mut self,
        op: Op,
        resolved: Resolved<'a>,
        filter: Option<&Filter>,
        value: Value,
    ) -> Result<(), ScimError> {
        let set = self.set_resolved(op, resolved, filter, value);
        set.map_err(|error| error.of_attribute(resolved.extension, resolved.attribute))
    }

    fn set_resolved(
        &mut self,
        op: Op,
        resolved: Resolved<'a>,
        filter: Option<&Filter>,
        value: Value,
    ) -> Result<(), ScimError> {
        self.spend(op, &resolved, filter, &value)?;
        self.note_cleared(op, &resolved);
        let resource_type = self.resource_type;
        let Resolved { extension, attribute, sub_attribute } = resolved;
        let level = self.level(extension, &attribute.name);
        let immutable =
            (attribute.mutability == Mutability::Immutable).then(|| level.get(&attribute.name).cloned()).flatten();
        match (filter, sub_attribute) {
            (Some(filter), sub) => list::set_matching(resource_type, level, attribute, sub, filter, op, value)?,
            (None, Some(sub)) if attribute.multi_valued => list::set_in_all(op, level, attribute, sub, value)?,
            (None, Some(sub)) => Single::of(&resolved).set_part(op, level, sub, value)?,
            (None, None) if attribute.multi_valued && op == Op::Add => {
                list::append(resource_type, level, attribute, value)?;
            }
            (None, None) if attribute.multi_valued => {
                store(level, attribute, value::read(resource_type, attribute, value)?);
            }
            (None, None) => {
                Single::of(&resolved).set(op, level, value)?;
                value::check_key(resource_type, attribute, level.get(&attribute.name))?;
            }
        }
        let level = self.level(extension, &attribute.name);
        if let Some(before) = immutable {
            // A list is set whole, as in a PUT; of an object what is not named stays.
            let is_whole = attribute.multi_valued && filter.is_none() && sub_attribute.is_none() && op == Op::Replace;
            let is_same = if is_whole { Attribute::is_still } else { Attribute::same };
            if !level.get(&attribute.name).is_some_and(|now| is_same(attribute, now, &before)) {
                return Err(not_mutable(attribute));
            }
            level.insert(attribute.name.clone(), before);
        }
        self.tidy(extension);
        Ok(())
    }

    fn remove(&mut self, path: &AttributePath, value: Value) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        let resolved = match resource_type.target(path).ok_or_else(|| unknown_path(&path.to_string()))? {
            Target::Attribute(resolved) => resolved,
            Target::Extension(schema) if path.filter.is_none() => {
                self.level_to_remove_from(None, &schema.id).remove(&schema.id);
                return Ok(());
            }
            Target::Extension(_) | Target::Core => return Err(unknown_path(&path.to_string())),
        };
        check_writable(&resolved)?;
        let removed = self.remove_resolved(resolved, path, value);
        removed.map_err(|error| error.of_attribute(resolved.extension, resolved.attribute))
    }

    fn remove_resolved(&mut self, resolved: Resolved<'a>, path: &AttributePath, value: Value) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        let value = self.given(&resolved, path, value);
        self.spend(Op::Remove, &resolved, path.filter.as_deref(), &value)?;
        self.note_cleared(Op::Remove, &resolved);
        let Resolved { extension, attribute, sub_attribute } = resolved;
        let level = self.level_to_remove_from(extension, &attribute.name);
        if attribute.mutability == Mutability::Immutable && level.contains_key(&attribute.name) {
            return Err(not_mutable(attribute));
        }
        match (path.filter.as_deref(), sub_attribute) {
            (Some(filter), sub) => removal::remove_matching(level, attribute, sub, filter, value)?,
            (None, Some(sub)) if attribute.multi_valued => removal::remove_in_all(level, attribute, sub, value)?,
            (None, Some(sub)) => Single::of(&resolved).remove_part(level, sub, value)?,
            (None, None) if attribute.multi_valued && !value.is_null() => {
                let by_value_only = resource_type.is_members(attribute);
                removal::remove_values(resource_type, level, attribute, value, by_value_only)?;
            }
            (None, None) => {
                level.remove(&attribute.name);
            }
        }
        self.tidy(extension);
        Ok(())
    }
}

/// Sets or clears one attribute of a level.
pub(super) fn store(level: &mut Map<String, Value>, attribute: &Attribute, value: Option<Value>) {
    match value {
        Some(value) => level.insert(attribute.name.clone(), value),
        None => level.remove(&attribute.name),
    };
}
