//! Attributes that are set once (RFC 7643 §7 `immutable`, RFC 7644 §3.5.1, §3.5.2): what a change keeps, and what it is refused for.
//!
//! Immutable is an attribute as a whole, or a part of a single object. An element of a list may go with the list; in place its
//! immutable parts do not change, which is seen to where PATCH changes elements.

use serde_json::{Map, Value};

use crate::error::echo;
use crate::repeats::drop_repeated;
use crate::schema::{Attribute, Kind, Mutability, Returned};
use crate::{Attributes, ResourceType, ScimError};

/// What becomes of an immutable value that the new attributes do not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Kept,
    Refused,
}

impl ResourceType {
    /// Fills in what a PUT leaves out of what is immutable; a value that is sent again stays in the spelling it has.
    ///
    /// # Errors
    /// `mutability` when the new attributes have another value (RFC 7644 §3.5.1), `invalidValue` when an extension that is kept for what is
    /// immutable in it would lack something required.
    pub fn keep_immutable(&self, old: &Attributes, new: &mut Attributes) -> Result<(), ScimError> {
        let core = self.schema.attributes.iter().chain(&self.shared);
        core.filter(|attribute| is_bound(attribute))
            .try_for_each(|attribute| settle(attribute, old, new, LeftOut::Kept))?;
        for (extension, _) in &self.extensions {
            let Some(held) = old.get(&extension.id).and_then(Value::as_object) else { continue };
            let was_left_out = !new.contains_key(&extension.id);
            for attribute in extension.attributes.iter().filter(|attribute| is_bound(attribute)) {
                if !held.contains_key(&attribute.name) {
                    continue;
                }
                if let Value::Object(level) = new.entry(&extension.id).or_insert_with(|| Value::Object(Map::new())) {
                    settle(attribute, held, level, LeftOut::Kept)
                        .map_err(|error| error.of_attribute(Some(&extension.id), attribute))?;
                    if level.is_empty() {
                        new.remove(&extension.id);
                    }
                }
            }
            // What is kept of an extension may be less than what it needs.
            if was_left_out && new.contains_key(&extension.id) {
                self.check_required(new, |key| key == extension.id)?;
            }
        }
        Ok(())
    }

    /// Checks one key of the attributes after a PATCH against what it was before: an attribute, or an extension.
    ///
    /// # Errors
    /// `mutability` when something immutable was there and is another value now, or gone.
    pub(crate) fn check_immutable(&self, key: &str, old: &Value, new: &mut Attributes) -> Result<(), ScimError> {
        if let Some(attribute) = self.core_attribute(key) {
            let old = Map::from_iter([(attribute.name.clone(), old.clone())]);
            return if is_bound(attribute) { settle(attribute, &old, new, LeftOut::Refused) } else { Ok(()) };
        }
        let (Some(extension), Some(held)) = (self.extension(key), old.as_object()) else { return Ok(()) };
        let mut nothing = Map::new();
        let level = new.get_mut(&extension.id).and_then(Value::as_object_mut).unwrap_or(&mut nothing);
        let bound = extension.attributes.iter().filter(|attribute| is_bound(attribute));
        bound.into_iter().try_for_each(|attribute| {
            settle(attribute, held, level, LeftOut::Refused)
                .map_err(|error| error.of_attribute(Some(&extension.id), attribute))
        })
    }
}

impl Attribute {
    /// Whether a whole value that is sent is the one that is held. Parts that no answer shows by default and that it does not speak of are
    /// not missed: nobody can send again what he is not told (RFC 7643 §7 `returned`).
    pub(crate) fn is_still(&self, sent: &Value, held: &Value) -> bool {
        if self.same(sent, held) {
            return true;
        }
        let is_told = |sub: &Attribute| elements(sent).iter().any(|element| element.get(&sub.name).is_some());
        let is_hidden = |sub: &Attribute| matches!(sub.returned, Returned::Never | Returned::Request);
        let untold: Vec<&Attribute> =
            self.sub_attributes.iter().filter(|sub| is_hidden(sub) && !is_told(sub)).collect();
        if untold.is_empty() {
            return false;
        }
        let without = |element: &Value| {
            let mut parts = element.as_object()?.clone();
            parts.retain(|name, _| !untold.iter().any(|sub| sub.name == *name));
            (!parts.is_empty()).then_some(Value::Object(parts))
        };
        let mut shown: Vec<Value> = elements(held).iter().filter_map(without).collect();
        // As the same list is read where it is sent.
        drop_repeated(self, &mut shown);
        if self.multi_valued {
            return self.same(sent, &Value::Array(shown));
        }
        shown.first().is_some_and(|shown| self.same(sent, shown))
    }
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Whether anything of an attribute stays once it is set.
fn is_bound(attribute: &Attribute) -> bool {
    let is_part_bound = || attribute.sub_attributes.iter().any(|sub| sub.mutability == Mutability::Immutable);
    attribute.mutability == Mutability::Immutable
        || attribute.mutability != Mutability::ReadOnly
            && attribute.kind == Kind::Complex
            && !attribute.multi_valued
            && is_part_bound()
}

fn settle(
    attribute: &Attribute,
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
    left_out: LeftOut,
) -> Result<(), ScimError> {
    let Some(held) = old.get(&attribute.name) else { return Ok(()) };
    if attribute.mutability == Mutability::Immutable {
        return settle_value(attribute, &attribute.name, held, new, left_out);
    }
    let Value::Object(held) = held else { return Ok(()) };
    let parts = attribute.sub_attributes.iter().filter(|sub| sub.mutability == Mutability::Immutable);
    for sub in parts.filter(|sub| held.contains_key(&sub.name)) {
        let shown = format!("{}.{}", attribute.name, sub.name);
        let object = new.entry(&attribute.name).or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(object), Some(part)) = (object, held.get(&sub.name)) {
            settle_value(sub, &shown, part, object, left_out)?;
        }
    }
    Ok(())
}

fn settle_value(
    attribute: &Attribute,
    shown: &str,
    held: &Value,
    new: &mut Map<String, Value>,
    left_out: LeftOut,
) -> Result<(), ScimError> {
    let is_same = match (new.get(&attribute.name), left_out) {
        (None, LeftOut::Kept) => true,
        (None, LeftOut::Refused) => false,
        (Some(sent), LeftOut::Kept) => attribute.is_still(sent, held),
        (Some(sent), LeftOut::Refused) => attribute.same(sent, held),
    };
    if !is_same {
        return Err(ScimError::mutability(format!(
            "'{}' is immutable: it cannot be changed once it is set",
            echo(shown)
        )));
    }
    new.insert(attribute.name.clone(), held.clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Schema, ScimType};

    fn device() -> ResourceType {
        let fixed = |name: &str, kind| Attribute { mutability: Mutability::Immutable, ..Attribute::new(name, kind) };
        let place = vec![fixed("site", Kind::String), Attribute::new("desk", Kind::String)];
        let attributes = vec![
            fixed("serial", Kind::String),
            Attribute { multi_valued: true, ..fixed("tags", Kind::String) },
            Attribute { sub_attributes: place, ..Attribute::new("place", Kind::Complex) },
        ];
        let schema = Schema { id: "urn:x:y".to_owned(), name: String::new(), description: String::new(), attributes };
        ResourceType::new("Device", "/Devices", "", schema)
    }

    #[test]
    fn a_put_keeps_what_it_leaves_out_and_is_refused_for_what_it_changes() {
        let old = json!({ "serial": "A1", "tags": ["x", "y"], "place": { "site": "S", "desk": "1" } });
        let refused = json!("refused");
        for (sent, expected) in [
            (json!({}), json!({ "serial": "A1", "tags": ["x", "y"], "place": { "site": "S" } })),
            (
                json!({ "serial": "a1", "tags": ["Y", "X"] }),
                json!({ "serial": "A1", "tags": ["x", "y"], "place": { "site": "S" } }),
            ),
            (
                json!({ "place": { "desk": "2" } }),
                json!({ "serial": "A1", "tags": ["x", "y"], "place": { "site": "S", "desk": "2" } }),
            ),
            (json!({ "serial": "B2" }), refused.clone()),
            (json!({ "tags": ["x"] }), refused.clone()),
            (json!({ "place": { "site": "T" } }), refused.clone()),
        ] {
            let (Value::Object(old), Value::Object(mut new)) = (old.clone(), sent.clone()) else { unreachable!() };
            let found = device().keep_immutable(&old, &mut new).map(|()| Value::Object(new));
            assert_eq!(found.unwrap_or_else(|_| refused.clone()), expected, "{sent}");
        }
        let mut first = json!({ "serial": "A1" }).as_object().unwrap().clone();
        device().keep_immutable(&Attributes::new(), &mut first).unwrap();
        assert_eq!(first["serial"], "A1", "set once");
    }

    /// A place whose parts are set once, one that is set once itself, and lists.
    fn case() -> ResourceType {
        let place = json!([
            { "name": "site", "mutability": "immutable" }, { "name": "exact", "mutability": "immutable", "caseExact": true },
            { "name": "when", "mutability": "immutable", "type": "dateTime" },
            { "name": "keys", "mutability": "immutable", "multiValued": true }, { "name": "desk" },
        ]);
        let parts = json!([{ "name": "value" }, { "name": "type" }, { "name": "keys", "multiValued": true }]);
        let complex = |name: &str, mutability: &str, many: bool, parts: &Value| json!({ "name": name, "type": "complex", "multiValued": many, "mutability": mutability, "subAttributes": parts });
        let schema = json!({ "id": "urn:x:y", "attributes": [
            { "name": "tags", "mutability": "immutable", "multiValued": true },
            complex("place", "readWrite", false, &place), complex("places", "readWrite", true, &place),
            complex("fixed", "immutable", false, &parts), complex("list", "immutable", true, &parts),
        ] });
        ResourceType::new("Case", "/Cases", "", Schema::read(&schema).unwrap())
    }

    /// RFC 7643 §2.3: what is the same says the attribute, not the spelling.
    #[test]
    fn a_patch_takes_what_is_held_in_another_spelling_and_leaves_it_as_it_is() {
        let place =
            json!({ "site": "S", "exact": "E", "when": "2020-01-01T00:00:00Z", "keys": ["a", "b"], "desk": "1" });
        let listed = json!({ "value": "V", "type": "t", "keys": ["a", "b"] });
        let before =
            json!({ "tags": ["a", "b"], "place": place, "places": [place], "fixed": listed, "list": [listed] });
        let (is_taken, is_refused) = (Ok(false), Err(ScimType::Mutability));
        for (op, path, value, expected) in [
            ("replace", "place.site", json!("s"), is_taken),
            ("add", "place.site", json!("s"), is_taken),
            ("replace", "place.site", json!("T"), is_refused),
            ("replace", "place.site", json!(""), is_refused),
            ("replace", "place.exact", json!("e"), is_refused),
            ("replace", "place.when", json!("2020-01-01T01:00:00+01:00"), is_taken),
            ("replace", "place.when", json!("2020-01-01T00:00:00+01:00"), is_refused),
            ("replace", "place.keys", json!(["B", "a"]), is_taken),
            ("replace", "place.keys", json!(["b"]), is_refused),
            ("add", "place.keys", json!(["B"]), is_taken),
            ("add", "place.keys", json!("A"), is_taken),
            ("add", "place.keys", json!(["B", "c"]), is_refused),
            ("replace", "place", json!({ "site": "s", "keys": ["b", "a"] }), is_taken),
            ("add", "place", json!({ "site": "s", "keys": ["b"] }), is_taken),
            ("replace", "places[desk eq \"1\"].site", json!("s"), is_taken),
            ("add", "places[desk eq \"1\"].keys", json!(["B"]), is_taken),
            ("replace", "places[desk eq \"1\"]", json!({ "site": "s" }), is_taken),
            ("replace", "places.site", json!("s"), is_taken),
            ("replace", "places.site", json!("T"), is_refused),
            ("add", "tags", json!(["B", "A"]), is_taken),
            ("add", "tags", json!(["B", "C"]), is_refused),
            ("replace", "tags[value eq \"a\"]", json!("A"), is_taken),
            ("add", "fixed.keys", json!(["B"]), is_taken),
            ("add", "fixed.keys", json!(["C"]), is_refused),
            ("add", "list", json!({ "value": "v", "type": "T", "keys": ["B", "A"] }), is_taken),
            ("add", "list", json!({ "value": "v", "type": "T", "keys": ["C"] }), is_refused),
            ("add", "list[type eq \"t\"].keys", json!(["B"]), is_taken),
        ] {
            let operation = json!({ "op": op, "path": path, "value": value });
            let patch = json!({ "schemas": [crate::PATCH_OP_URN], "Operations": [operation] });
            let mut attributes = before.as_object().unwrap().clone();
            let applied = crate::PatchOp::read(patch).unwrap().apply(&case(), &mut attributes);
            assert_eq!(applied.map_err(|error| error.scim_type), expected, "{operation}");
            assert_eq!(Value::Object(attributes), before, "{operation}");
        }
    }

    #[test]
    fn to_look_through_what_is_held_costs_what_it_takes() {
        let held: Vec<String> = (0..crate::limits::VALUES_MAX).map(|n| format!("{n}{}", "é".repeat(100))).collect();
        let before = Map::from_iter([("tags".to_owned(), json!(held))]);
        for (count, expected) in [(10, Ok(false)), (60, Err(ScimType::TooMany))] {
            let operation = json!({ "op": "add", "path": "tags", "value": [held[7].to_uppercase()] });
            let patch = json!({ "schemas": [crate::PATCH_OP_URN], "Operations": vec![operation; count] });
            let applied = crate::PatchOp::read(patch).unwrap().apply(&case(), &mut before.clone());
            assert_eq!(applied.map_err(|error| error.scim_type), expected, "{count} times");
        }
    }

    /// RFC 7644 §3.5.2: a new primary value takes the place of the old one, but not where who is primary was set once.
    #[test]
    fn a_primary_that_is_set_once_does_not_give_way() {
        let parts = json!([{ "name": "value" }, { "name": "primary", "type": "boolean", "mutability": "immutable" }]);
        let list = json!({ "name": "list", "type": "complex", "multiValued": true, "subAttributes": parts });
        let schema = Schema::read(&json!({ "id": "urn:x:y", "attributes": [list] })).unwrap();
        let thing = ResourceType::new("Thing", "/Things", "", schema);
        let held = json!([{ "value": "a", "primary": true }, { "value": "b" }]);
        let (is_done, is_refused) = (Ok(true), Err(ScimType::Mutability));
        for (held, op, path, value, expected) in [
            (&held, "add", "list", json!({ "value": "c", "primary": true }), is_refused),
            (&held, "add", "list", json!({ "value": "b", "primary": true }), is_refused),
            (&held, "add", "list", json!({ "value": "c", "primary": false }), is_done),
            (&held, "add", "list", json!({ "value": "a", "primary": true }), Ok(false)),
            (&held, "replace", "list[value eq \"b\"].primary", json!(true), is_refused),
            (&held, "replace", "list[value eq \"b\"]", json!({ "value": "c", "primary": true }), is_refused),
            (&held, "replace", "list", json!([{ "value": "c", "primary": true }]), is_done),
            (&json!([{ "value": "b" }]), "add", "list", json!({ "value": "c", "primary": true }), is_done),
        ] {
            let operation = json!({ "op": op, "path": path, "value": value });
            let patch = json!({ "schemas": [crate::PATCH_OP_URN], "Operations": [operation] });
            let before = Map::from_iter([("list".to_owned(), held.clone())]);
            let mut after = before.clone();
            let applied = crate::PatchOp::read(patch).unwrap().apply(&thing, &mut after);
            assert_eq!(applied.map_err(|error| error.scim_type), expected, "{operation}");
            assert_eq!(before != after, expected == is_done, "{operation}");
        }
    }
}
