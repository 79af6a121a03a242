//! Pages by cursor (RFC 9865).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, GROUP, World};

fn names(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let resources = answer.body["Resources"].as_array().unwrap();
    assert_eq!(answer.body["itemsPerPage"], resources.len());
    assert_eq!(answer.body.get("startIndex"), None);
    resources.iter().map(|user| user["userName"].as_str().unwrap()).collect()
}

fn cursor<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.body.get(name).map(|cursor| cursor.as_str().unwrap())
}

async fn ten(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(world.user(&format!("u{number}")).await);
    }
    ids
}

#[test]
fn there_and_back_again() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        ten(&world).await;
        for query in [
            "count=4",
            "count=4&filter=userName+sw+%22u%22",
            "count=4&filter=userName+co+%22u%22",
            "count=4&sortBy=userName",
            "count=4&sortBy=displayName",
            "count=4&sortBy=displayName&filter=userName+co+%22U%22",
        ] {
            let first = world.get(&format!("/Users?{query}&cursor")).await;
            assert_eq!(names(&first), ["u0", "u1", "u2", "u3"], "{query}");
            assert_eq!((&first.body["totalResults"], cursor(&first, "previousCursor")), (&json!(10), None), "{query}");
            let next = cursor(&first, "nextCursor").unwrap().to_owned();
            assert!(next.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)), "{next}");
            let second = world.get(&format!("/Users?{query}&cursor={next}")).await;
            assert_eq!(names(&second), ["u4", "u5", "u6", "u7"], "{query}");
            let third = world.get(&format!("/Users?{query}&cursor={}", cursor(&second, "nextCursor").unwrap())).await;
            assert_eq!(names(&third), ["u8", "u9"], "{query}");
            assert_eq!((&third.body["totalResults"], cursor(&third, "nextCursor")), (&json!(10), None), "{query}");
            let back = world.get(&format!("/Users?{query}&cursor={}", cursor(&third, "previousCursor").unwrap())).await;
            assert_eq!(names(&back), ["u4", "u5", "u6", "u7"], "{query}");
            let start = world.get(&format!("/Users?{query}&cursor={}", cursor(&back, "previousCursor").unwrap())).await;
            assert_eq!(names(&start), ["u0", "u1", "u2", "u3"], "{query}");
            assert_eq!(cursor(&start, "previousCursor"), None, "{query}");
            // The same cursor asks for the same page.
            let again = world.get(&format!("/Users?{query}&cursor={next}")).await;
            assert_eq!(names(&again), names(&second), "{query}");
        }
    });
}

#[test]
fn pages_go_on_where_the_last_one_ended_whatever_happens_meanwhile() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = ten(&world).await;
        let delete = |number: usize| {
            let (world, path) = (world.clone(), format!("/Users/{}", ids[number]));
            async move { assert_eq!(world.call("DELETE", &path, &Value::Null).await.status.as_u16(), 204) }
        };
        let first = world.get("/Users?count=3&cursor=").await;
        for number in [0, 1, 2, 4] {
            delete(number).await;
        }
        world.user("u10").await;
        let second = world.get(&format!("/Users?count=3&cursor={}", cursor(&first, "nextCursor").unwrap())).await;
        assert_eq!((names(&second), &second.body["totalResults"]), (vec!["u3", "u5", "u6"], &json!(7)));
        let third = world.get(&format!("/Users?cursor={}", cursor(&second, "nextCursor").unwrap())).await;
        assert_eq!(names(&third), ["u7", "u8", "u9"]);
        // Nobody is left in front of the second page, so there is nothing but the way back.
        let front = world.get(&format!("/Users?count=3&cursor={}", cursor(&second, "previousCursor").unwrap())).await;
        assert_eq!(names(&front), Vec::<&str>::new());
        let start = world.get(&format!("/Users?count=3&cursor={}", cursor(&front, "nextCursor").unwrap())).await;
        assert_eq!(names(&start), ["u3", "u5", "u6"]);
        for number in [7, 8, 9] {
            delete(number).await;
        }
        let last = world.get(&format!("/Users?count=3&cursor={}", cursor(&second, "nextCursor").unwrap())).await;
        assert_eq!((names(&last), cursor(&last, "nextCursor")), (vec!["u10"], None));
    });
}

#[test]
fn counts_with_a_cursor() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        ten(&world).await;
        for (query, shown, has_next) in [
            ("count=0", 0, false),
            ("count=-1", 0, false),
            ("count=10", 10, false),
            ("count=9", 9, true),
            ("count=5000", 10, false),
            ("", 10, false),
        ] {
            for filter in ["", "&filter=active+eq+true+or+userName+pr"] {
                let answer = world.get(&format!("/Users?cursor=&{query}{filter}")).await;
                assert_eq!(
                    (names(&answer).len(), cursor(&answer, "nextCursor").is_some()),
                    (shown, has_next),
                    "{query}{filter}"
                );
                assert_eq!(answer.body["totalResults"], 10, "{query}{filter}");
            }
        }
        for query in ["count=abc", "count=", "count=1e-1", "count=1.5"] {
            let answer = world.get(&format!("/Users?cursor&{query}")).await;
            assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!("invalidCount")), "{query}");
        }
        let both = world.get("/Users?cursor=&startIndex=1").await;
        assert_eq!((both.status.as_u16(), &both.body["scimType"]), (400, &json!("invalidValue")));
    });
}

/// RFC 9865 §2.1.
#[test]
fn the_count_of_the_first_page_holds_for_all_of_them() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        ten(&world).await;
        for (first, same, others) in [
            (
                "&count=4",
                ["", "&count=4", "&count=04"],
                ["&count=3", "&count=0", "&count=-1", "&count=5000", "&count=x"],
            ),
            (
                "&count=3&filter=userName+pr",
                ["", "&count=3", "&count=3e0"],
                ["&count=4", "&count=2", "&count=", "&count=100", "&count=1"],
            ),
        ] {
            let (_, rest) = first.split_at(8);
            let page = world.get(&format!("/Users?cursor{first}")).await;
            let next = cursor(&page, "nextCursor").unwrap();
            let size = names(&page).len();
            for count in same {
                let page = world.get(&format!("/Users?cursor={next}{count}{rest}")).await;
                assert_eq!(names(&page).len(), size, "{count}");
                let back = cursor(&page, "previousCursor").unwrap();
                assert_eq!(names(&world.get(&format!("/Users?cursor={back}{rest}")).await).len(), size, "{count}");
            }
            for count in others {
                let refused = world.get(&format!("/Users?cursor={next}{count}{rest}")).await;
                let told = (refused.status.as_u16(), &refused.body["scimType"]);
                assert_eq!(told, (400, &json!("invalidCount")), "{count}");
            }
        }
    });
}

#[test]
fn a_search_by_post_has_the_same_cursors() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        ten(&world).await;
        let message = |cursor: &str| {
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "attributes": ["userName"], "filter": "userName sw \"u\"", "cursor": cursor, "count": 6 })
        };
        let first = world.call("POST", "/Users/.search", &message("")).await;
        let next = cursor(&first, "nextCursor").unwrap();
        let second = world.call("POST", "/Users/.search", &message(next)).await;
        assert_eq!(names(&second), ["u6", "u7", "u8", "u9"]);
        let by_get = world.get(&format!("/Users?filter=userName+sw+%22u%22&cursor={next}")).await;
        assert_eq!(names(&by_get), names(&second));
    });
}

/// SG-06.
#[test]
fn a_cursor_that_is_not_this_querys_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        ten(&world).await;
        let other = world.tenant("other", "generic").await;
        ten(&other).await;
        let first = world.get("/Users?count=3&cursor").await;
        let next = cursor(&first, "nextCursor").unwrap().to_owned();
        let altered: String = next.chars().rev().collect();
        let refused = |scim_type: &'static str, answer: Answer| {
            assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!(scim_type)), "{}", answer.body);
        };
        for path in [
            format!("/Users?cursor={altered}"),
            format!("/Users?cursor={}", &next[1..]),
            format!("/Users?cursor={next}A"),
            format!("/Users?cursor={}", "A".repeat(20_000)),
            "/Users?cursor=x".to_owned(),
            "/Users?cursor=%00%ff".replace("%00%ff", "%C3%A9"),
            "/Users?cursor=1".to_owned(),
            format!("/Groups?cursor={next}"),
            format!("?cursor={next}"),
            format!("/Users?sortBy=userName&cursor={next}"),
            format!("/Users?filter=userName+pr&cursor={next}"),
        ] {
            refused("invalidCursor", world.get(&path).await);
        }
        refused("invalidCursor", other.get(&format!("/Users?cursor={next}")).await);
        assert_eq!(names(&world.get(&format!("/Users?cursor={next}&attributes=userName")).await).len(), 3);
        world.advance_days(1);
        refused("expiredCursor", world.get(&format!("/Users?cursor={next}")).await);
        refused("invalidCursor", other.get(&format!("/Users?cursor={next}")).await);
    });
}

#[test]
fn a_cursor_ends_with_its_tenant_and_means_nothing_to_the_next_of_that_name() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let former = world.tenant("fabrikam", "generic").await;
        ten(&former).await;
        let path = format!(
            "/Users?count=3&cursor={}",
            cursor(&former.get("/Users?count=3&cursor").await, "nextCursor").unwrap()
        );
        assert_eq!(former.get(&path).await.status.as_u16(), 200);
        world.write(|tx| provider::delete_tenant(tx, "fabrikam")).await;
        let next = world.tenant("fabrikam", "generic").await;
        ten(&next).await;
        let refused = next.get(&path).await;
        assert_eq!((refused.status.as_u16(), &refused.body["scimType"]), (400, &json!("invalidCursor")));
    });
}

#[test]
fn the_longest_name_has_a_cursor_that_is_taken() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for number in 0..3 {
            // Of all characters, this one grows most when it is compared.
            let name = format!("{}{number}", "\u{1d160}".repeat(251));
            let made = world.call("POST", "/Groups", &json!({ "schemas": [GROUP], "displayName": name })).await;
            assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        }
        let mut query = "/Groups?count=1&sortBy=displayName&cursor=".to_owned();
        for _ in 0..3 {
            let page = world.get(&query).await;
            assert_eq!((page.status.as_u16(), &page.body["itemsPerPage"]), (200, &json!(1)), "{}", page.body);
            let Some(next) = cursor(&page, "nextCursor") else { return };
            query = format!("/Groups?count=1&sortBy=displayName&cursor={next}");
        }
        panic!("the third page is the last one");
    });
}
