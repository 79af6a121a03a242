//! Filters by members of groups and by groups of users: by any part of them, from an index where there is one.

use serde_json::{Value, json};
use store::resources::ResourceKind;
use store::testing::{count_more, on_both};

use crate::world::{GROUP, World};

/// What the resources are called that a filter finds, or how it is refused.
async fn ask(world: &World, endpoint: &str, filter: &str) -> Vec<String> {
    let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
    let answer = world.get(&format!("{endpoint}?filter={encoded}")).await;
    let Some(found) = answer.body["Resources"].as_array() else {
        return vec![answer.body["scimType"].as_str().unwrap_or_default().to_owned()];
    };
    assert_eq!(answer.body["totalResults"], found.len(), "{filter}");
    let name = if endpoint == "/Users" { "userName" } else { "displayName" };
    found.iter().map(|resource| resource[name].as_str().unwrap().to_owned()).collect()
}

/// Ann and Bob, who are in Sales; Sales is in All; nobody is in Empty, and Zoe nowhere. Gives the ids of Ann and of Sales.
async fn people(world: &World) -> (String, String) {
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    world.user("zoe").await;
    let members = json!([{ "value": ann, "display": "Ann Ä." }, { "value": bob }]);
    let body = json!({ "schemas": [GROUP], "displayName": "Sales", "members": members });
    let sales = world.call("POST", "/Groups", &body).await.id();
    world.group("All", &[&sales]).await;
    world.group("Empty", &[]).await;
    (ann, sales)
}

#[test]
fn groups_are_found_by_what_their_members_are() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, sales) = people(&world).await;
        for (filter, expected) in [
            ("members.type eq \"Group\"", vec!["All"]),
            ("members[type eq \"user\"]", vec!["Sales"]),
            ("members.type ne \"User\"", vec!["All", "Empty"]),
            ("not (members.type eq \"User\")", vec!["All", "Empty"]),
            ("members.display eq \"ANN ä.\"", vec!["Sales"]),
            ("members.display sw \"ann\" and displayName co \"a\"", vec!["Sales"]),
            ("members.display pr", vec!["Sales"]),
            ("members.display eq null", vec!["All", "Empty"]),
            ("members[not (display pr)].type eq \"User\"", vec!["Sales"]),
            ("members.$ref co \"/Groups/\"", vec!["All"]),
            (&format!("members.$ref ew \"/Users/{ann}\""), vec!["Sales"]),
            (&format!("members[value eq \"{ann}\" and type eq \"User\"]"), vec!["Sales"]),
            (&format!("members[value eq \"{ann}\" and type eq \"Group\"]"), vec![]),
            (&format!("members[value eq \"{ann}\"].type eq \"User\""), vec!["Sales"]),
            (&format!("members[value eq \"{ann}\"].display ne \"Bob\""), vec!["Sales", "All", "Empty"]),
            (&format!("members[type eq \"User\"].value eq \"{sales}\""), vec![]),
            (&format!("members[value eq \"{ann}\" or value eq \"{sales}\"]"), vec!["Sales", "All"]),
            (&format!("members.value ne \"{sales}\""), vec!["Sales", "Empty"]),
            (&format!("members.value sw \"{}\"", &ann[..8]), vec!["Sales", "All"]),
            // RFC 7644 §3.4.2.2: what has no value is null.
            ("members eq null", vec!["Empty"]),
            ("members ne null", vec!["Sales", "All"]),
            ("members.value eq null", vec!["Empty"]),
            ("not (members pr)", vec!["Empty"]),
            ("members pr and not (members.type eq \"Group\")", vec!["Sales"]),
            ("members.type gt 5", vec!["invalidFilter"]),
            ("members.nope pr", vec!["invalidFilter"]),
            ("members[type eq \"User\"] eq null", vec!["All", "Empty"]),
        ] {
            assert_eq!(ask(&world, "/Groups", filter).await, expected, "{filter}");
        }
        let sorted = world.get("/Groups?filter=members.type+pr&sortBy=displayName&sortOrder=descending").await;
        let names: Vec<&Value> =
            sorted.body["Resources"].as_array().unwrap().iter().map(|group| &group["displayName"]).collect();
        assert_eq!(names, ["Sales", "All"]);
    });
}

#[test]
fn users_are_found_by_what_their_groups_are_called() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (_, sales) = people(&world).await;
        for (filter, expected) in [
            ("groups.display eq \"SALES\"", vec!["ann", "bob"]),
            ("groups[display eq \"Sales\"] and userName sw \"b\"", vec!["bob"]),
            ("groups[display eq \"Sales\" and type eq \"direct\"]", vec!["ann", "bob"]),
            ("groups[display eq \"Sales\" and type eq \"indirect\"]", vec![]),
            ("groups.display eq \"All\"", vec![]),
            ("groups.display co \"al\"", vec!["ann", "bob"]),
            ("groups.display ne \"Sales\"", vec!["zoe"]),
            ("groups.type eq \"direct\"", vec!["ann", "bob"]),
            ("groups eq null", vec!["zoe"]),
            ("groups ne null", vec!["ann", "bob"]),
            ("not (groups pr)", vec!["zoe"]),
            (&format!("groups[value eq \"{sales}\" and display ne \"Sales\"]"), vec![]),
            (&format!("groups[value eq \"{sales}\"].display eq \"sales\""), vec!["ann", "bob"]),
            ("groups.$ref co \"/Groups/\"", vec!["ann", "bob"]),
        ] {
            assert_eq!(ask(&world, "/Users", filter).await, expected, "{filter}");
        }
        let all = world.get("/?filter=groups.display+eq+%22sales%22+or+members.type+eq+%22group%22").await;
        assert_eq!(all.body["totalResults"], 3, "{}", all.body);
    });
}

/// What an index answers is answered however many there are; what none answers is refused with the limit.
#[test]
fn a_tenant_that_holds_more_memberships_than_a_filter_may_look_at() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, sales) = people(&world).await;
        let name = world.tenant.clone();
        world
            .write(move |tx| {
                let tenant = provider::tenant(tx, &name)?.key;
                count_more(tx, tenant, ResourceKind::User, i64::from(provider::SCAN_MAX))?;
                Ok(count_more(tx, tenant, ResourceKind::Group, i64::from(provider::SCAN_MAX))?)
            })
            .await;
        for (endpoint, filter, expected) in [
            ("/Users", "groups.display eq \"Sales\"".to_owned(), vec!["ann", "bob"]),
            ("/Users", "groups[type eq \"direct\" and display eq \"Sales\"]".to_owned(), vec!["ann", "bob"]),
            ("/Users", format!("groups[value eq \"{sales}\" and type eq \"direct\"]"), vec!["ann", "bob"]),
            ("/Users", "groups.type eq \"direct\"".to_owned(), vec!["tooMany"]),
            ("/Groups", format!("members[value eq \"{ann}\" and type eq \"User\"]"), vec!["Sales"]),
            ("/Groups", format!("members[value eq \"{ann}\" or value eq \"{sales}\"]"), vec!["Sales", "All"]),
            ("/Groups", "members.type eq \"User\"".to_owned(), vec!["tooMany"]),
            ("/Groups", "members eq null".to_owned(), vec!["tooMany"]),
            ("/Groups", "members.type eq \"User\" and displayName eq \"Sales\"".to_owned(), vec!["Sales"]),
        ] {
            assert_eq!(ask(&world, endpoint, &filter).await, expected, "{filter}");
        }
    });
}
