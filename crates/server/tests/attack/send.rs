//! Sending what no honest client would, and what must come back.

use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{Answer, PATCH, USER, World};

/// Sends bytes as JSON.
pub async fn raw(world: &World, method: &str, path: &str, body: impl Into<Body>) -> Answer {
    let request = world.request(method, path).header("content-type", "application/scim+json");
    world.send(request.body(body.into()).unwrap()).await
}

/// Checks that a request is refused with 400 and this keyword.
#[track_caller]
pub fn check_refused(name: &str, answer: &Answer, scim_type: &str) {
    assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!(scim_type)), "{name}: {}", answer.body);
}

/// A user with this attribute besides a name.
pub fn user(name: &str, attribute: &str, value: &Value) -> Value {
    let mut body = json!({ "schemas": [USER], "userName": name });
    body[attribute] = value.clone();
    body
}

/// A PATCH of these operations.
pub fn operations(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}

/// How many users the tenant has.
pub async fn count(world: &World) -> u64 {
    world.get("/Users?count=0").await.body["totalResults"].as_u64().unwrap()
}

/// A text as a part of a query.
pub fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
