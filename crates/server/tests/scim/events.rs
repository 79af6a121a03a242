//! The events of a tenant: what those who follow its changes are told of each.

use provider::{Detail, EVENT_URIS, EVENTS_MAX, Event, ProviderError, events_after};
use serde_json::{Value, json};
use store::testing::on_both;
use store::{Action, ObjectId, ObjectKind, ResourceId, StoreError, TenantKey};

use crate::world::{ENTERPRISE, GROUP, PATCH, PUBLIC, USER, World};

/// The events after a number, and how far the feed was read.
async fn read(world: &World, after: i64, detail: Detail) -> Result<(Vec<Event>, i64), ProviderError> {
    let name = world.tenant.clone();
    let told = world.store.write(move |tx| {
        let Ok(caller) = provider::administrator(tx, &name) else { panic!("the tenant {name} is there") };
        store::number_changes(tx, caller.tenant().into())?;
        let base = format!("{PUBLIC}/t/{name}/scim/v2");
        events_after(tx, &caller, &base, after, detail, u32::MAX)
    });
    told.await
}

async fn events(world: &World, after: i64) -> Vec<Event> {
    read(world, after, Detail::Notice).await.unwrap().0
}

async fn key(world: &World) -> TenantKey {
    let name = world.tenant.clone();
    world.write(move |tx| Ok(provider::tenant(tx, &name)?.key)).await
}

/// What each event tells: its address, its names without their common beginning, and its attributes.
fn told(events: &[Event]) -> Vec<(String, String, String)> {
    let short = |name: &String| name.trim_start_matches("urn:ietf:params:scim:event:prov:").to_owned();
    let one = |event: &Event| {
        let claims = event.claims("https://scim.example", None);
        let names: Vec<String> = claims["events"].as_object().unwrap().keys().map(short).collect();
        (event.uri.clone(), names.join(" "), event.attributes.join(" "))
    };
    events.iter().map(one).collect()
}

fn row(path: &str, names: &str, attributes: &str) -> (String, String, String) {
    (path.to_owned(), names.to_owned(), attributes.to_owned())
}

fn patch(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}

async fn ok(world: &World, method: &str, path: &str, body: &Value) {
    let answer = world.call(method, path, body).await;
    assert!(answer.status.is_success(), "{method} {path}: {:?}", answer.body);
}

#[test]
fn the_life_of_a_user_is_told_step_by_step() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": [USER, ENTERPRISE], "userName": "ada", "externalId": "e-1", "active": true,
            ENTERPRISE: { "department": "R&D" } });
        let id = world.call("POST", "/Users", &body).await.id();
        let path = format!("/Users/{id}");
        let department = format!("{ENTERPRISE}:department");
        for operations in [
            json!([{ "op": "replace", "path": department, "value": "Ops" }, { "op": "add", "path": "title", "value": "Dr" }]),
            // Nothing is different after this one, so nothing is told.
            json!([{ "op": "replace", "path": "title", "value": "Dr" }]),
            json!([{ "op": "replace", "path": "active", "value": false }]),
            json!([{ "op": "replace", "path": "active", "value": true }, { "op": "remove", "path": "title" }]),
        ] {
            ok(&world, "PATCH", &path, &patch(&operations)).await;
        }
        let fewer = json!({ "schemas": [USER], "userName": "ada", "externalId": "e-1", "active": false });
        ok(&world, "PUT", &path, &fewer).await;
        ok(&world, "PUT", &path, &fewer).await;
        ok(&world, "DELETE", &path, &Value::Null).await;

        let all = events(&world, 0).await;
        assert_eq!(
            told(&all),
            [
                // What the resource held then is not kept, and it is gone: the names of its attributes with it.
                row(&path, "create:notice", ""),
                row(&path, "patch:notice", &format!("title {department}")),
                row(&path, "deactivate patch:notice", "active"),
                row(&path, "activate patch:notice", "active title"),
                row(&path, "deactivate put:notice", &format!("active {department}")),
                row(&path, "delete", ""),
            ]
        );
        assert_eq!(all.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(all.last().unwrap().external_id.as_deref(), Some("e-1"), "it is kept where the resource is gone");
        assert!(all.iter().all(|event| event.resource_type == "User"));
        let names: Vec<_> = all
            .iter()
            .flat_map(|event| {
                let claims = event.claims("https://scim.example", None);
                claims["events"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
            })
            .collect();
        assert!(names.iter().all(|name| EVENT_URIS.contains(&name.as_str())), "{names:?}");
        assert_eq!(events(&world, 4).await, all[4..], "whoever has seen some is told the others");
    });
}

#[test]
fn claims_are_those_of_a_security_event_token() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": [USER, ENTERPRISE], "userName": "ada", "externalId": "e-1",
            ENTERPRISE: { "department": "R&D" } });
        let id = world.call("POST", "/Users", &body).await.id();
        let issuer = format!("{PUBLIC}/t/contoso/scim/v2");
        let all = events(&world, 0).await;
        let claims = all[0].claims(&issuer, Some("https://app.example/hook"));
        let notice = &claims["events"]["urn:ietf:params:scim:event:prov:create:notice"];
        let mut attributes: Vec<_> = notice["attributes"].as_array().unwrap().clone();
        attributes.sort_by_key(Value::to_string);
        let department = format!("{ENTERPRISE}:department");
        assert_eq!(attributes, [json!("externalId"), json!(department), json!("userName")]);
        assert_eq!(notice["version"], "W/\"1\"");
        assert_eq!(
            (&claims["iss"], &claims["aud"], &claims["jti"], &claims["txn"], &claims["iat"]),
            (
                &json!(issuer),
                &json!("https://app.example/hook"),
                &json!(all[0].id),
                &json!(all[0].id),
                &json!(all[0].at.as_second())
            )
        );
        assert_eq!(claims["sub_id"], json!({ "format": "scim", "uri": format!("/Users/{id}"), "externalId": "e-1" }));
    });
}

#[test]
fn in_full_the_resource_is_told_as_a_get_shows_it() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ada").await;
        let path = format!("/Users/{id}");
        let secret = json!([{ "op": "add", "path": "password", "value": "S3cret-word" }]);
        ok(&world, "PATCH", &path, &patch(&secret)).await;
        let title = json!([{ "op": "add", "path": "title", "value": "Dr" }]);
        ok(&world, "PATCH", &path, &patch(&title)).await;
        let group = world.group("staff", &[&id]).await;
        let shown = world.get(&path).await.body;
        let (all, _) = read(&world, 0, Detail::Full).await.unwrap();
        let told: Vec<_> = all.iter().map(|event| event.claims("i", None)["events"].clone()).collect();
        let put =
            &told.iter().find_map(|events| events.get("urn:ietf:params:scim:event:prov:put:full")).unwrap()["data"];
        assert_eq!((put, &put["groups"][0]["value"]), (&shown, &json!(group)));
        assert!(!json!(told).to_string().contains("S3cret-word"), "what is never returned is never told");
        let made = &told.last().unwrap()["urn:ietf:params:scim:event:prov:create:full"]["data"];
        assert_eq!(
            (&made["id"], &made["displayName"], &made["members"]),
            (&json!(group), &json!("staff"), &Value::Null)
        );
        ok(&world, "DELETE", &path, &Value::Null).await;
        let (all, _) = read(&world, 0, Detail::Full).await.unwrap();
        assert!(all.iter().filter(|event| event.uri == path).all(|event| event.resource.is_none()), "it is gone");
    });
}

#[test]
fn members_are_told_as_changes_of_their_group() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let staff = world.group("staff", &[&ada]).await;
        let path = format!("/Groups/{staff}");
        let operations = json!([
            { "op": "add", "path": "members", "value": [{ "value": bob }] },
            { "op": "remove", "path": format!("members[value eq \"{ada}\"]") },
            { "op": "replace", "path": "displayName", "value": "all" },
        ]);
        ok(&world, "PATCH", &path, &patch(&operations)).await;
        let again = json!([{ "op": "add", "path": "members", "value": [{ "value": bob }] }]);
        ok(&world, "PATCH", &path, &patch(&again)).await;
        ok(&world, "PUT", &path, &json!({ "schemas": [GROUP], "displayName": "all", "members": [{ "value": ada }] }))
            .await;
        ok(&world, "DELETE", &format!("/Users/{ada}"), &Value::Null).await;
        assert_eq!(
            told(&events(&world, 2).await),
            [
                row(&path, "create:notice", "displayName"),
                row(&path, "patch:notice", "displayName members"),
                row(&path, "put:notice", "members"),
                row(&path, "patch:notice", "members"),
                row(&format!("/Users/{ada}"), "delete", ""),
            ]
        );
    });
}

#[test]
fn types_that_a_tenant_defined_are_told_like_others() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let schema = "urn:example:schemas:Device";
        let attribute = json!({ "name": "model", "type": "string", "mutability": "readWrite" });
        world
            .define(&json!({
                "schemas": [{ "id": schema, "name": "Device", "attributes": [attribute] }],
                "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": schema }],
            }))
            .await;
        let made = world.call("POST", "/Devices", &json!({ "schemas": [schema], "model": "T1" })).await;
        let path = format!("/Devices/{}", made.id());
        ok(&world, "PATCH", &path, &patch(&json!([{ "op": "replace", "path": "model", "value": "T2" }]))).await;
        let all = events(&world, 0).await;
        assert_eq!(told(&all), [row(&path, "create:notice", "model"), row(&path, "patch:notice", "model")]);
        assert!(all.iter().all(|event| event.resource_type == "Device"));
    });
}

#[test]
fn a_bulk_request_tells_what_its_operations_did() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "schemas": [USER], "userName": "ada" } },
            { "method": "POST", "path": "/Users", "bulkId": "v", "data": { "schemas": [USER], "userName": "ADA" } },
            { "method": "POST", "path": "/Groups", "bulkId": "g",
              "data": { "schemas": [GROUP], "displayName": "staff", "members": [{ "value": "bulkId:u" }] } },
        ]});
        ok(&world, "POST", "/Bulk", &body).await;
        let names: Vec<_> = told(&events(&world, 0).await).into_iter().map(|(_, names, _)| names).collect();
        assert_eq!(names, ["create:notice", "create:notice"], "the user that was refused is not told");
    });
}

#[test]
fn what_changed_before_actions_were_kept_is_told_as_it_is_now() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let there: ResourceId = world.user("ada").await.parse().unwrap();
        let (tenant, now) = (key(&world).await, world.now());
        let gone = store::version_7(now, [7; 10]);
        let change = move |tx: &mut store::WriteTx<'_>| {
            for id in [there.uuid(), gone] {
                store::append_change(tx, tenant.into(), ObjectKind::User, ObjectId::new(id), None, now)?;
            }
            let (group, member) = (ObjectId::new(gone), ObjectId::new(there.uuid()));
            Ok(store::append_change(tx, tenant.into(), ObjectKind::Membership, group, Some(member), now)?)
        };
        world.write(change).await;
        let (all, read_to) = read(&world, 1, Detail::Notice).await.unwrap();
        assert_eq!(all.iter().map(|event| event.action).collect::<Vec<_>>(), [Action::Replaced, Action::Deleted]);
        assert_eq!(read_to, 4, "what tells nothing is read all the same");
    });
}

#[test]
fn events_come_in_pages_and_a_feed_that_was_cut_says_where_it_begins() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for number in 0..EVENTS_MAX + 3 {
            world.user(&format!("user-{number}")).await;
        }
        let (first, read_to) = read(&world, 0, Detail::Notice).await.unwrap();
        assert_eq!((first.len(), read_to), (EVENTS_MAX as usize, i64::from(EVENTS_MAX)));
        let (rest, read_to) = read(&world, read_to, Detail::Notice).await.unwrap();
        assert_eq!((rest.len(), read_to), (3, i64::from(EVENTS_MAX) + 3));
        let (tenant, before) = (key(&world).await, world.now());
        world.write(move |tx| Ok(store::trim_changes(tx, tenant.into(), before)?)).await;
        let refused = read(&world, 5, Detail::Notice).await.unwrap_err();
        let expected = StoreError::FeedTrimmed { after: 5, first: i64::from(EVENTS_MAX) + 3 };
        assert!(matches!(&refused, ProviderError::Store(error) if *error == expected), "{refused:?}");
    });
}

#[test]
fn a_tenant_hears_nothing_of_another() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        other.user("eve").await;
        assert_eq!((events(&world, 0).await.len(), events(&other, 0).await.len()), (0, 1));
    });
}
