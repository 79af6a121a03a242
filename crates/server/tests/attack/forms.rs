//! Nothing, in all its forms, and text that is too long (SS-08, SS-09, SS-13).

use scim::limits::{KEY_BYTES_MAX, STRING_BYTES_MAX};
use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, operations, user};
use crate::world::{ENTERPRISE, USER, World};

#[test]
fn ss_08_a_user_has_a_name() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for name in [
            json!(""),
            json!("   "),
            json!("\t"),
            json!("\u{a0}"),
            json!("\u{2003}"),
            json!("\u{3000}"),
            json!("\u{200b}"),
            Value::Null,
        ] {
            let body = json!({ "schemas": [USER], "userName": name });
            check_refused(&name.to_string(), &world.call("POST", "/Users", &body).await, "invalidValue");
            check_refused(&name.to_string(), &world.call("PUT", &path, &body).await, "invalidValue");
            let set = operations(&json!([{ "op": "replace", "path": "userName", "value": name }]));
            check_refused(&name.to_string(), &world.call("PATCH", &path, &set).await, "invalidValue");
            let set = operations(&json!([{ "op": "replace", "value": { "userName": name, "title": "T" } }]));
            check_refused(&name.to_string(), &world.call("PATCH", &path, &set).await, "invalidValue");
        }
        check_refused("none", &world.call("POST", "/Users", &json!({ "schemas": [USER] })).await, "invalidValue");
        assert_eq!(world.get(&path).await.body["meta"]["version"], "W/\"1\"");
    });
}

#[test]
fn ss_09_a_name_is_kept_and_compared_whole() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for length in [52, 71, 72, 73, 255, 256, 512, 513, KEY_BYTES_MAX] {
            for last in ["a", "b"] {
                let name = format!("{}{last}", "x".repeat(length - 1));
                let made = world.call("POST", "/Users", &json!({ "schemas": [USER], "userName": name })).await;
                assert_eq!(
                    (made.status.as_u16(), &made.body["userName"]),
                    (201, &json!(name)),
                    "{length}: names that end apart"
                );
                let again =
                    world.call("POST", "/Users", &json!({ "schemas": [USER], "userName": name.to_uppercase() })).await;
                assert_eq!(again.status.as_u16(), 409, "{length}");
                let found = world.get(&format!("/Users?filter=userName+eq+%22{name}%22")).await.body;
                assert_eq!(
                    (&found["totalResults"], &found["Resources"][0]["id"]),
                    (&json!(1), &json!(made.id())),
                    "{length}"
                );
            }
        }
        for (length, c) in [(KEY_BYTES_MAX + 1, "x"), (KEY_BYTES_MAX / 2 + 1, "é"), (1_000_000, "x")] {
            let body = json!({ "schemas": [USER], "userName": c.repeat(length) });
            check_refused(&format!("{length} {c}"), &world.call("POST", "/Users", &body).await, "invalidValue");
        }
    });
}

#[test]
fn ss_09_other_text_has_its_limit_too() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for attribute in ["displayName", "title", "locale", "profileUrl", "nickName"] {
            let (fits, long) = ("x".repeat(STRING_BYTES_MAX), "x".repeat(STRING_BYTES_MAX + 1));
            let made = world.call("POST", "/Users", &user(attribute, attribute, &json!(fits))).await;
            assert_eq!((made.status.as_u16(), &made.body[attribute]), (201, &json!(fits)));
            check_refused(
                attribute,
                &world.call("POST", "/Users", &user("bob", attribute, &json!(long))).await,
                "invalidValue",
            );
        }
    });
}

/// One value of every kind of optional attribute.
fn filled() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE], "userName": "ann", "externalId": "x", "displayName": "D", "title": "T", "active": true,
        "name": { "givenName": "G", "familyName": "F" }, "emails": [{ "value": "a@x", "type": "work" }], "profileUrl": "https://x.example",
        "addresses": [{ "locality": "L", "type": "work" }], "roles": [{ "value": "R" }], "x509Certificates": [{ "value": "AAAA" }],
        ENTERPRISE: { "department": "D", "manager": { "value": "u9" } },
    })
}

/// The forms of nothing that each attribute takes.
fn nothings() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("externalId", vec![json!(null), json!("")]),
        ("displayName", vec![json!(null), json!("")]),
        ("title", vec![json!(null), json!("")]),
        ("active", vec![json!(null), json!("")]),
        ("profileUrl", vec![json!(null), json!("")]),
        ("name", vec![json!(null), json!([]), json!("")]),
        ("emails", vec![json!(null), json!([]), json!("")]),
        ("addresses", vec![json!(null), json!([]), json!("")]),
        ("roles", vec![json!(null), json!([]), json!("")]),
        ("x509Certificates", vec![json!(null), json!([]), json!("")]),
        (ENTERPRISE, vec![json!(null), json!([]), json!("")]),
    ]
}

/// Puts, posts and patches one form of nothing.
async fn check_nothing(world: &World, attribute: &str, nothing: &Value) {
    let mut missing = filled();
    missing.as_object_mut().unwrap().remove(attribute);
    let made = world.call("POST", "/Users", &missing).await;
    assert_eq!((made.status.as_u16(), made.body.get(attribute)), (201, None), "{attribute}");
    let path = format!("/Users/{}", made.id());
    let mut body = filled();
    body[attribute] = nothing.clone();
    let put = world.call("PUT", &path, &body).await;
    assert_eq!((put.status.as_u16(), &put.body), (200, &made.body), "PUT {attribute} {nothing}: as if it were missing");
    body["userName"] = json!("another");
    let posted = world.call("POST", "/Users", &body).await;
    assert_eq!((posted.status.as_u16(), posted.body.get(attribute)), (201, None), "POST {attribute} {nothing}");
    for form in [
        json!({ "op": "replace", "path": attribute, "value": nothing }),
        json!({ "op": "replace", "value": { attribute: nothing } }),
    ] {
        let full = world.call("PUT", &path, &filled()).await;
        let cleared = world.call("PATCH", &path, &operations(&json!([form]))).await;
        assert_eq!((cleared.status.as_u16(), cleared.body.get(attribute)), (200, None), "{form}: {}", cleared.body);
        assert_ne!(cleared.header("etag"), full.header("etag"), "{form}");
        let again = world.call("PATCH", &path, &operations(&json!([form]))).await;
        assert_eq!(again.header("etag"), cleared.header("etag"), "{form}: it is cleared once");
        let add = json!({ "op": "add", "path": attribute, "value": filled()[attribute] });
        let added = world.call("PATCH", &path, &operations(&json!([add]))).await;
        assert_eq!(added.body[attribute], filled()[attribute], "{form}: and can be set again");
    }
    let bare = world.call("PUT", &path, &missing).await;
    assert_eq!(bare.body.get(attribute), None, "a PUT without {attribute} clears it");
    for id in [made.id(), posted.id()] {
        world.call("DELETE", &format!("/Users/{id}"), &Value::Null).await;
    }
}

#[test]
fn ss_13_null_empty_and_missing_mean_the_same() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (attribute, nothings) in nothings() {
            for nothing in nothings {
                check_nothing(&world, attribute, &nothing).await;
            }
        }
    });
}
