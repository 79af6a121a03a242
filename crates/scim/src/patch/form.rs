//! What the form of a PATCH says about the answer that its sender expects.

use serde_json::{Map, Value};

/// Whether a PATCH of a group is one whose sender expects 204, where others expect the group (RFC 7644 §3.5.2 allows both): its
/// operations are capitalised (`Add`, as Entra ID sends them unless told otherwise), or name a member by plain text.
pub fn expects_no_content(body: &Value) -> bool {
    let operations = body.as_object().and_then(|body| entry(body, "Operations")).and_then(Value::as_array);
    operations.into_iter().flatten().filter_map(Value::as_object).any(|operation| {
        let is_capitalised = |op: &str| op.starts_with(|c: char| c.is_ascii_uppercase());
        entry(operation, "op").and_then(Value::as_str).is_some_and(is_capitalised) || names_plainly(operation)
    })
}

fn names_plainly(operation: &Map<String, Value>) -> bool {
    let is_members = |path: &str| path.trim().eq_ignore_ascii_case("members");
    entry(operation, "path").and_then(Value::as_str).is_some_and(is_members)
        && match entry(operation, "value") {
            Some(Value::Array(members)) => members.iter().any(Value::is_string),
            Some(member) => member.is_string(),
            None => false,
        }
}

fn entry<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms() {
        for (operations, expected) in [
            (json!([{ "op": "add", "path": "members", "value": [{ "value": "u1" }] }]), false),
            (json!([{ "op": "Add", "path": "members", "value": [{ "value": "u1" }] }]), true),
            (json!([{ "OP": "Replace", "path": "displayName", "value": "x" }]), true),
            (json!([{ "op": "replace", "path": "displayName", "value": "x" }]), false),
            (json!([{ "op": "add", "path": "Members", "value": "u1" }]), true),
            (json!([{ "op": "add", "path": "members", "value": [{ "value": "u1" }, "u2"] }]), true),
            (json!([{ "op": "remove", "path": "members" }]), false),
            (json!([{ "op": "remove", "path": "members[value eq \"u1\"]" }]), false),
            (json!([{ "value": { "displayName": "x" } }, 7, null]), false),
            (json!([]), false),
            (json!("x"), false),
        ] {
            assert_eq!(expects_no_content(&json!({ "operations": operations })), expected, "{operations}");
        }
        assert!(!expects_no_content(&json!(null)));
    }
}
