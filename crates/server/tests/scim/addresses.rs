//! Addresses of tenants' own: the same endpoint under another path or host, which the token finds.

use axum::body::Body;
use http::{Request, header};
use provider::{Address, Scope};
use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, ENTERPRISE, GROUP, PUBLIC, USER, World};

const PATH: &str = "/api/v2/scim";
const ABSENT: &str = "0198c2a4-7d1e-7aaa-8bbb-0123456789ab";

impl World {
    /// Gives the tenant an address of its own; both empty take it away.
    pub async fn moved_to(&self, host: &str, path: &str) {
        let address = (!host.is_empty() || !path.is_empty()).then(|| Address::new(host, path).unwrap());
        let name = self.tenant.clone();
        let change = move |tx: &mut store::WriteTx<'_>| {
            provider::change_tenant(tx, &name, |settings| settings.address.clone_from(&address)).map(drop)
        };
        self.write(change).await;
    }

    /// Sends a request to any address of the server; an empty host is not sent.
    pub async fn ask(&self, method: &str, (host, path): (&str, &str), body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !host.is_empty() {
            request = request.header(header::HOST, host);
        }
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/scim+json");
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    pub async fn at(&self, path: &str) -> Answer {
        self.ask("GET", ("", path), &Value::Null).await
    }
}

#[test]
fn everything_works_at_an_own_path_and_is_told_by_it_at_both() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.moved_to("", PATH).await;
        let own = format!("{PUBLIC}{PATH}");
        let ann = json!({ "schemas": [USER], "userName": "ann", ENTERPRISE: { "manager": { "value": ABSENT, "$ref": format!("../Users/{ABSENT}") } } });
        let made = world.ask("POST", ("", "/api/v2/scim/Users"), &ann).await;
        let id = made.id();
        let location = format!("{own}/Users/{id}");
        assert_eq!((made.status.as_u16(), made.header("location")), (201, location.as_str()));
        let body = json!({ "schemas": [GROUP], "displayName": "G", "members": [{ "value": id }] });
        let group = world.ask("POST", ("", "/api/v2/scim/Groups/"), &body).await;
        assert_eq!(group.status.as_u16(), 201, "{}", group.body);
        for path in
            [format!("{PATH}/Users/{id}"), format!("{PATH}/Users/{id}/"), world.address(&format!("/Users/{id}"))]
        {
            let found = world.at(&path).await;
            assert_eq!((found.status.as_u16(), &found.body["meta"]["location"]), (200, &json!(location)), "{path}");
            assert_eq!(found.body["groups"][0]["$ref"], format!("{own}/Groups/{}", group.id()), "{path}");
            let manager = &found.body[ENTERPRISE]["manager"]["$ref"];
            assert_eq!(*manager, format!("{own}/Users/{ABSENT}"), "{path}");
        }
        let members = world.at(&format!("{PATH}/Groups/{}", group.id())).await;
        assert_eq!(members.body["members"][0]["$ref"], location);
        let listed = world.at("/api/v2/scim/Users?filter=userName+eq+%22ann%22&attributes=meta").await;
        assert_eq!(listed.body["Resources"][0]["meta"]["location"], location);
        let patch = json!({ "schemas": [crate::world::PATCH], "Operations": [{ "op": "replace", "path": "title", "value": "x" }] });
        let patched = world.ask("PATCH", ("", &format!("{PATH}/Users/{id}")), &patch).await;
        assert_eq!((patched.status.as_u16(), &patched.body["meta"]["location"]), (200, &json!(location)));
        let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "b", "data": { "schemas": [USER], "userName": "bob" } }] });
        let bulk = world.ask("POST", ("", "/api/v2/scim/Bulk"), &bulk).await;
        let told = bulk.body["Operations"][0]["location"].as_str().unwrap().to_owned();
        assert!(told.starts_with(&format!("{own}/Users/")), "{told}");
        let deleted = world.ask("DELETE", ("", &told[PUBLIC.len()..]), &Value::Null).await;
        assert_eq!(deleted.status.as_u16(), 204, "an address that was told is one");
        world.moved_to("", "").await;
        assert_eq!(world.at("/api/v2/scim/Users").await.status.as_u16(), 404);
        let found = world.get(&format!("/Users/{id}")).await;
        assert_eq!(found.body["meta"]["location"], format!("{PUBLIC}{}", world.address(&format!("/Users/{id}"))));
    });
}

#[test]
fn what_an_answer_told_is_found_behind_the_address_of_the_endpoint_too() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let ann = world.user("ann").await;
        for path in ["", PATH] {
            world.moved_to("", path).await;
            let base = if path.is_empty() { world.address("") } else { path.to_owned() };
            let body = json!({ "schemas": [GROUP], "displayName": "G", "members": [{ "value": ann }] });
            let group = world.ask("POST", ("", &format!("{base}/Groups")), &body).await;
            let told = group.body["members"][0]["$ref"].as_str().unwrap();
            assert_eq!(told, format!("{PUBLIC}{base}/Users/{ann}"));
            let found = world.at(&format!("{base}/{told}?attributes=userName")).await;
            assert_eq!((found.status.as_u16(), &found.body["userName"]), (200, &json!("ann")), "{}", found.body);
            let told = group.body["meta"]["location"].as_str().unwrap();
            let deleted = world.ask("DELETE", ("", &format!("{base}/{told}")), &Value::Null).await;
            assert_eq!(deleted.status.as_u16(), 204);
            let stranger = World { token: String::new(), ..world.clone() };
            for (path, status) in [
                (format!("{base}/{PUBLIC}{base}/Nowhere/x/y"), 404),
                (format!("{base}/{PUBLIC}{base}/{PUBLIC}{base}/Users/{ann}"), 404),
                (format!("{base}/{PUBLIC}{base}"), 404),
                (format!("{base}/{PUBLIC}{base}x/Users/{ann}"), 404),
                (format!("{base}/{PUBLIC}{}/Users", other.address("")), 404),
                (format!("{base}/https://evil.example{base}/Users/{ann}"), 404),
            ] {
                assert_eq!(world.at(&path).await.status.as_u16(), status, "{path}");
                assert_eq!(stranger.at(&path).await.status.as_u16(), 401, "{path}");
            }
        }
        let crossed = World { token: other.token.clone(), ..world.clone() };
        world.moved_to("", "").await;
        let path = format!("{}/{PUBLIC}{}/Users/{ann}", world.address(""), world.address(""));
        assert_eq!((world.at(&path).await.status.as_u16(), crossed.at(&path).await.status.as_u16()), (200, 401));
    });
}

#[test]
fn every_address_below_an_own_one_has_its_methods() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.moved_to("", PATH).await;
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] });
        for (method, path, body, status) in [
            ("POST", "/Users/.search", &search, 200),
            ("POST", "/.search", &search, 200),
            ("POST", "/users/.SEARCH", &search, 200),
            ("POST", "/.Search/", &search, 200),
            ("GET", "", &Value::Null, 200),
            ("GET", "/", &Value::Null, 200),
            ("GET", "/Me", &Value::Null, 501),
            ("GET", "/ServiceProviderConfig", &Value::Null, 200),
            ("GET", "/ResourceTypes/User", &Value::Null, 200),
            ("GET", "/resourcetypes/USER", &Value::Null, 200),
            ("GET", "/Schemas/urn%3aietf:params:scim:schemas:core:2.0:User", &Value::Null, 200),
            ("GET", "/Schemas?filter=id+eq+%22x%22", &Value::Null, 403),
            ("GET", &format!("/Users/{ABSENT}"), &Value::Null, 404),
            ("GET", "/Users/x/y", &Value::Null, 404),
            ("GET", "/Nowhere", &Value::Null, 404),
            ("DELETE", "/Users", &Value::Null, 405),
            ("OPTIONS", "/Users", &Value::Null, 204),
            ("HEAD", "/Users", &Value::Null, 200),
        ] {
            let answer = world.ask(method, ("", &format!("{PATH}{path}")), body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
            if matches!(status, 405 | 204) {
                assert_eq!(answer.header("allow"), "GET,HEAD,POST", "{method} {path}");
            }
        }
        let config = world.at("/api/v2/scim/ServiceProviderConfig").await;
        assert_eq!(config.body["meta"]["location"], format!("{PUBLIC}{PATH}/ServiceProviderConfig"));
    });
}

#[test]
fn who_has_no_token_learns_nothing_of_any_address() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.moved_to("", PATH).await;
        let reader = world.scoped_token("contoso", "reader", 1, Scope::Read).await;
        for path in [
            "/api/v2/scim/Users",
            "/api/v2/scim",
            "/api/v2/scim/Nowhere",
            "/api/v2/other",
            "/anything/else",
            "//",
            "//x",
        ] {
            for (token, words) in [("", "Bearer realm=\"SCIM\""), ("x", "invalid_token"), ("a.b.c", "invalid_token")] {
                let stranger = World { token: token.to_owned(), ..world.clone() };
                for method in ["GET", "POST", "DELETE", "OPTIONS"] {
                    let answer = stranger.ask(method, ("", path), &Value::Null).await;
                    assert_eq!(answer.status.as_u16(), 401, "{method} {path} {token}");
                    assert!(answer.header("www-authenticate").contains(words), "{method} {path} {token}");
                }
            }
        }
        let nobody = World { token: String::new(), ..world.clone() };
        for path in ["/", "/metrics", "/metrics/x", "/healthz/x"] {
            assert_eq!(nobody.at(path).await.status.as_u16(), 404, "{path}");
        }
        let reader = World { token: reader, ..world.clone() };
        let body = json!({ "schemas": [USER], "userName": "ann" });
        assert_eq!(reader.ask("POST", ("", "/api/v2/scim/Users"), &body).await.status.as_u16(), 403);
        assert_eq!(reader.at("/api/v2/scim/Users").await.status.as_u16(), 200);
    });
}

#[test]
fn the_token_says_whose_endpoint_is_meant() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let ann = world.user("ann").await;
        let path = format!("{PATH}/Users/{ann}");
        assert_eq!(world.at(&path).await.status.as_u16(), 404, "nobody has the address yet");
        world.moved_to("", PATH).await;
        assert_eq!((world.at(&path).await.status.as_u16(), other.at(&path).await.status.as_u16()), (200, 404));
        assert_eq!(other.at("/api/v2/scim/Users").await.status.as_u16(), 404, "it is no address of the other tenant");
        other.moved_to("", PATH).await;
        assert_eq!((world.at(&path).await.status.as_u16(), other.at(&path).await.status.as_u16()), (200, 404));
        let listed = other.at("/api/v2/scim/Users").await;
        assert_eq!((listed.status.as_u16(), &listed.body["totalResults"]), (200, &json!(0)));
        assert_eq!(other.at("/api/v2/scim//Users").await.status.as_u16(), 200, "a base with a slash at its end");
        let crossed = World { token: other.token.clone(), ..world.clone() };
        assert_eq!(crossed.get(&format!("/Users/{ann}")).await.status.as_u16(), 401);
        for path in [
            "/api/v2/scim/t/contoso/scim/v2/Users",
            "/api/v2/scim/../../../t/contoso/scim/v2/Users",
            "/api/v2/scim/%2e%2e/Users",
            "/api%2fv2%2fscim/Users",
            "/api/v2/scim%2fUsers",
            "/API/v2/scim/Users",
            "/api//v2/scim/Users",
            "/api/v2/scim/Users//",
            "/api/v2/scim/api/v2/scim/Users",
        ] {
            assert_eq!(other.at(path).await.status.as_u16(), 404, "{path}");
        }
    });
}

#[test]
fn a_host_of_its_own_is_asked_for_and_told_whatever_the_request_says() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.moved_to("Acme.Example", "").await;
        let ann = world.user("ann").await;
        let path = format!("/scim/v2/Users/{ann}");
        let location = format!("https://acme.example{path}");
        for (host, status) in [
            ("acme.example", 200),
            ("ACME.EXAMPLE:8443", 200),
            ("acme.example.", 200),
            ("acme.example.:8443", 200),
            ("acme.example..", 404),
            ("scim.example", 404),
            ("acme.example.evil.example", 404),
            ("", 404),
        ] {
            let found = world.ask("GET", (host, &path), &Value::Null).await;
            assert_eq!(found.status.as_u16(), status, "{host}");
            if status == 200 {
                assert_eq!(found.body["meta"]["location"], location, "{host}");
            }
        }
        let usual = world.ask("GET", ("evil.example", &world.address(&format!("/Users/{ann}"))), &Value::Null).await;
        assert_eq!(usual.body["meta"]["location"], location);
        let absolute = format!("http://acme.example{path}");
        assert_eq!(world.ask("GET", ("other.example", &absolute), &Value::Null).await.status.as_u16(), 200);
        let body = json!({ "schemas": [USER], "userName": "bob" });
        let made = world.ask("POST", ("acme.example", "/scim/v2/Users"), &body).await;
        assert!(made.header("location").starts_with("https://acme.example/scim/v2/Users/"), "{made:?}");
    });
}

#[test]
fn a_request_at_an_own_address_is_counted_once_and_for_its_tenant() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let device = world.define_devices().await;
        world.moved_to("", PATH).await;
        let ann = world.user("ann").await;
        let made = world.call("POST", "/Devices", &json!({ "schemas": [device], "serial": "1" })).await;
        let paths = [
            format!("{PATH}/Users/{ann}"),
            format!("{PATH}/Users"),
            format!("{PATH}/Devices/{}", made.id()),
            world.address(&format!("/Devices/{}", made.id())),
        ];
        for path in paths {
            let name = world.tenant.clone();
            let limit = move |tx: &mut store::WriteTx<'_>| {
                provider::change_tenant(tx, &name, |settings| {
                    // Another rate than before begins anew.
                    let before = settings.requests_per_second.unwrap_or(2);
                    settings.requests_per_second = Some(before + 1);
                })
            };
            let allowed = world.write(limit).await.requests_per_second.unwrap();
            for number in 0..allowed {
                assert_eq!(world.at(&path).await.status.as_u16(), 200, "{path}: number {number} of {allowed}");
            }
            assert_eq!(world.at(&path).await.status.as_u16(), 429, "{path}");
        }
    });
}
