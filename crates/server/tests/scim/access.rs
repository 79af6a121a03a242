//! Who gets in, and what one tenant sees of another: nothing.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, header};
use hyper::body::Frame;
use serde_json::{Value, json};
use store::testing::on_both;
use tokio::sync::oneshot;

use crate::world::{GROUP, PATCH, USER, World};

#[test]
fn what_is_answered_without_a_valid_token() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let good = format!("Bearer {}", world.token);
        let cut = good[..good.len() - 1].to_owned();
        for authorization in [
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwYXNz",
            "Bearer null",
            "Bearer lst_",
            &cut,
            &good.replace("lst_", "lst_x"),
            &format!("{good}, {good}"),
            &world.token,
        ] {
            for path in [
                "/Users",
                "/Groups",
                "/Schemas",
                "/ServiceProviderConfig",
                "/Users/x",
                "/nothing",
                "/%55sers",
                "//Users",
                "/./Users;x=1",
                "/Users%2F1",
                "/../../fabrikam/scim/v2/Users",
            ] {
                for method in ["GET", "POST", "TRACE"] {
                    let request = Request::builder()
                        .method(method)
                        .uri(world.address(path))
                        .header(header::AUTHORIZATION, authorization);
                    let answer = world.send(request.body(Body::empty()).unwrap()).await;
                    assert_eq!(answer.status.as_u16(), 401, "{method} {path} with {authorization:?}");
                    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
                }
            }
        }
        let bare = Request::get(world.address(&format!("/Users?access_token={}", world.token))).body(Body::empty());
        assert_eq!(world.send(bare.unwrap()).await.status.as_u16(), 401);
        let twice = world.request("GET", "/Users").header(header::AUTHORIZATION, good.as_str()).body(Body::empty());
        assert_eq!(world.send(twice.unwrap()).await.status.as_u16(), 401);
        let lower = Request::get(world.address("/Users")).header("authorization", good.replace("Bearer", "bearer"));
        assert_eq!(world.send(lower.body(Body::empty()).unwrap()).await.status.as_u16(), 200);
    });
}

/// A body that comes when it is told to, and tells when it is waited for.
struct LateBody {
    awaited: Option<oneshot::Sender<()>>,
    comes: oneshot::Receiver<Bytes>,
}

impl HttpBody for LateBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(awaited) = self.awaited.take() {
            awaited.send(()).unwrap();
        }
        if self.comes.is_terminated() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.comes).poll(context).map(|bytes| Some(Ok(Frame::data(bytes.unwrap()))))
    }
}

#[test]
fn what_ends_between_head_and_body_writes_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let one = format!("/Users/{}", world.user("ann@contoso.example").await);
        let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "title", "value": "x" }] });
        let other = json!({ "schemas": [USER], "userName": "ben@contoso.example" });
        for (method, path, body) in [("POST", "/Users", &other), ("PUT", &one, &other), ("PATCH", &one, &patch)] {
            for (ended, expected) in [("revoked", 401), ("suspended", 403)] {
                let held = World { token: world.new_token("contoso", "held", 1).await, ..world.clone() };
                let ((awaited, is_awaited), (send, comes)) = (oneshot::channel(), oneshot::channel());
                let late = LateBody { awaited: Some(awaited), comes };
                let request = held.request(method, path).header(header::CONTENT_TYPE, "application/scim+json");
                let request = request.body(Body::new(late)).unwrap();
                let sending = tokio::spawn(async move { held.send(request).await.status.as_u16() });
                is_awaited.await.unwrap();
                let now = world.now();
                if ended == "suspended" {
                    world.write(move |tx| provider::suspend_tenant(tx, "contoso", now)).await;
                } else {
                    world.write(move |tx| provider::revoke_token(tx, "contoso", "held", now)).await;
                }
                send.send(Bytes::from(body.to_string())).unwrap();
                assert_eq!(sending.await.unwrap(), expected, "{method} {ended}");
                if ended == "suspended" {
                    world.write(move |tx| provider::resume_tenant(tx, "contoso")).await;
                    world.write(move |tx| provider::revoke_token(tx, "contoso", "held", now)).await;
                }
            }
        }
        let kept = world.get("/Users").await.body;
        assert_eq!(
            (&kept["totalResults"], &kept["Resources"][0]["userName"]),
            (&json!(1), &json!("ann@contoso.example"))
        );
        assert!(kept["Resources"][0]["title"].is_null());
    });
}

#[test]
fn a_token_ends() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let second = World { token: world.new_token("contoso", "second", 1).await, ..world.clone() };
        let third = World { token: world.new_token("contoso", "third", 400).await, ..world.clone() };
        assert_eq!(second.get("/Users").await.status.as_u16(), 200);
        let now = world.now();
        world.write(move |tx| provider::revoke_token(tx, "contoso", "first", now)).await;
        assert_eq!(world.get("/Users").await.status.as_u16(), 401, "revoked");
        world.advance_days(1);
        assert_eq!(second.get("/Users").await.status.as_u16(), 401, "expired");
        world.write(move |tx| provider::suspend_tenant(tx, "contoso", now)).await;
        assert_eq!(third.get("/Users").await.status.as_u16(), 403, "suspended");
        world.write(move |tx| provider::resume_tenant(tx, "contoso")).await;
        assert_eq!(third.get("/Users").await.status.as_u16(), 200, "resumed");
        world.write(move |tx| provider::delete_tenant(tx, "contoso")).await;
        assert_eq!(third.get("/Users").await.status.as_u16(), 401, "deleted");
    });
}

#[test]
fn one_tenant_sees_nothing_of_another() {
    on_both(|store| async {
        let ours = World::new(store, "generic").await;
        let theirs = ours.tenant("fabrikam", "generic").await;
        let (user, mine) = (theirs.user("eve").await, ours.user("ann").await);
        let group = theirs.group("Secret", &[&user]).await;
        let own = ours.group("Own", &[&mine]).await;
        let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "displayName", "value": "x" }] });
        for (kind, id, put) in [
            ("Users", &user, json!({ "schemas": [USER], "userName": "eve" })),
            ("Groups", &group, json!({ "schemas": [GROUP], "displayName": "Secret" })),
        ] {
            for (method, body) in [("GET", &Value::Null), ("PUT", &put), ("PATCH", &patch), ("DELETE", &Value::Null)] {
                let foreign = ours.call(method, &format!("/{kind}/{id}"), body).await;
                let missing = ours.call(method, &format!("/{kind}/0198c2a4-7d1e-7aaa-8bbb-0123456789ab"), body).await;
                assert_eq!((foreign.status.as_u16(), &foreign.body), (404, &missing.body), "{method} {kind}");
            }
            let listed = ours.get(&format!("/{kind}?filter=id+eq+%22{id}%22")).await;
            assert_eq!(listed.body["totalResults"], 0, "{kind}");
            assert_eq!(ours.get(&format!("/{kind}")).await.body["totalResults"], 1, "{kind}");
        }
        assert_eq!(ours.get(&format!("/Groups?filter=members+eq+%22{user}%22")).await.body["totalResults"], 0);
        let add = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }] }] });
        assert_eq!(ours.call("PATCH", &format!("/Groups/{own}"), &add).await.status.as_u16(), 400);
        let crossed = World { tenant: "fabrikam".into(), ..ours.clone() };
        for path in ["/Users".to_owned(), format!("/Users/{user}"), "/Schemas".to_owned(), "/nothing".to_owned()] {
            assert_eq!(crossed.get(&path).await.status.as_u16(), 401, "{path}");
        }
        assert_eq!(ours.user("eve").await.len(), 36, "the same name in another tenant is free");
        assert_eq!(theirs.get(&format!("/Users/{user}")).await.status.as_u16(), 200);
    });
}

#[test]
fn addresses_in_answers_come_from_the_configuration() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": [USER], "userName": "ann" }).to_string();
        let request = world
            .request("POST", "/Users")
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "javascript")
            .header("x-http-method-override", "DELETE")
            .header("content-type", "application/scim+json; charset=utf-8");
        let made = world.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(made.status.as_u16(), 201);
        assert!(made.header("location").starts_with(crate::world::PUBLIC));
        assert!(!made.body.to_string().contains("evil"));
    });
}
