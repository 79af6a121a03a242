//! What a tenant defines itself, over HTTP: `/t/{tenant}/schema` with a token of the scope `schemas`.

use axum::body::Body;
use http::{Request, header};
use provider::{RESOURCES_CHECKED_BY_TOKEN_MAX, SCHEMA_BYTES_MAX, Scope};
use serde_json::{Value, json};
use store::audit::audit_before;
use store::testing::on_both;

use crate::groups_at_size::users;
use crate::world::{Answer, USER, World};

const BADGE: &str = "urn:example:schemas:extension:1.0:User";
const DEVICE: &str = "urn:example:schemas:1.0:Device";

/// A badge of users, with these attributes.
fn badge(attributes: &Value) -> Value {
    json!({ "schemas": [{ "id": BADGE, "name": "Badge", "attributes": attributes }] })
}

fn color() -> Value {
    badge(&json!([{ "name": "color", "type": "string" }]))
}

fn devices() -> Value {
    json!({
        "schemas": [{ "id": DEVICE, "name": "Device", "attributes": [{ "name": "serial", "type": "string" }] }],
        "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": DEVICE }],
    })
}

/// A tenant, and who holds its token for schemas.
struct Definer {
    world: World,
    token: String,
}

impl Definer {
    async fn new(world: &World) -> Self {
        let token = world.scoped_token(&world.tenant, "schemas", 365, Scope::Schemas).await;
        Self { world: world.clone(), token }
    }

    fn with_token(&self, token: &str) -> Self {
        Self { world: self.world.clone(), token: token.to_owned() }
    }

    async fn send(&self, method: &str, query: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/t/{}/schema{query}", self.world.tenant))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.world.send(request.body(body).unwrap()).await
    }

    async fn call(&self, method: &str, query: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(method, query, &[], body).await
    }

    async fn put(&self, body: &Value) -> Answer {
        self.call("PUT", "", body).await
    }

    /// What is defined, with its tag.
    async fn defined(&self) -> (Value, String) {
        let found = self.call("GET", "", &Value::Null).await;
        assert_eq!((found.status.as_u16(), found.header("content-type")), (200, "application/json"), "{}", found.body);
        let tag = found.header("etag").to_owned();
        (found.body, tag)
    }
}

#[test]
fn a_definition_is_set_read_used_and_cleared() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Definer::new(&world).await;
        let nothing = (json!({ "schemas": [], "resourceTypes": [] }), "\"none\"".to_owned());
        assert_eq!(definer.defined().await, nothing);
        let tried = definer.call("PUT", "?dryRun=true", &devices()).await;
        let new = json!(["resource type Device is new", format!("schema {DEVICE} is new")]);
        assert_eq!((&tried.body["differences"], &tried.body["dryRun"]), (&new, &json!(true)));
        assert_eq!(definer.defined().await, nothing, "a try changes nothing");
        let set = definer.put(&devices()).await;
        assert_eq!((set.status.as_u16(), &set.body["differences"]), (200, &new), "{}", set.body);
        assert_eq!(set.body["version"], tried.body["version"], "and finds what a change would");
        let (document, tag) = definer.defined().await;
        assert_eq!((&document["resourceTypes"][0]["name"], &set.body["version"]), (&json!("Device"), &json!(tag)));
        assert_eq!(
            world.call("POST", "/Devices", &json!({ "schemas": [DEVICE], "serial": "1" })).await.status.as_u16(),
            201
        );
        let again = definer.put(&document).await;
        assert_eq!((&again.body["differences"], &again.body["version"]), (&json!([]), &json!(tag)), "as it was read");
        let in_use = definer.call("DELETE", "", &Value::Null).await;
        assert_eq!(in_use.status.as_u16(), 409, "{}", in_use.body);
        let users = world.get("/Devices").await.body;
        let device = users["Resources"][0]["id"].as_str().unwrap();
        world.call("DELETE", &format!("/Devices/{device}"), &Value::Null).await;
        let cleared = definer.call("DELETE", "", &Value::Null).await;
        assert_eq!((cleared.status.as_u16(), &cleared.body["version"]), (200, &json!("\"none\"")), "{}", cleared.body);
        assert_eq!(definer.defined().await, nothing);
        assert_eq!(world.get("/Devices").await.status.as_u16(), 404);
        let told = world.store.read(|tx| audit_before(tx, None, 10)).await.unwrap();
        let told: Vec<_> =
            told.iter().map(|one| (one.actor.as_str(), one.activity.as_str(), one.target.as_str())).collect();
        let by = |activity| ("token schemas of contoso", activity, "contoso");
        assert_eq!(
            told,
            [by("Clear tenant schemas"), by("Set tenant schemas")],
            "nothing of a try or of the same again"
        );
    });
}

#[test]
fn each_token_opens_what_it_is_for_and_its_own_tenant() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Definer::new(&world).await;
        let other = world.tenant("fabrikam", "generic").await;
        let others = Definer::new(&other).await.token;
        let reader = world.scoped_token("contoso", "reader", 9, Scope::Read).await;
        for (token, status, challenge) in [
            (world.token.as_str(), 403, "scope=\"schemas\""),
            (&reader, 403, "scope=\"schemas\""),
            (&others, 401, "invalid_token"),
            (&other.token, 401, "invalid_token"),
            ("x", 401, "invalid_token"),
        ] {
            for (method, body) in [
                ("GET", Value::Null),
                ("PUT", color()),
                ("PUT", json!(1)),
                ("DELETE", Value::Null),
                ("POST", Value::Null),
            ] {
                let answer = definer.with_token(token).call(method, "", &body).await;
                assert_eq!(answer.status.as_u16(), status, "{method} {}", answer.body);
                assert!(answer.header("www-authenticate").contains(challenge), "{method} {answer:?}");
            }
        }
        let user = world.user("ann").await;
        let at_home = World { token: definer.token.clone(), ..world.clone() };
        let abroad = World { token: definer.token.clone(), ..other.clone() };
        let one = format!("/Users/{user}");
        for (method, path, needed) in [
            ("GET", "/Users", "read"),
            ("GET", &one, "read"),
            ("HEAD", &one, "read"),
            ("OPTIONS", "/Users", "read"),
            ("POST", "/Users", "read write"),
            ("PUT", &one, "read write"),
            ("PATCH", &one, "read write"),
            ("DELETE", &one, "read write"),
            ("GET", "/Groups", "read"),
            ("POST", "/Devices", "read write"),
            ("POST", "/Bulk", "read write"),
            ("POST", "/.search", "read"),
            ("POST", "/Users/.search/", "read"),
            ("POST", "/devices/.SEARCH", "read"),
            ("GET", "/Schemas", "read"),
            ("GET", "/Nowhere", "read"),
        ] {
            let answer = at_home.call(method, path, &Value::Null).await;
            assert_eq!(answer.status.as_u16(), 403, "{method} {path}");
            let challenge = format!("Bearer realm=\"SCIM\", error=\"insufficient_scope\", scope=\"{needed}\"");
            assert_eq!(answer.header("www-authenticate"), challenge, "{method} {path}");
            let own = Request::builder().method(method).uri(format!("/own/scim{path}"));
            let own = own.header(header::AUTHORIZATION, format!("Bearer {}", definer.token)).body(Body::empty());
            let own = at_home.send(own.unwrap()).await;
            assert_eq!((own.status, own.header("www-authenticate")), (answer.status, &*challenge), "{method} {path}");
            assert_eq!(abroad.call(method, path, &Value::Null).await.status.as_u16(), 401, "{method} {path}");
        }
        world.write(|tx| provider::suspend_tenant(tx, "contoso", jiff::Timestamp::UNIX_EPOCH)).await;
        assert_eq!(definer.put(&color()).await.status.as_u16(), 403);
        world.write(|tx| provider::resume_tenant(tx, "contoso")).await;
        world.write(|tx| provider::revoke_token(tx, "contoso", "schemas", jiff::Timestamp::UNIX_EPOCH)).await;
        assert_eq!(definer.put(&color()).await.status.as_u16(), 401);
    });
}

#[test]
fn what_cannot_be_defined_is_refused_with_the_cure_and_nothing_is_kept() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Definer::new(&world).await;
        let taken = json!({ "schemas": [{ "id": USER, "attributes": [{ "name": "a" }] }] });
        for (body, scim_type, words) in [
            (json!([1]).to_string(), "invalidValue", ""),
            ("{\"schemas\": [".to_owned(), "invalidSyntax", "JSON"),
            ("{\"schemas\": [], \"schemas\": []}".to_owned(), "invalidSyntax", ""),
            (json!({ "schema": [] }).to_string(), "invalidValue", "neither schemas nor resourceTypes"),
            (taken.to_string(), "invalidValue", "built in"),
            (badge(&json!([{ "name": "a", "type": "colour" }])).to_string(), "invalidValue", "'a'"),
            (
                json!({ "schemas": [{ "id": "urn:x:y", "attributes": [{ "name": "a" }] }] }).to_string(),
                "invalidValue",
                "no resource type",
            ),
        ] {
            let refused = definer.send("PUT", "", &[], Body::from(body.clone())).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.body["scimType"]),
                (400, &json!(scim_type)),
                "{body}: {}",
                refused.body
            );
            assert!(refused.body["detail"].as_str().unwrap().contains(words), "{body}: {}", refused.body);
        }
        let long = |bytes: usize| Body::from(format!("{{\"schemas\":[]{}}}", " ".repeat(bytes - 14)));
        let refused = definer.send("PUT", "", &[], long(SCHEMA_BYTES_MAX + 1)).await;
        assert_eq!(refused.status.as_u16(), 413);
        assert!(refused.body["detail"].as_str().unwrap().contains("at most 524288 bytes"), "{}", refused.body);
        assert_eq!(definer.send("PUT", "", &[], long(SCHEMA_BYTES_MAX)).await.status.as_u16(), 200);
        let plain = definer.send("PUT", "?dryRun=maybe", &[], Body::from(color().to_string())).await;
        assert_eq!((plain.status.as_u16(), &plain.body["detail"]), (400, &json!("dryRun is true or false")));
        for method in ["POST", "PATCH", "OPTIONS", "TRACE"] {
            let refused = definer.call(method, "", &Value::Null).await;
            let expected = if method == "OPTIONS" { 204 } else { 405 };
            assert_eq!(
                (refused.status.as_u16(), refused.header("allow")),
                (expected, "GET,HEAD,PUT,DELETE"),
                "{method}"
            );
        }
        assert_eq!(definer.defined().await.1, "\"none\"");
    });
}

#[test]
fn resources_that_do_not_fit_are_in_the_way() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Definer::new(&world).await;
        definer.put(&color()).await;
        let ann = json!({ "schemas": [USER, BADGE], "userName": "ann", BADGE: { "color": "red" } });
        let ann = world.call("POST", "/Users", &ann).await.id();
        let (before, tag) = definer.defined().await;
        for (definition, words) in [
            (badge(&json!([{ "name": "color", "type": "boolean" }])), "would be invalid"),
            (badge(&json!([{ "name": "size", "type": "string" }])), "nothing would define"),
            (json!({ "schemas": [] }), "nothing would define"),
        ] {
            for query in ["", "?dryRun=true"] {
                let refused = definer.call("PUT", query, &definition).await;
                let detail = refused.body["detail"].as_str().unwrap().to_owned();
                assert!(refused.status.as_u16() == 409 && detail.contains(&ann), "{definition}: {detail}");
                assert!(detail.contains(words) && detail.contains("first"), "{words}: {detail}");
            }
        }
        assert_eq!(definer.defined().await, (before, tag));
    });
}

#[test]
fn a_change_that_would_look_at_too_many_resources_is_left_to_the_command() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Definer::new(&world).await;
        definer.put(&color()).await;
        let ids = users(&world, usize::try_from(RESOURCES_CHECKED_BY_TOKEN_MAX).unwrap() + 1).await;
        let other = badge(&json!([{ "name": "color", "type": "boolean" }]));
        let refused = definer.put(&other).await;
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(refused.status.as_u16() == 409 && detail.contains("at most 2000 are checked"), "{detail}");
        let more = badge(&json!([{ "name": "color", "type": "string" }, { "name": "size", "type": "string" }]));
        assert_eq!(definer.put(&more).await.status.as_u16(), 200, "what only adds looks at none");
        world.call("DELETE", &format!("/Users/{}", ids[0]), &Value::Null).await;
        assert_eq!(definer.put(&other).await.status.as_u16(), 200);
    });
}

#[test]
fn of_two_administrators_the_second_is_told_that_it_changed() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Definer::new(&world).await;
        let (_, none) = definer.defined().await;
        let put = |tag: String, body: Value| {
            let definer = definer.with_token(&definer.token);
            async move { definer.send("PUT", "", &[("if-match", &tag)], Body::from(body.to_string())).await }
        };
        let parallel: Vec<_> = (0..8)
            .map(|number| {
                let body = badge(&json!([{ "name": format!("a{number}"), "type": "string" }]));
                tokio::spawn(put(none.clone(), body))
            })
            .collect();
        let mut statuses = Vec::new();
        for one in parallel {
            statuses.push(one.await.unwrap().status.as_u16());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "one of those that knew the same");
        let (document, tag) = definer.defined().await;
        assert_eq!(put(tag.clone(), document).await.status.as_u16(), 200, "the same again is no change");
        let stale = definer.send("DELETE", "", &[("if-match", "\"none\"")], Body::empty()).await;
        assert_eq!(stale.status.as_u16(), 412, "{}", stale.body);
        let known = definer.send("GET", "", &[("if-none-match", &tag)], Body::empty()).await;
        assert_eq!((known.status.as_u16(), known.header("etag")), (304, tag.as_str()));
        let there = definer.send("PUT", "", &[("if-none-match", "*")], Body::from(color().to_string())).await;
        assert_eq!(there.status.as_u16(), 412);
        assert_eq!(definer.send("DELETE", "", &[("if-match", "none")], Body::empty()).await.status.as_u16(), 400);
        assert_eq!(definer.send("DELETE", "", &[("if-match", &tag)], Body::empty()).await.status.as_u16(), 200);
    });
}

#[test]
fn a_definition_is_shown_where_it_is_the_one_that_is_meant_and_not_known() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Definer::new(&world).await;
        for body in [Value::Null, color()] {
            if !body.is_null() {
                definer.put(&body).await;
            }
            let (document, tag) = definer.defined().await;
            let (weak, among) = (format!("W/{tag}"), format!("\"x\", {tag}"));
            for (matching, none, status) in [
                ("*", "", 200),
                (tag.as_str(), "", 200),
                (&weak, "", 200),
                (&among, "\"x\"", 200),
                ("\"x\"", "", 412),
                ("\"x\", \"y\"", "", 412),
                ("\"x\"", "*", 412),
                ("\"x\"", &tag, 412),
                (&tag, &tag, 304),
                ("", &among, 304),
                ("", "*", 304),
                ("", "\"x\"", 200),
                ("x", "", 400),
                ("", "x", 400),
            ] {
                let headers = [("if-match", matching), ("if-none-match", none)];
                let headers: Vec<_> = headers.into_iter().filter(|(_, text)| !text.is_empty()).collect();
                for method in ["GET", "HEAD"] {
                    let found = definer.send(method, "", &headers, Body::empty()).await;
                    let told = matches!(status, 200 | 304).then_some(tag.as_str());
                    let shown = (found.status.as_u16(), Some(found.header("etag")).filter(|tag| !tag.is_empty()));
                    assert_eq!(shown, (status, told), "{method} {headers:?}");
                    assert_eq!(found.body == document, status == 200 && method == "GET", "{method} {headers:?}");
                }
            }
        }
    });
}
