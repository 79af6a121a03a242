//! Stories of PATCH: what directories send, and what it does to a resource.

#![expect(clippy::needless_pass_by_value, reason = "a table of json! literals reads better without borrows")]

mod elements;
mod members;
mod own_schemas;

use serde_json::{Value, json};

use super::*;
use crate::limits::VALUES_MAX;
use crate::{ENTERPRISE_USER_URN, ScimType, USER_URN};

fn message(operations: Value) -> Value {
    json!({"schemas": [PATCH_OP_URN], "Operations": operations})
}

fn attributes(value: Value) -> Attributes {
    match value {
        Value::Object(attributes) => attributes,
        other => panic!("not an object: {other}"),
    }
}

/// Applies operations to a user; the user must be untouched when they are refused.
#[track_caller]
fn patched(before: &Value, operations: Value) -> Result<(Value, bool), ScimType> {
    let patch = PatchOp::read(message(operations)).map_err(|error| error.scim_type)?;
    let mut user = attributes(before.clone());
    match patch.apply(&ResourceType::user(), &mut user) {
        Ok(changed) => {
            assert_eq!(changed, Value::Object(user.clone()) != *before, "what apply says about a change");
            Ok((Value::Object(user), changed))
        }
        Err(error) => {
            assert_eq!(Value::Object(user), *before, "refused, so nothing may change");
            Err(error.scim_type)
        }
    }
}

#[track_caller]
fn check(before: Value, operations: Value, expected: Value) {
    let text = operations.to_string();
    assert_eq!(patched(&before, operations).map(|(after, _)| after), Ok(expected), "{text}");
}

fn ext(value: Value) -> Value {
    json!({"userName": "ada", ENTERPRISE_USER_URN: value})
}

#[test]
fn one_attribute_at_a_time() {
    for (before, operation, expected) in [
        (
            json!({"userName": "ada", "active": true}),
            json!({"op": "Replace", "path": "active", "value": "False"}),
            json!({"userName": "ada", "active": false}),
        ),
        (
            json!({"userName": "ada"}),
            json!({"op": "ADD", "path": "DISPLAYNAME", "value": "Ada"}),
            json!({"userName": "ada", "displayName": "Ada"}),
        ),
        (
            json!({"userName": "ada"}),
            json!({"OP": "add", "Path": "name.familyName", "VALUE": "L"}),
            json!({"userName": "ada", "name": {"familyName": "L"}}),
        ),
        (
            json!({"userName": "ada", "name": {"familyName": "L"}}),
            json!({"op": "remove", "path": "name.familyName"}),
            json!({"userName": "ada"}),
        ),
        (
            json!({"userName": "ada", "title": "x"}),
            json!({"op": "replace", "path": "title", "value": ""}),
            json!({"userName": "ada"}),
        ),
        (
            json!({"userName": "ada", "title": "x"}),
            json!({"op": "replace", "path": "title", "value": null}),
            json!({"userName": "ada"}),
        ),
        (
            json!({"userName": "ada", "title": "x"}),
            json!({"op": "remove", "path": "title", "value": "other"}),
            json!({"userName": "ada"}),
        ),
        (json!({"userName": "ada"}), json!({"op": "remove", "path": "title"}), json!({"userName": "ada"})),
        (
            json!({"userName": "ada", "name": {"familyName": "L"}}),
            json!({"op": "replace", "path": "name", "value": {"givenName": "A"}}),
            json!({"userName": "ada", "name": {"givenName": "A", "familyName": "L"}}),
        ),
        (
            json!({"userName": "ada", "name": {"familyName": "L"}}),
            json!({"op": "replace", "path": "name", "value": {"familyName": null}}),
            json!({"userName": "ada"}),
        ),
    ] {
        check(before, json!([operation]), expected);
    }
}

#[test]
fn attributes_of_an_extension() {
    for (before, operation, expected) in [
        (
            json!({"userName": "ada"}),
            json!({"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:title", "value": "x"}),
            json!({"userName": "ada", "title": "x"}),
        ),
        (
            json!({"userName": "ada"}),
            json!({"op": "add", "path": format!("{ENTERPRISE_USER_URN}:department"), "value": "R&D"}),
            ext(json!({"department": "R&D"})),
        ),
        (
            ext(json!({"department": "R&D"})),
            json!({"op": "remove", "path": format!("{ENTERPRISE_USER_URN}.department")}),
            json!({"userName": "ada"}),
        ),
        (
            ext(json!({"department": "R&D"})),
            json!({"op": "remove", "path": ENTERPRISE_USER_URN}),
            json!({"userName": "ada"}),
        ),
        (
            ext(json!({"department": "R&D"})),
            json!({"op": "replace", "path": ENTERPRISE_USER_URN, "value": {"division": "x", "nope": 1}}),
            ext(json!({"department": "R&D", "division": "x"})),
        ),
        (
            ext(json!({"department": "R&D"})),
            json!({"op": "replace", "path": ENTERPRISE_USER_URN, "value": null}),
            json!({"userName": "ada"}),
        ),
    ] {
        check(before, json!([operation]), expected);
    }
}

#[test]
fn the_manager_in_every_form() {
    let manager = format!("{ENTERPRISE_USER_URN}:manager");
    let (none, boss) = (json!({"userName": "ada"}), ext(json!({"manager": {"value": "u9"}})));
    for (path, value) in [
        ("manager", json!([{"$ref": null, "value": "u9"}])),
        (&manager, json!("u9")),
        (&manager, json!({"value": "u9", "displayName": "ignored"})),
        (&manager, json!(["u9"])),
        (&format!("{manager}.value"), json!("u9")),
        (&format!("{ENTERPRISE_USER_URN}.manager"), json!("u9")),
    ] {
        for op in ["Add", "replace"] {
            check(none.clone(), json!([{"op": op, "path": path, "value": value}]), boss.clone());
            let old = ext(json!({"manager": {"value": "u8", "$ref": "https://h/Users/u8"}}));
            check(old, json!([{"op": op, "path": path, "value": value}]), boss.clone());
        }
    }
    let moved = json!({"value": "u7", "$ref": "https://h/Users/u7"});
    for before in [&none, &boss, &ext(json!({"manager": {"value": "u8", "$ref": "https://h/Users/u8"}}))] {
        check(
            before.clone(),
            json!([{"op": "add", "path": manager, "value": moved}]),
            ext(json!({ "manager": moved })),
        );
    }
    let half = json!({"value": "", "$ref": "https://h/Users/u7"});
    for value in [json!(""), json!(null), json!({"value": ""}), json!({"value": null}), json!([]), half] {
        check(boss.clone(), json!([{"op": "Replace", "path": manager, "value": value}]), none.clone());
    }
    check(boss, json!([{"op": "Remove", "path": manager}]), none);
}

#[test]
fn lists_are_added_to_replaced_and_removed_from() {
    let before = json!({"userName": "ada", "emails": [{"value": "a", "type": "work"}, {"value": "b"}]});
    let none = json!({"userName": "ada"});
    for value in [
        json!([{"value": "a", "type": "work"}]),
        json!({"value": "b"}),
        json!(["b"]),
        json!([]),
        json!(null),
        json!(""),
    ] {
        assert_eq!(
            patched(&before, json!([{"op": "add", "path": "emails", "value": value}])),
            Ok((before.clone(), false)),
            "{value}"
        );
    }
    for value in [json!([]), json!(null), json!("")] {
        check(before.clone(), json!([{"op": "replace", "path": "emails", "value": value}]), none.clone());
    }
    check(
        before.clone(),
        json!([{"op": "replace", "path": "emails", "value": ["c"]}]),
        json!({"userName": "ada", "emails": [{"value": "c"}]}),
    );
    check(
        before.clone(),
        json!([{"op": "remove", "path": "emails", "value": [{"value": "a", "display": "x"}]}]),
        json!({"userName": "ada", "emails": [{"value": "b"}]}),
    );
    check(
        before.clone(),
        json!([{"op": "remove", "path": "emails", "value": ["a", {"value": "b"}, "zz"]}]),
        none.clone(),
    );
    check(before.clone(), json!([{"op": "remove", "path": "emails", "value": []}]), before.clone());
    check(
        before.clone(),
        json!([{"op": "remove", "path": "emails", "value": {"type": "work"}}]),
        json!({"userName": "ada", "emails": [{"value": "b"}]}),
    );
    check(before.clone(), json!([{"op": "remove", "path": "emails"}]), none);
    check(
        before,
        json!([{"op": "remove", "path": "emails.type"}]),
        json!({"userName": "ada", "emails": [{"value": "a"}, {"value": "b"}]}),
    );
    let full: Vec<Value> = (0..VALUES_MAX).map(|n| json!({"value": n.to_string()})).collect();
    let full = json!({"userName": "ada", "emails": full});
    assert_eq!(patched(&full, json!([{"op": "add", "path": "emails", "value": ["one more"]}])), Err(ScimType::TooMany));
}

#[test]
fn a_value_without_path() {
    let value = json!({
        "displayName": "B", "name.givenName": "B", "name": {"familyName": "C"}, "ACTIVE": "False",
        format!("{ENTERPRISE_USER_URN}:employeeNumber"): "8", ENTERPRISE_USER_URN: {"department": "X", "nope": 1},
        "id": "mine", "schemas": [USER_URN], "meta": {"created": "1"}, "groups": [], "meta.version": "2", "nope": 1, "urn:x:y:z": {}, "a b": 1
    });
    let expected = json!({"userName": "ada", "displayName": "B", "name": {"givenName": "B", "familyName": "C"}, "active": false,
        ENTERPRISE_USER_URN: {"employeeNumber": "8", "department": "X"}});
    for op in ["add", "Replace"] {
        check(json!({"userName": "ada"}), json!([{"op": op, "value": value}]), expected.clone());
    }
    check(
        json!({"userName": "ada"}),
        json!([{"op": "add", "value": {USER_URN: {"title": "x", "id": "y"}}}]),
        json!({"userName": "ada", "title": "x"}),
    );
}

#[test]
fn operations_that_cannot_be() {
    use ScimType::{InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};
    for (operation, expected) in [
        (json!({"op": "remove"}), NoTarget),
        (json!({"op": "move", "path": "title", "value": "x"}), InvalidSyntax),
        (json!({"path": "title", "value": "x"}), InvalidSyntax),
        (json!({"op": "add", "path": "title"}), InvalidValue),
        (json!({"op": "add", "value": "x"}), InvalidValue),
        (json!({"op": "add", "path": 1, "value": "x"}), InvalidPath),
        (json!({"op": "add", "path": "", "value": "x"}), InvalidPath),
        (json!({"op": "add", "path": "nope", "value": "x"}), InvalidPath),
        (json!({"op": "add", "path": "name.nope", "value": "x"}), InvalidPath),
        (json!({"op": "remove", "path": "nope"}), InvalidPath),
        (json!({"op": "add", "path": "urn:x:y:z:User:department", "value": "x"}), InvalidPath),
        (json!({"op": "add", "path": "emails[nope eq \"x\"].value", "value": "x"}), InvalidFilter),
        (json!({"op": "remove", "path": "emails[primary gt true].value"}), InvalidFilter),
        (json!({"op": "add", "path": "emails[type eq].value", "value": "x"}), InvalidPath),
        (json!({"op": "add", "path": "emails", "value": "flat"}), InvalidValue),
        (json!({"op": "replace", "path": "emails", "value": "flat"}), InvalidValue),
        (json!({"op": "remove", "path": "emails", "value": "flat"}), InvalidValue),
        (json!({"op": "replace", "value": {"emails": "flat"}}), InvalidValue),
        (json!({"op": "replace", "path": "emails", "value": {"emails": "flat"}}), InvalidValue),
        (json!({"op": "add", "path": "name[givenName eq \"x\"]", "value": {}}), InvalidPath),
        (json!({"op": "replace", "path": "id", "value": "x"}), Mutability),
        (json!({"op": "replace", "path": "meta.location", "value": "x"}), Mutability),
        (json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}), Mutability),
        (json!({"op": "remove", "path": "groups"}), Mutability),
        (json!({"op": "replace", "path": "manager.displayName", "value": "x"}), Mutability),
        (json!({"op": "remove", "path": "userName"}), Mutability),
        (json!({"op": "replace", "path": "userName", "value": ""}), InvalidValue),
        (json!({"op": "replace", "value": {"userName": null}}), InvalidValue),
        (json!({"op": "replace", "path": "userName", "value": "a  b"}), InvalidValue),
        (json!({"op": "replace", "path": "active", "value": "maybe"}), InvalidValue),
        (
            json!({"op": "replace", "path": "emails", "value": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
            InvalidValue,
        ),
        (json!({"op": "replace", "path": ENTERPRISE_USER_URN, "value": "x"}), InvalidValue),
        (json!("add"), InvalidSyntax),
    ] {
        let operations = json!([{"op": "replace", "path": "title", "value": "first"}, operation]);
        assert_eq!(patched(&json!({"userName": "ada", "title": "old"}), operations), Err(expected), "{operation}");
    }
}

#[test]
fn messages_that_are_no_patch() {
    let many = |count: usize| message(Value::Array(vec![json!({"op": "remove", "path": "title"}); count]));
    for (body, expected) in [
        (message(json!([])), Ok(0)),
        (json!({"Schemas": [PATCH_OP_URN.to_lowercase()], "operations": [], "extra": 1}), Ok(0)),
        (many(PATCH_OPERATIONS_MAX), Ok(PATCH_OPERATIONS_MAX)),
        (many(PATCH_OPERATIONS_MAX + 1), Err(ScimType::TooMany)),
        (json!({"schemas": [PATCH_OP_URN]}), Err(ScimType::InvalidSyntax)),
        (json!({"schemas": [], "Operations": []}), Err(ScimType::InvalidSyntax)),
        (json!({"Operations": []}), Err(ScimType::InvalidSyntax)),
        (json!({"schemas": [PATCH_OP_URN], "Operations": {}}), Err(ScimType::InvalidSyntax)),
        (json!([]), Err(ScimType::InvalidSyntax)),
    ] {
        assert_eq!(PatchOp::read(body).map(|patch| patch.operations.len()).map_err(|error| error.scim_type), expected);
    }
}

#[test]
fn several_operations_on_one_attribute() {
    let three = |name: &str| json!([{"op": "remove", "path": name}, {"op": "add", "path": name, "value": "x"}, {"op": "replace", "path": name, "value": "y"}]);
    check(
        json!({"userName": "ada", "externalId": "1"}),
        three("externalId"),
        json!({"userName": "ada", "externalId": "y"}),
    );
    check(json!({"userName": "ada"}), three("userName"), json!({"userName": "y"}));
    let and_back = json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "remove", "path": "title"}]);
    assert_eq!(patched(&json!({"userName": "ada"}), and_back), Ok((json!({"userName": "ada"}), false)));
}

#[test]
fn an_incomplete_old_resource_can_still_be_disabled() {
    let profile = ResourceType::user().require("displayName").unwrap();
    let mut old = attributes(json!({"userName": "ada", "active": true}));
    let patch = |operation: Value| PatchOp::read(message(json!([operation]))).unwrap();
    assert_eq!(patch(json!({"op": "replace", "path": "active", "value": false})).apply(&profile, &mut old), Ok(true));
    assert!(patch(json!({"op": "remove", "path": "displayName"})).apply(&profile, &mut old).is_err());
}

#[test]
fn what_is_required_cannot_be_removed() {
    let profile = ResourceType::user().require("name.givenName").unwrap().require("displayName").unwrap();
    let whole = json!({"userName": "ada", "displayName": "Ada", "name": {"givenName": "A", "familyName": "L"}});
    for (operations, expected) in [
        (
            json!([{"op": "remove", "path": "displayName"}]),
            Some((ScimType::Mutability, "'displayName' is required; replace its value, it cannot be removed")),
        ),
        (
            json!([{"op": "Remove", "path": "name.givenName"}]),
            Some((ScimType::Mutability, "'name.givenName' is required; replace its value, it cannot be removed")),
        ),
        (
            json!([{"op": "replace", "path": "displayName", "value": ""}]),
            Some((ScimType::InvalidValue, "'displayName' is required")),
        ),
        (
            json!([{"op": "remove", "path": "title"}, {"op": "replace", "path": "displayName", "value": null}]),
            Some((ScimType::InvalidValue, "'displayName' is required")),
        ),
        (json!([{"op": "remove", "path": "displayName"}, {"op": "add", "path": "displayName", "value": "B"}]), None),
        (json!([{"op": "remove", "path": "name.familyName"}]), None),
    ] {
        let patch = PatchOp::read(message(operations.clone())).unwrap();
        let refused = patch.apply(&profile, &mut attributes(whole.clone())).err();
        let refused = refused.as_ref().map(|error| (error.scim_type, error.detail.as_str()));
        assert_eq!(refused, expected, "{operations}");
    }
}

#[test]
fn an_immutable_attribute_is_set_once() {
    let schema: crate::Schema =
        serde_json::from_value(json!({"id": "urn:x:y", "attributes": [{"name": "badge", "mutability": "immutable"}]}))
            .unwrap();
    let thing = ResourceType::new("Thing", "/Things", "", schema);
    let mut resource = Attributes::new();
    for (operation, expected) in [
        (json!({"op": "add", "path": "badge", "value": "1"}), Ok(true)),
        (json!({"op": "replace", "path": "badge", "value": "1"}), Ok(false)),
        (json!({"op": "replace", "path": "badge", "value": "2"}), Err(ScimType::Mutability)),
        (json!({"op": "replace", "path": "badge", "value": ""}), Err(ScimType::Mutability)),
        (json!({"op": "remove", "path": "badge"}), Err(ScimType::Mutability)),
    ] {
        let patch = PatchOp::read(message(json!([operation]))).unwrap();
        assert_eq!(patch.apply(&thing, &mut resource).map_err(|error| error.scim_type), expected, "{operation}");
    }
}

#[test]
fn a_message_is_written_as_the_rfc_writes_it() {
    let patch = PatchOp::read(message(json!([{"op": "Replace", "path": "emails[type eq work].value", "value": "x"}, {"op": "Remove", "path": "title"}]))).unwrap();
    let written = serde_json::to_value(&patch).unwrap();
    assert_eq!(
        written,
        message(
            json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x"}, {"op": "remove", "path": "title"}])
        )
    );
    assert_eq!(PatchOp::read(written), Ok(patch));
}

#[test]
fn short_bodies_cannot_cost_much() {
    let emails: Vec<Value> =
        (0..VALUES_MAX).map(|n| json!({"value": format!("{n}@example.com"), "type": "work"})).collect();
    let before = json!({"schemas": [USER_URN], "userName": "ann", "emails": emails});
    let comparisons = vec!["value co \"x\""; 190].join(" or ");
    let expensive = json!({"op": "remove", "path": format!("emails[{comparisons}].display")});
    let long = json!({"op": "replace", "path": "emails.display", "value": "x".repeat(60_000)});
    let cheap = json!({"op": "replace", "path": "emails[value eq \"7@example.com\"].display", "value": "Ann"});
    for (operation, times, expected) in
        [(expensive, 200, Err(ScimType::TooMany)), (long, 2, Err(ScimType::TooMany)), (cheap, 1000, Ok(()))]
    {
        assert_eq!(patched(&before, json!(vec![operation; times])).map(drop), expected, "{times} times");
    }
    let texts: Vec<String> = (0..VALUES_MAX).map(|n| n.to_string()).collect();
    let refill = [json!({"op": "remove", "path": "emails"}), json!({"op": "add", "path": "emails", "value": texts})];
    let remove_named = [json!({"op": "remove", "path": "emails", "value": texts})];
    let add_one = [json!({"op": "add", "path": "emails", "value": [{"value": "7@example.com", "type": "work"}]})];
    for (operations, times, expected) in [
        (refill.as_slice(), 7, Ok(())),
        (&refill, 200, Err(ScimType::TooMany)),
        (&remove_named, 200, Err(ScimType::TooMany)),
        (&add_one, 999, Ok(())),
    ] {
        assert_eq!(patched(&before, json!(vec![operations; times].concat())).map(drop), expected, "{times} times");
    }
    let mut body = json!({"schemas": [USER_URN], "userName": "ann"});
    for n in 0..VALUES_MAX {
        body[format!("emails[value eq \"{n}@example.com\"].type")] = json!("work");
    }
    for n in 0..100 {
        let comparisons = vec!["value sw \"x\""; 190].join(" or ");
        body[format!("emails[{comparisons} or value eq \"{n}@example.com\"].display")] = json!("x");
    }
    assert_eq!(ResourceType::user().read(body).unwrap_err().scim_type, ScimType::TooMany);
}

#[test]
fn which_schemas_a_resource_has_follows_from_its_attributes() {
    let ada = json!({"userName": "ada"});
    for (op, value, expected) in [
        ("add", json!([ENTERPRISE_USER_URN]), Ok(())),
        ("add", json!(USER_URN.to_uppercase()), Ok(())),
        ("replace", json!([ENTERPRISE_USER_URN, USER_URN]), Ok(())),
        ("replace", json!([ENTERPRISE_USER_URN]), Err(ScimType::Mutability)),
        ("add", json!(["urn:example:x"]), Err(ScimType::Mutability)),
        ("add", json!([1]), Err(ScimType::Mutability)),
        ("replace", json!([]), Err(ScimType::Mutability)),
        ("remove", json!([ENTERPRISE_USER_URN]), Err(ScimType::Mutability)),
        ("remove", Value::Null, Err(ScimType::Mutability)),
    ] {
        let operation = json!([{"op": op, "path": "schemas", "value": value}]);
        assert_eq!(patched(&ada, operation.clone()), expected.map(|()| (ada.clone(), false)), "{operation}");
    }
}
