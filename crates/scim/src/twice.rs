//! One attribute under two spellings in one object: `name.givenName` beside `name`, or an attribute of an extension beside its object.
//!
//! Keys that differ in case only are refused where JSON is read. Those here differ in form, and which of two values counts would be a
//! guess that another reader of the same body may make otherwise.

use serde_json::{Map, Value};

use crate::resource_type::{Resolved, Target};
use crate::schema::{Attribute, Kind, Schema};
use crate::{AttributePath, ResourceType, ScimError};

/// What a null says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Null {
    /// Nothing: the attribute is not there (RFC 7643 §2.5), as in a POST.
    Absent,
    /// The attribute is to be cleared, as in a PATCH.
    Clears,
}

/// What a key names: schema, attribute, filter and sub-attribute, as far as it goes. One place is part of another that it begins with.
type Place = Vec<String>;

/// Refuses an object whose keys name an attribute, or a part of one, more than once. A complex attribute and a part of it may stand
/// side by side when the object that is the one does not speak of the other.
///
/// # Errors
/// `invalidSyntax`.
pub(crate) fn check(resource_type: &ResourceType, object: &Map<String, Value>, null: Null) -> Result<(), ScimError> {
    if !object.keys().any(|key| may_be_path(resource_type, key)) {
        return Ok(());
    }
    let mut places = Vec::new();
    for (key, value) in object.iter().filter(|(_, value)| null == Null::Clears || !value.is_null()) {
        add_key(resource_type, key, value, &mut places);
    }
    // A part of all elements is a part of those that a filter chooses.
    let of_all: Vec<Place> = places.iter().filter(|place| is_of_all(place)).cloned().collect();
    let is_of_some = |place: &Place, all: &Place| {
        place.len() > 2
            && place[..2] == all[..2]
            && !place[2].is_empty()
            && place.get(3).is_none_or(|sub| *sub == all[3])
    };
    let is_twice = places.iter().any(|place| of_all.iter().any(|all| is_of_some(place, all)));
    places.sort_unstable();
    if is_twice
        || places.windows(2).any(|pair| pair.first().zip(pair.last()).is_some_and(|(one, next)| next.starts_with(one)))
    {
        return Err(ScimError::invalid_syntax("an object names the same attribute twice, in two forms; name it once"));
    }
    Ok(())
}

fn is_of_all(place: &Place) -> bool {
    place.len() > 3 && place[2].is_empty()
}

/// Whether the key could be another form of what a plain name names.
fn may_be_path(resource_type: &ResourceType, key: &str) -> bool {
    key.contains(['.', ':', '[']) || resource_type.extensions.iter().any(|(schema, _)| schema.attribute(key).is_some())
}

fn add_key(resource_type: &ResourceType, key: &str, value: &Value, places: &mut Vec<Place>) {
    if let Some(attribute) = resource_type.core_attribute(key) {
        return add_attribute(None, attribute, value, places);
    }
    if let Some(schema) = resource_type.extension(key) {
        return add_extension(schema, value, places);
    }
    let Some(path) = AttributePath::of_key(key) else { return };
    match resource_type.target(&path) {
        Some(Target::Attribute(Resolved { extension, attribute, sub_attribute })) => {
            let filter = path.filter.as_ref().map(|filter| filter.to_string().to_ascii_lowercase());
            match (filter, sub_attribute) {
                (None, None) => add_attribute(extension, attribute, value, places),
                (filter, sub) => {
                    let mut place = place(extension, attribute);
                    place.push(filter.unwrap_or_default());
                    place.extend(sub.map(|sub| sub.name.clone()));
                    places.push(place);
                }
            }
        }
        Some(Target::Extension(schema)) => add_extension(schema, value, places),
        Some(Target::Core) => {
            if let Value::Object(held) = value {
                add_level(None, &resource_type.schema.attributes, held, places);
                add_level(None, &resource_type.shared, held, places);
            }
        }
        None => {}
    }
}

fn add_extension(schema: &Schema, value: &Value, places: &mut Vec<Place>) {
    match value {
        Value::Object(held) => add_level(Some(&schema.id), &schema.attributes, held, places),
        _ => places.push(vec![schema.id.clone()]),
    }
}

fn add_level(extension: Option<&str>, known: &[Attribute], held: &Map<String, Value>, places: &mut Vec<Place>) {
    for (name, value) in held {
        if let Some(attribute) = crate::schema::find(known, name) {
            add_attribute(extension, attribute, value, places);
        }
    }
}

/// An attribute that is named whole; an object names its parts.
fn add_attribute(extension: Option<&str>, attribute: &Attribute, value: &Value, places: &mut Vec<Place>) {
    let whole = place(extension, attribute);
    let Some(parts) = value.as_object().filter(|_| attribute.kind == Kind::Complex && !attribute.multi_valued) else {
        places.push(whole);
        return;
    };
    for sub in parts.keys().filter_map(|name| attribute.sub_attribute(name)) {
        let mut part = whole.clone();
        part.extend([String::new(), sub.name.clone()]);
        places.push(part);
    }
}

fn place(extension: Option<&str>, attribute: &Attribute) -> Place {
    vec![extension.unwrap_or_default().to_owned(), attribute.name.clone()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ENTERPRISE_USER_URN, ScimType, USER_URN};

    fn is_fine(object: &Value) -> bool {
        let checked = check(&ResourceType::user(), object.as_object().unwrap(), Null::Clears);
        let refused = checked.map_err(|error| error.scim_type);
        assert!(refused.is_ok() || refused == Err(ScimType::InvalidSyntax), "{object}");
        refused.is_ok()
    }

    #[test]
    fn an_attribute_is_named_once() {
        let (user, enterprise) = (USER_URN, ENTERPRISE_USER_URN);
        for (name, object, expected) in [
            ("plain names", json!({ "userName": "a", "name": { "givenName": "G" } }), true),
            ("other parts", json!({ "name": { "givenName": "G" }, "name.familyName": "F" }), true),
            (
                "other elements",
                json!({ "emails[type eq \"work\"].value": "a", "emails[type eq \"home\"].value": "b" }),
                true,
            ),
            (
                "other parts of one element",
                json!({ "emails[type eq \"work\"].value": "a", "emails[type eq \"work\"].primary": true }),
                true,
            ),
            (
                "other attributes of an extension",
                json!({ enterprise: { "division": "D" }, format!("{enterprise}:department"): "E" }),
                true,
            ),
            ("what nobody knows", json!({ "x.y": 1, "X.Y": 2, "urn:x:y": 3 }), true),
            ("a part and the same part", json!({ "name": { "GIVENNAME": "G" }, "name.givenName": "H" }), false),
            ("a part in two cases", json!({ "name.givenName": "G", "NAME.GIVENNAME": "H" }), false),
            ("a part of what is not an object", json!({ "name": "", "name.givenName": "H" }), false),
            ("a part of a list", json!({ "emails": [{ "value": "a" }], "emails.value": "b" }), false),
            ("an element of a list", json!({ "emails": [], "emails[type eq \"work\"].value": "b" }), false),
            (
                "an element and a part of it",
                json!({ "emails[type eq \"work\"]": {}, "emails[TYPE eq \"work\"].value": "b" }),
                false,
            ),
            ("with the core URN", json!({ "userName": "a", format!("{user}:userName"): "b" }), false),
            ("within the core URN", json!({ "userName": "a", user: { "username": "b" } }), false),
            (
                "an extension's attribute by its URN",
                json!({ enterprise: { "department": "D" }, format!("{enterprise}:department"): "E" }),
                false,
            ),
            (
                "an extension's attribute by its bare name",
                json!({ enterprise: { "department": "D" }, "department": "E" }),
                false,
            ),
            (
                "both short forms",
                json!({ "department": "D", format!("{}:DEPARTMENT", enterprise.to_uppercase()): "E" }),
                false,
            ),
            (
                "by the old dot",
                json!({ format!("{enterprise}.manager"): "a", format!("{enterprise}:manager"): "b" }),
                false,
            ),
            ("a whole extension and a part", json!({ enterprise: "", "manager": "b" }), false),
            ("what is readOnly", json!({ "id": "a", format!("{user}:id"): "b" }), false),
        ] {
            assert_eq!(is_fine(&object), expected, "{name}");
        }
    }

    #[test]
    fn a_part_of_all_elements_is_one_of_those_that_a_filter_chooses() {
        for (name, object, expected) in [
            (
                "a part of all elements and of one",
                json!({ "emails.value": "a", "EMAILS[TYPE EQ \"work\"].VALUE": "b" }),
                false,
            ),
            ("a part of all elements and one", json!({ "emails.value": "a", "emails[type eq \"work\"]": {} }), false),
            (
                "a part of all elements and another of one",
                json!({ "emails.display": "a", "emails[type eq \"work\"].value": "b" }),
                true,
            ),
        ] {
            assert_eq!(is_fine(&object), expected, "{name}");
        }
    }

    #[test]
    fn a_null_names_something_where_it_clears() {
        let object = json!({ "manager": null, ENTERPRISE_USER_URN: { "manager": "u9" } });
        for (null, expected) in [(Null::Absent, true), (Null::Clears, false)] {
            assert_eq!(check(&ResourceType::user(), object.as_object().unwrap(), null).is_ok(), expected, "{null:?}");
        }
    }
}
