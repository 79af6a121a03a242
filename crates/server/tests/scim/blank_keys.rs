//! Keys with white space around them: other names than those without it, and so unknown ones.

use serde_json::{Map, Value, json};
use store::testing::on_both;

use crate::world::{ENTERPRISE, GROUP, PATCH, USER, World};

const BLANKS: [&str; 5] = [" ", "\t", "\n", "  ", "\u{a0}"];

/// The key with blanks before it, behind it and on both sides.
fn blanked(key: &str) -> impl Iterator<Item = String> {
    BLANKS
        .into_iter()
        .flat_map(move |blank| [format!("{blank}{key}"), format!("{key}{blank}"), format!("{blank}{key}{blank}")])
}

fn with(mut body: Value, key: &str, value: &Value) -> Value {
    let object: &mut Map<String, Value> = body.as_object_mut().unwrap();
    object.insert(key.to_owned(), value.clone());
    body
}

/// SJ-08: whoever reads the body in front of us sees one userName, and so do we.
#[test]
fn sj_08_a_key_with_a_blank_is_no_other_form_of_the_key() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (number, key) in blanked("userName").enumerate() {
            let name = format!("alice-{number}");
            let body = with(json!({ "schemas": [USER], "userName": name }), &key, &json!("admin"));
            let made = world.call("POST", "/Users", &body).await;
            assert_eq!((made.status.as_u16(), &made.body["userName"]), (201, &json!(name)), "{key:?}");
            let path = format!("/Users/{}", made.id());
            let put = world.call("PUT", &path, &body).await;
            assert_eq!((put.status.as_u16(), &put.body["userName"]), (200, &json!(name)), "{key:?}");
            let alone = world.call("POST", "/Users", &with(json!({ "schemas": [USER] }), &key, &json!("admin"))).await;
            assert_eq!(alone.status.as_u16(), 400, "{key:?}");
        }
        let id = world.user("bob").await;
        for (key, before, value) in [
            ("active", json!(true), json!(false)),
            ("displayName", json!("Bob"), json!("Eve")),
            ("externalId", json!("1"), json!("2")),
            ("name", json!({ "givenName": "B" }), json!({ "givenName": "E" })),
            ("emails", json!([{ "value": "b@x.example" }]), json!([{ "value": "e@x.example" }])),
            (ENTERPRISE, json!({ "department": "B" }), json!({ "department": "E" })),
        ] {
            for blank in blanked(key) {
                for given in [json!({ key: before, &blank: value }), json!({ &blank: value })] {
                    let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "value": given }] });
                    let answer = world.call("PATCH", &format!("/Users/{id}"), &patch).await;
                    assert!(answer.status.is_success(), "{blank:?}: {}", answer.body);
                    let now = world.get(&format!("/Users/{id}")).await;
                    assert_eq!(now.body[key], before, "{blank:?}");
                }
            }
        }
        for (blank, path) in blanked("members").zip(blanked("name.givenName")) {
            let body = with(json!({ "schemas": [GROUP], "displayName": "g" }), &blank, &json!([{ "value": id }]));
            let group = world.call("POST", "/Groups", &body).await;
            assert_eq!(world.members(&group.id()).await, Vec::<String>::new(), "{blank:?}");
            let value = json!({ &blank: [{ "value": id }], &path: "E" });
            let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "value": value }] });
            world.call("PATCH", &format!("/Groups/{}", group.id()), &patch).await;
            assert_eq!(world.members(&group.id()).await, Vec::<String>::new(), "{blank:?}");
        }
    });
}
