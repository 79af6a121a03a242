//! Stories of attributes that a tenant adds: named like core ones, or lists in other forms than the core schemas have.

use serde_json::{Value, json};

use super::{attributes, message};
use crate::{PatchOp, ResourceType, Schema, ScimType};

const TEAM: &str = "urn:example:schemas:1.0:Team";

/// Groups with an extension.
fn team() -> ResourceType {
    let schema: Schema = serde_json::from_value(json!({"id": TEAM, "attributes": [
        {"name": "members", "multiValued": true},
        {"name": "lead"},
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
