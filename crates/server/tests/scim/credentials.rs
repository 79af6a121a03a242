//! What each credential opens, and what it does not. Names of tests begin with the attack case they answer.

use axum::body::Body;
use http::{Request, header};
use provider::{Scope, TokenRequest};
use serde_json::{Value, json};
use store::testing::on_both;

use crate::oauth::Client;
use crate::world::{GROUP, PATCH, USER, World, key};

fn person(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name })
}

#[test]
fn au_07_scope_a_reading_token_reads_and_searches_and_writes_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = world.user("ann").await;
        let group = world.group("staff", &[&user]).await;
        let token = world.scoped_token("contoso", "reader", 365, Scope::Read).await;
        let reader = World { token, ..world.clone() };
        let changes = world.changes().await.len();
        let patch =
            json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "active", "value": false }] });
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "DELETE", "path": format!("/Users/{user}") }],
        });
        for (method, path, body) in [
            ("POST", "/Users".to_owned(), person("bob")),
            ("POST", "/Groups".to_owned(), json!({ "schemas": [GROUP], "displayName": "x" })),
            ("PUT", format!("/Users/{user}"), person("ann2")),
            ("PATCH", format!("/Users/{user}"), patch.clone()),
            ("PATCH", format!("/Groups/{group}"), patch),
            ("DELETE", format!("/Users/{user}"), Value::Null),
            ("DELETE", format!("/Groups/{group}"), Value::Null),
            ("POST", "/Bulk".to_owned(), bulk),
            // Before anything is looked at that the token has no business with.
            ("POST", "/Users".to_owned(), json!("no user at all")),
            ("DELETE", "/Users/nobody".to_owned(), Value::Null),
        ] {
            let answer = reader.call(method, &path, &body).await;
            assert_eq!(answer.status.as_u16(), 403, "{method} {path}");
            assert_eq!(answer.body["detail"], "this token may only read; ask for one that may also write");
            assert!(answer.header("www-authenticate").contains("insufficient_scope"), "{method} {path}");
        }
        assert_eq!(world.changes().await.len(), changes, "nothing was written");
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName eq \"ann\"" });
        for (method, path, body) in [
            ("GET", "/Users".to_owned(), Value::Null),
            ("GET", format!("/Users/{user}"), Value::Null),
            ("GET", format!("/Groups/{group}"), Value::Null),
            ("GET", "/ServiceProviderConfig".to_owned(), Value::Null),
            ("POST", "/Users/.search".to_owned(), search),
        ] {
            assert_eq!(reader.call(method, &path, &body).await.status.as_u16(), 200, "{method} {path}");
        }
    });
}

#[test]
fn au_04_revoked_between_two_of_many_requests_and_nothing_passes_after() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = world.user("ann").await;
        for round in 0..20 {
            let name = format!("round {round}");
            let token = world.new_token("contoso", &name, 365).await;
            let held = World { token, ..world.clone() };
            let running: Vec<_> = (0..8)
                .map(|number| {
                    let (held, path) = (held.clone(), format!("/Users/{user}"));
                    tokio::spawn(async move {
                        let name = format!("user{round}x{number}");
                        (held.get(&path).await.status, held.call("POST", "/Users", &person(&name)).await.status)
                    })
                })
                .collect();
            let now = world.now();
            world.write(move |tx| provider::revoke_token(tx, "contoso", &name, now)).await;
            let after = held.changes().await.len();
            for _ in 0..4 {
                assert_eq!(held.get(&format!("/Users/{user}")).await.status.as_u16(), 401);
                let late = held.call("POST", "/Users", &person("late")).await;
                assert_eq!(late.status.as_u16(), 401, "{after}");
            }
            for one in running {
                let (read, written) = one.await.unwrap();
                assert!([200, 401].contains(&read.as_u16()) && [201, 401].contains(&written.as_u16()));
            }
        }
    });
}

#[test]
fn au_06_wrong_kind_of_secret_opens_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let client = Client::add(&world, "entra", 60).await;
        let access = client.token(&world).await;
        // Each kind where another belongs.
        for wrong in [&client.secret, &client.id] {
            assert_eq!(World { token: wrong.clone(), ..world.clone() }.get("/Users").await.status.as_u16(), 401);
        }
        for wrong in [&world.token, &access, &client.id] {
            let shown = Client { secret: wrong.clone(), ..client.clone() };
            assert_eq!(shown.ask(&world, "").await.0, 401);
        }
        let swapped = Client { id: client.secret.clone(), secret: client.id.clone() };
        assert_eq!(swapped.ask(&world, "").await.0, 401);
        assert_eq!(World { token: access, ..world.clone() }.get("/Users").await.status.as_u16(), 200);
    });
}

#[test]
fn au_12_token_in_url_opens_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let client = Client::add(&world, "entra", 60).await;
        let token = &world.token;
        for path in [
            format!("/Users?access_token={token}"),
            format!("/Users?token={token}"),
            format!("/Users?Authorization=Bearer+{token}"),
            format!("/{token}/Users"),
            format!("/Users/{token}"),
        ] {
            let request = Request::get(world.address(&path)).body(Body::empty()).unwrap();
            assert_eq!(world.send(request).await.status.as_u16(), 401, "{path}");
        }
        let Client { id, secret } = client;
        let query = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let request = Request::post(format!("/t/contoso/oauth2/token?{query}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("grant_type=client_credentials"));
        assert_eq!(crate::oauth::send(&world, request.unwrap()).await.0, 401);
    });
}

#[test]
fn au_19_disabled_tenant_opens_to_no_credential() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let client = Client::add(&world, "entra", 60).await;
        let issued = World { token: client.token(&world).await, ..world.clone() };
        assert_eq!(issued.get("/Users").await.status.as_u16(), 200);
        let now = world.now();
        world.write(move |tx| provider::suspend_tenant(tx, "contoso", now)).await;
        for held in [&world, &issued] {
            assert_eq!(held.get("/Users").await.status.as_u16(), 403);
            assert_eq!(held.call("POST", "/Users", &person("x")).await.status.as_u16(), 403);
        }
        assert_eq!(client.ask(&world, "").await.0, 403);
        world.write(|tx| provider::resume_tenant(tx, "contoso")).await;
        assert_eq!(issued.get("/Users").await.status.as_u16(), 200);
        world.write(|tx| provider::delete_tenant(tx, "contoso")).await;
        for held in [&world, &issued] {
            assert_eq!(held.get("/Users").await.status.as_u16(), 401);
        }
        assert_eq!(client.ask(&world, "").await.0, 401);
    });
}

#[test]
fn ti_10_actor_origin_the_tenant_is_the_credentials_own() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        other.user("bob").await;
        let client = Client::add(&world, "entra", 60).await;
        let issued = client.token(&world).await;
        for token in [&world.token, &issued] {
            for path in
                ["/Users", "/Users?tenant=fabrikam&tenantId=fabrikam", "/Users?filter=userName%20eq%20%22bob%22"]
            {
                let request = |address: String| {
                    let request = Request::get(address).header(header::AUTHORIZATION, format!("Bearer {token}"));
                    let request = request.header("tenant", "fabrikam").header("x-tenant-id", "fabrikam");
                    request.header("x-original-url", "/t/fabrikam/scim/v2/Users").body(Body::empty()).unwrap()
                };
                let own = world.send(request(world.address(path))).await;
                assert_eq!((own.status.as_u16(), &own.body["totalResults"]), (200, &json!(0)), "{path}");
                let others = world.send(request(other.address(path))).await;
                assert_eq!(others.status.as_u16(), 401, "{path}");
            }
        }
        // The token endpoint of another tenant knows neither the client nor a word about its tenant.
        for extra in ["", "&tenant=contoso", "&resource=contoso"] {
            assert_eq!(client.ask(&other, extra).await.0, 401, "{extra}");
        }
    });
}

#[test]
fn a_use_is_noted_beside_the_request_and_written_later() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let last_used = || async {
            let listed = world.store.read(|tx| provider::tokens(tx, "contoso")).await.unwrap();
            listed[0].last_used
        };
        assert_eq!((last_used().await, world.app.write_token_uses().await.unwrap()), (None, 0));
        let before = world.now();
        let user = world.user("ann").await;
        assert_eq!(last_used().await, None, "the request itself writes nothing of it");
        assert_eq!(world.app.write_token_uses().await.unwrap(), 1);
        let first = last_used().await.unwrap();
        assert!(first >= before);
        // An hour later, by the way that clients go most; a refusal of what was asked for is a use too.
        for path in [format!("/Users/{user}"), "/Users/00000000-0000-7000-8000-000000000000".to_owned()] {
            world.clock.fetch_add(3_600_000, std::sync::atomic::Ordering::Relaxed);
            world.get(&path).await;
            assert_eq!(world.app.write_token_uses().await.unwrap(), 1, "{path}");
        }
        assert!(last_used().await.unwrap().duration_since(first).as_hours() >= 2);
        let wrong = World { token: world.token.replace("lst_", "lst_A").chars().take(47).collect(), ..world.clone() };
        assert_eq!(wrong.get("/Users").await.status.as_u16(), 401);
        assert_eq!(world.app.write_token_uses().await.unwrap(), 0, "what is refused is no use");
    });
}

#[test]
fn a_rotated_token_works_until_its_overlap_ends() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let old = World { token: world.scoped_token("contoso", "entra", 365, Scope::Read).await, ..world.clone() };
        let rotate = |overlap: u16, number: u8| {
            let now = world.now();
            world.write(move |tx| {
                let (id, secret) = (store::version_7(now, [number; 10]).into(), [number; 32]);
                let scope = Scope::Write;
                let request = TokenRequest { tenant: "contoso", name: "entra", id, secret, days: 365, scope };
                provider::rotate_token(tx, &key(), &request, overlap, now)
            })
        };
        let new = World { token: rotate(24, 21).await.text, ..world.clone() };
        for held in [&old, &new] {
            assert_eq!(held.get("/Users").await.status.as_u16(), 200);
        }
        assert_eq!(new.call("POST", "/Users", &person("x")).await.status.as_u16(), 403, "the scope stays");
        world.advance_days(1);
        assert_eq!((old.get("/Users").await.status.as_u16(), new.get("/Users").await.status.as_u16()), (401, 200));
        let newest = World { token: rotate(0, 22).await.text, ..world.clone() };
        assert_eq!((new.get("/Users").await.status.as_u16(), newest.get("/Users").await.status.as_u16()), (401, 200));
    });
}
