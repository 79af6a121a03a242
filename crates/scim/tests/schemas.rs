//! The built-in schemas, schemas given as data, and how paths find attributes.

use scim::{Attribute, AttributePath, ENTERPRISE_USER_URN, Kind, Mutability, ResourceType, Returned, Schema, USER_URN};
use serde_json::{Value, json};

fn names(schema: &Schema) -> String {
    schema.attributes.iter().map(|attribute| attribute.name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_built_in_schemas_are_whole() {
    for schema in [scim::core_user(), scim::core_group(), scim::enterprise_user()] {
        schema.check().unwrap();
        let printed = serde_json::to_value(&schema).unwrap();
        assert!(!printed.to_string().contains("null"), "{}", schema.id);
        assert_eq!(serde_json::from_value::<Schema>(printed).unwrap(), schema);
    }
    insta::assert_snapshot!(names(&scim::core_user()), @"userName name displayName nickName profileUrl title userType preferredLanguage locale timezone active password emails phoneNumbers ims photos addresses groups entitlements roles x509Certificates");
    insta::assert_snapshot!(names(&scim::core_group()), @"displayName members");
    insta::assert_snapshot!(names(&scim::enterprise_user()), @"employeeNumber costCenter organization division department manager");
}

#[test]
fn the_schemas_of_discovery_are_readonly_throughout() {
    fn all(attributes: &[Attribute]) -> Vec<&Attribute> {
        attributes.iter().flat_map(|one| std::iter::once(one).chain(all(&one.sub_attributes))).collect()
    }
    let [config, resource_type, schema] = scim::service_provider_schemas();
    for one in [&config, &resource_type, &schema] {
        assert!(
            all(&one.attributes).iter().all(|attribute| attribute.mutability == Mutability::ReadOnly),
            "{}",
            one.id
        );
        let printed = serde_json::to_value(one).unwrap();
        assert_eq!(serde_json::from_value::<Schema>(printed).unwrap(), *one);
    }
    assert!(config.check().is_ok() && resource_type.check().is_ok());
    assert!(
        schema.check().unwrap_err().detail.contains("a sub-attribute cannot be complex"),
        "RFC 7643 §7 lets only this one"
    );
    let (attributes, nested) = (schema.attribute("attributes").unwrap(), "subAttributes");
    let (outer, inner) = (&attributes.sub_attributes, &attributes.sub_attribute(nested).unwrap().sub_attributes);
    assert!(outer.iter().filter(|attribute| attribute.name != nested).eq(inner), "both have the same parts");
    insta::assert_snapshot!(names(&config), @"documentationUri patch bulk filter changePassword sort etag pagination authenticationSchemes");
    insta::assert_snapshot!(names(&resource_type), @"id name description endpoint schema schemaExtensions");
    insta::assert_snapshot!(names(&schema), @"id name description attributes");
}

#[test]
fn attributes_have_the_characteristics_of_the_rfc() {
    let user = ResourceType::user();
    let password = user.find("PASSWORD").unwrap();
    assert_eq!((password.mutability, password.returned), (Mutability::WriteOnly, Returned::Never));
    assert_eq!(user.find("groups").unwrap().mutability, Mutability::ReadOnly);
    assert!(user.find("userName").unwrap().required && !user.find("userName").unwrap().case_exact);
    assert!(user.find("id").unwrap().case_exact && user.find("externalId").unwrap().case_exact);
    assert!(ResourceType::group().find("displayName").unwrap().required);
    assert_eq!(
        user.find("phoneNumbers").unwrap().sub_attribute("type").unwrap().canonical_values,
        ["work", "home", "mobile", "fax", "pager", "other"]
    );
}

#[test]
fn an_attribute_is_printed_with_all_its_characteristics() {
    insta::assert_snapshot!(serde_json::to_string(&scim::core_user().attributes[0]).unwrap(), @r#"{"name":"userName","type":"string","multiValued":false,"description":"The name with which the user signs in; unique among the users of the service provider, compared without case.","required":true,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"server"}"#);
}

#[test]
fn paths_lead_to_attributes() {
    let user = ResourceType::user();
    for (text, expected) in [
        ("USERNAME", "userName"),
        ("name.FAMILYNAME", "name.familyName"),
        ("meta.created", "meta.created"),
        (r#"emails[type eq "work"].value"#, "emails.value"),
        ("urn:ietf:params:scim:schemas:core:2.0:user:username", "userName"),
        ("manager", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        ),
        (
            "URN:IETF:params:scim:schemas:extension:enterprise:2.0:USER.Manager.Value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        ),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "-"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName", "-"),
        ("urn:ietf:params:scim:schemas:extension:other:2.0:User:department", "-"),
        ("userName.value", "-"),
        ("nope", "-"),
    ] {
        let path: AttributePath = text.parse().unwrap();
        assert_eq!(
            user.resolve(&path).map_or_else(|| "-".to_owned(), |resolved| resolved.to_string()),
            expected,
            "{text}"
        );
    }
    let whole: AttributePath = ENTERPRISE_USER_URN.to_uppercase().parse().unwrap();
    assert!(user.resolve(&whole).is_none());
    assert!(user.resolve(&USER_URN.parse().unwrap()).is_none());
}

#[test]
fn a_longer_urn_is_not_an_attribute_of_a_shorter_one() {
    let schema = |id: &str, name: &str| {
        serde_json::from_value::<Schema>(json!({"id": id, "attributes": [{"name": name}]})).unwrap()
    };
    let thing = ResourceType::new("Thing", "/Things", "", schema("urn:x:y", "User"))
        .with_extension(schema("urn:x:y:User", "badge"), false);
    assert!(thing.resolve(&"urn:x:y:User".parse().unwrap()).is_none());
    assert_eq!(thing.find("urn:x:y:User:badge").unwrap().name, "badge");
}

#[test]
fn schemas_given_as_data_are_checked() {
    let schema = |attributes: Value| {
        serde_json::from_value::<Schema>(json!({"id": "urn:x:y", "attributes": attributes})).unwrap()
    };
    let defaults = schema(json!([{"name": "a"}]));
    assert_eq!(defaults.attributes[0], scim::Attribute::new("a", Kind::String));
    let many: Vec<Value> =
        (0..=scim::limits::SCHEMA_ATTRIBUTES_MAX).map(|n| json!({"name": format!("a{n}")})).collect();
    for (attributes, is_sound) in [
        (
            json!([{"name": "a"}, {"name": "b", "type": "complex", "subAttributes": [{"name": "$ref", "type": "reference"}]}]),
            true,
        ),
        (json!([{"name": "a"}, {"name": "A"}]), false),
        (json!([{"name": "a b"}]), false),
        (json!([{"name": "1a"}]), false),
        (json!([{"name": "${7*7}"}]), false),
        (json!([{"name": "a", "type": "complex"}]), false),
        (json!([{"name": "a", "subAttributes": [{"name": "b"}]}]), false),
        (
            json!([{"name": "a", "type": "complex", "subAttributes": [{"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]}]),
            false,
        ),
        (json!([{"name": "a", "required": true, "mutability": "readOnly"}]), true),
        (json!(many), false),
    ] {
        assert_eq!(
            schema(attributes.clone()).check().is_ok(),
            is_sound,
            "{}",
            attributes.to_string().chars().take(80).collect::<String>()
        );
    }
    for id in ["", "urn:x", "x:y:z", "urn:x:", "urn:x:a b", "T(java.lang.Runtime)"] {
        assert!(Schema { id: id.to_owned(), ..defaults.clone() }.check().is_err(), "{id}");
    }
}
