//! Single-valued attributes under PATCH (RFC 7644 §3.5.2): set or cleared as a whole, or by one of their parts.

use serde_json::{Map, Value};

use super::Op;
use super::edit::{is_clearing, store};
use super::list;
use super::removal::Parts;
use crate::resource_type::Resolved;
use crate::schema::{Attribute, Kind, Mutability};
use crate::{ENTERPRISE_USER_URN, ScimError, value};

/// The address of the resource that `value` is the id of (RFC 7643 §2.4).
const ADDRESS: &str = "$ref";

/// A single-valued attribute that is changed.
#[derive(Clone, Copy)]
pub(super) struct Single<'a> {
    attribute: &'a Attribute,
    /// Whether it is a user's manager (RFC 7643 §4.3), whose address the service provider makes from the id. Anywhere else an address is a
    /// part like others, and stays unless it is named (RFC 7644 §3.5.2.3).
    is_manager: bool,
}

impl<'a> Single<'a> {
    pub(super) fn of(resolved: &Resolved<'a>) -> Self {
        let Resolved { extension, attribute, .. } = *resolved;
        Self { attribute, is_manager: extension == Some(ENTERPRISE_USER_URN) && attribute.name == "manager" }
    }

    /// RFC 7644 §3.5.2.3: of a complex attribute, sub-attributes that are not given stay.
    pub(super) fn set(self, op: Op, level: &mut Map<String, Value>, value: Value) -> Result<(), ScimError> {
        let is_complex = self.attribute.kind == Kind::Complex;
        // A list of anything but one object is read like a value, which knows what it may be.
        let given = match value {
            Value::Object(given) if is_complex => given,
            Value::Array(mut given) if is_complex && given.len() == 1 => match given.pop() {
                Some(Value::Object(only)) => only,
                other => return self.set_value(op, level, Value::Array(other.into_iter().collect())),
            },
            other => return self.set_value(op, level, other),
        };
        let parts = given.into_iter().filter_map(|(name, part)| Some((self.attribute.sub_attribute(&name)?, part)));
        let parts = parts.filter(|(sub, _)| sub.mutability != Mutability::ReadOnly);
        // A manager's id goes first: a new one drops the address of the old one, never the address that is given with it. Nobody has none.
        let (value, others): (Vec<_>, Vec<_>) = parts.partition(|(sub, _)| sub.name == "value");
        let drops_address = self.is_manager && value.iter().any(|(_, part)| is_clearing(part));
        let others = others.into_iter().filter(|(sub, _)| !drops_address || sub.name != ADDRESS);
        value.into_iter().chain(others).try_for_each(|(sub, part)| self.set_part(op, level, sub, part))
    }

    fn set_value(self, op: Op, level: &mut Map<String, Value>, value: Value) -> Result<(), ScimError> {
        let read = value::read_single(self.attribute, value)?;
        match (read, self.attribute.compared()) {
            (Some(Value::Object(mut object)), Some(sub)) => {
                let part = object.remove(&sub.name).unwrap_or_default();
                self.set_part(op, level, sub, part)
            }
            (read, _) => {
                store(level, self.attribute, read);
                Ok(())
            }
        }
    }

    /// Sets or clears a sub-attribute. An attribute without parts is none.
    pub(super) fn set_part(
        self,
        op: Op,
        level: &mut Map<String, Value>,
        sub: &Attribute,
        value: Value,
    ) -> Result<(), ScimError> {
        let read = value::read_single(sub, value)?;
        if read.is_none() && list::adds_to(op, sub) {
            return Ok(());
        }
        let Some(read) = read else { return self.remove_part(level, sub, Value::Null) };
        let nothing = || Value::Object(Map::new());
        let object = list::object_of(level.entry(self.attribute.name.as_str()).or_insert_with(nothing));
        let read = list::combined(op, self.attribute, object, sub, read)?;
        self.drop_address(object, sub, Some(&read));
        list::put(object, sub, Some(read))
    }

    /// Clears a sub-attribute, or takes the values that are named out of its list.
    pub(super) fn remove_part(
        self,
        level: &mut Map<String, Value>,
        sub: &Attribute,
        value: Value,
    ) -> Result<(), ScimError> {
        let named = Parts::named(sub, value)?;
        // A stored value of another form, from before the attribute was complex, has no parts.
        if let Some(Value::Object(object)) = level.get_mut(&self.attribute.name) {
            named.remove_from(object)?;
            let left = object.get(&sub.name).cloned();
            self.drop_address(object, sub, left.as_ref());
            if object.is_empty() {
                level.remove(&self.attribute.name);
            }
        }
        Ok(())
    }

    /// The old address would point to another resource than the new id.
    fn drop_address(self, object: &mut Map<String, Value>, sub: &Attribute, now: Option<&Value>) {
        let is_id = self.is_manager && sub.name == "value";
        if is_id && (now.is_none() || object.get("value").is_some_and(|before| Some(before) != now)) {
            object.remove(ADDRESS);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{PatchOp, ResourceType, Schema};

    /// A resource type with owners of its own, of which the second must have an address, and an attribute called as the manager is.
    fn device() -> ResourceType {
        let complex = |name: &str, is_required: bool| {
            json!({ "name": name, "type": "complex", "subAttributes": [
                { "name": "value" }, { "name": "$ref", "type": "reference", "required": is_required }, { "name": "n" },
            ] })
        };
        let attributes = json!([complex("owner", false), complex("keeper", true), complex("manager", false)]);
        let schema = Schema::read(&json!({ "id": "urn:x:y", "attributes": attributes })).unwrap();
        ResourceType::new("Device", "/Devices", "", schema)
    }

    /// RFC 7644 §3.5.2.3: only what is named is replaced.
    #[test]
    fn an_address_stays_with_another_value_unless_the_service_provider_makes_it() {
        let held = json!({ "value": "a", "$ref": "https://h/a", "n": "1" });
        let with = |value: &str, address: &str| json!({ "value": value, "$ref": address, "n": "1" });
        for name in ["owner", "keeper", "manager"] {
            let part = format!("{name}.value");
            for (op, path, value, expected) in [
                ("replace", part.as_str(), json!("b"), with("b", "https://h/a")),
                ("add", &part, json!("b"), with("b", "https://h/a")),
                ("replace", name, json!({ "value": "b" }), with("b", "https://h/a")),
                ("replace", name, json!("b"), with("b", "https://h/a")),
                ("replace", name, json!({ "value": "b", "$ref": "https://h/b" }), with("b", "https://h/b")),
                ("replace", name, json!({ "value": "", "$ref": "b" }), json!({ "$ref": "b", "n": "1" })),
                ("remove", &part, Value::Null, json!({ "$ref": "https://h/a", "n": "1" })),
            ] {
                let operation = json!({ "op": op, "path": path, "value": value });
                let patch = json!({ "schemas": [crate::PATCH_OP_URN], "Operations": [operation] });
                let mut attributes = Map::from_iter([(name.to_owned(), held.clone())]);
                let applied = PatchOp::read(patch).unwrap().apply(&device(), &mut attributes);
                assert_eq!((applied, &attributes[name]), (Ok(true), &expected), "{operation}");
            }
        }
    }
}
