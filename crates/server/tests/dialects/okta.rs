//! Okta's provisioning: imports, profile pushes, group pushes.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::flow::{tell, vendor};
use crate::world::PATCH;

#[test]
fn users_and_groups() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("okta.jsonl")).await });
}

#[test]
fn a_group_push_of_256_members_and_an_import_of_pages_of_a_hundred() {
    on_both(|store| async {
        let world = vendor(store).await;
        let mut members = Vec::new();
        for number in 0..256 {
            let name = format!("u{number}@okta.example");
            members.push(json!({ "value": world.user(&name).await, "display": name }));
        }
        let group = world.group("Everyone", &[]).await;
        let push = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "members", "value": members }] });
        assert_eq!(world.call("PATCH", &format!("/Groups/{group}"), &push).await.status.as_u16(), 204);
        assert_eq!(world.members(&group).await.len(), 256);
        let each: Vec<Value> = members
            .iter()
            .map(|member| json!({ "op": "remove", "path": format!("members[value eq {}]", member["value"]) }))
            .collect();
        let leave = json!({ "schemas": [PATCH], "Operations": each });
        assert_eq!(world.call("PATCH", &format!("/Groups/{group}"), &leave).await.status.as_u16(), 200);
        assert!(world.members(&group).await.is_empty());
        let mut seen = Vec::new();
        for (start, count) in [(1, 100), (101, 100), (201, 56)] {
            let page = world.get(&format!("/Users?startIndex={start}&count=100")).await.body;
            let told = (page["totalResults"].as_u64(), page["startIndex"].as_u64(), page["itemsPerPage"].as_u64());
            assert_eq!(told, (Some(256), Some(start), Some(count)));
            seen.extend(page["Resources"].as_array().unwrap().iter().map(|user| user["id"].clone()));
        }
        let made: Vec<Value> = members.iter().map(|member| member["value"].clone()).collect();
        assert_eq!(seen, made, "nobody is skipped or doubled");
    });
}
