//! RFC 7643 section by section: what it demands with MUST and SHALL of values, resources and definitions, each with its cases.

use scim::{
    Attribute, Attributes, ENTERPRISE_USER_URN, Filter, GROUP_URN, Mutability, PatchOp, Projection, ResourceType,
    Returned, Schema, ScimType, USER_URN, Uniqueness,
};
use serde_json::{Value, json};

const URN: &str = "urn:example:schemas:1.0:Thing";

/// A resource type with these attributes.
fn thing(attributes: &Value) -> ResourceType {
    let schema = Schema::read(&json!({ "id": URN, "attributes": attributes })).expect("the schema is sound");
    ResourceType::new("Thing", "/Things", "", schema)
}

fn read(resource_type: &ResourceType, body: &Value) -> Result<Value, ScimType> {
    let mut body = body.as_object().expect("a body is an object").clone();
    body.entry("schemas").or_insert_with(|| json!([resource_type.schema.id]));
    resource_type.read(Value::Object(body)).map(Value::Object).map_err(|error| error.scim_type)
}

/// §2.1: names are ALPHA and then nameChars, and case does not count in them.
#[test]
fn section_2_1_names() {
    for (name, is_sound) in [
        ("a", true),
        ("a-b_c$9", true),
        ("$ref", true),
        ("9a", false),
        ("_a", false),
        ("-a", false),
        ("$a", false),
        ("a.b", false),
        ("a:b", false),
        ("a b", false),
        ("é", false),
        ("", false),
    ] {
        let schema = json!({ "id": URN, "attributes": [{ "name": name }] });
        assert_eq!(Schema::read(&schema).is_ok(), is_sound, "{name:?}");
    }
    let odd = thing(&json!([{ "name": "a-b_c$9" }, { "name": "many", "type": "complex", "multiValued": true,
        "subAttributes": [{ "name": "$ref", "type": "reference" }, { "name": "x-y" }] }]));
    let held = read(&odd, &json!({ "A-B_C$9": "v", "MANY": [{ "$REF": "https://x", "X-Y": "z" }] })).unwrap();
    assert_eq!(held, json!({ "a-b_c$9": "v", "many": [{ "$ref": "https://x", "x-y": "z" }] }));
    let held = held.as_object().unwrap();
    for filter in [
        "a-b_c$9 eq \"V\"",
        "urn:example:schemas:1.0:THING:A-b_c$9 pr",
        "many[$ref sw \"https\" and X-Y eq \"z\"]",
        "MANY.$Ref pr",
    ] {
        let filter: Filter = filter.parse().unwrap();
        assert!(filter.matches(&odd, held), "{filter}");
    }
    for (attributes, kept) in
        [("A-B_C$9", "a-b_c$9"), ("many.$REF", "many"), ("URN:example:schemas:1.0:thing:MANY.x-y", "many")]
    {
        let mut shown = held.clone();
        Projection::read(Some(attributes), None).unwrap().apply(&odd, &mut shown);
        assert_eq!(shown.keys().collect::<Vec<_>>(), [kept], "{attributes}");
    }
}

/// §2.3: the forms of each type; `null` is what is refused.
#[test]
fn section_2_3_forms() {
    for (kind, given, expected) in [
        ("boolean", json!([true, false, 1, 0, "yes", null]), json!([true, false, null, null, null])),
        ("decimal", json!([1.5, -0.25, 1e10, "1.5"]), json!([1.5, -0.25, 1e10, null])),
        ("integer", json!([0, -7, u64::MAX, 1.0, 1.5, 1e2, "7"]), json!([0, -7, u64::MAX, null, null, null, null])),
        (
            "dateTime",
            json!(["2008-01-23T04:56:22Z", "2008-01-23T04:56:22.123456789012+14:00", "2008-01-23T04:56:22"]),
            json!(["2008-01-23T04:56:22Z", "2008-01-23T04:56:22.123456789012+14:00", "2008-01-23T04:56:22"]),
        ),
        (
            "dateTime",
            json!([
                "2008-01-23",
                "04:56:22Z",
                "2008-01-23T04:56Z",
                "2008-13-23T04:56:22Z",
                "2008-01-23T04:56:22+0100",
                7
            ]),
            json!([null, null, null, null, null, null]),
        ),
        // Padding may be left out, blanks may stand between; one alphabet or the other.
        (
            "binary",
            json!(["AAECAw==", "AAECAw", "-_-_", "+/+/", "+_AA", "AAEC=w", "A", "AAECA===", "AA EC"]),
            json!(["AAECAw==", "AAECAw", "-_-_", "+/+/", null, null, null, null, "AA EC"]),
        ),
        (
            "reference",
            json!(["https://example.com/v2/Users/1", "../Users/1", "urn:x:y", "javascript:x", 1]),
            json!(["https://example.com/v2/Users/1", "../Users/1", "urn:x:y", null, null]),
        ),
        (
            "string",
            json!(["", " ", "\u{10ffff}", 1, true, {}]),
            json!(["unassigned", " ", "\u{10ffff}", null, null, null]),
        ),
        (
            "complex",
            json!([{ "part": "x" }, {}, "x", 1, [[]]]),
            json!([{ "part": "x" }, "unassigned", null, null, null]),
        ),
    ] {
        let mut definition = json!({ "name": "a", "type": kind });
        if kind == "complex" {
            definition["subAttributes"] = json!([{ "name": "part" }]);
        }
        let thing = thing(&json!([definition, { "name": "other" }]));
        for (number, value) in given.as_array().unwrap().iter().filter(|value| !value.is_null()).enumerate() {
            let expected = match &expected[number] {
                Value::Null => Err(ScimType::InvalidValue),
                Value::String(word) if word == "unassigned" => Ok(json!({ "other": "o" })),
                kept => Ok(json!({ "a": kept, "other": "o" })),
            };
            assert_eq!(read(&thing, &json!({ "a": value, "other": "o" })), expected, "{kind} {value}");
        }
    }
}

/// §2.3.8: parts come in any order, and none has parts itself.
#[test]
fn section_2_3_8_complex() {
    let name = Attribute { sub_attributes: vec![], ..scim::core_user().attribute("name").unwrap().clone() };
    let (left, right) =
        (json!({ "givenName": "A", "familyName": "B" }), json!({ "familyName": "B", "givenName": "A" }));
    assert!(name.same(&left, &right));
    let nested = json!({ "id": URN, "attributes": [{ "name": "a", "type": "complex", "subAttributes": [
        { "name": "b", "type": "complex", "subAttributes": [{ "name": "c" }] }] }] });
    assert!(Schema::read(&nested).is_err());
}

/// §2.4: one primary at the most; one of each combination of type and value.
#[test]
fn section_2_4_lists() {
    let user = ResourceType::user();
    for (emails, expected) in [
        (json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }]), Err(ScimType::InvalidValue)),
        (
            json!([{ "value": "a", "primary": true }, { "value": "b", "primary": false }, { "value": "c" }]),
            Ok(json!([{ "value": "a", "primary": true }, { "value": "b", "primary": false }, { "value": "c" }])),
        ),
        (
            json!([{ "value": "a", "type": "work" }, { "value": "a", "type": "home" }, { "value": "a" }]),
            Ok(json!([
                { "value": "a", "type": "work" }, { "value": "a", "type": "home" }, { "value": "a" }
            ])),
        ),
        (
            json!([{ "value": "a", "type": "work" }, { "value": "b" }, { "value": "a", "type": "work", "primary": true }]),
            Ok(json!([{ "value": "a", "type": "work", "primary": true }, { "value": "b" }])),
        ),
        // Without a value there is no such combination.
        (
            json!([{ "type": "work" }, { "type": "work", "display": "x" }]),
            Ok(json!([
                { "type": "work" }, { "type": "work", "display": "x" }
            ])),
        ),
    ] {
        let held = read(&user, &json!({ "userName": "ada", "emails": emails }));
        assert_eq!(held.map(|user| user["emails"].clone()), expected, "{emails}");
    }
    // Many are as few.
    let many: Vec<Value> = (0..40)
        .map(|number| json!({ "value": (number % 30).to_string(), "type": "work", "display": number.to_string() }))
        .collect();
    let held = read(&user, &json!({ "userName": "ada", "emails": many })).unwrap();
    let emails = held["emails"].as_array().unwrap();
    assert_eq!((emails.len(), &emails[3]["display"], &emails[20]["display"]), (30, &json!("33"), &json!("20")));
    // One of them changed to be another is that one.
    let mut user_of_two =
        read(&user, &json!({ "userName": "ada", "roles": [{ "value": "a", "display": "A" }, { "value": "b" }] }))
            .unwrap()
            .as_object()
            .unwrap()
            .clone();
    change(&user, &mut user_of_two, &json!({ "op": "replace", "path": "roles[value eq \"b\"].value", "value": "a" }));
    assert_eq!(user_of_two["roles"], json!([{ "value": "a", "display": "A" }]));
}

/// §2.4, §2.1: what the parts of a list mean does not depend on the case in which a definition names them.
#[test]
fn section_2_4_parts_in_any_case() {
    let part = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let parts = json!([
        part("Value", "string"),
        part("TYPE", "string"),
        part("Primary", "boolean"),
        part("Display", "string"),
        part("$Ref", "reference"),
        part("Colour", "string"),
    ]);
    let listed = |name: &str| json!({ "name": name, "type": "complex", "multiValued": true, "subAttributes": parts });
    let thing = thing(&json!([listed("many"), part("Value", "string")]));
    let list = &thing.schema.attributes[0];
    let names: Vec<&str> = list.sub_attributes.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["value", "type", "primary", "display", "$ref", "Colour"]);
    for (many, expected) in [
        (json!([{ "Value": "a", "Primary": true }, { "Value": "b", "Primary": true }]), Err(ScimType::InvalidValue)),
        (
            json!([{ "Value": "a", "Type": "w" }, { "value": "a", "type": "w" }]),
            Ok(json!([{ "value": "a", "type": "w" }])),
        ),
        (json!(["a"]), Ok(json!([{ "value": "a" }]))),
        (
            json!([{ "Display": "d", "$REF": "r", "colour": "c" }]),
            Ok(json!([{ "display": "d", "$ref": "r", "Colour": "c" }])),
        ),
    ] {
        let held = read(&thing, &json!({ "many": many, "value": "v" }));
        assert_eq!(held.clone().map(|held| held["many"].clone()), expected, "{many}");
        assert!(held.is_err() || held == Ok(json!({ "many": expected.unwrap(), "Value": "v" })), "{many}");
    }
    let mut held = read(&thing, &json!({ "many": [{ "value": "a", "primary": true }] })).unwrap();
    let held = held.as_object_mut().unwrap();
    change(&thing, held, &json!({ "op": "add", "path": "many", "value": { "Value": "b", "Primary": true } }));
    assert_eq!(held["many"], json!([{ "value": "a", "primary": false }, { "value": "b", "primary": true }]));
}

fn change(resource_type: &ResourceType, attributes: &mut Attributes, operation: &Value) {
    let patch =
        PatchOp::read(json!({ "schemas": [scim::PATCH_OP_URN], "Operations": [operation] })).expect("it is a PATCH");
    patch.apply(resource_type, attributes).expect("it is allowed");
}

/// §2.5: null, an empty list and nothing at all are the same state.
#[test]
fn section_2_5_unassigned() {
    let user = ResourceType::user();
    let bare = read(&user, &json!({ "userName": "ada" })).unwrap();
    for value in [
        json!(null),
        json!([]),
        json!(""),
        json!([null]),
        json!([{}]),
        json!([{ "value": null }]),
        json!([{ "value": "" }]),
    ] {
        assert_eq!(read(&user, &json!({ "userName": "ada", "emails": value })).unwrap(), bare, "{value}");
        let mut held = read(&user, &json!({ "userName": "ada", "emails": [{ "value": "a" }] }))
            .unwrap()
            .as_object()
            .unwrap()
            .clone();
        change(&user, &mut held, &json!({ "op": "replace", "path": "emails", "value": value }));
        assert_eq!(Value::Object(held), bare, "{value}");
    }
    for value in [json!(null), json!({}), json!([]), json!({ "givenName": null, "familyName": "" })] {
        assert_eq!(read(&user, &json!({ "userName": "ada", "name": value })).unwrap(), bare, "{value}");
    }
}

/// §3: `schemas` lists the base schema, in any order, and nothing hangs on the order.
#[test]
fn section_3_schemas() {
    let user = ResourceType::user();
    let one = read(&user, &json!({ "userName": "ada", "schemas": [USER_URN, ENTERPRISE_USER_URN], "department": "D" }));
    for schemas in
        [json!([ENTERPRISE_USER_URN, USER_URN]), json!([USER_URN.to_uppercase(), USER_URN]), json!([USER_URN])]
    {
        assert_eq!(read(&user, &json!({ "userName": "ada", "schemas": schemas, "department": "D" })), one, "{schemas}");
    }
    for schemas in [json!([]), json!(USER_URN), json!([GROUP_URN]), json!([7])] {
        let refused = read(&user, &json!({ "userName": "ada", "schemas": schemas }));
        assert_eq!(refused, Err(ScimType::InvalidSyntax), "{schemas}");
    }
}

/// §3.1: what every resource has is the service provider's to set, also where a definition lists it (errata 8417).
#[test]
fn section_3_1_common_attributes() {
    let listed = json!([
        { "name": "schemas", "type": "reference", "multiValued": true, "required": true }, { "name": "id", "required": true },
        { "name": "meta", "type": "complex", "subAttributes": [{ "name": "created", "type": "dateTime" }] },
        { "name": "externalId" }, { "name": "a" },
    ]);
    for thing in [thing(&listed), thing(&json!([{ "name": "a" }]))] {
        assert_eq!(thing.schema.attributes.len(), 1);
        let held = read(&thing, &json!({ "id": "1", "meta": { "created": "x" }, "externalId": "E", "a": "b" }));
        assert_eq!(held, Ok(json!({ "a": "b", "externalId": "E" })));
        for name in ["schemas", "id", "meta", "meta.created", "meta.version"] {
            let path = name.parse().unwrap();
            let found = thing.resolve(&path).unwrap();
            assert_eq!(found.sub_attribute.unwrap_or(found.attribute).mutability, Mutability::ReadOnly, "{name}");
        }
        let external_id = thing.find("externalId").unwrap();
        assert!(external_id.case_exact && external_id.mutability == Mutability::ReadWrite);
        assert_eq!(thing.find("id").unwrap().returned, Returned::Always);
    }
}

/// §4: what users and groups must have; errata 5368 for the group's name.
#[test]
fn section_4_what_is_required() {
    for (resource_type, body, expected) in [
        (ResourceType::user(), json!({}), false),
        (ResourceType::user(), json!({ "userName": "" }), false),
        (ResourceType::user(), json!({ "userName": " " }), false),
        (ResourceType::user(), json!({ "userName": "a" }), true),
        (ResourceType::group(), json!({}), false),
        (ResourceType::group(), json!({ "displayName": null }), false),
        (ResourceType::group(), json!({ "displayName": "G" }), true),
    ] {
        let held = read(&resource_type, &body).map(drop);
        assert_eq!(held, if expected { Ok(()) } else { Err(ScimType::InvalidValue) }, "{} {body}", resource_type.name);
    }
}

/// §7: what is left out of a definition, and what types imply; `referenceTypes` is a list (errata 5607).
#[test]
fn section_7_definitions() {
    let schema = Schema::read(&json!({ "id": URN, "attributes": [
        { "name": "plain" }, { "name": "link", "type": "reference", "referenceTypes": ["User", "external"] }, { "name": "bytes", "type": "binary" },
        { "name": "secret", "mutability": "writeOnly", "returned": "always" },
    ] }))
    .unwrap();
    let [plain, link, bytes, secret] = schema.attributes.as_slice() else { panic!("there are four") };
    assert_eq!(plain, &Attribute::new("plain", scim::Kind::String));
    assert!(!plain.required && !plain.case_exact && !plain.multi_valued && plain.canonical_values.is_empty());
    assert_eq!(
        (plain.mutability, plain.returned, plain.uniqueness),
        (Mutability::ReadWrite, Returned::Default, Uniqueness::None)
    );
    assert!(link.case_exact && bytes.case_exact, "a reference and a binary are case exact");
    assert_eq!(link.reference_types, ["User", "external"]);
    assert_eq!(secret.returned, Returned::Never, "what is writeOnly is never returned");
}

/// §8.7.1: the definitions of users, groups and the enterprise extension are those of the RFC. Where it contradicts itself the text of §2.3
/// and §3.1 counts: references, binaries and ids of resources are case exact.
#[test]
fn section_8_7_1_definitions() {
    let mut all = Vec::new();
    for schema in [scim::core_user(), scim::core_group(), scim::enterprise_user()] {
        for attribute in schema.attributes {
            all.extend(
                attribute.sub_attributes.iter().map(|sub| (format!("{}.{}", attribute.name, sub.name), sub.clone())),
            );
            all.push((attribute.name.clone(), attribute));
        }
    }
    let those = |wanted: &dyn Fn(&Attribute) -> bool| {
        let names: Vec<&str> =
            all.iter().filter(|(_, attribute)| wanted(attribute)).map(|(name, _)| name.as_str()).collect();
        names.join(" ")
    };
    insta::assert_snapshot!(those(&|a| a.required), @"userName displayName");
    insta::assert_snapshot!(those(&|a| a.case_exact), @"profileUrl password photos.value groups.value groups.$ref x509Certificates.value members.value members.$ref manager.value manager.$ref");
    insta::assert_snapshot!(those(&|a| a.mutability == Mutability::ReadOnly), @"groups.value groups.$ref groups.display groups.type groups manager.displayName");
    insta::assert_snapshot!(those(&|a| a.mutability == Mutability::Immutable), @"members.value members.$ref members.display members.type");
    insta::assert_snapshot!(those(&|a| a.mutability == Mutability::WriteOnly), @"password");
    insta::assert_snapshot!(those(&|a| a.returned != Returned::Default), @"password");
    insta::assert_snapshot!(those(&|a| a.uniqueness != Uniqueness::None), @"userName");
    insta::assert_snapshot!(those(&|a| a.multi_valued), @"emails phoneNumbers ims photos addresses groups entitlements roles x509Certificates members");
    insta::assert_snapshot!(those(&|a| a.kind == scim::Kind::Boolean), @"active emails.primary phoneNumbers.primary ims.primary photos.primary addresses.primary entitlements.primary roles.primary x509Certificates.primary");
    insta::assert_snapshot!(those(&|a| a.kind == scim::Kind::Reference), @"profileUrl photos.value groups.$ref members.$ref manager.$ref");
}
