//! Microsoft's gallery onboarding suite of 2026: the tests that it runs against the application directly.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::flow::{tell, vendor};
use crate::world::World;

#[test]
fn direct_tests() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("gallery_direct.jsonl")).await });
}

#[test]
fn null_update_in_two_phases() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("gallery_null_update.jsonl")).await });
}

/// Walks pages of five; gives what was seen.
async fn walk(world: &World, endpoint: &str, name: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    for start in [1, 6, 11] {
        let page = world.get(&format!("{endpoint}?startIndex={start}&count=5")).await;
        assert_eq!((page.status.as_u16(), &page.body["startIndex"]), (200, &json!(start)), "{endpoint}");
        let shown = page.body["Resources"].as_array().unwrap();
        assert_eq!((&page.body["totalResults"], &page.body["itemsPerPage"]), (&json!(11), &json!(shown.len())));
        assert_eq!(shown.len(), if start < 11 { 5 } else { 1 }, "{endpoint}");
        seen.extend(shown.iter().map(|resource| resource[name].clone()));
    }
    seen
}

#[test]
fn pagination_of_eleven() {
    on_both(|store| async {
        let world = vendor(store).await;
        let mut names = Vec::new();
        for number in 0..11 {
            world.user(&format!("u{number}")).await;
            world.group(&format!("u{number}"), &[]).await;
            names.push(json!(format!("u{number}")));
        }
        assert_eq!(walk(&world, "/Users", "userName").await, names, "SCIM_User_Pagination");
        assert_eq!(walk(&world, "/Groups", "displayName").await, names, "SCIM_Group_Pagination");
        let beyond = world.get("/Users?startIndex=16&count=5").await.body;
        assert_eq!((&beyond["totalResults"], &beyond["Resources"]), (&json!(11), &json!([])), "past the end");
    });
}
