//! Stories of attributes that a tenant adds: named like core ones, or lists in other forms than the core schemas have.

use serde_json::{Value, json};

use super::{attributes, message};
use crate::limits::VALUES_MAX;
use crate::{GROUP_URN, PatchOp, ResourceType, Schema, ScimType};

const TEAM: &str = "urn:example:schemas:1.0:Team";

/// Groups with an extension.
fn team() -> ResourceType {
    let schema: Schema = serde_json::from_value(json!({"id": TEAM, "attributes": [
        {"name": "members", "multiValued": true},
        {"name": "lead"},
        {"name": "tags", "multiValued": true},
        {"name": "ints", "type": "integer", "multiValued": true},
        {"name": "c", "type": "complex", "subAttributes": [{"name": "multi", "multiValued": true}, {"name": "one"}]},
        {"name": "m", "type": "complex", "multiValued": true,
            "subAttributes": [{"name": "value"}, {"name": "multi", "multiValued": true},
                {"name": "type", "canonicalValues": ["work"]}, {"name": "display", "mutability": "readOnly"}]},
    ]}))
    .unwrap();
    schema.check().unwrap();
    ResourceType::group().with_extension(schema, false)
}

/// Applies one operation to a group whose extension has these attributes; gives what it has then.
#[track_caller]
fn extended(before: &Value, operation: &Value) -> Result<Value, ScimType> {
    let team = team();
    let patch = PatchOp::read(message(json!([operation]))).map_err(|error| error.scim_type)?;
    let (rest, members) = patch.split_members(&team).map_err(|error| error.scim_type)?;
    assert_eq!(members, [], "none of the group's own members");
    let mut group = attributes(json!({"displayName": "g", TEAM: before}));
    rest.apply(&team, &mut group).map_err(|error| error.scim_type)?;
    Ok(group.remove(TEAM).unwrap_or_default())
}

#[test]
fn members_of_an_extension_are_not_the_groups_own() {
    let path = format!("{TEAM}:members");
    let (one, two) = (json!({"lead": "l", "members": ["a"]}), json!({"lead": "l", "members": ["a", "b"]}));
    for (before, operation, expected) in [
        (&one, json!({"op": "add", "path": path, "value": "b"}), two.clone()),
        (&one, json!({"op": "add", "value": {&path: ["b"]}}), two.clone()),
        (&one, json!({"op": "add", "value": {TEAM: {"members": ["b"]}}}), two.clone()),
        (&one, json!({"op": "add", "path": TEAM, "value": {"members": ["b"]}}), two.clone()),
        (&one, json!({"op": "replace", "path": path, "value": ["a", "b"]}), two.clone()),
        (&two, json!({"op": "remove", "path": path, "value": ["b"]}), one.clone()),
        (&two, json!({"op": "remove", "path": path}), json!({"lead": "l"})),
    ] {
        assert_eq!(extended(before, &operation), Ok(expected), "{operation}");
    }
}

#[test]
fn a_list_in_an_object_is_added_to() {
    let (path, whole) = (format!("{TEAM}:c.multi"), format!("{TEAM}:c"));
    let held = json!({"c": {"multi": ["a", "b"], "one": "x"}});
    let of = |multi: &[&str]| json!({"c": {"multi": multi, "one": "x"}});
    for (operation, expected) in [
        (json!({"op": "add", "path": path, "value": "c"}), of(&["a", "b", "c"])),
        (json!({"op": "add", "path": path, "value": ["b", "c", "c"]}), of(&["a", "b", "c"])),
        (json!({"op": "add", "path": path, "value": []}), of(&["a", "b"])),
        (json!({"op": "add", "path": whole, "value": {"multi": ["d"]}}), of(&["a", "b", "d"])),
        (json!({"op": "add", "path": TEAM, "value": {"c": {"multi": "d"}}}), of(&["a", "b", "d"])),
        (json!({"op": "add", "value": {"c": {"multi": ["d"]}}}), of(&["a", "b", "d"])),
        (json!({"op": "add", "value": {"c.multi": ["f"]}}), of(&["a", "b", "f"])),
        (json!({"op": "add", "value": {&path: "f"}}), of(&["a", "b", "f"])),
        (json!({"op": "replace", "path": path, "value": "f"}), of(&["f"])),
        (json!({"op": "replace", "path": whole, "value": {"multi": ["f", "f"]}}), of(&["f"])),
        (json!({"op": "replace", "path": path, "value": []}), json!({"c": {"one": "x"}})),
        (json!({"op": "remove", "path": path}), json!({"c": {"one": "x"}})),
    ] {
        assert_eq!(extended(&held, &operation), Ok(expected), "{operation}");
    }
    let elements = json!({"m": [{"value": "1", "multi": ["a"]}, {"value": "2"}]});
    let of = |first: &[&str], second: Value| json!({"m": [{"value": "1", "multi": first}, second]});
    let second = json!({"value": "2"});
    for (operation, expected) in [
        (
            json!({"op": "add", "path": format!("{TEAM}:m[value eq \"1\"].multi"), "value": "b"}),
            of(&["a", "b"], second.clone()),
        ),
        (
            json!({"op": "add", "path": format!("{TEAM}:m"), "value": {"value": "1", "multi": ["b"]}}),
            of(&["a", "b"], second),
        ),
        (
            json!({"op": "add", "path": format!("{TEAM}:m.multi"), "value": "b"}),
            of(&["a", "b"], json!({"value": "2", "multi": ["b"]})),
        ),
    ] {
        assert_eq!(extended(&elements, &operation), Ok(expected), "{operation}");
    }
}

#[test]
fn a_list_in_an_object_has_an_end() {
    let many = |from: usize, count: usize| (from..from + count).map(|n| n.to_string()).collect::<Vec<_>>();
    let held = json!({"c": {"multi": many(0, VALUES_MAX - 1)}});
    let add = |values: Vec<String>| json!({"op": "add", "path": format!("{TEAM}:c.multi"), "value": values});
    assert_eq!(extended(&held, &add(many(1, VALUES_MAX - 1))), Ok(json!({"c": {"multi": many(0, VALUES_MAX)}})));
    assert_eq!(extended(&held, &add(many(1, VALUES_MAX))), Err(ScimType::TooMany));
    assert_eq!(extended(&json!({}), &add(many(0, VALUES_MAX + 1))), Err(ScimType::TooMany));
}

/// A thousand additions to ten full lists would copy ten million values.
#[test]
fn additions_to_full_lists_cannot_cost_much() {
    let values: Vec<String> = (0..VALUES_MAX).map(|n| n.to_string()).collect();
    let elements: Vec<Value> = (0..10).map(|n| json!({"value": n.to_string(), "multi": values})).collect();
    let before = attributes(json!({"displayName": "g", TEAM: {"m": elements}}));
    let add = json!({"op": "add", "path": format!("{TEAM}:m.multi"), "value": "7"});
    for (times, expected) in [(10, Ok(false)), (1000, Err(ScimType::TooMany))] {
        let patch = PatchOp::read(message(json!(vec![&add; times]))).unwrap();
        let found = patch.apply(&team(), &mut before.clone()).map_err(|error| error.scim_type);
        assert_eq!(found, expected, "{times} times");
    }
}

#[test]
fn a_body_may_leave_the_brackets_of_a_list_away() {
    for (multi, expected) in [
        (json!("one"), json!({"multi": ["one"]})),
        (json!(["one", "two", "one"]), json!({"multi": ["one", "two"]})),
        (json!(""), Value::Null),
        (json!(7), json!("refused")),
        (json!(["one", 7]), json!("refused")),
    ] {
        let body = json!({"schemas": [GROUP_URN], "displayName": "g", TEAM: {"c": {"multi": multi}}});
        let read = team().read(body).map(|group| group.get(TEAM).map(|team| team["c"].clone()).unwrap_or_default());
        assert_eq!(read.unwrap_or_else(|_| json!("refused")), expected, "{multi}");
    }
}

#[test]
fn plain_values_are_selected_by_value() {
    let held = json!({"tags": ["a", "b", "Ab"], "ints": [1, 2]});
    let tags = |tags: &[&str]| Ok(json!({"tags": tags, "ints": [1, 2]}));
    let path = |filter: &str| format!("{TEAM}:{filter}");
    for (operation, expected) in [
        (json!({"op": "remove", "path": path("tags[value eq \"A\"]")}), tags(&["b", "Ab"])),
        (json!({"op": "remove", "path": path("tags[value sw \"a\"]")}), tags(&["b"])),
        (json!({"op": "remove", "path": path("tags[value eq \"x\"]")}), tags(&["a", "b", "Ab"])),
        (json!({"op": "remove", "path": path("tags[not (value eq \"b\")]")}), tags(&["b"])),
        (json!({"op": "remove", "path": path("ints[Value gt 1]")}), Ok(json!({"tags": ["a", "b", "Ab"], "ints": [1]}))),
        (json!({"op": "remove", "path": path("tags[value pr]")}), Ok(json!({"ints": [1, 2]}))),
        (json!({"op": "replace", "path": path("tags[value eq \"b\"]"), "value": "c"}), tags(&["a", "c", "Ab"])),
        (json!({"op": "replace", "path": path("tags[value eq \"b\"]"), "value": ["c"]}), tags(&["a", "c", "Ab"])),
        (json!({"op": "replace", "path": path("tags[value eq \"b\"]"), "value": "a"}), tags(&["a", "Ab"])),
        (json!({"op": "replace", "path": path("tags[value eq \"b\"]"), "value": ""}), tags(&["a", "Ab"])),
        (json!({"op": "add", "path": path("tags[value eq \"c\"]"), "value": "c"}), tags(&["a", "b", "Ab", "c"])),
        (json!({"op": "replace", "path": path("tags[value eq \"x\"]"), "value": "c"}), Err(ScimType::NoTarget)),
        (
            json!({"op": "replace", "path": path("tags[value eq \"b\"]"), "value": ["c", "d"]}),
            Err(ScimType::InvalidValue),
        ),
        (json!({"op": "replace", "path": path("tags[value eq \"b\"]"), "value": 7}), Err(ScimType::InvalidValue)),
        (json!({"op": "remove", "path": path("tags[type eq \"b\"]")}), Err(ScimType::InvalidFilter)),
        (json!({"op": "remove", "path": path("ints[value eq \"b\"]")}), Err(ScimType::InvalidFilter)),
        (json!({"op": "remove", "path": path("lead[value eq \"b\"]")}), Err(ScimType::InvalidPath)),
    ] {
        assert_eq!(extended(&held, &operation), expected, "{operation}");
    }
}

#[test]
fn plain_values_are_asked_for_by_value() {
    let group =
        attributes(json!({"schemas": [GROUP_URN], "displayName": "g", TEAM: {"tags": ["a", "xy"], "ints": [1, 2]}}));
    for (filter, expected) in [
        ("ints[value eq 1]", Ok(true)),
        ("ints[value gt 2]", Ok(false)),
        ("ints[value gt 1 and value lt 2]", Ok(false)),
        ("tags[value sw \"X\"]", Ok(true)),
        ("tags[value sw \"z\"]", Ok(false)),
        ("not (tags[value eq \"a\"])", Ok(false)),
        (&format!("schemas[value eq \"{GROUP_URN}\"]"), Ok(true)),
        ("schemas[value eq \"urn:x:y\"]", Ok(false)),
        ("tags[type eq \"a\"]", Err(ScimType::InvalidFilter)),
        ("ints[value eq \"a\"]", Err(ScimType::InvalidFilter)),
        ("lead[value eq \"a\"]", Err(ScimType::InvalidFilter)),
    ] {
        let team = team();
        let filter: crate::Filter = filter.parse().unwrap();
        let found = filter.matcher(&team).map(|matcher| matcher.matches(&group)).map_err(|error| error.scim_type);
        assert_eq!(found, expected, "{filter}");
    }
    let filter: crate::Filter = "tags[value eq \"a\" and value eq \"b\"]".parse().unwrap();
    let terms: Vec<String> = filter.equality_terms(&team()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(terms, [format!("{TEAM}:tags"), format!("{TEAM}:tags")]);
}

#[test]
fn equal_plain_values_are_kept_once() {
    let body =
        json!({"schemas": [GROUP_URN], "displayName": "g", TEAM: {"tags": ["a", "b", "A", "a"], "ints": [1, 1]}});
    assert_eq!(team().read(body).unwrap()[TEAM], json!({"tags": ["a", "b"], "ints": [1]}));
    let held = json!({"tags": ["a"]});
    for (op, value, expected) in [
        ("add", json!(["b", "a", "B", "A"]), json!({"tags": ["a", "b"]})),
        ("replace", json!(["A"]), json!({"tags": ["A"]})),
        ("replace", json!(["b", "b"]), json!({"tags": ["b"]})),
    ] {
        let operation = json!({"op": op, "path": format!("{TEAM}:tags"), "value": value});
        assert_eq!(extended(&held, &operation), Ok(expected), "{operation}");
    }
}

#[test]
fn what_is_read_only_is_not_set_by_describing_it() {
    let path = |filter: &str| format!("{TEAM}:m[{filter}]");
    for op in ["add", "replace"] {
        for (filter, expected) in [
            ("type eq \"work\"", Ok(json!({"m": [{"type": "work", "value": "1"}]}))),
            ("type eq \"work\" and display eq \"hacked\"", Err(ScimType::NoTarget)),
            ("display eq \"hacked\"", Err(ScimType::NoTarget)),
        ] {
            for (path, value) in [(path(filter) + ".value", json!("1")), (path(filter), json!({"value": "1"}))] {
                let operation = json!({"op": op, "path": path, "value": value});
                // What is not there cannot be replaced as a whole.
                let is_whole = op == "replace" && value.is_object();
                let expected = if is_whole { Err(ScimType::NoTarget) } else { expected.clone() };
                assert_eq!(extended(&json!({}), &operation), expected, "{operation}");
            }
        }
    }
}
