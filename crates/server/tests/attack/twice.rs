//! One attribute under two spellings (SJ-08): which one counts would be a guess, and two readers of a body may guess differently.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, count, raw};
use crate::world::{ENTERPRISE, GROUP, PATCH, USER, World};

/// Attributes beside `schemas` that name something twice, as text because no JSON value holds a key twice.
fn twice() -> Vec<String> {
    let upper = ENTERPRISE.to_uppercase();
    [
        r#""userName":"a","USERNAME":"b""#,
        r#""userName":"a","userName":"b""#,
        r#""userName":"a","user\u004eame":"b""#,
        r#""userName":"a","ｕserName":1,"uSERnAME":"a""#,
        r#""userName":"a","title":null,"TITLE":"b""#,
        r#""userName":"a","nobody":1,"NOBODY":2"#,
        r#""userName":"a","name":{"givenName":"a","GIVENNAME":"b"}"#,
        r#""userName":"a","emails":[{"value":"a","VALUE":"b"}]"#,
        r#""userName":"a","emails":[{"value":"a"},{"value":"b","type":"work","Type":"home"}]"#,
        r#""userName":"a","x":{"y":{"z":1,"Z":2}}"#,
        r#""userName":"a","name":{"givenName":"a"},"name.givenName":"b""#,
        r#""userName":"a","name.givenName":"a","NAME.GIVENNAME":"b""#,
        r#""userName":"a","emails":[{"value":"a"}],"emails.value":"b""#,
        r#""userName":"a","emails":[],"emails[type eq \"work\"].value":"b""#,
        r#""userName":"a","{USER}:userName":"b""#,
        r#""userName":"a","{USER}":{"userName":"b"}"#,
        r#""userName":"a","{ENT}":{"department":"a"},"{UPPER}":{"department":"b"}"#,
        r#""userName":"a","{ENT}":{"department":"a","DEPARTMENT":"b"}"#,
        r#""userName":"a","{ENT}":{"department":"a"},"{UPPER}:department":"b""#,
        r#""userName":"a","{ENT}":{"department":"a"},"department":"b""#,
        r#""userName":"a","{ENT}":{"manager":"a"},"{ENT}.manager":"b""#,
        r#""userName":"a","manager":"a","manager.value":"b""#,
        r#""userName":"a","id":"a","ID":"b""#,
        r#""userName":"a","schemas":[]"#,
        r#""userName":"a","SCHEMAS":["{USER}"]"#,
    ]
    .into_iter()
    .map(|text| text.replace("{USER}", USER).replace("{ENT}", ENTERPRISE).replace("{UPPER}", &upper))
    .collect()
}

#[test]
fn sj_08_one_attribute_in_two_spellings_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        let before = world.get(&format!("/Users/{id}")).await.body;
        for attributes in twice() {
            let body = format!("{{\"schemas\":[\"{USER}\"],{attributes}}}");
            for (method, path) in [("POST", "/Users".to_owned()), ("PUT", format!("/Users/{id}"))] {
                check_refused(
                    &format!("{method} {attributes}"),
                    &raw(&world, method, &path, body.clone()).await,
                    "invalidSyntax",
                );
            }
            if attributes.to_lowercase().contains("\"schemas\"") {
                continue;
            }
            for op in ["add", "replace"] {
                let patch = format!(
                    "{{\"schemas\":[\"{PATCH}\"],\"Operations\":[{{\"op\":\"{op}\",\"value\":{{{attributes}}}}}]}}"
                );
                check_refused(
                    &attributes,
                    &raw(&world, "PATCH", &format!("/Users/{id}"), patch).await,
                    "invalidSyntax",
                );
            }
        }
        assert_eq!(
            (count(&world).await, world.get(&format!("/Users/{id}")).await.body),
            (1, before),
            "nothing came of it"
        );
    });
}

#[test]
fn sj_08_the_message_itself_has_each_key_once() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for message in [
            r#"{"schemas":["{PATCH}"],"Operations":[],"operations":[{"op":"remove","path":"title"}]}"#,
            r#"{"schemas":["{PATCH}"],"Schemas":[],"Operations":[]}"#,
            r#"{"schemas":["{PATCH}"],"Operations":[{"op":"add","OP":"remove","path":"title","value":"x"}]}"#,
            r#"{"schemas":["{PATCH}"],"Operations":[{"op":"add","path":"title","Path":"nickName","value":"x"}]}"#,
            r#"{"schemas":["{PATCH}"],"Operations":[{"op":"add","path":"title","value":"x","VALUE":"y"}]}"#,
        ] {
            check_refused(
                message,
                &raw(&world, "PATCH", &path, message.replace("{PATCH}", PATCH)).await,
                "invalidSyntax",
            );
        }
    });
}

#[test]
fn sj_08_members_are_named_once() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let group = world.group("G", &[&ann]).await;
        let one = |id: &str| json!([{ "value": id }]);
        for (name, value) in [
            ("with the URN", json!({ "members": one(&ann), format!("{GROUP}:members"): one(&bob) })),
            ("within the URN", json!({ "members": [], GROUP: { "members": one(&bob) } })),
            ("and one of them", json!({ "members": one(&ann), format!("members[value eq \"{bob}\"]"): one(&bob) })),
        ] {
            let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "value": value }] });
            check_refused(name, &world.call("PATCH", &format!("/Groups/{group}"), &patch).await, "invalidSyntax");
            let mut body: Value = value;
            body["schemas"] = json!([GROUP]);
            body["displayName"] = json!("P");
            check_refused(name, &world.call("POST", "/Groups", &body).await, "invalidSyntax");
            assert_eq!(world.members(&group).await, [ann.as_str()], "{name}");
        }
    });
}

#[test]
fn different_parts_of_one_attribute_may_come_in_different_forms() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({
            "schemas": [USER], "userName": "ann", "name": { "givenName": "Ann" }, "name.familyName": "B", "manager": null,
            ENTERPRISE: { "division": "V", "manager": "u9" }, format!("{ENTERPRISE}:department"): "D",
            "emails[type eq \"work\"].value": "w@x", "emails[type eq \"home\"].value": "h@x",
        });
        let made = world.call("POST", "/Users", &body).await;
        assert_eq!(made.body["name"], json!({ "givenName": "Ann", "familyName": "B" }), "{}", made.body);
        assert_eq!(made.body[ENTERPRISE], json!({ "division": "V", "department": "D", "manager": { "value": "u9" } }));
        assert_eq!(made.body["emails"].as_array().map(Vec::len), Some(2));
    });
}
