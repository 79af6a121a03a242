//! What one tenant learns of another, and can do to it: nothing (TI-01, TI-02, TI-04, TI-09).

use axum::body::Body;
use http::HeaderMap;
use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, encoded, operations, user};
use crate::world::{Answer, ENTERPRISE, GROUP, USER, World};

/// An id that nobody has.
const NOBODY: &str = "0198c2a4-7d1e-7aaa-8bbb-0123456789ab";
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

/// Two tenants, the second with a user who manages another and a group of both; gives the second's ids.
async fn neighbours(store: store::Store) -> (World, World, Vec<String>) {
    let ours = World::new(store, "generic").await;
    let theirs = ours.tenant("fabrikam", "generic").await;
    let eve = theirs.call("POST", "/Users", &user("eve", "externalId", &json!("secret-key"))).await.id();
    let managed = json!({ "manager": { "value": eve } });
    let mallory = theirs.call("POST", "/Users", &user("mallory", ENTERPRISE, &managed)).await.id();
    let group = theirs.group("Secret project", &[&eve, &mallory]).await;
    (ours, theirs, vec![eve, mallory, group])
}

/// Every address of a kind that the endpoint announces, with an id in it or without.
async fn addresses(world: &World) -> Vec<String> {
    let types = world.get("/ResourceTypes").await.body;
    let mut addresses = Vec::new();
    for found in types["Resources"].as_array().unwrap() {
        let endpoint = found["endpoint"].as_str().unwrap();
        addresses.extend(["/{id}", "/{id}/", "/{id}/x", "/.search/{id}"].map(|end| format!("{endpoint}{end}")));
    }
    addresses.extend(["/Schemas/{id}", "/ResourceTypes/{id}", "/Me/{id}", "/Bulk/{id}", "/{id}"].map(str::to_owned));
    addresses
}

/// Bodies that fit one of the methods and name the id.
fn bodies(id: &str) -> [Value; 4] {
    [
        Value::Null,
        json!({ "schemas": [USER], "userName": "taken", "id": id }),
        json!({ "schemas": [GROUP], "displayName": "taken", "id": id }),
        operations(&json!([{ "op": "replace", "path": "externalId", "value": "taken" }])),
    ]
}

fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let told = headers.iter().filter(|(name, _)| *name != "x-request-id");
    told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

/// What an answer says, once the id is taken out of it.
fn said(answer: &Answer, id: &str) -> (u16, String, Vec<(String, String)>) {
    (answer.status.as_u16(), answer.body.to_string().replace(id, "ID"), told(&answer.headers))
}

#[test]
fn ti_01_an_id_of_another_tenant_is_an_id_of_nobody() {
    on_both(|store| async {
        let (ours, theirs, ids) = neighbours(store).await;
        let before = (theirs.get("/Users").await.body, theirs.get("/Groups").await.body, theirs.changes().await);
        for address in addresses(&ours).await {
            for method in METHODS {
                for number in 0..bodies("").len() {
                    let unknown = ours.call(method, &address.replace("{id}", NOBODY), &bodies(NOBODY)[number]).await;
                    for id in &ids {
                        let foreign = ours.call(method, &address.replace("{id}", id), &bodies(id)[number]).await;
                        assert_eq!(said(&foreign, id), said(&unknown, NOBODY), "{method} {address}");
                        // What an address offers to everybody may be told of every id.
                        let is_refused = foreign.status.is_client_error() || foreign.status.as_u16() == 501;
                        assert!(is_refused || method == "OPTIONS", "{method} {address}: {}", foreign.status);
                    }
                }
            }
        }
        for id in &ids {
            for (kind, method) in [("Users", "GET"), ("Groups", "DELETE"), ("Users", "DELETE"), ("Groups", "GET")] {
                assert_eq!(
                    ours.call(method, &format!("/{kind}/{id}"), &Value::Null).await.status.as_u16(),
                    404,
                    "{method} {kind}"
                );
            }
        }
        assert_eq!((theirs.get("/Users").await.body, theirs.get("/Groups").await.body, theirs.changes().await), before);
        assert_eq!(ours.changes().await, []);
    });
}

#[test]
fn ti_01_a_token_opens_its_own_tenant_and_no_other_address() {
    on_both(|store| async {
        let (ours, theirs, ids) = neighbours(store).await;
        let before = (theirs.get("/Users").await.body, theirs.get("/Groups").await.body);
        let burglar = World { token: ours.token.clone(), ..theirs.clone() };
        let mut paths = vec![
            String::new(),
            "/".to_owned(),
            "/nothing".to_owned(),
            "/Users".to_owned(),
            "/Groups/".to_owned(),
            "/Users/.search".to_owned(),
            "/Bulk".to_owned(),
            "/ServiceProviderConfig".to_owned(),
        ];
        for id in &ids {
            paths.extend(addresses(&theirs).await.iter().map(|address| address.replace("{id}", id)));
        }
        for path in paths {
            for method in METHODS {
                let answer = burglar.call(method, &path, &bodies(&ids[0])[1]).await;
                assert_eq!(answer.status.as_u16(), 401, "{method} {path}");
                assert!(ids.iter().all(|id| !answer.body.to_string().contains(id.as_str())), "{method} {path}");
            }
        }
        for name in ["nobody", "FABRIKAM", "fabrikam%00", "%66abrikam", "contoso%2f..%2ffabrikam"] {
            let stranger = World { tenant: name.to_owned(), ..ours.clone() };
            assert_eq!(stranger.get("/Users").await.status.as_u16(), 401, "{name}: as if it were there");
        }
        assert_eq!((theirs.get("/Users").await.body, theirs.get("/Groups").await.body), before);
    });
}

#[test]
fn ti_01_no_query_and_no_count_tells_of_another_tenant() {
    on_both(|store| async {
        let (ours, _, ids) = neighbours(store).await;
        let (eve, group) = (&ids[0], &ids[2]);
        ours.user("ann").await;
        for filter in [
            format!("id eq \"{eve}\""),
            "userName eq \"eve\"".to_owned(),
            "externalId eq \"secret-key\"".to_owned(),
            format!("manager eq \"{eve}\""),
            format!("id eq \"{eve}\" and manager pr"),
            "userName co \"e\"".to_owned(),
            format!("id ne \"{NOBODY}\" and not (userName eq \"ann\")"),
        ] {
            let found = ours.get(&format!("/Users?filter={}", encoded(&filter))).await.body;
            assert_eq!((&found["totalResults"], &found["Resources"]), (&json!(0), &json!([])), "{filter}");
            let search =
                json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter });
            assert_eq!(ours.call("POST", "/Users/.search", &search).await.body["totalResults"], 0, "{filter}");
        }
        for filter in [
            format!("id eq \"{group}\""),
            "displayName eq \"Secret project\"".to_owned(),
            format!("members eq \"{eve}\""),
            format!("members.value eq \"{eve}\" or displayName pr"),
        ] {
            let found = ours.get(&format!("/Groups?filter={}", encoded(&filter))).await.body;
            assert_eq!((&found["totalResults"], &found["Resources"]), (&json!(0), &json!([])), "{filter}");
        }
        for (path, expected) in [("/Users", 1), ("/Groups", 0), ("/Users?count=0", 1), ("/Groups?startIndex=2", 0)] {
            assert_eq!(ours.get(path).await.body["totalResults"], expected, "{path}");
        }
    });
}

#[test]
fn ti_02_an_id_of_another_tenant_in_a_body_is_an_id_of_nobody() {
    on_both(|store| async {
        let (ours, theirs, ids) = neighbours(store).await;
        let ann = ours.user("ann").await;
        let path = format!("/Groups/{}", ours.group("G", &[&ann]).await);
        let add = |value: Value| operations(&json!([{ "op": "add", "path": "members", "value": value }]));
        for id in &ids {
            let reference = format!("https://scim.example/t/fabrikam/scim/v2/Users/{id}");
            for (method, path, body) in [
                ("POST", "/Groups", json!({ "schemas": [GROUP], "displayName": "H", "members": [{ "value": "ID" }] })),
                (
                    "PUT",
                    &path,
                    json!({ "schemas": [GROUP], "displayName": "G", "members": [{ "value": ann }, { "value": "ID" }] }),
                ),
                ("PATCH", &path, add(json!([{ "value": "ID" }]))),
                ("PATCH", &path, add(json!(["ID"]))),
                ("PATCH", &path, add(json!([{ "value": "ID", "$ref": reference, "type": "User" }]))),
                (
                    "PATCH",
                    &path,
                    operations(&json!([{ "op": "replace", "value": { "members": [{ "value": "ID" }] } }])),
                ),
                (
                    "PATCH",
                    &path,
                    operations(&json!([{ "op": "replace", "path": "members[value eq \"ID\"].value", "value": "ID" }])),
                ),
            ] {
                let with = |id: &str| -> Value {
                    serde_json::from_str(
                        &body
                            .to_string()
                            .replace("\"ID\"", &format!("\"{id}\""))
                            .replace("\\\"ID\\\"", &format!("\\\"{id}\\\"")),
                    )
                    .unwrap()
                };
                let (foreign, unknown) =
                    (ours.call(method, path, &with(id)).await, ours.call(method, path, &with(NOBODY)).await);
                let is_replaced =
                    body["Operations"][0]["path"].as_str().is_some_and(|path| path.starts_with("members["));
                let scim_type = if is_replaced { "noTarget" } else { "invalidValue" };
                check_refused(&format!("{method} {body}"), &foreign, scim_type);
                assert_eq!(said(&foreign, id), said(&unknown, NOBODY), "{method} {body}");
            }
            let remove = operations(&json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }]));
            assert_eq!(
                ours.call("PATCH", &path, &remove).await.header("etag"),
                "W/\"1\"",
                "who is no member is not removed"
            );
        }
        let only = ours.get(&path).await.body;
        assert_eq!((only["members"].as_array().map(Vec::len), &only["members"][0]["value"]), (Some(1), &json!(ann)));
        assert_eq!(theirs.members(&ids[2]).await, ids[..2], "theirs is as it was");
    });
}

#[test]
fn ti_02_a_manager_of_another_tenant_is_text() {
    on_both(|store| async {
        let (ours, theirs, ids) = neighbours(store).await;
        let manager = json!({ "manager": { "value": ids[0], "$ref": format!("https://scim.example/t/fabrikam/scim/v2/Users/{}", ids[0]), "displayName": "x" } });
        let made = ours.call("POST", "/Users", &user("ann", ENTERPRISE, &manager)).await;
        let told = &made.body[ENTERPRISE]["manager"];
        assert_eq!((&told["value"], told.get("displayName")), (&json!(ids[0]), None), "nothing is looked up");
        assert!(!made.body.to_string().contains("fabrikam"), "and no address leads there: {told}");
        let found = theirs.get(&format!("/Users?filter={}", encoded(&format!("manager eq \"{}\"", ids[0])))).await.body;
        assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(ids[1])));
    });
}

#[test]
fn ti_04_no_memory_of_one_tenant_answers_another() {
    on_both(|store| async {
        let ours = World::new(store, "generic").await;
        let theirs = ours.tenant("fabrikam", "netskope").await;
        let mut told = Vec::new();
        for world in [&ours, &theirs] {
            let made = world.call("POST", "/Users", &user("ann", "displayName", &json!(world.tenant))).await;
            world.group("Sales", &[&made.id()]).await;
            told.push((world.clone(), made.id()));
        }
        let asked: Vec<_> = (0..64)
            .map(|number| {
                let (world, id) = told[number % 2].clone();
                let foreign = told[(number + 1) % 2].1.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let found = world.get("/Users?filter=userName+eq+%22ANN%22").await.body;
                        assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(id)));
                        assert_eq!(found["Resources"][0]["displayName"], world.tenant);
                        assert_eq!(world.get(&format!("/Users/{id}")).await.body["displayName"], world.tenant);
                        assert_eq!(world.get(&format!("/Users/{foreign}")).await.status.as_u16(), 404);
                        let location = world.get("/Groups?filter=displayName+eq+%22sales%22").await.body;
                        let location = location["Resources"][0]["meta"]["location"].as_str().unwrap().to_owned();
                        assert!(location.contains(&format!("/t/{}/", world.tenant)), "{location}");
                    }
                })
            })
            .collect();
        for answer in asked {
            answer.await.unwrap();
        }
    });
}

#[test]
fn ti_09_guessing_ids_tells_nothing() {
    on_both(|store| async {
        let (ours, _, ids) = neighbours(store).await;
        let mine = ours.user("ann").await;
        let mut guesses: Vec<String> = [
            "0",
            "1",
            "42",
            "-1",
            "a",
            "admin",
            "me",
            "null",
            "*",
            "eve",
            "secret-key",
            "00000000-0000-0000-0000-000000000000",
            NOBODY,
        ]
        .map(str::to_owned)
        .into();
        for id in ids.iter().chain([&mine]) {
            let (front, last) = id.split_at(id.len() - 2);
            let number = u8::from_str_radix(last, 16).unwrap();
            guesses.extend((1..8).map(|step| format!("{front}{:02x}", number.wrapping_sub(step))));
            guesses.extend([
                id.to_uppercase(),
                id.replace('-', ""),
                format!("{{{id}}}"),
                format!("urn:uuid:{id}"),
                id[..8].to_owned(),
                format!("{id}0"),
                format!("%20{id}"),
            ]);
        }
        guesses.retain(|guess| *guess != mine && *guess != mine.to_uppercase().to_lowercase());
        let expected = said(&ours.get(&format!("/Users/{NOBODY}")).await, NOBODY);
        for guess in guesses {
            let request = ours
                .request("GET", &format!("/Users/{}", guess.replace('{', "%7B").replace('}', "%7D")))
                .body(Body::empty());
            let answer = ours.send(request.unwrap()).await;
            assert_eq!(answer.status.as_u16(), 404, "{guess}");
            if guess.len() == NOBODY.len() && guess.is_ascii() && guess == guess.to_lowercase() {
                assert_eq!(said(&answer, &guess), expected, "{guess}");
            }
        }
    });
}
