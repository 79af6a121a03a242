//! What a tenant may define, and what is refused: each with the schema, the attribute and the cure.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use store::resources::{CustomKind, ResourceKind};

use super::*;
use crate::Profile;

const DEVICE: &str = "urn:example:schemas:1.0:Device";

fn compile_on(profile: &str, document: &Value) -> Result<Profile, String> {
    let base = Profile::by_name(profile).unwrap();
    CustomSchemas::read(&document.to_string())?.settled(base).compile(base, &mut Kinds::new())
}

fn with_attribute(attribute: &Value) -> Value {
    json!({
        "schemas": [{ "id": DEVICE, "attributes": [attribute] }],
        "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": DEVICE }],
    })
}

fn with_types(types: &Value) -> Value {
    json!({
        "schemas": [
            { "id": DEVICE, "attributes": [{ "name": "serial" }] },
            { "id": "urn:example:schemas:1.0:More", "attributes": [{ "name": "a" }] },
        ],
        "resourceTypes": types,
    })
}

/// Every refusal of one attribute.
#[test]
fn attributes_that_are_refused() {
    for (attribute, words) in [
        (json!({ "name": "1a" }), "attribute '1a': the name must begin with a letter"),
        (json!({ "name": "a b" }), "attribute 'a b': the name must begin with a letter"),
        (json!({ "name": "" }), "the name must begin with a letter"),
        (json!({}), "an attribute has no 'name'; give it one"),
        (json!("a"), "an attribute must be a JSON object with a name"),
        (json!({ "name": "a", "type": "text" }), "'type' must be one of string, boolean, decimal, integer, dateTime"),
        (
            json!({ "name": "a", "mutability": "write" }),
            "'mutability' must be one of readOnly, readWrite, immutable, writeOnly",
        ),
        (json!({ "name": "a", "returned": true }), "'returned' must be one of always, never, default, request"),
        (json!({ "name": "a", "uniqueness": "tenant" }), "'uniqueness' must be one of none, server, global"),
        (json!({ "name": "a", "required": "yes" }), "'required' must be true or false"),
        (json!({ "name": "a", "multiValued": 1 }), "'multiValued' must be true or false"),
        (json!({ "name": "a", "canonicalValues": "x" }), "'canonicalValues' must be a list"),
        (json!({ "name": "a", "description": 1 }), "'description' must be text"),
        (json!({ "name": "a", "type": "complex" }), "a complex attribute needs 'subAttributes'"),
        (json!({ "name": "a", "subAttributes": [{ "name": "b" }] }), "only a complex attribute has 'subAttributes'"),
        (json!({ "name": "a", "type": "complex", "subAttributes": {} }), "'subAttributes' must be a list"),
        (
            json!({ "name": "a", "type": "complex", "subAttributes": [{ "name": "b", "type": "complex", "subAttributes": [{ "name": "c" }] }] }),
            "attribute 'a.b': a sub-attribute cannot be complex (RFC 7643 §2.3.8)",
        ),
        (
            json!({ "name": "a", "type": "complex", "subAttributes": [{ "name": "b" }, { "name": "B" }] }),
            "attribute 'B': is defined twice",
        ),
        (
            json!({ "name": "a", "required": true, "type": "complex", "subAttributes": [{ "name": "b", "mutability": "readOnly" }] }),
            "it is required, and all of its sub-attributes are readOnly; make one writable",
        ),
        (
            json!({ "name": "ID", "type": "integer" }),
            "attribute 'ID': is an attribute of every resource (RFC 7643 §3.1)",
        ),
        (json!({ "name": "meta" }), "attribute 'meta': is an attribute of every resource"),
        (json!({ "name": "externalId", "multiValued": true }), "is an attribute of every resource"),
    ] {
        let refused = compile_on("generic", &with_attribute(&attribute)).err().unwrap_or_default();
        assert!(refused.contains(words), "{attribute}: {refused:?}");
        assert!(refused.contains(DEVICE), "the schema is named: {refused}");
    }
}

/// A document in which the resource type Device has these facts too.
fn with(change: &Value) -> Value {
    let mut one = json!({ "name": "Device", "endpoint": "/Devices", "schema": DEVICE });
    one.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    with_types(&json!([one, { "name": "User", "schemaExtensions": [{ "schema": "urn:example:schemas:1.0:More" }] }]))
}

/// A document with a second resource type.
fn second(other: Value) -> Value {
    let mut document = with(&json!({}));
    document["resourceTypes"].as_array_mut().unwrap().push(other);
    document
}

/// Every refusal of resource types and of the document as a whole.
#[test]
fn documents_that_are_refused() {
    let schema = |id: &str| json!({ "schemas": [{ "id": id, "attributes": [{ "name": "a" }] }], "resourceTypes": [] });
    let mut rows = vec![
        (json!("x"), "must be a JSON object"),
        (json!({ "schema": [] }), "'schema' is neither schemas nor resourceTypes"),
        (json!({ "schemas": {} }), "'schemas' must be a list"),
        (json!({ "schemas": [1] }), "a schema must be a JSON object"),
        (json!({ "schemas": [{ "attributes": [] }] }), "a schema has no 'id'"),
        (json!({ "schemas": [{ "id": DEVICE }] }), "has no list 'attributes'"),
        (json!({ "schemas": [{ "id": DEVICE, "attributes": [] }] }), "defines no attribute"),
        (schema("Device"), "the id is not a URN"),
        (schema(scim::USER_URN), "is built in; define an extension with a URN of its own"),
        (schema("URN:ietf:params:scim:schemas:core:2.0:Device"), "is built in"),
        (schema(scim::LIST_RESPONSE_URN), "is built in"),
        (schema(DEVICE), "no resource type has the schema"),
        (with(&json!({ "name": "My Device" })), "is no name of a resource type"),
        (with(&json!({ "name": "Schema" })), "a name that discovery uses itself"),
        (with(&json!({ "endpoint": null })), "has no endpoint; give it one, such as /Devices"),
        (with(&json!({ "schema": null })), "has no schema; name the URN of one"),
        (with(&json!({ "schema": "urn:x:y" })), "no schema is called 'urn:x:y'; define it in schemas"),
        (with(&json!({ "endpoint": "https://a.example/Devices" })), "must be one part of an address"),
        (with(&json!({ "endpoint": "/a/b" })), "must be one part of an address"),
        (with(&json!({ "schemaExtensions": [{ "schema": "urn:x:y" }] })), "no schema is called 'urn:x:y'"),
        (with(&json!({ "schemaExtensions": [{ "schema": DEVICE }] })), "its schema cannot be its extension too"),
        (with(&json!({ "schemaExtensions": ["urn:x:y"] })), "an entry of schemaExtensions must be"),
        (
            second(json!({ "name": "DEVICE", "endpoint": "/Others", "schema": DEVICE })),
            "the resource type 'DEVICE' is defined twice",
        ),
        (
            second(json!({ "name": "Other", "endpoint": "/devices", "schema": DEVICE })),
            "another one has the endpoint /devices",
        ),
        (second(json!({ "name": "Group", "endpoint": "/Teams" })), "its schema and endpoint are built in"),
        (second(json!({ "name": "Group", "schema": DEVICE })), "its schema and endpoint are built in"),
    ];
    for reserved in [
        "/Users",
        "users",
        "/GROUPS",
        "/Schemas",
        "/ResourceTypes",
        "/ServiceProviderConfig",
        "/Bulk",
        "/me",
        "/.search",
        "/Devices.SCIM",
        "/.x",
    ] {
        rows.push((with(&json!({ "endpoint": reserved })), "is the protocol's own, in any case; choose another"));
    }
    for (document, words) in rows {
        let refused = compile_on("generic", &document).err().unwrap_or_default();
        assert!(refused.contains(words), "{words}: {refused:?} for {document}");
    }
}

#[test]
fn documents_that_do_not_fit_together_are_refused() {
    let twice = json!({ "schemas": [{ "id": DEVICE, "attributes": [{ "name": "a" }] }, { "id": DEVICE.to_uppercase(), "attributes": [{ "name": "a" }] }] });
    assert!(compile_on("generic", &twice).err().unwrap().contains("is defined twice"));
    let team = json!({ "schemas": [{ "id": "urn:x:y:Group", "attributes": [{ "name": "a" }] }] });
    assert!(compile_on("storegate", &team).err().unwrap().contains("the profile storegate has no groups"));
    let required = json!({
        "schemas": [{ "id": "urn:x:y:User", "attributes": [{ "name": "a", "mutability": "readOnly" }] }],
        "resourceTypes": [{ "name": "User", "schemaExtensions": [{ "schema": "urn:x:y:User", "required": true }] }],
    });
    assert!(compile_on("generic", &required).err().unwrap().contains("has no attribute that a client may set"));
}

#[test]
fn every_limit_holds() {
    let schema = |number: usize, attributes: usize| {
        let attributes: Vec<Value> = (0..attributes).map(|number| json!({ "name": format!("a{number}") })).collect();
        json!({ "id": format!("urn:example:{number}:User"), "attributes": attributes })
    };
    let schemas = |count: usize, attributes: usize| json!({ "schemas": (0..count).map(|number| schema(number, attributes)).collect::<Vec<_>>() });
    let types = |count: usize| {
        let one = |number: usize| json!({ "name": format!("T{number}"), "endpoint": format!("/T{number}"), "schema": DEVICE });
        json!({
            "schemas": [{ "id": DEVICE, "attributes": [{ "name": "a" }] }],
            "resourceTypes": (0..count).map(one).collect::<Vec<_>>(),
        })
    };
    for (document, words) in [
        (schemas(SCHEMAS_MAX, 1), ""),
        (schemas(SCHEMAS_MAX + 1, 1), "more than 50 schemas"),
        (schemas(SCHEMAS_MAX, ATTRIBUTES_MAX / SCHEMAS_MAX), ""),
        (schemas(SCHEMAS_MAX, ATTRIBUTES_MAX / SCHEMAS_MAX + 1), "more than 2000"),
        (schemas(1, scim::limits::SCHEMA_ATTRIBUTES_MAX + 1), "more than 1000; leave some out"),
        (types(RESOURCE_TYPES_MAX), ""),
        (types(RESOURCE_TYPES_MAX + 1), "more than 50 resource types"),
    ] {
        let found = compile_on("generic", &document).err().unwrap_or_default();
        assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{words}: {found}");
    }
    let long = format!("{}{{}}", " ".repeat(SCHEMA_BYTES_MAX));
    assert!(CustomSchemas::read(&long).unwrap_err().contains("leave something out"));
}

#[test]
fn what_is_defined_becomes_kinds_that_keep_their_numbers() {
    let document = with_types(&json!([
        { "name": "Device", "endpoint": "/Devices", "schema": DEVICE, "schemaExtensions": [{ "schema": "urn:example:schemas:1.0:MORE", "required": true }] },
        { "name": "Sensor", "endpoint": "Sensors", "schema": DEVICE },
    ]));
    let base = Profile::by_name("generic").unwrap();
    let mut kinds = Kinds::from([("gone".to_owned(), CustomKind::new(4))]);
    let read = CustomSchemas::read(&document.to_string()).unwrap().settled(base);
    let profile = read.compile(base, &mut kinds).unwrap();
    let expected = BTreeMap::from([("device", 5), ("gone", 4), ("sensor", 6)]);
    assert_eq!(kinds.iter().map(|(name, kind)| (name.as_str(), kind.number())).collect::<BTreeMap<_, _>>(), expected);
    let device = ResourceKind::Custom(CustomKind::new(5));
    assert_eq!(profile.kind_at("Devices"), Some(device));
    assert_eq!(
        (profile.kind_at("Sensors"), profile.kind_at("devices")),
        (Some(ResourceKind::Custom(CustomKind::new(6))), Some(device))
    );
    let rules = profile.rules(device).unwrap();
    assert_eq!(
        rules
            .resource_type
            .extensions
            .iter()
            .map(|(schema, required)| (schema.id.as_str(), *required))
            .collect::<Vec<_>>(),
        [("urn:example:schemas:1.0:More", true)]
    );
    let (again, numbers) = CustomSchemas::from_stored(&read.stored(&kinds)).unwrap();
    assert_eq!((again, numbers), (read, kinds), "what is stored is read back");
}

#[test]
fn a_list_of_another_server_adds_what_is_not_built_in() {
    let common = json!([{ "name": "id" }, { "name": "externalId" }, { "name": "meta", "type": "complex" }, { "name": "schemas", "type": "reference", "multiValued": true }]);
    let mut attributes = common.as_array().unwrap().clone();
    attributes.push(json!({ "name": "badge", "type": "String", "mutability": "READWRITE" }));
    let extension = json!({ "id": "urn:example:extension:2.0:User", "attributes": attributes, "meta": { "resourceType": "Schema" } });
    let list = json!({
        "schemas": [scim::LIST_RESPONSE_URN], "totalResults": 2,
        "Resources": [serde_json::to_value(scim::core_user()).unwrap(), extension],
    });
    for document in [list, extension.clone(), json!([extension])] {
        let profile = compile_on("generic", &document).unwrap();
        let user = &profile.rules(ResourceKind::User).unwrap().resource_type;
        let (schema, required) = user.extensions.last().unwrap();
        let names: Vec<&str> = schema.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        assert_eq!((schema.id.as_str(), *required, names), ("urn:example:extension:2.0:User", false, vec!["badge"]));
    }
    let own = scim::service_provider_schemas().map(|schema| serde_json::to_value(schema).unwrap());
    let types = json!([
        own[0], own[1], own[2],
        { "name": "Schema", "endpoint": "/Schemas", "schema": scim::SCHEMA_URN },
        { "id": DEVICE, "attributes": [{ "name": "a" }] },
        { "name": "User", "endpoint": "/Users", "schema": scim::USER_URN, "schemaExtensions": [{ "schema": scim::ENTERPRISE_USER_URN, "required": true }] },
        { "id": "Device", "name": "Device", "endpoint": "/Devices", "schema": DEVICE },
    ]);
    assert!(compile_on("generic", &types).unwrap().kind_at("Devices").is_some());
    // A document of a tenant's own is still told what it may not define.
    let written = compile_on("generic", &json!({ "schemas": own })).err().unwrap_or_default();
    assert!(written.contains("a sub-attribute cannot be complex"), "{written}");
}

proptest! {
    #[test]
    fn no_document_panics(text in "\\PC*") {
        drop(CustomSchemas::read(&text));
    }

    #[test]
    fn no_odd_attribute_panics(name in "\\PC{0,8}", kind in "string|complex|x", flag in any::<bool>()) {
        drop(compile_on("generic", &with_attribute(&json!({ "name": name, "type": kind, "required": flag, "multiValued": flag }))));
    }
}
