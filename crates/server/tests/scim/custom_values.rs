//! Attributes of every mix of characteristics, generated: what POST, GET, PUT, PATCH and filters make of each is said by one oracle.

use serde_json::{Map, Value, json};
use store::testing::on_both;

use crate::world::{PATCH, World};

const KINDS: [&str; 8] = ["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"];
const MUTABILITIES: [&str; 4] = ["readOnly", "readWrite", "immutable", "writeOnly"];
const RETURNS: [&str; 4] = ["always", "never", "default", "request"];

/// One attribute of the mix.
#[derive(Clone, Copy)]
struct Mixed {
    kind: &'static str,
    multi: bool,
    exact: bool,
    mutability: &'static str,
    returned: &'static str,
    required: bool,
}

impl Mixed {
    fn name(self) -> String {
        format!("{}{}{}", self.kind, if self.multi { "List" } else { "" }, if self.exact { "Exact" } else { "" })
    }

    fn definition(self, unique: bool) -> Value {
        let mut definition = json!({
            "name": self.name(), "type": self.kind, "multiValued": self.multi, "caseExact": self.exact,
            "mutability": self.mutability, "returned": self.returned, "required": self.required,
            "uniqueness": if unique { "server" } else { "none" },
        });
        if self.kind == "complex" {
            definition["subAttributes"] =
                json!([{ "name": "value", "caseExact": self.exact }, { "name": "size", "type": "integer" }]);
        }
        definition
    }

    /// A value of the attribute, another for each number.
    fn value(self, number: usize) -> Value {
        let one = match self.kind {
            "boolean" => json!(number.is_multiple_of(2)),
            "decimal" => json!(f64::from(u32::try_from(number).unwrap()) + 0.5),
            "integer" => json!(number),
            "dateTime" => json!(format!("2026-01-01T00:00:{number:02}.5Z")),
            "reference" => json!(format!("https://a.example/Ab{number}")),
            "binary" => json!(format!("QUJ{}", char::from(b'A' + u8::try_from(number % 26).unwrap()))),
            "complex" => json!({ "value": format!("Ab{number}"), "size": number }),
            _ => json!(format!("Ab{number}")),
        };
        if self.multi { json!([one]) } else { one }
    }

    fn is_settable(self) -> bool {
        self.mutability != "readOnly"
    }

    /// Whether it is ever answered.
    fn is_shown(self) -> bool {
        self.is_settable() && self.mutability != "writeOnly" && self.returned != "never"
    }

    /// What a filter compares it with.
    fn literal(self, number: usize) -> String {
        let value = self.value(number);
        let one = if self.multi { value[0].clone() } else { value };
        if self.kind == "complex" { one["value"].to_string() } else { one.to_string() }
    }
}

/// All attributes of the same mutability, returned and required.
fn mix(mutability: &'static str, returned: &'static str, required: bool) -> Vec<Mixed> {
    let mut mix = Vec::new();
    for kind in KINDS {
        for multi in [false, true] {
            for exact in [false, true] {
                // Case counts for text only; of these two it always does.
                if matches!(kind, "string" | "complex") || exact == matches!(kind, "reference" | "binary") {
                    mix.push(Mixed { kind, multi, exact, mutability, returned, required });
                }
            }
        }
    }
    mix
}

fn urn(name: &str) -> String {
    format!("urn:example:schemas:1.0:{name}")
}

fn body(name: &str, mix: &[Mixed], number: usize) -> Value {
    let mut body = json!({ "schemas": [urn(name)] });
    body.as_object_mut().unwrap().extend(mix.iter().map(|one| (one.name(), one.value(number))));
    body
}

/// What an answer must hold of a resource whose values have this number.
fn expected(mix: &[Mixed], number: usize, is_write: bool) -> Map<String, Value> {
    let shown = mix.iter().filter(|one| one.is_shown() && (one.returned != "request" || is_write));
    shown.map(|one| (one.name(), one.value(number))).collect()
}

fn without_common(body: &Value) -> Map<String, Value> {
    let mut body = body.as_object().unwrap().clone();
    body.retain(|name, _| !["schemas", "id", "meta"].contains(&name.as_str()));
    body
}

#[test]
fn every_mix_does_what_it_says() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (mut schemas, mut types, mut mixes) = (Vec::new(), Vec::new(), Vec::new());
        for mutability in MUTABILITIES {
            for returned in RETURNS {
                for required in [false, true] {
                    let name = format!("{mutability}-{returned}-{required}").replace(':', "");
                    let mix = mix(mutability, returned, required);
                    let attributes: Vec<Value> = mix.iter().map(|one| one.definition(false)).collect();
                    schemas.push(json!({ "id": urn(&name), "attributes": attributes }));
                    types.push(json!({ "name": name, "endpoint": format!("/{name}"), "schema": urn(&name) }));
                    mixes.push((name, mix));
                }
            }
        }
        world.define(&json!({ "schemas": schemas, "resourceTypes": types })).await;
        for (name, mix) in mixes {
            check_resource(&world, &name, &mix).await;
        }
    });
}

async fn check_resource(world: &World, name: &str, mix: &[Mixed]) {
    let made = world.call("POST", &format!("/{name}"), &body(name, mix, 2)).await;
    assert_eq!(made.status.as_u16(), 201, "{name}: {}", made.body);
    assert_eq!(without_common(&made.body), expected(mix, 2, true), "POST of {name}");
    let path = format!("/{name}/{}", made.id());
    assert_eq!(made.header("location"), format!("https://scim.example{}", world.address(&path)));
    assert_eq!(without_common(&world.get(&path).await.body), expected(mix, 2, false), "GET of {name}");
    let same = world.call("PUT", &path, &body(name, mix, 2)).await;
    assert_eq!((same.status.as_u16(), without_common(&same.body)), (200, expected(mix, 2, true)), "PUT of {name}");
    assert_eq!(same.body["meta"]["version"], "W/\"1\"", "PUT of the same changes nothing");
    for one in mix {
        check_reading(world, name, &path, *one).await;
        check_writing(world, name, &path, mix, *one).await;
    }
}

async fn check_reading(world: &World, name: &str, path: &str, one: Mixed) {
    let (attribute, shown) = (one.name(), if one.is_shown() { one.value(2) } else { Value::Null });
    let named = world.get(&format!("{path}?attributes={attribute}")).await;
    assert_eq!(named.body[&attribute], shown, "{name}: attributes={attribute}");
    let excluded = world.get(&format!("{path}?excludedAttributes={attribute}")).await;
    let kept = if one.returned == "always" { shown } else { Value::Null };
    assert_eq!(excluded.body[&attribute], kept, "{name}: excludedAttributes={attribute}");
    let filter = |literal: &str| {
        let filter = format!("{attribute} eq {literal}");
        format!("/{name}?filter={}", filter.replace(' ', "+").replace('"', "%22"))
    };
    let found = world.get(&filter(&one.literal(2))).await;
    if one.returned == "never" || one.mutability == "writeOnly" {
        assert_eq!(
            (found.status.as_u16(), &found.body["scimType"]),
            (400, &json!("invalidFilter")),
            "{name} {attribute}"
        );
        return;
    }
    assert_eq!(found.body["totalResults"], u64::from(one.is_settable()), "{name} {attribute}: {}", found.body);
    if matches!(one.kind, "string" | "complex") {
        let other_case = world.get(&filter(&one.literal(2).to_lowercase())).await;
        assert_eq!(other_case.body["totalResults"], u64::from(one.is_settable() && !one.exact), "{name} {attribute}");
    }
}

async fn check_writing(world: &World, name: &str, path: &str, mix: &[Mixed], one: Mixed) {
    let attribute = one.name();
    let told = |answer: &crate::world::Answer| {
        (answer.status.as_u16(), answer.body["scimType"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |word: &str| (400, word.to_owned());
    let done = (200, String::new());
    let send = |op: &'static str, value: Value| {
        let (path, operation) = (path.to_owned(), json!({ "op": op, "path": attribute, "value": value }));
        async move { world.call("PATCH", &path, &json!({ "schemas": [PATCH], "Operations": [operation] })).await }
    };
    let is_fixed = one.mutability == "immutable";
    let (same, other) = (send("replace", one.value(2)).await, send("replace", one.value(3)).await);
    let changed = if one.is_settable() && !is_fixed { done.clone() } else { refused("mutability") };
    assert_eq!(
        told(&same),
        if one.is_settable() { done.clone() } else { refused("mutability") },
        "{name} {attribute}: same"
    );
    assert_eq!(told(&other), changed, "{name} {attribute}: other");
    if other.status.as_u16() == 200 {
        let shown = if one.is_shown() { one.value(3) } else { Value::Null };
        assert_eq!(other.body[&attribute], shown, "{name} {attribute}: what was changed is shown");
    }
    let removed = send("remove", Value::Null).await;
    let expected = if one.required { refused("mutability") } else { changed };
    assert_eq!(told(&removed), expected, "{name} {attribute}: remove");
    let mut changed_body = body(name, mix, 2);
    changed_body[&attribute] = one.value(5);
    let expected = if is_fixed { refused("mutability") } else { done.clone() };
    assert_eq!(told(&world.call("PUT", path, &changed_body).await), expected, "{name} {attribute}: PUT of another");
    changed_body.as_object_mut().unwrap().remove(&attribute);
    let expected = if one.required && one.is_settable() { refused("invalidValue") } else { done.clone() };
    assert_eq!(told(&world.call("PUT", path, &changed_body).await), expected, "{name} {attribute}: PUT without");
    if is_fixed && one.is_shown() {
        let kept = world.get(&format!("{path}?attributes={attribute}")).await;
        assert_eq!(kept.body[&attribute], one.value(2), "{name} {attribute}: what is immutable stays");
    }
    let posted = world.call("POST", &format!("/{name}"), &changed_body).await;
    let expected = if one.required && one.is_settable() { refused("invalidValue") } else { (201, String::new()) };
    assert_eq!(told(&posted), expected, "{name} {attribute}: POST without");
    if posted.status.as_u16() == 201 {
        world.call("DELETE", &format!("/{name}/{}", posted.id()), &Value::Null).await;
    }
    world.call("PUT", path, &body(name, mix, 2)).await;
}

#[test]
fn every_kind_of_value_can_be_unique() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let all = mix("readWrite", "default", false);
        let (mut schemas, mut types) = (Vec::new(), Vec::new());
        for one in &all {
            let name = one.name();
            schemas.push(json!({ "id": urn(&name), "attributes": [one.definition(true)] }));
            types.push(json!({ "name": name, "endpoint": format!("/{name}"), "schema": urn(&name) }));
        }
        world.define(&json!({ "schemas": schemas, "resourceTypes": types })).await;
        for one in all {
            check_unique(&world, one).await;
        }
    });
}

async fn check_unique(world: &World, one: Mixed) {
    let name = one.name();
    let collection = format!("/{name}");
    let post = |value: Value| {
        let (collection, body) = (collection.clone(), json!({ "schemas": [urn(&name)], &name: value }));
        async move { world.call("POST", &collection, &body).await }
    };
    let first = post(one.value(2)).await;
    assert_eq!(first.status.as_u16(), 201, "{name}: {}", first.body);
    let second = post(one.value(2)).await;
    assert_eq!((second.status.as_u16(), &second.body["scimType"]), (409, &json!("uniqueness")), "{name}");
    assert!(second.body["detail"].as_str().unwrap().contains(&name), "the attribute is named: {}", second.body);
    assert_eq!(post(Value::Null).await.status.as_u16(), 201, "no value is no duplicate: {name}");
    assert_eq!(post(Value::Null).await.status.as_u16(), 201, "no value is no duplicate: {name}");
    let other_case: Value = serde_json::from_str(&one.value(2).to_string().replace("Ab", "aB")).unwrap();
    let spelt = post(other_case).await;
    let expected =
        if matches!(one.kind, "string" | "complex") && one.exact || one.kind == "reference" { 201 } else { 409 };
    assert_eq!(spelt.status.as_u16(), expected, "{name}: {}", spelt.body);
    // Freed by a change, and by the end of the resource.
    let path = format!("{collection}/{}", first.id());
    let change =
        json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": name, "value": one.value(5) }] });
    assert_eq!(world.call("PATCH", &path, &change).await.status.as_u16(), 200, "{name}");
    let heir = post(one.value(2)).await;
    assert_eq!(heir.status.as_u16(), 201, "{name}: {}", heir.body);
    let back = json!({ "schemas": [urn(&name)], &name: one.value(2) });
    assert_eq!(world.call("PUT", &path, &back).await.status.as_u16(), 409, "{name}");
    world.call("DELETE", &format!("{collection}/{}", heir.id()), &Value::Null).await;
    assert_eq!(world.call("PUT", &path, &back).await.status.as_u16(), 200, "{name}");
}

/// RFC 7643 §2.3, RFC 8259 §6: what is a value of a type, however it is written.
#[test]
fn values_at_the_edges_of_their_types() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let attributes: Vec<Value> = ["integer", "decimal", "reference", "dateTime"]
            .map(|kind| json!({ "name": format!("{kind}Edge"), "type": kind }))
            .into();
        let schema = json!({ "id": "urn:example:Edge", "name": "Edge", "attributes": attributes });
        let resource_type = json!({ "name": "Edge", "endpoint": "/Edges", "schema": "urn:example:Edge" });
        world.define(&json!({ "schemas": [schema], "resourceTypes": [resource_type] })).await;
        for (kind, written, kept) in [
            ("integer", "-0", None),
            ("integer", "-9223372036854775808", Some("-9223372036854775808")),
            ("integer", "18446744073709551615", Some("18446744073709551615")),
            ("integer", "18446744073709551616", None),
            ("integer", "-9223372036854775809", None),
            ("integer", "5.0", None),
            ("integer", "5e0", None),
            ("decimal", "-0", Some("-0.0")),
            ("decimal", "1E20", Some("1e+20")),
            ("decimal", "1e-300", Some("1e-300")),
            ("decimal", "1e-400", None),
            ("decimal", "1E400", None),
            ("decimal", "0e-400", Some("0.0")),
            ("reference", "\"../Users/1?a=%20#ж\"", Some("\"../Users/1?a=%20#ж\"")),
            ("reference", "\"https://x/ y\"", None),
            ("reference", "\"https://x/%y\"", None),
            ("dateTime", "\"2026-01-31T08:00:00\"", Some("\"2026-01-31T08:00:00\"")),
            ("dateTime", "\"2026-01-31\"", None),
            ("dateTime", "\"2026-01-31T08:00Z\"", None),
        ] {
            let body = format!("{{\"schemas\":[\"urn:example:Edge\"],\"{kind}Edge\":{written}}}");
            let request = world.request("POST", "/Edges").header("content-type", "application/scim+json");
            let made = world.send(request.body(axum::body::Body::from(body)).unwrap()).await;
            let Some(kept) = kept else {
                assert_eq!(made.status.as_u16(), 400, "{kind} {written}");
                assert_eq!(made.body["scimType"], "invalidValue", "{kind} {written}");
                continue;
            };
            assert_eq!(made.status.as_u16(), 201, "{kind} {written} {}", made.body);
            let path = format!("/Edges/{}", made.id());
            let read = world.get(&path).await.body;
            assert_eq!(read[format!("{kind}Edge")].to_string(), kept, "{kind} {written}");
            let filter = format!("{kind}Edge eq {written}");
            let encoded = percent_encoding::utf8_percent_encode(&filter, percent_encoding::NON_ALPHANUMERIC);
            let found = world.get(&format!("/Edges?filter={encoded}")).await.body;
            assert_eq!(found["totalResults"], 1, "{filter}");
            world.call("DELETE", &path, &Value::Null).await;
        }
    });
}
