//! What goes on the wire, form by form.

use mapping::FlowType;

use super::*;
use crate::object_plan::{Wish, differences};

fn path(text: &str) -> TargetPath {
    TargetPath::parse(text, ObjectType::User).unwrap()
}

fn operations(dialect: Dialect, changes: &[(&str, Option<Value>, Option<Value>)]) -> Value {
    let paths: Vec<TargetPath> = changes.iter().map(|(text, ..)| path(text)).collect();
    let differences: Vec<_> = paths
        .iter()
        .zip(changes)
        .map(|(path, (_, before, after))| Difference {
            path,
            before: before.clone(),
            after: after.clone(),
            redacted: false,
            joins: false,
            needs_element: path.is_filtered() && before.is_none(),
        })
        .collect();
    patch_body(dialect, &differences)["Operations"].clone()
}

#[test]
fn switching_off() {
    let off = [("active", Some(json!(true)), Some(json!(false)))];
    assert_eq!(operations(Dialect::Entra, &off), json!([{"op": "Replace", "path": "active", "value": "False"}]));
    assert_eq!(operations(Dialect::EntraCompliant, &off), json!([{"op": "replace", "path": "active", "value": false}]));
    assert_eq!(operations(Dialect::Rfc, &off), json!([{"op": "replace", "path": "active", "value": false}]));
}

#[test]
fn several_attributes() {
    let changes = [
        ("emails[type eq \"work\"].value", None, Some(json!("a@x"))),
        ("name.familyName", Some(json!("A")), Some(json!("B"))),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", None, Some(json!("8"))),
    ];
    assert_eq!(
        operations(Dialect::Entra, &changes),
        json!([
            {"op": "Add", "path": "emails[type eq \"work\"].value", "value": "a@x"},
            {"op": "Replace", "path": "name.familyName", "value": "B"},
            {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "value": "8"},
        ])
    );
    assert_eq!(
        operations(Dialect::EntraCompliant, &changes),
        json!([
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@x"},
            {"op": "replace", "value": {
                "name.familyName": "B",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "8",
            }},
        ])
    );
    assert_eq!(
        operations(Dialect::Rfc, &changes),
        json!([
            {"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@x"}]},
            {"op": "replace", "path": "name.familyName", "value": "B"},
            {"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "value": "8"},
        ])
    );
}

#[test]
fn elements_that_are_there_are_changed_and_others_are_made_whole_and_once() {
    let held = json!({ "addresses": [{ "type": "work", "locality": "Bonn" }] });
    let wishes = [
        ("addresses[type eq \"work\"].region", "NW"),
        ("addresses[type eq \"work\"].locality", "Köln"),
        ("addresses[type eq \"home\"].locality", "Ulm"),
        ("emails[type eq \"work\"].value", "a@x"),
        ("addresses[type eq \"home\"].country", "DE"),
    ]
    .map(|(text, value)| (path(text), value));
    let wishes = wishes.iter().map(|(path, value)| Wish {
        path,
        value: Value::from(*value),
        redacted: false,
        always: false,
        unique: None,
        flow_type: FlowType::Always,
    });
    let found = differences(wishes.collect(), held.as_object().unwrap());
    assert_eq!(
        patch_body(Dialect::Rfc, &found)["Operations"],
        json!([
            {"op": "add", "path": "addresses[type eq \"work\"].region", "value": "NW"},
            {"op": "replace", "path": "addresses[type eq \"work\"].locality", "value": "Köln"},
            {"op": "add", "path": "addresses", "value": [{"type": "home", "locality": "Ulm", "country": "DE"}]},
            {"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@x"}]},
        ])
    );
}

#[test]
fn managers() {
    let text = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    let set = [(text, None, Some(json!("u9")))];
    assert_eq!(operations(Dialect::Entra, &set), json!([{"op": "Add", "path": text, "value": "u9"}]));
    assert_eq!(operations(Dialect::Rfc, &set), json!([{"op": "add", "path": text, "value": {"value": "u9"}}]));
    let cleared = [(text, Some(json!({"value": "u9"})), None)];
    assert_eq!(operations(Dialect::Entra, &cleared), json!([{"op": "Remove", "path": text}]));
}

#[test]
fn members() {
    let members = TargetPath::parse("members", ObjectType::Group).unwrap();
    let ids = ["u1".to_owned(), "u\"2".to_owned()];
    let body = |dialect, add| members_body(dialect, &members, add, &ids)["Operations"].clone();
    assert_eq!(
        body(Dialect::Entra, true),
        json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u1"}, {"$ref": null, "value": "u\"2"}]}])
    );
    assert_eq!(body(Dialect::Entra, false)[0]["op"], "Remove");
    assert_eq!(
        body(Dialect::Rfc, true),
        json!([{"op": "add", "path": "members", "value": [{"value": "u1"}, {"value": "u\"2"}]}])
    );
    assert_eq!(
        body(Dialect::Rfc, false),
        json!([{"op": "remove", "path": "members[value eq \"u1\"]"}, {"op": "remove", "path": "members[value eq \"u\\\"2\"]"}])
    );
}

#[test]
fn creates() {
    let attributes = || {
        let mut map = Map::new();
        path("userName").write(&mut map, "ada@x".into());
        path("emails[type eq \"work\"].value").write(&mut map, "ada@x".into());
        path("urn:example:2.0:User:own").write(&mut map, "1".into());
        map
    };
    assert_eq!(
        create_body(Dialect::Entra, ObjectType::User, attributes()),
        json!({
            "schemas": [scim::USER_URN, scim::ENTERPRISE_USER_URN],
            "meta": {"resourceType": "User"},
            "userName": "ada@x",
            "emails": [{"type": "work", "value": "ada@x", "primary": true}],
            "urn:example:2.0:User": {"own": "1"},
        })
    );
    assert_eq!(
        create_body(Dialect::Rfc, ObjectType::User, attributes())["schemas"],
        json!([scim::USER_URN, "urn:example:2.0:User"])
    );
}

#[test]
fn look_ups_are_encoded_once_and_values_escaped() {
    let query = |dialect, text, value| match_query(dialect, ObjectType::User, &path(text), value);
    assert_eq!(query(Dialect::Entra, "userName", "a b@x"), "/Users?filter=userName+eq+%22a+b%40x%22");
    assert_eq!(query(Dialect::Rfc, "userName", "a\"+\\"), "/Users?filter=userName%20eq%20%22a%5C%22%2B%5C%5C%22");
    assert_eq!(
        query(Dialect::Rfc, "emails[type eq \"work\"].value", "é"),
        "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22%C3%A9%22"
    );
    for id in ["../../admin", "x?y", "a/b", "ä b"] {
        let path = write_path(ObjectType::User, id);
        assert!(path.strip_prefix("/Users/").is_some_and(|rest| !rest.contains(['/', '?', ' '])), "{path}");
    }
}
