//! What of reading takes a turn, and what does not.

use axum::body::Body;
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use provider::{Scope, TenantError, TenantSettings, TokenKey, TokenRequest};
use serde_json::{Value, json};
use store::testing::on_both;
use store::{Store, TenantKey};
use tower::ServiceExt as _;

use super::*;
use crate::{AppParts, Guard};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A server with one tenant, that tenant, and its token.
async fn server(store: Store) -> (App, TenantKey, String) {
    let key = TokenKey::new([3; 32]);
    let made = store.write({
        let key = key.clone();
        move |tx| tenant(tx, &key)
    });
    let (tenant, token) = made.await.expect("a tenant is made");
    let parts = AppParts {
        store,
        token_key: key,
        clock: Box::new(|| NOW),
        ids: Box::new(|at| store::version_7(at, [2; 10]).into()),
        random: Box::new(|bytes| bytes.fill(7)),
        fetch: Box::new(|_| Box::pin(async { Err("nothing answers".to_owned()) })),
        public_url: "https://scim.example".to_owned(),
    };
    (App::new(parts), tenant, token)
}

fn tenant(tx: &mut WriteTx<'_>, key: &TokenKey) -> Result<(TenantKey, String), TenantError> {
    provider::create_tenant(tx, "acme", "generic", &TenantSettings::default(), NOW)?;
    let id = store::version_7(NOW, [1; 10]).into();
    let request = TokenRequest { tenant: "acme", name: "t", id, secret: [1; 32], days: 1, scope: Scope::Write };
    let token = provider::create_token(tx, key, &request, NOW)?.text;
    let caller = provider::authenticate(tx, key, &token, NOW).expect("a new token is valid");
    Ok((caller.tenant(), token))
}

async fn send(service: &Guard, token: &str, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/t/acme/scim/v2{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/scim+json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let answer = service.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let (status, bytes) = (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes());
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Terms on a part of `emails`, as a client writes them in an address.
fn terms(count: usize) -> String {
    (0..count).map(|number| format!("value%20co%20%22z{number}%22")).collect::<Vec<_>>().join("%20or%20")
}

/// One that compares for a twentieth of a second kept every other request on its thread waiting.
#[test]
fn what_compares_much_takes_a_turn_and_what_is_asked_most_takes_none() {
    on_both(|store| async {
        let (app, tenant, token) = server(store).await;
        let service = crate::service(app.clone());
        let emails = json!([{ "value": "z0@contoso.example" }, { "value": "b@contoso.example" }]);
        let ann = json!({ "schemas": [scim::USER_URN], "userName": "ann", "emails": emails });
        let (status, made) = send(&service, &token, Method::POST, "/Users", &ann).await;
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().unwrap();
        let (few, many) = (terms(COMPARISONS_AT_ONCE_MAX), terms(COMPARISONS_AT_ONCE_MAX + 1));
        let asked = [
            (format!("/Users/{id}"), false),
            (format!("/Users/{id}?attributes=emails%5B{few}%5D"), false),
            (format!("/Users/{id}?attributes=emails%5B{many}%5D"), true),
            (format!("/Users/{id}?excludedAttributes=emails%5B{many}%5D"), true),
            ("/Users?filter=userName%20eq%20%22ann%22".to_owned(), false),
            (format!("/Users?filter=userName%20eq%20%22ann%22&attributes=emails%5B{few}%5D"), false),
            (format!("/Users?filter=userName%20eq%20%22ann%22&attributes=emails%5B{many}%5D"), true),
            ("/Users?filter=userName%20eq%20%22ann%22%20and%20active%20pr".to_owned(), false),
            (format!("/Users?filter=userName%20eq%20%22ann%22%20and%20emails%5B{many}%5D"), true),
            ("/Users?filter=userName%20co%20%22ann%22".to_owned(), true),
        ];
        for (path, _) in &asked {
            let (status, told) = send(&service, &token, Method::GET, path, &Value::Null).await;
            assert_eq!(status, 200, "{path}: {told}");
            assert!(told.get("totalResults").is_none_or(|total| *total == 1 || *total == 0), "{path}: {told}");
        }
        app.room().end_turns(tenant);
        for (path, takes_turn) in &asked {
            let (status, _) = send(&service, &token, Method::GET, path, &Value::Null).await;
            assert_eq!(status, if *takes_turn { 500 } else { 200 }, "{path}");
        }
        // Who is refused has changed nothing.
        let title = |title: &str| json!([{ "op": "replace", "path": "title", "value": title }]);
        let one = format!("/Users/{id}");
        for (terms, to, expected) in [(&many, "refused", 500), (&few, "done", 200)] {
            let patch = json!({ "schemas": [scim::PATCH_OP_URN], "Operations": title(to) });
            let whole = json!({ "schemas": [scim::USER_URN], "userName": "ann", "title": to });
            for (method, body) in [(Method::PATCH, patch), (Method::PUT, whole)] {
                let address = format!("{one}?attributes=emails%5B{terms}%5D");
                let (status, _) = send(&service, &token, method.clone(), &address, &body).await;
                assert_eq!(status, expected, "{method} {address}");
                let (_, told) = send(&service, &token, Method::GET, &one, &Value::Null).await;
                assert_ne!(told["title"], "refused", "{method}");
            }
        }
        let bob = json!({ "schemas": [scim::USER_URN], "userName": "bob" });
        let address = format!("/Users?attributes=emails%5B{many}%5D");
        assert_eq!(send(&service, &token, Method::POST, &address, &bob).await.0, 500);
        let path = "/Users?filter=userName%20eq%20%22bob%22";
        let (_, found) = send(&service, &token, Method::GET, path, &Value::Null).await;
        assert_eq!(found["totalResults"], 0, "{found}");
    });
}
