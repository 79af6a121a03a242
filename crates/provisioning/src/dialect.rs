//! Writes requests: the body of a create, of an update, of a change of members, and the query of a look-up, in the
//! chosen dialect. Pure.

use mapping::ObjectType;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::gallery::Dialect;
use crate::object_plan::{Difference, ROLE_TYPE, Roles};
use crate::target_path::TargetPath;

/// The second URN that Entra's client gives a group.
const ENTRA_GROUP_URN: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
/// Bytes that stay themselves in a path segment or query (RFC 3986 unreserved).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path: an id of the target can never lead elsewhere.
pub fn segment(id: &str) -> String {
    utf8_percent_encode(id, KEPT).to_string()
}

/// Path and query that look for objects with a matching value (RFC 7644 §3.4.2.2). The value is escaped.
pub fn match_query(dialect: Dialect, object: ObjectType, path: &TargetPath, value: &str) -> String {
    let name = if dialect == Dialect::Rfc { path.strict_text() } else { path.text() };
    let filter = format!("{name} eq {}", path.literal(value));
    let encoded = utf8_percent_encode(&filter, KEPT).to_string();
    let encoded = if dialect == Dialect::Rfc { encoded } else { encoded.replace("%20", "+") };
    match object {
        ObjectType::User => format!("/Users?filter={encoded}"),
        ObjectType::Group => format!("/Groups?excludedAttributes=members&filter={encoded}"),
    }
}

/// Path of an object; a group is never read with its members.
pub fn read_path(object: ObjectType, id: &str) -> String {
    match object {
        ObjectType::User => format!("/Users/{}", segment(id)),
        ObjectType::Group => format!("/Groups/{}?excludedAttributes=members", segment(id)),
    }
}

/// Path of an object that is written to.
pub fn write_path(object: ObjectType, id: &str) -> String {
    format!("{}/{}", collection(object), segment(id))
}

/// Path of the collection.
pub const fn collection(object: ObjectType) -> &'static str {
    match object {
        ObjectType::User => "/Users",
        ObjectType::Group => "/Groups",
    }
}

/// The body that creates an object with these attributes.
pub fn create_body(dialect: Dialect, object: ObjectType, mut attributes: Map<String, Value>) -> Value {
    let (urn, name) = match object {
        ObjectType::User => (scim::USER_URN, "User"),
        ObjectType::Group => (scim::GROUP_URN, "Group"),
    };
    let mut schemas = vec![Value::from(urn)];
    if dialect == Dialect::Rfc {
        schemas.extend(attributes.keys().filter(|key| key.starts_with("urn:")).map(|key| Value::from(key.as_str())));
    } else {
        schemas.push(if object == ObjectType::User { scim::ENTERPRISE_USER_URN } else { ENTRA_GROUP_URN }.into());
        attributes.insert("meta".to_owned(), json!({ "resourceType": name }));
    }
    mark_primary_email(&mut attributes);
    attributes.insert("schemas".to_owned(), Value::Array(schemas));
    Value::Object(attributes)
}

/// The work address is the primary one, unless the mappings say otherwise.
fn mark_primary_email(attributes: &mut Map<String, Value>) {
    let Some(Value::Array(emails)) = attributes.get_mut("emails") else { return };
    if emails.iter().any(|email| email.get("primary").is_some()) {
        return;
    }
    if let Some(Value::Object(work)) =
        emails.iter_mut().find(|email| email.get("type").is_some_and(|kind| kind == "work"))
    {
        work.insert("primary".to_owned(), true.into());
    }
}

/// The body that applies differences to an object (RFC 7644 §3.5.2).
pub fn patch_body(dialect: Dialect, differences: &[Difference<'_>]) -> Value {
    match dialect {
        Dialect::Entra => patch(differences.iter().map(entra_operation).collect()),
        Dialect::EntraCompliant => patch(compliant_operations(differences)),
        Dialect::Rfc => patch(rfc_operations(differences)),
    }
}

fn patch(operations: Vec<Value>) -> Value {
    let mut body = Map::new();
    body.insert("schemas".to_owned(), json!([scim::PATCH_OP_URN]));
    body.insert("Operations".to_owned(), Value::Array(operations));
    Value::Object(body)
}

fn entra_operation(difference: &Difference<'_>) -> Value {
    let path = difference.path.text();
    match &difference.after {
        None => json!({ "op": "Remove", "path": path }),
        Some(value) => {
            let is_there = difference.before.is_some() || difference.roles == Some(Roles::Assertive);
            let op = if is_there { "Replace" } else { "Add" };
            json!({ "op": op, "path": path, "value": as_entra_has_it(difference, value) })
        }
    }
}

fn as_entra_has_it(difference: &Difference<'_>, value: &Value) -> Value {
    match (value, &difference.roles) {
        (Value::Array(elements), Some(roles @ Roles::Complex(_))) => {
            elements.iter().map(|element| roles.as_text(element).unwrap_or_else(|| element.clone())).collect()
        }
        // A manager is its id.
        (Value::Object(object), _) if object.len() == 1 && is_object_with_value(difference.path) => {
            object.get("value").unwrap_or(value).clone()
        }
        _ => boolean_as_text(value),
    }
}

fn boolean_as_text(value: &Value) -> Value {
    match value {
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        other => other.clone(),
    }
}

/// Filtered paths, removals and added elements keep an operation of their own, everything else is merged into one
/// without path.
fn compliant_operations(differences: &[Difference<'_>]) -> Vec<Value> {
    if let [single] = differences {
        return vec![rfc_like_operation(single)];
    }
    let (own, merged): (Vec<_>, Vec<_>) = differences
        .iter()
        .partition(|difference| difference.path.is_filtered() || difference.after.is_none() || difference.joins);
    let mut operations: Vec<Value> = own.into_iter().map(rfc_like_operation).collect();
    if !merged.is_empty() {
        let value: Map<String, Value> = merged
            .iter()
            .filter_map(|difference| Some((difference.path.text().to_owned(), difference.after.clone()?)))
            .collect();
        operations.push(json!({ "op": "replace", "value": value }));
    }
    operations
}

fn rfc_like_operation(difference: &Difference<'_>) -> Value {
    lower_case_operation(difference, difference.path.text(), difference.after.clone())
}

fn lower_case_operation(difference: &Difference<'_>, path: &str, after: Option<Value>) -> Value {
    match after {
        None => json!({ "op": "remove", "path": path }),
        Some(value) => {
            let is_there = difference.before.is_some() || difference.roles == Some(Roles::Assertive);
            json!({ "op": if is_there { "replace" } else { "add" }, "path": path, "value": value })
        }
    }
}

/// One operation for each difference, but what goes into an element that does not exist yet adds that element, with all that
/// it is to hold: RFC 7644 §3.5.2.3 lets a replace without target fail, and each `add` would make an element of its own.
fn rfc_operations(differences: &[Difference<'_>]) -> Vec<Value> {
    let mut operations = Vec::new();
    let mut added: Vec<(&TargetPath, usize)> = Vec::new();
    for difference in differences {
        let path = difference.path;
        let Some(value) = difference.after.as_ref().filter(|_| difference.needs_element) else {
            operations.push(rfc_operation(difference));
            continue;
        };
        let made = added.iter().find(|(other, _)| other.chooses_the_same(path)).map(|(_, position)| *position);
        let position = made.unwrap_or_else(|| {
            let attribute = path
                .extension()
                .map_or_else(|| path.whole_attribute().to_owned(), |urn| format!("{urn}:{}", path.whole_attribute()));
            operations.push(json!({ "op": "add", "path": attribute, "value": [path.new_element()] }));
            added.push((path, operations.len() - 1));
            operations.len() - 1
        });
        let element = &mut operations[position]["value"][0];
        element[path.sub_attribute().unwrap_or("value")] = value.clone();
        if difference.roles == Some(Roles::Single) && element.get("type").is_none() {
            element["type"] = ROLE_TYPE.into();
        }
    }
    operations
}

/// As [`rfc_like_operation`], but a manager is an object, and booleans in brackets are no text.
fn rfc_operation(difference: &Difference<'_>) -> Value {
    let path = difference.path;
    let after = match &difference.after {
        Some(Value::String(id)) if is_object_with_value(path) => Some(json!({ "value": id })),
        after => after.clone(),
    };
    lower_case_operation(difference, path.strict_text(), after)
}

fn is_object_with_value(path: &TargetPath) -> bool {
    path.is_object_with_value() && path.sub_attribute().is_none()
}

/// The body that adds members to a group, or removes them, by their ids at the target.
pub fn members_body(dialect: Dialect, path: &TargetPath, add: bool, ids: &[String]) -> Value {
    let attribute = path.text();
    if dialect == Dialect::Entra {
        let value: Vec<Value> = ids.iter().map(|id| json!({ "$ref": null, "value": id })).collect();
        return patch(vec![json!({ "op": if add { "Add" } else { "Remove" }, "path": attribute, "value": value })]);
    }
    if add {
        let value: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
        return patch(vec![json!({ "op": "add", "path": attribute, "value": value })]);
    }
    let remove =
        |id: &String| json!({ "op": "remove", "path": format!("{attribute}[value eq {}]", Value::from(id.as_str())) });
    patch(ids.iter().map(remove).collect())
}

#[cfg(test)]
mod tests;
