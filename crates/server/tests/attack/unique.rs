//! Names that are, or only look like, the same (SU-04 to SU-15).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, encoded, user};
use crate::world::{Answer, GROUP, USER, World};

async fn post(world: &World, name: &str) -> Answer {
    world.call("POST", "/Users", &json!({ "schemas": [USER], "userName": name })).await
}

/// Checks that of each pair the second is the first once more, and is found under it; what is shown is what came first.
async fn check_same(world: &World, pairs: &[(&str, &str)]) {
    for (first, second) in pairs {
        let made = post(world, first).await;
        assert_eq!((made.status.as_u16(), &made.body["userName"]), (201, &json!(first)), "{first}");
        let again = post(world, second).await;
        assert_eq!(
            (again.status.as_u16(), &again.body["scimType"]),
            (409, &json!("uniqueness")),
            "{first} and {second}"
        );
        let found = world.get(&format!("/Users?filter=userName+eq+{}", encoded(&json!(second).to_string()))).await.body;
        assert_eq!(
            (&found["totalResults"], &found["Resources"][0]["userName"]),
            (&json!(1), &json!(first)),
            "{second} finds {first}"
        );
        let put = json!({ "schemas": [USER], "userName": second });
        assert_eq!(
            world.call("PUT", &format!("/Users/{}", made.id()), &put).await.body["userName"],
            *second,
            "its own name may change its form"
        );
    }
}

#[test]
fn su_04_who_comes_second_is_told_why() {
    on_both(|store| async {
        let world = World::new(store, "netskope").await;
        world.user("ann").await;
        world.group("Sales", &[]).await;
        for (path, body) in [
            ("/Users", json!({ "schemas": [USER], "userName": "ANN" })),
            ("/Groups", json!({ "schemas": [GROUP], "displayName": "SALES" })),
        ] {
            let refused = world.call("POST", path, &body).await;
            assert_eq!(refused.status.as_u16(), 409);
            assert_eq!((&refused.body["status"], &refused.body["scimType"]), (&json!("409"), &json!("uniqueness")));
            assert_eq!(refused.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
            assert_eq!((refused.headers.get("location"), refused.body.get("id")), (None, None));
        }
    });
}

#[test]
fn su_05_composed_and_decomposed_letters_are_the_same() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let pairs = [
            ("zoé", "zoe\u{301}"),
            ("A\u{30a}sa", "Åsa"),
            ("Ångström", "A\u{30a}ngstro\u{308}m"),
            ("ệ", "e\u{323}\u{302}"),
            ("ệx", "e\u{302}\u{323}x"),
        ];
        check_same(&world, &pairs).await;
    });
}

#[test]
fn su_06_full_and_half_width_are_the_same() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        check_same(
            &world,
            &[("alice", "Ａlice"), ("ｂｏｂ", "BOB"), ("a＠b．example", "a@b.example"), ("x１", "x1"), ("ガ", "ｶﾞ")],
        )
        .await;
    });
}

#[test]
fn su_07_the_turkish_letters_are_their_own() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (name, expected) in [
            ("alice", 201),
            ("ALICE", 409),
            ("al\u{131}ce", 201),
            ("AL\u{130}CE", 201),
            ("ali\u{307}ce", 409),
            ("AL\u{131}CE", 409),
            ("al\u{130}ce", 409),
        ] {
            assert_eq!(post(&world, name).await.status.as_u16(), expected, "{}", name.escape_unicode());
        }
        assert_eq!(world.get("/Users?filter=userName+eq+%22ALICE%22").await.body["Resources"][0]["userName"], "alice");
        assert_eq!(world.get("/Users?count=0").await.body["totalResults"], 3);
    });
}

#[test]
fn su_08_characters_that_stand_for_others_are_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for name in [
            "ﬁnn",
            "ﬀ",
            "ſam",
            "ᴮᴵᴳᴮᴵᴿᴰ",
            "\u{212a}ate",
            "\u{2126}",
            "①",
            "½",
            "x²",
            "℡",
            "™",
            "㏒",
            "ĳs",
            "Ⅷ",
            "𝐚lice",
            "ⓐ",
            "…",
            "ª",
            "º",
            "ŉ",
            "ǆ",
            "\u{1112}\u{1161}\u{11ab}",
        ] {
            check_refused(name, &post(&world, name).await, "invalidValue");
        }
        assert_eq!(world.get("/Users?count=0").await.body["totalResults"], 0);
    });
}

#[test]
fn su_10_letters_of_another_script_are_other_letters() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let names = ["paypal", "p\u{430}ypal", "раураl", "pαypal", "paypa\u{131}"];
        for name in names {
            let made = post(&world, name).await;
            assert_eq!(made.status.as_u16(), 201, "{}", name.escape_unicode());
            let found = world.get(&format!("/Users?filter=userName+eq+%22{}%22", encoded(name))).await.body;
            assert_eq!(
                (&found["totalResults"], &found["Resources"][0]["id"]),
                (&json!(1), &json!(made.id())),
                "never one for another"
            );
        }
    });
}

#[test]
fn su_11_what_is_not_seen_is_no_part_of_a_name() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for c in [
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{202e}',
            '\u{ad}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{34f}',
            '\u{115f}',
            '\u{3164}',
            '\u{2063}',
            '\u{180e}',
            '\u{61c}',
            '\u{a0}',
            '\u{3000}',
            '\u{2003}',
            '\u{e000}',
            '\u{ffff}',
        ] {
            for name in [format!("{c}ann"), format!("an{c}n"), format!("ann{c}")] {
                check_refused(&name.escape_unicode().to_string(), &post(&world, &name).await, "invalidValue");
            }
        }
        // One blank between two parts is seen; no other is (RFC 8265 §3.1).
        for name in [" ann", "ann ", "an  n", " ", "an \u{a0}n"] {
            check_refused(&name.escape_unicode().to_string(), &post(&world, name).await, "invalidValue");
        }
        assert_eq!(post(&world, "an n").await.status.as_u16(), 201);
        assert_eq!(post(&world, "AN N").await.status.as_u16(), 409);
        let joined = post(&world, "\u{915}\u{94d}\u{200d}\u{937}").await;
        assert!([201, 400].contains(&joined.status.as_u16()), "a joiner where its script needs it");
    });
}

#[test]
fn su_13_who_comes_after_has_nothing_of_who_went() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = user("ann", "externalId", &json!("x"));
        let mut gone = Vec::new();
        let (groups, tokens) = ([world.group("G", &[]).await, world.group("H", &[]).await], world.token.clone());
        for _ in 0..3 {
            let made = world.call("POST", "/Users", &body).await;
            assert_eq!((made.status.as_u16(), made.body.get("groups")), (201, None), "in no group");
            assert_eq!(made.body["meta"]["version"], "W/\"1\"");
            let id = made.id();
            assert!(!gone.contains(&id), "an id is never used again");
            for group in &groups {
                assert_eq!(world.members(group).await, Vec::<String>::new(), "nobody is left behind");
                let add =
                    crate::send::operations(&json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]));
                world.call("PATCH", &format!("/Groups/{group}"), &add).await;
            }
            assert_eq!(world.call("DELETE", &format!("/Users/{id}"), &Value::Null).await.status.as_u16(), 204);
            gone.push(id);
            for id in &gone {
                for (method, body) in [("GET", Value::Null), ("PUT", body.clone()), ("DELETE", Value::Null)] {
                    assert_eq!(
                        world.call(method, &format!("/Users/{id}"), &body).await.status.as_u16(),
                        404,
                        "{method} of who is gone"
                    );
                }
            }
        }
        assert_eq!(world.token, tokens);
        let chosen = json!({ "schemas": [USER], "userName": "ann", "id": gone[0] });
        assert_ne!(world.call("POST", "/Users", &chosen).await.id(), gone[0], "nor by asking for it");
    });
}

#[test]
fn su_14_an_external_id_may_repeat() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut ids = Vec::new();
        for name in ["ann", "bob", "cid"] {
            ids.push(json!(world.call("POST", "/Users", &user(name, "externalId", &json!("same"))).await.id()));
        }
        let found = world.get("/Users?filter=externalId+eq+%22same%22").await.body;
        assert_eq!(found["totalResults"], 3, "all are told, so that nobody picks one");
        let told: Vec<Value> = found["Resources"].as_array().unwrap().iter().map(|user| user["id"].clone()).collect();
        assert_eq!(told, ids);
    });
}

#[test]
fn su_15_a_filter_spells_a_name_as_uniqueness_does() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("Zoé.Müller@x.example").await;
        for name in [
            "zoé.müller@x.example",
            "ZOÉ.MÜLLER@X.EXAMPLE",
            "zoe\u{301}.mu\u{308}ller@x.example",
            "ｚｏé.müller＠x.example",
            "ZOE\u{301}.MU\u{308}LLER@X.EXAMPLE",
        ] {
            for filter in [
                format!("userName eq {}", json!(name)),
                format!("{USER}:USERNAME eq {}", json!(name)),
                format!("userName eq {} and userName pr", json!(name)),
                format!("title pr or userName eq {}", json!(name)),
            ] {
                let found = world.get(&format!("/Users?filter={}", encoded(&filter))).await.body;
                assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(id)), "{filter}");
            }
        }
        for name in ["zoe.muller@x.example", "zoé.mueller@x.example", "zoé.müller@x.exampl", ""] {
            let found =
                world.get(&format!("/Users?filter=userName+eq+{}", encoded(&json!(name).to_string()))).await.body;
            assert_eq!(found["totalResults"], 0, "{name}");
        }
    });
}
