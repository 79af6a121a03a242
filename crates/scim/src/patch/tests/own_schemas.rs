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
        {"name": "c", "type": "complex", "subAttributes": [{"name": "multi", "multiValued": true}, {"name": "one"}]},
        {"name": "m", "type": "complex", "multiValued": true,
            "subAttributes": [{"name": "value"}, {"name": "multi", "multiValued": true}]},
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
