//! What is left of a resource when a request asks for some attributes.

use scim::limits::PROJECTION_PATHS_MAX;
use scim::{ENTERPRISE_USER_URN, Projection, ResourceType, Schema, ScimType};
use serde_json::{Value, json};

#[track_caller]
fn projected(attributes: Option<&str>, excluded: Option<&str>) -> String {
    let Value::Object(mut resource) = json!({
        "schemas": ["urn:x"], "id": "1", "userName": "ada", "password": "secret", "name": {"givenName": "A", "familyName": "L"},
        "emails": [{"value": "w", "type": "work"}, {"value": "h", "type": "home"}], "meta": {"created": "c", "version": "v"},
        "unknown": 1, ENTERPRISE_USER_URN: {"department": "R&D", "manager": {"value": "u9"}}
    }) else {
        unreachable!("written as an object")
    };
    Projection::read(attributes, excluded).expect("well-formed").apply(&ResourceType::user(), &mut resource);
    for key in ["schemas", "id"] {
        assert!(resource.remove(key).is_some(), "{key} is always answered");
    }
    Value::Object(resource).to_string().replace(ENTERPRISE_USER_URN, "ENT")
}

#[test]
fn a_request_gets_what_it_asks_for() {
    for (attributes, expected) in [
        ("userName", r#"{"userName":"ada"}"#),
        (" USERNAME , name.givenName,", r#"{"name":{"givenName":"A"},"userName":"ada"}"#),
        ("name.givenName,name", r#"{"name":{"familyName":"L","givenName":"A"}}"#),
        ("id,password,nope", "{}"),
        (r#"emails[type eq "work"]"#, r#"{"emails":[{"type":"work","value":"w"}]}"#),
        (r#"emails[value eq "h"].type"#, r#"{"emails":[{"type":"home"}]}"#),
        (r#"emails[value eq "a,]\","],userName"#, r#"{"userName":"ada"}"#),
        ("meta.version", r#"{"meta":{"version":"v"}}"#),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            r#"{"ENT":{"department":"R&D","manager":{"value":"u9"}}}"#,
        ),
        ("department", r#"{"ENT":{"department":"R&D"}}"#),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            r#"{"ENT":{"manager":{"value":"u9"}}}"#,
        ),
    ] {
        assert_eq!(projected(Some(attributes), None), expected, "{attributes}");
    }
}

#[test]
fn a_request_is_spared_what_it_excludes() {
    let all = r#"{"emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}],"meta":{"created":"c","version":"v"},"name":{"familyName":"L","givenName":"A"},"unknown":1,"ENT":{"department":"R&D","manager":{"value":"u9"}},"userName":"ada"}"#;
    assert_eq!(projected(None, None), all);
    assert_eq!(projected(Some(""), Some("")), all);
    for (excluded, expected) in [
        (
            "id,schemas,emails,meta,name.familyName,ENT:x",
            r#"{"name":{"givenName":"A"},"unknown":1,"ENT":{"department":"R&D","manager":{"value":"u9"}},"userName":"ada"}"#,
        ),
        (
            r#"meta,name,emails[type eq "work"],urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"#,
            r#"{"emails":[{"type":"home","value":"h"}],"unknown":1,"userName":"ada"}"#,
        ),
    ] {
        assert_eq!(projected(None, Some(&excluded.replace(",ENT:x", ""))), expected, "{excluded}");
    }
}

/// Brackets choose a plain value by `value`, as they do in filters and in the paths of a PATCH.
#[test]
fn plain_values_are_chosen_by_value() {
    const KIT: &str = "urn:example:schemas:1.0:Kit";
    let schema = json!({ "id": KIT, "attributes": [
        { "name": "tags", "multiValued": true }, { "name": "ints", "type": "integer", "multiValued": true },
        { "name": "always", "multiValued": true, "returned": "always" }, { "name": "one" },
    ] });
    let user = ResourceType::user().with_extension(Schema::read(&schema).expect("well-formed"), false);
    let kit = json!({ "tags": ["t1", "T2", "é"], "ints": [1, 2], "always": ["a", "b"], "one": "x" });
    let always = json!(["a", "b"]);
    for (only, without, expected) in [
        ("tags[value eq \"T1\"]", None, json!({ "tags": ["t1"], "always": always })),
        ("tags[value eq \"t1\"],KIT:tags[value eq \"É\"]", None, json!({ "tags": ["t1", "é"], "always": always })),
        ("tags[value eq \"t1\"],KIT:tags", None, json!({ "tags": ["t1", "T2", "é"], "always": always })),
        ("ints[value gt 1]", None, json!({ "ints": [2], "always": always })),
        ("tags[value eq \"no\"]", None, json!({ "always": always })),
        ("tags[type eq \"t1\"]", None, json!({ "always": always })),
        ("always[value eq \"a\"]", None, json!({ "always": always })),
        ("one[value eq \"x\"]", None, json!({ "always": always })),
        ("", Some("tags[value sw \"t\"]"), json!({ "tags": ["é"], "ints": [1, 2], "always": always, "one": "x" })),
        ("", Some("tags[value pr]"), json!({ "ints": [1, 2], "always": always, "one": "x" })),
        ("", Some("tags[value eq \"no\"],KIT:one[value eq \"x\"]"), kit.clone()),
    ] {
        let paths = |text: &str| format!("KIT:{text}").replace("KIT", KIT);
        let (only, without) = (Some(only).filter(|only| !only.is_empty()).map(paths), without.map(paths));
        let mut resource = json!({ "schemas": ["urn:x"], "id": "1", KIT: kit });
        Projection::read(only.as_deref(), without.as_deref())
            .expect("well-formed")
            .apply(&user, resource.as_object_mut().expect("written as an object"));
        assert_eq!(resource[KIT], expected, "{only:?} {without:?}");
    }
}

#[test]
fn the_parameters_are_checked() {
    let many = vec!["id"; PROJECTION_PATHS_MAX + 1].join(",");
    let long = "a".repeat(scim::limits::FILTER_BYTES_MAX + 1);
    for (attributes, excluded) in [
        (Some("id"), Some("name")),
        (Some("a b"), None),
        (None, Some("emails[")),
        (Some(many.as_str()), None),
        (Some(&long), None),
    ] {
        assert_eq!(Projection::read(attributes, excluded).unwrap_err().scim_type, ScimType::InvalidValue);
    }
    assert!(Projection::read(Some(&many[3..]), None).is_ok());
}

#[test]
fn members_and_groups_are_loaded_only_when_wanted() {
    for (attributes, excluded, expected) in [
        (None, None, true),
        (None, Some("members"), false),
        (None, Some("MEMBERS,displayName"), false),
        (None, Some("members.display"), true),
        (Some("displayName"), None, false),
        (Some("members.value"), None, true),
        (Some(scim::GROUP_URN), None, true),
        (None, Some("urn:ietf:params:scim:schemas:core:2.0:Group:members"), false),
    ] {
        let projection = Projection::read(attributes, excluded).unwrap();
        assert_eq!(projection.wants_members(&ResourceType::group()), expected, "{attributes:?} {excluded:?}");
        assert!(!projection.wants_members(&ResourceType::user()));
        let of_groups = |text: Option<&str>| {
            text.map(|text| text.replace("members", "groups").replace("MEMBERS", "GROUPS").replace("Group", "User"))
        };
        let (attributes, excluded) = (of_groups(attributes), of_groups(excluded));
        let projection = Projection::read(attributes.as_deref(), excluded.as_deref()).expect("well-formed");
        assert_eq!(projection.wants_groups(&ResourceType::user()), expected, "{attributes:?} {excluded:?}");
        assert!(!projection.wants_groups(&ResourceType::group()));
        assert_eq!(projection.is_all(), attributes.is_none() && excluded.is_none());
    }
}

#[test]
fn what_is_returned_decides_before_what_is_asked() {
    let schema: scim::Schema = serde_json::from_value(json!({"id": "urn:x:y", "attributes": [
        {"name": "box", "type": "complex", "subAttributes": [
            {"name": "pin", "returned": "never"}, {"name": "key", "returned": "always"}, {"name": "size", "returned": "request"}, {"name": "label"}]},
        {"name": "rare", "returned": "request"}, {"name": "sure", "returned": "always"}]}))
    .unwrap();
    let thing = ResourceType::new("Thing", "/Things", "", schema);
    for (attributes, excluded, expected) in [
        (None, None, r#"{"box":{"key":2,"label":4},"sure":6}"#),
        (Some("box,rare"), None, r#"{"box":{"key":2,"label":4},"rare":5,"sure":6}"#),
        (Some("box.size,box.pin"), None, r#"{"box":{"key":2,"size":3},"sure":6}"#),
        (None, Some("sure,box.key,box.label"), r#"{"box":{"key":2},"sure":6}"#),
    ] {
        let Value::Object(mut resource) =
            json!({"box": {"pin": 1, "key": 2, "size": 3, "label": 4}, "rare": 5, "sure": 6})
        else {
            continue;
        };
        Projection::read(attributes, excluded).unwrap().apply(&thing, &mut resource);
        assert_eq!(Value::Object(resource).to_string(), expected, "{attributes:?} {excluded:?}");
    }
}
