//! The token endpoint with client secrets: RFC 6749 §2.3.1, §4.4 and §5.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use provider::oauth::{self, ACCESS_TOKENS_MAX, ClientRequest, SecretRequest};
use provider::{Scope, TenantError};
use serde_json::{Value, json};
use server::FORM_BYTES_MAX;
use store::testing::on_both;
use tower::ServiceExt;

use crate::world::{USER, World, key};

const FORM: &str = "application/x-www-form-urlencoded";

/// A client with its secret.
#[derive(Clone)]
pub struct Client {
    pub id: String,
    pub secret: String,
}

/// Sends a request of a token; gives status, headers and body.
pub async fn send(world: &World, request: Request<Body>) -> (u16, HeaderMap, Value) {
    let (parts, body) = world.service.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert_eq!(parts.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(body["error"].is_string(), parts.status.as_u16() >= 400, "{body}");
    (parts.status.as_u16(), parts.headers, body)
}

/// Posts a form to the token endpoint of a tenant.
pub async fn post(world: &World, form: String) -> (u16, HeaderMap, Value) {
    let request = Request::post(format!("/t/{}/oauth2/token", world.tenant)).header(header::CONTENT_TYPE, FORM);
    send(world, request.body(Body::from(form)).unwrap()).await
}

fn a_secret(world: &World, number: u8, days: u16) -> SecretRequest {
    let now = world.now();
    let mut secret = [number; 32];
    secret[8..16].copy_from_slice(&now.as_millisecond().to_be_bytes());
    SecretRequest { id: store::version_7(now, [number; 10]).into(), secret, days }
}

impl Client {
    pub async fn add(world: &World, name: &str, token_minutes: u16) -> Self {
        Self::scoped(world, name, token_minutes, Scope::Write).await
    }

    pub async fn scoped(world: &World, name: &str, token_minutes: u16, scope: Scope) -> Self {
        let (tenant, name, now) = (world.tenant.clone(), name.to_owned(), world.now());
        let secret = a_secret(world, 11, 365);
        let made = world.write(move |tx| {
            let id = store::version_7(now, [5; 10]).into();
            let request = ClientRequest { tenant: &tenant, name: &name, id, scope, token_minutes };
            oauth::add_client(tx, &key(), &request, Some(&secret), now)
        });
        let made = made.await;
        Self { id: made.record.id.to_string(), secret: made.secret.unwrap().text }
    }

    /// Asks for a token with the secret in the form; `extra` is appended.
    pub async fn ask(&self, world: &World, extra: &str) -> (u16, Value) {
        let Self { id, secret } = self;
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}{extra}");
        let (status, _, body) = post(world, form).await;
        (status, body)
    }

    pub async fn token(&self, world: &World) -> String {
        let (status, body) = self.ask(world, "").await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }
}

fn with(world: &World, token: String) -> World {
    World { token, ..world.clone() }
}

#[test]
fn a_client_gets_a_token_by_form_or_header_and_it_works_as_long_as_it_says() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let client = Client::add(&world, "entra", 90).await;
        let (status, body) = client.ask(&world, "").await;
        assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(5400)));
        assert_eq!(body["scope"], "read write");
        let basic = STANDARD.encode(format!("{}:{}", client.id.replace('-', "%2D"), client.secret));
        let request = Request::post("/t/contoso/oauth2/token/")
            .header(header::CONTENT_TYPE, format!("{FORM}; charset=utf-8"))
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .body(Body::from("grant_type=client_credentials"));
        let (status, _, by_header) = send(&world, request.unwrap()).await;
        assert_eq!(status, 200, "{by_header}");
        for issued in [&body, &by_header] {
            let issued = with(&world, issued["access_token"].as_str().unwrap().to_owned());
            assert_eq!(issued.get("/Users").await.status.as_u16(), 200);
        }
        let issued = with(&world, body["access_token"].as_str().unwrap().to_owned());
        issued.user("by-access-token").await;
        world.clock.fetch_add(90 * 60_000, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(issued.get("/Users").await.status.as_u16(), 401);
    });
}

/// RFC 6749 §5.2: whoever tried the header is told which scheme there is.
#[test]
fn another_way_to_authenticate_is_answered_with_the_one_there_is() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let client = Client::add(&world, "entra", 60).await;
        let own = |id: &str| STANDARD.encode(format!("{id}:{}", client.secret));
        for authorization in [
            "Bearer x".to_owned(),
            format!("Bearer {}", world.token),
            "Digest username=\"x\"".to_owned(),
            "Basic".to_owned(),
            "Basic !".to_owned(),
            format!("Basic {}", STANDARD.encode("no-colon")),
            format!("Basic {}", STANDARD.encode(b"\xff:x")),
            format!("Basic {}", own(&client.id.to_uppercase())),
        ] {
            for form in [
                "grant_type=client_credentials".to_owned(),
                format!("grant_type=client_credentials&client_id={}", client.id),
            ] {
                let request = Request::post("/t/contoso/oauth2/token")
                    .header(header::CONTENT_TYPE, FORM)
                    .header(header::AUTHORIZATION, &authorization)
                    .body(Body::from(form));
                let (status, headers, body) = send(&world, request.unwrap()).await;
                if authorization.starts_with("Basic ") && status == 400 {
                    assert_eq!(body["error"], "invalid_request", "a client id beside another");
                    continue;
                }
                assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "{authorization}");
                assert_eq!(headers[header::WWW_AUTHENTICATE], "Basic realm=\"SCIM\"", "{authorization}");
            }
        }
        let capitals = Client { id: client.id.to_uppercase(), ..client.clone() };
        let (status, body) = capitals.ask(&world, "").await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
        assert_eq!(client.ask(&world, "").await.0, 200);
    });
}

#[test]
fn what_a_request_for_a_token_must_say() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let client = Client::add(&world, "entra", 60).await;
        let (id, secret) = (client.id.as_str(), client.secret.as_str());
        let own = format!("client_id={id}&client_secret={secret}");
        let grant = "grant_type=client_credentials";
        let jwt_type = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        for (form, expected_status, expected) in [
            (format!("{grant}&{own}"), 200, Value::Null),
            (own.clone(), 400, json!("invalid_request")),
            (format!("grant_type=&{own}"), 400, json!("invalid_request")),
            (format!("{grant}&{grant}&{own}"), 400, json!("invalid_request")),
            (format!("grant_type=password&{own}"), 400, json!("unsupported_grant_type")),
            (format!("grant_type=authorization_code&{own}"), 400, json!("unsupported_grant_type")),
            (grant.to_owned(), 401, json!("invalid_client")),
            (format!("{grant}&client_id={id}"), 401, json!("invalid_client")),
            (format!("{grant}&client_id={id}&client_secret=x"), 401, json!("invalid_client")),
            (format!("{grant}&client_id=x&client_secret={secret}"), 401, json!("invalid_client")),
            (
                format!("{grant}&client_id={id}&client_secret={}", secret.replace('C', "D")),
                401,
                json!("invalid_client"),
            ),
            (format!("{grant}&{own}&client_assertion=x&{jwt_type}"), 400, json!("invalid_request")),
            (format!("{grant}&client_assertion=x"), 400, json!("invalid_request")),
            (format!("{grant}&client_assertion=x&{jwt_type}"), 401, json!("invalid_client")),
            (format!("{grant}&{own}&scope=admin"), 400, json!("invalid_scope")),
            (format!("{grant}&{own}&x=%ff"), 400, json!("invalid_request")),
            (format!("{grant}&{own}&x={}", "x".repeat(FORM_BYTES_MAX)), 413, json!("invalid_request")),
        ] {
            let (status, headers, body) = post(&world, form.clone()).await;
            let shown = &form[..form.len().min(300)];
            assert_eq!((status, &body["error"]), (expected_status, &expected), "{shown}: {body}");
            assert_eq!(headers.contains_key(header::WWW_AUTHENTICATE), status == 401, "{shown}");
            let told = body["error_description"].as_str().unwrap_or_default();
            assert!(!told.contains(secret) && !told.contains(id), "{told}");
        }
        let json = Request::post("/t/contoso/oauth2/token").header(header::CONTENT_TYPE, "application/json");
        assert_eq!(send(&world, json.body(Body::from("{}")).unwrap()).await.0, 400);
        let get = Request::get("/t/contoso/oauth2/token").body(Body::empty()).unwrap();
        let (status, headers, _) = send(&world, get).await;
        assert_eq!((status, &headers["allow"]), (405, &header::HeaderValue::from_static("POST")));
    });
}

/// RFC 6749 appendix B, RFC 9110 §8.4.
#[test]
fn a_form_is_in_utf_8_and_not_compressed() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let Client { id, secret } = Client::add(&world, "entra", 60).await;
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        for (media_type, coding, expected) in [
            (FORM, "", 200),
            (FORM, "identity", 200),
            ("APPLICATION/x-www-form-urlencoded;Charset=\"UTF-8\"", "", 200),
            ("application/x-www-form-urlencoded; charset=iso-8859-1", "", 400),
            ("application/x-www-form-urlencoded; charset=utf-16", "", 400),
            ("application/x-www-form-urlencoded, text/plain", "", 400),
            (FORM, "gzip", 415),
            (FORM, "identity, br", 415),
            ("application/json", "gzip", 415),
        ] {
            let mut request = Request::post("/t/contoso/oauth2/token").header(header::CONTENT_TYPE, media_type);
            if !coding.is_empty() {
                request = request.header(header::CONTENT_ENCODING, coding);
            }
            let (status, headers, body) = send(&world, request.body(form.clone().into()).unwrap()).await;
            assert_eq!(status, expected, "{media_type} {coding}: {body}");
            let accepted = headers.get(header::ACCEPT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(accepted, (status == 415).then_some("identity"), "{media_type} {coding}");
            assert!(status == 200 || body["error"] == "invalid_request", "{media_type} {coding}: {body}");
        }
    });
}

#[test]
fn a_scope_is_a_part_of_what_the_client_may() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let writer = Client::add(&world, "writer", 60).await;
        let other = world.tenant("fabrikam", "generic").await;
        let reader = Client::scoped(&other, "reader", 60, Scope::Read).await;
        for (client, world, asked, expected) in [
            (&writer, &world, "", Some("read write")),
            (&writer, &world, "&scope=read", Some("read")),
            (&writer, &world, "&scope=write", Some("read write")),
            (&writer, &world, "&scope=read+write", Some("read write")),
            (&writer, &world, "&scope=write%20read", Some("read write")),
            (&reader, &other, "", Some("read")),
            (&reader, &other, "&scope=read", Some("read")),
            (&reader, &other, "&scope=write", None),
            (&reader, &other, "&scope=read+write", None),
        ] {
            let (status, body) = client.ask(world, asked).await;
            assert_eq!(
                (status, body["scope"].as_str()),
                (if expected.is_some() { 200 } else { 400 }, expected),
                "{asked}"
            );
            let Some(scope) = expected else { continue };
            let issued = with(world, body["access_token"].as_str().unwrap().to_owned());
            let made = issued
                .call("POST", "/Users", &json!({ "schemas": [USER], "userName": format!("user{}", asked.len()) }))
                .await;
            assert_eq!(made.status.as_u16(), if scope == "read" { 403 } else { 201 }, "{asked}");
        }
    });
}

/// Gets or clears what the tenant defines; gives the status.
pub async fn define(world: &World, token: &str, method: &str) -> u16 {
    let request = Request::builder().method(method).uri(format!("/t/{}/schema", world.tenant));
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    world.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
}

#[test]
fn a_client_for_schemas_opens_those_and_nothing_else() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let definer = Client::scoped(&world, "definer", 60, Scope::Schemas).await;
        let writer = world.tenant("fabrikam", "generic").await;
        let connector = Client::add(&writer, "connector", 60).await;
        for (client, world, asked, is_given) in [
            (&definer, &world, "", true),
            (&definer, &world, "&scope=schemas", true),
            (&definer, &world, "&scope=schemas+schemas", true),
            (&definer, &world, "&scope=read", false),
            (&definer, &world, "&scope=read+write", false),
            (&definer, &world, "&scope=schemas+read", false),
            (&definer, &world, "&scope=write+schemas", false),
            (&connector, &writer, "&scope=schemas", false),
            (&connector, &writer, "&scope=read+schemas", false),
        ] {
            let (status, body) = client.ask(world, asked).await;
            if !is_given {
                assert_eq!((status, &body["error"]), (400, &json!("invalid_scope")), "{asked}");
                continue;
            }
            assert_eq!((status, &body["scope"]), (200, &json!("schemas")), "{asked}: {body}");
            let token = body["access_token"].as_str().unwrap();
            assert_eq!((define(world, token, "GET").await, define(world, token, "DELETE").await), (200, 200));
            let users = with(world, token.to_owned()).get("/Users").await;
            assert_eq!((users.status.as_u16(), define(&writer, token, "GET").await), (403, 401));
        }
        let token = connector.token(&writer).await;
        assert_eq!(define(&writer, &token, "GET").await, 403);
        let token = definer.token(&world).await;
        world.write(|tx| oauth::remove_client(tx, ("contoso", "definer"))).await;
        assert_eq!(define(&world, &token, "GET").await, 401, "it goes with its client");
    });
}

#[test]
fn two_secrets_are_valid_at_once_and_what_goes_takes_its_tokens_along() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let first = Client::add(&world, "entra", 60).await;
        let add = |number: u8, days: u16| {
            let (request, now) = (a_secret(&world, number, days), world.now());
            let names = ("contoso", "entra");
            world.store.write(move |tx| oauth::add_secret(tx, &key(), names, &request, now))
        };
        assert!(matches!(add(12, oauth::SECRET_DAYS_MAX + 1).await, Err(TenantError::BadSecretDays)));
        let second = Client { secret: add(12, oauth::SECRET_DAYS_MAX).await.unwrap().text, ..first.clone() };
        assert!(matches!(add(13, 1).await, Err(TenantError::TooManySecrets(_))));
        let (by_first, by_second) = (with(&world, first.token(&world).await), with(&world, second.token(&world).await));
        let begins = first.secret[..10].to_owned();
        world.write(move |tx| oauth::revoke_secret(tx, ("contoso", "entra"), &begins)).await;
        assert_eq!((first.ask(&world, "").await.0, by_first.get("/Users").await.status.as_u16()), (401, 401));
        assert_eq!((second.ask(&world, "").await.0, by_second.get("/Users").await.status.as_u16()), (200, 200));
        // One that has expired makes room.
        add(14, 1).await.unwrap();
        world.advance_days(2);
        assert_eq!(second.ask(&world, "").await.0, 200);
        add(15, 1).await.unwrap();
        let by_second = with(&world, second.token(&world).await);
        world.write(|tx| oauth::remove_client(tx, ("contoso", "entra"))).await;
        assert_eq!((second.ask(&world, "").await.0, by_second.get("/Users").await.status.as_u16()), (401, 401));
    });
}

#[test]
fn a_client_that_asks_too_often_loses_its_oldest_tokens() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let client = Client::add(&world, "entra", 60).await;
        let first = with(&world, client.token(&world).await);
        let second = with(&world, client.token(&world).await);
        for _ in 2..ACCESS_TOKENS_MAX {
            client.token(&world).await;
        }
        assert_eq!(first.get("/Users").await.status.as_u16(), 200);
        client.token(&world).await;
        assert_eq!((first.get("/Users").await.status.as_u16(), second.get("/Users").await.status.as_u16()), (401, 200));
    });
}

#[test]
fn what_an_administrator_may_ask_for() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let now = world.now();
        for (name, minutes, is_right) in
            [("a", 59, false), ("a", 60, true), ("a", 60, false), ("b", 360, true), ("c", 361, false), ("", 60, false)]
        {
            let made = world.store.write(move |tx| {
                let id = store::version_7(now, [u8::try_from(minutes % 251).unwrap(); 10]).into();
                let scope = Scope::Write;
                let request = ClientRequest { tenant: "contoso", name, id, scope, token_minutes: minutes };
                oauth::add_client(tx, &key(), &request, None, now)
            });
            assert_eq!(made.await.is_ok(), is_right, "{name:?} {minutes}");
        }
        let many = world.store.write(move |tx| {
            let mut made = 0;
            for number in 0..=u8::try_from(oauth::CLIENTS_MAX).unwrap() {
                let random = [0, 0, 0, 0, 0, 0, 0, 0, 1, number];
                let (id, name) = (store::version_7(now, random).into(), format!("many {number}"));
                let scope = Scope::Read;
                let request = ClientRequest { tenant: "contoso", name: &name, id, scope, token_minutes: 61 };
                match oauth::add_client(tx, &key(), &request, None, now) {
                    Ok(_) => made += 1,
                    Err(error) => assert!(matches!(error, TenantError::TooManyClients(_)), "{error}"),
                }
            }
            Ok::<_, TenantError>(made)
        });
        assert_eq!(many.await.unwrap(), oauth::CLIENTS_MAX - 2);
    });
}
