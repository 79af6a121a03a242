//! Attributes that answers hold back: what is shown on request only.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{GROUP, PATCH, World};

const BADGE: &str = "urn:example:schemas:extension:1.0:Badge";

fn patch(op: &str, path: &str, value: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": [{ "op": op, "path": path, "value": value }] })
}

/// RFC 7643 §7 `request`: the answer to a change shows what the change set, of a group as of anything else.
#[test]
fn a_group_answers_what_a_change_set_though_it_is_shown_on_request_only() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let place = json!({ "name": "place", "type": "complex", "subAttributes": [
            { "name": "site" }, { "name": "key", "returned": "request" },
        ] });
        world
            .define(&json!({
                "schemas": [{ "id": BADGE, "attributes": [{ "name": "asked", "returned": "request" }, place] }],
                "resourceTypes": [{ "name": "Group", "schemaExtensions": [{ "schema": BADGE, "required": false }] }],
            }))
            .await;
        let mut few = Vec::new();
        for number in 0..21 {
            few.push(json!({ "value": world.user(&format!("u{number}")).await }));
        }
        for members in [&few[..1], &few[..]] {
            let asked = |word: &str| json!({ "asked": word, "place": { "site": "S", "key": word } });
            let body = |word: &str| json!({ "schemas": [GROUP, BADGE], "displayName": "g", "members": members, BADGE: asked(word) });
            let made = world.call("POST", "/Groups", &body("a")).await;
            assert_eq!((made.status.as_u16(), &made.body[BADGE]), (201, &asked("a")), "{}", made.body);
            let path = format!("/Groups/{}", made.id());
            for (method, query, body, expected) in [
                ("PUT", "", body("b"), asked("b")),
                ("PUT", "?excludedAttributes=members", body("c"), asked("c")),
                ("PATCH", "?excludedAttributes=members", patch("replace", BADGE, &asked("d")), asked("d")),
                (
                    "PATCH",
                    "?excludedAttributes=displayName",
                    patch("replace", &format!("{BADGE}:asked"), &json!("e")),
                    json!({ "asked": "e", "place": { "site": "S" } }),
                ),
                (
                    "PATCH",
                    "?excludedAttributes=displayName",
                    patch("replace", "displayName", &json!("h")),
                    json!({ "place": { "site": "S" } }),
                ),
                ("PUT", "", json!({ "schemas": [GROUP], "displayName": "g", "members": members }), Value::Null),
            ] {
                let changed = world.call(method, &format!("{path}{query}"), &body).await;
                assert_eq!(
                    (changed.status.as_u16(), &changed.body[BADGE]),
                    (200, &expected),
                    "{method} {query} {body}"
                );
                let shown = if query.contains("members") { 0 } else { members.len() };
                assert_eq!(changed.body["members"].as_array().map_or(0, Vec::len), shown, "{method} {query} {body}");
            }
        }
    });
}
