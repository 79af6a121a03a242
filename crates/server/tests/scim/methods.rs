//! Methods: those that an address has, and what the others are answered (RFC 9110 §9, RFC 7644 §3.2).

use axum::body::Body;
use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{PATCH, USER, World};

const ABSENT: &str = "0198c2a4-7d1e-7aaa-8bbb-0123456789ab";

#[test]
fn sh_04_every_address_has_its_methods_and_says_which() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let one = "GET,HEAD,PUT,PATCH,DELETE";
        for (path, allow) in [
            ("/Users", "GET,HEAD,POST"),
            ("/Groups/", "GET,HEAD,POST"),
            (&format!("/Users/{ABSENT}"), one),
            (&format!("/Groups/{ABSENT}/"), one),
            ("/Users/.search", "POST"),
            ("/Bulk", "POST"),
            ("/Schemas", "GET,HEAD"),
            (&format!("/Schemas/{USER}"), "GET,HEAD"),
            ("/ResourceTypes", "GET,HEAD"),
            ("/ResourceTypes/User", "GET,HEAD"),
            ("/ServiceProviderConfig", "GET,HEAD"),
        ] {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"] {
                if allow.split(',').any(|allowed| allowed == method) {
                    continue;
                }
                let request = world.request(method, path).header("origin", "https://elsewhere.example");
                let answer = world.send(request.body(Body::empty()).unwrap()).await;
                let expected = if method == "OPTIONS" { 204 } else { 405 };
                assert_eq!((answer.status.as_u16(), answer.header("allow")), (expected, allow), "{method} {path}");
                assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{path}");
                let stranger = World { token: "x".to_owned(), ..world.clone() };
                assert_eq!(stranger.call(method, path, &Value::Null).await.status.as_u16(), 401, "{method} {path}");
            }
        }
        for method in ["GET", "OPTIONS", "TRACE"] {
            assert_eq!(world.call(method, "/Nowhere", &Value::Null).await.status.as_u16(), 404, "{method}");
        }
    });
}

#[test]
fn sh_04_a_header_does_not_change_the_method() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            let request = world.request("POST", &path).header(name, "DELETE");
            assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status.as_u16(), 405, "{name}");
            assert_eq!(world.get(&path).await.status.as_u16(), 200, "{name}");
        }
    });
}

#[test]
fn me_is_nobody_whatever_is_asked_of_it() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            for path in ["/Me", "/Me/"] {
                let answer = world.send(world.request(method, path).body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status.as_u16(), 501, "{method} {path}");
            }
        }
    });
}

#[test]
fn sh_16_head_is_get_without_its_body() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        let group = world.group("G", &[&ann]).await;
        for path in [
            format!("/Users/{ann}"),
            format!("/Groups/{group}"),
            "/Users".to_owned(),
            "/Users?filter=userName+eq+%22ann%22".to_owned(),
            "/Schemas".to_owned(),
            "/ResourceTypes/User".to_owned(),
            "/ServiceProviderConfig".to_owned(),
            format!("/Users/{ABSENT}"),
        ] {
            let get = world.get(&path).await;
            let head = world.call("HEAD", &path, &Value::Null).await;
            assert_eq!((head.status, &head.body), (get.status, &Value::Null), "{path}");
            for name in ["content-type", "etag"] {
                assert_eq!(head.headers.get(name), get.headers.get(name), "{name} of {path}");
            }
            let length = head.header("content-length").parse::<usize>().ok();
            // A body of the same bytes, whatever order JSON has in this test.
            assert!(length.is_none_or(|length| length == get.body.to_string().len() || get.status != 200), "{path}");
        }
    });
}

#[test]
fn sh_15_conditions_that_a_post_does_not_have_and_ranges_are_ignored() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": [USER], "userName": "ann" });
        let request = world
            .request("POST", "/Users")
            .header("content-type", "application/scim+json")
            .header("if-none-match", "*")
            .header("if-match", "W/\"7\"")
            .header("range", "bytes=0-10");
        let made = world.send(request.body(body.to_string().into()).unwrap()).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        let path = format!("/Users/{}", made.id());
        let whole = world.get(&path).await;
        let request = world.request("GET", &path).header("range", "bytes=0-10").header("if-range", "W/\"1\"");
        let ranged = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((ranged.status.as_u16(), ranged.body), (200, whole.body));
        assert_eq!((ranged.headers.get("content-range"), ranged.headers.get("accept-ranges")), (None, None));
    });
}

#[test]
fn what_has_no_body_has_no_type_of_one() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, group) = (world.user("ann").await, world.group("G", &[]).await);
        let remove = json!({ "op": "Remove", "path": "members" });
        let empty = json!({ "schemas": [crate::world::PATCH], "Operations": [remove] });
        for (method, path, body) in [
            ("PATCH", format!("/Groups/{group}"), empty),
            ("DELETE", format!("/Users/{ann}"), Value::Null),
            ("OPTIONS", "/Users".to_owned(), Value::Null),
        ] {
            let answer = world.call(method, &path, &body).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (204, &Value::Null), "{method}");
            assert_eq!(answer.headers.get("content-type"), None, "{method}");
        }
    });
}

#[test]
fn addresses_are_known_in_any_case_and_told_in_the_right_one() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let made = world.call("POST", "/users", &json!({ "schemas": [USER], "userName": "ann" })).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        let location = format!("{}/t/contoso/scim/v2/Users/{}", crate::world::PUBLIC, made.id());
        assert_eq!(made.header("location"), location);
        for (path, status) in [
            (format!("/users/{}", made.id()), 200),
            ("/USERS?filter=userName+eq+%22ann%22".to_owned(), 200),
            ("/groups".to_owned(), 200),
            ("/serviceproviderconfig".to_owned(), 200),
            ("/resourcetypes/User".to_owned(), 200),
            ("/resourceTypes/".to_owned(), 200),
            ("/ResourceTypes/USER".to_owned(), 200),
            ("/resourcetypes/group/".to_owned(), 200),
            ("/ResourceTypes/Use".to_owned(), 404),
            (format!("/schemas/{}", USER.to_uppercase()), 200),
            ("/Users/.SEARCH".to_owned(), 405),
            ("/.SEARCH".to_owned(), 405),
            (format!("/schemas/{USER}"), 200),
            ("/schemas".to_owned(), 200),
            ("/me".to_owned(), 501),
            ("/bulk".to_owned(), 405),
            ("/user".to_owned(), 404),
        ] {
            assert_eq!(world.get(&path).await.status.as_u16(), status, "{path}");
            let stranger = World { token: "x".to_owned(), ..world.clone() };
            assert_eq!(stranger.get(&path).await.status.as_u16(), 401, "{path}");
        }
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] });
        for (path, status) in [
            ("/users/.SEARCH", 200),
            ("/Users/.Search/", 200),
            ("/groups/.SeArCh", 200),
            ("/.SEARCH", 200),
            ("/Schemas/.SEARCH", 405),
            ("/Nowhere/.SEARCH", 404),
        ] {
            let found = world.call("POST", path, &search).await;
            assert_eq!(found.status.as_u16(), status, "{path}: {}", found.body);
        }
        let kind = world.get("/ResourceTypes/uSER").await;
        let location = format!("{}/t/contoso/scim/v2/ResourceTypes/User", crate::world::PUBLIC);
        assert_eq!((&kind.body["meta"]["location"], kind.header("location")), (&json!(location), &*location));
        let deleted = world.send(world.request("DELETE", "/users").body(Body::empty()).unwrap()).await;
        assert_eq!((deleted.status.as_u16(), deleted.header("allow")), (405, "GET,HEAD,POST"));
    });
}

#[test]
fn sh_17_health_has_no_other_method() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for path in ["/healthz", "/readyz"] {
            let request = http::Request::post(path).body(Body::empty()).unwrap();
            let answer = world.send(request).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET,HEAD"), "{path}");
            assert_eq!(answer.body["status"], "405");
        }
    });
}

/// RFC 9967 §2.5.1.1: a service provider may answer as it always does.
#[test]
fn who_prefers_an_answer_later_has_it_now() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = |name: &str| json!({ "schemas": [USER], "userName": name });
        let preferring = |method: &str, path: &str, prefer: &str, body: &Value| {
            let request =
                world.request(method, path).header("prefer", prefer).header("content-type", "application/json");
            let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
            world.send(request.body(body).unwrap())
        };
        let made = preferring("POST", "/Users", "respond-async", &body("ann")).await;
        let path = format!("/Users/{}", made.id());
        let disable =
            json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "active", "value": false }] });
        let put = preferring("PUT", &path, "respond-async, wait=0", &body("anna")).await;
        let patched = preferring("PATCH", &path, "RESPOND-ASYNC; foo=\"bar\", return=minimal", &disable).await;
        assert_eq!((&put.body["userName"], &patched.body["active"]), (&json!("anna"), &json!(false)));
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "POST", "path": "/Users", "bulkId": "b", "data": body("bob") }],
        });
        let bulk = preferring("POST", "/Bulk", "respond-async", &bulk).await;
        assert_eq!(bulk.body["Operations"][0]["status"], "201", "{}", bulk.body);
        let found = preferring("GET", &path, "respond-async", &Value::Null).await;
        let gone = preferring("DELETE", &path, "respond-async,,;=", &Value::Null).await;
        for (answer, status) in [(&made, 201), (&put, 200), (&patched, 200), (&bulk, 200), (&found, 200), (&gone, 204)]
        {
            assert_eq!(answer.status.as_u16(), status, "{answer:?}");
            assert_eq!((answer.header("preference-applied"), answer.header("set-txn")), ("", ""));
        }
        assert_eq!(world.get(&path).await.status.as_u16(), 404);
        let config = world.get("/ServiceProviderConfig").await.body;
        assert!(config.get("securityEvents").is_none(), "events are told by webhooks, and not as RFC 8935 says");
    });
}
