//! What targets tell, the honest and the hostile.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::gallery::Template;

fn objects(list: &Value) -> Vec<Map<String, Value>> {
    list.as_array().into_iter().flatten().filter_map(|one| one.as_object().cloned()).collect()
}

fn read(schemas: &Value, resource_types: &Value) -> Discovered {
    Discovered::read(&objects(schemas), &objects(resource_types))
}

fn names(list: &[AttributeDefinition]) -> Vec<&str> {
    list.iter().map(|entry| entry.name.as_str()).collect()
}

fn schemas() -> Value {
    json!([
        { "id": scim::USER_URN, "attributes": [
            { "name": "userName", "type": "string", "uniqueness": "server", "required": true },
            { "name": "name", "type": "complex", "subAttributes": [{ "name": "givenName", "type": "string" }] },
            { "name": "emails", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "value", "type": "string", "caseExact": true },
                { "name": "type", "type": "string", "canonicalValues": ["work", "home"] },
                { "name": "primary", "type": "boolean" }
            ] }
        ] },
        { "id": "urn:example:2.0:User", "attributes": [
            { "name": "level", "type": "integer", "mutability": "immutable", "required": true },
            { "name": "secret", "type": "string", "returned": "never" },
            { "name": "tags", "type": "string", "multiValued": true },
            { "name": "boss", "type": "complex", "subAttributes": [{ "name": "value" }, { "name": "$ref", "type": "reference" }] }
        ] },
        { "id": scim::GROUP_URN, "attributes": [{ "name": "displayName", "uniqueness": "none" }] },
        { "id": "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig", "attributes": [{ "name": "patch" }] }
    ])
}

#[test]
fn attributes_become_entries_with_the_paths_of_mappings() {
    let told = read(&schemas(), &json!([]));
    assert_eq!((told.unique_users, told.unique_groups), (true, false));
    assert_eq!(
        names(&told.users),
        [
            "userName",
            "name.givenName",
            "emails",
            "emails[type eq \"work\"].value",
            "emails[type eq \"home\"].value",
            "emails.value",
            "emails.type",
            "emails.primary",
            "urn:example:2.0:User:level",
            "urn:example:2.0:User:secret",
            "urn:example:2.0:User:tags",
            "urn:example:2.0:User:boss",
            "urn:example:2.0:User:boss.value",
            "urn:example:2.0:User:boss.$ref",
        ]
    );
    assert_eq!(names(&told.groups), ["displayName"]);
    let entry = |name: &str| told.users.iter().find(|entry| entry.name == name).unwrap();
    assert_eq!(
        *entry("urn:example:2.0:User:level"),
        AttributeDefinition {
            name: "urn:example:2.0:User:level".to_owned(),
            kind: AttributeType::Integer,
            mutability: Mutability::Immutable,
            required: true,
            ..AttributeDefinition::default()
        }
    );
    assert_eq!(entry("urn:example:2.0:User:secret").mutability, Mutability::WriteOnly);
    assert!(entry("urn:example:2.0:User:tags").multivalued && entry("emails").multivalued);
    assert!(entry("emails[type eq \"home\"].value").case_exact);
    assert_eq!(entry("emails.primary").kind, AttributeType::Boolean);
}

#[test]
fn resource_types_say_whose_a_schema_is() {
    let people = json!([
        { "endpoint": "/Users", "schema": scim::USER_URN, "schemaExtensions": [{ "schema": "URN:example:2.0:user" }, 3] },
        { "endpoint": "https://app.example.com/scim/Groups", "schema": scim::GROUP_URN },
        { "endpoint": "/Devices", "schema": "urn:example:2.0:Device" },
        { "endpoint": 3 }
    ]);
    let device = json!({ "id": "urn:example:2.0:Device", "attributes": [{ "name": "serial" }] });
    let mut all = schemas();
    all.as_array_mut().unwrap().push(device);
    let told = read(&all, &people);
    assert!(names(&told.users).contains(&"urn:example:2.0:User:level"), "{told:?}");
    assert!(!names(&told.users).iter().any(|name| name.contains("serial") || name.contains("patch")), "{told:?}");
    assert_eq!(names(&told.groups), ["displayName"]);
    // Without them it is what the URN ends with.
    assert!(names(&read(&all, &json!([])).users).contains(&"urn:example:2.0:Device:serial"));
}

#[test]
fn what_is_known_stays_as_it_is() {
    let mut known = Discovered::default();
    let first = known.learn(read(&schemas(), &json!([])));
    assert_eq!(first.len(), known.count());
    assert_eq!(known.learn(read(&schemas(), &json!([]))), []);
    let changed = json!([{ "id": "urn:example:2.0:User", "attributes": [
        { "name": "LEVEL", "type": "string" }, { "name": "colour", "type": "string" }
    ] }]);
    let added = known.learn(read(&changed, &json!([])));
    let names: Vec<&str> = added.iter().map(|added| added.attribute.name.as_str()).collect();
    assert_eq!(names, ["urn:example:2.0:User:colour"]);
    let level = known.users.iter().find(|entry| entry.name.ends_with("level")).unwrap();
    assert_eq!(level.kind, AttributeType::Integer);
    assert_eq!(known.count(), first.len() + 1);
}

#[test]
fn hostile_schemas_are_read_as_far_as_they_make_sense() {
    let many: Vec<Value> = (0..5000).map(|number| json!({ "name": format!("a{number}") })).collect();
    let huge = read(&json!([{ "id": "urn:example:2.0:User", "attributes": many }]), &json!([]));
    assert_eq!(huge.count(), DISCOVERED_MAX);
    let mut deep = json!({ "name": "deep", "type": "complex" });
    for _ in 0..100 {
        deep = json!({ "name": "deep", "type": "complex", "subAttributes": [deep] });
    }
    let odd = json!([
        { "id": "urn:example:2.0:User", "attributes": [
            deep, 3, null, "x", { "name": 3 }, { "name": "" }, { "name": "a b" }, { "name": "x\"]" }, { "type": "string" },
            { "name": "a".repeat(400) },
            { "name": "wrong", "type": 3, "multiValued": "true", "caseExact": 1, "mutability": [], "subAttributes": {} },
            { "name": "odd", "type": "quantum" },
            { "name": "twice" }, { "name": "Twice", "type": "integer" },
            { "name": "kinds", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "type", "canonicalValues": ["a\"] or x[b", 7, null] }, { "name": "value" }
            ] }
        ] },
        { "id": 7, "attributes": [{ "name": "x" }] }, { "attributes": 3 }, { "id": "no urn", "attributes": [{ "name": "x" }] }
    ]);
    let mut known = Discovered::default();
    known.learn(read(&odd, &json!([{ "endpoint": {} }, { "schemaExtensions": 3 }])));
    assert_eq!(known, Discovered::default());
    known.learn(read(&odd, &json!([])));
    let prefix = "urn:example:2.0:User:";
    let expected = [
        "deep.deep",
        "wrong",
        "odd",
        "twice",
        "kinds",
        "kinds.type",
        "kinds[type eq \"a\\\"] or x[b\"].value",
        "kinds.value",
    ];
    let own: Vec<&str> = names(&known.users).into_iter().filter_map(|name| name.strip_prefix(prefix)).collect();
    assert_eq!(own, expected);
    let wrong = known.users.iter().find(|entry| entry.name.ends_with("wrong")).unwrap();
    assert_eq!(*wrong, AttributeDefinition { name: wrong.name.clone(), ..AttributeDefinition::default() });
}

#[test]
fn names_alone_of_an_earlier_version_are_discovered_anew() {
    let old = json!({ "uniqueUsers": true, "attributes": ["userName", "urn:example:2.0:User:level"] });
    let read: Discovered = serde_json::from_value(old).unwrap();
    assert_eq!(read, Discovered { unique_users: true, ..Discovered::default() });
    let mut known = read;
    known.learn(super::tests::read(&schemas(), &json!([])));
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(serde_json::from_str::<Discovered>(&text).unwrap(), known);
}

#[test]
fn the_attribute_list_has_each_attribute_once_and_the_administrators_first() {
    let mut settings = JobSettings::of(Template::by_name("scim").unwrap(), "https://app.example.com/scim");
    settings.discovered.learn(read(&schemas(), &json!([])));
    let own =
        json!([{ "name": "URN:example:2.0:User.level", "type": "String" }, { "name": "title", "caseExact": true }]);
    settings.objects[0].target_attributes = serde_json::from_value(own).unwrap();
    let list = settings.attribute_list(ObjectType::User);
    let origins = |name: &str| -> Vec<Origin> {
        let key = attribute_key(ObjectType::User, name);
        let named = list.iter().filter(|(entry, _)| attribute_key(ObjectType::User, &entry.name) == key);
        named.map(|(_, origin)| *origin).collect()
    };
    for (name, origin) in [
        ("urn:example:2.0:User:level", Origin::Administrator),
        ("title", Origin::Administrator),
        ("userName", Origin::Discovered),
        ("emails[type eq \"work\"].value", Origin::Discovered),
        ("phoneNumbers[type eq \"mobile\"].value", Origin::Rfc),
        ("nickName", Origin::Rfc),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", Origin::Rfc),
        ("id", Origin::Rfc),
    ] {
        assert_eq!(origins(name), [origin], "{name}");
    }
    assert_eq!(list.iter().find(|(entry, _)| entry.anchor).map(|(entry, _)| entry.name.as_str()), Some("id"));
    assert!(settings.attribute_list(ObjectType::Group).iter().any(|(entry, _)| entry.name == "members"));
}

/// JSON of any shape, with the keys of schemas.
fn anything() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "id",
        "name",
        "type",
        "attributes",
        "subAttributes",
        "canonicalValues",
        "multiValued",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(vec!["complex", "integer", "urn:x:2.0:User", "a", "type", "é\"]"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_told_every_entry_can_be_mapped(schemas in prop::collection::vec(anything(), 0..4)) {
        let mut known = Discovered::default();
        known.learn(read(&Value::Array(schemas.clone()), &json!([])));
        prop_assert_eq!(known.clone().learn(read(&Value::Array(schemas), &json!([]))), vec![]);
        for entry in &known.users {
            prop_assert!(TargetPath::parse(&entry.name, ObjectType::User).is_ok(), "{}", entry.name);
        }
    }
}
