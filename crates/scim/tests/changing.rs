//! Laws of PATCH (RFC 7644 §3.5.2) over a resource type that has attributes of every mutability, and a table of what is refused.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use scim::{Attributes, Filter, PATCH_OP_URN, PatchOp, ResourceType, Schema, ScimType, parse_json};
use serde_json::{Map, Value, json};

const URN: &str = "urn:example:schemas:1.0:Thing";
const MORE: &str = "urn:example:schemas:extension:1.0:Thing";
const MUTABILITIES: [&str; 4] = ["readOnly", "readWrite", "immutable", "writeOnly"];

/// The parts of a complex attribute: one of each mutability, and a list.
fn parts() -> Value {
    let mut parts: Vec<Value> =
        MUTABILITIES.iter().map(|mutability| json!({ "name": mutability, "mutability": mutability })).collect();
    parts.extend([
        json!({ "name": "value" }),
        json!({ "name": "type", "canonicalValues": ["work"] }),
        json!({ "name": "primary", "type": "boolean" }),
        json!({ "name": "many", "multiValued": true }),
    ]);
    Value::from(parts)
}

/// For each mutability a text, a list of texts, an object, and a list of objects; all again in an extension, but for `needed`.
fn attributes(needed: bool) -> Value {
    let mut attributes = Vec::new();
    for mutability in MUTABILITIES {
        let named = |name: &str| json!({ "name": format!("{mutability}{name}"), "mutability": mutability });
        for (name, multi) in [("One", false), ("List", true), ("Object", false), ("Objects", true)] {
            let mut attribute = named(name);
            attribute["multiValued"] = json!(multi);
            if name.starts_with("Object") {
                attribute["type"] = json!("complex");
                attribute["subAttributes"] = parts();
            }
            attributes.push(attribute);
        }
    }
    if needed {
        attributes.push(json!({ "name": "needed", "required": true }));
    }
    Value::from(attributes)
}

fn thing() -> &'static ResourceType {
    static THING: LazyLock<ResourceType> = LazyLock::new(defined);
    &THING
}

fn defined() -> ResourceType {
    let schema = |urn: &str, needed| {
        Schema::read(&json!({ "id": urn, "attributes": attributes(needed) })).expect("the schema is sound")
    };
    ResourceType::new("Thing", "/Things", "", schema(URN, true)).with_extension(schema(MORE, false), false)
}

/// Paths to everything, in every form.
fn paths() -> Vec<String> {
    let mut paths = vec!["needed".to_owned(), "nothing".to_owned(), "id".to_owned(), MORE.to_owned(), URN.to_owned()];
    for mutability in MUTABILITIES {
        for start in [String::new(), format!("{MORE}:")] {
            let named = |rest: &str| format!("{start}{mutability}{rest}");
            paths.extend(["One", "List", "Object", "Objects", "Object.many", "Objects.many"].map(named));
            paths.extend(["Object.value", "Objects.value", "Objects.primary", "Objects[type eq \"work\"]"].map(named));
            paths.extend(["Objects[type eq \"work\"].value", "Objects[type eq \"work\"].type"].map(named));
            paths.extend(["Objects[primary eq true].many", "Objects[value eq \"a\" or many eq \"b\"]"].map(named));
            paths.extend(["List[value eq \"a\"]", "Objects[primary eq \"True\"].primary"].map(named));
            for part in MUTABILITIES {
                paths.extend([named(&format!("Object.{part}")), named(&format!("Objects[type eq \"work\"].{part}"))]);
            }
        }
    }
    paths
}

fn texts() -> impl Strategy<Value = Value> {
    select(&["a", "b", "A", "", "work", "home"][..]).prop_map(Value::from)
}

fn objects() -> impl Strategy<Value = Value> {
    let part = prop_oneof![
        4 => (select(&MUTABILITIES[..]), texts()).prop_map(|(name, text)| (name, text)),
        3 => (select(&["value", "type", "VALUE"][..]), texts()),
        1 => any::<bool>().prop_map(|flag| ("primary", Value::from(flag))),
        1 => proptest::collection::vec(texts(), 0..3).prop_map(|list| ("many", Value::from(list))),
        1 => Just(("value", Value::Null)),
    ];
    proptest::collection::vec(part, 0..4).prop_map(|parts| {
        let mut object = Map::new();
        for (name, value) in parts {
            if !object.keys().any(|known: &String| known.eq_ignore_ascii_case(name)) {
                object.insert(name.to_owned(), value);
            }
        }
        Value::Object(object)
    })
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => texts(),
        3 => objects(),
        2 => proptest::collection::vec(texts(), 0..3).prop_map(Value::from),
        3 => proptest::collection::vec(objects(), 0..3).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => (select(paths()), texts()).prop_map(|(path, text)| json!({ path: text })),
        1 => (select(paths()), objects()).prop_map(|(path, object)| json!({ path: object })),
    ]
}

/// Of one mutability: a text, a list of texts, an object, and a list of objects.
type Level = (Option<Value>, Vec<Value>, Option<Value>, Vec<Value>);

/// A resource as it could be stored, with what only the service provider sets.
fn stored() -> impl Strategy<Value = Attributes> {
    let level = || {
        let one = proptest::option::of(texts());
        let list = proptest::collection::vec(texts(), 0..3);
        let object = proptest::option::of(objects());
        let listed = proptest::collection::vec(objects(), 0..3);
        proptest::collection::vec((one, list, object, listed), 4)
    };
    (level(), level()).prop_map(|(core, more)| {
        let body = |level: Vec<Level>| {
            let mut body = Map::new();
            for (mutability, (one, list, object, listed)) in MUTABILITIES.iter().zip(level) {
                for (name, value) in
                    [("One", one), ("List", Some(list.into())), ("Object", object), ("Objects", Some(listed.into()))]
                {
                    body.extend(value.map(|value| (format!("{mutability}{name}"), value)));
                }
            }
            body
        };
        let (mut whole, extension) = (body(core), body(more));
        let read_only = [("readOnlyOne", json!("set")), ("readOnlyObject", json!({ "value": "set", "many": ["a"] }))];
        whole.extend([
            ("schemas".to_owned(), json!([URN])),
            ("needed".to_owned(), json!("x")),
            (MORE.to_owned(), extension.into()),
        ]);
        let fallback = || Map::from_iter([("needed".to_owned(), json!("x"))]);
        let mut stored = thing().read(Value::Object(whole)).unwrap_or_else(|_| fallback());
        stored.extend(read_only.map(|(name, value)| (name.to_owned(), value)));
        if let Some(Value::Object(object)) = stored.get_mut("readWriteObject") {
            object.insert("readOnly".to_owned(), json!("set"));
        }
        stored
    })
}

fn apply(operations: &Value, attributes: &mut Attributes) -> Result<bool, ScimType> {
    let body = json!({ "schemas": [PATCH_OP_URN], "Operations": operations });
    let patch = PatchOp::read(body).map_err(|error| error.scim_type)?;
    patch.apply(thing(), attributes).map_err(|error| error.scim_type)
}

fn operation(op: &str, path: Option<&String>, value: &Value) -> Value {
    let mut operation = json!({ "op": op, "value": value });
    if let Some(path) = path {
        operation["path"] = json!(path);
    }
    operation
}

/// What must be as it was, whatever was changed: what only the service provider sets, and what is set once.
fn bound(attributes: &Attributes) -> Vec<(String, Value)> {
    let mut bound = Vec::new();
    for (level, prefix) in [(Some(attributes), ""), (attributes.get(MORE).and_then(Value::as_object), MORE)] {
        for (name, value) in level.into_iter().flatten().filter(|(name, _)| *name != MORE) {
            if name.starts_with("readOnly") || name.starts_with("immutable") {
                bound.push((format!("{prefix}{name}"), value.clone()));
            }
            for part in ["readOnly", "immutable"] {
                bound.extend(value.get(part).map(|value| (format!("{prefix}{name}.{part}"), value.clone())));
            }
        }
    }
    bound
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_refused_changes_nothing_and_what_is_bound_stays(
        before in stored(),
        operations in proptest::collection::vec((select(&["add", "replace", "remove"][..]), proptest::option::of(select(paths())), values()), 1..4),
    ) {
        let told: Vec<Value> = operations.iter().map(|(op, path, value)| operation(op, path.as_ref(), value)).collect();
        let mut after = before.clone();
        let applied = apply(&told.into(), &mut after);
        prop_assert_eq!(applied.unwrap_or(false), before != after);
        for (name, value) in bound(&before) {
            let now = bound(&after).into_iter().find(|(other, _)| *other == name).map(|(_, value)| value);
            // A part goes with the whole.
            let is_gone = now.is_none() && name.ends_with(".readOnly");
            prop_assert!(is_gone || now == Some(value), "{}", name);
        }
        // What only the service provider sets does not appear either.
        let had: Vec<String> = bound(&before).into_iter().map(|(name, _)| name).collect();
        for (name, _) in bound(&after) {
            prop_assert!(!name.contains("readOnly") || had.contains(&name), "{}", name);
        }
    }

    #[test]
    fn adding_or_replacing_twice_is_doing_it_once(
        before in stored(), op in select(&["add", "replace"][..]), path in proptest::option::of(select(paths())), value in values(),
    ) {
        let told = json!([operation(op, path.as_ref(), &value)]);
        let mut once = before.clone();
        if apply(&told, &mut once).is_ok() {
            let mut twice = once.clone();
            let again = apply(&told, &mut twice);
            prop_assert!(!again.unwrap_or(false), "{} makes of {:?} another {:?}", told, once, twice);
        }
    }

    #[test]
    fn what_is_removed_is_not_there(before in stored(), path in select(paths())) {
        let mut after = before.clone();
        let applied = apply(&json!([{ "op": "remove", "path": path }]), &mut after);
        let Ok(filter) = format!("{path} pr").parse::<Filter>() else { return Ok(()) };
        // What is never answered is never asked for either.
        let Ok(matcher) = filter.matcher(thing()) else { return Ok(()) };
        if applied.is_ok() {
            prop_assert!(!matcher.matches(&after), "{} of {:?}", path, after);
        } else {
            prop_assert_eq!(matcher.matches(&after), matcher.matches(&before));
        }
    }

    #[test]
    fn values_named_in_a_removal_go_and_others_stay(
        held in proptest::collection::vec(select(&["a", "b", "c", "d"][..]), 1..5), named in proptest::collection::vec(select(&["A", "b", "c", "x"][..]), 0..3),
        path in select(&["readWriteList", "readWriteObject.many", "readWriteObjects[type eq \"work\"].many", "readWriteObjects.many"][..]),
    ) {
        let body = json!({ "schemas": [URN], "needed": "x", "readWriteList": held, "readWriteObject": { "many": held, "value": "v" },
            "readWriteObjects": [{ "type": "work", "value": "v", "many": held }] });
        let mut after = thing().read(body).unwrap();
        apply(&json!([{ "op": "remove", "path": path, "value": named }]), &mut after).unwrap();
        let list = match path {
            "readWriteList" => after.get("readWriteList"),
            "readWriteObject.many" => after["readWriteObject"].get("many"),
            _ => after["readWriteObjects"][0].get("many"),
        };
        let mut expected: Vec<&str> = Vec::new();
        for text in held {
            if !named.iter().any(|name| name.eq_ignore_ascii_case(text)) && !expected.contains(&text) {
                expected.push(text);
            }
        }
        prop_assert_eq!(list.cloned().unwrap_or_else(|| json!([])), json!(expected));
    }

    #[test]
    fn a_changed_thing_reads_as_it_is_stored(before in stored(), op in select(&["add", "replace", "remove"][..]), path in select(paths()), value in values()) {
        let mut after = before;
        if apply(&json!([operation(op, Some(&path), &value)]), &mut after).is_ok() {
            let text = serde_json::to_vec(&after).unwrap();
            prop_assert_eq!(parse_json(&text), Ok(Value::Object(after)));
        }
    }
}

/// Applies each operation by itself, and tells whether it is refused, and for what, or changes anything.
#[track_caller]
fn check(table: &[(Value, Result<bool, ScimType>)]) {
    let body = json!({ "schemas": [URN], "needed": "x", "readWriteOne": "r", "immutableOne": "i", "writeOnlyOne": "w",
        "immutableList": ["i"], "immutableObject": { "value": "i" }, "readWriteObject": { "immutable": "i", "value": "v" },
        "immutableObjects": [{ "type": "work", "value": "i" }],
        "readWriteObjects": [{ "type": "work", "value": "v", "immutable": "i" }], "readWriteList": ["a"] });
    let before = thing().read(body).expect("the body is sound");
    for (operation, expected) in table {
        let mut after = before.clone();
        assert_eq!(apply(&json!([operation]), &mut after), *expected, "{operation}");
        assert_eq!(after != before, *expected == Ok(true), "{operation}");
    }
}

#[test]
fn what_is_bound_is_not_changed() {
    use ScimType::Mutability;
    check(&[
        // What only the service provider sets is refused by its path, and passed over in a value.
        (json!({ "op": "add", "path": "readOnlyOne", "value": "x" }), Err(Mutability)),
        (json!({ "op": "replace", "path": "READONLYONE", "value": "x" }), Err(Mutability)),
        (json!({ "op": "remove", "path": "readOnlyObject.value" }), Err(Mutability)),
        (json!({ "op": "add", "path": "readWriteObject.readOnly", "value": "x" }), Err(Mutability)),
        (json!({ "op": "add", "path": "readWriteObjects[type eq \"work\"].readOnly", "value": "x" }), Err(Mutability)),
        (json!({ "op": "remove", "path": "id" }), Err(Mutability)),
        (json!({ "op": "replace", "path": "meta.created", "value": "2026-01-01T00:00:00Z" }), Err(Mutability)),
        (json!({ "op": "add", "value": { "readOnlyOne": "x", "meta": {}, "id": "1" } }), Ok(false)),
        (json!({ "op": "replace", "path": "readWriteObject", "value": { "readOnly": "x" } }), Ok(false)),
        // What is set once.
        (json!({ "op": "replace", "path": "immutableOne", "value": "x" }), Err(Mutability)),
        (json!({ "op": "replace", "path": "immutableOne", "value": "I" }), Ok(false)),
        (json!({ "op": "add", "path": "immutableOne", "value": null }), Err(Mutability)),
        (json!({ "op": "remove", "path": "immutableOne" }), Err(Mutability)),
        (json!({ "op": "remove", "path": format!("{MORE}:immutableOne") }), Ok(false)),
        (json!({ "op": "add", "path": format!("{MORE}:immutableOne"), "value": "x" }), Ok(true)),
        (json!({ "op": "add", "path": "immutableList", "value": ["j"] }), Err(Mutability)),
        (json!({ "op": "add", "path": "immutableList", "value": ["I"] }), Ok(false)),
        (json!({ "op": "add", "path": "immutableList", "value": ["i"] }), Ok(false)),
        (json!({ "op": "remove", "path": "immutableList", "value": ["i"] }), Err(Mutability)),
        (json!({ "op": "add", "path": "immutableObject.type", "value": "x" }), Err(Mutability)),
        (json!({ "op": "replace", "path": "readWriteObject.immutable", "value": "x" }), Err(Mutability)),
        (json!({ "op": "remove", "path": "readWriteObject" }), Err(Mutability)),
        (
            json!({ "op": "replace", "path": "readWriteObjects[type eq \"work\"].immutable", "value": "x" }),
            Err(Mutability),
        ),
        (json!({ "op": "remove", "path": "readWriteObjects[type eq \"work\"].immutable" }), Err(Mutability)),
        // An element goes as a whole, with what was set once in it.
        (json!({ "op": "remove", "path": "readWriteObjects[type eq \"work\"]" }), Ok(true)),
        (json!({ "op": "remove", "path": "immutableObjects[type eq \"work\"]" }), Err(Mutability)),
    ]);
}

#[test]
fn paths_that_lead_nowhere() {
    use ScimType::{InvalidFilter, InvalidPath, InvalidValue, Mutability};
    check(&[
        // What is required.
        (json!({ "op": "remove", "path": "needed" }), Err(Mutability)),
        (json!({ "op": "replace", "path": "needed", "value": "" }), Err(InvalidValue)),
        (json!({ "op": "replace", "value": { "needed": null } }), Err(InvalidValue)),
        // Paths.
        (json!({ "op": "add", "path": "nothing", "value": "x" }), Err(InvalidPath)),
        (json!({ "op": "add", "path": "readWriteObject.nothing", "value": "x" }), Err(InvalidPath)),
        (json!({ "op": "add", "path": "readWriteOne.value", "value": "x" }), Err(InvalidPath)),
        (json!({ "op": "add", "path": "readWriteOne[value eq \"x\"]", "value": "x" }), Err(InvalidPath)),
        (json!({ "op": "add", "path": "readWriteObject[value eq \"x\"]", "value": {} }), Err(InvalidPath)),
        (json!({ "op": "add", "path": "readWriteObjects[nothing eq \"x\"].value", "value": "x" }), Err(InvalidFilter)),
        (
            json!({ "op": "add", "path": "readWriteObjects[writeOnly eq \"x\"].value", "value": "x" }),
            Err(InvalidFilter),
        ),
        (json!({ "op": "add", "path": "urn:example:other:1.0:Thing:readWriteOne", "value": "x" }), Err(InvalidPath)),
        (json!({ "op": "remove", "path": URN }), Err(InvalidPath)),
        (json!({ "op": "add", "path": "readWriteObjects[primary gt true].value", "value": "x" }), Err(InvalidFilter)),
        (json!({ "op": "remove", "path": "readWriteObjects[value eq 5]" }), Err(InvalidFilter)),
        (json!({ "op": "remove", "path": "readWriteObjects[primary eq \"maybe\"]" }), Err(InvalidFilter)),
    ]);
}

#[test]
fn targets_and_values_that_there_are_not() {
    use ScimType::{InvalidSyntax, InvalidValue, NoTarget};
    check(&[
        // Targets.
        (json!({ "op": "remove" }), Err(NoTarget)),
        (json!({ "op": "replace", "path": "readWriteObjects[type eq \"nope\"].value", "value": "x" }), Err(NoTarget)),
        (json!({ "op": "replace", "path": "readWriteObjects[value sw \"x\"].value", "value": "x" }), Err(NoTarget)),
        (
            json!({ "op": "replace", "path": "readWriteObjects[primary eq true].primary", "value": false }),
            Err(NoTarget),
        ),
        (json!({ "op": "replace", "path": "readWriteList[value eq \"x\"]", "value": "y" }), Err(NoTarget)),
        (json!({ "op": "remove", "path": "readWriteObjects[type eq \"nope\"]" }), Ok(false)),
        // Values.
        (json!({ "op": "add", "path": "readWriteOne" }), Err(InvalidValue)),
        (json!({ "op": "add", "path": "readWriteOne", "value": 5 }), Err(InvalidValue)),
        (json!({ "op": "add", "path": "readWriteOne", "value": { "value": "x" } }), Err(InvalidValue)),
        (json!({ "op": "add", "path": "readWriteObject", "value": 5 }), Err(InvalidValue)),
        (json!({ "op": "add", "value": "x" }), Err(InvalidValue)),
        (json!({ "op": "move", "path": "readWriteOne", "value": "x" }), Err(InvalidSyntax)),
        (
            json!({ "op": "add", "value": { "readWriteObject": { "value": "y" }, "READWRITEOBJECT.value": "x" } }),
            Err(InvalidSyntax),
        ),
        // What is never shown is set, changed and removed like anything else.
        (json!({ "op": "replace", "path": "writeOnlyOne", "value": "x" }), Ok(true)),
        (json!({ "op": "remove", "path": "writeOnlyOne" }), Ok(true)),
    ]);
}

/// Each: what is there, what is done to it, and what is there then.
#[track_caller]
fn check_left(table: &[(Value, Value, Value)]) {
    for (before, operation, expected) in table {
        let mut whole = before.as_object().expect("written as an object").clone();
        whole.extend([("schemas".to_owned(), json!([URN])), ("needed".to_owned(), json!("x"))]);
        let mut attributes = thing().read(Value::Object(whole)).expect("the body is sound");
        let applied = apply(&json!([operation]), &mut attributes);
        attributes.remove("needed");
        let found = if applied.is_ok() { Value::Object(attributes) } else { json!("refused") };
        assert_eq!(found, *expected, "{before} {operation}");
    }
}

#[test]
fn what_is_left_without_a_part() {
    check_left(&[
        (
            json!({ "readWriteObject": { "value": "v", "readWrite": "r" } }),
            json!({ "op": "remove", "path": "readWriteObject.value" }),
            json!({ "readWriteObject": { "readWrite": "r" } }),
        ),
        (
            json!({ "readWriteObject": { "value": "v", "readWrite": "r" } }),
            json!({ "op": "replace", "path": "readWriteObject", "value": { "value": "", "type": "t" } }),
            json!({ "readWriteObject": { "readWrite": "r", "type": "t" } }),
        ),
        (
            json!({ "readWriteObject": { "value": "v" } }),
            json!({ "op": "remove", "path": "readWriteObject.value" }),
            json!({}),
        ),
        (
            json!({ "readWriteObject": { "many": ["a", "b"], "value": "v" } }),
            json!({ "op": "remove", "path": "readWriteObject.many", "value": [{ "value": "a" }] }),
            json!("refused"),
        ),
        (
            json!({ "readWriteObject": { "many": ["a", "b"] } }),
            json!({ "op": "remove", "path": "readWriteObject.many", "value": "a" }),
            json!({ "readWriteObject": { "many": ["b"] } }),
        ),
        (
            json!({ "readWriteObject": { "many": ["a", "b"] } }),
            json!({ "op": "remove", "path": "readWriteObject.many", "value": ["b", "A"] }),
            json!({}),
        ),
        (
            json!({ "readWriteObjects": [{ "type": "work", "value": "v", "many": ["a"] }, { "type": "home", "many": ["a", "b"] }] }),
            json!({ "op": "remove", "path": "readWriteObjects.many", "value": ["a"] }),
            json!({ "readWriteObjects": [{ "type": "work", "value": "v" }, { "type": "home", "many": ["b"] }] }),
        ),
    ]);
}

#[test]
fn what_is_left_of_elements() {
    check_left(&[
        // One that said nothing but its type is none of those that were changed.
        (
            json!({ "readWriteObjects": [{ "type": "work", "value": "v" }, { "type": "home" }] }),
            json!({ "op": "remove", "path": "readWriteObjects[type eq \"work\"].value" }),
            json!({ "readWriteObjects": [{ "type": "home" }] }),
        ),
        (
            json!({ "readWriteObjects": [{ "type": "work", "value": "v" }, { "type": "home" }] }),
            json!({ "op": "replace", "path": "readWriteObjects.value", "value": "" }),
            json!({ "readWriteObjects": [{ "type": "home" }] }),
        ),
        (
            json!({ "readWriteObjects": [{ "type": "work", "value": "v" }, { "type": "work", "value": "w" }] }),
            json!({ "op": "replace", "path": "readWriteObjects.value", "value": "x" }),
            json!({ "readWriteObjects": [{ "type": "work", "value": "x" }] }),
        ),
        (
            json!({ "readWriteObjects": [{ "type": "work", "value": "V" }, { "type": "home", "value": "v" }] }),
            json!({ "op": "remove", "path": "readWriteObjects", "value": [{ "value": "v", "type": "WORK" }] }),
            json!({ "readWriteObjects": [{ "type": "home", "value": "v" }] }),
        ),
    ]);
}
