//! How a flow is written: one request with its answer a line, `["habit", "METHOD /path", body, status, {pointer: value}, {name: pointer}]`.
//!
//! The status may be a list of those that are right. Values of the answer are named by JSON pointer, null where there must be none, or
//! `"@header"`. What the last column takes out of an answer is put in place of `{name}` in the lines after it. A list as the body of a
//! PATCH is its operations; a body without `schemas` gets the core schema. Blanks and quotation marks in a query are encoded as in a form.
//! Lines that begin with `#` are headings.

use std::collections::BTreeMap;

use provider::TenantSettings;
use serde_json::{Map, Value, json};
use store::Store;

use crate::world::{ENTERPRISE, GROUP, PATCH, USER, World};

/// Entra's second schema of groups, which nobody else knows.
const ADSCIM: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

type Line = (String, String, Value, Value, Map<String, Value>, BTreeMap<String, String>);

/// A tenant of a vendor whose application is matched with groups by their names.
pub async fn vendor(store: Store) -> World {
    let world = World::new(store, "generic").await;
    let now = world.now();
    let settings = TenantSettings { unique_group_names: Some(true), ..TenantSettings::default() };
    world.write(move |tx| provider::create_tenant(tx, "vendor", "generic", &settings, now)).await;
    let token = world.new_token("vendor", "first", 365).await;
    World { tenant: "vendor".to_owned(), token, ..world }
}

/// Tells a flow to a tenant.
pub async fn tell(world: &World, flow: &str) {
    let mut names: BTreeMap<String, String> = [
        ("USER", USER),
        ("ENT", ENTERPRISE),
        ("GROUP", GROUP),
        ("PATCH", PATCH),
        ("ADSCIM", ADSCIM),
        ("LIST", LIST),
        ("ERROR", ERROR),
        ("BASE", &format!("{}{}", crate::world::PUBLIC, world.address(""))),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for text in flow.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let filled =
            names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        let line = read(&filled);
        let answer = send(world, &line).await;
        for (name, pointer) in line.5 {
            let found = answer.pointer(&pointer).and_then(Value::as_str);
            names.insert(name, found.unwrap_or_else(|| panic!("{}: {pointer} of {answer}", line.0)).to_owned());
        }
    }
}

fn read(text: &str) -> Line {
    let mut columns: Vec<Value> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    columns.resize(6, json!({}));
    serde_json::from_value(Value::Array(columns)).unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn send(world: &World, (habit, request, body, status, expected, _): &Line) -> Value {
    let (method, path) = request.split_once(' ').unwrap();
    let answer = world.call(method, &encoded(path), &whole(method, path, body)).await;
    let right = match status {
        Value::Array(several) => several.contains(&answer.status.as_u16().into()),
        one => *one == answer.status.as_u16(),
    };
    assert!(right, "{habit}: {request} answers {}: {}", answer.status, answer.body);
    if !answer.body.is_null() {
        assert_eq!(answer.header("content-type"), "application/scim+json", "{habit}");
    }
    for (place, value) in expected {
        let found = match place.strip_prefix('@') {
            Some(name) => answer.headers.get(name).map(|value| value.to_str().unwrap().into()),
            None => answer.body.pointer(place).cloned(),
        };
        assert_eq!(found.unwrap_or_default(), *value, "{habit}: {place} of {}", answer.body);
    }
    answer.body
}

/// As in a form: the HTTP library takes neither blanks nor quotation marks.
fn encoded(path: &str) -> String {
    path.replace(' ', "+").replace('"', "%22")
}

/// The body with what every body has.
fn whole(method: &str, path: &str, body: &Value) -> Value {
    let mut body = body.clone();
    if let (Value::Array(operations), "PATCH") = (&body, method) {
        return json!({ "schemas": [PATCH], "Operations": operations });
    }
    if let Some(object) = body.as_object_mut().filter(|object| !object.contains_key("schemas") && method != "PATCH") {
        let core = if path.starts_with("/Groups") { GROUP } else { USER };
        object.insert("schemas".to_owned(), json!([core]));
    }
    body
}

/// A table that could not fail would show nothing.
#[test]
fn a_flow_fails_where_the_answer_is_another() {
    let flows = [
        r#"["another status", "GET /Users", null, 404]"#,
        r#"["another value", "GET /Users", null, 200, {"/totalResults": 1}]"#,
        r#"["another header", "GET /Users", null, 200, {"@content-type": "text/plain"}]"#,
        r#"["nothing to keep", "GET /Users", null, 200, {}, {"id": "/id"}]"#,
    ];
    for flow in flows {
        let told = std::panic::catch_unwind(|| {
            store::testing::on_both(|store| async { tell(&vendor(store).await, flow).await });
        });
        assert!(told.is_err(), "{flow}");
    }
}
