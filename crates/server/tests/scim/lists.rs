//! Lists: filters in the forms that clients send them, pages, projections.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{ENTERPRISE, GROUP, USER, World};

async fn people(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for (name, family, active) in [
        ("Ada@example.com", "Employee", true),
        ("bob@example.org", "Employee", false),
        ("Oscar@example.net", "Guest", true),
    ] {
        let body = json!({
            "schemas": [USER], "userName": name, "externalId": format!("x-{family}-{active}"), "active": active,
            "name": { "familyName": family },
            "emails": [{ "type": "work", "value": name }, { "type": "home", "value": format!("home-{name}") }],
            ENTERPRISE: { "employeeNumber": "17", "manager": { "value": "u9" } },
        });
        ids.push(world.call("POST", "/Users", &body).await.id());
    }
    ids
}

/// Which of the people a filter finds; the filter is sent percent-encoded.
async fn found(world: &World, kind: &str, filter: &str, ids: &[String]) -> Vec<usize> {
    let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
    let answer = world.get(&format!("/{kind}?filter={encoded}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{filter}: {}", answer.body);
    let resources = answer.body["Resources"].as_array().unwrap();
    assert_eq!(answer.body["totalResults"], resources.len(), "{filter}");
    resources.iter().map(|found| ids.iter().position(|id| found["id"] == id.as_str()).unwrap()).collect()
}

#[test]
fn filters_of_users() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = people(&world).await;
        let by_id = format!("id eq \"{}\" and manager eq \"u9\"", ids[1]);
        let by_id_wrong = format!("manager eq \"u8\" and id eq \"{}\"", ids[1]);
        for (filter, expected) in [
            ("userName eq \"ada@EXAMPLE.com\"", vec![0]),
            ("userName eq \"ａda@example.com\"", vec![0]),
            ("USERNAME Eq \"ada@example.com\"", vec![0]),
            ("userName eq \"nobody\"", vec![]),
            ("userName eq \"not a name\"", vec![]),
            ("externalId eq \"x-Guest-true\"", vec![2]),
            ("externalId eq x-Guest-true", vec![2]),
            ("externalId eq \"X-GUEST-TRUE\"", vec![]),
            ("externalId eq 701984", vec![]),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber sw 017", vec![]),
            ("employeeNumber eq \"17.0\"", vec![]),
            ("employeeNumber eq \"17\" or userName eq \"5\"", vec![0, 1, 2]),
            ("emails[type eq \"work\"].value eq \"BOB@example.org\"", vec![1]),
            ("emails[type eq \"home\"].value eq \"bob@example.org\"", vec![]),
            ("emails[type eq \"work\" and value eq \"bob@example.org\"]", vec![1]),
            ("emails.value eq \"home-bob@example.org\"", vec![1]),
            ("emails eq \"home-bob@example.org\"", vec![1]),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq \"17\"", vec![0, 1, 2]),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq \"17\" and active eq false",
                vec![1],
            ),
            (
                "name.FamilyName eq Employee and (emails.Value co example.com or emails.Value co example.org)",
                vec![0, 1],
            ),
            ("userName sw O", vec![2]),
            ("active eq \"True\"", vec![0, 2]),
            ("not (active eq true)", vec![1]),
            ("title pr", vec![]),
            ("meta.Created gt 2015-10-10T14:38:21.8617979-07:00", vec![0, 1, 2]),
            ("meta.lastModified le \"2015-10-10T14:38:21Z\"", vec![]),
            (
                "active eq true and (meta.lastModified ge \"0001-01-03T00:00:00.0000000Z\" and meta.lastModified le \"2100-01-01T00:00:00Z\")",
                vec![0, 2],
            ),
            ("id eq \"not-an-id\"", vec![]),
            (by_id.as_str(), vec![1]),
            (by_id_wrong.as_str(), vec![]),
        ] {
            assert_eq!(found(&world, "Users", filter, &ids).await, expected, "{filter}");
        }
    });
}

#[test]
fn filters_that_are_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for filter in [
            "nope eq \"x\"",
            "password eq \"x\"",
            "active gt true",
            "meta.created eq \"notadate\"",
            "userName",
            "userName eq",
            "(userName eq \"x\"",
            "groups.display gt 5",
            "groups.nope pr",
            "groups[nope pr]",
            "",
        ] {
            let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
            let answer = world.get(&format!("/Users?filter={encoded}")).await;
            assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!("invalidFilter")), "{filter}");
        }
    });
}

#[test]
fn filters_of_groups() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let ids = [
            world.group("Sales", &[&ann, &bob]).await,
            world.group("sales", &[&bob]).await,
            world.group("Empty", &[]).await,
        ];
        for (filter, expected) in [
            ("displayName eq \"SALES\"".to_owned(), vec![0, 1]),
            (format!("members eq \"{bob}\""), vec![0, 1]),
            (format!("members.value eq \"{ann}\""), vec![0]),
            (format!("members[value eq \"{ann}\"]"), vec![0]),
            (format!("id eq \"{}\" and members eq \"{ann}\"", ids[0]), vec![0]),
            (format!("id eq \"{}\" and members eq \"{ann}\"", ids[1]), vec![]),
            (format!("members eq \"{bob}\" and not (members eq \"{ann}\")"), vec![1]),
            (format!("members eq \"{ann}\" or displayName sw \"Em\""), vec![0, 2]),
            ("members eq \"x\"".to_owned(), vec![]),
            ("members pr".to_owned(), vec![0, 1]),
            ("members.value pr and displayName sw \"s\"".to_owned(), vec![0, 1]),
            ("not (members pr)".to_owned(), vec![2]),
            (format!("members pr and not (members eq \"{ann}\")"), vec![1]),
            (format!("members.value pr and not (members eq \"{ann}\")"), vec![1]),
            (format!("members eq \"{ann}\" or not (members pr)"), vec![0, 2]),
        ] {
            assert_eq!(found(&world, "Groups", &filter, &ids).await, expected, "{filter}");
        }
        let answer = world.get("/Groups?excludedAttributes=members&filter=displayName+eq+%22Empty%22").await;
        assert_eq!((&answer.body["totalResults"], answer.body["Resources"][0].get("members")), (&json!(1), None));
        let answer = world.get("/Groups?filter=displayName+eq+%22sales%22").await;
        assert_eq!(answer.body["Resources"][0]["members"].as_array().unwrap().len(), 2);
        let removed = json!({ "schemas": [GROUP], "displayName": "Renamed" });
        world.call("PUT", &format!("/Groups/{}", ids[2]), &removed).await;
        assert_eq!(found(&world, "Groups", "displayName eq \"Empty\"", &ids).await, Vec::<usize>::new());
    });
}

/// SG-01, SG-02, SG-03.
#[test]
fn filters_of_users_by_their_groups() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = [world.user("ann").await, world.user("bob").await, world.user("carl").await];
        let sales = world.group("Sales", &[&ids[0], &ids[1]]).await;
        let empty = world.group("Empty", &[]).await;
        let gone = world.group("Gone", &[&ids[2]]).await;
        world.group("Outer", &[&sales]).await;
        world.call("DELETE", &format!("/Groups/{gone}"), &serde_json::Value::Null).await;
        for (filter, expected) in [
            (format!("groups.value eq \"{sales}\""), vec![0, 1]),
            (format!("groups eq \"{sales}\" and userName sw \"b\""), vec![1]),
            (format!("groups[value eq \"{sales}\"]"), vec![0, 1]),
            (format!("not (groups.value eq \"{sales}\")"), vec![2]),
            (format!("groups.value eq \"{sales}\" or userName eq \"carl\""), vec![0, 1, 2]),
            (format!("id eq \"{}\" and groups eq \"{sales}\"", ids[2]), vec![]),
            (format!("groups.value eq \"{empty}\" or groups.value eq \"{gone}\""), vec![]),
            ("groups.value eq \"x\"".to_owned(), vec![]),
            ("groups pr".to_owned(), vec![0, 1]),
            ("not (groups.value pr)".to_owned(), vec![2]),
        ] {
            assert_eq!(found(&world, "Users", &filter, &ids).await, expected, "{filter}");
        }
        world.tenant("other", "generic").await;
        let other = World { tenant: "other".to_owned(), token: world.new_token("other", "t", 365).await, ..world };
        assert_eq!(found(&other, "Users", &format!("groups.value eq \"{sales}\""), &[]).await, Vec::<usize>::new());
    });
}

#[test]
fn pages() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut ids = Vec::new();
        for number in 0..11 {
            ids.push(world.user(&format!("user{number}")).await);
        }
        for filter in ["", "&filter=userName+sw+%22user%22"] {
            for (query, start, expected) in [
                ("", 1, 0..11),
                ("startIndex=1&count=5", 1, 0..5),
                ("startIndex=6&count=5", 6, 5..10),
                ("startIndex=11&count=5", 11, 10..11),
                ("startIndex=12&count=5", 12, 11..11),
                ("startIndex=999999999999&count=5", 999_999_999_999_u64, 11..11),
                ("startIndex=0&count=2", 1, 0..2),
                ("startIndex=-7&count=2", 1, 0..2),
                ("count=0", 1, 0..0),
                ("count=-1", 1, 0..0),
                ("count=5000", 1, 0..11),
                ("count=99999999999999999999", 1, 0..11),
                ("count=-99999999999999999999", 1, 0..0),
                ("startIndex=9223372036854775808&count=5", 9_223_372_036_854_775_807, 11..11),
            ] {
                let answer = world.get(&format!("/Users?{query}{filter}")).await;
                let shown: Vec<&str> = answer.body["Resources"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|user| user["id"].as_str().unwrap())
                    .collect();
                assert_eq!(shown, ids[expected.clone()], "{query}{filter}");
                assert_eq!(answer.body["totalResults"], 11, "{query}");
                assert_eq!(
                    (&answer.body["startIndex"], &answer.body["itemsPerPage"]),
                    (&json!(start), &json!(expected.len())),
                    "{query}"
                );
            }
        }
        for query in ["count=x", "startIndex=1.5", "count=1&count=2", "count=1e-1", "count="] {
            let answer = world.get(&format!("/Users?{query}")).await;
            assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!("invalidValue")), "{query}");
        }
    });
}

/// More than fit on a page, although fewer than a client may ask for.
const LARGE: usize = 140;

/// Users as large as one may be, all of the same title.
async fn large_people(world: &World) -> Vec<String> {
    let text = "x".repeat(61_000);
    let mut ids = Vec::new();
    for number in 0..LARGE {
        let body = json!({
            "schemas": [USER], "userName": format!("large{number}"), "externalId": "same", "title": text,
            "nickName": text, "displayName": text, "profileUrl": format!("https://a.example/{text}"),
        });
        ids.push(world.call("POST", "/Users", &body).await.id());
    }
    ids
}

#[test]
fn a_page_of_large_resources_is_shorter_and_the_next_one_goes_on() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = large_people(&world).await;
        // All there are, those that an index leads to, and those that are found by looking at all.
        for filter in ["", "&filter=externalId+eq+%22same%22", "&filter=nickName+sw+%22x%22"] {
            let mut walked = Vec::new();
            while walked.len() < ids.len() {
                let start = walked.len() + 1;
                let answer = world.get(&format!("/Users?startIndex={start}&count=1000{filter}")).await;
                let resources = answer.body["Resources"].as_array().unwrap();
                let told = ["totalResults", "startIndex", "itemsPerPage"].map(|name| answer.body[name].as_u64());
                assert_eq!(told, [LARGE, start, resources.len()].map(|number| Some(number as u64)), "{filter}");
                assert!((1..LARGE).contains(&resources.len()), "{filter}: {}", resources.len());
                walked.extend(resources.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
            }
            assert_eq!(walked, ids, "{filter}");
            // What is answered is small, whatever had to be read for it.
            let short = world.get(&format!("/Users?attributes=userName&count=1000{filter}")).await;
            assert_eq!(short.body["itemsPerPage"], LARGE, "{filter}");
        }
    });
}

#[test]
fn projections() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = people(&world).await;
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for (query, expected) in [
            ("attributes=userName", vec!["id", "schemas", "userName"]),
            ("attributes=USERNAME,emails.value", vec!["emails", "id", "schemas", "userName"]),
            ("attributes=id", vec!["id", "schemas"]),
            ("attributes=emails[type+eq+%22work%22]", vec!["emails", "id", "schemas"]),
            ("excludedAttributes=emails,name,meta,active,externalId", vec!["id", "schemas", ENTERPRISE, "userName"]),
        ] {
            let one = world.get(&format!("/Users/{}?{query}", ids[0])).await;
            assert_eq!(keys(&one.body), expected, "{query}");
            let list = world.get(&format!("/Users?{query}")).await;
            assert_eq!(list.body["Resources"][0], one.body, "{query}");
        }
        let both = world.get("/Users?attributes=userName&excludedAttributes=emails").await;
        assert_eq!(both.status.as_u16(), 400);
        let patched = json!({ "schemas": [crate::world::PATCH], "Operations": [{ "op": "replace", "path": "title", "value": "T" }] });
        let answer = world.call("PATCH", &format!("/Users/{}?attributes=title", ids[0]), &patched).await;
        assert_eq!(keys(&answer.body), ["id", "schemas", "title"]);
    });
}

#[test]
fn searches_by_post_answer_as_lists_do() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = people(&world).await;
        world.group("Staff", &[ids[0].as_str()]).await;
        let schemas = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
        let message = json!({
            "schemas": schemas, "filter": "name.familyName eq \"Employee\"", "attributes": ["userName"],
            "startIndex": 2, "count": 1,
        });
        let found = world.call("POST", "/Users/.search", &message).await;
        let listed =
            world.get("/Users?filter=name.familyName+eq+%22Employee%22&attributes=userName&startIndex=2&count=1").await;
        assert_eq!((found.status.as_u16(), &found.body), (200, &listed.body));
        assert_eq!(found.body["Resources"][0]["userName"], "bob@example.org");
        let groups = world.call("POST", "/Groups/.search/", &json!({ "schemas": schemas })).await;
        assert_eq!(groups.body, world.get("/Groups").await.body);
        for (method, path, body, expected) in [
            ("POST", "/Users/.search", json!({ "filter": "active pr" }), 400),
            ("POST", "/Users/.search", json!({ "schemas": schemas, "filter": "active" }), 400),
            ("GET", "/Users/.search", Value::Null, 405),
        ] {
            assert_eq!(world.call(method, path, &body).await.status.as_u16(), expected, "{method} {path} {body}");
        }
    });
}
