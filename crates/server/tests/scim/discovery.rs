//! What an endpoint says about itself.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use store::testing::{databases, on_both};
use tower::ServiceExt;

use crate::world::{ENTERPRISE, GROUP, PUBLIC, USER, World};

/// Discovery must hold no null: clients of one kind refuse the whole answer.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(object) => object.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[test]
fn the_group_schema_says_whether_names_are_unique() {
    on_both(|store| async {
        let first = World::new(store, "generic").await;
        for (profile, expected) in [("generic", "none"), ("netskope", "server")] {
            let world = first.tenant(&format!("names-{profile}"), profile).await;
            let schema = world.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group").await.body;
            let mut attributes = schema["attributes"].as_array().unwrap().iter();
            let name = attributes.find(|attribute| attribute["name"] == "displayName").unwrap();
            assert_eq!(name["uniqueness"], expected, "{profile}");
        }
    });
}

#[test]
fn schemas_and_resource_types_of_each_application() {
    on_both(|store| async {
        let first = World::new(store, "generic").await;
        let forcepoint = "urn:ietf:params:scim:schemas:extension:forcepoint:2.0:User";
        for (profile, urns, kinds) in [
            ("generic", vec![USER, ENTERPRISE, GROUP], vec!["User", "Group"]),
            ("forcepoint-csg", vec![USER, forcepoint, GROUP], vec!["User", "Group"]),
            ("netskope", vec![USER, GROUP], vec!["User", "Group"]),
            ("palo-alto-cie", vec![USER, ENTERPRISE, GROUP], vec!["User", "Group"]),
            ("storegate", vec![USER], vec!["User"]),
        ] {
            let world = first.tenant(profile, profile).await;
            for (path, expected) in [("/Schemas", &urns), ("/ResourceTypes", &kinds)] {
                let answer = world.get(path).await;
                assert!(!has_null(&answer.body), "{profile} {path}");
                let ids: Vec<&str> = answer.body["Resources"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|found| found["id"].as_str().unwrap())
                    .collect();
                assert_eq!(
                    (&ids, &answer.body["totalResults"]),
                    (expected, &json!(expected.len())),
                    "{profile} {path}"
                );
                for (number, id) in ids.iter().enumerate() {
                    let one = world.get(&format!("{path}/{id}")).await;
                    assert_eq!(one.body, answer.body["Resources"][number], "{profile} {id}");
                    let location = format!("{PUBLIC}/t/{profile}/scim/v2{path}/{id}");
                    assert_eq!((&one.body["meta"]["location"], one.header("location")), (&json!(location), &*location));
                }
            }
            let user = world.get(&format!("/Schemas/{}", USER.to_uppercase().replace(':', "%3A"))).await;
            let location = user.body["meta"]["location"].as_str();
            let told = ["location", "content-location"].map(|name| Some(user.header(name)));
            assert_eq!(told, [location; 2], "{profile}: whatever the client wrote");
            let names: Vec<&Value> =
                user.body["attributes"].as_array().unwrap().iter().map(|attribute| &attribute["name"]).collect();
            assert!(names.contains(&&json!("userName")), "{profile}");
        }
    });
}

#[test]
fn capabilities_are_what_the_endpoint_does() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let config = world.get("/ServiceProviderConfig").await;
        assert_eq!(config.header("content-type"), "application/scim+json");
        for (pointer, expected) in [
            ("/schemas/0", json!("urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig")),
            ("/patch/supported", json!(true)),
            ("/filter/supported", json!(true)),
            ("/filter/maxResults", json!(provider::COUNT_MAX)),
            ("/bulk/supported", json!(true)),
            ("/bulk/maxOperations", json!(scim::limits::BULK_OPERATIONS_MAX)),
            ("/bulk/maxPayloadSize", json!(server::BODY_BYTES_MAX)),
            ("/sort/supported", json!(true)),
            (
                "/pagination",
                json!({ "cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": provider::COUNT_DEFAULT,
                    "maxPageSize": provider::COUNT_MAX, "cursorTimeout": provider::CURSOR_SECONDS }),
            ),
            ("/etag/supported", json!(true)),
            ("/changePassword/supported", json!(false)),
            ("/authenticationSchemes/0/type", json!("oauthbearertoken")),
            ("/authenticationSchemes/0/primary", json!(true)),
            ("/authenticationSchemes/1/type", json!("oauth2")),
            ("/authenticationSchemes/1/primary", json!(false)),
        ] {
            assert_eq!(config.body.pointer(pointer), Some(&expected), "{pointer}");
        }
        for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/x"] {
            for filtered in ["filter=id+pr", "count=1&count=%ff&Filter=id+pr", "filter=%ff&filter=id+pr"] {
                let answer = world.get(&format!("{path}?{filtered}")).await;
                assert_eq!(answer.status.as_u16(), 403, "{path} {filtered}");
            }
        }
        for ignored in [
            "sortBy=id&startIndex=999&count=0",
            "attributes=id",
            "filter=invalid&sortBy=id&startIndex=999",
            "startIndex=1&startIndex=2",
            "count=%ff",
            "filter=%ff",
            "%ff=1&filter=a&FILTER=b",
            "attributes=id&excludedAttributes=id&cursor&cursor",
        ] {
            let answer = world.get(&format!("/ServiceProviderConfig?{ignored}")).await;
            assert_eq!((answer.status.as_u16(), answer.body), (200, config.body.clone()), "{ignored}");
        }
    });
}

/// A client that looks up what it reads in `schemas` finds it, wherever it read that.
#[test]
fn every_schema_that_discovery_names_is_there() {
    on_both(|store| async {
        let world = World::new(store, "storegate").await;
        for path in ["/ServiceProviderConfig", "/ResourceTypes/User", &format!("/Schemas/{USER}")] {
            let shown = world.get(path).await.body;
            let urn = shown["schemas"][0].as_str().unwrap();
            let schema = world.get(&format!("/Schemas/{urn}")).await;
            assert_eq!((schema.status.as_u16(), &schema.body["id"]), (200, &json!(urn)), "{path}");
            assert_eq!(
                schema.body["meta"]["location"],
                format!("{PUBLIC}{}", world.address(&format!("/Schemas/{urn}")))
            );
            assert!(!has_null(&schema.body), "{path}");
            is_described(&shown, &schema.body["attributes"], path);
        }
        let itself = world.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:schema").await;
        assert_eq!(itself.body["id"], scim::SCHEMA_URN, "in any case, and where it describes itself");
        let listed = world.get("/Schemas").await.body;
        assert_eq!(listed["totalResults"], 1, "the list has the schemas of resources only (RFC 7644 §4)");
    });
}

/// Whether attributes are defined for all that is shown, and all that is required is shown.
fn is_described(shown: &Value, attributes: &Value, of: &str) {
    let named = |attribute: &Value| attribute["name"].as_str().unwrap().to_owned();
    let defined = attributes.as_array().unwrap();
    for (name, value) in shown.as_object().unwrap() {
        if ["schemas", "id", "meta"].contains(&name.as_str()) {
            continue;
        }
        let attribute = defined.iter().find(|attribute| named(attribute) == *name);
        let attribute = attribute.unwrap_or_else(|| panic!("{name} of {of} is defined nowhere"));
        assert_eq!(attribute["multiValued"], value.is_array(), "{name} of {of}");
        let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for element in elements.iter().filter(|element| element.is_object()) {
            is_described(element, &attribute["subAttributes"], &format!("{name} of {of}"));
        }
    }
    for attribute in defined.iter().filter(|attribute| attribute["required"] == true) {
        assert!(shown.get(named(attribute)).is_some(), "{} of {of} is required", named(attribute));
    }
}

/// The status of an address outside of the tenants.
async fn status(world: &World, path: &str) -> u16 {
    let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    world.service.clone().oneshot(request).await.unwrap().status().as_u16()
}

#[test]
fn a_database_that_takes_no_writes_is_not_ready_until_it_does() {
    for database in databases() {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let world = World::new(database.open(), "generic").await;
            let five_seconds_later = || world.clock.fetch_add(5_000, Ordering::Relaxed);
            assert_eq!(status(&world, "/readyz").await, 200);
            database.fill_up();
            assert_eq!(status(&world, "/readyz").await, 200, "looked at a moment ago");
            five_seconds_later();
            assert_eq!((status(&world, "/readyz").await, status(&world, "/healthz").await), (503, 200));
            database.make_room();
            assert_eq!(status(&world, "/readyz").await, 503, "looked at a moment ago");
            five_seconds_later();
            assert_eq!(status(&world, "/readyz").await, 200);
        });
    }
}

#[test]
fn health_needs_no_token_and_tells_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for path in ["/healthz", "/readyz"] {
            let request = http::Request::get(path).body(axum::body::Body::empty());
            assert_eq!(world.send(request.unwrap()).await.status.as_u16(), 200);
        }
    });
}
