//! Schema discovery as Entra's gallery and its agent read it: whole, without nulls, every attribute with its characteristics.

use serde_json::Value;
use store::testing::on_both;

use crate::flow::vendor;
use crate::world::{ENTERPRISE, GROUP, USER};

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(object) => object.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn check_attribute(attribute: &Value) {
    for key in ["name", "type", "multiValued", "required", "caseExact", "mutability", "returned", "uniqueness"] {
        assert!(attribute.get(key).is_some(), "{key} of {attribute}");
    }
    let name = attribute["name"].as_str().unwrap();
    assert!(name.starts_with(|c: char| c.is_ascii_lowercase() || c == '$'), "{name} is written in camelCase");
    for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
        check_attribute(sub);
    }
}

#[test]
fn schemas_can_be_discovered() {
    on_both(|store| async {
        let world = vendor(store).await;
        for endpoint in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
            let answer = world.get(endpoint).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/scim+json"));
            assert!(!has_null(&answer.body), "{endpoint}: {}", answer.body);
        }
        let schemas = world.get("/Schemas").await.body;
        assert_eq!(schemas["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:ListResponse");
        let listed = schemas["Resources"].as_array().unwrap();
        assert_eq!(schemas["totalResults"], listed.len());
        for urn in [USER, ENTERPRISE, GROUP] {
            let schema = listed.iter().find(|schema| schema["id"] == urn).unwrap_or_else(|| panic!("{urn} is listed"));
            assert_eq!(schema["meta"]["resourceType"], "Schema");
            schema["attributes"].as_array().unwrap().iter().for_each(check_attribute);
            assert_eq!(world.get(&format!("/Schemas/{urn}")).await.body["id"], urn);
        }
        let config = world.get("/ServiceProviderConfig").await.body;
        assert_eq!((&config["patch"]["supported"], &config["filter"]["supported"]), (&true.into(), &true.into()));
    });
}
