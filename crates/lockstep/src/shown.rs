//! How objects of the directory are shown: as JSON for programs, as facts for people.

use directory::{Group, User};
use serde_json::{Map, Value, json};
use store::ObjectKind;

use crate::output::moment;

/// A user as JSON, in the names of the directory.
pub fn user_json(user: &User) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(user.id));
    object.insert("userPrincipalName".to_owned(), json!(user.user_principal_name));
    object.insert("displayName".to_owned(), json!(user.display_name));
    object.insert("accountEnabled".to_owned(), json!(user.account_enabled));
    object.insert("manager".to_owned(), json!(user.manager));
    object.extend(user.attributes.clone());
    object.insert("createdDateTime".to_owned(), json!(user.created.to_string()));
    object.insert("deletedDateTime".to_owned(), json!(user.deleted.map(|at| at.to_string())));
    Value::Object(object)
}

/// A group as JSON, in the names of the directory.
pub fn group_json(group: &Group) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(group.id));
    object.insert("displayName".to_owned(), json!(group.display_name));
    object.insert("securityEnabled".to_owned(), json!(group.security_enabled));
    object.extend(group.attributes.clone());
    object.insert("createdDateTime".to_owned(), json!(group.created.to_string()));
    object.insert("deletedDateTime".to_owned(), json!(group.deleted.map(|at| at.to_string())));
    Value::Object(object)
}

/// The attributes of an object as facts for people, names without value left out.
pub fn facts(object: &Value) -> Vec<(&str, String)> {
    let Some(object) = object.as_object() else { return Vec::new() };
    object.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), text(value))).collect()
}

/// A value for people: texts without quotes, lists separated by semicolons.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// `User` or `Group`.
pub const fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::User => "User",
        ObjectKind::Group => "Group",
        ObjectKind::Membership => "Membership",
        ObjectKind::Assignment => "Assignment",
        ObjectKind::Custom(_) => "Resource",
    }
}

/// Whether a user may sign in, or is soft-deleted.
pub fn state(user: &User) -> String {
    match (user.deleted, user.account_enabled) {
        (Some(at), _) => format!("deleted {}", moment(at)),
        (None, true) => "enabled".to_owned(),
        (None, false) => "disabled".to_owned(),
    }
}

/// The row of a user in a list.
pub fn user_row(user: &User) -> Vec<String> {
    let attribute = |name: &str| user.attributes.get(name).map(text).unwrap_or_default();
    vec![
        user.user_principal_name.clone(),
        user.display_name.clone(),
        attribute("department"),
        attribute("jobTitle"),
        state(user),
        user.id.to_string(),
    ]
}

/// The head of such a list.
pub const USER_HEAD: [&str; 6] = ["USER", "NAME", "DEPARTMENT", "TITLE", "STATE", "ID"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_for_people() {
        for (value, expected) in
            [(json!("a b"), "a b"), (json!(true), "true"), (json!(["a", "b"]), "a; b"), (json!({"a": 1}), r#"{"a":1}"#)]
        {
            assert_eq!(text(&value), expected);
        }
        let object = json!({"b": null, "a": "x"});
        assert_eq!(facts(&object), [("a", "x".to_owned())]);
    }
}
