//! Attributes that answers hold back: what is shown on request only, and parts of immutable values that nobody is answered.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{GROUP, PATCH, World};

const BADGE: &str = "urn:example:schemas:extension:1.0:Badge";
const CASE: &str = "urn:example:schemas:1.0:Case";

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

/// An immutable object of a part that is written only, one that is never returned and a plain one; a list of such; one that must be
/// there, and one that is unique by a part that is written only.
async fn define_cases(world: &World) {
    let parts = json!([
        { "name": "sWoAlw", "mutability": "writeOnly", "returned": "always" },
        { "name": "sRwNev", "returned": "never" }, { "name": "sRwDef" },
    ]);
    let unique = json!([{ "name": "value", "mutability": "writeOnly" }, { "name": "sRwDef" }]);
    let attributes = json!([
        { "name": "cImDef", "type": "complex", "mutability": "immutable", "subAttributes": parts },
        { "name": "lImDef", "type": "complex", "mutability": "immutable", "multiValued": true, "subAttributes": parts },
        { "name": "cUnDef", "type": "complex", "uniqueness": "server", "subAttributes": unique },
    ]);
    world
        .define(&json!({
            "schemas": [{ "id": CASE, "attributes": attributes }],
            "resourceTypes": [{ "name": "Case", "endpoint": "/Cases", "schema": CASE }],
        }))
        .await;
}

fn case(name: &str, value: &Value) -> Value {
    json!({ "schemas": [CASE], name: value })
}

/// RFC 7644 §3.5.1, §3.5.2: what is immutable accepts the value that it has, whatever of it is answered, and no other.
#[test]
fn an_immutable_value_is_compared_by_what_nobody_is_answered_too() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        define_cases(&world).await;
        let (one, list) = ("cImDef", "lImDef");
        let (a, ad) = (json!({ "sWoAlw": "a" }), json!({ "sWoAlw": "a", "sRwDef": "d" }));
        let (b, bd) = (json!({ "sWoAlw": "b" }), json!({ "sWoAlw": "b", "sRwDef": "d" }));
        let (n, nd) = (json!({ "sRwNev": "n" }), json!({ "sRwNev": "n", "sRwDef": "d" }));
        let (d, ade) = (json!({ "sRwDef": "d" }), json!([{ "sWoAlw": "a", "sRwDef": "d" }, { "sWoAlw": "e" }]));
        for (held, name, method, path, value, expected) in [
            (&a, one, "replace", "cImDef.sWoAlw", json!("c"), 400),
            (&a, one, "replace", "cImDef.sWoAlw", json!(""), 400),
            (&a, one, "remove", "cImDef.sWoAlw", Value::Null, 400),
            (&a, one, "replace", one, b.clone(), 400),
            (&a, one, "add", one, b.clone(), 400),
            (&a, one, "add", one, d.clone(), 400),
            (&a, one, "PUT", one, b.clone(), 400),
            (&a, one, "PUT", one, d.clone(), 400),
            (&a, one, "PUT", one, n.clone(), 400),
            (&a, one, "PUT", one, Value::Null, 200),
            (&a, one, "PUT", one, a.clone(), 200),
            (&n, one, "PUT", one, json!({ "sRwNev": "m" }), 400),
            (&n, one, "replace", "cImDef.sRwNev", json!("n"), 200),
            (&ad, one, "PUT", one, bd.clone(), 400),
            (&ad, one, "PUT", one, a.clone(), 400),
            (&ad, one, "PUT", one, ad.clone(), 200),
            (&ad, one, "PUT", one, d.clone(), 200),
            (&ad, one, "replace", one, ad.clone(), 200),
            (&ad, one, "add", one, ad.clone(), 200),
            (&nd, one, "replace", one, nd.clone(), 200),
            (&ad, list, "PUT", list, json!([bd]), 400),
            (&ad, list, "PUT", list, json!([ad]), 200),
            (&ad, list, "PUT", list, json!([d]), 200),
            (&ad, list, "replace", list, json!([bd]), 400),
            (&ad, list, "replace", list, json!([ad]), 200),
            (&ad, list, "replace", list, json!([d]), 200),
            (&ad, list, "add", list, json!([ad]), 200),
            (&ad, list, "add", list, json!([bd]), 400),
            (&ad, list, "replace", "lImDef[sRwDef eq \"d\"].sWoAlw", json!("b"), 400),
            (&ade, list, "PUT", list, json!([d]), 200),
            (&ade, list, "PUT", list, json!([{ "sWoAlw": "e" }, ad]), 200),
            (&ade, list, "PUT", list, json!([ad, b]), 400),
            (&ade, list, "PUT", list, json!([ad]), 400),
        ] {
            check_change(&world, (name, held), (method, path, &value), expected).await;
        }
    });
}

/// Makes a case that holds a value, and changes it.
async fn check_change(
    world: &World,
    (name, held): (&str, &Value),
    (method, path, value): (&str, &str, &Value),
    expected: u16,
) {
    let made = world.call("POST", "/Cases", &case(name, held)).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    let address = format!("/Cases/{}", made.id());
    let changed = match method {
        "PUT" => world.call("PUT", &address, &case(path, value)).await,
        op => world.call("PATCH", &address, &patch(op, path, value)).await,
    };
    let told = format!("{held} then {method} {path} {value}: {}", changed.body);
    assert_eq!(changed.status.as_u16(), expected, "{told}");
    if expected == 400 {
        assert_eq!(changed.body["scimType"], "mutability", "{told}");
    }
    // What was sent first is still there, and none of it that is held back is shown.
    let same = world.call("PUT", &address, &case(name, held)).await;
    assert_eq!((same.status.as_u16(), &same.body["meta"]["version"]), (200, &json!("W/\"1\"")), "{told}");
    for answer in [&made, &changed, &same, &world.get(&address).await] {
        let text = answer.body.get(name).map(Value::to_string).unwrap_or_default();
        assert!(!text.contains("sWo") && !text.contains("sRwNev"), "{told}: {text}");
    }
}

#[test]
fn what_is_kept_for_a_rule_and_never_answered_finds_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        define_cases(&world).await;
        for value in [json!({ "sWoAlw": "a" }), json!({ "sWoAlw": "a", "sRwDef": "d" })] {
            world.call("POST", "/Cases", &case("cImDef", &value)).await;
            world.call("POST", "/Cases", &case("lImDef", &json!([value]))).await;
        }
        let secret = case("cUnDef", &json!({ "value": "s", "sRwDef": "d" }));
        assert_eq!(world.call("POST", "/Cases", &secret).await.status.as_u16(), 201);
        assert_eq!(
            world.call("POST", "/Cases", &secret).await.status.as_u16(),
            409,
            "it is unique by what is held back"
        );
        for (query, expected) in [
            ("filter=cImDef pr", json!(1)),
            ("filter=cImDef ne null", json!(1)),
            ("filter=cImDef eq null", json!(4)),
            ("filter=lImDef pr", json!(1)),
            ("filter=lImDef[not (sRwDef pr)]", json!(0)),
            ("filter=lImDef[sRwDef eq \"d\"]", json!(1)),
            ("filter=cImDef.sWoAlw pr", json!("invalidFilter")),
            ("filter=lImDef[sWoAlw eq \"a\"]", json!("invalidFilter")),
            ("filter=cUnDef eq \"s\"", json!("invalidFilter")),
            ("filter=cUnDef.value eq \"s\"", json!("invalidFilter")),
            ("filter=cUnDef.sRwDef eq \"d\"", json!(1)),
            ("sortBy=cUnDef", json!("invalidValue")),
            ("sortBy=cUnDef.value", json!("invalidValue")),
        ] {
            let encoded = query.replace(' ', "%20").replace('"', "%22").replace('[', "%5B").replace(']', "%5D");
            let list = world.get(&format!("/Cases?{encoded}")).await.body;
            let told = if list["totalResults"].is_null() { &list["scimType"] } else { &list["totalResults"] };
            assert_eq!(*told, expected, "{query}: {list}");
        }
    });
}
