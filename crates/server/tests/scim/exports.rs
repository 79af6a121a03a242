//! An export has all that a tenant has, also what a GET shows on request only.

use std::sync::Arc;

use provider::{ResourceKind, export_after, export_group};
use serde_json::{Value, json};
use store::ResourceId;
use store::testing::on_both;

use crate::world::{GROUP, PUBLIC, USER, World};

const MORE: &str = "urn:example:extension:More";
const DEVICE: &str = "urn:example:Device";

/// What is shown by default, on request, and never; each also as a part.
fn attributes() -> Value {
    json!([
        { "name": "plain" }, { "name": "ask", "returned": "request" }, { "name": "secret", "returned": "never" },
        { "name": "place", "type": "complex", "subAttributes": [
            { "name": "site" }, { "name": "ask", "returned": "request" }, { "name": "secret", "returned": "never" },
        ] },
        { "name": "tags", "type": "complex", "multiValued": true, "returned": "request", "subAttributes": [
            { "name": "value" }, { "name": "secret", "returned": "never" },
        ] },
    ])
}

fn everything() -> Value {
    json!({
        "plain": "p", "ask": "a", "secret": "hidden", "place": { "site": "s", "ask": "b", "secret": "hidden" },
        "tags": [{ "value": "t", "secret": "hidden" }],
    })
}

fn but_the_secrets() -> Value {
    json!({ "plain": "p", "ask": "a", "place": { "site": "s", "ask": "b" }, "tags": [{ "value": "t" }] })
}

/// The lines of an export of a kind of resource.
async fn exported(world: &World, kind: ResourceKind) -> Vec<Value> {
    let name = world.tenant.clone();
    let read = world.store.write(move |tx| {
        let Ok(caller) = provider::administrator(tx, &name) else { panic!("the tenant {name} is there") };
        let (caller, base) = (Arc::new(caller), format!("{PUBLIC}/t/{name}/scim/v2"));
        if kind != ResourceKind::Group {
            return export_after(tx, &caller, kind, None, &base)
                .map(|found| found.into_iter().map(|one| one.text).collect());
        }
        let ids: Vec<ResourceId> = provider::group_ids_after(tx, &caller, None)?;
        let text = |id| Ok(export_group(tx, &caller, id, &base)?.into_iter().flatten().collect());
        ids.into_iter().map(text).collect::<Result<Vec<String>, provider::ProviderError>>()
    });
    read.await.unwrap().iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[test]
fn what_is_shown_on_request_only_is_in_an_export_and_secrets_are_not() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let more = json!([{ "schema": MORE }]);
        let types = json!([
            { "name": "User", "schemaExtensions": more }, { "name": "Group", "schemaExtensions": more },
            { "name": "Device", "endpoint": "/Devices", "schema": DEVICE },
        ]);
        let schemas = [MORE, DEVICE].map(|id| json!({ "id": id, "attributes": attributes() }));
        world.define(&json!({ "schemas": schemas, "resourceTypes": types })).await;
        let user = json!({ "schemas": [USER, MORE], "userName": "ada", MORE: everything() });
        let id = world.call("POST", "/Users", &user).await.id();
        let group =
            json!({ "schemas": [GROUP, MORE], "displayName": "g", "members": [{ "value": id }], MORE: everything() });
        let mut device = everything();
        device["schemas"] = json!([DEVICE]);
        let device_kind = ResourceKind::Custom(store::resources::CustomKind::new(0));
        for (endpoint, body, kind) in [("/Groups", group, ResourceKind::Group), ("/Devices", device, device_kind)] {
            assert_eq!(world.call("POST", endpoint, &body).await.status.as_u16(), 201, "{endpoint}");
            assert_eq!(exported(&world, kind).await.len(), 1, "{endpoint}");
        }
        let (users, groups) = (exported(&world, ResourceKind::User).await, exported(&world, ResourceKind::Group).await);
        assert_eq!((&users[0][MORE], &groups[0][MORE]), (&but_the_secrets(), &but_the_secrets()));
        assert_eq!((&groups[0]["members"][0]["value"], &users[0]["groups"][0]["display"]), (&json!(id), &json!("g")));
        let device = &exported(&world, device_kind).await[0];
        for (name, expected) in but_the_secrets().as_object().unwrap() {
            assert_eq!(device[name], *expected, "{name} of {device}");
        }
        assert!(!json!([users, groups, device]).to_string().contains("hidden"), "no secret is in it");
    });
}
