//! Any operations apply or are refused as a whole; applied to a group, members split off and the rest cannot disagree by crashing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::{PATCH_OP_URN, PatchOp, ResourceType, parse_json};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(operations) = parse_json(bytes) else { return };
    let Ok(patch) = PatchOp::read(json!({"schemas": [PATCH_OP_URN], "Operations": operations})) else { return };
    let user = json!({"userName": "ada", "name": {"givenName": "A"}, "emails": [{"type": "work", "value": "a", "primary": true}, {"value": "b"}]});
    let group = json!({"displayName": "Sales", "members": [{"value": "u1"}, {"value": "u2"}]});
    for (resource_type, resource) in [(ResourceType::user(), user), (ResourceType::group(), group)] {
        let Value::Object(before) = resource else { return };
        let mut after = before.clone();
        match patch.apply(&resource_type, &mut after) {
            Ok(changed) => assert_eq!(changed, before != after),
            Err(_) => assert_eq!(before, after),
        }
        let _ = patch.clone().split_members(&resource_type);
    }
});
