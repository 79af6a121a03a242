//! What the log says of secrets, with everything switched on: nothing (AU-13).

use std::fmt::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use http::Request;
use serde_json::json;
use store::testing::on_both;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::send::{encoded, operations, raw, user};
use crate::world::{USER, World};

/// What must not be in the log, and what was.
static CANARIES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static SEEN: AtomicU64 = AtomicU64::new(0);

/// Reads every event and span of the whole program, down to the finest.
struct Watch;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").expect("a text takes text");
    }
}

fn look(metadata: &Metadata<'_>, text: &Text) {
    SEEN.fetch_add(1, Ordering::Relaxed);
    if CANARIES.lock().unwrap().iter().any(|canary| text.0.contains(canary.as_str())) {
        FOUND.lock().unwrap().push(format!("{}: {}", metadata.target(), text.0));
    }
}

impl Subscriber for Watch {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(String::new());
        span.record(&mut text);
        look(span.metadata(), &text);
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        if CANARIES.lock().unwrap().iter().any(|canary| text.0.contains(canary.as_str())) {
            FOUND.lock().unwrap().push(text.0);
        }
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        look(event.metadata(), &text);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Sends secrets wherever a client could put one, well and badly.
async fn plant(world: &World, canary: &str) {
    let bearer = format!("Bearer {}", world.token);
    let made = world.call("POST", "/Users", &user("ann", "password", &json!(canary))).await;
    let path = format!("/Users/{}", made.id());
    world.call("PUT", &path, &user("ann", "password", &json!(canary))).await;
    world.call("PATCH", &path, &operations(&json!([{ "op": "replace", "path": "password", "value": canary }]))).await;
    world.call("POST", "/Users", &user("ann", "password", &json!([canary]))).await;
    world.call("POST", "/Users", &user("", "password", &json!(canary))).await;
    raw(world, "POST", "/Users", format!("{{\"password\":\"{canary}\",")).await;
    raw(world, "POST", "/Users", format!("{canary}\0")).await;
    world.get(&format!("/Users?filter={}", encoded(&format!("password eq \"{canary}\"")))).await;
    world.get(&format!("/Users?access_token={}&token={canary}", world.token)).await;
    world.get(&format!("/{canary}")).await;
    for authorization in [
        format!("Bearer {canary}"),
        format!("Bearer lst_{canary}"),
        format!("Basic {canary}"),
        canary.to_owned(),
        world.token.clone(),
        format!("{bearer}x"),
        format!("{bearer}, {bearer}"),
        bearer.to_uppercase(),
    ] {
        for method in ["GET", "POST", "BREW"] {
            let request =
                Request::builder().method(method).uri(world.address("/Users")).header("authorization", &authorization);
            let request =
                request.header("content-type", "application/json").header("cookie", canary).header("x-api-key", canary);
            let refused = world.send(request.body(Body::from(canary.to_owned())).unwrap()).await;
            assert!(!refused.body.to_string().contains(canary), "{method}");
        }
    }
    let unread =
        world.request("POST", "/Users").header("content-type", canary).body(Body::from(canary.to_owned())).unwrap();
    assert_eq!(world.send(unread).await.status.as_u16(), 415);
    assert_eq!(
        world.call("POST", "/Users", &json!({ "schemas": [USER], "userName": "ann" })).await.status.as_u16(),
        409
    );
}

#[test]
fn au_13_no_secret_is_in_the_log_at_any_level() {
    tracing::subscriber::set_global_default(Watch).expect("nobody else watches");
    tracing::trace!("the log is read");
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let canary = "Canary0f0Secret0Value";
        let secret = world.token.strip_prefix("lst_").unwrap();
        CANARIES.lock().unwrap().extend([canary.to_owned(), secret.to_owned(), secret[6..].to_owned()]);
        plant(&world, canary).await;
    });
    assert!(SEEN.load(Ordering::Relaxed) > 0, "the log was read");
    tracing::info!(secret = "Canary0f0Secret0Value", "what is told on purpose is found");
    let found = std::mem::take(&mut *FOUND.lock().unwrap());
    assert_eq!(found.len(), 1, "{found:#?}");
}
